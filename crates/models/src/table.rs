//! Rows of named features: what a model is trained on and judged by.

use crate::Error;
use crate::limits::{self, within};

/// Rows in a table: 16,777,215, so that they can be counted beside their weight.
pub const ROWS_MAX: usize = (1 << 24) - 1;

/// A table in memory: 8 bytes for each value, rows one after the other. Missing is `NaN`.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    names: Vec<String>,
    values: Vec<f64>,
}

impl Table {
    /// An empty table with these columns.
    pub fn new(names: Vec<String>) -> Result<Self, Error> {
        within("the number of features", names.len(), limits::FEATURES_MAX)?;
        if names.is_empty() {
            return Err(Error::Training("a table has a column"));
        }
        Ok(Self {
            names,
            values: Vec::new(),
        })
    }

    /// Adds a row. Refuses one of another length, with an infinite value, or beyond [`ROWS_MAX`].
    pub fn push(&mut self, row: &[f64]) -> Result<(), Error> {
        if row.len() != self.names.len() {
            return Err(Error::Row {
                expected: self.names.len(),
                found: row.len(),
            });
        }
        if row.iter().any(|value| value.is_infinite()) {
            return Err(Error::Training("a value is infinite"));
        }
        within("the number of rows", self.len() + 1, ROWS_MAX)?;
        self.values.extend_from_slice(row);
        Ok(())
    }

    /// The names of the columns.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.values.len() / self.names.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// One row; empty if there is no such.
    pub fn row(&self, place: usize) -> &[f64] {
        let first = place * self.names.len();
        self.values
            .get(first..first + self.names.len())
            .unwrap_or_default()
    }

    /// All rows in their order.
    pub fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.names.len())
    }
}
