//! Screening: who on the lists a name may be and why, the lists at work, what the watch has found.
//!
//! A name goes into the body of a form and is answered there; it never stands in an address.

mod answer;

use crate::{
    format,
    icon::Icon,
    names::named,
    page::{Body, Door, Fault, Group, Menu, Page, Shown},
    parts::{self, Field},
    terms::Tone,
    visit::{Visit, address, encoded},
    word::words,
};
use answer::{Answer, found};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::Timestamp;
use paywarden_server::pages::Form;
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) const PAGE: Page = Page {
    path: "/screening",
    door: Door::Staff,
    needs: &[Scope::ScreeningRead],
    menu: Some(Menu {
        group: Group::Decide,
        word: TITLE,
        icon: Icon::SCREENING,
        key: 'n',
    }),
    show: |v| Box::pin(show(v)),
    take: Some(|v, form| Box::pin(take(v, form))),
    words: WORDS,
};

words! {
    TITLE = "Screening", "名单筛查";
    ASK = "Ask about a name", "查询姓名";
    NAME = "Name, in any script", "姓名（任意文字）";
    PURPOSE = "Purpose", "目的";
    PARTY_KIND = "What bears it", "主体类型";
    NOT_SAID = "kind not known", "未知类型";
    BIRTH = "Born", "出生日期";
    BIRTH_HINT = "1971, 1971-03 or 1971-03-09", "1971、1971-03 或 1971-03-09";
    COUNTRIES = "Countries", "国家或地区";
    COUNTRIES_HINT = "ISO 3166 letters with blanks between", "ISO 3166 两位代码，以空格分隔";
    IDENTIFIERS = "Numbers of documents", "证件号码";
    REFERENCE = "Your identifier of the party", "您的主体标识";
    REFERENCE_HINT = "What it was cleared of is then left out", "填写后将排除已核销的条目";
    THRESHOLD = "Threshold", "阈值";
    MORE = "More that is known", "更多已知信息";
    NOTE = "Note", "备注";
    SCREEN = "Screen it", "开始筛查";
    ANSWER = "Who it may be", "可能的主体";
    NOBODY = "Nobody on the lists, at this threshold.", "在此阈值下未命中任何名单。";
    SCREENED = "Screened", "筛查时间";
    EXPECTED = "Frequent names that meet somebody", "常见姓名命中率";
    MAIN_NAME = "Listed as", "名单姓名";
    MET = "Met by", "匹配名称";
    BY_IDENTIFIER = "an identifier", "证件号码匹配";
    CHANCE = "Chance that it is the same", "同一主体的概率";
    LIST = "List", "名单";
    ENTRY = "Entry", "条目";
    PROGRAMS = "Programmes", "制裁项目";
    SIDE = "Side by side", "逐词对照";
    ASKED_NAME = "Asked about", "查询姓名词";
    LISTED_NAME = "Listed", "名单姓名词";
    NEAR = "How near", "相近度";
    PARTS = "What the score is made of", "评分构成明细";
    PART = "Component", "组成部分";
    SEEN = "Seen", "观测值";
    ADDS = "Adds to the logit", "对数几率增减";
    CLEAR_IT = "It is somebody else: ask for its clearance", "并非同一主体：申请核销";
    UNTIL = "Until", "有效期至";
    CLEAR = "Ask for clearance", "申请核销";
    ASKED = "Asked for. Others vote now.", "已提交申请，等待他人投票。";
    LISTS = "Lists at work", "生效名单";
    KIND = "Kind", "类型";
    PARTIES = "Parties", "主体数";
    NAMES = "Names", "姓名数";
    CHANGES = "Came, changed, went", "新增、变更、移除";
    IMPORTED = "Imported", "导入时间";
    PUBLISHED = "Published", "发布日期";
    WAITING = "A version of {} parties waits: there were {}.", "有一个含 {} 个主体的版本待接受（原有 {} 个）。";
    RATES = "Alerts to expect", "预计告警率";
    AT_THRESHOLD = "From {}", "阈值 {}";
    FOUND = "What the watch has found", "持续监控结果";
    RAISED = "Found", "发现时间";
    PARTY = "Party", "主体假名";
    CAUSE = "What changed", "变化来源";
    NEW_ENTRIES = "New entries", "新命中条目";
}

#[derive(Deserialize)]
struct Lists {
    lists: Vec<List>,
    rates: Vec<Rate>,
}

#[derive(Deserialize)]
struct List {
    at_work: Version,
    waiting: Option<Waiting>,
}

/// A version of a list.
#[derive(Deserialize)]
pub(super) struct Version {
    pub(super) list: String,
    pub(super) number: i64,
    pub(super) kind: String,
    pub(super) format: String,
    pub(super) version: String,
    pub(super) published: Option<String>,
    pub(super) entities: u64,
    pub(super) names: u64,
    added: u64,
    changed: u64,
    removed: u64,
    pub(super) imported_at: Timestamp,
    pub(super) imported_by: String,
    pub(super) retired: bool,
}

#[derive(Deserialize)]
struct Waiting {
    entities: u64,
    was: u64,
}

#[derive(Deserialize)]
struct Rate {
    threshold: f64,
    share: f64,
}

#[derive(Deserialize)]
struct Alerts {
    alerts: Vec<Alert>,
    next_before: Option<String>,
}

#[derive(Deserialize)]
struct Alert {
    party: String,
    raised_at: Timestamp,
    cause: String,
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    list: String,
    entry: String,
    score: f64,
}

/// Purposes that the privacy policy attaches to screening, unless a company says otherwise.
const PURPOSES: [&str; 3] = ["aml_compliance", "onboarding", "fraud_prevention"];
const KINDS: [&str; 4] = ["person", "organisation", "vessel", "aircraft"];
const THRESHOLDS: [&str; 6] = ["0.5", "0.3", "0.4", "0.6", "0.7", "0.8"];

impl Version {
    /// What it brought.
    pub(super) fn changes(&self) -> Markup {
        html! {
            span.come { "+" (format::number(self.added)) } " "
            span { "±" (format::number(self.changed)) } " "
            span.gone { "−" (format::number(self.removed)) }
        }
    }
}

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    whole(v, None).await
}

async fn take(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    match form.text("do") {
        "clear" => clear(v, form).await,
        _ => {
            let answer: Answer = v.post("/v1/screenings", &question(form)).await?;
            whole(v, Some((form, &answer))).await
        }
    }
}

fn question(form: &Form) -> Value {
    let words = |name: &str| -> Vec<String> {
        form.text(name)
            .split_whitespace()
            .map(str::to_owned)
            .collect()
    };
    let countries = words("countries")
        .iter()
        .map(|code| code.to_uppercase())
        .collect::<Vec<_>>();
    json!({
        "purpose": form.text("purpose"),
        "threshold": form.given("threshold").and_then(|text| text.parse::<f64>().ok()),
        "party": {
            "name": form.text("name").trim(),
            "kind": form.given("kind"),
            "birth_date": form.given("birth_date"),
            "countries": countries,
            "identifiers": words("identifiers"),
            "reference": form.given("reference"),
        },
    })
}

async fn whole(v: &mut Visit, asked: Option<(&Form, &Answer)>) -> Result<Shown, Fault> {
    let lists: Lists = v.get("/v1/screening-lists").await?;
    let before = v.query("before");
    let alerts = [("limit", Some("20")), ("before", before.as_deref())];
    let alerts: Alerts = v.get(&address("/v1/screening-alerts", &alerts)).await?;
    let v = &*v;
    let next = alerts.next_before.as_deref();
    let next = next.map(|place| address("/screening", &[("before", Some(place))]));
    let first = before.map(|_| "/screening");
    let main = html! {
        div.columns {
            (parts::panel(v.t(ASK), ask(v, asked.map(|(form, _)| form))))
            @match asked {
                Some((form, answer)) => div { (parts::panel(v.t(ANSWER), found(v, form, answer))) },
                None => div {
                    (parts::panel(v.t(RATES), rates(v, &lists.rates)))
                },
            }
        }
        (parts::panel(v.t(LISTS), at_work(v, &lists.lists)))
        (parts::panel(v.t(FOUND), html! {
            (watch(v, &alerts.alerts))
            (parts::pager(first, next.as_deref(), v))
            (super::exports::way(v, "screening_alerts"))
        }))
    };
    Ok(Body::new(v.t(TITLE), main).into())
}

fn ask(v: &Visit, form: Option<&Form>) -> Markup {
    let value = |name: &str| form.map(|form| form.text(name)).unwrap_or_default();
    let line = |name, label, hint: Option<_>| Field {
        value: value(name),
        required: false,
        hint: hint.map(|word| v.t(word)),
        ..Field::new(name, label)
    };
    let name = Field {
        value: value("name"),
        bytes_max: 1024,
        ..Field::new("name", v.t(NAME))
    };
    let option = |name: &str| (name.to_owned(), named("screening", name, "", v.language()));
    let kinds = std::iter::once((String::new(), v.t(NOT_SAID).to_owned()));
    let kinds = kinds.chain(KINDS.iter().map(|name| option(name)));
    let thresholds = THRESHOLDS.map(|text| (text.to_owned(), text.to_owned()));
    parts::form(
        v,
        "/screening",
        html! {
            (name)
            (parts::select("purpose", v.t(PURPOSE), value("purpose"), PURPOSES.map(option)))
            div.columns {
                (parts::select("kind", v.t(PARTY_KIND), value("kind"), kinds))
                (line("birth_date", v.t(BIRTH), Some(BIRTH_HINT)))
            }
            (parts::fold(v.t(MORE), html! {
                (line("countries", v.t(COUNTRIES), Some(COUNTRIES_HINT)))
                (line("identifiers", v.t(IDENTIFIERS), None))
                (line("reference", v.t(REFERENCE), Some(REFERENCE_HINT)))
                (parts::select("threshold", v.t(THRESHOLD), value("threshold"), thresholds))
            }))
            (parts::submit(v.t(SCREEN), Tone::Info))
        },
    )
}

fn kind(v: &Visit, name: &str) -> Markup {
    let tone = match name {
        "sanctions" => Tone::Bad,
        "pep" => Tone::Care,
        _ => Tone::Plain,
    };
    parts::badge(tone, None, &named("screening", name, "", v.language()))
}

#[derive(Deserialize)]
struct Asked {
    id: String,
}

async fn clear(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    let place = form.text("place");
    let reason = form.text(&format!("reason_{place}"));
    let clearance = json!({
        "reference": form.text("reference"),
        "list": form.text("list"),
        "entry": form.text("entry"),
        "expires_at": form.text(&format!("until_{place}")).trim(),
        "reason": reason,
    });
    let body = json!({ "command": { "screening_clearance": clearance }, "reason": reason });
    let Asked { id } = v.post("/v1/approvals", &body).await?;
    Ok(Shown::done(
        format!("/approvals/{}", encoded(&id)),
        v.t(ASKED),
    ))
}

fn rates(v: &Visit, rates: &[Rate]) -> Markup {
    let said = |rate: &Rate| AT_THRESHOLD.with(v.language(), &[&format!("{:.2}", rate.threshold)]);
    let rows: Vec<_> = rates
        .iter()
        .map(|rate| {
            vec![
                html! { (said(rate)) },
                html! { (format::share(rate.share)) },
            ]
        })
        .collect();
    let share = format!("{}#", v.t(EXPECTED));
    parts::table(v.t(RATES), &[v.t(THRESHOLD), &share], &rows, v)
}

fn at_work(v: &Visit, lists: &[List]) -> Markup {
    let row = |List { at_work, waiting }: &List| {
        let said = waiting.as_ref().map(|waiting| {
            let [now, was] = [waiting.entities, waiting.was].map(format::number);
            WAITING.with(v.language(), &[&now, &was])
        });
        vec![
            parts::link(
                &format!("/screening/{}", encoded(&at_work.list)),
                &at_work.list,
            ),
            kind(v, &at_work.kind),
            html! { (format::number(at_work.entities)) },
            html! { (format::number(at_work.names)) },
            at_work.changes(),
            html! { (at_work.published.as_deref().unwrap_or("–")) },
            parts::since(at_work.imported_at, v),
            html! { @if let Some(said) = said { (parts::badge(Tone::Care, Some(Icon::WARNING), &said)) } },
        ]
    };
    let rows: Vec<_> = lists.iter().map(row).collect();
    let [parties, names] = [PARTIES, NAMES].map(|word| format!("{}#", v.t(word)));
    let columns = [
        v.t(LIST),
        v.t(KIND),
        &parties,
        &names,
        v.t(CHANGES),
        v.t(PUBLISHED),
        v.t(IMPORTED),
        v.t(NOTE),
    ];
    parts::table(v.t(LISTS), &columns, &rows, v)
}

fn watch(v: &Visit, alerts: &[Alert]) -> Markup {
    let row = |alert: &Alert| {
        vec![
            format::time(alert.raised_at),
            parts::id(&alert.party),
            html! { (named("screening", &alert.cause, "", v.language())) },
            html! {
                @for one in &alert.entries {
                    span.line { (parts::link(&format!("/screening/{}", encoded(&one.list)), &one.list)) " " (parts::id(&one.entry)) " " (format::share(one.score)) }
                }
            },
        ]
    };
    let rows: Vec<_> = alerts.iter().map(row).collect();
    let columns = [v.t(RAISED), v.t(PARTY), v.t(CAUSE), v.t(NEW_ENTRIES)];
    parts::table(v.t(FOUND), &columns, &rows, v)
}
