//! Acts: the leaves that somebody left other than by having a payment decided, and how far their
//! readers have come.
//!
//! A copy of each such leaf is written by the transaction that writes the leaf. The trail stays
//! the proof; the copies make it possible to read ninety days of acts again in a moment.

use crate::{
    Database, Entry, Error, Row,
    sql::{AnyQuery, Fields, Insertable, Stored},
    trail::Leaf,
};
use paywarden_domain::{TenantId, Timestamp};
use sqlx::{AnyConnection, Row as _};
use tokio::sync::oneshot;

/// The most acts of one answer.
pub const ACTS_MAX: u32 = 1_000;

/// The part of Paywarden that watches acts. What it writes is none: it would watch itself.
pub const WATCH: &str = "watch";

/// One act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActRow {
    /// Number of its leaf over the trees of all tenants.
    pub seq: i64,
    /// Whose data it is about.
    pub tenant: TenantId,
    /// When it was written.
    pub written_at: Timestamp,
    /// The bytes of its leaf.
    pub leaf: Vec<u8>,
}

impl ActRow {
    /// What the leaf says; none if the bytes are not those of a leaf of this tenant.
    pub fn read(&self) -> Option<Leaf<'_>> {
        Leaf::decode(&self.leaf).filter(|leaf| leaf.tenant == self.tenant.as_str())
    }
}

/// Whether an entry is an act.
pub(crate) fn is_act(entry: &Entry) -> bool {
    let decides = entry.rows.iter().any(|row| matches!(row, Row::Decision(_)));
    !decides && entry.actor != crate::Actor::System(WATCH)
}

impl Stored for ActRow {
    const TABLE: &'static str = "acts";
    const COLUMNS: &'static [&'static str] = &["seq", "tenant", "written_at", "leaf"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            seq: fields.take()?,
            tenant: fields.parsed(TenantId::parse)?,
            written_at: Timestamp::from_micros(fields.take()?),
            leaf: fields.take()?,
        })
    }
}

impl Insertable for ActRow {
    fn bind<'q>(&'q self, query: AnyQuery<'q>) -> AnyQuery<'q> {
        query
            .bind(self.seq)
            .bind(self.tenant.as_str())
            .bind(self.written_at.micros())
            .bind(self.leaf.as_slice())
    }
}

/// A reader has come so far; done by the writer like every other change.
pub(crate) struct Mark {
    pub(crate) reader: &'static str,
    pub(crate) seq: i64,
    pub(crate) reply: oneshot::Sender<Result<(), Error>>,
}

impl Mark {
    /// A mark never goes back.
    pub(crate) async fn run(&self, connection: &mut AnyConnection) -> Result<(), Error> {
        let text = "INSERT INTO marks (reader, seq) VALUES ($1, $2)
            ON CONFLICT (reader) DO UPDATE SET seq = excluded.seq WHERE excluded.seq > marks.seq";
        let query = sqlx::query(text).bind(self.reader).bind(self.seq);
        query.execute(connection).await?;
        Ok(())
    }
}

impl Database {
    /// Up to `limit` (at most 1,000) acts of all tenants behind number `after`, in their order.
    pub async fn acts(&self, after: i64, limit: u32) -> Result<Vec<ActRow>, Error> {
        let limit = i64::from(limit.min(ACTS_MAX));
        let rest = "WHERE seq > $1 ORDER BY seq LIMIT $2";
        self.select(rest, &[after.into(), limit.into()]).await
    }

    /// Up to `limit` (at most 1,000) acts of one tenant before number `before`, newest first.
    pub async fn acts_of(
        &self,
        tenant: &TenantId,
        before: i64,
        limit: u32,
    ) -> Result<Vec<ActRow>, Error> {
        let limit = i64::from(limit.min(ACTS_MAX));
        let rest = "WHERE tenant = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3";
        let values = [tenant.as_str().into(), before.into(), limit.into()];
        self.select(rest, &values).await
    }

    /// The number of the last act written before a moment; 0 if there is none.
    pub async fn last_act_before(&self, time: Timestamp) -> Result<i64, Error> {
        let rest = "WHERE written_at < $1 ORDER BY written_at DESC, seq DESC LIMIT 1";
        let found: Option<ActRow> = self.select_one(rest, &[time.micros().into()]).await?;
        Ok(found.map_or(0, |act| act.seq))
    }

    /// The number of the newest act; 0 if there is none.
    pub async fn last_act(&self) -> Result<i64, Error> {
        self.number("SELECT COALESCE(MAX(seq), 0) FROM acts").await
    }

    /// How far a reader has come; none if it has never said.
    pub async fn mark(&self, reader: &str) -> Result<Option<i64>, Error> {
        let row = sqlx::query("SELECT seq FROM marks WHERE reader = $1")
            .bind(reader)
            .fetch_optional(&mut *self.reader().await?)
            .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }
}
