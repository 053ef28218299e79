//! Until when a report has to be made.

use crate::{Day, Profile, Report, profile::Deadline};
use paywarden_domain::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// Until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = FilingDue)]
pub struct Due {
    /// The last day.
    pub day: Day,
    /// The moment at which it is over, at the place of the profile.
    pub at: Timestamp,
    /// Whether a law names the number of days.
    pub basis: Basis,
    /// The text that asks for it.
    pub source: String,
}

/// Where a number of days comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FilingBasis)]
pub enum Basis {
    /// The text names it.
    Law,
    /// The text says no more than "promptly": the number is a target.
    Target,
}

impl Profile {
    /// Until when a report of this profile has to be made, counted from `detected_at`; none if the
    /// profile has no such duty. Days are those of the place of the profile; the day itself is not
    /// counted. `holidays` matter where business days count.
    pub fn due(&self, report: &Report, holidays: &BTreeSet<Day>) -> Option<Due> {
        let unknown = report.subjects().all(|party| party.full_name().is_none());
        let fits = |row: &&Deadline| row.duty == report.duty && (unknown || !row.without_subject);
        let row = self.deadlines.iter().find(fits)?;
        let found = Day::of(report.detected_at, self.utc_offset_hours);
        let day = match row.business {
            true => found.after_business(row.days, holidays),
            false => found.after(i64::from(row.days)),
        };
        Some(Due {
            day,
            at: day.end(self.utc_offset_hours),
            basis: if row.by_law {
                Basis::Law
            } else {
                Basis::Target
            },
            source: row.source.clone(),
        })
    }
}
