//! On what grounds data may be handled, by jurisdiction: one table, `bases.toml`.

use serde::{Deserialize, Serialize};
use std::sync::LazyLock;
use utoipa::ToSchema;

const TABLE: &str = include_str!("bases.toml");

/// Whose law holds.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Jurisdiction {
    /// None is known.
    #[default]
    Generic,
    /// European Economic Area.
    Gdpr,
    /// United Kingdom.
    Uk,
    /// China.
    Pipl,
    /// California.
    Ccpa,
}

impl Jurisdiction {
    /// Every jurisdiction.
    pub const ALL: [Self; 5] = [Self::Generic, Self::Gdpr, Self::Uk, Self::Pipl, Self::Ccpa];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::Gdpr => "gdpr",
            Self::Uk => "uk",
            Self::Pipl => "pipl",
            Self::Ccpa => "ccpa",
        }
    }
}

/// A ground that the law of a jurisdiction gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LawfulBasis)]
pub struct Basis {
    /// Whose law.
    pub jurisdiction: Jurisdiction,
    /// The word that policies use.
    pub name: String,
    /// Its term in the W3C Data Privacy Vocabulary.
    pub dpv: String,
    /// Where it stands.
    pub text: String,
    /// Whether the person must have agreed.
    pub consent: bool,
    /// Whether the person may object.
    pub objection: bool,
}

/// Every ground, in the order of the table.
pub fn bases() -> &'static [Basis] {
    #[derive(Deserialize)]
    struct Table {
        basis: Vec<Basis>,
    }
    // A test reads the table, so that a program that was built has one.
    static BASES: LazyLock<Vec<Basis>> = LazyLock::new(|| {
        toml::from_str(TABLE).map_or_else(|_| Vec::new(), |table: Table| table.basis)
    });
    &BASES
}

/// The ground with this name.
pub(crate) fn basis(jurisdiction: Jurisdiction, name: &str) -> Option<&'static Basis> {
    let is_it = |basis: &&Basis| basis.jurisdiction == jurisdiction && basis.name == name;
    bases().iter().find(is_it)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_jurisdiction_has_consent_and_a_legal_obligation_once() {
        let keys: BTreeSet<_> = bases()
            .iter()
            .map(|one| (one.jurisdiction, &one.name))
            .collect();
        assert_eq!((keys.len(), bases().len()), (25, 25));
        for jurisdiction in Jurisdiction::ALL {
            assert!(basis(jurisdiction, "consent").unwrap().consent);
            assert!(!basis(jurisdiction, "legal_obligation").unwrap().consent);
            let json = serde_json::to_string(&jurisdiction).unwrap();
            assert_eq!(json, format!("\"{}\"", jurisdiction.name()));
        }
    }
}
