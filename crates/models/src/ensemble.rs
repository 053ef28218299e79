//! All trees of a model flat in memory: the raw score of a row, and what each feature added to it.
//!
//! A split takes half a cache line, with the mean of what lies below it, so that reasons need no
//! second look-up. Trees lie one after the other, each in the order of a walk that goes left first.

mod build;
#[cfg(test)]
mod tests;

use crate::limits::within;
use crate::tree::{Arithmetic, Link, Node, Parts, Split, Sum, Test, Tree};
use crate::{Error, limits};
use build::Builder;

/// LightGBM takes values this close to zero for zero.
const ZERO: f64 = 1e-35_f32 as f64;

/// A checked model.
///
/// *Invariant*: every walk from a root ends in a leaf within [`limits::DEPTH_MAX`] steps, and reads
/// only features that a row has.
///
/// ```
/// use paywarden_models::*;
///
/// let leaf = |value| Node::Leaf { value, cover: 1.0 };
/// let split = Split {
///     feature: 0,
///     test: Test::AtMost(10.0),
///     missing_left: true,
///     left: 1,
///     right: 2,
/// };
/// let tree = Tree { nodes: vec![Node::Split(split), leaf(-1.0), leaf(1.0)] };
/// let model = Ensemble::new(Parts {
///     features: vec!["amount".into()],
///     trees: vec![tree],
///     sum: Sum::from(0.5),
///     link: Link::Logistic { scale: 1.0 },
/// })?;
/// let mut reasons = [0.0];
/// assert_eq!(model.explain(&[25.0], &mut reasons)?, 1.5);
/// assert_eq!(reasons, [1.0]);
/// assert_eq!(model.raw(&[f64::NAN])?, -0.5);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Ensemble {
    features: Vec<String>,
    roots: Vec<At>,
    pub(crate) splits: Vec<Flat>,
    pub(crate) leaves: Vec<f64>,
    /// How much of the training data came to each split and leaf.
    pub(crate) split_covers: Vec<f64>,
    pub(crate) leaf_covers: Vec<f64>,
    /// Sets of categories, one after the other.
    sets: Vec<u32>,
    sum: Sum,
    link: Link,
}

/// A split (from 0 on), or the complement of the number of a leaf.
pub(crate) type At = i32;

/// A split as it is walked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flat {
    /// The threshold; of a set the place of its first word.
    threshold: f64,
    /// The mean of the leaves below, weighted by cover.
    pub(crate) mean: f64,
    /// Right, left: the answer is the index.
    pub(crate) children: [At; 2],
    pub(crate) feature: u16,
    /// Words of a set.
    words: u16,
    kind: Kind,
    missing_left: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    AtMost,
    AtMostZeroMissing,
    Equals,
    In,
}

impl Ensemble {
    /// Checks the parts and lays them flat. Refuses what is beyond [`limits`], trees in which a
    /// node is reached twice or points nowhere, and numbers that are none.
    pub fn new(parts: Parts) -> Result<Self, Error> {
        Builder::build(parts)
    }

    /// The names of the features that it reads, in the order of a row.
    pub fn features(&self) -> &[String] {
        &self.features
    }

    /// How raw scores become probabilities.
    pub fn link(&self) -> Link {
        self.link
    }

    /// How many trees, and how many leaves they have together.
    pub fn size(&self) -> (usize, usize) {
        (self.roots.len(), self.leaves.len())
    }

    /// Refuses rows of other features or in another order: a model never reads what it was not
    /// trained on.
    pub fn bind<S: AsRef<str>>(&self, names: &[S]) -> Result<(), Error> {
        let none = || "nothing".to_owned();
        for place in 0..names.len().max(self.features.len()) {
            let expected = self.features.get(place);
            let found = names.get(place).map(AsRef::as_ref);
            if expected.map(String::as_str) != found {
                return Err(Error::Features {
                    place,
                    expected: expected.cloned().unwrap_or_else(none),
                    found: found.map_or_else(none, str::to_owned),
                });
            }
        }
        Ok(())
    }

    /// The raw score of a row, with the bits of the library that made the model.
    pub fn raw(&self, row: &[f64]) -> Result<f64, Error> {
        self.check(row)?;
        Ok(match self.sum.arithmetic {
            Arithmetic::Double => self.sum::<false>(row),
            Arithmetic::Single => self.sum::<true>(row),
        })
    }

    /// The probability that the raw score of a row stands for.
    pub fn probability(&self, row: &[f64]) -> Result<f64, Error> {
        self.raw(row).map(|raw| self.link.probability(raw))
    }

    /// The raw score, and in `reasons` what each feature added to [`Ensemble::mean`] along the
    /// paths (Saabas, "Interpreting random forests", 2014): at each split the mean of the leaves
    /// below changes, and the feature that was asked gets the difference. Reasons and mean add up
    /// to the score, but for rounding.
    pub fn explain(&self, row: &[f64], reasons: &mut [f64]) -> Result<f64, Error> {
        self.check(row)?;
        self.check(reasons)?;
        reasons.fill(0.0);
        let raw = match self.sum.arithmetic {
            Arithmetic::Double => self.sum_with::<false>(row, reasons),
            Arithmetic::Single => self.sum_with::<true>(row, reasons),
        };
        self.divide(reasons);
        Ok(raw)
    }

    /// The mean raw score over the data that the covers tell of.
    pub fn mean(&self) -> f64 {
        let means = self.roots.iter().map(|root| self.mean_at(*root));
        means.sum::<f64>() / self.sum.divisor + self.sum.start / self.sum.divisor + self.sum.end
    }

    /// Exact Shapley values of the features of a row into `values`: what each adds to
    /// [`Ensemble::mean`], averaged over all orders in which features could become known, the
    /// others averaged by cover (TreeSHAP with path-dependent covers, Lundberg et al. 2018,
    /// arXiv:1802.03888, algorithm 2). Returns the raw score. Some milliseconds.
    pub fn shapley(&self, row: &[f64], values: &mut [f64]) -> Result<f64, Error> {
        let raw = self.raw(row)?;
        self.check(values)?;
        values.fill(0.0);
        for root in &self.roots {
            crate::shapley::of_tree(self, *root, row, values);
        }
        self.divide(values);
        Ok(raw)
    }

    /// The parts again, without what could not be reached.
    pub fn parts(&self) -> Parts {
        Parts {
            features: self.features.clone(),
            trees: self.roots.iter().map(|root| self.tree(*root)).collect(),
            sum: self.sum,
            link: self.link,
        }
    }

    fn check(&self, row: &[f64]) -> Result<(), Error> {
        if row.len() == self.features.len() {
            return Ok(());
        }
        Err(Error::Row {
            expected: self.features.len(),
            found: row.len(),
        })
    }

    fn sum<const SINGLE: bool>(&self, row: &[f64]) -> f64 {
        let mut sum = self.sum.start;
        for root in &self.roots {
            let mut at = *root;
            while at >= 0 {
                at = self.step::<SINGLE>(&self.splits[at as usize], row);
            }
            sum = add::<SINGLE>(sum, self.leaves[!at as usize]);
        }
        self.finish::<SINGLE>(sum)
    }

    fn sum_with<const SINGLE: bool>(&self, row: &[f64], reasons: &mut [f64]) -> f64 {
        let mut sum = self.sum.start;
        for root in &self.roots {
            let mut at = *root;
            while at >= 0 {
                let split = &self.splits[at as usize];
                at = self.step::<SINGLE>(split, row);
                reasons[usize::from(split.feature)] += self.mean_at(at) - split.mean;
            }
            sum = add::<SINGLE>(sum, self.leaves[!at as usize]);
        }
        self.finish::<SINGLE>(sum)
    }

    fn finish<const SINGLE: bool>(&self, sum: f64) -> f64 {
        let Sum { divisor, end, .. } = self.sum;
        if SINGLE {
            f64::from(sum as f32 / divisor as f32 + end as f32)
        } else {
            sum / divisor + end
        }
    }

    fn divide(&self, values: &mut [f64]) {
        values
            .iter_mut()
            .for_each(|value| *value /= self.sum.divisor);
    }

    pub(crate) fn mean_at(&self, at: At) -> f64 {
        if at >= 0 {
            self.splits[at as usize].mean
        } else {
            self.leaves[!at as usize]
        }
    }

    pub(crate) fn cover_at(&self, at: At) -> f64 {
        if at >= 0 {
            self.split_covers[at as usize]
        } else {
            self.leaf_covers[!at as usize]
        }
    }

    /// Where a row goes from a split.
    pub(crate) fn next(&self, split: &Flat, row: &[f64]) -> At {
        match self.sum.arithmetic {
            Arithmetic::Double => self.step::<false>(split, row),
            Arithmetic::Single => self.step::<true>(split, row),
        }
    }

    #[inline]
    fn step<const SINGLE: bool>(&self, split: &Flat, row: &[f64]) -> At {
        let value = row[usize::from(split.feature)];
        let value = if SINGLE {
            f64::from(value as f32)
        } else {
            value
        };
        let left = match split.kind {
            Kind::AtMost => (value <= split.threshold) | (value.is_nan() & split.missing_left),
            _ => self.goes_left(split, value),
        };
        split.children[usize::from(left)]
    }

    /// The questions that are seldom asked.
    #[expect(clippy::float_cmp, reason = "the test is equality")]
    fn goes_left(&self, split: &Flat, value: f64) -> bool {
        let zero = split.kind == Kind::AtMostZeroMissing && value.abs() <= ZERO;
        if value.is_nan() || zero {
            return split.missing_left;
        }
        match split.kind {
            Kind::AtMost | Kind::AtMostZeroMissing => value <= split.threshold,
            Kind::Equals => value == split.threshold,
            Kind::In => self.set(split).is_some_and(|set| contains(set, value)),
        }
    }

    fn set(&self, split: &Flat) -> Option<&[u32]> {
        let first = split.threshold as usize;
        self.sets.get(first..first + usize::from(split.words))
    }

    fn tree(&self, root: At) -> Tree {
        let mut nodes = Vec::new();
        let mut open = vec![(root, None)];
        while let Some((at, parent)) = open.pop() {
            let place = nodes.len() as u32;
            match parent
                .and_then(|(parent, left): (usize, bool)| Some((nodes.get_mut(parent)?, left)))
            {
                Some((Node::Split(split), true)) => split.left = place,
                Some((Node::Split(split), false)) => split.right = place,
                _ => {}
            }
            nodes.push(self.node(at));
            if at >= 0 {
                let [right, left] = self.splits[at as usize].children;
                open.push((right, Some((place as usize, false))));
                open.push((left, Some((place as usize, true))));
            }
        }
        Tree { nodes }
    }

    fn node(&self, at: At) -> Node {
        if at < 0 {
            return Node::Leaf {
                value: self.leaves[!at as usize],
                cover: self.leaf_covers[!at as usize],
            };
        }
        let flat = &self.splits[at as usize];
        let test = match flat.kind {
            Kind::AtMost => Test::AtMost(flat.threshold),
            Kind::AtMostZeroMissing => Test::AtMostZeroMissing(flat.threshold),
            Kind::Equals => Test::Equals(flat.threshold),
            Kind::In => Test::In(self.set(flat).unwrap_or_default().to_vec()),
        };
        Node::Split(Split {
            feature: u32::from(flat.feature),
            test,
            missing_left: flat.missing_left,
            left: 0,
            right: 0,
        })
    }
}

#[inline]
fn add<const SINGLE: bool>(sum: f64, leaf: f64) -> f64 {
    if SINGLE {
        f64::from(sum as f32 + leaf as f32)
    } else {
        sum + leaf
    }
}

/// Whether the whole part of a value is in a set. Above the set and below zero it is not.
fn contains(set: &[u32], value: f64) -> bool {
    if value <= -1.0 || value >= limits::CATEGORIES_MAX as f64 {
        return false;
    }
    let category = value as usize;
    set.get(category / 32)
        .is_some_and(|word| word >> (category % 32) & 1 == 1)
}
