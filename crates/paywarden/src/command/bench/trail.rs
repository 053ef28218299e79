//! `paywarden bench trail`: what the trail costs and how fast it answers, on the embedded store.
//! Every proof is checked, and the whole trail verified, before a figure is printed.

use crate::{
    failure::{Failure, Result},
    figures::{Figure, Report},
    private::Scratch,
    progress::Progress,
    terminal,
};
use paywarden_crypto::{Keyring, note::Note};
use paywarden_domain::{DecisionId, EventKind, Outcome, PaymentId, TenantId, Timestamp};
use paywarden_store::{
    Actor, Appended, Clock, Database, DecisionRow, Entry, Error, Intact, Journal, JournalLimits,
    Row, Trust, Verdict,
    trail::{
        Checkpoint, Notary,
        merkle::{leaf_hash, verify_inclusion},
        notary::{Settings, public_keys},
    },
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// Appends that wait at any time, and the most of one commit.
const WAITING: u64 = 8_192;
/// Decisions of one entry when they share a leaf.
const SHARING: u64 = 64;

/// Arguments of `bench trail`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Leaves to append
    #[arg(long, default_value_t = 500_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(10_000..=100_000_000))]
    leaves: u64,
    /// Decisions to append, each with a leaf of its own and again 64 to a leaf
    #[arg(long, default_value_t = 50_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(6_400..=1_000_000))]
    decisions: u64,
    /// Proofs to ask for
    #[arg(long, default_value_t = 2_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(100..=1_000_000))]
    proofs: u64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub async fn run(arguments: Arguments) -> Result<()> {
    let figures = measure(&arguments).await?;
    if arguments.json {
        terminal::result(&Report::new("bench trail", figures).to_json()?);
    } else {
        terminal::result(&text(&figures));
    }
    Ok(())
}

async fn measure(arguments: &Arguments) -> Result<Vec<Figure>> {
    let progress = Progress::new(4);
    progress.show(1, "leaves");
    let mut figures = leaves(arguments).await?;
    progress.show(3, "decisions with a leaf each");
    let alone = decisions(arguments.decisions, 1).await?;
    progress.show(4, "decisions 64 to a leaf");
    let shared = decisions(arguments.decisions, SHARING).await?;
    figures.push(Figure::new(
        "decisions_64_per_leaf_per_second",
        shared,
        "1/s",
    ));
    figures.push(Figure::new("decisions_leaf_each_per_second", alone, "1/s").against(shared));
    Ok(figures)
}

/// An open store of its own.
struct Bench {
    scratch: Scratch,
    database: Database,
    journal: Journal,
    tenant: TenantId,
}

impl Bench {
    async fn open() -> Result<Self> {
        let scratch = Scratch::new()?;
        let url = format!("sqlite://{}/trail.db", scratch.path().display());
        let database = Database::open(&url).await.map_err(failed)?;
        let limits = JournalLimits {
            queue_max: 2 * WAITING as usize,
            queue_bytes_max: 256 * 1024 * 1024,
            batch_max: WAITING as usize,
            ..JournalLimits::default()
        };
        let journal = Journal::start(&database, Clock::System, limits).await;
        Ok(Self {
            scratch,
            journal: journal.map_err(failed)?,
            database,
            tenant: TenantId::parse("bench").map_err(failed)?,
        })
    }

    fn entry(&self, object: String, rows: Vec<Row>) -> Entry {
        Entry {
            tenant: self.tenant.clone(),
            actor: Actor::Staff("analyst-17".to_owned()),
            purpose: "dispute review".into(),
            action: "payment.view",
            object,
            rows,
        }
    }

    /// Appends entries, as many at a time as wait, and returns when all are durable.
    async fn append(
        &self,
        count: u64,
        mut entry: impl FnMut(u64) -> Result<Entry>,
    ) -> Result<Duration> {
        let start = Instant::now();
        let mut waiting = JoinSet::new();
        for number in 0..count {
            if waiting.len() as u64 >= WAITING
                && let Some(done) = waiting.join_next().await
            {
                written(done.map_err(failed)?)?;
            }
            let (journal, entry) = (self.journal.clone(), entry(number)?);
            waiting.spawn(async move { journal.append(entry).await });
        }
        while let Some(done) = waiting.join_next().await {
            written(done.map_err(failed)?)?;
        }
        Ok(start.elapsed())
    }

    async fn close(self) {
        self.journal.close().await;
        self.database.close().await;
        drop(self.scratch);
    }
}

async fn leaves(arguments: &Arguments) -> Result<Vec<Figure>> {
    let bench = Bench::open().await?;
    let count = arguments.leaves;
    let view = |number| Ok(bench.entry(format!("dec_{number:032}"), Vec::new()));
    let appended = bench.append(count, view).await?;
    let keyring = Arc::new(Keyring::ephemeral());
    let (database, journal) = (bench.database.clone(), bench.journal.clone());
    let notary = Notary::start(
        database,
        journal,
        keyring.clone(),
        Clock::System,
        Settings::default(),
    );
    let notary = notary.await.map_err(failed)?;
    let start = Instant::now();
    let signed = notary.checkpoint(&bench.tenant).await.map_err(failed)?;
    let signing = start.elapsed();
    let signed = signed.ok_or_else(|| failed("no checkpoint was made"))?;
    let note = Note::parse(&signed.note).map_err(failed)?;
    let said = Checkpoint::parse(note.text());
    let said = said.ok_or_else(|| failed("the checkpoint does not read"))?;
    let mut times = proofs(&bench, arguments.proofs, &said).await?;
    times.sort_unstable();
    let trust = Trust {
        keys: public_keys(&keyring, 1).map_err(failed)?,
        checkpoints: Vec::new(),
    };
    let start = Instant::now();
    let verdict = bench.database.verify(Some(&trust)).await.map_err(failed)?;
    let verified = start.elapsed();
    let Verdict::Intact(Intact { leaves, .. }) = verdict else {
        return Err(unlike("the trail does not verify"));
    };
    bench.close().await;
    Ok(vec![
        Figure::count("leaves", leaves),
        Figure::new(
            "append_leaves_per_second",
            per_second(count, appended),
            "1/s",
        ),
        Figure::new("checkpoint_ms", ms(signing), "ms"),
        Figure::new("inclusion_proof_p50_ms", percentile(&times, 50), "ms"),
        Figure::new("inclusion_proof_p99_ms", percentile(&times, 99), "ms"),
        Figure::new(
            "verify_leaves_per_second",
            per_second(leaves, verified),
            "1/s",
        ),
    ])
}

/// The time of each proof; every one is checked against the signed root.
async fn proofs(bench: &Bench, count: u64, said: &Checkpoint) -> Result<Vec<Duration>> {
    let mut times = Vec::new();
    for number in 0..count {
        // Spread over the whole tree, in no order that a cache would like.
        let index = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % said.size;
        let start = Instant::now();
        let proof = bench
            .database
            .trail_inclusion(&bench.tenant, index, said.size);
        let proof = proof.await.map_err(failed)?;
        times.push(start.elapsed());
        let leaf = bench.database.trail_leaves(&bench.tenant, index, 1).await;
        let leaf = leaf.map_err(failed)?.pop().unwrap_or_default();
        verify_inclusion(&leaf_hash(&leaf), index, said.size, &proof, &said.root)
            .map_err(|_| unlike("a proof does not hold"))?;
    }
    Ok(times)
}

/// Decisions per second, so many to an entry and therefore to a leaf.
async fn decisions(count: u64, of_entry: u64) -> Result<f64> {
    let bench = Bench::open().await?;
    let entries = count / of_entry;
    let entry = |number: u64| {
        let rows =
            (number * of_entry..(number + 1) * of_entry).map(|event| decision(&bench, event));
        let rows = rows.collect::<Result<_>>()?;
        Ok(bench.entry(format!("dec_{number:032}"), rows))
    };
    let elapsed = bench.append(entries, entry).await?;
    let verdict = bench.database.verify(None).await.map_err(failed)?;
    if !matches!(&verdict, Verdict::Intact(seen) if seen.rows == entries * of_entry) {
        return Err(unlike("the decisions do not verify"));
    }
    bench.close().await;
    Ok(per_second(entries * of_entry, elapsed))
}

/// A decision of usual size: event 600 bytes, features 100, body 500.
fn decision(bench: &Bench, number: u64) -> Result<Row> {
    let mut random = [0; 10];
    random[..8].copy_from_slice(&number.to_be_bytes());
    let now = Timestamp::from_micros(1_767_225_600_000_000 + number.cast_signed());
    let row = DecisionRow {
        event_no: number.cast_signed() + 1,
        id: DecisionId::new(now, random),
        tenant: bench.tenant.clone(),
        payment_id: PaymentId::parse(&format!("pay-{number:012}")).map_err(failed)?,
        kind: EventKind::PaymentCard,
        occurred_at: now,
        decided_at: now,
        outcome: Outcome::Approve,
        fraud_score: 10,
        laundering_score: 0,
        amount: None,
        key_id: "key_bench".to_owned(),
        idempotency_key: Some(format!("key-{number:012}")),
        fingerprint: Some([7; 32]),
        feature: vec![1; 100],
        event: vec![2; 600],
        body: vec![3; 500],
        trace: None,
    };
    Ok(Row::Decision(Box::new(row)))
}

fn written(result: Result<Appended, Error>) -> Result<()> {
    match result.map_err(failed)? {
        Appended::Written { .. } => Ok(()),
        Appended::Duplicate { .. } => Err(unlike("an entry was taken for a duplicate")),
    }
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::environment(
        error,
        "free some disk and memory; else report this as a bug",
    )
}

fn unlike(what: &str) -> Failure {
    Failure::not_held(what, "report this as a bug")
}

fn per_second(count: u64, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64()
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let place = sorted.len().saturating_sub(1) * percent / 100;
    sorted.get(place).copied().map_or(f64::NAN, ms)
}

fn text(figures: &[Figure]) -> String {
    figures.iter().fold(
        String::from("the trail on the embedded store\n"),
        |text, figure| {
            let value = figure.value.unwrap_or(f64::NAN);
            let ratio = figure
                .ratio
                .map_or_else(String::new, |ratio| format!("  ({ratio:.3})"));
            text + &format!(
                "  {:<34} {value:>14.3} {}{ratio}\n",
                figure.name, figure.unit
            )
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_reads_well() {
        let figures = [
            Figure::count("leaves", 500_000),
            Figure::new("inclusion_proof_p50_ms", 0.25, "ms"),
            Figure::new("decisions_leaf_each_per_second", 9_000.0, "1/s").against(10_000.0),
        ];
        insta::assert_snapshot!(text(&figures));
    }

    #[tokio::test]
    async fn a_small_run_names_every_figure() {
        let arguments = Arguments {
            leaves: 600,
            decisions: 128,
            proofs: 20,
            json: true,
        };
        let figures = measure(&arguments).await.unwrap();
        let names: Vec<_> = figures.iter().map(|figure| figure.name.as_str()).collect();
        insta::assert_snapshot!(names.join("\n"));
    }
}
