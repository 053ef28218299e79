//! What was decided in the last day, by the hour; and over time, of those that a filter names.
//!
//! Minutes of the last day that are over are counted once and kept; only those that may still change
//! are read again.

use crate::{DecisionQuery, Engine, Error};
use paywarden_domain::{
    Money, Outcome, TenantId, Timestamp,
    time::{DAY, HOUR, MINUTE, SECOND},
};
use paywarden_store::{DecisionCount, DecisionFilter};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use tokio::sync::Mutex;
use utoipa::ToSchema;

/// How many hours are told of, the one under way included.
pub const HOURS: i64 = 24;
/// The most steps of what a filter names, and how long each may be; or whole days of the last.
const STEPS_MAX: i64 = 60;
const STEPS: [i64; 9] = [
    SECOND,
    10 * SECOND,
    MINUTE,
    5 * MINUTE,
    15 * MINUTE,
    HOUR,
    6 * HOUR,
    DAY,
    7 * DAY,
];
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

/// Decisions that a filter names, over time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FoundStatistics {
    /// The currency of the sums, ISO 4217.
    pub base_currency: &'static str,
    /// Where counting ended before everything was looked at: all that was decided since is counted.
    pub looked_back_to: Option<Timestamp>,
    /// How long each step is, in seconds.
    pub step_s: u64,
    /// From the first to the last of them all, oldest first, at most 60; those without decisions too.
    pub steps: Vec<StepStatistics>,
}

/// Decisions of one step of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StepStatistics {
    /// Its first moment.
    pub at: Timestamp,
    /// By outcome, mildest first; only those that there were.
    pub outcomes: Vec<OutcomeStatistics>,
}

/// Decisions of one step of time with the same outcome.
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
    hours: BTreeMap<i64, Sums>,
}

/// By outcome.
type Sums = [Sum; Outcome::ALL.len()];

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
        let counts = self.counts(tenant, from, until).await?;
        let settled = floor(now.micros() - SETTLED, MINUTE).max(from.micros());
        let (done, open): (Vec<_>, Vec<_>) =
            counts.iter().partition(|count| count.at.micros() < settled);
        done.into_iter().for_each(|count| self.add(kept, count));
        kept.until = settled;
        let mut all = kept.clone();
        drop(counted);
        open.iter().for_each(|count| self.add(&mut all, count));
        let minute_ago = Timestamp::from_micros(now.micros() - MINUTE);
        let recent = self.counts(tenant, minute_ago, until).await?;
        Ok(DecisionStatistics {
            at: now,
            base_currency: self.config.rates.base().code(),
            last_minute: recent.iter().map(|count| count.decisions).sum(),
            hours: (0..HOURS)
                .map(|place| all.hour(first + place * HOUR))
                .collect(),
        })
    }

    /// The tenants with decisions, at most 100.
    pub async fn tenants_decided(&self) -> Result<Vec<TenantId>, Error> {
        Ok(self.database.tenants_decided().await?)
    }

    /// Counts the decisions of the last 24 hours of every tenant, for whoever asks next.
    pub async fn count_decisions(&self) -> Result<(), Error> {
        for tenant in self.tenants_decided().await? {
            self.decision_statistics(&tenant).await?;
        }
        Ok(())
    }

    /// Decisions that a query names, in as many steps as a picture shows. It looks at as many of
    /// the newest as one question does.
    pub async fn found_statistics(
        &self,
        tenant: &TenantId,
        query: &DecisionQuery,
    ) -> Result<FoundStatistics, Error> {
        let mut found = FoundStatistics {
            base_currency: self.config.rates.base().code(),
            looked_back_to: None,
            step_s: 0,
            steps: Vec::new(),
        };
        let spanned = match query.mentions.is_empty() {
            true => self
                .database
                .decision_span(tenant, &query.filter)
                .await?
                .map(|span| {
                    let parts = vec![span.filter.clone()];
                    (span, parts)
                }),
            false => self.mentioned_span(tenant, query).await?,
        };
        let Some((span, parts)) = spanned else {
            return Ok(found);
        };
        let (from, to) = (span.from.micros(), span.to.micros());
        let longest = STEPS.last().copied().unwrap_or(DAY);
        let fits = |step: &i64| floor(to, *step) - floor(from, *step) < STEPS_MAX * step;
        let fitting = STEPS.into_iter().find(fits);
        let step =
            fitting.unwrap_or_else(|| floor((to - from) / (STEPS_MAX - 1), longest) + longest);
        let mut sums: BTreeMap<i64, Sums> = BTreeMap::new();
        for part in &parts {
            let counts = self.database.decision_counts(tenant, part, step);
            for count in counts.await? {
                self.sum(sums.entry(count.at.micros()).or_default(), &count);
            }
        }
        found.looked_back_to = span.is_cut.then_some(span.from);
        found.step_s = (step / SECOND).unsigned_abs();
        let (mut at, last) = (floor(from, step), floor(to, step));
        while at <= last {
            found.steps.push(StepStatistics {
                at: Timestamp::from_micros(at),
                outcomes: told(sums.get(&at).copied().unwrap_or_default()),
            });
            at += step;
        }
        Ok(found)
    }

    /// By the minute.
    async fn counts(
        &self,
        tenant: &TenantId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<DecisionCount>, Error> {
        let filter = DecisionFilter {
            from: Some(from),
            to: Some(to),
            ..DecisionFilter::default()
        };
        let counts = self.database.decision_counts(tenant, &filter, MINUTE);
        Ok(counts.await?)
    }

    fn add(&self, tally: &mut Tally, count: &DecisionCount) {
        let hour = floor(count.at.micros(), HOUR);
        self.sum(tally.hours.entry(hour).or_default(), count);
    }

    fn sum(&self, sums: &mut Sums, count: &DecisionCount) {
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
        HourStatistics {
            hour: Timestamp::from_micros(hour),
            outcomes: told(self.hours.get(&hour).copied().unwrap_or_default()),
        }
    }
}

fn told(sums: Sums) -> Vec<OutcomeStatistics> {
    let outcomes = Outcome::ALL.into_iter().zip(sums);
    let outcomes = outcomes.filter(|(_, sum)| sum.decisions > 0);
    outcomes
        .map(|(outcome, sum)| OutcomeStatistics {
            outcome,
            decisions: sum.decisions,
            amount_minor: sum.minor,
            without_rate: sum.without_rate,
        })
        .collect()
}

fn floor(micros: i64, step: i64) -> i64 {
    micros.div_euclid(step) * step
}
