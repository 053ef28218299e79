//! Brings messages to endpoints. Each endpoint has a lane of its own, so that one that hangs holds
//! up nobody else, and within a lane few attempts go on at once: one after a failure.
//!
//! What is under way is known here alone: there is one writer, so one courier. A process that is
//! killed leaves its deliveries due.

mod attempt;

use crate::{Endpoint, Endpoints, Error, Feed, endpoint::State, schedule};
use attempt::{Answer, Outcome};
use paywarden_domain::{Timestamp, time::DAY};
use paywarden_outward::Client;
use paywarden_store::{
    AttemptRow, Attempted, Clock, Database, DeliveryRow, DeliveryState, Journal, REPLAYED_MAX,
};
use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{sync::Semaphore, task::JoinSet, time::sleep};

/// How often it is looked for what has become due, beside what was put down.
const LOOK: Duration = Duration::from_secs(1);
/// How often messages are counted, and old ones forgotten.
const TEND: Duration = Duration::from_secs(60);
/// How long a message is kept, to be sent again and looked at.
pub const KEPT_DAYS: i64 = 30;
/// Attempts at once to one endpoint.
pub const WIDTH: usize = 4;
/// Attempts at once to all of them.
const ATTEMPTS_MAX: usize = 256;
/// Deliveries that a lane takes up at a time.
const TAKEN_MAX: u32 = 64;
/// Attempts that are written down together at most.
const SETTLED_MAX: usize = 16;

/// What is counted, since the start.
#[derive(Debug, Default)]
pub struct Figures {
    delivered: AtomicU64,
    failed: AtomicU64,
    given_up: AtomicU64,
    waiting: AtomicI64,
}

impl Figures {
    /// Deliveries that arrived.
    pub fn delivered(&self) -> u64 {
        self.delivered.load(Relaxed)
    }

    /// Attempts that failed.
    pub fn failed(&self) -> u64 {
        self.failed.load(Relaxed)
    }

    /// Deliveries that were given up.
    pub fn given_up(&self) -> u64 {
        self.given_up.load(Relaxed)
    }

    /// Deliveries that waited when they were last counted.
    pub fn waiting(&self) -> i64 {
        self.waiting.load(Relaxed)
    }
}

/// Who brings messages. Clones share the work.
#[derive(Clone)]
pub struct Courier(Arc<Inner>);

struct Inner {
    database: Database,
    journal: Journal,
    clock: Clock,
    feed: Arc<Feed>,
    endpoints: Arc<Endpoints>,
    client: Client,
    places: Semaphore,
    figures: Arc<Figures>,
    /// Endpoints that failed last.
    failing: Mutex<HashSet<String>>,
}

impl Courier {
    /// A courier; nothing is sent before [`Courier::run`].
    pub fn new(
        (database, journal): (Database, Journal),
        clock: Clock,
        (feed, endpoints): (Arc<Feed>, Arc<Endpoints>),
        client: Client,
        figures: Arc<Figures>,
    ) -> Self {
        Self(Arc::new(Inner {
            database,
            journal,
            clock,
            feed,
            endpoints,
            client,
            places: Semaphore::new(ATTEMPTS_MAX),
            figures,
            failing: Mutex::default(),
        }))
    }

    /// Sends whatever is due, until it is dropped, and every attempt with it.
    pub async fn run(self) {
        let mut lanes: JoinSet<String> = JoinSet::new();
        let mut busy = HashSet::new();
        let mut tended = None::<u64>;
        loop {
            let now_us = self.0.clock.monotonic_us();
            let pause = u64::try_from(TEND.as_micros()).unwrap_or(u64::MAX);
            if tended.is_none_or(|at| now_us.saturating_sub(at) >= pause) {
                self.0.tend().await;
                tended = Some(now_us);
            }
            for endpoint in self.0.endpoints.enabled() {
                if !busy.contains(&endpoint.id) && self.0.has_due(&endpoint).await {
                    busy.insert(endpoint.id.clone());
                    let inner = Arc::clone(&self.0);
                    lanes.spawn(async move {
                        inner.lane(&endpoint).await;
                        endpoint.id.clone()
                    });
                }
            }
            tokio::select! {
                () = self.0.endpoints.wake.notified() => {}
                () = sleep(LOOK) => {}
                Some(ended) = lanes.join_next() => {
                    // A lane that panicked could be begun never again otherwise.
                    match ended {
                        Ok(id) => {
                            busy.remove(&id);
                        }
                        Err(error) => {
                            tracing::error!(%error, "lane of an endpoint broke off");
                            lanes.abort_all();
                            busy.clear();
                        }
                    }
                }
            }
        }
    }
}

impl Inner {
    async fn has_due(&self, endpoint: &Endpoint) -> bool {
        let due = self
            .database
            .deliveries_due(&endpoint.id, self.clock.now(), 1);
        match due.await {
            Ok(due) => !due.is_empty(),
            Err(error) => {
                tracing::warn!(%error, endpoint = endpoint.id, "deliveries not looked for");
                false
            }
        }
    }

    /// Sends what is due to one endpoint, until nothing is or the store fails.
    async fn lane(self: &Arc<Self>, endpoint: &Endpoint) {
        loop {
            match self.take_up(endpoint).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    tracing::warn!(%error, endpoint = endpoint.id, "deliveries not made");
                    return;
                }
            }
        }
    }

    /// Sends some of what is due; whether there was any.
    async fn take_up(self: &Arc<Self>, endpoint: &Endpoint) -> Result<bool, Error> {
        let endpoint = self.endpoints.find(&endpoint.tenant, &endpoint.id)?;
        if endpoint.state != State::Enabled {
            return Ok(false);
        }
        let now = self.clock.now();
        let due = self
            .database
            .deliveries_due(&endpoint.id, now, TAKEN_MAX)
            .await?;
        let any = !due.is_empty();
        let mut waiting = due.into_iter();
        let (mut under_way, mut done) = (JoinSet::new(), Vec::new());
        loop {
            while under_way.len() < self.width(&endpoint)
                && let Some(delivery) = waiting.next()
            {
                let (inner, endpoint) = (Arc::clone(self), Arc::clone(&endpoint));
                under_way.spawn(async move { inner.attempt(&endpoint, delivery).await });
            }
            let Some(attempted) = under_way.join_next().await else {
                break;
            };
            let (attempted, is_gone) =
                attempted.map_err(|error| Error::Damaged(error.to_string()))?;
            done.push(attempted);
            if is_gone {
                waiting.by_ref().for_each(drop);
                self.endpoints.is_gone(&endpoint).await?;
            }
            if done.len() >= SETTLED_MAX {
                self.journal
                    .settle_deliveries(std::mem::take(&mut done))
                    .await?;
            }
        }
        if !done.is_empty() {
            self.journal.settle_deliveries(done).await?;
        }
        Ok(any)
    }

    fn width(&self, endpoint: &Endpoint) -> usize {
        let failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        match failing.contains(&endpoint.id) {
            true => 1,
            false => WIDTH,
        }
    }

    /// Tries once; the attempt, and whether the receiver says that it is gone.
    async fn attempt(&self, endpoint: &Endpoint, delivery: DeliveryRow) -> (Attempted, bool) {
        let _place = self.places.acquire().await;
        let (tried_at, begun_us) = (self.clock.now(), self.clock.monotonic_us());
        let answer = self.send(endpoint, &delivery, tried_at).await;
        let took_us = self.clock.monotonic_us().saturating_sub(begun_us);
        let outcome = answer.outcome();
        self.note(endpoint, outcome);
        let settled = self.settled(delivery, &answer, tried_at);
        let (message, id) = (settled.message.as_str(), settled.endpoint.as_str());
        let failure = answer.failure.as_deref();
        tracing::debug!(
            endpoint = id,
            message,
            status = answer.status,
            failure,
            "attempt"
        );
        let attempt = AttemptRow {
            message: settled.message.clone(),
            endpoint: settled.endpoint.clone(),
            attempt_no: settled.attempts,
            tried_at,
            took_ms: i64::try_from(took_us / 1_000).unwrap_or(i64::MAX),
            status: answer.status,
            failure: answer.failure,
        };
        let delivery = settled;
        (Attempted { attempt, delivery }, outcome == Outcome::Gone)
    }

    async fn send(&self, endpoint: &Endpoint, delivery: &DeliveryRow, now: Timestamp) -> Answer {
        let message = self
            .database
            .message(&delivery.tenant, &delivery.message)
            .await;
        let body = match message {
            Ok(Some(message)) => self.feed.open(&message),
            Ok(None) => return Answer::hopeless("the message is not kept any more"),
            Err(error) => Err(error.into()),
        };
        let request =
            body.and_then(|body| attempt::request(endpoint, &delivery.message, now, body));
        match request {
            Ok(request) => Answer::of(self.client.send(request, self.endpoints.reach()).await, now),
            Err(error) => Answer::failed(error.to_string()),
        }
    }

    /// The delivery after an attempt.
    fn settled(&self, delivery: DeliveryRow, answer: &Answer, tried_at: Timestamp) -> DeliveryRow {
        let tries = delivery.tries + 1;
        let random = u64::from_le_bytes(self.clock.random());
        let next = schedule::next(tries, self.clock.now(), answer.asked, random);
        let (state, due_at) = match (answer.outcome(), next) {
            (Outcome::Arrived, _) => (DeliveryState::Delivered, None),
            (Outcome::Failed, Some(due)) => (DeliveryState::Waiting, Some(due)),
            // What was told to whoever is gone waits for them, should they come back.
            (Outcome::Gone, _) => (DeliveryState::Waiting, Some(tried_at)),
            (Outcome::Failed, None) | (Outcome::Hopeless, _) => {
                self.figures.given_up.fetch_add(1, Relaxed);
                (DeliveryState::GivenUp, None)
            }
        };
        DeliveryRow {
            state,
            attempts: delivery.attempts + 1,
            tries,
            due_at,
            last_at: Some(tried_at),
            last_status: answer.status,
            ..delivery
        }
    }

    fn note(&self, endpoint: &Endpoint, outcome: Outcome) {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Outcome::Arrived => {
                failing.remove(&endpoint.id);
                self.figures.delivered.fetch_add(1, Relaxed);
            }
            _ => {
                failing.insert(endpoint.id.clone());
                self.figures.failed.fetch_add(1, Relaxed);
            }
        }
    }

    /// Counts what waits, and forgets what is old.
    async fn tend(&self) {
        match self.database.deliveries_waiting().await {
            Ok(waiting) => self.figures.waiting.store(waiting, Relaxed),
            Err(error) => tracing::warn!(%error, "deliveries not counted"),
        }
        let before = self.clock.now().micros().saturating_sub(KEPT_DAYS * DAY);
        let before = Timestamp::from_micros(before);
        loop {
            match self.journal.forget_messages(before).await {
                Ok(forgotten) if forgotten >= u64::from(REPLAYED_MAX) => {}
                Ok(_) => return,
                Err(error) => {
                    tracing::warn!(%error, "old messages not forgotten");
                    return;
                }
            }
        }
    }
}
