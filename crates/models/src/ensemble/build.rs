//! Checks the parts of a model and lays them flat. Nothing here recurses: a hostile tree may be as
//! deep as it likes until it is refused.

use super::{At, Ensemble, Flat, Kind, within};
use crate::tree::{Link, Node, Parts, Split, Sum, Test, Tree};
use crate::{Error, limits};

/// Leaves beyond this would make sums overflow.
const VALUE_MAX: f64 = 1e30;
/// Covers beyond this would.
const COVER_MAX: f64 = 1e18;

/// A model under construction.
pub(super) struct Builder {
    model: Ensemble,
}

/// A node that is to be laid down, and where its parent waits for its place.
struct Open {
    node: u32,
    depth: usize,
    /// The split and which of its children; none for the root.
    parent: Option<(usize, usize)>,
}

impl Builder {
    pub(super) fn build(parts: Parts) -> Result<Ensemble, Error> {
        check_features(&parts.features)?;
        check_numbers(&parts.sum, parts.link)?;
        within("the number of trees", parts.trees.len(), limits::TREES_MAX)?;
        let nodes = parts.trees.iter().map(|tree| tree.nodes.len()).sum();
        within("the number of nodes", nodes, limits::NODES_MAX)?;
        let mut builder = Self {
            model: Ensemble {
                features: parts.features,
                roots: Vec::with_capacity(parts.trees.len()),
                splits: Vec::with_capacity(nodes / 2),
                leaves: Vec::with_capacity(nodes / 2 + 1),
                split_covers: Vec::new(),
                leaf_covers: Vec::with_capacity(nodes / 2 + 1),
                sets: Vec::new(),
                sum: parts.sum,
                link: parts.link,
            },
        };
        for (place, tree) in parts.trees.iter().enumerate() {
            builder.lay(tree).map_err(|(node, what)| Error::Tree {
                tree: place,
                node,
                what,
            })?;
        }
        Ok(builder.model)
    }

    /// Lays one tree down. The error names the node.
    fn lay(&mut self, tree: &Tree) -> Result<(), (usize, &'static str)> {
        let first_split = self.model.splits.len();
        let first_leaf = self.model.leaves.len();
        let mut seen = vec![false; tree.nodes.len()];
        let mut open = vec![Open {
            node: 0,
            depth: 0,
            parent: None,
        }];
        while let Some(Open {
            node,
            depth,
            parent,
        }) = open.pop()
        {
            let place = node as usize;
            let refused = |what| (place, what);
            let Some(found) = tree.nodes.get(place) else {
                return Err(refused("is not there"));
            };
            if std::mem::replace(&mut seen[place], true) {
                return Err(refused("is reached twice: the tree is no tree"));
            }
            if depth > limits::DEPTH_MAX {
                return Err(refused("lies too deep"));
            }
            let at = match found {
                Node::Leaf { value, cover } => self.leaf(*value, *cover),
                Node::Split(split) => self.split(split).inspect(|at| {
                    let child = |node, side| Open {
                        node,
                        depth: depth + 1,
                        parent: Some((*at as usize, side)),
                    };
                    open.push(child(split.right, 0));
                    open.push(child(split.left, 1));
                }),
            };
            let at = at.map_err(refused)?;
            match parent {
                Some((split, side)) => self.model.splits[split].children[side] = at,
                None => self.model.roots.push(at),
            }
        }
        self.weigh(first_split, first_leaf);
        Ok(())
    }

    fn leaf(&mut self, value: f64, cover: f64) -> Result<At, &'static str> {
        if !(-VALUE_MAX..=VALUE_MAX).contains(&value) {
            return Err("its value is no number of a sane size");
        }
        if !(0.0..=COVER_MAX).contains(&cover) {
            return Err("its cover is no number of a sane size");
        }
        let place = self.model.leaves.len();
        self.model.leaves.push(value);
        self.model.leaf_covers.push(cover);
        Ok(!(place as At))
    }

    fn split(&mut self, split: &Split) -> Result<At, &'static str> {
        if split.feature as usize >= self.model.features.len() {
            return Err("it asks for a feature that there is not");
        }
        let (kind, threshold, words) = match &split.test {
            Test::AtMost(threshold) => (Kind::AtMost, *threshold, 0),
            Test::AtMostZeroMissing(threshold) => (Kind::AtMostZeroMissing, *threshold, 0),
            Test::Equals(threshold) => (Kind::Equals, *threshold, 0),
            Test::In(set) if set.len() * 32 > limits::CATEGORIES_MAX => {
                return Err("its categories are too many");
            }
            Test::In(set) => {
                let first = self.model.sets.len() as f64;
                self.model.sets.extend_from_slice(set);
                (Kind::In, first, set.len() as u16)
            }
        };
        if threshold.is_nan() {
            return Err("its threshold is no number");
        }
        let place = self.model.splits.len();
        self.model.splits.push(Flat {
            threshold,
            mean: 0.0,
            children: [0; 2],
            feature: split.feature as u16,
            words,
            kind,
            missing_left: split.missing_left,
        });
        Ok(place as At)
    }

    /// Means and covers from the leaves up. Children lie behind their parents, so one pass from the
    /// end does. If some leaf has no cover, all leaves of the tree count alike.
    fn weigh(&mut self, first_split: usize, first_leaf: usize) {
        let model = &mut self.model;
        let covers = &mut model.leaf_covers[first_leaf..];
        if !covers.iter().all(|cover| *cover > 0.0) {
            covers.fill(1.0);
        }
        model.split_covers.resize(model.splits.len(), 0.0);
        for place in (first_split..model.splits.len()).rev() {
            let [right, left] = model.splits[place].children;
            let covers = [right, left].map(|at| model.cover_at(at));
            let cover = covers[0] + covers[1];
            let mean = (model.mean_at(right) * covers[0] + model.mean_at(left) * covers[1]) / cover;
            model.split_covers[place] = cover;
            model.splits[place].mean = mean;
        }
    }
}

fn check_features(features: &[String]) -> Result<(), Error> {
    within(
        "the number of features",
        features.len(),
        limits::FEATURES_MAX,
    )?;
    let mut sorted: Vec<&str> = features.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    for (name, next) in sorted.iter().zip(sorted.iter().skip(1).chain([&""])) {
        within("the name of a feature", name.len(), limits::NAME_BYTES_MAX)?;
        if name.is_empty() || name == next {
            return Err(Error::damaged("features", "a name is empty or given twice"));
        }
    }
    Ok(())
}

fn check_numbers(sum: &Sum, link: Link) -> Result<(), Error> {
    let scale = match link {
        Link::Identity => 1.0,
        Link::Logistic { scale } => scale,
    };
    let finite = [sum.start, sum.end, sum.divisor, scale]
        .iter()
        .all(|n| n.is_finite());
    if finite && sum.divisor > 0.0 && scale > 0.0 {
        return Ok(());
    }
    Err(Error::damaged(
        "score",
        "base, divisor or scale is no fitting number",
    ))
}
