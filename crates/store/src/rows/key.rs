//! Keys that callers sign with, and their revocation.

use super::Canonical;
use crate::{
    Error,
    sql::{AnyQuery, Fields, Insertable, Stored},
};
use paywarden_domain::{TenantId, Timestamp};
use std::fmt;

/// A key of a caller. Its identifier is unique over all tenants, because the key tells the
/// tenant; adding one that exists is an [`Error::Conflict`].
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKeyRow {
    /// The identifier that requests name, at most 128 bytes.
    pub key_id: String,
    /// Whose key it is.
    pub tenant: TenantId,
    /// Name in the registry of RFC 9421.
    pub algorithm: String,
    /// The public key, or the sealed secret; at most 16 KiB.
    pub material: Vec<u8>,
    /// Whether `material` is sealed.
    pub sealed: bool,
    /// What it may do.
    pub scopes: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// For people.
    pub description: String,
}

/// Revokes a key. One that does not exist or is revoked already is an [`Error::Conflict`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRevocation {
    /// Whose key it is.
    pub tenant: TenantId,
    /// The key.
    pub key_id: String,
    /// From when it no longer counts.
    pub revoked_at: Timestamp,
}

impl SigningKeyRow {
    /// Without `revoked_at`, which changes.
    pub(crate) fn canonical(&self) -> Canonical {
        Canonical::new(b'K')
            .text(&self.key_id)
            .text(self.tenant.as_str())
            .text(&self.algorithm)
            .bytes(&self.material)
            .number(self.sealed)
            .text(&self.scopes)
            .time(self.created_at)
            .text(&self.description)
    }

    /// The revocation of this key, if it is revoked.
    pub(crate) fn revocation(&self) -> Option<KeyRevocation> {
        Some(KeyRevocation {
            tenant: self.tenant.clone(),
            key_id: self.key_id.clone(),
            revoked_at: self.revoked_at?,
        })
    }
}

impl KeyRevocation {
    pub(crate) fn canonical(&self) -> Canonical {
        Canonical::new(b'V')
            .text(self.tenant.as_str())
            .text(&self.key_id)
            .time(self.revoked_at)
    }
}

impl fmt::Debug for SigningKeyRow {
    /// Without the material.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKeyRow")
            .field("key_id", &self.key_id)
            .field("tenant", &self.tenant)
            .field("algorithm", &self.algorithm)
            .field("scopes", &self.scopes)
            .field("created_at", &self.created_at)
            .field("revoked_at", &self.revoked_at)
            .finish_non_exhaustive()
    }
}

impl Stored for SigningKeyRow {
    const TABLE: &'static str = "signing_keys";
    const COLUMNS: &'static [&'static str] = &[
        "key_id",
        "tenant",
        "algorithm",
        "material",
        "sealed",
        "scopes",
        "created_at",
        "revoked_at",
        "description",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            key_id: fields.take()?,
            tenant: fields.parsed(TenantId::parse)?,
            algorithm: fields.take()?,
            material: fields.take()?,
            sealed: fields.take::<i16>()? == 1,
            scopes: fields.take()?,
            created_at: Timestamp::from_micros(fields.take()?),
            revoked_at: fields.take::<Option<i64>>()?.map(Timestamp::from_micros),
            description: fields.take()?,
        })
    }
}

impl Insertable for SigningKeyRow {
    fn bind<'q>(&'q self, query: AnyQuery<'q>) -> AnyQuery<'q> {
        query
            .bind(self.key_id.as_str())
            .bind(self.tenant.as_str())
            .bind(self.algorithm.as_str())
            .bind(self.material.as_slice())
            .bind(i16::from(self.sealed))
            .bind(self.scopes.as_str())
            .bind(self.created_at.micros())
            .bind(self.revoked_at.map(Timestamp::micros))
            .bind(self.description.as_str())
    }
}
