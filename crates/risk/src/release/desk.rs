//! What the lives of rule sets are kept in while the process runs.

use super::{
    LoadedSet,
    ledger::Ledger,
    running::{Lineup, Running, Union},
    shelf::Shelf,
    view::Progress,
};
use crate::Error;
use paywarden_domain::TenantId;
use paywarden_features::Plan;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Mutex as AsyncMutex, OwnedMutexGuard},
    time::timeout,
};

/// How long a step waits for the one before it.
pub(crate) const TURN_WAIT: Duration = Duration::from_secs(2);

/// The ledgers, and who may change what runs.
pub(crate) struct Desk {
    ledgers: Mutex<HashMap<TenantId, Arc<Ledger>>>,
    turns: Mutex<HashMap<TenantId, Arc<AsyncMutex<()>>>>,
    /// The last preparation of each tenant, and of which version.
    progress: Mutex<HashMap<TenantId, (String, Progress)>>,
    /// Held by whoever changes the windows or the sets at work.
    pub(crate) floor: AsyncMutex<Floor>,
    pub(super) shelf: Shelf,
    /// The last event before this process: trials up to here are counted from the store.
    pub(super) started_after: i64,
}

/// The sets at work and the windows that are kept for them.
pub(crate) struct Floor {
    pub(crate) lineup: Lineup<Arc<LoadedSet>>,
    pub(crate) union: Union,
    pub(crate) plan: Arc<Plan>,
}

impl Floor {
    /// What runs, derived from what is here.
    pub(super) fn running(&self) -> Running {
        self.lineup.on(Arc::clone(&self.plan), &self.union)
    }
}

impl Desk {
    pub(super) fn new(
        ledgers: HashMap<TenantId, Arc<Ledger>>,
        shelf: Shelf,
        floor: Floor,
        started_after: i64,
    ) -> Self {
        Self {
            ledgers: Mutex::new(ledgers),
            turns: Mutex::default(),
            progress: Mutex::default(),
            floor: AsyncMutex::new(floor),
            shelf,
            started_after,
        }
    }

    /// What a tenant's versions have been through.
    pub(super) fn ledger(&self, tenant: &TenantId) -> Arc<Ledger> {
        lock(&self.ledgers).get(tenant).cloned().unwrap_or_default()
    }

    pub(super) fn put(&self, tenant: &TenantId, ledger: Ledger) {
        lock(&self.ledgers).insert(tenant.clone(), Arc::new(ledger));
    }

    /// Waits for the tenant's turn, not for long.
    pub(super) async fn turn(&self, tenant: &TenantId) -> Result<OwnedMutexGuard<()>, Error> {
        let turn = Arc::clone(lock(&self.turns).entry(tenant.clone()).or_default());
        let mine = timeout(TURN_WAIT, turn.lock_owned()).await;
        mine.map_err(|_| Error::RuleSetBusy)
    }

    pub(super) fn progress(&self, tenant: &TenantId, version: &str) -> Progress {
        match lock(&self.progress).get(tenant) {
            Some((known, progress)) if known == version => progress.clone(),
            _ => Progress::Idle,
        }
    }

    pub(super) fn note(&self, tenant: &TenantId, version: &str, progress: Progress) {
        lock(&self.progress).insert(tenant.clone(), (version.to_owned(), progress));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
