//! How large a model may be. What is larger is refused before it is built.

use crate::Error;

/// Bytes of a model file: 256 MiB. 1,000 trees of 1,000 leaves take about 100 MB as text.
pub const BYTES_MAX: usize = 256 << 20;
/// Features of a model.
pub const FEATURES_MAX: usize = 4_096;
/// Bytes of the name of a feature.
pub const NAME_BYTES_MAX: usize = 256;
/// Trees of a model.
pub const TREES_MAX: usize = 20_000;
/// Nodes of all trees together, leaves included.
pub const NODES_MAX: usize = 8_000_000;
/// Splits between a root and a leaf.
pub const DEPTH_MAX: usize = 512;
/// Categories are numbers below this.
pub const CATEGORIES_MAX: usize = 1 << 16;

/// Refuses what is above its limit.
pub(crate) fn within(what: &'static str, found: usize, limit: usize) -> Result<(), Error> {
    if found <= limit {
        return Ok(());
    }
    Err(Error::TooLarge {
        what,
        found: found as u64,
        limit: limit as u64,
    })
}
