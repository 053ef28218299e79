//! The versions of one screening list, newest first, with what each changed.

use super::screening::{self, Version};
use crate::{
    format,
    names::named,
    page::{Body, Door, Fault, Page, Shown},
    parts,
    terms::Tone,
    visit::{Visit, address, encoded},
    word::words,
};
use maud::{Markup, html};
use paywarden_access::Scope;
use serde::Deserialize;

pub(crate) const PAGE: Page = Page {
    path: "/screening/{list}",
    door: Door::Staff,
    needs: &[Scope::ScreeningRead],
    menu: None,
    show: |v| Box::pin(show(v)),
    take: None,
    words: WORDS,
};

words! {
    VERSION = "Version", "版本";
    FORMAT = "Format", "格式";
    BY = "By", "操作人";
    SOURCE = "SHA-256 of the source", "源文件 SHA-256";
    RETIRED = "The list ended", "名单已停用";
}

#[derive(Deserialize)]
struct Versions {
    versions: Vec<Version>,
    next_before: Option<i64>,
}

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let (list, before) = (v.parameter.clone(), v.query("before"));
    let here = format!("/screening/{}", encoded(&list));
    let route = format!("/v1/screening-lists/{}/versions", encoded(&list));
    let asked = [("before", before.as_deref()), ("limit", Some("50"))];
    let page: Versions = v.get(&address(&route, &asked)).await?;
    let v = &*v;
    let next = page
        .next_before
        .map(|number| address(&here, &[("before", Some(&number.to_string()))]));
    let first = before.map(|_| here.clone());
    let rows: Vec<_> = page.versions.iter().map(|one| cells(v, one)).collect();
    let [number, parties, names] =
        [VERSION, screening::PARTIES, screening::NAMES].map(|word| format!("{}#", v.t(word)));
    let columns = [
        v.t(screening::IMPORTED),
        &number,
        v.t(screening::KIND),
        v.t(FORMAT),
        &parties,
        &names,
        v.t(screening::CHANGES),
        v.t(screening::PUBLISHED),
        v.t(BY),
        v.t(SOURCE),
    ];
    let main = html! {
        (parts::table(&list, &columns, &rows, v))
        (parts::pager(first.as_deref(), next.as_deref(), v))
    };
    Ok(Body::new(list, main)
        .below("/screening", v.t(screening::TITLE))
        .into())
}

fn cells(v: &Visit, version: &Version) -> Vec<Markup> {
    let source = version.version.get(..16).unwrap_or(&version.version);
    vec![
        format::time(version.imported_at),
        html! { (format::number(version.number)) },
        html! { (named("screening", &version.kind, "", v.language())) },
        parts::id(&version.format),
        html! { (format::number(version.entities)) },
        html! { (format::number(version.names)) },
        html! { @if version.retired { (parts::badge(Tone::Care, None, v.t(RETIRED))) } @else { (version.changes()) } },
        html! { (version.published.as_deref().unwrap_or("–")) },
        parts::actor(&version.imported_by, v),
        html! { code.id title=(version.version) { (source) "…" } },
    ]
}
