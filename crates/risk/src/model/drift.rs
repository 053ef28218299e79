//! How far payments have moved away from those that a model was calibrated on.
//!
//! Each model at work counts in which bin of its reference each number falls, one payment in eight,
//! and the score of each. A day's counts are looked at once; what stands out is a leaf of the trail.

use super::bench::Loaded;
use crate::{Engine, Error};
use paywarden_domain::{Outcome, TenantId, Timestamp, time::DAY};
use paywarden_models::Reference;
use paywarden_store::{Actor, Entry, Purpose};
use serde::Serialize;
use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};
use utoipa::ToSchema;

/// One payment in so many is counted number by number.
const SAMPLED_ONE_IN: u64 = 8;
/// Fewer payments say nothing.
const PAYMENTS_MIN: u64 = 1_000;
/// Above this the population has changed (Siddiqi, 2006).
const STABILITY_MAX: f64 = 0.25;
/// So much more may be missing than then.
const MISSING_MAX: f64 = 0.1;
/// More payments than this with new categories are an alarm.
const NEW_MAX: f64 = 0.01;
/// So many times the budget, or the inverse, is an alarm.
const BUDGET_TIMES: f64 = 2.0;
/// The most features that an alarm names.
const NAMED_MAX: usize = 3;

/// What a model has seen since a moment.
#[derive(Debug)]
pub(super) struct Counts {
    /// By feature and bin.
    features: Vec<Vec<AtomicU64>>,
    /// By feature, how often it named what it had not named.
    new: Vec<AtomicU64>,
    score: Vec<AtomicU64>,
    alerts: AtomicU64,
    since: AtomicI64,
}

/// How far a model's payments have moved.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ModelDrift {
    /// The model.
    pub model: String,
    /// Since when payments are counted: at most a day and an hour, and since the server started.
    pub since: Timestamp,
    /// Payments scored since.
    pub payments: u64,
    /// Of these, payments that were counted number by number.
    pub sampled: u64,
    /// Payments that its policy has stopped since; 0 of a challenger.
    pub alerts: u64,
    /// Their share; null without payments.
    pub alert_rate: Option<f64>,
    /// Alerts a day that its budget asks for; null if its policy is no budget.
    pub budget_per_day: Option<u32>,
    /// Population stability index of the score: below 0.1 little has changed, above 0.25 much has.
    pub score_stability: Option<f64>,
    /// Each number, the least stable first.
    pub features: Vec<FeatureDrift>,
    /// What stands out; empty below 1,000 payments.
    pub alarms: Vec<String>,
}

/// How far one number has moved.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FeatureDrift {
    /// Its name.
    pub feature: String,
    /// Its population stability index.
    pub stability: Option<f64>,
    /// The share of payments where it was missing.
    pub missing: Option<f64>,
    /// The same while the model was calibrated.
    pub missing_then: f64,
    /// The share of payments where it named what it did not name then, such as a new merchant
    /// category; 0 of a number that names nothing.
    pub new: Option<f64>,
}

impl Counts {
    pub(super) fn new(reference: &Reference) -> Self {
        let bins = |count: usize| (0..count).map(|_| AtomicU64::new(0)).collect();
        Self {
            features: reference
                .features
                .iter()
                .map(|one| bins(one.bins()))
                .collect(),
            new: bins(reference.features.len()),
            score: bins(reference.score.bins()),
            alerts: AtomicU64::new(0),
            since: AtomicI64::new(0),
        }
    }

    /// Counts a payment.
    pub(super) fn note(
        &self,
        reference: &Reference,
        (row, raw): (&[f64], f64),
        action: Option<Outcome>,
    ) {
        let bin = &self.score[reference.score.bin(raw)];
        let number = bin.fetch_add(1, Ordering::Relaxed);
        if action.is_some_and(Outcome::stops) {
            self.alerts.fetch_add(1, Ordering::Relaxed);
        }
        if !number.is_multiple_of(SAMPLED_ONE_IN) {
            return;
        }
        for ((value, spread), bins) in row.iter().zip(&reference.features).zip(&self.features) {
            bins[spread.bin(*value)].fetch_add(1, Ordering::Relaxed);
        }
        for (place, (value, new)) in row.iter().zip(&self.new).enumerate() {
            let is_new = reference.is_new(place, *value);
            new.fetch_add(u64::from(is_new), Ordering::Relaxed);
        }
    }

    /// Begins again.
    fn clear(&self, now: Timestamp) {
        let all = self.features.iter().flatten().chain(&self.score);
        all.chain(&self.new)
            .chain([&self.alerts])
            .for_each(|count| count.store(0, Ordering::Relaxed));
        self.since.store(now.micros(), Ordering::Relaxed);
    }
}

fn read(bins: &[AtomicU64]) -> Vec<u64> {
    bins.iter().map(|bin| bin.load(Ordering::Relaxed)).collect()
}

fn known(value: f64) -> Option<f64> {
    Some(value).filter(|value| value.is_finite())
}

impl Loaded {
    fn drift(&self, budget: Option<u32>, now: Timestamp) -> ModelDrift {
        let (reference, counts) = (&self.package.reference, &self.counts);
        let score = read(&counts.score);
        let names = self.package.model.features().iter();
        let spreads = names.zip(&reference.features).zip(&counts.features);
        let mut features: Vec<FeatureDrift> = spreads
            .zip(&counts.new)
            .map(|(((name, spread), bins), new)| {
                let bins = read(bins);
                let all: u64 = bins.iter().sum();
                let missing = bins.last().copied().unwrap_or(0) as f64;
                FeatureDrift {
                    feature: name.clone(),
                    stability: known(spread.stability(&bins)),
                    missing: known(missing / all as f64),
                    missing_then: spread.missing(),
                    new: known(new.load(Ordering::Relaxed) as f64 / all as f64),
                }
            })
            .collect();
        let sampled = counts
            .features
            .first()
            .map_or(0, |bins| read(bins).iter().sum());
        features.sort_by(|one, other| {
            let stability = |one: &FeatureDrift| one.stability.unwrap_or(0.0);
            stability(other).total_cmp(&stability(one))
        });
        let (payments, alerts) = (score.iter().sum(), counts.alerts.load(Ordering::Relaxed));
        let mut drift = ModelDrift {
            model: self.id.clone(),
            since: Timestamp::from_micros(counts.since.load(Ordering::Relaxed)),
            payments,
            sampled,
            alerts,
            alert_rate: known(alerts as f64 / payments as f64),
            budget_per_day: budget,
            score_stability: known(reference.score.stability(&score)),
            features,
            alarms: Vec::new(),
        };
        drift.alarms = drift.standing_out(now);
        drift
    }
}

impl ModelDrift {
    fn standing_out(&self, now: Timestamp) -> Vec<String> {
        if self.payments < PAYMENTS_MIN {
            return Vec::new();
        }
        let named = |is: &dyn Fn(&FeatureDrift) -> bool| {
            let found: Vec<&str> = self
                .features
                .iter()
                .filter(|one| is(one))
                .map(|one| one.feature.as_str())
                .collect();
            let names = found.iter().take(NAMED_MAX).copied().collect::<Vec<_>>();
            (!found.is_empty()).then(|| (found.len(), names.join(", ")))
        };
        let moved = |one: &FeatureDrift| one.stability.is_some_and(|psi| psi > STABILITY_MAX);
        let missing = |one: &FeatureDrift| {
            one.missing
                .is_some_and(|now| now > one.missing_then + MISSING_MAX)
        };
        let new = |one: &FeatureDrift| one.new.is_some_and(|share| share > NEW_MAX);
        let score = self.score_stability.filter(|psi| *psi > STABILITY_MAX);
        [
            score.map(|psi| format!("the score has moved by {psi:.2}")),
            named(&moved).map(|(count, names)| format!("{count} features have moved: {names}")),
            named(&missing)
                .map(|(count, names)| format!("{count} features are missing more often: {names}")),
            named(&new).map(|(count, names)| format!("{count} features name what is new: {names}")),
            self.off_budget(now),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn off_budget(&self, now: Timestamp) -> Option<String> {
        let days = (now.micros() - self.since.micros()) as f64 / DAY as f64;
        let wanted = f64::from(self.budget_per_day?) * days;
        let times = self.alerts as f64 / wanted;
        let is_off = !(1.0 / BUDGET_TIMES..=BUDGET_TIMES).contains(&times);
        is_off.then(|| format!("alerts are {times:.2} times the budget"))
    }
}

impl Engine {
    /// How far the payments of a model at work have moved. Error: [`Error::ModelUnknown`] if it is
    /// not at work.
    pub fn model_drift(&self, tenant: &TenantId, model: &str) -> Result<ModelDrift, Error> {
        let found = self.running.load().bench(tenant).find(model);
        let loaded = found.ok_or(Error::ModelUnknown)?;
        Ok(self.drift_of(tenant, &loaded))
    }

    /// How far the payments of every model at work have moved, of all tenants.
    pub fn model_drifts(&self) -> Vec<(TenantId, ModelDrift)> {
        let running = self.running.load();
        let stands = self.models.stands().into_iter();
        let all = stands.flat_map(|(tenant, _)| {
            let models = running.bench(&tenant).models();
            let drift = |model| (tenant.clone(), self.drift_of(&tenant, &model));
            models.into_iter().map(drift).collect::<Vec<_>>()
        });
        all.collect()
    }

    /// Begins the count of models that have not counted before.
    pub(super) fn begin_counts(&self, tenant: &TenantId) {
        for loaded in self.running.load().bench(tenant).models() {
            if loaded.counts.since.load(Ordering::Relaxed) == 0 {
                loaded.counts.clear(self.clock.now());
            }
        }
    }

    /// Writes down what stands out of a day's payments, and begins the next day's count.
    pub(super) async fn note_drift(&self) -> Result<(), Error> {
        let now = self.clock.now();
        for (tenant, _) in self.models.stands() {
            self.begin_counts(&tenant);
            for loaded in self.running.load().bench(&tenant).models() {
                let since = loaded.counts.since.load(Ordering::Relaxed);
                if now.micros() - since < DAY {
                    continue;
                }
                let drift = self.drift_of(&tenant, &loaded);
                loaded.counts.clear(now);
                if !drift.alarms.is_empty() {
                    let entry = Entry {
                        tenant: tenant.clone(),
                        actor: Actor::System("models"),
                        purpose: Purpose::from("drift of a model").because(reason(&drift.alarms)),
                        action: "model.drift",
                        object: loaded.id.clone(),
                        rows: Vec::new(),
                    };
                    self.journal.append(entry).await?;
                    tracing::warn!(%tenant, model = loaded.id, alarms = ?drift.alarms, "a model drifts");
                }
            }
        }
        Ok(())
    }

    fn drift_of(&self, tenant: &TenantId, loaded: &Arc<Loaded>) -> ModelDrift {
        let stand = self.models.stand(tenant);
        let lives = paywarden_domain::Engine::ALL.into_iter();
        let mut lives = lives.filter_map(|engine| stand.live(engine));
        let live = lives.find(|live| live.model == loaded.id);
        let budget = live.and_then(|live| live.policy.budget());
        loaded.drift(budget.map(|budget| budget.alerts), self.clock.now())
    }
}

/// The alarms in as many bytes as a reason takes.
fn reason(alarms: &[String]) -> String {
    const BYTES_MAX: usize = 256;
    let mut text = alarms.join("; ");
    text.truncate(BYTES_MAX);
    text
}
