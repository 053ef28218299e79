//! Sends labelled payments through a server in the order in which life would.
//!
//! Many connections, yet the same decisions as one after the other: payments that share an entity
//! (customer, card, terminal, …) are sent one by one and in file order, and a label is sent after
//! every payment before the time at which it becomes known and before every payment from then on.
//! Windows are kept per entity, so nothing else could make the order matter. What remains is time
//! itself: a decision cut short by its deadline, which is counted.

mod order;
mod worker;

pub use worker::Verdict;

use crate::{
    client::Client,
    failure::{Failure, Result},
    figures::Figure,
    latency::Latencies,
    mapping::{LateLabel, Row},
    rows::Line,
    tally::{Judged, Tally},
};
use order::Order;
use paywarden_domain::{PaymentId, Timestamp};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::mpsc, time::timeout_at};
use worker::{Done, Job, Report};

/// How often the observer is told how things stand.
const OBSERVE_MS: u64 = 200;
/// How many bad or refused rows are described one by one.
const EXAMPLES_MAX: usize = 10;

/// How to send.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Connections, and so payments under way at once.
    pub connections: usize,
    /// Payments per second at most; none for as fast as the server answers.
    pub rate: Option<f64>,
    /// Payments before this time warm the windows up and are not counted in the figures.
    pub measure_from: Option<Timestamp>,
    /// Labels that are known by then are sent after the last payment.
    pub labels_until: Option<Timestamp>,
}

/// What has happened so far.
#[derive(Default)]
pub struct Driven {
    /// Verdicts beside the truth.
    pub tally: Tally,
    /// From sending a request to having read its reply.
    pub latencies: Latencies,
    /// Payments decided, warm-up included.
    pub decided: u64,
    /// Rows that could not be sent.
    pub rows_bad: u64,
    /// Refusals by stable code.
    pub refused: BTreeMap<String, u64>,
    /// Labels accepted.
    pub labels: u64,
    /// Attempts repeated because the server was busy.
    pub repeats: u64,
    /// The first bad and refused rows, in words.
    pub examples: Vec<String>,
    /// How long it has taken.
    pub elapsed: Duration,
}

impl Driven {
    /// Rows that got no verdict, bad ones included.
    pub fn unanswered(&self) -> u64 {
        self.rows_bad + self.refused.values().sum::<u64>()
    }

    /// Decisions per second since the start.
    pub fn decisions_per_second(&self) -> f64 {
        self.decided as f64 / self.elapsed.as_secs_f64()
    }

    /// The figures that `replay` and `demo` share.
    pub fn figures(&self) -> Vec<Figure> {
        let mut figures = vec![
            Figure::count("decisions", self.decided),
            Figure::new("decisions_per_second", self.decisions_per_second(), "1/s"),
        ];
        figures.extend(self.latencies.figures());
        figures.extend(self.tally.figures());
        figures.extend([
            Figure::count("decisions_measured", self.tally.decisions()),
            Figure::count("labels", self.labels),
            Figure::count("rows_bad", self.rows_bad),
            Figure::count("rows_refused", self.refused.values().sum()),
        ]);
        figures
    }

    fn example(&mut self, text: String) {
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(text);
        }
    }
}

/// Sends every line and every label that becomes known on the way; `observe` is told how things
/// stand a few times a second.
pub async fn drive(
    client: &Arc<Client>,
    mut lines: mpsc::Receiver<Vec<Line>>,
    options: Options,
    mut observe: impl FnMut(&Driven),
) -> Result<Driven> {
    let mut dispatcher = Dispatcher::new(client, options);
    let mut observed = Instant::now();
    while let Some(batch) = lines.recv().await {
        for line in batch {
            match line {
                Line::Row(row) => dispatcher.send(row).await?,
                Line::Bad { line, why } => dispatcher.bad(line, &why),
            }
            if observed.elapsed() >= Duration::from_millis(OBSERVE_MS) {
                observed = Instant::now();
                observe(dispatcher.so_far());
            }
        }
    }
    dispatcher.drain().await?;
    if let Some(until) = options.labels_until {
        dispatcher.send_labels(until).await?;
    }
    observe(dispatcher.so_far());
    Ok(dispatcher.driven)
}

struct Dispatcher {
    options: Options,
    workers: Vec<mpsc::Sender<Job>>,
    idle: Vec<usize>,
    reports: mpsc::Receiver<Report>,
    order: Order,
    labels: BinaryHeap<Reverse<Due>>,
    /// Payments that were refused: nobody can label them.
    undecided: HashSet<PaymentId>,
    started: Instant,
    sent: u64,
    driven: Driven,
}

/// A label that waits for its time. Ordered by that time, then by the payment's place.
struct Due {
    known_at: Timestamp,
    sequence: u64,
    payment_id: PaymentId,
    label: LateLabel,
}

impl Dispatcher {
    fn new(client: &Arc<Client>, options: Options) -> Self {
        let (done, reports) = mpsc::channel(options.connections);
        let start = |place| worker::start(place, client.connection(), done.clone());
        Self {
            options,
            workers: (0..options.connections).map(start).collect(),
            idle: (0..options.connections).collect(),
            reports,
            order: Order::default(),
            labels: BinaryHeap::new(),
            undecided: HashSet::new(),
            started: Instant::now(),
            sent: 0,
            driven: Driven::default(),
        }
    }

    async fn send(&mut self, row: Row) -> Result<()> {
        self.send_labels(row.occurred_at).await?;
        self.wait_for_turn().await?;
        while self.order.is_full() {
            self.absorb().await?;
        }
        self.sent += 1;
        if let Some(label) = row.label.clone() {
            let (known_at, payment_id) = (label.known_at, row.id.clone());
            self.labels.push(Reverse(Due {
                known_at,
                sequence: self.sent,
                payment_id,
                label,
            }));
        }
        self.order.push(row);
        self.send_ready().await
    }

    /// Gives idle workers what may be sent.
    async fn send_ready(&mut self) -> Result<()> {
        while let Some(place) = self.idle.pop() {
            match self.order.take_ready() {
                Some(row) => self.give(place, Job::Decide(row)).await?,
                None => {
                    self.idle.push(place);
                    break;
                }
            }
        }
        Ok(())
    }

    /// Sends the labels known by `time`, once everything before them is decided.
    async fn send_labels(&mut self, time: Timestamp) -> Result<()> {
        if self
            .labels
            .peek()
            .is_none_or(|Reverse(due)| due.known_at > time)
        {
            return Ok(());
        }
        self.drain().await?;
        while self
            .labels
            .peek()
            .is_some_and(|Reverse(due)| due.known_at <= time)
        {
            let Some(Reverse(due)) = self.labels.pop() else {
                break;
            };
            if self.undecided.contains(&due.payment_id) {
                continue;
            }
            while self.idle.is_empty() {
                self.absorb().await?;
            }
            if let Some(place) = self.idle.pop() {
                self.give(place, Job::Label(due.label)).await?;
            }
        }
        self.drain().await
    }

    /// Takes in what is finished; with a rate, until the next payment is due.
    async fn wait_for_turn(&mut self) -> Result<()> {
        if let Some(rate) = self.options.rate {
            let due = self.started + Duration::from_secs_f64(self.sent as f64 / rate);
            while let Ok(report) = timeout_at(due.into(), self.reports.recv()).await {
                self.take(report.ok_or_else(worker_lost)?).await?;
            }
        }
        while let Ok(report) = self.reports.try_recv() {
            self.take(report).await?;
        }
        Ok(())
    }

    async fn give(&mut self, place: usize, job: Job) -> Result<()> {
        let given = match self.workers.get(place) {
            Some(worker) => worker.send(job).await.is_ok(),
            None => false,
        };
        if given { Ok(()) } else { Err(worker_lost()) }
    }

    async fn drain(&mut self) -> Result<()> {
        while self.idle.len() < self.workers.len() || !self.order.is_empty() {
            self.absorb().await?;
        }
        Ok(())
    }

    /// Waits for one job to be finished.
    async fn absorb(&mut self) -> Result<()> {
        let report = self.reports.recv().await.ok_or_else(worker_lost)?;
        self.take(report).await
    }

    /// Takes in one finished job and sends what waited for it.
    async fn take(&mut self, report: Report) -> Result<()> {
        self.idle.push(report.place);
        self.driven.repeats += report.repeats;
        match report.done? {
            Done::Labelled(Ok(())) => self.driven.labels += 1,
            Done::Labelled(Err(refusal)) => self.refused(refusal.code, refusal.detail),
            Done::Decided {
                row,
                latency_us,
                verdict,
            } => {
                self.order.done(&row);
                match verdict {
                    Ok(verdict) => self.count(&row, latency_us, &verdict),
                    Err(refusal) => {
                        let detail = format!("line {}: {}", row.line, refusal.detail);
                        self.refused(refusal.code, detail);
                        self.undecided.insert(row.id);
                    }
                }
            }
        }
        self.send_ready().await
    }

    fn count(&mut self, row: &Row, latency_us: u64, verdict: &Verdict) {
        self.driven.decided += 1;
        self.driven.latencies.record(latency_us);
        if self
            .options
            .measure_from
            .is_none_or(|from| row.occurred_at >= from)
        {
            self.driven.tally.add(Judged {
                outcome: verdict.outcome,
                fraud: row.fraud,
                scenario: row.scenario.as_deref(),
                amount_minor: row.amount_minor,
                fired: &verdict.fired,
                partial: verdict.partial,
                laundering_score: verdict.laundering_score,
            });
        }
    }

    fn bad(&mut self, line: u64, why: &str) {
        self.driven.rows_bad += 1;
        self.driven.example(format!("line {line}: {why}"));
    }

    fn refused(&mut self, code: String, detail: String) {
        self.driven.example(detail);
        *self.driven.refused.entry(code).or_default() += 1;
    }

    fn so_far(&mut self) -> &Driven {
        self.driven.elapsed = self.started.elapsed();
        &self.driven
    }
}

fn worker_lost() -> Failure {
    Failure::environment("a connection's task ended early", "report this as a bug")
}

impl Due {
    fn key(&self) -> (Timestamp, u64) {
        (self.known_at, self.sequence)
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}
