//! `paywarden bench vault`: what it costs to keep, read and erase, on the embedded store. Every
//! value is compared with what was kept, and the trail verified, before a figure is printed.

use crate::{
    child,
    failure::{Failure, Result},
    figures::{Figure, Report},
    private::Scratch,
    progress::Progress,
    terminal,
};
use paywarden_crypto::{Keyring, envelope::Profile};
use paywarden_domain::{Pan, TenantId};
use paywarden_privacy::{By, Item, Plain, Retention, Vault, VaultSettings, token::Form};
use paywarden_store::{Actor, Clock, Database, Journal, JournalLimits, Verdict};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// Tokens of one batch.
const BATCH: usize = 1_000;
/// Values of each person who is erased.
const OF_PERSON: u64 = 20;
/// Keys that are wrapped again in a second beside readings: as many as the server does when nothing
/// else is said.
const PACE: u32 = 20_000;

/// Arguments of `bench vault`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Card numbers to keep, each of another person
    #[arg(long, default_value_t = 100_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(2_000..=10_000_000))]
    values: u64,
    /// Callers at a time
    #[arg(long, default_value_t = 32)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=4_096))]
    callers: u64,
    /// Persons to erase, one after the other
    #[arg(long, default_value_t = 200)]
    #[arg(value_parser = clap::value_parser!(u64).range(10..=10_000))]
    persons: u64,
    /// Ciphers and hashes: default or gm
    #[arg(long, default_value = "default")]
    profile: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub async fn run(arguments: Arguments) -> Result<()> {
    let figures = measure(&arguments).await?;
    if arguments.json {
        terminal::result(&Report::new("bench vault", figures).to_json()?);
    } else {
        terminal::result(&text(&figures));
    }
    Ok(())
}

async fn measure(arguments: &Arguments) -> Result<Vec<Figure>> {
    let bench = Arc::new(Bench::open(&arguments.profile).await?);
    let progress = Progress::new(6);
    let mut figures = vec![Figure::count("values", arguments.values)];
    progress.show(1, "keeping");
    let (tokens, kept) = keep(&bench, arguments).await?;
    figures.extend(kept.figures("tokenize"));
    progress.show(2, "reading one by one");
    let numbers = (arguments.values, arguments.callers);
    let read = read_each(&bench, numbers, &tokens).await?;
    figures.extend(read.figures("detokenize"));
    progress.show(3, "reading in batches");
    figures.extend(read_batches(&bench, &tokens).await?);
    progress.show(4, "wrapping keys again");
    figures.extend(rewrap(&bench).await?);
    progress.show(5, "wrapping keys again beside readings");
    figures.extend(read_beside_rewrap(&bench, arguments, &tokens).await?);
    progress.show(6, "erasing");
    figures.extend(erase(&bench, arguments.persons).await?);
    let verdict = bench.database.verify(None).await.map_err(failed)?;
    if !matches!(verdict, Verdict::Intact(_)) {
        return Err(Failure::not_held(
            "the trail does not verify",
            "report this as a bug",
        ));
    }
    bench.journal.close().await;
    bench.database.close().await;
    Ok(figures)
}

/// A vault on a store of its own.
struct Bench {
    vault: Arc<Vault>,
    database: Database,
    journal: Journal,
    by: By,
    _scratch: Scratch,
}

impl Bench {
    async fn open(profile: &str) -> Result<Self> {
        let profile = Profile::find(profile)
            .ok_or_else(|| Failure::wrong_use("no such profile", "write default or gm"))?;
        let scratch = Scratch::new()?;
        let url = format!("sqlite://{}/vault.db", scratch.path().display());
        let database = Database::open(&url).await.map_err(failed)?;
        let journal = Journal::start(&database, Clock::System, JournalLimits::default()).await;
        let journal = journal.map_err(failed)?;
        let settings = VaultSettings {
            profile,
            epochs_file: scratch.path().join("vault.epochs"),
            ..VaultSettings::default()
        };
        let keyring = Arc::new(Keyring::ephemeral());
        let (db, log) = (database.clone(), journal.clone());
        let vault = Vault::open(&keyring, db, log, Clock::System, &settings).await;
        Ok(Self {
            vault: Arc::new(vault.map_err(failed)?),
            database,
            journal,
            by: By::new(
                TenantId::parse("bench").map_err(failed)?,
                Actor::Key("key_bench".to_owned()),
                "settlement",
            ),
            _scratch: scratch,
        })
    }
}

/// Calls of one kind.
struct Calls {
    times: Vec<Duration>,
    elapsed: Duration,
    cpu_us: u64,
}

impl Calls {
    fn p99_ms(mut self) -> f64 {
        self.times.sort_unstable();
        percentile(&self.times, 99)
    }

    fn figures(mut self, name: &str) -> [Figure; 4] {
        self.times.sort_unstable();
        let count = self.times.len() as f64;
        let rate = count / self.elapsed.as_secs_f64();
        [
            Figure::new(format!("{name}_per_second"), rate, "1/s"),
            Figure::new(format!("{name}_p50_ms"), percentile(&self.times, 50), "ms"),
            Figure::new(format!("{name}_p99_ms"), percentile(&self.times, 99), "ms"),
            Figure::new(format!("{name}_cpu_us"), self.cpu_us as f64 / count, "us"),
        ]
    }
}

/// Has so many callers do `call` for each number below `count`; what they gave, by number.
async fn each<T, F>(
    (count, callers): (u64, u64),
    call: impl Fn(u64) -> F + Clone + Send + 'static,
) -> Result<(Vec<T>, Calls)>
where
    T: Send + 'static,
    F: Future<Output = Result<T>> + Send,
{
    let next = Arc::new(AtomicU64::new(0));
    let cpu_us = child::cpu_us("self")?;
    let start = Instant::now();
    let mut working = JoinSet::new();
    for _ in 0..callers {
        let (next, call) = (next.clone(), call.clone());
        working.spawn(async move {
            let mut done = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return Ok::<_, Failure>(done);
                }
                let begun = Instant::now();
                let given = call(number).await?;
                done.push((number, begun.elapsed(), given));
            }
        });
    }
    let mut all = Vec::new();
    while let Some(done) = working.join_next().await {
        all.extend(done.map_err(failed)??);
    }
    let elapsed = start.elapsed();
    let cpu_us = child::cpu_us("self")? - cpu_us;
    all.sort_by_key(|(number, ..)| *number);
    let times = all.iter().map(|(_, time, _)| *time).collect();
    let calls = Calls {
        times,
        elapsed,
        cpu_us,
    };
    Ok((all.into_iter().map(|(.., given)| given).collect(), calls))
}

async fn keep(bench: &Arc<Bench>, arguments: &Arguments) -> Result<(Vec<String>, Calls)> {
    let owner = bench.clone();
    each((arguments.values, arguments.callers), move |number| {
        let bench = owner.clone();
        async move {
            let items = [item(&format!("customer-{number}"), &card_number(number))];
            let kept = bench
                .vault
                .tokenize(&bench.by, &items)
                .await
                .map_err(failed)?;
            let kept = kept.into_iter().next();
            kept.map(|kept| kept.token)
                .ok_or_else(|| failed("no token"))
        }
    })
    .await
}

/// So many readings by so many callers.
async fn read_each(bench: &Arc<Bench>, numbers: (u64, u64), tokens: &[String]) -> Result<Calls> {
    let (owner, tokens) = (bench.clone(), Arc::new(tokens.to_vec()));
    let (_, calls) = each(numbers, move |number| {
        let (bench, tokens) = (owner.clone(), tokens.clone());
        async move {
            // In no order that a cache would like.
            let place = scattered(number, tokens.len() as u64);
            let token = tokens.get(place as usize).cloned().unwrap_or_default();
            let read = bench.vault.detokenize(&bench.by, &[token]).await;
            let read = read
                .map_err(failed)?
                .pop()
                .ok_or_else(|| failed("no value"))?;
            let read = read.map_err(failed)?;
            same(read.value.expose(), place)
        }
    })
    .await?;
    Ok(calls)
}

/// In the order in which they were kept, and in none.
async fn read_batches(bench: &Bench, tokens: &[String]) -> Result<Vec<Figure>> {
    let count = tokens.len() as u64;
    let mut figures =
        read_in_order("batch_detokenize", bench, tokens, (0..count).collect()).await?;
    let order = (0..count).map(|number| scattered(number, count)).collect();
    figures.extend(read_in_order("batch_detokenize_scattered", bench, tokens, order).await?);
    Ok(figures)
}

async fn read_in_order(
    name: &str,
    bench: &Bench,
    tokens: &[String],
    order: Vec<u64>,
) -> Result<Vec<Figure>> {
    let mut expected: Vec<_> = order.iter().map(|number| card_number(*number)).collect();
    expected.reverse();
    let cpu_us = child::cpu_us("self")?;
    let start = Instant::now();
    for part in order.chunks(BATCH) {
        let batch = part
            .iter()
            .filter_map(|number| tokens.get(*number as usize));
        let batch: Vec<String> = batch.cloned().collect();
        let read = bench.vault.detokenize(&bench.by, &batch).await;
        for read in read.map_err(failed)? {
            let value = read.map_err(failed)?.value;
            must_be(value.expose(), expected.pop().as_deref())?;
        }
    }
    let elapsed = start.elapsed();
    let cpu_us = child::cpu_us("self")? - cpu_us;
    let count = order.len() as f64;
    let per_core = count / (cpu_us as f64 / 1e6);
    let per_second = count / elapsed.as_secs_f64();
    Ok(vec![
        Figure::new(format!("{name}_per_second"), per_second, "1/s"),
        Figure::new(format!("{name}_per_core_second"), per_core, "1/s"),
    ])
}

async fn rewrap(bench: &Bench) -> Result<[Figure; 2]> {
    bench.vault.begin_epoch(&bench.by).await.map_err(failed)?;
    let cpu_us = child::cpu_us("self")?;
    let start = Instant::now();
    let rotated = bench
        .vault
        .rewrap(&bench.by, u32::MAX)
        .await
        .map_err(failed)?;
    let elapsed = start.elapsed();
    let cpu_us = child::cpu_us("self")? - cpu_us;
    let held = bench.vault.rotation().await.map_err(failed)?.keys;
    if held != [(2, rotated.keys)] {
        return Err(Failure::not_held(
            "the first epoch still wraps keys",
            "report this as a bug",
        ));
    }
    let count = rotated.keys as f64;
    let per_core = count / (cpu_us as f64 / 1e6);
    Ok([
        Figure::new("rewrap_per_second", count / elapsed.as_secs_f64(), "1/s"),
        Figure::new("rewrap_per_core_second", per_core, "1/s"),
    ])
}

/// What the job costs whoever reads meanwhile: as many readings without it and beside it, so few that
/// the job lasts longer.
async fn read_beside_rewrap(
    bench: &Arc<Bench>,
    arguments: &Arguments,
    tokens: &[String],
) -> Result<[Figure; 3]> {
    let numbers = (arguments.values / 2, arguments.callers);
    let alone = read_each(bench, numbers, tokens).await?.p99_ms();
    bench.vault.begin_epoch(&bench.by).await.map_err(failed)?;
    let job = {
        let bench = bench.clone();
        tokio::spawn(async move { bench.vault.rewrap(&bench.by, PACE).await })
    };
    let beside = read_each(bench, numbers, tokens).await?.p99_ms();
    let rotated = job.await.map_err(failed)?.map_err(failed)?;
    Ok([
        Figure::new("read_p99_ms", alone, "ms"),
        Figure::new("read_beside_rewrap_p99_ms", beside, "ms"),
        Figure::count("wrapped_again_beside", rotated.keys),
    ])
}

async fn erase(bench: &Bench, persons: u64) -> Result<[Figure; 2]> {
    let mut times = Vec::new();
    for person in 0..persons {
        let name = format!("person-{person}");
        let numbers = (0..OF_PERSON).map(|number| card_number(person * OF_PERSON + number));
        let items: Vec<_> = numbers.map(|number| item(&name, &number)).collect();
        bench
            .vault
            .tokenize(&bench.by, &items)
            .await
            .map_err(failed)?;
        let start = Instant::now();
        let erased = bench
            .vault
            .forget(&bench.by, &name, None)
            .await
            .map_err(failed)?;
        times.push(start.elapsed());
        if erased.records != OF_PERSON {
            return Err(Failure::not_held(
                "a person was not erased",
                "report this as a bug",
            ));
        }
    }
    times.sort_unstable();
    Ok([
        Figure::new("erase_person_p50_ms", percentile(&times, 50), "ms"),
        Figure::new("erase_person_p99_ms", percentile(&times, 99), "ms"),
    ])
}

fn item(subject: &str, number: &str) -> Item {
    Item {
        subject: subject.to_owned(),
        class: "card_number".to_owned(),
        value: Plain::from(number.to_owned()),
        details: None,
        retention: Retention::Contract,
        form: Form::Opaque,
        once: false,
        ttl_seconds: None,
        caller: None,
        purpose: None,
    }
}

/// A card number that passes the Luhn check, another for each number.
fn card_number(number: u64) -> String {
    let head = format!("411111{number:09}");
    let all = (0..10).map(|last| format!("{head}{last}"));
    let mut valid = all.filter(|text| Pan::parse(text).is_ok());
    valid.next().unwrap_or_default()
}

fn scattered(number: u64, count: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % count.max(1)
}

fn same(value: &str, number: u64) -> Result<()> {
    must_be(value, Some(&card_number(number)))
}

fn must_be(value: &str, expected: Option<&str>) -> Result<()> {
    match Some(value) == expected {
        true => Ok(()),
        false => Err(Failure::not_held(
            "another value came back",
            "report this as a bug",
        )),
    }
}

fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let place = sorted.len().saturating_sub(1) * percent / 100;
    let time = sorted.get(place);
    time.map_or(f64::NAN, |time| time.as_secs_f64() * 1_000.0)
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::environment(
        error,
        "free some disk and memory; else report this as a bug",
    )
}

fn text(figures: &[Figure]) -> String {
    figures.iter().fold(
        String::from("the vault on the embedded store\n"),
        |text, figure| {
            let value = figure.value.unwrap_or(f64::NAN);
            text + &format!("  {:<34} {value:>14.3} {}\n", figure.name, figure.unit)
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_small_run_names_every_figure() {
        let arguments = Arguments {
            values: 300,
            callers: 8,
            persons: 2,
            profile: "gm".to_owned(),
            json: true,
        };
        let figures = measure(&arguments).await.unwrap();
        let names: Vec<_> = figures.iter().map(|figure| figure.name.as_str()).collect();
        insta::assert_snapshot!(names.join("\n"));
    }
}
