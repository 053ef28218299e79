//! The file of an export, row after row as the reader takes them: nothing of it is held here beyond
//! one page of rows.

use crate::{
    policy,
    visit::{Visit, address},
};
use http::{HeaderValue, StatusCode, header::CONTENT_DISPOSITION};
use paywarden_access::Scope;
use paywarden_server::{
    edge::reply::Reply,
    pages::{Lines, Paged},
};
use serde_json::Value;

/// How the addresses of files begin: then the approval, and `decisions.csv` or the like.
pub(crate) const PREFIX: &str = "/exports/files/";

/// A file: its collection, where the rows are, under which member.
const ROUTES: [(&str, &str, &str); 2] = [
    ("decisions", "/v1/decisions", "decisions"),
    ("trail", "/v1/trail/leaves", "leaves"),
];
const CSV: &str = "text/csv; charset=utf-8";
const JSON_LINES: &str = "application/x-ndjson";
const ROWS_AT_ONCE: &str = "100";
/// The columns of a CSV file: the members of a row, one within another by a point.
const COLUMNS: [(&str, &[&str]); 2] = [
    (
        "decisions",
        &[
            "id",
            "payment_id",
            "type",
            "occurred_at",
            "decided_at",
            "amount.value",
            "amount.currency",
            "outcome",
            "fraud.score",
            "laundering.score",
            "rule_set",
            "card.bin",
            "card.last_four",
        ],
    ),
    (
        "trail",
        &[
            "index",
            "written_at",
            "actor",
            "purpose",
            "action",
            "object",
        ],
    ),
];

/// A file that is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    approval: String,
    collection: &'static str,
    route: &'static str,
    member: &'static str,
    is_csv: bool,
}

/// Answers with the file, if there is such a one.
pub(crate) fn fetch(visit: Visit) -> Paged {
    let member = visit.desk.member();
    let is_in = member.is_some_and(|member| member.session.factor.is_full());
    let wanted = wanted(visit.desk.path());
    let Some(wanted) = wanted.filter(|_| is_in && visit.may(Scope::ExportsWrite)) else {
        let status = if is_in {
            StatusCode::NOT_FOUND
        } else {
            StatusCode::UNAUTHORIZED
        };
        return visit.desk.reply(Reply::new(status, JSON_LINES, ""));
    };
    let media_type = if wanted.is_csv { CSV } else { JSON_LINES };
    let ending = if wanted.is_csv { "csv" } else { "jsonl" };
    let mut reply = Reply::new(StatusCode::OK, media_type, "");
    reply.headers.extend(policy::headers());
    let name = format!("attachment; filename=\"{}.{ending}\"", wanted.collection);
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
    let (collection, route, member) = ROUTES
        .into_iter()
        .find(|(known, ..)| *known == collection)?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let is_csv = match ending {
        "csv" => true,
        "jsonl" => false,
        _ => return None,
    };
    approval.bytes().all(is_plain).then(|| Wanted {
        approval: approval.to_owned(),
        collection,
        route,
        member,
        is_csv,
    })
}

/// Writes page after page. What cannot be read any more ends the file with a line that says so.
async fn write(mut visit: Visit, wanted: Wanted, lines: Lines) {
    let columns = COLUMNS.iter().find(|(name, _)| *name == wanted.collection);
    let columns = columns.map(|(_, columns)| *columns).unwrap_or_default();
    if wanted.is_csv && !lines.send(format!("{}\r\n", columns.join(","))).await {
        return;
    }
    let mut cursor = None::<String>;
    loop {
        let asked = [
            ("export", Some(wanted.approval.as_str())),
            ("limit", Some(ROWS_AT_ONCE)),
            ("cursor", cursor.as_deref()),
        ];
        let page: Value = match visit.get(&address(wanted.route, &asked)).await {
            Ok(page) => page,
            Err(fault) => {
                tracing::info!(code = fault.0.code, "an export ended early");
                return;
            }
        };
        let rows = page.get(wanted.member).and_then(Value::as_array);
        let text: String = rows
            .into_iter()
            .flatten()
            .map(|row| match wanted.is_csv {
                true => csv(columns, row),
                false => format!("{row}\n"),
            })
            .collect();
        cursor = page
            .get("next_cursor")
            .and_then(Value::as_str)
            .map(str::to_owned);
        if !lines.send(text).await || cursor.is_none() || !visit.desk.look_again() {
            return;
        }
    }
}

/// A row by RFC 4180. What spreadsheets would take for a formula is kept from being one.
fn csv(columns: &[&str], row: &Value) -> String {
    let cells: Vec<String> = columns.iter().map(|column| cell(column, row)).collect();
    cells.join(",") + "\r\n"
}

fn cell(column: &str, row: &Value) -> String {
    let mut value = row;
    for part in column.split('.') {
        value = value.get(part).unwrap_or(&Value::Null);
    }
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !value.is_number();
    let text = if is_formula { format!("'{text}") } else { text };
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
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
    }

    #[test]
    fn files_are_those_that_there_are() {
        let found = wanted("/exports/files/apr_1/decisions.csv").unwrap();
        assert!(found.is_csv && found.approval == "apr_1" && found.route == "/v1/decisions");
        for path in [
            "/exports/files/apr_1/lists.csv",
            "/exports/files/a&b/trail.csv",
            "/exports/files/apr_1/trail.exe",
            "/exports",
        ] {
            assert_eq!(wanted(path), None, "{path}");
        }
    }
}
