//! The point-in-time matrix of a file, a model learnt from a span of it, scores of another.

use super::history::{History, Past};
use crate::{
    failure::{Failure, Result},
    figures::Figure,
};
use paywarden_domain::{LabelVerdict, Outcome, Timestamp};
use paywarden_features::{Limits, Replay, Value};
use paywarden_models::{
    Calibration, Ensemble, Package, Reads, Recipe, Reference, Table,
    train::{self, Round, Settings},
};
use std::time::Instant;

/// A leaf has no more than one in so many rows at least …
const LEAVES_OF_ROWS: usize = 2_000;
/// … and never less than so many.
const LEAF_ROWS_MIN: u32 = 20;
/// Events that the windows may hold at once: the whole file.
const EVENTS_MAX: u64 = 1 << 24;

/// When a fraud becomes known.
pub enum Known {
    /// So many microseconds after the payment.
    After(i64),
    /// By payment, at this time.
    At(Vec<i64>),
}

impl Known {
    /// When it is known of the fraud at a place, which happened then.
    fn at(&self, place: usize, happened: i64) -> i64 {
        match self {
            Self::After(delay) => happened + delay,
            Self::At(times) => times.get(place).copied().unwrap_or(i64::MAX),
        }
    }
}

/// A span of time, half open.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// The first moment.
    pub from: i64,
    /// The first moment behind it.
    pub to: i64,
}

/// A file with the numbers that a model would have read at each payment.
pub struct Study<'a> {
    history: &'a History,
    /// What the numbers are.
    pub recipe: Recipe,
    /// One row for each payment.
    pub table: Table,
    labels: Vec<bool>,
}

/// A model and what it was learnt from.
pub struct Learnt {
    /// The model, learnt from all rows.
    pub model: Ensemble,
    /// The model that did not see the later rows: what it says of them tells how scores are to be
    /// read.
    pub early: Ensemble,
    /// The rows before the later ones.
    pub rows: Vec<u32>,
    /// Later rows that said when to stop.
    pub later: Vec<u32>,
    /// The mean loss of the later rows by the early model.
    pub loss: f64,
    /// How long training took.
    pub seconds: f64,
}

/// How studies train: fixed, and never tuned on what is scored. Small steps, leaves of many rows and
/// a draw of half of the features did best on days before those of any published figure.
pub fn settings() -> Settings {
    Settings {
        learning_rate: 0.03,
        feature_share: 0.5,
        child_rows_min: 100,
        l2: 5.0,
        patience: 50,
        ..Settings::default()
    }
}

impl<'a> Study<'a> {
    /// Lives through the file: at each payment the windows are read as the engine reads them, with
    /// the labels that are known by then. `delay` is what the windows behind the delay keep off.
    pub fn new(history: &'a History, delay: i64, known: &Known) -> Result<Self> {
        Self::with(history, delay, known, |_, _| None)
    }

    /// Like [`Study::new`]; `alert` is asked about each payment with its numbers, and may say that
    /// the truth about it is known at some time already.
    pub fn with(
        history: &'a History,
        delay: i64,
        known: &Known,
        mut alert: impl FnMut(usize, &[f64]) -> Option<i64>,
    ) -> Result<Self> {
        let recipe = Recipe::payments(history.payer, history.place, delay);
        let limits = Limits {
            events_max: EVENTS_MAX,
            ..Limits::default()
        };
        let mut replay = Replay::new(limits, recipe.windows())
            .map_err(|error| Failure::environment(error, "report this as a bug"))?;
        let mut table = Table::new(recipe.names().to_vec()).map_err(refused)?;
        let mut values: Vec<Value> = Vec::new();
        let mut row = Vec::new();
        for (place, past) in history.payments.iter().enumerate() {
            let number = place as u64 + 1;
            let now = Timestamp::from_micros(past.event.at);
            let bounded = replay.decide(now, number, &past.event, Outcome::Approve, &mut values);
            if bounded != Some(false) {
                return Err(Failure::environment(
                    "the windows do not hold the file",
                    "cut it",
                ));
            }
            recipe
                .fill(&past.event, &values, &mut row)
                .map_err(refused)?;
            table.push(&row).map_err(refused)?;
            let alerted = alert(place, &row);
            let told = match (past.fraud, alerted) {
                (true, alerted) => {
                    let later = known.at(place, past.event.at);
                    Some((
                        alerted.map_or(later, |at| at.min(later)),
                        LabelVerdict::Fraud,
                    ))
                }
                (false, alerted) => alerted.map(|at| (at, LabelVerdict::Genuine)),
            };
            if let Some((at, verdict)) = told {
                replay.label(Timestamp::from_micros(at), number, verdict);
            }
        }
        Ok(Self {
            history,
            recipe,
            table,
            labels: history.payments.iter().map(|past| past.fraud).collect(),
        })
    }

    /// The payments of the rows.
    pub fn past(&self) -> &[Past] {
        &self.history.payments
    }

    /// Learns from rows; the later ones say when to stop, and are learnt from with as many trees
    /// then: the newest frauds are the most like those to come.
    pub fn learn(
        &self,
        (rows, later): (Vec<u32>, Vec<u32>),
        settings: &Settings,
        mut on_round: impl FnMut(Round),
    ) -> Result<Learnt> {
        let start = Instant::now();
        let settings = &Settings {
            child_rows_min: leaf_rows(rows.len()).min(settings.child_rows_min),
            ..settings.clone()
        };
        let mut loss = f64::INFINITY;
        let early = self.grow((&rows, &later), settings, |round| {
            loss = round.loss.map_or(loss, |found| found.min(loss));
            on_round(round);
        })?;
        let settings = Settings {
            trees_max: early.size().0 as u32,
            ..settings.clone()
        };
        let all = [&rows[..], &later].concat();
        Ok(Learnt {
            model: self.grow((&all, &[]), &settings, on_round)?,
            early,
            rows,
            later,
            loss,
            seconds: start.elapsed().as_secs_f64(),
        })
    }

    /// Learns from rows, with so many trees.
    pub fn learn_trees(&self, rows: &[u32], trees: u32, settings: &Settings) -> Result<Ensemble> {
        let settings = Settings {
            child_rows_min: leaf_rows(rows.len()).min(settings.child_rows_min),
            trees_max: trees,
            ..settings.clone()
        };
        self.grow((rows, &[]), &settings, |_| {})
    }

    /// What goes to work: the model, calibrated by what the early one said of days that it had not
    /// seen, and what these days looked like.
    pub fn package(&self, learnt: &Learnt, delay: i64) -> Result<Package> {
        self.packed(&learnt.model, (&learnt.early, &learnt.later), delay)
    }

    /// A model with the recipe of the study, calibrated by what a model like it said of some rows.
    /// Refuses one that reads other features, by name.
    pub fn packed(
        &self,
        model: &Ensemble,
        (judge, rows): (&Ensemble, &[u32]),
        delay: i64,
    ) -> Result<Package> {
        model.bind(self.recipe.names()).map_err(refused)?;
        let (raw, fraud) = self.raw(judge, rows)?;
        Ok(Package {
            reads: Reads {
                payer: self.history.payer,
                place: self.history.place,
                delay,
            },
            model: model.clone(),
            calibration: Calibration::isotonic(&raw, &fraud).map_err(refused)?,
            reference: Reference::of(&self.table, rows, &raw, &fraud),
        })
    }

    fn grow(
        &self,
        rows: (&[u32], &[u32]),
        settings: &Settings,
        on_round: impl FnMut(Round),
    ) -> Result<Ensemble> {
        train::train(&self.table, &self.labels, rows, settings, on_round).map_err(refused)
    }

    /// Raw scores of some rows, and which are fraud.
    pub fn raw(&self, model: &Ensemble, rows: &[u32]) -> Result<(Vec<f64>, Vec<bool>)> {
        let raw = rows
            .iter()
            .map(|row| model.raw(self.table.row(*row as usize)));
        let fraud = rows.iter().map(|row| self.labels[*row as usize]);
        Ok((
            raw.collect::<Result<_, _>>().map_err(refused)?,
            fraud.collect(),
        ))
    }
}

/// Payments of a leaf at least: of few payments, smaller leaves.
fn leaf_rows(rows: usize) -> u32 {
    u32::try_from(rows / LEAVES_OF_ROWS)
        .unwrap_or(u32::MAX)
        .max(LEAF_ROWS_MIN)
}

/// Figures as lines for people.
pub fn text(figures: &[Figure]) -> String {
    let line = |figure: &Figure| {
        let value = figure
            .value
            .map_or("-".into(), |value| format!("{value:.4}"));
        format!("  {:<34} {value:>14} {}\n", figure.name, figure.unit)
    };
    figures.iter().map(line).collect()
}

/// What a model or a matrix could not be.
pub fn refused(error: paywarden_models::Error) -> Failure {
    let next = match error {
        paywarden_models::Error::Features { .. } | paywarden_models::Error::Row { .. } => {
            "train it on the numbers that `paywarden train --matrix` writes, in their order"
        }
        _ => "check the data and the dates",
    };
    Failure::wrong_use(error, next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use paywarden_domain::{
        EventKind, PaymentId,
        time::{DAY, MINUTE},
    };
    use paywarden_features::{EntityKind, FeatureEvent, FeatureStore};
    use paywarden_models::random::Random;

    fn history(count: i64) -> History {
        let mut random = Random::new(8);
        let past = |place: i64| {
            let mut event = FeatureEvent::new(EventKind::PaymentCard, place * 37 * MINUTE);
            event.amount = Some(random.below(10_000) as i64);
            event.entities[EntityKind::Customer as usize] = 1 + random.below(12) as u64;
            event.entities[EntityKind::Terminal as usize] = 1 + random.below(9) as u64;
            Past {
                id: PaymentId::parse(&format!("p{place}")).unwrap(),
                event,
                fraud: random.below(6) == 0,
                amount: 1.0,
                scenario: None,
                stands_for: 1,
            }
        };
        History {
            payments: (0..count).map(past).collect(),
            payer: EntityKind::Customer,
            place: EntityKind::Terminal,
        }
    }

    /// The matrix has the bits that the store of a running engine would have answered, where labels
    /// arrive as they become known.
    #[test]
    fn the_matrix_is_what_the_engine_would_have_read() {
        let history = history(3_000);
        let delay = 3 * DAY;
        let study = Study::new(&history, delay, &Known::After(delay)).unwrap();
        let store = FeatureStore::new(Limits::default());
        store.register(study.recipe.windows()).unwrap();
        let (mut values, mut row, mut labelled) = (Vec::new(), Vec::new(), 0);
        for (place, past) in history.payments.iter().enumerate() {
            while history.payments[labelled].event.at + delay <= past.event.at {
                if history.payments[labelled].fraud {
                    assert!(store.label(labelled as u64 + 1, LabelVerdict::Fraud));
                }
                labelled += 1;
            }
            let ticket = store.reserve(&past.event, &mut values);
            study.recipe.fill(&past.event, &values, &mut row).unwrap();
            store.commit(ticket, Outcome::Approve);
            let found = study.table.row(place).iter().map(|value| value.to_bits());
            assert!(
                found.eq(row.iter().map(|value| value.to_bits())),
                "row {place}"
            );
        }
        assert!(labelled > 2_000);
    }

    /// What becomes known later, and what was alerted later, changes no row before.
    #[test]
    fn no_row_reads_what_was_not_known_yet() {
        let history = history(1_500);
        let delay = 3 * DAY;
        let never = Study::new(&history, delay, &Known::After(i64::MAX / 2)).unwrap();
        let late = Study::new(&history, delay, &Known::After(delay)).unwrap();
        let alert = |place: usize, _: &[f64]| {
            place
                .is_multiple_of(2)
                .then(|| history.payments[place].event.at + MINUTE)
        };
        let prompt = Study::with(&history, delay, &Known::After(delay), alert).unwrap();
        let first = |one: &Study<'_>, other: &Study<'_>| {
            let rows = one.table.rows().zip(other.table.rows());
            let bits = |row: &[f64]| row.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            rows.into_iter()
                .position(|(one, other)| bits(one) != bits(other))
                .unwrap()
        };
        let fraud = history.payments.iter().position(|past| past.fraud).unwrap();
        let known = history.payments[fraud].event.at + delay;
        let at = |place: usize| history.payments[place].event.at;
        assert!(at(first(&never, &late)) >= known);
        // The first payment is looked at after a minute; that it was genuine is known from then on.
        assert!(!history.payments[0].fraud);
        let told = at(first(&late, &prompt));
        assert!(told >= at(0) + MINUTE && told < known);
    }
}
