//! The access predicate of a rule: literals of which at least one is true whenever the rule is.

use super::{Estimates, slot_cost};
use crate::{
    literal::{Check, Node},
    normal::Normal,
};

/// What running one candidate costs beside looking at one slot.
const CANDIDATE_COST: f32 = 3.0;
/// From this cost on a rule is better run for every payment.
const ALWAYS_COST: f32 = CANDIDATE_COST;

/// One rule's access predicate.
#[derive(Debug, Clone)]
pub(super) struct Predicate {
    /// Any of these.
    pub literals: Vec<u32>,
    cost: f32,
}

impl Predicate {
    /// The cheapest access predicate of a condition; none if every payment has to be looked at.
    pub(super) fn of(node: &Node, normal: &Normal, estimates: &Estimates) -> Option<Self> {
        cheapest(node, normal, estimates).filter(|access| access.cost < ALWAYS_COST)
    }

    /// What is left to test once the access predicate is known to be true.
    pub(super) fn rest(&self, node: &Node) -> Node {
        let [only] = self.literals.as_slice() else {
            return node.clone();
        };
        let access = Node::Literal(*only);
        let rest = node.conjuncts().iter().filter(|part| **part != access);
        Node::All(rest.cloned().collect())
    }
}

fn cheapest(node: &Node, normal: &Normal, estimates: &Estimates) -> Option<Predicate> {
    match node {
        Node::Literal(literal) => of_literal(*literal, normal, estimates),
        Node::All(parts) => parts
            .iter()
            .filter_map(|part| cheapest(part, normal, estimates))
            .min_by(|left, right| left.cost.total_cmp(&right.cost)),
        Node::Any(parts) => {
            let mut any = Predicate {
                literals: Vec::new(),
                cost: 0.0,
            };
            for part in parts {
                let access = cheapest(part, normal, estimates)?;
                any.cost += access.cost;
                any.literals.extend(access.literals);
            }
            any.literals.sort_unstable();
            any.literals.dedup();
            Some(any)
        }
    }
}

/// Candidates that the literal lets through, and the slot's own cost shared by its readers. What
/// is true of all but some values is no help.
fn of_literal(literal: u32, normal: &Normal, estimates: &Estimates) -> Option<Predicate> {
    let asked = normal.literal(literal);
    match asked.check {
        Check::IsNot(_) | Check::NotAmong(_) => return None,
        // True of every value, and the bounds of a missing one.
        Check::AtLeast(i64::MIN) | Check::AtMost(i64::MAX) => return None,
        Check::AtLeast(_) | Check::AtMost(_) | Check::Is(_) | Check::Among(_) => {}
    }
    let slot = asked.slot as usize;
    let shared = slot_cost(&normal.slots[slot]) as f32 / normal.readers[slot].max(1) as f32;
    Some(Predicate {
        literals: vec![literal],
        cost: estimates.truth(literal) * CANDIDATE_COST + shared,
    })
}
