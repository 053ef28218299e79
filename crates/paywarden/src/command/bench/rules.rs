//! `paywarden bench rules`: what ten thousand rules cost one payment, and what it costs to publish
//! them. With the feature `peers` the same rules run in the CEL and zen crates too, and must hit
//! the same payments before a figure is printed.

mod beside;
mod facts;
#[cfg(feature = "peers")]
mod peers;
pub(super) mod workload;

use crate::{
    cpu,
    failure::{Failure, Result},
    figures::{Figure, Report},
    packs,
    progress::Progress,
    terminal,
};
use paywarden_domain::Currency;
use paywarden_features::{Set, Value, WindowSpec};
use paywarden_rules::{BLOCK_ROWS, Pack, Rates, RuleSet, Scratch, Slots, analyse, compile};
use std::{collections::HashMap, hint::black_box, time::Instant};
use workload::{Payment, Shape, Workload};

const RULES: usize = 10_000;
const RUNS: usize = 5;
const MICRO: f64 = 1e-3;
const MILLI: f64 = 1e-6;

/// Arguments of `bench rules`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Different payments
    #[arg(long, default_value_t = 8_192)]
    #[arg(value_parser = clap::value_parser!(u32).range(100..=100_000))]
    payments: u32,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Rules ready to decide, and the payments that they decide on.
struct Bench {
    workload: Workload,
    rules: RuleSet,
    payments: Vec<Payment>,
    /// The values of each payment's windows.
    windows: Vec<Vec<Value>>,
}

/// What deciding cost.
struct Measured {
    mean_us: f64,
    p99_us: f64,
    hits: f64,
    candidates: f64,
}

/// Runs the command.
pub async fn run(arguments: Arguments) -> Result<()> {
    let payments = arguments.payments as usize;
    let measured = tokio::task::spawn_blocking(move || measure(payments)).await;
    let figures = measured.map_err(|error| bug(error.to_string()))??;
    if arguments.json {
        terminal::result(&Report::new("bench rules", figures).to_json()?);
    } else {
        terminal::result(&text(&figures));
    }
    Ok(())
}

fn measure(payments: usize) -> Result<Vec<Figure>> {
    let progress = Progress::new(5);
    progress.show(1, "publish");
    let mut figures = publish()?;
    let shapes = [
        ("rules_10k_shared", Shape::Shared),
        ("rules_10k_unique", Shape::Unique),
    ];
    for (place, (name, shape)) in shapes.into_iter().enumerate() {
        progress.show(2 + 2 * place as u64, name);
        let bench = Bench::new(shape, payments)?;
        let measured = bench.measure();
        progress.show(3 + 2 * place as u64, "peers");
        figures.extend(against_peers(name, &bench, &measured)?);
        figures.push(Figure::new(format!("{name}_p99_us"), measured.p99_us, "us"));
        figures.push(Figure::new(format!("{name}_hits"), measured.hits, "1"));
        figures.push(Figure::new(
            format!("{name}_candidates"),
            measured.candidates,
            "1",
        ));
        let bytes = bench.rules.index_bytes() as f64;
        figures.push(Figure::new(format!("{name}_bytes"), bytes, "B"));
        if shape == Shape::Shared {
            figures.extend(beside::measure(&bench)?);
        }
    }
    Ok(figures)
}

/// What makes a set decide, and the analysis that a draft goes through before anybody can publish
/// it. Parsing YAML is the packs' own.
fn publish() -> Result<Vec<Figure>> {
    let packs = Workload::new(Shape::Shared, RULES, 1).packs();
    let mut best = [f64::INFINITY; 2];
    for _ in 0..RUNS {
        let start = cpu::thread_ns();
        let rules = published(&packs)?;
        let compiled = cpu::thread_ns();
        black_box(analyse(&rules));
        let taken = [compiled - start, cpu::thread_ns() - compiled];
        for (best, taken) in best.iter_mut().zip(taken) {
            *best = best.min(taken as f64 * MILLI);
        }
    }
    let [publish, check] = best;
    Ok(vec![
        Figure::new("publish_10k", publish, "ms"),
        Figure::new("publish_10k_analysis", check, "ms"),
    ])
}

pub(super) fn published(packs: &[Pack]) -> Result<RuleSet> {
    let base = Currency::parse("USD").map_err(|error| bug(error.to_string()))?;
    compile(packs, &Rates::new(base), "bench").map_err(|found| packs::refused(&found))
}

impl Bench {
    fn new(shape: Shape, payments: usize) -> Result<Self> {
        let workload = Workload::new(shape, RULES, 1);
        let rules = published(&workload.packs())?;
        let shown = shown(&workload, &rules)?;
        let mut sample = rules.columns(BLOCK_ROWS);
        for payment in workload.payments(BLOCK_ROWS, 7) {
            let windows = payment.windows(workload.facts(), &shown);
            sample.push(&payment.slots(workload.facts(), &windows));
        }
        let payments = workload.payments(payments, 99);
        let of = |payment: &Payment| payment.windows(workload.facts(), &shown);
        Ok(Self {
            windows: payments.iter().map(of).collect(),
            rules: rules.resampled(&mut sample),
            workload,
            payments,
        })
    }

    /// Decides every payment, explanations included. Of each payment the best of some runs counts:
    /// a decision is too short for the kernel's count of processor time, and what lengthens one
    /// run but not the next is other programs.
    fn measure(&self) -> Measured {
        let mut best = vec![u128::MAX; self.payments.len()];
        let (mut hits, mut candidates) = (0, 0);
        let mut scratch = Scratch::default();
        for _ in 0..RUNS {
            (hits, candidates) = (0, 0);
            let payments = self.payments.iter().zip(&self.windows);
            for ((payment, windows), best) in payments.zip(&mut best) {
                // A decision has just read its windows: they are as near as they are here.
                let windows = windows.clone();
                let slots = payment.slots(self.workload.facts(), &windows);
                let start = Instant::now();
                self.rules
                    .evaluate_with(&slots, &mut scratch, || true, |_, _| {});
                explain(&self.rules, &scratch.hits().fired, &slots);
                *best = start.elapsed().as_nanos().min(*best);
                hits += scratch.hits().fired.len();
                candidates += scratch.hits().candidates;
            }
        }
        let count = best.len() as f64;
        let sum: u128 = best.iter().sum();
        best.sort_unstable();
        let p99 = best.get(best.len() * 99 / 100).copied().unwrap_or(0);
        Measured {
            mean_us: sum as f64 / count * MICRO,
            p99_us: p99 as f64 * MICRO,
            hits: hits as f64 / count,
            candidates: candidates as f64 / count,
        }
    }
}

/// What a decision keeps of the rules that fired: their operands with the values.
pub(super) fn explain(rules: &RuleSet, fired: &[usize], slots: &Slots<'_>) {
    let explained = rules.explain_all(fired.iter().copied(), slots);
    for rule in fired {
        black_box(explained.of(*rule));
    }
}

/// Which fact each window of the rules is.
pub(super) fn shown(workload: &Workload, rules: &RuleSet) -> Result<Vec<usize>> {
    let key = |window: &WindowSpec| WindowSpec {
        readers: Set::EMPTY,
        ..*window
    };
    let facts: Vec<usize> = workload.window_facts();
    let readers = published(&workload.readers())?;
    let known: HashMap<WindowSpec, usize> = readers.windows().iter().map(key).zip(facts).collect();
    let of = |window: &WindowSpec| known.get(&key(window)).copied();
    let shown: Option<Vec<usize>> = rules.windows().iter().map(of).collect();
    shown.ok_or_else(|| bug("a window of no fact".to_owned()))
}

/// Our figure, compared with the others if they are built in.
#[cfg(feature = "peers")]
fn against_peers(name: &str, bench: &Bench, ours: &Measured) -> Result<Vec<Figure>> {
    let (cel_us, zen_us) = peers::measure(bench)?;
    let ours = |name: String| Figure::new(name, ours.mean_us, "us");
    Ok(vec![
        ours(name.to_owned()).against(cel_us),
        ours(format!("{name}_vs_zen")).against(zen_us),
    ])
}

/// Our figure alone.
#[cfg(not(feature = "peers"))]
fn against_peers(name: &str, _bench: &Bench, ours: &Measured) -> Result<Vec<Figure>> {
    Ok(vec![Figure::new(name, ours.mean_us, "us")])
}

fn bug(what: String) -> Failure {
    Failure::environment(what, "report this as a bug")
}

fn text(figures: &[Figure]) -> String {
    let mut text = "10,000 rules, one payment, one core, explanations included\n".to_owned();
    for figure in figures {
        let value = figure.value.unwrap_or(f64::NAN);
        let times = figure
            .ratio
            .map(|ratio| format!("  1/{:.0} of its anchor", 1.0 / ratio));
        text += &format!(
            "  {:<28} {value:>12.1} {}{}\n",
            figure.name,
            figure.unit,
            times.unwrap_or_default()
        );
    }
    if !cfg!(feature = "peers") {
        text += "  build with --features peers for the CEL and zen crates beside it\n";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use paywarden_rules::Truth;

    #[test]
    fn the_table_reads_well() {
        let figures = [
            Figure::new("rules_10k_shared", 10.0, "us").against(15_000.0),
            Figure::new("rules_10k_shared_candidates", 250.0, "1"),
        ];
        let text = text(&figures);
        assert!(
            text.contains("rules_10k_shared                     10.0 us  1/1500 of its anchor\n")
        );
        assert!(text.contains("rules_10k_shared_candidates         250.0 1\n"));
    }

    /// The gate of the figures: work and not time, which is the machine's.
    #[test]
    fn the_index_leaves_few_candidates_and_misses_none() {
        let bench = Bench::new(Shape::Shared, 200).unwrap();
        let (mut candidates, mut steps) = (0, 0);
        let mut scratch = Scratch::default();
        for (place, (payment, windows)) in bench.payments.iter().zip(&bench.windows).enumerate() {
            let slots = payment.slots(bench.workload.facts(), windows);
            let count = |_, cost: u32| steps += u64::from(cost);
            bench
                .rules
                .evaluate_with(&slots, &mut scratch, || true, count);
            candidates += scratch.hits().candidates;
            if place < 5 {
                let fires = |rule: &usize| bench.rules.truth(*rule, &slots) == Truth::True;
                let expected: Vec<usize> = (0..RULES).filter(fires).collect();
                assert_eq!(scratch.hits().fired, expected);
            }
        }
        let share = candidates as f64 / (200 * RULES) as f64;
        assert!(share < 0.1, "{share}");
        assert!(steps < 200 * 2_000, "{steps}");
    }
}
