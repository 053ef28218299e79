//! From stored versions to compiled sets, and from a tenant's ledger to the sets that it has at work.

use super::{
    LoadedSet, Source,
    ledger::Ledger,
    running::{Line, Lineup},
    start::installation,
    state::State,
};
use crate::Error;
use paywarden_domain::TenantId;
use paywarden_rules::{Rates, RuleSet};
use paywarden_store::Database;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::Semaphore;

/// The rules of a stored version that a tenant may see: its own, or one of the library; for those
/// who read the journal beside a server. Error: [`Error::RuleSetUnknown`].
pub async fn stored_rules(
    database: &Database,
    rates: &Rates,
    tenant: &TenantId,
    version: &str,
) -> Result<RuleSet, Error> {
    let shelf = Shelf::new(database.clone(), rates.clone());
    shelf.rules_seen_by(tenant, version).await
}

/// Versions that are kept as they were read and compiled: people look at one for a while.
const KEPT_MAX: usize = 4;

/// What was made of versions, the last one first. A version never changes.
struct Kept<T>(Mutex<VecDeque<(TenantId, String, T)>>);

impl<T: Clone> Kept<T> {
    fn find(&self, tenant: &TenantId, version: &str) -> Option<T> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |(whose, known, _): &(TenantId, String, T)| whose == tenant && known == version;
        let found = all.iter().position(is_it)?;
        let one = all.remove(found)?;
        let made = one.2.clone();
        all.push_front(one);
        Some(made)
    }

    fn keep(&self, tenant: &TenantId, version: &str, made: &T) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push_front((tenant.clone(), version.to_owned(), made.clone()));
        all.truncate(KEPT_MAX);
    }
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// Where versions are taken from.
pub(crate) struct Shelf {
    sources: Kept<Arc<Source>>,
    compiled: Kept<RuleSet>,
    database: Database,
    rates: Rates,
    /// One rule set is compiled at a time: the other processors decide payments.
    compiling: Semaphore,
}

impl Shelf {
    pub(super) fn new(database: Database, rates: Rates) -> Self {
        Self {
            sources: Kept::default(),
            compiled: Kept::default(),
            database,
            rates,
            compiling: Semaphore::new(1),
        }
    }

    /// Compiles on a thread that decides nothing.
    pub(super) async fn compile<T: Send + 'static>(
        &self,
        with: impl FnOnce(&Rates) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let ended = |_| Error::RecordDamaged("a compilation ended early".to_owned());
        let _turn = self
            .compiling
            .acquire()
            .await
            .map_err(|_| Error::RuleSetBusy)?;
        let rates = self.rates.clone();
        tokio::task::spawn_blocking(move || with(&rates))
            .await
            .map_err(ended)?
    }

    /// The source of a stored version.
    pub(super) async fn source(
        &self,
        tenant: &TenantId,
        version: &str,
    ) -> Result<Arc<Source>, Error> {
        if let Some(source) = self.sources.find(tenant, version) {
            return Ok(source);
        }
        let row = self.database.rule_set(tenant, version).await?;
        let row = row.ok_or(Error::RuleSetUnknown)?;
        let source = Arc::new(self.compile(move |_| Source::read(&row.source)).await?);
        self.sources.keep(tenant, version, &source);
        Ok(source)
    }

    /// A stored version, compiled.
    pub(super) async fn rules(&self, tenant: &TenantId, version: &str) -> Result<RuleSet, Error> {
        if let Some(rules) = self.compiled.find(tenant, version) {
            return Ok(rules);
        }
        let source = self.source(tenant, version).await?;
        let name = version.to_owned();
        let rules = self.compile(move |rates| source.compile(rates, &name));
        let rules = rules.await?;
        self.compiled.keep(tenant, version, &rules);
        Ok(rules)
    }

    /// A stored version that a tenant may see, compiled: its own, or one of the library.
    pub(super) async fn rules_seen_by(
        &self,
        tenant: &TenantId,
        version: &str,
    ) -> Result<RuleSet, Error> {
        match self.rules(tenant, version).await {
            Err(Error::RuleSetUnknown) => self.rules(&installation()?, version).await,
            found => found,
        }
    }

    /// The sets of a tenant as its ledger has them; none if it has nothing of its own. A shadow
    /// that no longer compiles is left out, unless it is the one that is `asked` for.
    pub(super) async fn line(
        &self,
        lineup: &Lineup<Arc<LoadedSet>>,
        (tenant, ledger): (&TenantId, &Ledger),
        asked: Option<&str>,
    ) -> Result<Option<Line<Arc<LoadedSet>>>, Error> {
        let set = async |version: &str| match lineup.find(tenant, version) {
            Some(set) => Ok(Arc::clone(set)),
            None => Ok(Arc::new(LoadedSet::new(self.rules(tenant, version).await?))),
        };
        let mut line = match ledger.live() {
            Some(version) => Line::of(set(version).await?),
            None => Line::of(Arc::clone(&lineup.base)),
        };
        for (version, standing) in ledger.in_state(State::Canary) {
            line.canary = Some((set(version).await?, standing.share_bp.unwrap_or(0)));
        }
        for (version, _) in ledger.in_state(State::Shadow) {
            match set(version).await {
                Ok(set) => line.shadows.push(set),
                Err(error) if asked == Some(version) => return Err(error),
                Err(error) => tracing::warn!(%tenant, version, %error, "shadow left out"),
            }
        }
        let own = ledger.live().is_some() || line.canary.is_some() || !line.shadows.is_empty();
        Ok(own.then_some(line))
    }
}
