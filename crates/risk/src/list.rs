//! Allow and deny lists: in memory for rules, in the store for good.

mod change;

pub use change::{ListChange, ListOperation, ListValue};

use crate::{Engine, Error};
use paywarden_domain::{TenantId, Timestamp};
use paywarden_features::EntityKind;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
    sync::{PoisonError, RwLock},
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
pub(crate) struct Lists(RwLock<HashMap<TenantId, TenantLists>>);

impl Lists {
    /// Whether the value is on the list at this moment.
    pub(crate) fn contains(
        &self,
        tenant: &TenantId,
        list: &str,
        value: &str,
        now: Timestamp,
    ) -> bool {
        let lists = self.0.read().unwrap_or_else(PoisonError::into_inner);
        lists
            .get(tenant)
            .and_then(|lists| lists.get(list))
            .and_then(|entries| entries.get(value))
            .is_some_and(|entry| entry.expires_at.is_none_or(|expiry| expiry > now))
    }

    pub(crate) fn insert(&self, tenant: &TenantId, list: &str, entry: ListEntry) {
        let mut lists = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let entries = lists
            .entry(tenant.clone())
            .or_default()
            .entry(list.to_owned())
            .or_default();
        entries.insert(entry.value.clone(), entry);
    }

    fn remove(&self, tenant: &TenantId, list: &str, value: &str) {
        let mut lists = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(lists) = lists.get_mut(tenant) {
            if let Some(entries) = lists.get_mut(list) {
                entries.remove(value);
            }
            lists.retain(|_, entries| !entries.is_empty());
        }
    }

    fn read<T>(&self, tenant: &TenantId, with: impl FnOnce(&TenantLists) -> T) -> Option<T> {
        let lists = self.0.read().unwrap_or_else(PoisonError::into_inner);
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

    /// Lets windows know whether a value is on a deny list: one whose name begins with `denied_`.
    /// It may be the key of any kind of entity. One that expires stays marked until it is removed
    /// or the server starts again.
    fn mark(&self, tenant: &TenantId, value: &str) {
        let denies = |(name, entries): (&String, &BTreeMap<String, ListEntry>)| {
            name.starts_with(DENIED) && entries.contains_key(value)
        };
        let denied = self.lists.read(tenant, |lists| lists.iter().any(denies));
        for kind in EntityKind::ALL {
            let key = self.hasher.hash(tenant, kind, value);
            self.features.mark(kind, key, denied == Some(true));
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
