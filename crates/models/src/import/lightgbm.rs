//! LightGBM's text model, versions 3 and 4: lines `key=value`, a block for each tree.
//!
//! Bits: a raw score is the sum of the leaves in double precision, in the order of the trees;
//! checked against the library in `tests/outside/models.py`.

use super::tree;
use crate::limits::{self, within};
use crate::tree::{Arithmetic, Link, Node, Parts, Split, Sum, Test, Tree};
use crate::{Ensemble, Error};
use std::collections::HashMap;
use std::str::FromStr;

/// `decision_type`: a categorical split, and where missing values go.
const CATEGORICAL: u8 = 1;
const MISSING_LEFT: u8 = 2;

/// The lines of one block. Keys that are not asked for are not looked at.
struct Block<'a> {
    place: String,
    lines: HashMap<&'a str, &'a str>,
}

/// Reads a model of one output.
pub fn read(bytes: &[u8]) -> Result<Ensemble, Error> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::damaged("file", "not UTF-8"))?;
    let (trees, _) = text
        .split_once("end of trees")
        .ok_or_else(|| Error::damaged("file", "it ends before `end of trees`"))?;
    let mut blocks = trees.split("\nTree=");
    let header = Block::new("header", blocks.next().unwrap_or_default());
    header.refuse_what_is_not_read()?;
    let features: Vec<String> = header
        .text("feature_names")?
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let last: usize = header.one("max_feature_idx")?;
    if last.checked_add(1) != Some(features.len()) {
        return Err(header.wrong("feature_names", "not as many as max_feature_idx says"));
    }
    let trees = blocks
        .enumerate()
        .map(|(place, block)| read_tree(&Block::new(format!("tree {place}"), block)))
        .collect::<Result<Vec<_>, _>>()?;
    let divisor = match header.lines.contains_key("average_output") {
        true => trees.len().max(1) as f64,
        false => 1.0,
    };
    Ensemble::new(Parts {
        features,
        trees,
        sum: Sum {
            start: 0.0,
            divisor,
            end: 0.0,
            arithmetic: Arithmetic::Double,
        },
        link: link(&header)?,
    })
}

fn link(header: &Block) -> Result<Link, Error> {
    let objective = header.lines.get("objective").copied().unwrap_or_default();
    let mut words = objective.split_whitespace();
    let scale = |words: std::str::SplitWhitespace| {
        let found = words
            .filter_map(|word| word.strip_prefix("sigmoid:"))
            .next();
        found.map_or(Ok(1.0), |text| {
            text.parse()
                .map_err(|_| header.wrong("objective", "its sigmoid is no number"))
        })
    };
    match words.next() {
        Some("binary") => Ok(Link::Logistic {
            scale: scale(words)?,
        }),
        Some("cross_entropy") => Ok(Link::Logistic { scale: 1.0 }),
        Some("regression" | "regression_l1" | "huber" | "fair" | "quantile" | "mape") | None => {
            Ok(Link::Identity)
        }
        Some(other) => Err(Error::Unsupported(format!("objective {other}"))),
    }
}

fn read_tree(block: &Block) -> Result<Tree, Error> {
    let leaves: usize = block.one("num_leaves")?;
    within("the number of leaves", leaves, limits::NODES_MAX)?;
    if block
        .lines
        .get("is_linear")
        .is_some_and(|text| *text != "0")
    {
        return Err(Error::Unsupported("linear trees".into()));
    }
    let values: Vec<f64> = block.list("leaf_value", leaves)?;
    let splits = leaves
        .checked_sub(1)
        .ok_or_else(|| block.wrong("num_leaves", "a tree has a leaf"))?;
    let covers: Vec<f64> = match block.lines.get("leaf_count") {
        Some(_) => block.list("leaf_count", leaves)?,
        None => vec![0.0; leaves],
    };
    let mut nodes = read_splits(block, splits)?;
    let leaves = values.into_iter().zip(covers);
    nodes.extend(leaves.map(|(value, cover)| Node::Leaf { value, cover }));
    Ok(tree(nodes))
}

/// The splits come first, the leaves behind them: a negative child is a leaf's complement.
fn read_splits(block: &Block, count: usize) -> Result<Vec<Node>, Error> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let features: Vec<u32> = block.list("split_feature", count)?;
    let thresholds: Vec<f64> = block.list("threshold", count)?;
    let kinds: Vec<u8> = block.list("decision_type", count)?;
    let lefts: Vec<i64> = block.list("left_child", count)?;
    let rights: Vec<i64> = block.list("right_child", count)?;
    let sets = Sets::read(block)?;
    let child = |at: i64| {
        let place = if at >= 0 { at } else { count as i64 + !at };
        u32::try_from(place).map_err(|_| block.wrong("left_child", "a child lies nowhere"))
    };
    (0..count)
        .map(|node| {
            let threshold = thresholds[node];
            let (test, missing_left) = if kinds[node] & CATEGORICAL != 0 {
                (Test::In(sets.get(block, threshold)?), false)
            } else {
                numerical(threshold, kinds[node])
                    .ok_or_else(|| block.wrong("decision_type", "an unknown kind of missing"))?
            };
            Ok(Node::Split(Split {
                feature: features[node],
                test,
                missing_left,
                left: child(lefts[node])?,
                right: child(rights[node])?,
            }))
        })
        .collect()
}

/// Without a kind of missing, `NaN` counts as zero; with `zero`, zero counts as missing.
fn numerical(threshold: f64, kind: u8) -> Option<(Test, bool)> {
    let missing_left = kind & MISSING_LEFT != 0;
    Some(match kind >> 2 {
        0 => (Test::AtMost(threshold), 0.0 <= threshold),
        1 => (Test::AtMostZeroMissing(threshold), missing_left),
        2 => (Test::AtMost(threshold), missing_left),
        _ => return None,
    })
}

/// Sets of categories of one tree.
struct Sets {
    bounds: Vec<usize>,
    words: Vec<u32>,
}

impl Sets {
    fn read(block: &Block) -> Result<Self, Error> {
        let count = match block.lines.get("num_cat") {
            Some(_) => block.one("num_cat")?,
            None => 0,
        };
        if count == 0 {
            return Ok(Self {
                bounds: Vec::new(),
                words: Vec::new(),
            });
        }
        within("the number of sets", count, limits::NODES_MAX)?;
        let bounds: Vec<usize> = block.list("cat_boundaries", count + 1)?;
        let last = bounds.last().copied().unwrap_or(0);
        within("the words of sets", last, limits::NODES_MAX)?;
        let words = block.list("cat_threshold", last)?;
        Ok(Self { bounds, words })
    }

    fn get(&self, block: &Block, threshold: f64) -> Result<Vec<u32>, Error> {
        let place = threshold as usize;
        let bounds = self.bounds.get(place..place.saturating_add(2));
        bounds
            .and_then(|bounds| self.words.get(bounds[0]..bounds[1]))
            .map(<[u32]>::to_vec)
            .ok_or_else(|| block.wrong("cat_boundaries", "a set lies nowhere"))
    }
}

impl<'a> Block<'a> {
    fn new(place: impl Into<String>, text: &'a str) -> Self {
        let lines = text
            .lines()
            .map(|line| line.split_once('=').unwrap_or((line, "")));
        Self {
            place: place.into(),
            lines: lines.collect(),
        }
    }

    fn refuse_what_is_not_read(&self) -> Result<(), Error> {
        let version = self.text("version")?;
        if !matches!(version, "v3" | "v4") {
            return Err(Error::Unsupported(format!("LightGBM model {version}")));
        }
        for key in ["num_class", "num_tree_per_iteration"] {
            if self.text(key)? != "1" {
                return Err(Error::Unsupported("more than one output".into()));
            }
        }
        Ok(())
    }

    fn text(&self, key: &str) -> Result<&'a str, Error> {
        let line = self.lines.get(key).copied();
        line.ok_or_else(|| self.wrong(key, "it is missing"))
    }

    fn one<T: FromStr>(&self, key: &str) -> Result<T, Error> {
        let number = self.text(key)?.parse();
        number.map_err(|_| self.wrong(key, "no such number"))
    }

    /// Exactly so many numbers.
    fn list<T: FromStr>(&self, key: &str, count: usize) -> Result<Vec<T>, Error> {
        let words = self.text(key)?.split_ascii_whitespace();
        let numbers: Result<Vec<T>, _> = words.map(str::parse).collect();
        let numbers = numbers.map_err(|_| self.wrong(key, "no such number"))?;
        if numbers.len() != count {
            return Err(self.wrong(key, &format!("{} numbers, not {count}", numbers.len())));
        }
        Ok(numbers)
    }

    fn wrong(&self, key: &str, what: &str) -> Error {
        Error::damaged(format!("{}, {key}", self.place), what)
    }
}
