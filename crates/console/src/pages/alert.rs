//! One security alert: what was seen, and what was decided about it.

use super::alerts;
use crate::{
    format,
    page::{Body, Door, Fault, Page, Shown},
    parts, risks,
    terms::Tone,
    visit::{Visit, encoded},
    word::words,
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::Timestamp;
use paywarden_server::pages::Form;
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) const PAGE: Page = Page {
    path: "/alerts/{id}",
    door: Door::Staff,
    needs: &[Scope::SecurityRead],
    menu: None,
    show: |v| Box::pin(show(v)),
    take: Some(|v, form| Box::pin(take(v, form))),
    words: WORDS,
};

words! {
    ABOUT = "About", "涉及对象";
    SEVERITY = "Severity", "级别";
    STATE = "State", "状态";
    RULE = "Rule", "规则";
    EFFECT = "Done at once", "已自动采取的措施";
    TIMES = "Times", "次数";
    FIRST = "First seen", "首次发生";
    LAST = "Last seen", "最近发生";
    OBJECT = "To what", "操作对象";
    SEEN = "What was seen", "触发依据";
    DECIDE = "Decide about it", "处置";
    ACKNOWLEDGE = "I look at it", "确认处理中";
    CLOSE = "Close it", "关闭告警";
    HISTORY = "History", "处理记录";
    BY = "By", "操作人";
    AT = "At", "时间";
    LEAVES = "Leaves of the trail", "审计叶节点";
    DONE = "Noted.", "已记录。";
}

#[derive(Deserialize)]
struct Alert {
    id: String,
    title: String,
    text: String,
    actor: String,
    object: String,
    severity: String,
    effect: String,
    state: String,
    rule: String,
    count: u64,
    first_at: Timestamp,
    last_at: Timestamp,
    first_leaf: u64,
    last_leaf: u64,
    values: Vec<Seen>,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Seen {
    operand: String,
    value: Option<String>,
}

#[derive(Deserialize)]
struct Step {
    at: Timestamp,
    by: String,
    state: String,
    reason: String,
}

fn target(v: &Visit) -> String {
    format!("/v1/security-alerts/{}", encoded(&v.parameter))
}

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let alert: Alert = v.get(&target(v)).await?;
    let v = &*v;
    let steps: Vec<_> = alert
        .steps
        .iter()
        .map(|step| {
            vec![
                format::time(step.at),
                parts::actor(&step.by, v),
                parts::state(&step.state, v.language()),
                html! { (step.reason) },
            ]
        })
        .collect();
    let seen: Vec<_> = alert
        .values
        .iter()
        .map(|seen| {
            vec![
                parts::id(&seen.operand),
                html! { (seen.value.as_deref().unwrap_or("–")) },
            ]
        })
        .collect();
    let main = html! {
        p { (risks::reason(&alert.text, v.language())) }
        div.columns {
            (parts::panel(v.t(ABOUT), facts(v, &alert)))
            div {
                @if v.may(Scope::SecurityReview) && alert.state != "closed" {
                    (parts::panel(v.t(DECIDE), decide(v, &alert)))
                }
                (parts::panel(v.t(SEEN), parts::table(v.t(SEEN), &[v.t(RULE), v.t(SEEN)], &seen, v)))
            }
        }
        (parts::panel(v.t(HISTORY), parts::table(v.t(HISTORY), &[v.t(AT), v.t(BY), v.t(STATE), v.t(parts::REASON)], &steps, v)))
    };
    let title = parts::title(&alert.rule, Some(&alert.title), v);
    Ok(Body::new(title.unwrap_or(alert.title), main)
        .below("/alerts", v.t(alerts::TITLE))
        .into())
}

fn facts(v: &Visit, alert: &Alert) -> Markup {
    let leaves = format!("{} – {}", alert.first_leaf, alert.last_leaf);
    parts::facts([
        parts::row(STATE, parts::state(&alert.state, v.language()), v),
        parts::row(SEVERITY, parts::state(&alert.severity, v.language()), v),
        parts::row(ABOUT, parts::actor(&alert.actor, v), v),
        parts::row(OBJECT, parts::object(&alert.object, v), v),
        parts::row(EFFECT, parts::id(&alert.effect), v),
        parts::row(TIMES, html! { (format::number(alert.count)) }, v),
        parts::row(FIRST, parts::since(alert.first_at, v), v),
        parts::row(LAST, parts::since(alert.last_at, v), v),
        parts::row(RULE, parts::id(&alert.rule), v),
        parts::row(LEAVES, html! { (leaves) }, v),
    ])
}

fn decide(v: &Visit, alert: &Alert) -> Markup {
    let action = format!("/alerts/{}", encoded(&alert.id));
    parts::form(
        v,
        &action,
        html! {
            (parts::reason("reason", v))
            div.buttons {
                @if alert.state == "open" {
                    (parts::submit_as("step", "acknowledgement", v.t(ACKNOWLEDGE), Tone::Info))
                }
                (parts::submit_as("step", "closing", v.t(CLOSE), Tone::Plain))
            }
        },
    )
}

async fn take(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    let step = match form.text("step") {
        "closing" => "closing",
        _ => "acknowledgement",
    };
    let body = json!({ "reason": form.text("reason") });
    v.post::<Value>(&format!("{}/{step}", target(v)), &body)
        .await?;
    let here = v.desk.path().to_owned();
    Ok(Shown::done(here, v.t(DONE)))
}
