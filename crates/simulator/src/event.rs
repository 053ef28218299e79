//! What the generators hand out: an event as a caller would send it, and the truth about it.

use crate::{AttackKind, OutgoingCard};
use paywarden_domain::{
    Event, EventKind, Label, LabelSource, LabelVerdict, PaymentId, Timestamp, event::Attributes,
    time::DAY,
};

/// An event that serialises to the body of `POST /v1/decisions`.
pub type OutgoingEvent = Event<OutgoingCard>;

/// After so long without a complaint a payment counts as genuine, in microseconds.
pub const SILENCE_US: i64 = 45 * DAY;

/// An event and the truth about it.
#[derive(Debug, Clone)]
pub struct Labelled {
    /// What a caller would send.
    pub event: OutgoingEvent,
    /// The attack that it belongs to; none for ordinary life.
    pub kind: Option<AttackKind>,
    /// Whether it should have been stopped. An event of an attack that is harmless by itself, such
    /// as the honest purchase behind a false refund, has a `kind` and is no fraud.
    pub is_fraud: bool,
    /// How long after the event the truth is known, in microseconds.
    pub label_after_us: i64,
    /// Who will say so.
    pub source: LabelSource,
}

impl Labelled {
    /// The JSON body of the request, about a kilobyte.
    pub fn body(&self) -> Result<Vec<u8>, serde_json::Error> {
        body(&self.event)
    }

    /// When the truth is known.
    pub fn known_at(&self) -> Timestamp {
        Timestamp::from_micros(self.event.occurred_at.micros() + self.label_after_us)
    }

    /// The label that will be reported; none for what nobody complains about.
    pub fn label(&self) -> Option<Label> {
        self.is_fraud.then(|| Label {
            payment_id: self.event.id.clone(),
            verdict: match self.source {
                LabelSource::Chargeback => LabelVerdict::Chargeback,
                _ => LabelVerdict::Fraud,
            },
            source: self.source,
            occurred_at: Some(self.event.occurred_at),
        })
    }

    pub(crate) fn genuine(event: OutgoingEvent) -> Self {
        Self {
            event,
            kind: None,
            is_fraud: false,
            label_after_us: SILENCE_US,
            source: LabelSource::Analyst,
        }
    }
}

/// The JSON body of a request.
pub(crate) fn body(event: &OutgoingEvent) -> Result<Vec<u8>, serde_json::Error> {
    let mut body = Vec::with_capacity(1536);
    serde_json::to_writer(&mut body, event)?;
    Ok(body)
}

/// An event about nobody yet.
pub(crate) fn blank(id: PaymentId, kind: EventKind, at: i64) -> OutgoingEvent {
    Event {
        id,
        kind,
        occurred_at: Timestamp::from_micros(at),
        amount: None,
        channel: None,
        payer: None,
        payee: None,
        account: None,
        merchant: None,
        card: None,
        device: None,
        network: None,
        billing: None,
        shipping: None,
        remittance: None,
        original_id: None,
        attributes: Attributes::default(),
    }
}
