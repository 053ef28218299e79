//! Security alerts: what the watch over the trail has found.

use crate::{
    format,
    icon::Icon,
    page::{Body, Door, Fault, Group, Menu, Page, Shown},
    parts,
    visit::{Visit, address, encoded, with},
    word::words,
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::Timestamp;
use serde::Deserialize;

pub(crate) const PAGE: Page = Page {
    path: "/alerts",
    door: Door::Staff,
    needs: &[Scope::SecurityRead],
    menu: Some(Menu {
        group: Group::Watch,
        word: TITLE,
        icon: Icon::ALERTS,
        key: 'a',
    }),
    show: |v| Box::pin(show(v)),
    take: None,
    words: WORDS,
};

words! {
    TITLE = "Security alerts", "安全告警";
    LAST = "Last seen", "最近发生";
    WHAT = "What", "事件";
    ABOUT = "About", "涉及对象";
    SEVERITY = "Severity", "级别";
    COUNT = "Times", "次数";
    STATE = "State", "状态";
}

/// A page of alerts.
#[derive(Deserialize)]
pub(super) struct Alerts {
    pub(super) alerts: Vec<Alert>,
    next_cursor: Option<String>,
}

/// An alert in a list.
#[derive(Deserialize)]
pub(super) struct Alert {
    id: String,
    rule: String,
    title: String,
    actor: String,
    severity: String,
    count: u64,
    state: String,
    pub(super) first_at: Timestamp,
    last_at: Timestamp,
}

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let (state, severity) = (v.query("state"), v.query("severity"));
    let cursor = v.query("cursor");
    let filter = [
        ("state", state.as_deref()),
        ("severity", severity.as_deref()),
    ];
    let asked = address(
        "/v1/security-alerts",
        &with(
            &filter,
            &[("cursor", cursor.as_deref()), ("limit", Some("50"))],
        ),
    );
    let page: Alerts = v.get(&asked).await?;
    let v = &*v;
    let next = page.next_cursor.as_deref();
    let next = next.map(|place| address("/alerts", &with(&filter, &[("cursor", Some(place))])));
    let first = cursor.map(|_| address("/alerts", &filter));
    let rows: Vec<_> = page.alerts.iter().map(|alert| cells(v, alert)).collect();
    let times = format!("{}#", v.t(COUNT));
    let columns = [
        v.t(LAST),
        v.t(WHAT),
        v.t(ABOUT),
        v.t(SEVERITY),
        &times,
        v.t(STATE),
    ];
    let main = html! {
        (parts::filters("/alerts", html! {
            (parts::filter_by("state", v.t(STATE), state.as_deref(), ["open", "acknowledged", "closed"], v))
            (parts::filter_by("severity", v.t(SEVERITY), severity.as_deref(), ["medium", "high", "critical"], v))
        }, state.is_some() || severity.is_some(), v))
        (parts::table(v.t(TITLE), &columns, &rows, v))
        div.line { (super::views::keep(v)) (super::exports::way(v, "security_alerts")) }
        (parts::pager(first.as_deref(), next.as_deref(), v))
    };
    Ok(Body::new(v.t(TITLE), main).into())
}

fn cells(v: &Visit, alert: &Alert) -> Vec<Markup> {
    let to = format!("/alerts/{}", encoded(&alert.id));
    vec![
        format::time(alert.last_at),
        parts::rule_as(&alert.rule, Some(&alert.title), Some(&to), v),
        parts::actor(&alert.actor, v),
        parts::state(&alert.severity, v.language()),
        html! { (format::number(alert.count)) },
        parts::state(&alert.state, v.language()),
    ]
}
