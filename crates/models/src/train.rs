//! Gradient boosting of regression trees for the logistic loss, over histograms.
//!
//! Friedman, "Greedy function approximation", 2001; Newton steps and L2 as in Chen and Guestrin,
//! "XGBoost", 2016; leaf-wise growth over bins as in Ke et al., "LightGBM", 2017. Rows are not
//! weighted: weighting and resampling spoil calibration. The same table, settings and seed give the
//! same model, bit for bit, with any number of threads.

mod bins;
mod grow;
mod histogram;
mod meeting;
mod split;
#[cfg(test)]
mod tests;

use crate::random::Random;
use crate::table::Table;
use crate::tree::{Link, Parts, Sum, Tree};
use crate::{Ensemble, Error};
use bins::Binned;
use grow::{Ground, Grown};
use histogram::{Drawn, Scale, Slope, Source};
use meeting::Meeting;
use split::Search;

/// From how many rows on other threads help.
const SHARED_MIN: usize = 32_768;
/// Threads at most.
const THREADS_MAX: u32 = 64;
/// Leaves of a tree at most.
const LEAVES_MAX: u32 = 4_096;

/// How to train. [`Settings::default`] suits payments.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Trees at most.
    pub trees_max: u32,
    /// Leaves of a tree at most, 2 to 4,096.
    pub leaves_max: u32,
    /// Questions between root and leaf at most.
    pub depth_max: u32,
    /// By how much each tree is scaled, above 0, at most 1.
    pub learning_rate: f64,
    /// Bins of a feature, the one for missing values included: 3 to 255.
    pub bins_max: u32,
    /// Rows of a leaf at least.
    pub child_rows_min: u32,
    /// Sum of `p (1 - p)` over the rows of a leaf at least.
    pub child_weight_min: f64,
    /// Added to that sum where outputs are computed: draws them to zero.
    pub l2: f64,
    /// What a question must gain.
    pub gain_min: f64,
    /// The share of features that each tree may ask for, above 0, at most 1.
    pub feature_share: f64,
    /// The share of rows that each tree grows from, above 0, at most 1.
    pub row_share: f64,
    /// What the drawing of features and rows follows from.
    pub seed: u64,
    /// Trees without a better loss on the later rows after which training ends.
    pub patience: u32,
    /// Threads, 1 to 64. They change no bit of the result.
    pub threads: u32,
    /// Features that may only raise the score as they rise.
    pub rising: Vec<String>,
    /// Features that may only lower the score as they rise.
    pub falling: Vec<String>,
}

/// Which way a feature may move the score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Up,
    Down,
}

/// How training stands after a tree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Round {
    /// Trees so far.
    pub trees: u32,
    /// The mean logistic loss of the later rows; none without any.
    pub loss: Option<f64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            trees_max: 400,
            leaves_max: 31,
            depth_max: 64,
            learning_rate: 0.05,
            bins_max: 255,
            child_rows_min: 20,
            child_weight_min: 1e-3,
            l2: 0.0,
            gain_min: 0.0,
            feature_share: 1.0,
            row_share: 1.0,
            seed: 1,
            patience: 30,
            threads: 2,
            rising: Vec::new(),
            falling: Vec::new(),
        }
    }
}

impl Settings {
    pub(crate) fn threads(&self) -> usize {
        self.threads as usize
    }

    fn check(&self) -> Result<(), Error> {
        let share = |share: f64| share > 0.0 && share <= 1.0;
        let not_negative = |number: f64| number.is_finite() && number >= 0.0;
        let wrong = [
            (
                self.trees_max == 0 || self.trees_max as usize > crate::limits::TREES_MAX,
                "trees_max",
            ),
            (!(2..=LEAVES_MAX).contains(&self.leaves_max), "leaves_max"),
            (
                !(1..=crate::limits::DEPTH_MAX as u32).contains(&self.depth_max),
                "depth_max",
            ),
            (!share(self.learning_rate), "learning_rate"),
            (!(3..=255).contains(&self.bins_max), "bins_max"),
            (!not_negative(self.child_weight_min), "child_weight_min"),
            (!not_negative(self.l2), "l2"),
            (!not_negative(self.gain_min), "gain_min"),
            (!share(self.feature_share), "feature_share"),
            (!share(self.row_share), "row_share"),
            (!(1..=THREADS_MAX).contains(&self.threads), "threads"),
        ];
        match wrong.iter().find(|(wrong, _)| *wrong) {
            Some((_, name)) => Err(Error::damaged(*name, "outside its range")),
            None => Ok(()),
        }
    }

    fn directions(&self, names: &[String]) -> Result<Vec<Option<Direction>>, Error> {
        let mut directions = vec![None; names.len()];
        let up = self.rising.iter().map(|name| (name, Direction::Up));
        let down = self.falling.iter().map(|name| (name, Direction::Down));
        for (name, direction) in up.chain(down) {
            let place = names.iter().position(|other| other == name);
            let known = place.and_then(|place| directions.get_mut(place));
            let known = known
                .ok_or_else(|| Error::damaged(name, "no such feature to hold to a direction"))?;
            if known
                .replace(direction)
                .is_some_and(|before| before != direction)
            {
                return Err(Error::damaged(name, "it cannot both rise and fall"));
            }
        }
        Ok(directions)
    }
}

/// Trains on `rows` of a table, where `labels` say which rows of the table are fraud. With `later`
/// rows, best of a later time, training ends when their loss has not fallen for
/// [`Settings::patience`] trees, and the model is the one with the lowest. `on_round` hears of each
/// tree.
///
/// Refuses settings outside their ranges, rows that there are not, and rows of one kind only.
pub fn train(
    table: &Table,
    labels: &[bool],
    (rows, later): (&[u32], &[u32]),
    settings: &Settings,
    mut on_round: impl FnMut(Round),
) -> Result<Ensemble, Error> {
    settings.check()?;
    let mut boost = Boost::new(table, labels, (rows, later), settings)?;
    let mut best = (f64::INFINITY, 0);
    for trees in 1..=settings.trees_max {
        boost.round();
        let loss = boost.loss();
        on_round(Round { trees, loss });
        match loss {
            Some(loss) if loss < best.0 => best = (loss, trees),
            Some(_) if trees - best.1 >= settings.patience => break,
            Some(_) => {}
            None => best.1 = trees,
        }
    }
    boost.trees.truncate(best.1 as usize);
    Ensemble::new(Parts {
        features: table.names().to_vec(),
        trees: boost.trees,
        sum: Sum::from(boost.base),
        link: Link::Logistic { scale: 1.0 },
    })
}

/// Training under way. Rows count from 0 here: those to learn from, then the later ones.
struct Boost<'a> {
    settings: &'a Settings,
    binned: Binned,
    directions: Vec<Option<Direction>>,
    labels: Vec<bool>,
    learnt: usize,
    base: f64,
    scores: Vec<f64>,
    slopes: Vec<Slope>,
    random: Random,
    trees: Vec<Tree>,
}

impl<'a> Boost<'a> {
    fn new(
        table: &Table,
        labels: &[bool],
        (rows, later): (&[u32], &[u32]),
        settings: &'a Settings,
    ) -> Result<Self, Error> {
        if labels.len() != table.len() {
            return Err(Error::Training("there is not one label for each row"));
        }
        let all: Vec<u32> = rows.iter().chain(later).copied().collect();
        if all.iter().any(|row| *row as usize >= table.len()) {
            return Err(Error::Training("a row is not in the table"));
        }
        let labels: Vec<bool> = all.iter().map(|row| labels[*row as usize]).collect();
        let frauds = labels[..rows.len()].iter().filter(|label| **label).count();
        if frauds == 0 || frauds == rows.len() {
            return Err(Error::Training("all rows to learn from are of one kind"));
        }
        let share = frauds as f64 / rows.len() as f64;
        let base = (share / (1.0 - share)).ln();
        let bins_max = settings.bins_max as usize;
        Ok(Self {
            directions: settings.directions(table.names())?,
            binned: Binned::new(table, &all, rows.len(), bins_max, settings.threads()),
            labels,
            learnt: rows.len(),
            base,
            scores: vec![base; all.len()],
            slopes: vec![Slope::default(); rows.len()],
            random: Random::new(settings.seed),
            trees: Vec::new(),
            settings,
        })
    }

    /// Grows one tree and adds it to the scores.
    fn round(&mut self) {
        let scale = self.measure();
        let settings = self.settings;
        let mut rows = draw(&mut self.random, settings.row_share, self.learnt);
        let features = draw(
            &mut self.random,
            settings.feature_share,
            self.binned.features(),
        );
        let drawn = Drawn::new(&features);
        let part = rows.len().div_ceil(self.threads());
        let threads = rows.len().div_ceil(part);
        let searched = features.len().div_ceil(threads);
        let meeting = Meeting::new(threads);
        let mut grown: Vec<Option<Grown>> = Vec::new();
        grown.resize_with(threads, || None);
        let (binned, directions) = (&self.binned, &self.directions);
        let source = Source {
            binned,
            drawn: &drawn,
            slopes: &self.slopes,
        };
        std::thread::scope(|scope| {
            let parts = rows.chunks_mut(part).zip(&mut grown);
            for (place, (rows, grown)) in parts.enumerate() {
                let first = (place * searched).min(features.len());
                let search = Search {
                    binned,
                    settings,
                    directions,
                    scale,
                    features: &features[first..features.len().min(first + searched)],
                };
                let ground = Ground {
                    search,
                    source,
                    first,
                    spare: Vec::new(),
                    seat: meeting.seat(place),
                };
                scope.spawn(move || *grown = Some(ground.grow(rows)));
            }
        });
        let grown: Vec<Grown> = grown.into_iter().flatten().collect();
        self.add(&grown, &rows, part);
        self.trees
            .extend(grown.into_iter().next().map(|grown| grown.tree));
    }

    fn threads(&self) -> usize {
        if self.learnt < SHARED_MIN {
            1
        } else {
            self.settings.threads()
        }
    }

    /// Gradients and curvatures at the scores as they are.
    fn measure(&mut self) -> Scale {
        let size = self.learnt.div_ceil(self.threads());
        let mut chances = vec![0.0; self.learnt];
        let scores = self.scores[..self.learnt].chunks(size);
        std::thread::scope(|scope| {
            for (chances, scores) in chances.chunks_mut(size).zip(scores) {
                scope.spawn(move || {
                    for (chance, score) in chances.iter_mut().zip(scores) {
                        *chance = 1.0 / (1.0 + (-score).exp());
                    }
                });
            }
        });
        let scale = Scale::new(chances.iter().map(|chance| chance * (1.0 - chance)).sum());
        let known = chances.chunks(size).zip(self.labels.chunks(size));
        std::thread::scope(|scope| {
            for (slopes, (chances, labels)) in self.slopes.chunks_mut(size).zip(known) {
                scope.spawn(move || {
                    for (slope, (chance, fraud)) in
                        slopes.iter_mut().zip(chances.iter().zip(labels))
                    {
                        let gradient = chance - f64::from(u8::from(*fraud));
                        *slope = scale.slope(gradient, chance * (1.0 - chance));
                    }
                });
            }
        });
        scale
    }

    /// Adds a tree that threads have grown, each from a part of the rows, to the scores.
    fn add(&mut self, grown: &[Grown], rows: &[u32], part: usize) {
        for (grown, rows) in grown.iter().zip(rows.chunks(part)) {
            for (value, range) in &grown.leaves {
                for row in &rows[range.clone()] {
                    self.scores[*row as usize] += value;
                }
            }
        }
        let Some(grown) = grown.first() else { return };
        if rows.len() < self.learnt {
            let mut drawn = rows.to_vec();
            drawn.sort_unstable();
            let mut drawn = drawn.iter().copied().peekable();
            for row in 0..self.learnt as u32 {
                if drawn.next_if_eq(&row).is_none() {
                    self.scores[row as usize] += grown.output(&self.binned, row);
                }
            }
        }
        for row in self.learnt..self.binned.len() {
            self.scores[row] += grown.output(&self.binned, row as u32);
        }
    }

    /// The mean loss of the later rows.
    fn loss(&self) -> Option<f64> {
        let scores = &self.scores[self.learnt..];
        let rows = scores.iter().zip(&self.labels[self.learnt..]);
        let loss = |(score, fraud): (&f64, &bool)| {
            let margin = if *fraud { -score } else { *score };
            margin.max(0.0) + (-margin.abs()).exp().ln_1p()
        };
        (!scores.is_empty()).then(|| rows.map(loss).sum::<f64>() / scores.len() as f64)
    }
}

/// A share of the numbers below `whole`, at least one.
fn draw(random: &mut Random, share: f64, whole: usize) -> Vec<u32> {
    let count = ((share * whole as f64).round() as usize).clamp(1, whole);
    if count == whole {
        return (0..whole as u32).collect();
    }
    random.choose(count, whole)
}
