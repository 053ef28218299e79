//! What an entity is, and what a list is about.

use serde::{Deserialize, Serialize};

/// What kind of entity bears a name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A natural person.
    Person,
    /// A company, bank, group or public body.
    Organisation,
    /// A ship.
    Vessel,
    /// An aircraft.
    Aircraft,
    /// Not said.
    #[default]
    Unknown,
}

impl Kind {
    /// Whether one entity can be of both kinds.
    pub fn fits(self, other: Self) -> bool {
        self == other || self == Self::Unknown || other == Self::Unknown
    }
}

/// What being on a list means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListKind {
    /// Dealings are forbidden or restricted by law.
    Sanctions,
    /// A politically exposed person (FATF recommendation 12).
    Pep,
    /// Adverse media and other risk that is no sanction.
    Adverse,
}
