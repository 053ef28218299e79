//! What is sent to the routes of alerts and cases, and what they answer.

use crate::{
    edge::{Code, Problem},
    reports::ReportView,
};
use paywarden_cases::{
    Alert, AlertAct, Case, Close, Note, PaymentActionKind, Queue, Reason, Related, Typology,
};
use paywarden_domain::{PaymentId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A page of alerts.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaymentAlertList {
    /// The alerts, most urgent first; closed ones, and those about somebody, newest first.
    pub alerts: Vec<Alert>,
    /// Give this as `cursor` to read on; null at the end. A page may be short and yet have one.
    pub next_cursor: Option<String>,
}

/// The alert that was claimed.
#[derive(Debug, Serialize, ToSchema)]
pub struct NextPaymentAlert {
    /// The alert; null if nothing waits.
    pub alert: Option<Alert>,
}

/// What is done with one alert.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentAlertActInput {
    /// What.
    pub act: AlertAct,
    /// The version that you have seen; another one is refused.
    #[serde(default)]
    pub version: Option<i64>,
}

/// What is done with many alerts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentAlertActsInput {
    /// Which, 1 to 100.
    pub alerts: Vec<String>,
    /// What.
    pub act: AlertAct,
}

/// How one alert is closed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentAlertClosingInput {
    /// As what.
    pub closing: Close,
    /// The version that you have seen; another one is refused.
    #[serde(default)]
    pub version: Option<i64>,
}

/// How many alerts are closed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentAlertClosingsInput {
    /// Which, 1 to 100.
    pub alerts: Vec<String>,
    /// As what.
    pub closing: Close,
}

/// What became of each of many alerts.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaymentAlertResults {
    /// In the order in which they were named.
    pub results: Vec<PaymentAlertResult>,
}

/// What became of one of many alerts.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaymentAlertResult {
    /// Which.
    pub id: String,
    /// Its new version; null if it was refused.
    pub version: Option<i64>,
    /// The code of the refusal.
    pub code: Option<&'static str>,
    /// The refusal in words.
    pub detail: Option<String>,
}

/// A note to write.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkNoteInput {
    /// 1 to 4,096 bytes.
    #[serde(deserialize_with = "crate::api::own_words")]
    pub text: String,
    /// Who is to read it, `staff:…`; at most 16.
    #[serde(default)]
    pub mentions: Vec<String>,
}

/// Notes.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkNoteList {
    /// Oldest first.
    pub notes: Vec<Note>,
    /// Give this as `after` to read on; null at the end.
    pub next_after: Option<u32>,
}

/// What is asked of a payment.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentActionInput {
    /// What.
    pub action: PaymentActionKind,
    /// Of which payment of the alert or case.
    pub payment_id: PaymentId,
    /// Why, 1 to 256 bytes.
    #[serde(deserialize_with = "crate::api::own_words")]
    pub reason: String,
}

/// What is done about somebody who takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntityActionKind {
    /// Their payments are refused: onto the list `denied_…`.
    Block,
    /// Their payments ask for a further factor: onto the list `challenged_…`.
    Challenge,
}

/// Something is to be done about somebody who takes part.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EntityActionInput {
    /// What.
    pub action: EntityActionKind,
    /// About whom, of the entities of the alert or case.
    pub entity: String,
    /// Until when.
    pub expires_at: Timestamp,
    /// Why, 1 to 256 bytes.
    #[serde(deserialize_with = "crate::api::own_words")]
    pub reason: String,
    /// The approval of this very change, where the policy asks for one.
    #[serde(default)]
    pub approval: Option<String>,
}

/// What was done about somebody.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntityActionDone {
    /// The list that they are on.
    pub list: String,
    /// About whom.
    pub entity: String,
    /// Until when.
    pub expires_at: Timestamp,
}

/// What alerts and cases are worked on by.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertPolicyView {
    /// The queues that you see.
    pub queues: Vec<Queue>,
    /// Why something is closed as what it was.
    pub reasons: Vec<Reason>,
    /// What cases are about.
    pub typologies: Vec<Typology>,
}

/// A page of cases.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseList {
    /// The cases, most urgent first; closed and merged ones newest first.
    pub cases: Vec<Case>,
    /// Give this as `cursor` to read on; null at the end.
    pub next_cursor: Option<String>,
}

/// What is done with a case.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseActInput {
    /// What.
    pub act: paywarden_cases::CaseAct,
    /// The version that you have seen; another one is refused.
    #[serde(default)]
    pub version: Option<i64>,
}

/// Why a case is looked at again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseReopening {
    /// Why, 1 to 256 bytes.
    #[serde(deserialize_with = "crate::api::own_words")]
    pub reason: String,
}

/// Payments to put into a case.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CasePaymentsInput {
    /// Which, 1 to 60, by your identifiers.
    pub payments: Vec<PaymentId>,
}

/// Cases that share somebody with another.
#[derive(Debug, Serialize, ToSchema)]
pub struct RelatedCaseList {
    /// Those that share most first.
    pub related: Vec<Related>,
}

/// Reports about a case.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseReportList {
    /// Newest first.
    pub reports: Vec<ReportView>,
    /// Whether every report was looked through: the newest 5,000 are.
    pub is_all: bool,
}

impl EntityActionKind {
    pub(crate) fn list(self, kind: &str) -> String {
        match self {
            Self::Block => format!("denied_{kind}s"),
            Self::Challenge => format!("challenged_{kind}s"),
        }
    }
}

impl WorkNoteList {
    pub(crate) fn new(notes: Vec<Note>) -> Self {
        let last = notes.last().map(|note| note.number);
        Self {
            next_after: last.filter(|_| notes.len() == 200),
            notes,
        }
    }
}

impl PaymentAlertResult {
    pub(crate) fn of(id: &str, done: Result<Alert, paywarden_cases::Error>) -> Self {
        let id = id.to_owned();
        match done {
            Ok(alert) => Self {
                id,
                version: Some(alert.version),
                code: None,
                detail: None,
            },
            Err(error) => {
                let detail = error.to_string();
                Self {
                    id,
                    version: None,
                    code: Some(Problem::from(error).code().name()),
                    detail: Some(detail),
                }
            }
        }
    }
}

/// After how long a scanner may be there again, in microseconds.
const PAUSE_US: u64 = 30_000_000;

impl From<paywarden_cases::Error> for Problem {
    fn from(error: paywarden_cases::Error) -> Self {
        use paywarden_cases::Error;
        let detail = error.to_string();
        match error {
            Error::Unknown => Self::new(Code::WorkItemUnknown, detail),
            Error::State(_) => Self::new(Code::WorkItemState, detail),
            Error::NotYours(_) => Self::new(Code::WorkItemTaken, detail),
            Error::Changed => Self::new(Code::WorkItemChanged, detail),
            Error::Field { field, why } => {
                Self::new(Code::FieldInvalid, why).at(format!("/{field}"))
            }
            Error::Limit(_) => Self::new(Code::FieldInvalid, detail),
            Error::File(_) => Self::new(Code::CaseFileRefused, detail),
            Error::FileInfected(_) => Self::new(Code::CaseFileInfected, detail),
            Error::FileErased => Self::new(Code::CaseFileErased, detail),
            Error::ScannerAway => {
                Self::new(Code::CaseFileScannerAway, detail).retry_after_us(PAUSE_US)
            }
            Error::Approval(error) => error.into(),
            Error::Store(error) => crate::api::person::store(&error),
            Error::Policy(_) | Error::Damaged(_) => {
                tracing::error!(detail, "alerts and cases");
                Self::new(Code::RecordDamaged, "a stored record does not read back")
            }
        }
    }
}
