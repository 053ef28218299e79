//! How many decisions there were, by time, outcome and currency.

use super::decisions::{DecisionFilter, Question};
use crate::{Database, Error, sql};
use paywarden_domain::{Currency, EventKind, Outcome, TenantId, Timestamp, time::DAY};
use sqlx::Row as _;
use std::ops::Range;

/// Decisions of one step of time with the same outcome and currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecisionCount {
    /// The first moment of the step.
    pub at: Timestamp,
    /// What was decided.
    pub outcome: Outcome,
    /// The currency of their amounts; none of those without an amount.
    pub currency: Option<Currency>,
    /// How many.
    pub decisions: u64,
    /// The sum of their amounts, in minor units.
    pub minor: i64,
}

/// Decisions between two of them, whatever else a filter asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionSpan {
    /// The filter, between the two.
    pub filter: DecisionFilter,
    /// When the oldest was decided.
    pub from: Timestamp,
    /// When the newest was decided.
    pub to: Timestamp,
    /// Whether the filter may name older ones.
    pub is_cut: bool,
}

/// Payments of one day with the same outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaymentCount {
    /// Days since 1970, UTC, when they happened.
    pub day: i64,
    /// What was decided.
    pub outcome: Outcome,
    /// How many.
    pub payments: u64,
}

impl Database {
    /// Counts payments that happened in a stretch of time and were decided by a moment, by day and
    /// outcome. It looks at every decision from a number on, and at no row outside of the index.
    pub async fn payment_counts(
        &self,
        tenant: &TenantId,
        (first, happened): (i64, Range<Timestamp>),
        decided_by: Timestamp,
    ) -> Result<Vec<PaymentCount>, Error> {
        let kinds = EventKind::ALL.iter().filter(|kind| kind.is_payment());
        let kinds: Vec<String> = kinds.map(|kind| (*kind as u8).to_string()).collect();
        let text = format!(
            "SELECT occurred_at / {DAY}, CAST(outcome AS BIGINT), COUNT(*) FROM decisions
            WHERE tenant = $1 AND event_no >= $2 AND occurred_at >= $3 AND occurred_at < $4
            AND decided_at <= $5 AND kind IN ({}) GROUP BY occurred_at / {DAY}, outcome",
            kinds.join(", ")
        );
        let values = [
            tenant.as_str().into(),
            first.into(),
            happened.start.micros().into(),
            happened.end.micros().into(),
            decided_by.micros().into(),
        ];
        let rows = sql::fetch_bound(&mut *self.reader().await?, text, &values).await?;
        let read = |row: &sqlx::any::AnyRow| {
            Ok(PaymentCount {
                day: row.try_get(0)?,
                outcome: outcome(row.try_get(1)?)?,
                payments: row.try_get::<i64, _>(2)?.unsigned_abs(),
            })
        };
        rows.iter().map(read).collect()
    }

    /// Counts decisions by steps of so many microseconds. It looks at all that the times and numbers
    /// of the filter leave, and at no row outside of them.
    pub async fn decision_counts(
        &self,
        tenant: &TenantId,
        filter: &DecisionFilter,
        step: i64,
    ) -> Result<Vec<DecisionCount>, Error> {
        let filter = self.numbered(tenant, filter).await?;
        let Question { text, values } = Question::of(tenant, &filter);
        // A number that the program has made, so that both places are one expression.
        let text = format!(
            "SELECT decided_at / {step}, CAST(outcome AS BIGINT), COALESCE(currency, ''), COUNT(*),
            CAST(COALESCE(SUM(amount_minor), 0) AS BIGINT) FROM decisions {text}
            GROUP BY decided_at / {step}, outcome, COALESCE(currency, '')"
        );
        let rows = sql::fetch_bound(&mut *self.reader().await?, text, &values).await?;
        rows.iter().map(|row| count(row, step)).collect()
    }

    /// The newest decisions that a filter may name, as many as one question looks at; nothing where
    /// there are none.
    pub async fn decision_span(
        &self,
        tenant: &TenantId,
        filter: &DecisionFilter,
    ) -> Result<Option<DecisionSpan>, Error> {
        let mut filter = self.numbered(tenant, filter).await?;
        let newest = "SELECT event_no, decided_at FROM decisions
            WHERE tenant = $1 AND event_no > $2 AND event_no < $3 ORDER BY event_no DESC LIMIT 1";
        let oldest = "SELECT event_no, decided_at FROM decisions
            WHERE tenant = $1 AND event_no > $2 AND event_no < $3 ORDER BY event_no LIMIT 1";
        let floor = self.floor(tenant, &filter).await?;
        filter.after = floor.map(|(number, _)| number).or(filter.after);
        let between = [
            filter.after.unwrap_or(i64::MIN),
            filter.before.unwrap_or(i64::MAX),
        ];
        let oldest = self.place(tenant, oldest, &between).await?;
        let newest = self.place(tenant, newest, &between).await?;
        Ok(oldest.zip(newest).map(|((_, from), (_, to))| DecisionSpan {
            filter,
            from,
            to,
            is_cut: floor.is_some(),
        }))
    }

    /// The number of the first decision since a moment, in microseconds, or of the last one where
    /// there is none: found by halving.
    pub async fn decided_since(&self, tenant: &TenantId, from: i64) -> Result<i64, Error> {
        let text = "SELECT COALESCE((SELECT MIN(event_no) FROM decisions WHERE tenant = $1), 0),
            COALESCE((SELECT MAX(event_no) FROM decisions WHERE tenant = $2), 0)";
        let row = sqlx::query(text)
            .bind(tenant.as_str())
            .bind(tenant.as_str())
            .fetch_one(&mut *self.reader().await?)
            .await?;
        let (mut low, mut high): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        let text = "SELECT event_no, decided_at FROM decisions
            WHERE tenant = $1 AND event_no >= $2 ORDER BY event_no LIMIT 1";
        while low < high {
            let middle = low + (high - low) / 2;
            match self.place(tenant, text, &[middle]).await? {
                Some((number, at)) if at.micros() < from => low = number + 1,
                _ => high = middle,
            }
        }
        Ok(low)
    }
}

fn outcome(number: i64) -> Result<Outcome, Error> {
    let outcome = u8::try_from(number).ok().and_then(Outcome::from_number);
    outcome.ok_or_else(|| Error::corrupt("a decision has an unknown outcome"))
}

fn count(row: &sqlx::any::AnyRow, step: i64) -> Result<DecisionCount, Error> {
    let currency: String = row.try_get(2)?;
    Ok(DecisionCount {
        at: Timestamp::from_micros(row.try_get::<i64, _>(0)? * step),
        outcome: outcome(row.try_get(1)?)?,
        currency: Currency::parse(&currency).ok(),
        decisions: row.try_get::<i64, _>(3)?.unsigned_abs(),
        minor: row.try_get(4)?,
    })
}
