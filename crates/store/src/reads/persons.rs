//! Everybody of whom something is kept, one after the other.

use super::{limited, vault::VaultReader};
use crate::{Error, MaskedRow, sql::Fields};
use paywarden_domain::TenantId;

/// The most rows of one answer.
const ROWS_MAX: u32 = 1_000;

impl VaultReader {
    /// Persons of whom something is kept, after `after` (an empty text at first), by pseudonym; at
    /// most 1,000 at a time. It reads the index of all persons, those of other tenants included.
    pub async fn persons(
        &self,
        tenant: &TenantId,
        after: &str,
        limit: u32,
    ) -> Result<Vec<String>, Error> {
        let text = "SELECT DISTINCT subject FROM vault_records
            WHERE subject > $1 AND tenant = $2 AND erased_at IS NULL ORDER BY subject LIMIT $3";
        let rows = sqlx::query(text)
            .bind(after)
            .bind(tenant.as_str())
            .bind(i64::from(limit.clamp(1, ROWS_MAX)))
            .fetch_all(&mut *self.database().reader().await?)
            .await?;
        rows.iter().map(|row| Fields::of(row).take()).collect()
    }

    /// What is kept of a person, after `after` (an empty text at first), by token; at most 1,000 at
    /// a time.
    pub async fn of_person(
        &self,
        tenant: &TenantId,
        subject: &str,
        after: &str,
        limit: u32,
    ) -> Result<Vec<MaskedRow>, Error> {
        let rest = "WHERE subject = $1 AND tenant = $2 AND token > $3 AND erased_at IS NULL
            ORDER BY token LIMIT $4";
        let values = [
            subject.into(),
            tenant.as_str().into(),
            after.into(),
            limited(limit, ROWS_MAX)?,
        ];
        self.database().select(rest, &values).await
    }
}
