//! `paywarden model import`: a model of another library as a package that can be published.
//!
//! What a package has and a model file has not is measured on labelled payments: how scores become
//! chances, and how each number was spread.

use super::{ModelFile, write};
use crate::{
    command::train::{
        FileFlags,
        study::{self, Known, Study},
    },
    failure::{Failure, Result},
    figures::{Figure, Report},
    terminal, time,
};
use paywarden_domain::Timestamp;
use std::path::PathBuf;

/// Arguments of `model import`.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    file: ModelFile,
    /// Payments that it has not learnt from: the last fortnight of those whose label is known says how
    /// its scores become chances
    #[command(flatten)]
    data: FileFlags,
    /// Labels known before this time count [default: the end of the file]
    #[arg(long, value_parser = time::parse)]
    until: Option<Timestamp>,
    /// Where to write the package
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub async fn run(arguments: &Arguments) -> Result<()> {
    let arguments = arguments.clone();
    let done = tokio::task::spawn_blocking(move || import(&arguments)).await;
    done.map_err(|error| Failure::environment(error, "report this as a bug"))?
}

fn import(arguments: &Arguments) -> Result<()> {
    let model = arguments.file.read()?;
    let file = &arguments.data;
    let history = file.history()?;
    let study = Study::new(&history, file.delay, &Known::After(file.delay))?;
    let until = arguments.until.map_or(history.end() + 1, Timestamp::micros);
    let (_, rows) = history.to_learn(file.span(&history, until), |_| true);
    let package = study.packed(&model, (&model, &rows), file.delay)?;
    let bytes = package.write().map_err(study::refused)?;
    write(&arguments.out, &bytes)?;
    let figures = vec![
        Figure::count("trees", model.size().0 as u64),
        Figure::count("features", model.features().len() as u64),
        Figure::count("rows", package.reference.rows),
        Figure::count("frauds", package.reference.frauds),
        Figure::count("bytes", bytes.len() as u64),
    ];
    terminal::result(&match arguments.json {
        true => Report::new("model import", figures).to_json()?,
        false => study::text(&figures),
    });
    Ok(())
}

/// Names in a file, one a line; `NAME` itself if it names none.
pub fn names(text: &str) -> std::result::Result<Vec<String>, Failure> {
    let Some(path) = text.strip_prefix('@') else {
        return Ok(text.split(',').map(str::to_owned).collect());
    };
    let lines = std::fs::read_to_string(path).map_err(|error| {
        Failure::environment(
            format!("cannot read {path}: {error}"),
            "name a file with the name of a feature on each line",
        )
    })?;
    Ok(lines.lines().map(str::to_owned).collect())
}
