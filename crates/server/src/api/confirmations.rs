//! "Was this you?": having payers asked whether payments were theirs, and what they answer.

pub(crate) mod page;
mod words;

use super::{Call, Door, Endpoint, Keyed, Route, Size, json::parse, json_reply, query::Query};
use crate::{
    PayeeHolds,
    edge::{Code, Problem, ProblemDocument, reply::Reply},
    state::State,
};
use http::{Method, StatusCode};
use paywarden_access::{Scope, approval::Who, watch::Subject};
use paywarden_domain::{Label, LabelSource, PaymentId, Timestamp};
use paywarden_notify::{
    Error, Notice,
    confirmation::{self, ANSWERED, Answer, Channel, Detail, Given, Question, Terms},
    event::CONFIRMATION_REQUESTED,
};
use paywarden_risk::Beside;
use paywarden_store::Actor;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use utoipa::ToSchema;

/// Where links begin.
pub(crate) const LINKS: &str = "/confirm/";
const HOURS: u16 = 72;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Ask the payer.
    Ask,
    /// Hand in what they say.
    Answer,
    /// Read how it stands.
    Read,
    /// Look at the page behind a link.
    Show,
    /// Answer there.
    Submit,
}

/// The routes of programs.
#[rustfmt::skip]
pub(super) static ROUTES: &[Route] = &[
    Route::post("/v1/payments/{payment_id}/confirmation-requests", Scope::ConfirmationsWrite, Keyed::Optional, Endpoint::Confirmation(Act::Ask)),
    Route::post("/v1/payments/{payment_id}/confirmation-answers", Scope::ConfirmationsWrite, Keyed::Optional, Endpoint::Confirmation(Act::Answer)),
    Route::shown("/v1/payments/{payment_id}/confirmation", Scope::DecisionsRead, Endpoint::Confirmation(Act::Read)),
    Route { door: Door::Link, ..Route::open("/confirm/{token}", Endpoint::Confirmation(Act::Show)) },
    Route {
        method: &Method::POST,
        door: Door::Link,
        has_body: true,
        size: Size::Form,
        ..Route::open("/confirm/{token}", Endpoint::Confirmation(Act::Submit))
    },
];

pub(super) async fn handle(act: Act, call: &Call) -> Result<Reply, Problem> {
    match act {
        Act::Ask => ask(call).await,
        Act::Answer => answer(call).await,
        Act::Read | Act::Show | Act::Submit => read(call).await,
    }
}

/// How a payer is to be asked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmationInput {
    /// How long they may answer, 1 to 168 hours; 72 if not given.
    #[serde(default)]
    expires_in_hours: Option<u16>,
    /// In whose name they are asked, 1 to 64 bytes: what they know you by.
    #[serde(default)]
    asked_as: Option<String>,
    /// What the page shows beside when it was, as far as the table of masks shows it to payers;
    /// amount and payee if not given.
    #[serde(default)]
    shows: Option<Vec<Detail>>,
    /// For how long later payments of the same payee are held if it was not them, or they were
    /// tricked, 1 to 720 hours; not at all if not given. Needs `lists:write`.
    #[serde(default)]
    hold_payee_hours: Option<u16>,
}

/// A payer who is asked.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConfirmationAsked {
    /// The link: whoever has it can answer, once. It is shown here and sent, and kept nowhere.
    pub link: String,
    /// Until when it may be answered.
    pub expires_at: Timestamp,
    /// How often the payer was asked about this payment, this time included; at most 5.
    pub asked: u16,
    /// How many webhooks `confirmation.requested` goes to.
    pub webhooks: usize,
}

/// What a payer says.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmationAnswerInput {
    /// What they say.
    answer: Answer,
}

/// A question and its answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConfirmationView {
    /// Where it stands.
    pub state: confirmation::State,
    /// How often the payer was asked.
    pub asked: u16,
    /// When last.
    pub asked_at: Timestamp,
    /// Until when they may answer.
    pub expires_at: Timestamp,
    /// What they said; null as long as they said nothing.
    pub given: Option<Given>,
}

/// Has a payer asked whether a payment was theirs. A link that was sent before ends.
#[utoipa::path(
    post, path = "/v1/payments/{payment_id}/confirmation-requests", tag = "confirmations",
    operation_id = "request_confirmation", security(("signature" = [])),
    params(
        ("payment_id" = PaymentId, Path, description = "Your own identifier of the payment"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = ConfirmationInput,
    responses(
        (status = 201, description = "The link", body = ConfirmationAsked),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn ask(call: &Call) -> Result<Reply, Problem> {
    let input: ConfirmationInput = parse(&call.body)?;
    let payment = PaymentId::parse(&call.parameter)?;
    let (state, tenant) = (&call.state, &call.caller.tenant);
    let holds = holds(state);
    let sketch = holds.sketch(tenant, &payment).await?;
    let terms = Terms {
        hours: input.expires_in_hours.unwrap_or(HOURS),
        asked_as: input.asked_as,
        shows: input.shows.unwrap_or(vec![Detail::Amount, Detail::Payee]),
        hold_payee_hours: input.hold_payee_hours,
    };
    if terms.hold_payee_hours.is_some() {
        // What the answer does must be allowed now.
        let from = (&terms, state.clock.now());
        let allowed = holds.admit(&call.who(), from, &sketch).await?;
        if allowed.is_none() {
            return Err(Error::ConfirmationRefused("the payment names no payee to hold").into());
        }
    }
    let (notify, key_id) = (&state.notify, call.caller.key_id.as_str());
    let asked = notify.confirmations.ask((tenant, key_id), &payment, terms);
    let (question, token) = asked.await?;
    let link = format!("{}{LINKS}{}", state.origin, token.as_str());
    let notice = Notice {
        id: notify.messenger.fresh_id(),
        tenant: tenant.clone(),
        event: CONFIRMATION_REQUESTED.to_owned(),
        at: question.asked_at,
        outcome: None,
        data: json!({
            "payment_id": payment, "link": link, "expires_at": question.expires_at,
            "asked": question.asked,
        }),
    };
    let webhooks = notify.messenger.send(notice).await?;
    let asked = ConfirmationAsked {
        link,
        expires_at: question.expires_at,
        asked: question.asked,
        webhooks,
    };
    json_reply(StatusCode::CREATED, &asked)
}

/// Hands in what a payer has answered in your own app. The first answer stands.
#[utoipa::path(
    post, path = "/v1/payments/{payment_id}/confirmation-answers", tag = "confirmations",
    operation_id = "answer_confirmation", security(("signature" = [])),
    params(
        ("payment_id" = PaymentId, Path, description = "Your own identifier of the payment"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = ConfirmationAnswerInput,
    responses(
        (status = 200, description = "The answer that stands", body = ConfirmationView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn answer(call: &Call) -> Result<Reply, Problem> {
    let ConfirmationAnswerInput { answer } = parse(&call.body)?;
    let question = question(call).await?;
    let actor = Actor::Key(call.caller.key_id.clone());
    let said = (answer, Channel::App, actor);
    let question = settle(&call.state, question, said).await?;
    json_reply(StatusCode::OK, &view(&question, call.state.clock.now()))
}

/// How a question to a payer stands.
#[utoipa::path(
    get, path = "/v1/payments/{payment_id}/confirmation", tag = "confirmations",
    operation_id = "read_confirmation", security(("signature" = []), ("session" = [])),
    params(("payment_id" = PaymentId, Path, description = "Your own identifier of the payment")),
    responses(
        (status = 200, description = "The question", body = ConfirmationView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn read(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    let question = question(call).await?;
    let about = Subject::Outside(question.payment_id.as_str().to_owned());
    Ok(json_reply(StatusCode::OK, &view(&question, call.state.clock.now()))?.about(about))
}

/// Writes an answer down, with the label that it is; the question as it stands then. Of two who
/// answer, the first counts. Error: nobody has answered in time.
async fn settle(
    state: &State,
    question: Question,
    (answer, channel, actor): (Answer, Channel, Actor),
) -> Result<Question, Problem> {
    let now = state.clock.now();
    match question.state(now) {
        confirmation::State::Answered => return Ok(question),
        confirmation::State::Expired => {
            return Err(Error::ConfirmationState("the time for an answer is over").into());
        }
        confirmation::State::Open => {}
    }
    let who = Who {
        tenant: question.tenant.clone(),
        actor,
    };
    let label = Label {
        payment_id: question.payment_id.clone(),
        verdict: answer.verdict(),
        source: LabelSource::CustomerReport,
        occurred_at: None,
    };
    let beside = Beside {
        action: ANSWERED,
        purpose: "confirmation by the payer",
        rows: vec![question.answer(answer, channel, now)?],
    };
    let written = state.engine.label_beside(&who, label, None, beside).await;
    let is_first = match written {
        Ok(_) => true,
        // Somebody has answered, or asked again, at the same moment.
        Err(paywarden_risk::Error::Conflict) => false,
        Err(error) => return Err(error.into()),
    };
    let (tenant, payment) = (&question.tenant, &question.payment_id);
    let found = state.notify.confirmations.of_payment(tenant, payment);
    let stands = found.await?.filter(|stands| stands.answered.is_some());
    let stands = stands.ok_or(Error::Conflict)?;
    if is_first && holds(state).settled(&stands).await.is_err() {
        tracing::warn!("the payee of a reported payment is held a little later");
    }
    Ok(stands)
}

/// Who holds payees.
fn holds(state: &State) -> PayeeHolds {
    let (engine, notify) = (Arc::clone(&state.engine), Arc::clone(&state.notify));
    let rights = (Arc::clone(&state.registry), state.approvals.clone());
    PayeeHolds::new((engine, notify), rights, state.clock.clone())
}

async fn question(call: &Call) -> Result<Question, Problem> {
    let payment = PaymentId::parse(&call.parameter)?;
    let confirmations = &call.state.notify.confirmations;
    let found = confirmations
        .of_payment(&call.caller.tenant, &payment)
        .await?;
    let detail = "the payer was not asked about this payment";
    found.ok_or_else(|| Problem::new(Code::ConfirmationUnknown, detail))
}

fn view(question: &Question, now: Timestamp) -> ConfirmationView {
    ConfirmationView {
        state: question.state(now),
        asked: question.asked,
        asked_at: question.asked_at,
        expires_at: question.expires_at,
        given: question.answered,
    }
}
