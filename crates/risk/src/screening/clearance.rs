//! Parties that somebody has looked at and that are not the one on the list: cleared for a time, by
//! approval, as long as the list says the same of its entry.
//!
//! A party is known by a pseudonym, a keyed hash of the caller's identifier; names are not kept.

use super::{blocking, import::entry};
use crate::{Engine, Error};
use paywarden_access::approval::{Approved, Kind, Sensitive, Who};
use paywarden_crypto::digest::sha256;
use paywarden_domain::{TenantId, Timestamp, time::DAY};
use paywarden_screening::{Entity, Hit};
use paywarden_store::{Entry, Purpose, RecordRow, Row};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};
use utoipa::ToSchema;

/// What kind of record a clearance is.
const RECORD: &str = "screening_clearance";
/// The most clearances of one tenant that have not expired.
pub const CLEARANCES_MAX: usize = 100_000;
/// For so long at most somebody is cleared.
const CLEARED_DAYS_MAX: i64 = 366;
const REASON_BYTES_MAX: usize = 256;
const ENTRY_BYTES_MAX: usize = 128;
const PURPOSE: &str = "screening clearance";
const READ_ROWS: u32 = 1_000;

/// A party is not the one on a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScreeningClearance {
    /// Pseudonym of the party, `prt_…`.
    pub party: String,
    /// The list.
    pub list: String,
    /// The identifier within the list.
    pub entry: String,
    /// Until when, at most 366 days ahead.
    pub expires_at: Timestamp,
    /// Why, 1 to 256 bytes.
    pub reason: String,
}

/// A clearance in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Cleared {
    /// Pseudonym of the party, `prt_…`.
    pub party: String,
    /// The list.
    pub list: String,
    /// The identifier within the list.
    pub entry: String,
    /// SHA-256 of what the list said of the entry; the clearance ends when it says something else.
    pub entry_sha256: String,
    /// Until when.
    pub expires_at: Timestamp,
    /// When it was cleared.
    pub cleared_at: Timestamp,
    /// By whom, as in the trail.
    pub cleared_by: String,
}

/// Clearances of all tenants by party.
#[derive(Default)]
pub(super) struct Clearances(RwLock<HashMap<TenantId, HashMap<String, Vec<Cleared>>>>);

impl Sensitive for ScreeningClearance {
    const KIND: Kind = Kind::ScreeningClearance;

    /// The list and the entry.
    fn object(&self) -> String {
        format!("{}:{}", self.list, self.entry)
    }

    fn check(&self) -> Result<(), String> {
        let text = |text: &str, most: usize| (1..=most).contains(&text.len());
        let rules = [
            (
                self.party.starts_with("prt_"),
                "a party is named by its pseudonym",
            ),
            (text(&self.list, 64), "the name of a list has 1 to 64 bytes"),
            (
                text(&self.entry, ENTRY_BYTES_MAX),
                "an entry has 1 to 128 bytes",
            ),
            (
                text(&self.reason, REASON_BYTES_MAX),
                "a reason has 1 to 256 bytes",
            ),
        ];
        match rules.into_iter().find(|(holds, _)| !holds) {
            Some((_, wrong)) => Err(wrong.to_owned()),
            None => Ok(()),
        }
    }
}

impl Clearances {
    /// Keeps in `hits` what the party was not cleared of.
    pub(super) fn retain(
        &self,
        (tenant, party): (&TenantId, &str),
        now: Timestamp,
        hits: &mut Vec<Hit<'_>>,
    ) {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let Some(cleared) = all.get(tenant).and_then(|parties| parties.get(party)) else {
            return;
        };
        let is_cleared = |hit: &Hit<'_>| cleared.iter().any(|one| one.covers(hit, now));
        hits.retain(|hit| !is_cleared(hit));
    }

    /// Whether a tenant has cleared anybody.
    pub(super) fn are_of(&self, tenant: &TenantId) -> bool {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.contains_key(tenant)
    }

    fn put(&self, tenant: &TenantId, cleared: Cleared) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let parties = all.entry(tenant.clone()).or_default();
        let party = parties.entry(cleared.party.clone()).or_default();
        party.retain(|one| (&one.list, &one.entry) != (&cleared.list, &cleared.entry));
        party.push(cleared);
    }

    /// Forgets what has ended; whose it was.
    pub(super) fn take_ended(&self, now: Timestamp) -> Vec<TenantId> {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut ended = Vec::new();
        for (tenant, parties) in all.iter_mut() {
            let count = |parties: &HashMap<String, Vec<Cleared>>| -> usize {
                parties.values().map(Vec::len).sum()
            };
            let before = count(parties);
            parties.retain(|_, cleared| {
                cleared.retain(|one| one.expires_at > now);
                !cleared.is_empty()
            });
            if count(parties) < before {
                ended.push(tenant.clone());
            }
        }
        ended
    }

    fn of(&self, tenant: &TenantId, now: Timestamp) -> Vec<Cleared> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let parties = all.get(tenant).into_iter().flat_map(HashMap::values);
        let in_force = parties.flatten().filter(|one| one.expires_at > now);
        let mut cleared: Vec<Cleared> = in_force.cloned().collect();
        cleared.sort_by(|one, other| {
            let key = |one: &Cleared| (one.list.clone(), one.entry.clone(), one.party.clone());
            key(one).cmp(&key(other))
        });
        cleared
    }
}

impl Cleared {
    fn covers(&self, hit: &Hit<'_>, now: Timestamp) -> bool {
        self.list == hit.list.name
            && self.entry == hit.entity.id
            && self.expires_at > now
            && fingerprint(hit.entity).is_some_and(|sha256| sha256 == self.entry_sha256)
    }

    fn id(&self, tenant: &TenantId) -> String {
        let Self {
            party, list, entry, ..
        } = self;
        hexadecimal(
            format!("{}\n{party}\n{list}\n{entry}", tenant.as_str()).as_bytes(),
            16,
        )
    }
}

impl Engine {
    /// The pseudonym of a party, by the caller's identifier of it.
    pub fn screening_party(&self, tenant: &TenantId, reference: &str) -> String {
        let index = self
            .screening_parties
            .of(tenant.as_str(), reference.as_bytes());
        let digits = index.iter().take(16).map(|byte| format!("{byte:02x}"));
        format!("prt_{}", digits.collect::<String>())
    }

    /// The clearances of a tenant that are in force, by list, entry and party.
    pub fn screening_clearances(&self, tenant: &TenantId) -> Vec<Cleared> {
        self.screening.clearances.of(tenant, self.clock.now())
    }

    /// The party of a clearance of a tenant, by the identifier of its record.
    pub async fn party_of_clearance(
        &self,
        tenant: &TenantId,
        id: &str,
    ) -> Result<Option<String>, Error> {
        let row = self.database.record(RECORD, id).await?;
        let row = row.filter(|row| row.tenant == *tenant);
        let read = |row| read(&row).map(|(_, cleared)| cleared.party);
        row.map(read).transpose()
    }

    /// Refuses a clearance that could not take effect now. Errors:
    /// [`Error::ScreeningEntryUnknown`], [`Error::ScreeningLimit`].
    pub fn check_clearance(
        &self,
        tenant: &TenantId,
        clearance: &ScreeningClearance,
    ) -> Result<(), Error> {
        self.cleared(tenant, clearance, String::new()).map(drop)
    }

    /// Clears a party. Decisions heed it when this returns.
    pub async fn clear_party(
        &self,
        approved: Approved<ScreeningClearance>,
    ) -> Result<ScreeningClearance, Error> {
        let who = approved.who().clone();
        let by = who.actor.to_string();
        let _alone = self.screening.changing.lock().await;
        let cleared = self.cleared(&who.tenant, approved.command(), by)?;
        let row = self.clearance_row(&who, &cleared).await?;
        let because = |clearance: &ScreeningClearance| Entry {
            purpose: Purpose::from(PURPOSE).because(&*clearance.reason),
            ..entry(&who, "screening.clear", &clearance.object(), vec![row])
        };
        let clearance = approved.carry_out(because).await?;
        self.screening.clearances.put(&who.tenant, cleared);
        self.screening.note_changed(&who.tenant);
        Ok(clearance)
    }

    /// Reads the clearances of all tenants.
    pub(super) async fn load_clearances(&self) -> Result<(), Error> {
        let now = self.clock.now();
        let mut pages = self.database.newest_records(RECORD, READ_ROWS);
        while let Some(rows) = pages.next().await? {
            let read = move || rows.iter().map(read).collect::<Result<Vec<_>, Error>>();
            for (tenant, cleared) in blocking(read).await?? {
                if cleared.expires_at > now {
                    self.screening.clearances.put(&tenant, cleared);
                }
            }
        }
        Ok(())
    }

    fn cleared(
        &self,
        tenant: &TenantId,
        clearance: &ScreeningClearance,
        cleared_by: String,
    ) -> Result<Cleared, Error> {
        let now = self.clock.now();
        let ahead = clearance.expires_at.micros() - now.micros();
        if !(1..=CLEARED_DAYS_MAX * DAY).contains(&ahead) {
            return Err(Error::ScreeningLimit(
                "somebody is cleared for 366 days at most",
            ));
        }
        if self.screening_clearances(tenant).len() >= CLEARANCES_MAX {
            return Err(Error::ScreeningLimit(
                "a tenant has at most 100,000 clearances",
            ));
        }
        let holding = self.screening.holding(tenant);
        let held = holding
            .as_ref()
            .and_then(|all| all.lists.get(&clearance.list));
        let mut entities = held.into_iter().flat_map(|held| &held.list.entities);
        let entity = entities.find(|entity| entity.id == clearance.entry);
        let entry_sha256 = entity
            .and_then(fingerprint)
            .ok_or(Error::ScreeningEntryUnknown)?;
        Ok(Cleared {
            party: clearance.party.clone(),
            list: clearance.list.clone(),
            entry: clearance.entry.clone(),
            entry_sha256,
            expires_at: clearance.expires_at,
            cleared_at: now,
            cleared_by,
        })
    }

    async fn clearance_row(&self, who: &Who, cleared: &Cleared) -> Result<Row, Error> {
        let id = cleared.id(&who.tenant);
        let before = self.database.record(RECORD, &id).await?;
        let body = serde_json::to_vec(cleared);
        Ok(Row::Record(RecordRow {
            tenant: who.tenant.clone(),
            kind: RECORD.to_owned(),
            id,
            version: before.map_or(1, |row| row.version + 1),
            written_at: cleared.cleared_at,
            body: body.map_err(|error| Error::RecordDamaged(error.to_string()))?,
        }))
    }
}

fn read(row: &RecordRow) -> Result<(TenantId, Cleared), Error> {
    let damaged =
        |error: &dyn std::fmt::Display| Error::RecordDamaged(format!("a clearance: {error}"));
    let cleared: Cleared = serde_json::from_slice(&row.body).map_err(|error| damaged(&error))?;
    match cleared.id(&row.tenant) == row.id {
        true => Ok((row.tenant.clone(), cleared)),
        false => Err(damaged(&"it is that of another party")),
    }
}

/// What a list says of an entry, as a hash.
fn fingerprint(entity: &Entity) -> Option<String> {
    let bytes = serde_json::to_vec(entity).ok()?;
    Some(hexadecimal(&bytes, 32))
}

fn hexadecimal(bytes: &[u8], length: usize) -> String {
    let digest = sha256(bytes);
    digest
        .iter()
        .take(length)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
