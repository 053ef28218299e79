//! What a model is worth as one sheet: chapters of numbers, each with a picture drawn from them.

mod page;

use super::{FileFlags, study::Study};
use crate::{
    command::{
        evaluate::measure::{Judged, RATES, by_amount},
        model::write,
    },
    failure::{Failure, Result},
};
use paywarden_domain::Timestamp;
use paywarden_models::{
    Ensemble, Reference,
    metrics::{self, Scored},
};
use serde::Serialize;
use std::{collections::BTreeMap, path::Path};

/// Points of the curve.
const POINTS: usize = 40;
/// Bins of the calibration.
const BINS: usize = 20;
/// Rows that features are looked at in, at most.
const SAMPLE_MAX: usize = 20_000;
/// Features that a chapter names, at most.
const NAMED_MAX: usize = 20;

/// All that is told of a model.
#[derive(Debug, Serialize)]
pub struct Sheet {
    title: &'static str,
    /// On what data, with what label delay: a recall without them says nothing.
    facts: Vec<(&'static str, String)>,
    chapters: Vec<Chapter>,
}

/// A table, and how it is drawn.
#[derive(Debug, Serialize)]
struct Chapter {
    name: &'static str,
    title: &'static str,
    note: &'static str,
    columns: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
    #[serde(skip)]
    picture: Picture,
}

/// What a table holds.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum Cell {
    Text(String),
    /// `null` in JSON where it is none.
    Number(f64),
}

/// Which columns a picture shows.
#[derive(Debug, Clone, Copy)]
enum Picture {
    /// The second and later columns over the first.
    Lines,
    /// The second column as bars, named by the first.
    Bars,
}

/// The sheet of a model: what it said of some rows of a study, and the rows that it has seen before,
/// which drift is told from.
pub fn of(
    (title, file): (&'static str, &FileFlags),
    study: &Study<'_>,
    (model, rows, before): (&Ensemble, &[u32], &[u32]),
    judged: &Judged,
) -> Result<Sheet> {
    let (rows, before) = (sample(rows), sample(before));
    Ok(Sheet {
        title,
        facts: facts(file, study, model, judged),
        chapters: vec![
            curve(&judged.scored),
            rates(&judged.scored),
            scenarios(judged),
            calibration(&judged.scored),
            drift(study, model, (&before, &rows))?,
            shares(study, model, &rows)?,
        ],
    })
}

impl Sheet {
    /// Writes the page, and beside it the same as JSON.
    pub fn write(&self, path: &Path) -> Result<()> {
        let json = serde_json::to_vec_pretty(self)
            .map_err(|error| Failure::environment(error, "report this as a bug"))?;
        write(path, page::of(self).as_bytes())?;
        write(&path.with_extension("json"), &json)
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

fn facts(
    file: &FileFlags,
    study: &Study<'_>,
    model: &Ensemble,
    judged: &Judged,
) -> Vec<(&'static str, String)> {
    let name = file.data.file_name().unwrap_or_default();
    let frauds = judged.scored.iter().filter(|one| one.fraud).count();
    let time = |past: Option<&super::history::Past>| {
        past.map_or(String::new(), |past| {
            Timestamp::from_micros(past.event.at).to_string()
        })
    };
    let past = study.past();
    vec![
        ("data", name.to_string_lossy().into_owned()),
        ("first payment of the data", time(past.first())),
        ("last payment of the data", time(past.last())),
        (
            "label delay in hours",
            (file.delay / paywarden_domain::time::HOUR).to_string(),
        ),
        ("payments scored", judged.scored.len().to_string()),
        ("frauds among them", frauds.to_string()),
        ("trees", model.size().0.to_string()),
        ("features", study.recipe.names().len().to_string()),
    ]
}

fn curve(scored: &[Scored]) -> Chapter {
    let point =
        |[recall, precision, rate]: [f64; 3]| vec![recall.into(), precision.into(), rate.into()];
    Chapter {
        name: "precision_recall",
        title: "Precision over recall",
        note: "Alerting more finds more frauds and is right less often.",
        columns: vec!["recall", "precision", "alert rate"],
        rows: metrics::curve(scored, POINTS)
            .into_iter()
            .map(point)
            .collect(),
        picture: Picture::Lines,
    }
}

fn rates(scored: &[Scored]) -> Chapter {
    let by_amount = by_amount(scored);
    let row = |(rate, _): &(f64, &str)| {
        let caught = metrics::at_rate(scored, *rate);
        let loss = metrics::at_rate(&by_amount, *rate).value;
        [*rate, caught.recall, caught.value, loss, caught.precision]
            .map(Cell::from)
            .to_vec()
    };
    Chapter {
        name: "alert_rates",
        title: "What so many alerts bring",
        note: "Value is the share of the amount of frauds; the second one ranks by chance times amount.",
        columns: vec![
            "alert rate",
            "recall",
            "value",
            "value by amount",
            "precision",
        ],
        rows: RATES.iter().map(row).collect(),
        picture: Picture::Lines,
    }
}

fn scenarios(judged: &Judged) -> Chapter {
    let mut order: Vec<usize> = (0..judged.scored.len()).collect();
    order.sort_by(|one, other| {
        judged.scored[*other]
            .score
            .total_cmp(&judged.scored[*one].score)
    });
    let alerts = (order.len() as f64 * 0.01).round() as usize;
    let mut counts: BTreeMap<&str, [f64; 2]> = BTreeMap::new();
    for (rank, row) in order.iter().enumerate() {
        if judged.scored[*row].fraud {
            let name = judged.scenarios()[*row].as_deref().unwrap_or("not told");
            let count = counts.entry(name).or_default();
            count[0] += f64::from(u8::from(rank < alerts));
            count[1] += 1.0;
        }
    }
    let row = |(name, [caught, all]): (&str, [f64; 2])| {
        vec![name.into(), (caught / all).into(), all.into()]
    };
    Chapter {
        name: "scenarios",
        title: "Recall by kind of fraud",
        note: "At one alert in a hundred payments.",
        columns: vec!["kind", "recall", "frauds"],
        rows: counts.into_iter().map(row).collect(),
        picture: Picture::Bars,
    }
}

fn calibration(scored: &[Scored]) -> Chapter {
    let mut ranked: Vec<&Scored> = scored.iter().collect();
    ranked.sort_by(|one, other| one.score.total_cmp(&other.score));
    let size = ranked.len().div_ceil(BINS).max(1);
    let row = |bin: &[&Scored]| {
        let count = bin.len() as f64;
        let mean = bin.iter().map(|one| one.score).sum::<f64>() / count;
        let frauds = bin.iter().filter(|one| one.fraud).count() as f64;
        [mean, frauds / count, mean, count].map(Cell::from).to_vec()
    };
    Chapter {
        name: "calibration",
        title: "Chances and what came of them",
        note: "Payments in twenty parts of equal size by chance; where both lines meet, chances hold.",
        columns: vec!["mean chance", "share of frauds", "if it held", "payments"],
        rows: ranked.chunks(size).map(row).collect(),
        picture: Picture::Lines,
    }
}

fn drift(study: &Study<'_>, model: &Ensemble, (before, rows): (&[u32], &[u32])) -> Result<Chapter> {
    let (raw, fraud) = study.raw(model, before)?;
    let then = Reference::of(&study.table, before, &raw, &fraud);
    let mut found: Vec<(f64, &str, f64, f64)> = Vec::new();
    for (place, (name, spread)) in study.recipe.names().iter().zip(&then.features).enumerate() {
        let mut counts = vec![0; spread.bins()];
        for row in rows {
            counts[spread.bin(study.table.row(*row as usize)[place])] += 1;
        }
        let missing = counts.last().copied().unwrap_or(0) as f64 / rows.len() as f64;
        found.push((spread.stability(&counts), name, missing, spread.missing()));
    }
    found.sort_by(|one, other| other.0.total_cmp(&one.0));
    let row = |(moved, name, missing, then): &(f64, &str, f64, f64)| {
        vec![
            (*name).into(),
            (*moved).into(),
            (*missing).into(),
            (*then).into(),
        ]
    };
    Ok(Chapter {
        name: "drift",
        title: "How far the numbers have moved",
        note: "Population stability index against the payments learnt from: below 0.1 little has \
               changed, above 0.25 much has.",
        columns: vec!["feature", "index", "missing", "missing then"],
        rows: found.iter().take(NAMED_MAX).map(row).collect(),
        picture: Picture::Bars,
    })
}

fn shares(study: &Study<'_>, model: &Ensemble, rows: &[u32]) -> Result<Chapter> {
    let names = study.recipe.names();
    let (mut sums, mut added) = (vec![0.0; names.len()], vec![0.0; names.len()]);
    for row in rows {
        let row = study.table.row(*row as usize);
        model
            .explain(row, &mut added)
            .map_err(super::study::refused)?;
        sums.iter_mut()
            .zip(&added)
            .for_each(|(sum, added)| *sum += added.abs());
    }
    let whole: f64 = sums.iter().sum();
    let mut found: Vec<(f64, &String)> = sums.iter().map(|sum| sum / whole).zip(names).collect();
    found.sort_by(|one, other| other.0.total_cmp(&one.0));
    let row = |(share, name): &(f64, &String)| vec![name.as_str().into(), (*share).into()];
    Ok(Chapter {
        name: "features",
        title: "What moves the scores",
        note: "Each feature's share of all that features add along the paths, up or down.",
        columns: vec!["feature", "share"],
        rows: found.iter().take(NAMED_MAX).map(row).collect(),
        picture: Picture::Bars,
    })
}

/// Some of the rows, evenly.
fn sample(rows: &[u32]) -> Vec<u32> {
    let step = rows.len().div_ceil(SAMPLE_MAX).max(1);
    rows.iter().copied().step_by(step).collect()
}
