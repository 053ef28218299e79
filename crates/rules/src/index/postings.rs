//! Postings: for each slot the rules that its value can call up, sorted by threshold.

use super::{
    Estimates,
    access::Predicate,
    code::{Code, Start},
};
use crate::{
    literal::{Check, Node},
    normal::Normal,
    scratch::{Candidate, Candidates, Image, State},
};
use std::{collections::HashMap, mem::size_of_val, ops::Range};

/// All postings, slot by slot, those of rules without access predicate last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Postings {
    /// Bounds of what stands in the payment.
    reaches: Vec<Reach>,
    /// Everything else.
    accesses: Vec<Access>,
    /// What the value is compared with, beside `entries`.
    keys: Vec<i64>,
    pub(super) entries: Vec<Entry>,
    pub(super) always: Range<u32>,
}

/// One rule at one place: a cache line at most, read one after the other along a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// The first questions of what is left, of which most candidates fail one.
    pub start: Start,
    pub rule: u32,
}

/// A stretch of lower bounds for one of [`Image::bounds`]. Most payments fail the least of them,
/// so it stands beside the stretch: which stretches a payment reaches into is found without a
/// branch, all of them in a row.
#[derive(Debug, Clone, Copy)]
struct Reach {
    least: i64,
    bound: u32,
    start: u32,
    end: u32,
}

/// The places of one slot that has to be looked at by itself: one stretch for each way to compare.
#[derive(Debug, Clone)]
struct Access {
    slot: u32,
    way: Way,
    start: u32,
    end: u32,
    /// One bit for each key, see [`shade`].
    shades: u64,
}

/// How a posting's key is compared with the value.
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
    start: Option<Start>,
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
        let start = match self.known.get_mut(&rule) {
            Some(planned) => *planned
                .start
                .get_or_insert_with(|| self.code.append(&planned.rest, self.normal)),
            None => Start::NONE,
        };
        Entry { start, rule }
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
        postings.divide(&drafts, normal);
        postings
    }

    /// All rules, none of them posted.
    pub(super) fn unposted(rules: impl Iterator<Item = u32>) -> Self {
        let entry = |rule| Entry {
            start: Start::NONE,
            rule,
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

    /// Adds the places that a payment satisfies.
    pub(super) fn satisfied(&self, image: &mut Image<'_>, found: &mut Candidates) {
        let Candidates { places, reached } = found;
        let bounds = image.bounds();
        reached.resize(self.reaches.len(), 0);
        let mut count = 0;
        for (number, reach) in self.reaches.iter().enumerate() {
            reached[count] = number as u32;
            count += usize::from(bounds[reach.bound as usize] >= reach.least);
        }
        for number in &reached[..count] {
            let reach = &self.reaches[*number as usize];
            self.run(reach.start, reach.end, bounds[reach.bound as usize], places);
        }
        for access in &self.accesses {
            match image.read(access.slot) {
                State::Missing => {}
                State::Present(value) => self.called_up(access, value, places),
                State::Fault => {
                    places.extend((access.start..access.end).map(Candidate::by_tree));
                }
            }
        }
        places.extend(self.always.clone().map(Candidate::by_code));
    }

    #[inline]
    fn called_up(&self, access: &Access, value: i64, found: &mut Vec<Candidate>) {
        let (start, end) = (access.start, access.end);
        match access.way {
            Way::AtLeast => self.run(start, end, value, found),
            Way::AtMost => self.run(start, end, !value, found),
            Way::Equal if access.shades >> shade(value) & 1 == 0 => {}
            Way::Equal => {
                let keys = self.keys.get(start as usize..end as usize).unwrap_or(&[]);
                let before = keys.partition_point(|key| *key < value);
                self.run(start + before as u32, end, value, found);
            }
        }
    }

    /// Adds the places from `start` on whose keys are a value or less.
    #[inline]
    fn run(&self, start: u32, end: u32, value: i64, found: &mut Vec<Candidate>) {
        let keys = self.keys.get(start as usize..end as usize).unwrap_or(&[]);
        let places = (start..).zip(keys).take_while(|(_, key)| **key <= value);
        found.extend(places.map(|(place, _)| Candidate::by_code(place)));
    }

    /// Divides the sorted postings into stretches.
    fn divide(&mut self, drafts: &[Draft], normal: &Normal) {
        let mut start = 0;
        for same in drafts.chunk_by(|left, right| left.stretch() == right.stretch()) {
            let end = start + same.len() as u32;
            if let [Draft { slot, way, key, .. }, ..] = *same {
                let given = normal.slots[slot as usize].is_given();
                match way {
                    Way::AtLeast | Way::AtMost if given => self.reaches.push(Reach {
                        least: key,
                        bound: 2 * slot + u32::from(way == Way::AtMost),
                        start,
                        end,
                    }),
                    _ => self.accesses.push(Access {
                        slot,
                        way,
                        start,
                        end,
                        shades: same
                            .iter()
                            .fold(0, |shades, draft| shades | 1 << shade(draft.key)),
                    }),
                }
            }
            start = end;
        }
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(self.reaches.as_slice())
            + size_of_val(self.accesses.as_slice())
            + size_of_val(self.keys.as_slice())
            + size_of_val(self.entries.as_slice())
    }
}

impl Draft {
    fn stretch(&self) -> (u32, Way) {
        (self.slot, self.way)
    }
}

/// Which of 64 bits stands for a key.
#[inline]
fn shade(key: i64) -> u32 {
    ((key as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58) as u32
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
