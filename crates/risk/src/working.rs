//! A rule set at work: what its rules do and cost, and an index kept fit for the payments that
//! come.

use arc_swap::ArcSwap;
use paywarden_rules::{Columns, Hits, RuleSet, Scratch, Slots};
use std::{
    cell::RefCell,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// One payment in so many is kept for the second index. For each later one it is one in twice as
/// many, so that indexes follow the traffic and their cost fades.
const SAMPLED_ONE_IN: u64 = 16;
/// One payment in so many is kept at last.
const SAMPLED_ONE_IN_MAX: u64 = 4_096;
/// One payment in so many tells what each rule costs.
const COSTED_ONE_IN: u64 = 64;
/// How many payments an index is built for.
const SAMPLE_ROWS: usize = 256;
/// How often it is looked whether a decision still uses what was replaced.
const RETIRE_LOOK: Duration = Duration::from_millis(5);

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Frees what was replaced, once the last decision has let go of it: it takes milliseconds, which
/// no decision should have to spend. Waits; call it from a thread that may block.
pub(crate) fn retire<T>(old: Arc<T>) {
    while Arc::strong_count(&old) > 1 {
        thread::sleep(RETIRE_LOOK);
    }
}

/// A rule set with its counters. The index is replaced now and then, the rules never.
#[derive(Debug)]
pub(crate) struct Working {
    rules: ArcSwap<RuleSet>,
    payments: AtomicU64,
    candidates: AtomicU64,
    counters: Vec<Counters>,
    sample: Mutex<Columns>,
    sampled_one_in: AtomicU64,
}

/// Counters of one rule since it was published.
#[derive(Debug, Clone)]
pub struct RuleFigures {
    /// `pack.rule`.
    pub rule: String,
    /// Times it fired, live or shadow, in the set that decided.
    pub fired: u64,
    /// Times it could not be evaluated there.
    pub faults: u64,
    /// Steps that it took, counted for one payment in 64, on trial too.
    pub steps: u64,
}

impl RuleFigures {
    /// A rule that has done nothing yet.
    pub(crate) fn none(rule: &str) -> Self {
        Self {
            rule: rule.to_owned(),
            fired: 0,
            faults: 0,
            steps: 0,
        }
    }

    /// Adds what another has done.
    pub(crate) fn add(&mut self, other: &Self) {
        self.fired += other.fired;
        self.faults += other.faults;
        self.steps += other.steps;
    }
}

#[derive(Debug, Default)]
struct Counters {
    fired: AtomicU64,
    faults: AtomicU64,
    steps: AtomicU64,
}

impl Working {
    pub(crate) fn new(rules: RuleSet) -> Self {
        Self {
            payments: AtomicU64::new(0),
            candidates: AtomicU64::new(0),
            counters: rules.rules().iter().map(|_| Counters::default()).collect(),
            sample: Mutex::new(rules.columns(SAMPLE_ROWS)),
            sampled_one_in: AtomicU64::new(SAMPLED_ONE_IN),
            rules: ArcSwap::from_pointee(rules),
        }
    }

    /// Evaluates, and counts what it costs.
    pub(crate) fn evaluate(&self, slots: &Slots<'_>, budget: impl FnMut() -> bool) -> Hits {
        let number = self.payments.fetch_add(1, Ordering::Relaxed);
        let rules = self.rules.load();
        let hits = SCRATCH.with_borrow_mut(|scratch| {
            if number.is_multiple_of(COSTED_ONE_IN) {
                rules.evaluate_with(slots, scratch, budget, |rule, steps| {
                    self.count(&[rule], |of| &of.steps, u64::from(steps));
                });
            } else {
                rules.evaluate_with(slots, scratch, budget, |_, _| {});
            }
            scratch.hits().clone()
        });
        self.candidates
            .fetch_add(hits.candidates as u64, Ordering::Relaxed);
        if number.is_multiple_of(read(&self.sampled_one_in))
            && let Ok(mut sample) = self.sample.try_lock()
        {
            sample.push(slots);
        }
        hits
    }

    /// Counts what fired and what failed where this set decided.
    pub(crate) fn decided(&self, hits: &Hits) {
        self.count(&hits.fired, |of| &of.fired, 1);
        self.count(&hits.shadow, |of| &of.fired, 1);
        for (rule, _) in &hits.faults {
            self.count(&[*rule], |of| &of.faults, 1);
        }
    }

    /// Builds the index anew if enough payments were kept for it. Takes some milliseconds: call it
    /// from a task that may block.
    pub(crate) fn refresh(&self) -> bool {
        let Ok(mut kept) = self.sample.lock() else {
            return false;
        };
        if !kept.is_full() {
            return false;
        }
        let fresh = self.rules.load().columns(SAMPLE_ROWS);
        let mut sample = std::mem::replace(&mut *kept, fresh);
        drop(kept);
        let seldomer = (read(&self.sampled_one_in) * 2).min(SAMPLED_ONE_IN_MAX);
        self.sampled_one_in.store(seldomer, Ordering::Relaxed);
        let rules = self.rules.load().resampled(&mut sample);
        retire(self.rules.swap(rules.into()));
        true
    }

    /// Payments evaluated and rules looked at for them.
    pub(crate) fn looked_at(&self) -> (u64, u64) {
        (read(&self.payments), read(&self.candidates))
    }

    /// What each rule has done, in their order.
    pub(crate) fn figures(&self) -> Vec<RuleFigures> {
        let rules = self.rules.load();
        let counted = rules.rules().iter().zip(&self.counters);
        let figures = counted.map(|(rule, counters)| RuleFigures {
            rule: rule.id.clone(),
            fired: read(&counters.fired),
            faults: read(&counters.faults),
            steps: read(&counters.steps),
        });
        figures.collect()
    }

    fn count(&self, rules: &[usize], of: impl Fn(&Counters) -> &AtomicU64, more: u64) {
        for counters in rules.iter().filter_map(|rule| self.counters.get(*rule)) {
            of(counters).fetch_add(more, Ordering::Relaxed);
        }
    }
}

fn read(number: &AtomicU64) -> u64 {
    number.load(Ordering::Relaxed)
}
