//! Back-tests that run or wait: how many at once, and how far each is. What ended is in the store.

use super::{Backtest, BacktestState, Progress, Report};
use crate::Error;
use paywarden_domain::{TenantId, Timestamp};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Back-tests that run at once, over all tenants: each holds the windows of one tenant.
const RUNNING_MAX: usize = 1;
/// Back-tests of one tenant that run or wait.
const UNFINISHED_MAX: usize = 4;

/// The back-tests of all tenants that have not ended.
pub(crate) struct Jobs {
    tenants: Mutex<HashMap<TenantId, Vec<Job>>>,
    running: Semaphore,
}

/// One back-test: shared by who runs it and who asks.
pub(crate) type Job = Arc<Mutex<Backtest>>;

impl Default for Jobs {
    fn default() -> Self {
        Self {
            tenants: Mutex::default(),
            running: Semaphore::new(RUNNING_MAX),
        }
    }
}

impl Jobs {
    /// Takes a back-test in, waiting. Error: [`Error::BacktestLimit`].
    pub(crate) fn ask(
        &self,
        tenant: &TenantId,
        id: String,
        rule_set: &str,
        asked_at: Timestamp,
    ) -> Result<Job, Error> {
        let mut tenants = lock(&self.tenants);
        let jobs = tenants.entry(tenant.clone()).or_default();
        if jobs.len() >= UNFINISHED_MAX {
            return Err(Error::BacktestLimit);
        }
        let waiting = BacktestState::Waiting;
        let asked = Backtest::new(id, rule_set.to_owned(), asked_at, waiting);
        let job = Arc::new(Mutex::new(asked));
        jobs.push(Arc::clone(&job));
        Ok(job)
    }

    /// The turn to run; it ends when it is dropped.
    pub(crate) async fn turn(&self) -> Result<SemaphorePermit<'_>, Error> {
        let turn = self.running.acquire().await;
        turn.map_err(|_| Error::BacktestLimit)
    }

    /// One back-test of a tenant, if it has not ended.
    pub(crate) fn find(&self, tenant: &TenantId, id: &str) -> Option<Backtest> {
        let tenants = lock(&self.tenants);
        let mut jobs = tenants.get(tenant)?.iter().map(|job| lock(job));
        jobs.find(|job| job.id == id).map(|job| job.clone())
    }

    /// Lets a back-test go that has ended.
    pub(crate) fn leave(&self, tenant: &TenantId, id: &str) {
        let mut tenants = lock(&self.tenants);
        if let Some(jobs) = tenants.get_mut(tenant) {
            jobs.retain(|job| lock(job).id != id);
            if jobs.is_empty() {
                tenants.remove(tenant);
            }
        }
    }
}

impl Backtest {
    /// Notes how far it is.
    pub(crate) fn note(&mut self, progress: Progress) {
        self.state = BacktestState::Running;
        self.events_done = progress.done;
        self.events_total = progress.total;
    }

    /// How it stands once it has ended so.
    pub(crate) fn ended(mut self, ended: Result<Report, Error>) -> Self {
        match ended {
            Ok(report) => {
                self.state = BacktestState::Done;
                self.report = Some(report);
            }
            Err(error) => {
                self.state = BacktestState::Failed;
                self.error = Some(error.code().into());
                self.detail = Some(error.to_string());
            }
        }
        self
    }
}

/// The content, also after a panic of another holder: no change leaves it half done.
pub(crate) fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_has_so_many_at_once_and_others_do_not_see_them() {
        let jobs = Jobs::default();
        let acme = TenantId::parse("acme").unwrap();
        let other = TenantId::parse("other").unwrap();
        let now = Timestamp::from_micros(0);
        let ask = |number: usize| jobs.ask(&acme, format!("bt_{number}"), "v", now);
        for number in 0..UNFINISHED_MAX {
            ask(number).unwrap();
        }
        assert_eq!(ask(99).unwrap_err(), Error::BacktestLimit);
        assert!(jobs.ask(&other, "bt_x".into(), "v", now).is_ok());
        assert_eq!(jobs.find(&other, "bt_0"), None);
        jobs.leave(&other, "bt_0");
        let waiting = jobs.find(&acme, "bt_0").unwrap();
        assert_eq!(waiting.state, BacktestState::Waiting);
        jobs.leave(&acme, "bt_0");
        assert_eq!(jobs.find(&acme, "bt_0"), None);
        assert!(ask(99).is_ok());
    }
}
