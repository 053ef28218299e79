//! Models that score payments: ensembles of regression trees over named features.
//!
//! ```text
//! tree        a tree as files and the trainer hand it over
//! ensemble    all trees flat in memory: raw score, reasons along the path
//! shapley     exact Shapley values, on demand
//! import      LightGBM text, XGBoost JSON, ONNX TreeEnsemble, scorecards, our own form
//! recipe      what a model reads: numbers over the windows of `features`
//! package     a model with its recipe, its calibration and what it saw: what goes to work
//! spread      how numbers are spread, and how far others moved away
//! table       rows of named features; train: boosting over their histograms
//! calibration from raw scores to chances
//! metrics     how good scores are, with intervals
//! ```
//!
//! A missing value is `NaN`; it is never the same as zero. No file, no clock: bytes, rows and seeds
//! come from the caller.

pub mod calibration;
pub mod ensemble;
pub mod error;
pub mod import;
pub mod limits;
pub mod metrics;
pub mod package;
pub mod random;
pub mod recipe;
mod shapley;
pub mod spread;
pub mod table;
pub mod train;
pub mod tree;

pub use calibration::Calibration;
pub use ensemble::Ensemble;
pub use error::Error;
pub use package::{Package, Reads, Reference};
pub use recipe::Recipe;
pub use spread::Spread;
pub use table::Table;
pub use tree::{Arithmetic, Link, Node, Parts, Split, Sum, Test, Tree};
