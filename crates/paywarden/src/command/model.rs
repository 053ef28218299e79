//! `paywarden model`: models in files, looked at, asked and converted, and brought to a server.

mod compare;
mod import;
mod publish;

use crate::{
    failure::{Failure, Result},
    summary::thousands,
    terminal,
};
use csv::StringRecord;
use paywarden_models::{Ensemble, import as formats, limits};
use paywarden_server::rows::{Lines, next_row};
use serde_json::json;
use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

/// What to do with a model.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Say what a model is and which features it reads
    Show(ShowArguments),
    /// Score the rows of a CSV file: raw score, probability, and what each feature added
    Predict(PredictArguments),
    /// Write a model in our own form
    Convert(ConvertArguments),
    /// Make a package of a model of another library, ready to be published
    Import(import::Arguments),
    /// Bring a package to a server that runs, and put it to work there
    Publish(publish::Arguments),
    /// Say how a challenger does beside the live model of a server that runs
    Compare(compare::Arguments),
}

/// A model in a file: ours, LightGBM text, XGBoost JSON, ONNX TreeEnsemble or a scorecard.
#[derive(Debug, Clone, clap::Args)]
struct ModelFile {
    /// The model: ours, LightGBM text, XGBoost JSON, ONNX TreeEnsemble or a scorecard
    model: PathBuf,
    /// Names of its features in their order, where the file does not tell them, separated by commas;
    /// @FILE for a file with one a line
    #[arg(long, value_name = "NAMES")]
    features: Option<String>,
}

/// Arguments of `model show`.
#[derive(Debug, clap::Args)]
pub struct ShowArguments {
    #[command(flatten)]
    file: ModelFile,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Arguments of `model predict`.
#[derive(Debug, clap::Args)]
pub struct PredictArguments {
    #[command(flatten)]
    file: ModelFile,
    /// Rows: the header names the features of the model in their order; empty is missing
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    /// Add a column for each feature: what it added along the paths
    #[arg(long)]
    reasons: bool,
    /// Add a column for each feature: its exact Shapley value
    #[arg(long, conflicts_with = "reasons")]
    shapley: bool,
}

/// Arguments of `model convert`.
#[derive(Debug, clap::Args)]
pub struct ConvertArguments {
    #[command(flatten)]
    file: ModelFile,
    /// Where to write it
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs the command.
pub async fn run(command: &Command) -> Result<()> {
    match command {
        Command::Show(arguments) => show(arguments),
        Command::Predict(arguments) => predict(arguments),
        Command::Convert(arguments) => convert(arguments),
        Command::Import(arguments) => import::run(arguments).await,
        Command::Publish(arguments) => publish::run(arguments).await,
        Command::Compare(arguments) => compare::run(arguments).await,
    }
}

fn show(arguments: &ShowArguments) -> Result<()> {
    let bytes = bytes(&arguments.file.model)?;
    let format = formats::Format::detect(&bytes).map_err(refused)?;
    let model = arguments.file.parse(&bytes)?;
    let (trees, leaves) = model.size();
    terminal::result(&if arguments.json {
        let object = json!({
            "format": format.name(), "trees": trees, "leaves": leaves,
            "features": model.features(), "mean": model.mean(),
        });
        format!("{object}\n")
    } else {
        format!(
            "{} model, {} trees with {} leaves\nfeatures {}\n",
            format.name(),
            thousands(trees as u64),
            thousands(leaves as u64),
            model.features().join(", ")
        )
    });
    Ok(())
}

fn predict(arguments: &PredictArguments) -> Result<()> {
    let model = arguments.file.read()?;
    let unreadable = |error| {
        Failure::environment(
            format!("cannot read {}: {error}", arguments.input.display()),
            "name a CSV file with a header",
        )
    };
    let file = File::open(&arguments.input).map_err(|error| unreadable(error.into()))?;
    let mut reader = csv::Reader::from_reader(Lines::new(file));
    let header: Vec<String> = reader
        .headers()
        .map_err(unreadable)?
        .iter()
        .map(str::to_owned)
        .collect();
    model.bind(&header).map_err(refused)?;
    let columns = if arguments.reasons || arguments.shapley {
        format!(",{}", header.join(","))
    } else {
        String::new()
    };
    terminal::result(&format!("raw,probability{columns}\n"));
    let mut added = vec![0.0; header.len()];
    let mut record = StringRecord::new();
    while let Some((line, read)) = next_row(&mut reader, &mut record) {
        read.map_err(unreadable)?;
        let row = numbers(line, &record)?;
        let raw = if arguments.shapley {
            model.shapley(&row, &mut added)
        } else {
            model.explain(&row, &mut added)
        };
        let raw = raw.map_err(refused)?;
        let mut line = format!("{raw:?},{:?}", model.link().probability(raw));
        if !columns.is_empty() {
            added
                .iter()
                .for_each(|value| line += &format!(",{value:?}"));
        }
        terminal::result(&(line + "\n"));
    }
    Ok(())
}

fn convert(arguments: &ConvertArguments) -> Result<()> {
    let model = arguments.file.read()?;
    let bytes = formats::native::write(&model).map_err(refused)?;
    write(&arguments.out, &bytes)
}

/// Writes a file whole.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).map_err(|error| {
        Failure::environment(
            format!("cannot write {}: {error}", path.display()),
            "name a file in a folder that you may write to",
        )
    })
}

fn numbers(line: u64, record: &StringRecord) -> Result<Vec<f64>> {
    let number = |field: &str| match field.trim() {
        "" => Ok(f64::NAN),
        text => text.parse().map_err(|_| {
            Failure::wrong_use(
                format!("line {line}: {text} is no number"),
                "write numbers, and nothing where a value is missing",
            )
        }),
    };
    record.iter().map(number).collect()
}

impl ModelFile {
    fn read(&self) -> Result<Ensemble> {
        self.parse(&bytes(&self.model)?)
    }

    fn parse(&self, bytes: &[u8]) -> Result<Ensemble> {
        let names = self.features.as_deref().map(import::names).transpose()?;
        formats::read(bytes, names.as_deref()).map_err(refused)
    }
}

/// The bytes of a model file; one byte more than the limit is enough to refuse it.
fn bytes(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| {
            file.take(limits::BYTES_MAX as u64 + 1)
                .read_to_end(&mut bytes)
        })
        .map_err(|error| {
            Failure::environment(
                format!("cannot read {}: {error}", path.display()),
                "name the file of a model",
            )
        })?;
    Ok(bytes)
}

fn refused(error: paywarden_models::Error) -> Failure {
    let next = match error {
        paywarden_models::Error::Nameless(_) => "name them in their order with --features",
        paywarden_models::Error::Features { .. } | paywarden_models::Error::Row { .. } => {
            "give the features that the model was trained on, in their order"
        }
        _ => "export the model again",
    };
    Failure::wrong_use(error, next)
}
