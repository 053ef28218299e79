//! What scores are worth, as figures.

use super::super::train::{history::History, study::Study};
use crate::{failure::Result, figures::Figure};
use paywarden_domain::time::DAY;
use paywarden_models::{
    Ensemble,
    metrics::{self, Interval, OfCard, Scored},
};
use std::{collections::BTreeMap, sync::Arc};

/// Budgets of alerts, with their names.
pub const RATES: [(f64, &str); 5] = [
    (0.001, "01"),
    (0.005, "05"),
    (0.01, "1"),
    (0.02, "2"),
    (0.05, "5"),
];
/// Redrawings of the days for an interval.
const DRAWS: usize = 200;
/// Bins of the calibration error.
const BINS: usize = 20;

/// Scored payments.
pub struct Judged {
    /// Chance of fraud, truth and amount.
    pub scored: Vec<Scored>,
    days: Vec<i64>,
    payers: Vec<u64>,
    scenarios: Vec<Option<Arc<str>>>,
}

impl Judged {
    /// Scores some rows.
    pub fn new(
        history: &History,
        study: &Study<'_>,
        model: &Ensemble,
        rows: &[u32],
    ) -> Result<Self> {
        let (raw, fraud) = study.raw(model, rows)?;
        let past = |row: &u32| &history.payments[*row as usize];
        let scored = rows
            .iter()
            .zip(raw)
            .zip(fraud)
            .map(|((row, raw), fraud)| Scored {
                score: model.link().probability(raw),
                fraud,
                amount: past(row).amount,
            });
        Ok(Self {
            scored: scored.collect(),
            days: rows
                .iter()
                .map(|row| past(row).event.at.div_euclid(DAY))
                .collect(),
            payers: rows.iter().map(|row| history.payer_of(*row)).collect(),
            scenarios: rows.iter().map(|row| past(row).scenario.clone()).collect(),
        })
    }

    /// The payments by card, ranked by something.
    pub fn of_cards(&self, rank: impl Fn(&Scored) -> f64) -> Vec<OfCard> {
        let rows = self.scored.iter().zip(&self.days).zip(&self.payers);
        rows.map(|((scored, day), card)| OfCard {
            day: *day,
            card: *card,
            score: rank(scored),
            fraud: scored.fraud,
        })
        .collect()
    }

    /// The kinds of fraud of the payments.
    pub fn scenarios(&self) -> &[Option<Arc<str>>] {
        &self.scenarios
    }

    /// What there is of each payment, by the day of the payment.
    pub fn by_day<T: Copy>(&self, each: &[T]) -> Vec<Vec<T>> {
        let mut days: BTreeMap<i64, Vec<T>> = BTreeMap::new();
        for (day, one) in self.days.iter().zip(each) {
            days.entry(*day).or_default().push(*one);
        }
        days.into_values().collect()
    }
}

/// Every figure of a set of scored payments.
pub fn figures(judged: &Judged) -> Vec<Figure> {
    let scored = &judged.scored;
    let frauds = scored.iter().filter(|one| one.fraud).count();
    let by_amount = by_amount(scored);
    let mut figures = vec![
        Figure::count("scored", scored.len() as u64),
        Figure::count("frauds", frauds as u64),
        Figure::new("auc", metrics::area_under_roc(scored), "1"),
        Figure::new("ap", metrics::average_precision(scored), "1"),
    ];
    for (rate, name) in RATES {
        let caught = metrics::at_rate(scored, rate);
        let value = metrics::at_rate(&by_amount, rate).value;
        figures.extend([
            Figure::new(format!("recall_at_{name}"), caught.recall, "1"),
            Figure::new(format!("precision_at_{name}"), caught.precision, "1"),
            Figure::new(format!("value_at_{name}"), caught.value, "1"),
            Figure::new(format!("value_by_amount_at_{name}"), value, "1"),
        ]);
    }
    if let Some((rate, precision)) = metrics::cost_of(scored, 0.9) {
        figures.push(Figure::new("alert_rate_of_recall_90", rate, "1"));
        figures.push(Figure::new("precision_of_recall_90", precision, "1"));
    }
    figures.extend(intervals(judged));
    figures.extend(scenarios(judged));
    let mean = scored.iter().map(|one| one.score).sum::<f64>() / scored.len() as f64;
    let base = frauds as f64 / scored.len() as f64;
    figures.push(Figure::new("mean_chance", mean, "1").against(base));
    let error = metrics::calibration_error(scored, BINS);
    figures.push(Figure::new("calibration_error", error, "1"));
    figures
}

/// The same payments, ranked by chance times amount.
pub fn by_amount(scored: &[Scored]) -> Vec<Scored> {
    let ranked = scored.iter().map(|one| Scored {
        score: one.score * one.amount,
        ..*one
    });
    ranked.collect()
}

/// What alerts at the threshold of a closed loop came to, from a time on.
pub fn of_alerts(history: &History, alerted: &[bool], from: i64) -> Vec<Figure> {
    let rows = history.payments.iter().zip(alerted);
    let rows = rows.filter(|(past, _)| past.event.at >= from);
    let [
        mut all,
        mut alerts,
        mut frauds,
        mut caught,
        mut amount,
        mut stopped,
    ] = [0.0; 6];
    for (past, alerted) in rows {
        let (fraud, alerted) = (
            f64::from(u8::from(past.fraud)),
            f64::from(u8::from(*alerted)),
        );
        all += 1.0;
        alerts += alerted;
        frauds += fraud;
        caught += fraud * alerted;
        amount += fraud * past.amount;
        stopped += fraud * alerted * past.amount;
    }
    vec![
        Figure::share("loop_alert_rate", alerts, all),
        Figure::share("loop_recall", caught, frauds),
        Figure::share("loop_precision", caught, alerts),
        Figure::share("loop_value", stopped, amount),
    ]
}

/// Where the main figures lie in nine of ten redrawings of the days.
fn intervals(judged: &Judged) -> Vec<Figure> {
    let days = judged.by_day(&judged.scored);
    let at = |pick: fn(metrics::Caught) -> f64| {
        move |scored: &[Scored]| pick(metrics::at_rate(scored, 0.01))
    };
    let bounds = |name: &str, interval: Interval| {
        [("low", interval.low), ("high", interval.high)]
            .map(|(end, value)| Figure::new(format!("{name}_{end}"), value, "1"))
    };
    let recall = metrics::interval(&days, DRAWS, 1, at(|caught| caught.recall));
    let value = metrics::interval(&days, DRAWS, 1, at(|caught| caught.value));
    let ap = metrics::interval(&days, DRAWS, 1, metrics::average_precision);
    let named = [("ap", ap), ("recall_at_1", recall), ("value_at_1", value)];
    named
        .into_iter()
        .flat_map(|(name, interval)| bounds(name, interval))
        .collect()
}

/// Recall at one alert in a hundred by kind of fraud.
fn scenarios(judged: &Judged) -> Vec<Figure> {
    let mut order: Vec<usize> = (0..judged.scored.len()).collect();
    order.sort_by(|one, other| {
        judged.scored[*other]
            .score
            .total_cmp(&judged.scored[*one].score)
    });
    let alerts = (order.len() as f64 * 0.01).round() as usize;
    let mut counts: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for (rank, row) in order.iter().enumerate() {
        if let Some(scenario) = judged.scenarios[*row]
            .as_deref()
            .filter(|_| judged.scored[*row].fraud)
        {
            let (caught, all) = counts.entry(scenario).or_default();
            *caught += f64::from(u8::from(rank < alerts));
            *all += 1.0;
        }
    }
    let name = |scenario: &str| scenario.replace(|c: char| !c.is_alphanumeric(), "_");
    let figure = |(scenario, (caught, all)): (&&str, &(f64, f64))| {
        Figure::share(format!("recall_at_1_of_{}", name(scenario)), *caught, *all)
    };
    counts.iter().map(figure).collect()
}
