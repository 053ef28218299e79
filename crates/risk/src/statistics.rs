//! What was decided in the last day, by the hour.
//!
//! Minutes that are over are counted once and kept; only those that may still change are read again.

use crate::{Engine, Error};
use paywarden_domain::{
    Money, Outcome, TenantId, Timestamp,
    time::{HOUR, MINUTE},
};
use paywarden_store::DecisionCount;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use tokio::sync::Mutex;
use utoipa::ToSchema;

/// How many hours are told of, the one under way included.
pub const HOURS: i64 = 24;
/// Tenants whose counts are kept; one more has all of them counted anew.
const TENANTS_MAX: usize = 1_000;
/// A minute that ended so long ago gets no further decision, in microseconds.
const SETTLED: i64 = MINUTE;

/// Decisions of the last 24 hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DecisionStatistics {
    /// When this was counted.
    pub at: Timestamp,
    /// The currency of the sums, ISO 4217.
    pub base_currency: &'static str,
    /// Decisions of the last 60 seconds.
    pub last_minute: u64,
    /// Every hour, oldest first, those without decisions too.
    pub hours: Vec<HourStatistics>,
}

/// Decisions of one hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HourStatistics {
    /// Its first moment.
    pub hour: Timestamp,
    /// By outcome, mildest first; only those that there were.
    pub outcomes: Vec<OutcomeStatistics>,
}

/// Decisions of one hour with the same outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OutcomeStatistics {
    /// The outcome.
    pub outcome: Outcome,
    /// How many.
    pub decisions: u64,
    /// What they come to in minor units of the base currency, each currency by its rate; amounts in
    /// currencies without a rate are left out.
    pub amount_minor: i64,
    /// Decisions whose amount was left out.
    pub without_rate: u64,
}

/// What is kept of each tenant.
pub(crate) type Counted = Mutex<HashMap<TenantId, Tally>>;

/// Whole minutes up to a moment, summed by hour.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    until: i64,
    hours: BTreeMap<i64, [Sum; Outcome::ALL.len()]>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    decisions: u64,
    minor: i64,
    without_rate: u64,
}

impl Engine {
    /// What was decided for a tenant in the last 24 hours.
    pub async fn decision_statistics(
        &self,
        tenant: &TenantId,
    ) -> Result<DecisionStatistics, Error> {
        let now = self.clock.now();
        let first = floor(now.micros(), HOUR) - (HOURS - 1) * HOUR;
        let mut counted = self.counted.lock().await;
        if counted.len() >= TENANTS_MAX && !counted.contains_key(tenant) {
            counted.clear();
        }
        let kept = counted.entry(tenant.clone()).or_default();
        kept.hours.retain(|hour, _| *hour >= first);
        let from = Timestamp::from_micros(kept.until.max(first));
        let until = Timestamp::from_micros(now.micros() + 1);
        let counts = self.database.decision_counts(tenant, from, until).await?;
        let settled = floor(now.micros() - SETTLED, MINUTE).max(from.micros());
        let (done, open): (Vec<_>, Vec<_>) = counts
            .iter()
            .partition(|count| count.minute.micros() < settled);
        done.into_iter().for_each(|count| self.add(kept, count));
        kept.until = settled;
        let mut all = kept.clone();
        drop(counted);
        open.iter().for_each(|count| self.add(&mut all, count));
        let minute_ago = Timestamp::from_micros(now.micros() - MINUTE);
        let recent = self
            .database
            .decision_counts(tenant, minute_ago, until)
            .await?;
        Ok(DecisionStatistics {
            at: now,
            base_currency: self.config.rates.base().code(),
            last_minute: recent.iter().map(|count| count.decisions).sum(),
            hours: (0..HOURS)
                .map(|place| all.hour(first + place * HOUR))
                .collect(),
        })
    }

    fn add(&self, tally: &mut Tally, count: &DecisionCount) {
        let hour = floor(count.minute.micros(), HOUR);
        let sums = tally.hours.entry(hour).or_default();
        let Some(sum) = sums.get_mut(count.outcome as usize) else {
            return;
        };
        sum.decisions += count.decisions;
        let Some(currency) = count.currency else {
            return;
        };
        match self.config.rates.to_base(Money::new(count.minor, currency)) {
            Ok(minor) => sum.minor = sum.minor.saturating_add(minor),
            Err(_) => sum.without_rate += count.decisions,
        }
    }
}

impl Tally {
    fn hour(&self, hour: i64) -> HourStatistics {
        let sums = self.hours.get(&hour).copied().unwrap_or_default();
        let outcomes = Outcome::ALL.into_iter().zip(sums);
        let outcomes = outcomes.filter(|(_, sum)| sum.decisions > 0);
        HourStatistics {
            hour: Timestamp::from_micros(hour),
            outcomes: outcomes
                .map(|(outcome, sum)| OutcomeStatistics {
                    outcome,
                    decisions: sum.decisions,
                    amount_minor: sum.minor,
                    without_rate: sum.without_rate,
                })
                .collect(),
        }
    }
}

fn floor(micros: i64, step: i64) -> i64 {
    micros.div_euclid(step) * step
}
