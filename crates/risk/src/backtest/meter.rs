//! One rule set, events as it reads them, and the count of what it does: a back-test without its
//! journal.

use super::{
    evaluate::{Evaluator, Fired, Weights},
    report::{Change, Day, Effect, RuleEffect},
    tally::{Subject, Tally},
};
use crate::Bands;
use paywarden_domain::Outcome;
use paywarden_rules::{RuleSet, Slots};
use std::sync::Arc;

/// Takes in events, evaluates them in blocks and counts.
pub struct Meter {
    evaluator: Evaluator,
    weights: Weights,
    subjects: Vec<Subject>,
    tally: Tally,
}

/// What the counts come to: the parts of a [`super::Report`] that follow from rules and events.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Every event.
    pub payments: Effect,
    /// Those that the rules would have stopped.
    pub stopped: Effect,
    /// Those that were stopped before.
    pub stopped_before: Effect,
    /// Each rule that is live or on trial, most frauds first.
    pub rules: Vec<RuleEffect>,
    /// Each day on which something happened.
    pub days: Vec<Day>,
    /// Outcomes before and after, the most frequent first.
    pub changes: Vec<Change>,
    /// How many payments with fired rules the overlaps were counted on.
    pub overlap_payments: u64,
}

impl Meter {
    /// Nothing counted yet.
    pub fn new(rules: Arc<RuleSet>, bands: &Bands) -> Self {
        Self {
            weights: Weights::new(&rules, bands),
            tally: Tally::new(rules.rules().len()),
            subjects: Vec::new(),
            evaluator: Evaluator::new(rules),
        }
    }

    /// The rules.
    pub fn rules(&self) -> &Arc<RuleSet> {
        self.evaluator.rules()
    }

    /// Takes in an event: what the rules read of it, and what the count needs. Call
    /// [`Meter::settle`] every few thousand events: it is what bounds the memory.
    pub fn push(&mut self, slots: &Slots<'_>, subject: Subject) {
        self.evaluator.push(slots);
        self.subjects.push(subject);
    }

    /// Counts the events taken in since the last call. `before` replaces their outcomes before,
    /// event by event, as far as it reaches.
    pub fn settle(&mut self, before: &[Outcome]) {
        for (subject, outcome) in self.subjects.iter_mut().zip(before) {
            subject.before = *outcome;
        }
        let (subjects, weights) = (&self.subjects, &self.weights);
        let count = |fired: &Fired| self.tally.add(subjects, fired, weights);
        self.evaluator.tell(count);
        self.subjects.clear();
    }

    /// What it all comes to.
    pub fn finish(mut self) -> Measured {
        self.settle(&[]);
        self.tally.finish(self.evaluator.rules())
    }
}
