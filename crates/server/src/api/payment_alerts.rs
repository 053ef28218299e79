//! Alerts on payments: whose turn it is, what is done with them, how they are closed.

mod bodies;
mod desk;

pub use bodies::{
    AlertPolicyView, EntityActionDone, EntityActionInput, NextPaymentAlert, PaymentActionInput,
    PaymentAlertActInput, PaymentAlertActsInput, PaymentAlertClosingInput,
    PaymentAlertClosingsInput, PaymentAlertList, PaymentAlertResult, PaymentAlertResults,
    WorkNoteInput, WorkNoteList,
};
pub(super) use bodies::{
    CaseActInput, CaseList, CasePaymentsInput, CaseReopening, CaseReportList, RelatedCaseList,
};
pub(super) use desk::{
    PAGE, act_on_entity, after, ask_of_payment, asked, masked_text, may_work, named, worker,
};

use super::{
    Call, Door, Endpoint, Keyed, Route,
    export::{self, EXPORT, Reserved},
    ground,
    json::parse,
    json_reply,
    query::{Query, cursor},
};
use crate::edge::{Problem, ProblemDocument, reply::Reply};
use desk::{checked_many, link, linked, masked, masked_closing, may_be_given};
use http::{Method, StatusCode};
use paywarden_access::{Scope, approval::Collection};
use paywarden_cases::{
    Alert, AlertQuality, AlertState, Note, PAGE_MAX, PaymentAction, Priority, Timeline, WorkQuery,
};
use paywarden_domain::{Timestamp, time::DAY};

/// What is asked of alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Page,
    Next,
    One,
    Timeline,
    Work,
    WorkMany,
    Close,
    Closings,
    Notes,
    Write,
    Ask,
    Entity,
    Policy,
    Quality,
}

/// The routes of alerts.
#[rustfmt::skip]
pub(super) static ROUTES: &[Route] = &[
    Route::shown("/v1/alerts", Scope::CasesRead, Endpoint::PaymentAlert(Act::Page)),
    Route { has_body: false, ..command("/v1/alerts/next", Scope::CasesWork, Act::Next) },
    command("/v1/alerts/acts", Scope::CasesWork, Act::WorkMany),
    command("/v1/alerts/closings", Scope::CasesClose, Act::Closings),
    Route::shown("/v1/alerts/{id}", Scope::CasesRead, Endpoint::PaymentAlert(Act::One)),
    Route::shown("/v1/alerts/{id}/timeline", Scope::CasesRead, Endpoint::PaymentAlert(Act::Timeline)),
    command("/v1/alerts/{id}/acts", Scope::CasesWork, Act::Work),
    command("/v1/alerts/{id}/closing", Scope::CasesClose, Act::Close),
    Route::shown("/v1/alerts/{id}/notes", Scope::CasesRead, Endpoint::PaymentAlert(Act::Notes)),
    command("/v1/alerts/{id}/notes", Scope::CasesWork, Act::Write),
    command("/v1/alerts/{id}/payment-actions", Scope::CasesWork, Act::Ask),
    command("/v1/alerts/{id}/entity-actions", Scope::ListsWrite, Act::Entity),
    Route::shown("/v1/alert-policy", Scope::CasesRead, Endpoint::PaymentAlert(Act::Policy)),
    Route::shown("/v1/alert-quality", Scope::CasesRead, Endpoint::PaymentAlert(Act::Quality)),
];

/// For programs by their key and for people alike.
const fn command(path: &'static str, scope: Scope, act: Act) -> Route {
    Route {
        method: &Method::POST,
        door: Door::Any,
        has_body: true,
        keyed: Keyed::Optional,
        ..Route::get(path, scope, Endpoint::PaymentAlert(act))
    }
}

/// Answers for alerts.
pub(crate) async fn handle(act: Act, call: &Call) -> Result<Reply, Problem> {
    let ground = ground::of_work(call).await?;
    let reply = match act {
        Act::Page => page(call).await,
        Act::Next => next(call).await,
        Act::One => one(call).await,
        Act::Timeline => timeline(call).await,
        Act::Work => self::act(call).await,
        Act::WorkMany => acts(call).await,
        Act::Close => close(call).await,
        Act::Closings => closings(call).await,
        Act::Notes => notes(call).await,
        Act::Write => write(call).await,
        Act::Ask => ask(call).await,
        Act::Entity => act_on(call).await,
        Act::Policy => policy(call),
        Act::Quality => quality(call).await,
    };
    Ok(reply?.on(ground))
}

/// Alerts of the queues that you see, most urgent first; closed ones newest first. By `entity`, `group`
/// or `payment_id` those that are linked to it, newest first, whatever their state.
#[utoipa::path(
    get, path = "/v1/alerts", tag = "alerts",
    operation_id = "list_payment_alerts", security(("signature" = []), ("session" = [])),
    params(
        ("state" = Option<AlertState>, Query, description = "`open` if not given"),
        ("queue" = Option<String>, Query, description = "Only this queue"),
        ("assignee" = Option<String>, Query, description = "`me`, `nobody`, `staff:…` or `key:…`"),
        ("priority" = Option<Priority>, Query, description = "Only these, of open ones"),
        ("entity" = Option<String>, Query, description = "About `kind:hash`"),
        ("group" = Option<String>, Query, description = "Of this group"),
        ("payment_id" = Option<String>, Query, description = "About this payment"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "20 if not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("export" = Option<String>, Query, description = "`apr_…`: the export that you have \
            carried out, for more rows than may be looked at"),
    ),
    responses(
        (status = 200, description = "A page", body = PaymentAlertList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn page(call: &Call) -> Result<Reply, Problem> {
    let worker = worker(call);
    let known = [
        "state",
        "queue",
        "assignee",
        "priority",
        "entity",
        "group",
        "payment_id",
        "limit",
        "cursor",
        EXPORT,
    ];
    let query = Query::parse(&call.query, &known)?;
    let link = link(call, &query).await?;
    let wanted = match link {
        Some(_) => PAGE_MAX,
        None => query.limit(PAGE, PAGE_MAX)?,
    };
    let reserved = export::reserve_behind(call, Collection::Alerts, &query, wanted).await?;
    let (alerts, next) = match link {
        Some(link) => linked(call, &query, link).await?,
        None => {
            let state = query.read("state", "`open` or `closed`", AlertState::parse)?;
            let asked = WorkQuery {
                limit: reserved.as_ref().map_or(wanted, Reserved::rows),
                ..asked(call, &query, state.unwrap_or(AlertState::Open))?
            };
            let page = call.state.cases.alerts(&worker, &asked).await?;
            (page.items, page.next.map(|place| place.text()))
        }
    };
    let payments = alerts.iter().flat_map(|alert| &alert.payments);
    let told = payments.map(|payment| payment.decision.to_string());
    export::hand_out(call, &query, reserved, (alerts.len(), told.collect())).await?;
    list(alerts, next)
}

/// Claims the most urgent open alert that nobody works on, of the queues that you see. Of several who
/// ask at once each gets another one.
#[utoipa::path(
    post, path = "/v1/alerts/next", tag = "alerts",
    operation_id = "claim_next_payment_alert", security(("signature" = []), ("session" = [])),
    params(
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    responses(
        (status = 200, description = "The alert, if one waits", body = NextPaymentAlert),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn next(call: &Call) -> Result<Reply, Problem> {
    let worker = worker(call);
    let alert = call.state.cases.next_alert(&worker).await?;
    json_reply(StatusCode::OK, &NextPaymentAlert { alert })
}

/// One alert.
#[utoipa::path(
    get, path = "/v1/alerts/{id}", tag = "alerts",
    operation_id = "read_payment_alert", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`alr_…`"),
    ),
    responses(
        (status = 200, description = "The alert", body = Alert),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn one(call: &Call) -> Result<Reply, Problem> {
    let worker = worker(call);
    Query::parse(&call.query, &[])?;
    let alert = call.state.cases.alert(&worker, &call.parameter).await?;
    json_reply(StatusCode::OK, &alert)
}

/// Everything that happened around an alert, oldest first.
#[utoipa::path(
    get, path = "/v1/alerts/{id}/timeline", tag = "alerts",
    operation_id = "read_payment_alert_timeline", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`alr_…`"),
    ),
    responses(
        (status = 200, description = "What happened", body = Timeline),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn timeline(call: &Call) -> Result<Reply, Problem> {
    let worker = worker(call);
    Query::parse(&call.query, &[])?;
    let timeline = call.state.cases.alert_timeline(&worker, &call.parameter);
    json_reply(StatusCode::OK, &timeline.await?)
}

/// Does something with an alert.
#[utoipa::path(
    post, path = "/v1/alerts/{id}/acts", tag = "alerts",
    operation_id = "act_on_payment_alert", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`alr_…`"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = PaymentAlertActInput,
    responses(
        (status = 200, description = "The alert", body = Alert),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn act(call: &Call) -> Result<Reply, Problem> {
    let worker = worker(call);
    let input: PaymentAlertActInput = parse(&call.body)?;
    let act = masked(input.act);
    may_be_given(call, &act)?;
    let which = (call.parameter.as_str(), input.version);
    let alert = call.state.cases.act(&worker, which, &act).await?;
    json_reply(StatusCode::OK, &alert)
}

/// Does the same with many alerts, one by one: each is done or refused by itself.
#[utoipa::path(
    post, path = "/v1/alerts/acts", tag = "alerts",
    operation_id = "act_on_payment_alerts", security(("signature" = []), ("session" = [])),
    params(
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = PaymentAlertActsInput,
    responses(
        (status = 200, description = "What became of each", body = PaymentAlertResults),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn acts(call: &Call) -> Result<Reply, Problem> {
    let input: PaymentAlertActsInput = parse(&call.body)?;
    checked_many(&input.alerts)?;
    let act = masked(input.act);
    may_be_given(call, &act)?;
    let worker = worker(call);
    let mut results = Vec::new();
    for id in &input.alerts {
        let done = call.state.cases.act(&worker, (id, None), &act).await;
        results.push(PaymentAlertResult::of(id, done));
    }
    json_reply(StatusCode::OK, &PaymentAlertResults { results })
}

/// Closes an alert that nobody else works on: as exactly one of four, for a reason of the table. Each
/// of its payments gets a label by it.
#[utoipa::path(
    post, path = "/v1/alerts/{id}/closing", tag = "alerts",
    operation_id = "close_payment_alert", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`alr_…`"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = PaymentAlertClosingInput,
    responses(
        (status = 200, description = "The alert", body = Alert),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn close(call: &Call) -> Result<Reply, Problem> {
    let worker = worker(call);
    let input: PaymentAlertClosingInput = parse(&call.body)?;
    let closing = masked_closing(input.closing);
    let which = (call.parameter.as_str(), input.version);
    let alert = call
        .state
        .cases
        .close_alert(&worker, which, &closing)
        .await?;
    json_reply(StatusCode::OK, &alert)
}

/// Closes many alerts as the same, one by one.
#[utoipa::path(
    post, path = "/v1/alerts/closings", tag = "alerts",
    operation_id = "close_payment_alerts", security(("signature" = []), ("session" = [])),
    params(
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = PaymentAlertClosingsInput,
    responses(
        (status = 200, description = "What became of each", body = PaymentAlertResults),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn closings(call: &Call) -> Result<Reply, Problem> {
    let input: PaymentAlertClosingsInput = parse(&call.body)?;
    checked_many(&input.alerts)?;
    let closing = masked_closing(input.closing);
    let worker = worker(call);
    let mut results = Vec::new();
    for id in &input.alerts {
        let done = call
            .state
            .cases
            .close_alert(&worker, (id, None), &closing)
            .await;
        results.push(PaymentAlertResult::of(id, done));
    }
    json_reply(StatusCode::OK, &PaymentAlertResults { results })
}

/// The notes of an alert, oldest first.
#[utoipa::path(
    get, path = "/v1/alerts/{id}/notes", tag = "alerts",
    operation_id = "list_payment_alert_notes", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`alr_…`"),
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
    let notes = call
        .state
        .cases
        .alert_notes(&worker, &call.parameter, after);
    json_reply(StatusCode::OK, &WorkNoteList::new(notes.await?))
}

/// Writes a note beside an alert.
#[utoipa::path(
    post, path = "/v1/alerts/{id}/notes", tag = "alerts",
    operation_id = "write_payment_alert_note", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`alr_…`"),
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
    let note = call.state.cases.note_alert(&worker, &call.parameter, note);
    json_reply(StatusCode::CREATED, &note.await?)
}

/// Asks something of a payment of an open alert. Whoever carries payments out is told by the trail.
#[utoipa::path(
    post, path = "/v1/alerts/{id}/payment-actions", tag = "alerts",
    operation_id = "ask_of_alerted_payment", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`alr_…`"),
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

/// Blocks somebody who takes part in an open alert, or has them challenged, until a time: by a list
/// that decisions see at once.
#[utoipa::path(
    post, path = "/v1/alerts/{id}/entity-actions", tag = "alerts",
    operation_id = "act_on_alerted_entity", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`alr_…`"),
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

/// The queues that you see, the reasons of closings and what cases are about.
#[utoipa::path(
    get, path = "/v1/alert-policy", tag = "alerts",
    operation_id = "read_alert_policy", security(("signature" = []), ("session" = [])),
    responses(
        (status = 200, description = "The tables", body = AlertPolicyView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) fn policy(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    let policy = call.state.cases.policy();
    let worker = worker(call);
    let queues = policy
        .queues
        .iter()
        .filter(|queue| worker.sees(&queue.name));
    let view = AlertPolicyView {
        queues: queues.cloned().collect(),
        reasons: policy.reasons.clone(),
        typologies: policy.typologies.clone(),
    };
    json_reply(StatusCode::OK, &view)
}

/// What rules and engines are worth, by how their alerts of the last days ended, with suggestions
/// about rules that people find to mean nothing.
#[utoipa::path(
    get, path = "/v1/alert-quality", tag = "alerts",
    operation_id = "read_alert_quality", security(("signature" = []), ("session" = [])),
    params(
        ("days" = Option<u32>, Query, minimum = 1, maximum = 366, description = "30 if not given"),
    ),
    responses(
        (status = 200, description = "How alerts ended", body = AlertQuality),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn quality(call: &Call) -> Result<Reply, Problem> {
    let worker = worker(call);
    let query = Query::parse(&call.query, &["days"])?;
    let read = |text: &str| text.parse().ok().filter(|days| (1..=366).contains(days));
    let days: i64 = query.read("days", "1 to 366", read)?.unwrap_or(30);
    let since = call.state.clock.now().micros() - days * DAY;
    let quality = call
        .state
        .cases
        .quality(&worker, Timestamp::from_micros(since));
    json_reply(StatusCode::OK, &quality.await?)
}

fn list(alerts: Vec<Alert>, next: Option<String>) -> Result<Reply, Problem> {
    let count = alerts.len();
    let list = PaymentAlertList {
        alerts,
        next_cursor: next.as_deref().map(cursor),
    };
    Ok(json_reply(StatusCode::OK, &list)?.of(count))
}
