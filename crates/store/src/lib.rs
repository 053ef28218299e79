//! The one place that writes, and the only source of time and randomness.
//!
//! [`Database`] opens SQLite or PostgreSQL and answers questions. [`Journal`] is the only way to
//! write: an [`Entry`] carries who acts and why, and its rows, one leaf of the trail (a Merkle
//! tree per tenant) and one row of the outbox are committed together, in groups, before [`Journal::append`]
//! returns. [`Clock`] is where every other crate gets the time from.
//!
//! *Invariant*: nothing is written without an actor, a purpose and a leaf of the trail. There is
//! no function that could.
//!
//! ```
//! use paywarden_domain::TenantId;
//! use paywarden_store::{
//!     Actor, Clock, Database, Entry, Journal, JournalLimits, Verdict,
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let url = format!("sqlite://{}/paywarden.db", folder.path().display());
//! let database = Database::open(&url).await?;
//! let journal = Journal::start(&database, Clock::System, JournalLimits::default()).await?;
//! journal
//!     .append(Entry {
//!         tenant: TenantId::parse("acme")?,
//!         actor: Actor::Staff("liu".into()),
//!         purpose: "dispute 4711".into(),
//!         action: "view_payment",
//!         object: "pay-1".into(),
//!         rows: vec![],
//!     })
//!     .await?;
//! let verdict = database.verify(None).await?;
//! assert!(matches!(verdict, Verdict::Intact(seen) if seen.leaves == 1));
//! journal.close().await;
//! database.close().await;
//! # Ok(())
//! # }
//! ```

pub mod acts;
pub mod backtests;
pub mod clock;
pub mod database;
pub mod deliveries;
pub mod entry;
mod error;
pub mod journal;
mod mentions;
pub mod nodes;
pub mod outbox;
mod reads;
pub mod rows;
mod sql;
pub mod trail;

pub use acts::{ACTS_MAX, ActRow, WATCH};
pub use backtests::BACKTESTS_MAX;
pub use clock::{Clock, SimulatedClock};
pub use database::{Backend, Database, DatabaseLimits};
pub use deliveries::{Attempted, DELIVERIES_MAX, REPLAYED_MAX, Replay};
pub use entry::{Actor, Entry, Purpose, REASON, Row};
pub use error::Error;
pub use journal::{Appended, Journal, JournalLimits};
pub use nodes::{NODES_MAX, NodeRow};
pub use outbox::OutboxItem;
pub use reads::{
    ApprovalStepFilter, COUNTED_MAX, DecisionCount, DecisionFilter, DecisionSpan, DecisionsFound,
    EpochKeys, HistoryRow, HistorySpan, MaskedRow, NewestRecords, PastRow, PaymentCount, ReplayRow,
    Salience, TraceRow, VaultFind, VaultReader, WorkFilter,
};
pub use rows::{
    ApprovalStepKind, ApprovalStepRow, AttemptRow, BacktestLine, BacktestRow, DecisionRow,
    DecisionSummary, DeliveryRow, DeliveryState, KeyPage, KeyPlace, KeyRevocation, LINKS_MAX,
    LabelRow, ListEntryRow, ListRemoval, LivingKey, MENTIONS_BYTES_MAX, MentioningRow, MentionsRow,
    MessageRow, PAGE_KEYS, RecordRow, RuleSetRow, RuleSetStepRow, SealedRow, SigningKeyRow,
    ValuePlace, VaultContent, VaultErasure, VaultErasureOf, VaultKeyRow, VaultPerson,
    VaultRecordRow, VaultRewrap, VaultRow, WorkItemRow, WorkLink, WorkPlace, Wrapping,
};
pub use trail::{Fault, Intact, RowRef, TreeHead, Trust, Verdict};
