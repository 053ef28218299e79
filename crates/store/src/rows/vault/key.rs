//! Keys of persons.

use super::super::Canonical;
use crate::{
    Error,
    sql::{AnyQuery, Fields, Insertable, Stored},
};
use paywarden_domain::{TenantId, Timestamp};
use std::fmt;

/// The key under which values of one person are sealed, itself wrapped.
#[derive(Clone, PartialEq, Eq)]
pub struct VaultKeyRow {
    /// Its identifier, 1 to 64 bytes; unique over all tenants.
    pub key_id: String,
    /// Whose customer the person is.
    pub tenant: TenantId,
    /// The person, by a pseudonym of 1 to 64 bytes.
    pub subject: String,
    /// How long what is sealed under it is kept for, 1 to 32 bytes.
    pub retention: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// When it was destroyed.
    pub destroyed_at: Option<Timestamp>,
    /// The epoch whose keys wrap it, from 1.
    pub epoch: i64,
    /// The wrapped key, at most 256 bytes; empty once it is destroyed.
    pub wrapped: Vec<u8>,
}

/// A key as it is wrapped now.
#[derive(Clone, PartialEq, Eq)]
pub struct Wrapping {
    /// The key.
    pub key_id: String,
    /// The wrapped key, at most 256 bytes.
    pub wrapped: Vec<u8>,
}

/// Wraps keys of one tenant again under the keys of a later epoch. Keys that were destroyed
/// meanwhile, or wrapped under that epoch or a later one, stay as they are. The keys themselves
/// do not change, and the trail says no more than that it was done.
#[derive(Clone, PartialEq, Eq)]
pub struct VaultRewrap {
    /// Whose keys.
    pub tenant: TenantId,
    /// The epoch whose keys wrap them now.
    pub epoch: i64,
    /// The keys, at most 512.
    pub keys: Vec<Wrapping>,
}

impl VaultKeyRow {
    /// Without epoch and wrapping, which change while the key stays: they authenticate themselves.
    pub(crate) fn canonical(&self) -> Canonical {
        Canonical::new(b'Y')
            .text(self.tenant.as_str())
            .text(&self.key_id)
            .text(&self.subject)
            .text(&self.retention)
            .time(self.made_at)
    }
}

impl fmt::Debug for VaultKeyRow {
    /// Without the wrapped key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultKeyRow")
            .field("key_id", &self.key_id)
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for VaultRewrap {
    /// Without the wrapped keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultRewrap")
            .field("epoch", &self.epoch)
            .field("keys", &self.keys.len())
            .finish_non_exhaustive()
    }
}

impl Stored for VaultKeyRow {
    const TABLE: &'static str = "vault_keys";
    const COLUMNS: &'static [&'static str] = &[
        "key_id",
        "tenant",
        "subject",
        "retention",
        "made_at",
        "destroyed_at",
        "epoch",
        "wrapped",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            key_id: fields.take()?,
            tenant: fields.parsed(TenantId::parse)?,
            subject: fields.take()?,
            retention: fields.take()?,
            made_at: Timestamp::from_micros(fields.take()?),
            destroyed_at: fields.take::<Option<i64>>()?.map(Timestamp::from_micros),
            epoch: fields.take()?,
            wrapped: fields.take()?,
        })
    }
}

impl Insertable for VaultKeyRow {
    fn bind<'q>(&'q self, query: AnyQuery<'q>) -> AnyQuery<'q> {
        query
            .bind(self.key_id.as_str())
            .bind(self.tenant.as_str())
            .bind(self.subject.as_str())
            .bind(self.retention.as_str())
            .bind(self.made_at.micros())
            .bind(self.destroyed_at.map(Timestamp::micros))
            .bind(self.epoch)
            .bind(self.wrapped.as_slice())
    }
}
