//! Measures the journal: decision entries per second with a full queue, CPU per entry, latency
//! of single appends, and how fast the trail is verified and the events are replayed.
//!
//! `cargo run --release -p paywarden-store --example throughput [ordered|random [ENTRIES [URL]]]`
//!
//! Each entry is one decision: event 600 bytes, feature 100, body 500. Payment identifiers and
//! idempotency keys are either ordered (as UUID version 7 or order numbers are) or random, which
//! is the unkindest order for an index: each entry then rewrites two pages of its own.

use paywarden_domain::{DecisionId, EventKind, Outcome, PaymentId, TenantId};
use paywarden_store::{
    Actor, Appended, Clock, Database, DecisionRow, Entry, Error, Intact, Journal, JournalLimits,
    Row, Verdict,
};
use std::{
    error::Error as AnyError,
    fs,
    io::Write as _,
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

type Failure = Box<dyn AnyError + Send + Sync>;

/// Appends that wait at any time.
const WAITING: usize = 8_000;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let is_random = arguments.next().is_some_and(|order| order == "random");
    let entries: i64 = arguments.next().map_or(Ok(200_000), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    let url = arguments
        .next()
        .unwrap_or(format!("sqlite://{}/store.db", folder.path().display()));
    let database = Database::open(&url).await?;
    let journal = Journal::start(&database, Clock::System, JournalLimits::default()).await?;
    let first = database.event_no_last().await? + 1;

    let (alone, next) = (alone(&journal, first, is_random).await?, first + 200);
    say("append_alone_p50", percentile(&alone, 50), "us")?;
    say("append_alone_p99", percentile(&alone, 99), "us")?;

    let (cpu, start) = (cpu_us()?, Instant::now());
    let latencies = crowd(&journal, next..next + entries, is_random).await?;
    let (cpu, elapsed) = (cpu_us()? - cpu, start.elapsed());
    say("entries", entries as u64, "")?;
    say(
        "entries_per_second",
        (entries as f64 / elapsed.as_secs_f64()) as u64,
        "1/s",
    )?;
    say("cpu_per_entry", cpu / entries as u64, "us")?;
    say("append_crowded_p50", percentile(&latencies, 50), "us")?;
    say("append_crowded_p99", percentile(&latencies, 99), "us")?;
    say("append_crowded_max", percentile(&latencies, 100), "us")?;
    say("memory_peak", memory_peak_kib()?, "KiB")?;

    let start = Instant::now();
    let verdict = database.verify(None).await?;
    let Verdict::Intact(Intact { leaves, .. }) = verdict else {
        return Err("broken trail".into());
    };
    say("verify", per_second(leaves, start.elapsed()), "leaves/s")?;
    let start = Instant::now();
    let rows = replay(&database).await?;
    say("replay", per_second(rows, start.elapsed()), "events/s")?;
    journal.close().await;
    database.close().await;
    if let Some(path) = url.strip_prefix("sqlite://") {
        say(
            "file_bytes_per_entry",
            fs::metadata(path)?.len() / leaves,
            "B",
        )?;
    }
    Ok(())
}

/// One after the other: the time of a commit.
async fn alone(journal: &Journal, first: i64, is_random: bool) -> Result<Vec<Duration>, Failure> {
    let mut latencies = Vec::new();
    for number in first..first + 200 {
        let start = Instant::now();
        append(journal, number, is_random).await?;
        latencies.push(start.elapsed());
    }
    latencies.sort_unstable();
    Ok(latencies)
}

/// As many at a time as the queue holds.
async fn crowd(
    journal: &Journal,
    numbers: Range<i64>,
    is_random: bool,
) -> Result<Vec<Duration>, Failure> {
    let mut latencies = Vec::new();
    let mut tasks = JoinSet::new();
    for number in numbers {
        if tasks.len() >= WAITING
            && let Some(latency) = tasks.join_next().await
        {
            latencies.push(latency??);
        }
        let journal = journal.clone();
        tasks.spawn(async move {
            let start = Instant::now();
            append(&journal, number, is_random).await?;
            Ok::<_, Error>(start.elapsed())
        });
    }
    while let Some(latency) = tasks.join_next().await {
        latencies.push(latency??);
    }
    latencies.sort_unstable();
    Ok(latencies)
}

async fn append(journal: &Journal, number: i64, is_random: bool) -> Result<(), Error> {
    let text = if is_random {
        format!("{:032x}", u128::from_be_bytes(Clock::System.random()))
    } else {
        format!("{number:032x}")
    };
    let invalid = |error: paywarden_domain::Invalid| Error::Invalid {
        reason: error.to_string(),
    };
    let tenant = TenantId::parse("acme").map_err(invalid)?;
    let now = Clock::System.now();
    let row = DecisionRow {
        event_no: number,
        id: DecisionId::new(now, Clock::System.random()),
        tenant: tenant.clone(),
        payment_id: PaymentId::parse(&text).map_err(invalid)?,
        kind: EventKind::PaymentCard,
        occurred_at: now,
        decided_at: now,
        outcome: Outcome::Approve,
        fraud_score: 120,
        laundering_score: 3,
        amount: None,
        key_id: "key-1".into(),
        idempotency_key: Some(text.clone()),
        fingerprint: Some([7; 32]),
        feature: vec![1; 100],
        event: vec![2; 600],
        body: vec![3; 500],
        trace: None,
    };
    let entry = Entry {
        tenant,
        actor: Actor::Key("key-1".into()),
        purpose: "payment_decision".into(),
        action: "decide",
        object: text,
        rows: vec![Row::Decision(Arc::new(row))],
    };
    match journal.append(entry).await? {
        Appended::Written { .. } => Ok(()),
        Appended::Duplicate { .. } => Err(Error::Conflict {
            reason: "a duplicate".into(),
        }),
    }
}

async fn replay(database: &Database) -> Result<u64, Failure> {
    let (mut after, mut count) = (0, 0);
    loop {
        let rows = database.decisions_since(after, 10_000).await?;
        let Some(last) = rows.last() else {
            return Ok(count);
        };
        after = last.event_no;
        count += rows.len() as u64;
    }
}

fn say(name: &str, value: u64, unit: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{name:<22}{value:>10} {unit}")
}

fn per_second(count: u64, elapsed: Duration) -> u64 {
    (count as f64 / elapsed.as_secs_f64()) as u64
}

fn percentile(sorted: &[Duration], percent: usize) -> u64 {
    let place = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted
        .get(place)
        .map_or(0, |latency| latency.as_micros() as u64)
}

/// User and system time of this process (fields 14 and 15 of `/proc/self/stat`, hundredths).
fn cpu_us() -> Result<u64, Failure> {
    let text = fs::read_to_string("/proc/self/stat")?;
    let fields = text
        .rsplit_once(')')
        .map(|(_, rest)| rest.split_whitespace())
        .ok_or("stat")?;
    let ticks: u64 = fields
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    Ok(ticks * 10_000)
}

fn memory_peak_kib() -> Result<u64, Failure> {
    let text = fs::read_to_string("/proc/self/status")?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .ok_or("VmHWM")?;
    Ok(line.trim_end_matches("kB").trim().parse()?)
}
