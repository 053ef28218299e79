//! What the versions of one tenant have been through: the fold of their steps.

use super::{
    state::{Action, State},
    trial::TrialReport,
    view::RuleSetStep,
};
use crate::Error;
use paywarden_domain::Timestamp;
use paywarden_store::RuleSetStepRow;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most versions that one tenant keeps.
pub(crate) const VERSIONS_MAX: usize = 10_000;
/// The most steps that one tenant takes.
pub(crate) const STEPS_MAX: i64 = 100_000;
/// The most versions of one tenant in the shadow at once.
pub(crate) const SHADOWS_MAX: usize = 4;

/// All versions of one tenant.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    last_step: i64,
    versions: BTreeMap<String, Standing>,
    /// Versions that are or were live, the one that decides last. Rolling back takes it off.
    lives: Vec<String>,
}

/// Where one version stands.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub(crate) state: State,
    /// Who made the draft, as the trail names them.
    pub(crate) maker: String,
    pub(crate) drafted_at: Timestamp,
    /// Number of its first step.
    pub(crate) drafted_no: i64,
    /// Its share of the payments while it is a canary.
    pub(crate) share_bp: Option<u16>,
    /// The last event before it went on trial.
    pub(crate) trial_after: i64,
    pub(crate) trial_since: Option<Timestamp>,
    pub(crate) steps: Vec<RuleSetStep>,
}

/// What else belongs to a step; in the store as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct StepDetail {
    /// The share given to a canary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) share_bp: Option<u16>,
    /// The last event before a trial began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) after_event_no: Option<i64>,
    /// What a trial had found when it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trial: Option<TrialReport>,
    /// The back-test that the step speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) back_test: Option<String>,
    /// The approval that allowed the step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) approval: Option<String>,
}

impl Ledger {
    /// The number of the next step.
    pub(crate) fn next_step(&self) -> i64 {
        self.last_step + 1
    }

    /// The version that decides; none if the tenant's payments are decided by the library.
    pub(crate) fn live(&self) -> Option<&str> {
        self.lives.last().map(String::as_str)
    }

    pub(crate) fn standing(&self, version: &str) -> Result<&Standing, Error> {
        self.versions.get(version).ok_or(Error::RuleSetUnknown)
    }

    /// The versions in this state.
    pub(crate) fn in_state(&self, state: State) -> impl Iterator<Item = (&str, &Standing)> {
        self.all()
            .filter(move |(_, standing)| standing.state == state)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &Standing)> {
        self.versions
            .iter()
            .map(|(version, standing)| (version.as_str(), standing))
    }

    /// Where the action leads, or why it is refused.
    pub(crate) fn check(&self, action: Action, version: &str) -> Result<State, Error> {
        let from = self.versions.get(version).map(|standing| standing.state);
        if from.is_none() && action != Action::Draft {
            return Err(Error::RuleSetUnknown);
        }
        let to = action.leads(from).ok_or(Error::RuleSetMove {
            action: action.name(),
            state: from.map_or("absent", State::name),
        })?;
        self.check_room(action, version)?;
        Ok(to)
    }

    fn check_room(&self, action: Action, version: &str) -> Result<(), Error> {
        let others = |state| {
            self.in_state(state)
                .filter(|(other, _)| *other != version)
                .count()
        };
        let full = match action {
            Action::Draft if self.versions.len() >= VERSIONS_MAX => "versions, at most 10,000",
            Action::Shadow if others(State::Shadow) >= SHADOWS_MAX => "shadow versions, at most 4",
            Action::Canary if others(State::Canary) > 0 => "canary versions, at most 1",
            _ if self.last_step >= STEPS_MAX => "steps, at most 100,000",
            _ => return Ok(()),
        };
        Err(Error::RuleSetLimit(full))
    }

    /// Adds a step that is in the journal.
    pub(crate) fn apply(&mut self, row: &RuleSetStepRow) -> Result<(), Error> {
        let damaged = |what: &str| {
            let (tenant, number) = (&row.tenant, row.step_no);
            Error::RecordDamaged(format!("rule set step {number} of {tenant}: {what}"))
        };
        if row.step_no != self.next_step() {
            return Err(damaged("out of order"));
        }
        let action = Action::parse(&row.action).ok_or_else(|| damaged("unknown action"))?;
        let detail: StepDetail =
            serde_json::from_str(&row.detail).map_err(|_| damaged("unreadable detail"))?;
        let from = self.versions.get(&row.version).map(|known| known.state);
        let to = action.leads(from).ok_or_else(|| damaged("no such move"))?;
        match action {
            Action::Publish => {
                if let Some(live) = self.lives.last().cloned() {
                    self.archive(&live);
                }
                self.lives.push(row.version.clone());
            }
            Action::RollBack => {
                self.lives.pop();
                if let Some(before) = self.lives.last().cloned()
                    && let Some(standing) = self.versions.get_mut(&before)
                {
                    standing.state = State::Live;
                }
            }
            _ => {}
        }
        let standing = self
            .versions
            .entry(row.version.clone())
            .or_insert_with(|| Standing::new(row));
        standing.take(action, to, row, detail);
        self.last_step = row.step_no;
        Ok(())
    }

    fn archive(&mut self, version: &str) {
        if let Some(standing) = self.versions.get_mut(version) {
            standing.state = State::Archived;
        }
    }
}

impl Standing {
    fn new(row: &RuleSetStepRow) -> Self {
        Self {
            state: State::Draft,
            maker: row.actor.clone(),
            drafted_at: row.taken_at,
            drafted_no: row.step_no,
            share_bp: None,
            trial_after: 0,
            trial_since: None,
            steps: Vec::new(),
        }
    }

    /// Whether it is evaluated beside another version.
    pub(crate) fn on_trial(&self) -> bool {
        matches!(self.state, State::Shadow | State::Canary)
    }

    fn take(&mut self, action: Action, to: State, row: &RuleSetStepRow, detail: StepDetail) {
        let was_on_trial = self.on_trial();
        self.state = to;
        self.share_bp = detail.share_bp.filter(|_| to == State::Canary);
        if self.on_trial() && !was_on_trial {
            self.trial_after = detail.after_event_no.unwrap_or(0);
            self.trial_since = Some(row.taken_at);
        }
        self.steps.push(RuleSetStep {
            action,
            state: to,
            by: row.actor.clone(),
            purpose: row.purpose.clone(),
            at: row.taken_at,
            share_bp: detail.share_bp,
            trial: detail.trial,
            back_test: detail.back_test,
            approval: detail.approval,
        });
    }
}
