//! Security alerts: what a rule found, and what became of it.

use super::Error;
use paywarden_domain::{RuleValue, TenantId, Timestamp};
use paywarden_store::RecordRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What its records are called.
pub(super) const KIND: &str = "security_alert";
/// The most steps that are kept of one alert: it is acknowledged, and it is closed.
const STEPS_MAX: usize = 8;

/// How bad it may be, by the score of the rule.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[schema(as = AlertSeverity)]
pub enum Severity {
    /// Below 250.
    Low,
    /// Below 500.
    Medium,
    /// Below 750.
    High,
    /// From 750 on.
    Critical,
}

impl Severity {
    /// Every severity, mildest first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// That of a score between 0 and 1000.
    pub fn of(score: u16) -> Self {
        match score {
            0..250 => Self::Low,
            250..500 => Self::Medium,
            500..750 => Self::High,
            _ => Self::Critical,
        }
    }

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The severity with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// What is done at once.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[schema(as = AlertEffect)]
pub enum Effect {
    /// Somebody is told.
    Alert,
    /// The next sensitive command of the person asks for a fresh factor.
    StepUp,
    /// The sessions of the person end, and nobody signs in to the account until somebody has
    /// looked at it.
    Suspend,
}

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AlertState)]
pub enum State {
    /// Nobody has looked at it.
    Open,
    /// Somebody looks at it.
    Acknowledged,
    /// Somebody has looked at it.
    Closed,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Open, Self::Acknowledged, Self::Closed];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Closed => "closed",
        }
    }

    /// The state with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// What somebody did with an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = AlertStep)]
pub struct Step {
    /// Where it stood afterwards.
    pub state: State,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// One operand of the rule and what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Seen {
    /// As the rule has it.
    pub operand: String,
    /// What it was; null if it was missing.
    pub value: Option<String>,
}

impl From<RuleValue<'_>> for Seen {
    fn from(RuleValue { operand, value }: RuleValue<'_>) -> Self {
        Self {
            operand: operand.into_owned(),
            value: value.map(|value| value.to_string()),
        }
    }
}

/// A security alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = SecurityAlert)]
pub struct Alert {
    /// `alt_…`; later alerts have greater ones.
    pub id: String,
    /// `pack.rule`.
    pub rule: String,
    /// What the rule looks for.
    pub title: String,
    /// Stable code of the reason.
    pub reason: String,
    /// The reason for people.
    pub text: String,
    /// How bad it may be.
    pub severity: Severity,
    /// What was done at once.
    pub effect: Effect,
    /// Where it stands.
    pub state: State,
    /// Who is to be looked at: `staff:…`, `key:…` or `system:…`, as in the trail.
    pub actor: String,
    /// Who else had a part in it; neither they nor the actor decide about it.
    pub others: Vec<String>,
    /// What the latest act was done to.
    pub object: String,
    /// The values of the latest act.
    pub values: Vec<Seen>,
    /// How many acts the rule fired on.
    pub count: u64,
    /// Number of the first leaf in the trail of the company.
    pub first_leaf: u64,
    /// Number of the last.
    pub last_leaf: u64,
    /// When the first was written.
    pub first_at: Timestamp,
    /// When the last was written.
    pub last_at: Timestamp,
    /// What people did with it, oldest first.
    pub steps: Vec<Step>,
}

impl Alert {
    /// Whether it is about these.
    pub fn concerns(&self, actor: &str) -> bool {
        self.actor == actor || self.others.iter().any(|other| other == actor)
    }

    pub(super) fn take(&mut self, step: Step) -> Result<(), Error> {
        let goes = matches!(
            (self.state, step.state),
            (State::Open, State::Acknowledged) | (State::Open | State::Acknowledged, State::Closed)
        );
        if !goes || self.steps.len() >= STEPS_MAX {
            return Err(Error::State(self.state.name()));
        }
        self.state = step.state;
        self.steps.push(step);
        Ok(())
    }
}

/// An alert as it is kept.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub tenant: TenantId,
    /// Of its newest record; 0 before the first.
    pub version: i64,
    pub body: Body,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Body {
    /// The last act that is counted in it.
    pub last_seq: i64,
    pub alert: Alert,
}

impl Kept {
    pub fn read(row: &RecordRow) -> Result<Self, Error> {
        let body = serde_json::from_slice(&row.body);
        Ok(Self {
            tenant: row.tenant.clone(),
            version: row.version,
            body: body.map_err(|_| Error::Damaged { id: row.id.clone() })?,
        })
    }

    /// Its next record.
    pub fn next(&self, now: Timestamp) -> Result<RecordRow, Error> {
        let id = self.body.alert.id.clone();
        let body = serde_json::to_vec(&self.body);
        Ok(RecordRow {
            tenant: self.tenant.clone(),
            kind: KIND.to_owned(),
            version: self.version + 1,
            written_at: now,
            body: body.map_err(|_| Error::Damaged { id: id.clone() })?,
            id,
        })
    }
}
