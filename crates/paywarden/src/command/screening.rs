//! `paywarden screening`: names held against lists in files without a server, and lists brought to
//! a server that runs.

mod hits;
mod source;

use super::replay::RemoteFlags;
use crate::{
    client::Protocol,
    failure::{Failure, Result},
    summary::thousands,
    terminal,
};
use bytes::Bytes;
use paywarden_domain::Country;
use paywarden_screening::{
    Birth, Index, Kind, ListKind, Query, Room, import::Format, index::THRESHOLD, list::Delta,
};
use serde_json::{Value, json};
use source::{KindName, Source};
use std::path::PathBuf;

/// Hits that are shown for one name.
const HITS_MAX: usize = 20;
/// Thresholds for which the share of alerts is told, in hundredths.
const THRESHOLDS: [u8; 7] = [30, 40, 50, 60, 70, 80, 90];
/// Largest file of names, in bytes.
const NAMES_BYTES_MAX: u64 = 1 << 30;

/// Largest list that a server takes by its API, in bytes.
const UPLOAD_BYTES_MAX: u64 = 32 << 20;

/// What to do with names and lists.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Read a list and say what it holds, which version it is and what it changes
    List(ListArguments),
    /// Bring a version of a list to a server that runs, and say what it changes
    Import(ImportArguments),
    /// Say who on the lists a name may be, and why
    Name(NameArguments),
    /// Screen a file with one name a line and say how many alerts each threshold would raise
    Names(NamesArguments),
}

/// Arguments of `screening list`.
#[derive(Debug, clap::Args)]
pub struct ListArguments {
    /// ofac-csv, ofac-xml, ofac-advanced, un, eu, uk, ftm, targets or csv
    #[arg(value_parser = source::format)]
    format: Format,
    /// The list; OFAC publishes its CSV in several files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The version before it: refuse what lacks more than a tenth of that
    #[arg(long, value_name = "FILE", num_args = 1..)]
    against: Vec<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Arguments of `screening import`.
#[derive(Debug, clap::Args)]
pub struct ImportArguments {
    /// Its name: small letters, digits, - and _
    list: String,
    /// ofac-xml, ofac-advanced, un, eu, uk, ftm, targets or csv
    #[arg(value_parser = source::format)]
    format: Format,
    /// The list
    file: PathBuf,
    /// What being on it means: sanctions, pep, adverse or own
    #[arg(long, value_parser = source::kind)]
    kind: ListKind,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: RemoteFlags,
}

/// Where names are sought.
#[derive(Debug, clap::Args)]
struct Lists {
    /// NAME:FORMAT:sanctions|pep|adverse|own:FILE[,FILE]; may be given several times
    #[arg(long = "list", value_name = "LIST", required = true)]
    lists: Vec<Source>,
    /// What bears the names
    #[arg(long, value_enum, default_value_t = KindName::Unknown)]
    kind: KindName,
}

/// Arguments of `screening name`.
#[derive(Debug, clap::Args)]
pub struct NameArguments {
    /// The name, in any script
    name: String,
    #[command(flatten)]
    lists: Lists,
    /// When it was born: 1971, 1971-03 or 1971-03-09
    #[arg(long)]
    birth: Option<String>,
    /// Countries that it is of, ISO 3166-1 alpha-2
    #[arg(long = "country", value_name = "CODE")]
    countries: Vec<String>,
    /// Numbers of its documents
    #[arg(long = "identifier", value_name = "NUMBER")]
    identifiers: Vec<String>,
    /// Scores from here on are alerts, 0 to 1
    #[arg(long, default_value_t = THRESHOLD)]
    threshold: f32,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Arguments of `screening names`.
#[derive(Debug, clap::Args)]
pub struct NamesArguments {
    /// One name a line
    file: PathBuf,
    #[command(flatten)]
    lists: Lists,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub async fn run(command: &Command) -> Result<()> {
    match command {
        Command::List(arguments) => list(arguments),
        Command::Import(arguments) => import(arguments).await,
        Command::Name(arguments) => name(arguments),
        Command::Names(arguments) => names(arguments),
    }
}

fn list(arguments: &ListArguments) -> Result<()> {
    let new = source::read(arguments.format, &arguments.files)?;
    let delta = match arguments.against.is_empty() {
        true => None,
        false => {
            let known = source::read(arguments.format, &arguments.against)?;
            let delta = known.accept(&new).map_err(|shrunken| {
                Failure::not_held(
                    shrunken,
                    "fetch the list again; a download may have broken off",
                )
            })?;
            Some(delta)
        }
    };
    let names: usize = new.entities.iter().map(|entity| entity.names.len()).sum();
    if arguments.json {
        let object = json!({
            "entities": new.entities.len(), "names": names, "published": new.published,
            "source_hash": new.source_hash, "delta": delta,
        });
        terminal::result(&format!("{object}\n"));
        return Ok(());
    }
    let mut text = format!(
        "{} parties with {} names\nversion {}\n",
        thousands(new.entities.len() as u64),
        thousands(names as u64),
        new.source_hash
    );
    if let Some(published) = &new.published {
        text += &format!("published {published}\n");
    }
    if let Some(Delta {
        added,
        changed,
        removed,
    }) = delta
    {
        text += &format!(
            "{} added, {} changed, {} removed\n",
            added.len(),
            changed.len(),
            removed.len()
        );
    }
    terminal::result(&text);
    Ok(())
}

async fn import(arguments: &ImportArguments) -> Result<()> {
    let client = arguments.server.client(Protocol::Http1)?.ok_or_else(|| {
        let what = "no server is named";
        Failure::wrong_use(what, "name it with --url, --key and --ca")
    })?;
    let bytes = source::bytes(&arguments.file, UPLOAD_BYTES_MAX)?;
    let path = format!(
        "/v1/screening-lists/{}/versions?format={}&kind={}",
        arguments.list,
        arguments.format.name(),
        arguments.kind.name()
    );
    let reply = client
        .connection()
        .upload(&path, Bytes::from(bytes))
        .await?;
    let answer: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    if !reply.status.is_success() {
        let said = |member: &str| answer[member].as_str().unwrap_or_default().to_owned();
        let what = format!("{}: {}", said("code"), said("detail"));
        let next = "docs/reference/errors.md says what to do";
        return Err(Failure::not_held(what, next));
    }
    terminal::result(&match arguments.json {
        true => format!("{answer}\n"),
        false => imported(&answer),
    });
    Ok(())
}

fn imported(answer: &Value) -> String {
    let version = &answer["version"];
    let count = |member: &str| thousands(version[member].as_u64().unwrap_or(0));
    match answer["unchanged"].as_bool() {
        Some(true) => format!("{} parties, at work already\n", count("entities")),
        _ => format!(
            "{} parties with {} names at work\n{} added, {} changed, {} removed\n",
            count("entities"),
            count("names"),
            count("added"),
            count("changed"),
            count("removed")
        ),
    }
}

fn name(arguments: &NameArguments) -> Result<()> {
    let index = arguments.lists.index()?;
    let birth = arguments.birth.as_deref().map(|text| {
        Birth::parse(text).ok_or_else(|| {
            Failure::wrong_use(
                format!("{text} is no date"),
                "write a year, 1971-03 or 1971-03-09",
            )
        })
    });
    let country = |code: &String| {
        Country::parse(code).map_err(|error| Failure::wrong_use(error, "write a code such as RU"))
    };
    let countries = arguments
        .countries
        .iter()
        .map(country)
        .collect::<Result<Vec<_>>>()?;
    let identifiers: Vec<&str> = arguments.identifiers.iter().map(String::as_str).collect();
    let query = Query {
        name: &arguments.name,
        kind: arguments.lists.kind.into(),
        birth: birth.transpose()?,
        countries: &countries,
        identifiers: &identifiers,
    };
    let hits = index
        .screen(&query, arguments.threshold, HITS_MAX, &mut Room::default())
        .map_err(|refused| Failure::wrong_use(refused, "give a name with letters"))?;
    terminal::result(&match arguments.json {
        true => format!("{}\n", hits::json(&hits)),
        false => hits::text(&hits),
    });
    Ok(())
}

fn names(arguments: &NamesArguments) -> Result<()> {
    let names = source::text(&arguments.file, NAMES_BYTES_MAX)?;
    let index = arguments.lists.index()?;
    let kind = Kind::from(arguments.lists.kind);
    let mut room = Room::default();
    let (mut best, mut refused) = (Vec::new(), 0u64);
    for name in names.lines().filter(|line| !line.trim().is_empty()) {
        let lowest = f32::from(THRESHOLDS[0]) / 100.0;
        match index.screen(&Query::name(name, kind), lowest, 1, &mut room) {
            Ok(hits) => best.push(hits.first().map_or(0.0, |hit| hit.score)),
            Err(_) => refused += 1,
        }
    }
    let alerts = THRESHOLDS.map(|hundredths| {
        let threshold = f32::from(hundredths) / 100.0;
        let count = best.iter().filter(|score| **score >= threshold).count();
        (threshold, count)
    });
    terminal::result(&match arguments.json {
        true => {
            let alerts: Vec<_> = alerts
                .iter()
                .map(|(threshold, count)| json!({ "threshold": threshold, "alerts": count }))
                .collect();
            format!(
                "{}\n",
                json!({ "names": best.len(), "refused": refused, "thresholds": alerts })
            )
        }
        false => rates(best.len(), refused, &alerts),
    });
    Ok(())
}

fn rates(names: usize, refused: u64, alerts: &[(f32, usize)]) -> String {
    let mut text = format!(
        "{} names, {} refused\nthreshold  alerts  share\n",
        thousands(names as u64),
        thousands(refused)
    );
    for (threshold, count) in alerts {
        let share = *count as f64 / names.max(1) as f64;
        text += &format!("{threshold:>9.2} {count:>7} {:>6.3} %\n", share * 100.0);
    }
    text
}

impl Lists {
    fn index(&self) -> Result<Index> {
        let lists = self
            .lists
            .iter()
            .map(Source::read)
            .collect::<Result<Vec<_>>>()?;
        Ok(Index::build(lists))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_read_well() {
        insta::assert_snapshot!(rates(50_000, 2, &[(0.5, 118), (0.6, 80)]));
    }
}
