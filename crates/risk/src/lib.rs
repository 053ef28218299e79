//! The way a payment travels between the edge and the journal.
//!
//! ```text
//! identify   keys of the entities, windows including this payment, lists
//! model      chances of the models at work, on the same windows
//! judge      fraud ∥ laundering: fired rules, models, score, action
//! verdict    one outcome by precedence, warnings, reasons
//! record     decision, trail leaf and outbox row in one group commit
//! ```
//!
//! [`Engine`] is the only way in. Everything it answers is durable first.

mod activity;
pub mod backtest;
pub mod config;
mod engine;
pub mod entity;
mod error;
mod evidence;
mod explain;
mod facts;
mod figures;
mod hindsight;
mod identify;
mod judge;
mod label;
mod lineage;
mod list;
mod mentions;
pub mod model;
pub mod movement;
mod notice;
pub mod prevention;
mod query;
pub mod rating;
mod record;
mod recovery;
pub mod release;
pub mod screening;
mod sight;
mod sketch;
mod statistics;
mod travel;
mod typology;
mod verdict;
mod weight;
mod what_if;
mod working;

pub use activity::{Covered, RuleActivity, RuleUse, RuleUseState};
pub use config::{Bands, EngineConfig};
pub use engine::{Caller, Decided, Engine, Idempotency, Request};
pub use error::{Error, StartError};
pub use evidence::combined;
pub use explain::{ExplainedPart, ExplainedTest, Explanation};
pub use figures::{Figures, Room, SnapshotOnDisk};
pub use hindsight::{PAYMENTS_MAX, Stretch};
pub use label::{Beside, LabelReceipt, Labelled};
pub use lineage::{Holding, HoldingPage, Part};
pub use list::{ListChange, ListEntry, ListOperation, ListPage, ListSummary, ListValue};
pub use mentions::Mention;
pub use notice::Noticed;
pub use paywarden_rules::{RuleSet, RuleTitle};
pub use query::{DecisionPage, DecisionQuery, RuleSetSummary, RuleSummary};
pub use release::PackFile;
pub use sight::Sight;
pub use sketch::Sketch;
pub use statistics::{
    DecisionStatistics, FoundStatistics, HourStatistics, OutcomeStatistics, StepStatistics,
};
pub use travel::Jurisdictions;
pub use typology::{Thresholds, Typologies, Typology, WrongTypologies};
pub use weight::Floors;
pub use what_if::{WhatIf, WhatIfRule, WhatIfScore};
pub use working::RuleFigures;
