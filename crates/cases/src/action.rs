//! What people ask of payments: for whoever carries payments out, who is told by the trail.

use crate::{
    Alert, AlertPayment, Case, Cases, Error, Worker,
    desk::{Item, checked_reason, entry},
};
use paywarden_domain::{DecisionId, PaymentId, Timestamp};
use paywarden_store::{RecordRow, Row};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What kind of record an action is.
const KIND: &str = "payment_action";

/// What is asked of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentActionKind {
    /// Let it go: it was held or reviewed and is good.
    Release,
    /// Do not carry it out.
    Cancel,
    /// Ask for the money back.
    RequestRefund,
}

/// Each action as the leaf of the trail names it.
pub const ACTIONS: [(PaymentActionKind, &str); 3] = [
    (PaymentActionKind::Release, "payment.release"),
    (PaymentActionKind::Cancel, "payment.cancel"),
    (PaymentActionKind::RequestRefund, "payment.request_refund"),
];

/// What somebody has asked of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PaymentAction {
    /// What.
    pub action: PaymentActionKind,
    /// The payment, by the caller's identifier.
    pub payment_id: PaymentId,
    /// The decision on it.
    pub decision: DecisionId,
    /// The alert or the case that it was asked from.
    pub item: String,
    /// By whom.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

impl PaymentActionKind {
    /// The word used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Cancel => "cancel",
            Self::RequestRefund => "request_refund",
        }
    }

    fn leaf(self) -> &'static str {
        let found = ACTIONS.iter().find(|(kind, _)| *kind == self);
        found.map_or("payment.act", |(_, name)| name)
    }
}

impl Cases {
    /// Asks something of a payment of an open alert or case. It is durable when this returns, and
    /// its leaf names the record.
    pub async fn ask_of_payment(
        &self,
        worker: &Worker,
        item: &str,
        (action, payment_id, reason): (PaymentActionKind, &PaymentId, &str),
    ) -> Result<PaymentAction, Error> {
        let reason = checked_reason(reason)?;
        let payments = self.payments_of(worker, item).await?;
        let known = payments
            .into_iter()
            .find(|one| one.payment_id == *payment_id);
        let known = known.ok_or_else(|| Error::field("payment_id", "a payment of it"))?;
        let action = PaymentAction {
            action,
            payment_id: payment_id.clone(),
            decision: known.decision,
            item: item.to_owned(),
            by: worker.name(),
            at: self.clock.now(),
            reason: reason.to_owned(),
        };
        let random = u32::from_be_bytes(self.clock.random());
        let id = format!("{item}.{:016x}{random:08x}", action.at.micros());
        let record = self.record(worker.tenant(), (KIND, &id, 1), &action)?;
        let what = (action.action.leaf(), action.decision.as_str());
        let entry = entry(&worker.who, what, Some(reason), vec![Row::Record(record)]);
        self.journal.append(entry).await?;
        Ok(action)
    }

    /// What was asked of payments from an alert or a case, oldest first, at most 200.
    pub async fn actions_from(
        &self,
        worker: &Worker,
        item: &str,
    ) -> Result<Vec<PaymentAction>, Error> {
        let between = (format!("{item}."), format!("{item}.~"));
        let between = (between.0.as_str(), between.1.as_str());
        let records = self
            .database
            .records_between(worker.tenant(), KIND, between, 200);
        records
            .await?
            .iter()
            .map(|record| self.read(record))
            .collect()
    }

    /// The action that a record holds, for whoever tells the caller; none of other records.
    pub fn payment_action(&self, record: &RecordRow) -> Option<Result<PaymentAction, Error>> {
        (record.kind == KIND).then(|| self.read(record))
    }

    /// The payments of an open alert or case, those of the case's alerts included.
    pub async fn payments_of(
        &self,
        worker: &Worker,
        item: &str,
    ) -> Result<Vec<AlertPayment>, Error> {
        if !item.starts_with(Case::PREFIX) {
            let alert: Alert = self.seen(worker, item).await?;
            alert.must_be_open()?;
            return Ok(alert.payments);
        }
        let case: Case = self.seen(worker, item).await?;
        case.must_be_open()?;
        let alerts = self.some_alerts(worker, &case.alerts).await?;
        let own = case.payments.into_iter().map(|one| one.payment);
        Ok(own
            .chain(alerts.into_iter().flat_map(|alert| alert.payments))
            .collect())
    }
}
