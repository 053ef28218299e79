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
    /// What the company itself wants to be told of.
    Own,
}

impl ListKind {
    /// Every kind, the gravest first.
    pub const ALL: [Self; 4] = [Self::Sanctions, Self::Pep, Self::Adverse, Self::Own];

    /// The word in rules, replies and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sanctions => "sanctions",
            Self::Pep => "pep",
            Self::Adverse => "adverse",
            Self::Own => "own",
        }
    }

    /// The kind with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}
