//! Many names in the background: how many at once, how far each batch is, what was found.
//!
//! A batch is a record with versions: with each step of it the next version and what was found in
//! the step are one entry of the journal, so that a restart finds how far it came. The names
//! themselves are kept nowhere: whoever has sent them sends those again that were not screened.

use super::{Holding, ListKind, Question, ScreenedBy, blocking, import, rounded};
use crate::{Engine, Error};
use paywarden_access::approval::Who;
use paywarden_crypto::keyring::{Keyring, PreparedSeal};
use paywarden_domain::{TenantId, Timestamp};
use paywarden_store::{Entry, Purpose, RecordRow, Row};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeSet, HashMap},
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
/// Names between two entries of the journal.
const STEP: usize = 500;
/// What kind of record a batch is, and what was found in a stretch of it.
const RECORD: &str = "screening_batch";
const PART: &str = "screening_batch_part";
/// Results that are sealed together take so many bytes at most; one alone is far below.
const PART_BYTES: usize = 48 * 1024;
/// Parts that are read at once.
const PARTS: u32 = 8;
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BatchState {
    /// Others run.
    Waiting,
    /// It runs.
    Running,
    /// Every name was screened, and that is in the trail.
    Done,
    /// It could not be finished: `done` names were screened, in their order. Send the others again.
    Failed,
    /// The server was stopped before it was done: `done` names were screened, in their order. Send
    /// the others again.
    Interrupted,
}

/// A name of a batch with hits, or that cannot be screened. Names without hits are left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
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
    /// Those that run or wait in this process.
    unfinished: Mutex<HashMap<TenantId, BTreeSet<String>>>,
    running: Semaphore,
    seal: PreparedSeal,
}

/// A batch under way.
struct Run {
    engine: Arc<Engine>,
    who: Who,
    ground: String,
    batch: Batch,
    version: i64,
    _place: Unfinished,
}

/// The place of a batch among the unfinished ones.
struct Unfinished {
    engine: Arc<Engine>,
    tenant: TenantId,
    id: String,
}

impl Batches {
    pub(super) fn new(keyring: &Keyring) -> Result<Self, paywarden_crypto::Error> {
        Ok(Self {
            unfinished: Mutex::default(),
            running: Semaphore::new(RUNNING_MAX),
            seal: keyring.seal_for("screening batch")?,
        })
    }

    fn is_unfinished(&self, tenant: &TenantId, id: &str) -> bool {
        let unfinished = lock(&self.unfinished);
        unfinished.get(tenant).is_some_and(|ids| ids.contains(id))
    }
}

impl Unfinished {
    fn new(engine: &Arc<Engine>, tenant: &TenantId, id: &str) -> Result<Self, Error> {
        let mut unfinished = lock(&engine.screening.batches.unfinished);
        let own = unfinished.entry(tenant.clone()).or_default();
        if own.len() >= UNFINISHED_MAX {
            return Err(Error::ScreeningBusy);
        }
        own.insert(id.to_owned());
        Ok(Self {
            engine: Arc::clone(engine),
            tenant: tenant.clone(),
            id: id.to_owned(),
        })
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let mut unfinished = lock(&self.engine.screening.batches.unfinished);
        if let Some(own) = unfinished.get_mut(&self.tenant) {
            own.remove(&self.id);
        }
    }
}

impl Engine {
    /// Takes many names in and screens them as soon as no other batch runs. `ground` says why that
    /// is lawful. That it was asked for is durable when it returns.
    ///
    /// Errors: [`Error::ScreeningNoLists`], [`Error::ScreeningBusy`], [`Error::ScreeningLimit`].
    pub async fn start_screening_batch(
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
        let mut run = Run {
            _place: Unfinished::new(self, &who.tenant, &batch.id)?,
            engine: Arc::clone(self),
            who: who.clone(),
            ground,
            batch: batch.clone(),
            version: 0,
        };
        run.write("screening.batch_start", &[]).await?;
        tokio::spawn(run.finish(items.into(), threshold));
        Ok(batch)
    }

    /// How far a batch is, and its results after a place, at most `limit`. Error:
    /// [`Error::ScreeningBatchUnknown`].
    pub async fn screening_batch(
        &self,
        tenant: &TenantId,
        id: &str,
        after: Option<u32>,
        limit: usize,
    ) -> Result<(Batch, Vec<BatchResult>), Error> {
        // Asked before it is read: one that ends in between reads as ended.
        let is_unfinished = self.screening.batches.is_unfinished(tenant, id);
        let row = self.database.record(RECORD, id).await?;
        let row = row.filter(|row| row.tenant == *tenant);
        let row = row.ok_or(Error::ScreeningBatchUnknown)?;
        let mut batch: Batch =
            serde_json::from_slice(&row.body).map_err(|error| damaged(&row, &error))?;
        if !is_unfinished && matches!(batch.state, BatchState::Waiting | BatchState::Running) {
            batch.state = BatchState::Interrupted;
        }
        let (mut from, end) = (part_id(id, after), format!("{id}.~"));
        let mut results = Vec::new();
        while results.len() < limit {
            let between = (from.as_str(), end.as_str());
            let parts = self.database.records_between(tenant, PART, between, PARTS);
            let parts = parts.await?;
            let Some(last) = parts.last() else { break };
            from.clone_from(&last.id);
            for part in &parts {
                let found = self.screening.batches.opened(part)?;
                let later = |one: &BatchResult| after.is_none_or(|after| one.place > after);
                results.extend(found.into_iter().filter(later));
            }
        }
        results.truncate(limit);
        Ok((batch, results))
    }
}

impl Run {
    async fn finish(mut self, items: Arc<[BatchItem]>, threshold: f32) {
        let Err(error) = self.screen(&items, threshold).await else {
            return;
        };
        tracing::error!(%error, "screening batch not finished");
        self.batch.state = BatchState::Failed;
        if let Err(error) = self.write("screening.batch_fail", &[]).await {
            tracing::error!(%error, "failure of a screening batch not written");
        }
    }

    async fn screen(&mut self, items: &Arc<[BatchItem]>, threshold: f32) -> Result<(), Error> {
        let engine = Arc::clone(&self.engine);
        let turn = engine.screening.batches.running.acquire().await;
        let _turn = turn.map_err(|_| Error::ScreeningBusy)?;
        let holding = engine.lists_of(&self.who.tenant)?;
        self.batch.state = BatchState::Running;
        self.batch.lists = holding.versions();
        for from in (0..items.len()).step_by(STEP) {
            let step = (Arc::clone(items), Arc::clone(&holding));
            let found = blocking(move || screened(&step, from, threshold)).await?;
            let count = STEP.min(items.len() - from);
            self.count(count, &found);
            let is_last = from + count == items.len();
            let action = match is_last {
                true => "screening.batch",
                false => "screening.batch_step",
            };
            if is_last {
                self.batch.state = BatchState::Done;
            }
            self.write(action, &found).await?;
        }
        Ok(())
    }

    fn count(&mut self, names: usize, found: &[BatchResult]) {
        let refused = found.iter().filter(|one| one.refused.is_some()).count();
        let hits = found.len() - refused;
        let counts = &self.engine.screening.counts;
        counts.screened.fetch_add(names as u64, Ordering::Relaxed);
        counts.hits.fetch_add(hits as u64, Ordering::Relaxed);
        self.batch.done += names as u32;
        self.batch.refused += refused as u32;
        self.batch.hits += hits as u32;
    }

    /// Writes the next version, and what was found since the one before.
    async fn write(&mut self, action: &'static str, found: &[BatchResult]) -> Result<(), Error> {
        self.version += 1;
        let body = serde_json::to_vec(&self.batch);
        let body = body.map_err(|error| Error::RecordDamaged(error.to_string()))?;
        let mut rows = vec![self.row(RECORD, (&self.batch.id, self.version), body)];
        for part in parts(found)? {
            rows.push(self.sealed(&part)?);
        }
        let entry = Entry {
            purpose: Purpose::composed(format!("screening for {}", self.ground)),
            ..import::entry(&self.who, action, &self.batch.id, rows)
        };
        self.engine.journal.append(entry).await?;
        Ok(())
    }

    fn sealed(&self, part: &Part) -> Result<Row, Error> {
        let id = part_id(&self.batch.id, Some(part.last));
        let place = format!("{PART}/{id}/1");
        let seal = &self.engine.screening.batches.seal;
        let sealed = seal.seal(place.as_bytes(), &part.bytes);
        let sealed = sealed.map_err(|error| Error::RecordDamaged(error.to_string()))?;
        Ok(self.row(PART, (&id, 1), sealed))
    }

    fn row(&self, kind: &str, (id, version): (&str, i64), body: Vec<u8>) -> Row {
        Row::Record(RecordRow {
            tenant: self.who.tenant.clone(),
            kind: kind.to_owned(),
            id: id.to_owned(),
            version,
            written_at: self.engine.clock.now(),
            body,
        })
    }
}

impl Batches {
    fn opened(&self, part: &RecordRow) -> Result<Vec<BatchResult>, Error> {
        let clear = self.seal.open(part.record().as_bytes(), &part.body);
        let clear = clear.map_err(|error| damaged(part, &error))?;
        serde_json::from_slice(&clear).map_err(|error| damaged(part, &error))
    }
}

/// Results that are sealed together, named by the place of the last.
struct Part {
    last: u32,
    bytes: Vec<u8>,
}

fn parts(found: &[BatchResult]) -> Result<Vec<Part>, Error> {
    let mut parts: Vec<Part> = Vec::new();
    for one in found {
        let text = serde_json::to_vec(one);
        let text = text.map_err(|error| Error::RecordDamaged(error.to_string()))?;
        match parts.last_mut() {
            Some(part) if part.bytes.len() + text.len() < PART_BYTES => {
                part.bytes.push(b',');
                part.bytes.extend(text);
                part.last = one.place;
            }
            _ => parts.push(Part {
                last: one.place,
                bytes: [b"[", text.as_slice()].concat(),
            }),
        }
    }
    parts.iter_mut().for_each(|part| part.bytes.push(b']'));
    Ok(parts)
}

/// The part behind which results come after a place.
fn part_id(batch: &str, place: Option<u32>) -> String {
    match place {
        Some(place) => format!("{batch}.{place:06}"),
        None => format!("{batch}."),
    }
}

fn damaged(row: &RecordRow, error: &dyn std::fmt::Display) -> Error {
    Error::RecordDamaged(format!("{}: {error}", row.record()))
}

/// What is found of the names of one step. Blocks.
fn screened(
    (items, holding): &(Arc<[BatchItem]>, Arc<Holding>),
    from: usize,
    threshold: f32,
) -> Vec<BatchResult> {
    let step = items.iter().enumerate().skip(from).take(STEP);
    let told = step.filter_map(|(place, item)| {
        let hits = holding.hits(&item.question, threshold, |_| {});
        result(place as u32, item, hits)
    });
    told.collect()
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

/// The content, also after a panic of another holder: no change leaves it half done.
fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
