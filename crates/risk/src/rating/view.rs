//! Ratings as they are kept and as they are told.

use super::{Assessment, CustomerProfile, RiskRating, standing::Standing};
use paywarden_domain::{Timestamp, time::DAY};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most signals that are kept of a customer; of more the oldest are forgotten.
pub(super) const SIGNALS_MAX: usize = 200;

/// What was found of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RatingSignalKind)]
pub enum SignalKind {
    /// A laundering alert about them was confirmed.
    ConfirmedAlert,
    /// A laundering alert about them was closed as suspicious and reported.
    ReportedAlert,
    /// An entry of a list of sanctions may mean them.
    SanctionsHit,
    /// An entry of a list of politically exposed persons may mean them.
    PepHit,
    /// An entry of a list of adverse media may mean them.
    AdverseHit,
    /// An entry of a list of the company may mean them.
    OwnHit,
}

impl SignalKind {
    /// Whether it is about an entry of a list: it stands as long as the entry may mean them.
    pub(super) fn is_of_list(self) -> bool {
        !matches!(self, Self::ConfirmedAlert | Self::ReportedAlert)
    }
}

/// One thing that was found of a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = RatingSignal)]
pub struct Signal {
    /// The alert, or the entry of a list as `list:entry`: each counts once.
    pub id: String,
    /// What it says.
    pub kind: SignalKind,
    /// When it was found.
    pub at: Timestamp,
}

/// Why a customer was rated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RatingCause)]
pub enum Cause {
    /// What the company says of them.
    Profile,
    /// Something was found, or taken back.
    Signal,
    /// Somebody looked again.
    Review,
    /// The time had come.
    Periodic,
    /// Another policy.
    Policy,
    /// An approval set another rating.
    Override,
    /// Its time was over.
    OverrideEnd,
}

/// A rating that an approval set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = RatingOverridden)]
pub struct Overridden {
    /// The rating; where the facts demand more, that holds.
    pub rating: RiskRating,
    /// Until when.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
    /// By whom, as in the trail.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// What is kept of a customer, sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The pseudonym of the party that screening knows them by.
    pub(super) party: Option<String>,
    pub(super) profile: Option<CustomerProfile>,
    pub(super) signals: Vec<Signal>,
    pub(super) assessment: Assessment,
    pub(super) policy: String,
    pub(super) overridden: Option<Overridden>,
    pub(super) cause: Cause,
    pub(super) by: String,
    pub(super) reason: Option<String>,
    pub(super) rated_at: Timestamp,
    pub(super) review_at: Timestamp,
}

/// A customer's rating.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CustomerRating {
    /// `customer:hash`, as alerts and windows know them.
    pub customer: String,
    /// How often they were rated.
    pub version: i64,
    /// The rating that holds.
    pub rating: RiskRating,
    /// What the policy makes of what is known.
    pub assessment: Assessment,
    /// The version of the policy.
    pub policy: String,
    /// The rating that an approval set; null if none is in force.
    pub overridden: Option<Overridden>,
    /// Why they were rated last.
    pub cause: Cause,
    /// By whom, as in the trail.
    pub by: String,
    /// What whoever rated them said.
    pub reason: Option<String>,
    /// When.
    pub rated_at: Timestamp,
    /// When they are rated again at the latest.
    pub review_at: Timestamp,
    /// What the company says of them; null if it has said nothing.
    pub profile: Option<CustomerProfile>,
    /// What was found of them, oldest first.
    pub signals: Vec<Signal>,
}

/// How a customer's rating came about, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RatingHistory {
    /// Every rating.
    pub ratings: Vec<CustomerRating>,
    /// Give this as `before` to read on; null at the end.
    pub next_before: Option<i64>,
}

/// Which customers are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RatingQuery {
    /// With this rating.
    pub rating: Option<RiskRating>,
    /// Whose rating an approval set, or did not.
    pub is_overridden: Option<bool>,
    /// Behind this hash.
    pub after: u64,
    /// At most so many.
    pub limit: usize,
}

/// A customer in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RatingRow {
    /// `customer:hash`.
    pub customer: String,
    /// The rating that holds.
    pub rating: RiskRating,
    /// By the policy alone, 0 to 100.
    pub score: u16,
    /// Whether an approval set it.
    pub is_overridden: bool,
    /// When they are rated again at the latest.
    pub review_at: Timestamp,
}

/// A page of customers by hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RatingRows {
    /// The customers.
    pub customers: Vec<RatingRow>,
    /// How many there are of each rating, from low to prohibited.
    pub counts: [u64; 4],
    /// Give this as `after` to read on; null at the end.
    pub next_after: Option<String>,
}

impl Kept {
    /// The rating that an approval set and that is still in force.
    pub(super) fn in_force(&self, now: Timestamp) -> Option<&Overridden> {
        self.overridden.as_ref().filter(|one| one.until > now)
    }

    /// The rating that holds.
    pub(super) fn rating(&self, now: Timestamp) -> RiskRating {
        Standing::of(self, 0, true).rating(now)
    }

    /// Takes in what an alert turned out to be, or that it was nothing.
    pub(super) fn take(&mut self, alert: &str, found: Option<Signal>) {
        let is_known = found.as_ref().is_some_and(|new| self.has(new));
        if !is_known {
            self.signals.retain(|signal| signal.id != alert);
            self.signals.extend(found);
            self.settle();
        }
    }

    /// Takes in which entries of lists may mean them now. What was known keeps its moment.
    pub(super) fn relist(&mut self, listed: Vec<Signal>) {
        let new: Vec<Signal> = listed
            .iter()
            .filter(|one| !self.has(one))
            .cloned()
            .collect();
        let stands = |signal: &Signal| {
            let same = |one: &Signal| (&one.id, one.kind) == (&signal.id, signal.kind);
            !signal.kind.is_of_list() || listed.iter().any(same)
        };
        self.signals.retain(stands);
        self.signals.extend(new);
        self.settle();
    }

    fn has(&self, signal: &Signal) -> bool {
        let same = |one: &Signal| (&one.id, one.kind) == (&signal.id, signal.kind);
        self.signals.iter().any(same)
    }

    fn settle(&mut self) {
        self.signals
            .sort_by(|one, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
        let surplus = self.signals.len().saturating_sub(SIGNALS_MAX);
        self.signals.drain(..surplus);
    }

    /// When they are rated again, so many days from now.
    pub(super) fn review_in(&mut self, now: Timestamp, days: u16) {
        self.review_at = Timestamp::from_micros(now.micros() + i64::from(days) * DAY);
    }

    pub(super) fn view(self, customer: u64, version: i64, now: Timestamp) -> CustomerRating {
        CustomerRating {
            customer: named(customer),
            version,
            rating: self.rating(now),
            overridden: self.in_force(now).cloned(),
            assessment: self.assessment,
            policy: self.policy,
            cause: self.cause,
            by: self.by,
            reason: self.reason,
            rated_at: self.rated_at,
            review_at: self.review_at,
            profile: self.profile,
            signals: self.signals,
        }
    }
}

/// A customer, as alerts name them.
pub(super) fn named(customer: u64) -> String {
    format!("customer:{customer:016x}")
}
