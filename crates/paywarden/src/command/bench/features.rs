//! `paywarden bench features`: eight entities, eight windows and six aggregates of each payment,
//! read and brought up to date; a busy merchant beside quiet ones; a restart.

mod postgres;
mod world;

use crate::{
    cpu,
    failure::{Failure, Result},
    figures::{Figure, Report},
    private::Scratch,
    progress::Progress,
    terminal,
};
use paywarden_domain::Outcome;
use paywarden_features::{EntityKind, FeatureEvent, FeatureStore, Value};
use postgres::{Asked, Postgres};
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::time::Instant;
use world::{BUSY, World};

/// Payments before each measurement, so that code is warm.
const WARM_UP: u64 = 2_000;
/// Payments that PostgreSQL is asked about.
const COMPARED: u64 = 50;

/// Arguments of `bench features`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Entities, and past payments
    #[arg(long, default_value_t = 5_000_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1_000..=20_000_000))]
    entities: u64,
    /// Payments measured
    #[arg(long, default_value_t = 20_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(100..=1_000_000))]
    payments: u64,
    /// Rows of the PostgreSQL table; PostgreSQL looks at as many rows per window in a larger one
    #[arg(long, default_value_t = 200_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1_000..=5_000_000))]
    rows: u64,
    /// Leave out the comparison with PostgreSQL
    #[arg(long)]
    no_anchor: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub async fn run(arguments: Arguments) -> Result<()> {
    let json = arguments.json;
    let figures = tokio::task::spawn_blocking(move || measure(&arguments));
    let figures = figures.await.map_err(|error| bug(&error))??;
    if json {
        terminal::result(&Report::new("bench features", figures).to_json()?);
    } else {
        terminal::result(&text(&figures));
    }
    Ok(())
}

fn measure(arguments: &Arguments) -> Result<Vec<Figure>> {
    let progress = Progress::new(5);
    progress.show(1, "one query per aggregate");
    let anchor = if arguments.no_anchor {
        None
    } else {
        compare(arguments.rows)?
    };
    progress.show(2, "past payments");
    let world = World {
        events: arguments.entities,
        busy: true,
    };
    let before = resident_bytes();
    let store = world.filled().map_err(|error| bug(&error))?;
    let bytes = resident_bytes().saturating_sub(before);
    let entities = store.stats().entities;
    progress.show(3, "payments");
    let mut number = world.events;
    let quiet = timed(&store, &world, &mut number, arguments.payments, false);
    progress.show(4, "the busy merchant");
    let busy = timed(&store, &world, &mut number, arguments.payments, true);
    let (each, inside) = anchor.unzip();
    let mut figures = vec![
        against(Figure::new("features_8x8x6", quiet.mean, "us"), each),
        against(
            Figure::new("features_8x8x6_inside", quiet.mean, "us"),
            inside,
        ),
        Figure::new("features_8x8x6_p50_us", quiet.at(0.5), "us"),
        Figure::new("features_8x8x6_p99_us", quiet.at(0.99), "us"),
        Figure::new("features_8x8x6_bytes", bytes as f64 / entities as f64, "B"),
        Figure::new("features_hot", busy.mean, "us").against(quiet.mean),
        Figure::new("features_hot_p99_us", busy.at(0.99), "us").against(quiet.at(0.99)),
    ];
    progress.show(5, "a restart");
    figures.extend(restart(store, &world)?);
    Ok(figures)
}

/// Both stores get the same payments and must give the same values; returns how long PostgreSQL
/// takes for one payment, in microseconds: asked query by query, and all queries inside the server.
fn compare(rows: u64) -> Result<Option<(f64, f64)>> {
    let Some(postgres) = Postgres::start()? else {
        terminal::note("no PostgreSQL here: the figures stand without their anchor");
        return Ok(None);
    };
    let world = World {
        events: rows,
        busy: false,
    };
    postgres.load(&world)?;
    let store = world.filled().map_err(|error| bug(&error))?;
    // Later than all that happened, by the keys of payments that did.
    let asked: Vec<FeatureEvent> = (1..=COMPARED)
        .map(|place| FeatureEvent {
            at: world.event(rows).at,
            ..world.event(place * (rows / COMPARED))
        })
        .collect();
    // Once to plan and to fill the caches of the server.
    postgres.ask(&asked)?;
    let (each, inside) = (postgres.ask_each(&asked)?, postgres.ask(&asked)?);
    let mut values = Vec::new();
    for (event, answers) in asked.iter().zip(each.iter().zip(&inside)) {
        store.abort(store.reserve(event, &mut values));
        let ours: Vec<i64> = values
            .iter()
            .map(|value| value.number().unwrap_or(-1))
            .collect();
        if ours != answers.0.values || ours != answers.1.values {
            return Err(Failure::not_held(
                "PostgreSQL counts the same payments differently",
                "report this as a bug",
            ));
        }
    }
    let took = |answers: &[Asked]| {
        answers.iter().map(|answer| answer.took_us).sum::<f64>() / answers.len() as f64
    };
    Ok(Some((took(&each), took(&inside))))
}

/// Decides payments that go on in time; each costs its reading and its adding. The mean is of
/// processor time. Asking for that takes as long as a tenth of a payment: shares are of elapsed time
/// and want a quiet machine.
fn timed(
    store: &FeatureStore,
    world: &World,
    number: &mut u64,
    payments: u64,
    busy: bool,
) -> Times {
    let mut times = Vec::with_capacity(payments as usize);
    let mut began = 0;
    let mut values: Vec<Value> = Vec::new();
    for place in 0..WARM_UP + payments {
        *number += 1;
        let mut event = world.event(*number);
        let merchant = &mut event.entities[EntityKind::Merchant as usize];
        if busy {
            *merchant = BUSY;
        } else if *merchant == BUSY {
            *merchant = world.event(*number + 1).entity(EntityKind::Merchant);
        }
        if place == WARM_UP {
            began = cpu::thread_ns();
        }
        let start = Instant::now();
        let ticket = store.reserve(&event, &mut values);
        store.commit(ticket, Outcome::Approve);
        if place >= WARM_UP {
            times.push(start.elapsed().as_nanos() as f64 / 1000.0);
        }
    }
    let mean = (cpu::thread_ns() - began) as f64 / 1000.0 / payments as f64;
    times.sort_unstable_by(f64::total_cmp);
    Times { mean, times }
}

/// Microseconds: processor time of one payment, and elapsed times, ascending.
struct Times {
    mean: f64,
    times: Vec<f64>,
}

impl Times {
    /// The time that a share of them does not exceed.
    fn at(&self, share: f64) -> f64 {
        let place = (self.times.len().saturating_sub(1) as f64 * share) as usize;
        self.times.get(place).copied().unwrap_or(f64::NAN)
    }
}

/// Writes an image, forgets everything and reads it back, up to the first decision.
fn restart(store: FeatureStore, world: &World) -> Result<Vec<Figure>> {
    let scratch = Scratch::new()?;
    let path = scratch.path().join("windows");
    let file = File::create(&path).map_err(|error| bug(&error))?;
    store
        .snapshot(0, BufWriter::new(file))
        .map_err(|error| bug(&error))?;
    let expected = store.stats();
    drop(store);
    let (wall, began) = (Instant::now(), cpu::thread_ns());
    let store = FeatureStore::new(world.limits());
    store
        .register(&World::specs())
        .map_err(|error| bug(&error))?;
    let file = File::open(&path).map_err(|error| bug(&error))?;
    store
        .restore(BufReader::with_capacity(1 << 20, file))
        .map_err(|error| bug(&error))?;
    // Counted before the next payment, with whose time the oldest ones go.
    let restored = store.stats().events;
    let mut values = Vec::new();
    let event = world.event(world.events * 2);
    let ticket = store.reserve(&event, &mut values);
    let (wall, used) = (wall.elapsed(), cpu::thread_ns() - began);
    store.abort(ticket);
    if restored != expected.events {
        return Err(Failure::not_held(
            "an image lost payments",
            "report this as a bug",
        ));
    }
    Ok(vec![
        Figure::new("restart_5m", used as f64 / 1e6, "ms"),
        Figure::new("restart_5m_elapsed", wall.as_secs_f64() * 1000.0, "ms"),
    ])
}

fn against(figure: Figure, anchor: Option<f64>) -> Figure {
    match anchor {
        Some(anchor) => figure.against(anchor),
        None => figure,
    }
}

fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}

fn bug(error: &dyn std::fmt::Display) -> Failure {
    Failure::environment(error, "report this as a bug")
}

fn text(figures: &[Figure]) -> String {
    let mut text = "windows of one payment: 8 entities, 8 windows, 6 aggregates\n".to_owned();
    for figure in figures {
        let value = figure.value.unwrap_or(f64::NAN);
        let anchor = figure.anchor.map(|anchor| match figure.name.as_str() {
            "features_8x8x6" => format!("{:>9.0} times faster than one query each", anchor / value),
            "features_8x8x6_inside" => {
                format!(
                    "{:>9.0} times faster than all queries inside the server",
                    anchor / value
                )
            }
            _ => format!("{:>9.2} times a quiet one", value / anchor),
        });
        text += &format!(
            "  {:<24} {value:>10.2} {:<3}{}\n",
            figure.name,
            figure.unit,
            anchor.unwrap_or_default()
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_reads_well() {
        let figures = [
            Figure::new("features_8x8x6", 8.25, "us").against(33_000.0),
            Figure::new("features_8x8x6_bytes", 210.5, "B"),
            Figure::new("features_hot", 10.0, "us").against(8.0),
        ];
        insta::assert_snapshot!(text(&figures));
    }

    #[test]
    fn a_small_world_gives_every_figure() {
        let arguments = Arguments {
            entities: 2_000,
            payments: 100,
            rows: 1_000,
            no_anchor: false,
            json: true,
        };
        let figures = measure(&arguments).unwrap();
        let names: Vec<&str> = figures.iter().map(|figure| figure.name.as_str()).collect();
        insta::assert_snapshot!(names.join("\n"));
        assert!(figures.iter().all(|figure| figure.value.is_some()));
    }
}
