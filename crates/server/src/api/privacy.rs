//! Notices, consents and the privacy policy. Persons travel in bodies, or by their pseudonym: an
//! identifier in a URL ends up in logs.

use super::{
    Call, Endpoint, Keyed, Route,
    ground::{self, PURPOSE},
    json::parse,
    json_reply,
    query::Query,
};
use crate::{
    edge::{
        Code, Problem, ProblemDocument,
        reply::{JSON, Reply},
    },
    state::State,
};
use http::StatusCode;
use paywarden_access::{Scope, watch::Subject};
use paywarden_privacy::{
    consent::{Answer, Answered},
    notice::{Notice, Published},
    policy::{ChangeError, Jurisdiction, PolicyInForce},
    subject::{Standing, SubjectEvent},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// Events of a person in one answer.
const EVENTS_MAX: u32 = 100;

/// The routes of notices, consents and the privacy policy.
#[rustfmt::skip]
pub(super) static ROUTES: &[Route] = &[
    Route::post("/v1/notices", Scope::NoticesWrite, Keyed::Optional, Endpoint::Privacy(Act::Publish)),
    Route::shown("/v1/notices", Scope::NoticesRead, Endpoint::Privacy(Act::Notices)),
    Route::shown("/v1/notices/{name}", Scope::NoticesRead, Endpoint::Privacy(Act::Notice)),
    Route::shown("/v1/notices/{name}/versions/{version}", Scope::NoticesRead, Endpoint::Privacy(Act::NoticeVersion)),
    Route::shown("/v1/privacy-policy", Scope::NoticesRead, Endpoint::Privacy(Act::Policy)),
    Route::post("/v1/consents", Scope::ConsentsWrite, Keyed::Optional, Endpoint::Privacy(Act::Give)),
    Route::post("/v1/consents/withdrawals", Scope::ConsentsWrite, Keyed::Optional, Endpoint::Privacy(Act::Withdraw)),
    Route::shown("/v1/consents/{subject}", Scope::ConsentsRead, Endpoint::Privacy(Act::Consents)),
    Route::open("/v1/consent-keys", Endpoint::ConsentKeys),
];

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Publish,
    Notices,
    Notice,
    NoticeVersion,
    Policy,
    Give,
    Withdraw,
    Consents,
}

/// Answers for notices, consents and the privacy policy.
pub(crate) async fn handle(act: Act, call: &Call) -> Result<Reply, Problem> {
    match act {
        Act::Publish => publish(call).await,
        Act::Notices => notices(call),
        Act::Notice => notice(call).await,
        Act::NoticeVersion => notice_version(call).await,
        Act::Policy => policy(call),
        Act::Give => give(call).await,
        Act::Withdraw => withdraw(call).await,
        Act::Consents => consents(call).await,
    }
}

/// Notices.
#[derive(Debug, Serialize, ToSchema)]
pub struct PrivacyNotices<'n> {
    /// The newest version of each.
    notices: Vec<&'n Published>,
}

/// What a person agreed to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsentGiving {
    /// The person: your own identifier, or their pseudonym `sub_…`.
    subject: String,
    /// For what, 1 to 16 purposes that the notice tells of.
    purposes: Vec<String>,
    /// The notice that was shown.
    notice: String,
    /// The version that was shown: it must be the one in force.
    notice_version: i64,
    /// In which language it was shown: `zh` or `en`.
    language: String,
    /// How they answered, a word such as `web_form`.
    method: String,
    /// Whose law holds for them; as before if not given.
    #[serde(default)]
    jurisdiction: Option<Jurisdiction>,
    /// For how many days it counts, at most 3,660; until it is withdrawn if not given.
    #[serde(default)]
    days: Option<u32>,
}

/// What a person withdraws.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsentWithdrawal {
    /// The person: your own identifier, or their pseudonym `sub_…`.
    subject: String,
    /// The purposes; all if empty or not given.
    #[serde(default)]
    purposes: Vec<String>,
}

/// How a person stands after an event.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubjectChanged {
    /// Their pseudonym.
    pub(super) subject: String,
    /// How they stand now.
    pub(super) standing: Standing,
    /// What happened, with the receipt for the person where there is one.
    pub(super) event: SubjectEvent,
}

/// How a person stands, and how it came to that.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubjectConsents {
    /// Their pseudonym.
    subject: String,
    /// How they stand now.
    standing: Standing,
    /// What happened, newest first, at most 100 events.
    events: Vec<SubjectEvent>,
}

impl From<Answered> for SubjectChanged {
    fn from(answered: Answered) -> Self {
        let Answered {
            subject,
            standing,
            event,
        } = answered;
        Self {
            subject,
            standing,
            event,
        }
    }
}

/// Publishes a version of a notice: the first under its name, or the next.
#[utoipa::path(
    post, path = "/v1/notices", tag = "privacy",
    operation_id = "publish_notice", security(("signature" = [])),
    params(("idempotency-key" = Option<String>, Header, description = "Makes a retry safe")),
    request_body = Notice,
    responses(
        (status = 201, description = "Published", body = Published),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn publish(call: &Call) -> Result<Reply, Problem> {
    let notice: Notice = parse(&call.body)?;
    let published = call
        .state
        .vault
        .publish_notice(&call.who(), &notice)
        .await?;
    json_reply(StatusCode::CREATED, &*published)
}

/// Your notices, the newest version of each.
#[utoipa::path(
    get, path = "/v1/notices", tag = "privacy",
    operation_id = "list_notices", security(("signature" = []), ("session" = [])),
    responses(
        (status = 200, description = "The notices", body = PrivacyNotices),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) fn notices(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    let notices = call.state.vault.notices(&call.caller.tenant);
    let notices = notices.iter().map(Arc::as_ref).collect();
    json_reply(StatusCode::OK, &PrivacyNotices { notices })
}

/// The version of a notice that holds now: the one to show to people.
#[utoipa::path(
    get, path = "/v1/notices/{name}", tag = "privacy",
    operation_id = "read_notice", security(("signature" = []), ("session" = [])),
    params(("name" = String, Path, description = "Such as `standard`")),
    responses(
        (status = 200, description = "The notice", body = Published),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn notice(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    let (vault, tenant) = (&call.state.vault, &call.caller.tenant);
    let notice = vault.notice(tenant, &call.parameter, None).await?;
    json_reply(StatusCode::OK, &*notice)
}

/// One version of a notice: what a receipt names.
#[utoipa::path(
    get, path = "/v1/notices/{name}/versions/{version}", tag = "privacy",
    operation_id = "read_notice_version", security(("signature" = []), ("session" = [])),
    params(
        ("name" = String, Path, description = "Such as `standard`"),
        ("version" = i64, Path, description = "From 1; 0 is the shipped one"),
    ),
    responses(
        (status = 200, description = "The notice", body = Published),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn notice_version(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    let (name, version) = call.parameter.split_once('/').unwrap_or_default();
    let version = version
        .parse()
        .map_err(|_| Problem::new(Code::ParameterInvalid, "`version` is a number: 0 or more"))?;
    let (vault, tenant) = (&call.state.vault, &call.caller.tenant);
    let notice = vault.notice(tenant, name, Some(version)).await?;
    json_reply(StatusCode::OK, &*notice)
}

/// For which purposes data may be handled, and on what grounds. It changes by an approved
/// `privacy_policy_change`.
#[utoipa::path(
    get, path = "/v1/privacy-policy", tag = "privacy",
    operation_id = "read_privacy_policy", security(("signature" = []), ("session" = [])),
    responses(
        (status = 200, description = "The policy", body = PolicyInForce),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) fn policy(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    let policy = call.state.vault.privacy_policy(&call.caller.tenant);
    json_reply(StatusCode::OK, &policy)
}

/// Writes down that a person agreed to purposes that a notice tells of. The receipt is for them.
#[utoipa::path(
    post, path = "/v1/consents", tag = "privacy",
    operation_id = "give_consent", security(("signature" = [])),
    params(("idempotency-key" = Option<String>, Header, description = "Makes a retry safe")),
    request_body = ConsentGiving,
    responses(
        (status = 201, description = "Written down", body = SubjectChanged),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn give(call: &Call) -> Result<Reply, Problem> {
    let given: ConsentGiving = parse(&call.body)?;
    let answer = Answer {
        subject: given.subject,
        purposes: given.purposes,
        notice: given.notice,
        notice_version: given.notice_version,
        language: given.language,
        method: given.method,
        jurisdiction: given.jurisdiction,
        days: given.days,
    };
    let answered = call.state.vault.give_consent(&call.who(), &answer).await?;
    json_reply(StatusCode::CREATED, &SubjectChanged::from(answered))
}

/// Writes down that a person withdrew consent. Nothing is read on that ground once this is
/// answered.
#[utoipa::path(
    post, path = "/v1/consents/withdrawals", tag = "privacy",
    operation_id = "withdraw_consent", security(("signature" = [])),
    params(("idempotency-key" = Option<String>, Header, description = "Makes a retry safe")),
    request_body = ConsentWithdrawal,
    responses(
        (status = 201, description = "Written down", body = SubjectChanged),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn withdraw(call: &Call) -> Result<Reply, Problem> {
    let ConsentWithdrawal { subject, purposes } = parse(&call.body)?;
    let vault = &call.state.vault;
    let answered = vault
        .withdraw_consent(&call.who(), &subject, &purposes)
        .await?;
    json_reply(StatusCode::CREATED, &SubjectChanged::from(answered))
}

/// What a person has agreed to, and how it came to that.
#[utoipa::path(
    get, path = "/v1/consents/{subject}", tag = "privacy",
    operation_id = "read_consents", security(("signature" = []), ("session" = [])),
    params(
        ("subject" = String, Path, description = "Their pseudonym `sub_…`, as records show it"),
        ("purpose" = Option<String>, Query, description = "For what, of the purposes of the \
            privacy policy; `subject_request` if not given"),
    ),
    responses(
        (status = 200, description = "How they stand", body = SubjectConsents),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn consents(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &[PURPOSE])?;
    let (vault, tenant) = (&call.state.vault, &call.caller.tenant);
    must_be_pseudonym(&call.parameter)?;
    let ground = ground::of_person(call, &query, Some(&call.parameter)).await?;
    let found = vault.standing(tenant, &call.parameter, EVENTS_MAX).await?;
    let (subject, standing, events) = found;
    let about = Subject::Outside(subject.clone());
    let shown = SubjectConsents {
        subject,
        standing,
        events,
    };
    Ok(json_reply(StatusCode::OK, &shown)?.about(about).on(ground))
}

/// What verifies receipts of consent: a JWK Set (RFC 7517).
#[utoipa::path(
    get, path = "/v1/consent-keys", tag = "privacy", operation_id = "read_consent_keys",
    responses((status = 200, description = "The keys", body = serde_json::Value))
)]
pub(crate) fn keys(state: &State) -> Reply {
    let keys = state.vault.receipt_keys().unwrap_or_default();
    Reply::new(StatusCode::OK, JSON, keys.to_string())
}

/// Persons stand in paths by their pseudonym alone.
pub(super) fn must_be_pseudonym(subject: &str) -> Result<(), Problem> {
    match paywarden_privacy::subject::is_pseudonym(subject) {
        true => Ok(()),
        false => Err(Problem::new(
            Code::ParameterInvalid,
            "a path names a person by the pseudonym `sub_…` that POST /v1/vault/search shows",
        )),
    }
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Moved => Self::new(Code::PrivacyPolicyMoved, error.to_string()),
            ChangeError::Vault(error) => error.into(),
            ChangeError::Approval(error) => error.into(),
        }
    }
}
