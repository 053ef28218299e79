//! The store from outside: every behaviour on SQLite and on PostgreSQL.
//!
//! PostgreSQL is started privately from the installed binaries and stopped at the end. Without
//! binaries its half is skipped with a message, and fails if `CI=true`.
#![cfg(test)]

mod support;

mod acts;
mod agreement;
mod approvals;
mod backtests;
mod copies;
mod crash;
mod deliveries;
mod disk_full;
mod journal;
mod lost_commit;
mod mentions;
mod merkle_cases;
mod nodes;
mod opening;
mod outbox;
mod reads;
mod trail;
mod vault;
mod vault_keys;
mod work_items;
