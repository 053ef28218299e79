//! The dispatcher of the outbox: what was written to the trail, handed on to the parts of the
//! system that live by it.
//!
//! Leaves are claimed in the order in which they were written, handed to one subscriber after the
//! other, and struck off once each has durably taken them. Whatever stops in between, a failing
//! subscriber or the whole process, has the same leaves handed out again: a subscriber takes what
//! it has taken before without doing it twice.
//!
//! A subscriber that cannot take a leaf for good (it does not read back, say) logs that and takes
//! it: an error means that the same batch may be taken later, and holds up everything behind it.

use paywarden_server::Progress;
use paywarden_store::{Database, Error, Journal, OutboxItem};
use std::{fmt::Display, future::Future, pin::Pin, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

/// The most leaves of one batch: as many as the outbox gives at a time.
pub const BATCH: u32 = 256;
/// As whom leaves are claimed.
const CONSUMER: &str = "dispatcher";
/// The one process that writes has one dispatcher, which claims nothing before it has struck off
/// what it holds. What one before it held is therefore free at once.
const LEASE_US: i64 = 0;
/// How often it is looked for new leaves.
const LOOK: Duration = Duration::from_millis(200);
/// How often it is counted how many wait.
const COUNT: Duration = Duration::from_secs(1);
/// How long to wait before a batch is handed on again; twice as long before each time after it.
const DELAY_MIN: Duration = Duration::from_millis(200);
/// The longest wait between two attempts.
const DELAY_MAX: Duration = Duration::from_secs(30);

type Taken = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// Somebody who is handed every leaf, at least once and in order.
pub struct Subscriber {
    name: &'static str,
    take: Box<dyn Fn(Arc<[OutboxItem]>) -> Taken + Send + Sync>,
}

impl Subscriber {
    /// `take` resolves once everything of a batch is durably taken.
    pub fn new<F, T, E>(name: &'static str, take: F) -> Self
    where
        F: Fn(Arc<[OutboxItem]>) -> T + Send + Sync + 'static,
        T: Future<Output = Result<(), E>> + Send + 'static,
        E: Display,
    {
        let take = move |batch| {
            let taken = take(batch);
            let taken = async move { taken.await.map_err(|error| error.to_string()) };
            Box::pin(taken) as Taken
        };
        Self {
            name,
            take: Box::new(take),
        }
    }
}

/// Hands leaves on.
pub struct Dispatcher {
    database: Database,
    journal: Journal,
    subscribers: Vec<Subscriber>,
    progress: Arc<Progress>,
}

impl Dispatcher {
    /// Nothing is handed on before [`Dispatcher::run`]. Subscribers take turns as listed.
    pub fn new(
        (database, journal): (Database, Journal),
        subscribers: Vec<Subscriber>,
        progress: Arc<Progress>,
    ) -> Self {
        Self {
            database,
            journal,
            subscribers,
            progress,
        }
    }

    /// Hands on whatever comes, until it is dropped. A full batch is followed by the next at once.
    pub async fn run(self) {
        let mut counted = None::<Instant>;
        loop {
            if counted.is_none_or(|at| at.elapsed() >= COUNT) {
                self.count().await;
                counted = Some(Instant::now());
            }
            match self.round().await {
                Ok(handed) if handed >= BATCH as usize => {}
                Ok(_) => sleep(LOOK).await,
                Err(error) => {
                    tracing::warn!(%error, "outbox not read");
                    sleep(DELAY_MIN).await;
                }
            }
        }
    }

    /// Hands one batch on, however often that takes; how many leaves it had.
    pub async fn round(&self) -> Result<usize, Error> {
        let batch = self.journal.outbox_claim(CONSUMER, BATCH, LEASE_US).await?;
        if batch.is_empty() {
            return Ok(0);
        }
        let batch: Arc<[OutboxItem]> = batch.into();
        for subscriber in &self.subscribers {
            self.hand(subscriber, &batch).await;
        }
        let seqs: Vec<i64> = batch.iter().map(|item| item.seq).collect();
        self.journal.outbox_ack(CONSUMER, &seqs).await?;
        self.progress.hands(batch.len() as u64);
        Ok(batch.len())
    }

    async fn hand(&self, subscriber: &Subscriber, batch: &Arc<[OutboxItem]>) {
        let mut delay = DELAY_MIN;
        while let Err(error) = (subscriber.take)(Arc::clone(batch)).await {
            self.progress.fails();
            let first = batch.first().map_or(0, |item| item.seq);
            tracing::error!(
                subscriber = subscriber.name,
                first,
                error,
                "leaves not taken"
            );
            sleep(delay).await;
            delay = DELAY_MAX.min(delay * 2);
        }
    }

    async fn count(&self) {
        match self.database.outbox_depth().await {
            Ok(depth) => self.progress.waits(depth.unsigned_abs()),
            Err(error) => tracing::warn!(%error, "outbox not counted"),
        }
    }
}

#[cfg(test)]
mod tests;
