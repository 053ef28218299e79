//! Postings: for each slot the rules that its value can call up, sorted by threshold.

use super::{
    Estimates,
    access::Predicate,
    code::{Code, First},
};
use crate::{
    literal::{Check, Node},
    normal::Normal,
    scratch::Candidate,
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

/// The places of one slot: one stretch for each way to compare, one after the other. What most
/// values fail stands beside it, so that the keys are looked at only for the few that do not.
#[derive(Debug, Clone)]
pub(super) struct Access {
    pub slot: u32,
    /// Where the stretches begin, in the order of [`Way`], and where the last one ends.
    edges: [u32; 4],
    /// The least key of the first two stretches.
    least: [i64; 2],
    /// One bit for each key of the last stretch, see [`shade`].
    shades: u64,
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

    /// Adds the places that a value satisfies.
    #[inline]
    pub(super) fn satisfied(&self, access: &Access, value: i64, found: &mut Vec<Candidate>) {
        let bounds = [value, !value].into_iter().zip(access.least);
        for (way, (value, least)) in bounds.enumerate() {
            if value >= least {
                let keys = self.keys(access, way);
                let length = keys.iter().take_while(|key| **key <= value).count();
                push(access.edges[way], length, found);
            }
        }
        if access.shades >> shade(value) & 1 == 1 {
            let keys = self.keys(access, Way::Equal as usize);
            let first = keys.partition_point(|key| *key < value);
            let same = keys.iter().skip(first).take_while(|key| **key == value);
            let start = access.edges[Way::Equal as usize] + first as u32;
            push(start, same.count(), found);
        }
    }

    fn keys(&self, access: &Access, way: usize) -> &[i64] {
        let (from, to) = (access.edges[way], access.edges[way + 1]);
        self.keys.get(from as usize..to as usize).unwrap_or(&[])
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
        let [first, .., last] = self.edges;
        first..last
    }
}

/// Which of 64 bits stands for a key.
#[inline]
fn shade(key: i64) -> u32 {
    ((key as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58) as u32
}

fn push(start: u32, length: usize, found: &mut Vec<Candidate>) {
    let places = start..start + length as u32;
    found.extend(places.map(Candidate::by_code));
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
        let below = |way| start + same.partition_point(|draft| draft.way < way) as u32;
        let least = |way| {
            let first = same.iter().find(|draft| draft.way == way);
            first.map_or(i64::MAX, |draft| draft.key)
        };
        let equal = same.iter().filter(|draft| draft.way == Way::Equal);
        let end = start + same.len() as u32;
        let access = Access {
            slot: same.first().map_or(0, |draft| draft.slot),
            edges: [start, below(Way::AtMost), below(Way::Equal), end],
            least: [least(Way::AtLeast), least(Way::AtMost)],
            shades: equal.fold(0, |shades, draft| shades | 1 << shade(draft.key)),
        };
        start = end;
        access
    };
    drafts
        .chunk_by(|left, right| left.slot == right.slot)
        .map(of_slot)
        .collect()
}
