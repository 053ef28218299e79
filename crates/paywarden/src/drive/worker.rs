//! One connection and the task that works on it: one job at a time, repeated while it must be.

use crate::{
    client::{Connection, Reply},
    failure::Result,
    mapping::{LateLabel, Row},
};
use bytes::Bytes;
use http::StatusCode;
use paywarden_domain::Outcome;
use serde::Deserialize;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// How often a request is repeated while the server says that it is busy.
const REPEATS_MAX: u64 = 600;
/// The pause before each repetition.
const REPEAT_PAUSE: Duration = Duration::from_millis(100);

/// What a worker does next.
pub(super) enum Job {
    /// Ask for a verdict.
    Decide(Row),
    /// Say what a payment turned out to be.
    Label(LateLabel),
}

/// What came of a job.
pub(super) struct Report {
    /// Which worker is idle again.
    pub(super) place: usize,
    /// How often the request was repeated.
    pub(super) repeats: u64,
    /// The result; an error is a lost server.
    pub(super) done: Result<Done>,
}

pub(super) enum Done {
    Decided {
        row: Row,
        latency_us: u64,
        verdict: Result<Verdict, Refusal>,
    },
    Labelled(Result<(), Refusal>),
}

/// A request that the server would not take.
pub(super) struct Refusal {
    pub(super) code: String,
    pub(super) detail: String,
}

/// What the figures need of a decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Identifier of the decision.
    pub decision: String,
    /// What to do with the payment.
    pub outcome: Outcome,
    /// The score of the laundering engine, 0 to 1000.
    pub laundering_score: u16,
    /// The live rules of both engines that fired.
    pub fired: Vec<String>,
    /// Whether the deadline cut the rules short.
    pub partial: bool,
}

#[derive(Deserialize)]
struct DecisionSeen {
    id: String,
    outcome: Outcome,
    fraud: EngineSeen,
    laundering: EngineSeen,
    deadline: DeadlineSeen,
}

#[derive(Deserialize)]
struct EngineSeen {
    score: u16,
    fired: Vec<FiredSeen>,
}

#[derive(Deserialize)]
struct FiredSeen {
    rule: String,
}

#[derive(Deserialize)]
struct DeadlineSeen {
    partial: bool,
}

impl Verdict {
    /// Reads what the figures need from a reply to `POST /v1/decisions`.
    pub fn read(reply: &Reply) -> Result<Self> {
        let seen: DecisionSeen = reply.json()?;
        let fired = seen.fraud.fired.into_iter().chain(seen.laundering.fired);
        Ok(Self {
            decision: seen.id,
            outcome: seen.outcome,
            laundering_score: seen.laundering.score,
            fired: fired.map(|fired| fired.rule).collect(),
            partial: seen.deadline.partial,
        })
    }
}

/// Starts a worker; it ends when its sender is dropped.
pub(super) fn start(
    place: usize,
    mut connection: Connection,
    reports: mpsc::Sender<Report>,
) -> mpsc::Sender<Job> {
    let (sender, mut jobs) = mpsc::channel(1);
    tokio::spawn(async move {
        while let Some(job) = jobs.recv().await {
            let (repeats, done) = match job {
                Job::Decide(row) => decide(&mut connection, row).await,
                Job::Label(label) => tell(&mut connection, label).await,
            };
            if reports
                .send(Report {
                    place,
                    repeats,
                    done,
                })
                .await
                .is_err()
            {
                return;
            }
        }
    });
    sender
}

async fn decide(connection: &mut Connection, row: Row) -> (u64, Result<Done>) {
    let key = Some(row.id.as_str());
    let (repeats, reply) = repeat(connection, "/v1/decisions", &row.body, key).await;
    let done = reply.and_then(|(reply, latency_us)| {
        let verdict = match reply.status {
            StatusCode::OK => Ok(Verdict::read(&reply)?),
            _ => Err(Refusal::of(&reply)),
        };
        Ok(Done::Decided {
            row,
            latency_us,
            verdict,
        })
    });
    (repeats, done)
}

async fn tell(connection: &mut Connection, label: LateLabel) -> (u64, Result<Done>) {
    let (repeats, reply) = repeat(connection, "/v1/labels", &label.body, None).await;
    let done = reply.map(|(reply, _)| {
        let taken = reply.status.is_success();
        Done::Labelled(if taken {
            Ok(())
        } else {
            Err(Refusal::of(&reply))
        })
    });
    (repeats, done)
}

/// Sends until the server has time for it. The latency is that of the last attempt.
async fn repeat(
    connection: &mut Connection,
    path: &str,
    body: &Bytes,
    key: Option<&str>,
) -> (u64, Result<(Reply, u64)>) {
    let mut repeats = 0;
    loop {
        let sent = Instant::now();
        let reply = connection.post(path, body.clone(), key).await;
        let latency_us = sent.elapsed().as_micros() as u64;
        match reply {
            Ok(reply) if repeats < REPEATS_MAX && is_busy(&reply) => repeats += 1,
            reply => return (repeats, reply.map(|reply| (reply, latency_us))),
        }
        tokio::time::sleep(REPEAT_PAUSE).await;
    }
}

fn is_busy(reply: &Reply) -> bool {
    matches!(
        reply.status,
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
    )
}

impl Refusal {
    fn of(reply: &Reply) -> Self {
        Self {
            code: reply.code(),
            detail: reply.refusal(),
        }
    }
}
