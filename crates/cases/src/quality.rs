//! What rules and engines are worth, by what people said of their alerts.
//!
//! An alert that several rules fired on counts for each of them. What is inconclusive says nothing
//! of a rule: precision is of what was told apart.

use crate::{Alert, AlertState, Cases, Disposition, Error, Worker, desk::Item};
use paywarden_domain::{Engine, Timestamp};
use paywarden_store::WorkFilter;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The most closed alerts that one report reads, the newest ones.
const ALERTS_MAX: usize = 20_000;
const PAGE: u32 = 200;
/// Alerts that must have been told apart before anything is suggested about a rule.
const TOLD_MIN: u64 = 20;
/// Below this precision, in percent, a rule had better go.
const RETIRE_BELOW: u64 = 5;
/// Below this one it had better be narrower.
const NARROW_BELOW: u64 = 20;

/// How alerts of a rule or an engine ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct Quality {
    /// Alerts that were closed.
    pub closed: u64,
    /// As confirmed.
    pub confirmed: u64,
    /// As suspicious and reported.
    pub suspicious_reported: u64,
    /// As nothing.
    pub false_positives: u64,
    /// As what cannot be told.
    pub inconclusive: u64,
    /// The share of those told apart that were confirmed or reported; null if none was told apart.
    pub precision: Option<f64>,
    /// The share of those told apart that were nothing; null likewise.
    pub false_positive_rate: Option<f64>,
    /// The median time from opening to closing, in seconds; null if none was closed.
    pub decided_after_seconds: Option<i64>,
}

/// What is suggested about a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RuleSuggestion)]
pub enum Suggestion {
    /// At least twenty were told apart, and fewer than one in twenty was something.
    Retire,
    /// The same, and fewer than one in five.
    Narrow,
}

/// A rule and how its alerts ended.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RuleQuality {
    /// `pack.rule`.
    pub rule: String,
    /// How they ended.
    pub quality: Quality,
    /// What is suggested; null if nothing is.
    pub suggestion: Option<Suggestion>,
}

/// An engine and how its alerts ended.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct EngineQuality {
    /// The engine.
    pub engine: Engine,
    /// How they ended.
    pub quality: Quality,
}

/// How the alerts of some time ended.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AlertQuality {
    /// By engine.
    pub engines: Vec<EngineQuality>,
    /// By rule, by name.
    pub rules: Vec<RuleQuality>,
    /// Whether older alerts of that time were left out, because there are more than 20,000.
    pub partial: bool,
}

/// How alerts ended, while they are counted.
#[derive(Default)]
struct Tally {
    ended: BTreeMap<u8, u64>,
    seconds: Vec<i64>,
}

impl Cases {
    /// How alerts of the worker's queues ended that were closed at `since` or later.
    pub async fn quality(&self, worker: &Worker, since: Timestamp) -> Result<AlertQuality, Error> {
        let mut engines: BTreeMap<Engine, Tally> = BTreeMap::new();
        let mut rules: BTreeMap<String, Tally> = BTreeMap::new();
        let (mut read, mut partial) = (0, false);
        for queue in &worker.queues {
            let mut after: Option<(i64, String)> = None;
            loop {
                let filter = WorkFilter {
                    kind: Alert::KIND,
                    queue,
                    state: AlertState::Closed.number(),
                    assignee: None,
                    from: i64::MIN,
                    // Closed ones count backwards in time.
                    before: 1 - since.micros(),
                    after: after.as_ref().map(|(urgency, id)| (*urgency, id.as_str())),
                };
                let places = self
                    .database
                    .work_items(worker.tenant(), &filter, PAGE)
                    .await?;
                for alert in self.all::<Alert>(&places).await? {
                    engines.entry(alert.engine).or_default().count(&alert);
                    for rule in &alert.rules {
                        rules.entry(rule.clone()).or_default().count(&alert);
                    }
                }
                read += places.len();
                let is_end = places.len() < PAGE as usize;
                partial |= !is_end && read >= ALERTS_MAX;
                if is_end || partial {
                    break;
                }
                after = places.last().map(|place| (place.urgency, place.id.clone()));
            }
        }
        let engines = engines.into_iter().map(|(engine, tally)| EngineQuality {
            engine,
            quality: tally.quality(),
        });
        let rules = rules.into_iter().map(|(rule, tally)| {
            let quality = tally.quality();
            RuleQuality {
                suggestion: quality.suggestion(),
                rule,
                quality,
            }
        });
        Ok(AlertQuality {
            engines: engines.collect(),
            rules: rules.collect(),
            partial,
        })
    }
}

impl Tally {
    fn count(&mut self, alert: &Alert) {
        let Some(closing) = &alert.closing else {
            return;
        };
        *self.ended.entry(closing.disposition as u8).or_default() += 1;
        let took = closing.at.micros() - alert.opened_at.micros();
        self.seconds.push(took / 1_000_000);
    }

    fn quality(mut self) -> Quality {
        let of = |one: Disposition| self.ended.get(&(one as u8)).copied().unwrap_or(0);
        let [
            confirmed,
            suspicious_reported,
            false_positives,
            inconclusive,
        ] = Disposition::ALL.map(of);
        let told = confirmed + suspicious_reported + false_positives;
        let share = |part: u64| (told > 0).then(|| part as f64 / told as f64);
        self.seconds.sort_unstable();
        Quality {
            closed: told + inconclusive,
            confirmed,
            suspicious_reported,
            false_positives,
            inconclusive,
            precision: share(confirmed + suspicious_reported),
            false_positive_rate: share(false_positives),
            decided_after_seconds: self.seconds.get(self.seconds.len() / 2).copied(),
        }
    }
}

impl Quality {
    fn suggestion(&self) -> Option<Suggestion> {
        let good = self.confirmed + self.suspicious_reported;
        let told = good + self.false_positives;
        let below = |percent: u64| good * 100 < percent * told;
        match told >= TOLD_MIN {
            true if below(RETIRE_BELOW) => Some(Suggestion::Retire),
            true if below(NARROW_BELOW) => Some(Suggestion::Narrow),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quality(good: u64, nothing: u64, unclear: u64) -> Quality {
        let mut tally = Tally::default();
        let ended = [
            (Disposition::Confirmed, good / 2),
            (Disposition::SuspiciousReported, good - good / 2),
            (Disposition::FalsePositive, nothing),
            (Disposition::Inconclusive, unclear),
        ];
        for (disposition, count) in ended {
            tally.ended.insert(disposition as u8, count);
        }
        tally.seconds = vec![30, 10, 20];
        tally.quality()
    }

    #[test]
    fn shares_are_of_what_was_told_apart_and_few_alerts_suggest_nothing() {
        let one = quality(1, 3, 4);
        assert_eq!(
            (one.closed, one.precision, one.false_positive_rate),
            (8, Some(0.25), Some(0.75))
        );
        assert_eq!(one.decided_after_seconds, Some(20));
        assert_eq!(quality(0, 0, 9).precision, None);
        for (good, nothing, suggestion) in [
            (0, 19, None),
            (0, 20, Some(Suggestion::Retire)),
            (1, 19, Some(Suggestion::Narrow)),
            (1, 20, Some(Suggestion::Retire)),
            (4, 16, None),
            (3, 17, Some(Suggestion::Narrow)),
        ] {
            assert_eq!(
                quality(good, nothing, 50).suggestion(),
                suggestion,
                "{good} of {nothing}"
            );
        }
    }
}
