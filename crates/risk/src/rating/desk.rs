//! Who rates a customer anew and why: the company tells more of them, something is found, somebody
//! looks again, the time has come, the policy has changed.

use super::{
    Assessment, CustomerProfile, CustomerRating, RatingCause as Cause, RatingHistory, RatingPolicy,
    RatingQuery, RatingRows, RiskRating, Signal, SignalKind,
    assess::Known,
    standing::Due,
    view::{Kept, named},
};
use crate::{Engine, Error};
use paywarden_access::approval::Who;
use paywarden_domain::{TenantId, Timestamp};
use paywarden_features::EntityKind;
use paywarden_screening::ListKind;
use paywarden_store::{Actor, Entry, Purpose, RecordRow, Row};

/// What kind of record a rating is.
const RECORD: &str = "customer_rating";
/// As whom customers are rated when nobody asked, in the trail.
const SYSTEM: &str = "rating";
const PURPOSE: &str = "customer risk rating";
pub(super) const ACTION_OVERRIDE: &str = "rating.override";
/// How often a rating is tried again that somebody changed at the same moment.
const TRIES: usize = 8;
const READ_ROWS: u32 = 1_000;
/// Customers who are rated again in one round.
const ROUND: usize = 1_000;
/// The most of one page of the history.
pub const HISTORY_MAX: u32 = 100;

/// What changes of a customer.
enum Change<'c> {
    /// What the company says, and the pseudonym that screening knows them by.
    Profile(&'c CustomerProfile, String),
    /// What an alert turned out to be; nothing that counts if there is no signal.
    Alert(&'c str, Option<Signal>),
    /// What lists say may be otherwise.
    Lists,
    Look(Cause, Option<&'c str>),
}

impl Engine {
    /// How customers are rated.
    pub fn rating_policy(&self) -> &RatingPolicy {
        &self.ratings.policy
    }

    /// The hash of a customer, by the caller's identifier as events carry it in `payer.id`.
    pub fn customer_hash(&self, tenant: &TenantId, reference: &str) -> u64 {
        self.hasher.hash(tenant, EntityKind::Customer, reference)
    }

    /// Takes in what the company says of a customer, and rates them. Errors:
    /// [`Error::RatingMalformed`], [`Error::RatingLimit`].
    pub async fn profile_customer(
        &self,
        who: &Who,
        ground: &str,
        (reference, profile): (&str, &CustomerProfile),
    ) -> Result<CustomerRating, Error> {
        profile.check(self.clock.now())?;
        let customer = self.customer_hash(&who.tenant, reference);
        let party = self.screening_party(&who.tenant, reference);
        let change = Change::Profile(profile, party);
        let rated = self.rate(who, customer, (&change, Some(ground))).await?;
        rated.ok_or(Error::CustomerNotRated)
    }

    /// Rates a customer again because somebody has looked. Error: [`Error::CustomerNotRated`].
    pub async fn review_customer(
        &self,
        who: &Who,
        customer: u64,
        reason: &str,
    ) -> Result<CustomerRating, Error> {
        if self.kept(&who.tenant, customer).await?.is_none() {
            return Err(Error::CustomerNotRated);
        }
        let change = Change::Look(Cause::Review, Some(reason));
        let rated = self.rate(who, customer, (&change, None)).await?;
        rated.ok_or(Error::CustomerNotRated)
    }

    /// Takes in what an alert about a customer turned out to be: `found`, or nothing that counts. The
    /// same again changes nothing. Whether they were rated anew.
    pub async fn signal_customer(
        &self,
        tenant: &TenantId,
        customer: u64,
        (alert, found): (&str, Option<Signal>),
    ) -> Result<bool, Error> {
        let change = Change::Alert(alert, found);
        let rated = self
            .rate(&system(tenant), customer, (&change, None))
            .await?;
        Ok(rated.is_some())
    }

    /// Looks at the lists again for a party that screening knows, if it is a rated customer. Whether
    /// they were rated anew.
    pub async fn signal_party(&self, tenant: &TenantId, party: &str) -> Result<bool, Error> {
        let Some(customer) = self.ratings.of_party(tenant, party) else {
            return Ok(false);
        };
        let rated = self
            .rate(&system(tenant), customer, (&Change::Lists, None))
            .await?;
        Ok(rated.is_some())
    }

    /// The entries that may mean a party under watch and that it was not cleared of.
    async fn listed(
        &self,
        tenant: &TenantId,
        party: &str,
        now: Timestamp,
    ) -> Result<Vec<Signal>, Error> {
        let names = self.entries_of_party(tenant, party).await?;
        let signal = |name: String| {
            let list = name.split(':').next().unwrap_or_default();
            Signal {
                kind: self.list_signal(tenant, list),
                id: name,
                at: now,
            }
        };
        Ok(names.into_iter().map(signal).collect())
    }

    /// What being on a list of a company says of a customer.
    fn list_signal(&self, tenant: &TenantId, list: &str) -> SignalKind {
        match self.screening.kind_of(tenant, list) {
            Some(ListKind::Pep) => SignalKind::PepHit,
            Some(ListKind::Adverse) => SignalKind::AdverseHit,
            Some(ListKind::Own) => SignalKind::OwnHit,
            // A list that has ended meanwhile is taken for the gravest until it is screened again.
            Some(ListKind::Sanctions) | None => SignalKind::SanctionsHit,
        }
    }

    /// The rating of a customer. Error: [`Error::CustomerNotRated`].
    pub async fn customer_rating(
        &self,
        tenant: &TenantId,
        customer: u64,
    ) -> Result<CustomerRating, Error> {
        let found = self.kept(tenant, customer).await?;
        let (version, kept) = found.ok_or(Error::CustomerNotRated)?;
        Ok(kept.view(customer, version, self.clock.now()))
    }

    /// How a customer was rated over time, newest first, from the last version below `before` down;
    /// at most `limit` (up to [`HISTORY_MAX`]). Each is told as it was when it was made. Error:
    /// [`Error::CustomerNotRated`].
    pub async fn rating_history(
        &self,
        tenant: &TenantId,
        customer: u64,
        (before, limit): (i64, u32),
    ) -> Result<RatingHistory, Error> {
        let id = id(customer);
        let rows = self.database.record_versions(RECORD, &id, before, limit);
        let rows: Vec<RecordRow> = rows.await?;
        if rows.iter().any(|row| row.tenant != *tenant) {
            return Err(Error::CustomerNotRated);
        }
        let views = rows.iter().map(|row| {
            let kept = self.opened(row)?;
            let then = kept.rated_at;
            Ok(kept.view(customer, row.version, then))
        });
        let ratings: Vec<CustomerRating> = views.collect::<Result<_, Error>>()?;
        let last = ratings.last().map(|rating| rating.version);
        if ratings.is_empty() && before == i64::MAX {
            return Err(Error::CustomerNotRated);
        }
        Ok(RatingHistory {
            next_before: last.filter(|version| *version > 1),
            ratings,
        })
    }

    /// Rated customers of a company.
    pub fn rated_customers(&self, tenant: &TenantId, query: &RatingQuery) -> RatingRows {
        self.ratings.rows(tenant, query, self.clock.now())
    }

    /// Rates those again whose time has come, whose override has ended, or who were rated by another
    /// policy; how many. Call it again while it finds as many as one round takes.
    pub async fn rate_due(&self) -> Result<usize, Error> {
        let due = self.ratings.due(self.clock.now(), ROUND);
        let count = due.len();
        for (tenant, customer, why) in due {
            let cause = match why {
                Due::Time => Cause::Periodic,
                Due::Policy => Cause::Policy,
                Due::OverrideEnd => Cause::OverrideEnd,
            };
            let change = Change::Look(cause, None);
            self.rate(&system(&tenant), customer, (&change, None))
                .await?;
        }
        Ok(count)
    }

    /// Reads the ratings of all companies.
    pub(crate) async fn load_ratings(&self) -> Result<(), Error> {
        let mut pages = self.database.newest_records(RECORD, READ_ROWS);
        while let Some(rows) = pages.next().await? {
            for row in &rows {
                let customer = customer_of(&format!("customer:{}", row.id));
                let customer = customer.ok_or_else(|| damaged(&row.id))?;
                self.ratings
                    .put(&row.tenant, (customer, row.version), &self.opened(row)?);
            }
        }
        Ok(())
    }

    /// Rates a customer with a change; none if it changes nothing. Of two who change at once the
    /// second starts from what the first has written.
    async fn rate(
        &self,
        who: &Who,
        customer: u64,
        (change, ground): (&Change<'_>, Option<&str>),
    ) -> Result<Option<CustomerRating>, Error> {
        self.ratings.check_room(&who.tenant, customer)?;
        let mut tries = 0;
        loop {
            tries += 1;
            let found = self.kept(&who.tenant, customer).await?;
            let (version, before) =
                found.map_or((0, None), |(version, kept)| (version, Some(kept)));
            let now = self.clock.now();
            let party = match change {
                Change::Profile(_, party) => Some(party),
                _ => before.as_ref().and_then(|kept| kept.party.as_ref()),
            };
            let listed = match party {
                Some(party) => self.listed(&who.tenant, party, now).await?,
                None => Vec::new(),
            };
            let by = who.actor.to_string();
            let made = self.next(before.as_ref(), (change, listed), (&by, now));
            let Some((kept, action)) = made else {
                return Ok(None);
            };
            let place = (customer, version + 1);
            let row = Row::Record(self.rating_row(&who.tenant, place, &kept)?);
            let said = (ground, kept.reason.as_deref());
            let entry = self.rating_entry(who, (action, customer), said, vec![row]);
            match self.journal.append(entry).await {
                Ok(_) => {
                    self.ratings.put(&who.tenant, place, &kept);
                    return Ok(Some(kept.view(customer, version + 1, now)));
                }
                Err(paywarden_store::Error::Conflict { .. }) if tries < TRIES => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// What is kept after a change, and what the trail calls it; none if it changes nothing.
    fn next(
        &self,
        before: Option<&Kept>,
        (change, listed): (&Change<'_>, Vec<Signal>),
        (by, now): (&str, Timestamp),
    ) -> Option<(Kept, &'static str)> {
        let (cause, action) = match change {
            Change::Profile(..) => (Cause::Profile, "rating.profile"),
            Change::Alert(..) | Change::Lists => (Cause::Signal, "rating.signal"),
            Change::Look(cause, _) => (*cause, "rating.review"),
        };
        let mut kept = match before {
            Some(before) => changed(before, (cause, by, now)),
            None => unrated((cause, by, now)),
        };
        match change {
            Change::Profile(profile, party) => {
                kept.profile = Some((*profile).clone());
                kept.party = Some(party.clone());
            }
            Change::Alert(alert, found) => kept.take(alert, found.clone()),
            Change::Look(_, reason) => kept.reason = reason.map(str::to_owned),
            Change::Lists => {}
        }
        kept.relist(listed);
        let known = before.map_or(&[] as &[Signal], |before| &before.signals);
        if cause == Cause::Signal && kept.signals == known {
            return None;
        }
        kept.overridden = kept.overridden.filter(|one| one.until > now);
        let policy = &self.ratings.policy;
        kept.policy.clone_from(&policy.version);
        kept.assessment = policy.assess(&Known {
            profile: kept.profile.as_ref(),
            signals: &kept.signals,
            now,
        });
        let days = policy.days(kept.rating(now));
        kept.review_in(now, days);
        Some((kept, action))
    }

    /// The newest version of what is kept of a customer.
    pub(super) async fn kept(
        &self,
        tenant: &TenantId,
        customer: u64,
    ) -> Result<Option<(i64, Kept)>, Error> {
        let row = self.database.record(RECORD, &id(customer)).await?;
        let row = row.filter(|row| row.tenant == *tenant);
        let read = |row: RecordRow| Ok((row.version, self.opened(&row)?));
        row.map(read).transpose()
    }

    pub(super) fn rating_row(
        &self,
        tenant: &TenantId,
        (customer, version): (u64, i64),
        kept: &Kept,
    ) -> Result<RecordRow, Error> {
        let mut row = RecordRow {
            tenant: tenant.clone(),
            kind: RECORD.to_owned(),
            id: id(customer),
            version,
            written_at: self.clock.now(),
            body: Vec::new(),
        };
        let clear = serde_json::to_vec(kept).map_err(|error| damaged(&error.to_string()))?;
        let sealed = self.ratings.seal.seal(place(&row).as_bytes(), &clear);
        row.body = sealed.map_err(|error| damaged(&error.to_string()))?;
        Ok(row)
    }

    pub(super) fn rating_entry(
        &self,
        who: &Who,
        (action, customer): (&'static str, u64),
        (ground, reason): (Option<&str>, Option<&str>),
        rows: Vec<Row>,
    ) -> Entry {
        let purpose = match ground {
            Some(ground) => Purpose::composed(format!("{PURPOSE}, {ground}")),
            None => Purpose::from(PURPOSE),
        };
        Entry {
            tenant: who.tenant.clone(),
            actor: who.actor.clone(),
            purpose: match reason {
                Some(reason) => purpose.because(reason),
                None => purpose,
            },
            action,
            object: named(customer),
            rows,
        }
    }

    fn opened(&self, row: &RecordRow) -> Result<Kept, Error> {
        let clear = self.ratings.seal.open(place(row).as_bytes(), &row.body);
        let clear = clear.map_err(|error| damaged(&error.to_string()))?;
        serde_json::from_slice(&clear).map_err(|error| damaged(&error.to_string()))
    }
}

/// The hash of `customer:hash`.
pub(super) fn customer_of(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("customer:")?;
    let small = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let is_hash = digits.len() == 16 && digits.bytes().all(small);
    is_hash
        .then(|| u64::from_str_radix(digits, 16).ok())
        .flatten()
}

/// What was kept, about to change.
pub(super) fn changed(before: &Kept, (cause, by, now): (Cause, &str, Timestamp)) -> Kept {
    Kept {
        cause,
        by: by.to_owned(),
        rated_at: now,
        reason: None,
        ..before.clone()
    }
}

/// A customer of whom nothing is known yet.
fn unrated((cause, by, now): (Cause, &str, Timestamp)) -> Kept {
    Kept {
        party: None,
        profile: None,
        signals: Vec::new(),
        assessment: Assessment {
            score: 0,
            rating: RiskRating::Low,
            floor: RiskRating::Low,
            factors: Vec::new(),
        },
        policy: String::new(),
        overridden: None,
        cause,
        by: by.to_owned(),
        reason: None,
        rated_at: now,
        review_at: now,
    }
}

fn id(customer: u64) -> String {
    format!("{customer:016x}")
}

/// A seal opens only in the place where it was written.
fn place(row: &RecordRow) -> String {
    format!("{} {}", row.tenant.as_str(), row.record())
}

fn system(tenant: &TenantId) -> Who {
    Who {
        tenant: tenant.clone(),
        actor: Actor::System(SYSTEM),
    }
}

fn damaged(what: &str) -> Error {
    Error::RecordDamaged(format!("a customer rating: {what}"))
}
