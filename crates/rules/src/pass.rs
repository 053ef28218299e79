//! The pass over all rules for one payment: candidates from the index, each run until the time
//! budget is spent.

use crate::{
    index::{Ending, Postings},
    pack::Stage,
    rule_set::{Hits, RULES_PER_BUDGET_CHECK, RuleSet},
    scratch::{Run, Scratch},
    slots::Slots,
    truth::Truth,
};

impl RuleSet {
    /// Evaluates the rules of both engines. Every 32 candidates it asks `budget` whether to go on.
    pub fn evaluate(&self, slots: &Slots<'_>, budget: impl FnMut() -> bool) -> Hits {
        let mut scratch = Scratch::default();
        self.evaluate_with(slots, &mut scratch, budget, |_, _| {});
        scratch.into_hits()
    }

    /// The same in room that is used again and again; the hits are in [`Scratch::hits`].
    ///
    /// `observe` is told of each candidate what it cost: instructions run and sub-expressions
    /// computed for the first time, eight each. It is a measure without a clock, the same on
    /// every machine.
    pub fn evaluate_with(
        &self,
        slots: &Slots<'_>,
        scratch: &mut Scratch,
        mut budget: impl FnMut() -> bool,
        mut observe: impl FnMut(usize, u32),
    ) {
        let (mut image, runs, hits) = scratch.begin(self.normal(), slots);
        let (postings, candidates) = self.index.candidates(&mut image, runs);
        hits.candidates = candidates;
        let mut until_check = 0;
        for (number, run) in runs.iter().enumerate() {
            for place in run.places.clone() {
                if until_check == 0 {
                    if !budget() {
                        skip(postings, runs, number, place, hits);
                        hits.sort();
                        return;
                    }
                    until_check = RULES_PER_BUDGET_CHECK;
                }
                until_check -= 1;
                let before = image.steps;
                let ending = match run.by_tree {
                    true => Ending::Tree,
                    false => self.index.run(postings, place, &mut image),
                };
                let rule = postings.rule(place);
                observe(rule, image.steps - before);
                match ending {
                    Ending::Silent => {}
                    Ending::Fires => self.note(rule, Truth::True, hits),
                    Ending::Tree => self.note(rule, self.truth(rule, slots), hits),
                }
            }
        }
        hits.sort();
    }

    fn note(&self, rule: usize, truth: Truth, hits: &mut Hits) {
        match truth {
            Truth::True if self.rules()[rule].stage == Stage::Live => hits.fired.push(rule),
            Truth::True => hits.shadow.push(rule),
            Truth::Fault(fault) => hits.faults.push((rule, fault)),
            Truth::False | Truth::Unknown => {}
        }
    }
}

/// Notes the candidates from one place on as left out, unless they were looked at before.
#[cold]
fn skip(postings: &Postings, runs: &[Run], number: usize, place: u32, hits: &mut Hits) {
    let (done, left) = runs.split_at(number);
    let (current, left) = left
        .split_first()
        .map_or((None, left), |(c, l)| (Some(c), l));
    let current = current.map(|run| run.places.clone()).unwrap_or_default();
    let rules = |places: std::ops::Range<u32>| places.map(|place| postings.rule(place));
    let mut looked_at: Vec<usize> = done
        .iter()
        .flat_map(|run| rules(run.places.clone()))
        .chain(rules(current.start..place))
        .collect();
    looked_at.sort_unstable();
    let left =
        rules(place..current.end).chain(left.iter().flat_map(|run| rules(run.places.clone())));
    let missed = left.filter(|rule| looked_at.binary_search(rule).is_err());
    hits.skipped.extend(missed);
}

impl Hits {
    /// Puts everything in the order of the rules. A rule posted at several places counts once.
    fn sort(&mut self) {
        for rules in [&mut self.fired, &mut self.shadow, &mut self.skipped] {
            rules.sort_unstable();
            rules.dedup();
        }
        self.faults.sort_unstable();
        self.faults.dedup();
    }
}
