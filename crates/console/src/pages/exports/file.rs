//! The file of an export, row after row as the reader takes them: nothing of it is held here beyond
//! one page of rows.

use crate::{
    page::Fault,
    policy,
    visit::{Visit, address, encoded},
};
use http::{HeaderValue, StatusCode, header::CONTENT_DISPOSITION};
use paywarden_access::Scope;
use paywarden_server::{
    edge::reply::Reply,
    pages::{Lines, Paged},
};
use serde::Deserialize;
use serde_json::Value;

/// How the addresses of files begin: then the approval, and `decisions.csv` or the like.
pub(crate) const PREFIX: &str = "/exports/files/";

const CSV: &str = "text/csv; charset=utf-8";
const JSON_LINES: &str = "application/x-ndjson";
const ROWS_AT_ONCE: &str = "100";

/// A collection as a file.
#[derive(Debug, PartialEq, Eq)]
struct File {
    collection: &'static str,
    /// Where the rows are, and under which member.
    route: &'static str,
    member: &'static str,
    /// What it is read part by part of.
    parts: Parts,
    /// What goes from page to page: the parameter, and the member that gives it.
    turn: Turn,
    /// The columns of CSV: the members of a row, one within another by a point.
    columns: &'static [&'static str],
}

/// How pages follow each other.
type Turn = Option<(&'static str, &'static str)>;
const BY_CURSOR: Turn = Some(("cursor", "next_cursor"));

/// The parts of a collection.
#[derive(Debug, PartialEq, Eq)]
enum Parts {
    /// The whole.
    Whole,
    /// One after the other by where they stand.
    States(&'static [&'static str]),
    /// Every list, which each row then names.
    Lists,
}

#[rustfmt::skip]
static FILES: [File; 10] = [
    File {
        collection: "decisions", route: "/v1/decisions", member: "decisions", parts: Parts::Whole, turn: BY_CURSOR,
        columns: &[
            "id", "payment_id", "type", "occurred_at", "decided_at", "amount.value", "amount.currency",
            "outcome", "fraud.score", "laundering.score", "rule_set", "card.bin", "card.last_four",
        ],
    },
    File {
        collection: "trail", route: "/v1/trail/leaves", member: "leaves", parts: Parts::Whole, turn: BY_CURSOR,
        columns: &["index", "written_at", "actor", "purpose", "action", "object"],
    },
    File {
        collection: "lists", route: "/v1/lists", member: "entries", parts: Parts::Lists, turn: BY_CURSOR,
        columns: &["list", "value", "reason", "added_at", "added_by", "expires_at"],
    },
    File {
        collection: "alerts", route: "/v1/alerts", member: "alerts",
        parts: Parts::States(&["open", "closed"]), turn: BY_CURSOR,
        columns: &[
            "id", "state", "priority", "queue", "engine", "trigger", "assignee", "subject", "opened_at",
            "due_at", "score", "outcome", "amounts.value", "amounts.currency", "rules", "reasons",
            "payments.payment_id", "case", "closing.disposition", "closing.reason", "closing.by",
            "closing.at",
        ],
    },
    File {
        collection: "cases", route: "/v1/cases", member: "cases",
        parts: Parts::States(&["open", "closed", "merged"]), turn: BY_CURSOR,
        columns: &[
            "id", "state", "priority", "queue", "title", "typology", "assignee", "opened_at", "due_at",
            "alerts", "amounts.value", "amounts.currency", "entities", "merged_into",
            "closing.disposition", "closing.reason", "closing.by", "closing.at",
        ],
    },
    File {
        collection: "security_alerts", route: "/v1/security-alerts", member: "alerts",
        parts: Parts::Whole, turn: BY_CURSOR,
        columns: &[
            "id", "rule", "severity", "effect", "state", "actor", "others", "object", "count",
            "first_leaf", "last_leaf", "first_at", "last_at",
        ],
    },
    File {
        collection: "approvals", route: "/v1/approvals", member: "approvals", parts: Parts::Whole,
        turn: BY_CURSOR,
        columns: &[
            "id", "command", "object", "payload_sha256", "state", "maker", "authors", "reason", "ticket",
            "requested_at", "expires_at", "votes.by", "votes.at", "denied.by", "denied.at",
            "withdrawn.by", "withdrawn.at", "used.by", "used.at", "emergency.by", "emergency.at",
        ],
    },
    File {
        collection: "rules", route: "/v1/rule-set", member: "rules", parts: Parts::Whole, turn: None,
        columns: &[
            "id", "title", "engine", "scenario", "stage", "score", "action", "reason", "when", "source",
        ],
    },
    File {
        collection: "ratings", route: "/v1/customer-ratings", member: "customers", parts: Parts::Whole,
        turn: Some(("after", "next_after")),
        columns: &["customer", "rating", "score", "is_overridden", "review_at"],
    },
    File {
        collection: "screening_alerts", route: "/v1/screening-alerts", member: "alerts",
        parts: Parts::Whole, turn: Some(("before", "next_before")),
        columns: &["id", "party", "raised_at", "cause", "entries.list", "entries.entry", "entries.score"],
    },
];

/// The parameter that narrows a file of decisions, as it does their list.
const NARROWED: &str = "q";

/// A file that is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    approval: String,
    file: &'static File,
    is_csv: bool,
    /// A line of terms that rows fit.
    terms: Option<String>,
}

/// Answers with the file, if there is such a one.
pub(crate) fn fetch(visit: Visit) -> Paged {
    let member = visit.desk.member();
    let is_in = member.is_some_and(|member| member.session.factor.is_full());
    let wanted = wanted(visit.desk.path());
    let Some(mut wanted) = wanted.filter(|_| is_in && visit.may(Scope::ExportsWrite)) else {
        let status = if is_in {
            StatusCode::NOT_FOUND
        } else {
            StatusCode::UNAUTHORIZED
        };
        return visit.desk.reply(Reply::new(status, JSON_LINES, ""));
    };
    let terms = visit.query(NARROWED);
    wanted.terms = terms.filter(|_| wanted.file.collection == "decisions");
    let media_type = if wanted.is_csv { CSV } else { JSON_LINES };
    let ending = if wanted.is_csv { "csv" } else { "jsonl" };
    let mut reply = Reply::new(StatusCode::OK, media_type, "");
    reply.headers.extend(policy::headers());
    let name = format!(
        "attachment; filename=\"{}.{ending}\"",
        wanted.file.collection
    );
    if let Ok(name) = HeaderValue::from_str(&name) {
        reply.headers.push((CONTENT_DISPOSITION, name));
    }
    let Visit {
        desk,
        look,
        parameter,
        ..
    } = visit;
    desk.flow(reply, |desk, lines| {
        let visit = Visit::of(desk, look, parameter);
        write(visit, wanted, lines)
    })
}

fn wanted(path: &str) -> Option<Wanted> {
    let (approval, name) = path.strip_prefix(PREFIX)?.split_once('/')?;
    let (collection, ending) = name.split_once('.')?;
    let file = FILES.iter().find(|file| file.collection == collection)?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let is_csv = match ending {
        "csv" => true,
        "jsonl" => false,
        _ => return None,
    };
    approval.bytes().all(is_plain).then(|| Wanted {
        approval: approval.to_owned(),
        file,
        is_csv,
        terms: None,
    })
}

/// A part of a file.
struct Part {
    route: String,
    state: Option<&'static str>,
    list: Option<String>,
}

#[derive(Deserialize)]
struct Lists {
    lists: Vec<List>,
}

#[derive(Deserialize)]
struct List {
    name: String,
}

/// Writes part after part. What cannot be read any more ends the file.
async fn write(mut visit: Visit, wanted: Wanted, lines: Lines) {
    if let Err(fault) = write_all(&mut visit, &wanted, &lines).await {
        tracing::info!(code = fault.0.code, "an export ended early");
    }
}

async fn write_all(visit: &mut Visit, wanted: &Wanted, lines: &Lines) -> Result<(), Fault> {
    let head = format!("{}\r\n", wanted.file.columns.join(","));
    if wanted.is_csv && !lines.send(head).await {
        return Ok(());
    }
    for part in parts(visit, wanted.file).await? {
        if !write_part(visit, wanted, lines, &part).await? {
            break;
        }
    }
    Ok(())
}

async fn parts(visit: &mut Visit, file: &File) -> Result<Vec<Part>, Fault> {
    let whole = |state| Part {
        route: file.route.to_owned(),
        state,
        list: None,
    };
    Ok(match file.parts {
        Parts::Whole => vec![whole(None)],
        Parts::States(states) => states.iter().map(|state| whole(Some(state))).collect(),
        Parts::Lists => {
            let Lists { lists } = visit.get(file.route).await?;
            let part = |List { name }: List| Part {
                route: format!("{}/{}/entries", file.route, encoded(&name)),
                state: None,
                list: Some(name),
            };
            lists.into_iter().map(part).collect()
        }
    })
}

/// Writes page after page of a part. Whether somebody still reads.
async fn write_part(
    visit: &mut Visit,
    wanted: &Wanted,
    lines: &Lines,
    part: &Part,
) -> Result<bool, Fault> {
    let (parameter, member) = wanted.file.turn.unzip();
    let mut place = None::<String>;
    loop {
        let asked = [
            ("state", part.state),
            ("export", Some(wanted.approval.as_str())),
            (NARROWED, wanted.terms.as_deref()),
            ("limit", parameter.map(|_| ROWS_AT_ONCE)),
            (parameter.unwrap_or_default(), place.as_deref()),
        ];
        let mut page: Value = visit.get(&address(&part.route, &asked)).await?;
        let rows = page.get_mut(wanted.file.member).map(Value::take);
        let rows = match rows {
            Some(Value::Array(rows)) => rows,
            _ => Vec::new(),
        };
        let text: String = rows
            .into_iter()
            .map(|row| line(wanted, part, row))
            .collect();
        let next = member.and_then(|member| page.get(member)?.as_str());
        place = next.map(str::to_owned);
        if !lines.send(text).await || !visit.desk.look_again() {
            return Ok(false);
        }
        if place.is_none() {
            return Ok(true);
        }
    }
}

fn line(wanted: &Wanted, part: &Part, mut row: Value) -> String {
    if let (Some(list), Value::Object(members)) = (&part.list, &mut row) {
        members.insert("list".to_owned(), list.as_str().into());
    }
    match wanted.is_csv {
        true => csv(wanted.file.columns, &row),
        false => format!("{row}\n"),
    }
}

/// A row by RFC 4180. What spreadsheets would take for a formula is kept from being one.
fn csv(columns: &[&str], row: &Value) -> String {
    let cells: Vec<String> = columns.iter().map(|column| cell(column, row)).collect();
    cells.join(",") + "\r\n"
}

fn cell(column: &str, row: &Value) -> String {
    let path: Vec<&str> = column.split('.').collect();
    let found = within(row, &path);
    let text: Vec<String> = found.iter().map(|value| word(value)).collect();
    let text = text.join(" ");
    let is_number = matches!(found.as_slice(), [Value::Number(_)]);
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number;
    let text = if is_formula { format!("'{text}") } else { text };
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

/// What stands at a path; of an array what stands there in each of its elements.
fn within<'v>(value: &'v Value, path: &[&str]) -> Vec<&'v Value> {
    match (value, path) {
        (Value::Array(all), _) => all.iter().flat_map(|one| within(one, path)).collect(),
        (_, []) => vec![value],
        (_, [first, rest @ ..]) => value
            .get(first)
            .map_or_else(Vec::new, |inner| within(inner, rest)),
    }
}

fn word(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn cells_are_quoted_and_no_formula_leaves() {
        let row = json!({ "a": "x,\"y\"", "b": { "c": "=1+1" }, "n": -5, "m": null });
        assert_eq!(
            csv(&["a", "b.c", "n", "m", "z"], &row),
            "\"x,\"\"y\"\"\",'=1+1,-5,,\r\n"
        );
        let many =
            json!({ "amounts": [{ "value": "1.00" }, { "value": "2.00" }], "rules": ["=a"] });
        assert_eq!(csv(&["amounts.value", "rules"], &many), "1.00 2.00,'=a\r\n");
    }

    #[test]
    fn files_are_those_that_there_are() {
        let found = wanted("/exports/files/apr_1/decisions.csv").unwrap();
        assert!(found.is_csv && found.approval == "apr_1" && found.file.route == "/v1/decisions");
        for path in [
            "/exports/files/apr_1/keys.csv",
            "/exports/files/a&b/trail.csv",
            "/exports/files/apr_1/trail.exe",
            "/exports",
        ] {
            assert_eq!(wanted(path), None, "{path}");
        }
    }
}
