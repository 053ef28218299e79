//! What the pages of alerts and of cases have in common: what both show, and what both ask for.

mod hands;
mod story;

pub(super) use hands::{acts, ahead, asked, hands, steps, verdict, version};
pub(super) use story::Story;

use crate::{
    chart::web,
    format,
    names::named,
    parts::{self, Field},
    terms::Tone,
    visit::{Visit, address, encoded},
    word::{Language, words},
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::{Money, Outcome, Timestamp};
use serde::Deserialize;

words! {
    LEFT = "Left, h:min", "剩余时间（时:分）";
    OVERDUE = "overdue", "已超时";
    ABOUT = "About", "涉及对象";
    PRIORITY = "Priority", "优先级";
    QUEUE = "Queue", "队列";
    AMOUNT = "Amount", "金额";
    STATE = "State", "状态";
    OUTCOME = "Outcome", "结果";
    PAYMENTS = "Payments", "支付笔数";
    ASSIGNEE = "With", "处理人";
    NOBODY = "nobody", "无人认领";
    ME = "you", "您本人";
    TURNED_OUT = "Turned out", "处置结论";
    AT = "At", "时间";
    BY = "By", "操作人";
    WHAT = "What", "事件";
    WHICH = "Of which", "所属对象";
    WORDS_SAID = "In words", "说明";
    TIMELINE = "Timeline", "时间线";
    PARTIAL = "Only the newest moments are told.", "仅显示最近的记录。";
    NOTES = "Remarks", "备注列表";
    WRITE = "Write a note", "添加备注";
    MENTIONS = "For whom", "提醒人员";
    KEEP_NOTE = "Keep the note", "保存备注";
    TAKE_PART = "Who takes part", "参与主体";
    ENTITY = "Entity", "实体";
    OTHER_ALERTS = "Their alerts", "相关告警";
    CLAIM = "Claim", "认领此项";
    GIVE_BACK = "Give back", "退回";
    ASSIGN = "Give to somebody", "分派给他人";
    ASSIGN_TO = "To whom", "分派对象";
    LET_GO = "Let a payment go", "要求放行";
    ASK_OF = "Keep a payment back", "要求拦下支付";
    ASK_OF_WHY = "Whoever carries payments out is told. Nothing is moved from here.", "将通知支付执行方；此处不直接划转资金。";
    PAYMENT = "Payment", "支付号";
    REQUEST = "What is asked", "要求内容";
    ASK = "Ask for it", "提交要求";
    ACT_ON = "Act on somebody who takes part", "对参与主体采取措施";
    STEP = "Step", "措施";
    UNTIL = "Until", "有效期至";
    UNTIL_TIME = "RFC 3339, UTC", "RFC 3339 时间（UTC）";
    APPROVAL_ID = "Approval, where one is needed", "审批单号（如需要）";
    PUT_ON = "Put on the list", "加入名单";
    CASE_TITLE = "Title of the case", "案件名称";
    TYPOLOGY = "Typology", "类型学";
    OPEN_CASE = "Open a case", "创建案件";
    CLOSE_AS = "Close as", "结案结论";
    RELATED = "Cases that share somebody", "有共同主体的案件";
    OPENED = "Opened on", "创建时间";
    DONE = "Done.", "操作完成。";
}

/// An alert, as lists and its own page show it.
#[derive(Deserialize)]
pub(super) struct Alert {
    pub(super) id: String,
    pub(super) version: i64,
    pub(super) queue: String,
    pub(super) trigger: String,
    pub(super) priority: String,
    pub(super) state: String,
    pub(super) assignee: Option<String>,
    pub(super) escalated: bool,
    pub(super) subject: String,
    pub(super) group: String,
    pub(super) opened_at: Timestamp,
    pub(super) last_at: Timestamp,
    pub(super) due_at: Timestamp,
    pub(super) amounts: Vec<Money>,
    pub(super) score: u16,
    pub(super) outcome: Outcome,
    pub(super) rules: Vec<String>,
    pub(super) entities: Vec<String>,
    pub(super) payments: Vec<Payment>,
    pub(super) case: Option<String>,
    pub(super) closing: Option<Closing>,
}

/// A payment of an alert or a case.
#[derive(Deserialize)]
pub(super) struct Payment {
    pub(super) payment_id: String,
    pub(super) decision: String,
    pub(super) amount: Option<Money>,
    pub(super) decided_at: Timestamp,
}

/// How an alert or a case was closed.
#[derive(Deserialize)]
pub(super) struct Closing {
    disposition: String,
    reason: String,
    note: Option<String>,
    by: String,
    at: Timestamp,
}

/// What alerts and cases are worked on by.
#[derive(Deserialize)]
pub(super) struct Policy {
    pub(super) queues: Vec<Queue>,
    pub(super) reasons: Vec<Reason>,
    pub(super) typologies: Vec<Typology>,
}

#[derive(Deserialize)]
pub(super) struct Queue {
    pub(super) name: String,
    title: String,
}

#[derive(Deserialize)]
pub(super) struct Reason {
    code: String,
    title: String,
    dispositions: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Typology {
    id: String,
    title: String,
}

/// What an alert or a case may turn out to be, the usual order of thought.
const DISPOSITIONS: [&str; 4] = [
    "confirmed",
    "suspicious_reported",
    "false_positive",
    "inconclusive",
];

impl Policy {
    /// What a queue is called.
    pub(super) fn queue(&self, name: &str, language: Language) -> String {
        let known = self.queues.iter().find(|queue| queue.name == name);
        named(
            "queue",
            name,
            known.map_or("", |queue| &queue.title),
            language,
        )
    }

    /// What a typology is called.
    pub(super) fn typology(&self, id: &str, language: Language) -> String {
        let known = self.typologies.iter().find(|one| one.id == id);
        named("typology", id, known.map_or("", |one| &one.title), language)
    }

    fn reason(&self, code: &str, language: Language) -> String {
        let known = self.reasons.iter().find(|one| one.code == code);
        named("reason", code, known.map_or("", |one| &one.title), language)
    }

    /// Every way to close: the disposition, and its reasons with what each sends.
    pub(super) fn verdicts(&self, language: Language) -> Vec<(String, Vec<(String, String)>)> {
        let verdict = |disposition: &&str| {
            let fits = |reason: &&Reason| reason.dispositions.iter().any(|one| one == disposition);
            let fitting = self.reasons.iter().filter(fits);
            let reasons = fitting.map(|reason| {
                let said = named("reason", &reason.code, &reason.title, language);
                (format!("{disposition}:{}", reason.code), said)
            });
            (
                named("disposition", disposition, "", language),
                reasons.collect(),
            )
        };
        DISPOSITIONS.iter().map(verdict).collect()
    }

    /// A choice of a way to close.
    pub(super) fn choose_verdict(&self, name: &str, v: &Visit) -> Markup {
        let all = self.verdicts(v.language()).into_iter();
        let options = all.flat_map(|(disposition, reasons)| {
            let said = move |(value, reason)| (value, format!("{disposition}: {reason}"));
            reasons.into_iter().map(said)
        });
        parts::select(name, v.t(CLOSE_AS), "", options)
    }

    /// What a case is to be called and what it is about.
    pub(super) fn case_fields(&self, v: &Visit) -> Markup {
        let title = Field {
            required: false,
            bytes_max: 200,
            ..Field::new("title", v.t(CASE_TITLE))
        };
        let typologies = self.typologies.iter();
        let options = typologies.map(|one| (one.id.clone(), self.typology(&one.id, v.language())));
        html! { (title) (parts::select("typology", v.t(TYPOLOGY), "", options)) }
    }
}

/// An alert or a case by its identifier, which leads to it.
pub(super) fn item(id: &str) -> Markup {
    let page = match id.starts_with("cas_") {
        true => "/cases",
        false => "/payment-alerts",
    };
    parts::link(&format!("{page}/{}", encoded(id)), id)
}

/// Somebody who takes part: kind and pseudonym.
pub(super) fn entity(name: &str, v: &Visit) -> String {
    let (kind, hash) = name.split_once(':').unwrap_or((name, ""));
    format!("{} {hash}", named("entity", kind, "", v.language()))
}

/// The same with as much of the pseudonym as tells them apart in a list.
fn short(name: &str, v: &Visit) -> String {
    let (kind, hash) = name.split_once(':').unwrap_or((name, ""));
    let hash = hash.get(..8).unwrap_or(hash);
    format!("{} {hash}", named("entity", kind, "", v.language()))
}

/// Everybody who takes part; each leads to their alerts.
pub(super) fn entities(v: &Visit, names: &[String]) -> Markup {
    html! {
        @if names.is_empty() { (parts::empty(v.t(parts::NOTHING_HERE))) }
        ul.plain {
            @for name in names {
                li.line {
                    @if v.may(Scope::DecisionsRead) { a href=(web::address(name)) { (entity(name, v)) } }
                    @else { span { (entity(name, v)) } }
                    a href=(address("/payment-alerts", &[("entity", Some(name))])) aria-label=(format!("{}: {}", v.t(OTHER_ALERTS), entity(name, v))) { (v.t(OTHER_ALERTS)) }
                }
            }
        }
    }
}

/// Amounts by currency.
pub(super) fn amounts(amounts: &[Money]) -> Markup {
    html! {
        @if amounts.is_empty() { "–" }
        @for (place, amount) in amounts.iter().enumerate() {
            @if place > 0 { " + " }
            (format::money(*amount))
        }
    }
}

/// The time that is left until something is due, which runs on; nothing of what is closed.
pub(super) fn left(due_at: Timestamp, state: &str, v: &Visit) -> Markup {
    let minutes = (due_at.seconds() - v.now().seconds()).div_euclid(60);
    let tone = match minutes {
        ..0 => Tone::Bad,
        0..60 => Tone::Care,
        _ => Tone::Plain,
    };
    let class = format!("badge left {}", tone.name());
    let sign = if minutes < 0 { "−" } else { "" };
    let text = format!("{sign}{}:{:02}", minutes.abs() / 60, minutes.abs() % 60);
    html! {
        @if state == "open" {
            time class=(class) datetime=(due_at) title=(due_at) data-due=(due_at.micros() / 1000) { (text) }
            @if minutes < 0 { span.unseen { " " (v.t(OVERDUE)) } }
        } @else { "–" }
    }
}

/// Who works on something.
pub(super) fn assignee(name: Option<&str>, v: &Visit) -> Markup {
    html! {
        @match name {
            Some(name) if is_me(name, v) => b { (v.t(ME)) },
            Some(name) => (parts::actor(name, v)),
            None => span.muted { (v.t(NOBODY)) },
        }
    }
}

/// Whether a name is that of whoever looks.
pub(super) fn is_me(name: &str, v: &Visit) -> bool {
    let member = v.desk.member();
    member.is_some_and(|member| member.who().actor.to_string() == name)
}

/// The columns of a list of alerts, which stand behind the one of its boxes.
pub(super) fn alert_columns(v: &Visit) -> Vec<String> {
    [
        v.t(ABOUT).to_owned(),
        v.t(LEFT).to_owned(),
        v.t(PRIORITY).to_owned(),
        v.t(WHAT).to_owned(),
        format!("{}#", v.t(AMOUNT)),
        format!("{}#", v.t(PAYMENTS)),
        v.t(OUTCOME).to_owned(),
        v.t(parts::SCORE).to_owned(),
        v.t(ASSIGNEE).to_owned(),
    ]
    .into()
}

/// Their cells.
pub(super) fn alert_cells(v: &Visit, alert: &Alert) -> Vec<Markup> {
    let to = format!("/payment-alerts/{}", encoded(&alert.id));
    let closed = alert.closing.as_ref();
    vec![
        html! { a href=(to) title=(alert.subject) { (short(&alert.subject, v)) } },
        html! {
            @match closed {
                Some(closing) => (named("disposition", &closing.disposition, "", v.language())),
                None => (left(alert.due_at, &alert.state, v)),
            }
        },
        parts::state(&alert.priority, v.language()),
        html! { (named("trigger", &alert.trigger, "", v.language())) },
        amounts(&alert.amounts),
        html! { (format::number(alert.payments.len() as u64)) },
        parts::outcome(alert.outcome, v.language()),
        parts::score(alert.score, v.language()),
        assignee(alert.assignee.as_deref(), v),
    ]
}

/// A box that picks a row.
pub(super) fn pick(name: &str, value: &str, said: &str) -> Markup {
    html! { input type="checkbox" name=(name) value=(value) aria-label=(said); }
}

/// How something was closed.
pub(super) fn closing(v: &Visit, closing: &Closing, policy: &Policy) -> Markup {
    parts::facts([
        parts::row(
            TURNED_OUT,
            html! { b { (named("disposition", &closing.disposition, "", v.language())) } },
            v,
        ),
        parts::row(
            parts::REASON,
            html! { (policy.reason(&closing.reason, v.language())) },
            v,
        ),
        parts::row(
            BY,
            html! { (parts::actor(&closing.by, v)) " " (parts::since(closing.at, v)) },
            v,
        ),
        parts::row(
            WORDS_SAID,
            html! { (closing.note.as_deref().unwrap_or("–")) },
            v,
        ),
    ])
}
