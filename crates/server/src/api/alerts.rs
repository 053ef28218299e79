//! Security alerts: reading them, and deciding about them.

use super::{
    Call,
    export::{self, EXPORT},
    json::parse,
    json_reply,
    person::PersonCall,
    query::{Query, cursor},
};
use crate::edge::{Code, Problem, ProblemDocument, reply::Reply};
use http::StatusCode;
use paywarden_access::approval::Collection;
use paywarden_access::watch::{Alert, AlertFilter, Error, PAGE_MAX, Severity, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const PAGE: u32 = 20;

/// A page of alerts, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertList {
    /// The alerts.
    pub alerts: Vec<Alert>,
    /// Give this as `cursor` to read on; null at the end. A page may be short and yet have one.
    pub next_cursor: Option<String>,
}

/// What somebody says of an alert.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertDecision {
    /// Why, 1 to 256 bytes; it goes into the trail.
    #[serde(deserialize_with = "crate::api::own_words")]
    pub reason: String,
}

/// Security alerts, newest first.
#[utoipa::path(
    get, path = "/v1/security-alerts", tag = "security",
    operation_id = "list_security_alerts", security(("signature" = []), ("session" = [])),
    params(
        ("state" = Option<State>, Query, description = "Only those that stand here"),
        ("severity" = Option<Severity>, Query, description = "Only those as bad as this or worse"),
        ("actor" = Option<String>, Query, description = "Only those about `staff:…` or `key:…`"),
        ("rule" = Option<String>, Query, description = "Only those by `pack.rule`"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "20 if not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("export" = Option<String>, Query, description = "`apr_…`: the export that you have \
            carried out"),
    ),
    responses(
        (status = 200, description = "A page", body = AlertList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn page(call: &Call) -> Result<Reply, Problem> {
    let known = [
        "state", "severity", "actor", "rule", "limit", "cursor", EXPORT,
    ];
    let query = Query::parse(&call.query, &known)?;
    let (wanted, who) = (query.limit(PAGE, PAGE_MAX)?, call.who());
    let by = (&*call.state, &who);
    let reserved = export::by_export(by, Collection::SecurityAlerts, &query, wanted).await?;
    let filter = AlertFilter {
        state: query.read("state", "a state of alerts", State::parse)?,
        severity_min: query.read("severity", "a severity", Severity::parse)?,
        actor: query.find("actor").map(str::to_owned),
        rule: query.find("rule").map(str::to_owned),
        before: query.cursor()?,
        limit: export::rows(reserved.as_ref(), wanted),
    };
    let desk = call.state.watch.desk();
    let page = desk.page(&call.caller.tenant, &filter).await?;
    let count = page.alerts.len();
    export::hand_out(call, &query, reserved, (count, Vec::new())).await?;
    let list = AlertList {
        alerts: page.alerts,
        next_cursor: page.next.as_deref().map(cursor),
    };
    Ok(json_reply(StatusCode::OK, &list)?.of(count))
}

/// One security alert.
#[utoipa::path(
    get, path = "/v1/security-alerts/{id}", tag = "security",
    operation_id = "read_security_alert", security(("signature" = []), ("session" = [])),
    params(("id" = String, Path, description = "`alt_…`")),
    responses(
        (status = 200, description = "The alert", body = Alert),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn one(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    let desk = call.state.watch.desk();
    let alert = desk.find(&call.caller.tenant, &call.parameter).await?;
    json_reply(StatusCode::OK, &alert)
}

/// Says that you look at an alert. Not one that is about you.
#[utoipa::path(
    post, path = "/v1/security-alerts/{id}/acknowledgement", tag = "security",
    operation_id = "acknowledge_security_alert", security(("session" = [])),
    params(("id" = String, Path, description = "`alt_…`")),
    request_body = AlertDecision,
    responses(
        (status = 200, description = "The alert", body = Alert),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn acknowledge(call: &PersonCall) -> Result<Reply, Problem> {
    decide(call, State::Acknowledged).await
}

/// Closes an alert. Not one that is about you.
#[utoipa::path(
    post, path = "/v1/security-alerts/{id}/closing", tag = "security",
    operation_id = "close_security_alert", security(("session" = [])),
    params(("id" = String, Path, description = "`alt_…`")),
    request_body = AlertDecision,
    responses(
        (status = 200, description = "The alert", body = Alert),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn close(call: &PersonCall) -> Result<Reply, Problem> {
    decide(call, State::Closed).await
}

async fn decide(call: &PersonCall, state: State) -> Result<Reply, Problem> {
    let AlertDecision { reason } = parse(&call.body)?;
    let desk = call.state.watch.desk();
    let alert = desk.decide(call.member()?, &call.parameter, state, &reason);
    json_reply(StatusCode::OK, &alert.await?)
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::Unknown => Self::new(Code::AlertUnknown, detail),
            Error::Concerned => Self::new(Code::OwnAlert, detail),
            Error::State(_) => Self::new(Code::AlertState, detail),
            Error::Reason => Self::new(Code::FieldInvalid, detail).at("/reason".to_owned()),
            Error::Store(error) => super::person::store(&error),
            error => {
                tracing::error!(%error, "security alerts");
                Self::new(Code::Internal, "the request failed")
            }
        }
    }
}
