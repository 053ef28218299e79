//! What was sent to a webhook, and having it sent again.

use super::WebhookSent;
use crate::{
    api::{
        Call,
        json::parse,
        json_reply,
        query::{Query, cursor, invalid},
    },
    edge::{Code, Problem, ProblemDocument, reply::Reply},
};
use http::StatusCode;
use paywarden_domain::Timestamp;
use paywarden_notify::{Endpoint, deliveries::Again};
use paywarden_store::{AttemptRow, DeliveryRow, DeliveryState, REPLAYED_MAX};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

const PAGE: u32 = 50;
const PAGE_MAX: u32 = 200;

/// A message on its way to a webhook.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryView {
    /// `msg_…`, the `webhook-id` that it comes with.
    pub message: String,
    /// What it tells of.
    pub event: String,
    /// When it was put down.
    pub created_at: Timestamp,
    /// `waiting`, `delivered` or `given_up`.
    pub state: &'static str,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried next; null unless it waits.
    pub due_at: Option<Timestamp>,
    /// When it was tried last.
    pub last_at: Option<Timestamp>,
    /// What was answered last; null if nothing was.
    pub last_status: Option<u16>,
}

/// A page of deliveries, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryList {
    /// The deliveries.
    pub deliveries: Vec<DeliveryView>,
    /// Give this as `cursor` to read on; null at the end.
    pub next_cursor: Option<String>,
}

/// A delivery with its attempts.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryLog {
    /// The delivery.
    pub delivery: DeliveryView,
    /// The newest 100 attempts, newest first.
    pub attempts: Vec<AttemptView>,
}

/// One attempt.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttemptView {
    /// From 1.
    pub attempt_no: i64,
    /// When.
    pub tried_at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: i64,
    /// What was answered; null if nothing was.
    pub status: Option<u16>,
    /// Why it did not arrive; null if it did. What the receiver said is not kept.
    pub failure: Option<String>,
}

/// A span of messages to send again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayInput {
    /// From when they were put down.
    from: Timestamp,
    /// Until before when.
    to: Timestamp,
    /// Those that were given up alone.
    #[serde(default)]
    given_up_only: bool,
    /// Why; it goes into the trail.
    #[serde(deserialize_with = "crate::api::own_words")]
    reason: String,
}

/// A message to send again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayOneInput {
    /// Why; it goes into the trail.
    #[serde(deserialize_with = "crate::api::own_words")]
    reason: String,
}

/// How much is sent again.
#[derive(Debug, Serialize, ToSchema)]
pub struct Replayed {
    /// Deliveries that are due now, the oldest of the span, at most 1,000.
    pub deliveries: u64,
    /// Whether there may be more: repeat with a later `from`.
    pub is_full: bool,
}

/// What was sent to a webhook, or waits, newest first.
#[utoipa::path(
    get, path = "/v1/webhooks/{id}/deliveries", tag = "webhooks",
    operation_id = "list_deliveries", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`whe_…`"),
        ("state" = Option<String>, Query, description = "`waiting`, `delivered` or `given_up`"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "50 if not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = DeliveryList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn page(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &["state", "limit", "cursor"])?;
    let limit = query.limit(PAGE, PAGE_MAX)?;
    let state = query.read("state", "a state of deliveries", DeliveryState::parse)?;
    let place = query.cursor()?;
    let before = place.as_deref().map(read_place).transpose()?;
    let (notify, tenant) = (&call.state.notify, &call.caller.tenant);
    let endpoint = notify.endpoints.find(tenant, &call.parameter)?;
    let page = notify.deliveries.page(&endpoint, state, before, limit);
    let rows = page.await?;
    let last = rows.last().filter(|_| rows.len() == limit as usize);
    let next = last.map(|last| cursor(&format!("{}/{}", last.created_at.micros(), last.message)));
    let count = rows.len();
    let list = DeliveryList {
        deliveries: rows.into_iter().map(view).collect(),
        next_cursor: next,
    };
    Ok(json_reply(StatusCode::OK, &list)?.of(count))
}

/// One delivery with its attempts.
#[utoipa::path(
    get, path = "/v1/webhooks/{id}/deliveries/{message}", tag = "webhooks",
    operation_id = "read_delivery", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`whe_…`"),
        ("message" = String, Path, description = "`msg_…`"),
    ),
    responses(
        (status = 200, description = "The delivery", body = DeliveryLog),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn delivery(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    let (endpoint, message) = places(call)?;
    let deliveries = &call.state.notify.deliveries;
    let found = deliveries.one(&endpoint.tenant, (&endpoint.id, message));
    let (row, attempts) = found.await?;
    let log = DeliveryLog {
        delivery: view(row),
        attempts: attempts.into_iter().map(attempt).collect(),
    };
    json_reply(StatusCode::OK, &log)
}

/// Sends a message again, under the same `webhook-id`.
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/deliveries/{message}/replay", tag = "webhooks",
    operation_id = "replay_delivery", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`whe_…`"),
        ("message" = String, Path, description = "`msg_…`"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = ReplayOneInput,
    responses(
        (status = 202, description = "It is on its way", body = WebhookSent),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn replay_one(call: &Call) -> Result<Reply, Problem> {
    let ReplayOneInput { reason } = parse(&call.body)?;
    let (endpoint, message) = places(call)?;
    let deliveries = &call.state.notify.deliveries;
    let found = deliveries.one(&endpoint.tenant, (&endpoint.id, message));
    let message = found.await?.0.message;
    let what = Again::One(message.clone());
    let who = call.who();
    let again = deliveries.again(&who, &endpoint, what, &reason);
    again.await?;
    json_reply(StatusCode::ACCEPTED, &WebhookSent { message })
}

/// Sends the messages of a span again, each under its own `webhook-id`.
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/replay", tag = "webhooks",
    operation_id = "replay_deliveries", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`whe_…`"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = ReplayInput,
    responses(
        (status = 202, description = "They are on their way", body = Replayed),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn replay(call: &Call) -> Result<Reply, Problem> {
    let input: ReplayInput = parse(&call.body)?;
    let (notify, tenant) = (&call.state.notify, &call.caller.tenant);
    let endpoint = notify.endpoints.find(tenant, &call.parameter)?;
    let span = Again::Span {
        from: input.from,
        until: input.to,
        given_up_only: input.given_up_only,
    };
    let who = call.who();
    let again = notify
        .deliveries
        .again(&who, &endpoint, span, &input.reason);
    let deliveries = again.await?;
    let is_full = deliveries >= u64::from(REPLAYED_MAX);
    let replayed = Replayed {
        deliveries,
        is_full,
    };
    json_reply(StatusCode::ACCEPTED, &replayed)
}

/// The webhook and the message that the path names.
fn places(call: &Call) -> Result<(Arc<Endpoint>, &str), Problem> {
    let unknown = || Problem::new(Code::DeliveryUnknown, "there is no such delivery");
    let (id, message) = call.parameter.split_once('/').ok_or_else(unknown)?;
    let endpoints = &call.state.notify.endpoints;
    Ok((endpoints.find(&call.caller.tenant, id)?, message))
}

fn read_place(place: &str) -> Result<(Timestamp, &str), Problem> {
    let wrong = || invalid("cursor", "take the cursor of the last reply as it is");
    let (micros, message) = place.split_once('/').ok_or_else(wrong)?;
    let micros = micros.parse().map_err(|_| wrong())?;
    Ok((Timestamp::from_micros(micros), message))
}

fn view(row: DeliveryRow) -> DeliveryView {
    DeliveryView {
        message: row.message,
        event: row.event,
        created_at: row.created_at,
        state: row.state.name(),
        attempts: row.attempts,
        due_at: row.due_at,
        last_at: row.last_at,
        last_status: row.last_status,
    }
}

fn attempt(row: AttemptRow) -> AttemptView {
    AttemptView {
        attempt_no: row.attempt_no,
        tried_at: row.tried_at,
        took_ms: row.took_ms,
        status: row.status,
        failure: row.failure,
    }
}
