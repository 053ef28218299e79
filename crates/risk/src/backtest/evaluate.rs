//! Events against one rule set, a block at a time.

use crate::{
    Bands,
    weight::{Sum, Weight},
};
use paywarden_domain::Outcome;
use paywarden_rules::{RuleSet, Slots, pack::Stage};
use std::sync::Arc;

/// Takes in events and evaluates them together.
pub(crate) struct Evaluator {
    rules: Arc<RuleSet>,
    fired: Fired,
}

/// What fired for each event of a block.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Fired {
    /// Where the rules of each event end; they begin where those of the one before end.
    ends: Vec<u32>,
    /// Places of rules, live and on trial, ascending within an event.
    rules: Vec<u32>,
    /// Event and rule that could not be computed.
    faults: Vec<(u32, u32)>,
}

impl Evaluator {
    pub(crate) fn new(rules: Arc<RuleSet>) -> Self {
        Self {
            rules,
            fired: Fired::default(),
        }
    }

    pub(crate) fn rules(&self) -> &Arc<RuleSet> {
        &self.rules
    }

    /// Takes in the next event of the block.
    pub(crate) fn push(&mut self, slots: &Slots<'_>) {
        let hits = self.rules.evaluate(slots, || true);
        let row = self.fired.ends.len() as u32;
        let first = self.fired.rules.len();
        let places = hits.fired.iter().chain(&hits.shadow);
        self.fired.rules.extend(places.map(|place| *place as u32));
        self.fired.rules[first..].sort_unstable();
        self.fired.ends.push(self.fired.rules.len() as u32);
        let faults = hits.faults.iter().map(|(place, _)| (row, *place as u32));
        self.fired.faults.extend(faults);
    }

    /// Ends the block.
    pub(crate) fn take(&mut self) -> Fired {
        std::mem::take(&mut self.fired)
    }
}

impl Fired {
    /// The rules that fired, event by event.
    pub(crate) fn events(&self) -> impl Iterator<Item = &[u32]> {
        let mut from = 0;
        self.ends.iter().map(move |end| {
            let end = *end as usize;
            let rules = self.rules.get(from..end).unwrap_or_default();
            from = end;
            rules
        })
    }

    /// Each event and rule that could not be computed.
    pub(crate) fn faults(&self) -> impl Iterator<Item = (usize, usize)> {
        let places = |(row, rule): &(u32, u32)| (*row as usize, *rule as usize);
        self.faults.iter().map(places)
    }

    /// What the rules that fired for each event add up to.
    pub(crate) fn sums(&self, weights: &Weights) -> Vec<Sum> {
        let mut sums: Vec<Sum> = self.events().map(|rules| weights.sum(rules)).collect();
        for (row, rule) in self.faults() {
            if let (Some(sum), Some(weight)) = (sums.get_mut(row), weights.of(rule as u32))
                && weight.closed
            {
                sum.add_closed(weight.engine);
            }
        }
        sums
    }
}

/// What each rule of a set adds when it fires; those on trial add nothing.
pub(crate) struct Weights {
    weights: Vec<Option<Weight>>,
    bands: Bands,
}

impl Weights {
    pub(crate) fn new(rules: &RuleSet, bands: &Bands) -> Self {
        let weight =
            |rule: &paywarden_rules::Rule| (rule.stage == Stage::Live).then(|| Weight::of(rule));
        Self {
            weights: rules.rules().iter().map(weight).collect(),
            bands: bands.clone(),
        }
    }

    /// What a rule adds; nothing if it is on trial.
    pub(crate) fn of(&self, rule: u32) -> Option<Weight> {
        self.weights.get(rule as usize).copied().flatten()
    }

    /// The outcome of a sum.
    pub(crate) fn outcome(&self, sum: &Sum) -> Outcome {
        sum.outcome(&self.bands)
    }

    fn sum(&self, rules: &[u32]) -> Sum {
        let mut sum = Sum::default();
        let live = rules.iter().filter_map(|rule| self.of(*rule));
        live.for_each(|weight| sum.add(weight));
        sum
    }
}
