//! The vault in front of everything: here a clear card number becomes an index and is forgotten.
//!
//! *Invariant*: a clear number exists in the parser's `Event<CardInput>` and in this crate, and
//! nowhere else. What leaves is an `Event<Card>`: index, issuer identification, last four.

pub mod vault;

pub use vault::Vault;
