//! Models from the files of other libraries, and from our own.

pub mod lightgbm;
pub mod native;
pub mod onnx;
pub mod scorecard;
#[cfg(test)]
mod tests;
mod wire;
pub mod xgboost;

use crate::limits::{self, within};
use crate::package::{self, Package};
use crate::tree::{Node, Test, Tree};
use crate::{Ensemble, Error};

/// What a model may be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Our own, exact and compact.
    Native,
    /// A model in our own form with what it takes to put it to work.
    Package,
    /// The text of LightGBM's `save_model`.
    LightGbm,
    /// The JSON of XGBoost's `save_model`.
    XgBoost,
    /// ONNX with one `TreeEnsembleClassifier` or `TreeEnsembleRegressor`.
    Onnx,
    /// A scorecard in JSON.
    Scorecard,
}

impl Format {
    /// The format of these bytes, by how they begin.
    pub fn detect(bytes: &[u8]) -> Result<Self, Error> {
        let start = bytes.trim_ascii_start();
        let head = &start[..start.len().min(1 << 20)];
        let names = |word: &[u8]| head.windows(word.len()).any(|part| part == word);
        if bytes.starts_with(native::MAGIC) {
            Ok(Self::Native)
        } else if bytes.starts_with(package::MAGIC) {
            Ok(Self::Package)
        } else if start.starts_with(b"tree\n") || start.starts_with(b"tree\r\n") {
            Ok(Self::LightGbm)
        } else if start.starts_with(b"{") && names(b"\"characteristics\"") {
            Ok(Self::Scorecard)
        } else if start.starts_with(b"{") {
            Ok(Self::XgBoost)
        } else if names(b"TreeEnsemble") {
            Ok(Self::Onnx)
        } else {
            Err(Error::damaged("file", "no model format begins like this"))
        }
    }

    /// The name that people know it by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "paywarden",
            Self::Package => "package",
            Self::LightGbm => "lightgbm",
            Self::XgBoost => "xgboost",
            Self::Onnx => "onnx",
            Self::Scorecard => "scorecard",
        }
    }
}

/// Reads a model of any format. `names` are the features, for files that do not name them; for
/// files that do, they must be the same.
pub fn read(bytes: &[u8], names: Option<&[String]>) -> Result<Ensemble, Error> {
    within("the file in bytes", bytes.len(), limits::BYTES_MAX)?;
    let model = match Format::detect(bytes)? {
        Format::Native => native::read(bytes),
        Format::Package => Package::read(bytes).map(|package| package.model),
        Format::LightGbm => lightgbm::read(bytes),
        Format::XgBoost => xgboost::read(bytes, names),
        Format::Onnx => onnx::read(bytes, names),
        Format::Scorecard => scorecard::read(bytes),
    }?;
    if let Some(names) = names {
        model.bind(names)?;
    }
    Ok(model)
}

/// The names of a file that has none, or of one whose own are empty.
fn names_of(count: usize, names: Option<&[String]>) -> Result<Vec<String>, Error> {
    match names {
        Some(names) if names.len() == count => Ok(names.to_vec()),
        Some(names) => Err(Error::Row {
            expected: count,
            found: names.len(),
        }),
        None => Err(Error::Nameless(count)),
    }
}

/// `value < threshold` as `value <= …`, for values in single precision.
fn below(threshold: f32) -> Test {
    Test::AtMost(f64::from(threshold.next_down()))
}

/// Splits that point to places of the same list, as files have them, checked for presence later.
fn tree(nodes: Vec<Node>) -> Tree {
    Tree { nodes }
}
