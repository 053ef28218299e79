//! Rule sets of the company: versions, where each stands, who decides now.

use crate::{
    format,
    icon::Icon,
    page::{Body, Door, Fault, Group, Menu, Page, Shown},
    parts,
    visit::{Visit, address, encoded},
    word::words,
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::Timestamp;
use serde::Deserialize;

pub(crate) const PAGE: Page = Page {
    path: "/rules",
    door: Door::Staff,
    needs: &[Scope::RulesRead],
    menu: Some(Menu {
        group: Group::Decide,
        word: TITLE,
        icon: Icon::RULES,
        key: 'r',
    }),
    show: |v| Box::pin(show(v)),
    take: None,
    words: WORDS,
};

words! {
    TITLE = "Rule sets", "规则版本管理";
    VERSION = "Version", "版本";
    STATE = "State", "状态";
    SHARE = "Share", "流量占比";
    DRAFTED = "Drafted", "起草时间";
    BY = "By", "操作人";
    NOW = "What decides now", "当前生效版本";
    LIBRARY = "The library that ships", "内置规则库";
    OWN_NONE = "Nothing of your own is published: the library decides.", "尚未发布自有规则，由内置规则库决策。";
}

#[derive(Deserialize)]
struct Versions {
    rule_sets: Vec<Version>,
    live: String,
    base: String,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Version {
    version: String,
    state: String,
    share_bp: Option<u16>,
    drafted_at: Timestamp,
    maker: String,
}

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let cursor = v.query("cursor");
    let asked = [("cursor", cursor.as_deref()), ("limit", Some("50"))];
    let page: Versions = v.get(&address("/v1/rule-sets", &asked)).await?;
    let v = &*v;
    let next = page.next_cursor.as_deref();
    let next = next.map(|place| address("/rules", &[("cursor", Some(place))]));
    let rows: Vec<_> = page.rule_sets.iter().map(|one| cells(v, one)).collect();
    let share = format!("{}#", v.t(SHARE));
    let columns = [v.t(VERSION), v.t(STATE), &share, v.t(DRAFTED), v.t(BY)];
    let main = html! {
        (parts::panel(v.t(NOW), html! {
            (parts::facts([
                parts::row(NOW, parts::link("/library", &page.live), v),
                parts::row(LIBRARY, parts::id(&page.base), v),
            ]))
            @if page.live == page.base { p.muted { (v.t(OWN_NONE)) } }
        }))
        (parts::table(v.t(TITLE), &columns, &rows, v))
        (parts::pager(cursor.as_ref().map(|_| "/rules"), next.as_deref(), v))
    };
    Ok(Body::new(v.t(TITLE), main).into())
}

fn cells(v: &Visit, version: &Version) -> Vec<Markup> {
    let share = version
        .share_bp
        .map(|share| format::percent(share.into(), 10_000));
    vec![
        parts::link(
            &format!("/rules/{}", encoded(&version.version)),
            &version.version,
        ),
        parts::state(&version.state, v.language()),
        html! { (share.as_deref().unwrap_or("–")) },
        format::time(version.drafted_at),
        parts::actor(&version.maker, v),
    ]
}
