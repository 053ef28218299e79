//! How somebody works: the views that they keep and the letters that they use.

use super::{json::parse, json_reply, person::PersonCall};
use crate::edge::{Problem, ProblemDocument, reply::Reply};
use http::StatusCode;
use paywarden_access::staff::Preferences;

/// How one works.
#[utoipa::path(
    get, path = "/v1/session/preferences", tag = "session",
    operation_id = "read_preferences", security(("session" = [])),
    responses(
        (status = 200, description = "The preferences", body = Preferences),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn read(call: &PersonCall) -> Result<Reply, Problem> {
    let staff = &call.state.staff;
    let preferences = staff.preferences(call.member()?).await?;
    json_reply(StatusCode::OK, &preferences)
}

/// Keeps how one works.
#[utoipa::path(
    put, path = "/v1/session/preferences", tag = "session",
    operation_id = "keep_preferences", security(("session" = [])),
    request_body = Preferences,
    responses(
        (status = 200, description = "As they stand", body = Preferences),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn keep(call: &PersonCall) -> Result<Reply, Problem> {
    let preferences: Preferences = parse(&call.body)?;
    let staff = &call.state.staff;
    let kept = staff.keep_preferences(call.member()?, preferences).await?;
    json_reply(StatusCode::OK, &kept)
}
