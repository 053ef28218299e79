//! Postings: for each slot the rules that its value can call up, sorted by threshold.

use super::{
    Estimates,
    access::Predicate,
    code::{Code, First},
};
use crate::{
    literal::{Check, Node},
    normal::Normal,
    scratch::Run,
};
use std::{collections::HashMap, mem::size_of_val, ops::Range};

/// All postings, slot by slot, those of rules without access predicate last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Postings {
    pub(super) accesses: Vec<Access>,
    /// What the value is compared with, beside `entries`.
    keys: Vec<i64>,
    pub(super) entries: Vec<Entry>,
    pub(super) always: Range<u32>,
}

/// One rule at one place: 32 bytes, read one after the other along a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// The first question of what is left, which most candidates fail.
    pub first: First,
    pub rule: u32,
    /// Where the code for what the first question leaves begins.
    pub code: u32,
}

/// The places of one slot: one stretch for each way to compare.
#[derive(Debug, Clone)]
pub(super) struct Access {
    pub slot: u32,
    stretches: [Range<u32>; 3],
}

/// How a posting's key is compared with the value. The order is that of the stretches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    /// The value is the key or more: a run from the smallest key on.
    AtLeast,
    /// The value's complement is the key or more: the same run for upper bounds.
    AtMost,
    Equal,
}

/// A posting before it has its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Draft {
    slot: u32,
    way: Way,
    key: i64,
    rule: u32,
}

/// The access predicates and the code of rules, the same in all postings.
pub(super) struct Plan<'a> {
    pub normal: &'a Normal,
    pub estimates: &'a Estimates,
    pub code: Code,
    known: HashMap<u32, Planned>,
}

struct Planned {
    predicate: Option<Predicate>,
    rest: Node,
    /// Once the code is laid out.
    start: Option<(First, u32)>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(normal: &'a Normal, estimates: &'a Estimates) -> Self {
        Self {
            normal,
            estimates,
            code: Code::default(),
            known: HashMap::new(),
        }
    }

    fn predicate(&mut self, rule: u32, node: &Node) -> Option<&Predicate> {
        let planned = self.known.entry(rule).or_insert_with(|| {
            let predicate = Predicate::of(node, self.normal, self.estimates);
            let rest = match &predicate {
                Some(predicate) => predicate.rest(node),
                None => node.clone(),
            };
            Planned {
                predicate,
                rest,
                start: None,
            }
        });
        planned.predicate.as_ref()
    }

    fn entry(&mut self, rule: u32) -> Entry {
        let (first, code) = match self.known.get_mut(&rule) {
            Some(planned) => *planned
                .start
                .get_or_insert_with(|| self.code.append(&planned.rest, self.normal)),
            None => (First::NONE, 0),
        };
        Entry { first, rule, code }
    }
}

impl Postings {
    /// Posts conditions, each of one rule, and lays out the code for what their access predicates
    /// leave open.
    pub(super) fn new<'a>(
        rules: impl Iterator<Item = (u32, &'a Node)>,
        plan: &mut Plan<'_>,
    ) -> Self {
        let normal = plan.normal;
        let mut drafts = Vec::new();
        let mut always = Vec::new();
        for (rule, node) in rules {
            match plan.predicate(rule, node) {
                Some(predicate) => {
                    for literal in &predicate.literals {
                        post(*literal, rule, normal, &mut drafts);
                    }
                }
                None => always.push(rule),
            }
        }
        drafts.sort_unstable();
        let mut postings = Self::default();
        for draft in &drafts {
            postings.keys.push(draft.key);
            postings.entries.push(plan.entry(draft.rule));
        }
        let end = postings.entries.len() as u32;
        let always = always.into_iter().map(|rule| plan.entry(rule));
        postings.entries.extend(always);
        postings.always = end..postings.entries.len() as u32;
        postings.accesses = accesses(&drafts);
        postings
    }

    /// All rules, none of them posted.
    pub(super) fn unposted(rules: impl Iterator<Item = u32>) -> Self {
        let entry = |rule| Entry {
            first: First::NONE,
            rule,
            code: 0,
        };
        let entries: Vec<Entry> = rules.map(entry).collect();
        Self {
            always: 0..entries.len() as u32,
            entries,
            ..Self::default()
        }
    }

    /// The rule at one place.
    pub(crate) fn rule(&self, place: u32) -> usize {
        self.entries[place as usize].rule as usize
    }

    /// Adds the runs that a value satisfies.
    #[inline]
    pub(super) fn satisfied(&self, access: &Access, value: i64, runs: &mut Vec<Run>) {
        let [at_least, at_most, equal] = &access.stretches;
        for (stretch, value) in [(at_least, value), (at_most, !value)] {
            let keys = self.keys(stretch);
            let length = keys.partition_point(|key| *key <= value) as u32;
            push(stretch.start..stretch.start + length, runs);
        }
        let keys = self.keys(equal);
        let first = keys.partition_point(|key| *key < value);
        let same = keys.iter().skip(first).take_while(|key| **key == value);
        let (first, length) = (equal.start + first as u32, same.count() as u32);
        push(first..first + length, runs);
    }

    fn keys(&self, stretch: &Range<u32>) -> &[i64] {
        self.keys
            .get(stretch.start as usize..stretch.end as usize)
            .unwrap_or(&[])
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(self.accesses.as_slice())
            + size_of_val(self.keys.as_slice())
            + size_of_val(self.entries.as_slice())
    }
}

impl Access {
    /// Every place of the slot.
    pub(super) fn all(&self) -> Range<u32> {
        let [first, _, last] = &self.stretches;
        first.start..last.end
    }
}

fn push(places: Range<u32>, runs: &mut Vec<Run>) {
    if !places.is_empty() {
        let by_tree = false;
        runs.push(Run { places, by_tree });
    }
}

fn post(literal: u32, rule: u32, normal: &Normal, drafts: &mut Vec<Draft>) {
    let literal = normal.literal(literal);
    let slot = literal.slot;
    let mut add = |way, key| {
        drafts.push(Draft {
            slot,
            way,
            key,
            rule,
        });
    };
    match literal.check {
        Check::AtLeast(bound) => add(Way::AtLeast, bound),
        Check::AtMost(bound) => add(Way::AtMost, !bound),
        Check::Is(value) => add(Way::Equal, value),
        Check::Among(set) => {
            let set = normal.sets.get(set as usize).map_or(&[][..], |set| set);
            set.iter().for_each(|value| add(Way::Equal, *value));
        }
        // Never part of an access predicate.
        Check::IsNot(_) | Check::NotAmong(_) => {}
    }
}

/// Where each slot's stretches begin and end among sorted drafts.
fn accesses(drafts: &[Draft]) -> Vec<Access> {
    let mut start = 0;
    let of_slot = |same: &[Draft]| {
        let mut stretch = |way| {
            let end = start + same.iter().filter(|draft| draft.way == way).count() as u32;
            let stretch = start..end;
            start = end;
            stretch
        };
        Access {
            slot: same.first().map_or(0, |draft| draft.slot),
            stretches: [
                stretch(Way::AtLeast),
                stretch(Way::AtMost),
                stretch(Way::Equal),
            ],
        }
    };
    drafts
        .chunk_by(|left, right| left.slot == right.slot)
        .map(of_slot)
        .collect()
}
