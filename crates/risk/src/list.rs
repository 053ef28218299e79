//! Allow and deny lists: in memory for rules, in the store for good.

mod change;

pub use change::{ListChange, ListOperation, ListValue};

use crate::{Engine, Error, entity::EntityListing};
use paywarden_domain::{TenantId, Timestamp};
use paywarden_features::EntityKind;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Bound,
    sync::{
        Mutex, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
};
use utoipa::ToSchema;

/// The most entries that one list holds.
pub const ENTRIES_MAX: usize = 1_000_000;
/// The most lists that one tenant has.
pub const LISTS_MAX: usize = 256;
/// How the names of deny lists begin.
const DENIED: &str = "denied_";
const LOAD_ROWS: u32 = 10_000;

/// One entry of a list. What being listed means is said by the rules that name the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListEntry {
    /// Key of an entity, or any text that a rule compares.
    pub value: String,
    /// Why it is listed.
    pub reason: String,
    /// When it stops counting; none means never.
    pub expires_at: Option<Timestamp>,
    /// When it was added.
    pub added_at: Timestamp,
    /// Who added it.
    pub added_by: String,
}

/// One page of a list, in the order of its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ListPage {
    /// The entries.
    pub entries: Vec<ListEntry>,
    /// Give this as `after` to read on.
    pub next: Option<String>,
}

/// A list and its size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ListSummary {
    /// Its name in rules, after `lists.`.
    pub name: String,
    /// How many entries it has, expired ones not yet removed included.
    pub entries: usize,
}

type TenantLists = HashMap<String, BTreeMap<String, ListEntry>>;

/// All lists of all tenants, in memory.
#[derive(Default)]
pub(crate) struct Lists {
    all: RwLock<HashMap<TenantId, TenantLists>>,
    expiring: Mutex<BTreeSet<(Timestamp, TenantId, String)>>,
    /// Microseconds since 1970 of the first of `expiring`, so that decisions need not look there.
    first_expiry: AtomicI64,
}

impl Lists {
    /// Whether the value is on the list at this moment.
    pub(crate) fn contains(
        &self,
        tenant: &TenantId,
        list: &str,
        value: &str,
        now: Timestamp,
    ) -> bool {
        let lists = self.all.read().unwrap_or_else(PoisonError::into_inner);
        lists
            .get(tenant)
            .and_then(|lists| lists.get(list))
            .and_then(|entries| entries.get(value))
            .is_some_and(|entry| entry.expires_at.is_none_or(|expiry| expiry > now))
    }

    pub(crate) fn insert(&self, tenant: &TenantId, list: &str, entry: ListEntry) {
        let mut lists = self.all.write().unwrap_or_else(PoisonError::into_inner);
        let entries = lists
            .entry(tenant.clone())
            .or_default()
            .entry(list.to_owned())
            .or_default();
        entries.insert(entry.value.clone(), entry);
    }

    fn remove(&self, tenant: &TenantId, list: &str, value: &str) {
        let mut lists = self.all.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(lists) = lists.get_mut(tenant) {
            if let Some(entries) = lists.get_mut(list) {
                entries.remove(value);
            }
            lists.retain(|_, entries| !entries.is_empty());
        }
    }

    /// Remembers that a value of a deny list stops counting.
    fn expires(&self, at: Timestamp, tenant: &TenantId, value: &str) {
        let mut expiring = self.expiring.lock().unwrap_or_else(PoisonError::into_inner);
        expiring.insert((at, tenant.clone(), value.to_owned()));
        self.note_first(&expiring);
    }

    /// The values of deny lists that have stopped counting, each once.
    fn expired(&self, now: Timestamp) -> Vec<(TenantId, String)> {
        // 0 before the first: then there is no harm in looking.
        if self.first_expiry.load(Ordering::Acquire) > now.micros() {
            return Vec::new();
        }
        let mut expiring = self.expiring.lock().unwrap_or_else(PoisonError::into_inner);
        let mut expired = Vec::new();
        while expiring.first().is_some_and(|(at, ..)| *at <= now) {
            expired.extend(
                expiring
                    .pop_first()
                    .map(|(_, tenant, value)| (tenant, value)),
            );
        }
        self.note_first(&expiring);
        expired
    }

    fn note_first(&self, expiring: &BTreeSet<(Timestamp, TenantId, String)>) {
        let first = expiring.first().map_or(i64::MAX, |(at, ..)| at.micros());
        self.first_expiry.store(first, Ordering::Release);
    }

    fn read<T>(&self, tenant: &TenantId, with: impl FnOnce(&TenantLists) -> T) -> Option<T> {
        let lists = self.all.read().unwrap_or_else(PoisonError::into_inner);
        lists.get(tenant).map(with)
    }
}

impl Engine {
    /// A page of a list's entries after `after`, at most `limit` of them.
    pub fn list_entries(
        &self,
        tenant: &TenantId,
        list: &str,
        after: Option<&str>,
        limit: usize,
    ) -> ListPage {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let entries = self.lists.read(tenant, |lists| {
            let entries = lists.get(list)?;
            let range = entries.range::<str, _>((from, Bound::Unbounded));
            Some(
                range
                    .take(limit + 1)
                    .map(|(_, entry)| entry.clone())
                    .collect::<Vec<_>>(),
            )
        });
        let mut entries = entries.flatten().unwrap_or_default();
        let more = entries.len() > limit;
        entries.truncate(limit);
        let next = entries
            .last()
            .filter(|_| more)
            .map(|entry| entry.value.clone());
        ListPage { entries, next }
    }

    /// The lists of a tenant, by name.
    pub fn lists(&self, tenant: &TenantId) -> Vec<ListSummary> {
        let mut summaries = self
            .lists
            .read(tenant, |lists| {
                let summary = |(name, entries): (&String, &BTreeMap<_, _>)| ListSummary {
                    name: name.clone(),
                    entries: entries.len(),
                };
                lists.iter().map(summary).collect::<Vec<_>>()
            })
            .unwrap_or_default();
        summaries.sort_by(|one, other| one.name.cmp(&other.name));
        summaries
    }

    /// The entries of a tenant's lists that hold a value at a moment, by list.
    pub(crate) fn listings(
        &self,
        tenant: &TenantId,
        value: &str,
        now: Timestamp,
    ) -> Vec<EntityListing> {
        let holding = |lists: &TenantLists| {
            let entries = lists
                .iter()
                .filter_map(|(name, entries)| Some((name, entries.get(value)?)));
            let open = entries.filter(|(_, entry)| entry.expires_at.is_none_or(|at| at > now));
            let listing = open.map(|(name, entry)| EntityListing {
                list: name.clone(),
                reason: entry.reason.clone(),
                added_at: entry.added_at,
                expires_at: entry.expires_at,
            });
            listing.collect::<Vec<_>>()
        };
        let mut found = self.lists.read(tenant, holding).unwrap_or_default();
        found.sort_by(|one, other| one.list.cmp(&other.list));
        found
    }

    /// Lets windows know whether a value is on a deny list: one whose name begins with `denied_`.
    /// It may be the key of any kind of entity.
    fn mark(&self, tenant: &TenantId, value: &str) {
        let now = self.clock.now();
        let denials = |lists: &TenantLists| {
            let denying = lists.iter().filter(|(name, _)| name.starts_with(DENIED));
            let entries = denying.filter_map(|(_, entries)| entries.get(value));
            entries.map(|entry| entry.expires_at).collect::<Vec<_>>()
        };
        let mut denials = self.lists.read(tenant, denials).unwrap_or_default();
        denials.retain(|expiry| expiry.is_none_or(|expiry| expiry > now));
        for kind in EntityKind::ALL {
            let key = self.hasher.hash(tenant, kind, value);
            self.features.mark(kind, key, !denials.is_empty());
        }
        for expiry in denials.into_iter().flatten() {
            self.lists.expires(expiry, tenant, value);
        }
    }

    /// Takes the marks off the values that no deny list holds any more at this moment.
    pub(crate) fn unmark_expired(&self, now: Timestamp) {
        for (tenant, value) in self.lists.expired(now) {
            self.mark(&tenant, &value);
        }
    }

    pub(crate) async fn load_lists(&self) -> Result<(), Error> {
        let mut after = 0;
        loop {
            let now = self.clock.now();
            let rows = self
                .database
                .list_entries_all(now, after, LOAD_ROWS)
                .await?;
            let Some(last) = rows.last() else {
                return Ok(());
            };
            after = last.entry_no;
            for row in rows {
                let entry = ListEntry {
                    value: row.value,
                    reason: row.reason,
                    expires_at: row.expires_at,
                    added_at: row.added_at,
                    added_by: row.added_by,
                };
                let value = entry.value.clone();
                self.lists.insert(&row.tenant, &row.list, entry);
                if row.list.starts_with(DENIED) {
                    self.mark(&row.tenant, &value);
                }
            }
        }
    }
}
