//! Events against one rule set, a block of columns at a time.

use crate::{
    Bands,
    weight::{Sum, Weight},
};
use paywarden_domain::Outcome;
use paywarden_rules::{BLOCK_ROWS, Bitmaps, Columns, Found, RuleSet, Slots, pack::Stage};
use std::sync::Arc;

/// Takes in events and evaluates them together, block by block.
pub(super) struct Evaluator {
    rules: Arc<RuleSet>,
    columns: Columns,
    bitmaps: Bitmaps,
    /// Event and rule of the current block, in the order of rules.
    hits: Vec<(u32, u32)>,
    fired: Fired,
}

/// What fired for each of some events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Fired {
    /// Where the rules of each event end; they begin where those of the one before end.
    ends: Vec<u32>,
    /// Places of rules, live and on trial, ascending within an event.
    rules: Vec<u32>,
    /// Event and rule that could not be computed.
    faults: Vec<(u32, u32)>,
    /// Where the next rule of each event of a block goes.
    next: Vec<u32>,
}

impl Evaluator {
    pub(super) fn new(rules: Arc<RuleSet>) -> Self {
        Self {
            columns: rules.columns(BLOCK_ROWS),
            bitmaps: Bitmaps::default(),
            hits: Vec::new(),
            fired: Fired::default(),
            rules,
        }
    }

    pub(super) fn rules(&self) -> &Arc<RuleSet> {
        &self.rules
    }

    /// Takes in the next event.
    pub(super) fn push(&mut self, slots: &Slots<'_>) {
        if !self.columns.push(slots) {
            self.evaluate();
            self.columns.push(slots);
        }
    }

    /// Tells what fired for the events since the last call. The room for it is kept: asking for so
    /// much anew every few thousand events would cost more than counting them.
    pub(super) fn tell<T>(&mut self, to: impl FnOnce(&Fired) -> T) -> T {
        self.evaluate();
        let told = to(&self.fired);
        self.fired.clear();
        told
    }

    /// Evaluates the events of the block and makes room for the next.
    fn evaluate(&mut self) {
        let Self {
            rules,
            columns,
            bitmaps,
            hits,
            fired,
        } = self;
        hits.clear();
        let first = fired.ends.len() as u32;
        rules.evaluate_columns(columns, bitmaps, |rule, found| {
            let rule = rule as u32;
            hits.extend(rows(found).map(|row| (row, rule)));
            let faults = found.faults.iter();
            let faults = faults.map(|(row, _)| (first + *row as u32, rule));
            fired.faults.extend(faults);
        });
        fired.extend(columns.rows(), hits);
        columns.clear();
    }
}

/// The events of a block for which a rule fired.
fn rows(found: &Found) -> impl Iterator<Item = u32> {
    (0_u32..).zip(found.fired).flat_map(|(word, bits)| {
        let first = Some(bits).filter(|bits| *bits != 0);
        let rest = |bits: &u64| Some(bits & (bits - 1)).filter(|rest| *rest != 0);
        std::iter::successors(first, rest).map(move |bits| word * 64 + bits.trailing_zeros())
    })
}

impl Fired {
    fn clear(&mut self) {
        self.ends.clear();
        self.rules.clear();
        self.faults.clear();
    }

    /// Adds the events of a block: sorts its hits, which come in the order of rules, by event.
    fn extend(&mut self, events: usize, hits: &[(u32, u32)]) {
        let first = self.rules.len() as u32;
        let next = &mut self.next;
        next.clear();
        next.resize(events + 1, 0);
        for (event, _) in hits {
            next[*event as usize + 1] += 1;
        }
        let mut end = first;
        for count in next.iter_mut() {
            end += *count;
            *count = end;
        }
        self.ends.extend(next.iter().skip(1));
        self.rules.resize(end as usize, 0);
        for (event, rule) in hits {
            let place = &mut next[*event as usize];
            self.rules[*place as usize] = *rule;
            *place += 1;
        }
    }

    /// The rules that fired, event by event.
    pub(super) fn events(&self) -> impl Iterator<Item = &[u32]> {
        let mut from = 0;
        self.ends.iter().map(move |end| {
            let end = *end as usize;
            let rules = self.rules.get(from..end).unwrap_or_default();
            from = end;
            rules
        })
    }

    /// Each event and rule that could not be computed.
    pub(super) fn faults(&self) -> impl Iterator<Item = (usize, usize)> {
        let places = |(row, rule): &(u32, u32)| (*row as usize, *rule as usize);
        self.faults.iter().map(places)
    }

    /// What the rules that fired for each event add up to, in place of what stands there.
    pub(super) fn sums(&self, weights: &Weights, sums: &mut Vec<Sum>) {
        sums.clear();
        sums.extend(self.events().map(|rules| weights.sum(rules)));
        for (row, rule) in self.faults() {
            if let (Some(sum), Some(weight)) = (sums.get_mut(row), weights.of(rule as u32))
                && weight.closed
            {
                sum.add_closed(weight.engine);
            }
        }
    }
}

/// What each rule of a set adds when it fires; those on trial add nothing.
pub(super) struct Weights {
    weights: Vec<Option<Weight>>,
    bands: Bands,
}

impl Weights {
    pub(super) fn new(rules: &RuleSet, bands: &Bands) -> Self {
        let weight = |rule: &paywarden_rules::Rule| {
            (rule.stage == Stage::Live).then(|| Weight::of(rule, bands))
        };
        Self {
            weights: rules.rules().iter().map(weight).collect(),
            bands: bands.clone(),
        }
    }

    /// What a rule adds; nothing if it is on trial.
    pub(super) fn of(&self, rule: u32) -> Option<Weight> {
        self.weights.get(rule as usize).copied().flatten()
    }

    /// The outcome of a sum.
    pub(super) fn outcome(&self, sum: &Sum) -> Outcome {
        sum.outcome(&self.bands)
    }

    fn sum(&self, rules: &[u32]) -> Sum {
        let mut sum = Sum::default();
        let live = rules.iter().filter_map(|rule| self.of(*rule));
        live.for_each(|weight| sum.add(weight));
        sum
    }
}
