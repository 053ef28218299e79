//! The API over real TLS: one program, because each would compile and link the whole server again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod administrators;
mod approvals;
mod approvals_of_people;
mod backtests;
mod case_files;
mod cases;
mod confirmations;
mod decisions;
mod entities;
mod exports;
mod key_terms;
mod labels;
mod large_values;
mod lineage;
mod models;
mod modes;
mod named;
mod node;
mod people;
mod prevention;
mod privacy;
mod ratings;
mod refusals;
mod reports;
mod reveals;
mod rule_sets;
mod screening;
mod security_alerts;
mod slow;
mod studio;
mod support;
mod tenants;
mod trail;
mod travel_rule;
mod vault;
mod webhooks;
