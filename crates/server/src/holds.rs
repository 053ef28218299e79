//! Holds on payees whom payers have reported: made with the answer, and once more from its leaf, in
//! case nobody came so far. What an answer has put on the list before is not put there again, so
//! that whom somebody has released stays released.

use crate::edge::{Code, Problem};
use paywarden_access::{
    KeyRegistry, Scope,
    approval::{Approvals, Approved, Who},
};
use paywarden_domain::{PaymentId, TenantId, Timestamp, time::HOUR};
use paywarden_notify::{
    Notify,
    confirmation::{ANSWERED, Answer, Given, Question, Terms},
};
use paywarden_risk::{Engine, ListChange, ListOperation, ListValue, Sketch};
use paywarden_store::{Actor, Clock, OutboxItem, RowRef};
use std::sync::Arc;

/// Payees whose next payments are held for a while; the shipped rules read it.
const REPORTED_PAYEES: &str = "reported_payees";

/// Why a batch was not taken; it may be later.
#[derive(Debug, thiserror::Error)]
#[error("payee of a reported payment not held: {0}")]
pub struct NotHeld(&'static str);

/// Holds payees.
#[derive(Clone)]
pub struct PayeeHolds {
    engine: Arc<Engine>,
    registry: Arc<KeyRegistry>,
    approvals: Approvals,
    notify: Arc<Notify>,
    clock: Clock,
}

impl PayeeHolds {
    /// Over the same store as all of these.
    pub fn new(
        (engine, notify): (Arc<Engine>, Arc<Notify>),
        (registry, approvals): (Arc<KeyRegistry>, Approvals),
        clock: Clock,
    ) -> Self {
        Self {
            engine,
            registry,
            approvals,
            notify,
            clock,
        }
    }

    /// Takes a batch of leaves. Taken again it changes nothing.
    pub async fn take(&self, batch: &[OutboxItem]) -> Result<(), NotHeld> {
        for item in batch.iter().filter(|item| item.action == ANSWERED) {
            for row in &item.rows {
                let RowRef::Record(record) = row else {
                    continue;
                };
                let found = self.notify.confirmations.of_record(&item.tenant, record);
                match found.await {
                    Ok(Some(question)) => self.settled(&question).await?,
                    Ok(None) => {}
                    Err(error) => self.failed(&item.tenant, Problem::from(error))?,
                }
            }
        }
        Ok(())
    }

    /// The same for one question. What cannot be done at all is told of: the answer is durable, and
    /// an analyst can still do it.
    pub(crate) async fn settled(&self, question: &Question) -> Result<(), NotHeld> {
        match self.held(question).await {
            Ok(()) => Ok(()),
            Err(problem) => self.failed(&question.tenant, problem),
        }
    }

    /// The change that would hold the payee from some time on, if whoever asks wants that and may do
    /// it.
    pub(crate) async fn admit(
        &self,
        who: &Who,
        (terms, from): (&Terms, Timestamp),
        sketch: &Sketch,
    ) -> Result<Option<Approved<ListChange>>, Problem> {
        let Some((hours, payee)) = terms.hold_payee_hours.zip(sketch.payee_key.clone()) else {
            return Ok(None);
        };
        let Actor::Key(key_id) = &who.actor else {
            return Ok(None);
        };
        if !self.registry.may(&who.tenant, key_id, Scope::ListsWrite) {
            let detail = "holding payments of a payee needs `lists:write`";
            return Err(Problem::new(Code::ScopeInsufficient, detail)
                .missing(vec![Scope::ListsWrite.name().to_owned()]));
        }
        let change = ListChange {
            list: REPORTED_PAYEES.to_owned(),
            operation: ListOperation::Add,
            values: vec![ListValue {
                value: payee,
                expires_at: Some(until(from, hours)),
            }],
            reason: "reported by a payer".to_owned(),
        };
        Ok(Some(self.approvals.admit(who, change, None).await?))
    }

    pub(crate) async fn sketch(
        &self,
        tenant: &TenantId,
        payment: &PaymentId,
    ) -> Result<Sketch, Problem> {
        let sketch = self.engine.sketch(tenant, payment).await?;
        sketch.ok_or_else(|| paywarden_risk::Error::PaymentUnknown.into())
    }

    async fn held(&self, question: &Question) -> Result<(), Problem> {
        let (tenant, terms) = (&question.tenant, &question.terms);
        let Some((Given { answer, at, .. }, hours)) = question.answered.zip(terms.hold_payee_hours)
        else {
            return Ok(());
        };
        if answer == Answer::Yes || until(at, hours) <= self.clock.now() {
            return Ok(());
        }
        let sketch = self.sketch(tenant, &question.payment_id).await?;
        let payee = sketch.payee_key.clone().unwrap_or_default();
        let since = self
            .engine
            .was_listed(tenant, (REPORTED_PAYEES, &payee), at);
        if since.await? {
            return Ok(());
        }
        let who = Who {
            tenant: tenant.clone(),
            actor: Actor::Key(question.asked_by.clone()),
        };
        if let Some(approved) = self.admit(&who, (terms, at), &sketch).await? {
            self.engine.change_list(approved).await?;
        }
        Ok(())
    }

    fn failed(&self, tenant: &TenantId, problem: Problem) -> Result<(), NotHeld> {
        let code = problem.code();
        match code.status().is_server_error() && code != Code::RecordDamaged {
            true => Err(NotHeld(code.name())),
            false => {
                let code = code.name();
                tracing::warn!(%tenant, code, "payee of a reported payment not held");
                Ok(())
            }
        }
    }
}

fn until(from: Timestamp, hours: u16) -> Timestamp {
    Timestamp::from_micros(from.micros() + i64::from(hours) * HOUR)
}
