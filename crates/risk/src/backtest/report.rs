//! The result of a back-test: one form for the command line, the API and the console.

use paywarden_domain::{Engine, Outcome, PaymentId, Timestamp};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use utoipa::ToSchema;

/// The most payments named for one change of outcome.
pub const SAMPLES_MAX: usize = 5;
/// The most other rules named as firing together with one.
pub const OVERLAPS_MAX: usize = 3;

/// What a payment is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Labelled {
    /// Its newest label says fraud or chargeback.
    Fraud,
    /// Its newest label says genuine.
    Genuine,
    /// Nobody has said anything, for longer than the label delay.
    PresumedGenuine,
    /// Nobody has said anything yet, and it is too early to conclude from that.
    Immature,
}

impl Labelled {
    /// How many there are.
    pub(super) const COUNT: usize = Self::Immature as usize + 1;

    /// Whether whoever was kept waiting was a good customer.
    pub(super) fn is_good(self) -> bool {
        matches!(self, Self::Genuine | Self::PresumedGenuine)
    }
}

/// What rules would have done. Amounts are minor units of `currency`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// Version of the rules tested.
    pub rule_set: String,
    /// Version of the rules compared with; none if compared with the outcomes answered.
    pub against: Option<String>,
    /// Events that happened from here on count.
    pub from: Timestamp,
    /// Events that happened before this count.
    pub to: Timestamp,
    /// The newest event of the journal: ages of payments are counted back from here.
    pub as_of: Timestamp,
    /// From which age on a payment without a label is taken for genuine, in days.
    pub label_delay_days: u32,
    /// ISO 4217 code of the amounts.
    pub currency: String,
    /// Decimals of the amounts.
    pub decimals: u8,
    /// Every decided event of the span.
    pub payments: Effect,
    /// Those that the rules tested would have stopped.
    pub stopped: Effect,
    /// Those that were stopped before: by the rules compared with, or as answered.
    pub stopped_before: Effect,
    /// Each rule that is live or on trial, most frauds first.
    pub rules: Vec<RuleEffect>,
    /// Rules that never fired.
    pub dead: Vec<String>,
    /// Live rules that fired and never made a difference: others asked for the same or more.
    pub shadowed: Vec<String>,
    /// Each day of the span on which something happened.
    pub days: Vec<Day>,
    /// Outcomes before and after, every pair that occurred, the most frequent first.
    pub changes: Vec<Change>,
    /// Events for which a window reached back beyond what is kept, so that its value may be too
    /// low.
    pub windows_cut: u64,
    /// How many payments with fired rules the overlaps were counted on.
    pub overlap_payments: u64,
}

/// Some payments, by what they turned out to be.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct Effect {
    /// All of them.
    pub payments: u64,
    /// Labelled fraud or chargeback.
    pub fraud: u64,
    /// Labelled genuine.
    pub genuine: u64,
    /// Without a label for longer than the label delay.
    pub presumed_genuine: u64,
    /// Without a label, and too young to conclude from that.
    pub immature: u64,
    /// The sum of the amounts.
    pub amount_minor: i64,
    /// The sum of the amounts of fraud.
    pub fraud_amount_minor: i64,
    /// Distinct customers with genuine or presumed genuine payments among them.
    pub good_customers: u64,
    /// Whether there may be more: so many customers are told apart and no more.
    pub good_customers_at_least: bool,
    /// Share of all payments of the span.
    pub rate: Option<f64>,
    /// Share of fraud among those whose truth is known or presumed.
    pub precision: Option<f64>,
    /// Share of the span's frauds.
    pub recall: Option<f64>,
    /// Share of the amount of the span's frauds.
    pub amount_recall: Option<f64>,
}

/// What one rule would have done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RuleEffect {
    /// `pack.rule`.
    pub rule: String,
    /// The engine that it belongs to.
    pub engine: Engine,
    /// `live` or `shadow`.
    #[schema(value_type = String)]
    pub stage: Cow<'static, str>,
    /// The payments for which it fired.
    pub fired: Effect,
    /// Payments for which no other rule fired.
    pub alone: u64,
    /// Payments with another outcome if this rule were not there.
    pub decisive: u64,
    /// Frauds that nothing would have stopped if this rule were not there.
    pub fraud_stopped_only_here: u64,
    /// Events for which it could not be computed.
    pub faults: u64,
    /// The rules that fire most often together with it.
    pub overlaps: Vec<Overlap>,
}

/// How often another rule fires together with one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Overlap {
    /// The other rule.
    pub rule: String,
    /// The share of the one's payments for which the other fires too.
    pub share: f64,
}

/// One day, UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Day {
    /// Its first moment.
    pub day: Timestamp,
    /// Decided events.
    pub payments: u64,
    /// Those that the rules tested would have stopped.
    pub stopped: u64,
    /// Those that were stopped before.
    pub stopped_before: u64,
    /// Labelled frauds.
    pub fraud: u64,
    /// Frauds that the rules tested would have stopped.
    pub fraud_stopped: u64,
    /// The sum of the amounts of frauds.
    pub fraud_amount_minor: i64,
    /// The part of it that the rules tested would have stopped.
    pub fraud_amount_stopped_minor: i64,
}

/// Payments with one outcome before and one after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// The outcome answered, or of the rules compared with.
    pub before: Outcome,
    /// The outcome of the rules tested.
    pub after: Outcome,
    /// How many.
    pub payments: u64,
    /// How many of them are labelled fraud.
    pub fraud: u64,
    /// The sum of their amounts.
    pub amount_minor: i64,
    /// Some of them, the first of the span, if the outcomes differ.
    pub samples: Vec<PaymentId>,
}

impl Effect {
    /// Fills the shares in from what all payments of the span are.
    pub(super) fn shared(mut self, all: &Self) -> Self {
        let share = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
        let known = self.fraud + self.genuine + self.presumed_genuine;
        self.rate = share(self.payments, all.payments);
        self.precision = share(self.fraud, known);
        self.recall = share(self.fraud, all.fraud);
        let (part, whole) = (self.fraud_amount_minor, all.fraud_amount_minor);
        self.amount_recall = (whole > 0).then(|| part as f64 / whole as f64);
        self
    }
}
