//! Cases: alerts and payments that are looked at together. They are closed by an approved
//! `case_closing`.

pub(super) mod reported;

use super::{
    Call, Door, Endpoint, Keyed, Route,
    export::{self, EXPORT, Reserved},
    ground,
    json::parse,
    json_reply,
    payment_alerts::{
        CaseActInput, CaseList, CasePaymentsInput, CaseReopening, EntityActionDone,
        EntityActionInput, PAGE, PaymentActionInput, PaymentAlertList, RelatedCaseList,
        WorkNoteInput, WorkNoteList, act_on_entity, after, ask_of_payment, asked, masked_text,
        may_work, named, worker,
    },
    query::{Query, cursor},
};
use crate::{
    alerting::sighting,
    edge::{Code, Problem, ProblemDocument, reply::Reply},
};
use http::{Method, StatusCode};
use paywarden_access::{Scope, approval::Collection};
use paywarden_cases::{
    Case, CaseAct, CaseOpening, CaseState, Note, PAGE_MAX, PaymentAction, Priority, Timeline,
    WorkQuery,
};

/// The most payments that are put into a case at once.
const PAYMENTS_MAX: usize = 60;

/// What is asked of cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Page,
    Open,
    One,
    Timeline,
    Alerts,
    Related,
    Reports,
    Work,
    Reopen,
    AddPayments,
    Notes,
    Write,
    Ask,
    Entity,
}

/// The routes of cases.
#[rustfmt::skip]
pub(super) static ROUTES: &[Route] = &[
    Route::shown("/v1/cases", Scope::CasesRead, Endpoint::Case(Act::Page)),
    command("/v1/cases", Scope::CasesWork, Act::Open),
    Route::shown("/v1/cases/{id}", Scope::CasesRead, Endpoint::Case(Act::One)),
    Route::shown("/v1/cases/{id}/timeline", Scope::CasesRead, Endpoint::Case(Act::Timeline)),
    Route::shown("/v1/cases/{id}/alerts", Scope::CasesRead, Endpoint::Case(Act::Alerts)),
    Route::shown("/v1/cases/{id}/related", Scope::CasesRead, Endpoint::Case(Act::Related)),
    Route::shown("/v1/cases/{id}/reports", Scope::ReportsRead, Endpoint::Case(Act::Reports)),
    command("/v1/cases/{id}/acts", Scope::CasesWork, Act::Work),
    command("/v1/cases/{id}/reopening", Scope::CasesClose, Act::Reopen),
    command("/v1/cases/{id}/payments", Scope::CasesWork, Act::AddPayments),
    Route::shown("/v1/cases/{id}/notes", Scope::CasesRead, Endpoint::Case(Act::Notes)),
    command("/v1/cases/{id}/notes", Scope::CasesWork, Act::Write),
    command("/v1/cases/{id}/payment-actions", Scope::CasesWork, Act::Ask),
    command("/v1/cases/{id}/entity-actions", Scope::ListsWrite, Act::Entity),
];

/// For programs by their key and for people alike.
const fn command(path: &'static str, scope: Scope, act: Act) -> Route {
    Route {
        method: &Method::POST,
        door: Door::Any,
        has_body: true,
        keyed: Keyed::Optional,
        ..Route::get(path, scope, Endpoint::Case(act))
    }
}

/// Answers for cases.
pub(crate) async fn handle(act: Act, call: &Call) -> Result<Reply, Problem> {
    let ground = ground::of_work(call).await?;
    let reply = match act {
        Act::Page => page(call).await,
        Act::Open => open(call).await,
        Act::One => one(call).await,
        Act::Timeline => timeline(call).await,
        Act::Alerts => alerts(call).await,
        Act::Related => related(call).await,
        // On a ground of its own.
        Act::Reports => return reported::reports(call).await,
        Act::Work => self::act(call).await,
        Act::Reopen => reopen(call).await,
        Act::AddPayments => add_payments(call).await,
        Act::Notes => notes(call).await,
        Act::Write => write(call).await,
        Act::Ask => ask(call).await,
        Act::Entity => act_on(call).await,
    };
    Ok(reply?.on(ground))
}

/// Cases of the queues that you see, most urgent first; closed and merged ones newest first. By
/// `mentioned` those with a note for somebody, newest first.
#[utoipa::path(
    get, path = "/v1/cases", tag = "cases",
    operation_id = "list_cases", security(("signature" = []), ("session" = [])),
    params(
        ("state" = Option<CaseState>, Query, description = "`open` if not given"),
        ("queue" = Option<String>, Query, description = "Only this queue"),
        ("assignee" = Option<String>, Query, description = "`me`, `nobody`, `staff:…` or `key:…`"),
        ("priority" = Option<Priority>, Query, description = "Only these, of open ones"),
        ("mentioned" = Option<String>, Query, description = "`me`, `staff:…` or `key:…`"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "20 if not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("export" = Option<String>, Query, description = "`apr_…`: the export that you have \
            carried out, for more rows than may be looked at"),
    ),
    responses(
        (status = 200, description = "A page", body = CaseList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn page(call: &Call) -> Result<Reply, Problem> {
    let known = [
        "state",
        "queue",
        "assignee",
        "priority",
        "mentioned",
        "limit",
        "cursor",
        EXPORT,
    ];
    let query = Query::parse(&call.query, &known)?;
    let (worker, desk) = (worker(call), &call.state.cases);
    let mentioned = query.find("mentioned");
    let wanted = match mentioned {
        Some(_) => PAGE_MAX,
        None => query.limit(PAGE, PAGE_MAX)?,
    };
    let reserved = export::reserve_behind(call, Collection::Cases, &query, wanted).await?;
    let (cases, next) = match mentioned {
        Some(name) => {
            let (name, before) = (named(call, name), query.cursor()?);
            let found = desk.cases_mentioning(&worker, &name, before.as_deref());
            found.await?
        }
        None => {
            let state = query.read("state", "`open`, `closed` or `merged`", CaseState::parse)?;
            let asked = WorkQuery {
                limit: reserved.as_ref().map_or(wanted, Reserved::rows),
                ..asked(call, &query, state.unwrap_or(CaseState::Open))?
            };
            let page = desk.cases(&worker, &asked).await?;
            (page.items, page.next.map(|place| place.text()))
        }
    };
    let own = cases.iter().flat_map(|case| &case.payments);
    let told = own.map(|one| one.payment.decision.to_string());
    export::hand_out(call, &query, reserved, (cases.len(), told.collect())).await?;
    list(cases, next)
}

/// Opens a case from alerts that are part of no other.
#[utoipa::path(
    post, path = "/v1/cases", tag = "cases",
    operation_id = "open_case", security(("signature" = []), ("session" = [])),
    params(
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = CaseOpening,
    responses(
        (status = 201, description = "The case", body = Case),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn open(call: &Call) -> Result<Reply, Problem> {
    let worker = worker(call);
    let mut input: CaseOpening = parse(&call.body)?;
    input.title = masked_text(&input.title);
    let case = call.state.cases.open_case(&worker, &input).await?;
    json_reply(StatusCode::CREATED, &case)
}

/// One case.
#[utoipa::path(
    get, path = "/v1/cases/{id}", tag = "cases",
    operation_id = "read_case", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`cas_…`"),
    ),
    responses(
        (status = 200, description = "The answer", body = Case),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn one(call: &Call) -> Result<Reply, Problem> {
    let worker = worker(call);
    Query::parse(&call.query, &[])?;
    let one = call.state.cases.case(&worker, &call.parameter);
    json_reply(StatusCode::OK, &one.await?)
}

/// Everything that happened around a case, oldest first: payments, what they turned out to be, what
/// people did and wrote.
#[utoipa::path(
    get, path = "/v1/cases/{id}/timeline", tag = "cases",
    operation_id = "read_case_timeline", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`cas_…`"),
    ),
    responses(
        (status = 200, description = "The answer", body = Timeline),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn timeline(call: &Call) -> Result<Reply, Problem> {
    let worker = worker(call);
    Query::parse(&call.query, &[])?;
    let timeline = call.state.cases.case_timeline(&worker, &call.parameter);
    json_reply(StatusCode::OK, &timeline.await?)
}

/// The alerts of a case.
#[utoipa::path(
    get, path = "/v1/cases/{id}/alerts", tag = "cases",
    operation_id = "list_case_alerts", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`cas_…`"),
    ),
    responses(
        (status = 200, description = "The alerts", body = PaymentAlertList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn alerts(call: &Call) -> Result<Reply, Problem> {
    let worker = worker(call);
    Query::parse(&call.query, &[])?;
    let alerts = call.state.cases.alerts_of_case(&worker, &call.parameter);
    let list = PaymentAlertList {
        alerts: alerts.await?,
        next_cursor: None,
    };
    let count = list.alerts.len();
    Ok(json_reply(StatusCode::OK, &list)?.of(count))
}

/// Cases that share somebody with a case, those that share most first.
#[utoipa::path(
    get, path = "/v1/cases/{id}/related", tag = "cases",
    operation_id = "list_related_cases", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`cas_…`"),
    ),
    responses(
        (status = 200, description = "The cases", body = RelatedCaseList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn related(call: &Call) -> Result<Reply, Problem> {
    let worker = worker(call);
    Query::parse(&call.query, &[])?;
    let related = call.state.cases.related_cases(&worker, &call.parameter);
    let related = related.await?;
    let count = related.len();
    Ok(json_reply(StatusCode::OK, &RelatedCaseList { related })?.of(count))
}

/// Does something with an open case. `merge` answers with the case that took it over, `split` with the
/// new one.
#[utoipa::path(
    post, path = "/v1/cases/{id}/acts", tag = "cases",
    operation_id = "act_on_case", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`cas_…`"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = CaseActInput,
    responses(
        (status = 200, description = "The case", body = Case),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn act(call: &Call) -> Result<Reply, Problem> {
    let worker = worker(call);
    let input: CaseActInput = parse(&call.body)?;
    if let CaseAct::Assign { to } = &input.act {
        may_work(call, to)?;
    }
    let act = match input.act {
        CaseAct::Split { alerts, title } => CaseAct::Split {
            alerts,
            title: masked_text(&title),
        },
        act => act,
    };
    let which = (call.parameter.as_str(), input.version);
    let case = call.state.cases.act_on_case(&worker, which, &act).await?;
    json_reply(StatusCode::OK, &case)
}

/// Looks at a closed case again.
#[utoipa::path(
    post, path = "/v1/cases/{id}/reopening", tag = "cases",
    operation_id = "reopen_case", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`cas_…`"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = CaseReopening,
    responses(
        (status = 200, description = "The case", body = Case),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn reopen(call: &Call) -> Result<Reply, Problem> {
    let worker = worker(call);
    let CaseReopening { reason } = parse(&call.body)?;
    let case = call
        .state
        .cases
        .reopen_case(&worker, &call.parameter, &reason);
    json_reply(StatusCode::OK, &case.await?)
}

/// Puts payments into a case by themselves.
#[utoipa::path(
    post, path = "/v1/cases/{id}/payments", tag = "cases",
    operation_id = "add_case_payments", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`cas_…`"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = CasePaymentsInput,
    responses(
        (status = 200, description = "The case", body = Case),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn add_payments(call: &Call) -> Result<Reply, Problem> {
    let worker = worker(call);
    let CasePaymentsInput { payments } = parse(&call.body)?;
    if !(1..=PAYMENTS_MAX).contains(&payments.len()) {
        return Err(Problem::new(Code::FieldInvalid, "1 to 60").at("/payments".to_owned()));
    }
    let mut seen = Vec::new();
    for payment in &payments {
        let noticed = call
            .state
            .engine
            .noticed_payment(&call.caller.tenant, payment);
        seen.push(sighting(noticed.await?));
    }
    let case = call
        .state
        .cases
        .add_payments(&worker, &call.parameter, &seen);
    json_reply(StatusCode::OK, &case.await?)
}

/// The notes of a case, oldest first.
#[utoipa::path(
    get, path = "/v1/cases/{id}/notes", tag = "cases",
    operation_id = "list_case_notes", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`cas_…`"),
        ("after" = Option<u32>, Query, description = "`next_after` of the page before"),
    ),
    responses(
        (status = 200, description = "The notes", body = WorkNoteList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn notes(call: &Call) -> Result<Reply, Problem> {
    let worker = worker(call);
    let after = after(call)?;
    let notes = call.state.cases.case_notes(&worker, &call.parameter, after);
    json_reply(StatusCode::OK, &WorkNoteList::new(notes.await?))
}

/// Writes a note beside a case.
#[utoipa::path(
    post, path = "/v1/cases/{id}/notes", tag = "cases",
    operation_id = "write_case_note", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`cas_…`"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = WorkNoteInput,
    responses(
        (status = 201, description = "The note", body = Note),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn write(call: &Call) -> Result<Reply, Problem> {
    let worker = worker(call);
    let input: WorkNoteInput = parse(&call.body)?;
    let note = (input.text.as_str(), input.mentions.as_slice());
    let note = call.state.cases.note_case(&worker, &call.parameter, note);
    json_reply(StatusCode::CREATED, &note.await?)
}

/// Asks something of a payment of an open case.
#[utoipa::path(
    post, path = "/v1/cases/{id}/payment-actions", tag = "cases",
    operation_id = "ask_of_case_payment", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`cas_…`"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = PaymentActionInput,
    responses(
        (status = 201, description = "What was asked", body = PaymentAction),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn ask(call: &Call) -> Result<Reply, Problem> {
    ask_of_payment(call).await
}

/// Blocks somebody who takes part in an open case, or has them challenged, until a time.
#[utoipa::path(
    post, path = "/v1/cases/{id}/entity-actions", tag = "cases",
    operation_id = "act_on_case_entity", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`cas_…`"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = EntityActionInput,
    responses(
        (status = 201, description = "What was done", body = EntityActionDone),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn act_on(call: &Call) -> Result<Reply, Problem> {
    act_on_entity(call).await
}

fn list(cases: Vec<Case>, next: Option<String>) -> Result<Reply, Problem> {
    let count = cases.len();
    let list = CaseList {
        cases,
        next_cursor: next.as_deref().map(cursor),
    };
    Ok(json_reply(StatusCode::OK, &list)?.of(count))
}
