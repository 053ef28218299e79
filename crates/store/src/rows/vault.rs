//! What the vault keeps: keys of persons, sealed values, and how both end.

mod body;
mod bytes;
mod erasure;
mod key;
mod page;
mod place;
mod record;

pub use body::SealedRow;
pub(crate) use body::joined;
pub(crate) use erasure::{ERASED_MAX, ended, erased};
pub use erasure::{VaultErasure, VaultErasureOf, VaultPerson};
pub use key::{KeyPlace, VaultKeyRow, VaultRewrap, Wrapping};
pub(crate) use page::WRAPPED_MAX;
pub use page::{KeyPage, LivingKey, PAGE_KEYS};
pub use place::ValuePlace;
pub use record::{VaultContent, VaultRecordRow};

use super::Canonical;
use paywarden_domain::TenantId;

/// One change of what the vault keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VaultRow {
    /// A sealed value is added, unless there is the same already.
    Record(Box<VaultRecordRow>),
    /// A key of a person is added, unless what is sealed under it was there already.
    Key(VaultKeyRow),
    /// Sealed values or keys of persons end.
    Erasure(VaultErasure),
    /// Keys of persons are wrapped again.
    Rewrap(VaultRewrap),
}

impl VaultRow {
    pub(crate) fn tenant(&self) -> &TenantId {
        match self {
            Self::Record(row) => &row.tenant,
            Self::Key(row) => &row.tenant,
            Self::Erasure(row) => &row.tenant,
            Self::Rewrap(row) => &row.tenant,
        }
    }

    pub(crate) fn canonical(&self) -> Canonical {
        match self {
            Self::Record(row) => row.canonical(),
            Self::Key(row) => row.canonical(),
            // What these change is known only when they are written.
            Self::Erasure(_) | Self::Rewrap(_) => Canonical::new(0),
        }
    }
}
