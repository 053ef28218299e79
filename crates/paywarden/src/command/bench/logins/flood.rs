//! Sign-in attempts at a fixed rate: wrong passwords, many names, many networks.
//!
//! Whoever floods a server has machines of their own. Here they share the server's processors, so
//! their thread runs only when nobody else wants to.

use crate::{
    client::{Caller, Client, Connection, Protocol, Reply},
    failure::{Failure, Result},
};
use bytes::Bytes;
use http::HeaderValue;
use paywarden_access::give_way;
use serde_json::json;
use std::{
    collections::BTreeMap,
    net::Ipv4Addr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::Semaphore,
    task::JoinSet,
};

/// Names beside those of accounts that exist: as many as somebody would try from a list.
const STRANGERS: u64 = 10_000;

/// Where attempts come from, and whom they try.
pub(super) struct Flood {
    client: Arc<Client>,
    rate: u32,
    networks: u16,
    names: Vec<String>,
    /// The number of the next attempt, over all rounds.
    next: Arc<AtomicU64>,
    machine: Option<Runtime>,
}

/// Attempts under way. They end when they are told to.
pub(super) struct Flooding {
    due: Arc<Semaphore>,
    stopped: Arc<AtomicBool>,
    workers: JoinSet<Attempts>,
    started: Instant,
}

/// What attempts came to, by code; `let_in` for those that opened a session.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Attempts {
    pub(super) answers: BTreeMap<String, u64>,
    pub(super) elapsed: Duration,
}

impl Attempts {
    pub(super) fn count(&self, code: &str) -> u64 {
        self.answers.get(code).copied().unwrap_or(0)
    }

    pub(super) fn total(&self) -> u64 {
        self.answers.values().sum()
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (code, count) in other.answers {
            *self.answers.entry(code).or_default() += count;
        }
        self.elapsed += other.elapsed;
    }

    fn take(&mut self, reply: Result<Reply>) {
        let code = match reply {
            Ok(reply) if reply.status.is_success() => "let_in".to_owned(),
            Ok(reply) => reply.code(),
            Err(_) => "lost".to_owned(),
        };
        *self.answers.entry(code).or_default() += 1;
    }
}

impl Flood {
    /// Attempts on the server at `url`, `rate` a second, each network with a connection of its own.
    /// Every other one tries one of `names`, the rest try names that nobody has.
    pub(super) fn new(
        (url, ca_pem): (&str, &Path),
        (rate, networks): (u32, u16),
        names: Vec<String>,
    ) -> Result<Self> {
        // A browser names the page's origin; unless set, it is `localhost` at the server's port.
        let port = url.rsplit(':').next().unwrap_or_default();
        let origin = HeaderValue::try_from(format!("https://localhost:{port}"));
        let bug = "report this as a bug";
        let origin = origin.map_err(|error| Failure::environment(error, bug))?;
        let machine = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .on_thread_start(give_way)
            .build();
        Ok(Self {
            machine: Some(machine.map_err(|error| Failure::environment(error, bug))?),
            client: Client::new(url, ca_pem, Caller::Page(origin), Protocol::Http1)?,
            rate,
            networks,
            names,
            next: Arc::default(),
        })
    }

    /// Opens every connection, then begins.
    pub(super) async fn begin(&self) -> Result<Flooding> {
        let machine = self
            .machine
            .as_ref()
            .map_or_else(Handle::current, |own| own.handle().clone());
        let opening = machine.spawn(open(Arc::clone(&self.client), self.networks));
        let connections = opening
            .await
            .map_err(|error| Failure::environment(error, "report this as a bug"))??;
        let due = Arc::new(Semaphore::new(0));
        let stopped = Arc::new(AtomicBool::new(false));
        let names: Arc<[String]> = self.names.clone().into();
        let mut workers = JoinSet::new();
        for connection in connections {
            let (due, stopped) = (Arc::clone(&due), Arc::clone(&stopped));
            let whom = (Arc::clone(&names), Arc::clone(&self.next));
            workers.spawn_on(work(connection, due, stopped, whom), &machine);
        }
        let (pace, until) = (Arc::clone(&due), Arc::clone(&stopped));
        let pause = Duration::from_secs_f64(1.0 / f64::from(self.rate));
        let ticking = async move {
            let mut ticks = tokio::time::interval(pause);
            while !until.load(Ordering::Relaxed) {
                ticks.tick().await;
                pace.add_permits(1);
            }
            Attempts::default()
        };
        workers.spawn_on(ticking, &machine);
        Ok(Flooding {
            due,
            stopped,
            workers,
            started: Instant::now(),
        })
    }
}

impl Drop for Flood {
    /// A runtime that ends within another must not wait for its threads.
    fn drop(&mut self) {
        if let Some(machine) = self.machine.take() {
            machine.shutdown_background();
        }
    }
}

/// A connection of each network.
async fn open(client: Arc<Client>, networks: u16) -> Result<Vec<Connection>> {
    let mut connections = Vec::with_capacity(usize::from(networks));
    for network in 0..networks {
        // Each 127.x.y.1 is a network of its own to whoever counts by /24.
        let [x, y] = network.to_be_bytes();
        let mut connection = client.connection_from(Ipv4Addr::new(127, x + 1, y, 1).into());
        connection.get("/healthz").await?;
        connections.push(connection);
    }
    Ok(connections)
}

impl Flooding {
    /// Stops, and waits for the answers to what was sent.
    pub(super) async fn end(self) -> Attempts {
        self.stopped.store(true, Ordering::Relaxed);
        let elapsed = self.started.elapsed();
        self.due.close();
        let mut all = Attempts::default();
        for part in self.workers.join_all().await {
            all.merge(part);
        }
        Attempts { elapsed, ..all }
    }
}

async fn work(
    mut connection: Connection,
    due: Arc<Semaphore>,
    stopped: Arc<AtomicBool>,
    (names, next): (Arc<[String]>, Arc<AtomicU64>),
) -> Attempts {
    let mut attempts = Attempts::default();
    while let Ok(permit) = due.acquire().await {
        permit.forget();
        if stopped.load(Ordering::Relaxed) {
            break;
        }
        let number = next.fetch_add(1, Ordering::Relaxed);
        let body = json!({
            "login": name(number, &names),
            "password": format!("wrong password {number}"),
            "code": "000000",
        });
        let body = Bytes::from(body.to_string());
        attempts.take(connection.post("/v1/session/password", body, None).await);
    }
    attempts
}

/// Whom an attempt tries.
fn name(number: u64, names: &[String]) -> String {
    let place = usize::try_from(number / 2).unwrap_or(0) % names.len().max(1);
    match (number % 2, names.get(place)) {
        (0, Some(name)) => name.clone(),
        _ => format!("stranger{}@example.com", number % STRANGERS),
    }
}
