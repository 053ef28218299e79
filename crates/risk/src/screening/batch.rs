//! Many names in the background: how many at once, how far each batch is, what the last ones found.
//!
//! Results live in memory: a restart forgets them; how many names and hits a batch had stays in the
//! journal.

use super::{ListKind, Question, ScreenedBy, blocking, rounded};
use crate::{Engine, Error};
use paywarden_access::approval::Who;
use paywarden_domain::{TenantId, Timestamp};
use serde::Serialize;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
};
use tokio::sync::Semaphore;
use utoipa::ToSchema;

/// The most names of one batch.
pub const BATCH_NAMES_MAX: usize = 10_000;
/// Batches that run at once, over all tenants.
const RUNNING_MAX: usize = 1;
/// Batches of one tenant that run or wait.
const UNFINISHED_MAX: usize = 4;
/// Batches of one tenant that are remembered, the unfinished ones among them.
const KEPT_MAX: usize = 8;
/// Names between two notes of progress.
const STEP: usize = 50;
/// Parties that are told of for one name.
const MATCHES_MAX: usize = 3;

/// One name of a batch.
pub struct BatchItem {
    /// The caller's own word for it.
    pub reference: Option<String>,
    /// Whom to look for.
    pub question: Question,
}

/// A batch.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Batch {
    /// `scb_…`.
    pub id: String,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// How it stands.
    pub state: BatchState,
    /// Against which versions of which lists; empty while it waits.
    pub lists: Vec<ScreenedBy>,
    /// Scores from here on are hits, 0 to 1.
    pub threshold: f64,
    /// Names of the batch.
    pub total: u32,
    /// Names screened so far, those refused among them.
    pub done: u32,
    /// Names with hits so far.
    pub hits: u32,
    /// Names that cannot be screened: too long, or without letters.
    pub refused: u32,
}

/// How a batch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BatchState {
    /// Others run.
    Waiting,
    /// It runs.
    Running,
    /// Every name was screened, and that is in the trail.
    Done,
    /// It could not be finished; ask again.
    Failed,
}

/// A name of a batch with hits, or that cannot be screened. Names without hits are left out.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct BatchResult {
    /// Its place in the batch, from 0.
    pub place: u32,
    /// The caller's own word for it.
    pub reference: Option<String>,
    /// Why it cannot be screened.
    pub refused: Option<String>,
    /// Parties that it may be, the likeliest first, at most 3. `POST /v1/screenings` explains them.
    pub matches: Vec<BatchMatch>,
}

/// A party that a name may be.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct BatchMatch {
    /// The list.
    pub list: String,
    /// What being on it means.
    #[schema(value_type = String)]
    pub list_kind: ListKind,
    /// Its identifier within the list.
    pub entry: String,
    /// Its main name.
    pub name: Option<String>,
    /// The chance that it is the same, 0 to 1.
    pub score: f64,
}

/// The batches of all tenants.
pub(super) struct Batches {
    tenants: Mutex<HashMap<TenantId, VecDeque<Arc<Mutex<Job>>>>>,
    running: Semaphore,
}

/// One batch: shared by who runs it and who asks.
struct Job {
    batch: Batch,
    results: Vec<BatchResult>,
}

/// What is kept of a batch.
#[derive(Serialize)]
struct Evidence<'a> {
    lists: &'a [ScreenedBy],
    threshold: f64,
    names: u32,
    hits: u32,
    refused: u32,
}

impl Default for Batches {
    fn default() -> Self {
        Self {
            tenants: Mutex::default(),
            running: Semaphore::new(RUNNING_MAX),
        }
    }
}

impl Batches {
    fn ask(&self, tenant: &TenantId, batch: Batch) -> Result<Arc<Mutex<Job>>, Error> {
        let mut tenants = lock(&self.tenants);
        let jobs = tenants.entry(tenant.clone()).or_default();
        let unfinished = jobs.iter().filter(|job| !lock(job).batch.state.is_final());
        if unfinished.count() >= UNFINISHED_MAX {
            return Err(Error::ScreeningBusy);
        }
        while jobs.len() >= KEPT_MAX {
            let finished = jobs.iter().position(|job| lock(job).batch.state.is_final());
            finished.and_then(|place| jobs.remove(place));
        }
        let job = Arc::new(Mutex::new(Job {
            batch,
            results: Vec::new(),
        }));
        jobs.push_back(Arc::clone(&job));
        Ok(job)
    }

    fn find(&self, tenant: &TenantId, id: &str) -> Result<Arc<Mutex<Job>>, Error> {
        let tenants = lock(&self.tenants);
        let mut jobs = tenants.get(tenant).into_iter().flatten();
        let found = jobs.find(|job| lock(job).batch.id == id);
        found.cloned().ok_or(Error::ScreeningBatchUnknown)
    }
}

impl Engine {
    /// Takes many names in and screens them as soon as no other batch runs. `ground` says why that
    /// is lawful.
    ///
    /// Errors: [`Error::ScreeningNoLists`], [`Error::ScreeningBusy`], [`Error::ScreeningLimit`].
    pub fn start_screening_batch(
        self: &Arc<Self>,
        who: &Who,
        ground: String,
        items: Vec<BatchItem>,
        threshold: f32,
    ) -> Result<Batch, Error> {
        self.lists_of(&who.tenant)?;
        if items.is_empty() || items.len() > BATCH_NAMES_MAX {
            return Err(Error::ScreeningLimit("a batch has 1 to 10,000 names"));
        }
        let batch = Batch {
            id: self.screening_id("scb"),
            asked_at: self.clock.now(),
            state: BatchState::Waiting,
            lists: Vec::new(),
            threshold: rounded(threshold),
            total: items.len() as u32,
            done: 0,
            hits: 0,
            refused: 0,
        };
        let job = self.screening.batches.ask(&who.tenant, batch.clone())?;
        let (engine, who) = (Arc::clone(self), who.clone());
        tokio::spawn(async move {
            let ended = engine
                .run_batch(&who, &ground, items, threshold, &job)
                .await;
            if let Err(error) = &ended {
                tracing::error!(%error, "screening batch not finished");
            }
            lock(&job).batch.state = match ended {
                Ok(()) => BatchState::Done,
                Err(_) => BatchState::Failed,
            };
        });
        Ok(batch)
    }

    /// How far a batch is, and its results after a place, at most `limit`. Error:
    /// [`Error::ScreeningBatchUnknown`].
    pub fn screening_batch(
        &self,
        tenant: &TenantId,
        id: &str,
        after: Option<u32>,
        limit: usize,
    ) -> Result<(Batch, Vec<BatchResult>), Error> {
        let job = self.screening.batches.find(tenant, id)?;
        let job = lock(&job);
        // Nothing is shown before it is in the trail.
        if job.batch.state != BatchState::Done {
            return Ok((job.batch.clone(), Vec::new()));
        }
        let wanted = job
            .results
            .iter()
            .filter(|one| after.is_none_or(|after| one.place > after));
        Ok((job.batch.clone(), wanted.take(limit).cloned().collect()))
    }

    async fn run_batch(
        self: &Arc<Self>,
        who: &Who,
        ground: &str,
        items: Vec<BatchItem>,
        threshold: f32,
        job: &Arc<Mutex<Job>>,
    ) -> Result<(), Error> {
        let turn = self.screening.batches.running.acquire().await;
        let _turn = turn.map_err(|_| Error::ScreeningBusy)?;
        let holding = self.lists_of(&who.tenant)?;
        {
            let mut job = lock(job);
            job.batch.state = BatchState::Running;
            job.batch.lists = holding.versions();
        }
        let (engine, shared) = (Arc::clone(self), Arc::clone(job));
        blocking(move || {
            let mut from = 0;
            for chunk in items.chunks(STEP) {
                let results = chunk.iter().zip(from..).map(|(item, place)| {
                    result(place, item, holding.hits(&item.question, threshold, |_| {}))
                });
                let told: Vec<BatchResult> = results.flatten().collect();
                from += chunk.len() as u32;
                let refused = told.iter().filter(|one| one.refused.is_some()).count();
                let counts = &engine.screening.counts;
                counts
                    .screened
                    .fetch_add(chunk.len() as u64, Ordering::Relaxed);
                counts
                    .hits
                    .fetch_add((told.len() - refused) as u64, Ordering::Relaxed);
                let mut job = lock(&shared);
                job.batch.done = from;
                job.batch.refused += refused as u32;
                job.batch.hits += (told.len() - refused) as u32;
                job.results.extend(told);
            }
        })
        .await?;
        let batch = lock(job).batch.clone();
        let evidence = Evidence {
            lists: &batch.lists,
            threshold: batch.threshold,
            names: batch.total,
            hits: batch.hits,
            refused: batch.refused,
        };
        self.note_evidence(who, ("screening.batch", &batch.id), ground, &evidence)
            .await
    }
}

/// What is told of one name; nothing if nobody may be meant.
fn result(
    place: u32,
    item: &BatchItem,
    found: Result<Vec<super::ScreeningHit>, Error>,
) -> Option<BatchResult> {
    let (refused, hits) = match found {
        Ok(hits) if hits.is_empty() => return None,
        Ok(hits) => (None, hits),
        Err(error) => (Some(error.to_string()), Vec::new()),
    };
    let matched = |hit: super::ScreeningHit| BatchMatch {
        list: hit.list,
        list_kind: hit.list_kind,
        entry: hit.entry,
        name: hit.name,
        score: hit.score,
    };
    Some(BatchResult {
        place,
        reference: item.reference.clone(),
        refused,
        matches: hits.into_iter().take(MATCHES_MAX).map(matched).collect(),
    })
}

impl BatchState {
    fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }
}

/// The content, also after a panic of another holder: no change leaves it half done.
fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
