//! From a chance to an action.

use crate::Error;
use paywarden_domain::Outcome;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A whole in parts per million.
const WHOLE_PPM: u32 = 1_000_000;
/// The most steps of a policy.
const STEPS_MAX: usize = 4;
/// The most alerts a day of a budget.
const ALERTS_MAX: u32 = 10_000_000;

/// What a model's chance of fraud, or of laundering, comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ModelPolicy {
    /// From a chance on, an action: 1 to 4 steps, chances and actions ascending.
    Chances(Vec<ChanceStep>),
    /// As many alerts as can be looked at.
    AlertsPerDay(AlertBudget),
    /// As much money as a false alarm may cost.
    MoneyPerFalseAlarm(MoneyBudget),
}

/// From a chance on, an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChanceStep {
    /// The chance, in parts per million.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub from_ppm: u32,
    /// What is done.
    pub action: Outcome,
}

/// A number of alerts a day. The threshold follows from the scores of the last seven days, and is
/// set anew once a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertBudget {
    /// How many, on average.
    #[schema(minimum = 1, maximum = 10_000_000)]
    pub alerts: u32,
    /// Which payments come first.
    pub ranked_by: Rank,
    /// What an alert does.
    pub action: Outcome,
}

/// What payments are ranked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rank {
    /// The score.
    Chance,
    /// The chance times the amount in the base currency: the loss to be expected.
    Loss,
}

/// An alert pays if the loss to be expected is at least this much for each false alarm to be
/// expected: `chance · amount ≥ (1 - chance) · minor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoneyBudget {
    /// What a false alarm costs, in minor units of the base currency.
    #[schema(minimum = 1)]
    pub minor: i64,
    /// What an alert does.
    pub action: Outcome,
}

/// What a policy looks at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) raw: f64,
    pub(super) chance: f64,
    /// Minor units of the base currency; none if the payment has none.
    pub(super) amount: Option<i64>,
}

impl ModelPolicy {
    /// Refuses actions that are no alerts, numbers beyond their limits and steps that do not rise.
    pub fn check(&self) -> Result<(), Error> {
        let rising = |one: &ChanceStep, next: &ChanceStep| {
            one.from_ppm < next.from_ppm && one.action < next.action
        };
        let rules = match self {
            Self::Chances(steps) => [
                (
                    (1..=STEPS_MAX).contains(&steps.len()) && steps.is_sorted_by(rising),
                    "a policy has 1 to 4 steps, chances and actions ascending",
                ),
                (
                    steps
                        .iter()
                        .all(|step| (1..=WHOLE_PPM).contains(&step.from_ppm)),
                    "a chance is 1 to 1,000,000 parts per million",
                ),
            ],
            Self::AlertsPerDay(budget) => [
                (
                    (1..=ALERTS_MAX).contains(&budget.alerts),
                    "a budget is 1 to 10,000,000 alerts a day",
                ),
                (true, ""),
            ],
            Self::MoneyPerFalseAlarm(budget) => [
                (
                    budget.minor > 0,
                    "a false alarm costs at least one minor unit",
                ),
                (true, ""),
            ],
        };
        let alerts = (
            self.actions().all(Outcome::stops),
            "the action of an alert is challenge, review, hold or decline",
        );
        match rules.into_iter().chain([alerts]).find(|(holds, _)| !holds) {
            Some((_, wrong)) => Err(Error::ModelPolicyMalformed(wrong)),
            None => Ok(()),
        }
    }

    /// The budget, if the threshold follows from one.
    pub(super) fn budget(&self) -> Option<&AlertBudget> {
        match self {
            Self::AlertsPerDay(budget) => Some(budget),
            _ => None,
        }
    }

    /// What is done. `threshold` is that of a budget; without one it alerts nothing.
    pub(super) fn action(&self, seen: Seen, threshold: Option<f64>) -> Outcome {
        let alert = |alerts: bool, action| match alerts {
            true => action,
            false => Outcome::Approve,
        };
        match self {
            Self::Chances(steps) => {
                let reached = |step: &&ChanceStep| {
                    seen.chance * f64::from(WHOLE_PPM) >= f64::from(step.from_ppm)
                };
                let last = steps.iter().rev().find(reached);
                last.map_or(Outcome::Approve, |step| step.action)
            }
            Self::AlertsPerDay(budget) => {
                let rank = budget.ranked_by.of(seen).zip(threshold);
                alert(rank.is_some_and(|(rank, from)| rank >= from), budget.action)
            }
            Self::MoneyPerFalseAlarm(budget) => {
                let pays = |amount: i64| {
                    seen.chance * amount as f64 >= (1.0 - seen.chance) * budget.minor as f64
                };
                alert(seen.amount.is_some_and(pays), budget.action)
            }
        }
    }

    fn actions(&self) -> impl Iterator<Item = Outcome> + '_ {
        let (steps, one) = match self {
            Self::Chances(steps) => (steps.as_slice(), None),
            Self::AlertsPerDay(budget) => (&[][..], Some(budget.action)),
            Self::MoneyPerFalseAlarm(budget) => (&[][..], Some(budget.action)),
        };
        steps.iter().map(|step| step.action).chain(one)
    }
}

impl Rank {
    /// What a payment is ranked by; none if it has no amount and is ranked by loss.
    pub(super) fn of(self, seen: Seen) -> Option<f64> {
        match self {
            Self::Chance => Some(seen.raw),
            Self::Loss => seen.amount.map(|amount| seen.chance * amount as f64),
        }
    }
}

/// The lowest threshold at which no more of these ranks alert than so many. None alerts if even the
/// highest rank is borne by more.
pub(super) fn threshold(mut ranks: Vec<f64>, alerts: usize) -> f64 {
    ranks.sort_by(|one, other| other.total_cmp(one));
    let Some(beyond) = ranks.get(alerts) else {
        return ranks.last().copied().unwrap_or(f64::MAX);
    };
    let above = ranks.iter().take(alerts).rev().find(|rank| *rank > beyond);
    above.copied().unwrap_or(f64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(chance: f64, amount: Option<i64>) -> Seen {
        Seen {
            raw: chance,
            chance,
            amount,
        }
    }

    #[test]
    fn chances_budgets_and_money_come_to_actions() {
        let steps = ModelPolicy::Chances(vec![
            ChanceStep {
                from_ppm: 100_000,
                action: Outcome::Challenge,
            },
            ChanceStep {
                from_ppm: 500_000,
                action: Outcome::Decline,
            },
        ]);
        steps.check().unwrap();
        let at = |chance| steps.action(seen(chance, None), None);
        assert_eq!(
            [0.0, 0.1, 0.5, 1.0].map(at),
            [
                Outcome::Approve,
                Outcome::Challenge,
                Outcome::Decline,
                Outcome::Decline
            ]
        );
        let money = ModelPolicy::MoneyPerFalseAlarm(MoneyBudget {
            minor: 900,
            action: Outcome::Review,
        });
        let at = |chance, amount| money.action(seen(chance, amount), None);
        assert_eq!(at(0.1, Some(8_099)), Outcome::Approve);
        assert_eq!(at(0.1, Some(8_101)), Outcome::Review);
        assert_eq!(at(1.0, None), Outcome::Approve);
        let budget = ModelPolicy::AlertsPerDay(AlertBudget {
            alerts: 10,
            ranked_by: Rank::Loss,
            action: Outcome::Hold,
        });
        let at = |threshold| budget.action(seen(0.5, Some(100)), threshold);
        assert_eq!(
            [Some(50.0), Some(50.1), None].map(at),
            [Outcome::Hold, Outcome::Approve, Outcome::Approve]
        );
    }

    #[test]
    fn policies_that_alert_nothing_or_everything_are_refused() {
        let step = |from_ppm, action| ChanceStep { from_ppm, action };
        for steps in [
            vec![],
            vec![step(0, Outcome::Review)],
            vec![step(1_000_001, Outcome::Review)],
            vec![step(1, Outcome::Approve)],
            vec![step(2, Outcome::Review), step(1, Outcome::Decline)],
            vec![step(1, Outcome::Decline), step(2, Outcome::Review)],
        ] {
            assert!(ModelPolicy::Chances(steps).check().is_err());
        }
        let money = |minor| {
            ModelPolicy::MoneyPerFalseAlarm(MoneyBudget {
                minor,
                action: Outcome::Review,
            })
        };
        assert!(money(0).check().is_err() && money(1).check().is_ok());
    }

    #[test]
    fn a_threshold_alerts_at_most_the_budget_and_the_most_it_can() {
        let ranks = vec![5.0, 4.0, 4.0, 4.0, 1.0];
        let alerted = |alerts| {
            let from = threshold(ranks.clone(), alerts);
            ranks.iter().filter(|rank| **rank >= from).count()
        };
        assert_eq!([0, 1, 2, 3, 4, 5, 6].map(alerted), [0, 1, 1, 1, 4, 5, 5]);
        assert!(threshold(Vec::new(), 3) > 1e300);
    }
}
