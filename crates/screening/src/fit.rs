//! Fits the weights of the measures to labelled pairs of names.

use crate::{
    compare::{MEASURES, Measure},
    score::Weights,
};

const COUNT: usize = MEASURES.len();
/// Most rounds over all weights; it settles in far fewer.
const ROUNDS_MAX: usize = 300;
/// A round that changes no weight by more ends the fit.
const SETTLED: f64 = 1e-6;

/// Most points of one measure: about what two equal names start with, so that a single kind of
/// difference, of which labels have a handful, makes a name doubtful and never unlike.
const POINTS_MAX: f64 = 3.0;
/// Most points of the order of tokens, which differs between countries and forms.
const ORDER_POINTS_MAX: f64 = 0.75;

/// A pair of names that was judged: its measures, and whether they are one.
#[derive(Debug, Clone, Copy)]
pub struct Judged {
    /// What [`crate::compare::Prepared::measure`] found.
    pub values: [f32; COUNT],
    /// Whether both names are of one entity.
    pub same: bool,
}

/// Logistic regression with a ridge of one on standardised measures, by coordinate descent with
/// Newton steps (J. Friedman, T. Hastie, R. Tibshirani, "Regularization Paths for Generalized
/// Linear Models via Coordinate Descent", 2010).
///
/// A measure of difference never raises a score and one of likeness never lowers it, whatever few
/// labels say: a score that rises with a defect could not be explained.
pub fn fit(pairs: &[Judged]) -> Weights {
    let scales: [Scale; COUNT] = std::array::from_fn(|at| Scale::of(pairs, at));
    let rows: Vec<[f64; COUNT]> = pairs
        .iter()
        .map(|pair| std::array::from_fn(|at| scales[at].apply(pair.values[at])))
        .collect();
    let mut weights = [0.0; COUNT];
    let mut base = 0.0;
    let mut margins = vec![0.0; pairs.len()];
    for _ in 0..ROUNDS_MAX {
        let step = newton(pairs, &margins, |_| 1.0, 0.0, 0.0);
        base += step;
        margins.iter_mut().for_each(|margin| *margin += step);
        let mut largest = step.abs();
        for (at, measure) in MEASURES.into_iter().enumerate() {
            let wanted =
                weights[at] + newton(pairs, &margins, |row| rows[row][at], weights[at], 1.0);
            let cap = most(measure) * scales[at].spread;
            let step = allowed(measure, wanted).clamp(-cap, cap) - weights[at];
            weights[at] += step;
            for (margin, row) in margins.iter_mut().zip(&rows) {
                *margin += step * row[at];
            }
            largest = largest.max(step.abs());
        }
        if largest < SETTLED {
            break;
        }
    }
    let unscaled = |at: usize| weights[at] / scales[at].spread;
    let shift: f64 = (0..COUNT).map(|at| unscaled(at) * scales[at].middle).sum();
    Weights {
        base: (base - shift) as f32,
        measures: std::array::from_fn(|at| unscaled(at) as f32),
    }
}

/// The step that one weight would take by itself.
fn newton(
    pairs: &[Judged],
    margins: &[f64],
    value: impl Fn(usize) -> f64,
    weight: f64,
    ridge: f64,
) -> f64 {
    let (mut slope, mut bend) = (ridge * weight, ridge);
    for (row, (pair, margin)) in pairs.iter().zip(margins).enumerate() {
        let chance = 1.0 / (1.0 + (-margin).exp());
        let value = value(row);
        slope += (chance - f64::from(u8::from(pair.same))) * value;
        bend += chance * (1.0 - chance) * value * value;
    }
    -slope / bend.max(1e-9)
}

fn most(measure: Measure) -> f64 {
    match measure {
        Measure::Order => ORDER_POINTS_MAX,
        _ => POINTS_MAX,
    }
}

fn allowed(measure: Measure, weight: f64) -> f64 {
    match measure {
        Measure::Sound => weight.max(0.0),
        _ => weight.min(0.0),
    }
}

struct Scale {
    middle: f64,
    spread: f64,
}

impl Scale {
    fn of(pairs: &[Judged], at: usize) -> Self {
        let count = pairs.len().max(1) as f64;
        let values = || pairs.iter().map(|pair| f64::from(pair.values[at]));
        let middle = values().sum::<f64>() / count;
        let variance = values().map(|value| (value - middle).powi(2)).sum::<f64>() / count;
        // A measure that never varies says nothing; any spread leaves its weight at nought.
        let spread = if variance > 1e-12 {
            variance.sqrt()
        } else {
            1.0
        };
        Self { middle, spread }
    }

    fn apply(&self, value: f32) -> f64 {
        (f64::from(value) - self.middle) / self.spread
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_that_parts_gets_weight_and_noise_gets_none() {
        let pair = |number: usize| {
            let mut values = [0.0; COUNT];
            values[0] = (number % 10) as f32 / 10.0;
            values[1] = (number % 3) as f32 / 3.0;
            Judged {
                values,
                same: number % 10 < 5,
            }
        };
        let pairs: Vec<Judged> = (0..300).map(pair).collect();
        let weights = fit(&pairs);
        assert!(weights.measures[0] < -2.9, "{weights:?}");
        assert!(weights.measures[1].abs() < 0.3, "{weights:?}");
        let right = pairs
            .iter()
            .filter(|pair| (weights.points(&pair.values) > 0.0) == pair.same);
        assert!(right.count() > 270);
    }

    #[test]
    fn no_label_makes_a_defect_a_merit() {
        let pair = |number: usize| {
            let mut values = [0.0; COUNT];
            values[0] = number as f32 / 100.0;
            Judged {
                values,
                same: number > 50,
            }
        };
        let weights = fit(&(0..100).map(pair).collect::<Vec<_>>());
        assert!(
            weights.measures.iter().all(|weight| *weight == 0.0),
            "{weights:?}"
        );
    }
}
