//! About the server itself: rules, keys, health, metrics.

use super::{
    Call,
    export::{self, EXPORT},
    json_reply,
    query::Query,
};
use crate::{
    edge::{
        Problem, ProblemDocument,
        reply::{JSON, Reply},
    },
    state::State,
};
use http::StatusCode;
use paywarden_access::approval::Collection;
use paywarden_risk::RuleSetSummary;
use serde::Serialize;
use utoipa::ToSchema;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The keys that replies are signed with.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReplyKeyList {
    /// Those in use.
    pub keys: Vec<PublishedKey>,
}

/// A public key.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublishedKey {
    /// What replies name as `keyid`.
    pub keyid: String,
    /// Its algorithm, by the registered name.
    pub alg: &'static str,
    /// SubjectPublicKeyInfo in PEM.
    pub public_key_pem: String,
}

/// Whether the server runs or takes requests.
#[derive(Debug, Serialize, ToSchema)]
pub struct Condition {
    /// `ok` or `stopping`.
    pub status: &'static str,
}

/// The rules that decide now.
#[utoipa::path(
    get, path = "/v1/rule-set", tag = "rules",
    operation_id = "read_rule_set", security(("signature" = []), ("session" = [])),
    params(
        ("export" = Option<String>, Query, description = "`apr_…`: the export that you have \
            carried out"),
    ),
    responses(
        (status = 200, description = "The rule set", body = RuleSetSummary),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn rule_set(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &[EXPORT])?;
    let set = call.state.engine.rule_set(&call.caller.tenant);
    let (count, who) = (set.rules.len(), call.who());
    let (by, wanted) = (
        (&*call.state, &who),
        u32::try_from(count).unwrap_or(u32::MAX),
    );
    let reserved = export::by_export(by, Collection::Rules, &query, wanted).await?;
    export::hand_out(call, &query, reserved, (count, Vec::new())).await?;
    json_reply(StatusCode::OK, &set)
}

/// The public keys that replies are signed with.
#[utoipa::path(
    get, path = "/v1/reply-keys", tag = "system",
    operation_id = "list_reply_keys",
    responses((status = 200, description = "The keys", body = ReplyKeyList))
)]
pub(crate) fn reply_keys(state: &State) -> Reply {
    let key = PublishedKey {
        keyid: state.reply_key.id.clone(),
        alg: "ed25519",
        public_key_pem: state.reply_key.public_pem.clone(),
    };
    plain(StatusCode::OK, &ReplyKeyList { keys: vec![key] })
}

/// Counters and histograms in the OpenMetrics text format.
#[utoipa::path(
    get, path = "/metrics", tag = "system",
    operation_id = "read_metrics",
    responses((status = 200, description = "OpenMetrics text", body = String,
        content_type = "application/openmetrics-text"))
)]
pub(crate) fn metrics(state: &State) -> Reply {
    Reply::new(
        StatusCode::OK,
        OPEN_METRICS,
        state.metrics.page(state.nonces.len()),
    )
}

/// Whether the process runs.
#[utoipa::path(
    get, path = "/healthz", tag = "system",
    operation_id = "read_health",
    responses((status = 200, description = "It runs", body = Condition))
)]
pub(crate) fn health() -> Reply {
    plain(StatusCode::OK, &Condition { status: "ok" })
}

/// Whether requests should be sent here.
#[utoipa::path(
    get, path = "/readyz", tag = "system",
    operation_id = "read_readiness",
    responses(
        (status = 200, description = "Send requests", body = Condition),
        (status = 503, description = "Stopping: send them elsewhere", body = Condition),
    )
)]
pub(crate) fn ready(state: &State) -> Reply {
    if state.is_stopping() {
        return plain(
            StatusCode::SERVICE_UNAVAILABLE,
            &Condition { status: "stopping" },
        );
    }
    plain(StatusCode::OK, &Condition { status: "ok" })
}

fn plain(status: StatusCode, value: &impl Serialize) -> Reply {
    Reply::new(status, JSON, serde_json::to_vec(value).unwrap_or_default())
}
