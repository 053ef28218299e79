//! What is asked about persons and what is answered.

use crate::api::{query::cursor, vault::bodies::VaultRecord};
use paywarden_domain::Timestamp;
use paywarden_privacy::{
    Plain,
    subject::{Deadline, ErasedPerson, KeptBack, Moment, Standing, SubjectEvent, Timeline, Why},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A person objects.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectObjection {
    /// The person: your own identifier, or their pseudonym `sub_…`.
    pub(super) subject: String,
    /// To which purposes, 1 to 16.
    pub(super) purposes: Vec<String>,
    /// The objection is taken back.
    #[serde(default)]
    pub(super) lift: bool,
}

/// A person has handling restricted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectRestriction {
    /// The person: your own identifier, or their pseudonym `sub_…`.
    pub(super) subject: String,
    /// Handling goes on.
    #[serde(default)]
    pub(super) lift: bool,
}

/// Something must be kept.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectHold {
    /// The person: your own identifier, or their pseudonym `sub_…`.
    pub(super) subject: String,
    /// What it is known by, such as `case_4711`: lower case words joined by underscores.
    pub(super) reference: String,
    /// Until when; until it is lifted if not given.
    #[serde(default)]
    pub(super) until: Option<Timestamp>,
    /// It is lifted.
    #[serde(default)]
    pub(super) lift: bool,
}

/// The business relationship with a person ends.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectRelation {
    /// The person: your own identifier, or their pseudonym `sub_…`.
    pub(super) subject: String,
    /// When it ended, not in the future; now if not given.
    #[serde(default)]
    pub(super) ended_at: Option<Timestamp>,
    /// It goes on.
    #[serde(default)]
    pub(super) lift: bool,
}

/// A value is wrong.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectCorrection {
    /// The person: your own identifier, or their pseudonym `sub_…`.
    pub(super) subject: String,
    /// The value that is wrong.
    pub(super) token: String,
    /// What is right.
    #[schema(value_type = String)]
    pub(super) value: Plain<String>,
}

/// A person asks what is kept of them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectExportRequest {
    /// The person: your own identifier, or their pseudonym `sub_…`.
    pub(super) subject: String,
}

/// A person asks to be erased.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectErasureRequest {
    /// The person: your own identifier, or their pseudonym `sub_…`.
    pub(super) subject: String,
    /// Why, 1 to 256 bytes.
    #[serde(deserialize_with = "crate::api::own_words")]
    pub(super) reason: String,
}

/// A value of a person, for the person.
#[derive(Serialize, ToSchema)]
pub struct SubjectValue<'v> {
    /// Its token.
    pub(super) token: &'v str,
    /// What it is.
    pub(super) class: &'v str,
    /// The value.
    pub(super) value: &'v str,
    /// What belongs to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) details: Option<&'v str>,
}

/// What is kept of a person.
#[derive(Serialize, ToSchema)]
pub struct SubjectExport<'v> {
    /// Their pseudonym.
    pub(super) subject: String,
    /// The values, at most 1,000.
    pub(super) values: Vec<SubjectValue<'v>>,
    /// How they stand.
    pub(super) standing: Standing,
    /// What they said, newest first, at most 1,000.
    pub(super) events: Vec<SubjectEvent>,
    /// The same to read, one line for each.
    pub(super) readable: String,
    /// How long an answer may take.
    pub(super) deadline: Option<Deadline>,
}

/// What was erased of a person, and what was kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubjectErased {
    /// Their pseudonym.
    pub(super) subject: String,
    /// Values that were erased.
    pub(super) records: u64,
    /// Keys that were destroyed.
    pub(super) keys: u64,
    /// What was kept.
    pub(super) kept: Vec<SubjectKept>,
    /// How long an answer may take.
    pub(super) deadline: Option<Deadline>,
}

/// What was kept of a person who asked for erasure.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubjectKept {
    /// What for.
    pub(super) retention: &'static str,
    /// How many values.
    pub(super) records: u64,
    /// Why: `legal_hold` or `aml_evidence`.
    pub(super) why: &'static str,
    /// The hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hold: Option<String>,
}

/// What happened to the data of a person.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubjectTimeline {
    /// Their pseudonym.
    pub(super) subject: String,
    /// What is kept now, masked, newest first, at most 1,000 values.
    pub(super) values: Vec<VaultRecord>,
    /// What happened, newest first, at most 100.
    pub(super) moments: Vec<SubjectMoment>,
    /// How many leaves the tree has that the proofs lead to.
    pub(super) tree_size: u64,
    /// Its root, in hexadecimal digits.
    pub(super) root: String,
    /// Give this as `cursor` to read on, also where a page is empty; null at the end.
    pub(super) next_cursor: Option<String>,
}

/// One thing that happened.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubjectMoment {
    /// When.
    pub(super) at: Timestamp,
    /// What.
    pub(super) action: String,
    /// By whom.
    pub(super) by: String,
    /// For what, on which ground.
    pub(super) purpose: String,
    /// To whom it went, where, and why.
    pub(super) said: Option<String>,
    /// The values that it was about.
    pub(super) tokens: Vec<String>,
    /// The approval that allowed it.
    pub(super) approval: Option<String>,
    /// Number of its leaf.
    pub(super) leaf: u64,
    /// Hashes that lead from the leaf to the root (RFC 6962), in hexadecimal digits.
    pub(super) proof: Vec<String>,
}

impl SubjectErased {
    pub(super) fn of(done: ErasedPerson, deadline: Option<Deadline>) -> Self {
        Self {
            subject: done.subject,
            records: done.erased.records,
            keys: done.erased.keys,
            kept: done.kept.into_iter().map(SubjectKept::from).collect(),
            deadline,
        }
    }
}

impl From<KeptBack> for SubjectKept {
    fn from(kept: KeptBack) -> Self {
        let (why, hold) = match kept.why {
            Why::Hold(reference) => ("legal_hold", Some(reference)),
            Why::Evidence => ("aml_evidence", None),
        };
        let (retention, records) = (kept.retention.name(), kept.records);
        Self {
            retention,
            records,
            why,
            hold,
        }
    }
}

impl From<Timeline> for SubjectTimeline {
    fn from(found: Timeline) -> Self {
        Self {
            subject: found.subject,
            values: found.values.into_iter().map(VaultRecord::from).collect(),
            moments: found.moments.into_iter().map(SubjectMoment::from).collect(),
            tree_size: found.tree_size,
            root: found.root,
            next_cursor: found.next.map(|place| cursor(&place.to_string())),
        }
    }
}

impl From<Moment> for SubjectMoment {
    fn from(moment: Moment) -> Self {
        Self {
            at: moment.at,
            action: moment.action,
            by: moment.by,
            purpose: moment.purpose,
            said: moment.said,
            tokens: moment.tokens,
            approval: moment.approval,
            leaf: moment.leaf,
            proof: moment.proof,
        }
    }
}
