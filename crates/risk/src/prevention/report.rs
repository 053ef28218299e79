//! The figures of a prevention report, with where each lies when the days are drawn again.

use super::{
    events,
    sums::{Amounts, Days, Payment, Sums},
};
use crate::hindsight::Stretch;
use paywarden_domain::{Currency, Timestamp, time::DAY};
use paywarden_models::metrics;
use paywarden_rules::Rates;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Redrawings of the days for an interval.
const DRAWS: usize = 200;
/// The most parts that a report names, those with the most frauds.
const PARTS_MAX: usize = 500;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PreventionOrder {
    /// Which payments, seen from when.
    pub stretch: Stretch,
    /// Told apart by what; as a whole alone if by nothing.
    pub by: Option<Part>,
}

/// What payments are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The day of the payment, UTC.
    Day,
    /// Each rule that fired.
    Rule,
    /// Each model that asked for a stop.
    Model,
    /// Each scenario of which a rule fired.
    Scenario,
    /// Each engine that acted.
    Engine,
    /// The channel of the payment.
    Channel,
}

/// How much loss was prevented.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PreventionReport {
    /// The payments, and the moment from which they are seen.
    #[serde(flatten)]
    pub stretch: Stretch,
    /// All together.
    pub whole: Prevented,
    /// Told apart by what.
    pub by: Option<Part>,
    /// The parts, most frauds first; at most 500. By rule, model, scenario and engine they overlap,
    /// and what is attempted is that of the whole: `rate` is what of it the part took part in
    /// stopping.
    pub parts: Vec<Prevented>,
}

/// The figures of some payments.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Prevented {
    /// Which part; empty for the whole.
    pub part: String,
    /// Payments whose label is known or presumed.
    pub payments: u64,
    /// Payments that were stopped: challenged, reviewed, held or declined.
    pub alerts: u64,
    /// Payments without a label that are younger than the delay: the alert rate alone counts them.
    pub unknown: u64,
    /// Those of them that were stopped.
    pub unknown_alerts: u64,
    /// The share of all payments, whatever is known of them, that were stopped: what the rest costs.
    pub alert_rate: Share,
    /// Of those stopped, the share that were frauds.
    pub precision: Share,
    /// Frauds attempted.
    pub frauds: u64,
    /// Frauds stopped.
    pub frauds_stopped: u64,
    /// The share of frauds that were stopped.
    pub recall: Share,
    /// Risk events: frauds of one payer, each within seven days of the one before.
    pub risk_events: u64,
    /// Risk events whose first payment was stopped.
    pub in_advance: u64,
    /// Their share.
    pub caught_in_advance: Share,
    /// Money of all currencies, each by its rate into the base currency.
    pub total: PreventedMoney,
    /// Frauds in currencies without a rate: left out of `total`.
    pub without_rate: u64,
    /// Money, each currency by itself.
    pub money: Vec<PreventedMoney>,
}

/// Money of one currency, in minor units.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PreventedMoney {
    /// ISO 4217.
    pub currency: String,
    /// Its decimals.
    pub decimals: u8,
    /// What frauds attempted.
    pub attempted_minor: i64,
    /// What of it was stopped.
    pub stopped_minor: i64,
    /// What passed before the first alert of its risk event.
    pub lost_before_alert_minor: i64,
    /// The prevention rate: stopped over attempted.
    pub rate: Share,
}

/// A share, and where it lies in nine of ten redrawings of the days; null where it is of nothing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Share {
    /// As it was.
    pub seen: Option<f64>,
    /// The 5 % quantile.
    pub low: Option<f64>,
    /// The 95 % quantile.
    pub high: Option<f64>,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 6] = [
        Self::Day,
        Self::Rule,
        Self::Model,
        Self::Scenario,
        Self::Engine,
        Self::Channel,
    ];

    /// The word used in queries.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Rule => "rule",
            Self::Model => "model",
            Self::Scenario => "scenario",
            Self::Engine => "engine",
            Self::Channel => "channel",
        }
    }

    /// The part with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }

    /// Whether each payment belongs to one part alone, whatever was decided.
    fn divides(self) -> bool {
        matches!(self, Self::Day | Self::Channel)
    }
}

/// Payments being counted.
pub(super) struct Counting {
    order: PreventionOrder,
    rates: Rates,
    whole: Days,
    frauds: Vec<Payment>,
    parts: BTreeMap<String, Days>,
    /// Frauds of each part: those that it has, or those that it saw.
    frauds_of: BTreeMap<String, Vec<Payment>>,
}

impl Counting {
    pub(super) fn new(order: PreventionOrder, rates: Rates) -> Self {
        Self {
            order,
            rates,
            whole: Days::default(),
            frauds: Vec::new(),
            parts: BTreeMap::new(),
            frauds_of: BTreeMap::new(),
        }
    }

    /// Counts payments of a day of which nothing more than their number matters.
    pub(super) fn on(&mut self, day: i64, count: impl Fn(&mut Sums)) {
        count(self.whole.day(day));
        if self.order.by == Some(Part::Day) {
            count(self.parts.entry(name_of(day)).or_default().day(day));
        }
    }

    /// Counts what a fraud attempted that is counted as a payment already.
    pub(super) fn defraud(&mut self, fraud: Payment) {
        let day = fraud.day();
        self.on(day, |sums| sums.defraud(&fraud));
        self.frauds.push(fraud);
        if self.order.by == Some(Part::Day) {
            self.frauds_of.entry(name_of(day)).or_default().push(fraud);
        }
    }

    /// Counts a payment, and in the parts that it belongs to whether each stopped it.
    pub(super) fn add(&mut self, payment: Payment, parts: &[(String, bool)]) {
        self.whole.day(payment.day()).add(&payment);
        if payment.fraud {
            self.frauds.push(payment);
        }
        for (name, stopped) in parts {
            let own = Payment {
                stopped: *stopped,
                ..payment
            };
            let days = self.parts.entry(name.clone()).or_default();
            days.day(own.day()).add(&own);
            if own.fraud {
                self.frauds_of.entry(name.clone()).or_default().push(own);
            }
        }
    }

    pub(super) fn finish(mut self) -> PreventionReport {
        events::count(self.frauds.clone(), &mut self.whole);
        let divides = self.order.by.is_none_or(Part::divides);
        let mut parts: Vec<Prevented> = Vec::new();
        for (name, mut days) in std::mem::take(&mut self.parts) {
            let own = self.frauds_of.remove(&name).unwrap_or_default();
            if divides {
                events::count(own, &mut days);
            } else {
                self.against_the_whole(own, &mut days);
            }
            parts.push(Prevented::of(name, &days, &self.rates));
        }
        match self.order.by {
            Some(Part::Day) => {}
            _ => parts.sort_by(|one, other| {
                let key = |part: &Prevented| (part.frauds_stopped, part.alerts);
                key(other)
                    .cmp(&key(one))
                    .then_with(|| one.part.cmp(&other.part))
            }),
        }
        parts.truncate(PARTS_MAX);
        PreventionReport {
            stretch: self.order.stretch,
            whole: Prevented::of(String::new(), &self.whole, &self.rates),
            by: self.order.by,
            parts,
        }
    }

    /// Fills the days of what judges up with the frauds of the whole that it did not stop.
    fn against_the_whole(&self, own: Vec<Payment>, days: &mut Days) {
        let seen: BTreeMap<i64, bool> = own.iter().map(|one| (one.event_no, one.stopped)).collect();
        let mut frauds = self.frauds.clone();
        for fraud in &mut frauds {
            match seen.get(&fraud.event_no) {
                Some(stopped) => fraud.stopped = *stopped,
                None => {
                    fraud.stopped = false;
                    days.day(fraud.day()).add(fraud);
                }
            }
        }
        for (day, all) in self.whole.by_day() {
            let own = days.day(day);
            own.payments = own.payments.max(all.payments);
            own.unknown = own.unknown.max(all.unknown);
        }
        events::count(frauds, days);
    }
}

/// A day by its date.
fn name_of(day: i64) -> String {
    let mut text = Timestamp::from_micros(day * DAY).to_string();
    text.truncate(10);
    text
}

impl Prevented {
    fn of(part: String, days: &Days, rates: &Rates) -> Self {
        let whole = days.whole();
        let share = |over: fn(&Sums) -> (u64, u64)| {
            Share::of(days, |sums| {
                let (one, other) = over(sums);
                (one as f64, other as f64)
            })
        };
        let money = whole
            .money
            .keys()
            .map(|currency| PreventedMoney::of(*currency, days, |sums| sums.of(*currency)));
        let total = PreventedMoney::of(rates.base(), days, |sums| sums.in_base(rates));
        let with_amount: u64 = whole.money.values().map(|amounts| amounts.frauds).sum();
        Self {
            part,
            payments: whole.payments,
            alerts: whole.alerts,
            unknown: whole.unknown,
            unknown_alerts: whole.unknown_alerts,
            alert_rate: share(|sums| {
                let alerts = sums.alerts + sums.unknown_alerts;
                (alerts, sums.payments + sums.unknown)
            }),
            precision: share(|sums| (sums.frauds_stopped, sums.alerts)),
            frauds: whole.frauds,
            frauds_stopped: whole.frauds_stopped,
            recall: share(|sums| (sums.frauds_stopped, sums.frauds)),
            risk_events: whole.events,
            in_advance: whole.events_in_advance,
            caught_in_advance: share(|sums| (sums.events_in_advance, sums.events)),
            without_rate: with_amount - whole.in_base(rates).frauds,
            total,
            money: money.collect(),
        }
    }
}

impl PreventedMoney {
    fn of(currency: Currency, days: &Days, amounts: impl Fn(&Sums) -> Amounts) -> Self {
        let minor = |sum: i128| i64::try_from(sum).unwrap_or(i64::MAX);
        let whole = amounts(&days.whole());
        Self {
            currency: currency.code().to_owned(),
            decimals: currency.decimals(),
            attempted_minor: minor(whole.attempted),
            stopped_minor: minor(whole.stopped),
            lost_before_alert_minor: minor(whole.before_alert),
            rate: Share::of(days, |sums| {
                let amounts = amounts(sums);
                (amounts.stopped as f64, amounts.attempted as f64)
            }),
        }
    }
}

impl Share {
    fn of(days: &Days, over: impl Fn(&Sums) -> (f64, f64)) -> Self {
        let days: Vec<Vec<(f64, f64)>> = days.all().map(|sums| vec![over(sums)]).collect();
        let ratio = |pairs: &[(f64, f64)]| {
            let sum = |side: fn(&(f64, f64)) -> f64| pairs.iter().map(side).sum::<f64>();
            sum(|pair| pair.0) / sum(|pair| pair.1)
        };
        let known = |value: f64| Some(value).filter(|value| value.is_finite());
        if days.is_empty() {
            return Self {
                seen: None,
                low: None,
                high: None,
            };
        }
        let interval = metrics::interval(&days, DRAWS, 1, ratio);
        Self {
            seen: known(interval.seen),
            low: known(interval.low),
            high: known(interval.high),
        }
    }
}
