//! Labels: what a payment turned out to be, said later by somebody.

use crate::{PaymentId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One statement about one payment. Statements are added, never overwritten; the newest counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// The payment it speaks of, by the caller's identifier.
    pub payment_id: PaymentId,
    /// What the payment turned out to be.
    pub verdict: LabelVerdict,
    /// Who says so.
    pub source: LabelSource,
    /// When the fraud, dispute or confirmation happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Timestamp>,
}

/// What a payment turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum LabelVerdict {
    /// Confirmed fraud.
    Fraud,
    /// Confirmed genuine.
    Genuine,
    /// Charged back; counts as fraud in features and figures.
    Chargeback,
}

impl LabelVerdict {
    /// Every verdict.
    pub const ALL: [Self; 3] = [Self::Fraud, Self::Genuine, Self::Chargeback];

    /// The word used in JSON and rules.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fraud => "fraud",
            Self::Genuine => "genuine",
            Self::Chargeback => "chargeback",
        }
    }

    /// The verdict stored as this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// Whether money was lost to fraud.
    pub fn is_fraud(self) -> bool {
        self != Self::Genuine
    }
}

/// Who gave a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum LabelSource {
    /// A dispute through the card scheme.
    Chargeback,
    /// A person who reviewed the payment.
    Analyst,
    /// The payer.
    CustomerReport,
    /// A challenge that was not passed.
    FailedStepUp,
    /// Another institution.
    Consortium,
}
