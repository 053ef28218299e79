//! Decisions beside a publish: one thread decides payment after payment while another publishes
//! and swaps the rule set, as the server does; what it costs the slowest of them.

use super::{Bench, MICRO, explain, published};
use crate::{cpu, failure::Result, figures::Figure};
use paywarden_rules::{RuleSet, Scratch};
use std::{
    sync::{
        Arc, RwLock,
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

/// The slowest decisions without and with publishes beside them. Waiting for a processor, which is
/// other programs', is taken off.
pub fn measure(bench: &Bench) -> Result<Vec<Figure>> {
    let live = RwLock::new(Arc::new(bench.rules.clone()));
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
    let figures = [("alone", alone), ("beside", beside)].map(|(when, mut taken)| {
        taken.sort_unstable();
        let at = |share: usize| taken.get((taken.len() * share / 10_000).min(taken.len() - 1));
        let figure = |end: &str, nanos: Option<&u64>| {
            let micros = nanos.map_or(f64::NAN, |nanos| *nanos as f64 * MICRO);
            Figure::new(format!("decision_{when}_{end}_us"), micros, "us")
        };
        [figure("p999", at(9_990)), figure("max", taken.last())]
    });
    Ok(figures.into_iter().flatten().collect())
}

/// Publishes the same rules once more. What decided before is freed here, never by a decision.
fn publish(bench: &Bench, live: &RwLock<Arc<RuleSet>>) -> Result<()> {
    let rules = Arc::new(published(&bench.workload.packs())?);
    let Ok(mut live) = live.write() else {
        return Ok(());
    };
    let old = std::mem::replace(&mut *live, rules);
    drop(live);
    while Arc::strong_count(&old) > 1 {
        thread::sleep(RETIRE_LOOK);
    }
    Ok(())
}

/// Nanoseconds that each decision took, while there are more to make.
fn decide(
    bench: &Bench,
    live: &RwLock<Arc<RuleSet>>,
    mut more: impl FnMut(usize) -> bool,
) -> Vec<u64> {
    let mut scratch = Scratch::default();
    let mut taken = Vec::new();
    let mut payments = bench.payments.iter().zip(&bench.windows).cycle();
    while more(taken.len())
        && let Some((payment, windows)) = payments.next()
    {
        let slots = payment.slots(bench.workload.facts(), windows);
        let waited = cpu::waited_ns();
        let start = Instant::now();
        let Some(rules) = live.read().ok().map(|rules| Arc::clone(&rules)) else {
            break;
        };
        rules.evaluate_with(&slots, &mut scratch, || true, |_, _| {});
        explain(&rules, &scratch.hits().fired, &slots);
        drop(rules);
        let nanos = start.elapsed().as_nanos() as u64;
        taken.push(nanos.saturating_sub(cpu::waited_ns() - waited));
    }
    taken
}
