//! Screening lists and names held against them. Names travel in bodies, never in URLs: a URL ends
//! up in logs.

mod bodies;
pub(crate) mod watch;

pub use bodies::{
    PartyInput, ScreeningBatchInput, ScreeningBatchView, ScreeningInput, ScreeningVersionList,
};

use super::{Call, Door, Endpoint, Keyed, Route, Size, json::parse, json_reply, query::Query};
use crate::edge::{Problem, ProblemDocument, reply::Reply};
use bodies::threshold;
use http::StatusCode;
use paywarden_access::Scope;
use paywarden_privacy::{By, policy::Data};
use paywarden_risk::screening::{
    Batch, BatchItem, Format, Imported, ListFile, ListKind, ListSource, ScreeningAnswer,
    ScreeningLists,
};

const PAGE: u32 = 20;
const PAGE_MAX: u32 = 100;
const RESULTS: u32 = 100;
const RESULTS_MAX: u32 = 1_000;

/// The routes of screening.
#[rustfmt::skip]
pub(super) static ROUTES: &[Route] = &[
    Route::shown("/v1/screening-lists", Scope::ScreeningRead, Endpoint::Screening(Act::Lists)),
    Route::shown("/v1/screening-lists/{list}/versions", Scope::ScreeningRead, Endpoint::Screening(Act::Versions)),
    Route {
        size: Size::ScreeningList,
        ..Route::post("/v1/screening-lists/{list}/versions", Scope::ScreeningWrite, Keyed::Optional, Endpoint::Screening(Act::Import))
    },
    Route {
        door: Door::Any,
        ..Route::post("/v1/screenings", Scope::ScreeningRead, Keyed::Never, Endpoint::Screening(Act::Screen))
    },
    Route {
        size: Size::RuleSet,
        ..Route::post("/v1/screening-batches", Scope::ScreeningRead, Keyed::Optional, Endpoint::Screening(Act::StartBatch))
    },
    Route::put("/v1/screening-parties", Scope::ScreeningRead, Endpoint::Screening(Act::Watch)),
    Route::delete("/v1/screening-parties", Scope::ScreeningRead, Endpoint::Screening(Act::Unwatch)),
    Route::shown("/v1/screening-alerts", Scope::ScreeningRead, Endpoint::Screening(Act::Alerts)),
    Route::shown("/v1/screening-clearances", Scope::ScreeningRead, Endpoint::Screening(Act::Clearances)),
    Route::shown("/v1/screening-batches/{id}", Scope::ScreeningRead, Endpoint::Screening(Act::Batch)),
];

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Lists,
    Versions,
    Import,
    Screen,
    StartBatch,
    Batch,
    Watch,
    Unwatch,
    Alerts,
    Clearances,
}

/// Answers for screening.
pub(crate) async fn handle(act: Act, call: &Call) -> Result<Reply, Problem> {
    match act {
        Act::Lists => lists(call),
        Act::Versions => versions(call).await,
        Act::Import => import(call).await,
        Act::Screen => screen(call).await,
        Act::StartBatch => start_batch(call).await,
        Act::Batch => batch(call).await,
        Act::Watch => watch::watch(call).await,
        Act::Unwatch => watch::unwatch(call).await,
        Act::Alerts => watch::alerts(call).await,
        Act::Clearances => watch::clearances(call),
    }
}

/// The screening lists at work, versions that wait to be accepted, and how many alerts to expect.
#[utoipa::path(
    get, path = "/v1/screening-lists", tag = "screening",
    operation_id = "list_screening_lists", security(("signature" = []), ("session" = [])),
    responses(
        (status = 200, description = "The lists", body = ScreeningLists),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) fn lists(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    let lists = call.state.engine.screening_lists(&call.caller.tenant);
    let count = lists.lists.len();
    Ok(json_reply(StatusCode::OK, &lists)?.of(count))
}

/// The versions of a list, newest first, with what each changed.
#[utoipa::path(
    get, path = "/v1/screening-lists/{list}/versions", tag = "screening",
    operation_id = "list_screening_versions", security(("signature" = []), ("session" = [])),
    params(
        ("list" = String, Path, description = "Name of the list"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "20 if not given"),
        ("before" = Option<i64>, Query, description = "`next_before` of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = ScreeningVersionList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn versions(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &["limit", "before"])?;
    let limit = query.limit(PAGE, PAGE_MAX)?;
    let number = |text: &str| text.parse().ok();
    let before = query.read("before", "a number of a version", number)?;
    let (tenant, list) = (&call.caller.tenant, &call.parameter);
    let engine = &call.state.engine;
    let versions = engine.screening_versions(tenant, list, before.unwrap_or(i64::MAX), limit);
    let versions = versions.await?;
    let count = versions.len();
    Ok(json_reply(StatusCode::OK, &ScreeningVersionList::new(versions))?.of(count))
}

/// Imports a version of a list, in the words of its publisher, at most 32 MiB. It is durable, and
/// decisions see it, when this answers. What does not read as a whole list is refused, and so is
/// what lacks more than a tenth of the version at work, which goes on being at work.
#[utoipa::path(
    post, path = "/v1/screening-lists/{list}/versions", tag = "screening",
    operation_id = "import_screening_list", security(("signature" = [])),
    params(
        ("list" = String, Path, description = "Name of the list: 1 to 64 small letters, digits, \
            `-` and `_`"),
        ("format" = String, Query, description = "`ofac_xml`, `ofac_advanced`, `un`, `eu`, `uk`, \
            `ftm`, `targets` or `csv`; `ofac_csv` is several files and is read by \
            `screening_refresh` alone"),
        ("kind" = String, Query, description = "What being on it means: `sanctions`, `pep`, \
            `adverse` or `own`"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body(content = String, content_type = "application/octet-stream",
        description = "The list as `application/xml`, `text/xml`, `text/csv`, \
            `application/x-ndjson` or `application/octet-stream`"),
    responses(
        (status = 200, description = "At work", body = Imported),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn import(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &["format", "kind"])?;
    let format = |word: &str| Format::parse(word).filter(|format| *format != Format::OfacCsv);
    let kinds = "sanctions, pep, adverse or own";
    let formats = "ofac_xml, ofac_advanced, un, eu, uk, ftm, targets or csv";
    let source = ListSource {
        list: call.parameter.clone(),
        kind: query.required("kind", kinds, ListKind::parse)?,
        format: query.required("format", formats, format)?,
        files: vec![ListFile {
            name: String::new(),
            bytes: call.body.clone(),
        }],
    };
    let imported = call
        .state
        .engine
        .import_screening_list(&call.who(), source)
        .await?;
    json_reply(StatusCode::OK, &imported)
}

/// Says who on the lists a name may be, and why. The purpose has to be one of the privacy policy.
/// That it was screened is in the trail, with the parties that were found; the name is not.
#[utoipa::path(
    post, path = "/v1/screenings", tag = "screening",
    operation_id = "screen", security(("signature" = []), ("session" = [])),
    request_body = ScreeningInput,
    responses(
        (status = 200, description = "Who it may be", body = ScreeningAnswer),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn screen(call: &Call) -> Result<Reply, Problem> {
    let engine = &call.state.engine;
    let input: ScreeningInput = parse(&call.body)?;
    let threshold = threshold(input.threshold)?;
    let (who, question) = (call.who(), input.party.question("/party")?);
    let ground = ground(call, &input.purpose, input.subject.as_deref()).await?;
    let reference = input.party.reference.as_deref();
    let party = reference.map(|reference| engine.screening_party(&who.tenant, reference));
    let party = party.as_deref();
    let screened = call
        .state
        .engine
        .screen(&who, &ground, &question, (threshold, party));
    let answer = screened.await?;
    let count = answer.hits.len();
    Ok(json_reply(StatusCode::OK, &answer)?.of(count))
}

/// Takes up to 10,000 names in, 6 MiB at most, and screens them in the background, in their order. How
/// far it came and what was found so far outlive a restart; names are kept nowhere, so that those that
/// were not screened then are sent again.
#[utoipa::path(
    post, path = "/v1/screening-batches", tag = "screening",
    operation_id = "start_screening_batch", security(("signature" = [])),
    params(("idempotency-key" = Option<String>, Header, description = "Makes a retry safe")),
    request_body = ScreeningBatchInput,
    responses(
        (status = 202, description = "Taken in; read it by its `id`", body = Batch),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn start_batch(call: &Call) -> Result<Reply, Problem> {
    let input: ScreeningBatchInput = parse(&call.body)?;
    let threshold = threshold(input.threshold)?;
    let item = |(place, party): (usize, PartyInput)| {
        Ok(BatchItem {
            question: party.question(&format!("/parties/{place}"))?,
            reference: party.reference,
        })
    };
    let items: Result<Vec<BatchItem>, Problem> =
        input.parties.into_iter().enumerate().map(item).collect();
    let items = items?;
    let ground = ground(call, &input.purpose, None).await?;
    let engine = &call.state.engine;
    let batch = engine
        .start_screening_batch(&call.who(), ground, items, threshold)
        .await?;
    json_reply(StatusCode::ACCEPTED, &batch)
}

/// How far a batch is, and of the names so far those with hits and those that cannot be screened.
#[utoipa::path(
    get, path = "/v1/screening-batches/{id}", tag = "screening",
    operation_id = "read_screening_batch", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`scb_…`"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000,
            description = "100 if not given"),
        ("after" = Option<u32>, Query, description = "`next_after` of the page before"),
    ),
    responses(
        (status = 200, description = "The batch", body = ScreeningBatchView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn batch(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &["limit", "after"])?;
    let limit = query.limit(RESULTS, RESULTS_MAX)? as usize;
    let after = query.read("after", "a place in the batch", |text| text.parse().ok())?;
    let engine = &call.state.engine;
    let (tenant, id) = (&call.caller.tenant, &call.parameter);
    let (batch, results) = engine.screening_batch(tenant, id, after, limit).await?;
    let count = results.len();
    let view = ScreeningBatchView::new(batch, results, limit);
    Ok(json_reply(StatusCode::OK, &view)?.of(count))
}

/// Why names may be screened for this purpose, as the trail carries it.
async fn ground(call: &Call, purpose: &str, subject: Option<&str>) -> Result<String, Problem> {
    let who = call.who();
    let by = By::new(who.tenant, who.actor, purpose);
    let data = Data {
        set: "screening",
        collection: "party",
        field: "name",
    };
    Ok(call.state.vault.may(&by, data, subject).await?.to_string())
}
