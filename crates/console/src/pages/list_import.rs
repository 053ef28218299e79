//! Many entries for a list at once: pasted as lines, shown as they were understood with what is
//! refused and why, then asked for.

use super::lists;
use crate::{
    format,
    page::{Body, Door, Fault, Page, Shown},
    parts,
    terms::Tone,
    visit::{Visit, encoded},
    word::{Word, words},
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::{Pan, Timestamp, event::TEXT_BYTES_MAX};
use paywarden_server::pages::Form;
use serde::Deserialize;
use serde_json::json;
use std::collections::HashSet;

pub(crate) const PAGE: Page = Page {
    path: "/lists/{list}/import",
    door: Door::Staff,
    needs: &[Scope::ListsWrite],
    menu: None,
    show: |v| Box::pin(async { Ok(page(v, "", None)) }),
    take: Some(|v, form| Box::pin(take(v, form))),
    words: WORDS,
};

words! {
    TITLE = "Import entries", "批量导入条目";
    ENTRIES = "Entries, one a line", "条目，每行一条";
    ENTRIES_HINT = "value, or value,until – such as acct-17,2026-12-31; lines that begin with # are left out; at most 1,000", "取值，或“取值,有效期至”，例如 acct-17,2026-12-31；以 # 开头的行忽略；最多 1,000 行";
    LOOK = "Look at what was understood", "预览解析结果";
    UNDERSTOOD = "What is asked for", "将申请的条目";
    REFUSED = "What is refused, and why", "被拒绝的行及原因";
    LINE = "Line", "行号";
    VALUE = "Value", "取值";
    UNTIL = "Until", "有效期至";
    WHY = "Why", "原因";
    COUNT = "{} entries in {} changes, each approved by itself", "{} 个条目，分 {} 次变更，逐次审批";
    ASK = "Ask to add them", "申请加入名单";
    ASKED = "{} changes asked for. Others vote now.", "已提交 {} 项申请，等待他人投票。";
    IS_EMPTY = "there is no value", "缺少取值";
    IS_LONG = "a value has at most 512 bytes", "取值不得超过 512 字节";
    IS_TWICE = "it stands here twice", "重复出现";
    IS_CARD = "a card number: list its index, by the API", "为完整卡号：请通过 API 按卡索引登记";
    IS_NO_TIME = "the time cannot be read", "时间格式无法识别";
    IS_OVER = "the time is over already", "时间已过";
    IS_MORE = "more than a value and a time", "字段过多";
    IS_TOO_MANY = "beyond 1,000 lines", "超过 1,000 行";
}

/// Lines that are looked at.
const LINES_MAX: usize = 1_000;
/// Values of one change, as the API takes them.
const CHANGE_MAX: usize = 200;

/// One line that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    value: String,
    until: Option<Timestamp>,
}

/// A line that was not, and why. A card number is not shown again.
#[derive(Debug, PartialEq, Eq)]
struct Refused {
    line: usize,
    shown: String,
    why: Word,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Understood {
    entries: Vec<Entry>,
    refused: Vec<Refused>,
}

/// Reads lines of comma-separated cells (RFC 4180, without line breaks inside of quotes).
fn understand(text: &str, now: Timestamp) -> Understood {
    let mut found = Understood::default();
    let mut seen = HashSet::new();
    let lines = text
        .lines()
        .enumerate()
        .map(|(place, line)| (place + 1, line.trim()));
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    for (place, (line, text)) in lines.enumerate() {
        let cells = cells(text);
        let is_heading = place == 0 && cells.first().is_some_and(|cell| cell == "value");
        if is_heading {
            continue;
        }
        let entry = match place < LINES_MAX {
            true => entry(&cells, now),
            false => Err(IS_TOO_MANY),
        };
        let entry = entry.and_then(|entry| match seen.insert(entry.value.clone()) {
            true => Ok(entry),
            false => Err(IS_TWICE),
        });
        match entry {
            Ok(entry) => found.entries.push(entry),
            Err(why) => found.refused.push(Refused {
                line,
                shown: if why == IS_CARD {
                    "••••".to_owned()
                } else {
                    text.chars().take(80).collect()
                },
                why,
            }),
        }
    }
    found
}

fn entry(cells: &[String], now: Timestamp) -> Result<Entry, Word> {
    let (value, until) = match cells {
        [value] => (value, None),
        [value, until] => (
            value,
            Some(until.as_str()).filter(|until| !until.is_empty()),
        ),
        _ => return Err(IS_MORE),
    };
    let checks = [
        (value.is_empty(), IS_EMPTY),
        (value.len() > TEXT_BYTES_MAX, IS_LONG),
        (Pan::parse(value).is_ok(), IS_CARD),
    ];
    if let Some((_, why)) = checks.into_iter().find(|(is_wrong, _)| *is_wrong) {
        return Err(why);
    }
    let until = until
        .map(|until| moment(until).ok_or(IS_NO_TIME))
        .transpose()?;
    match until {
        Some(until) if until <= now => Err(IS_OVER),
        until => Ok(Entry {
            value: value.clone(),
            until,
        }),
    }
}

/// A day, or a moment by RFC 3339.
fn moment(text: &str) -> Option<Timestamp> {
    let whole = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        _ => text.to_owned(),
    };
    serde_json::from_value(whole.into()).ok()
}

fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut cell) = (Vec::new(), String::new());
    let mut letters = line.chars().peekable();
    let mut is_quoted = false;
    while let Some(letter) = letters.next() {
        match (letter, is_quoted) {
            ('"', true) if letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            ('"', true) => is_quoted = false,
            ('"', false) if cell.trim().is_empty() => is_quoted = true,
            (',' | '\t', false) => cells.push(std::mem::take(&mut cell).trim().to_owned()),
            (letter, _) => cell.push(letter),
        }
    }
    cells.push(cell.trim().to_owned());
    cells
}

/// The lines again, of what was understood alone.
fn written(entries: &[Entry]) -> String {
    let quoted = |value: &str| format!("\"{}\"", value.replace('"', "\"\""));
    let line = |entry: &Entry| match entry.until {
        Some(until) => format!("{},{until}\n", quoted(&entry.value)),
        None => format!("{}\n", quoted(&entry.value)),
    };
    entries.iter().map(line).collect()
}

fn page(v: &Visit, text: &str, understood: Option<&Understood>) -> Shown {
    let here = format!("/lists/{}/import", encoded(&v.parameter));
    let main = html! {
        @if let Some(understood) = understood { (shown(v, &here, understood)) }
        (parts::panel(v.t(TITLE), parts::form(v, &here, html! {
            div.field {
                label for="f-entries" { (v.t(ENTRIES)) }
                textarea.code id="f-entries" name="entries" rows="14" maxlength="600000" required spellcheck="false" aria-describedby="f-entries-hint" { "\n" (text) }
                p.hint id="f-entries-hint" { (v.t(ENTRIES_HINT)) }
            }
            (parts::submit_as("do", "look", v.t(LOOK), Tone::Info))
        })))
    };
    let list = v.parameter.clone();
    Body::new(v.t(TITLE), main)
        .below("/lists", v.t(lists::TITLE))
        .below(format!("/lists/{}", encoded(&list)), list)
        .into()
}

fn shown(v: &Visit, here: &str, understood: &Understood) -> Markup {
    let Understood { entries, refused } = understood;
    let changes = entries.len().div_ceil(CHANGE_MAX);
    let [count, changes] = [entries.len(), changes].map(|count| format::number(count as u64));
    let entry = |entry: &Entry| {
        vec![
            parts::id(&entry.value),
            html! { @if let Some(until) = entry.until { (format::time(until)) } @else { "–" } },
        ]
    };
    let wrong = |one: &Refused| {
        vec![
            html! { (format::number(one.line as u64)) },
            parts::badge(Tone::Care, None, v.t(one.why)),
            html! { code { (one.shown) } },
        ]
    };
    let entries_shown: Vec<_> = entries.iter().map(entry).collect();
    let refused_shown: Vec<_> = refused.iter().map(wrong).collect();
    let line = format!("{}#", v.t(LINE));
    html! {
        @if !refused.is_empty() {
            (parts::panel(v.t(REFUSED), parts::table(v.t(REFUSED), &[&line, v.t(WHY), v.t(VALUE)], &refused_shown, v)))
        }
        @if !entries.is_empty() {
            (parts::panel(v.t(UNDERSTOOD), html! {
                (parts::form(v, here, html! {
                    p { (COUNT.with(v.language(), &[&count, &changes])) }
                    (parts::hidden("entries", &written(entries)))
                    (parts::reason("reason", v))
                    (parts::submit_as("do", "ask", v.t(ASK), Tone::Info))
                }))
                (parts::fold(&count, parts::table(v.t(UNDERSTOOD), &[v.t(VALUE), v.t(UNTIL)], &entries_shown, v)))
            }))
        }
    }
}

#[derive(Deserialize)]
struct Asked {
    id: String,
}

async fn take(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    let text = form.text("entries");
    let understood = understand(text, v.now());
    if form.text("do") != "ask" || understood.entries.is_empty() {
        let kept = written(&understood.entries);
        return Ok(page(v, &kept, Some(&understood)));
    }
    let reason = form.text("reason");
    let mut asked = Vec::new();
    for entries in understood.entries.chunks(CHANGE_MAX) {
        let value = |entry: &Entry| json!({ "value": entry.value, "expires_at": entry.until });
        let values: Vec<_> = entries.iter().map(value).collect();
        let change = json!({
            "list": v.parameter,
            "operation": "add",
            "values": values,
            "reason": reason,
        });
        let body = json!({ "command": { "list_change": change }, "reason": reason });
        let Asked { id } = v.post("/v1/approvals", &body).await?;
        asked.push(id);
    }
    let told = ASKED.with(v.language(), &[&format::number(asked.len() as u64)]);
    let to = match asked.as_slice() {
        [one] => format!("/approvals/{}", encoded(one)),
        _ => "/approvals".to_owned(),
    };
    Ok(Shown::done(to, told))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        moment(text).unwrap()
    }

    #[test]
    fn lines_are_understood_or_refused_with_their_number() {
        let text = "value,until\n# a remark\nacct-1\n acct-2 , 2031-01-31\n\"a, \"\"b\"\"\",\n\
            acct-1\n,2031-01-31\nacct-3,soon\nacct-4,2020-01-01\na,b,c\n4012888888881881\n";
        let found = understand(text, at("2026-01-01"));
        let entry = |value: &str, until: Option<&str>| Entry {
            value: value.to_owned(),
            until: until.map(at),
        };
        assert_eq!(
            found.entries,
            [
                entry("acct-1", None),
                entry("acct-2", Some("2031-01-31")),
                entry("a, \"b\"", None),
            ]
        );
        let refused: Vec<_> = found
            .refused
            .iter()
            .map(|one| (one.line, one.why))
            .collect();
        assert_eq!(
            refused,
            [
                (6, IS_TWICE),
                (7, IS_EMPTY),
                (8, IS_NO_TIME),
                (9, IS_OVER),
                (10, IS_MORE),
                (11, IS_CARD),
            ]
        );
        assert!(found.refused.iter().all(|one| !one.shown.contains("4012")));
        // What is asked for is what was shown.
        assert_eq!(
            understand(&written(&found.entries), at("2026-01-01")).entries,
            found.entries
        );
    }

    #[test]
    fn there_is_an_end_to_it() {
        let text: String = (0..=LINES_MAX).map(|n| format!("v{n}\n")).collect();
        let found = understand(&text, at("2026-01-01"));
        assert_eq!(found.entries.len(), LINES_MAX);
        assert_eq!(found.refused.len(), 1);
        let long = understand(&"x".repeat(TEXT_BYTES_MAX + 1), at("2026-01-01"));
        assert_eq!(long.refused[0].why, IS_LONG);
    }
}
