//! How often literals are true: measured on a sample of payments, or guessed without one.

use super::slot_cost;
use crate::{
    columns::{Bitmaps, Columns},
    literal::{Check, Node, Slot},
    normal::Normal,
    program::{Condition, Text, Whole},
    schema::Field,
};

/// The share of payments for which each literal is true, and what it costs to ask.
#[derive(Debug, Clone)]
pub(crate) struct Estimates {
    truths: Vec<f32>,
}

/// What is expected of a part of a condition.
#[derive(Debug, Clone, Copy)]
struct Expected {
    /// Share of payments for which it is true.
    truth: f32,
    /// Steps to find out.
    cost: f32,
}

impl Estimates {
    /// Rules of thumb: equality is seldom, a high count seldom, a flag set seldom, an inequality
    /// the rule.
    pub(crate) fn guessed(normal: &Normal) -> Self {
        let guess = |literal: &crate::literal::Literal| {
            let slot = &normal.slots[literal.slot as usize];
            guess(slot, literal.check, &normal.sets)
        };
        Self {
            truths: normal.literals.iter().map(guess).collect(),
        }
    }

    /// Shares counted on a sample, pulled a little towards the rules of thumb: a literal that was
    /// never true in the sample may be true tomorrow.
    pub(crate) fn sampled(normal: &Normal, sample: &mut Columns) -> Self {
        let guessed = Self::guessed(normal);
        let rows = sample.rows();
        if rows == 0 {
            return guessed;
        }
        let counts = Bitmaps::default().counts(sample);
        let share = |(hits, guess): (&u32, &f32)| (*hits as f32 + guess) / (rows as f32 + 1.0);
        Self {
            truths: counts.iter().zip(&guessed.truths).map(share).collect(),
        }
    }

    /// The share of payments for which a literal is true.
    pub(crate) fn truth(&self, literal: u32) -> f32 {
        self.truths[literal as usize]
    }

    /// The node with its parts in the order that decides soonest for the least work.
    pub(crate) fn ordered(&self, node: &Node, normal: &Normal) -> Node {
        self.order(node, normal).0
    }

    fn order(&self, node: &Node, normal: &Normal) -> (Node, Expected) {
        match node {
            Node::Literal(literal) => {
                let slot = normal.literal(*literal).slot;
                let expected = Expected {
                    truth: self.truth(*literal),
                    cost: slot_cost(&normal.slots[slot as usize]) as f32,
                };
                (node.clone(), expected)
            }
            Node::All(parts) => {
                let (parts, expected) = self.sorted(parts, normal, |e| 1.0 - e.truth);
                let truth = expected.iter().map(|e| e.truth).product();
                (Node::All(parts), joined(&expected, truth))
            }
            Node::Any(parts) => {
                let (parts, expected) = self.sorted(parts, normal, |e| e.truth);
                let none: f32 = expected.iter().map(|e| 1.0 - e.truth).product();
                (Node::Any(parts), joined(&expected, 1.0 - none))
            }
        }
    }

    /// Parts by cost over the chance that they decide, which is the best order if they are
    /// independent.
    fn sorted(
        &self,
        parts: &[Node],
        normal: &Normal,
        decides: impl Fn(&Expected) -> f32,
    ) -> (Box<[Node]>, Vec<Expected>) {
        let mut parts: Vec<_> = parts.iter().map(|part| self.order(part, normal)).collect();
        let rank = |expected: &Expected| expected.cost / decides(expected).max(1e-6);
        parts.sort_by(|(_, left), (_, right)| rank(left).total_cmp(&rank(right)));
        let expected = parts.iter().map(|(_, expected)| *expected).collect();
        (parts.into_iter().map(|(part, _)| part).collect(), expected)
    }
}

fn joined(parts: &[Expected], truth: f32) -> Expected {
    let cost = parts.iter().map(|part| part.cost).sum();
    Expected { truth, cost }
}

fn guess(slot: &Slot, check: Check, sets: &[Box<[i64]>]) -> f32 {
    let of_set = |set: u32| sets.get(set as usize).map_or(0, |set| set.len()) as f32;
    let equal: f32 = match slot {
        Slot::Text(Text::Field(Field::EventType | Field::EventChannel)) => 0.2,
        Slot::Truth(Condition::Has(_)) => 0.7,
        Slot::Truth(Condition::Field(_) | Condition::Flag(_) | Condition::Listed(_)) => 0.05,
        Slot::Truth(_) => 0.2,
        _ => 0.03,
    };
    match (slot, check) {
        (Slot::Truth(_), Check::Is(0)) => 0.9 - equal,
        (_, Check::Is(_)) => equal,
        (_, Check::IsNot(_)) => 0.95 - equal,
        (_, Check::Among(set)) => (equal * of_set(set)).min(0.5),
        (_, Check::NotAmong(_)) => 0.9,
        (Slot::Whole(Whole::Window(_)), Check::AtLeast(_)) => 0.08,
        (_, Check::AtLeast(_)) => 0.25,
        (_, Check::AtMost(_)) => 0.3,
    }
}
