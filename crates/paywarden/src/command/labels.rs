//! `paywarden labels`: says of many payments what they turned out to be, from a file of any length.
//!
//! What broke off is done by calling again: what was said before is known.

use super::replay::RemoteFlags;
use crate::{
    client::{Connection, Protocol},
    failure::{Failure, Result},
    progress::Progress,
    terminal,
};
use bytes::Bytes;
use paywarden_server::rows::{Lines as Rows, next_row};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

/// Lines that are sent at a time.
const LINES: usize = 1_000;
/// A line is not longer.
const LINE_BYTES_MAX: usize = 4_096;

/// Arguments of `labels`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Labels: .csv with columns payment_id, verdict, source, occurred_at, or JSON lines
    file: PathBuf,
    /// Print the answer of every line, not only of those that were refused or contradict others
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    server: RemoteFlags,
}

/// The answer for a line, as the server gives it and as it is printed.
#[derive(Serialize, Deserialize)]
struct Answer {
    line: u64,
    state: String,
    seq: Option<i64>,
    contradicts: Option<String>,
    code: Option<String>,
    detail: Option<String>,
}

#[derive(Deserialize)]
struct Answers {
    added: u64,
    known: u64,
    refused: u64,
    contradicting: u64,
    lines: Vec<Answer>,
}

/// How many lines became what.
#[derive(Default)]
struct Counts {
    added: u64,
    known: u64,
    refused: u64,
    contradicting: u64,
}

/// Lines as JSON, with the number that each has in the file.
type Lines = Box<dyn Iterator<Item = Result<(u64, String)>>>;

/// Runs the command.
pub async fn run(arguments: Arguments) -> Result<()> {
    let client = arguments.server.client(Protocol::Http1)?;
    let client = client.ok_or_else(|| {
        Failure::wrong_use("no server is named", "name it with --url, --key and --ca")
    })?;
    let mut connection = client.connection();
    let bytes =
        std::fs::metadata(&arguments.file).map_err(|error| unread(&arguments.file, &error))?;
    let progress = Progress::new(bytes.len());
    let mut lines = read(&arguments.file)?;
    let (mut counts, mut sent) = (Counts::default(), 0);
    loop {
        let batch: Vec<(u64, String)> = lines.by_ref().take(LINES).collect::<Result<_>>()?;
        if batch.is_empty() {
            break;
        }
        sent += batch
            .iter()
            .map(|(_, line)| line.len() as u64 + 1)
            .sum::<u64>();
        send(&mut connection, &batch, arguments.all, &mut counts).await?;
        progress.show(sent, counts.told());
    }
    drop(progress);
    terminal::note(&format!("{}\n", counts.told()));
    match counts.refused {
        0 => Ok(()),
        refused => Err(Failure::not_held(
            format!("{refused} lines were refused"),
            "correct them and send the file again: what was taken is known",
        )),
    }
}

impl Counts {
    fn told(&self) -> String {
        let Self {
            added,
            known,
            refused,
            contradicting,
        } = self;
        format!(
            "{added} added, {known} known, {refused} refused, {contradicting} contradict others"
        )
    }
}

async fn send(
    connection: &mut Connection,
    batch: &[(u64, String)],
    all: bool,
    counts: &mut Counts,
) -> Result<()> {
    let body: Vec<&str> = batch.iter().map(|(_, line)| line.as_str()).collect();
    let body = Bytes::from(body.join("\n"));
    let reply = connection
        .upload("/v1/labels/batch?format=jsonl", body)
        .await?;
    if !reply.status.is_success() {
        let next = "docs/reference/errors.md says what to do; what was taken is known";
        return Err(Failure::not_held(reply.refusal(), next));
    }
    let answers: Answers = reply.json()?;
    counts.added += answers.added;
    counts.known += answers.known;
    counts.refused += answers.refused;
    counts.contradicting += answers.contradicting;
    for mut answer in answers.lines {
        if !all && answer.state != "refused" && answer.contradicts.is_none() {
            continue;
        }
        let place = usize::try_from(answer.line).unwrap_or(0).wrapping_sub(1);
        answer.line = batch.get(place).map_or(answer.line, |(line, _)| *line);
        let line = serde_json::to_string(&answer);
        let line = line.map_err(|error| Failure::environment(error, "report this"))?;
        terminal::result(&format!("{line}\n"));
    }
    Ok(())
}

fn read(path: &Path) -> Result<Lines> {
    let file = File::open(path).map_err(|error| unread(path, &error))?;
    let is_csv = path
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
    match is_csv {
        true => rows(path.to_owned(), file),
        false => Ok(json_lines(path.to_owned(), file)),
    }
}

/// Rows as bodies of labels. What is in them is the server's to judge.
fn rows(path: PathBuf, file: File) -> Result<Lines> {
    let mut reader = csv::Reader::from_reader(Rows::new(file));
    let columns = reader.headers().map_err(|error| unread(&path, &error))?;
    let name = |name: &str| name.trim_start_matches('\u{feff}').trim().to_owned();
    let columns: Vec<String> = columns.iter().map(name).collect();
    let mut row = csv::StringRecord::new();
    let next = move || {
        let (line, read) = next_row(&mut reader, &mut row)?;
        if let Err(error) = read {
            return Some(Err(unread(&path, &format!("line {line}: {error}"))));
        }
        let cells = columns
            .iter()
            .zip(&row)
            .filter(|(_, cell)| !cell.is_empty());
        let cells = cells.map(|(name, cell)| (name.clone(), Value::from(cell)));
        let body = Value::Object(cells.collect::<Map<_, _>>()).to_string();
        Some(Ok((line, body)))
    };
    Ok(Box::new(std::iter::from_fn(next)))
}

fn json_lines(path: PathBuf, file: File) -> Lines {
    let lines = BufReader::new(file).lines().zip(1..);
    let line = move |(line, number): (std::io::Result<String>, u64)| {
        let line = line.map_err(|error| unread(&path, &error))?;
        match line.len() <= LINE_BYTES_MAX {
            true => Ok((number, line)),
            false => Err(unread(
                &path,
                &format!("line {number} has more than {LINE_BYTES_MAX} bytes"),
            )),
        }
    };
    let is_blank =
        |line: &Result<(u64, String)>| line.as_ref().is_ok_and(|(_, line)| line.trim().is_empty());
    Box::new(lines.map(line).filter(move |line| !is_blank(line)))
}

fn unread(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    let what = format!("{}: {error}", path.display());
    Failure::wrong_use(what, "name a file of labels, .csv or JSON lines")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, text: &str) -> Vec<(u64, String)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        read(&path).unwrap().collect::<Result<_>>().unwrap()
    }

    #[test]
    fn rows_and_lines_become_the_same_bodies_with_their_numbers() {
        let csv = "\u{feff}payment_id,verdict,source,occurred_at\n\"p,1\",fraud,analyst,\n\np2,genuine,chargeback,2026-01-01T00:00:00Z\n";
        let rows = of("labels.CSV", csv);
        let bodies: Vec<Value> = rows
            .iter()
            .map(|(_, body)| serde_json::from_str(body).unwrap())
            .collect();
        assert_eq!(
            bodies[0],
            serde_json::json!({ "payment_id": "p,1", "verdict": "fraud", "source": "analyst" })
        );
        assert_eq!(bodies[1]["occurred_at"], "2026-01-01T00:00:00Z");
        let numbers: Vec<u64> = rows.iter().map(|(line, _)| *line).collect();
        assert_eq!(numbers, [2, 4]);
        let lines = of("labels.jsonl", "{\"a\":1}\n\n {\"b\":2}\r\n");
        assert_eq!(
            lines,
            [(1, "{\"a\":1}".to_owned()), (3, " {\"b\":2}".to_owned())]
        );
    }
}
