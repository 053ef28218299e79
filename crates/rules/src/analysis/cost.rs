//! What a condition may cost at most, from its text: a budget as Kubernetes has for CEL.

use crate::syntax::{Expr, ExprKind};

/// The most steps that one condition may take.
pub const COST_MAX: u32 = 2_500;

/// What calls cost beside their arguments: those that look through texts.
const CALLS: &[(&str, u32)] = &[
    ("matches", 50),
    ("contains", 5),
    ("replace", 5),
    ("indexOf", 5),
    ("lastIndexOf", 5),
];

/// Steps that an expression takes at most: one for each node, more for searches in texts.
pub(crate) fn cost(expr: &Expr) -> u32 {
    let own = match &expr.kind {
        ExprKind::Call(call) => {
            let known = CALLS.iter().find(|(name, _)| *name == call.name.text);
            known.map_or(1, |(_, cost)| *cost)
        }
        _ => 1,
    };
    let parts = expr.kind.parts().map(cost);
    parts.fold(own, u32::saturating_add)
}
