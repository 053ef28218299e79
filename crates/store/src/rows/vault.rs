//! What the vault keeps: keys of persons, sealed values, and how both end.

mod erasure;
mod key;
mod record;

pub(crate) use erasure::{ERASED_MAX, ended, erased};
pub use erasure::{VaultErasure, VaultErasureOf, VaultPerson};
pub use key::{VaultKeyRow, VaultRewrap, Wrapping};
pub use record::{SealedRow, VaultContent, VaultRecordRow};
