//! A tree as files and the trainer hand it over: nodes that point to each other, not yet trusted.

use serde::{Deserialize, Serialize};

/// Everything that a model is made of, not yet checked. [`crate::Ensemble::new`] checks it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parts {
    /// The names of the features, in the order of a row.
    pub features: Vec<String>,
    /// The trees, in the order in which their leaves are summed.
    pub trees: Vec<Tree>,
    /// How leaves become a raw score.
    pub sum: Sum,
    /// How raw scores become probabilities.
    pub link: Link,
}

/// One tree: node 0 is the root. Nodes that cannot be reached from it are left out.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Tree {
    /// The nodes.
    pub nodes: Vec<Node>,
}

/// One node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Node {
    /// Asks a question and goes on.
    Split(Split),
    /// Ends here.
    Leaf {
        /// What it adds to the score.
        value: f64,
        /// How much of the training data came here, in any unit; 0 if the file does not say.
        cover: f64,
    },
}

/// A question about one feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Split {
    /// The place of the feature in a row.
    pub feature: u32,
    /// Who goes left.
    pub test: Test,
    /// Whether a missing value goes left.
    pub missing_left: bool,
    /// The node for those who pass.
    pub left: u32,
    /// The node for the others.
    pub right: u32,
}

/// Who goes left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Test {
    /// Values up to this one.
    AtMost(f64),
    /// Values up to this one, but zeros (within 1e-35) go where missing ones go, as LightGBM has it
    /// with `zero_as_missing`.
    AtMostZeroMissing(f64),
    /// Exactly this value.
    Equals(f64),
    /// Values whose whole part is one of the set bits, lowest first; negative ones are in no set.
    In(Vec<u32>),
}

/// How the leaves of all trees become one number: from `start` on, tree after tree, divided, and
/// `end` added. Each library sums in its own order, and bits follow the order.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sum {
    /// What the sum starts with.
    pub start: f64,
    /// What the sum is divided by; 1 unless the trees are averaged.
    pub divisor: f64,
    /// What is added at last.
    pub end: f64,
    /// In which numbers rows are read and leaves are summed.
    pub arithmetic: Arithmetic,
}

/// In which numbers a library computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Arithmetic {
    /// Double precision, as LightGBM and our own trainer do.
    Double,
    /// Single precision, values of rows included, as XGBoost and ONNX do.
    Single,
}

/// How a raw score becomes a probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Link {
    /// It is one already, or none is meant.
    Identity,
    /// `1 / (1 + exp(-scale · raw))`.
    Logistic {
        /// 1 but for LightGBM's `sigmoid` parameter.
        scale: f64,
    },
}

impl Sum {
    /// Double precision from this start on.
    pub fn from(start: f64) -> Self {
        Self {
            start,
            divisor: 1.0,
            end: 0.0,
            arithmetic: Arithmetic::Double,
        }
    }
}

impl Link {
    /// The probability of a raw score, in double precision.
    pub fn probability(self, raw: f64) -> f64 {
        match self {
            Self::Identity => raw,
            Self::Logistic { scale } => 1.0 / (1.0 + (-scale * raw).exp()),
        }
    }
}
