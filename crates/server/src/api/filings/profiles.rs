//! How the profiles that reports are written for look over the wire.

use paywarden_filings::{Basis, Format, Profile, profile::Deadline};
use serde::Serialize;
use utoipa::ToSchema;

/// The profiles that reports may be written for.
#[derive(Serialize, ToSchema)]
pub struct ReportProfileList {
    /// By name.
    pub profiles: Vec<ReportProfile>,
}

/// A profile.
#[derive(Serialize, ToSchema)]
pub struct ReportProfile {
    /// Its name.
    pub name: String,
    /// For people.
    pub title: String,
    /// Who receives reports.
    pub unit: String,
    /// The format; null where the unit has a form of its own.
    pub format: Option<Format>,
    /// The version of the schema.
    pub schema: String,
    /// Until when.
    pub deadlines: Vec<ReportDeadline>,
}

/// Until when a report has to be made.
#[derive(Serialize, ToSchema)]
pub struct ReportDeadline {
    /// What is reported: `suspicious` or `large_value`.
    pub duty: &'static str,
    /// Whether it holds only while nobody is suspected by name.
    pub without_subject: bool,
    /// From when on.
    pub from: String,
    /// How many days.
    pub days: u16,
    /// Whether they are business days.
    pub business: bool,
    /// Whether a law names the number.
    pub basis: Basis,
    /// Which.
    pub source: String,
}

impl ReportProfile {
    pub(super) fn of(profile: &Profile) -> Self {
        let deadline = |row: &Deadline| ReportDeadline {
            duty: row.duty.name(),
            without_subject: row.without_subject,
            from: row.from.clone(),
            days: row.days,
            business: row.business,
            basis: if row.by_law {
                Basis::Law
            } else {
                Basis::Target
            },
            source: row.source.clone(),
        };
        Self {
            name: profile.name.clone(),
            title: profile.title.clone(),
            unit: profile.unit.clone(),
            format: profile.format,
            schema: profile.schema.clone(),
            deadlines: profile.deadlines.iter().map(deadline).collect(),
        }
    }
}
