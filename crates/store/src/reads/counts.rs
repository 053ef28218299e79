//! How many decisions there were, by minute, outcome and currency.

use crate::{Database, Error};
use paywarden_domain::{Currency, Outcome, TenantId, Timestamp, time::MINUTE};
use sqlx::Row as _;

/// Decisions of one minute with the same outcome and currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecisionCount {
    /// The first moment of the minute.
    pub minute: Timestamp,
    /// What was decided.
    pub outcome: Outcome,
    /// The currency of their amounts; none of those without an amount.
    pub currency: Option<Currency>,
    /// How many.
    pub decisions: u64,
    /// The sum of their amounts, in minor units.
    pub minor: i64,
}

impl Database {
    /// Counts what was decided from one moment on and before another. It reads the rows of that time
    /// and no others.
    pub async fn decision_counts(
        &self,
        tenant: &TenantId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<DecisionCount>, Error> {
        // Numbers and times grow together but for requests that overtake each other.
        let early = Timestamp::from_micros(from.micros() - MINUTE);
        let first = self.first_decided_since(tenant, early).await?;
        let text = "SELECT decided_at / 60000000, CAST(outcome AS BIGINT), COALESCE(currency, ''), COUNT(*),
            CAST(COALESCE(SUM(amount_minor), 0) AS BIGINT) FROM decisions
            WHERE tenant = $1 AND event_no >= $2 AND decided_at >= $3 AND decided_at < $4
            GROUP BY decided_at / 60000000, outcome, COALESCE(currency, '')";
        let rows = sqlx::query(text)
            .bind(tenant.as_str())
            .bind(first)
            .bind(from.micros())
            .bind(to.micros())
            .fetch_all(&mut *self.reader().await?)
            .await?;
        rows.iter().map(count).collect()
    }

    /// A number such that every decision since a moment has it or a greater one: found by halving.
    async fn first_decided_since(&self, tenant: &TenantId, from: Timestamp) -> Result<i64, Error> {
        let text = "SELECT COALESCE((SELECT MIN(event_no) FROM decisions WHERE tenant = $1), 0),
            COALESCE((SELECT MAX(event_no) FROM decisions WHERE tenant = $2), 0)";
        let row = sqlx::query(text)
            .bind(tenant.as_str())
            .bind(tenant.as_str())
            .fetch_one(&mut *self.reader().await?)
            .await?;
        let (mut low, mut high): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.decided_from(tenant, middle).await? {
                Some((number, at)) if at < from.micros() => low = number + 1,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    /// Number and time of the first decision with this number or a greater one.
    async fn decided_from(
        &self,
        tenant: &TenantId,
        number: i64,
    ) -> Result<Option<(i64, i64)>, Error> {
        let text = "SELECT event_no, decided_at FROM decisions
            WHERE tenant = $1 AND event_no >= $2 ORDER BY event_no LIMIT 1";
        let row = sqlx::query(text)
            .bind(tenant.as_str())
            .bind(number)
            .fetch_optional(&mut *self.reader().await?)
            .await?;
        let read = |row: sqlx::any::AnyRow| Ok((row.try_get(0)?, row.try_get(1)?));
        row.map(read).transpose()
    }
}

fn count(row: &sqlx::any::AnyRow) -> Result<DecisionCount, Error> {
    let outcome = row.try_get::<i64, _>(1)?;
    let outcome = u8::try_from(outcome).ok().and_then(Outcome::from_number);
    let currency: String = row.try_get(2)?;
    Ok(DecisionCount {
        minute: Timestamp::from_micros(row.try_get::<i64, _>(0)? * MINUTE),
        outcome: outcome.ok_or_else(|| Error::corrupt("a decision has an unknown outcome"))?,
        currency: Currency::parse(&currency).ok(),
        decisions: row.try_get::<i64, _>(3)?.unsigned_abs(),
        minor: row.try_get(4)?,
    })
}
