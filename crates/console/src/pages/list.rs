//! The entries of one list, by value.

use super::{list_import, lists};
use crate::{
    format,
    page::{Body, Door, Fault, Page, Shown},
    parts,
    visit::{Visit, address, encoded},
    word::words,
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::Timestamp;
use serde::Deserialize;

pub(crate) const PAGE: Page = Page {
    path: "/lists/{list}",
    door: Door::Staff,
    needs: &[Scope::ListsRead],
    menu: None,
    show: |v| Box::pin(show(v)),
    take: None,
    words: WORDS,
};

words! {
    VALUE = "Value", "取值";
    ADDED = "Added", "新增";
    BY = "By", "操作人";
    UNTIL = "Until", "有效期至";
}

#[derive(Deserialize)]
struct Entries {
    entries: Vec<Entry>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    value: String,
    reason: String,
    added_at: Timestamp,
    added_by: String,
    expires_at: Option<Timestamp>,
}

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let (list, cursor) = (v.parameter.clone(), v.query("cursor"));
    let here = format!("/lists/{}", encoded(&list));
    let route = format!("/v1/lists/{}/entries", encoded(&list));
    let asked = [("cursor", cursor.as_deref()), ("limit", Some("50"))];
    let page: Entries = v.get(&address(&route, &asked)).await?;
    let v = &*v;
    let next = page.next_cursor.as_deref();
    let next = next.map(|place| address(&here, &[("cursor", Some(place))]));
    let first = cursor.map(|_| here.clone());
    let rows: Vec<_> = page.entries.iter().map(|entry| cells(v, entry)).collect();
    let reason = format!("{}~", v.t(parts::REASON));
    let columns = [v.t(VALUE), v.t(ADDED), v.t(BY), v.t(UNTIL), &reason];
    let main = html! {
        (parts::table(&list, &columns, &rows, v))
        div.line { (super::exports::way(v, "lists")) }
        (parts::pager(first.as_deref(), next.as_deref(), v))
        @if v.may(Scope::ListsWrite) && v.may(Scope::ApprovalsRequest) {
            p { a.button href=(format!("{here}/import")) { (v.t(list_import::TITLE)) } }
        }
        div.narrow { (lists::change(v, Some(&list))) }
    };
    Ok(Body::new(list, main)
        .below("/lists", v.t(lists::TITLE))
        .into())
}

fn cells(v: &Visit, entry: &Entry) -> Vec<Markup> {
    vec![
        parts::id(&entry.value),
        format::time(entry.added_at),
        parts::actor(&entry.added_by, v),
        html! { @if let Some(until) = entry.expires_at { (format::time(until)) } @else { "–" } },
        html! { (entry.reason) },
    ]
}
