//! `paywarden model publish`: a package brought to a server that runs, and put to work there.

use super::bytes;
use crate::{
    client::{Connection, Protocol, Reply},
    command::replay::RemoteFlags,
    failure::{Failure, Result},
    terminal,
};
use bytes::Bytes;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Whose model it becomes.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Judge {
    Fraud,
    Laundering,
}

/// Arguments of `model publish`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The package, as `train --out` writes it
    package: PathBuf,
    /// Whose model it becomes
    #[arg(long, value_enum, default_value = "fraud")]
    engine: Judge,
    /// Ask it beside the live one
    #[arg(long, conflicts_with = "policy")]
    shadow: bool,
    /// Let it decide by this policy, in JSON [default: register it only]
    #[arg(long, value_name = "JSON", value_parser = policy)]
    policy: Option<Value>,
    /// Let one in so many of the payments that scores alone would decline pass with a challenge,
    /// 200 to 1000 [default: none]
    #[arg(long, requires = "policy", value_name = "N")]
    control_one_in: Option<u16>,
    /// The approval of this very release, where one is needed
    #[arg(long, requires = "policy")]
    approval: Option<String>,
    /// Why; it goes into the trail
    #[arg(long, default_value = "a new model")]
    purpose: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: RemoteFlags,
}

/// Runs the command.
pub async fn run(arguments: &Arguments) -> Result<()> {
    let client = arguments.server.client(Protocol::Http1)?.ok_or_else(|| {
        Failure::wrong_use("no server is named", "name it with --url, --key and --ca")
    })?;
    let mut connection = client.connection();
    let package = Bytes::from(bytes(&arguments.package)?);
    let mut model = answer(&connection.upload("/v1/models", package).await?)?;
    if let Some((step, body)) = arguments.step() {
        let name = model["model"].as_str().unwrap_or_default();
        model = post(&mut connection, &format!("/v1/models/{name}/{step}"), &body).await?;
    }
    terminal::result(&match arguments.json {
        true => format!("{model}\n"),
        false => text(&model),
    });
    Ok(())
}

impl Arguments {
    /// What follows the registration.
    fn step(&self) -> Option<(&'static str, Value)> {
        let engine = match self.engine {
            Judge::Fraud => "fraud",
            Judge::Laundering => "laundering",
        };
        if self.shadow {
            let body = json!({ "engine": engine, "purpose": self.purpose });
            return Some(("shadow", body));
        }
        let policy = self.policy.as_ref()?;
        let control = self
            .control_one_in
            .map(|one_in| json!({ "one_in": one_in }));
        let body = json!({
            "engine": engine, "policy": policy, "control": control, "purpose": self.purpose, "approval": self.approval,
        });
        Some(("publish", body))
    }
}

async fn post(connection: &mut Connection, path: &str, body: &Value) -> Result<Value> {
    let body = Bytes::from(body.to_string());
    answer(&connection.post(path, body, None).await?)
}

fn answer(reply: &Reply) -> Result<Value> {
    if !reply.status.is_success() {
        let next = "docs/reference/errors.md says what to do";
        return Err(Failure::not_held(reply.refusal(), next));
    }
    reply.json()
}

fn text(model: &Value) -> String {
    let Some(name) = model["model"].as_str() else {
        return format!(
            "being prepared: {}\n",
            model["status"].as_str().unwrap_or_default()
        );
    };
    let places = model["places"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let place = |place: &Value| {
        let word = |member: &str| place[member].as_str().unwrap_or_default();
        format!("  {} of {}\n", word("role"), word("engine"))
    };
    let places: String = places.iter().map(place).collect();
    format!("{name}\n{places}")
}

fn policy(text: &str) -> std::result::Result<Value, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}
