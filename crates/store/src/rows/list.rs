//! Entries of deny, allow and watch lists, and their removal.

use super::Canonical;
use crate::{
    Error,
    sql::{AnyQuery, Fields, Insertable, Stored},
};
use paywarden_domain::{TenantId, Timestamp};

/// One value on one list. Adding a value again closes its open entry and opens a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListEntryRow {
    /// Order in which entries were made, from 1. The writer assigns it.
    pub entry_no: i64,
    /// Whose list it is.
    pub tenant: TenantId,
    /// Name of the list, at most 128 bytes.
    pub list: String,
    /// What is on it, at most 1024 bytes.
    pub value: String,
    /// Why, at most 1024 bytes.
    pub reason: String,
    /// Who put it there.
    pub added_by: String,
    /// From when it counts.
    pub added_at: Timestamp,
    /// Until when it counts, exclusive.
    pub expires_at: Option<Timestamp>,
    /// When it was taken off.
    pub removed_at: Option<Timestamp>,
}

/// Takes a value off a list. A value that is not on it is an [`Error::Conflict`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRemoval {
    /// Whose list it is.
    pub tenant: TenantId,
    /// Name of the list.
    pub list: String,
    /// What to take off.
    pub value: String,
    /// From when it no longer counts.
    pub removed_at: Timestamp,
}

impl ListEntryRow {
    /// Without `entry_no`, which the manifest carries, and without `removed_at`, which changes.
    pub(crate) fn canonical(&self) -> Canonical {
        Canonical::new(b'E')
            .text(self.tenant.as_str())
            .text(&self.list)
            .text(&self.value)
            .text(&self.reason)
            .text(&self.added_by)
            .time(self.added_at)
            .optional(self.expires_at, Canonical::time)
    }

    /// The removal that closed this entry, if one did.
    pub(crate) fn removal(&self) -> Option<ListRemoval> {
        Some(ListRemoval {
            tenant: self.tenant.clone(),
            list: self.list.clone(),
            value: self.value.clone(),
            removed_at: self.removed_at?,
        })
    }
}

impl ListRemoval {
    pub(crate) fn canonical(&self) -> Canonical {
        Canonical::new(b'R')
            .text(self.tenant.as_str())
            .text(&self.list)
            .text(&self.value)
            .time(self.removed_at)
    }
}

impl Stored for ListEntryRow {
    const TABLE: &'static str = "list_entries";
    const COLUMNS: &'static [&'static str] = &[
        "entry_no",
        "tenant",
        "list",
        "value",
        "reason",
        "added_by",
        "added_at",
        "expires_at",
        "removed_at",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            entry_no: fields.take()?,
            tenant: fields.parsed(TenantId::parse)?,
            list: fields.take()?,
            value: fields.take()?,
            reason: fields.take()?,
            added_by: fields.take()?,
            added_at: Timestamp::from_micros(fields.take()?),
            expires_at: fields.take::<Option<i64>>()?.map(Timestamp::from_micros),
            removed_at: fields.take::<Option<i64>>()?.map(Timestamp::from_micros),
        })
    }
}

impl Insertable for ListEntryRow {
    fn bind<'q>(&'q self, query: AnyQuery<'q>) -> AnyQuery<'q> {
        query
            .bind(self.entry_no)
            .bind(self.tenant.as_str())
            .bind(self.list.as_str())
            .bind(self.value.as_str())
            .bind(self.reason.as_str())
            .bind(self.added_by.as_str())
            .bind(self.added_at.micros())
            .bind(self.expires_at.map(Timestamp::micros))
            .bind(self.removed_at.map(Timestamp::micros))
    }
}
