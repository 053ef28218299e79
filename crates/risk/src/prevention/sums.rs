//! Counts and exact money of some payments.

use paywarden_domain::{Currency, Money, time::DAY};
use std::collections::BTreeMap;

/// A payment in hindsight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Payment {
    pub(super) at: i64,
    /// Keyed hash of whoever paid; 0 if unknown.
    pub(super) payer: u64,
    pub(super) event_no: i64,
    pub(super) amount: Option<Money>,
    pub(super) fraud: bool,
    /// Whether it was stopped, by whatever is being counted.
    pub(super) stopped: bool,
}

/// What some payments come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) payments: u64,
    pub(super) alerts: u64,
    pub(super) frauds: u64,
    pub(super) frauds_stopped: u64,
    pub(super) events: u64,
    pub(super) events_in_advance: u64,
    pub(super) money: BTreeMap<Currency, Amounts>,
}

/// Minor units of one currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Amounts {
    pub(super) attempted: i128,
    pub(super) stopped: i128,
    pub(super) before_alert: i128,
}

/// The sums of each day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Days(BTreeMap<i64, Sums>);

impl Payment {
    pub(super) fn day(&self) -> i64 {
        self.at.div_euclid(DAY)
    }
}

impl Sums {
    pub(super) fn add(&mut self, payment: &Payment) {
        self.payments += 1;
        self.alerts += u64::from(payment.stopped);
        if !payment.fraud {
            return;
        }
        self.frauds += 1;
        self.frauds_stopped += u64::from(payment.stopped);
        if let Some(amount) = payment.amount {
            let amounts = self.money.entry(amount.currency).or_default();
            amounts.attempted += i128::from(amount.minor);
            if payment.stopped {
                amounts.stopped += i128::from(amount.minor);
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.payments += other.payments;
        self.alerts += other.alerts;
        self.frauds += other.frauds;
        self.frauds_stopped += other.frauds_stopped;
        self.events += other.events;
        self.events_in_advance += other.events_in_advance;
        for (currency, amounts) in &other.money {
            let own = self.money.entry(*currency).or_default();
            own.attempted += amounts.attempted;
            own.stopped += amounts.stopped;
            own.before_alert += amounts.before_alert;
        }
    }

    /// The amounts of a currency.
    pub(super) fn of(&self, currency: Currency) -> Amounts {
        self.money.get(&currency).copied().unwrap_or_default()
    }
}

impl Days {
    pub(super) fn day(&mut self, day: i64) -> &mut Sums {
        self.0.entry(day).or_default()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Sums> {
        self.0.values()
    }

    pub(super) fn by_day(&self) -> impl Iterator<Item = (i64, &Sums)> {
        self.0.iter().map(|(day, sums)| (*day, sums))
    }

    pub(super) fn whole(&self) -> Sums {
        let mut whole = Sums::default();
        self.all().for_each(|day| whole.merge(day));
        whole
    }
}
