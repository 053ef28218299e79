//! What may be done with a payment, and which of the two engines says so.

use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

/// What Paywarden tells the caller to do. Declared from mildest to strictest: the stricter of two
/// outcomes is the greater one, which is the stated precedence of the verdict.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Outcome {
    /// Let it pass.
    Approve,
    /// Let it pass after showing the payer the warnings.
    ApproveWithWarning,
    /// Ask the payer for a further factor first.
    Challenge,
    /// Let a person look at it; the payment may proceed only after that.
    Review,
    /// Keep the payment back for the stated time.
    Hold,
    /// Refuse it.
    Decline,
}

impl Outcome {
    /// Every outcome, mildest first.
    pub const ALL: [Self; 6] = [
        Self::Approve,
        Self::ApproveWithWarning,
        Self::Challenge,
        Self::Review,
        Self::Hold,
        Self::Decline,
    ];

    /// The word used in JSON, rules and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::ApproveWithWarning => "approve_with_warning",
            Self::Challenge => "challenge",
            Self::Review => "review",
            Self::Hold => "hold",
            Self::Decline => "decline",
        }
    }

    /// The outcome with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }

    /// The outcome stored as this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// Whether it keeps money from moving until somebody acts: the payment counts as stopped.
    pub fn stops(self) -> bool {
        self >= Self::Challenge
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The two engines that judge each payment side by side.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Engine {
    /// Is somebody being robbed?
    Fraud,
    /// Is the money itself dirty?
    Laundering,
}

impl Engine {
    /// Both engines.
    pub const ALL: [Self; 2] = [Self::Fraud, Self::Laundering];

    /// The word used in JSON, rules and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fraud => "fraud",
            Self::Laundering => "laundering",
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precedence_is_the_declared_order_and_names_round_trip() {
        assert!(Outcome::ALL.is_sorted());
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::parse(outcome.name()), Some(outcome));
            assert_eq!(Outcome::from_number(outcome as u8), Some(outcome));
            let json = serde_json::to_string(&outcome).unwrap();
            assert_eq!(json, format!("\"{}\"", outcome.name()));
        }
    }
}
