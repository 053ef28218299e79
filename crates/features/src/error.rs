//! What can go wrong, by what the caller can do about it.

use crate::window::{WINDOW_MAX, WindowSpec};
use paywarden_domain::time::DAY;

/// Why features could not be registered, read back or decoded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Correct the rule: its window is empty, reaches into the future or too far back.
    #[error("a window lies between now and {} days ago and is not empty", WINDOW_MAX / DAY)]
    Window(Box<WindowSpec>),
    /// Remove rules: they ask for more windows than the limit.
    #[error("{asked} windows are asked for, at most {limit} are kept")]
    TooManyWindows {
        /// How many the rules ask for.
        asked: usize,
        /// How many there may be.
        limit: usize,
    },
    /// Take another copy: these bytes are not what was written.
    #[error("damaged: {0}")]
    Damaged(&'static str),
    /// Use the version that wrote them: the bytes are of another format.
    #[error("written in format {found}, this version reads {expected}")]
    Format {
        /// The format of the bytes.
        found: u8,
        /// The format that this version reads.
        expected: u8,
    },
    /// Try again: the reader or writer failed.
    #[error("reading or writing failed")]
    Io(#[from] std::io::Error),
}
