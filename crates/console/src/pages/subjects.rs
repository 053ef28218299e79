//! Persons, by pseudonym: looking one up, what persons asked for and by when they are to be answered,
//! and what ended because its time was over.

use crate::{
    format,
    icon::Icon,
    page::{Body, Door, Fault, Group, Menu, Page, Shown},
    parts::{self, Field},
    terms::{self, Tone},
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
    REQUESTS = "What persons asked for", "主体权利请求";
    KIND = "Kind", "类型";
    RECEIVED = "Received", "收到时间";
    DUE = "Due", "期限";
    STATE = "State", "状态";
    ANSWERED = "Answered", "已答复";
    WAITS = "Waits", "待答复";
    OVERDUE = "Overdue", "已逾期";
    RUNS = "What ended because its time was over", "到期清理";
    RUN = "Run of it", "运行编号";
    COUNTS = "Counts alone", "仅统计";
    AS_OF = "Due by", "到期时点";
    BEGUN = "Begun", "开始时间";
    PERSONS = "Persons", "个人信息主体";
    YES = "yes", "是";
    NO = "no", "否";
}

/// A page of requests.
#[derive(Deserialize)]
pub(super) struct Requests {
    pub(super) requests: Vec<Request>,
    pub(super) next_cursor: Option<String>,
}

/// What a person asked for.
#[derive(Deserialize)]
pub(super) struct Request {
    pub(super) subject: String,
    kind: String,
    received_at: Timestamp,
    due_at: Timestamp,
    is_overdue: bool,
    answer: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Runs {
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    id: String,
    dry_run: bool,
    state: String,
    as_of: Timestamp,
    begun_at: Timestamp,
    persons: u64,
}

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    if let Some(subject) = v.query("subject") {
        return Ok(Shown::at(format!("/subjects/{}", encoded(&subject))));
    }
    let cursor = v.query("cursor");
    let asked = address("/v1/subjects/requests", &[("cursor", cursor.as_deref())]);
    let found: Requests = v.get(&asked).await?;
    let Runs { runs } = v.get("/v1/retention/runs").await?;
    let v = &*v;
    let next = found.next_cursor.as_deref();
    let next = next.map(|place| address("/subjects", &[("cursor", Some(place))]));
    let main = html! {
        (parts::filters("/subjects", Field::new("subject", v.t(PSEUDONYM)), false, v))
        (parts::panel(v.t(REQUESTS), html! {
            (request_table(v, &found.requests))
            (parts::pager(cursor.as_ref().map(|_| "/subjects"), next.as_deref(), v))
        }))
        (parts::panel(v.t(RUNS), ended(v, &runs)))
    };
    Ok(Body::new(v.t(TITLE), main).into())
}

/// Requests with the time that is left for them.
pub(super) fn request_table(v: &Visit, requests: &[Request]) -> Markup {
    let rows: Vec<_> = requests.iter().map(|one| request_cells(v, one)).collect();
    let columns = [
        v.t(RECEIVED),
        v.t(PSEUDONYM),
        v.t(KIND),
        v.t(DUE),
        v.t(STATE),
    ];
    parts::table(v.t(REQUESTS), &columns, &rows, v)
}

fn request_cells(v: &Visit, request: &Request) -> Vec<Markup> {
    let (tone, word) = match (&request.answer, request.is_overdue) {
        (Some(_), _) => (Tone::Plain, ANSWERED),
        (None, true) => (Tone::Bad, OVERDUE),
        (None, false) => (Tone::Care, WAITS),
    };
    let to = format!("/subjects/{}", encoded(&request.subject));
    vec![
        format::time(request.received_at),
        parts::link(&to, &request.subject),
        html! { (terms::term(&request.kind, v.language())) },
        format::time(request.due_at),
        parts::badge(tone, None, v.t(word)),
    ]
}

fn ended(v: &Visit, runs: &[Run]) -> Markup {
    let row = |run: &Run| {
        vec![
            format::time(run.begun_at),
            parts::id(&run.id),
            html! { (v.t(if run.dry_run { YES } else { NO })) },
            html! { (terms::term(&run.state, v.language())) },
            format::time(run.as_of),
            html! { (format::number(run.persons)) },
        ]
    };
    let rows: Vec<_> = runs.iter().map(row).collect();
    let persons = format!("{}#", v.t(PERSONS));
    let columns = [
        v.t(BEGUN),
        v.t(RUN),
        v.t(COUNTS),
        v.t(STATE),
        v.t(AS_OF),
        &persons,
    ];
    parts::table(v.t(RUNS), &columns, &rows, v)
}
