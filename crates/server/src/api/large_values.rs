//! Large values: looking at a day now, drafting what has to be reported or only saying what that is.

use super::{Call, Door, Endpoint, Keyed, Route, json::parse, json_reply};
use crate::{
    edge::{Problem, ProblemDocument, reply::Reply},
    reports::{LargeValueRun, LargeValues},
};
use http::StatusCode;
use paywarden_access::Scope;
use paywarden_filings::Day;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// The route of large values.
pub(super) static ROUTES: &[Route] = &[Route {
    door: Door::Any,
    ..Route::post(
        "/v1/report-runs",
        Scope::ReportsWrite,
        Keyed::Optional,
        Endpoint::LargeValues,
    )
}];

/// Which day to look at.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LargeValueAsk {
    /// The day, at the place of your company's profile.
    pub day: Day,
    /// Whether nothing is to be drafted.
    #[serde(default)]
    pub dry_run: bool,
}

/// Looks for large values of a day in the journal, and drafts a report of each that has none yet.
/// The same again drafts nothing twice. Every day is looked at by itself once it is over.
#[utoipa::path(
    post, path = "/v1/report-runs", tag = "reports",
    operation_id = "find_large_values", security(("signature" = []), ("session" = [])),
    params(("idempotency-key" = Option<String>, Header, description = "Makes a retry safe")),
    request_body = LargeValueAsk,
    responses(
        (status = 200, description = "What was found", body = LargeValueRun),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn run(call: &Call) -> Result<Reply, Problem> {
    let LargeValueAsk { day, dry_run } = parse(&call.body)?;
    let ground = super::filings::ground(call).await?;
    let state = &call.state;
    let (engine, reports) = (Arc::clone(&state.engine), Arc::clone(&state.reports));
    let large = LargeValues::new(engine, reports, Arc::clone(&state.reporters));
    let run = large.run(&call.who(), day, dry_run).await?;
    let count = run.found.len();
    Ok(json_reply(StatusCode::OK, &run)?.of(count).on(ground))
}
