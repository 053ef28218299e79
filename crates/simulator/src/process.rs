//! A small process of our own for measuring models: customers pay at terminals near them.
//!
//! It has the shape of the simulation that the literature on card fraud measures with (Le Borgne
//! et al., Reproducible Machine Learning for Credit Card Fraud Detection, 2022): customers and
//! terminals lie on a square; each customer has an own mean amount and number of payments a day;
//! amounts beyond a limit, payments at compromised terminals and a third of the payments of
//! compromised customers, five times as large, are fraud.

use crate::{
    AttackKind, Labelled,
    card::{Held, TEST_RANGES},
    event::blank,
    identity::text,
    rhythm::date,
    rng::Rng,
    traffic::{DAYS_MAX, within_years},
};
use paywarden_domain::{
    Currency, EventKind, LabelSource, Money, PaymentId, Timestamp,
    event::{Channel, EntryMode, Location, Merchant, Party},
    time::{DAY, HOUR, MINUTE, SECOND},
};

/// Side of the square on which everybody lives, in kilometres.
const SIDE_KM: f64 = 100.0;
/// How far customers go to pay, in kilometres.
const REACH_KM: f64 = 5.0;
/// Amounts above this are fraud, in cents.
const LIMIT_CENTS: i64 = 22_000;
/// Every day so many terminals are compromised, each for so many days.
const TERMINALS: (usize, u32) = (2, 28);
/// Every day so many customers are compromised, each for so many days.
const CUSTOMERS: (usize, u32) = (3, 14);

/// How much of the process to generate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProcessSettings {
    /// Decides everything: equal seeds give equal streams.
    pub seed: u64,
    /// When the first day begins; 2000 to 2190.
    pub start: Timestamp,
    /// For how many days, at most 3,650.
    pub days: u32,
    /// How many customers, at most a million.
    pub customers: usize,
    /// How many terminals, at most a million.
    pub terminals: usize,
    /// After how long a fraud is known, in microseconds.
    pub label_delay_us: i64,
    /// The share of frauds that the cardholder reports within the hour instead, 0 to 1.
    pub report_share: f64,
}

impl ProcessSettings {
    /// Half a year of 5,000 customers at 10,000 terminals, labels seven days late: about 1.75
    /// million payments.
    pub fn standard() -> Self {
        Self {
            seed: 1,
            start: Timestamp::from_micros(1_767_225_600_000_000),
            days: 183,
            customers: 5_000,
            terminals: 10_000,
            label_delay_us: 7 * DAY,
            report_share: 0.0,
        }
    }
}

/// Labelled card payments in the order of time. Equal settings give equal streams.
#[derive(Debug)]
pub struct Process {
    settings: ProcessSettings,
    rng: Rng,
    customers: Vec<Payer>,
    terminals: Vec<(f64, f64)>,
    /// Until which day each terminal and customer is compromised.
    terminal_until: Vec<u32>,
    customer_until: Vec<u32>,
    currency: Option<Currency>,
    day: u32,
    today: std::vec::IntoIter<Payment>,
    sequence: u64,
}

#[derive(Debug)]
struct Payer {
    mean_cents: f64,
    per_day: f64,
    terminals: Vec<u32>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Payment {
    at: i64,
    customer: u32,
    terminal: u32,
    cents: i64,
    kind: Option<AttackKind>,
}

impl Process {
    /// The process of these settings.
    pub fn new(settings: ProcessSettings) -> Self {
        let settings = ProcessSettings {
            customers: settings.customers.min(1_000_000),
            terminals: settings.terminals.min(1_000_000),
            start: within_years(settings.start),
            days: settings.days.min(DAYS_MAX),
            ..settings
        };
        let mut rng = Rng::of(settings.seed, &[9]);
        let mut spot = || (rng.unit() * SIDE_KM, rng.unit() * SIDE_KM);
        let terminals: Vec<(f64, f64)> = (0..settings.terminals).map(|_| spot()).collect();
        let homes: Vec<(f64, f64)> = (0..settings.customers).map(|_| spot()).collect();
        let customers = homes
            .iter()
            .map(|home| Payer {
                mean_cents: 500.0 + 9_500.0 * rng.unit(),
                per_day: 4.0 * rng.unit(),
                terminals: within_reach(&terminals, *home),
            })
            .collect();
        Self {
            settings,
            rng,
            customers,
            terminal_until: vec![0; terminals.len()],
            terminals,
            customer_until: vec![0; settings.customers],
            currency: Currency::parse("USD").ok(),
            day: 0,
            today: Vec::new().into_iter(),
            sequence: 0,
        }
    }

    fn next_day(&mut self) {
        compromise(&mut self.rng, &mut self.terminal_until, TERMINALS, self.day);
        compromise(&mut self.rng, &mut self.customer_until, CUSTOMERS, self.day);
        let midnight = self.settings.start.micros() + i64::from(self.day) * DAY;
        let mut today = Vec::new();
        for (number, payer) in self.customers.iter().enumerate() {
            for _ in 0..self.rng.poisson(payer.per_day) {
                let seconds = 43_200.0 + 20_000.0 * self.rng.normal();
                let Some(terminal) = self.rng.pick(&payer.terminals).copied() else {
                    continue;
                };
                let mut cents = self.rng.normal() * payer.mean_cents / 2.0 + payer.mean_cents;
                if cents < 0.0 {
                    cents = self.rng.unit() * payer.mean_cents * 2.0;
                }
                if !(0.0..86_400.0).contains(&seconds) {
                    continue;
                }
                let taken = is_set(&self.customer_until, number, self.day);
                let fivefold = taken && self.rng.chance(1.0 / 3.0);
                let cents = (cents * if fivefold { 5.0 } else { 1.0 }) as i64 + 1;
                let kind = if fivefold {
                    Some(AttackKind::CompromisedCustomer)
                } else if is_set(&self.terminal_until, terminal as usize, self.day) {
                    Some(AttackKind::CompromisedTerminal)
                } else {
                    (cents > LIMIT_CENTS).then_some(AttackKind::OverLimit)
                };
                let at = midnight + (seconds * SECOND as f64) as i64;
                today.push(Payment {
                    at,
                    customer: number as u32,
                    terminal,
                    cents,
                    kind,
                });
            }
        }
        today.sort_unstable();
        self.today = today.into_iter();
        self.day += 1;
    }

    fn labelled(&mut self, payment: &Payment) -> Option<Labelled> {
        self.sequence += 1;
        let id = format!("process-{:x}-{}", self.settings.seed, self.sequence);
        let mut event = blank(
            PaymentId::parse(&id).ok()?,
            EventKind::PaymentCard,
            payment.at,
        );
        event.amount = self
            .currency
            .map(|currency| Money::new(payment.cents, currency));
        event.channel = Some(Channel::Pos);
        event.payer = Some(Party {
            id: text(format!("c-{:05}", payment.customer)),
            ..Party::default()
        });
        let (east, north) = *self.terminals.get(payment.terminal as usize)?;
        event.merchant = Some(Merchant {
            id: text(format!("m-{:05}", payment.terminal)),
            terminal_id: text("t1"),
            location: Some(Location {
                latitude: 45.0 + (north * 9.0).round() / 1_000.0,
                longitude: 5.0 + (east * 12.7).round() / 1_000.0,
            }),
            ..Merchant::default()
        });
        let range = *TEST_RANGES.first()?;
        let held = Held {
            range,
            issuer: 1,
            key: u64::from(payment.customer),
        };
        let mut details = held.details(date(self.settings.start.micros()).year);
        details.entry_mode = Some(EntryMode::Chip);
        event.card = Some(crate::OutgoingCard {
            number: held.number(),
            details,
        });
        let mut labelled = Labelled::genuine(event);
        if let Some(kind) = payment.kind {
            let reported = self.rng.chance(self.settings.report_share);
            labelled.is_fraud = true;
            labelled.kind = Some(kind);
            (labelled.label_after_us, labelled.source) = if reported {
                (self.rng.between(MINUTE, HOUR), LabelSource::CustomerReport)
            } else {
                (self.settings.label_delay_us, LabelSource::Chargeback)
            };
        }
        Some(labelled)
    }
}

impl Iterator for Process {
    type Item = Labelled;

    fn next(&mut self) -> Option<Labelled> {
        loop {
            if let Some(payment) = self.today.next() {
                return self.labelled(&payment);
            }
            if self.day >= self.settings.days {
                return None;
            }
            self.next_day();
        }
    }
}

fn within_reach(terminals: &[(f64, f64)], home: (f64, f64)) -> Vec<u32> {
    let near = |spot: &(f64, f64)| {
        let (east, north) = (spot.0 - home.0, spot.1 - home.1);
        east * east + north * north < REACH_KM * REACH_KM
    };
    (0..)
        .zip(terminals)
        .filter(|(_, spot)| near(spot))
        .map(|(number, _)| number)
        .collect()
}

fn compromise(rng: &mut Rng, until: &mut [u32], (count, days): (usize, u32), today: u32) {
    for _ in 0..count {
        let place = rng.below(until.len());
        if let Some(until) = until.get_mut(place) {
            *until = today + days;
        }
    }
}

fn is_set(until: &[u32], place: usize, today: u32) -> bool {
    until.get(place).is_some_and(|until| today < *until)
}
