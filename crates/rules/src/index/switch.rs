//! The switch: postings for each kind of event, or of whatever else most rules ask for by name.

use super::{
    Estimates,
    code::Code,
    postings::{Plan, Postings},
};
use crate::{
    literal::{Check, Node, Slot},
    normal::Normal,
    scratch::{Image, State},
};

/// All postings may hold at most so many entries for each rule; else there is but one part.
const ENTRIES_PER_RULE_MAX: usize = 4;

/// Which postings a payment needs.
#[derive(Debug, Clone, Default)]
pub(super) struct Switch {
    /// What decides it; none if all payments need the same.
    slot: Option<u32>,
    /// By the value of the slot, ascending.
    by_value: Vec<(i64, Postings)>,
    /// For a value that no rule names, or none.
    other: Postings,
    /// Every rule, for payments of which only the trees can tell.
    pub all: Postings,
}

impl Switch {
    /// Splits the rules by the text that most of them ask for, if that is most of all rules.
    pub(super) fn new(
        normal: &Normal,
        estimates: &Estimates,
        ordered: &[Option<Node>],
    ) -> (Self, Code) {
        let rules = || {
            let rules = ordered.iter().enumerate();
            rules.filter_map(|(rule, node)| Some((rule as u32, node.as_ref()?)))
        };
        let mut plan = Plan::new(normal, estimates);
        let Some(slot) = popular(normal, rules().map(|(_, node)| node)) else {
            let switch = Self {
                other: Postings::new(rules(), &mut plan),
                all: Postings::unposted(rules().map(|(rule, _)| rule)),
                ..Self::default()
            };
            return (switch, plan.code);
        };
        let split: Vec<(u32, Asked, Node)> = rules()
            .map(|(rule, node)| {
                let (asked, rest) = without(node, slot, normal);
                (rule, asked, rest)
            })
            .collect();
        let mut values: Vec<i64> = split
            .iter()
            .flat_map(|(_, asked, _)| asked.iter().flatten().copied())
            .collect();
        values.sort_unstable();
        values.dedup();
        let of = |value: Option<i64>, plan: &mut Plan<'_>| {
            let asks = |asked: &Asked| match (asked, value) {
                (None, _) => true,
                (Some(asked), Some(value)) => asked.contains(&value),
                (Some(_), None) => false,
            };
            let rules = split.iter().filter(|(_, asked, _)| asks(asked));
            Postings::new(rules.map(|(rule, _, rest)| (*rule, rest)), plan)
        };
        let by_value = values
            .into_iter()
            .map(|value| (value, of(Some(value), &mut plan)))
            .collect();
        let switch = Self {
            slot: Some(slot),
            by_value,
            other: of(None, &mut plan),
            all: Postings::unposted(split.iter().map(|(rule, ..)| *rule)),
        };
        (switch, plan.code)
    }

    /// The postings for a payment; none if only the trees can tell.
    #[inline]
    pub(super) fn postings(&self, image: &mut Image<'_>) -> Option<&Postings> {
        if image.wrong {
            return None;
        }
        let Some(slot) = self.slot else {
            return Some(&self.other);
        };
        match image.read(slot) {
            State::Present(value) => {
                let known = self
                    .by_value
                    .binary_search_by_key(&value, |(value, _)| *value);
                let known = known.ok().and_then(|place| self.by_value.get(place));
                Some(known.map_or(&self.other, |(_, postings)| postings))
            }
            State::Missing => Some(&self.other),
            State::Fault => None,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let parts = self.by_value.iter().map(|(_, postings)| postings.bytes());
        parts.sum::<usize>() + self.other.bytes()
    }
}

/// The values of a slot that a rule asks for; none if it asks for none in particular.
type Asked = Option<Vec<i64>>;

/// The values that a condition asks of a slot, and what is left of it if the slot has one of them.
fn without(node: &Node, slot: u32, normal: &Normal) -> (Asked, Node) {
    let parts = node.conjuncts();
    let asked = |part: &Node| wanted(part, normal).filter(|(asks, _)| *asks == slot);
    match parts.iter().position(|part| asked(part).is_some()) {
        Some(place) => {
            let values = asked(&parts[place]).map(|(_, values)| values);
            let rest = [&parts[..place], &parts[place + 1..]].concat();
            (values, Node::All(rest.into()))
        }
        None => (None, node.clone()),
    }
}

/// The text slot and the values that a part of a conjunction asks it for.
fn wanted(part: &Node, normal: &Normal) -> Option<(u32, Vec<i64>)> {
    let Node::Literal(literal) = part else {
        return None;
    };
    let literal = normal.literal(*literal);
    let is_text = matches!(normal.slots[literal.slot as usize], Slot::Text(_));
    match literal.check {
        Check::Is(value) if is_text => Some((literal.slot, vec![value])),
        Check::Among(set) if is_text => {
            let values = normal.sets.get(set as usize)?.to_vec();
            Some((literal.slot, values))
        }
        _ => None,
    }
}

/// The text slot that most rules ask for values, if most rules do and the parts would not grow
/// beyond their limit.
fn popular<'a>(normal: &Normal, nodes: impl Iterator<Item = &'a Node>) -> Option<u32> {
    let mut asking = vec![(0_usize, 0_usize); normal.slots.len()];
    let mut values: Vec<std::collections::BTreeSet<i64>> = vec![Default::default(); asking.len()];
    let mut rules = 0;
    for node in nodes {
        rules += 1;
        let mut seen = Vec::new();
        for (slot, asked) in node
            .conjuncts()
            .iter()
            .filter_map(|part| wanted(part, normal))
        {
            if !seen.contains(&slot) {
                seen.push(slot);
                let (count, entries) = &mut asking[slot as usize];
                (*count, *entries) = (*count + 1, *entries + asked.len());
                values[slot as usize].extend(asked);
            }
        }
    }
    let counted = asking.iter().enumerate();
    let (slot, (count, entries)) = counted.max_by_key(|(_, (count, _))| *count)?;
    let everywhere = (rules - count) * (values[slot].len() + 1);
    let small = entries + everywhere <= rules * ENTRIES_PER_RULE_MAX;
    (*count * 2 >= rules && *count > 0 && small).then_some(slot as u32)
}
