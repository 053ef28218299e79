//! What blocks of decisions name.

use super::limited;
use crate::{Database, Error, MentioningRow, MentionsRow};
use paywarden_domain::TenantId;
use sqlx::Row as _;

/// The most blocks of one answer.
const BLOCKS_MAX: u32 = 64;
/// The most decisions of one answer.
const DECISIONS_MAX: u32 = 1_000;

impl Database {
    /// The blocks of a tenant that begin before a number, the last first. At most 64.
    pub async fn mentions_back(
        &self,
        tenant: &TenantId,
        before: i64,
        limit: u32,
    ) -> Result<Vec<MentionsRow>, Error> {
        let rest = "WHERE tenant = $1 AND first_no < $2 ORDER BY first_no DESC LIMIT $3";
        let limit = limited(limit, BLOCKS_MAX)?;
        self.select(rest, &[tenant.as_str().into(), before.into(), limit])
            .await
    }

    /// The number of the last decision of a tenant that a block holds; 0 where there is none.
    pub async fn mentions_end(&self, tenant: &TenantId) -> Result<i64, Error> {
        let text = "SELECT last_no FROM mentions WHERE tenant = $1 ORDER BY first_no DESC LIMIT 1";
        let row = sqlx::query(text)
            .bind(tenant.as_str())
            .fetch_optional(&mut *self.reader().await?)
            .await?;
        row.map_or(Ok(0), |row| Ok(row.try_get(0)?))
    }

    /// What decisions between two numbers name, the last first. At most 1,000.
    pub async fn mentioning(
        &self,
        tenant: &TenantId,
        (after, before): (i64, i64),
        limit: u32,
    ) -> Result<Vec<MentioningRow>, Error> {
        let rest = "WHERE tenant = $1 AND event_no > $2 AND event_no < $3
            ORDER BY event_no DESC LIMIT $4";
        let limit = limited(limit, DECISIONS_MAX)?;
        let values = [tenant.as_str().into(), after.into(), before.into(), limit];
        self.select(rest, &values).await
    }
}
