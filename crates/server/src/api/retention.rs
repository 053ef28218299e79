//! Retention runs: count what is due, end it, hold that or let it go on.

use super::{
    Call, Endpoint, Keyed, Route,
    json::parse,
    json_reply,
    query::{Query, cursor},
    vault::by,
};
use crate::edge::{Problem, ProblemDocument, reply::Reply};
use http::StatusCode;
use paywarden_access::Scope;
use paywarden_domain::Timestamp;
use paywarden_privacy::{
    policy::Jurisdiction,
    retention::{Fate, Line, Order, Run, RunState, Step},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const PAGE: u32 = 20;
const PAGE_MAX: u32 = 100;
/// Persons looked at in a second if nothing else is said.
const PACE: u32 = 500;

/// The routes of retention.
#[rustfmt::skip]
pub(super) static ROUTES: &[Route] = &[
    Route::post("/v1/retention/runs", Scope::VaultErase, Keyed::Optional, Endpoint::Retention(Act::Begin)),
    Route::shown("/v1/retention/runs", Scope::SubjectsRead, Endpoint::Retention(Act::Page)),
    Route::shown("/v1/retention/runs/{id}", Scope::SubjectsRead, Endpoint::Retention(Act::One)),
    Route::post("/v1/retention/runs/{id}/step", Scope::VaultErase, Keyed::Optional, Endpoint::Retention(Act::Step)),
];

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Begin,
    Page,
    One,
    Step,
}

/// Answers about retention.
pub(crate) async fn handle(act: Act, call: &Call) -> Result<Reply, Problem> {
    match act {
        Act::Begin => begin(call).await,
        Act::Page => page(call).await,
        Act::One => one(call).await,
        Act::Step => step(call).await,
    }
}

/// A run to begin.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetentionOrder {
    /// Why, 1 to 256 bytes; it goes into the trail.
    #[serde(deserialize_with = "crate::api::own_words")]
    purpose: String,
    /// Count what is due, and end nothing.
    #[serde(default)]
    dry_run: bool,
    /// The run that has counted what is to end, `ret_…`: done, by the privacy policy in force, at
    /// most seven days old. Without `dry_run` it must be given.
    #[serde(default)]
    counted: Option<String>,
    /// Persons to look at in a second, 1 to 100,000; 500 if not given.
    #[serde(default)]
    persons_per_second: Option<u32>,
}

/// What to do with a run.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetentionStepping {
    /// Why, 1 to 256 bytes; it goes into the trail.
    #[serde(deserialize_with = "crate::api::own_words")]
    purpose: String,
    /// What to do.
    step: Step,
}

/// A run, and how far it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct RetentionRun {
    /// Its identifier, `ret_…`.
    id: String,
    /// Whether it counts and ends nothing.
    dry_run: bool,
    /// Where it stands.
    state: RunState,
    /// The number of the privacy policy that it goes by.
    policy: i64,
    /// The run that has counted what it ends.
    counted: Option<String>,
    /// Whether it began by the timetable of the privacy policy.
    by_timetable: bool,
    /// The moment by which something is due.
    as_of: Timestamp,
    /// When it began.
    begun_at: Timestamp,
    /// When it was done or stopped.
    ended_at: Option<Timestamp>,
    /// How many persons it has looked at.
    persons: u64,
    /// What becomes of their values, or has become.
    lines: Vec<RetentionLine>,
}

/// Values of one kind that share their fate.
#[derive(Debug, Serialize, ToSchema)]
pub struct RetentionLine {
    /// What they were kept for: `marketing`, `contract`, `evidence`.
    retention: String,
    /// What they are.
    class: String,
    /// Whose law holds for the persons.
    jurisdiction: Jurisdiction,
    /// What becomes of them.
    fate: Fate,
    /// How many values.
    records: u64,
    /// Of how many persons.
    persons: u64,
}

/// Runs, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct RetentionRuns {
    /// The runs.
    runs: Vec<RetentionRun>,
    /// Give this as `cursor` to read on; null at the end.
    next_cursor: Option<String>,
}

impl From<Run> for RetentionRun {
    fn from(run: Run) -> Self {
        Self {
            dry_run: run.is_count(),
            id: run.id,
            state: run.state,
            policy: run.policy,
            counted: run.counted,
            by_timetable: run.is_timed,
            as_of: run.as_of,
            begun_at: run.begun_at,
            ended_at: run.ended_at,
            persons: run.persons,
            lines: run.lines.into_iter().map(RetentionLine::from).collect(),
        }
    }
}

impl From<Line> for RetentionLine {
    fn from(line: Line) -> Self {
        let Line {
            retention,
            class,
            jurisdiction,
            fate,
            records,
            persons,
        } = line;
        Self {
            retention,
            class,
            jurisdiction,
            fate,
            records,
            persons,
        }
    }
}

/// Begins a run over everybody of whom something is kept: with `dry_run` it counts what the rows of
/// the privacy policy would end, and why the rest stays; else it ends what another has counted. It
/// takes its time beside the traffic; read how far it is. A company has one open at a time.
#[utoipa::path(
    post, path = "/v1/retention/runs", tag = "privacy",
    operation_id = "begin_retention", security(("signature" = [])),
    params(("idempotency-key" = Option<String>, Header, description = "Makes a retry safe")),
    request_body = RetentionOrder,
    responses(
        (status = 202, description = "Under way", body = RetentionRun),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn begin(call: &Call) -> Result<Reply, Problem> {
    let order: RetentionOrder = parse(&call.body)?;
    let counted = match (order.dry_run, order.counted) {
        (true, None) => None,
        (false, Some(counted)) => Some(counted),
        (true, Some(_)) | (false, None) => {
            return Err(paywarden_privacy::Error::RetentionNotCounted.into());
        }
    };
    let told = Order {
        counted,
        persons_per_second: order.persons_per_second.unwrap_or(PACE),
    };
    let by = by(call, order.purpose);
    let run = call.state.vault.begin_retention(&by, &told).await?;
    json_reply(StatusCode::ACCEPTED, &RetentionRun::from(run))
}

/// Runs, newest first.
#[utoipa::path(
    get, path = "/v1/retention/runs", tag = "privacy",
    operation_id = "list_retention_runs", security(("signature" = []), ("session" = [])),
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "20 if not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = RetentionRuns),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn page(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &["limit", "cursor"])?;
    let limit = query.limit(PAGE, PAGE_MAX)?;
    let before = query.cursor()?;
    let (vault, tenant) = (&call.state.vault, &call.caller.tenant);
    let runs = vault
        .retention_runs(tenant, before.as_deref(), limit)
        .await?;
    let is_full = runs.len() == limit as usize;
    let last = runs.last().filter(|_| is_full);
    let next_cursor = last.map(|run| cursor(&run.id));
    let runs = runs.into_iter().map(RetentionRun::from).collect();
    json_reply(StatusCode::OK, &RetentionRuns { runs, next_cursor })
}

/// A run, and how far it is.
#[utoipa::path(
    get, path = "/v1/retention/runs/{id}", tag = "privacy",
    operation_id = "read_retention_run", security(("signature" = []), ("session" = [])),
    params(("id" = String, Path, description = "`ret_…`")),
    responses(
        (status = 200, description = "The run", body = RetentionRun),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn one(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    let (vault, tenant) = (&call.state.vault, &call.caller.tenant);
    let run = vault.retention_run(tenant, &call.parameter).await?;
    json_reply(StatusCode::OK, &RetentionRun::from(run))
}

/// Holds a run, lets it go on or ends it for good; of a count that is done, that nothing ends by it.
/// When this is answered it has happened.
#[utoipa::path(
    post, path = "/v1/retention/runs/{id}/step", tag = "privacy",
    operation_id = "step_retention", security(("signature" = [])),
    params(
        ("id" = String, Path, description = "`ret_…`"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = RetentionStepping,
    responses(
        (status = 200, description = "Done", body = RetentionRun),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn step(call: &Call) -> Result<Reply, Problem> {
    let RetentionStepping { purpose, step } = parse(&call.body)?;
    let (vault, by) = (&call.state.vault, by(call, purpose));
    let run = vault.step_retention(&by, &call.parameter, step).await?;
    json_reply(StatusCode::OK, &RetentionRun::from(run))
}
