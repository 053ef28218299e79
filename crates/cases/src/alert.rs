//! An alert: payments of one customer that somebody has to look at, and where it stands.

use crate::{
    Entity, Error,
    desk::{Found, Item},
    opening::{group_target, target},
};
use paywarden_domain::{DecisionId, Engine, Money, Outcome, PaymentId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// The most payments of one alert; the next one opens another.
pub(crate) const PAYMENTS_MAX: usize = 100;
/// The most entities of one alert.
pub(crate) const ENTITIES_MAX: usize = 64;
/// The most rules, and reasons, of one alert.
pub(crate) const RULES_MAX: usize = 32;
/// Places of a time within an urgency: microseconds until the year 2500.
const TIME_BITS: u32 = 54;

/// How urgent, most urgent first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// At once.
    Critical,
    /// Before what is usual.
    High,
    /// As usual.
    Medium,
    /// When nothing else waits.
    Low,
}

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PaymentAlertState)]
pub enum AlertState {
    /// Somebody has to look at it.
    Open,
    /// Somebody has said what it was.
    Closed,
}

/// What an alert or a case turned out to be: exactly one of four.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// It was fraud, or laundering, as the engine said.
    Confirmed,
    /// It stays suspicious and was reported to the authority.
    SuspiciousReported,
    /// There was nothing.
    FalsePositive,
    /// It cannot be told.
    Inconclusive,
}

/// A payment of an alert or a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertPayment {
    /// The caller's identifier.
    pub payment_id: PaymentId,
    /// The decision on it.
    pub decision: DecisionId,
    /// The number of the decision.
    pub event_no: i64,
    /// The amount decided on.
    pub amount: Option<Money>,
    /// When it was decided.
    pub decided_at: Timestamp,
}

/// What a version of an alert or a case did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// What was done.
    pub act: String,
    /// By whom: `staff:…`, `key:…` or `system:…`, as in the trail.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why, where somebody said so.
    pub reason: Option<String>,
}

/// How an alert or a case was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Closing {
    /// What it turned out to be.
    pub disposition: Disposition,
    /// Why, by a code of the table of reasons.
    pub reason: String,
    /// In words.
    pub note: Option<String>,
    /// By whom.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// An alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = PaymentAlert)]
pub struct Alert {
    /// `alr_…`; later alerts have greater ones.
    pub id: String,
    /// Which version this is, from 1.
    pub version: i64,
    /// Where it waits.
    pub queue: String,
    /// The engine that it is from.
    pub engine: Engine,
    /// The trigger of the policy that opened it.
    pub trigger: String,
    /// How urgent.
    pub priority: Priority,
    /// Where it stands.
    pub state: AlertState,
    /// Who works on it.
    pub assignee: Option<String>,
    /// Whether somebody has passed it up.
    pub escalated: bool,
    /// Whom it is about.
    pub subject: Entity,
    /// Alerts that shared an entity when they were opened have the same: the oldest of them.
    pub group: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When its last payment was decided.
    pub last_at: Timestamp,
    /// When somebody should have closed it, by the hours of the office.
    pub due_at: Timestamp,
    /// Its payments together, by currency.
    pub amounts: Vec<Money>,
    /// The highest score.
    pub score: u16,
    /// The strictest verdict.
    pub outcome: Outcome,
    /// The rules that fired, `pack.rule`.
    pub rules: Vec<String>,
    /// Their reason codes.
    pub reasons: Vec<String>,
    /// Who and what else takes part.
    pub entities: Vec<Entity>,
    /// The payments, oldest first.
    pub payments: Vec<AlertPayment>,
    /// The case that it is part of.
    pub case: Option<String>,
    /// How many notes it has.
    pub notes: u32,
    /// How it was closed.
    pub closing: Option<Closing>,
    /// What this version did.
    pub change: Change,
}

impl Priority {
    /// Every priority, most urgent first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::High, Self::Medium, Self::Low];

    /// The word used in JSON and policies.
    pub fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }

    /// The priority with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// The next more urgent one.
    pub(crate) fn raised(self) -> Self {
        let above = (self as usize).saturating_sub(1);
        Self::ALL.get(above).copied().unwrap_or(self)
    }

    /// The urgency of what is due at a time: first by priority, then by time.
    pub(crate) fn urgency(self, due: Timestamp) -> i64 {
        let within = (1 << TIME_BITS) - 1;
        ((self as i64) << TIME_BITS) + due.micros().clamp(0, within)
    }

    /// The urgencies of this priority: from the first, before the last.
    pub(crate) fn urgencies(self) -> (i64, i64) {
        ((self as i64) << TIME_BITS, (self as i64 + 1) << TIME_BITS)
    }
}

impl AlertState {
    /// The state with this name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "open" => Some(Self::Open),
            "closed" => Some(Self::Closed),
            _ => None,
        }
    }

    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Open => 1,
            Self::Closed => 2,
        }
    }
}

impl Disposition {
    /// Every disposition.
    pub const ALL: [Self; 4] = [
        Self::Confirmed,
        Self::SuspiciousReported,
        Self::FalsePositive,
        Self::Inconclusive,
    ];

    /// The word used in JSON and policies.
    pub fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::SuspiciousReported => "suspicious_reported",
            Self::FalsePositive => "false_positive",
            Self::Inconclusive => "inconclusive",
        }
    }
}

impl Alert {
    /// Refuses what can only be done with an open alert.
    pub(crate) fn must_be_open(&self) -> Result<(), Error> {
        match self.state {
            AlertState::Open => Ok(()),
            AlertState::Closed => Err(Error::State("the alert is closed")),
        }
    }
}

/// The urgency of what is closed: the newest comes first.
pub(crate) fn closed_urgency(closing: Option<&Closing>) -> i64 {
    closing.map_or(0, |closing| -closing.at.micros())
}

impl Item for Alert {
    const KIND: &'static str = "payment_alert";
    const PREFIX: &'static str = "alr";
    const OPEN: u8 = AlertState::Open.number();
    const REINDEX: &'static str = "payment_alert.reindex";
    const MOVE: &'static str = "payment_alert.move";

    fn id(&self) -> &str {
        &self.id
    }

    fn version(&mut self) -> &mut i64 {
        &mut self.version
    }

    fn change(&mut self) -> &mut Change {
        &mut self.change
    }

    fn queue(&mut self) -> &mut String {
        &mut self.queue
    }

    fn targets(&self) -> BTreeSet<String> {
        let hits = self.payments.iter();
        let hits = hits.map(|payment| target(self.engine, payment.event_no));
        let entities = self.entities.iter().map(Entity::target);
        hits.chain(entities)
            .chain([group_target(&self.group)])
            .collect()
    }

    fn found(&self) -> Found<'_> {
        Found {
            queue: &self.queue,
            state: self.state.number(),
            assignee: self.assignee.as_deref().unwrap_or_default(),
            urgency: match self.state {
                AlertState::Open => self.priority.urgency(self.due_at),
                AlertState::Closed => closed_urgency(self.closing.as_ref()),
            },
            subject: self.subject.as_str(),
        }
    }
}
