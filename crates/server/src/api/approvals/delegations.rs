//! Rights to vote that are lent for a while.

use super::{Acting, ReasonInput};
use crate::{
    api::{json::parse, json_reply, query::Query},
    edge::{Problem, ProblemDocument, reply::Reply},
};
use http::StatusCode;
use paywarden_access::approval::{DelegationView, Kind, NewDelegation};
use paywarden_domain::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A right to lend.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DelegationInput {
    /// To whom: `key:` and the identifier of a key that may vote.
    pub to: String,
    /// Until when, at most 30 days ahead.
    pub until: Timestamp,
    /// For which kinds of command; for all if not given.
    #[serde(default)]
    pub commands: Vec<Kind>,
    /// Why, 1 to 256 bytes; it goes into the trail.
    #[serde(deserialize_with = "crate::api::own_words")]
    pub reason: String,
}

/// The rights that are lent now, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct DelegationList {
    /// The delegations.
    pub delegations: Vec<DelegationView>,
}

/// What became of a delegation.
#[derive(Debug, Serialize, ToSchema)]
pub struct DelegationEnded {
    /// Which one ended.
    pub id: String,
}

/// Lends your right to vote to another. You keep it; what the other votes by it counts as yours.
#[utoipa::path(
    post, path = "/v1/approval-delegations", tag = "approvals",
    operation_id = "delegate_approvals", security(("signature" = []), ("session" = [])),
    params(("idempotency-key" = Option<String>, Header, description = "Makes a retry safe")),
    request_body = DelegationInput,
    responses(
        (status = 201, description = "Lent", body = DelegationView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn add(call: &Acting<'_>) -> Result<Reply, Problem> {
    let input: DelegationInput = parse(call.body)?;
    let new = NewDelegation {
        to: input.to,
        until: input.until,
        commands: input.commands,
        reason: input.reason,
    };
    let lent = call.state.approvals.delegate(&call.who, new).await?;
    json_reply(StatusCode::CREATED, &lent)
}

/// The rights that are lent now.
#[utoipa::path(
    get, path = "/v1/approval-delegations", tag = "approvals",
    operation_id = "list_delegations", security(("signature" = []), ("session" = [])),
    responses(
        (status = 200, description = "The delegations", body = DelegationList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn all(call: &Acting<'_>) -> Result<Reply, Problem> {
    Query::parse(call.query, &[])?;
    let delegations = call.state.approvals.delegations(&call.who.tenant);
    let delegations = delegations.await?;
    json_reply(StatusCode::OK, &DelegationList { delegations })
}

/// Takes a right back that you have lent. Votes that were cast by it no longer count.
#[utoipa::path(
    delete, path = "/v1/approval-delegations/{id}", tag = "approvals",
    operation_id = "end_delegation", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "The delegation"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = ReasonInput,
    responses(
        (status = 200, description = "Taken back", body = DelegationEnded),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn end(call: &Acting<'_>) -> Result<Reply, Problem> {
    let ReasonInput { reason } = parse(call.body)?;
    let (who, id) = (&call.who, call.parameter.to_owned());
    call.state
        .approvals
        .end_delegation(who, &id, &reason)
        .await?;
    json_reply(StatusCode::OK, &DelegationEnded { id })
}
