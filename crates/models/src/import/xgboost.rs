//! XGBoost's JSON model (`save_model("….json")`), boosters `gbtree` and `dart` with one output.
//!
//! XGBoost asks `value < threshold` in single precision and sums leaves in single precision, from
//! the margin of `base_score` on; checked against the library in `tests/outside/models.py`. Leaves
//! of `dart` are scaled by their weight first, as the library does.

use super::{below, names_of, tree};
use crate::limits::{self, within};
use crate::tree::{Arithmetic, Link, Node, Parts, Split, Sum, Test, Tree};
use crate::{Ensemble, Error};
use serde::Deserialize;

/// In `split_type`: the split asks for categories.
const CATEGORICAL: u8 = 1;

#[derive(Deserialize)]
struct File {
    learner: Learner,
}

#[derive(Deserialize)]
struct Learner {
    #[serde(default)]
    feature_names: Vec<String>,
    gradient_booster: Booster,
    learner_model_param: ModelParam,
    objective: Objective,
}

#[derive(Deserialize)]
struct ModelParam {
    base_score: String,
    num_class: String,
    num_feature: String,
    #[serde(default)]
    num_target: Option<String>,
}

#[derive(Deserialize)]
struct Objective {
    name: String,
}

#[derive(Deserialize)]
struct Booster {
    name: String,
    #[serde(default)]
    model: Option<Model>,
    #[serde(default)]
    gbtree: Option<Gbtree>,
    #[serde(default)]
    weight_drop: Vec<f32>,
}

#[derive(Deserialize)]
struct Gbtree {
    model: Model,
}

#[derive(Deserialize)]
struct Model {
    trees: Vec<FileTree>,
}

/// A tree as columns. Of a leaf, `split_conditions` holds the value.
#[derive(Deserialize)]
struct FileTree {
    left_children: Vec<i32>,
    right_children: Vec<i32>,
    split_indices: Vec<u32>,
    split_conditions: Vec<f32>,
    default_left: Vec<Flag>,
    #[serde(default)]
    sum_hessian: Vec<f32>,
    #[serde(default)]
    split_type: Vec<u8>,
    #[serde(default)]
    categories: Vec<u32>,
    #[serde(default)]
    categories_nodes: Vec<u32>,
    #[serde(default)]
    categories_segments: Vec<u64>,
    #[serde(default)]
    categories_sizes: Vec<u64>,
}

/// Written as 0 and 1 or as false and true, by version.
#[derive(Deserialize, Clone, Copy)]
#[serde(untagged)]
enum Flag {
    Bool(bool),
    Number(u8),
}

/// Reads a model of one output. `names` are its features where the file does not name them.
pub fn read(bytes: &[u8], names: Option<&[String]>) -> Result<Ensemble, Error> {
    let File { learner } =
        serde_json::from_slice(bytes).map_err(|error| Error::damaged("file", error.to_string()))?;
    let param = &learner.learner_model_param;
    let classes = number::<u32>("num_class", &param.num_class)?;
    let targets = param
        .num_target
        .as_deref()
        .map_or(Ok(1), |text| number("num_target", text))?;
    if classes > 1 || targets > 1u32 {
        return Err(Error::Unsupported("more than one output".into()));
    }
    let count = number("num_feature", &param.num_feature)?;
    let features = if learner.feature_names.is_empty() {
        names_of(count, names)?
    } else {
        learner.feature_names
    };
    if features.len() != count {
        return Err(Error::damaged(
            "feature_names",
            "not as many as num_feature says",
        ));
    }
    let base = base_score(&param.base_score)?;
    let (link, start) = match learner.objective.name.as_str() {
        "binary:logistic" | "reg:logistic" => (Link::Logistic { scale: 1.0 }, margin(base)?),
        "binary:logitraw" => (Link::Identity, base),
        "reg:squarederror" | "reg:absoluteerror" | "reg:pseudohubererror" => (Link::Identity, base),
        other => return Err(Error::Unsupported(format!("objective {other}"))),
    };
    Ensemble::new(Parts {
        features,
        trees: trees(learner.gradient_booster)?,
        sum: Sum {
            arithmetic: Arithmetic::Single,
            ..Sum::from(f64::from(start))
        },
        link,
    })
}

/// `5E-1`, or since version 3 `[5E-1]`.
fn base_score(text: &str) -> Result<f32, Error> {
    number(
        "base_score",
        text.trim_start_matches('[').trim_end_matches(']'),
    )
}

/// The margin of a probability, as the library computes it.
fn margin(base: f32) -> Result<f32, Error> {
    if base > 0.0 && base < 1.0 {
        return Ok(-(1.0 / base - 1.0).ln());
    }
    Err(Error::damaged(
        "base_score",
        "no probability between 0 and 1",
    ))
}

fn number<T: std::str::FromStr>(key: &str, text: &str) -> Result<T, Error> {
    text.parse()
        .map_err(|_| Error::damaged(key, "no such number"))
}

fn trees(booster: Booster) -> Result<Vec<Tree>, Error> {
    let missing = || Error::damaged("gradient_booster", "it has no model");
    let model = match booster.name.as_str() {
        "gbtree" => booster.model.ok_or_else(missing)?,
        "dart" => booster.gbtree.ok_or_else(missing)?.model,
        other => return Err(Error::Unsupported(format!("booster {other}"))),
    };
    within("the number of trees", model.trees.len(), limits::TREES_MAX)?;
    let weights = booster.weight_drop;
    if booster.name == "dart" && weights.len() != model.trees.len() {
        return Err(Error::damaged(
            "weight_drop",
            "not one weight for each tree",
        ));
    }
    let weight = |place: usize| weights.get(place).copied().unwrap_or(1.0);
    let trees = model.trees.iter().enumerate();
    trees
        .map(|(place, file)| file.tree(place, weight(place)))
        .collect()
}

impl FileTree {
    fn tree(&self, place: usize, weight: f32) -> Result<Tree, Error> {
        let wrong = |what: &str| Error::damaged(format!("tree {place}"), what);
        let count = self.left_children.len();
        let lengths = [
            self.right_children.len(),
            self.split_indices.len(),
            self.split_conditions.len(),
            self.default_left.len(),
        ];
        if lengths.iter().any(|length| *length != count) {
            return Err(wrong("its columns differ in length"));
        }
        let node = |node: usize| {
            if self.left_children[node] == -1 {
                return Ok(Node::Leaf {
                    value: f64::from(self.split_conditions[node] * weight),
                    cover: self.sum_hessian.get(node).copied().map_or(0.0, f64::from),
                });
            }
            self.split(node)
                .ok_or_else(|| wrong("a child or a set of categories lies nowhere"))
        };
        Ok(tree((0..count).map(node).collect::<Result<_, _>>()?))
    }

    /// Values of a set go right, so that our left is its right.
    fn split(&self, node: usize) -> Option<Node> {
        let left = u32::try_from(self.left_children[node]).ok()?;
        let right = u32::try_from(self.right_children[node]).ok()?;
        let missing_left = match self.default_left[node] {
            Flag::Bool(flag) => flag,
            Flag::Number(number) => number != 0,
        };
        let feature = self.split_indices[node];
        Some(Node::Split(
            if self.split_type.get(node) == Some(&CATEGORICAL) {
                Split {
                    feature,
                    test: Test::In(self.categories(node)?),
                    missing_left: !missing_left,
                    left: right,
                    right: left,
                }
            } else {
                Split {
                    feature,
                    test: below(self.split_conditions[node]),
                    missing_left,
                    left,
                    right,
                }
            },
        ))
    }

    fn categories(&self, node: usize) -> Option<Vec<u32>> {
        let place = self
            .categories_nodes
            .iter()
            .position(|other| *other as usize == node)?;
        let first = usize::try_from(*self.categories_segments.get(place)?).ok()?;
        let size = usize::try_from(*self.categories_sizes.get(place)?).ok()?;
        let mut set = Vec::new();
        for category in self.categories.get(first..first.checked_add(size)?)? {
            let category = *category as usize;
            if category >= limits::CATEGORIES_MAX {
                return None;
            }
            if set.len() <= category / 32 {
                set.resize(category / 32 + 1, 0);
            }
            set[category / 32] |= 1 << (category % 32);
        }
        Some(set)
    }
}
