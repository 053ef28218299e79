//! The rows that entries carry and questions return, and how each becomes columns and bytes.

mod approval_step;
mod backtest;
mod canonical;
mod decision;
mod delivery;
mod key;
mod label;
mod list;
mod mention;
mod record;
mod rule_set;
mod rule_set_step;
mod vault;
mod work_item;

pub use approval_step::{ApprovalStepKind, ApprovalStepRow};
pub use backtest::{BacktestLine, BacktestRow};
pub(crate) use canonical::{Canonical, sha256};
pub use decision::{DecisionRow, DecisionSummary};
pub(crate) use decision::{Existing, RecordedDecision};
pub(crate) use delivery::MESSAGE_BYTES_MAX;
pub use delivery::{AttemptRow, DeliveryRow, DeliveryState, MessageRow};
pub use key::{KeyRevocation, SigningKeyRow};
pub use label::LabelRow;
pub use list::{ListEntryRow, ListRemoval};
pub use mention::{MENTIONS_BYTES_MAX, MentioningRow, MentionsRow};
pub use record::RecordRow;
pub use rule_set::RuleSetRow;
pub use rule_set_step::RuleSetStepRow;
pub(crate) use vault::{ERASED_MAX, WRAPPED_MAX, ended, erased, joined};
pub use vault::{
    KeyPage, KeyPlace, LivingKey, PAGE_KEYS, SealedRow, ValuePlace, VaultContent, VaultErasure,
    VaultErasureOf, VaultKeyRow, VaultPerson, VaultRecordRow, VaultRewrap, VaultRow, Wrapping,
};
pub use work_item::{LINKS_MAX, WorkItemRow, WorkLink, WorkPlace};
