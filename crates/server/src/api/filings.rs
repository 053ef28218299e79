//! Reports to financial intelligence units. Who may not read them does not learn that there are
//! any: telling of one tips its subject off.

mod profiles;

pub use profiles::{ReportProfile, ReportProfileList};

use super::{
    Call, Door, Endpoint, Keyed, Route, Size,
    json::parse,
    json_reply,
    query::{Query, cursor},
};
use crate::{
    edge::{Problem, ProblemDocument, reply::Reply},
    reports::{Acknowledgement, Draft, NEWEST, ReportView},
};
use http::{Method, StatusCode};
use paywarden_access::Scope;
use paywarden_domain::{Timestamp, event::Text};
use paywarden_filings::{Day, Fault, Profiles, Report, report::Relation};
use paywarden_privacy::{By, policy::Data};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

const XML: &str = "application/xml";
const PAGE: u32 = 20;
const PAGE_MAX: u32 = 100;
/// What reports are for, in the words of the privacy policy.
const PURPOSE: &str = "aml_compliance";

const fn acting(method: &'static Method, path: &'static str, act: Act) -> Route {
    Route {
        method,
        door: Door::Any,
        ..Route::post(
            path,
            Scope::ReportsWrite,
            Keyed::Optional,
            Endpoint::Filing(act),
        )
    }
}

/// The routes of reports.
#[rustfmt::skip]
pub(super) static ROUTES: &[Route] = &[
    Route { size: Size::RuleSet, ..acting(&Method::POST, "/v1/reports", Act::Draft) },
    Route::shown("/v1/reports", Scope::ReportsRead, Endpoint::Filing(Act::Page)),
    Route::shown("/v1/reports/{id}", Scope::ReportsRead, Endpoint::Filing(Act::One)),
    Route { size: Size::RuleSet, ..acting(&Method::PUT, "/v1/reports/{id}", Act::Redraft) },
    Route::shown("/v1/reports/{id}/faults", Scope::ReportsRead, Endpoint::Filing(Act::Faults)),
    Route::shown("/v1/reports/{id}/export", Scope::ReportsWrite, Endpoint::Filing(Act::Export)),
    acting(&Method::POST, "/v1/reports/{id}/filing", Act::File),
    acting(&Method::POST, "/v1/reports/{id}/acknowledgement", Act::Acknowledge),
    acting(&Method::POST, "/v1/reports/{id}/amendment", Act::Amend),
    Route::shown("/v1/report-profiles", Scope::ReportsRead, Endpoint::Filing(Act::Profiles)),
];

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Draft,
    Page,
    One,
    Redraft,
    Faults,
    Export,
    File,
    Acknowledge,
    Amend,
    Profiles,
}

/// A report to write down.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportDraft {
    /// What it says. It may have faults as long as it is a draft.
    pub report: Report,
    /// Days on which nobody works, at most 400: deadlines in business days pass over them.
    #[serde(default)]
    pub holidays: BTreeSet<Day>,
    /// The version that you have read; needed where there is one.
    #[serde(default)]
    pub version: Option<i64>,
}

/// A report was handed in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FilingInput {
    /// What the unit calls it, if it has said so.
    #[serde(default)]
    pub reference: Option<Text>,
    /// When; not in the future.
    pub at: Timestamp,
}

/// What the unit said.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcknowledgementInput {
    /// Whether it took the report.
    pub accepted: bool,
    /// What it calls it: the BSA identifier of FinCEN, for instance.
    pub reference: Text,
    /// What it said, in its words.
    #[serde(default, deserialize_with = "crate::api::own_words")]
    pub note: Option<String>,
}

/// Another report about the same.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AmendmentInput {
    /// Whether it corrects the filed one or goes on from it.
    pub relation: Relation,
    /// Its own reference.
    pub reference: Text,
    /// See the draft.
    #[serde(default)]
    pub holidays: BTreeSet<Day>,
}

/// A report with what it says.
#[derive(Serialize, ToSchema)]
pub struct FullReport {
    /// Where it stands.
    pub status: ReportView,
    /// What it says.
    pub report: Report,
}

/// A page of reports, newest first.
#[derive(Serialize, ToSchema)]
pub struct ReportList {
    /// The reports.
    pub reports: Vec<ReportView>,
    /// Give this as `cursor` to read on; null at the end.
    pub next_cursor: Option<String>,
}

/// Every fault of a report.
#[derive(Serialize, ToSchema)]
pub struct FaultList {
    /// In the order of the report, at most 500; none if it may be filed.
    pub faults: Vec<Fault>,
}

/// Answers about reports.
pub(crate) async fn handle(act: Act, call: &Call) -> Result<Reply, Problem> {
    match act {
        Act::Draft => draft(call).await,
        Act::Page => page(call).await,
        Act::One => one(call).await,
        Act::Redraft => redraft(call).await,
        Act::Faults => faults(call).await,
        Act::Export => export(call).await,
        Act::File => file(call).await,
        Act::Acknowledge => acknowledge(call).await,
        Act::Amend => amend(call).await,
        Act::Profiles => profiles(call),
    }
}

/// Begins a report. Ask for its approval by `POST /v1/approvals` with `report_filing` once it has no
/// fault.
#[utoipa::path(
    post, path = "/v1/reports", tag = "reports",
    operation_id = "draft_report", security(("signature" = []), ("session" = [])),
    params(("idempotency-key" = Option<String>, Header, description = "Makes a retry safe")),
    request_body = ReportDraft,
    responses(
        (status = 201, description = "Begun", body = ReportView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn draft(call: &Call) -> Result<Reply, Problem> {
    let ground = ground(call).await?;
    let input: ReportDraft = parse(&call.body)?;
    let draft = drafted(call, input.report, input.holidays)?;
    let view = call.state.reports.draft(&call.who(), draft).await?;
    Ok(json_reply(StatusCode::CREATED, &view)?.on(ground))
}

/// Your reports, newest first, with their deadlines.
#[utoipa::path(
    get, path = "/v1/reports", tag = "reports",
    operation_id = "list_reports", security(("signature" = []), ("session" = [])),
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "20 if not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = ReportList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn page(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &["limit", "cursor"])?;
    let limit = query.limit(PAGE, PAGE_MAX)?;
    let before = query.cursor()?.unwrap_or_else(|| NEWEST.to_owned());
    let desk = &call.state.reports;
    let (reports, next) = desk.page(&call.caller.tenant, &before, limit).await?;
    let count = reports.len();
    let list = ReportList {
        reports,
        next_cursor: next.as_deref().map(cursor),
    };
    Ok(json_reply(StatusCode::OK, &list)?.of(count))
}

/// One report with what it says.
#[utoipa::path(
    get, path = "/v1/reports/{id}", tag = "reports",
    operation_id = "read_report", security(("signature" = []), ("session" = [])),
    params(("id" = String, Path, description = "`rep_…`")),
    responses(
        (status = 200, description = "The report", body = FullReport),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn one(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    let ground = ground(call).await?;
    let desk = &call.state.reports;
    let (status, report) = desk.find(&call.caller.tenant, &call.parameter).await?;
    Ok(json_reply(StatusCode::OK, &FullReport { status, report })?.on(ground))
}

/// Writes a draft anew, as a whole. What was approved, and is not filed, is a draft again.
#[utoipa::path(
    put, path = "/v1/reports/{id}", tag = "reports",
    operation_id = "redraft_report", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`rep_…`"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = ReportDraft,
    responses(
        (status = 200, description = "Written", body = ReportView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn redraft(call: &Call) -> Result<Reply, Problem> {
    let ground = ground(call).await?;
    let input: ReportDraft = parse(&call.body)?;
    let version = input.version.unwrap_or_default();
    let draft = drafted(call, input.report, input.holidays)?;
    let desk = &call.state.reports;
    let view = desk
        .redraft(&call.who(), (&call.parameter, version), draft)
        .await?;
    Ok(json_reply(StatusCode::OK, &view)?.on(ground))
}

/// Every fault of a report as it would be filed today.
#[utoipa::path(
    get, path = "/v1/reports/{id}/faults", tag = "reports",
    operation_id = "check_report", security(("signature" = []), ("session" = [])),
    params(("id" = String, Path, description = "`rep_…`")),
    responses(
        (status = 200, description = "The faults", body = FaultList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn faults(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    let ground = ground(call).await?;
    let desk = &call.state.reports;
    let faults = desk.faults(&call.caller.tenant, &call.parameter).await?;
    let count = faults.len();
    Ok(json_reply(StatusCode::OK, &FaultList { faults })?
        .of(count)
        .on(ground))
}

/// The file for the unit, in the format of the profile. Of an approved or filed report alone.
#[utoipa::path(
    get, path = "/v1/reports/{id}/export", tag = "reports",
    operation_id = "export_report", security(("signature" = []), ("session" = [])),
    params(("id" = String, Path, description = "`rep_…`")),
    responses(
        (status = 200, description = "The file", body = String, content_type = "application/xml"),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn export(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    let ground = ground(call).await?;
    let file = call
        .state
        .reports
        .export(&call.who(), &call.parameter)
        .await?;
    Ok(Reply::new(StatusCode::OK, XML, file).on(ground))
}

/// Writes down that an approved report was handed in.
#[utoipa::path(
    post, path = "/v1/reports/{id}/filing", tag = "reports",
    operation_id = "file_report", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`rep_…`"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = FilingInput,
    responses(
        (status = 200, description = "Filed", body = ReportView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn file(call: &Call) -> Result<Reply, Problem> {
    let input: FilingInput = parse(&call.body)?;
    let reference = input.reference.map(|text| text.as_str().to_owned());
    let desk = &call.state.reports;
    let view = desk
        .file(&call.who(), &call.parameter, (reference, input.at))
        .await?;
    json_reply(StatusCode::OK, &view)
}

/// Writes down what the unit said of a filed report.
#[utoipa::path(
    post, path = "/v1/reports/{id}/acknowledgement", tag = "reports",
    operation_id = "acknowledge_report", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`rep_…`"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = AcknowledgementInput,
    responses(
        (status = 200, description = "Written down", body = ReportView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn acknowledge(call: &Call) -> Result<Reply, Problem> {
    let input: AcknowledgementInput = parse(&call.body)?;
    let said = Acknowledgement {
        accepted: input.accepted,
        reference: input.reference.as_str().to_owned(),
        note: input.note,
        at: call.state.clock.now(),
    };
    let desk = &call.state.reports;
    let view = desk.acknowledge(&call.who(), &call.parameter, said).await?;
    json_reply(StatusCode::OK, &view)
}

/// Begins a report that corrects a filed one, or goes on from it, with its content and the reference
/// of the unit in it.
#[utoipa::path(
    post, path = "/v1/reports/{id}/amendment", tag = "reports",
    operation_id = "amend_report", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`rep_…`"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = AmendmentInput,
    responses(
        (status = 201, description = "Begun", body = ReportView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn amend(call: &Call) -> Result<Reply, Problem> {
    let ground = ground(call).await?;
    let input: AmendmentInput = parse(&call.body)?;
    check_holidays(&input.holidays)?;
    let reference = input.reference.as_str().to_owned();
    let what = (input.relation, reference, input.holidays);
    let view = call
        .state
        .reports
        .amend(&call.who(), &call.parameter, what)
        .await?;
    Ok(json_reply(StatusCode::CREATED, &view)?.on(ground))
}

/// The profiles that reports may be written for, with their deadlines.
#[utoipa::path(
    get, path = "/v1/report-profiles", tag = "reports",
    operation_id = "list_report_profiles", security(("signature" = []), ("session" = [])),
    responses(
        (status = 200, description = "The profiles", body = ReportProfileList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) fn profiles(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    let shipped =
        Profiles::shipped().map_err(|error| crate::reports::Error::Internal(error.to_string()))?;
    let list = ReportProfileList {
        profiles: shipped.all().map(ReportProfile::of).collect(),
    };
    json_reply(StatusCode::OK, &list)
}

fn drafted(call: &Call, report: Report, holidays: BTreeSet<Day>) -> Result<Draft, Problem> {
    check_holidays(&holidays)?;
    let (engine, tenant) = (&call.state.engine, &call.caller.tenant);
    Ok(Draft::new(engine, tenant, report, holidays))
}

fn check_holidays(holidays: &BTreeSet<Day>) -> Result<(), Problem> {
    const HOLIDAYS_MAX: usize = 400;
    match holidays.len() <= HOLIDAYS_MAX {
        true => Ok(()),
        false => Err(
            Problem::new(crate::edge::Code::FieldInvalid, "at most 400 holidays")
                .at("/holidays".to_owned()),
        ),
    }
}

/// Why what reports say may be handled, as the trail carries it.
pub(super) async fn ground(call: &Call) -> Result<String, Problem> {
    let who = call.who();
    let by = By::new(who.tenant, who.actor, PURPOSE);
    let data = Data {
        set: "reports",
        collection: "report",
        field: "content",
    };
    Ok(call.state.vault.may(&by, data, None).await?.to_string())
}
