//! Counts and exact money of some payments.

use paywarden_domain::{Currency, Money, time::DAY};
use paywarden_rules::Rates;
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
    /// Whether that is known or presumed.
    pub(super) is_known: bool,
    /// How many payments a fraud stands for.
    pub(super) stands_for: u32,
    /// Whether it was stopped, by whatever is being counted.
    pub(super) stopped: bool,
}

/// What some payments come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) payments: u64,
    pub(super) alerts: u64,
    /// Payments of which nothing is known yet, and those of them that were stopped.
    pub(super) unknown: u64,
    pub(super) unknown_alerts: u64,
    pub(super) frauds: u64,
    pub(super) frauds_stopped: u64,
    pub(super) events: u64,
    pub(super) events_in_advance: u64,
    pub(super) money: BTreeMap<Currency, Amounts>,
}

/// Minor units of one currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Amounts {
    pub(super) frauds: u64,
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
        match payment.is_known {
            true => self.count(1, payment.stopped),
            false => self.pass(1, payment.stopped),
        }
        if payment.fraud {
            self.defraud(payment);
        }
    }

    /// Counts so many payments, whatever became of them.
    pub(super) fn count(&mut self, payments: u64, stopped: bool) {
        self.payments += payments;
        self.alerts += payments * u64::from(stopped);
    }

    /// Counts so many payments of which nothing is known yet.
    pub(super) fn pass(&mut self, payments: u64, stopped: bool) {
        self.unknown += payments;
        self.unknown_alerts += payments * u64::from(stopped);
    }

    /// Counts a payment that was passed: something is known of it.
    pub(super) fn take_back(&mut self, stopped: bool) {
        self.unknown = self.unknown.saturating_sub(1);
        self.unknown_alerts = self.unknown_alerts.saturating_sub(u64::from(stopped));
        self.count(1, stopped);
    }

    /// Counts what a fraud attempted.
    pub(super) fn defraud(&mut self, payment: &Payment) {
        let times = u64::from(payment.stands_for);
        self.frauds += times;
        self.frauds_stopped += times * u64::from(payment.stopped);
        if let Some(amount) = payment.amount {
            let amounts = self.money.entry(amount.currency).or_default();
            let minor = i128::from(amount.minor) * i128::from(payment.stands_for);
            amounts.frauds += times;
            amounts.attempted += minor;
            if payment.stopped {
                amounts.stopped += minor;
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.payments += other.payments;
        self.alerts += other.alerts;
        self.unknown += other.unknown;
        self.unknown_alerts += other.unknown_alerts;
        self.frauds += other.frauds;
        self.frauds_stopped += other.frauds_stopped;
        self.events += other.events;
        self.events_in_advance += other.events_in_advance;
        for (currency, amounts) in &other.money {
            let own = self.money.entry(*currency).or_default();
            own.merge(*amounts);
        }
    }

    /// The amounts of a currency.
    pub(super) fn of(&self, currency: Currency) -> Amounts {
        self.money.get(&currency).copied().unwrap_or_default()
    }

    /// The amounts of all currencies, each by its rate; those without one are left out.
    pub(super) fn in_base(&self, rates: &Rates) -> Amounts {
        let mut all = Amounts::default();
        for (currency, amounts) in &self.money {
            if let Some(amounts) = amounts.in_base(*currency, rates) {
                all.merge(amounts);
            }
        }
        all
    }
}

impl Amounts {
    fn merge(&mut self, other: Self) {
        self.frauds += other.frauds;
        self.attempted += other.attempted;
        self.stopped += other.stopped;
        self.before_alert += other.before_alert;
    }

    fn in_base(self, currency: Currency, rates: &Rates) -> Option<Self> {
        let base = |minor: i128| {
            let minor = i64::try_from(minor).ok()?;
            rates
                .to_base(Money { minor, currency })
                .ok()
                .map(i128::from)
        };
        Some(Self {
            frauds: self.frauds,
            attempted: base(self.attempted)?,
            stopped: base(self.stopped)?,
            before_alert: base(self.before_alert)?,
        })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identify::EntityHasher;
    use paywarden_domain::{Control, TenantId};

    const PAYMENTS: i64 = 2_000;
    const KEYS: u16 = 600;
    const ONE_IN: u16 = 200;

    /// A payment of which every fifth would be declined by scores; half of those are frauds, and one
    /// in forty others. `stands_for` is one, or by the draw of a control group.
    fn payment(place: i64, stands_for: u32) -> Payment {
        let is_declined = place % 5 == 0;
        let is_fraud = place % if is_declined { 10 } else { 40 } == i64::from(!is_declined);
        Payment {
            at: 0,
            payer: 0,
            event_no: place,
            amount: Some(Money {
                minor: 100 + place * 7,
                currency: Currency::parse("USD").unwrap(),
            }),
            fraud: is_fraud && stands_for > 0,
            is_known: true,
            stands_for,
            stopped: is_declined,
        }
    }

    fn sums(stands_for: impl Fn(i64) -> u32) -> [f64; 4] {
        let mut sums = Sums::default();
        (0..PAYMENTS).for_each(|place| sums.add(&payment(place, stands_for(place))));
        let amounts = sums.of(Currency::parse("USD").unwrap());
        [
            sums.frauds as f64,
            sums.frauds_stopped as f64,
            amounts.attempted as f64,
            amounts.stopped as f64,
        ]
    }

    /// Over many keys of installations the mean of what a control group says is the truth.
    #[test]
    fn what_a_control_group_says_of_frauds_is_unbiased() {
        let tenant = TenantId::parse("acme").unwrap();
        let truth = sums(|_| 1);
        let said = (0..KEYS).map(|key| {
            let mut bytes = [0; 32];
            bytes[..2].copy_from_slice(&key.to_le_bytes());
            let hasher = EntityHasher::new(&bytes);
            sums(|place| match place % 5 {
                0 => Control {
                    one_in: ONE_IN,
                    is_drawn: hasher.is_drawn(&tenant, &place.to_string(), ONE_IN),
                }
                .stands_for(),
                _ => 1,
            })
        });
        let said: Vec<[f64; 4]> = said.collect();
        for (figure, truth) in truth.into_iter().enumerate() {
            let count = said.len() as f64;
            let mean = said.iter().map(|said| said[figure]).sum::<f64>() / count;
            let spread = said.iter().map(|said| (said[figure] - mean).powi(2));
            let error = (spread.sum::<f64>() / count / (count - 1.0)).sqrt();
            assert!(
                (mean - truth).abs() < 4.0 * error,
                "{figure}: {mean}, truth {truth}, {error}"
            );
            assert!(
                error < 0.1 * truth,
                "{figure}: {error} of {truth} shows nothing"
            );
        }
    }
}
