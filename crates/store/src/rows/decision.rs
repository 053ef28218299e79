//! Decisions.

use super::Canonical;
use crate::{
    Error,
    sql::{AnyQuery, Fields, Insertable, Stored},
};
use paywarden_domain::{
    Currency, DecisionId, EventKind, Money, Outcome, PaymentId, TenantId, Timestamp,
};
use std::sync::Arc;

/// One decision as it was answered.
///
/// Unique by `event_no`, by `id`, by tenant and payment, and by tenant, key and idempotency key.
#[derive(Debug, Clone, PartialEq)]
pub struct DecisionRow {
    /// Number of the event in the feature store, from 1.
    pub event_no: i64,
    /// Identifier of the decision.
    pub id: DecisionId,
    /// Whose payment it is.
    pub tenant: TenantId,
    /// The caller's identifier of the payment.
    pub payment_id: PaymentId,
    /// What happened.
    pub kind: EventKind,
    /// When it happened at the caller.
    pub occurred_at: Timestamp,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// The verdict.
    pub outcome: Outcome,
    /// The fraud engine's score, 0 to 1000.
    pub fraud_score: u16,
    /// The laundering engine's score, 0 to 1000.
    pub laundering_score: u16,
    /// The amount decided on.
    pub amount: Option<Money>,
    /// The key that signed the request.
    pub key_id: String,
    /// The caller's idempotency key, at most 256 bytes.
    pub idempotency_key: Option<String>,
    /// SHA-256 of what the idempotency key stands for.
    pub fingerprint: Option<[u8; 32]>,
    /// The event as features see it, for replay; at most 64 KiB.
    pub feature: Vec<u8>,
    /// The event, sealed; at most 1 MiB.
    pub event: Vec<u8>,
    /// The encoded `domain::Decision`; at most 1 MiB.
    pub body: Vec<u8>,
    /// What the rules saw and what rule sets on trial would have said, at most 256 KiB; none of
    /// decisions from before it was kept.
    pub trace: Option<Vec<u8>>,
}

impl DecisionRow {
    /// The trace stands last and leaves no mark when it is absent, so that rows from before it have
    /// the digest that they had.
    pub(crate) fn canonical(&self) -> Canonical {
        let trace = self.trace.as_ref().map_or(0, Vec::len);
        let content = self.feature.len() + self.event.len() + self.body.len() + trace;
        let row = Canonical::with_room(b'D', content)
            .number(self.event_no)
            .text(self.id.as_str())
            .text(self.tenant.as_str())
            .text(self.payment_id.as_str())
            .number(self.kind as u8)
            .time(self.occurred_at)
            .time(self.decided_at)
            .number(self.outcome as u8)
            .number(self.fraud_score)
            .number(self.laundering_score)
            .optional(self.amount, |bytes, amount| {
                bytes.number(amount.minor).text(amount.currency.code())
            })
            .text(&self.key_id)
            .optional(self.idempotency_key.as_deref(), Canonical::text)
            .optional(self.fingerprint.as_ref(), |bytes, hash| bytes.bytes(hash))
            .bytes(&self.feature)
            .bytes(&self.event)
            .bytes(&self.body);
        match &self.trace {
            Some(trace) => row.bytes(trace),
            None => row,
        }
    }
}

impl Stored for DecisionRow {
    const TABLE: &'static str = "decisions";
    const COLUMNS: &'static [&'static str] = &[
        "event_no",
        "id",
        "tenant",
        "payment_id",
        "kind",
        "occurred_at",
        "decided_at",
        "outcome",
        "fraud_score",
        "laundering_score",
        "amount_minor",
        "currency",
        "key_id",
        "idempotency_key",
        "fingerprint",
        "feature",
        "event",
        "body",
        "trace",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            event_no: fields.take()?,
            id: fields.parsed(DecisionId::parse)?,
            tenant: fields.parsed(TenantId::parse)?,
            payment_id: fields.parsed(PaymentId::parse)?,
            kind: fields.numbered(EventKind::from_number)?,
            occurred_at: Timestamp::from_micros(fields.take()?),
            decided_at: Timestamp::from_micros(fields.take()?),
            outcome: fields.numbered(Outcome::from_number)?,
            fraud_score: fields.take::<i16>()?.cast_unsigned(),
            laundering_score: fields.take::<i16>()?.cast_unsigned(),
            amount: amount(fields.take()?, fields.take()?)?,
            key_id: fields.take()?,
            idempotency_key: fields.take()?,
            fingerprint: fields.hash()?,
            feature: fields.take()?,
            event: fields.take()?,
            body: fields.take()?,
            trace: fields.take()?,
        })
    }
}

impl DecisionRow {
    fn bind<'q>(&'q self, query: AnyQuery<'q>) -> AnyQuery<'q> {
        query
            .bind(self.event_no)
            .bind(self.id.as_str())
            .bind(self.tenant.as_str())
            .bind(self.payment_id.as_str())
            .bind(self.kind as i16)
            .bind(self.occurred_at.micros())
            .bind(self.decided_at.micros())
            .bind(self.outcome as i16)
            .bind(self.fraud_score.cast_signed())
            .bind(self.laundering_score.cast_signed())
            .bind(self.amount.map(|amount| amount.minor))
            .bind(self.amount.map(|amount| amount.currency.code()))
            .bind(self.key_id.as_str())
            .bind(self.idempotency_key.as_deref())
            .bind(self.fingerprint.as_ref().map(|hash| hash.as_slice()))
            .bind(self.feature.as_slice())
            .bind(self.event.as_slice())
            .bind(self.body.as_slice())
            .bind(self.trace.as_deref())
    }
}

fn amount(minor: Option<i64>, currency: Option<&str>) -> Result<Option<Money>, Error> {
    let Some((minor, code)) = minor.zip(currency) else {
        return Ok(None);
    };
    let currency = Currency::parse(code).map_err(|_| Error::corrupt("unknown currency"))?;
    Ok(Some(Money::new(minor, currency)))
}

/// A decision with the number of its leaf in the tenant's trail.
#[derive(Debug)]
pub(crate) struct RecordedDecision {
    pub(crate) row: Arc<DecisionRow>,
    pub(crate) leaf: u64,
}

/// Every column of a decision, and the leaf behind them.
const RECORDED: [&str; DecisionRow::COLUMNS.len() + 1] = {
    let mut columns = ["leaf"; DecisionRow::COLUMNS.len() + 1];
    let (before, _) = columns.split_at_mut(DecisionRow::COLUMNS.len());
    before.copy_from_slice(DecisionRow::COLUMNS);
    columns
};

impl Stored for RecordedDecision {
    const TABLE: &'static str = DecisionRow::TABLE;
    const COLUMNS: &'static [&'static str] = &RECORDED;

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            row: Arc::new(DecisionRow::read(fields)?),
            leaf: fields.counted()?,
        })
    }
}

impl Insertable for RecordedDecision {
    fn bind<'q>(&'q self, query: AnyQuery<'q>) -> AnyQuery<'q> {
        self.row.bind(query).bind(self.leaf.cast_signed())
    }
}

/// What the columns tell of a decision, without anything that is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionSummary {
    /// Number of the event.
    pub event_no: i64,
    /// Identifier of the decision.
    pub id: DecisionId,
    /// Whose payment it is.
    pub tenant: TenantId,
    /// The caller's identifier of the payment.
    pub payment_id: PaymentId,
    /// What happened.
    pub kind: EventKind,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// The verdict.
    pub outcome: Outcome,
    /// The fraud engine's score, 0 to 1000.
    pub fraud_score: u16,
    /// The laundering engine's score, 0 to 1000.
    pub laundering_score: u16,
    /// The amount decided on.
    pub amount: Option<Money>,
}

impl Stored for DecisionSummary {
    const TABLE: &'static str = DecisionRow::TABLE;
    const COLUMNS: &'static [&'static str] = &[
        "event_no",
        "id",
        "tenant",
        "payment_id",
        "kind",
        "decided_at",
        "outcome",
        "fraud_score",
        "laundering_score",
        "amount_minor",
        "currency",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            event_no: fields.take()?,
            id: fields.parsed(DecisionId::parse)?,
            tenant: fields.parsed(TenantId::parse)?,
            payment_id: fields.parsed(PaymentId::parse)?,
            kind: fields.numbered(EventKind::from_number)?,
            decided_at: Timestamp::from_micros(fields.take()?),
            outcome: fields.numbered(Outcome::from_number)?,
            fraud_score: fields.take::<i16>()?.cast_unsigned(),
            laundering_score: fields.take::<i16>()?.cast_unsigned(),
            amount: amount(fields.take()?, fields.take()?)?,
        })
    }
}

/// What the writer must know of a decision that is there already.
#[derive(Debug)]
pub(crate) struct Existing {
    pub(crate) event_no: i64,
    pub(crate) id: DecisionId,
    pub(crate) tenant: String,
    pub(crate) payment_id: String,
    pub(crate) key_id: String,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) fingerprint: Option<[u8; 32]>,
}

impl Stored for Existing {
    const TABLE: &'static str = DecisionRow::TABLE;
    const COLUMNS: &'static [&'static str] = &[
        "event_no",
        "id",
        "tenant",
        "payment_id",
        "key_id",
        "idempotency_key",
        "fingerprint",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            event_no: fields.take()?,
            id: fields.parsed(DecisionId::parse)?,
            tenant: fields.take()?,
            payment_id: fields.take()?,
            key_id: fields.take()?,
            idempotency_key: fields.take()?,
            fingerprint: fields.hash()?,
        })
    }
}
