//! Asking for decisions and reading them.

pub(crate) mod filter;

use super::{
    Call,
    export::{self, EXPORT},
    ground::{self, PURPOSE},
    json::parse,
    json_reply,
    own_words::is_card_number,
    query::{CURSOR, Query, cursor, invalid},
};
use crate::{
    edge::{Code, Problem, ProblemDocument, reply::Reply},
    metrics::{Laps, Station},
};
use http::StatusCode;
use paywarden_access::{approval::Collection, watch::Subject};
use paywarden_domain::{CardInput, Decision, Event, PaymentId, Timestamp};
use paywarden_privacy::vault::Refusal;
use paywarden_risk::{Decided, Explanation, Request};
use serde::Serialize;
use utoipa::ToSchema;

const PAGE: u32 = 20;
const PAGE_MAX: u32 = 100;

/// One page of decisions, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct DecisionList {
    /// The decisions.
    pub decisions: Vec<Decision>,
    /// How many others of this page may not be shown for the purpose that was stated.
    pub withheld: usize,
    /// Give this as `cursor` to read on; null at the end. There may be fewer rows than asked for, or
    /// none, before it.
    pub next_cursor: Option<String>,
    /// Where the page ends before it is full, because terms were held against 200,000 decisions, or
    /// rules and entities looked for in two million: all that was decided since was looked at.
    pub looked_back_to: Option<Timestamp>,
    /// Give this as `after`, later, for what was decided since: none is missed, and none comes twice.
    pub newest_cursor: String,
    /// With `after`: how many more there are between that and the last of this page, at most 10,000.
    pub passed_over: u64,
}

/// Decides one payment or other event. The answer is durable, and a retry with the same
/// idempotency key gets the same bytes.
#[utoipa::path(
    post, path = "/v1/decisions", tag = "decisions",
    operation_id = "decide", security(("signature" = [])),
    params(("idempotency-key" = String, Header, description = "Your own key for this payment: a \
        quoted string or bare token of 1 to 255 visible ASCII characters")),
    request_body = Event<CardInput>,
    responses(
        (status = 200, description = "The verdict", body = Decision),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn decide(call: &Call) -> Result<Reply, Problem> {
    let state = &call.state;
    let mut laps = Laps::start(&state.metrics, &state.clock);
    let event: Event<CardInput> = parse(&call.body)?;
    let taken = state.vault.take_card(&call.caller.tenant, event).await;
    let (event, mut deposit) = taken.map_err(|refusal| match refusal {
        Refusal::Invalid(invalid) => Problem::from(invalid).at("/card".to_owned()),
        Refusal::Identifier(field) => is_card_number(field).at(format!("/{field}")),
        Refusal::Vault(error) => error.into(),
    })?;
    laps.done(Station::Schema);
    let request = Request {
        caller: call.caller.clone(),
        event,
        idempotency: call.idempotency.clone(),
        beside: deposit.take_rows(),
        ground: deposit.ground(),
        received_us: call.received_us,
    };
    let decided = state.engine.decide(request).await?;
    laps.done(Station::Decide);
    match decided {
        Decided::New(decision) => {
            state.vault.kept(deposit);
            state.metrics.decided(decision.outcome);
            json_reply(StatusCode::OK, &*decision)
        }
        Decided::Repeated(decision) => Ok(json_reply(StatusCode::OK, &*decision)?.replayed()),
    }
}

/// One decision by its identifier.
#[utoipa::path(
    get, path = "/v1/decisions/{id}", tag = "decisions",
    operation_id = "read_decision", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`dec_…`"),
        ("purpose" = Option<String>, Query, description = "For what, of the purposes of the \
            privacy policy; `fraud_prevention` if not given"),
    ),
    responses(
        (status = 200, description = "The decision as it was answered", body = Decision),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn one(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &[PURPOSE])?;
    let (decision, ground) = seen(call, &call.parameter, &query).await?;
    Ok(json_reply(StatusCode::OK, &decision)?
        .about(subject(&decision))
        .on(ground))
}

/// Why a rule fired on a payment, or what kept it from firing: its condition part by part, with the
/// values that the decision saw.
#[utoipa::path(
    get, path = "/v1/decisions/{id}/explanation", tag = "decisions",
    operation_id = "explain_decision", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`dec_…`"),
        ("rule" = String, Query, description = "`pack.rule`, fired or not"),
        ("purpose" = Option<String>, Query, description = "For what, of the purposes of the \
            privacy policy; `fraud_prevention` if not given"),
    ),
    responses(
        (status = 200, description = "The explanation", body = Explanation),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn explanation(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &["rule", PURPOSE])?;
    let rule = query.find("rule").unwrap_or_default();
    let (decision, ground) = seen(call, &call.parameter, &query).await?;
    let (engine, tenant) = (&call.state.engine, &call.caller.tenant);
    let explanation = engine.explain(tenant, &call.parameter, rule).await?;
    let explanation = explanation.ok_or_else(unknown)?;
    Ok(json_reply(StatusCode::OK, &explanation)?
        .about(subject(&decision))
        .on(ground))
}

/// The decision with an identifier, if it may be shown, and on what ground.
pub(super) async fn seen(
    call: &Call,
    id: &str,
    query: &Query<'_>,
) -> Result<(Decision, String), Problem> {
    let (engine, tenant) = (&call.state.engine, &call.caller.tenant);
    let found = engine.decision_about(tenant, id).await?;
    let (decision, person) = found.ok_or_else(unknown)?;
    let ground = ground::ground(call, query, "decisions", person.as_deref()).await?;
    Ok((decision, ground))
}

/// Whom a decision is about, as far as it says.
pub(super) fn subject(decision: &Decision) -> Subject {
    let card = decision.card.as_ref().map(|card| card.index.clone());
    Subject::Outside(card.unwrap_or_else(|| decision.payment_id.as_str().to_owned()))
}

fn unknown() -> Problem {
    Problem::new(Code::DecisionUnknown, "no decision has this identifier")
}

/// Decisions, newest first.
#[utoipa::path(
    get, path = "/v1/decisions", tag = "decisions",
    operation_id = "list_decisions", security(("signature" = []), ("session" = [])),
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "20 if not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("export" = Option<String>, Query, description = "`apr_…`: the export that you have \
            carried out, for more rows than may be looked at"),
        ("after" = Option<String>, Query, description = "`newest_cursor` of a page before: only \
            what was decided since"),
        ("outcome" = Option<String>, Query, description = "Only these outcomes, commas between"),
        ("type" = Option<String>, Query, description = "Only these kinds of event, commas between"),
        ("payment_id" = Option<PaymentId>, Query, description = "Only this payment"),
        ("from" = Option<Timestamp>, Query, description = "Decided then or later"),
        ("to" = Option<Timestamp>, Query, description = "Decided before"),
        ("q" = Option<String>, Query, description = "Terms that have to hold, blanks between: \
            `outcome:decline,hold type:payout score>=600 amount>=500EUR since:24h`; \
            `rule:mule_account.fan_in` for those for which a rule fired, live or on trial; \
            `card:6c1f0a9be27d4853` and so on for those that name an entity, by its pseudonym"),
        ("purpose" = Option<String>, Query, description = "For what, of the purposes of the \
            privacy policy; `fraud_prevention` if not given"),
    ),
    responses(
        (status = 200, description = "A page", body = DecisionList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn page(call: &Call) -> Result<Reply, Problem> {
    let known = ["limit", "cursor", "after", EXPORT, PURPOSE];
    let known: Vec<&str> = filter::FILTERS.into_iter().chain(known).collect();
    let query = Query::parse(&call.query, &known)?;
    let wanted = query.limit(PAGE, PAGE_MAX)?;
    let reserved = export::reserve(call, Collection::Decisions, &query, wanted).await?;
    let place = |text: String| text.parse().map_err(|_| invalid("cursor", CURSOR));
    let mut asked = filter::read(&query, call.state.clock.now())?;
    asked.filter.before = query.cursor()?.map(place).transpose()?;
    asked.filter.after = query.cursor_of("after")?.map(place).transpose()?;
    asked.limit = reserved.rows();
    let (engine, tenant) = (&call.state.engine, &call.caller.tenant);
    let page = engine.decisions(tenant, &asked).await?;
    let next_cursor = page.next.map(|place| cursor(&place.to_string()));
    let newest_cursor = cursor(&page.newest.to_string());
    let (passed_over, looked_back_to) = (page.passed_over, page.looked_back_to);
    let rows = (page.decisions, page.persons.as_slice());
    let (decisions, grounds, withheld) = ground::shown(call, &query, "decisions", rows).await?;
    let count = decisions.len();
    let handed = decisions.iter().map(|one| one.id.to_string()).collect();
    export::hand_out(call, &query, Some(reserved), (count, handed)).await?;
    let list = DecisionList {
        decisions,
        withheld,
        next_cursor,
        looked_back_to,
        newest_cursor,
        passed_over,
    };
    Ok(json_reply(StatusCode::OK, &list)?.of(count).on(grounds))
}
