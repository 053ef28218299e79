//! The past of one tenant, in the order of its events: what back-tests read.

use super::limited;
use crate::{
    Database, Error, LabelRow, ListEntryRow,
    sql::{Fields, Stored},
};
use paywarden_domain::{DecisionId, Outcome, PaymentId, TenantId, Timestamp};
use sqlx::Row as _;

/// The most rows of one answer.
const HISTORY_MAX: u32 = 10_000;

/// A decided event as windows see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastRow {
    /// Number of the event.
    pub event_no: i64,
    /// When it happened at the caller.
    pub occurred_at: Timestamp,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// The verdict.
    pub outcome: Outcome,
    /// The event as features see it.
    pub feature: Vec<u8>,
}

/// A decided event with all that rules read of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRow {
    /// The event as windows see it.
    pub past: PastRow,
    /// Identifier of the decision, to which the event is sealed.
    pub id: DecisionId,
    /// The caller's identifier of the payment.
    pub payment_id: PaymentId,
    /// The event, sealed.
    pub event: Vec<u8>,
    /// What the decision saw beyond its event; none of older decisions.
    pub trace: Option<Vec<u8>>,
}

/// Where a stretch of time lies in a tenant's journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistorySpan {
    /// The lowest number of an event in the stretch.
    pub first: i64,
    /// The highest one.
    pub last: i64,
    /// How many events lie in the stretch.
    pub events: u64,
    /// How many events lie before it.
    pub events_before: u64,
    /// The latest time at which any event of the tenant happened.
    pub newest: Timestamp,
}

impl Stored for PastRow {
    const TABLE: &'static str = "decisions";
    const COLUMNS: &'static [&'static str] = &[
        "event_no",
        "occurred_at",
        "decided_at",
        "outcome",
        "feature",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            event_no: fields.take()?,
            occurred_at: Timestamp::from_micros(fields.take()?),
            decided_at: Timestamp::from_micros(fields.take()?),
            outcome: fields.numbered(Outcome::from_number)?,
            feature: fields.take()?,
        })
    }
}

impl Stored for HistoryRow {
    const TABLE: &'static str = PastRow::TABLE;
    const COLUMNS: &'static [&'static str] = &[
        "event_no",
        "occurred_at",
        "decided_at",
        "outcome",
        "feature",
        "id",
        "payment_id",
        "event",
        "trace",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            past: PastRow::read(fields)?,
            id: fields.parsed(DecisionId::parse)?,
            payment_id: fields.parsed(PaymentId::parse)?,
            event: fields.take()?,
            trace: fields.take()?,
        })
    }
}

impl Database {
    /// Where the events that happened from `from` on and before `to` lie; none if there is none.
    pub async fn history_span(
        &self,
        tenant: &TenantId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Option<HistorySpan>, Error> {
        let text = "SELECT COALESCE(MIN(event_no), 0), COALESCE(MAX(event_no), 0), COUNT(*)
            FROM decisions WHERE tenant = $1 AND occurred_at >= $2 AND occurred_at < $3";
        let row = sqlx::query(text)
            .bind(tenant.as_str())
            .bind(from.micros())
            .bind(to.micros())
            .fetch_one(&mut *self.reader().await?)
            .await?;
        let (first, last, events): (i64, i64, i64) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        if events == 0 {
            return Ok(None);
        }
        let text = "SELECT COUNT(CASE WHEN event_no < $2 THEN 1 END),
            COALESCE(MAX(occurred_at), 0) FROM decisions WHERE tenant = $1";
        let row = sqlx::query(text)
            .bind(tenant.as_str())
            .bind(first)
            .fetch_one(&mut *self.reader().await?)
            .await?;
        Ok(Some(HistorySpan {
            first,
            last,
            events: events.unsigned_abs(),
            events_before: row.try_get::<i64, _>(0)?.unsigned_abs(),
            newest: Timestamp::from_micros(row.try_get(1)?),
        }))
    }

    /// Events of a tenant after one number and before another, in order, for windows alone. At
    /// most 10,000 at a time.
    pub async fn past(
        &self,
        tenant: &TenantId,
        after: i64,
        before: i64,
        limit: u32,
    ) -> Result<Vec<PastRow>, Error> {
        self.between(tenant, after, before, limit).await
    }

    /// The same with all that rules read.
    pub async fn history(
        &self,
        tenant: &TenantId,
        after: i64,
        before: i64,
        limit: u32,
    ) -> Result<Vec<HistoryRow>, Error> {
        self.between(tenant, after, before, limit).await
    }

    /// Labels of a tenant after `seq`, in order, at most 10,000.
    pub async fn label_history(
        &self,
        tenant: &TenantId,
        seq: i64,
        limit: u32,
    ) -> Result<Vec<LabelRow>, Error> {
        let rest = "WHERE tenant = $1 AND seq > $2 ORDER BY seq LIMIT $3";
        let limit = limited(limit, HISTORY_MAX)?;
        self.select(rest, &[tenant.as_str().into(), seq.into(), limit])
            .await
    }

    /// Every entry that a tenant's lists ever had, after the entry with number `after`, in order,
    /// at most 10,000.
    pub async fn list_history(
        &self,
        tenant: &TenantId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<ListEntryRow>, Error> {
        let rest = "WHERE tenant = $1 AND entry_no > $2 ORDER BY entry_no LIMIT $3";
        let limit = limited(limit, HISTORY_MAX)?;
        self.select(rest, &[tenant.as_str().into(), after.into(), limit])
            .await
    }

    /// The tenants with decisions, by name, at most 100.
    pub async fn tenants_decided(&self) -> Result<Vec<TenantId>, Error> {
        let text = "SELECT tenant FROM trail_trees WHERE EXISTS (
            SELECT event_no FROM decisions WHERE decisions.tenant = trail_trees.tenant)
            ORDER BY tenant LIMIT 100";
        let rows = sqlx::query(text)
            .fetch_all(&mut *self.reader().await?)
            .await?;
        rows.iter()
            .map(|row| Fields::of(row).parsed(TenantId::parse))
            .collect()
    }

    async fn between<S: Stored>(
        &self,
        tenant: &TenantId,
        after: i64,
        before: i64,
        limit: u32,
    ) -> Result<Vec<S>, Error> {
        let rest = "WHERE tenant = $1 AND event_no > $2 AND event_no < $3
            ORDER BY event_no LIMIT $4";
        let limit = limited(limit, HISTORY_MAX)?;
        let values = [tenant.as_str().into(), after.into(), before.into(), limit];
        self.select(rest, &values).await
    }
}
