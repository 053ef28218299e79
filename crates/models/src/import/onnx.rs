//! ONNX files with one `TreeEnsembleClassifier` or `TreeEnsembleRegressor` (domain `ai.onnx.ml`).
//!
//! Read as ONNX Runtime computes: rows, thresholds and sums in single precision, the base value at
//! last. Of a classifier with two classes the score is that of the second one. Around the ensemble
//! only steps that change no number are read over.

use super::wire::{Fields, Value};
use super::{below, names_of, tree};
use crate::limits::{self, within};
use crate::tree::{Arithmetic, Link, Node, Parts, Split, Sum, Test, Tree};
use crate::{Ensemble, Error};
use std::collections::HashMap;

/// Steps that leave the numbers as they are.
const TRANSPARENT: [&str; 6] = [
    "Identity",
    "Cast",
    "ZipMap",
    "Reshape",
    "Squeeze",
    "ArrayFeatureExtractor",
];

/// The attributes of the ensemble that are read.
#[derive(Default)]
struct Attributes<'a> {
    ints: HashMap<&'a str, Vec<i64>>,
    floats: HashMap<&'a str, Vec<f32>>,
    texts: HashMap<&'a str, Vec<&'a str>>,
}

/// Reads the model; the file does not name its features, `names` do.
pub fn read(bytes: &[u8], names: Option<&[String]>) -> Result<Ensemble, Error> {
    let (classifier, attributes) = find(bytes)?;
    let columns = Columns::read(&attributes)?;
    let weights = Weights::read(&attributes, classifier)?;
    let reads = columns
        .features
        .iter()
        .max()
        .map_or(0, |last| *last as usize + 1);
    let features = match names {
        Some(names) if names.len() >= reads => names.to_vec(),
        _ => names_of(reads, names)?,
    };
    let trees = columns.trees(&weights)?;
    let divisor = match attributes.text("aggregate_function").unwrap_or("SUM") {
        "SUM" => 1.0,
        "AVERAGE" => trees.len().max(1) as f64,
        other => return Err(Error::Unsupported(format!("aggregate_function {other}"))),
    };
    let link = match attributes.text("post_transform").unwrap_or("NONE") {
        "NONE" => Link::Identity,
        "LOGISTIC" => Link::Logistic { scale: 1.0 },
        other => return Err(Error::Unsupported(format!("post_transform {other}"))),
    };
    let sum = Sum {
        start: 0.0,
        divisor,
        end: f64::from(weights.base),
        arithmetic: Arithmetic::Single,
    };
    Ensemble::new(Parts {
        features,
        trees,
        sum,
        link,
    })
}

/// The one ensemble in the graph, and whether it is a classifier.
fn find(bytes: &[u8]) -> Result<(bool, Attributes<'_>), Error> {
    let mut found = None;
    for field in Fields::of(bytes) {
        let (7, graph) = field? else { continue };
        for field in Fields::of(graph.bytes()?) {
            let (1, node) = field? else { continue };
            let node = node.bytes()?;
            let classifier = match operator(node)? {
                "TreeEnsembleClassifier" => true,
                "TreeEnsembleRegressor" => false,
                other if TRANSPARENT.contains(&other) => continue,
                other => return Err(Error::Unsupported(format!("the ONNX operator {other}"))),
            };
            if found
                .replace((classifier, Attributes::read(node)?))
                .is_some()
            {
                return Err(Error::Unsupported("more than one tree ensemble".into()));
            }
        }
    }
    found.ok_or_else(|| Error::damaged("graph", "it has no tree ensemble"))
}

fn operator(node: &[u8]) -> Result<&str, Error> {
    for field in Fields::of(node) {
        if let (4, name) = field? {
            return name.text();
        }
    }
    Err(Error::damaged("node", "it has no operator"))
}

impl<'a> Attributes<'a> {
    fn read(node: &'a [u8]) -> Result<Self, Error> {
        let mut attributes = Self::default();
        for field in Fields::of(node) {
            if let (5, attribute) = field? {
                attributes.add(attribute.bytes()?)?;
            }
        }
        Ok(attributes)
    }

    fn add(&mut self, attribute: &'a [u8]) -> Result<(), Error> {
        let (mut name, mut ints, mut floats, mut texts) = ("", Vec::new(), Vec::new(), Vec::new());
        for field in Fields::of(attribute) {
            match field? {
                (1, value) => name = value.text()?,
                (2 | 7, value) => value.floats(&mut floats)?,
                (3 | 8, value) => value.integers(&mut ints)?,
                (4 | 9, value @ Value::Bytes(_)) => texts.push(value.text()?),
                (5, _) => return Err(Error::Unsupported(format!("{name} in double precision"))),
                _ => {}
            }
        }
        self.ints.insert(name, ints);
        self.floats.insert(name, floats);
        self.texts.insert(name, texts);
        Ok(())
    }

    fn ints(&self, name: &str) -> &[i64] {
        self.ints.get(name).map_or(&[], Vec::as_slice)
    }

    fn floats(&self, name: &str) -> &[f32] {
        self.floats.get(name).map_or(&[], Vec::as_slice)
    }

    fn texts(&self, name: &str) -> &[&'a str] {
        self.texts.get(name).map_or(&[], Vec::as_slice)
    }

    fn text(&self, name: &str) -> Option<&'a str> {
        self.texts(name).first().copied()
    }
}

/// The nodes of all trees as columns.
struct Columns<'a> {
    trees: &'a [i64],
    nodes: &'a [i64],
    modes: &'a [&'a str],
    features: Vec<u32>,
    values: &'a [f32],
    lefts: &'a [i64],
    rights: &'a [i64],
    missing_true: &'a [i64],
    covers: &'a [f32],
}

impl<'a> Columns<'a> {
    fn read(attributes: &'a Attributes<'a>) -> Result<Self, Error> {
        let feature = |feature: &i64| {
            let known = u32::try_from(*feature).ok();
            known
                .filter(|feature| (*feature as usize) < limits::FEATURES_MAX)
                .ok_or_else(|| Error::damaged("nodes_featureids", "a feature that cannot be"))
        };
        let features = attributes.ints("nodes_featureids").iter().map(feature);
        let columns = Self {
            trees: attributes.ints("nodes_treeids"),
            nodes: attributes.ints("nodes_nodeids"),
            modes: attributes.texts("nodes_modes"),
            features: features.collect::<Result<_, _>>()?,
            values: attributes.floats("nodes_values"),
            lefts: attributes.ints("nodes_truenodeids"),
            rights: attributes.ints("nodes_falsenodeids"),
            missing_true: attributes.ints("nodes_missing_value_tracks_true"),
            covers: attributes.floats("nodes_hitrates"),
        };
        let count = columns.trees.len();
        within("the number of nodes", count, limits::NODES_MAX)?;
        let needed = [
            columns.nodes.len(),
            columns.modes.len(),
            columns.features.len(),
            columns.values.len(),
            columns.lefts.len(),
            columns.rights.len(),
        ];
        let optional = [columns.missing_true.len(), columns.covers.len()];
        let fits = needed.iter().all(|length| *length == count)
            && optional.iter().all(|length| [0, count].contains(length));
        if count == 0 || !fits {
            return Err(Error::damaged(
                "nodes",
                "the columns differ in length or are empty",
            ));
        }
        Ok(columns)
    }

    /// Rows of one tree follow each other, and its nodes are numbered from 0 in their order.
    fn trees(&self, weights: &Weights) -> Result<Vec<Tree>, Error> {
        let mut trees = Vec::new();
        let mut first = 0;
        while let Some(id) = self.trees.get(first) {
            let count = self.trees[first..]
                .iter()
                .take_while(|other| *other == id)
                .count();
            let rows = first..first + count;
            let ordered = self.nodes[rows.clone()].iter().copied().eq(0..count as i64);
            if !ordered {
                return Err(Error::Unsupported(
                    "nodes that are not numbered in order".into(),
                ));
            }
            let nodes = rows.map(|row| self.node(row, weights));
            trees.push(tree(nodes.collect::<Result<_, _>>()?));
            first += count;
        }
        let mut ids: Vec<i64> = self.trees.to_vec();
        ids.dedup();
        let runs = ids.len();
        ids.sort_unstable();
        ids.dedup();
        if ids.len() != runs {
            return Err(Error::Unsupported("trees whose nodes lie apart".into()));
        }
        Ok(trees)
    }

    fn node(&self, row: usize, weights: &Weights) -> Result<Node, Error> {
        let cover = self.covers.get(row).copied().unwrap_or(0.0);
        let mode = self.modes[row];
        if mode == "LEAF" {
            return Ok(Node::Leaf {
                value: f64::from(weights.of(self.trees[row], self.nodes[row])),
                cover: f64::from(if cover.is_finite() {
                    cover.max(0.0)
                } else {
                    0.0
                }),
            });
        }
        let threshold = self.values[row];
        // The others ask the opposite question, so their sides change places.
        let (test, straight) = match mode {
            "BRANCH_LEQ" => (Test::AtMost(f64::from(threshold)), true),
            "BRANCH_LT" => (below(threshold), true),
            "BRANCH_EQ" => (Test::Equals(f64::from(threshold)), true),
            "BRANCH_GT" => (Test::AtMost(f64::from(threshold)), false),
            "BRANCH_GTE" => (below(threshold), false),
            "BRANCH_NEQ" => (Test::Equals(f64::from(threshold)), false),
            other => return Err(Error::Unsupported(format!("the node mode {other}"))),
        };
        let child = |at: i64| {
            u32::try_from(at)
                .map_err(|_| Error::damaged(format!("node {row}"), "a child lies nowhere"))
        };
        let (yes, no) = (child(self.lefts[row])?, child(self.rights[row])?);
        // A comparison with a missing value fails, but for "unequal", unless it tracks true.
        let missing_yes =
            self.missing_true.get(row).is_some_and(|flag| *flag != 0) || mode == "BRANCH_NEQ";
        let (left, right) = if straight { (yes, no) } else { (no, yes) };
        Ok(Node::Split(Split {
            feature: self.features[row],
            test,
            missing_left: missing_yes == straight,
            left,
            right,
        }))
    }
}

/// What leaves add to the one score.
struct Weights {
    by_leaf: HashMap<(i64, i64), f32>,
    base: f32,
}

impl Weights {
    fn read(attributes: &Attributes, classifier: bool) -> Result<Self, Error> {
        let prefix = if classifier { "class" } else { "target" };
        let ids = attributes.ints(&format!("{prefix}_ids"));
        let trees = attributes.ints(&format!("{prefix}_treeids"));
        let nodes = attributes.ints(&format!("{prefix}_nodeids"));
        let weights = attributes.floats(&format!("{prefix}_weights"));
        if [ids.len(), trees.len(), nodes.len()]
            .iter()
            .any(|length| *length != weights.len())
        {
            return Err(Error::damaged("weights", "their columns differ in length"));
        }
        let wanted = if classifier {
            positive(attributes, ids)?
        } else {
            0
        };
        if !classifier && ids.iter().any(|id| *id != 0) {
            return Err(Error::Unsupported("more than one output".into()));
        }
        let mut by_leaf = HashMap::new();
        for (place, id) in ids.iter().enumerate() {
            if *id == wanted {
                *by_leaf.entry((trees[place], nodes[place])).or_insert(0.0) += weights[place];
            }
        }
        let bases = attributes.floats("base_values");
        let base = match bases {
            [] => 0.0,
            [base] => *base,
            [_, second] if classifier => *second,
            _ => return Err(Error::Unsupported("more than one base value".into())),
        };
        Ok(Self { by_leaf, base })
    }

    /// A leaf without a weight adds nothing.
    fn of(&self, tree: i64, node: i64) -> f32 {
        self.by_leaf.get(&(tree, node)).copied().unwrap_or(0.0)
    }
}

/// The class whose weights are the score: the second of two, or the only one that has weights.
fn positive(attributes: &Attributes, ids: &[i64]) -> Result<i64, Error> {
    let labels = attributes
        .ints("classlabels_int64s")
        .len()
        .max(attributes.texts("classlabels_strings").len());
    let known = ids.iter().all(|id| (0..2).contains(id));
    if labels > 2 || !known {
        return Err(Error::Unsupported("more than two classes".into()));
    }
    let only = ids.first().copied().unwrap_or(0);
    Ok(if ids.iter().all(|id| *id == only) {
        only
    } else {
        1
    })
}
