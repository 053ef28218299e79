//! From raw scores to chances: a map of its own, fitted on payments that the model has not seen.

use crate::Error;
use serde::{Deserialize, Serialize};

/// Rounds of Newton's method at most.
const ROUNDS_MAX: usize = 100;

/// How a raw score becomes a chance of fraud.
///
/// ```
/// use paywarden_models::Calibration;
///
/// let raw = [-2.0, -1.0, 0.5, 1.0, 2.0, 3.0];
/// let fraud = [false, false, true, false, true, true];
/// let map = Calibration::isotonic(&raw, &fraud)?;
/// assert_eq!(map.chance(0.7), 0.5);
/// assert!(map.chance(3.0) > map.chance(-2.0));
/// # Ok::<(), paywarden_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Calibration {
    /// `1 / (1 + exp(-(slope · raw + offset)))`.
    Platt {
        /// Above 0 for a model that is worth something.
        slope: f64,
        /// The log-odds of a raw score of 0.
        offset: f64,
    },
    /// Steps: from each raw score on, this chance. Ascending in both.
    Isotonic {
        /// The raw score from which on a step counts, and its chance.
        steps: Vec<(f64, f64)>,
    },
}

impl Calibration {
    /// The chance of fraud of a raw score.
    pub fn chance(&self, raw: f64) -> f64 {
        match self {
            Self::Platt { slope, offset } => logistic(slope * raw + offset),
            Self::Isotonic { steps } => {
                let place = steps.partition_point(|(from, _)| *from <= raw);
                steps
                    .get(place.saturating_sub(1))
                    .map_or(f64::NAN, |step| step.1)
            }
        }
    }

    /// Platt's map (1999), fitted by Newton's method to targets drawn in by Bayes' rule, as Lin, Lin
    /// and Weng (2007) have it.
    pub fn platt(raw: &[f64], fraud: &[bool]) -> Result<Self, Error> {
        check(raw, fraud)?;
        let frauds = fraud.iter().filter(|fraud| **fraud).count() as f64;
        let others = fraud.len() as f64 - frauds;
        let targets = [1.0 / (others + 2.0), (frauds + 1.0) / (frauds + 2.0)];
        let (mut slope, mut offset) = (1.0, 0.0);
        let loss = |slope: f64, offset: f64| -> f64 {
            let rows = raw.iter().zip(fraud);
            rows.map(|(raw, fraud)| {
                let margin = slope * raw + offset;
                let softplus = margin.max(0.0) + (-margin.abs()).exp().ln_1p();
                softplus - targets[usize::from(*fraud)] * margin
            })
            .sum()
        };
        let mut now = loss(slope, offset);
        for _ in 0..ROUNDS_MAX {
            let [by_slope, by_offset] = newton(raw, fraud, targets, (slope, offset));
            let mut step = 1.0;
            let mut next = loss(slope - by_slope, offset - by_offset);
            while next > now && step > 1e-10 {
                step /= 2.0;
                next = loss(slope - step * by_slope, offset - step * by_offset);
            }
            (slope, offset) = (slope - step * by_slope, offset - step * by_offset);
            if now - next < 1e-12 * now {
                break;
            }
            now = next;
        }
        Ok(Self::Platt { slope, offset })
    }

    /// The best map that never falls (pool adjacent violators; Ayer et al., 1955).
    pub fn isotonic(raw: &[f64], fraud: &[bool]) -> Result<Self, Error> {
        check(raw, fraud)?;
        let mut rows: Vec<(f64, f64)> = raw
            .iter()
            .zip(fraud)
            .map(|(raw, fraud)| (*raw, f64::from(u8::from(*fraud))))
            .collect();
        rows.sort_by(|one, other| one.0.total_cmp(&other.0));
        let equal = rows.chunk_by(|one, other| one.0 >= other.0);
        // From where, frauds, rows.
        let mut pools: Vec<(f64, f64, f64)> = Vec::new();
        for rows in equal {
            let frauds = rows.iter().map(|row| row.1).sum();
            let mut pool = (rows[0].0, frauds, rows.len() as f64);
            while let Some(before) = pools.pop_if(|before| before.1 * pool.2 >= pool.1 * before.2) {
                pool = (before.0, before.1 + pool.1, before.2 + pool.2);
            }
            pools.push(pool);
        }
        let steps = pools
            .into_iter()
            .map(|(from, frauds, rows)| (from, frauds / rows));
        Ok(Self::Isotonic {
            steps: steps.collect(),
        })
    }

    /// Reads a map; refuses numbers that are none and steps that fall.
    pub fn read(json: &[u8]) -> Result<Self, Error> {
        let map: Self = serde_json::from_slice(json).map_err(|error| wrong(&error.to_string()))?;
        map.checked()
    }

    /// The map, unless its numbers are none or its steps fall.
    pub(crate) fn checked(self) -> Result<Self, Error> {
        match &self {
            Self::Platt { slope, offset } if slope.is_finite() && offset.is_finite() => Ok(self),
            Self::Platt { .. } => Err(wrong("slope or offset is no number")),
            Self::Isotonic { steps } => {
                let rises = |one: &(f64, f64), next: &(f64, f64)| one.0 < next.0 && one.1 <= next.1;
                let chances = steps.iter().all(|step| (0.0..=1.0).contains(&step.1));
                let known = !steps.is_empty() && steps.iter().all(|step| step.0.is_finite());
                if known && chances && steps.is_sorted_by(rises) {
                    return Ok(self);
                }
                Err(wrong("the steps do not rise from 0 to 1"))
            }
        }
    }
}

fn wrong(what: &str) -> Error {
    Error::damaged("calibration", what)
}

fn check(raw: &[f64], fraud: &[bool]) -> Result<(), Error> {
    if raw.len() != fraud.len() || raw.is_empty() || raw.iter().any(|raw| !raw.is_finite()) {
        return Err(Error::Training(
            "a calibration needs one finite score for each label",
        ));
    }
    Ok(())
}

/// The Newton step of slope and offset.
fn newton(raw: &[f64], fraud: &[bool], targets: [f64; 2], (slope, offset): (f64, f64)) -> [f64; 2] {
    let mut gradient = [0.0; 2];
    // Ridge of Lin et al.: the matrix stays invertible where all scores are one.
    let mut curvature = [1e-12, 0.0, 1e-12];
    for (raw, fraud) in raw.iter().zip(fraud) {
        let chance = logistic(slope * raw + offset);
        let (error, weight) = (
            chance - targets[usize::from(*fraud)],
            chance * (1.0 - chance),
        );
        gradient[0] += error * raw;
        gradient[1] += error;
        curvature[0] += weight * raw * raw;
        curvature[1] += weight * raw;
        curvature[2] += weight;
    }
    let determinant = curvature[0] * curvature[2] - curvature[1] * curvature[1];
    [
        (curvature[2] * gradient[0] - curvature[1] * gradient[1]) / determinant,
        (curvature[0] * gradient[1] - curvature[1] * gradient[0]) / determinant,
    ]
}

fn logistic(margin: f64) -> f64 {
    1.0 / (1.0 + (-margin).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// Scores whose true log-odds are `2 raw - 1`.
    fn drawn() -> (Vec<f64>, Vec<bool>) {
        let mut random = Random::new(9);
        let raw: Vec<f64> = (0..100_000)
            .map(|_| random.below(4_000) as f64 / 1e3 - 2.0)
            .collect();
        let fraud = raw
            .iter()
            .map(|raw| {
                (random.below(1 << 20) as f64) < logistic(2.0 * raw - 1.0) * f64::from(1 << 20)
            })
            .collect();
        (raw, fraud)
    }

    #[test]
    fn both_maps_find_the_chances_that_labels_were_drawn_with() {
        let (raw, fraud) = drawn();
        let platt = Calibration::platt(&raw, &fraud).unwrap();
        let isotonic = Calibration::isotonic(&raw, &fraud).unwrap();
        for score in [-1.5, -0.5, 0.0, 0.5, 1.5] {
            let truth = logistic(2.0 * score - 1.0);
            assert!((platt.chance(score) - truth).abs() < 0.01);
            assert!((isotonic.chance(score) - truth).abs() < 0.05);
        }
        for map in [platt, isotonic] {
            let json = serde_json::to_vec(&map).unwrap();
            let again = Calibration::read(&json).unwrap();
            assert!((again.chance(0.3) - map.chance(0.3)).abs() < 1e-12);
        }
    }

    #[test]
    fn pools_keep_the_sum_of_frauds() {
        let mut random = Random::new(4);
        for _ in 0..100 {
            let raw: Vec<f64> = (0..50).map(|_| random.below(20) as f64).collect();
            let fraud: Vec<bool> = raw.iter().map(|_| random.below(3) == 0).collect();
            let map = Calibration::isotonic(&raw, &fraud).unwrap();
            let sum: f64 = raw.iter().map(|raw| map.chance(*raw)).sum();
            let frauds = fraud.iter().filter(|fraud| **fraud).count() as f64;
            assert!((sum - frauds).abs() < 1e-9);
        }
    }

    #[test]
    fn maps_that_are_none_are_refused() {
        for json in [
            "{}",
            r#"{"isotonic": {"steps": []}}"#,
            r#"{"isotonic": {"steps": [[0, 0.5], [1, 0.4]]}}"#,
            r#"{"isotonic": {"steps": [[0, 0.5], [1, 1.5]]}}"#,
            r#"{"isotonic": {"steps": [[1, 0.5], [0, 0.6]]}}"#,
        ] {
            assert!(Calibration::read(json.as_bytes()).is_err(), "{json}");
        }
        assert!(Calibration::platt(&[1.0], &[]).is_err());
        assert!(Calibration::isotonic(&[f64::NAN], &[true]).is_err());
    }
}
