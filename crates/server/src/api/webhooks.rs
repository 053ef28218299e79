//! Webhooks: where a company is told of what, and whether it arrived.

mod deliveries;

pub(crate) use deliveries::*;

use super::{Call, Door, Endpoint, Keyed, Route, json::parse, json_reply, query::Query};
use crate::{
    edge::{Code, Problem, ProblemDocument, reply::Reply},
    state::State,
};
use http::{Method, StatusCode};
use paywarden_access::{Scope, approval::Approved};
use paywarden_domain::{Outcome, Timestamp};
use paywarden_notify::{
    Endpoint as Webhook, Error, WebhookChange,
    endpoint::{self, NewWebhook, WebhookRotation, WebhookUpdate},
    event::Wanted,
    secret::Scheme,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Every webhook.
    All,
    /// One.
    One,
    /// A new one.
    Create,
    /// Another address, or other events.
    Update,
    /// Another secret.
    Rotate,
    /// Nothing is sent.
    Disable,
    /// It is sent again.
    Enable,
    /// A message to try it out.
    Ping,
    /// What was sent, or waits.
    Deliveries,
    /// One delivery with its attempts.
    Delivery,
    /// One is sent again.
    ReplayOne,
    /// Those of a span are.
    Replay,
}

const fn route(method: &'static Method, path: &'static str, act: Act) -> Route {
    let (scope, door, keyed) = match *method {
        Method::GET => (Scope::WebhooksRead, Door::Any, Keyed::Never),
        _ => (Scope::WebhooksWrite, Door::AnyFresh, Keyed::Optional),
    };
    Route {
        method,
        door,
        has_body: matches!(keyed, Keyed::Optional),
        keyed,
        ..Route::get(path, scope, Endpoint::Webhook(act))
    }
}

/// The routes of webhooks.
#[rustfmt::skip]
pub(super) static ROUTES: &[Route] = &[
    route(&Method::GET, "/v1/webhooks", Act::All),
    route(&Method::POST, "/v1/webhooks", Act::Create),
    route(&Method::GET, "/v1/webhooks/{id}", Act::One),
    route(&Method::PUT, "/v1/webhooks/{id}", Act::Update),
    route(&Method::POST, "/v1/webhooks/{id}/rotation", Act::Rotate),
    route(&Method::POST, "/v1/webhooks/{id}/disable", Act::Disable),
    route(&Method::POST, "/v1/webhooks/{id}/enable", Act::Enable),
    route(&Method::POST, "/v1/webhooks/{id}/ping", Act::Ping),
    route(&Method::POST, "/v1/webhooks/{id}/replay", Act::Replay),
    route(&Method::GET, "/v1/webhooks/{id}/deliveries", Act::Deliveries),
    route(&Method::GET, "/v1/webhooks/{id}/deliveries/{message}", Act::Delivery),
    route(&Method::POST, "/v1/webhooks/{id}/deliveries/{message}/replay", Act::ReplayOne),
];

pub(super) async fn handle(act: Act, call: &Call) -> Result<Reply, Problem> {
    match act {
        Act::All => all(call),
        Act::One => one(call),
        Act::Create => create(call).await,
        Act::Update => update(call).await,
        Act::Rotate => rotate(call).await,
        Act::Disable => disable(call).await,
        Act::Enable => enable(call).await,
        Act::Ping => ping(call).await,
        Act::Deliveries => page(call).await,
        Act::Delivery => delivery(call).await,
        Act::ReplayOne => replay_one(call).await,
        Act::Replay => replay(call).await,
    }
}

/// A webhook.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookView {
    /// `whe_…`.
    pub id: String,
    /// Its version, from 1.
    pub version: i64,
    /// When it was changed last.
    pub changed_at: Timestamp,
    /// Where it is.
    pub url: String,
    /// What it is for.
    pub description: String,
    /// Which events it is told of.
    #[schema(value_type = Vec<String>)]
    pub events: Vec<Wanted>,
    /// Of which decisions; of all if empty.
    pub outcomes: Vec<Outcome>,
    /// Whether it is sent to.
    pub state: endpoint::State,
    /// How it is signed for.
    pub signature: Scheme,
    /// `whpk_…`, the public half of its key; null for `v1`.
    pub public_key: Option<String>,
}

/// The webhooks of the caller's company.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookList {
    /// By identifier.
    pub webhooks: Vec<WebhookView>,
}

/// A webhook after a change.
#[derive(Serialize, ToSchema)]
pub struct WebhookMade {
    /// The webhook.
    webhook: WebhookView,
    /// `whsec_…`, the secret that was made; shown once. For `v1a` the public half, `whpk_…`. Null if
    /// none was made.
    #[schema(value_type = Option<String>)]
    secret: Option<Zeroizing<String>>,
}

/// A webhook to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookInput {
    /// Where it is, `https://…`, at most 2,048 bytes.
    url: String,
    /// What it is for, at most 200 bytes.
    #[serde(default, deserialize_with = "crate::api::own_words")]
    description: String,
    /// Which events it is told of, 1 to 32: names such as `label.added`, families such as `case.*`,
    /// or `*`.
    #[schema(value_type = Vec<String>)]
    events: Vec<Wanted>,
    /// Of which decisions, by their outcome; of all if empty.
    #[serde(default)]
    outcomes: Vec<Outcome>,
    /// How it is signed for: `v1`, HMAC-SHA256, or `v1a`, Ed25519. It stays as it is.
    #[serde(default)]
    signature: Scheme,
    /// Why; it goes into the trail.
    #[serde(deserialize_with = "crate::api::own_words")]
    reason: String,
    /// The approval of this very change, where the policy asks for one.
    #[serde(default)]
    approval: Option<String>,
}

/// What is to be said of a webhook instead.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookUpdateInput {
    /// Where it is.
    url: String,
    /// What it is for, at most 200 bytes.
    #[serde(default, deserialize_with = "crate::api::own_words")]
    description: String,
    /// Which events it is told of, 1 to 32.
    #[schema(value_type = Vec<String>)]
    events: Vec<Wanted>,
    /// Of which decisions; of all if empty.
    #[serde(default)]
    outcomes: Vec<Outcome>,
    /// Why; it goes into the trail.
    #[serde(deserialize_with = "crate::api::own_words")]
    reason: String,
    /// The approval of this very change, where the policy asks for one.
    #[serde(default)]
    approval: Option<String>,
}

/// A secret to put in the place of the old one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookRotationInput {
    /// How long the old secret signs beside the new one, at most 168.
    overlap_hours: u16,
    /// Why; it goes into the trail.
    #[serde(deserialize_with = "crate::api::own_words")]
    reason: String,
    /// The approval of this very change, where the policy asks for one.
    #[serde(default)]
    approval: Option<String>,
}

/// A step of a webhook.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookStep {
    /// Why; it goes into the trail.
    #[serde(deserialize_with = "crate::api::own_words")]
    reason: String,
    /// The approval of this very change, where the policy asks for one.
    #[serde(default)]
    approval: Option<String>,
}

/// A message on its way.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookSent {
    /// `msg_…`, the `webhook-id` that it comes with.
    pub message: String,
}

/// Every webhook of the company.
#[utoipa::path(
    get, path = "/v1/webhooks", tag = "webhooks",
    operation_id = "list_webhooks", security(("signature" = []), ("session" = [])),
    responses(
        (status = 200, description = "The webhooks", body = WebhookList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) fn all(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    let own = call.state.notify.endpoints.of(&call.caller.tenant);
    let webhooks: Vec<_> = own.iter().map(|one| view(one)).collect();
    let count = webhooks.len();
    Ok(json_reply(StatusCode::OK, &WebhookList { webhooks })?.of(count))
}

/// One webhook.
#[utoipa::path(
    get, path = "/v1/webhooks/{id}", tag = "webhooks",
    operation_id = "read_webhook", security(("signature" = []), ("session" = [])),
    params(("id" = String, Path, description = "`whe_…`")),
    responses(
        (status = 200, description = "The webhook", body = WebhookView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) fn one(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    let endpoints = &call.state.notify.endpoints;
    let found = endpoints.find(&call.caller.tenant, &call.parameter)?;
    json_reply(StatusCode::OK, &view(&found))
}

/// Makes a webhook. Its secret is shown once.
#[utoipa::path(
    post, path = "/v1/webhooks", tag = "webhooks",
    operation_id = "create_webhook", security(("signature" = []), ("session" = [])),
    params(("idempotency-key" = Option<String>, Header, description = "Makes a retry safe")),
    request_body = WebhookInput,
    responses(
        (status = 201, description = "The webhook", body = WebhookMade),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create(call: &Call) -> Result<Reply, Problem> {
    let input: WebhookInput = parse(&call.body)?;
    let change = WebhookChange::Create(NewWebhook {
        url: input.url,
        description: input.description,
        events: input.events,
        outcomes: input.outcomes,
        signature: input.signature,
    });
    let made = changed(call, change, (&input.reason, input.approval)).await?;
    json_reply(StatusCode::CREATED, &made)
}

/// Says something else of a webhook: where it is, and of what it is told.
#[utoipa::path(
    put, path = "/v1/webhooks/{id}", tag = "webhooks",
    operation_id = "update_webhook", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`whe_…`"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = WebhookUpdateInput,
    responses(
        (status = 200, description = "The webhook", body = WebhookMade),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn update(call: &Call) -> Result<Reply, Problem> {
    let input: WebhookUpdateInput = parse(&call.body)?;
    let change = WebhookChange::Update(WebhookUpdate {
        id: call.parameter.clone(),
        url: input.url,
        description: input.description,
        events: input.events,
        outcomes: input.outcomes,
    });
    let made = changed(call, change, (&input.reason, input.approval)).await?;
    json_reply(StatusCode::OK, &made)
}

/// Makes a new secret; both sign until the stated time.
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/rotation", tag = "webhooks",
    operation_id = "rotate_webhook_secret", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`whe_…`"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = WebhookRotationInput,
    responses(
        (status = 200, description = "The webhook and its new secret", body = WebhookMade),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn rotate(call: &Call) -> Result<Reply, Problem> {
    let input: WebhookRotationInput = parse(&call.body)?;
    let change = WebhookChange::Rotate(WebhookRotation {
        id: call.parameter.clone(),
        overlap_hours: input.overlap_hours,
    });
    let made = changed(call, change, (&input.reason, input.approval)).await?;
    json_reply(StatusCode::OK, &made)
}

/// Sends nothing to a webhook for the time being. What happens meanwhile waits, 30 days at most.
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/disable", tag = "webhooks",
    operation_id = "disable_webhook", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`whe_…`"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = WebhookStep,
    responses(
        (status = 200, description = "The webhook", body = WebhookMade),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn disable(call: &Call) -> Result<Reply, Problem> {
    step(call, WebhookChange::Disable).await
}

/// Sends to a webhook again, also what has waited.
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/enable", tag = "webhooks",
    operation_id = "enable_webhook", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`whe_…`"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = WebhookStep,
    responses(
        (status = 200, description = "The webhook", body = WebhookMade),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn enable(call: &Call) -> Result<Reply, Problem> {
    step(call, WebhookChange::Enable).await
}

/// Sends a message that says nothing, `webhook.ping`, whatever the webhook is told of.
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/ping", tag = "webhooks",
    operation_id = "ping_webhook", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`whe_…`"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = WebhookStep,
    responses(
        (status = 202, description = "It is on its way", body = WebhookSent),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn ping(call: &Call) -> Result<Reply, Problem> {
    let WebhookStep { reason, .. } = parse(&call.body)?;
    let (notify, tenant) = (&call.state.notify, &call.caller.tenant);
    let found = notify.endpoints.find(tenant, &call.parameter)?;
    let who = call.who();
    let message = notify.deliveries.ping(&who, &found, &reason).await?;
    json_reply(StatusCode::ACCEPTED, &WebhookSent { message })
}

async fn step(call: &Call, change: fn(String) -> WebhookChange) -> Result<Reply, Problem> {
    let WebhookStep { reason, approval } = parse(&call.body)?;
    let change = change(call.parameter.clone());
    let made = changed(call, change, (&reason, approval)).await?;
    json_reply(StatusCode::OK, &made)
}

/// Carries a change out that the policy asks no approval for, or that is approved.
async fn changed(
    call: &Call,
    change: WebhookChange,
    (reason, approval): (&str, Option<String>),
) -> Result<WebhookMade, Problem> {
    let (state, who) = (&call.state, call.who());
    state.notify.endpoints.check_change(&who.tenant, &change)?;
    let approvals = &state.approvals;
    let approved = approvals.admit(&who, change, approval.as_deref()).await?;
    carry_out(state, approved, reason).await
}

/// Carries an approved change out; the webhook, and the secret that was made for it.
pub(super) async fn carry_out(
    state: &State,
    approved: Approved<WebhookChange>,
    reason: &str,
) -> Result<WebhookMade, Problem> {
    let changed = state.notify.endpoints.change(approved, reason).await?;
    Ok(WebhookMade {
        webhook: view(&changed.endpoint),
        secret: changed.secret,
    })
}

fn view(endpoint: &Webhook) -> WebhookView {
    WebhookView {
        id: endpoint.id.clone(),
        version: endpoint.version,
        changed_at: endpoint.changed_at,
        url: endpoint.url.clone(),
        description: endpoint.description.clone(),
        events: endpoint.events.clone(),
        outcomes: endpoint.outcomes.clone(),
        state: endpoint.state,
        signature: endpoint.signature,
        public_key: endpoint.public_key.clone(),
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        let plain = |code| Self::new(code, detail.clone());
        match error {
            Error::EndpointUnknown => plain(Code::WebhookUnknown),
            Error::EndpointState(_) => plain(Code::WebhookState),
            Error::Malformed(_) => plain(Code::WebhookRefused),
            Error::Full { .. } => plain(Code::WebhookLimit),
            Error::DeliveryUnknown => plain(Code::DeliveryUnknown),
            Error::ConfirmationState(_) => plain(Code::ConfirmationState),
            Error::ConfirmationRefused(_) => plain(Code::ConfirmationRefused),
            Error::AskedTooOften => plain(Code::ConfirmationLimit),
            Error::Conflict => plain(Code::Conflict),
            Error::Approval(error) => error.into(),
            Error::Store(error) => super::person::store(&error),
            Error::Crypto(_) | Error::Roots(_) | Error::Damaged(_) => {
                tracing::error!(%error, "webhooks and confirmations");
                Self::new(Code::RecordDamaged, "a stored record does not read back")
            }
        }
    }
}
