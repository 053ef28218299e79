//! How risky it is to have a customer: rated by a policy that is data, explained part by part, kept
//! with its history, read by rules as `customer.risk_rating`.
//!
//! ```text
//! policy     factors, points, floors, how often each rating is looked at again
//! profile    what the company says of a customer
//! assess     policy + what is known -> score, rating, what contributed
//! desk       who changes what: profile, signals, reviews, overrides; the daily round
//! standing   the ratings of all customers in memory, for rules and lists of them
//! ```
//!
//! *Invariant*: a rating is a sealed record with versions, known by the keyed hash of its customer;
//! it changes only by its next version, in the journal. An override never goes below what a row of
//! the policy demands at least.

mod assess;
mod desk;
mod overriding;
mod policy;
mod profile;
mod standing;
mod view;

pub use assess::{Assessment, Contribution, FactorScore};
pub use desk::HISTORY_MAX;
pub use overriding::RatingOverride;
pub use policy::{Fact, RatingPolicy, WrongRatingPolicy};
pub use profile::{CustomerKind, CustomerProfile};
pub(crate) use standing::{RatedThen, Ratings, fill};
pub use view::{
    Cause as RatingCause, CustomerRating, Overridden, RatingHistory, RatingQuery, RatingRow,
    RatingRows, Signal, SignalKind,
};

use paywarden_rules::RISK_RATINGS;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How risky a customer is, the least first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum RiskRating {
    /// Simplified measures may do.
    Low,
    /// The usual measures.
    Medium,
    /// Enhanced measures.
    High,
    /// There must be no relationship.
    Prohibited,
}

impl RiskRating {
    /// Every rating, the least first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Prohibited];

    /// The word in rules, replies and policies.
    pub fn name(self) -> &'static str {
        RISK_RATINGS[self as usize]
    }

    /// The rating with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rating| rating.name() == name)
    }
}
