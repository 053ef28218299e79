//! What a screening among 70,000 parties costs, and the comparison of two names.

use super::{
    change::{Dice, changed},
    data::Data,
};
use crate::{
    cpu,
    failure::{Failure, Result},
    figures::Figure,
};
use paywarden_screening::{
    Index, Kind, Name, Query, Room,
    compare::{Prepared, plain},
    index::THRESHOLD,
};
use std::{hint::black_box, time::Instant};

/// Names of listed parties that are asked, a third of them as they stand, and of others.
const LISTED: usize = 2_000;
const OTHERS: usize = 2_000;
/// Runs of which the shortest counts.
const RUNS: usize = 5;
/// Rounds over all labelled pairs, so that the clock is fine enough.
const PAIR_ROUNDS: usize = 100;
/// Hits that are asked for.
const HITS_MAX: usize = 10;

/// A name and what bears it.
type Asked = (String, Kind);

pub(super) fn figures(data: &Data) -> Result<Vec<Figure>> {
    let before = cpu::thread_ns();
    let index = Index::build(data.large());
    let build_ms = (cpu::thread_ns() - before) as f64 / 1e6;
    let asked = asked(data);
    alike(&index, &asked)?;
    let (latencies, names_per_second) = times(&index, &asked);
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize];
    Ok(vec![
        Figure::count(
            "entities",
            index
                .lists()
                .iter()
                .map(|list| list.entities.len() as u64)
                .sum(),
        ),
        Figure::count("listed_names", index.names() as u64),
        Figure::new("index_build_ms", build_ms, "ms"),
        Figure::new("screening_p50_us", at(0.5), "us").against(500.0),
        Figure::new("screening_p99_us", at(0.99), "us").against(220_000.0),
        Figure::new("screening_max_us", at(1.0), "us"),
        Figure::new("names_per_second", names_per_second, "1/s").against(95.0),
        Figure::new("pair_us", pair_us(data), "us").against(274.0),
    ])
}

fn asked(data: &Data) -> Vec<Asked> {
    let mut dice = Dice::new(3);
    let mut asked = Vec::new();
    for number in 0..LISTED {
        let entity = &data.ofac.entities[dice.throw(data.ofac.entities.len())];
        let Some(name) = entity.names.get(dice.throw(entity.names.len())) else {
            continue;
        };
        let text = match number.is_multiple_of(3) {
            true => name.text.clone(),
            false => changed(&name.text, &mut dice),
        };
        asked.push((text, entity.kind));
    }
    let others = (0..OTHERS).map(|_| data.people[dice.throw(data.people.len())].clone());
    asked.extend(others.map(|name| (name, Kind::Person)));
    asked
}

/// The same name is answered alike whatever was asked before it.
fn alike(index: &Index, asked: &[Asked]) -> Result<()> {
    let mut room = Room::default();
    for name in asked {
        if hits(index, name, &mut room) != hits(index, name, &mut Room::default()) {
            return Err(Failure::not_held(
                "one name was answered in two ways",
                "report this as a bug: a screening must not depend on what was asked before",
            ));
        }
    }
    Ok(())
}

fn hits(index: &Index, (name, kind): &Asked, room: &mut Room) -> Vec<(String, u32)> {
    let hits = index.screen(&Query::name(name, *kind), THRESHOLD, HITS_MAX, room);
    let hits = hits.unwrap_or_default();
    hits.iter()
        .map(|hit| (hit.entity.id.clone(), hit.score.to_bits()))
        .collect()
}

/// Latencies in microseconds in order, and names per second of processor time.
fn times(index: &Index, asked: &[Asked]) -> (Vec<f64>, f64) {
    let mut room = Room::default();
    let mut shortest = vec![f64::INFINITY; asked.len()];
    let before = cpu::thread_ns();
    for _ in 0..RUNS {
        for ((name, kind), shortest) in asked.iter().zip(&mut shortest) {
            let start = Instant::now();
            let query = Query::name(name, *kind);
            let hits = index.screen(&query, THRESHOLD, HITS_MAX, &mut room);
            black_box(hits.map(|hits| hits.len()).unwrap_or(0));
            *shortest = shortest.min(start.elapsed().as_nanos() as f64 / 1e3);
        }
    }
    let seconds = (cpu::thread_ns() - before) as f64 / 1e9;
    shortest.sort_by(f64::total_cmp);
    (shortest, (RUNS * asked.len()) as f64 / seconds)
}

fn pair_us(data: &Data) -> f64 {
    let pairs = data.pairs.iter().filter_map(|pair| {
        let one = Name::new(&pair.names[0], pair.kind).ok()?;
        let other = Name::new(&pair.names[1], pair.kind).ok()?;
        let asked = Prepared::new(&one, pair.kind, |token| token.weight());
        Some((asked, plain(&other), pair.kind))
    });
    let pairs: Vec<_> = pairs.collect();
    let before = cpu::thread_ns();
    for _ in 0..PAIR_ROUNDS {
        for (asked, listed, kind) in &pairs {
            black_box(asked.measure(listed, *kind));
        }
    }
    (cpu::thread_ns() - before) as f64 / 1e3 / (PAIR_ROUNDS * pairs.len()) as f64
}
