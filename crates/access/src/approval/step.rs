//! What the ledger keeps of each act: the bodies of the steps, as JSON.

use super::{Error, Kind, desk::Who};
use paywarden_domain::Timestamp;
use paywarden_store::{ApprovalStepKind, ApprovalStepRow};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

/// Somebody asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) object: String,
    pub(crate) command: Value,
    /// Who made what the command is about.
    #[serde(default)]
    pub(crate) authors: Vec<String>,
    pub(crate) reason: String,
    pub(crate) ticket: Option<String>,
    pub(crate) expires_at: Timestamp,
}

/// Somebody votes for it, or refuses it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Voted {
    pub(crate) payload_sha256: String,
    /// Whoever asked, so that who approved whom is known from votes alone.
    pub(crate) maker: String,
    /// Whose lent right is used; none for the voter's own.
    pub(crate) on_behalf_of: Option<String>,
    pub(crate) reason: String,
}

/// Somebody takes it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Withdrawn {
    pub(crate) reason: String,
}

/// It is carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Used {
    /// Whose votes counted at that moment; nobody's in an emergency.
    pub(crate) approvers: Vec<String>,
    /// The policy that was in force.
    pub(crate) policy: i64,
}

/// It is allowed without votes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GlassBroken {
    pub(crate) reason: String,
    pub(crate) review_due: Timestamp,
}

/// An emergency is looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reviewed {
    pub(crate) finding: super::Finding,
    pub(crate) note: String,
}

/// A right to vote is lent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Delegated {
    pub(crate) to: String,
    pub(crate) until: Timestamp,
    /// For which kinds of command; empty for all.
    pub(crate) commands: Vec<Kind>,
    pub(crate) reason: String,
}

/// A policy comes into force; its number is that of the step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PolicySet {
    pub(crate) text: String,
    pub(crate) approval: String,
}

/// Changes that needed no approval today, this one included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spent {
    pub(crate) total: u32,
}

/// The row of a step.
pub(crate) fn row(
    (who, taken_at): (&Who, Timestamp),
    (approval, step_no): (&str, i64),
    (kind, command): (ApprovalStepKind, &str),
    body: &impl Serialize,
) -> Result<ApprovalStepRow, Error> {
    let body = serde_json::to_vec(body).map_err(|error| Error::Damaged(error.to_string()))?;
    Ok(ApprovalStepRow {
        tenant: who.tenant.clone(),
        approval: approval.to_owned(),
        step_no,
        kind,
        command: command.to_owned(),
        actor: who.actor.to_string(),
        taken_at,
        body,
    })
}

/// The body of a step.
pub(crate) fn body<T: DeserializeOwned>(row: &ApprovalStepRow) -> Result<T, Error> {
    serde_json::from_slice(&row.body).map_err(|_| damaged(row, "its body does not read"))
}

pub(crate) fn damaged(row: &ApprovalStepRow, what: &str) -> Error {
    let (approval, number) = (&row.approval, row.step_no);
    Error::Damaged(format!("step {number} of {approval}: {what}"))
}
