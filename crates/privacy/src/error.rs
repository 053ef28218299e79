//! Why the vault refuses, named by what the caller can do about it.

use crate::{policy::Denial, root::RootError};

/// A refusal. None repeats what was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The token was not made here for this company, or was mistyped.
    #[error("the token was not made here")]
    TokenRefused,
    /// The value behind the token is not there, or was erased.
    #[error("no value has this token, or it was erased")]
    TokenUnknown,
    /// The token could be read until a time that has passed.
    #[error("the token could be read until a time that has passed")]
    TokenExpired,
    /// Somebody else, or another purpose, is meant by the token.
    #[error("the token is good for another caller or purpose")]
    TokenBound,
    /// The catalogue has no such class.
    #[error("the catalogue has no such class")]
    ClassUnknown,
    /// The value is not one of its class; the text says what it must be.
    #[error("{0}")]
    ValueRefused(&'static str),
    /// A number, length or purpose of the request is not accepted; the text says which.
    #[error("{0}")]
    Request(&'static str),
    /// A notice is not accepted; the text says what to mend.
    #[error("the notice is not accepted: {0}")]
    NoticeRefused(&'static str),
    /// The company has no such notice, or no such version.
    #[error("no notice of yours has this name and version: GET /v1/notices lists them")]
    NoticeUnknown,
    /// Somebody published a version at the same moment.
    #[error("another version was published at the same moment: read it, then publish yours anew")]
    NoticeMoved,
    /// A consent is not accepted; the text says what to mend.
    #[error("the consent is not accepted: {0}")]
    ConsentRefused(&'static str),
    /// The person has agreed to none of these purposes.
    #[error("the person has given no consent to withdraw: GET /v1/consents/{{subject}} shows it")]
    ConsentUnknown,
    /// Nothing is kept of the person.
    #[error("nothing is kept here of a person with this pseudonym: give your own identifier")]
    SubjectUnknown,
    /// The person stands so already.
    #[error("the person stands so already: GET /v1/consents/{{subject}} shows it")]
    StandingUnchanged,
    /// Somebody has to keep what is to be erased.
    #[error("the hold {0} keeps it: lift that first by POST /v1/subjects/holds")]
    Held(String),
    /// The company has no such request of a person.
    #[error("no request of a person has this identifier: GET /v1/subjects/requests lists them")]
    RequestUnknown,
    /// The request does not take this step where it stands; the text says why.
    #[error("the request takes no such step: {0}")]
    RequestState(&'static str),
    /// So many requests of persons have no answer.
    #[error("10,000 requests have no answer: answer some first")]
    RequestLimit,
    /// The company has another retention run under way, of this name.
    #[error("the run {0} is open: let it end, or stop it")]
    RetentionOpen(String),
    /// The company has no such retention run.
    #[error("no retention run of yours has this identifier: GET /v1/retention/runs lists them")]
    RetentionUnknown,
    /// The run does not take this step where it stands.
    #[error("the run is {0}, where this step is not taken")]
    RetentionState(&'static str),
    /// What is to end was not counted, or too long ago, or by another policy.
    #[error(
        "count first: begin a run with dry_run, and name it as counted within seven days, while the \
         same privacy policy is in force"
    )]
    RetentionNotCounted,
    /// A privacy policy is not accepted; the text says what to mend.
    #[error("the privacy policy is not accepted: {0}")]
    PolicyRefused(String),
    /// Data may not be handled this way; the text says what would have to happen first.
    #[error(transparent)]
    Denied(#[from] Denial),
    /// A sealed value does not open: it was moved or changed, or its keys are gone. An operator
    /// must look at it.
    #[error("a sealed value does not open")]
    Damaged,
    /// The keys of the vault cannot be used as they are; an operator must look at them.
    #[error("the keys of the vault: {0}")]
    Keys(String),
    /// The root outside does not open what the vault needs: try again, or have an operator look.
    #[error("the root of the vault's keys: {0}")]
    Root(#[from] RootError),
    /// The journal has no room at present: try again.
    #[error("the journal has no room at present")]
    Overloaded,
    /// The store cannot be written or read: try again.
    #[error("nothing is answered that is not durable")]
    Store(String),
}

impl Error {
    /// The code of the problem document.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TokenRefused => "token_refused",
            Self::TokenUnknown => "token_unknown",
            Self::TokenExpired => "token_expired",
            Self::TokenBound => "token_bound",
            Self::ClassUnknown => "vault_class_unknown",
            Self::ValueRefused(_) => "vault_value_refused",
            Self::Request(_) => "vault_request_malformed",
            Self::NoticeRefused(_) => "notice_refused",
            Self::NoticeUnknown => "notice_unknown",
            Self::NoticeMoved => "notice_moved",
            Self::ConsentRefused(_) => "consent_refused",
            Self::ConsentUnknown => "consent_unknown",
            Self::SubjectUnknown => "subject_unknown",
            Self::StandingUnchanged => "subject_unchanged",
            Self::Held(_) => "subject_held",
            Self::RequestUnknown => "subject_request_unknown",
            Self::RequestState(_) => "subject_request_state",
            Self::RequestLimit => "subject_request_limit",
            Self::RetentionOpen(_) => "retention_open",
            Self::RetentionUnknown => "retention_unknown",
            Self::RetentionState(_) => "retention_state",
            Self::RetentionNotCounted => "retention_not_counted",
            Self::PolicyRefused(_) => "privacy_policy_refused",
            Self::Denied(denial) => denial.code(),
            Self::Damaged | Self::Keys(_) => "record_damaged",
            Self::Root(_) => "root_unavailable",
            Self::Overloaded => "overloaded",
            Self::Store(_) => "store_unavailable",
        }
    }
}

impl From<paywarden_store::Error> for Error {
    fn from(error: paywarden_store::Error) -> Self {
        match error {
            paywarden_store::Error::Overloaded => Self::Overloaded,
            // Only the erasure of one record conflicts: somebody else was faster.
            paywarden_store::Error::Conflict { .. } => Self::TokenUnknown,
            other => Self::Store(other.to_string()),
        }
    }
}

impl From<paywarden_crypto::Error> for Error {
    fn from(error: paywarden_crypto::Error) -> Self {
        match error {
            paywarden_crypto::Error::SealBroken => Self::Damaged,
            other => Self::Keys(other.to_string()),
        }
    }
}
