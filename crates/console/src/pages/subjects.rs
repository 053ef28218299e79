//! A person, by pseudonym: what is kept of them, masked, what happened to it, and what they asked for.

use crate::{
    format,
    icon::Icon,
    page::{Body, Door, Fault, Group, Menu, Page, Shown},
    parts::{self, Field},
    terms::Tone,
    visit::{Visit, address, encoded},
    word::words,
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::Timestamp;
use serde::Deserialize;

pub(crate) const PAGE: Page = Page {
    path: "/subjects",
    door: Door::Staff,
    needs: &[Scope::SubjectsRead],
    menu: Some(Menu {
        group: Group::Prove,
        word: TITLE,
        icon: Icon::SUBJECTS,
        key: 'u',
    }),
    show: |v| Box::pin(show(v)),
    take: None,
    words: WORDS,
};

words! {
    TITLE = "Persons", "个人信息主体";
    PSEUDONYM = "Pseudonym", "假名标识";
    VALUES = "What is kept, masked", "保存的数据（已脱敏）";
    CLASS = "Class", "类别";
    MASKED = "Masked", "脱敏值";
    KEPT_FOR = "Kept for", "保存依据";
    SINCE = "Since", "起始时间";
    UNTIL = "Until", "有效期至";
    TOKEN = "Token", "令牌";
    MOMENTS = "What happened", "处理时间线";
    AT = "At", "时间";
    ACTION = "Action", "动作";
    BY = "By", "操作人";
    PURPOSE = "Purpose", "目的";
    LEAF = "Leaf", "叶节点";
    REQUESTS = "What persons asked for", "主体权利请求";
    KIND = "Kind", "类型";
    RECEIVED = "Received", "收到时间";
    DUE = "Due", "期限";
    STATE = "State", "状态";
    ANSWERED = "Answered", "已答复";
    WAITS = "Waits", "待答复";
    OVERDUE = "Overdue", "已逾期";
}

#[derive(Deserialize)]
struct Timeline {
    values: Vec<Kept>,
    moments: Vec<Moment>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Kept {
    class: String,
    masked: String,
    retention: String,
    made_at: Timestamp,
    expires_at: Option<Timestamp>,
    token: String,
}

#[derive(Deserialize)]
struct Moment {
    at: Timestamp,
    action: String,
    by: String,
    purpose: String,
    leaf: u64,
}

#[derive(Deserialize)]
struct Requests {
    requests: Vec<Request>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Request {
    subject: String,
    kind: String,
    received_at: Timestamp,
    due_at: Timestamp,
    is_overdue: bool,
    answer: Option<serde::de::IgnoredAny>,
}

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let subject = v.query("subject");
    let found = match &subject {
        Some(subject) => person(v, subject).await?,
        None => requests(v).await?,
    };
    let v = &*v;
    let main = html! {
        (parts::filters("/subjects", html! {
            (Field { value: subject.as_deref().unwrap_or_default(), hint: None, ..Field::new("subject", v.t(PSEUDONYM)) })
        }, subject.is_some(), v))
        (found)
    };
    Ok(Body::new(v.t(TITLE), main).into())
}

async fn person(v: &mut Visit, subject: &str) -> Result<Markup, Fault> {
    let cursor = v.query("cursor");
    let route = format!("/v1/subjects/{}/timeline", encoded(subject));
    let asked = address(&route, &[("cursor", cursor.as_deref())]);
    let found: Timeline = v.get(&asked).await?;
    let v = &*v;
    let kept: Vec<_> = found.values.iter().map(kept_cells).collect();
    let moments: Vec<_> = found
        .moments
        .iter()
        .map(|one| moment_cells(v, one))
        .collect();
    let next = found.next_cursor.as_deref();
    let next = next.map(|place| {
        address(
            "/subjects",
            &[("subject", Some(subject)), ("cursor", Some(place))],
        )
    });
    let of_values = [
        v.t(CLASS),
        v.t(MASKED),
        v.t(KEPT_FOR),
        v.t(SINCE),
        v.t(UNTIL),
        v.t(TOKEN),
    ];
    let of_moments = [v.t(AT), v.t(LEAF), v.t(ACTION), v.t(BY), v.t(PURPOSE)];
    Ok(html! {
        (parts::panel(v.t(VALUES), parts::table(v.t(VALUES), &of_values, &kept, v)))
        (parts::panel(v.t(MOMENTS), parts::table(v.t(MOMENTS), &of_moments, &moments, v)))
        (parts::pager(None, next.as_deref(), v))
    })
}

fn kept_cells(kept: &Kept) -> Vec<Markup> {
    vec![
        html! { (kept.class) },
        parts::id(&kept.masked),
        html! { (kept.retention) },
        format::time(kept.made_at),
        html! { @if let Some(until) = kept.expires_at { (format::time(until)) } @else { "–" } },
        parts::id(&kept.token),
    ]
}

fn moment_cells(v: &Visit, moment: &Moment) -> Vec<Markup> {
    let number = format::number(moment.leaf);
    vec![
        format::time(moment.at),
        match v.may(Scope::TrailRead) {
            true => parts::link(&format!("/trail/{}", moment.leaf), &number),
            false => html! { (number) },
        },
        parts::id(&moment.action),
        parts::actor(&moment.by, v),
        html! { (moment.purpose) },
    ]
}

async fn requests(v: &mut Visit) -> Result<Markup, Fault> {
    let cursor = v.query("cursor");
    let asked = address("/v1/subjects/requests", &[("cursor", cursor.as_deref())]);
    let found: Requests = v.get(&asked).await?;
    let v = &*v;
    let rows: Vec<_> = found
        .requests
        .iter()
        .map(|one| request_cells(v, one))
        .collect();
    let next = found.next_cursor.as_deref();
    let next = next.map(|place| address("/subjects", &[("cursor", Some(place))]));
    let columns = [
        v.t(RECEIVED),
        v.t(PSEUDONYM),
        v.t(KIND),
        v.t(DUE),
        v.t(STATE),
    ];
    Ok(html! {
        (parts::panel(v.t(REQUESTS), parts::table(v.t(REQUESTS), &columns, &rows, v)))
        (parts::pager(cursor.as_ref().map(|_| "/subjects"), next.as_deref(), v))
    })
}

fn request_cells(v: &Visit, request: &Request) -> Vec<Markup> {
    let (tone, word) = match (&request.answer, request.is_overdue) {
        (Some(_), _) => (Tone::Plain, ANSWERED),
        (None, true) => (Tone::Bad, OVERDUE),
        (None, false) => (Tone::Care, WAITS),
    };
    let to = address("/subjects", &[("subject", Some(&request.subject))]);
    vec![
        format::time(request.received_at),
        parts::link(&to, &request.subject),
        parts::id(&request.kind),
        format::time(request.due_at),
        parts::badge(tone, None, v.t(word)),
    ]
}
