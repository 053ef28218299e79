//! Parties that were cleared, parties under watch, and what was found of them.

use super::{ScreeningInput, ground, threshold};
use crate::{
    api::{
        Call,
        export::{self, EXPORT},
        json::parse,
        json_reply,
        query::Query,
    },
    edge::{Code, Problem, ProblemDocument, reply::Reply},
};
use http::StatusCode;
use paywarden_access::approval::Collection;
use paywarden_privacy::{By, Item, Plain, Retention};
use paywarden_risk::screening::{Cleared, ScreeningAlert, ScreeningAnswer};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const PAGE: u32 = 100;
const PAGE_MAX: u32 = 1_000;
/// Behind every identifier of an alert.
const AFTER_ALL: &str = "~";

/// The end of a watch.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WatchEnd {
    /// Your own identifier of the party.
    pub reference: String,
    /// For what it was watched: a purpose of the privacy policy.
    pub purpose: String,
}

/// A party that is no longer under watch.
#[derive(Debug, Serialize, ToSchema)]
pub struct WatchEnded {
    /// Its pseudonym.
    pub party: String,
}

/// A party under watch, and who it may be.
#[derive(Debug, Serialize, ToSchema)]
pub struct WatchedPartyView {
    /// Its pseudonym, by which alerts name it.
    pub party: String,
    /// Who it may be.
    pub screening: ScreeningAnswer,
}

/// Clearances in force.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClearanceList {
    /// By list, entry and party.
    pub clearances: Vec<Cleared>,
}

/// Alerts, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScreeningAlertList {
    /// The alerts.
    pub alerts: Vec<ScreeningAlert>,
    /// Give this as `before` to read on; null at the end.
    pub next_before: Option<String>,
}

/// Parties that are not the one on a list, as approved `screening_clearance` commands said, at most
/// 1,000.
#[utoipa::path(
    get, path = "/v1/screening-clearances", tag = "screening",
    operation_id = "list_screening_clearances", security(("signature" = []), ("session" = [])),
    responses(
        (status = 200, description = "The clearances", body = ClearanceList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) fn clearances(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    let mut clearances = call.state.engine.screening_clearances(&call.caller.tenant);
    clearances.truncate(PAGE_MAX as usize);
    let count = clearances.len();
    Ok(json_reply(StatusCode::OK, &ClearanceList { clearances })?.of(count))
}

/// Puts a party under watch, or takes other facts of it in. It is screened at once, and again
/// whenever a list changes; what is found then is an alert. `party.reference` is your own identifier
/// of it. Name and facts are kept in the vault as long as the contract lasts.
#[utoipa::path(
    put, path = "/v1/screening-parties", tag = "screening",
    operation_id = "watch_party", security(("signature" = [])),
    params(("idempotency-key" = Option<String>, Header, description = "Makes a retry safe")),
    request_body = ScreeningInput,
    responses(
        (status = 200, description = "Under watch", body = WatchedPartyView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn watch(call: &Call) -> Result<Reply, Problem> {
    let input: ScreeningInput = parse(&call.body)?;
    let threshold = threshold(input.threshold)?;
    let question = input.party.question("/party")?;
    let Some(reference) = input.party.reference.filter(|text| !text.is_empty()) else {
        let detail = "a party under watch has a reference";
        return Err(Problem::new(Code::FieldMissing, detail).at("/party/reference".to_owned()));
    };
    let ground = ground(call, &input.purpose, Some(&reference)).await?;
    let (engine, vault, who) = (&call.state.engine, &call.state.vault, call.who());
    let party = engine.screening_party(&who.tenant, &reference);
    let facts = serde_json::to_string(&question);
    let facts = facts.map_err(|_| Problem::new(Code::Internal, "the facts cannot be written"))?;
    let by = By::new(who.tenant.clone(), who.actor.clone(), input.purpose);
    let kept = vault.tokenize(&by, &[item(reference, facts)]).await?;
    let token = kept
        .into_iter()
        .next()
        .map(|kept| kept.token)
        .unwrap_or_default();
    let watched = engine.watch_party(&who, &ground, (&party, token), &question, threshold);
    let (screening, replaced) = watched.await?;
    if let Some(token) = replaced {
        vault.delete(&by, &token).await?;
    }
    let count = screening.hits.len();
    let view = WatchedPartyView { party, screening };
    Ok(json_reply(StatusCode::OK, &view)?.of(count))
}

/// Ends the watch over a party and erases what was kept of it for that.
#[utoipa::path(
    delete, path = "/v1/screening-parties", tag = "screening",
    operation_id = "unwatch_party", security(("signature" = [])),
    params(("idempotency-key" = Option<String>, Header, description = "Makes a retry safe")),
    request_body = WatchEnd,
    responses(
        (status = 200, description = "No longer under watch", body = WatchEnded),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn unwatch(call: &Call) -> Result<Reply, Problem> {
    let WatchEnd { reference, purpose } = parse(&call.body)?;
    let (engine, vault, who) = (&call.state.engine, &call.state.vault, call.who());
    let party = engine.screening_party(&who.tenant, &reference);
    let token = engine.unwatch_party(&who, &party).await?;
    vault
        .delete(&By::new(who.tenant, who.actor, purpose), &token)
        .await?;
    json_reply(StatusCode::OK, &WatchEnded { party })
}

/// What was found of parties under watch that was not known before, newest first.
#[utoipa::path(
    get, path = "/v1/screening-alerts", tag = "screening",
    operation_id = "list_screening_alerts", security(("signature" = []), ("session" = [])),
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000,
            description = "100 if not given"),
        ("before" = Option<String>, Query, description = "`next_before` of the page before"),
        ("export" = Option<String>, Query, description = "`apr_…`: the export that you have \
            carried out"),
    ),
    responses(
        (status = 200, description = "A page", body = ScreeningAlertList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn alerts(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &["limit", "before", EXPORT])?;
    let (wanted, who) = (query.limit(PAGE, PAGE_MAX)?, call.who());
    let by = (&*call.state, &who);
    let reserved = export::by_export(by, Collection::ScreeningAlerts, &query, wanted).await?;
    let limit = export::rows(reserved.as_ref(), wanted);
    let before = query.find("before").unwrap_or(AFTER_ALL);
    let engine = &call.state.engine;
    let alerts = engine
        .screening_alerts(&call.caller.tenant, before, limit)
        .await?;
    let count = alerts.len();
    export::hand_out(call, &query, reserved, (count, Vec::new())).await?;
    let last = alerts.last().map(|alert| alert.id.clone());
    let list = ScreeningAlertList {
        next_before: last.filter(|_| count == limit as usize),
        alerts,
    };
    Ok(json_reply(StatusCode::OK, &list)?.of(count))
}

/// What the vault keeps of a party: its name and facts as one value.
fn item(subject: String, facts: String) -> Item {
    Item {
        subject,
        class: "free_form".to_owned(),
        value: Plain::from(facts),
        details: None,
        retention: Retention::Contract,
        form: Default::default(),
        once: false,
        ttl_seconds: None,
        caller: None,
        purpose: None,
    }
}
