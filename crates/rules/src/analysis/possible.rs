//! Whether a condition can be true at all: interval analysis, slot by slot.

use crate::{
    literal::{Check, Literal, Node, Slot},
    normal::Normal,
    program::{ComputedWhole, Whole},
    schema::Field,
};

/// The values that slots may still have, given that some literals are true.
#[derive(Clone)]
pub(super) struct Possible<'a> {
    normal: &'a Normal,
    /// Few slots for each rule: a list is quicker than a map.
    narrowed: Vec<(u32, Values)>,
}

/// A set of integers.
#[derive(Clone)]
enum Values {
    /// All from one to another but some.
    Between(i64, i64, Vec<i64>),
    Only(Vec<i64>),
}

impl<'a> Possible<'a> {
    pub(super) fn new(normal: &'a Normal) -> Self {
        Self {
            normal,
            narrowed: Vec::new(),
        }
    }

    /// Whether the condition, or its negation, can be true as far as this can tell.
    pub(super) fn is_possible(&mut self, node: &Node, positive: bool) -> bool {
        match (node, positive) {
            (Node::Literal(literal), _) => self.narrow(self.normal.literal(*literal), positive),
            (Node::All(parts), true) | (Node::Any(parts), false) => {
                // Literals first: they narrow what is left for the rest.
                let is_literal = |part: &&Node| matches!(part, Node::Literal(_));
                let others = parts.iter().filter(|part| !is_literal(part));
                let mut parts = parts.iter().filter(is_literal).chain(others);
                parts.all(|part| self.is_possible(part, positive))
            }
            (Node::Any(parts), true) | (Node::All(parts), false) => {
                let possible = |part: &&Node| self.clone().is_possible(part, positive);
                let mut left = parts.iter().filter(possible);
                match (left.next(), left.next()) {
                    (None, _) => false,
                    (Some(only), None) => self.is_possible(only, positive),
                    _ => true,
                }
            }
        }
    }

    fn narrow(&mut self, literal: Literal, positive: bool) -> bool {
        let Literal { slot, check } = literal;
        let known = self.narrowed.iter().position(|(known, _)| *known == slot);
        let place = known.unwrap_or_else(|| {
            let values = Values::of(&self.normal.slots[slot as usize]);
            self.narrowed.push((slot, values));
            self.narrowed.len() - 1
        });
        let (_, values) = &mut self.narrowed[place];
        values.narrow(check, positive, &self.normal.sets);
        !values.is_empty()
    }
}

impl Values {
    /// What a slot may hold before anything is known of it.
    fn of(slot: &Slot) -> Self {
        let (low, high) = match slot {
            Slot::Truth(_) => (0, 1),
            Slot::Whole(Whole::Int(Field::EventHour | Field::ActHourLocal)) => (0, 23),
            Slot::Whole(Whole::Int(Field::EventWeekday | Field::ActWeekday)) => (1, 7),
            Slot::Whole(Whole::Computed(computed))
                if matches!(**computed, ComputedWhole::Size(_)) =>
            {
                (0, i64::MAX)
            }
            _ => (i64::MIN, i64::MAX),
        };
        Self::Between(low, high, Vec::new())
    }

    fn narrow(&mut self, check: Check, positive: bool, sets: &[Box<[i64]>]) {
        let set = |set: u32| sets.get(set as usize).map_or(&[][..], |set| set);
        match (check, positive) {
            (Check::AtLeast(bound), true) => self.between(bound, i64::MAX),
            (Check::AtMost(bound), true) => self.between(i64::MIN, bound),
            (Check::AtLeast(bound), false) => match bound.checked_sub(1) {
                Some(bound) => self.between(i64::MIN, bound),
                None => *self = Self::Only(Vec::new()),
            },
            (Check::AtMost(bound), false) => match bound.checked_add(1) {
                Some(bound) => self.between(bound, i64::MAX),
                None => *self = Self::Only(Vec::new()),
            },
            (Check::Is(value), true) | (Check::IsNot(value), false) => self.only(&[value]),
            (Check::Is(value), false) | (Check::IsNot(value), true) => self.without(&[value]),
            (Check::Among(values), true) | (Check::NotAmong(values), false) => {
                self.only(set(values));
            }
            (Check::Among(values), false) | (Check::NotAmong(values), true) => {
                self.without(set(values));
            }
        }
    }

    fn holds(&self, value: i64) -> bool {
        match self {
            Self::Between(low, high, holes) => {
                *low <= value && value <= *high && !holes.contains(&value)
            }
            Self::Only(values) => values.contains(&value),
        }
    }

    fn between(&mut self, from: i64, to: i64) {
        match self {
            Self::Between(low, high, _) => (*low, *high) = (from.max(*low), to.min(*high)),
            Self::Only(values) => values.retain(|value| from <= *value && *value <= to),
        }
    }

    fn only(&mut self, wanted: &[i64]) {
        let left = wanted.iter().copied().filter(|value| self.holds(*value));
        *self = Self::Only(left.collect());
    }

    fn without(&mut self, refused: &[i64]) {
        match self {
            Self::Between(_, _, holes) => holes.extend(refused),
            Self::Only(values) => values.retain(|value| !refused.contains(value)),
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Only(values) => values.is_empty(),
            // A range is used up only if the holes fill it, which takes as many of them.
            Self::Between(low, high, holes) => {
                low > high
                    || high.abs_diff(*low) < holes.len() as u64
                        && (*low..=*high).all(|value| holes.contains(&value))
            }
        }
    }
}
