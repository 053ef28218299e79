//! Changing a list: the command, its form, its effect.

use super::{ENTRIES_MAX, LISTS_MAX, ListEntry, TenantLists};
use crate::{Engine, Error};
use paywarden_access::approval::{Approved, Kind, Sensitive, Who};
use paywarden_domain::{TenantId, Timestamp, event::TEXT_BYTES_MAX};
use paywarden_store::{Actor, Entry, ListEntryRow, ListRemoval, Purpose, Row};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// The most values of one change: one entry of the journal holds them all.
pub const VALUES_MAX: usize = 200;
const NAME_BYTES_MAX: usize = 64;
/// A reason is the purpose of its trail leaf, which takes so much.
const REASON_BYTES_MAX: usize = 256;

/// Values go onto a list, or are taken off it: all of them or none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListChange {
    /// The list.
    pub list: String,
    /// On or off.
    pub operation: ListOperation,
    /// The values, 1 to 200, each once.
    pub values: Vec<ListValue>,
    /// Why, 1 to 256 bytes.
    pub reason: String,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ListOperation {
    /// Onto the list; a value that is on it gets the new expiry.
    Add,
    /// Off the list; every value has to be on it.
    Remove,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListValue {
    /// Key of an entity, or any text that a rule compares.
    pub value: String,
    /// When it stops counting; never if not given. Only for values that go onto a list.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

impl ListOperation {
    /// The word used in payloads and in the objects of clauses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
        }
    }
}

impl Sensitive for ListChange {
    const KIND: Kind = Kind::ListChange;

    /// `add:` or `remove:` and the list.
    fn object(&self) -> String {
        format!("{}:{}", self.operation.name(), self.list)
    }

    fn weight(&self) -> u32 {
        u32::try_from(self.values.len()).unwrap_or(u32::MAX)
    }

    fn check(&self) -> Result<(), String> {
        self.validate().map_err(|error| error.to_string())
    }
}

impl ListChange {
    /// Refuses what could never be carried out.
    pub fn validate(&self) -> Result<(), Error> {
        let values: BTreeSet<_> = self.values.iter().map(|listed| &listed.value).collect();
        let fits = |value: &&String| (1..=TEXT_BYTES_MAX).contains(&value.len());
        let removes = self.operation == ListOperation::Remove;
        let expires = self.values.iter().any(|listed| listed.expires_at.is_some());
        #[rustfmt::skip]
        let rules = [
            (is_name(&self.list), "a list name is lower case words joined by underscores"),
            ((1..=VALUES_MAX).contains(&self.values.len()), "a change has 1 to 200 values"),
            (values.len() == self.values.len(), "a change names each value once"),
            (values.iter().all(fits), "a value has 1 to 512 bytes"),
            ((1..=REASON_BYTES_MAX).contains(&self.reason.len()), "a reason has 1 to 256 bytes"),
            (!(removes && expires), "what is taken off has no expiry"),
        ];
        match rules.into_iter().find(|(holds, _)| !holds) {
            Some((_, wrong)) => Err(Error::ListEntryMalformed(wrong)),
            None => Ok(()),
        }
    }
}

impl Engine {
    /// Puts values on a list, replacing entries that are there, or takes values off it; the store
    /// keeps that they were there. Rules see it at once.
    pub async fn change_list(&self, approved: Approved<ListChange>) -> Result<ListChange, Error> {
        let (who, change) = (approved.who().clone(), approved.command());
        let tenant = &who.tenant;
        change.validate()?;
        let now = self.clock.now();
        let rows = match change.operation {
            ListOperation::Add => {
                self.check_additions(tenant, change, now)?;
                additions(&who, change, now)
            }
            ListOperation::Remove => {
                self.check_removals(tenant, change)?;
                removals(tenant, change, now)
            }
        };
        let action = match change.operation {
            ListOperation::Add => "list.add",
            ListOperation::Remove => "list.remove",
        };
        let entry = |change: &ListChange| Entry {
            tenant: tenant.clone(),
            actor: who.actor.clone(),
            purpose: Purpose::from("list change").because(&*change.reason),
            action,
            object: change.list.clone(),
            rows,
        };
        let change = approved.carry_out(entry).await?;
        for listed in &change.values {
            self.apply(&who, &change, listed, now);
        }
        Ok(change)
    }

    /// Whether a value was put on a list at or after a time, whatever became of it since.
    pub async fn was_listed(
        &self,
        tenant: &TenantId,
        entry: (&str, &str),
        since: Timestamp,
    ) -> Result<bool, Error> {
        Ok(self.database.was_listed(tenant, entry, since).await?)
    }

    fn apply(&self, who: &Who, change: &ListChange, listed: &ListValue, now: Timestamp) {
        let (tenant, list) = (&who.tenant, change.list.as_str());
        match change.operation {
            ListOperation::Add => self
                .lists
                .insert(tenant, list, entry(who, change, listed, now)),
            ListOperation::Remove => self.lists.remove(tenant, list, &listed.value),
        }
        self.mark(tenant, &listed.value);
    }

    fn check_additions(
        &self,
        tenant: &TenantId,
        change: &ListChange,
        now: Timestamp,
    ) -> Result<(), Error> {
        let past = |listed: &ListValue| listed.expires_at.is_some_and(|expiry| expiry <= now);
        if change.values.iter().any(past) {
            return Err(Error::ListEntryMalformed("the expiry lies in the past"));
        }
        let sizes = |lists: &TenantLists| {
            let entries = lists.get(&change.list).map(BTreeMap::len);
            (lists.len(), entries)
        };
        let full = match self.lists.read(tenant, sizes) {
            Some((LISTS_MAX.., None)) => "a tenant has at most 256 lists",
            Some((_, Some(entries))) if entries + change.values.len() > ENTRIES_MAX => {
                "a list has at most 1,000,000 entries"
            }
            _ => return Ok(()),
        };
        Err(Error::ListEntryMalformed(full))
    }

    fn check_removals(&self, tenant: &TenantId, change: &ListChange) -> Result<(), Error> {
        let known = self.lists.read(tenant, |lists| {
            let entries = lists.get(&change.list)?;
            let listed = |listed: &ListValue| entries.contains_key(&listed.value);
            Some(change.values.iter().all(listed))
        });
        match known.flatten() {
            Some(true) => Ok(()),
            _ => Err(Error::ListEntryUnknown),
        }
    }
}

fn entry(who: &Who, change: &ListChange, listed: &ListValue, now: Timestamp) -> ListEntry {
    ListEntry {
        value: listed.value.clone(),
        reason: change.reason.clone(),
        expires_at: listed.expires_at,
        added_at: now,
        added_by: name(&who.actor).to_owned(),
    }
}

fn additions(who: &Who, change: &ListChange, now: Timestamp) -> Vec<Row> {
    let row = |listed: &ListValue| {
        Row::ListEntry(ListEntryRow {
            entry_no: 0,
            tenant: who.tenant.clone(),
            list: change.list.clone(),
            value: listed.value.clone(),
            reason: change.reason.clone(),
            added_by: name(&who.actor).to_owned(),
            added_at: now,
            expires_at: listed.expires_at,
            removed_at: None,
        })
    };
    change.values.iter().map(row).collect()
}

fn removals(tenant: &TenantId, change: &ListChange, now: Timestamp) -> Vec<Row> {
    let row = |listed: &ListValue| {
        Row::ListRemoval(ListRemoval {
            tenant: tenant.clone(),
            list: change.list.clone(),
            value: listed.value.clone(),
            removed_at: now,
        })
    };
    change.values.iter().map(row).collect()
}

/// The identifier of whoever acts, as entries have it.
fn name(actor: &Actor) -> &str {
    match actor {
        Actor::Key(name) | Actor::Staff(name) => name,
        Actor::System(name) => name,
    }
}

fn is_name(list: &str) -> bool {
    let mut bytes = list.bytes();
    let starts = bytes.next().is_some_and(|byte| byte.is_ascii_lowercase());
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    starts && bytes.all(plain) && list.len() <= NAME_BYTES_MAX
}
