//! The vault in front of everything: personal data is sealed here, and what leaves is a token, an
//! index and a mask.
//!
//! *Invariant*: a clear card number exists in the parser's `Event<CardInput>` and in this crate,
//! and nowhere else. What leaves is an `Event<Card>`: index, issuer identification, last four.
//! Clear values of any class are [`Plain`], which cannot be printed or serialised.
//!
//! - [`catalogue`]: the classes of data and their labels, one table
//! - [`token`]: names of sealed values
//! - [`vault`]: keeping, reading, finding and erasing
//! - [`notice`]: what people were told
//! - [`policy`]: for which purposes data may be handled, and on what grounds
//! - [`consent`]: what people agreed to, with receipts
//! - [`subject`]: how a person stands to the handling of their data
//! - [`reveal`]: values shown to staff, by approval
//! - [`retention`]: what is kept ends when its time has come, counted before it is done
//! - [`root`]: the root of all keys where it is outside: a token of an HSM, a key service
//! - [`rotation`]: epochs of keys, and why a backup does not bring back who was erased
//! - [`scan`]: leaks, in files and in our own log

pub mod catalogue;
pub mod ceremony;
pub mod consent;
mod error;
mod keys;
pub mod normal;
pub mod notice;
mod plain;
pub mod policy;
pub mod retention;
pub mod reveal;
pub mod root;
pub mod rotation;
pub mod scan;
pub mod subject;
pub mod token;
pub mod vault;
mod words;

pub use error::Error;
pub use plain::Plain;
pub use vault::{By, Deposit, Item, Kept, Retention, Revealed, Said, Search, Vault, VaultSettings};
