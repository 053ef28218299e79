//! What the feature store is rebuilt from: every event and every label, in order.

use super::limited;
use crate::{
    Database, Error, LabelRow,
    sql::{Fields, Stored},
};
use paywarden_domain::{Outcome, TenantId, Timestamp};

/// The most rows of one answer.
const REPLAY_MAX: u32 = 10_000;

/// What the feature store needs of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayRow {
    /// Number of the event.
    pub event_no: i64,
    /// Whose event it is.
    pub tenant: TenantId,
    /// The verdict.
    pub outcome: Outcome,
    /// The event as features see it.
    pub feature: Vec<u8>,
}

impl Stored for ReplayRow {
    const TABLE: &'static str = "decisions";
    const COLUMNS: &'static [&'static str] = &["event_no", "tenant", "outcome", "feature"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            event_no: fields.take()?,
            tenant: fields.parsed(TenantId::parse)?,
            outcome: fields.numbered(Outcome::from_number)?,
            feature: fields.take()?,
        })
    }
}

impl Database {
    /// Decisions of all tenants after `event_no`, in order, at most 10,000.
    pub async fn decisions_since(
        &self,
        event_no: i64,
        limit: u32,
    ) -> Result<Vec<ReplayRow>, Error> {
        let values = [event_no.into(), limited(limit, REPLAY_MAX)?];
        self.select("WHERE event_no > $1 ORDER BY event_no LIMIT $2", &values)
            .await
    }

    /// Labels of all tenants after `seq`, in order, at most 10,000.
    pub async fn labels_since(&self, seq: i64, limit: u32) -> Result<Vec<LabelRow>, Error> {
        let values = [seq.into(), limited(limit, REPLAY_MAX)?];
        self.select("WHERE seq > $1 ORDER BY seq LIMIT $2", &values)
            .await
    }

    /// When the last decision before an event was made, of whichever tenant.
    pub async fn decided_before(&self, event_no: i64) -> Result<Option<Timestamp>, Error> {
        let text = "SELECT decided_at FROM decisions WHERE event_no < $1
            ORDER BY event_no DESC LIMIT 1";
        let row = sqlx::query(text).bind(event_no);
        let row = row.fetch_optional(&mut *self.reader().await?).await?;
        let micros = row.map(|row| Fields::of(&row).take()).transpose()?;
        Ok(micros.map(Timestamp::from_micros))
    }

    /// The highest number that an event was given; 0 when there is none.
    pub async fn event_no_last(&self) -> Result<i64, Error> {
        self.number("SELECT COALESCE(MAX(event_no), 0) FROM decisions")
            .await
    }
}
