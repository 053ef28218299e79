//! What is on the lists at some time.

use super::limited;
use crate::{Database, Error, ListEntryRow};
use paywarden_domain::{TenantId, Timestamp};

/// The most rows of one answer.
const ENTRIES_MAX: u32 = 10_000;

impl Database {
    /// Entries of one list that count at `at`, after the entry with number `after` (0 at first).
    /// At most 10,000 at a time.
    pub async fn list_entries(
        &self,
        tenant: &TenantId,
        list: &str,
        at: Timestamp,
        after: i64,
        limit: u32,
    ) -> Result<Vec<ListEntryRow>, Error> {
        let rest = "WHERE tenant = $1 AND list = $2 AND entry_no > $3 AND added_at <= $4
            AND (expires_at IS NULL OR expires_at > $4)
            AND (removed_at IS NULL OR removed_at > $4)
            ORDER BY entry_no LIMIT $5";
        let limit = limited(limit, ENTRIES_MAX)?;
        let values = [
            tenant.as_str().into(),
            list.into(),
            after.into(),
            at.micros().into(),
            limit,
        ];
        self.select(rest, &values).await
    }

    /// Whether a value was put on a list at or after a time, whatever became of it since.
    pub async fn was_listed(
        &self,
        tenant: &TenantId,
        (list, value): (&str, &str),
        since: Timestamp,
    ) -> Result<bool, Error> {
        let rest = "WHERE tenant = $1 AND list = $2 AND value = $3 AND added_at >= $4 LIMIT 1";
        let values = [
            tenant.as_str().into(),
            list.into(),
            value.into(),
            since.micros().into(),
        ];
        let found: Option<ListEntryRow> = self.select_one(rest, &values).await?;
        Ok(found.is_some())
    }

    /// The same over all lists of all tenants, for start-up.
    pub async fn list_entries_all(
        &self,
        at: Timestamp,
        after: i64,
        limit: u32,
    ) -> Result<Vec<ListEntryRow>, Error> {
        let rest = "WHERE entry_no > $1 AND added_at <= $2
            AND (expires_at IS NULL OR expires_at > $2)
            AND (removed_at IS NULL OR removed_at > $2)
            ORDER BY entry_no LIMIT $3";
        let limit = limited(limit, ENTRIES_MAX)?;
        self.select(rest, &[after.into(), at.micros().into(), limit])
            .await
    }
}
