//! Many labels at once, a line each: every line has its own answer, and a line that was taken before
//! is known.

use super::LabelInput;
use crate::{
    api::{Call, json::parse, json_reply, query::Query},
    edge::{Code, Problem, ProblemDocument, reply::Reply},
    rows as csv_rows,
};
use http::StatusCode;
use paywarden_domain::{Label, LabelVerdict, PaymentId};
use paywarden_risk::Labelled;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::HashSet;
use tokio::task::JoinSet;
use utoipa::ToSchema;

/// The most lines of one call.
const LINES_MAX: usize = 10_000;
/// Lines that are under way at once: they share commits of the journal.
const AT_ONCE: usize = 64;
const COLUMNS: [&str; 5] = ["payment_id", "verdict", "source", "occurred_at", "known_at"];

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = LabelLineState)]
pub enum LineState {
    /// It is a label now.
    Added,
    /// The same was said before; nothing was added.
    Known,
    /// It is none; `code` and `detail` say why.
    Refused,
}

/// The answer for a line.
#[derive(Debug, Serialize, ToSchema)]
pub struct LabelLine {
    /// Which one, from 1, its heading and blank lines counted.
    pub line: u64,
    /// What became of it.
    pub state: LineState,
    /// Position among all labels.
    pub seq: Option<i64>,
    /// What the newest label beside it says, if that is the opposite: somebody should look.
    pub contradicts: Option<LabelVerdict>,
    /// Why it was refused.
    pub code: Option<String>,
    /// The same in words.
    pub detail: Option<String>,
}

/// The answers for many labels.
#[derive(Debug, Serialize, ToSchema)]
pub struct LabelLines {
    /// Lines that are labels now.
    pub added: u32,
    /// Lines that were known.
    pub known: u32,
    /// Lines that were refused.
    pub refused: u32,
    /// Lines that say the opposite of another label.
    pub contradicting: u32,
    /// In the order of the lines.
    pub lines: Vec<LabelLine>,
}

/// Says of many payments what they turned out to be: at most 10,000 lines of 4 MiB, each with an
/// answer of its own. The same file may be sent again: what was said before is known. Lines about one
/// payment are taken in their order.
#[utoipa::path(
    post, path = "/v1/labels/batch", tag = "labels",
    operation_id = "add_labels", security(("signature" = [])),
    params(("format" = String, Query, description = "`csv`, whose first line names columns of \
        `payment_id`, `verdict`, `source`, `occurred_at`, `known_at`; or `jsonl`, each line a body of \
        `POST /v1/labels`")),
    request_body(content = String, content_type = "application/octet-stream",
        description = "The lines, as `text/csv`, `application/x-ndjson` or \
            `application/octet-stream`"),
    responses(
        (status = 200, description = "An answer for each line", body = LabelLines),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn add(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &["format"])?;
    let is_csv = |name: &str| match name {
        "csv" => Some(true),
        "jsonl" => Some(false),
        _ => None,
    };
    let lines = match query.required("format", "csv or jsonl", is_csv)? {
        true => rows(&call.body)?,
        false => lines(&call.body)?,
    };
    let answered = answered(call, lines).await;
    let count = |state| answered.iter().filter(|one| one.state == state).count() as u32;
    let view = LabelLines {
        added: count(LineState::Added),
        known: count(LineState::Known),
        refused: count(LineState::Refused),
        contradicting: answered
            .iter()
            .filter(|one| one.contradicts.is_some())
            .count() as u32,
        lines: answered,
    };
    let count = view.lines.len();
    Ok(json_reply(StatusCode::OK, &view)?.of(count))
}

/// Lines with their numbers: what each says, or why it says nothing.
type Lines = Vec<(u64, Result<LabelInput, Problem>)>;

fn lines(body: &[u8]) -> Result<Lines, Problem> {
    let lines = body.split(|byte| *byte == b'\n').zip(1..);
    let lines = lines.filter(|(line, _)| !line.trim_ascii().is_empty());
    let read = |(line, number): (&[u8], u64)| (number, parse::<LabelInput>(line));
    limited(lines.map(read))
}

fn rows(body: &[u8]) -> Result<Lines, Problem> {
    // Spreadsheets begin with a byte order mark.
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    let mut reader = csv::Reader::from_reader(csv_rows::Lines::new(body));
    let malformed = |_| {
        Problem::new(
            Code::FieldInvalid,
            "the first line names the columns, in UTF-8",
        )
    };
    let columns = reader.headers().map_err(malformed)?.clone();
    let unknown = columns.iter().any(|name| !COLUMNS.contains(&name));
    let twice = columns.iter().collect::<HashSet<_>>().len() != columns.len();
    if unknown || twice {
        let detail = format!(
            "the first line names columns of {}, each once",
            COLUMNS.join(", ")
        );
        return Err(Problem::new(Code::FieldInvalid, detail));
    }
    let mut row = csv::StringRecord::new();
    let next = || {
        let (line, read) = csv_rows::next_row(&mut reader, &mut row)?;
        if read.is_err() {
            let detail = "a row has a cell for each column, in UTF-8";
            return Some((line, Err(Problem::new(Code::FieldInvalid, detail))));
        }
        let cells = columns
            .iter()
            .zip(&row)
            .filter(|(_, cell)| !cell.is_empty());
        let cells = cells.map(|(name, cell)| (name.to_owned(), Value::from(cell)));
        let body = Value::Object(cells.collect::<Map<_, _>>()).to_string();
        Some((line, parse(body.as_bytes())))
    };
    limited(std::iter::from_fn(next))
}

fn limited(
    lines: impl Iterator<Item = (u64, Result<LabelInput, Problem>)>,
) -> Result<Lines, Problem> {
    let lines: Lines = lines.take(LINES_MAX + 1).collect();
    match (1..=LINES_MAX).contains(&lines.len()) {
        true => Ok(lines),
        false => Err(Problem::new(
            Code::FieldInvalid,
            "1 to 10,000 lines at a time",
        )),
    }
}

/// Takes lines some at a time, those about one payment one after the other.
async fn answered(call: &Call, lines: Lines) -> Vec<LabelLine> {
    let mut answered = Vec::with_capacity(lines.len());
    let mut tasks: JoinSet<LabelLine> = JoinSet::new();
    let mut payments: HashSet<PaymentId> = HashSet::new();
    for (line, read) in lines {
        let read = read.and_then(|input| super::checked(call, &input).map(|()| input));
        let input = match read {
            Ok(input) => input,
            Err(problem) => {
                answered.push(refused(line, problem));
                continue;
            }
        };
        let is_free = tasks.len() < AT_ONCE && payments.insert(input.payment_id.clone());
        if !is_free {
            drain(&mut tasks, &mut answered).await;
            payments = HashSet::from([input.payment_id.clone()]);
        }
        let (engine, who) = (call.state.engine.clone(), call.who());
        tasks.spawn(async move {
            let known_at = input.known_at;
            let said = engine.label_once(&who, Label::from(input), known_at).await;
            match said {
                Ok(said) => taken(line, said),
                Err(error) => refused(line, error.into()),
            }
        });
    }
    drain(&mut tasks, &mut answered).await;
    answered.sort_unstable_by_key(|one| one.line);
    answered
}

async fn drain(tasks: &mut JoinSet<LabelLine>, answered: &mut Vec<LabelLine>) {
    while let Some(done) = tasks.join_next().await {
        answered.extend(done);
    }
}

fn taken(line: u64, said: Labelled) -> LabelLine {
    LabelLine {
        line,
        state: match said.is_new {
            true => LineState::Added,
            false => LineState::Known,
        },
        seq: Some(said.seq),
        contradicts: said.contradicts,
        code: None,
        detail: None,
    }
}

fn refused(line: u64, problem: Problem) -> LabelLine {
    let ProblemDocument { code, detail, .. } = problem.into_document("");
    LabelLine {
        line,
        state: LineState::Refused,
        seq: None,
        contradicts: None,
        code: Some(code),
        detail: Some(detail),
    }
}
