//! What one signed decision costs the server: CPU time per request, and latency, on loopback.
//!
//! `cargo run --release -p paywarden-server --example measure_door -- [requests] [connections]`
//!
//! Server and client run on threads of their own in one process; CPU time is read by thread from
//! the kernel, so what the client spends on signing is not counted to the server.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement"
)]

#[path = "../tests/api/support/mod.rs"]
mod support;

use http::Method;
use paywarden_crypto::SignatureAlgorithm::{self, Ed25519, HmacSha256};
use std::{
    fs,
    time::{Duration, Instant},
};
use support::{Client, Sent, Setup, Signer, World, payment, unique};
use tokio::runtime::{Builder, Runtime};

const CLIENT: &str = "measure-client";
const SERVER: &str = "measure-server";

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .map(|argument| argument.parse().unwrap());
    let requests: usize = arguments.next().unwrap_or(2_000);
    let connections: usize = arguments.next().unwrap_or(1);
    let server = runtime(SERVER);
    let client = runtime(CLIENT);
    let world = server.block_on(World::start(Setup {
        sandbox: true,
        ..Setup::default()
    }));
    println!("{requests} requests on each of {connections} connections, microseconds each");
    println!("call      signed by      protocol   CPU of door  CPU of store     p50     p99");
    for call in ["decide", "lists"] {
        for algorithm in [None, Some(HmacSha256), Some(Ed25519)] {
            for http2 in [false, true] {
                let credential = server.block_on(credential(&world, algorithm));
                let clients = client.block_on(connect(&world, connections, http2));
                let warm = Run {
                    call,
                    requests: requests / 10,
                    credential: &credential,
                };
                let clients = warm.measure(&client, clients).clients;
                let run = Run {
                    call,
                    requests,
                    credential: &credential,
                };
                let measured = run.measure(&client, clients);
                let signed_by = algorithm.map_or("nobody", SignatureAlgorithm::name);
                let protocol = if http2 { "h2" } else { "http/1.1" };
                let [p50, p99] = [0.5, 0.99].map(|share| measured.latency_us(share));
                let [door, store] = measured.server_cpu.map(|cpu| cpu.as_micros() as usize);
                let [door, store] = [door, store].map(|cpu| cpu / requests / connections);
                println!(
                    "{call:<9} {signed_by:<14} {protocol:<9} {door:>12} {store:>13} {p50:>7} {p99:>7}"
                );
            }
        }
    }
    server.block_on(world.server.shutdown());
}

enum Credential {
    Bearer(String),
    Signer(Signer),
}

async fn credential(world: &World, algorithm: Option<SignatureAlgorithm>) -> Credential {
    match algorithm {
        None => Credential::Bearer(format!("Bearer {}", world.bearer("acme").await)),
        Some(algorithm) => Credential::Signer(world.signer("acme", algorithm).await),
    }
}

async fn connect(world: &World, connections: usize, http2: bool) -> Vec<Client> {
    let mut clients = Vec::new();
    for _ in 0..connections {
        clients.push(world.client(http2).await);
    }
    clients
}

struct Run<'a> {
    call: &'static str,
    requests: usize,
    credential: &'a Credential,
}

struct Measured {
    clients: Vec<Client>,
    latencies: Vec<Duration>,
    server_cpu: [Duration; 2],
}

impl Measured {
    fn latency_us(&self, share: f64) -> u128 {
        self.latencies[(share * self.latencies.len() as f64) as usize].as_micros()
    }
}

impl Run<'_> {
    fn measure(&self, runtime: &Runtime, mut clients: Vec<Client>) -> Measured {
        // Made before the clock starts, so that the client's work stays out of the latencies.
        let prepared = clients
            .iter()
            .map(|client| self.prepare(client))
            .collect::<Vec<_>>();
        let before = server_cpu();
        let mut latencies = Vec::new();
        runtime.block_on(async {
            let mut tasks = Vec::new();
            for (mut client, requests) in clients.drain(..).zip(prepared) {
                tasks.push(tokio::spawn(async move {
                    let mut latencies = Vec::with_capacity(requests.len());
                    for sent in requests {
                        let start = Instant::now();
                        let answer = client.send(sent).await;
                        latencies.push(start.elapsed());
                        assert!(answer.status.is_success(), "{:?}", answer.json());
                    }
                    (client, latencies)
                }));
            }
            for task in tasks {
                let (client, of_client) = task.await.unwrap();
                clients.push(client);
                latencies.extend(of_client);
            }
        });
        latencies.sort();
        let after = server_cpu();
        let server_cpu = [after[0] - before[0], after[1] - before[1]];
        Measured {
            clients,
            latencies,
            server_cpu,
        }
    }

    fn prepare(&self, client: &Client) -> Vec<Sent> {
        let one = |_| {
            let mut sent = match self.call {
                "decide" => Sent::decision(&payment(&unique("p"))),
                _ => Sent::new(Method::GET, "/v1/lists", ""),
            };
            match self.credential {
                Credential::Bearer(text) => sent = sent.header("authorization", text),
                Credential::Signer(signer) => client.sign(signer, &mut sent),
            }
            sent
        };
        (0..self.requests).map(one).collect()
    }
}

fn runtime(name: &str) -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name(name)
        .enable_all()
        .build()
        .unwrap()
}

/// CPU time of the threads that serve, and of the other threads of the server: the store's. Not
/// counted are the client and the main thread, which prepares the requests.
fn server_cpu() -> [Duration; 2] {
    let mut spent = [Duration::ZERO; 2];
    for task in fs::read_dir("/proc/self/task").unwrap() {
        let path = task.unwrap().path();
        let name = fs::read_to_string(path.join("comm")).unwrap();
        let is_main = path.ends_with(std::process::id().to_string());
        if !is_main && !CLIENT.starts_with(name.trim()) {
            let times = fs::read_to_string(path.join("schedstat")).unwrap();
            let nanos = times.split(' ').next().unwrap().parse().unwrap();
            spent[usize::from(!SERVER.starts_with(name.trim()))] += Duration::from_nanos(nanos);
        }
    }
    spent
}
