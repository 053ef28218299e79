//! Screening lists of each tenant: versions in the store, one index in memory.
//!
//! ```text
//! import    a version comes in: read, compared with the one before, written, indexed
//! version   what the store keeps of a version: a head, and what it changes in parts
//! load      the lists again, after a restart
//! change    what takes effect by approval alone: a list that shrank, the end of a list
//! clearance parties that are not the one on a list, for a time
//! ask       who one name may be, and why
//! batch     the same for many names, in the background
//! party     parties under watch: screened again when they change and when a list does
//! finding   what a decision saw, as rules read it and as explanations tell it
//! ```
//!
//! *Invariant*: a version is in memory only when it is durable, and an index is never changed: a
//! new one takes its place, so that no decision waits for an import.

mod ask;
mod batch;
mod change;
mod clearance;
mod finding;
mod import;
mod load;
mod party;
mod version;

pub use ask::{
    Question, ScreenedBy, ScreeningAnswer, ScreeningComponent, ScreeningHit, ScreeningTokens,
};
pub use batch::{BATCH_NAMES_MAX, Batch, BatchItem, BatchResult, BatchState};
pub use change::{ScreeningChange, ScreeningOperation};
pub use clearance::{CLEARANCES_MAX, Cleared, ScreeningClearance};
pub use finding::ScreeningFact;
pub(crate) use finding::{Findings, is_of_screening};
pub use import::{Imported, ListFile, ListSource};
pub use party::{AlertEntry, Cause, PARTIES_PAGE, ScreeningAlert, WatchedParty};
pub use paywarden_screening::{Birth, Kind, ListKind, import::Format};
pub use version::ListVersion;

use crate::{Engine, Error, working::retire};
use arc_swap::ArcSwap;
use batch::Batches;
use clearance::Clearances;
use paywarden_crypto::Keyring;
use paywarden_domain::TenantId;
use paywarden_screening::{AlertRate, Index, List, Room};
use serde::Serialize;
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};
use tokio::sync::Semaphore;
use utoipa::ToSchema;

/// The most screening lists of one tenant.
pub const LISTS_MAX: usize = 64;
/// The most parties on all lists of one tenant: about 2 GiB of memory.
pub const ENTITIES_MAX: usize = 1_000_000;
/// Imports that are taken in at once, over all tenants; they are read side by side and take effect
/// one after the other. One more is [`Error::ScreeningBusy`].
const IMPORTS_MAX: usize = 4;

thread_local! {
    static ROOM: RefCell<Room> = RefCell::default();
}

/// The lists of all tenants.
pub(crate) struct Screening {
    holdings: ArcSwap<HashMap<TenantId, Arc<Holding>>>,
    /// Versions that were refused because they shrank, until they are accepted or others come.
    waiting: Mutex<HashMap<(TenantId, String), Waiting>>,
    importing: Semaphore,
    /// Held while a version is compared, written and put in its place.
    changing: tokio::sync::Mutex<()>,
    batches: Batches,
    clearances: Clearances,
    /// Tenants whose parties under watch have to be screened again.
    changed: Mutex<BTreeSet<TenantId>>,
    counts: Counts,
}

/// The lists of one tenant with their index.
pub(crate) struct Holding {
    lists: BTreeMap<String, Held>,
    index: Index,
    rates: Vec<AlertRate>,
    built_ms: u64,
}

/// A list at work.
#[derive(Clone)]
struct Held {
    version: ListVersion,
    list: Arc<List>,
}

/// A version that waits for an approval, in memory alone.
#[derive(Clone)]
struct Waiting {
    format: Format,
    list: Arc<List>,
    was: u64,
}

#[derive(Default)]
struct Counts {
    screened: AtomicU64,
    hits: AtomicU64,
    late: AtomicU64,
    refused: AtomicU64,
    stale: AtomicU64,
}

/// What the metrics page shows of screening, over all tenants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ScreeningFigures {
    /// Lists at work.
    pub lists: u64,
    /// Parties on them.
    pub entities: u64,
    /// Names that were screened since the start, those of payments included.
    pub screened: u64,
    /// Those of them that a party may bear.
    pub hits: u64,
    /// Parties of payments that were not screened because the time was over.
    pub late: u64,
    /// Versions that were refused since the start.
    pub refused: u64,
    /// Times that a list was not refreshed since the start: not fetched, or refused.
    pub stale: u64,
}

/// The screening lists of a tenant.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ScreeningLists {
    /// By name.
    pub lists: Vec<ScreeningList>,
    /// Names in the index.
    pub names: u64,
    /// How long it took to build the index, in milliseconds.
    pub built_ms: u64,
    /// How many alerts to expect.
    pub rates: Vec<ExpectedAlerts>,
}

/// A screening list.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ScreeningList {
    /// The version at work.
    pub at_work: ListVersion,
    /// A version that was refused because it shrank, and takes effect by a `screening_change` alone.
    pub waiting: Option<WaitingVersion>,
}

/// A version that was refused because it shrank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WaitingVersion {
    /// SHA-256 of its source.
    pub version: String,
    /// Parties on it.
    pub entities: u64,
    /// Parties on the version at work.
    pub was: u64,
}

/// What a threshold comes to among people with ordinary names.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct ExpectedAlerts {
    /// Scores from here on are alerts, 0 to 1.
    pub threshold: f64,
    /// The share of a thousand frequent names for which there would be one, 0 to 1. Customers have
    /// rarer names on the whole, so theirs is lower.
    pub share: f64,
}

impl Screening {
    pub(crate) fn new(keyring: &Keyring) -> Result<Self, paywarden_crypto::Error> {
        Ok(Self {
            holdings: ArcSwap::default(),
            waiting: Mutex::default(),
            importing: Semaphore::new(IMPORTS_MAX),
            changing: tokio::sync::Mutex::default(),
            batches: Batches::new(keyring)?,
            clearances: Clearances::default(),
            changed: Mutex::default(),
            counts: Counts::default(),
        })
    }

    /// What being on a list of a tenant means; none if it has no such list.
    pub(crate) fn kind_of(&self, tenant: &TenantId, list: &str) -> Option<ListKind> {
        let holding = self.holding(tenant)?;
        Some(holding.lists.get(list)?.list.kind)
    }

    /// What a tenant has; none before its first list.
    fn holding(&self, tenant: &TenantId) -> Option<Arc<Holding>> {
        self.holdings.load().get(tenant).cloned()
    }

    /// Puts other lists of a tenant in the place of those at work, which are freed on a thread that
    /// may block once nobody looks at them.
    fn put(&self, tenant: &TenantId, holding: Holding) {
        let fresh = Arc::new(holding);
        let before = self.holdings.rcu(|all| {
            let mut all = HashMap::clone(all);
            all.insert(tenant.clone(), Arc::clone(&fresh));
            all
        });
        if let Some(old) = before.get(tenant).cloned() {
            drop(before);
            tokio::task::spawn_blocking(move || retire(old));
        }
        self.note_changed(tenant);
    }

    fn note_changed(&self, tenant: &TenantId) {
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        changed.insert(tenant.clone());
    }

    fn take_changed(&self) -> Vec<TenantId> {
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *changed).into_iter().collect()
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<(TenantId, String), Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a version that was refused.
    pub(crate) fn refused(&self) {
        self.counts.refused.fetch_add(1, Ordering::Relaxed);
    }
}

impl Holding {
    /// Builds the index over some lists, which takes seconds for 70,000 parties; blocks.
    fn build(lists: BTreeMap<String, Held>) -> Self {
        let start = Instant::now();
        let index = Index::build(lists.values().map(|held| Arc::clone(&held.list)).collect());
        let built_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        Self {
            rates: index.alert_rates(),
            lists,
            index,
            built_ms,
        }
    }

    /// The same lists with one put in or replaced. Blocks.
    fn with(this: Option<&Self>, held: Held) -> Self {
        let mut lists = this.map(|this| this.lists.clone()).unwrap_or_default();
        lists.insert(held.list.name.clone(), held);
        Self::build(lists)
    }

    /// The same lists without one. Blocks.
    fn without(&self, list: &str) -> Self {
        let mut lists = self.lists.clone();
        lists.remove(list);
        Self::build(lists)
    }

    fn entities(&self) -> usize {
        self.lists
            .values()
            .map(|held| held.list.entities.len())
            .sum()
    }

    /// How many alerts a threshold comes to: what the nearest rated one below it does; none below
    /// the lowest.
    fn expected(&self, threshold: f32) -> Option<f64> {
        let rated = self.rates.iter().rev();
        let mut fits = rated.filter(|rate| rate.threshold <= threshold + f32::EPSILON);
        fits.next().map(|rate| rounded(rate.share))
    }
}

impl Engine {
    /// The screening lists of a tenant, and what the index over them is like.
    pub fn screening_lists(&self, tenant: &TenantId) -> ScreeningLists {
        let Some(holding) = self.screening.holding(tenant) else {
            return ScreeningLists {
                lists: Vec::new(),
                names: 0,
                built_ms: 0,
                rates: Vec::new(),
            };
        };
        let waiting = self.screening.waiting();
        let list = |(name, held): (&String, &Held)| ScreeningList {
            at_work: held.version.clone(),
            waiting: waiting
                .get(&(tenant.clone(), name.clone()))
                .map(|waiting| WaitingVersion {
                    version: waiting.list.source_hash.clone(),
                    entities: waiting.list.entities.len() as u64,
                    was: waiting.was,
                }),
        };
        let rate = |rate: &AlertRate| ExpectedAlerts {
            threshold: rounded(rate.threshold),
            share: rounded(rate.share),
        };
        ScreeningLists {
            lists: holding.lists.iter().map(list).collect(),
            names: holding.index.names() as u64,
            built_ms: holding.built_ms,
            rates: holding.rates.iter().map(rate).collect(),
        }
    }

    /// What the metrics page shows of screening.
    pub fn screening_figures(&self) -> ScreeningFigures {
        let holdings = self.screening.holdings.load();
        let counts = &self.screening.counts;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ScreeningFigures {
            lists: holdings.values().map(|one| one.lists.len() as u64).sum(),
            entities: holdings.values().map(|one| one.entities() as u64).sum(),
            screened: read(&counts.screened),
            hits: read(&counts.hits),
            late: read(&counts.late),
            refused: read(&counts.refused),
            stale: read(&counts.stale),
        }
    }
}

/// A score, threshold or share as it is shown: thousandths.
fn rounded(share: f32) -> f64 {
    (f64::from(share) * 1_000.0).round() / 1_000.0
}

/// Work that takes longer than others may wait.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let joined = tokio::task::spawn_blocking(work).await;
    joined.map_err(|error| Error::RecordDamaged(error.to_string()))
}
