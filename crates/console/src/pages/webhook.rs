//! One webhook: what was sent to it or waits, each attempt, and having it sent again.

use super::webhooks::{self, Webhook, ask, may_ask, said};
use crate::{
    format,
    page::{Body, Door, Fault, Page, Shown},
    parts::{self, Field},
    said,
    terms::Tone,
    visit::{Visit, address, encoded, with},
    word::words,
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::Timestamp;
use paywarden_server::pages::Form;
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) const PAGE: Page = Page {
    path: "/webhooks/{id}",
    door: Door::Staff,
    needs: &[Scope::WebhooksRead],
    menu: None,
    show: |v| Box::pin(show(v)),
    take: Some(|v, form| Box::pin(take(v, form))),
    words: WORDS,
};

words! {
    ABOUT_IT = "What it is told, and where", "通知内容与去向";
    VERSION = "Version", "版本";
    PUBLIC_KEY = "Public half of its key", "公钥";
    SENT = "What was sent, or waits", "投递记录";
    MESSAGE = "Message", "消息号";
    EVENT = "Event", "事件名";
    PUT_DOWN = "Put down", "生成时间";
    TRIES = "Attempts", "尝试次数";
    DUE = "Next attempt", "下次尝试";
    LAST = "Last attempt", "最近尝试";
    ANSWER = "Status", "应答状态";
    EACH = "Attempts of {}", "{} 的投递尝试";
    TOOK = "Took", "耗时";
    FAILURE = "Why it did not arrive", "失败原因";
    CLOSE = "Back to all", "返回全部记录";
    AGAIN = "Send it again", "重新投递";
    STEPS = "Try it, stop it, change it", "测试、停用与变更";
    PING = "Send a message to try it out", "发送测试消息";
    DISABLE = "Send nothing for now", "暂停投递";
    ENABLE = "Send again", "恢复投递";
    APPROVAL = "Approval, where one is needed", "审批单号（如需要）";
    SPAN = "Send those of a span again", "重新投递一段时间内的消息";
    FROM = "From (UTC)", "起始时间（UTC）";
    TO = "To (UTC)", "截止时间（UTC）";
    GIVEN_UP_ONLY = "Those that were given up alone", "仅限已放弃的消息";
    CHANGE = "Ask for another address or other events", "申请变更地址或事件";
    ASK = "Ask for approval", "提交申请";
    ROTATE = "Ask for a new secret", "申请更换密钥";
    OVERLAP = "Hours that both secrets sign, at most 168", "新旧密钥并行小时数（最多 168）";
    ON_ITS_WAY = "It is on its way.", "已发送。";
    MANY_ON_THEIR_WAY = "{} are due now.", "{} 条消息即将投递。";
    DONE = "Done.", "操作完成。";
}

#[derive(Deserialize)]
struct Deliveries {
    deliveries: Vec<Delivery>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Delivery {
    message: String,
    event: String,
    created_at: Timestamp,
    state: String,
    attempts: i64,
    due_at: Option<Timestamp>,
    last_at: Option<Timestamp>,
    last_status: Option<u16>,
}

#[derive(Deserialize)]
struct Log {
    delivery: Delivery,
    attempts: Vec<Attempt>,
}

#[derive(Deserialize)]
struct Attempt {
    attempt_no: i64,
    tried_at: Timestamp,
    took_ms: u64,
    status: Option<u16>,
    failure: Option<String>,
}

const STATES: [&str; 3] = ["waiting", "delivered", "given_up"];

fn route(v: &Visit) -> String {
    format!("/v1/webhooks/{}", encoded(&v.parameter))
}

/// How messages are signed for, in the words of Standard Webhooks.
pub(super) fn scheme(name: &str) -> &'static str {
    match name {
        "v1a" => "v1a · Ed25519",
        _ => "v1 · HMAC-SHA256",
    }
}

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let (route, here) = (route(v), v.desk.path().to_owned());
    let webhook: Webhook = v.get(&route).await?;
    let (state, cursor, message) = (v.query("state"), v.query("cursor"), v.query("message"));
    let filter = [("state", state.as_deref())];
    let asked = with(&filter, &[("cursor", cursor.as_deref())]);
    let page: Deliveries = v
        .get(&address(&format!("{route}/deliveries"), &asked))
        .await?;
    let log: Option<Log> = match &message {
        Some(message) => Some(
            v.get(&format!("{route}/deliveries/{}", encoded(message)))
                .await?,
        ),
        None => None,
    };
    let v = &*v;
    let next = page.next_cursor.as_deref();
    let next = next.map(|place| address(&here, &with(&filter, &[("cursor", Some(place))])));
    let first = cursor.map(|_| address(&here, &filter));
    let main = html! {
        div.columns {
            (parts::panel(v.t(ABOUT_IT), facts(v, &webhook)))
            @if v.may(Scope::WebhooksWrite) { (parts::panel(v.t(STEPS), steps(v, &webhook))) }
        }
        @if let Some(log) = &log {
            (parts::panel(&EACH.with(v.language(), &[&log.delivery.message]), attempts(v, log)))
        }
        (parts::panel(v.t(SENT), html! {
            (parts::filters(&here, parts::filter_by("state", v.t(webhooks::STATE), state.as_deref(), STATES, v), state.is_some(), v))
            (deliveries(v, &page.deliveries))
            (parts::pager(first.as_deref(), next.as_deref(), v))
        }))
    };
    let body = Body::new(webhook.url, main);
    Ok(body.below("/webhooks", v.t(webhooks::TITLE)).into())
}

fn facts(v: &Visit, webhook: &Webhook) -> Markup {
    let mut rows = vec![
        parts::row(
            webhooks::STATE,
            parts::state(&webhook.state, v.language()),
            v,
        ),
        parts::row(
            webhooks::EVENTS,
            html! { @for event in &webhook.events { (parts::id(event)) " " } },
            v,
        ),
        parts::row(
            webhooks::OUTCOMES,
            webhooks::outcomes(v, &webhook.outcomes),
            v,
        ),
        parts::row(webhooks::FOR, html! { (webhook.description) }, v),
        parts::row(webhooks::SIGNED, html! { (scheme(&webhook.signature)) }, v),
        parts::row(webhooks::CHANGED_AT, parts::since(webhook.changed_at, v), v),
        parts::row(
            VERSION,
            html! { (webhook.version) " " (parts::id(&webhook.id)) },
            v,
        ),
    ];
    rows.extend(
        webhook
            .public_key
            .iter()
            .map(|key| parts::row(PUBLIC_KEY, parts::id(key), v)),
    );
    parts::facts(rows)
}

fn deliveries(v: &Visit, deliveries: &[Delivery]) -> Markup {
    let maybe = |time: Option<Timestamp>| html! { @if let Some(time) = time { (format::time(time)) } @else { "–" } };
    let row = |one: &Delivery| {
        let to = address(v.desk.path(), &[("message", Some(&one.message))]);
        vec![
            format::time(one.created_at),
            parts::link(&to, &one.message),
            parts::id(&one.event),
            parts::state(&one.state, v.language()),
            html! { (one.attempts) },
            status(one.last_status),
            maybe(one.last_at),
            maybe(one.due_at),
        ]
    };
    let rows: Vec<_> = deliveries.iter().map(row).collect();
    let (tries, answer) = (format!("{}#", v.t(TRIES)), format!("{}#", v.t(ANSWER)));
    let message = format!("{}~", v.t(MESSAGE));
    let columns = [
        v.t(PUT_DOWN),
        &message,
        v.t(EVENT),
        v.t(webhooks::STATE),
        &tries,
        &answer,
        v.t(LAST),
        v.t(DUE),
    ];
    parts::table(v.t(SENT), &columns, &rows, v)
}

fn status(status: Option<u16>) -> Markup {
    let tone = match status {
        Some(200..300) => Tone::Good,
        Some(_) => Tone::Bad,
        None => Tone::Plain,
    };
    let said = status.map_or_else(|| "–".to_owned(), |status| status.to_string());
    parts::badge(tone, None, &said)
}

fn attempts(v: &Visit, log: &Log) -> Markup {
    let row = |one: &Attempt| {
        vec![
            html! { (one.attempt_no) },
            format::time(one.tried_at),
            html! { (format::millis(one.took_ms * 1000)) },
            status(one.status),
            one.failure
                .as_deref()
                .map_or_else(|| html! { "–" }, |why| said::detail(why, v)),
        ]
    };
    let rows: Vec<_> = log.attempts.iter().map(row).collect();
    let [number, took, answer] = [TRIES, TOOK, ANSWER].map(|word| format!("{}#", v.t(word)));
    let columns = [number.as_str(), v.t(LAST), &took, &answer, v.t(FAILURE)];
    html! {
        (parts::table(v.t(SENT), &columns, &rows, v))
        @if v.may(Scope::WebhooksWrite) && log.delivery.state != "waiting" {
            (parts::form(v, v.desk.path(), html! {
                (parts::hidden("message", &log.delivery.message))
                (parts::reason("again_reason", v))
                (parts::submit_as("do", "again", v.t(AGAIN), Tone::Info))
            }))
        }
        p { a href=(v.desk.path()) { (v.t(CLOSE)) } }
    }
}

fn steps(v: &Visit, webhook: &Webhook) -> Markup {
    let approval = Field {
        required: false,
        ..Field::new("approval", v.t(APPROVAL))
    };
    let now = super::work::ahead(v, 0);
    let day = super::work::ahead(v, -1);
    let line = |name, word, value| Field {
        value,
        ..Field::new(name, v.t(word))
    };
    html! {
        (parts::form(v, v.desk.path(), html! {
            (parts::reason("step_reason", v))
            (parts::fold(v.t(APPROVAL), approval))
            div.buttons {
                (parts::submit_as("do", "ping", v.t(PING), Tone::Plain))
                @match webhook.state.as_str() {
                    "enabled" => (parts::submit_as("do", "disable", v.t(DISABLE), Tone::Bad)),
                    _ => (parts::submit_as("do", "enable", v.t(ENABLE), Tone::Info)),
                }
            }
        }))
        (parts::fold(v.t(SPAN), parts::form(v, v.desk.path(), html! {
            (line("from", FROM, day.as_str())) (line("to", TO, now.as_str()))
            label.check { input type="checkbox" name="given_up_only" value="1" checked; (v.t(GIVEN_UP_ONLY)) }
            (parts::reason("span_reason", v))
            (parts::submit_as("do", "span", v.t(AGAIN), Tone::Plain))
        })))
        @if may_ask(v) {
            (parts::fold(v.t(CHANGE), parts::form(v, v.desk.path(), html! {
                (webhooks::fields(v, Some(webhook)))
                (parts::reason("change_reason", v))
                (parts::submit_as("do", "change", v.t(ASK), Tone::Plain))
            })))
            @if webhook.public_key.is_none() {
                (parts::fold(v.t(ROTATE), parts::form(v, v.desk.path(), html! {
                    (line("overlap", OVERLAP, "24"))
                    (parts::reason("rotate_reason", v))
                    (parts::submit_as("do", "rotate", v.t(ROTATE), Tone::Plain))
                })))
            }
        }
    }
}

#[derive(Deserialize)]
struct Replayed {
    deliveries: u64,
}

async fn take(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    let (route, here) = (route(v), v.desk.path().to_owned());
    let id = v.parameter.clone();
    let told = match form.text("do") {
        "change" => {
            let mut update = said(form);
            if let Value::Object(members) = &mut update {
                members.insert("id".to_owned(), id.into());
            }
            return ask(v, json!({ "update": update }), form.text("change_reason")).await;
        }
        "rotate" => {
            let overlap = form.text("overlap").trim();
            let hours = overlap
                .parse::<u16>()
                .map_or_else(|_| overlap.into(), Value::from);
            let change = json!({ "rotate": { "id": id, "overlap_hours": hours } });
            return ask(v, change, form.text("rotate_reason")).await;
        }
        "again" => {
            let target = format!(
                "{route}/deliveries/{}/replay",
                encoded(form.text("message"))
            );
            let body = json!({ "reason": form.text("again_reason") });
            v.post::<Value>(&target, &body).await?;
            v.t(ON_ITS_WAY).to_owned()
        }
        "span" => {
            let body = json!({
                "from": form.text("from").trim(),
                "to": form.text("to").trim(),
                "given_up_only": form.given("given_up_only").is_some(),
                "reason": form.text("span_reason"),
            });
            let Replayed { deliveries } = v.post(&format!("{route}/replay"), &body).await?;
            MANY_ON_THEIR_WAY.with(v.language(), &[&format::number(deliveries)])
        }
        step => {
            let step = ["ping", "enable"].into_iter().find(|known| *known == step);
            let step = step.unwrap_or("disable");
            let body = json!({
                "reason": form.text("step_reason"),
                "approval": form.given("approval"),
            });
            v.post::<Value>(&format!("{route}/{step}"), &body).await?;
            v.t(if step == "ping" { ON_ITS_WAY } else { DONE })
                .to_owned()
        }
    };
    Ok(Shown::done(here, told))
}
