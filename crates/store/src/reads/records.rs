//! The newest versions of things that change as a whole.

use super::limited;
use crate::{Database, Error, RecordRow};
use paywarden_domain::TenantId;

/// The most rows of one answer: each may be large.
const RECORDS_MAX: u32 = 1_000;

const NEWEST: &str = "NOT EXISTS (SELECT 1 FROM records later WHERE later.kind = records.kind
    AND later.id = records.id AND later.version > records.version)";

/// The newest version of every thing of a kind, of all tenants, page by page.
pub struct NewestRecords<'d> {
    database: &'d Database,
    kind: &'d str,
    after: String,
    page: u32,
}

impl NewestRecords<'_> {
    /// The next page, by identifier; none at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<RecordRow>>, Error> {
        let rows = self
            .database
            .records_newest(self.kind, &self.after, self.page);
        let rows = rows.await?;
        if let Some(last) = rows.last() {
            self.after.clone_from(&last.id);
        }
        Ok(Some(rows).filter(|rows| !rows.is_empty()))
    }
}

impl Database {
    /// The newest version of every thing of a kind, `page` at a time, at most 1,000.
    pub fn newest_records<'d>(&'d self, kind: &'d str, page: u32) -> NewestRecords<'d> {
        NewestRecords {
            database: self,
            kind,
            after: String::new(),
            page,
        }
    }

    /// The newest version of one thing, of whichever tenant.
    pub async fn record(&self, kind: &str, id: &str) -> Result<Option<RecordRow>, Error> {
        let rest = "WHERE kind = $1 AND id = $2 ORDER BY version DESC LIMIT 1";
        self.select_one(rest, &[kind.into(), id.into()]).await
    }

    /// The versions of one thing, of whichever tenant, from the last below `before` down; at most
    /// 1,000 at a time.
    pub async fn record_versions(
        &self,
        kind: &str,
        id: &str,
        before: i64,
        limit: u32,
    ) -> Result<Vec<RecordRow>, Error> {
        let rest = "WHERE kind = $1 AND id = $2 AND version < $3 ORDER BY version DESC LIMIT $4";
        let values = [
            kind.into(),
            id.into(),
            before.into(),
            limited(limit, RECORDS_MAX)?,
        ];
        self.select(rest, &values).await
    }

    /// The newest version of every thing of a kind of one tenant, from the last identifier before
    /// `before` down; at most 1,000 at a time.
    pub async fn records_of(
        &self,
        tenant: &TenantId,
        kind: &str,
        before: &str,
        limit: u32,
    ) -> Result<Vec<RecordRow>, Error> {
        let rest = format!(
            "WHERE tenant = $1 AND kind = $2 AND id < $3 AND {NEWEST} ORDER BY id DESC LIMIT $4"
        );
        let values = [
            tenant.as_str().into(),
            kind.into(),
            before.into(),
            limited(limit, RECORDS_MAX)?,
        ];
        self.select(&rest, &values).await
    }

    /// The newest version of every thing of a kind after `after` (an empty text at first), of all
    /// tenants, by identifier; at most 1,000 at a time.
    pub async fn records_newest(
        &self,
        kind: &str,
        after: &str,
        limit: u32,
    ) -> Result<Vec<RecordRow>, Error> {
        let rest = format!("WHERE kind = $1 AND id > $2 AND {NEWEST} ORDER BY id LIMIT $3");
        let values = [kind.into(), after.into(), limited(limit, RECORDS_MAX)?];
        self.select(&rest, &values).await
    }
}
