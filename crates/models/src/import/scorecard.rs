//! Scorecards in JSON: points for the bin that each feature falls into, added up.
//!
//! A characteristic is a tree that asks one feature, so a scorecard is an ensemble like any other,
//! with the same reasons.
//!
//! ```
//! let card = br#"{
//!   "intercept": -2.0,
//!   "characteristics": [
//!     {"feature": "amount", "missing": {"points": 0.1, "share": 0.01}, "bins": [
//!        {"to": 50.0, "points": -0.5, "share": 0.7},
//!        {"points": 0.8, "share": 0.29}]},
//!     {"feature": "country_risk", "bins": [
//!        {"to": 1.0, "points": 0.0}, {"to": 2.0, "points": 0.4}, {"points": 1.5}]}
//!   ]}"#;
//! let model = paywarden_models::import::read(card, None)?;
//! assert_eq!(model.features(), ["amount", "country_risk"]);
//! assert_eq!(model.raw(&[60.0, 3.0])?, -2.0 + 0.8 + 1.5);
//! # Ok::<(), paywarden_models::Error>(())
//! ```

use crate::limits::{self, within};
use crate::tree::{Link, Node, Parts, Split, Sum, Test, Tree};
use crate::{Ensemble, Error};
use serde::Deserialize;

/// A scorecard as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Card {
    #[serde(default)]
    intercept: f64,
    characteristics: Vec<Characteristic>,
}

/// The bins of one feature, lowest first; the last one has no upper bound.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Characteristic {
    feature: String,
    /// Points of a missing value; without them it counts as the first bin does.
    missing: Option<Bin>,
    bins: Vec<Bin>,
}

/// Points for values up to a bound.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bin {
    to: Option<f64>,
    points: f64,
    /// The share of the population, for the mean that reasons start from; without one for each
    /// bin of the characteristic they count alike.
    #[serde(default)]
    share: f64,
}

/// Reads a scorecard; points are on the scale of log-odds.
pub fn read(bytes: &[u8]) -> Result<Ensemble, Error> {
    let card: Card =
        serde_json::from_slice(bytes).map_err(|error| Error::damaged("file", error.to_string()))?;
    within(
        "the number of features",
        card.characteristics.len(),
        limits::FEATURES_MAX,
    )?;
    let trees = card.characteristics.iter().enumerate();
    Ensemble::new(Parts {
        trees: trees
            .map(|(place, characteristic)| characteristic.tree(place as u32))
            .collect::<Result<_, _>>()?,
        features: card
            .characteristics
            .into_iter()
            .map(|c| c.feature)
            .collect(),
        sum: Sum::from(card.intercept),
        link: Link::Logistic { scale: 1.0 },
    })
}

impl Characteristic {
    /// A comb: each bin is asked for in turn. Whether a value is missing is asked first.
    fn tree(&self, feature: u32) -> Result<Tree, Error> {
        self.check()?;
        let mut nodes = Vec::new();
        let split = |place: usize, test, missing_left| {
            Node::Split(Split {
                feature,
                test,
                missing_left,
                left: place as u32 + 1,
                right: place as u32 + 2,
            })
        };
        let leaf = |value, cover| Node::Leaf { value, cover };
        if let Some(bin) = &self.missing {
            nodes.push(split(0, Test::In(Vec::new()), true));
            nodes.push(leaf(bin.points, bin.share));
        }
        for bin in &self.bins {
            if let Some(to) = bin.to {
                nodes.push(split(nodes.len(), Test::AtMost(to), true));
            }
            nodes.push(leaf(bin.points, bin.share));
        }
        Ok(Tree { nodes })
    }

    fn check(&self) -> Result<(), Error> {
        let wrong = |what| Err(Error::damaged(self.feature.as_str(), what));
        within("the number of bins", self.bins.len(), limits::DEPTH_MAX)?;
        let Some((last, others)) = self.bins.split_last() else {
            return wrong("it has no bins");
        };
        let bounds: Vec<f64> = others.iter().filter_map(|bin| bin.to).collect();
        let bounded = last.to.or(self.missing.as_ref().and_then(|bin| bin.to));
        if bounded.is_some() || bounds.len() != others.len() {
            return wrong("all bins but the last have an upper bound, and only they");
        }
        if !bounds.is_sorted_by(|one, next| one < next) {
            return wrong("the bounds do not ascend");
        }
        Ok(())
    }
}
