//! `paywarden evaluate`: what a model is worth on later payments, learnt from what was known before.
//!
//! Nothing is tuned on what is scored: settings are fixed, and training stops by the last fortnight
//! before.

mod against;
mod cards;
mod feedback;
pub(super) mod measure;

use super::train::{
    DataFlags, FileFlags,
    history::History,
    matrix, sheet,
    study::{self, Known, Study},
};
use crate::{
    failure::{Failure, Result},
    figures::{Figure, Report},
    progress::Progress,
    terminal, time,
};
use feedback::Feedback;
use measure::{Judged, figures};
use paywarden_domain::{Timestamp, time::DAY};
use paywarden_models::{Ensemble, metrics};
use std::path::PathBuf;

/// What is scored, and what is learnt from.
type Parts = (Vec<u32>, (Vec<u32>, Vec<u32>));

/// Test days of the Handbook's protocol.
const HANDBOOK_DAYS: i64 = 7;
/// Cards that are looked at each day in it.
const HANDBOOK_CARDS: usize = 100;

/// Protocols that score the payments from a day on.
const NEEDS_DAY: [(&str, &str); 2] = [("protocol", "handbook"), ("protocol", "timesplit")];

/// How payments to learn from and payments to score are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Protocol {
    /// The Fraud Detection Handbook's: seven test days, cards known to be compromised left out
    Handbook,
    /// All payments from a day on
    Timesplit,
    /// Payments of three in ten payers, learnt from those of the others
    Cards,
}

/// Arguments of `evaluate`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    data: DataFlags,
    /// How payments to learn from and payments to score are chosen
    #[arg(long, value_enum)]
    protocol: Protocol,
    /// The first day that is scored; what is learnt was known before it [with --protocol cards: the
    /// end of the warm-up]
    #[arg(long, value_parser = time::parse, required_if_eq_any = NEEDS_DAY)]
    test_from: Option<Timestamp>,
    #[command(flatten)]
    feedback: Feedback,
    /// Another model's scores, to compare with on the same payments: a CSV file with a header, in
    /// each line a payment and its chance of fraud
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Where to write every payment with the numbers that the judged model read, as NumPy's .npy
    #[arg(long, value_name = "FILE")]
    matrix: Option<PathBuf>,
    /// Where to write a report: one page that needs nothing else, and beside it the same as JSON
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub async fn run(arguments: Arguments) -> Result<()> {
    let done = tokio::task::spawn_blocking(move || evaluate(&arguments)).await;
    done.map_err(|error| Failure::environment(error, "report this as a bug"))?
}

fn evaluate(arguments: &Arguments) -> Result<()> {
    let (flags, file) = (&arguments.data, &arguments.data.file);
    let history = file.history()?;
    let warm = file.span(&history, history.end() + 1 + file.delay).from;
    let from = arguments.test_from.map_or(warm, Timestamp::micros);
    let (rows, to_learn) = parts(arguments.protocol, &history, file, from)?;
    let against = arguments.against.as_ref();
    let other = against.map(|path| against::read(path, &history, &rows));
    let other = other.transpose()?;
    let span = file.span(&history, from);
    let teacher = Teacher {
        history: &history,
        flags,
        rows: &to_learn,
    };
    let mut found = Vec::new();
    let (study, model) = if arguments.feedback.is_open() {
        let study = Study::new(&history, file.delay, &Known::After(file.delay))?;
        let model = teacher.learn(&study)?;
        (study, model)
    } else {
        let (study, model, alerts) = arguments.feedback.close(&teacher, file.delay, span)?;
        found.extend(measure::of_alerts(&history, &alerts, from));
        (study, model)
    };
    let judged = Judged::new(&history, &study, &model, &rows)?;
    found.extend(figures(&judged));
    if let Some(other) = other {
        found.extend(against::figures(&judged, &other));
    }
    match arguments.protocol {
        Protocol::Handbook => found.extend(card_precision(&judged)),
        Protocol::Cards => found.extend(cards::figures(&judged)),
        Protocol::Timesplit => {}
    }
    if let Some(path) = &arguments.matrix {
        matrix::write(&study, path)?;
    }
    if let Some(path) = &arguments.report {
        let seen = [&to_learn.0[..], &to_learn.1].concat();
        let seen = (&model, &rows[..], &seen[..]);
        let title = "What a model is worth on payments that it has not seen";
        sheet::of((title, file), &study, seen, &judged)?.write(path)?;
    }
    found.push(Figure::count("features", study.recipe.names().len() as u64));
    found.push(Figure::count("trees", model.size().0 as u64));
    terminal::result(&if arguments.json {
        Report::new("evaluate", found).to_json()?
    } else {
        study::text(&found)
    });
    Ok(())
}

/// What is learnt from, and how.
struct Teacher<'a> {
    history: &'a History,
    flags: &'a DataFlags,
    /// Rows to grow trees by, and rows to stop by.
    rows: &'a (Vec<u32>, Vec<u32>),
}

impl Teacher<'_> {
    /// A model of all rows.
    fn learn(&self, study: &Study<'_>) -> Result<Ensemble> {
        let settings = self.flags.settings(study.recipe.rising());
        let progress = Progress::new(u64::from(settings.trees_max));
        let learnt = study.learn(self.rows.clone(), &settings, |round| {
            progress.show(u64::from(round.trees), "train");
        })?;
        Ok(learnt.model)
    }

    /// A model of so many trees that has not seen some payers.
    fn learn_without(
        &self,
        study: &Study<'_>,
        trees: u32,
        is_left_out: impl Fn(u64) -> bool,
    ) -> Result<Ensemble> {
        let (rows, later) = self.rows;
        let rows = rows.iter().chain(later).copied();
        let rows: Vec<u32> = rows
            .filter(|row| !is_left_out(self.history.payer_of(*row)))
            .collect();
        let settings = self.flags.settings(study.recipe.rising());
        study.learn_trees(&rows, trees, &settings)
    }
}

/// The rows that a protocol scores, and those that it learns from: to grow trees by, to stop by.
fn parts(protocol: Protocol, history: &History, file: &FileFlags, from: i64) -> Result<Parts> {
    let to_learn = || history.to_learn(file.span(history, from), |_| true);
    let parts = match protocol {
        Protocol::Timesplit => (history.within(from, i64::MAX), to_learn()),
        Protocol::Handbook => (handbook_rows(history, from, file.delay), to_learn()),
        Protocol::Cards => cards::split(history, file, from),
    };
    if parts.0.is_empty() {
        return Err(Failure::wrong_use(
            "nothing to score",
            "name an earlier --test-from",
        ));
    }
    Ok(parts)
}

/// The test days without the cards that are known to be compromised: by frauds of the week of
/// training that ends a delay before, and from day to day by those that become known.
fn handbook_rows(history: &History, from: i64, delay: i64) -> Vec<u32> {
    let known_from = from - delay - HANDBOOK_DAYS * DAY;
    (0..HANDBOOK_DAYS)
        .flat_map(|day| {
            let start = from + day * DAY;
            let known = history.defrauded(known_from, start - delay);
            let rows = history.within(start, start + DAY).into_iter();
            rows.filter(|row| !known.contains(&history.payer_of(*row)))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn card_precision(judged: &Judged) -> Vec<Figure> {
    let best = judged.of_cards(|scored| f64::from(u8::from(scored.fraud)));
    let found = judged.of_cards(|scored| scored.score);
    let figure = |name: &str, payments: &[metrics::OfCard]| {
        let value = metrics::card_precision(payments, HANDBOOK_CARDS);
        Figure::new(format!("card_precision_{HANDBOOK_CARDS}{name}"), value, "1")
    };
    vec![figure("", &found), figure("_ceiling", &best)]
}
