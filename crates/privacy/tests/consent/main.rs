//! Consent, notices and the privacy policy, and every way around them, on SQLite and on PostgreSQL.
#![cfg(test)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "../../../store/tests/store/support.rs"]
#[allow(dead_code, reason = "the store's own tests use all of it")]
mod support;

mod enforcement;
mod policy_change;
mod receipts;
mod requests;
mod retention;
mod reveal;
mod rights;
mod timetable;
mod world;
