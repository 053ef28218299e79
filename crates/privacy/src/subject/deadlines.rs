//! How long a person who asks may be kept waiting: one table, `deadlines.toml`.

use super::RequestKind;
use crate::policy::Jurisdiction;
use paywarden_domain::{Timestamp, time::DAY};
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
    /// Of which requests it speaks; of every other one if empty.
    #[serde(default)]
    pub kinds: Vec<RequestKind>,
    /// How long from when they asked.
    pub within: Wait,
    /// How much may be added once, if they are told why in time.
    #[serde(default)]
    pub more: Wait,
    /// Where it stands.
    pub text: String,
}

/// Months of the calendar, and days behind them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AnswerWait)]
pub struct Wait {
    /// Months.
    #[serde(default)]
    pub months: u32,
    /// Days.
    #[serde(default)]
    pub days: u32,
}

impl Deadline {
    /// Until when a request is to be answered, exclusive; the time that may be added is counted from
    /// the same moment.
    pub(super) fn due(&self, received_at: Timestamp, is_extended: bool) -> Timestamp {
        let Wait { months, days } = match is_extended {
            false => self.within,
            true => Wait {
                months: self.within.months + self.more.months,
                days: self.within.days + self.more.days,
            },
        };
        let start = received_at.after_months(months).micros();
        Timestamp::from_micros(start.saturating_add(i64::from(days) * DAY))
    }
}

/// The deadline of a jurisdiction for a kind of request.
pub fn deadline(jurisdiction: Jurisdiction, kind: RequestKind) -> Option<&'static Deadline> {
    #[derive(Deserialize)]
    struct Table {
        deadline: Vec<Deadline>,
    }
    // A test reads the table, so that a program that was built has one.
    static DEADLINES: LazyLock<Vec<Deadline>> = LazyLock::new(|| {
        toml::from_str(TABLE).map_or_else(|_| Vec::new(), |table: Table| table.deadline)
    });
    let speaks = |one: &&Deadline| {
        one.jurisdiction == jurisdiction && (one.kinds.is_empty() || one.kinds.contains(&kind))
    };
    DEADLINES.iter().find(speaks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use RequestKind::{Access, Objection};

    #[test]
    fn every_jurisdiction_has_a_deadline_for_every_request() {
        let due = |kind, is_extended| {
            let asked = Timestamp::parse("2026-01-31T10:00:00Z").unwrap();
            Jurisdiction::ALL.map(|one| {
                let due = deadline(one, kind).unwrap().due(asked, is_extended);
                due.to_string()[..10].to_owned()
            })
        };
        let (thirty, month) = ("2026-03-02", "2026-02-28");
        let first = [thirty, month, month, thirty, "2026-03-17"];
        assert_eq!(due(Access, false), first);
        let last = [thirty, "2026-04-30", "2026-04-30", thirty, "2026-05-01"];
        assert_eq!(due(Access, true), last);
        let objected = [thirty, month, month, thirty, "2026-02-19"];
        assert_eq!(due(Objection, false), objected);
    }
}
