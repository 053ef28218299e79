//! Another model's scores of the same payments, and by how much the judged model is above it.

use super::{
    super::train::history::History,
    measure::{Judged, by_amount},
};
use crate::{
    failure::{Failure, Result},
    figures::Figure,
};
use paywarden_models::metrics::{self, Scored};
use std::{collections::HashMap, path::Path};

/// Redrawings of the days for an interval.
const DRAWS: usize = 200;
/// One number about scored payments.
type Metric = fn(&[Scored]) -> f64;
/// What both models are asked for.
const ASKED: [(&str, Metric); 4] = [
    ("ap", metrics::average_precision),
    ("recall_at_1", |scored| {
        metrics::at_rate(scored, 0.01).recall
    }),
    ("value_at_1", |scored| metrics::at_rate(scored, 0.01).value),
    ("value_by_amount_at_05", |scored| {
        metrics::at_rate(&by_amount(scored), 0.005).value
    }),
];

/// The other model's chance of fraud of some rows: the file has a header and, in each line, a payment
/// and its score. Refuses a row without a score, a payment scored twice, and a score that is no number;
/// further payments in the file are left alone.
pub fn read(path: &Path, history: &History, rows: &[u32]) -> Result<Vec<f64>> {
    let wrong = |what: String| {
        let what = format!("{}: {what}", path.display());
        Failure::wrong_use(what, "give a CSV file with a header, payments and scores")
    };
    let mut reader = csv::Reader::from_path(path).map_err(|error| wrong(error.to_string()))?;
    let mut scores: HashMap<String, f64> = HashMap::new();
    for line in reader.deserialize() {
        let (payment, score): (String, f64) = line.map_err(|error| wrong(error.to_string()))?;
        if !score.is_finite() {
            return Err(wrong(format!(
                "the score of payment {payment} is no number"
            )));
        }
        if scores.insert(payment.clone(), score).is_some() {
            return Err(wrong(format!("payment {payment} is scored twice")));
        }
    }
    let score = |row: &u32| {
        let id = history.payments[*row as usize].id.as_str();
        let score = scores.get(id).copied();
        score.ok_or_else(|| wrong(format!("payment {id} has no score")))
    };
    rows.iter().map(score).collect()
}

/// The other model's figures, and by how much the judged model is above them, with where that lies
/// in nine of ten redrawings of the days, the same days for both.
pub fn figures(judged: &Judged, scores: &[f64]) -> Vec<Figure> {
    let pairs = judged.scored.iter().zip(scores);
    let pairs: Vec<[Scored; 2]> = pairs
        .map(|(own, score)| {
            [
                Scored {
                    score: *score,
                    ..*own
                },
                *own,
            ]
        })
        .collect();
    let other: Vec<Scored> = pairs.iter().map(|pair| pair[0]).collect();
    let days = judged.by_day(&pairs);
    let compare = |(name, figure): (&str, Metric)| {
        let gain = metrics::paired_days(&days, DRAWS, 1, figure);
        [
            ("of_other", figure(&other)),
            ("gain", gain.seen),
            ("gain_low", gain.low),
            ("gain_high", gain.high),
        ]
        .map(|(end, value)| Figure::new(format!("{name}_{end}"), value, "1"))
    };
    ASKED.into_iter().flat_map(compare).collect()
}
