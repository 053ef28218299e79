//! What refusals say, chapter by chapter. `cargo xtask tidy` holds the tables against the sources.

mod approvals;
mod door;
mod general;
mod privacy;
mod risk;
mod staff;
mod work;

use super::word;
use crate::word::Word;

/// The longer ones before those that would take them for theirs.
pub(super) const SENTENCES: &[&[Word]] = &[
    door::SENTENCES,
    approvals::SENTENCES,
    staff::SENTENCES,
    work::SENTENCES,
    privacy::SENTENCES,
    risk::SENTENCES,
    general::SENTENCES,
    JOINTS,
];

/// How sentences are joined, and said of a field.
#[rustfmt::skip]
const JOINTS: &[Word] = &[
    word("`{}`: {}", "`{}`：{}"),
    word("{}: {}", "`{}`：{}"),
    word("{}; {}", "{}；{}"),
    word("{} ({})", "{}（{}）"),
];
