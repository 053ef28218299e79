//! The ratings of all customers in memory: what decisions read, and what lists of customers show.

use super::{
    RatingPolicy, RatingQuery, RatingRow, RatingRows, RiskRating,
    view::{Kept, named},
};
use crate::Error;
use paywarden_crypto::keyring::{Keyring, PreparedSeal};
use paywarden_domain::{TenantId, Timestamp};
use paywarden_rules::{Field, FieldValue, Slots};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
    sync::{PoisonError, RwLock, RwLockReadGuard},
};

/// The most customers of one company that are rated; each takes about 100 bytes of memory.
const CUSTOMERS_MAX: usize = 2_000_000;

/// How customers are rated, and what came of it.
pub(crate) struct Ratings {
    pub(super) policy: RatingPolicy,
    pub(super) seal: PreparedSeal,
    books: RwLock<HashMap<TenantId, Book>>,
}

/// The customers of one company.
#[derive(Default)]
struct Book {
    customers: BTreeMap<u64, Standing>,
    /// Customers by the pseudonym that screening knows them by.
    parties: HashMap<String, u64>,
}

/// How a customer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    version: i64,
    assessed: RiskRating,
    floor: RiskRating,
    overridden: Option<(RiskRating, Timestamp)>,
    score: u16,
    review_at: Timestamp,
    /// Whether it is by the policy in force.
    is_current: bool,
}

/// Why a customer is to be rated again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Time,
    Policy,
    OverrideEnd,
}

/// The rating that a decision saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RatedThen {
    rating: RiskRating,
    score: u16,
}

/// What rules read of a customer's rating; nothing where there is none.
pub(crate) fn fill(rated: Option<RatedThen>, slots: &mut Slots<'_>) {
    if let Some(RatedThen { rating, score }) = rated {
        slots.set(Field::CustomerRiskRating, FieldValue::Text(rating.name()));
        slots.set(Field::CustomerRiskScore, FieldValue::Int(i64::from(score)));
    }
}

impl Standing {
    pub(super) fn of(kept: &Kept, version: i64, is_current: bool) -> Self {
        let overridden = kept.overridden.as_ref();
        Self {
            version,
            assessed: kept.assessment.rating,
            floor: kept.assessment.floor,
            overridden: overridden.map(|one| (one.rating, one.until)),
            score: kept.assessment.score,
            review_at: kept.review_at,
            is_current,
        }
    }

    /// The rating that holds: what was approved, but never less than the facts demand.
    pub(super) fn rating(&self, now: Timestamp) -> RiskRating {
        match self.overridden {
            Some((rating, until)) if until > now => rating.max(self.floor),
            _ => self.assessed,
        }
    }

    fn due(&self, now: Timestamp) -> Option<Due> {
        match self.overridden {
            Some((_, until)) if until <= now => Some(Due::OverrideEnd),
            _ if !self.is_current => Some(Due::Policy),
            _ => (self.review_at <= now).then_some(Due::Time),
        }
    }
}

impl Ratings {
    pub(crate) fn new(
        policy: RatingPolicy,
        keyring: &Keyring,
    ) -> Result<Self, paywarden_crypto::Error> {
        Ok(Self {
            policy,
            seal: keyring.seal_for("customer rating")?,
            books: RwLock::default(),
        })
    }

    /// The rating of a customer now.
    pub(crate) fn of(&self, tenant: &TenantId, customer: u64, now: Timestamp) -> Option<RatedThen> {
        let books = self.read();
        let standing = books.get(tenant)?.customers.get(&customer)?;
        Some(RatedThen {
            rating: standing.rating(now),
            score: standing.score,
        })
    }

    /// The customer whom screening knows by this pseudonym.
    pub(super) fn of_party(&self, tenant: &TenantId, party: &str) -> Option<u64> {
        self.read().get(tenant)?.parties.get(party).copied()
    }

    /// Refuses another customer where there is no room.
    pub(super) fn check_room(&self, tenant: &TenantId, customer: u64) -> Result<(), Error> {
        let books = self.read();
        let is_full = books.get(tenant).is_some_and(|book| {
            book.customers.len() >= CUSTOMERS_MAX && !book.customers.contains_key(&customer)
        });
        match is_full {
            true => Err(Error::RatingLimit(
                "a company has at most 2,000,000 rated customers",
            )),
            false => Ok(()),
        }
    }

    /// Puts a version in its place, unless a later one is there already.
    pub(super) fn put(&self, tenant: &TenantId, (customer, version): (u64, i64), kept: &Kept) {
        let standing = Standing::of(kept, version, kept.policy == self.policy.version);
        let mut books = self.books.write().unwrap_or_else(PoisonError::into_inner);
        let book = books.entry(tenant.clone()).or_default();
        let known = book.customers.entry(customer).or_insert(standing);
        if known.version <= version {
            *known = standing;
        }
        if let Some(party) = &kept.party {
            book.parties.insert(party.clone(), customer);
        }
    }

    /// Customers who are to be rated again now, at most so many.
    pub(super) fn due(&self, now: Timestamp, most: usize) -> Vec<(TenantId, u64, Due)> {
        let books = self.read();
        let all = books.iter().flat_map(|(tenant, book)| {
            let customers = book.customers.iter();
            customers.filter_map(move |(customer, standing)| {
                Some((tenant.clone(), *customer, standing.due(now)?))
            })
        });
        all.take(most).collect()
    }

    /// Customers of a company, by hash.
    pub(super) fn rows(
        &self,
        tenant: &TenantId,
        query: &RatingQuery,
        now: Timestamp,
    ) -> RatingRows {
        let books = self.read();
        let empty = Book::default();
        let customers = &books.get(tenant).unwrap_or(&empty).customers;
        let mut counts = [0; RiskRating::ALL.len()];
        for standing in customers.values() {
            counts[standing.rating(now) as usize] += 1;
        }
        let behind = customers.range((Bound::Excluded(query.after), Bound::Unbounded));
        let rows = behind.map(|(customer, standing)| RatingRow {
            customer: named(*customer),
            rating: standing.rating(now),
            score: standing.score,
            is_overridden: standing.overridden.is_some_and(|(_, until)| until > now),
            review_at: standing.review_at,
        });
        let mut rows = rows.filter(|row| {
            query.rating.is_none_or(|rating| rating == row.rating)
                && query.is_overridden.is_none_or(|is| is == row.is_overridden)
        });
        let page: Vec<RatingRow> = rows.by_ref().take(query.limit).collect();
        let last = page.last().map(|row| row.customer.clone());
        RatingRows {
            next_after: last.filter(|_| rows.next().is_some()),
            customers: page,
            counts,
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<TenantId, Book>> {
        self.books.read().unwrap_or_else(PoisonError::into_inner)
    }
}
