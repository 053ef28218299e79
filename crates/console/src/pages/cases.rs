//! Cases: what is looked at together, most urgent first.

use super::{
    exports, views,
    work::{self, Policy},
};
use crate::{
    format,
    icon::Icon,
    names::named,
    page::{Body, Door, Fault, Group, Menu, Page, Shown},
    parts, terms,
    visit::{Visit, address, encoded, with},
    word::words,
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::{Money, Timestamp};
use serde::Deserialize;

pub(crate) const PAGE: Page = Page {
    path: "/cases",
    door: Door::Staff,
    needs: &[Scope::CasesRead],
    menu: Some(Menu {
        group: Group::Decide,
        word: TITLE,
        icon: Icon::CASES,
        key: 'c',
    }),
    show: |v| Box::pin(show(v)),
    take: None,
    words: WORDS,
};

words! {
    TITLE = "Cases", "案件管理";
    TYPOLOGY = "Typology", "类型学";
    ALERTS = "Alerts", "告警数";
    MENTIONED = "With a note for you", "备注提及您";
    YES = "Yes", "是";
}

/// A page of cases.
#[derive(Deserialize)]
struct Cases {
    cases: Vec<Case>,
    next_cursor: Option<String>,
}

/// A case in a list.
#[derive(Deserialize)]
pub(super) struct Case {
    pub(super) id: String,
    queue: String,
    title: String,
    typology: String,
    priority: String,
    state: String,
    assignee: Option<String>,
    opened_at: Timestamp,
    due_at: Timestamp,
    alerts: Vec<String>,
    amounts: Vec<Money>,
}

const FILTERS: [&str; 4] = ["state", "queue", "assignee", "mentioned"];

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let given = FILTERS.map(|name| (name, v.query(name)));
    let given = given
        .each_ref()
        .map(|(name, value)| (*name, value.as_deref()));
    let cursor = v.query("cursor");
    let asked = with(
        &given,
        &[("cursor", cursor.as_deref()), ("limit", Some("50"))],
    );
    let page: Cases = v.get(&address("/v1/cases", &asked)).await?;
    let policy: Policy = v.get("/v1/alert-policy").await?;
    let v = &*v;
    let next = page.next_cursor.as_deref();
    let next = next.map(|place| address("/cases", &with(&given, &[("cursor", Some(place))])));
    let first = cursor.map(|_| address("/cases", &given));
    let rows: Vec<_> = page
        .cases
        .iter()
        .map(|case| cells(v, case, &policy))
        .collect();
    let is_set = given.iter().any(|(_, value)| value.is_some());
    let value = |place: usize| {
        given
            .get(place)
            .and_then(|(_, value)| *value)
            .unwrap_or_default()
    };
    let any = || (String::new(), v.t(parts::ANY).to_owned());
    let states = ["open", "closed", "merged"];
    let states = states.map(|name| (name.to_owned(), terms::term(name, v.language())));
    let queues = policy.queues.iter();
    let queues = queues.map(|one| (one.name.clone(), policy.queue(&one.name, v.language())));
    let people = [("me", v.t(work::ME)), ("nobody", v.t(work::NOBODY))];
    let people = people.map(|(name, said)| (name.to_owned(), said.to_owned()));
    let mentioned = [any(), ("me".to_owned(), v.t(YES).to_owned())];
    let main = html! {
        (parts::filters("/cases", html! {
            (parts::select("state", v.t(work::STATE), if value(0).is_empty() { "open" } else { value(0) }, states))
            (parts::select("queue", v.t(work::QUEUE), value(1), std::iter::once(any()).chain(queues)))
            (parts::select("assignee", v.t(work::ASSIGNEE), value(2), std::iter::once(any()).chain(people)))
            (parts::select("mentioned", v.t(MENTIONED), value(3), mentioned))
        }, is_set, v))
        (table(v, &rows))
        div.line { (views::keep(v)) (exports::way(v, "cases")) }
        (parts::pager(first.as_deref(), next.as_deref(), v))
    };
    Ok(Body::new(v.t(TITLE), main).with(&["due.js"]).into())
}

fn table(v: &Visit, rows: &[Vec<Markup>]) -> Markup {
    let (alerts, amount) = (
        format!("{}#", v.t(ALERTS)),
        format!("{}#", v.t(work::AMOUNT)),
    );
    let columns = [
        v.t(work::CASE_TITLE),
        v.t(work::LEFT),
        v.t(work::PRIORITY),
        v.t(TYPOLOGY),
        v.t(work::QUEUE),
        &alerts,
        &amount,
        v.t(work::STATE),
        v.t(work::ASSIGNEE),
        v.t(work::OPENED),
    ];
    parts::table(v.t(TITLE), &columns, rows, v)
}

/// The cells of a case.
fn cells(v: &Visit, case: &Case, policy: &Policy) -> Vec<Markup> {
    vec![
        link(case),
        work::left(case.due_at, &case.state, v),
        parts::state(&case.priority, v.language()),
        html! { (policy.typology(&case.typology, v.language())) },
        html! { (policy.queue(&case.queue, v.language())) },
        html! { (format::number(case.alerts.len() as u64)) },
        work::amounts(&case.amounts),
        parts::state(&case.state, v.language()),
        work::assignee(case.assignee.as_deref(), v),
        format::time(case.opened_at),
    ]
}

/// A case by its title, which leads to it.
pub(super) fn link(case: &Case) -> Markup {
    html! { a href=(format!("/cases/{}", encoded(&case.id))) { (case.title) } }
}

/// Cases that share somebody with another one.
pub(super) fn related(v: &Visit, related: &[Related]) -> Markup {
    let row = |one: &Related| {
        let shared: Vec<_> = one
            .shared
            .iter()
            .map(|name| work::entity(name, v))
            .collect();
        vec![
            link(&one.case),
            parts::state(&one.case.state, v.language()),
            html! { (named("typology", &one.case.typology, "", v.language())) },
            html! { (shared.join(", ")) },
        ]
    };
    let rows: Vec<_> = related.iter().map(row).collect();
    let columns = [
        v.t(work::CASE_TITLE),
        v.t(work::STATE),
        v.t(TYPOLOGY),
        v.t(work::TAKE_PART),
    ];
    parts::table(v.t(work::RELATED), &columns, &rows, v)
}

/// A case that shares somebody with another one.
#[derive(Deserialize)]
pub(super) struct Related {
    case: Case,
    shared: Vec<String>,
}
