//! What was decided lately, in numbers.

use super::{
    Call,
    decisions::filter,
    json_reply,
    patience::{Patience, WAIT, to_its_end},
    query::Query,
};
use crate::edge::{Problem, ProblemDocument, reply::Reply};
use http::StatusCode;
use paywarden_domain::{PaymentId, Timestamp};
use paywarden_risk::{DecisionStatistics, FoundStatistics};
use std::sync::Arc;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// The last 24 hours.
    LastDay,
    /// What terms name.
    Found,
}

pub(super) async fn answer(call: &Call, of: Of) -> Result<Reply, Problem> {
    match of {
        Of::LastDay => decisions(call).await,
        Of::Found => found(call).await,
    }
}

/// Decisions of the last 24 hours by hour and outcome, with what they come to.
#[utoipa::path(
    get, path = "/v1/statistics/decisions", tag = "decisions",
    operation_id = "count_decisions", security(("signature" = []), ("session" = [])),
    params(
        ("wait_ms" = Option<u64>, Query, maximum = 60000, description = "After so many \
            milliseconds `report_underway` rather than the counts; as long as it takes if not \
            given"),
    ),
    responses(
        (status = 200, description = "The counts", body = DecisionStatistics),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn decisions(call: &Call) -> Result<Reply, Problem> {
    let patience = Patience::read(&Query::parse(&call.query, &[WAIT])?)?;
    let (state, tenant) = (Arc::clone(&call.state), call.caller.tenant.clone());
    // The first count of a day may take long: it is kept for whoever comes next.
    let counted = to_its_end(async move {
        let counted = state.engine.decision_statistics(&tenant).await?;
        json_reply(StatusCode::OK, &counted)
    });
    patience.wait(counted).await
}

/// Decisions that terms name, over time, by outcome, with what they come to. Among more than 200,000
/// that times and numbers leave, the newest are counted, and the answer says back to when.
#[utoipa::path(
    get, path = "/v1/statistics/found", tag = "decisions",
    operation_id = "count_found_decisions", security(("signature" = []), ("session" = [])),
    params(
        ("outcome" = Option<String>, Query, description = "Only these outcomes, commas between"),
        ("type" = Option<String>, Query, description = "Only these kinds of event, commas between"),
        ("payment_id" = Option<PaymentId>, Query, description = "Only this payment"),
        ("from" = Option<Timestamp>, Query, description = "Decided then or later"),
        ("to" = Option<Timestamp>, Query, description = "Decided before"),
        ("q" = Option<String>, Query, description = "Terms that have to hold, as of `/v1/decisions`"),
    ),
    responses(
        (status = 200, description = "The counts", body = FoundStatistics),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn found(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &filter::FILTERS)?;
    let asked = filter::read(&query, call.state.clock.now())?;
    let engine = &call.state.engine;
    let counted = engine.found_statistics(&call.caller.tenant, &asked).await?;
    json_reply(StatusCode::OK, &counted)
}
