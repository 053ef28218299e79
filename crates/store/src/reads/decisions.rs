//! Decisions and the labels of a payment.

use super::limited;
use crate::{Database, DecisionRow, Error, LabelRow, sql::Value};
use paywarden_domain::{DecisionId, EventKind, Outcome, PaymentId, TenantId, Timestamp};
use sqlx::Row as _;

/// The most rows of one page.
const PAGE_MAX: u32 = 200;

/// The most labels of one answer.
const LABELS_MAX: u32 = 10_000;
/// The most rows of one step back.
const BACK_MAX: u32 = 1_000;

/// Which decisions a page shows. Everything given has to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DecisionFilter {
    /// This verdict.
    pub outcome: Option<Outcome>,
    /// This kind of event.
    pub kind: Option<EventKind>,
    /// This payment.
    pub payment_id: Option<PaymentId>,
    /// Decided at this time or later.
    pub from: Option<Timestamp>,
    /// Decided before this time.
    pub to: Option<Timestamp>,
    /// Either engine's score is at least this.
    pub score_min: Option<u16>,
}

impl Database {
    /// The decision with this identifier.
    pub async fn decision(
        &self,
        tenant: &TenantId,
        id: &DecisionId,
    ) -> Result<Option<DecisionRow>, Error> {
        let values = [tenant.as_str().into(), id.as_str().into()];
        self.select_one("WHERE tenant = $1 AND id = $2", &values)
            .await
    }

    /// The number of the leaf that holds a decision, in the tenant's trail.
    pub async fn decision_leaf(
        &self,
        tenant: &TenantId,
        id: &DecisionId,
    ) -> Result<Option<u64>, Error> {
        let text = "SELECT leaf FROM decisions WHERE tenant = $1 AND id = $2";
        let row = sqlx::query(text)
            .bind(tenant.as_str())
            .bind(id.as_str())
            .fetch_optional(&mut *self.reader().await?)
            .await?;
        let leaf = row.map(|row| row.try_get::<i64, _>(0)).transpose()?;
        Ok(leaf.map(i64::unsigned_abs))
    }

    /// The decision on this payment.
    pub async fn decision_of_payment(
        &self,
        tenant: &TenantId,
        payment_id: &PaymentId,
    ) -> Result<Option<DecisionRow>, Error> {
        let values = [tenant.as_str().into(), payment_id.as_str().into()];
        self.select_one("WHERE tenant = $1 AND payment_id = $2", &values)
            .await
    }

    /// The decision on the event with this number.
    pub async fn decision_by_event_no(
        &self,
        tenant: &TenantId,
        event_no: i64,
    ) -> Result<Option<DecisionRow>, Error> {
        let values = [tenant.as_str().into(), event_no.into()];
        self.select_one("WHERE tenant = $1 AND event_no = $2", &values)
            .await
    }

    /// Newest first; the next page begins `before` the last `event_no` of this one. At most 200.
    pub async fn decisions_page(
        &self,
        tenant: &TenantId,
        filter: &DecisionFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<DecisionRow>, Error> {
        let mut question = Question::new(tenant);
        question.and("event_no <", before.map(Value::from));
        question.and(
            "outcome =",
            filter.outcome.map(|outcome| number(outcome as u8)),
        );
        question.and("kind =", filter.kind.map(|kind| number(kind as u8)));
        question.and(
            "payment_id =",
            filter.payment_id.as_ref().map(|id| id.as_str().into()),
        );
        question.and(
            "decided_at >=",
            filter.from.map(|time| time.micros().into()),
        );
        question.and("decided_at <", filter.to.map(|time| time.micros().into()));
        question.and(
            "CASE WHEN fraud_score > laundering_score \
             THEN fraud_score ELSE laundering_score END >=",
            filter.score_min.map(number),
        );
        question.end("ORDER BY event_no DESC LIMIT", limited(limit, PAGE_MAX)?);
        self.select(&question.text, &question.values).await
    }

    /// Newest first; the next page begins `before` the last `event_no` of this one. At most 1,000.
    pub async fn decisions_back(
        &self,
        tenant: &TenantId,
        before: i64,
        limit: u32,
    ) -> Result<Vec<DecisionRow>, Error> {
        let rest = "WHERE tenant = $1 AND event_no < $2 ORDER BY event_no DESC LIMIT $3";
        let limit = limited(limit, BACK_MAX)?;
        self.select(rest, &[tenant.as_str().into(), before.into(), limit])
            .await
    }

    /// What was said of a tenant's events up to `last`, behind an event and the number of a label of
    /// it, by event and in the order in which it was said. At most 10,000.
    pub async fn labels_of_events(
        &self,
        tenant: &TenantId,
        (event_no, seq): (i64, i64),
        last: i64,
        limit: u32,
    ) -> Result<Vec<LabelRow>, Error> {
        let rest = "WHERE tenant = $1 AND event_no >= $2 AND event_no <= $3
            AND (event_no > $2 OR seq > $4) ORDER BY event_no, seq LIMIT $5";
        let values = [
            tenant.as_str().into(),
            event_no.into(),
            last.into(),
            seq.into(),
            limited(limit, LABELS_MAX)?,
        ];
        self.select(rest, &values).await
    }

    /// What was said of a payment, newest first, at most the newest 200.
    pub async fn labels_of_payment(
        &self,
        tenant: &TenantId,
        payment_id: &PaymentId,
    ) -> Result<Vec<LabelRow>, Error> {
        let rest = "WHERE tenant = $1 AND payment_id = $2 ORDER BY seq DESC LIMIT 200";
        self.select(rest, &[tenant.as_str().into(), payment_id.as_str().into()])
            .await
    }
}

fn number(value: impl Into<i64>) -> Value<'static> {
    Value::Number(value.into())
}

/// The one question that is put together at run time: constants for text, placeholders for
/// everything else.
struct Question<'v> {
    text: String,
    values: Vec<Value<'v>>,
}

impl<'v> Question<'v> {
    fn new(tenant: &'v TenantId) -> Self {
        Self {
            text: "WHERE tenant = $1".into(),
            values: vec![tenant.as_str().into()],
        }
    }

    fn and(&mut self, condition: &'static str, value: Option<Value<'v>>) {
        if let Some(value) = value {
            self.text.push_str(" AND");
            self.end(condition, value);
        }
    }

    fn end(&mut self, text: &'static str, value: Value<'v>) {
        self.values.push(value);
        self.text
            .push_str(&format!(" {text} ${}", self.values.len()));
    }
}
