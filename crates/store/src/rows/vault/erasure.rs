//! How values and keys end.

use super::super::Canonical;
use paywarden_domain::{TenantId, Timestamp};

/// The most records or keys that one erasure takes: each has a place in the leaf.
pub(crate) const ERASED_MAX: i64 = 200;

/// Erases records or destroys keys of one tenant. The trail names each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultErasure {
    /// Whose they are.
    pub tenant: TenantId,
    /// Which.
    pub of: VaultErasureOf,
    /// When.
    pub erased_at: Timestamp,
}

/// What an erasure takes. Of the last three, 200 at a time: repeat until the trail names none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VaultErasureOf {
    /// One record. One that is not there, or erased already, is an [`crate::Error::Conflict`].
    Token(String),
    /// Records of a person.
    Records(VaultPerson),
    /// Keys of a person.
    Keys(VaultPerson),
    /// Records of a person that could be read until the time of the erasure.
    Expired(VaultPerson),
}

/// What is kept of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultPerson {
    /// The person.
    pub subject: String,
    /// Only what is kept for this long.
    pub retention: Option<String>,
}

/// The end of a record, as the trail keeps it.
pub(crate) fn erased(tenant: &TenantId, token: &str, at: Timestamp) -> Canonical {
    end(b'w', tenant, token, at)
}

/// The end of a key, as the trail keeps it.
pub(crate) fn ended(tenant: &TenantId, key_id: &str, at: Timestamp) -> Canonical {
    end(b'y', tenant, key_id, at)
}

fn end(kind: u8, tenant: &TenantId, name: &str, at: Timestamp) -> Canonical {
    Canonical::new(kind)
        .text(tenant.as_str())
        .text(name)
        .time(at)
}
