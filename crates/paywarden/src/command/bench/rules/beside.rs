//! Decisions beside a publish: one thread decides payment after payment while another publishes
//! and swaps the rule set, as the server does; what it costs the slowest of them.

use super::{Bench, MICRO, explain, published};
use crate::{cpu, failure::Result, figures::Figure};
use arc_swap::ArcSwap;
use paywarden_rules::{RuleSet, Scratch};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Publishes while decisions are timed.
const PUBLISHES: usize = 8;
/// Decisions before any is timed.
const WARM_UP: usize = 1_000;
/// How often it is looked whether a decision still uses the rules that were swapped.
const RETIRE_LOOK: Duration = Duration::from_millis(1);

/// How long one decision took.
#[derive(Debug, Clone, Copy)]
struct Taken {
    /// By the clock on the wall, in nanoseconds.
    wall_ns: u64,
    /// Without waiting for a processor, which other programs, the publisher and other machines of
    /// the host take: processor time, or by the wall if the thread stopped for anything else.
    ns: u64,
}

/// The slowest decisions without and with publishes beside them: by the wall, and without waiting
/// for a processor.
pub fn measure(bench: &Bench) -> Result<Vec<Figure>> {
    let live = ArcSwap::from_pointee(bench.rules.clone());
    // A server has decided before it publishes: its memory is at hand.
    decide(bench, &live, |done| done < WARM_UP);
    let published = AtomicBool::new(false);
    let (beside, outcome) = thread::scope(|scope| {
        let publisher = scope.spawn(|| {
            let outcome = (0..PUBLISHES).try_for_each(|_| publish(bench, &live));
            published.store(true, Ordering::Release);
            outcome
        });
        let beside = decide(bench, &live, |_| !published.load(Ordering::Acquire));
        (beside, publisher.join())
    });
    outcome.map_err(|_| super::bug("the publishing thread ended".to_owned()))??;
    let alone = decide(bench, &live, |done| done < beside.len());
    let figures = [("alone", alone), ("beside", beside)].map(|(when, taken)| {
        let sorted = |of: fn(&Taken) -> u64| {
            let mut nanos: Vec<u64> = taken.iter().map(of).collect();
            nanos.sort_unstable();
            nanos
        };
        let (own, wall) = (sorted(|taken| taken.ns), sorted(|taken| taken.wall_ns));
        let figure = |end: &str, nanos: Option<&u64>| {
            let micros = nanos.map_or(f64::NAN, |nanos| *nanos as f64 * MICRO);
            Figure::new(format!("decision_{when}_{end}_us"), micros, "us")
        };
        [
            figure("p999", own.get(own.len() * 999 / 1_000)),
            figure("max", own.last()),
            figure("wall_max", wall.last()),
        ]
    });
    Ok(figures.into_iter().flatten().collect())
}

/// Publishes the same rules once more. What decided before is freed here, never by a decision.
fn publish(bench: &Bench, live: &ArcSwap<RuleSet>) -> Result<()> {
    let rules = Arc::new(published(&bench.workload.packs())?);
    let old = live.swap(rules);
    while Arc::strong_count(&old) > 1 {
        thread::sleep(RETIRE_LOOK);
    }
    Ok(())
}

/// What each decision took, while there are more to make.
fn decide(
    bench: &Bench,
    live: &ArcSwap<RuleSet>,
    mut more: impl FnMut(usize) -> bool,
) -> Vec<Taken> {
    let mut scratch = Scratch::default();
    let mut taken = Vec::new();
    let mut payments = bench.payments.iter().zip(&bench.windows).cycle();
    while more(taken.len())
        && let Some((payment, windows)) = payments.next()
    {
        let slots = payment.slots(bench.workload.facts(), windows);
        let stops = cpu::stops();
        let (start, used) = (Instant::now(), cpu::thread_ns());
        let rules = live.load();
        rules.evaluate_with(&slots, &mut scratch, || true, |_, _| {});
        explain(&rules, &scratch.hits().fired, &slots);
        drop(rules);
        let used = cpu::thread_ns() - used;
        let wall_ns = start.elapsed().as_nanos() as u64;
        let ns = if cpu::stops() > stops { wall_ns } else { used };
        taken.push(Taken { wall_ns, ns });
    }
    taken
}
