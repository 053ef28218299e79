//! What payments turned out to be.

pub(crate) mod batch;

use super::{
    Call,
    ground::{self, PURPOSE},
    json::parse,
    json_reply, must_not_be_card,
    query::Query,
};
use crate::edge::{Code, Problem, ProblemDocument, reply::Reply};
use http::StatusCode;
use paywarden_access::watch::Subject;
use paywarden_domain::{Label, LabelSource, LabelVerdict, PaymentId, Timestamp};
use paywarden_risk::LabelReceipt;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A statement about one payment.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelInput {
    /// The payment it speaks of, by your own identifier.
    pub payment_id: PaymentId,
    /// What the payment turned out to be.
    pub verdict: LabelVerdict,
    /// Who says so.
    pub source: LabelSource,
    /// When the fraud, dispute or confirmation happened.
    #[serde(default)]
    pub occurred_at: Option<Timestamp>,
    /// When it became known; only for servers that replay history, else the time of receipt.
    #[serde(default)]
    pub known_at: Option<Timestamp>,
}

impl From<LabelInput> for Label {
    fn from(input: LabelInput) -> Self {
        Self {
            payment_id: input.payment_id,
            verdict: input.verdict,
            source: input.source,
            occurred_at: input.occurred_at,
        }
    }
}

/// Refuses a label that is not kept as it is.
fn checked(call: &Call, input: &LabelInput) -> Result<(), Problem> {
    if input.known_at.is_some() && !call.state.trust_event_time {
        let detail = "leave it out: the time of receipt is taken";
        return Err(Problem::new(Code::KnownAtRefused, detail).at("/known_at".to_owned()));
    }
    must_not_be_card("payment_id", input.payment_id.as_str())
        .map_err(|problem| problem.at("/payment_id".to_owned()))
}

/// A label as recorded.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecordedLabel {
    /// Position among all labels.
    pub seq: i64,
    /// What the payment turned out to be.
    pub verdict: LabelVerdict,
    /// Who says so.
    pub source: LabelSource,
    /// When the fraud, dispute or confirmation happened.
    pub occurred_at: Option<Timestamp>,
    /// When it became known to Paywarden.
    pub known_at: Timestamp,
}

/// The labels of one payment, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct LabelList {
    /// The labels; the first one counts.
    pub labels: Vec<RecordedLabel>,
}

/// Says what a payment turned out to be. Labels are added, never overwritten.
#[utoipa::path(
    post, path = "/v1/labels", tag = "labels",
    operation_id = "add_label", security(("signature" = [])),
    params(("idempotency-key" = Option<String>, Header, description = "Makes a retry safe")),
    request_body = LabelInput,
    responses(
        (status = 201, description = "Recorded", body = LabelReceipt),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn add(call: &Call) -> Result<Reply, Problem> {
    let input: LabelInput = parse(&call.body)?;
    checked(call, &input)?;
    let (engine, known_at) = (&call.state.engine, input.known_at);
    let receipt = engine
        .label(&call.caller, Label::from(input), known_at)
        .await?;
    json_reply(StatusCode::CREATED, &receipt)
}

/// What was said about a payment, newest first.
#[utoipa::path(
    get, path = "/v1/payments/{payment_id}/labels", tag = "labels",
    operation_id = "list_labels", security(("signature" = []), ("session" = [])),
    params(
        ("payment_id" = PaymentId, Path, description = "Your own identifier of the payment"),
        ("purpose" = Option<String>, Query, description = "For what, of the purposes of the \
            privacy policy; `fraud_prevention` if not given"),
    ),
    responses(
        (status = 200, description = "The labels, none if nothing was said", body = LabelList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn of_payment(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &[PURPOSE])?;
    let payment = PaymentId::parse(&call.parameter)?;
    let (engine, tenant) = (&call.state.engine, &call.caller.tenant);
    let person = engine.person_of_payment(tenant, &payment).await?;
    let ground = ground::ground(call, &query, "decisions", person.as_deref()).await?;
    let rows = engine.labels(tenant, &payment).await?;
    let labels = rows.into_iter().map(|row| RecordedLabel {
        seq: row.seq,
        verdict: row.verdict,
        source: row.source,
        occurred_at: row.occurred_at,
        known_at: row.known_at,
    });
    let list = LabelList {
        labels: labels.collect(),
    };
    let about = Subject::Outside(payment.as_str().to_owned());
    Ok(json_reply(StatusCode::OK, &list)?.about(about).on(ground))
}
