//! `paywarden bench laundering`: what the laundering engine costs one transfer between a million
//! accounts: its windows, flows of money among them, and its rules.
//!
//! Before any figure, rules found by the index are compared with those asked one by one.

use crate::{
    cpu,
    failure::Result,
    figures::{Figure, Report},
    laundering::{Lone, bug, event},
    progress::Progress,
    terminal,
};
use paywarden_domain::{Card, Event, Outcome};
use paywarden_features::Value;
use paywarden_rules::{Scratch, Truth};
use paywarden_simulator::{Laundering, LaunderingSettings, Population};
use std::{
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// Transfers whose rules are also asked one by one.
const COMPARED: usize = 500;
const THREADS: usize = 2;
const MICRO: f64 = 1e-3;

/// Arguments of `bench laundering`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Accounts that transfer among each other
    #[arg(long, default_value_t = 1_000_000)]
    #[arg(value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    accounts: u32,
    /// Transfers of the past, before any is measured
    #[arg(long, default_value_t = 2_000_000)]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=4_000_000))]
    past: u32,
    /// Transfers measured, once by one thread and as many by two
    #[arg(long, default_value_t = 100_000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1_000..=500_000))]
    transfers: u32,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let figures = measure(arguments)?;
    if arguments.json {
        terminal::result(&Report::new("bench laundering", figures).to_json()?);
    } else {
        terminal::result(&text(&figures));
    }
    Ok(())
}

/// The laundering engine alone, measured.
struct Bench(Lone);

/// What one transfer came to.
struct Seen {
    windows: Duration,
    whole: Duration,
    hits: usize,
    bounded: bool,
}

fn measure(arguments: &Arguments) -> Result<Vec<Figure>> {
    let progress = Progress::new(4);
    progress.show(1, "accounts");
    let bench = Bench(Lone::new(None)?);
    let population = Population::new(1, arguments.accounts as usize);
    let mut stream = Laundering::new(&population, settings(arguments));
    progress.show(2, "past transfers");
    let mut values = Vec::new();
    for transfer in stream.by_ref().take(arguments.past as usize) {
        let event = bench.0.sight.event(&event(transfer.event)?);
        let ticket = bench.0.store.reserve(&event, &mut values);
        bench.0.store.commit(ticket, Outcome::Approve);
    }
    let count = arguments.transfers as usize;
    let next: Vec<Event<Card>> = stream
        .map(|transfer| event(transfer.event))
        .take(2 * count)
        .collect::<Result<_>>()?;
    let (alone, shared) = next.split_at(next.len().min(count));
    bench.compare(alone)?;
    progress.show(3, "one thread");
    let mut figures = bench.alone(alone);
    progress.show(4, "two threads");
    figures.extend(bench.shared(shared));
    let entities = bench.0.store.stats().entities;
    figures.push(Figure::count("laundering_entities", entities));
    Ok(figures)
}

fn settings(arguments: &Arguments) -> LaunderingSettings {
    let accounts = arguments.accounts;
    let transfers = arguments.past + 2 * arguments.transfers;
    LaunderingSettings {
        transfers_per_day: accounts / 2,
        days: 2 + transfers / (accounts / 2),
        ..LaunderingSettings::demo()
    }
}

impl Bench {
    /// Decides one transfer as the engine does: windows, then rules, then what became of it.
    fn decide(&self, event: &Event<Card>, values: &mut Vec<Value>, scratch: &mut Scratch) -> Seen {
        let start = Instant::now();
        let ticket = self.0.store.reserve(&self.0.sight.event(event), values);
        let windows = start.elapsed();
        let bounded = ticket.bounded();
        self.0.ask(event, values, scratch);
        self.0.store.commit(ticket, Outcome::Approve);
        Seen {
            windows,
            whole: start.elapsed(),
            hits: scratch.hits().fired.len(),
            bounded,
        }
    }

    fn compare(&self, transfers: &[Event<Card>]) -> Result<()> {
        let (mut values, mut fired) = (Vec::new(), 0);
        for event in transfers.iter().take(COMPARED) {
            let ticket = self
                .0
                .store
                .reserve(&self.0.sight.event(event), &mut values);
            self.0.store.abort(ticket);
            let alike = self
                .0
                .sight
                .with_slots(event, &values, &self.0.lists, |slots| {
                    let found = self.0.rules.evaluate(slots, || true).fired;
                    fired += found.len();
                    let rules = 0..self.0.rules.rules().len();
                    rules
                        .filter(|rule| self.0.rules.truth(*rule, slots) == Truth::True)
                        .eq(found)
                });
            if !alike {
                return Err(bug("the index finds other rules than asking each"));
            }
        }
        match fired {
            0 => Err(bug("no rule fired")),
            _ => Ok(()),
        }
    }

    fn alone(&self, transfers: &[Event<Card>]) -> Vec<Figure> {
        let (mut values, mut scratch) = (Vec::new(), Scratch::default());
        let began = cpu::thread_ns();
        let seen: Vec<Seen> = transfers
            .iter()
            .map(|event| self.decide(event, &mut values, &mut scratch))
            .collect();
        let used = (cpu::thread_ns() - began) as f64;
        let count = seen.len() as f64;
        let hits = seen.iter().map(|seen| seen.hits).sum::<usize>();
        let bounded = seen.iter().filter(|seen| seen.bounded).count();
        let windows = sorted(seen.iter().map(|seen| seen.windows));
        let whole = sorted(seen.iter().map(|seen| seen.whole));
        vec![
            Figure::new("laundering", used * MICRO / count, "us"),
            Figure::new("laundering_p50_us", at(&whole, 0.5), "us"),
            Figure::new("laundering_p99_us", at(&whole, 0.99), "us"),
            Figure::new("laundering_windows_p50_us", at(&windows, 0.5), "us"),
            Figure::new("laundering_windows_p99_us", at(&windows, 0.99), "us"),
            Figure::count("laundering_rules", self.0.rules.rules().len() as u64),
            Figure::new("laundering_hits", hits as f64 / count, "1"),
            Figure::share("laundering_bounded", bounded as f64, count),
        ]
    }

    /// Several threads decide at once, each the next one: transfers come in the order of their times,
    /// as online. Windows have one lock, rules have none.
    fn shared(&self, transfers: &[Event<Card>]) -> Vec<Figure> {
        let (barrier, next) = (Barrier::new(THREADS + 1), AtomicUsize::new(0));
        let (elapsed, used) = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..THREADS)
                .map(|_| {
                    let (barrier, next) = (&barrier, &next);
                    scope.spawn(move || {
                        let (mut values, mut scratch) = (Vec::new(), Scratch::default());
                        barrier.wait();
                        let began = cpu::thread_ns();
                        while let Some(event) = transfers.get(next.fetch_add(1, Relaxed)) {
                            self.decide(event, &mut values, &mut scratch);
                        }
                        cpu::thread_ns() - began
                    })
                })
                .collect();
            barrier.wait();
            let start = Instant::now();
            let used = workers.into_iter().map(|worker| worker.join().unwrap_or(0));
            let used: u64 = used.sum();
            (start.elapsed(), used)
        });
        let count = transfers.len() as f64;
        let per_core = count * 1e9 / used as f64;
        vec![
            Figure::new(
                "laundering_per_second",
                count / elapsed.as_secs_f64(),
                "1/s",
            ),
            Figure::new("laundering_per_core_second", per_core, "1/s"),
        ]
    }
}

fn sorted(times: impl Iterator<Item = Duration>) -> Vec<f64> {
    let mut times: Vec<f64> = times.map(|time| time.as_nanos() as f64 * MICRO).collect();
    times.sort_unstable_by(f64::total_cmp);
    times
}

/// The time that a share of them does not exceed.
fn at(times: &[f64], share: f64) -> f64 {
    let place = (times.len().saturating_sub(1) as f64 * share) as usize;
    times.get(place).copied().unwrap_or(f64::NAN)
}

fn text(figures: &[Figure]) -> String {
    let mut text = "one transfer in the laundering engine\n".to_owned();
    for figure in figures {
        let value = figure.value.unwrap_or(f64::NAN);
        text += &format!("  {:<28} {value:>12.2} {}\n", figure.name, figure.unit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_world_gives_every_figure() {
        let arguments = Arguments {
            accounts: 400,
            past: 2_000,
            transfers: 1_000,
            json: true,
        };
        let figures = measure(&arguments).unwrap();
        let names: Vec<&str> = figures.iter().map(|figure| figure.name.as_str()).collect();
        insta::assert_snapshot!(names.join("\n"));
        assert!(figures.iter().all(|figure| figure.value.is_some()));
    }
}
