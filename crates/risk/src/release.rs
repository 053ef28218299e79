//! The life of a rule set: from a draft through checks, trial and approval to live, and back.
//!
//! ```text
//! source     packs as text ──▶ parsed, compiled, every example run; its digest is the version
//! state      the states and the moves between them, one table
//! ledger     what a tenant's versions have been through: the fold of their steps
//! approval   the command that lets a version decide payments
//! shelf      stored versions, compiled
//! running    what decides now: live, canary and shadow sets of each tenant on one plan of windows
//! trial      what a version would have said beside the live one, kept with each decision
//! fill       windows that look further back than all before, filled from the journal
//! publish    windows prepared, the step made durable, one pointer swapped
//! diff       what differs between two versions, field by field
//! studio     one pack while it is being written
//! ```
//!
//! *Invariant*: the state of a version is the fold of its steps in the journal and of nothing
//! else; what decides is derived from it, after a restart as before.
//!
//! *Invariant*: a decision takes no lock that a publication holds for longer than an assignment,
//! and what it began with it ends with.

mod approval;
mod desk;
mod diff;
mod fill;
mod ledger;
mod problem;
mod publish;
mod running;
mod shelf;
mod source;
mod start;
mod state;
mod steps;
mod studio;
mod trial;
mod view;

pub use approval::RuleRelease;
pub(crate) use desk::{Desk, TURN_WAIT};
pub use diff::{FieldChange, RuleChange, RuleSetDiff};
pub use problem::{RulePlace, RuleProblem};
pub(crate) use running::{LoadedSet, Runner, Running};
pub use shelf::stored_rules;
pub use source::PackFile;
pub(crate) use source::Source;
pub(crate) use start::{open, record_base};
pub use state::{Action, State};
pub use steps::{Draft, Moved, Order};
pub use studio::{
    Assist, CheckedExample, CheckedPack, CheckedRule, Completed, Hovered, PackDraft, PackLine,
    PackProblem, PackRule, RuleEdit,
};
pub use trial::{OutcomePair, RuleHits, TrialReport};
pub(crate) use trial::{Seen, Trace, Trial, values};
pub use view::{Drafted, Progress, RuleSetLine, RuleSetPage, RuleSetRecord, RuleSetStep};
