//! The decision as the journal keeps it, and back.

use crate::{Error, Request, release::Trace};
use paywarden_crypto::{
    digest::sha256,
    keyring::{Keyring, PreparedSeal},
};
use paywarden_domain::{Card, Decision, Event};
use paywarden_store::DecisionRow;

/// Turns decisions into rows and rows into decisions. The event is sealed: names, addresses and
/// texts of people are in it.
pub(crate) struct Recorder {
    seal: PreparedSeal,
}

impl Recorder {
    pub(crate) fn new(keyring: &Keyring) -> Result<Self, paywarden_crypto::Error> {
        Ok(Self {
            seal: seal(keyring)?,
        })
    }

    pub(crate) fn row(
        &self,
        request: &Request,
        decision: &Decision,
        event_no: u64,
        feature: Vec<u8>,
        trace: &Trace,
    ) -> Result<DecisionRow, Error> {
        let Request {
            caller,
            event,
            idempotency,
            ..
        } = request;
        let clear = serde_json::to_vec(event).map_err(damaged)?;
        let sealed = self
            .seal
            .seal(decision.id.as_str().as_bytes(), &clear)
            .map_err(damaged)?;
        Ok(DecisionRow {
            event_no: i64::try_from(event_no).map_err(damaged)?,
            id: decision.id.clone(),
            tenant: caller.tenant.clone(),
            payment_id: decision.payment_id.clone(),
            kind: decision.kind,
            occurred_at: decision.occurred_at,
            decided_at: decision.decided_at,
            outcome: decision.outcome,
            fraud_score: decision.fraud.score,
            laundering_score: decision.laundering.score,
            amount: decision.amount,
            key_id: caller.key_id.clone(),
            idempotency_key: idempotency.as_ref().map(|given| given.key.clone()),
            fingerprint: idempotency.as_ref().map(|given| given.fingerprint),
            feature,
            event: sealed,
            body: postcard::to_stdvec(decision).map_err(damaged)?,
            trace: Some(trace.encode()?),
        })
    }

    /// The event of a row, unsealed.
    pub(crate) fn event(&self, row: &DecisionRow) -> Result<Event<Card>, Error> {
        let clear = self.seal.open(row.id.as_str().as_bytes(), &row.event);
        serde_json::from_slice(&clear.map_err(damaged)?).map_err(damaged)
    }

    /// Whom a row is about: the payer by the caller's identifier, or else the card.
    pub(crate) fn person(&self, row: &DecisionRow) -> Result<Option<String>, Error> {
        let event = self.event(row)?;
        let payer = event.payer.as_ref().and_then(|payer| payer.id.as_ref());
        let card = event.card.as_ref().map(|card| &card.index);
        Ok(payer.or(card).map(|name| name.as_str().to_owned()))
    }
}

/// The seal on the events of decisions.
pub(crate) fn seal(keyring: &Keyring) -> Result<PreparedSeal, paywarden_crypto::Error> {
    keyring.seal_for("decision event")
}

/// The decision that a row holds. Rows end before their models, and before their control group, where
/// there was none: what is read beyond the end is an empty list and nothing.
pub(crate) fn decision(row: &DecisionRow) -> Result<Decision, Error> {
    decoded(&row.body)
}

/// The same of its body alone.
pub(crate) fn decoded(body: &[u8]) -> Result<Decision, Error> {
    let body = [body, &[0, 0]].concat();
    postcard::from_bytes(&body).map_err(damaged)
}

/// The version of a rule set: the first 16 hexadecimal digits of the SHA-256 of its source.
pub(crate) fn version(source: &str) -> String {
    sha256(source.as_bytes())
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn damaged(error: impl std::fmt::Display) -> Error {
    Error::RecordDamaged(error.to_string())
}
