//! What is known of how a person stands to the handling of their data: consents, objections,
//! restriction, holds. One record per person; each event is its next version, never changed.

mod deadlines;
mod handed;
pub(crate) mod persons;
mod requests;
mod rights;
mod timeline;

pub use deadlines::{Deadline, Wait, deadline};
pub use handed::HandedOut;
pub(crate) use persons::Persons;
pub(crate) use requests::Requests;
pub use requests::{
    NewRequest, RequestAnswer, RequestExtension, RequestFilter, RequestKind, RequestOutcome,
    SubjectRequest,
};
pub use rights::{ErasedPerson, KeptBack, Why, Wish};
pub use timeline::{MOMENTS_MAX, Moment, Timeline};

use crate::policy::Jurisdiction;
use paywarden_domain::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What kind of record the standing of a person is.
pub(crate) const SUBJECT: &str = "subject";
/// The most consents of a person, one for each purpose.
pub(crate) const CONSENTS_MAX: usize = 64;

/// How a person stands to the handling of their data.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    /// How often it has changed.
    pub version: i64,
    /// Whose law holds for them; what the policy says if nothing is known.
    pub jurisdiction: Option<Jurisdiction>,
    /// What they were asked for last, one for each purpose.
    pub consents: Vec<Consent>,
    /// Purposes that they have objected to.
    pub objections: Vec<String>,
    /// Since when handling is restricted.
    pub restricted_at: Option<Timestamp>,
    /// Duties to keep what is there.
    pub holds: Vec<Hold>,
    /// When the business relationship with them ended; null while it lasts or nothing is known.
    #[serde(default)]
    pub relation_ended_at: Option<Timestamp>,
}

/// A duty to keep what is there of a person, such as a court's order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LegalHold)]
pub struct Hold {
    /// What it is known by.
    pub reference: String,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// Until when, exclusive; until it is lifted if null.
    pub until: Option<Timestamp>,
}

/// A person's answer about one purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// The record of the answer, `con_…`: the same for all purposes answered together.
    pub record: String,
    /// The receipt of the last event, `rcp_…`.
    pub receipt: String,
    /// For what.
    pub purpose: String,
    /// The notice that was shown.
    pub notice: String,
    /// Which version of it.
    pub notice_version: i64,
    /// SHA-256 of that version.
    pub notice_sha256: String,
    /// The clause that tells of the purpose.
    pub clause: String,
    /// When they agreed.
    pub given_at: Timestamp,
    /// Until when it counts, exclusive; until it is withdrawn if null.
    pub expires_at: Option<Timestamp>,
    /// When they withdrew.
    pub withdrawn_at: Option<Timestamp>,
    /// In which language they were asked: `zh` or `en`.
    pub language: String,
    /// How they answered, such as `web_form`.
    pub method: String,
}

/// What a person's last word on a purpose is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Agreed<'s> {
    /// There is none.
    Never,
    /// It was taken back.
    Withdrawn,
    /// It was given for a time that is over.
    Expired,
    /// It counts, if the notice still does.
    Given(&'s Consent),
}

/// What happened to the standing of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectEvent {
    /// What.
    pub kind: EventKind,
    /// When.
    pub at: Timestamp,
    /// Who wrote it down, as the trail names them.
    pub by: String,
    /// The purposes that it is about.
    pub purposes: Vec<String>,
    /// The signed receipt, where there is one: a JWS in compact form.
    pub receipt: Option<String>,
}

/// A kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SubjectEventKind)]
pub enum EventKind {
    /// Consent was given.
    ConsentGiven,
    /// Consent was withdrawn.
    ConsentWithdrawn,
    /// The person objected.
    Objected,
    /// The objection was taken back.
    ObjectionLifted,
    /// Handling was restricted.
    Restricted,
    /// The restriction was lifted.
    RestrictionLifted,
    /// A hold was placed.
    Held,
    /// A hold was lifted.
    HoldLifted,
    /// The business relationship ended.
    RelationEnded,
    /// It goes on.
    RelationResumed,
}

impl EventKind {
    /// Its action in the trail.
    pub(crate) fn action(self) -> &'static str {
        match self {
            Self::ConsentGiven => "consent.give",
            Self::ConsentWithdrawn => "consent.withdraw",
            Self::Objected => "subject.object",
            Self::ObjectionLifted => "subject.lift_objection",
            Self::Restricted => "subject.restrict",
            Self::RestrictionLifted => "subject.lift_restriction",
            Self::Held => "subject.hold",
            Self::HoldLifted => "subject.lift_hold",
            Self::RelationEnded => "subject.end_relation",
            Self::RelationResumed => "subject.resume_relation",
        }
    }
}

/// A version of the record: how the person stands since an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    pub(crate) standing: Standing,
    pub(crate) event: SubjectEvent,
}

impl Standing {
    /// The last word on a purpose.
    pub(crate) fn agreed(&self, purpose: &str, now: Timestamp) -> Agreed<'_> {
        let last = self.consents.iter().find(|one| one.purpose == purpose);
        match last {
            None => Agreed::Never,
            Some(consent) if consent.withdrawn_at.is_some() => Agreed::Withdrawn,
            Some(consent) if consent.expires_at.is_some_and(|end| end <= now) => Agreed::Expired,
            Some(consent) => Agreed::Given(consent),
        }
    }

    /// Whether the person has objected to a purpose.
    pub(crate) fn objects_to(&self, purpose: &str) -> bool {
        self.objections.iter().any(|objected| objected == purpose)
    }

    /// A hold that counts now.
    pub(crate) fn hold(&self, now: Timestamp) -> Option<&Hold> {
        let counts = |hold: &&Hold| hold.until.is_none_or(|until| now < until);
        self.holds.iter().find(counts)
    }

    /// Takes an answer in; the one before it about the same purpose no longer counts.
    pub(crate) fn agree(&mut self, consent: Consent) {
        self.consents
            .retain(|known| known.purpose != consent.purpose);
        self.consents.push(consent);
    }
}

/// Whether a text has the shape of a pseudonym.
pub fn is_pseudonym(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let body = text.strip_prefix("sub_");
    body.is_some_and(|body| body.len() == 26 && body.bytes().all(plain))
}
