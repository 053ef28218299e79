//! Conditions taken apart for people: what each part of a fired rule was, and what kept a rule
//! from firing.
//!
//! Made on request from the text of the rule, through the checker and evaluator that decide, so
//! that nothing of it costs a decision anything.

use crate::{
    checker::{self, Compiled},
    definitions::Scope,
    parser::parse,
    rule_set::RuleSet,
    shared::Shared,
    slots::Slots,
    syntax::{Expr, ExprKind, Logical, Unary},
    truth::Truth,
};
use paywarden_domain::RuleValues;
use serde::Serialize;

/// One part of a condition: what it was, and what it is made of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Dissected {
    /// In canonical spelling, names replaced by what they stand for.
    pub text: String,
    /// What it came to.
    pub truth: Truth,
    /// The operands of a comparison or test, with their values.
    pub values: RuleValues,
    /// The parts of a condition that is joined by `&&`, `||`, `!` or `? :`.
    pub parts: Vec<Dissected>,
}

/// One part of a condition that was not as it would have had to be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WhyNot {
    /// In canonical spelling.
    pub text: String,
    /// What it would have had to be; false under a negation.
    pub wanted: bool,
    /// What it was.
    pub truth: Truth,
    /// Its operands with their values.
    pub values: RuleValues,
}

impl RuleSet {
    /// A rule's condition with the value of every part of it. No such rule: none.
    pub fn dissect(&self, rule: usize, slots: &Slots<'_>) -> Option<Dissected> {
        let expr = self.meaning(rule)?;
        Surgeon::new(self, slots).dissect(&expr)
    }

    /// The fewest comparisons and tests that would have had to be otherwise for a rule to fire;
    /// nothing if it fires. It is the fewest if no test stands in the condition twice.
    pub fn why_not(&self, rule: usize, slots: &Slots<'_>) -> Vec<WhyNot> {
        let missing = |expr: Expr| Surgeon::new(self, slots).why_not(&expr, true);
        self.meaning(rule).map_or_else(Vec::new, missing)
    }

    /// A rule's condition as a syntax tree, names replaced.
    fn meaning(&self, rule: usize) -> Option<Expr> {
        let rule = self.rules().get(rule)?;
        Some(parse(rule.meaning.as_deref().unwrap_or(&rule.when)).expr)
    }
}

struct Surgeon<'a> {
    rules: &'a RuleSet,
    slots: &'a Slots<'a>,
    scope: Scope<'a>,
    /// Windows and probes have the places that they have in the rule set.
    shared: Shared,
}

impl<'a> Surgeon<'a> {
    fn new(rules: &'a RuleSet, slots: &'a Slots<'a>) -> Self {
        Self {
            rules,
            slots,
            scope: Scope::default(),
            shared: Shared::of(rules),
        }
    }

    fn dissect(&mut self, expr: &Expr) -> Option<Dissected> {
        let (truth, values) = self.weigh(expr)?;
        let parts: Vec<Dissected> = joined(expr)
            .into_iter()
            .filter_map(|part| self.dissect(part))
            .collect();
        Some(Dissected {
            text: expr.to_string(),
            truth,
            values: if parts.is_empty() {
                values
            } else {
                RuleValues::default()
            },
            parts,
        })
    }

    /// What a part of a condition comes to, and its operands. A literal `true` is no condition.
    fn weigh(&mut self, expr: &Expr) -> Option<(Truth, RuleValues)> {
        let compiled = checker::check(expr, self.rules.rates(), &self.scope, &mut self.shared);
        let Compiled { condition, reads } = compiled.ok()?;
        let known = &self.shared.operands.items;
        let read = reads.iter().filter_map(|place| known.get(*place as usize));
        let values = RuleValues::alone(read.map(|operand| {
            let value = self.rules.value(&operand.source, self.slots);
            (operand.text.clone(), value)
        }));
        Some((condition.truth(self.slots), values))
    }

    fn why_not(&mut self, expr: &Expr, wanted: bool) -> Vec<WhyNot> {
        match &expr.kind {
            ExprKind::Unary(Unary::Not, operand) => self.why_not(operand, !wanted),
            ExprKind::Logical(operator, operands) => {
                let each = operands.iter().map(|operand| self.why_not(operand, wanted));
                match (*operator == Logical::And) == wanted {
                    true => united(each),
                    false => each.min_by_key(Vec::len).unwrap_or_default(),
                }
            }
            ExprKind::Ternary(parts) => {
                let [condition, then, otherwise] = parts.as_ref();
                let mut way = |truth, branch| {
                    let asked = self.why_not(condition, truth);
                    united([asked, self.why_not(branch, wanted)])
                };
                let ways = [way(true, then), way(false, otherwise)];
                ways.into_iter().min_by_key(Vec::len).unwrap_or_default()
            }
            _ => self.blocking(expr, wanted).into_iter().collect(),
        }
    }

    fn blocking(&mut self, expr: &Expr, wanted: bool) -> Option<WhyNot> {
        let (truth, values) = self.weigh(expr)?;
        (truth != Truth::from(wanted)).then(|| WhyNot {
            text: expr.to_string(),
            wanted,
            truth,
            values,
        })
    }
}

/// The conditions that an expression joins; none if it is a comparison or another test.
fn joined(expr: &Expr) -> Vec<&Expr> {
    match &expr.kind {
        ExprKind::Unary(Unary::Not, _) | ExprKind::Logical(..) | ExprKind::Ternary(_) => {
            expr.kind.parts().collect()
        }
        _ => Vec::new(),
    }
}

/// All of several findings, each once.
fn united(findings: impl IntoIterator<Item = Vec<WhyNot>>) -> Vec<WhyNot> {
    let mut all: Vec<WhyNot> = Vec::new();
    for found in findings.into_iter().flatten() {
        if !all.contains(&found) {
            all.push(found);
        }
    }
    all
}
