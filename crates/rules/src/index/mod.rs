//! The index: finds the few rules of a set that a payment could make fire, and runs only those.
//!
//! Each rule is posted under its access predicate: the clause of its condition that is seldomest
//! true. The postings of a slot are sorted by threshold, so that all that a value satisfies are a
//! contiguous run, and the rest of each condition is flat code in the order of the postings. The
//! method is that of publish/subscribe matching: Fabret et al., "Filtering algorithms and
//! implementation for very fast publish/subscribe systems", SIGMOD 2001.
//!
//! *Invariant*: a rule whose access predicate is not true is neither true nor a fault, because
//! what is missing outweighs a fault. A rule that touches a fault is left to its tree.

mod access;
mod code;
mod estimate;
mod postings;

pub(crate) use estimate::Estimates;

use crate::{
    literal::{Node, Slot},
    normal::Normal,
    scratch::{Image, Run, State},
};
use code::Code;
pub(crate) use code::Ending;
use postings::Postings;

/// How rules are found and run. Immutable; built anew when selectivity has changed.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    /// The conditions, seldomest parts first; none for rules that are off or never true.
    pub ordered: Vec<Option<Node>>,
    postings: Postings,
    code: Code,
}

impl Index {
    /// Builds the index for the rules that `is_on`.
    pub(crate) fn new(
        normal: &Normal,
        estimates: &Estimates,
        is_on: impl Fn(usize) -> bool,
    ) -> Self {
        let order = |(rule, node): (usize, &Node)| {
            let live = is_on(rule) && !node.is_never();
            live.then(|| estimates.ordered(node, normal))
        };
        let ordered: Vec<_> = normal.nodes.iter().enumerate().map(order).collect();
        let (postings, code) = Postings::new(normal, estimates, &ordered);
        Self {
            ordered,
            postings,
            code,
        }
    }

    /// Finds the runs of postings that the payment satisfies, and says how many rules are in them.
    pub(crate) fn candidates(&self, image: &mut Image<'_>, runs: &mut Vec<Run>) -> usize {
        runs.clear();
        for access in &self.postings.accesses {
            match image.read(access.slot) {
                State::Missing => {}
                State::Present(value) => self.postings.satisfied(access, value, runs),
                State::Fault => runs.push(Run {
                    places: access.all(),
                    by_tree: true,
                }),
            }
        }
        let always = self.postings.always.clone();
        if !always.is_empty() {
            runs.push(Run {
                places: always,
                by_tree: false,
            });
        }
        runs.iter().map(|run| run.places.len()).sum()
    }

    /// The rule at one place of the postings.
    pub(crate) fn rule(&self, place: u32) -> usize {
        self.postings.entries[place as usize].rule as usize
    }

    /// Runs what is left of the condition at one place of the postings.
    #[inline]
    pub(crate) fn run(&self, place: u32, image: &mut Image<'_>) -> Ending {
        let entry = &self.postings.entries[place as usize];
        image.steps += 1;
        match entry.first.ask(image) {
            Ending::Fires => self.code.run(entry.code, image),
            decided => decided,
        }
    }

    /// Bytes that an evaluation may touch.
    pub(crate) fn bytes(&self) -> usize {
        self.postings.bytes() + self.code.bytes()
    }
}

/// What it costs to learn the value of a slot, in steps of the code.
pub(crate) fn slot_cost(slot: &Slot) -> u32 {
    match slot.is_given() {
        true => 1,
        false => 8,
    }
}
