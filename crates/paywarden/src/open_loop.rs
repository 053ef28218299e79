//! Load on a fixed schedule, whatever the server does.
//!
//! Request `n` is due at `start + n / rate` and its latency counts from then, not from when a
//! connection was free to send it: a server that stalls is charged for everything that had to
//! wait (no coordinated omission). A thread of its own keeps the time, because the timers of the
//! asynchronous runtime only tick every millisecond.

use crate::{
    child::{ServerChild, cpu_us},
    client::{Client, Connection, Reply, ReplyKeys},
    drive::Verdict,
    failure::Result,
    latency::Latencies,
    mapping::Row,
    tally::{Judged, Tally},
};
use http::StatusCode;
use paywarden_store::Clock;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{sync::Semaphore, task::JoinSet};

/// Every so many replies, one is kept whole and its signature is checked.
const SAMPLE_EVERY: usize = 100;
/// Pause before the first request, so that every connection is open by then.
const LEAD: Duration = Duration::from_millis(200);

/// What to send and how fast.
pub struct Load {
    /// The payments, in the order in which they are due.
    pub rows: Vec<Row>,
    /// Payments per second.
    pub rate: f64,
    /// Connections, and so payments under way at once.
    pub connections: usize,
    /// The keys that replies must be signed with.
    pub reply_keys: ReplyKeys,
}

/// What came of it.
#[derive(Default)]
pub struct Loaded {
    /// Verdicts beside the truth.
    pub tally: Tally,
    /// From the scheduled time to having read the reply.
    pub latencies: Latencies,
    /// From the scheduled time to sending: how much of it the client's own side took.
    pub waits: Latencies,
    /// Identifiers of all decisions that were answered with 200.
    pub decided: Vec<String>,
    /// Some of these replies, whole.
    pub samples: Vec<(String, Reply)>,
    /// Replies among the samples that the server did not sign as it should.
    pub unsigned: u64,
    /// Refusals by stable code; `lost` for requests without a reply.
    pub refused: BTreeMap<String, u64>,
    /// From the first scheduled request to the last reply.
    pub elapsed: Duration,
    /// Processor time of this process per request.
    pub client_cpu_us: f64,
    /// Processor time of the server per request, if it is a child of this process.
    pub server_cpu_us: f64,
    /// The most memory that the server, a child of this process, ever held, in MB of 10^6 bytes.
    pub server_memory_mb: f64,
    /// How many different cards the payments named.
    pub cards: usize,
}

struct Shared {
    load: Load,
    start: Instant,
    /// One permit for each request that is due.
    due: Semaphore,
    next: AtomicUsize,
}

/// Sends the load and waits for the last reply.
pub async fn run(
    client: &Arc<Client>,
    server: Option<&ServerChild>,
    load: Load,
    mut observe: impl FnMut(usize),
) -> Result<Loaded> {
    let mut connections = Vec::with_capacity(load.connections);
    for _ in 0..load.connections {
        let mut connection = client.connection();
        connection.get("/healthz").await?;
        connections.push(connection);
    }
    let total = load.rows.len();
    let shared = Arc::new(Shared {
        load,
        start: Instant::now() + LEAD,
        due: Semaphore::new(0),
        next: AtomicUsize::new(0),
    });
    let workers: JoinSet<Loaded> = connections
        .into_iter()
        .map(|one| work(shared.clone(), one))
        .collect();
    let used = |server: &ServerChild| server.cpu_us();
    let before = (cpu_us("self")?, server.map(used).transpose()?);
    let pacer = shared.clone();
    std::thread::spawn(move || pacer.keep_time(total));
    let finished = workers.join_all();
    tokio::pin!(finished);
    let parts = loop {
        tokio::select! {
            parts = &mut finished => break parts,
            () = tokio::time::sleep(Duration::from_millis(200)) => {
                observe(shared.next.load(Ordering::Relaxed).min(total));
            }
        }
    };
    let mut loaded = Loaded::default();
    for part in parts {
        loaded.merge(part);
    }
    loaded.elapsed = shared.start.elapsed();
    let per_request = |after: u64, before: u64| (after - before) as f64 / total as f64;
    loaded.client_cpu_us = per_request(cpu_us("self")?, before.0);
    loaded.server_cpu_us = match (server.map(used).transpose()?, before.1) {
        (Some(after), Some(before)) => per_request(after, before),
        _ => f64::NAN,
    };
    let held = server.map(ServerChild::memory_bytes_max).transpose()?;
    loaded.server_memory_mb = held.map_or(f64::NAN, |bytes| bytes as f64 / 1e6);
    Ok(loaded)
}

impl Shared {
    fn keep_time(&self, total: usize) {
        for place in 0..total {
            let pause = self
                .scheduled(place)
                .saturating_duration_since(Instant::now());
            if !pause.is_zero() {
                std::thread::sleep(pause);
            }
            self.due.add_permits(1);
        }
        // One more for each worker, to tell it that nothing is left.
        self.due.add_permits(self.load.connections);
    }

    fn scheduled(&self, place: usize) -> Instant {
        self.start + Duration::from_secs_f64(place as f64 / self.load.rate)
    }
}

async fn work(shared: Arc<Shared>, mut connection: Connection) -> Loaded {
    let mut loaded = Loaded::default();
    while let Ok(permit) = shared.due.acquire().await {
        permit.forget();
        let place = shared.next.fetch_add(1, Ordering::Relaxed);
        let Some(row) = shared.load.rows.get(place) else {
            break;
        };
        let scheduled = shared.scheduled(place);
        loaded.waits.record(scheduled.elapsed().as_micros() as u64);
        let key = Some(row.id.as_str());
        let reply = connection
            .post("/v1/decisions", row.body.clone(), key)
            .await;
        loaded
            .latencies
            .record(scheduled.elapsed().as_micros() as u64);
        match reply {
            Ok(reply) => loaded.take(&shared.load, place, row, reply),
            Err(_) => *loaded.refused.entry("lost".to_owned()).or_default() += 1,
        }
    }
    loaded
}

impl Loaded {
    fn take(&mut self, load: &Load, place: usize, row: &Row, reply: Reply) {
        if reply.status != StatusCode::OK {
            *self.refused.entry(reply.code()).or_default() += 1;
            return;
        }
        let Ok(verdict) = Verdict::read(&reply) else {
            *self.refused.entry("unreadable".to_owned()).or_default() += 1;
            return;
        };
        self.tally.add(Judged {
            outcome: verdict.outcome,
            fraud: row.fraud,
            scenario: row.scenario.as_deref(),
            amount_minor: row.amount_minor,
            fired: &verdict.fired,
            partial: verdict.partial,
            laundering_score: verdict.laundering_score,
        });
        if place.is_multiple_of(SAMPLE_EVERY) {
            let now_s = Clock::System.now().seconds();
            self.unsigned += u64::from(reply.verify(&load.reply_keys, now_s).is_err());
            self.samples.push((verdict.decision.clone(), reply));
        }
        self.decided.push(verdict.decision);
    }

    fn merge(&mut self, other: Self) {
        self.tally.merge(other.tally);
        self.latencies.merge(&other.latencies);
        self.waits.merge(&other.waits);
        self.decided.extend(other.decided);
        self.samples.extend(other.samples);
        self.unsigned += other.unsigned;
        for (code, count) in other.refused {
            *self.refused.entry(code).or_default() += count;
        }
    }
}
