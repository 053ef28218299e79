//! From what is known of a customer to a score, a rating, and what contributed to it.

use super::{
    CustomerProfile, RiskRating, Signal,
    policy::{Fact, Factor, FactorRow, RatingPolicy, SCORE_MAX},
};
use paywarden_domain::{Timestamp, time::DAY};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a policy makes of a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = RatingAssessment)]
pub struct Assessment {
    /// 0 to 100.
    pub score: u16,
    /// By the score, and by what some facts demand at least.
    pub rating: RiskRating,
    /// What some facts demand at least: no override goes below.
    pub floor: RiskRating,
    /// What contributed, in the order of the policy.
    pub factors: Vec<FactorScore>,
}

/// What one factor came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = RatingFactorScore)]
pub struct FactorScore {
    /// The factor.
    pub factor: String,
    /// Its points.
    pub points: u16,
    /// The most that it gives.
    pub most: u16,
    /// Whether nothing of it is known: its points are then those of the policy for that.
    pub is_missing: bool,
    /// The facts that gave points.
    pub contributions: Vec<Contribution>,
}

/// What one fact gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = RatingContribution)]
pub struct Contribution {
    /// The fact.
    pub fact: Fact,
    /// Its value: the word that a row names, or the number.
    pub value: String,
    /// Its points.
    pub points: u16,
    /// What the rating is at least because of it.
    pub at_least: Option<RiskRating>,
    /// Why, in the words of the policy.
    pub why: String,
}

/// What is known of a customer at a moment.
pub(super) struct Known<'k> {
    pub(super) profile: Option<&'k CustomerProfile>,
    pub(super) signals: &'k [Signal],
    pub(super) now: Timestamp,
}

impl RatingPolicy {
    /// Rates a customer by what is known.
    pub(super) fn assess(&self, known: &Known<'_>) -> Assessment {
        let score_of = |factor: &Factor| factor.score(known, i64::from(self.lookback_days) * DAY);
        let factors: Vec<FactorScore> = self.factors.iter().map(score_of).collect();
        let score = factors.iter().map(|factor| factor.points).sum::<u16>();
        let score = score.min(SCORE_MAX);
        let contributions = factors.iter().flat_map(|factor| &factor.contributions);
        let floor = contributions.filter_map(|one| one.at_least).max();
        let floor = floor.unwrap_or(RiskRating::Low);
        Assessment {
            score,
            rating: self.band(score).max(floor),
            floor,
            factors,
        }
    }
}

impl Factor {
    fn score(&self, known: &Known<'_>, lookback: i64) -> FactorScore {
        let mut contributions: Vec<Contribution> = Vec::new();
        for row in &self.rows {
            let Some(value) = row.value(known, lookback) else {
                continue;
            };
            let found = Contribution {
                fact: row.fact,
                value,
                points: row.points,
                at_least: row.at_least,
                why: row.why.clone(),
            };
            match contributions.iter_mut().find(|one| one.fact == row.fact) {
                Some(one) => one.outweigh(found),
                None => contributions.push(found),
            }
        }
        let mut facts = self.rows.iter().map(|row| row.fact);
        let is_missing = facts.all(|fact| !known.is_known(fact));
        let sum: u16 = contributions.iter().map(|one| one.points).sum();
        FactorScore {
            factor: self.name.clone(),
            points: if is_missing {
                self.missing
            } else {
                sum.min(self.most)
            },
            most: self.most,
            is_missing,
            contributions,
        }
    }
}

impl Contribution {
    /// Of two rows of one fact that with more points counts, and the graver demand.
    fn outweigh(&mut self, other: Self) {
        let at_least = self.at_least.max(other.at_least);
        if other.points > self.points {
            *self = other;
        }
        self.at_least = at_least;
    }
}

impl FactorRow {
    /// The value by which the row holds; none if it does not.
    fn value(&self, known: &Known<'_>, lookback: i64) -> Option<String> {
        let Some(number) = known.number(self.fact, lookback) else {
            let words = known.profile.map(|profile| profile.words(self.fact));
            let mut words = words.unwrap_or_default().into_iter();
            let named = words.find(|word| self.is.iter().any(|one| one == word));
            return named.map(str::to_owned);
        };
        let holds = self.from.is_none_or(|from| number >= from)
            && self.below.is_none_or(|below| number < below);
        holds.then(|| number.to_string())
    }
}

impl Known<'_> {
    fn number(&self, fact: Fact, lookback: i64) -> Option<i64> {
        let Some(kind) = fact.signal() else {
            return self.profile?.number(fact, self.now);
        };
        // What an alert said grows old; an entry that may mean them does not while it stands.
        let from = self.now.micros() - lookback;
        let counts = |signal: &&Signal| {
            signal.kind == kind && (kind.is_of_list() || signal.at.micros() > from)
        };
        Some(self.signals.iter().filter(counts).count() as i64)
    }

    /// Signals are counted from the start: that there was none is known.
    fn is_known(&self, fact: Fact) -> bool {
        self.number(fact, 0).is_some()
            || self
                .profile
                .is_some_and(|profile| !profile.words(fact).is_empty())
    }
}

#[cfg(test)]
mod tests;
