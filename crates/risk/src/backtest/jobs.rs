//! Back-tests that were asked for through the engine: how many at once, how far each is, what the
//! last ones found.
//!
//! Results live in memory: a restart forgets them, the steps of the versions that were tested
//! stay in the journal.

use super::{Progress, Report};
use crate::Error;
use paywarden_domain::{TenantId, Timestamp};
use serde::Serialize;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{Semaphore, SemaphorePermit};
use utoipa::ToSchema;

/// Back-tests that run at once, over all tenants: each holds the windows of one tenant.
const RUNNING_MAX: usize = 1;
/// Back-tests of one tenant that run or wait.
const UNFINISHED_MAX: usize = 4;
/// Back-tests of one tenant that are remembered, the unfinished ones among them.
const KEPT_MAX: usize = 12;

/// A back-test that was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Backtest {
    /// Its identifier.
    pub id: String,
    /// The version of the rules tested.
    pub rule_set: String,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// How it stands.
    pub state: BacktestState,
    /// Events lived through.
    pub events_done: u64,
    /// Events to live through; 0 while it waits.
    pub events_total: u64,
    /// The code of the error that ended it.
    pub error: Option<&'static str>,
    /// That error in words.
    pub detail: Option<String>,
    /// What it found.
    pub report: Option<Report>,
}

/// How a back-test stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BacktestState {
    /// Others run.
    Waiting,
    /// It runs.
    Running,
    /// The report is there.
    Done,
    /// An error ended it.
    Failed,
}

/// The back-tests of all tenants.
pub(crate) struct Jobs {
    tenants: Mutex<HashMap<TenantId, VecDeque<Job>>>,
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
        let unfinished = jobs.iter().filter(|job| !lock(job).state.is_final());
        if unfinished.count() >= UNFINISHED_MAX {
            return Err(Error::BacktestLimit);
        }
        while jobs.len() >= KEPT_MAX {
            let finished = jobs.iter().position(|job| lock(job).state.is_final());
            finished.and_then(|place| jobs.remove(place));
        }
        let job = Arc::new(Mutex::new(Backtest {
            id,
            rule_set: rule_set.to_owned(),
            asked_at,
            state: BacktestState::Waiting,
            events_done: 0,
            events_total: 0,
            error: None,
            detail: None,
            report: None,
        }));
        jobs.push_back(Arc::clone(&job));
        Ok(job)
    }

    /// The turn to run; it ends when it is dropped.
    pub(crate) async fn turn(&self) -> Result<SemaphorePermit<'_>, Error> {
        let turn = self.running.acquire().await;
        turn.map_err(|_| Error::BacktestLimit)
    }

    /// One back-test of a tenant. Error: [`Error::BacktestUnknown`].
    pub(crate) fn find(&self, tenant: &TenantId, id: &str) -> Result<Backtest, Error> {
        let tenants = lock(&self.tenants);
        let jobs = tenants.get(tenant).into_iter().flatten();
        let mut jobs = jobs.map(|job| lock(job));
        let found = jobs.find(|job| job.id == id);
        found.map(|job| job.clone()).ok_or(Error::BacktestUnknown)
    }
}

impl BacktestState {
    fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }
}

impl Backtest {
    /// Notes how far it is.
    pub(crate) fn note(&mut self, progress: Progress) {
        self.state = BacktestState::Running;
        self.events_done = progress.done;
        self.events_total = progress.total;
    }

    /// Notes how it ended.
    pub(crate) fn end(&mut self, ended: Result<Report, Error>) {
        match ended {
            Ok(report) => {
                self.state = BacktestState::Done;
                self.report = Some(report);
            }
            Err(error) => {
                self.state = BacktestState::Failed;
                self.error = Some(error.code());
                self.detail = Some(error.to_string());
            }
        }
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
    fn a_tenant_has_so_many_at_once_and_so_many_results() {
        let jobs = Jobs::default();
        let acme = TenantId::parse("acme").unwrap();
        let now = Timestamp::from_micros(0);
        let ask = |number: usize| jobs.ask(&acme, format!("bt_{number}"), "v", now);
        let first: Vec<Job> = (0..UNFINISHED_MAX).map(|n| ask(n).unwrap()).collect();
        assert_eq!(ask(99).unwrap_err(), Error::BacktestLimit);
        let other = TenantId::parse("other").unwrap();
        assert!(jobs.ask(&other, "bt_x".into(), "v", now).is_ok());
        assert_eq!(jobs.find(&other, "bt_0"), Err(Error::BacktestUnknown));
        for job in &first {
            lock(job).end(Err(Error::HistoryEmpty));
        }
        let found = jobs.find(&acme, "bt_0").unwrap();
        assert_eq!(
            (found.state, found.error),
            (BacktestState::Failed, Some("history_empty"))
        );
        for number in 10..40 {
            lock(&ask(number).unwrap()).end(Err(Error::HistoryEmpty));
        }
        assert_eq!(lock(&jobs.tenants)[&acme].len(), KEPT_MAX);
        assert_eq!(jobs.find(&acme, "bt_0"), Err(Error::BacktestUnknown));
        assert!(jobs.find(&acme, "bt_39").is_ok());
    }
}
