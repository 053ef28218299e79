//! `paywarden detect`: what the rules find of each typology in simulated transfers, and what
//! each rule is worth as evidence.
//!
//! Rules are weighed on some seeds and judged on others.

mod weigh;

use crate::{
    failure::Result,
    figures::{Figure, Report},
    laundering::{Lone, bug, event},
    progress::Progress,
    tally::Ranking,
    terminal,
};
use paywarden_domain::Engine;
use paywarden_risk::combined;
use paywarden_rules::Scratch;
use paywarden_simulator::{Laundering, LaunderingSettings, Population, Typology};
use std::{
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};
use weigh::{Evidence, Weighed};

/// Streams simulated at once at most.
const THREADS_MAX: usize = 2;
/// How often progress is told, in transfers.
const TOLD_EVERY: u64 = 1024;

/// Arguments of `detect`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Streams to judge the rules by, a number each
    #[arg(long, value_delimiter = ',', default_values_t = [31, 32])]
    #[arg(num_args = 1..=16)]
    seeds: Vec<u64>,
    /// Weigh rules instead, by logistic regression on these streams, and say which score each comes
    /// to; those are for training, never for judging
    #[arg(long, value_delimiter = ',', num_args = 1..=16)]
    weigh: Vec<u64>,
    /// Customers of each stream, with one transfer a day for every two
    #[arg(long, default_value_t = 8_000, value_parser = clap::value_parser!(u32).range(500..=100_000))]
    customers: u32,
    /// Days of each stream
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(10..=365))]
    days: u32,
    /// Folder of rule packs instead of the shipped ones
    #[arg(long, value_name = "DIR")]
    rules_dir: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub async fn run(arguments: Arguments) -> Result<()> {
    let done = tokio::task::spawn_blocking(move || work(&arguments)).await;
    done.map_err(bug)?
}

fn work(arguments: &Arguments) -> Result<()> {
    let (figures, text) = match arguments.weigh.is_empty() {
        true => judged(arguments)?,
        false => weighed(arguments)?,
    };
    terminal::result(&match arguments.json {
        true => Report::new("detect", figures).to_json()?,
        false => text,
    });
    Ok(())
}

fn judged(arguments: &Arguments) -> Result<(Vec<Figure>, String)> {
    let mut ranking = Ranking::default();
    for seen in streams(arguments, &arguments.seeds)? {
        ranking.merge(seen.ranking);
    }
    Ok((ranking.figures(), ranking.table()))
}

fn weighed(arguments: &Arguments) -> Result<(Vec<Figure>, String)> {
    let mut evidence = Evidence::default();
    for seen in streams(arguments, &arguments.weigh)? {
        evidence.merge(seen.evidence);
    }
    let lone = Lone::new(arguments.rules_dir.as_deref())?;
    let rules = lone.rules.rules();
    let weighed: Vec<Weighed> = evidence.weigh(rules.len());
    let figures = weighed.iter().filter_map(|one| {
        let rule = rules.get(one.rule)?;
        Some(Figure::count(rule.id.clone(), u64::from(one.score)))
    });
    let mut text = format!(
        "{:<64} {:>9} {:>8} {:>7} {:>6} {:>6}\n",
        "rule", "fired", "illicit", "weight", "score", "stated"
    );
    for one in &weighed {
        let Some(rule) = rules.get(one.rule) else {
            continue;
        };
        text += &format!(
            "{:<64} {:>9} {:>8} {:>7.2} {:>6} {:>6}\n",
            rule.id, one.fired, one.illicit, one.weight, one.score, rule.score
        );
    }
    Ok((figures.collect(), text))
}

/// What was seen of one stream.
#[derive(Default)]
struct Seen {
    ranking: Ranking,
    evidence: Evidence,
}

/// Every stream, a few at once.
fn streams(arguments: &Arguments, seeds: &[u64]) -> Result<Vec<Seen>> {
    let transfers = u64::from(arguments.customers / 2) * u64::from(arguments.days);
    let progress = Progress::new(transfers * seeds.len() as u64);
    let done = AtomicU64::new(0);
    let mut all = Vec::new();
    for some in seeds.chunks(THREADS_MAX) {
        let seen = thread::scope(|scope| {
            let stream = |seed: &u64| {
                let (seed, done, progress) = (*seed, &done, &progress);
                scope.spawn(move || {
                    stream(arguments, seed, || {
                        let done = done.fetch_add(TOLD_EVERY, Ordering::Relaxed);
                        progress.show(done, "transfers");
                    })
                })
            };
            let workers: Vec<_> = some.iter().map(stream).collect();
            let joined = workers.into_iter().map(thread::ScopedJoinHandle::join);
            joined
                .map(|seen| seen.map_err(|_| bug("a stream broke off"))?)
                .collect::<Result<Vec<Seen>>>()
        })?;
        all.extend(seen);
    }
    Ok(all)
}

fn stream(arguments: &Arguments, seed: u64, tell: impl Fn()) -> Result<Seen> {
    let lone = Lone::new(arguments.rules_dir.as_deref())?;
    let population = Population::new(seed, arguments.customers as usize);
    let settings = LaunderingSettings {
        seed,
        days: arguments.days,
        transfers_per_day: arguments.customers / 2,
        ..LaunderingSettings::demo()
    };
    let (mut values, mut scratch, mut seen) = (Vec::new(), Scratch::default(), Seen::default());
    for (count, transfer) in (1u64..).zip(Laundering::new(&population, settings)) {
        let typology = transfer.origin.typology();
        lone.decide(&event(transfer.event)?, &mut values, &mut scratch);
        let fired = &scratch.hits().fired;
        let scores = fired
            .iter()
            .filter_map(|rule| lone.rules.rules().get(*rule));
        let score = combined(Engine::Laundering, scores.map(|rule| rule.score));
        seen.ranking.add(score, typology.map(Typology::name));
        seen.evidence.add(fired, typology.is_some());
        if count.is_multiple_of(TOLD_EVERY) {
            tell();
        }
    }
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments() -> Arguments {
        Arguments {
            seeds: vec![1],
            weigh: vec![3],
            customers: 500,
            days: 10,
            rules_dir: None,
            json: false,
        }
    }

    #[test]
    fn every_typology_is_judged_and_the_same_seeds_give_the_same_figures() {
        let (figures, text) = judged(&arguments()).unwrap();
        assert_eq!(judged(&arguments()).unwrap().0, figures);
        assert!(text.contains("found by laundering score"), "{text}");
        let all = figures
            .iter()
            .find(|figure| figure.name == "alerts_at_20_per_1000");
        assert!(all.unwrap().value.unwrap() > 0.0);
    }

    #[test]
    fn rules_that_fire_are_weighed() {
        let (figures, text) = weighed(&arguments()).unwrap();
        assert!(!figures.is_empty());
        assert!(text.lines().count() > figures.len());
    }
}
