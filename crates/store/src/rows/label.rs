//! Labels.

use super::Canonical;
use crate::{
    Error,
    sql::{AnyQuery, Fields, Insertable, Stored},
};
use paywarden_domain::{LabelSource, LabelVerdict, PaymentId, TenantId, Timestamp};

/// What somebody said of a payment. Rows are added, never changed; the newest counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelRow {
    /// Order in which labels became known, from 1. The writer assigns it.
    pub seq: i64,
    /// Whose payment it is.
    pub tenant: TenantId,
    /// The payment it speaks of.
    pub payment_id: PaymentId,
    /// The event of that payment in the feature store, if it was decided here.
    pub event_no: Option<i64>,
    /// What the payment turned out to be.
    pub verdict: LabelVerdict,
    /// Who says so.
    pub source: LabelSource,
    /// When the fraud, dispute or confirmation happened.
    pub occurred_at: Option<Timestamp>,
    /// When it became known here.
    pub known_at: Timestamp,
}

/// Sources by their stored number.
const SOURCES: [LabelSource; 5] = [
    LabelSource::Chargeback,
    LabelSource::Analyst,
    LabelSource::CustomerReport,
    LabelSource::FailedStepUp,
    LabelSource::Consortium,
];

impl LabelRow {
    /// Without `seq`, which the manifest of the trail carries as the row's key.
    pub(crate) fn canonical(&self) -> Canonical {
        Canonical::new(b'L')
            .text(self.tenant.as_str())
            .text(self.payment_id.as_str())
            .optional(self.event_no, Canonical::number)
            .number(self.verdict as u8)
            .number(self.source as u8)
            .optional(self.occurred_at, Canonical::time)
            .time(self.known_at)
    }
}

impl Stored for LabelRow {
    const TABLE: &'static str = "labels";
    const COLUMNS: &'static [&'static str] = &[
        "seq",
        "tenant",
        "payment_id",
        "event_no",
        "verdict",
        "source",
        "occurred_at",
        "known_at",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            seq: fields.take()?,
            tenant: fields.parsed(TenantId::parse)?,
            payment_id: fields.parsed(PaymentId::parse)?,
            event_no: fields.take()?,
            verdict: fields.numbered(LabelVerdict::from_number)?,
            source: fields.numbered(|number| SOURCES.get(usize::from(number)).copied())?,
            occurred_at: fields.take::<Option<i64>>()?.map(Timestamp::from_micros),
            known_at: Timestamp::from_micros(fields.take()?),
        })
    }
}

impl Insertable for LabelRow {
    fn bind<'q>(&'q self, query: AnyQuery<'q>) -> AnyQuery<'q> {
        query
            .bind(self.seq)
            .bind(self.tenant.as_str())
            .bind(self.payment_id.as_str())
            .bind(self.event_no)
            .bind(self.verdict as i16)
            .bind(self.source as i16)
            .bind(self.occurred_at.map(Timestamp::micros))
            .bind(self.known_at.micros())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_stand_at_their_numbers() {
        assert!(
            (0..)
                .zip(SOURCES)
                .all(|(number, source)| source as u8 == number)
        );
    }
}
