//! The notices of every company, in memory: the read path asks them for each value.

use super::{Notice, Published};
use crate::{Error, policy::Jurisdiction};
use paywarden_domain::{TenantId, Timestamp};
use paywarden_store::{Database, RecordRow};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, PoisonError, RwLock},
};

/// What kind of record a notice is.
pub(crate) const NOTICE: &str = "notice";
/// The most notices of a company.
pub(crate) const NOTICES_MAX: usize = 64;
/// Versions of a notice that are looked at, newest first: one published a long time ago may hold
/// until a newer one begins.
const VERSIONS_MAX: u32 = 16;
const PAGE: u32 = 500;

/// The notices of one company by name, each with its versions, newest first.
type Book = BTreeMap<String, Vec<Arc<Published>>>;

/// The notices of all companies.
pub(crate) struct Books {
    books: RwLock<HashMap<TenantId, Book>>,
    standard: Option<Arc<Published>>,
}

impl Books {
    /// Every notice of the store.
    pub(crate) async fn load(database: &Database) -> Result<Self, Error> {
        let books = Self {
            books: RwLock::default(),
            standard: Published::standard().map(Arc::new),
        };
        let mut after = String::new();
        loop {
            let page = database.records_newest(NOTICE, &after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(books);
            };
            after.clone_from(&last.id);
            for newest in page {
                let versions = database.record_versions(NOTICE, &newest.id, i64::MAX, VERSIONS_MAX);
                for row in versions.await?.into_iter().rev() {
                    books.add(&row)?;
                }
            }
        }
    }

    /// The identifier of the record of a notice: names are of one company.
    pub(crate) fn id(tenant: &TenantId, name: &str) -> String {
        format!("{tenant}.{name}")
    }

    /// Takes a version in.
    pub(crate) fn add(&self, row: &RecordRow) -> Result<Arc<Published>, Error> {
        let read = Published::read(row.version, row.written_at, &row.body);
        let published = Arc::new(read.ok_or(Error::Damaged)?);
        let mut books = self.books.write().unwrap_or_else(PoisonError::into_inner);
        let book = books.entry(row.tenant.clone()).or_default();
        let versions = book.entry(published.notice.name.clone()).or_default();
        versions.retain(|known| known.version != published.version);
        versions.push(published.clone());
        versions.sort_by_key(|known| std::cmp::Reverse(known.version));
        versions.truncate(VERSIONS_MAX as usize);
        Ok(published)
    }

    /// The number of the newest version; 0 if there is none but the shipped one.
    pub(crate) fn newest(&self, tenant: &TenantId, name: &str) -> i64 {
        let newest = |book: &Book| book.get(name)?.first().map(|known| known.version);
        self.of(tenant, newest).unwrap_or(0)
    }

    /// Whether the company may have one more.
    pub(crate) fn has_room(&self, tenant: &TenantId, name: &str) -> bool {
        let fits = |book: &Book| Some(book.contains_key(name) || book.len() < NOTICES_MAX);
        self.of(tenant, fits).unwrap_or(true)
    }

    /// The version of a notice that holds now: the newest that has begun and not ended. A version
    /// that has ended ends the notice, whatever held before it.
    pub(crate) fn in_force(
        &self,
        tenant: &TenantId,
        name: &str,
        now: Timestamp,
    ) -> Option<Arc<Published>> {
        let has_begun =
            |known: &&Arc<Published>| known.notice.from.unwrap_or(known.published_at) <= now;
        let newest = |book: &Book| book.get(name)?.iter().find(has_begun).cloned();
        let holds = |known: &Arc<Published>| known.is_in_force(now);
        match self.of(tenant, newest) {
            Some(known) => Some(known).filter(holds),
            None => self
                .standard
                .clone()
                .filter(|known| known.notice.name == name),
        }
    }

    /// The same, where it holds in a jurisdiction.
    pub(crate) fn told(
        &self,
        tenant: &TenantId,
        (name, jurisdiction): (&str, Jurisdiction),
        now: Timestamp,
    ) -> Option<Arc<Published>> {
        let found = self.in_force(tenant, name, now);
        found.filter(|known| known.notice.holds_in(jurisdiction))
    }

    /// The oldest version to which consent still counts: whoever agreed to an earlier one is asked
    /// again.
    pub(crate) fn consent_counts_from(&self, tenant: &TenantId, name: &str, now: Timestamp) -> i64 {
        let asks = |known: &&Arc<Published>| {
            let has_begun = known.notice.from.unwrap_or(known.published_at) <= now;
            known.notice.asks_again && has_begun
        };
        let version = |book: &Book| Some(book.get(name)?.iter().find(asks)?.version);
        self.of(tenant, version).unwrap_or(0)
    }

    /// Every notice of a company with its newest version, and the shipped one where it holds.
    pub(crate) fn all(&self, tenant: &TenantId) -> Vec<Arc<Published>> {
        let newest = |book: &Book| {
            let first = book.values().filter_map(|versions| versions.first());
            Some(first.cloned().collect())
        };
        let mut all: Vec<Arc<Published>> = self.of(tenant, newest).unwrap_or_default();
        let shipped = self.standard.iter().filter(|shipped| {
            let is_replaced = |known: &Arc<Published>| known.notice.name == shipped.notice.name;
            !all.iter().any(is_replaced)
        });
        let shipped: Vec<_> = shipped.cloned().collect();
        all.extend(shipped);
        all
    }

    /// One version, as far as it is at hand.
    pub(crate) fn version(
        &self,
        tenant: &TenantId,
        name: &str,
        version: i64,
    ) -> Option<Arc<Published>> {
        let is_it = |known: &&Arc<Published>| known.version == version;
        let found = |book: &Book| book.get(name)?.iter().find(is_it).cloned();
        let shipped = self.standard.as_ref();
        let shipped = shipped.filter(|known| known.notice.name == name && version == 0);
        self.of(tenant, found).or_else(|| shipped.cloned())
    }

    fn of<T>(&self, tenant: &TenantId, read: impl FnOnce(&Book) -> Option<T>) -> Option<T> {
        let books = self.books.read().unwrap_or_else(PoisonError::into_inner);
        read(books.get(tenant)?)
    }
}

impl Notice {
    /// Its body in the store.
    pub(crate) fn body(&self) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(self).map_err(|_| Error::Damaged)
    }
}
