//! The best question to ask of the rows of one leaf.

use super::bins::Binned;
use super::histogram::{Cell, Histogram, Scale};
use super::{Direction, Settings};

/// Where the output of a leaf may lie, by what was asked above it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub low: f64,
    pub high: f64,
}

/// A question and what it gains.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub feature: usize,
    /// The last bin that goes left.
    pub bin: u8,
    pub missing_left: bool,
    pub gain: f64,
    pub left: Cell,
    pub right: Cell,
}

/// What the search needs to know besides the histogram.
pub(super) struct Search<'a> {
    pub binned: &'a Binned,
    pub settings: &'a Settings,
    pub directions: &'a [Option<Direction>],
    pub scale: Scale,
    /// The features of the histograms.
    pub features: &'a [u32],
}

impl Bounds {
    pub const NONE: Self = Self {
        low: f64::NEG_INFINITY,
        high: f64::INFINITY,
    };

    /// The bounds of both sides of a question whose feature must not turn the output round: they
    /// are kept apart by the middle of their outputs.
    pub fn of_sides(self, outputs: [f64; 2], direction: Option<Direction>) -> [Self; 2] {
        let middle = outputs[0] / 2.0 + outputs[1] / 2.0;
        let below = Self {
            high: middle,
            ..self
        };
        let above = Self {
            low: middle,
            ..self
        };
        match direction {
            None => [self, self],
            Some(Direction::Up) => [below, above],
            Some(Direction::Down) => [above, below],
        }
    }
}

impl Search<'_> {
    /// The question that gains most; of equals the first feature and the lowest bin.
    pub fn best(&self, histogram: &Histogram, total: Cell, bounds: Bounds) -> Option<Candidate> {
        let mut best: Option<Candidate> = None;
        let whole = self.loss(total, bounds);
        for (feature, cells) in self.features.iter().zip(histogram) {
            let feature = *feature as usize;
            let cells = &cells[..self.binned.uppers[feature].len() + 2];
            self.scan(feature, cells, total, bounds, |candidate| {
                let gain = candidate.gain - whole;
                if gain > best.map_or(self.settings.gain_min, |best| best.gain) {
                    best = Some(Candidate { gain, ..candidate });
                }
            });
        }
        best
    }

    /// The output of a leaf: the Newton step, held within its bounds.
    pub fn output(&self, cell: Cell, bounds: Bounds) -> f64 {
        let (gradient, curvature) = self.scale.sums(cell);
        let step = -gradient / (curvature + self.settings.l2).max(f64::MIN_POSITIVE);
        step.clamp(bounds.low, bounds.high)
    }

    /// By how much an output lowers the loss, to second order.
    fn loss(&self, cell: Cell, bounds: Bounds) -> f64 {
        let (gradient, curvature) = self.scale.sums(cell);
        let output = self.output(cell, bounds);
        -(2.0 * gradient + (curvature + self.settings.l2) * output) * output
    }

    /// Tries every bin of a feature, with missing values on either side if there are any; without
    /// any, they will go where most rows go.
    fn scan(
        &self,
        feature: usize,
        cells: &[Cell],
        total: Cell,
        bounds: Bounds,
        mut offer: impl FnMut(Candidate),
    ) {
        let missing = cells[0];
        let some = missing.count() > 0;
        let mut below = Cell::default();
        for (bin, cell) in cells.iter().enumerate().take(cells.len() - 1).skip(1) {
            below.add(*cell);
            let mut with = below;
            with.add(missing);
            let sides = [(below, false), (with, true)];
            for (left, missing_left) in &sides[usize::from(!some)..] {
                let right = total.less(*left);
                let missing_left = if some {
                    *missing_left
                } else {
                    left.count() >= right.count()
                };
                if let Some(gain) = self.worth(feature, *left, right, bounds) {
                    offer(Candidate {
                        feature,
                        bin: bin as u8,
                        missing_left,
                        gain,
                        left: *left,
                        right,
                    });
                }
            }
        }
    }

    /// What both sides are worth; none if one is too small or the sides would be turned round.
    fn worth(&self, feature: usize, left: Cell, right: Cell, bounds: Bounds) -> Option<f64> {
        let settings = self.settings;
        let small = |cell: Cell| {
            cell.count() < settings.child_rows_min
                || self.scale.sums(cell).1 < settings.child_weight_min
        };
        if small(left) || small(right) {
            return None;
        }
        if let Some(direction) = self.directions[feature] {
            let [left, right] = [left, right].map(|cell| self.output(cell, bounds));
            let turned = match direction {
                Direction::Up => left > right,
                Direction::Down => left < right,
            };
            if turned {
                return None;
            }
        }
        Some(self.loss(left, bounds) + self.loss(right, bounds))
    }
}
