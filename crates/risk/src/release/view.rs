//! Rule sets as people see them.

use super::{
    Action, PackFile, RuleProblem, State,
    ledger::{Ledger, Standing},
    trial::TrialReport,
};
use paywarden_domain::Timestamp;
use paywarden_rules::Diagnostic;
use serde::Serialize;
use utoipa::ToSchema;

/// One page of a tenant's versions, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RuleSetPage {
    /// The versions.
    pub rule_sets: Vec<RuleSetLine>,
    /// The version that decides now.
    pub live: String,
    /// The version of the library that this installation ships; it decides for tenants that have
    /// published nothing of their own.
    pub base: String,
    /// Continue below this step.
    #[serde(skip)]
    pub next: Option<i64>,
}

/// One version in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RuleSetLine {
    /// The version.
    pub version: String,
    /// Where it stands.
    pub state: State,
    /// The share of payments that it decides as a canary, in basis points.
    pub share_bp: Option<u16>,
    /// Who made the draft.
    pub maker: String,
    /// When.
    pub drafted_at: Timestamp,
}

/// What became of a draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RuleSetDrafted)]
pub struct Drafted {
    /// The version and where it stands.
    #[serde(flatten)]
    pub line: RuleSetLine,
    /// What is no mistake but worth a look: rules that never add to others, tests that always
    /// hold. At most 100 of them.
    pub warnings: Vec<RuleProblem>,
    /// Whether there was no such version before.
    #[serde(skip)]
    pub is_new: bool,
}

/// The most warnings of one reply.
const WARNINGS_MAX: usize = 100;

impl Drafted {
    pub(super) fn new(line: RuleSetLine, is_new: bool, found: &[Diagnostic]) -> Self {
        let warnings = found.iter().take(WARNINGS_MAX).map(RuleProblem::of);
        Self {
            line,
            warnings: warnings.collect(),
            is_new,
        }
    }
}

/// One version with its history and source.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RuleSetRecord {
    /// The version and where it stands.
    #[serde(flatten)]
    pub line: RuleSetLine,
    /// How many rules it has.
    pub rules: usize,
    /// How many distinct windows they read.
    pub windows: usize,
    /// What its trial has found so far; null if it is not on trial. What an ended trial had found
    /// stands at the step that ended it.
    pub trial: Option<TrialReport>,
    /// Its steps, oldest first.
    pub history: Vec<RuleSetStep>,
    /// Its packs as they were sent.
    pub packs: Vec<PackFile>,
}

/// One step of one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RuleSetStep {
    /// What was done.
    pub action: Action,
    /// Where the version stood then.
    pub state: State,
    /// Who did it.
    pub by: String,
    /// Why.
    pub purpose: String,
    /// When.
    pub at: Timestamp,
    /// The share given to a canary, in basis points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share_bp: Option<u16>,
    /// What the trial that ended here had found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trial: Option<TrialReport>,
    /// The back-test that was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub back_test: Option<String>,
    /// The approval that allowed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<String>,
}

/// How far the preparation of a version is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Progress {
    /// Nothing is being prepared.
    Idle,
    /// Its windows are being filled from the journal.
    Preparing {
        /// What follows when they are.
        action: Action,
        /// Decisions read so far.
        done: u64,
        /// Decisions to read, about.
        total: u64,
    },
    /// The last preparation was followed by its step.
    Done {
        /// The step.
        action: Action,
    },
    /// The last preparation came to nothing; ask again.
    Failed {
        /// What should have followed.
        action: Action,
        /// The code of the refusal.
        code: &'static str,
        /// The refusal.
        detail: String,
    },
}

impl RuleSetLine {
    pub(super) fn of(version: &str, standing: &Standing) -> Self {
        Self {
            version: version.to_owned(),
            state: standing.state,
            share_bp: standing.share_bp,
            maker: standing.maker.clone(),
            drafted_at: standing.drafted_at,
        }
    }
}

/// The lines of a ledger, newest first, below a step.
pub(super) fn lines(ledger: &Ledger, before: Option<i64>, limit: usize) -> Lines {
    let mut standings: Vec<_> = ledger
        .all()
        .filter(|(_, standing)| before.is_none_or(|before| standing.drafted_no < before))
        .collect();
    standings.sort_by_key(|(_, standing)| std::cmp::Reverse(standing.drafted_no));
    let more = standings.len() > limit;
    standings.truncate(limit);
    let next = standings.last().filter(|_| more);
    Lines {
        next: next.map(|(_, standing)| standing.drafted_no),
        lines: standings
            .iter()
            .map(|(version, standing)| RuleSetLine::of(version, standing))
            .collect(),
    }
}

/// Part of a list, and where it goes on.
pub(super) struct Lines {
    pub(super) lines: Vec<RuleSetLine>,
    pub(super) next: Option<i64>,
}
