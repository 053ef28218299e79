//! The protocol of payers apart: learnt from seven in ten of them, scored on the others.
//!
//! What a model has seen of a payer, it does not see again; what is scored is told from what is learnt
//! by a hash of the payer, which no figure has had a say in.

use super::{
    super::train::{FileFlags, history::History},
    measure::Judged,
};
use crate::figures::Figure;
use paywarden_models::metrics;
use std::collections::BTreeSet;

/// Of so many payers …
const WHOLE: u64 = 10;
/// … so many are scored.
const SCORED: u64 = 3;
/// Budgets at which the first fraud of a payer is looked for.
const RATES: [(f64, &str); 2] = [(0.01, "1"), (0.02, "2")];

/// Rows to score, and rows to learn from.
pub fn split(history: &History, file: &FileFlags, from: i64) -> super::Parts {
    let is_scored = |payer: u64| payer % WHOLE < SCORED;
    let scored = history.within(from, i64::MAX).into_iter();
    let scored = scored.filter(|row| is_scored(history.payer_of(*row)));
    let span = file.span(history, history.end() + 1);
    (
        scored.collect(),
        history.to_learn(span, |payer| !is_scored(payer)),
    )
}

/// Of the payers with a fraud, how many had the first one alerted; and the most that the recall could
/// be at one alert in a hundred.
pub fn figures(judged: &Judged) -> Vec<Figure> {
    let payments = judged.of_cards(|scored| scored.score);
    let mut order: Vec<usize> = (0..payments.len()).collect();
    order.sort_by(|one, other| payments[*other].score.total_cmp(&payments[*one].score));
    let mut seen = BTreeSet::new();
    let frauds = (0..payments.len()).filter(|place| payments[*place].fraud);
    let firsts: BTreeSet<usize> = frauds
        .clone()
        .filter(|place| seen.insert(payments[*place].card))
        .collect();
    let alerted = |(rate, name): (f64, &str)| {
        let alerts = (rate * payments.len() as f64).round() as usize;
        let caught = order.iter().take(alerts);
        let caught = caught.filter(|place| firsts.contains(place)).count();
        Figure::share(
            format!("first_fraud_alerted_at_{name}"),
            caught as f64,
            firsts.len() as f64,
        )
    };
    let most = 0.01 * payments.len() as f64 / frauds.count() as f64;
    let value = metrics::at_rate(&judged.scored, 0.01).recall;
    let ceiling = Figure::new("recall_ceiling_at_1", most.min(1.0), "1");
    let reached = Figure::share("recall_of_ceiling_at_1", value, most.min(1.0));
    RATES
        .into_iter()
        .map(alerted)
        .chain([ceiling, reached])
        .collect()
}
