//! The journal: the only way to write.
//!
//! Callers put entries into a bounded queue. One writer takes whatever is queued, writes it in
//! one transaction and answers everybody when `COMMIT` has returned. There is no timer: a quiet
//! system commits each entry at once, a busy one commits hundreds together.

mod batch;
mod duplicates;
mod vault;
mod vault_pages;
mod work;
mod writer;

use crate::{
    Clock, Database, Entry, Error, OutboxItem, acts, backtests, deliveries, mentions, nodes,
    outbox,
    trail::{self, Digester, Hash},
};
use paywarden_domain::DecisionId;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    task::JoinHandle,
};
use writer::Writer;

/// Limits of a journal.
#[derive(Debug, Clone, Copy)]
pub struct JournalLimits {
    /// Entries that may wait; one more is refused with [`Error::Overloaded`].
    pub queue_max: usize,
    /// Bytes of entries that may wait or be under way; more are refused likewise.
    pub queue_bytes_max: usize,
    /// Entries of one transaction.
    pub batch_max: usize,
    /// How long one transaction may take before it is given up.
    pub commit_ms_max: u64,
}

impl Default for JournalLimits {
    fn default() -> Self {
        Self {
            queue_max: 8_192,
            queue_bytes_max: 64 * 1024 * 1024,
            batch_max: 512,
            commit_ms_max: 10_000,
        }
    }
}

impl JournalLimits {
    /// A queue or a batch of nothing would never move.
    fn at_least_one(self) -> Self {
        Self {
            queue_max: self.queue_max.clamp(1, Semaphore::MAX_PERMITS),
            batch_max: self.batch_max.max(1),
            queue_bytes_max: self.queue_bytes_max.min(Semaphore::MAX_PERMITS),
            ..self
        }
    }
}

/// What became of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// It is durable.
    Written {
        /// Number of its leaf over the trees of all tenants, from 1.
        seq: i64,
        /// Number of its last label, if it has labels.
        label_seq: Option<i64>,
        /// Whether a sealed value of it was left out, because there was the same already.
        known_records: bool,
    },
    /// One of its decisions exists already. Nothing of the entry was written, no leaf either.
    Duplicate {
        /// The event of the decision that exists.
        event_no: i64,
        /// The decision that exists.
        id: DecisionId,
        /// What its idempotency key stood for.
        fingerprint: Option<[u8; 32]>,
        /// Whether it was made with the same idempotency key; if not, with another key but for
        /// the same payment.
        same_idempotency_key: bool,
    },
}

/// The way to the writer. Clones share it.
#[derive(Debug, Clone)]
pub struct Journal {
    jobs: mpsc::Sender<Job>,
    bytes_free: Arc<Semaphore>,
    queue_max: usize,
    queue_bytes_max: usize,
    digester: Digester,
    clock: Clock,
    writer: Arc<Mutex<Option<JoinHandle<()>>>>,
}

/// What the writer is asked to do.
pub(crate) enum Job {
    Append(Pending),
    Outbox(outbox::Command),
    Deliver(deliveries::Command),
    Backtest(backtests::Command),
    Mentions(mentions::Command),
    Beat(nodes::Beat),
    Trail(trail::Command),
    Mark(acts::Mark),
    Close,
}

/// An entry and whoever waits for it.
pub(crate) struct Pending {
    entry: Entry,
    /// Digest of each row, computed by whoever appends, not by the one writer.
    digests: Vec<Hash>,
    bytes: OwnedSemaphorePermit,
    reply: oneshot::Sender<Result<Appended, Error>>,
}

impl Journal {
    /// Starts the one writer of a database; a second start fails with [`Error::Locked`].
    pub async fn start(
        database: &Database,
        clock: Clock,
        limits: JournalLimits,
    ) -> Result<Self, Error> {
        let limits = limits.at_least_one();
        let (jobs, queue) = mpsc::channel(limits.queue_max);
        let writer = Writer::start(database.clone(), clock.clone(), limits, queue).await?;
        let digester = writer.digester();
        Ok(Self {
            jobs,
            bytes_free: Arc::new(Semaphore::new(limits.queue_bytes_max)),
            queue_max: limits.queue_max,
            queue_bytes_max: limits.queue_bytes_max,
            digester,
            clock,
            writer: Arc::new(Mutex::new(Some(tokio::spawn(writer.run())))),
        })
    }

    /// Writes an entry; resolves when it is durable. Dropping the future does not take it back.
    ///
    /// A full queue is [`Error::Overloaded`] at once, a failed commit [`Error::Unavailable`] with
    /// nothing written, and a decision that exists already [`Appended::Duplicate`].
    pub async fn append(&self, mut entry: Entry) -> Result<Appended, Error> {
        let size = entry.check()?;
        if size > self.queue_bytes_max {
            return Err(Error::invalid("the entry is larger than the queue"));
        }
        let size = u32::try_from(size).map_err(|_| Error::Overloaded)?;
        let place = self.jobs.try_reserve().map_err(refusal)?;
        let bytes = self.bytes_free.clone().try_acquire_many_owned(size);
        let bytes = bytes.map_err(|_| Error::Overloaded)?;
        entry.rows.extend(entry.reason(&self.clock));
        let digests = entry.rows.iter().map(|row| row.digest(&self.digester));
        let digests = digests.collect();
        let (reply, answer) = oneshot::channel();
        place.send(Job::Append(Pending {
            entry,
            digests,
            bytes,
            reply,
        }));
        answer.await.unwrap_or_else(|_| Err(writer_gone()))
    }

    /// Takes up to `limit` (at most 256) of the oldest leaves that nobody holds, for `lease_us`
    /// microseconds. Leaves that are not acknowledged by then are handed out again.
    ///
    /// Every leaf is handed out to one consumer; several consumers share the work.
    pub async fn outbox_claim(
        &self,
        consumer: &str,
        limit: u32,
        lease_us: i64,
    ) -> Result<Vec<OutboxItem>, Error> {
        outbox::check(consumer, limit as usize)?;
        let work = outbox::Work::Claim { limit, lease_us };
        Ok(self.outbox(consumer, work).await?.claimed)
    }

    /// Strikes leaves that `consumer` holds and has handled (at most 256) off the outbox; how
    /// many those were.
    pub async fn outbox_ack(&self, consumer: &str, seqs: &[i64]) -> Result<u64, Error> {
        outbox::check(consumer, seqs.len())?;
        let work = outbox::Work::Acknowledge {
            seqs: seqs.to_vec(),
        };
        Ok(self.outbox(consumer, work).await?.acknowledged)
    }

    /// Remembers that a reader has handled every act up to this one. It never goes back.
    pub async fn mark(&self, reader: &'static str, seq: i64) -> Result<(), Error> {
        self.ask(|reply| Job::Mark(acts::Mark { reader, seq, reply }))
            .await
    }

    /// How many entries wait.
    pub fn queued(&self) -> usize {
        self.queue_max - self.jobs.capacity()
    }

    /// How many may wait.
    pub fn queue_max(&self) -> usize {
        self.queue_max
    }

    /// Writes what is queued and ends the writer. Later appends get [`Error::Closed`].
    pub async fn close(&self) {
        let writer = self
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(writer) = writer {
            let _ = self.jobs.send(Job::Close).await;
            let _ = writer.await;
        }
    }

    /// Stores something about the trail itself: a checkpoint, a cosignature, a key.
    pub(crate) async fn trail(&self, work: trail::Work) -> Result<trail::Done, Error> {
        self.ask(|reply| Job::Trail(trail::Command { work, reply }))
            .await
    }

    pub(crate) async fn deliver(&self, work: deliveries::Work) -> Result<u64, Error> {
        self.ask(|reply| Job::Deliver(deliveries::Command { work, reply }))
            .await
    }

    /// Hands a job that is no entry to the writer; resolves when it is done.
    pub(crate) async fn ask<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Job,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        let place = self.jobs.try_reserve().map_err(refusal)?;
        place.send(job(reply));
        answer.await.unwrap_or_else(|_| Err(writer_gone()))
    }

    async fn outbox(&self, consumer: &str, work: outbox::Work) -> Result<outbox::Done, Error> {
        let consumer = consumer.to_owned();
        self.ask(|reply| {
            Job::Outbox(outbox::Command {
                consumer,
                work,
                reply,
            })
        })
        .await
    }
}

fn refusal(error: mpsc::error::TrySendError<()>) -> Error {
    match error {
        mpsc::error::TrySendError::Full(()) => Error::Overloaded,
        mpsc::error::TrySendError::Closed(()) => Error::Closed,
    }
}

fn writer_gone() -> Error {
    Error::Unresolved {
        reason: "the writer ended".into(),
    }
}
