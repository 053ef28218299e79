//! The pass over all rules for one payment: candidates from the index, each run until the time
//! budget is spent.

use crate::{
    index::{Ending, Postings},
    pack::Stage,
    rule_set::{Hits, RULES_PER_BUDGET_CHECK, RuleSet},
    scratch::{Candidate, Scratch},
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
        let (mut image, candidates, hits) = scratch.begin(self.normal(), slots);
        let postings = self.index.candidates(&mut image, candidates);
        let candidates = &candidates.places;
        hits.candidates = candidates.len();
        for (number, batch) in candidates.chunks(RULES_PER_BUDGET_CHECK).enumerate() {
            if !budget() {
                let (done, left) = candidates.split_at(number * RULES_PER_BUDGET_CHECK);
                skip(postings, done, left, hits);
                break;
            }
            // Most candidates end at their first question. Asked in a row, without a branch on
            // the answer, the processor waits for many of them at once.
            let mut open = [(Candidate::by_code(0), Ending::Silent); RULES_PER_BUDGET_CHECK];
            let mut count = 0;
            for candidate in batch {
                let before = image.steps;
                let ending = self.index.begin(postings, *candidate, &mut image);
                observe(postings.rule(candidate.place), image.steps - before + 1);
                open[count] = (*candidate, ending);
                count += usize::from(ending != Ending::Silent);
            }
            for (candidate, ending) in &open[..count] {
                let rule = postings.rule(candidate.place);
                let before = image.steps;
                let ending = match ending {
                    Ending::Fires => self.index.go_on(postings, *candidate, &mut image),
                    decided => *decided,
                };
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
            Truth::True if self.stages()[rule] == Stage::Live => hits.fired.push(rule),
            Truth::True => hits.shadow.push(rule),
            Truth::Fault(fault) => hits.faults.push((rule, fault)),
            Truth::False | Truth::Unknown => {}
        }
    }
}

/// Notes candidates as left out, unless their rules were looked at before.
#[cold]
fn skip(postings: &Postings, done: &[Candidate], left: &[Candidate], hits: &mut Hits) {
    let rule = |candidate: &Candidate| postings.rule(candidate.place);
    let mut looked_at: Vec<usize> = done.iter().map(rule).collect();
    looked_at.sort_unstable();
    let missed = |rule: &usize| looked_at.binary_search(rule).is_err();
    hits.skipped.extend(left.iter().map(rule).filter(missed));
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
