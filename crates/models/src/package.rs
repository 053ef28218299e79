//! What goes to work: a model with all that it takes to ask it and to watch it.
//!
//! A package says of which entities and behind which label delay its model reads, how its raw scores
//! become chances, and what its numbers looked like on payments that it had not seen. It is read as
//! a whole or not at all: names of features that are not those of its recipe are refused.

use crate::{
    Calibration, Ensemble, Error, Recipe, Table,
    limits::{self, within},
    spread::Spread,
    tree::Parts,
};
use paywarden_domain::time::DAY;
use paywarden_features::EntityKind;
use serde::{Deserialize, Serialize};

/// How a package begins.
pub const MAGIC: &[u8] = b"PWPACK02";
/// The longest label delay of a recipe, in microseconds.
pub const DELAY_MAX: i64 = 365 * DAY;

/// What a model reads: the parameters of [`Recipe::payments`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Reads {
    /// Who pays.
    pub payer: EntityKind,
    /// Who is paid.
    pub place: EntityKind,
    /// After about how many microseconds frauds become known, up to [`DELAY_MAX`].
    pub delay: i64,
}

/// A checked package.
#[derive(Debug, Clone)]
pub struct Package {
    /// What the model reads.
    pub reads: Reads,
    /// The model.
    pub model: Ensemble,
    /// From its raw scores to chances.
    pub calibration: Calibration,
    /// What it saw while it was calibrated.
    pub reference: Reference,
}

/// What the numbers of a model looked like on payments that it had not learnt from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// How many payments.
    pub rows: u64,
    /// How many of them were frauds.
    pub frauds: u64,
    /// Each feature, in the order of a row.
    pub features: Vec<Spread>,
    /// The raw scores.
    pub score: Spread,
    /// Of each feature that names something, what it named, ascending; empty of the others.
    pub named: Vec<Vec<u16>>,
}

/// A package as bytes hold it.
#[derive(Serialize, Deserialize)]
struct Wire {
    payer: String,
    place: String,
    delay: i64,
    model: Parts,
    calibration: Calibration,
    reference: Reference,
}

impl Reads {
    /// The recipe. Refuses a delay that windows cannot keep off.
    pub fn recipe(&self) -> Result<Recipe, Error> {
        if !(0..=DELAY_MAX).contains(&self.delay) {
            return Err(Error::damaged("recipe", "the label delay is 0 to 365 days"));
        }
        Ok(Recipe::payments(self.payer, self.place, self.delay))
    }
}

impl Reference {
    /// Of some rows of a table and their raw scores.
    pub fn of(table: &Table, rows: &[u32], raw: &[f64], fraud: &[bool]) -> Self {
        let column = |place: usize| {
            let value = |row: &u32| table.row(*row as usize).get(place).copied();
            rows.iter().filter_map(value).collect::<Vec<f64>>()
        };
        let width = 0..table.names().len();
        let named = |place: usize| match Recipe::is_category(&table.names()[place]) {
            true => distinct(column(place)),
            false => Vec::new(),
        };
        let named = width.clone().map(named).collect();
        let spreads = width.map(|place| Spread::of(column(place)));
        Self {
            rows: rows.len() as u64,
            frauds: fraud.iter().filter(|fraud| **fraud).count() as u64,
            features: spreads.collect(),
            score: Spread::of(raw.to_vec()),
            named,
        }
    }

    /// Whether a feature that names something names what it did not name then.
    pub fn is_new(&self, feature: usize, value: f64) -> bool {
        let known = self.named.get(feature).filter(|known| !known.is_empty());
        known.is_some_and(|known| !value.is_nan() && known.binary_search(&(value as u16)).is_err())
    }
}

fn distinct(mut values: Vec<f64>) -> Vec<u16> {
    values.retain(|value| !value.is_nan());
    let mut named: Vec<u16> = values.into_iter().map(|value| value as u16).collect();
    named.sort_unstable();
    named.dedup();
    named
}

impl Package {
    /// Its bytes: [`MAGIC`] and postcard.
    pub fn write(&self) -> Result<Vec<u8>, Error> {
        let wire = Wire {
            payer: self.reads.payer.name().to_owned(),
            place: self.reads.place.name().to_owned(),
            delay: self.reads.delay,
            model: self.model.parts(),
            calibration: self.calibration.clone(),
            reference: self.reference.clone(),
        };
        postcard::to_extend(&wire, MAGIC.to_vec())
            .map_err(|error| Error::damaged("package", error.to_string()))
    }

    /// Reads and checks a package. Refuses features that are not those of its recipe, trees that are
    /// none, maps that fall, and a reference of other features.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        within("the package in bytes", bytes.len(), limits::BYTES_MAX)?;
        let body = bytes
            .strip_prefix(MAGIC)
            .ok_or_else(|| Error::damaged("package", "it does not begin as a package does"))?;
        let (wire, rest) = postcard::take_from_bytes::<Wire>(body)
            .map_err(|error| Error::damaged("package", error.to_string()))?;
        if !rest.is_empty() {
            return Err(Error::damaged("package", "bytes follow its end"));
        }
        wire.checked()
    }
}

impl Wire {
    fn checked(self) -> Result<Package, Error> {
        let kind = |name: &str| {
            EntityKind::parse(name)
                .ok_or_else(|| Error::damaged("recipe", format!("no entity is called {name:?}")))
        };
        let reads = Reads {
            payer: kind(&self.payer)?,
            place: kind(&self.place)?,
            delay: self.delay,
        };
        let model = Ensemble::new(self.model)?;
        model.bind(reads.recipe()?.names())?;
        let reference = self.reference;
        let features = model.features().len();
        if [reference.features.len(), reference.named.len()] != [features; 2] {
            return Err(Error::damaged("reference", "it is of other features"));
        }
        if !reference.named.iter().all(|named| named.is_sorted()) {
            return Err(Error::damaged(
                "reference",
                "its categories are out of order",
            ));
        }
        let spreads = reference.features.iter().chain([&reference.score]);
        spreads.into_iter().try_for_each(Spread::check)?;
        Ok(Package {
            reads,
            model,
            calibration: self.calibration.checked()?,
            reference,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Link, Node, Split, Sum, Test, Tree};

    fn package() -> Package {
        let reads = Reads {
            payer: EntityKind::Card,
            place: EntityKind::Terminal,
            delay: 7 * DAY,
        };
        let names = reads.recipe().unwrap().names().to_vec();
        let leaf = |value| Node::Leaf { value, cover: 1.0 };
        let split = Node::Split(Split {
            feature: 0,
            test: Test::AtMost(10.0),
            missing_left: true,
            left: 1,
            right: 2,
        });
        let model = Ensemble::new(Parts {
            features: names.clone(),
            trees: vec![Tree {
                nodes: vec![split, leaf(-1.0), leaf(1.0)],
            }],
            sum: Sum::from(0.0),
            link: Link::Logistic { scale: 1.0 },
        });
        let mut table = Table::new(names).unwrap();
        for place in 0..100 {
            let mut row = vec![f64::NAN; table.names().len()];
            row[0] = f64::from(place);
            table.push(&row).unwrap();
        }
        let rows: Vec<u32> = (0..100).collect();
        let raw: Vec<f64> = rows.iter().map(|row| f64::from(*row)).collect();
        let fraud: Vec<bool> = rows.iter().map(|row| *row > 80).collect();
        Package {
            reads,
            model: model.unwrap(),
            calibration: Calibration::platt(&raw, &fraud).unwrap(),
            reference: Reference::of(&table, &rows, &raw, &fraud),
        }
    }

    #[test]
    fn a_package_reads_back_and_every_cut_of_it_is_refused() {
        let package = package();
        let bytes = package.write().unwrap();
        let again = Package::read(&bytes).unwrap();
        assert_eq!(again.write().unwrap(), bytes);
        assert_eq!(again.reference.rows, 100);
        assert_eq!(again.reference.frauds, 19);
        for length in 0..bytes.len() {
            assert!(Package::read(&bytes[..length]).is_err(), "{length}");
        }
        assert!(Package::read(&[bytes.as_slice(), b"x"].concat()).is_err());
    }

    #[test]
    fn other_features_delays_and_references_are_refused_by_name() {
        let other = |change: fn(&mut Package)| {
            let mut package = package();
            change(&mut package);
            Package::read(&package.write().unwrap())
                .unwrap_err()
                .to_string()
        };
        let delayed = other(|package| package.reads.delay = 14 * DAY);
        assert!(
            delayed.contains("7d..8d") && delayed.contains("14d..15d"),
            "{delayed}"
        );
        let endless = other(|package| package.reads.delay = i64::MAX);
        assert!(endless.contains("365 days"), "{endless}");
        let short = other(|package| drop(package.reference.features.pop()));
        assert!(short.contains("other features"), "{short}");
        let falling = other(|package| {
            package.calibration = Calibration::Isotonic {
                steps: vec![(1.0, 0.5), (0.0, 0.6)],
            };
        });
        assert!(falling.contains("rise"), "{falling}");
        let none = other(|package| {
            package.calibration = Calibration::Platt {
                slope: f64::NAN,
                offset: 0.0,
            };
        });
        assert!(none.contains("no number"), "{none}");
    }
}
