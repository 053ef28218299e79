//! Counts what fired beside what the payments turned out to be.

use super::{
    customers::Customers,
    evaluate::{Fired, Weights},
    meter::Measured,
    overlap::Sample,
    report::{Change, Day, Effect, Labelled, Overlap, RuleEffect, SAMPLES_MAX},
};
use crate::{Floors, weight::Sum};
use paywarden_domain::{Outcome, PaymentId, Timestamp, time::DAY};
use paywarden_rules::{Rule, RuleSet, pack::Stage};
use std::{cmp::Reverse, collections::BTreeMap};

/// Room for the customers of one rule, and for those of all rules together.
const ROOM_MAX: usize = 1 << 17;
const ROOM_TOTAL_MAX: usize = 1 << 23;
const OUTCOMES: usize = Outcome::ALL.len();

/// What the count needs of one event beside its hits.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The caller's identifier of the payment.
    pub payment_id: PaymentId,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// Minor units of the base currency; 0 if it has no amount.
    pub amount_minor: i64,
    /// What it is taken for.
    pub labelled: Labelled,
    /// Keyed hash of whoever paid; 0 if unknown.
    pub customer: u64,
    /// The outcome answered, or of the rules compared with.
    pub before: Outcome,
    /// What models asked for when it was decided.
    pub floors: Floors,
}

/// Counts over all events of a back-test.
pub(super) struct Tally {
    payments: Count,
    stopped: Count,
    stopped_before: Count,
    rules: Vec<RuleCount>,
    days: BTreeMap<i64, Day>,
    changes: [[Option<Change>; OUTCOMES]; OUTCOMES],
    sample: Sample,
    /// Room for the sums of a block.
    sums: Vec<Sum>,
    /// How much of the room for customers of rules is left.
    room_left: usize,
}

#[derive(Debug, Default)]
struct RuleCount {
    fired: Count,
    alone: u64,
    decisive: u64,
    fraud_stopped_only_here: u64,
    faults: u64,
}

/// Some payments, by what they turned out to be. Small: ten thousand rules have one each.
#[derive(Debug, Default)]
pub(super) struct Count {
    /// In the order of [`Labelled`].
    payments: [u64; Labelled::COUNT],
    amount_minor: i64,
    fraud_amount_minor: i64,
    /// Whose good payments they were.
    customers: Customers,
}

impl Tally {
    pub(super) fn new(rules: usize) -> Self {
        Self {
            payments: Count::default(),
            stopped: Count::default(),
            stopped_before: Count::default(),
            rules: (0..rules).map(|_| RuleCount::default()).collect(),
            days: BTreeMap::new(),
            changes: Default::default(),
            sample: Sample::default(),
            sums: Vec::new(),
            room_left: ROOM_TOTAL_MAX,
        }
    }

    /// Counts a block: what the events are, and what fired for each.
    pub(super) fn add(&mut self, subjects: &[Subject], fired: &Fired, weights: &Weights) {
        let mut sums = std::mem::take(&mut self.sums);
        fired.sums(weights, &mut sums);
        for ((subject, rules), sum) in subjects.iter().zip(fired.events()).zip(&sums) {
            let sum = sum.beside(subject.floors);
            let after = weights.outcome(&sum);
            self.add_payment(subject, after);
            self.sample.offer(rules);
            for place in rules {
                let Some(count) = self.rules.get_mut(*place as usize) else {
                    continue;
                };
                count.fired.add(subject, ROOM_MAX, &mut self.room_left);
                count.alone += u64::from(rules.len() == 1);
                let Some(weight) = weights.of(*place) else {
                    continue;
                };
                let otherwise = weights.outcome(&sum.without(weight));
                count.decisive += u64::from(otherwise != after);
                let saved =
                    subject.labelled == Labelled::Fraud && after.stops() && !otherwise.stops();
                count.fraud_stopped_only_here += u64::from(saved);
            }
        }
        for (_, place) in fired.faults() {
            if let Some(count) = self.rules.get_mut(place) {
                count.faults += 1;
            }
        }
        self.sums = sums;
    }

    fn add_payment(&mut self, subject: &Subject, after: Outcome) {
        let stopped = [
            (true, &mut self.payments),
            (after.stops(), &mut self.stopped),
            (subject.before.stops(), &mut self.stopped_before),
        ];
        for (_, count) in stopped.into_iter().filter(|(counts, _)| *counts) {
            count.add_of_all(subject);
        }
        self.day(subject, after);
        self.change(subject, after);
    }

    fn day(&mut self, subject: &Subject, after: Outcome) {
        let number = subject.occurred_at.micros().div_euclid(DAY);
        let day = self.days.entry(number).or_insert_with(|| Day {
            day: Timestamp::from_micros(number * DAY),
            payments: 0,
            stopped: 0,
            stopped_before: 0,
            fraud: 0,
            fraud_stopped: 0,
            fraud_amount_minor: 0,
            fraud_amount_stopped_minor: 0,
        });
        day.payments += 1;
        day.stopped += u64::from(after.stops());
        day.stopped_before += u64::from(subject.before.stops());
        if subject.labelled == Labelled::Fraud {
            day.fraud += 1;
            day.fraud_stopped += u64::from(after.stops());
            let amount = subject.amount_minor;
            day.fraud_amount_minor = day.fraud_amount_minor.saturating_add(amount);
            if after.stops() {
                let stopped = &mut day.fraud_amount_stopped_minor;
                *stopped = stopped.saturating_add(amount);
            }
        }
    }

    fn change(&mut self, subject: &Subject, after: Outcome) {
        let before = subject.before;
        let cell = &mut self.changes[before as usize][after as usize];
        let change = cell.get_or_insert_with(|| Change {
            before,
            after,
            payments: 0,
            fraud: 0,
            amount_minor: 0,
            samples: Vec::new(),
        });
        change.payments += 1;
        change.fraud += u64::from(subject.labelled == Labelled::Fraud);
        change.amount_minor = change.amount_minor.saturating_add(subject.amount_minor);
        if before != after && change.samples.len() < SAMPLES_MAX {
            change.samples.push(subject.payment_id.clone());
        }
    }

    /// What it all comes to.
    pub(super) fn finish(self, rules: &RuleSet) -> Measured {
        let all = self.payments.effect();
        let payments = all.clone().shared(&all);
        let mut overlaps = self.sample.overlaps(rules.rules().len());
        let overlap_payments = self.sample.len();
        let mut effects: Vec<RuleEffect> = rules
            .rules()
            .iter()
            .zip(self.rules)
            .zip(overlaps.drain(..))
            .filter(|((rule, _), _)| rule.stage != Stage::Off)
            .map(|((rule, count), overlaps)| count.effect(rule, rules, &overlaps, &all))
            .collect();
        effects.sort_by_key(|effect| (Reverse(effect.fired.fraud), Reverse(effect.fired.payments)));
        let mut changes: Vec<Change> = self.changes.into_iter().flatten().flatten().collect();
        changes.sort_by_key(|change| Reverse(change.payments));
        Measured {
            payments,
            stopped: self.stopped.effect().shared(&all),
            stopped_before: self.stopped_before.effect().shared(&all),
            rules: effects,
            days: self.days.into_values().collect(),
            changes,
            overlap_payments,
        }
    }
}

impl RuleCount {
    fn effect(
        self,
        rule: &Rule,
        rules: &RuleSet,
        overlaps: &[(usize, f64)],
        all: &Effect,
    ) -> RuleEffect {
        let overlap = |(place, share): &(usize, f64)| {
            let other = rules.rules().get(*place)?;
            Some(Overlap {
                rule: other.id.clone(),
                share: *share,
            })
        };
        RuleEffect {
            rule: rule.id.clone(),
            engine: rule.engine,
            stage: rule.stage.name().into(),
            fired: self.fired.effect().shared(all),
            alone: self.alone,
            decisive: self.decisive,
            fraud_stopped_only_here: self.fraud_stopped_only_here,
            faults: self.faults,
            overlaps: overlaps.iter().filter_map(overlap).collect(),
        }
    }
}

impl Count {
    /// Counts one payment; a further good customer only while there is room for one.
    fn add(&mut self, subject: &Subject, room_max: usize, room_left: &mut usize) {
        self.payments[subject.labelled as usize] += 1;
        let amount_minor = subject.amount_minor;
        self.amount_minor = self.amount_minor.saturating_add(amount_minor);
        if subject.labelled == Labelled::Fraud {
            self.fraud_amount_minor = self.fraud_amount_minor.saturating_add(amount_minor);
        }
        if subject.labelled.is_good() && subject.customer != 0 {
            self.customers.add(subject.customer, room_max, room_left);
        }
    }

    /// Counts one payment, and its customer where there is room for all.
    pub(super) fn add_of_all(&mut self, subject: &Subject) {
        let mut left = usize::MAX;
        self.add(subject, ROOM_TOTAL_MAX, &mut left);
    }

    pub(super) fn effect(self) -> Effect {
        let [fraud, genuine, presumed_genuine, immature] = self.payments;
        let different = self.customers.finish();
        Effect {
            payments: self.payments.iter().sum(),
            fraud,
            genuine,
            presumed_genuine,
            immature,
            amount_minor: self.amount_minor,
            fraud_amount_minor: self.fraud_amount_minor,
            good_customers: different.customers,
            good_customers_at_least: different.at_least,
            ..Effect::default()
        }
    }
}
