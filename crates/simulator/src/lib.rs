//! Labelled synthetic payment traffic: for the demonstration, for tests and for benches.
//!
//! [`Traffic`] is the life of a [`Population`] with attacks in it, as the JSON that
//! `POST /v1/decisions` takes; [`Process`] is a small process for measuring models; [`Laundering`]
//! is money laundering among honest transfers that look like it. All are functions of their
//! settings: no clock, no I/O, the same stream for the same seed everywhere.
//!
//! Nothing in it belongs to anybody: card numbers are of documented test ranges, domains,
//! telephone numbers and network addresses of reserved ones, names are drawn from short lists.

mod attack;
mod benign;
mod card;
mod compose;
mod event;
mod guest;
mod identity;
mod laundering;
mod people;
mod place;
mod population;
mod process;
mod rhythm;
mod rng;
mod scene;
mod session;
mod shop;
mod traffic;
mod word;

pub use attack::AttackKind;
pub use card::{OutgoingCard, TEST_RANGES, TestRange};
pub use event::{Labelled, OutgoingEvent, SILENCE_US};
pub use laundering::{Habit, Laundering, LaunderingSettings, Origin, Transfer, Typology};
pub use population::{POPULATION_SIZES, Population};
pub use process::{Process, ProcessSettings};
pub use traffic::{Settings, Traffic};
