//! Money laundering hidden among honest transfers that move like it.
//!
//! Crimes and habits are made of the same verbs (gather, scatter, relay) by the same people at the
//! same hours with amounts from the same distributions, so that neither an amount nor a degree nor
//! an hour tells them apart: only how money moves does.

mod corridor;
mod habit;
mod stage;
mod stream;
mod typology;

pub use habit::Habit;
pub use stream::{Laundering, LaunderingSettings, Origin, Transfer};
pub use typology::Typology;
