//! The index: finds the few rules of a set that a payment could make fire, and runs only those.
//!
//! Each rule is posted under its access predicate: the clause of its condition that is seldomest
//! true. The postings of a slot are sorted by threshold, so that all that a value satisfies are a
//! contiguous run, and the rest of each condition is flat code in the order of the postings. The
//! method is that of publish/subscribe matching: Fabret et al., "Filtering algorithms and
//! implementation for very fast publish/subscribe systems", SIGMOD 2001.
//!
//! Most rules name the event that they are about, so the postings are split by it: a payment sees
//! only those of rules about its own kind of event.
//!
//! *Invariant*: a rule whose access predicate is not true is neither true nor a fault, because
//! what is missing outweighs a fault. A rule that touches a fault is left to its tree.

mod access;
mod code;
mod estimate;
mod postings;
mod switch;

pub(crate) use estimate::Estimates;

use crate::{
    literal::{Node, Slot},
    normal::Normal,
    scratch::{Candidate, Candidates, Image},
};
use code::Code;
pub(crate) use code::Ending;
pub(crate) use postings::Postings;
use switch::Switch;

/// How rules are found and run. Immutable; built anew when selectivity has changed.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    /// The conditions, seldomest parts first; none for rules that are off or never true.
    pub ordered: Vec<Option<Node>>,
    switch: Switch,
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
        let (switch, code) = Switch::new(normal, estimates, &ordered);
        Self {
            ordered,
            switch,
            code,
        }
    }

    /// Finds the places of the postings that the payment satisfies.
    pub(crate) fn candidates(&self, image: &mut Image<'_>, found: &mut Candidates) -> &Postings {
        found.places.clear();
        match self.switch.postings(image) {
            Some(postings) => {
                postings.satisfied(image, found);
                postings
            }
            None => {
                let all = &self.switch.all;
                found
                    .places
                    .extend(all.always.clone().map(Candidate::by_tree));
                all
            }
        }
    }

    /// Asks the first questions of what is left of a candidate's condition: how it ends if they
    /// decide it, and [`Ending::Fires`] if the code has to go on.
    #[inline(always)]
    pub(crate) fn begin(
        &self,
        postings: &Postings,
        candidate: Candidate,
        image: &mut Image<'_>,
    ) -> Ending {
        match candidate.by_tree {
            true => Ending::Tree,
            false => postings.entries[candidate.place as usize].start.ask(image),
        }
    }

    /// Runs the code for all other questions.
    #[inline]
    pub(crate) fn go_on(
        &self,
        postings: &Postings,
        candidate: Candidate,
        image: &mut Image<'_>,
    ) -> Ending {
        self.code
            .run(postings.entries[candidate.place as usize].start.at, image)
    }

    /// Bytes that evaluations may touch.
    pub(crate) fn bytes(&self) -> usize {
        self.switch.bytes() + self.code.bytes()
    }
}

/// What it costs to learn the value of a slot, in steps of the code.
pub(crate) fn slot_cost(slot: &Slot) -> u32 {
    match slot.is_given() {
        true => 1,
        false => 8,
    }
}
