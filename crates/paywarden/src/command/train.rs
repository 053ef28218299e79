//! `paywarden train`: a model from a labelled file, learnt from what was known at each moment.

pub mod history;
#[cfg(test)]
mod live;
pub mod matrix;
pub mod sheet;
pub mod study;

use super::{evaluate::measure::Judged, model::write};
use crate::{
    failure::{Failure, Result},
    figures::{Figure, Report},
    mapping::Mapping,
    progress::Progress,
    terminal, time,
};
use history::History;
use paywarden_domain::Timestamp;
use paywarden_models::train::Settings;
use std::path::PathBuf;
use study::{Known, Span, Study};

/// A labelled file, and how it is read.
#[derive(Debug, Clone, clap::Args)]
pub struct FileFlags {
    /// Labelled payments: .csv or .csv.zst, in the order of time
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,
    /// handbook, sparkov, or the path of your own mapping
    #[arg(long, default_value = "handbook")]
    pub mapping: String,
    /// After how long a fraud becomes known: 7d, 12h, 90m
    #[arg(long, value_parser = history::duration, default_value = "7d")]
    pub delay: i64,
    /// Days at the beginning that only fill the windows
    #[arg(long, default_value_t = 30)]
    pub warm_up_days: u16,
}

/// What every study of a labelled file needs.
#[derive(Debug, Clone, clap::Args)]
pub struct DataFlags {
    /// The file.
    #[command(flatten)]
    pub file: FileFlags,
    /// Trees at most; the later days of training say when to stop
    #[arg(long, default_value_t = 600)]
    pub trees: u32,
    /// What the drawing of features follows from
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Hold features that count known frauds to raise the score only
    #[arg(long)]
    pub monotone: bool,
}

/// Arguments of `train`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    data: DataFlags,
    /// Learn from labels known before this time [default: the end of the file]
    #[arg(long, value_parser = time::parse)]
    until: Option<Timestamp>,
    /// Where to write the model, with its recipe, its calibration and what it saw: ready to be
    /// published
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Where to write its calibration by itself
    #[arg(long, value_name = "FILE")]
    calibration: Option<PathBuf>,
    /// Where to write every payment with the numbers that a model reads, as NumPy's .npy
    #[arg(long, value_name = "FILE")]
    matrix: Option<PathBuf>,
    /// Where to write a report of what the model said of the last fortnight before it learnt from
    /// it: one page that needs nothing else, and beside it the same as JSON
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl FileFlags {
    /// Reads the file.
    pub fn history(&self) -> Result<History> {
        History::read(&self.data, &Mapping::find(&self.mapping)?)
    }

    /// From the end of the warm-up to the last payment whose label is known at a time.
    pub fn span(&self, history: &History, until: i64) -> Span {
        Span {
            from: history.start() + i64::from(self.warm_up_days) * paywarden_domain::time::DAY,
            to: until - self.delay,
        }
    }
}

impl DataFlags {
    /// How to train, by these flags.
    pub fn settings(&self, rising: Vec<String>) -> Settings {
        Settings {
            trees_max: self.trees,
            seed: self.seed,
            rising: if self.monotone { rising } else { Vec::new() },
            ..study::settings()
        }
    }
}

/// Runs the command.
pub async fn run(arguments: Arguments) -> Result<()> {
    let done = tokio::task::spawn_blocking(move || train(&arguments)).await;
    done.map_err(|error| Failure::environment(error, "report this as a bug"))?
}

fn train(arguments: &Arguments) -> Result<()> {
    let (flags, file) = (&arguments.data, &arguments.data.file);
    let history = file.history()?;
    let until = arguments.until.map_or(history.end() + 1, Timestamp::micros);
    let study = Study::new(&history, file.delay, &Known::After(file.delay))?;
    if let Some(path) = &arguments.matrix {
        matrix::write(&study, path)?;
    }
    let rows = history.to_learn(file.span(&history, until), |_| true);
    let settings = flags.settings(study.recipe.rising());
    let progress = Progress::new(u64::from(settings.trees_max));
    let learnt = study.learn(rows, &settings, |round| {
        let loss = round
            .loss
            .map_or(String::new(), |loss| format!("loss {loss:.6}"));
        progress.show(u64::from(round.trees), loss);
    })?;
    drop(progress);
    let package = study.package(&learnt, file.delay)?;
    write(&arguments.out, &package.write().map_err(study::refused)?)?;
    if let Some(path) = &arguments.calibration {
        let json = serde_json::to_vec(&package.calibration)
            .map_err(|error| Failure::environment(error, "report this as a bug"))?;
        write(path, &json)?;
    }
    if let Some(path) = &arguments.report {
        let seen = (&learnt.early, &learnt.later[..], &learnt.rows[..]);
        let judged = Judged::new(&history, &study, &learnt.early, &learnt.later)?;
        let title = "What a model said of the last fortnight, before it learnt from it";
        sheet::of((title, file), &study, seen, &judged)?.write(path)?;
    }
    let (trees, leaves) = learnt.model.size();
    let figures = vec![
        Figure::count("rows", (learnt.rows.len() + learnt.later.len()) as u64),
        Figure::count("later_rows", learnt.later.len() as u64),
        Figure::count("features", study.recipe.names().len() as u64),
        Figure::count("trees", trees as u64),
        Figure::count("leaves", leaves as u64),
        Figure::new("later_loss", learnt.loss, "1"),
        Figure::new("train_s", learnt.seconds, "s"),
    ];
    terminal::result(&if arguments.json {
        Report::new("train", figures).to_json()?
    } else {
        study::text(&figures)
    });
    Ok(())
}
