//! Back-tests of rule sets, and the effect of a condition while it is being written.

use super::{Call, json::parse, json_reply, query::Query};
use crate::edge::{Problem, ProblemDocument, reply::Reply};
use http::StatusCode;
use paywarden_domain::{Timestamp, time::DAY};
use paywarden_risk::backtest::{
    Backtest, BacktestSummary, LABEL_DELAY_DEFAULT, Order, recent::Glance,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The last moment that there is: times of later ones are not read.
const END_OF_TIME: Timestamp = Timestamp::from_micros(7_258_118_400_000_000 - 1);

/// A back-test to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BacktestInput {
    /// A version to compare with, `live` or `base`; the outcomes that were answered if not given.
    #[serde(default)]
    pub against: Option<String>,
    /// Payments that happened from here on count; all if not given.
    #[serde(default)]
    pub from: Option<Timestamp>,
    /// Payments that happened before this count; all if not given.
    #[serde(default)]
    pub to: Option<Timestamp>,
    /// After so many days a payment without a label counts as genuine; 45 if not given.
    #[serde(default)]
    pub label_delay_days: Option<u16>,
    /// Why; it goes into the trail.
    #[serde(deserialize_with = "crate::api::own_words")]
    pub purpose: String,
}

/// Back-tests that are kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct Backtests {
    /// The newest first, at most twelve.
    pub backtests: Vec<BacktestSummary>,
}

/// A condition that is being written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConditionInput {
    /// The condition, as it would stand after `when`.
    pub expression: String,
}

/// Starts a back-test of a version: what it would have done with the payments of the journal, point
/// in time. It goes on while payments are decided, slowly; when it is done the version is noted as
/// back-tested. Twelve reports of a tenant are kept, the oldest leave. A restart interrupts what has
/// not ended: ask for it again.
#[utoipa::path(
    post, path = "/v1/rule-sets/{version}/backtests", tag = "rules",
    operation_id = "start_backtest", security(("signature" = []), ("session" = [])),
    params(
        ("version" = String, Path, description = "A version, `live` or `base`"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = BacktestInput,
    responses(
        (status = 202, description = "Taken in; read it by its `id`", body = Backtest),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn start(call: &Call) -> Result<Reply, Problem> {
    let input: BacktestInput = parse(&call.body)?;
    let days = |days: u16| i64::from(days) * DAY;
    let order = Order {
        against: input.against,
        from: input.from.unwrap_or(Timestamp::from_micros(0)),
        to: input.to.unwrap_or(END_OF_TIME),
        label_delay: input.label_delay_days.map_or(LABEL_DELAY_DEFAULT, days),
        purpose: input.purpose,
    };
    let engine = &call.state.engine;
    let started = engine
        .start_backtest(&call.who(), &call.parameter, order)
        .await;
    json_reply(StatusCode::ACCEPTED, &started?)
}

/// The back-tests of a version that are kept; for `live` or `base` all of the tenant.
#[utoipa::path(
    get, path = "/v1/rule-sets/{version}/backtests", tag = "rules",
    operation_id = "list_backtests", security(("signature" = []), ("session" = [])),
    params(("version" = String, Path, description = "The version, `live` or `base`")),
    responses(
        (status = 200, description = "Back-tests without their reports", body = Backtests),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn all(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    let engine = &call.state.engine;
    let backtests = engine
        .backtests(&call.caller.tenant, &call.parameter)
        .await?;
    json_reply(StatusCode::OK, &Backtests { backtests })
}

/// How far a back-test is, and what it found.
#[utoipa::path(
    get, path = "/v1/rule-sets/{version}/backtests/{id}", tag = "rules",
    operation_id = "read_backtest", security(("signature" = []), ("session" = [])),
    params(
        ("version" = String, Path, description = "The version, `live` or `base`"),
        ("id" = String, Path, description = "`bt_…`"),
    ),
    responses(
        (status = 200, description = "The back-test", body = Backtest),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn one(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    let (version, id) = call.parameter.rsplit_once('/').unwrap_or_default();
    let engine = &call.state.engine;
    let backtest = engine.backtest(&call.caller.tenant, version, id).await?;
    json_reply(StatusCode::OK, &backtest)
}

/// What a condition would have done with the last payments, at once: for an editor to ask on each
/// keystroke. Payments since the server started are looked at, at most 65,536.
#[utoipa::path(
    post, path = "/v1/rules/effect", tag = "rules",
    operation_id = "read_effect", security(("signature" = []), ("session" = [])),
    request_body = ConditionInput,
    responses(
        (status = 200, description = "Its effect", body = Glance),
        (status = "default", description = "A refusal; `condition_refused` lists what is wrong",
            body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn effect(call: &Call) -> Result<Reply, Problem> {
    let ConditionInput { expression } = parse(&call.body)?;
    let engine = &call.state.engine;
    json_reply(
        StatusCode::OK,
        &engine.glance(&call.caller.tenant, expression).await?,
    )
}
