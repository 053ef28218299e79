//! A report as kept: a head that says where it stands, and the content in parts.

use paywarden_domain::Timestamp;
use paywarden_filings::{Due, Duty, Profile, Report};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// Where a report stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportState {
    /// It is being written.
    Draft,
    /// It may be filed, as it is.
    Approved,
    /// The unit has it.
    Filed,
    /// The unit has said that it has it.
    Acknowledged,
    /// The unit has refused it: amend it.
    Rejected,
}

/// A report that was handed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Filing {
    /// What the unit calls it; none if it says so later.
    pub reference: Option<String>,
    /// When it was handed in.
    pub at: Timestamp,
    /// By whom, as the trail knows them.
    pub by: String,
}

/// What a unit said of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Acknowledgement {
    /// Whether it took it.
    pub accepted: bool,
    /// What it calls it.
    pub reference: String,
    /// What it said, in its words.
    pub note: Option<String>,
    /// When that was written down.
    pub at: Timestamp,
}

/// The head, sealed.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) state: ReportState,
    pub(super) profile: String,
    pub(super) duty: Duty,
    pub(super) reference: String,
    pub(super) case: Option<String>,
    /// Customers whom it names, by pseudonym.
    #[serde(default)]
    pub(super) customers: BTreeSet<String>,
    pub(super) due: Option<Due>,
    pub(super) drafted_at: Timestamp,
    pub(super) authors: Vec<String>,
    pub(super) content: Content,
    pub(super) approved_by: Option<String>,
    pub(super) filing: Option<Filing>,
    pub(super) acknowledgement: Option<Acknowledgement>,
    /// The report that it amends or goes on from.
    pub(super) amends: Option<String>,
}

/// Where the content is.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Content {
    /// The version of the head that it was written with.
    pub(super) version: i64,
    pub(super) parts: usize,
    pub(super) sha256: String,
}

/// A head with its place.
#[derive(Clone)]
pub(super) struct Placed {
    pub(super) id: String,
    pub(super) version: i64,
    pub(super) head: Head,
}

/// A report in a list: nothing of what it says, but whose law it is under and until when.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ReportView {
    /// `rep_…`
    pub id: String,
    /// Give it with every change: of two who change at once one is refused.
    pub version: i64,
    /// Where it stands.
    pub state: ReportState,
    /// Its profile.
    pub profile: String,
    /// What is reported.
    pub duty: Duty,
    /// Your own reference.
    pub reference: String,
    /// Your own case.
    pub case: Option<String>,
    /// Until when it has to be filed; null where the profile has no such duty.
    pub due: Option<Due>,
    /// Whether that has passed and it is not filed.
    pub overdue: bool,
    /// When it was begun.
    pub drafted_at: Timestamp,
    /// Who wrote it, as the trail knows them.
    pub authors: Vec<String>,
    /// SHA-256 of the content.
    pub content_sha256: String,
    /// Who carried its approval out.
    pub approved_by: Option<String>,
    /// How it was filed.
    pub filing: Option<Filing>,
    /// What the unit said.
    pub acknowledgement: Option<Acknowledgement>,
    /// The report that it amends or goes on from.
    pub amends: Option<String>,
}

impl Head {
    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, ReportState::Draft | ReportState::Approved)
    }

    /// What of a report its head says.
    pub(super) fn retell(&mut self, report: &Report, profile: &Profile, due: Option<Due>) {
        self.profile.clone_from(&profile.name);
        self.duty = report.duty;
        self.reference.clone_from(&report.reference);
        self.case.clone_from(&report.case);
        self.due = due;
    }
}

impl Placed {
    pub(super) fn view(self, now: Timestamp) -> ReportView {
        let Self { id, version, head } = self;
        let passed = head.due.as_ref().is_some_and(|due| due.at <= now);
        ReportView {
            overdue: passed && head.is_open(),
            id,
            version,
            state: head.state,
            profile: head.profile,
            duty: head.duty,
            reference: head.reference,
            case: head.case,
            due: head.due,
            drafted_at: head.drafted_at,
            authors: head.authors,
            content_sha256: head.content.sha256,
            approved_by: head.approved_by,
            filing: head.filing,
            acknowledgement: head.acknowledgement,
            amends: head.amends,
        }
    }
}
