//! The register of what persons have asked for.

use crate::{
    api::{
        Call,
        ground::{self, PURPOSE},
        json::parse,
        json_reply,
        query::{Query, cursor},
    },
    edge::{Problem, ProblemDocument, reply::Reply},
};
use http::StatusCode;
use paywarden_access::watch::Subject;
use paywarden_domain::Timestamp;
use paywarden_privacy::{
    policy::Jurisdiction,
    subject::{NewRequest, RequestFilter, RequestKind, RequestOutcome, SubjectRequest},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const PAGE: u32 = 20;
const PAGE_MAX: u32 = 100;

/// A person asked for something.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectRequestRecord {
    /// The person: your own identifier, or their pseudonym `sub_…`.
    subject: String,
    /// What they asked for.
    kind: RequestKind,
    /// When it came in, at most 366 days ago; now if not given.
    #[serde(default)]
    received_at: Option<Timestamp>,
    /// Whose law holds for them; as known of them if not given.
    #[serde(default)]
    jurisdiction: Option<Jurisdiction>,
}

/// More time for an answer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectRequestMoreTime {
    /// Why, as the person was told, 1 to 256 bytes.
    #[serde(deserialize_with = "crate::api::own_words")]
    reason: String,
}

/// An answer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectRequestAnswering {
    /// What it was.
    outcome: RequestOutcome,
    /// Why, as the person was told, 1 to 256 bytes.
    #[serde(deserialize_with = "crate::api::own_words")]
    reason: String,
}

/// A request as it stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubjectRequestView {
    /// The request.
    #[serde(flatten)]
    request: SubjectRequest,
    /// Whether it has no answer, and should have one.
    is_overdue: bool,
}

/// Requests, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubjectRequests {
    /// The requests.
    requests: Vec<SubjectRequestView>,
    /// Give this as `cursor` to read on; null at the end.
    next_cursor: Option<String>,
}

/// Writes down that a person asked for something. The answer says until when they are to be
/// answered, by the law that holds for them.
#[utoipa::path(
    post, path = "/v1/subjects/requests", tag = "privacy",
    operation_id = "record_subject_request", security(("signature" = [])),
    params(("idempotency-key" = Option<String>, Header, description = "Makes a retry safe")),
    request_body = SubjectRequestRecord,
    responses(
        (status = 201, description = "Written down", body = SubjectRequestView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn record(call: &Call) -> Result<Reply, Problem> {
    let SubjectRequestRecord {
        subject,
        kind,
        received_at,
        jurisdiction,
    } = parse(&call.body)?;
    let new = NewRequest {
        subject,
        kind,
        received_at,
        jurisdiction,
    };
    let request = call.state.vault.record_request(&call.who(), &new).await?;
    json_reply(StatusCode::CREATED, &view(call, request))
}

/// Requests of persons, newest first.
#[utoipa::path(
    get, path = "/v1/subjects/requests", tag = "privacy",
    operation_id = "list_subject_requests", security(("signature" = []), ("session" = [])),
    params(
        ("state" = Option<RequestFilter>, Query, description = "Those without an answer, or those \
            that are overdue; all if not given"),
        ("purpose" = Option<String>, Query, description = "For what, of the purposes of the \
            privacy policy; `subject_request` if not given"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "20 if not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = SubjectRequests),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn page(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &["state", PURPOSE, "limit", "cursor"])?;
    let ground = ground::of_person(call, &query, None).await?;
    let filter = query.read("state", "write all, open or overdue", |text| match text {
        "all" => Some(RequestFilter::All),
        "open" => Some(RequestFilter::Open),
        "overdue" => Some(RequestFilter::Overdue),
        _ => None,
    })?;
    let limit = query.limit(PAGE, PAGE_MAX)?;
    let before = query.cursor()?;
    let (vault, tenant) = (&call.state.vault, &call.caller.tenant);
    let filter = filter.unwrap_or(RequestFilter::All);
    let found = vault
        .requests(tenant, filter, (before.as_deref(), limit))
        .await?;
    let is_full = found.len() == limit as usize;
    let next_cursor = found.last().filter(|_| is_full);
    let next_cursor = next_cursor.map(|request| cursor(&request.id));
    let count = found.len();
    let requests = found.into_iter().map(|request| view(call, request));
    let page = SubjectRequests {
        requests: requests.collect(),
        next_cursor,
    };
    Ok(json_reply(StatusCode::OK, &page)?.of(count).on(ground))
}

/// A request of a person.
#[utoipa::path(
    get, path = "/v1/subjects/requests/{id}", tag = "privacy",
    operation_id = "read_subject_request", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`srq_…`"),
        ("purpose" = Option<String>, Query, description = "For what, of the purposes of the \
            privacy policy; `subject_request` if not given"),
    ),
    responses(
        (status = 200, description = "The request", body = SubjectRequestView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn one(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &[PURPOSE])?;
    let (vault, tenant) = (&call.state.vault, &call.caller.tenant);
    let request = vault.request(tenant, &call.parameter).await?;
    let ground = ground::of_person(call, &query, Some(&request.subject)).await?;
    let about = Subject::Outside(request.subject.clone());
    Ok(json_reply(StatusCode::OK, &view(call, request))?
        .about(about)
        .on(ground))
}

/// Gives a request more time, once, as the law of the person allows and before its time is up: they
/// were told why.
#[utoipa::path(
    post, path = "/v1/subjects/requests/{id}/extension", tag = "privacy",
    operation_id = "extend_subject_request", security(("signature" = [])),
    params(
        ("id" = String, Path, description = "`srq_…`"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = SubjectRequestMoreTime,
    responses(
        (status = 200, description = "Until when", body = SubjectRequestView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn extend(call: &Call) -> Result<Reply, Problem> {
    let SubjectRequestMoreTime { reason } = parse(&call.body)?;
    let (vault, who) = (&call.state.vault, call.who());
    let request = vault.extend_request(&who, &call.parameter, &reason).await?;
    json_reply(StatusCode::OK, &view(call, request))
}

/// Writes down what a person was answered.
#[utoipa::path(
    post, path = "/v1/subjects/requests/{id}/answer", tag = "privacy",
    operation_id = "answer_subject_request", security(("signature" = [])),
    params(
        ("id" = String, Path, description = "`srq_…`"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = SubjectRequestAnswering,
    responses(
        (status = 200, description = "Answered", body = SubjectRequestView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn answer(call: &Call) -> Result<Reply, Problem> {
    let SubjectRequestAnswering { outcome, reason } = parse(&call.body)?;
    let (vault, who) = (&call.state.vault, call.who());
    let answer = (outcome, reason.as_str());
    let request = vault.answer_request(&who, &call.parameter, answer).await?;
    json_reply(StatusCode::OK, &view(call, request))
}

fn view(call: &Call, request: SubjectRequest) -> SubjectRequestView {
    SubjectRequestView {
        is_overdue: request.is_overdue(call.state.clock.now()),
        request,
    }
}
