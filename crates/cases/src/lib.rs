//! What people look at: alerts that verdicts raise, the queues they wait in, and the cases that
//! they become.
//!
//! ```text
//! policy    what raises an alert, where it waits, how urgent it is; reasons, typologies
//! opening   from a verdict to an alert: a second hit on a customer joins the first
//! alert     an alert and what may be done with it
//! queue     whose turn it is: lists, the next one
//! working   what people do with alerts, one or many at once
//! case      alerts and payments that are looked at together, and what may be done with them
//! bench     what people do with cases
//! file      what people hand in beside cases
//! note      what people write beside either
//! quality   what rules are worth, by what people said of their alerts
//! timeline  everything that happened, in its order
//! lineage   which alerts and cases a decision went into
//! action    what is asked of a payment, for whoever carries it out
//! ```
//!
//! *Invariant*: an alert or a case is a record with versions. It changes only by its next version,
//! in the journal, with an actor and a purpose; of two who change at once one is refused. What it
//! holds is sealed: people write about people.
//!
//! Payments are known by the caller's identifier, customers and the like by the keyed hash that
//! windows run on.

mod action;
mod alert;
mod bench;
mod case;
mod desk;
mod draft;
mod entity;
mod error;
mod file;
mod index;
mod lineage;
mod note;
mod opening;
mod policy;
mod quality;
mod queue;
mod snooze;
mod text;
mod timeline;
mod working;

pub use action::{ACTIONS, PaymentAction, PaymentActionKind};
pub use alert::{Alert, AlertPayment, AlertState, Change, Closing, Disposition, Priority};
pub use bench::{CaseAct, CaseOpening};
pub use case::{Case, CaseClosing, CasePayment, CaseState, Check, Done};
pub use desk::{Cases, Worker};
pub use entity::Entity;
pub use error::Error;
pub use file::{
    CaseFile, CheckedFile, FILE_BYTES_MAX, FileErasure, FileKey, FileKind, FileScan, KeptFile,
    ScannerAway,
};
pub use index::{Reindexed, Stranded};
pub use lineage::WentInto;
pub use note::{NOTE_BYTES_MAX, Note};
pub use opening::Sighting;
pub use policy::{Policy, Queue, Reason, Trigger, Typology};
pub use quality::{AlertQuality, EngineQuality, Quality, RuleQuality, Suggestion};
pub use queue::{Assignee, Link, PAGE_MAX, Page, Place, WorkQuery};
pub use snooze::Snooze;
pub use timeline::{Moment, MomentKind, Related, Timeline};
pub use working::{AlertAct, BULK_MAX, Close};
