//! The stream behind the page: server-sent events (WHATWG HTML, 9.2), each with the place to go on
//! from, so that a browser that comes back misses nothing, nor does one after the server's restart.
//!
//! Rows are read by the route of decisions, as the person who looks; a reader who is slow, or away,
//! is told how many passed by.

use super::{PASSED, PASSED_MANY};
use crate::{
    page::Fault,
    pages::decisions::Row,
    policy, said, terms,
    visit::{Visit, address},
};
use http::{HeaderName, HeaderValue, StatusCode};
use paywarden_access::Scope;
use paywarden_server::{
    edge::reply::Reply,
    pages::{Lines, Paged},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// Where it is.
pub(crate) const PATH: &str = "/live/stream";
const EVENTS: &str = "text/event-stream; charset=utf-8";
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// The most rows that come at once; nobody reads more.
const ROWS_MAX: &str = "25";
/// How often it is looked whether something is new.
const PAUSE: Duration = Duration::from_millis(1_000);
/// After so many looks without news a comment says that the server is there.
const QUIET_MAX: u32 = 15;
/// More are not counted.
const COUNTED_MAX: u64 = 10_000;

/// What came since.
#[derive(Deserialize)]
struct News {
    decisions: Vec<Row>,
    newest_cursor: String,
    passed_over: u64,
}

/// Answers with a stream, if whoever asks may see decisions.
pub(crate) fn stream(visit: Visit) -> Paged {
    let member = visit.desk.member();
    let is_in = member.is_some_and(|member| member.session.factor.is_full());
    if !is_in || !visit.may(Scope::DecisionsRead) {
        let status = if is_in {
            StatusCode::FORBIDDEN
        } else {
            StatusCode::UNAUTHORIZED
        };
        return visit.desk.reply(Reply::new(status, EVENTS, ""));
    }
    let last = visit.desk.header(&LAST_EVENT_ID).map(str::to_owned);
    let place = last.or_else(|| visit.query("after"));
    let line = visit.query("q");
    let mut reply = Reply::new(StatusCode::OK, EVENTS, "");
    reply.headers.extend(policy::headers());
    // Proxies that gather replies would hold back what is to come at once.
    let name = HeaderName::from_static("x-accel-buffering");
    reply.headers.push((name, HeaderValue::from_static("no")));
    let Visit {
        desk,
        look,
        parameter,
        ..
    } = visit;
    desk.flow(reply, |desk, lines| {
        let visit = Visit::of(desk, look, parameter);
        Watch { visit, line, place }.run(lines)
    })
}

/// Somebody who watches, and up to where they have seen.
struct Watch {
    visit: Visit,
    line: Option<String>,
    place: Option<String>,
}

impl Watch {
    async fn run(mut self, lines: Lines) {
        let (mut seen, mut quiet) = (None, 0);
        if !lines.send("retry: 2000\n\n".to_owned()).await {
            return;
        }
        loop {
            if !self.visit.desk.look_again() {
                lines.send(event("ended", None, &json!({}))).await;
                return;
            }
            let decided = self.visit.desk.decided();
            quiet += 1;
            let line = match seen == Some(decided) {
                true if quiet < QUIET_MAX => None,
                true => Some(": nothing new\n\n".to_owned()),
                false => match self.news().await {
                    Ok(line) => line,
                    Err(Fault(why)) => {
                        let (text, lang) = said::exactly(&why.detail, &self.visit);
                        let told = json!({ "text": text, "lang": lang });
                        lines.send(event("refused", None, &told)).await;
                        return;
                    }
                },
            };
            seen = Some(decided);
            if let Some(line) = line {
                quiet = 0;
                if !lines.send(line).await {
                    return;
                }
            }
            if !lines.pause(PAUSE).await {
                return;
            }
        }
    }

    /// What came since the last time, as one event; nothing where nothing did.
    async fn news(&mut self) -> Result<Option<String>, Fault> {
        let asked = [
            ("q", self.line.as_deref()),
            ("after", self.place.as_deref()),
            ("limit", Some(ROWS_MAX)),
        ];
        let asked = address("/v1/decisions", &asked);
        let mut news = self.visit.get::<News>(&asked).await?;
        let is_first = self.place.is_none();
        let place = self.place.insert(news.newest_cursor);
        if is_first || news.decisions.is_empty() {
            return Ok(None);
        }
        // The oldest first: the page puts each on top of those before.
        news.decisions.reverse();
        let rows: Vec<Value> = news
            .decisions
            .iter()
            .map(|row| self.visit.row(row))
            .collect();
        let told = json!({ "missed": self.visit.missed(news.passed_over, self.line.as_deref()), "rows": rows });
        Ok(Some(event("decisions", Some(place), &told)))
    }
}

impl Visit {
    /// A row as the page's script takes it: texts, in the order of the columns.
    fn row(&self, row: &Row) -> Value {
        let texts = row.texts(self);
        let scores = row.scores();
        json!({
            "to": row.address(),
            "texts": texts,
            "outcome": row.outcome.name(),
            "scores": scores.map(|score| json!([score, terms::score(score).name()])),
        })
    }

    /// What is said of decisions that passed by, and where they are.
    fn missed(&self, count: u64, line: Option<&str>) -> Option<Value> {
        let word = if count >= COUNTED_MAX {
            PASSED_MANY
        } else {
            PASSED
        };
        let text = word.with(self.language(), &[&crate::format::number(count)]);
        (count > 0).then(|| json!({ "text": text, "to": address("/decisions", &[("q", line)]) }))
    }
}

fn event(name: &str, id: Option<&str>, data: &Value) -> String {
    // JSON has no line breaks of its own here, so that one line holds it.
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    format!("{id}event: {name}\ndata: {data}\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_whatever_its_texts_say() {
        let told = json!({ "text": "a\n\nevent: evil\r\ndata: {}" });
        let event = event("decisions", Some("abc"), &told);
        assert_eq!(event.lines().count(), 4);
        assert!(event.starts_with("id: abc\nevent: decisions\ndata: {"));
        assert!(event.ends_with("}\n\n"));
    }
}
