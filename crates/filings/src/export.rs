//! A report in the words of a financial intelligence unit. A report with a fault is in none.

mod alpha3;
mod fincen;
mod goaml;
mod pboc;
pub mod xml;

use crate::{Day, Fault, Profile, Report, check, check::Faults};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FilingFormat)]
pub enum Format {
    /// goAML of the UNODC; version and codes are the profile's.
    Goaml,
    /// FinCEN SAR and CTR, XML schema 2.0.
    Fincen,
    /// The XML of China's monitoring centre, in the shape of the forms for banks.
    Pboc,
}

/// Why there is no export.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The unit of this profile takes no file: its form is filled in by hand.
    #[error("the unit of this profile takes reports through its own form")]
    NoFormat,
    /// These faults.
    #[error("the report has {} faults", .0.len())]
    Faulty(Vec<Fault>),
}

/// Writes a report. The same report on the same day gives the same bytes; `today` is the day of
/// filing at the place of the profile.
pub fn export(report: &Report, profile: &Profile, today: Day) -> Result<String, Refused> {
    let format = profile.format.ok_or(Refused::NoFormat)?;
    let faults = check(report, profile, today);
    if !faults.is_empty() {
        return Err(Refused::Faulty(faults));
    }
    Ok(match format {
        Format::Goaml => goaml::write(report, profile, today),
        Format::Fincen => fincen::write(report, profile, today),
        Format::Pboc => pboc::write(report, profile),
    })
}

impl Format {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Goaml => "goaml",
            Self::Fincen => "fincen",
            Self::Pboc => "pboc",
        }
    }

    /// What only this format refuses.
    pub(crate) fn check(self, report: &Report, profile: &Profile, faults: &mut Faults) {
        match self {
            Self::Goaml => goaml::check(report, faults),
            Self::Fincen => fincen::check(report, profile, faults),
            Self::Pboc => pboc::check(report, profile, faults),
        }
    }
}

/// A large value is of one day: what was summed for it.
fn one_day(report: &Report, profile: &Profile, faults: &mut Faults) {
    let days = report.transactions.iter();
    let mut days = days.map(|one| Day::of(one.at, profile.utc_offset_hours));
    let first = days.next();
    if let Some(place) = days.position(|day| Some(day) != first) {
        let path = format!("/transactions/{}/at", place + 1);
        faults.add(
            path,
            "date",
            "a large value is of one day: report others apart",
        );
    }
}
