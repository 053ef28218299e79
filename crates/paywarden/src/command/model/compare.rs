//! `paywarden model compare`: a challenger beside the live model, as a server that runs knows them.

use crate::{
    command::{
        replay::RemoteFlags,
        report::{self, StretchFlags, share},
    },
    failure::Result,
    terminal,
};
use serde_json::Value;

/// Arguments of `model compare`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The challenger, `mdl_…`
    model: String,
    /// Whose model: fraud or laundering
    #[arg(long, default_value = "fraud")]
    engine: String,
    #[command(flatten)]
    stretch: StretchFlags,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: RemoteFlags,
}

/// Runs the command.
pub async fn run(arguments: &Arguments) -> Result<()> {
    let path = format!(
        "/v1/models/{}/comparison{}&engine={}",
        arguments.model,
        arguments.stretch.query(),
        arguments.engine
    );
    let compared = report::read(&arguments.server, &path).await?;
    terminal::result(&match arguments.json {
        true => format!("{compared}\n"),
        false => text(&compared),
    });
    Ok(())
}

fn text(compared: &Value) -> String {
    let word = |member: &str| compared[member].as_str().unwrap_or_default();
    let rate = compared["alert_rate"].as_f64().unwrap_or(0.0) * 100.0;
    let mut text = format!(
        "{} beside {}\n{} payments with {} frauds on {} days, at {rate:.2} % alerts each\n\n{:<12} {:>8} {:>10}  gain\n",
        word("challenger"),
        word("live"),
        compared["payments"],
        compared["frauds"],
        compared["days"],
        "",
        "live",
        "challenger",
    );
    for figure in compared["figures"].as_array().into_iter().flatten() {
        let number = |member: &str| {
            let value = figure[member].as_f64();
            value.map_or("-".to_owned(), |value| format!("{value:.4}"))
        };
        text += &format!(
            "{:<12} {:>8} {:>10}  {}\n",
            figure["name"].as_str().unwrap_or_default(),
            number("live"),
            number("challenger"),
            share(&figure["gain"]),
        );
    }
    text += &format!(
        "\nfrauds expected over frauds found {}\n",
        share(&compared["calibration"])
    );
    match compared["held_back"].as_str() {
        Some(why) => text + "it would not be promoted: " + why + "\n",
        None => text + "it may be promoted\n",
    }
}
