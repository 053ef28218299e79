//! The inbox of approvals: what waits for a vote, what became of the rest.

use super::reveals;
use crate::{
    format,
    icon::Icon,
    page::{Body, Door, Fault, Group, Menu, Page, Shown},
    parts, terms,
    visit::{Visit, address, encoded, with},
    word::words,
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::Timestamp;
use serde::Deserialize;

pub(crate) const PAGE: Page = Page {
    path: "/approvals",
    door: Door::Staff,
    needs: &[Scope::ApprovalsRead],
    menu: Some(Menu {
        group: Group::Decide,
        word: TITLE,
        icon: Icon::APPROVALS,
        key: 'p',
    }),
    show: |v| Box::pin(show(v)),
    take: None,
    words: WORDS,
};

words! {
    TITLE = "Approvals", "审批";
    ASKED = "Asked", "申请时间";
    ABOUT = "About", "涉及对象";
    COMMAND = "Command", "操作";
    BY = "Asked by", "申请人";
    VOTES = "Votes", "票数";
    STATE = "State", "状态";
    EXPIRES = "Expires", "有效期至";
}

/// A page of approvals.
#[derive(Deserialize)]
pub(super) struct Approvals {
    pub(super) approvals: Vec<Approval>,
    next_cursor: Option<String>,
}

/// An approval in a list.
#[derive(Deserialize)]
pub(super) struct Approval {
    id: String,
    command: String,
    object: String,
    state: String,
    maker: String,
    reason: String,
    pub(super) requested_at: Timestamp,
    expires_at: Timestamp,
    count: Option<Count>,
}

/// How many votes count, and how many are needed.
#[derive(Deserialize)]
pub(super) struct Count {
    pub(super) clause: Option<String>,
    pub(super) needed: u8,
    pub(super) counted: u8,
}

const STATES: [&str; 6] = ["open", "approved", "used", "denied", "withdrawn", "expired"];

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let (state, command) = (v.query("state"), v.query("command"));
    let cursor = v.query("cursor");
    let filter = [("state", state.as_deref()), ("command", command.as_deref())];
    let asked = address(
        "/v1/approvals",
        &with(
            &filter,
            &[("cursor", cursor.as_deref()), ("limit", Some("50"))],
        ),
    );
    let page: Approvals = v.get(&asked).await?;
    let v = &*v;
    let next = page.next_cursor.as_deref();
    let next = next.map(|place| address("/approvals", &with(&filter, &[("cursor", Some(place))])));
    let first = cursor.map(|_| address("/approvals", &filter));
    let rows: Vec<_> = page.approvals.iter().map(|one| cells(v, one)).collect();
    let (votes, reason) = (
        format!("{}#", v.t(VOTES)),
        format!("{}~", v.t(parts::REASON)),
    );
    let columns = [
        v.t(ASKED),
        v.t(COMMAND),
        v.t(ABOUT),
        v.t(BY),
        &reason,
        &votes,
        v.t(STATE),
        v.t(EXPIRES),
    ];
    let kinds = paywarden_access::approval::Kind::ALL.map(|kind| kind.name());
    let main = html! {
        (parts::filters("/approvals", html! {
            (parts::filter_by("state", v.t(STATE), state.as_deref(), STATES, v))
            (parts::filter_by("command", v.t(COMMAND), command.as_deref(), kinds, v))
        }, state.is_some() || command.is_some(), v))
        (parts::table(v.t(TITLE), &columns, &rows, v))
        @if v.may(Scope::SubjectsReveal) && v.may(Scope::ApprovalsRequest) {
            p { a.button.quiet href="/reveals" { (v.t(reveals::TITLE)) } }
        }
        div.line { (super::views::keep(v)) (super::exports::way(v, "approvals")) }
        (parts::pager(first.as_deref(), next.as_deref(), v))
    };
    Ok(Body::new(v.t(TITLE), main).into())
}

fn cells(v: &Visit, approval: &Approval) -> Vec<Markup> {
    let to = format!("/approvals/{}", encoded(&approval.id));
    let count = approval.count.as_ref();
    vec![
        format::time(approval.requested_at),
        html! { a href=(to) { (terms::term(&approval.command, v.language())) } },
        parts::object(&approval.object, v),
        parts::actor(&approval.maker, v),
        html! { (approval.reason) },
        html! { @if let Some(Count { needed, counted, .. }) = count { (counted) " / " (needed) } @else { "–" } },
        parts::state(&approval.state, v.language()),
        format::time(approval.expires_at),
    ]
}
