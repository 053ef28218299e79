//! Which events a rule can fire for, whatever else they carry.

use crate::{
    parser::parse,
    rule_set::Rule,
    syntax::{Binary, Comparison, Expr, ExprKind, Logical, Unary},
};
use paywarden_domain::{EventKind, event::Channel};

/// The condition of a rule about payments, asked with nothing known of an event but its kind and
/// its channel.
#[derive(Debug)]
pub struct Reach(Expr);

/// What is known of an event.
struct Known<'k> {
    kind: &'k str,
    channel: Option<&'k str>,
}

impl Rule {
    /// What events it can fire for.
    pub fn reach(&self) -> Reach {
        Reach(parse(self.meaning()).expr)
    }
}

impl Reach {
    /// Whether the rule may fire for an event of this kind that came by this channel, or by any if
    /// none is given. False only if it cannot: of what else the event carries nothing is assumed.
    pub fn may_fire(&self, kind: EventKind, channel: Option<Channel>) -> bool {
        let known = Known {
            kind: kind.name(),
            channel: channel.map(Channel::name),
        };
        truth(&self.0, &known) != Some(false)
    }
}

/// What a condition comes to (Kleene); none where it depends on more than is known.
fn truth(expr: &Expr, known: &Known<'_>) -> Option<bool> {
    match &expr.kind {
        ExprKind::Bool(value) => Some(*value),
        ExprKind::Unary(Unary::Not, inner) => truth(inner, known).map(|truth| !truth),
        ExprKind::Logical(operator, parts) => {
            let decides = *operator == Logical::Or;
            let mut parts = parts.iter().map(|part| truth(part, known));
            parts
                .try_fold(Some(!decides), |all, part| match part {
                    Some(part) if part == decides => Err(decides),
                    Some(_) => Ok(all),
                    None => Ok(None),
                })
                .unwrap_or_else(Some)
        }
        ExprKind::Binary(operator, sides) => compared(*operator, sides, known),
        _ => None,
    }
}

fn compared(operator: Binary, [left, right]: &[Expr; 2], known: &Known<'_>) -> Option<bool> {
    let value = match left.path().as_deref() {
        Some("event.type") => known.kind,
        Some("event.channel") => known.channel?,
        _ => return None,
    };
    match (operator, &right.kind) {
        (Binary::Compare(Comparison::Equal), ExprKind::Text(word)) => Some(value == word),
        (Binary::Compare(Comparison::NotEqual), ExprKind::Text(word)) => Some(value != word),
        (Binary::In, ExprKind::List(items)) => {
            let words: Option<Vec<&str>> = items.iter().map(Expr::as_text).collect();
            words.map(|words| words.contains(&value))
        }
        _ => None,
    }
}
