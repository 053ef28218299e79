//! How some numbers are spread, and how far others have moved away from that.

use crate::Error;
use serde::{Deserialize, Serialize};

/// Bins of a spread, the one of missing values aside.
const BINS: usize = 10;
/// A share below this counts as this: an empty bin is no infinite distance.
const SHARE_MIN: f64 = 1e-4;

/// Numbers in at most ten bins of about equal size, and those that are missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Where the bins but the first begin, ascending.
    edges: Vec<f64>,
    /// The share of each bin; the last is that of missing values.
    shares: Vec<f64>,
}

impl Spread {
    /// The spread of some numbers; `NaN` is missing.
    pub fn of(mut values: Vec<f64>) -> Self {
        let all = values.len().max(1) as f64;
        values.retain(|value| !value.is_nan());
        values.sort_by(f64::total_cmp);
        let edge = |bin: usize| values.get(bin * values.len() / BINS).copied();
        let mut edges: Vec<f64> = (1..BINS).filter_map(edge).collect();
        edges.retain(|edge| values.first().is_some_and(|first| edge > first));
        edges.dedup_by(|one, other| one.total_cmp(other).is_eq());
        let mut spread = Self {
            shares: vec![0.0; edges.len() + 2],
            edges,
        };
        for value in &values {
            let bin = spread.bin(*value);
            spread.shares[bin] += 1.0 / all;
        }
        let known = values.len() as f64;
        if let Some(missing) = spread.shares.last_mut() {
            *missing = (all - known) / all;
        }
        spread
    }

    /// How many bins there are, the last being that of missing values.
    pub fn bins(&self) -> usize {
        self.shares.len()
    }

    /// The bin of a number.
    pub fn bin(&self, value: f64) -> usize {
        match value.is_nan() {
            true => self.edges.len() + 1,
            false => self.edges.partition_point(|edge| *edge <= value),
        }
    }

    /// The share of missing values.
    pub fn missing(&self) -> f64 {
        self.shares.last().copied().unwrap_or(0.0)
    }

    /// The population stability index of counts by bin against this spread: the sum over bins of
    /// `(now - then) · ln(now / then)` (Siddiqi, "Credit risk scorecards", 2006). Below 0.1 little
    /// has changed, above 0.25 much has. `NaN` without counts.
    pub fn stability(&self, counts: &[u64]) -> f64 {
        let all: u64 = counts.iter().sum();
        if all == 0 {
            return f64::NAN;
        }
        let terms = self.shares.iter().zip(counts).map(|(then, count)| {
            let now = (*count as f64 / all as f64).max(SHARE_MIN);
            let then = then.max(SHARE_MIN);
            (now - then) * (now / then).ln()
        });
        terms.sum()
    }

    /// Refuses numbers that are none, edges that fall and bins that do not fit them.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let rising = self.edges.is_sorted_by(|one, other| one < other);
        let fitting = self.shares.len() == self.edges.len() + 2 && self.edges.len() < BINS;
        let shares = self
            .shares
            .iter()
            .all(|share| (0.0..=1.001).contains(share));
        match rising && fitting && shares && self.edges.iter().all(|edge| edge.is_finite()) {
            true => Ok(()),
            false => Err(Error::damaged("reference", "its bins are none")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_are_stable_and_moved_ones_are_not() {
        let values: Vec<f64> = (0..1_000).map(f64::from).collect();
        let spread = Spread::of(values.clone());
        assert_eq!(spread.bins(), 11);
        spread.check().unwrap();
        let counts = |values: &[f64]| {
            let mut counts = vec![0; spread.bins()];
            values
                .iter()
                .for_each(|value| counts[spread.bin(*value)] += 1);
            counts
        };
        assert!(spread.stability(&counts(&values)) < 1e-9);
        let moved: Vec<f64> = values.iter().map(|value| value + 300.0).collect();
        assert!(spread.stability(&counts(&moved)) > 0.25);
        let missing = vec![f64::NAN; 10];
        assert!(spread.stability(&counts(&missing)) > 5.0);
        assert!(spread.stability(&[0; 11]).is_nan());
    }

    #[test]
    fn numbers_that_are_one_or_missing_have_a_spread() {
        for values in [vec![], vec![3.0; 50], vec![f64::NAN; 9], vec![0.0, 1.0]] {
            let spread = Spread::of(values.clone());
            spread.check().unwrap();
            assert!(
                values
                    .iter()
                    .all(|value| spread.bin(*value) < spread.bins())
            );
        }
        let half = Spread::of(vec![1.0, f64::NAN]);
        assert!((half.missing() - 0.5).abs() < 1e-12);
    }
}
