//! Why nothing became of a request about reports.

use super::ReportState;
use crate::edge::{Code, Problem};
use paywarden_filings::{Day, Refused};

/// Why nothing became of it, named by what the caller can do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Look at the list.
    #[error("no report of yours has this identifier")]
    Unknown,
    /// Look at the list of profiles.
    #[error("no profile has this name")]
    ProfileUnknown,
    /// Give another reference.
    #[error("another report has this reference")]
    ReferenceTaken,
    /// Read it again: it has changed, or is in another state.
    #[error("the report is {0:?}, or has changed: read it again")]
    State(ReportState),
    /// Mend these faults first.
    #[error("the report has {} faults, the first at {}: {}", .0.len(), .0[0].path, .0[0].hint)]
    Faulty(Vec<paywarden_filings::Fault>),
    /// Say who reports for the company: the setting `reporting_file`.
    #[error("nobody is named who reports for this company")]
    NoReporter,
    /// Wait, or look without drafting.
    #[error("payments of this day may still be told of; those of {0} and before are")]
    DayOpen(Day),
    /// See the error of the engine.
    #[error(transparent)]
    Engine(#[from] paywarden_risk::Error),
    /// File it by hand, or under another profile.
    #[error("{0}")]
    NoFile(Refused),
    /// Draft it with fewer parts.
    #[error("a report has at most 6 MB")]
    TooLarge,
    /// An operator looks at it.
    #[error("the report {0} does not open: it was changed outside, or sealed by another key")]
    Damaged(String),
    /// An operator looks at it.
    #[error("internal: {0}")]
    Internal(String),
    /// See the error of approvals.
    #[error(transparent)]
    Approval(#[from] paywarden_access::approval::Error),
    /// See the error of the store.
    #[error(transparent)]
    Store(#[from] paywarden_store::Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let code = match error {
            Error::Approval(error) => return error.into(),
            Error::Store(error) => return paywarden_risk::Error::from(error).into(),
            Error::Engine(error) => return error.into(),
            Error::DayOpen(_) => Code::ReportDayOpen,
            Error::NoReporter => Code::ReportNoReporter,
            Error::Unknown => Code::ReportUnknown,
            Error::ProfileUnknown => Code::ReportProfileUnknown,
            Error::ReferenceTaken => Code::ReportReferenceTaken,
            Error::State(_) => Code::ReportState,
            Error::Faulty(_) => Code::ReportFaulty,
            Error::NoFile(_) => Code::ReportNoFile,
            Error::TooLarge => Code::BodyTooLarge,
            Error::Damaged(_) => Code::RecordDamaged,
            Error::Internal(_) => Code::Internal,
        };
        Self::new(code, error.to_string())
    }
}
