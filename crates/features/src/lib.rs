//! Exact sliding windows over the past of each entity of a payment: card, account, device …
//!
//! Every event is stored once; each of its entities lists the events it took part in. A window is
//! read by walking that list, or over summaries where the list is long; either way the value equals
//! what counting all events by hand would give. Nothing is precomputed per window, so that new
//! windows see the whole past that is kept.
//!
//! No clock, no thread, no file: time comes with the events, snapshots go through `Read` and
//! `Write`.

mod arena;
pub mod backfill;
mod blocks;
pub mod entity;
pub mod error;
pub mod event;
mod fact;
pub mod flows;
pub mod glance;
mod image;
mod line;
pub mod links;
mod listed;
mod load;
mod long;
mod pass;
mod past;
pub mod plan;
pub mod prepare;
mod read;
mod registry;
pub mod replay;
mod run;
pub mod set;
mod slide;
pub mod snapshot;
mod state;
pub mod store;
mod tallies;
mod tally;
pub mod value;
pub mod window;

pub use backfill::Backfill;
pub use entity::{ENTITY_KINDS, EntityKind};
pub use error::Error;
pub use event::FeatureEvent;
pub use glance::{Glance, Node, Tie, Web};
pub use plan::Plan;
pub use prepare::Preparation;
pub use replay::Replay;
pub use set::Set;
pub use snapshot::{Restored, Saved};
pub use store::{FeatureStore, Limits, Stats, Ticket};
pub use value::Value;
pub use window::{Aggregate, Attribute, Filter, Part, WindowSpec};
