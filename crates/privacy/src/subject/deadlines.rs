//! How long a person who asks may be kept waiting: one table, `deadlines.toml`.

use crate::policy::Jurisdiction;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;
use utoipa::ToSchema;

const TABLE: &str = include_str!("deadlines.toml");

/// How long one may take to answer a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AnswerDeadline)]
pub struct Deadline {
    /// Whose law.
    pub jurisdiction: Jurisdiction,
    /// Days from the day they asked.
    pub days: u32,
    /// Days that may be added once, if they are told why in time.
    pub more: u32,
    /// Where it stands.
    pub text: String,
}

/// The deadline of a jurisdiction.
pub fn deadline(jurisdiction: Jurisdiction) -> Option<&'static Deadline> {
    #[derive(Deserialize)]
    struct Table {
        deadline: Vec<Deadline>,
    }
    // A test reads the table, so that a program that was built has one.
    static DEADLINES: LazyLock<Vec<Deadline>> = LazyLock::new(|| {
        toml::from_str(TABLE).map_or_else(|_| Vec::new(), |table: Table| table.deadline)
    });
    DEADLINES
        .iter()
        .find(|one| one.jurisdiction == jurisdiction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_jurisdiction_has_a_deadline() {
        let days = Jurisdiction::ALL.map(|one| deadline(one).unwrap().days);
        assert_eq!(days, [30, 30, 30, 30, 45]);
    }
}
