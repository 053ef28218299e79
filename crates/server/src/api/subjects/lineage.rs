//! Where the data of a person went: the decisions that hold some, and of each the alerts, cases and
//! exports that it went into and the webhooks that told of it.

use crate::{
    api::{
        Call,
        ground::{self, PURPOSE},
        json_reply,
        privacy::must_be_pseudonym,
        query::{CURSOR, Query, cursor, invalid},
    },
    edge::{Problem, ProblemDocument, reply::Reply},
};
use http::StatusCode;
use paywarden_access::{Scope, watch::Subject};
use paywarden_domain::{DecisionId, PaymentId, Timestamp};
use paywarden_privacy::subject::HandedOut;
use paywarden_risk::{Holding, Part};
use paywarden_store::DeliveryRow;
use serde::Serialize;
use std::collections::HashMap;
use utoipa::ToSchema;

/// How the identifiers of alerts begin.
const ALERT: &str = "alr_";

/// Where the data of a person went.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubjectLineage {
    /// Their pseudonym.
    subject: String,
    /// The decisions that hold data of theirs, newest first, at most 50.
    decisions: Vec<SubjectDecision>,
    /// Give this as `cursor` to read on, also where a page is empty; null at the end.
    next_cursor: Option<String>,
}

/// A decision that holds data of a person.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubjectDecision {
    /// Its identifier.
    decision: DecisionId,
    /// The payment, by your own identifier.
    payment_id: PaymentId,
    /// When it was decided.
    decided_at: Timestamp,
    /// What the person is in it.
    part: Part,
    /// Which data of theirs it holds, sealed: classes of the vault, and parts of the payment. Of a
    /// card its index, issuer and last four digits alone.
    fields: Vec<&'static str>,
    /// The alerts that it went into; null for whoever may not read alerts and cases.
    alerts: Option<Vec<String>>,
    /// The cases that it went into; null for whoever may not read alerts and cases.
    cases: Option<Vec<String>>,
    /// The exports that it was handed out by, newest first.
    exports: Vec<SubjectDecisionExport>,
    /// Who was told of it, its payment, its alerts or its cases, as long as messages are kept. None
    /// carries more than their identifiers, verdict and amount.
    webhooks: Vec<SubjectDecisionWebhook>,
}

/// An export that handed a decision out.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubjectDecisionExport {
    /// The approval of the export.
    approval: String,
    /// When.
    at: Timestamp,
}

/// A webhook that told of a decision.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubjectDecisionWebhook {
    /// The endpoint.
    webhook: String,
    /// What it was told, such as `decision.created`.
    event: String,
    /// When that was put down.
    at: Timestamp,
    /// `waiting`, `delivered` or `given_up`.
    state: &'static str,
}

/// Where the data of a person went: the decisions that hold some of it, newest first, and where each
/// went on to. A page looks through at most 5,000 decisions of the company.
#[utoipa::path(
    get, path = "/v1/subjects/{subject}/lineage", tag = "privacy",
    operation_id = "read_lineage", security(("signature" = []), ("session" = [])),
    params(
        ("subject" = String, Path, description = "Their pseudonym `sub_…`, as records show it"),
        ("purpose" = Option<String>, Query, description = "For what, of the purposes of the \
            privacy policy; `fraud_prevention` if not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = SubjectLineage),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn read(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &[PURPOSE, "cursor"])?;
    let subject = call.parameter.as_str();
    must_be_pseudonym(subject)?;
    let ground = ground::ground(call, &query, "decisions", Some(subject)).await?;
    let before = query.cursor()?.map(|place| place.parse()).transpose();
    let before = before.map_err(|_| invalid("cursor", CURSOR))?;
    let (vault, tenant) = (&call.state.vault, &call.caller.tenant);
    let is_theirs = |named: &str| vault.is_named(tenant, named, subject);
    let page = call
        .state
        .engine
        .holdings(tenant, is_theirs, before)
        .await?;
    let decisions = followed(call, page.holdings).await?;
    let count = decisions.len();
    let lineage = SubjectLineage {
        subject: subject.to_owned(),
        decisions,
        next_cursor: page.next.map(|place| cursor(&place.to_string())),
    };
    let about = Subject::Outside(subject.to_owned());
    Ok(json_reply(StatusCode::OK, &lineage)?
        .of(count)
        .about(about)
        .on(ground))
}

/// What became of decisions.
async fn followed(call: &Call, holdings: Vec<Holding>) -> Result<Vec<SubjectDecision>, Problem> {
    let (state, tenant) = (&call.state, &call.caller.tenant);
    let numbers: Vec<i64> = holdings.iter().map(|one| one.event_no).collect();
    let mut work: HashMap<i64, Vec<String>> = HashMap::new();
    for went in state.cases.of_decisions(tenant, &numbers).await? {
        work.entry(went.event_no).or_default().push(went.item);
    }
    let ids: Vec<String> = holdings
        .iter()
        .map(|one| one.decision.to_string())
        .collect();
    let oldest = holdings.iter().map(|one| one.decided_at).min();
    let oldest = oldest.unwrap_or_else(|| state.clock.now());
    let mut exports = state.vault.handed_out(tenant, &ids, oldest).await?;
    let payments = holdings.iter().map(|one| one.payment_id.to_string());
    let about = ids.iter().cloned().chain(payments);
    let about: Vec<String> = about.chain(work.values().flatten().cloned()).collect();
    let mut told: HashMap<String, Vec<DeliveryRow>> = HashMap::new();
    for (about, delivery) in state.notify.deliveries.about(tenant, &about).await? {
        told.entry(about).or_default().push(delivery);
    }
    let caller = call.who().actor.to_string();
    let may_cases = state.approvals.may(tenant, &caller, Scope::CasesRead);
    let follow = |holding: Holding| {
        let id = holding.decision.to_string();
        let work = work.remove(&holding.event_no).unwrap_or_default();
        let payment = holding.payment_id.to_string();
        let named = [&id, &payment].into_iter().chain(&work);
        let mut webhooks: Vec<_> = named
            .flat_map(|about| told.get(about).into_iter().flatten())
            .map(SubjectDecisionWebhook::from)
            .collect();
        webhooks.sort_by_key(|told| told.at);
        let exports = exports.remove(&id).unwrap_or_default().into_iter();
        let (alerts, cases) = work.into_iter().partition(|item| item.starts_with(ALERT));
        SubjectDecision {
            decision: holding.decision,
            payment_id: holding.payment_id,
            decided_at: holding.decided_at,
            part: holding.part,
            fields: holding.fields,
            alerts: may_cases.then_some(alerts),
            cases: may_cases.then_some(cases),
            exports: exports.map(SubjectDecisionExport::from).collect(),
            webhooks,
        }
    };
    Ok(holdings.into_iter().map(follow).collect())
}

impl From<HandedOut> for SubjectDecisionExport {
    fn from(handed: HandedOut) -> Self {
        let HandedOut { approval, at } = handed;
        Self { approval, at }
    }
}

impl From<&DeliveryRow> for SubjectDecisionWebhook {
    fn from(delivery: &DeliveryRow) -> Self {
        Self {
            webhook: delivery.endpoint.clone(),
            event: delivery.event.clone(),
            at: delivery.created_at,
            state: delivery.state.name(),
        }
    }
}
