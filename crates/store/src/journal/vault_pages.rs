//! Pages of keys while a transaction changes them: read, changed and written as a whole, by the one
//! writer.

use crate::{
    Backend, Error, KeyPage, KeyPlace, VaultKeyRow,
    sql::{Insert, Lookup},
};
use paywarden_domain::TenantId;
use sqlx::AnyConnection;
use std::collections::{BTreeMap, BTreeSet};

/// The statements of pages.
#[derive(Debug)]
pub(super) struct Pages {
    lookup: Lookup<KeyPage>,
    write: Insert<KeyPage>,
}

/// Some pages, and which of them are to be written.
pub(super) struct Loaded {
    pages: BTreeMap<i64, KeyPage>,
    changed: BTreeSet<i64>,
}

impl Pages {
    pub(super) fn new(backend: Backend) -> Self {
        Self {
            lookup: Lookup::by(backend, "page"),
            write: Insert::or_replace(backend),
        }
    }

    /// The pages of these keys, as far as they are there.
    pub(super) async fn load(
        &self,
        connection: &mut AnyConnection,
        keys: impl Iterator<Item = KeyPlace>,
    ) -> Result<Loaded, Error> {
        let numbers: BTreeSet<i64> = keys.map(|key| key.page).collect();
        let numbers: Vec<_> = numbers.into_iter().collect();
        let found = self.lookup.run(connection, &numbers).await?;
        Ok(Loaded {
            pages: found.into_iter().map(|page| (page.page, page)).collect(),
            changed: BTreeSet::new(),
        })
    }

    /// Writes those that were changed.
    pub(super) async fn store(
        &self,
        connection: &mut AnyConnection,
        loaded: Loaded,
    ) -> Result<(), Error> {
        let Loaded { pages, changed } = loaded;
        let changed: Vec<_> = changed.iter().filter_map(|page| pages.get(page)).collect();
        self.write.run(connection, &changed).await
    }
}

impl Loaded {
    /// Adds a key; false if its place is taken, or in a page of others.
    pub(super) fn add(&mut self, row: &VaultKeyRow) -> bool {
        let number = row.key.page;
        let new = || KeyPage::new(number, row.tenant.clone(), row.retention.clone());
        self.changed.insert(number);
        self.pages.entry(number).or_insert_with(new).add(row)
    }

    /// A key of this tenant.
    pub(super) fn key(&self, tenant: &TenantId, place: KeyPlace) -> Option<VaultKeyRow> {
        let page = self.pages.get(&place.page);
        page.filter(|page| page.tenant == *tenant)?.key(place.slot)
    }

    /// Changes a key of this tenant, if it is there.
    pub(super) fn change(
        &mut self,
        tenant: &TenantId,
        place: KeyPlace,
        change: impl FnOnce(&mut KeyPage, u8),
    ) {
        let page = self.pages.get_mut(&place.page);
        if let Some(page) = page.filter(|page| page.tenant == *tenant) {
            change(page, place.slot);
            self.changed.insert(place.page);
        }
    }
}
