//! What was decided lately, in numbers.

use super::{Call, json_reply, query::Query};
use crate::edge::{Problem, ProblemDocument, reply::Reply};
use http::StatusCode;
use paywarden_risk::DecisionStatistics;

/// Decisions of the last 24 hours by hour and outcome, with what they come to.
#[utoipa::path(
    get, path = "/v1/statistics/decisions", tag = "decisions",
    operation_id = "count_decisions", security(("signature" = []), ("session" = [])),
    responses(
        (status = 200, description = "The counts", body = DecisionStatistics),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn decisions(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    let engine = &call.state.engine;
    let counted = engine.decision_statistics(&call.caller.tenant).await?;
    json_reply(StatusCode::OK, &counted)
}
