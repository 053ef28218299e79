//! A challenger beside the live model, on payments whose labels are in.
//!
//! Both are given the same number of alerts, so that neither wins by alerting more. Differences come
//! with where they lie when the days are drawn again, the same days for both: within noise, no model
//! is better.

use super::{bench::Mark, stand::Stand};
use crate::{
    Engine, Error,
    backtest::Labelled,
    hindsight::{Past, Stretch},
    release::Trace,
};
use paywarden_domain::{Engine as Judge, Outcome, TenantId, Timestamp, time::DAY};
use paywarden_features::FeatureEvent;
use paywarden_models::metrics::{self, Interval, Scored};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Redrawings of the days for an interval.
const DRAWS: usize = 100;
/// Bins of the calibration error.
const BINS: usize = 20;
/// The alert rate if the live model alerts nothing.
const RATE_DEFAULT: f64 = 0.01;
/// How far back a promotion looks.
const REACH_DAYS: i64 = 90;
/// Fewer frauds, or days, show nothing.
const FRAUDS_MIN: u64 = 20;
const DAYS_MIN: usize = 5;
/// By so much the value at the budget may be lower, at worst.
const VALUE_LOSS_MAX: f64 = 0.02;
/// Frauds expected of frauds found: within this, or within noise of one.
const CALIBRATED: std::ops::RangeInclusive<f64> = 0.8..=1.25;

/// A challenger beside the live model.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ModelComparison {
    /// Whose models.
    pub engine: Judge,
    /// The model that decides.
    pub live: String,
    /// The other.
    pub challenger: String,
    /// The payments, and the moment from which they are seen.
    #[serde(flatten)]
    pub stretch: Stretch,
    /// Payments that both scored and whose label is known or presumed.
    pub payments: u64,
    /// Frauds among them.
    pub frauds: u64,
    /// Days on which they happened.
    pub days: u64,
    /// The share of payments that both are given as alerts: what the live model's policy alerted.
    pub alert_rate: f64,
    /// What is compared: `recall`, `precision` and `value` (the share of the amount of frauds) at
    /// the alert rate, and `ap`, average precision.
    pub figures: Vec<ComparedFigure>,
    /// Frauds that the challenger expected over frauds that there were.
    pub calibration: Estimate,
    /// The mean distance of the challenger's chance from the share of frauds, in 20 bins.
    pub calibration_error: Option<f64>,
    /// Why the challenger would not be promoted; null if it would.
    pub held_back: Option<String>,
}

/// One figure of both.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ComparedFigure {
    /// Its name.
    pub name: &'static str,
    /// Of the live model; null without frauds.
    pub live: Option<f64>,
    /// Of the challenger.
    pub challenger: Option<f64>,
    /// By how much the challenger is above.
    pub gain: Estimate,
}

/// A figure, and where it lies in nine of ten redrawings of the days; null where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Estimate {
    /// As it was.
    pub seen: Option<f64>,
    /// The 5 % quantile.
    pub low: Option<f64>,
    /// The 95 % quantile.
    pub high: Option<f64>,
}

/// One payment that both scored.
#[derive(Debug, Clone, Copy)]
struct Both {
    live: Scored,
    challenger: Scored,
    /// The challenger's chance.
    chance: f64,
    alerted: bool,
}

impl Engine {
    /// Compares a challenger with the live model of an engine in a stretch of time.
    ///
    /// Errors: [`Error::ModelMove`] without a live model, [`Error::ReportTooLong`].
    pub async fn compare_models(
        &self,
        tenant: &TenantId,
        (engine, challenger): (Judge, &str),
        stretch: Stretch,
    ) -> Result<ModelComparison, Error> {
        let stand = self.models.stand(tenant);
        let live = live(&stand, engine)?;
        let mut days: BTreeMap<i64, Vec<Both>> = BTreeMap::new();
        let each = |past: &Past<'_>| {
            let day = past.row.occurred_at.micros().div_euclid(DAY);
            if let Some(both) = both(past, (engine, &live, challenger))? {
                let times = std::iter::repeat_n(both, past.stands_for as usize);
                days.entry(day).or_default().extend(times);
            }
            Ok(())
        };
        self.in_hindsight(tenant, &stretch, each).await?;
        let challenger = challenger.to_owned();
        let days: Vec<Vec<Both>> = days.into_values().collect();
        let compared = move || compared((engine, live, challenger), stretch, &days);
        let compared = tokio::task::spawn_blocking(compared).await;
        compared.map_err(|error| Error::RecordDamaged(error.to_string()))
    }

    /// Refuses to let a model take the place of the live one unless it has shown, on payments whose
    /// labels are in, that it is no worse. Without a live model there is nothing to lose.
    pub(super) async fn may_promote(
        &self,
        tenant: &TenantId,
        (engine, model): (Judge, &str),
    ) -> Result<(), Error> {
        let stand = self.models.stand(tenant);
        if stand.live(engine).is_none_or(|live| live.model == model) {
            return Ok(());
        }
        let now = self.clock.now().micros();
        let delay = self.model_of(tenant, model).await?.package.reads.delay;
        let stretch = Stretch {
            from: Timestamp::from_micros(now - REACH_DAYS * DAY - delay),
            to: Timestamp::from_micros(now),
            as_of: Timestamp::from_micros(now),
            label_delay_days: u16::try_from(delay / DAY).unwrap_or(u16::MAX),
        };
        let compared = self
            .compare_models(tenant, (engine, model), stretch)
            .await?;
        compared
            .held_back
            .map_or(Ok(()), |why| Err(Error::ModelUnproven(why)))
    }
}

fn live(stand: &Stand, engine: Judge) -> Result<String, Error> {
    let live = stand.live(engine).map(|live| live.model.clone());
    live.ok_or(Error::ModelMove("no model decides"))
}

/// What both said of a payment, if both were asked and its label is in.
fn both(
    &Past { row, labelled, .. }: &Past<'_>,
    (engine, live, challenger): (Judge, &str, &str),
) -> Result<Option<Both>, Error> {
    let (Some(trace), false) = (&row.trace, labelled == Labelled::Immature) else {
        return Ok(None);
    };
    let trace = Trace::decode(trace)?;
    let mut found: [Option<&Mark>; 2] = [None; 2];
    for mark in trace.models.iter().flat_map(|reading| &reading.marks) {
        match mark.engine == engine {
            true if mark.model == live => found[0] = Some(mark),
            true if mark.model == challenger => found[1] = Some(mark),
            _ => {}
        }
    }
    let [Some(live), Some(other)] = found else {
        return Ok(None);
    };
    let event = FeatureEvent::decode(&row.feature);
    let event = event.map_err(|error| Error::RecordDamaged(error.to_string()))?;
    let scored = |mark: &Mark| Scored {
        score: mark.raw,
        fraud: labelled == Labelled::Fraud,
        amount: event.amount.unwrap_or(0) as f64,
    };
    Ok(Some(Both {
        live: scored(live),
        challenger: scored(other),
        chance: other.chance,
        alerted: live.action.is_some_and(Outcome::stops),
    }))
}

fn compared(
    (engine, live, challenger): (Judge, String, String),
    stretch: Stretch,
    days: &[Vec<Both>],
) -> ModelComparison {
    let all = || days.iter().flatten();
    let payments = all().count() as u64;
    let frauds = all().filter(|both| both.live.fraud).count() as u64;
    let alerts = all().filter(|both| both.alerted).count();
    let alert_rate = match alerts {
        0 => RATE_DEFAULT,
        alerts => alerts as f64 / payments as f64,
    };
    let at = |pick: fn(metrics::Caught) -> f64| {
        move |scored: &[Scored]| pick(metrics::at_rate(scored, alert_rate))
    };
    let figures = match payments {
        0 => Vec::new(),
        _ => vec![
            figure("recall", days, at(|caught| caught.recall)),
            figure("precision", days, at(|caught| caught.precision)),
            figure("value", days, at(|caught| caught.value)),
            figure("ap", days, metrics::average_precision),
        ],
    };
    let chances: Vec<Scored> = all()
        .map(|both| Scored {
            score: both.chance,
            ..both.challenger
        })
        .collect();
    let mut comparison = ModelComparison {
        engine,
        live,
        challenger,
        stretch,
        payments,
        frauds,
        days: days.len() as u64,
        alert_rate,
        figures,
        calibration: expected(days),
        calibration_error: known(metrics::calibration_error(&chances, BINS)),
        held_back: None,
    };
    comparison.held_back = held_back(&comparison);
    comparison
}

fn figure(name: &'static str, days: &[Vec<Both>], of: impl Fn(&[Scored]) -> f64) -> ComparedFigure {
    let side = |pick: fn(&Both) -> Scored| days.iter().flatten().map(pick).collect::<Vec<_>>();
    let pairs: Vec<Vec<[Scored; 2]>> = days
        .iter()
        .map(|day| {
            day.iter()
                .map(|both| [both.live, both.challenger])
                .collect()
        })
        .collect();
    ComparedFigure {
        name,
        live: known(of(&side(|both| both.live))),
        challenger: known(of(&side(|both| both.challenger))),
        gain: metrics::paired_days(&pairs, DRAWS, 1, of).into(),
    }
}

/// Frauds expected over frauds found.
fn expected(days: &[Vec<Both>]) -> Estimate {
    let sums = |day: &Vec<Both>| {
        let chances: f64 = day.iter().map(|both| both.chance).sum();
        let frauds = day.iter().filter(|both| both.challenger.fraud).count();
        vec![(chances, frauds as f64)]
    };
    let days: Vec<Vec<(f64, f64)>> = days.iter().map(sums).collect();
    if days.is_empty() {
        return Estimate::NONE;
    }
    let ratio = |pairs: &[(f64, f64)]| {
        let sum = |side: fn(&(f64, f64)) -> f64| pairs.iter().map(side).sum::<f64>();
        sum(|pair| pair.0) / sum(|pair| pair.1)
    };
    metrics::interval(&days, DRAWS, 1, ratio).into()
}

/// Why a challenger is not promoted.
fn held_back(compared: &ModelComparison) -> Option<String> {
    if compared.frauds < FRAUDS_MIN || (compared.days as usize) < DAYS_MIN {
        return Some(format!(
            "{} frauds on {} days are known of payments that both scored; it takes {FRAUDS_MIN} on \
             {DAYS_MIN} days to compare",
            compared.frauds, compared.days
        ));
    }
    let value = compared
        .figures
        .iter()
        .find(|figure| figure.name == "value");
    let low = value.and_then(|figure| figure.gain.low);
    if low.is_none_or(|low| low < -VALUE_LOSS_MAX) {
        return Some(format!(
            "its value at {:.2} % alerts may be lower by {:.3}; more than {VALUE_LOSS_MAX} is not \
             accepted",
            compared.alert_rate * 100.0,
            -low.unwrap_or(-1.0)
        ));
    }
    let Estimate { seen, low, high } = compared.calibration;
    let near = seen.is_some_and(|seen| CALIBRATED.contains(&seen));
    let noise = low
        .zip(high)
        .is_some_and(|(low, high)| (low..=high).contains(&1.0));
    (!near && !noise).then(|| {
        format!(
            "it expected {:.2} times the frauds that there were: its calibration does not hold",
            seen.unwrap_or(f64::NAN)
        )
    })
}

fn known(value: f64) -> Option<f64> {
    Some(value).filter(|value| value.is_finite())
}

impl Estimate {
    const NONE: Self = Self {
        seen: None,
        low: None,
        high: None,
    };
}

impl From<Interval> for Estimate {
    fn from(interval: Interval) -> Self {
        Self {
            seen: known(interval.seen),
            low: known(interval.low),
            high: known(interval.high),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use paywarden_models::random::Random;

    /// Ten days of payments of which one in twenty is fraud, scored by two models: how far each
    /// lifts frauds, and by how much the second's chance is off.
    fn days(lifts: [f64; 2], off: f64) -> Vec<Vec<Both>> {
        let mut random = Random::new(3);
        let mut payment = || {
            let fraud = random.below(20) == 0;
            let mut scored = |lift: f64| Scored {
                score: random.below(1_000) as f64 / 500.0 + lift * f64::from(u8::from(fraud)),
                fraud,
                amount: 100.0,
            };
            let (live, challenger) = (scored(lifts[0]), scored(lifts[1]));
            Both {
                alerted: live.score > 2.0,
                live,
                challenger,
                chance: 0.05 * off,
            }
        };
        (0..10)
            .map(|_| (0..300).map(|_| payment()).collect())
            .collect()
    }

    fn verdict(lifts: [f64; 2], off: f64) -> Option<String> {
        let now = Timestamp::from_micros(0);
        let stretch = Stretch {
            from: now,
            to: now,
            as_of: now,
            label_delay_days: 7,
        };
        let names = (Judge::Fraud, "mdl_a".to_owned(), "mdl_b".to_owned());
        compared(names, stretch, &days(lifts, off)).held_back
    }

    #[test]
    fn a_better_model_goes_on_and_a_worse_or_uncalibrated_one_is_held_back_with_the_reason() {
        assert_eq!(verdict([1.0, 1.5], 1.0), None);
        assert!(verdict([1.5, 0.5], 1.0).unwrap().contains("value"));
        assert!(verdict([1.0, 1.5], 3.0).unwrap().contains("calibration"));
        assert!(verdict([1.0, 1.5], 0.3).unwrap().contains("calibration"));
    }

    #[test]
    fn without_frauds_nothing_is_shown_and_nothing_is_promoted() {
        let now = Timestamp::from_micros(0);
        let stretch = Stretch {
            from: now,
            to: now,
            as_of: now,
            label_delay_days: 7,
        };
        let names = (Judge::Fraud, "a".to_owned(), "b".to_owned());
        let empty = compared(names, stretch, &[]);
        assert!(empty.held_back.unwrap().contains("0 frauds on 0 days"));
        assert_eq!((empty.payments, empty.figures.len()), (0, 0));
    }
}
