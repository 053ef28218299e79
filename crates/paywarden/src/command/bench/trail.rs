//! `paywarden bench trail`: what the trail costs and how fast it answers, on the embedded store.
//! Every proof is checked, and the whole trail verified, before a figure is printed.

use crate::{
    cpu,
    failure::{Failure, Result},
    figures::{Figure, Report},
    private::Scratch,
    progress::Progress,
    terminal,
};
use paywarden_crypto::{Keyring, SigningKey, note::Note};
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
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};

/// Appends that wait at any time, and the most leaves of one commit.
const WAITING: u64 = 8_192;
/// Decisions of one entry when they share a leaf.
const SHARING: u64 = 64;
/// Runs of each way of writing decisions, in turn, so that what else the machine does meets both.
const ROUNDS: u32 = 6;
/// Bytes of a decision's row as its digest sees them.
const ROW_BYTES: usize = 1_500;
/// Digests that are timed.
const DIGESTS: u32 = 400_000;

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
    let progress = Progress::new(3);
    progress.show(1, "leaves");
    let mut figures = leaves(arguments).await?;
    progress.show(3, "decisions");
    figures.extend(decisions(arguments.decisions).await?);
    Ok(figures)
}

/// An open store of its own.
struct Bench {
    scratch: Scratch,
    database: Database,
    journal: Arc<Journal>,
    tenant: TenantId,
}

impl Bench {
    async fn open(limits: JournalLimits) -> Result<Self> {
        let scratch = Scratch::new()?;
        let url = format!("sqlite://{}/trail.db", scratch.path().display());
        let database = Database::open(&url).await.map_err(failed)?;
        let journal = Journal::start(&database, Clock::System, limits).await;
        Ok(Self {
            scratch,
            journal: Arc::new(journal.map_err(failed)?),
            database,
            tenant: TenantId::parse("bench").map_err(failed)?,
        })
    }

    fn entry(&self, object: String, rows: Vec<Row>) -> Entry {
        entry(&self.tenant, object, rows)
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

    /// Appends the same entries of the same callers, 64 of them as one with one leaf.
    async fn append_together(
        &self,
        count: u64,
        entry: impl Fn(u64) -> Result<Entry>,
    ) -> Result<Duration> {
        let start = Instant::now();
        let (entries, mut given) =
            mpsc::channel::<(Entry, oneshot::Sender<()>)>(2 * WAITING as usize);
        let journal = self.journal.clone();
        let gather = tokio::spawn(async move {
            let mut commits = JoinSet::new();
            loop {
                let mut some = Vec::new();
                while some.len() < SHARING as usize
                    && let Some(one) = given.recv().await
                {
                    some.push(one);
                }
                let (entries, replies): (Vec<_>, Vec<_>) = some.into_iter().unzip();
                let mut entries = entries.into_iter();
                let Some(mut entry) = entries.next() else {
                    break;
                };
                entry.rows.extend(entries.flat_map(|other| other.rows));
                let journal = journal.clone();
                commits.spawn(async move {
                    written(journal.append(entry).await)?;
                    for reply in replies {
                        // A caller who is gone needs no answer.
                        let _ = reply.send(());
                    }
                    Ok(())
                });
            }
            commits.join_all().await.into_iter().collect::<Result<()>>()
        });
        let mut waiting = JoinSet::new();
        for number in 0..count {
            if waiting.len() as u64 >= WAITING {
                waiting.join_next().await;
            }
            let (entries, entry) = (entries.clone(), entry(number)?);
            waiting.spawn(async move {
                let (reply, answer) = oneshot::channel();
                if entries.send((entry, reply)).await.is_ok() {
                    // Without an answer the gatherer says what is wrong.
                    let _ = answer.await;
                }
            });
        }
        drop(entries);
        while waiting.join_next().await.is_some() {}
        gather.await.map_err(failed)??;
        Ok(start.elapsed())
    }

    async fn close(self) {
        self.journal.close().await;
        self.database.close().await;
        drop(self.scratch);
    }
}

fn entry(tenant: &TenantId, object: String, rows: Vec<Row>) -> Entry {
    Entry {
        tenant: tenant.clone(),
        actor: Actor::Staff("analyst-17".to_owned()),
        purpose: "dispute review".into(),
        action: "payment.view",
        object,
        rows,
    }
}

async fn leaves(arguments: &Arguments) -> Result<Vec<Figure>> {
    let limits = JournalLimits {
        queue_max: 2 * WAITING as usize,
        queue_bytes_max: 256 * 1024 * 1024,
        batch_max: WAITING as usize,
        ..JournalLimits::default()
    };
    let bench = Bench::open(limits).await?;
    let count = arguments.leaves;
    let view = |number| Ok(bench.entry(format!("dec_{number:032}"), Vec::new()));
    let appended = bench.append(count, view).await?;
    let keyring = Arc::new(Keyring::ephemeral());
    let (database, journal) = (bench.database.clone(), Journal::clone(&bench.journal));
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

/// What a leaf of its own costs a decision, with the limits of a server. Nothing is written without
/// the trail, so "without" is made of what can be measured: entries of the same callers, each of
/// whom waits for it, 64 of which become one with one leaf, less the digest of their rows.
async fn decisions(count: u64) -> Result<Vec<Figure>> {
    let count = count - count % SHARING;
    let (mut alone, mut shared) = (Cost::default(), Cost::default());
    for _ in 0..ROUNDS {
        alone.add(round(count, true).await?);
        shared.add(round(count, false).await?);
    }
    let digest = digest_us()?;
    let without = 1e6 / (shared.cpu_us() - digest);
    Ok(vec![
        Figure::new(
            "decisions_64_per_leaf_per_second",
            shared.per_second(),
            "1/s",
        ),
        Figure::new("decisions_leaf_each_per_second", alone.per_second(), "1/s")
            .against(shared.per_second()),
        Figure::new("row_digest_cpu_us", digest, "us"),
        Figure::new("decisions_without_trail_per_cpu_second", without, "1/s"),
        Figure::new(
            "decisions_leaf_each_per_cpu_second",
            1e6 / alone.cpu_us(),
            "1/s",
        )
        .against(without),
    ])
}

/// What appending decisions took, over all rounds.
#[derive(Debug, Default)]
struct Cost {
    decisions: u64,
    elapsed: Duration,
    cpu: Duration,
}

impl Cost {
    fn add(&mut self, other: Self) {
        self.decisions += other.decisions;
        self.elapsed += other.elapsed;
        self.cpu += other.cpu;
    }

    fn per_second(&self) -> f64 {
        per_second(self.decisions, self.elapsed)
    }

    fn cpu_us(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.decisions as f64
    }
}

/// One run over a new store, verified before it counts.
async fn round(decisions: u64, is_alone: bool) -> Result<Cost> {
    let bench = Bench::open(JournalLimits::default()).await?;
    let entry = |number| {
        let rows = vec![decision(&bench, number)?];
        Ok(bench.entry(format!("dec_{number:032}"), rows))
    };
    let cpu = cpu::process();
    let elapsed = match is_alone {
        true => bench.append(decisions, entry).await?,
        false => bench.append_together(decisions, entry).await?,
    };
    let cpu = cpu::process() - cpu;
    let verdict = bench.database.verify(None).await.map_err(failed)?;
    if !matches!(&verdict, Verdict::Intact(seen) if seen.rows == decisions) {
        return Err(unlike("the decisions do not verify"));
    }
    bench.close().await;
    Ok(Cost {
        decisions,
        elapsed,
        cpu,
    })
}

/// Processor time of an HMAC-SHA-256 over as many bytes as the row of a decision has.
fn digest_us() -> Result<f64> {
    let key = SigningKey::from_secret(&[7; 32]).map_err(failed)?;
    let row = vec![1; ROW_BYTES];
    let start = cpu::process();
    for _ in 0..DIGESTS {
        std::hint::black_box(key.sign(std::hint::black_box(&row)).map_err(failed)?);
    }
    let took = cpu::process() - start;
    Ok(took.as_secs_f64() * 1e6 / f64::from(DIGESTS))
}

/// A decision of usual size: event 400 to 800 bytes, features 100, body 500. The sizes differ,
/// because with one size a byte more or less decides how many rows fill a page.
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
        event: vec![2; 400 + (number.wrapping_mul(7_919) % 401) as usize],
        body: vec![3; 500],
        trace: None,
    };
    Ok(Row::Decision(Arc::new(row)))
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
