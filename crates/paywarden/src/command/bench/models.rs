//! `paywarden bench models`: what a prediction with its reasons costs, what a live model adds to a
//! decision, and what training costs, beside LightGBM on the same rows in the same run where a Python
//! with it is named.
//!
//! Before a prediction is timed, its score with and without reasons must have the same bits, and
//! the reasons must add up to it. Each latency is the shortest of some runs over a row, so that what
//! else the machine does is not counted.

mod decision;

use crate::{
    command::train::study,
    cpu,
    failure::{Failure, Result},
    figures::{Figure, Report},
    private::Scratch,
    progress::Progress,
    terminal,
};
use paywarden_models::{
    Ensemble, Table,
    metrics::{self, Scored},
    random::Random,
    train::{Settings, train},
};
use serde::Deserialize;
use std::{
    fs::File,
    hint::black_box,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

const FEATURES: usize = 35;
const TREES: u32 = 200;
/// Rows that both models are judged on.
const JUDGED: usize = 200_000;
/// Rows whose predictions are timed.
const TIMED: usize = 20_000;
const RUNS: usize = 5;
/// Trains LightGBM on the rows of a file and says how long it took and what it scores.
const SCRIPT: &str = include_str!("models.py");

/// Arguments of `bench models`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Rows to train on
    #[arg(long, default_value_t = 800_000)]
    #[arg(value_parser = clap::value_parser!(u32).range(20_000..=4_000_000))]
    rows: u32,
    /// Threads to train with
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
    threads: u32,
    /// A Python with lightgbm and numpy, to train beside ours
    #[arg(long, value_name = "PYTHON")]
    python: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What LightGBM came to.
#[derive(Deserialize)]
struct Peer {
    seconds: f64,
    cpu_seconds: f64,
    scores: Vec<f64>,
}

/// Runs the command.
pub async fn run(arguments: &Arguments) -> Result<()> {
    let mut figures = decision::figures().await?;
    figures.extend(measure(arguments)?);
    terminal::result(&if arguments.json {
        Report::new("bench models", figures).to_json()?
    } else {
        study::text(&figures)
    });
    Ok(())
}

fn measure(arguments: &Arguments) -> Result<Vec<Figure>> {
    let progress = Progress::new(4);
    progress.show(0, "rows");
    let (table, labels) = rows(arguments.rows as usize + JUDGED)?;
    let all: Vec<u32> = (0..table.len() as u32).collect();
    let (learnt, judged) = all.split_at(arguments.rows as usize);
    progress.show(1, "train");
    let settings = Settings {
        trees_max: TREES,
        threads: arguments.threads,
        // Which features the two happen to draw would say more than how they learn.
        feature_share: 1.0,
        ..study::settings()
    };
    let (start, used) = (Instant::now(), cpu::process());
    let model = train(&table, &labels, (learnt, &[]), &settings, |_| {}).map_err(study::refused)?;
    let (seconds, cpu_seconds) = (
        start.elapsed().as_secs_f64(),
        (cpu::process() - used).as_secs_f64(),
    );
    progress.show(2, "predict");
    let scores = judged
        .iter()
        .map(|row| model.probability(table.row(*row as usize)));
    let scores = scores
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(study::refused)?;
    let precision = |scores: &[f64]| average_precision(scores, &labels, judged);
    let ours = [seconds, cpu_seconds, precision(&scores)];
    let names = ["train_s", "train_cpu_s", "train_ap"];
    let figure = |(name, value): (&str, f64)| {
        Figure::new(name, value, if name.ends_with("_s") { "s" } else { "1" })
    };
    let mut figures = predictions(&model, &table)?;
    progress.show(3, "LightGBM");
    let trained = names.into_iter().zip(ours).map(figure);
    match &arguments.python {
        None => figures.extend(trained),
        Some(python) => {
            let peer = peer(python, &table, &labels, arguments)?;
            let theirs = [peer.seconds, peer.cpu_seconds, precision(&peer.scores)];
            figures.extend(
                trained
                    .zip(theirs)
                    .map(|(figure, theirs)| figure.against(theirs)),
            );
        }
    }
    Ok(figures)
}

/// Made-up payments: counts, sums and shares with missing values; fraud in one of fifty, from a few
/// of them together.
fn rows(count: usize) -> Result<(Table, Vec<bool>)> {
    let names = (0..FEATURES).map(|place| format!("f{place}")).collect();
    let mut table = Table::new(names).map_err(study::refused)?;
    let mut random = Random::new(1);
    let mut labels = Vec::with_capacity(count);
    let mut row = [0.0; FEATURES];
    for _ in 0..count {
        for (place, value) in row.iter_mut().enumerate() {
            *value = match (place % 4, random.below(10)) {
                (1, 0) => f64::NAN,
                (0, _) => random.below(8).pow(2) as f64,
                (1, _) => random.below(1_000_000) as f64 / 1e4,
                (2, _) => (random.below(1_000) as f64 / 100.0).exp(),
                _ => random.below(3) as f64,
            };
        }
        let odds = [
            row[0] > 30.0,
            row[1] > 70.0,
            row[2] > 5_000.0,
            row[3] > 1.0,
            row[5] < 20.0,
        ];
        let met = odds.iter().filter(|met| **met).count();
        labels.push(random.below(1_000) < [2, 4, 15, 90, 400, 800][met]);
        table.push(&row).map_err(study::refused)?;
    }
    Ok((table, labels))
}

fn predictions(model: &Ensemble, table: &Table) -> Result<Vec<Figure>> {
    let mut reasons = vec![0.0; FEATURES];
    let (mut with, mut without, mut exact) = (Vec::new(), Vec::new(), f64::INFINITY);
    let shortest = |ask: &mut dyn FnMut() -> f64| {
        let run = || {
            let start = Instant::now();
            black_box(ask());
            start.elapsed().as_nanos() as f64 / 1e3
        };
        std::iter::repeat_with(run)
            .take(RUNS)
            .fold(f64::INFINITY, f64::min)
    };
    for row in table.rows().take(TIMED) {
        let raw = model.explain(row, &mut reasons).map_err(study::refused)?;
        let sum = reasons.iter().sum::<f64>() + model.mean();
        if model.raw(row).map(f64::to_bits) != Ok(raw.to_bits()) || (sum - raw).abs() > 1e-6 {
            return Err(Failure::not_held(
                "reasons do not add up to the score",
                "report this as a bug",
            ));
        }
        with.push(shortest(&mut || {
            model.explain(row, &mut reasons).unwrap_or(f64::NAN)
        }));
        without.push(shortest(&mut || model.raw(row).unwrap_or(f64::NAN)));
    }
    for row in table.rows().take(RUNS) {
        exact = exact.min(shortest(&mut || {
            model.shapley(row, &mut reasons).unwrap_or(f64::NAN)
        }));
    }
    let quantile = |times: &mut Vec<f64>, share: f64| {
        times.sort_by(f64::total_cmp);
        times[((times.len() - 1) as f64 * share) as usize]
    };
    Ok(vec![
        Figure::count("trees", model.size().0 as u64),
        Figure::count("leaves", model.size().1 as u64),
        Figure::new("predict_p50_us", quantile(&mut without, 0.5), "us"),
        Figure::new(
            "predict_with_reasons_p50_us",
            quantile(&mut with, 0.5),
            "us",
        ),
        Figure::new(
            "predict_with_reasons_p99_us",
            quantile(&mut with, 0.99),
            "us",
        )
        .against(10.0),
        Figure::new("shapley_us", exact, "us"),
    ])
}

fn average_precision(scores: &[f64], labels: &[bool], judged: &[u32]) -> f64 {
    let scored = |(score, row): (&f64, &u32)| Scored {
        score: *score,
        fraud: labels[*row as usize],
        amount: 1.0,
    };
    metrics::average_precision(&scores.iter().zip(judged).map(scored).collect::<Vec<_>>())
}

/// Trains LightGBM with the same settings, threads and rows.
fn peer(python: &Path, table: &Table, labels: &[bool], arguments: &Arguments) -> Result<Peer> {
    let scratch = Scratch::new()?;
    let file = scratch.path().join("rows");
    let missing =
        |error: std::io::Error| Failure::environment(error, "name a Python with lightgbm");
    let mut writer = BufWriter::new(File::create(&file).map_err(missing)?);
    for (row, fraud) in table.rows().zip(labels) {
        let values = row.iter().copied().chain([f64::from(u8::from(*fraud))]);
        for value in values {
            writer.write_all(&value.to_le_bytes()).map_err(missing)?;
        }
    }
    writer.flush().map_err(missing)?;
    drop(writer);
    let output = Command::new(python)
        .args(["-c", SCRIPT])
        .arg(&file)
        .args([FEATURES as u32, arguments.rows, arguments.threads, TREES].map(|n| n.to_string()))
        .output()
        .map_err(missing)?;
    serde_json::from_slice(&output.stdout).map_err(|error| {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().last().unwrap_or("nothing").to_owned();
        Failure::environment(
            format!("{error}; Python said: {last}"),
            "name a Python with lightgbm",
        )
    })
}
