//! Webhooks: where a company is told of what, and asking for another one.

use crate::{
    format,
    icon::Icon,
    page::{Body, Door, Fault, Group, Menu, Page, Shown},
    parts::{self, Field},
    terms::Tone,
    visit::{Visit, encoded},
    word::words,
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::{Outcome, Timestamp};
use paywarden_server::pages::Form;
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) const PAGE: Page = Page {
    path: "/webhooks",
    door: Door::Staff,
    needs: &[Scope::WebhooksRead],
    menu: Some(Menu {
        group: Group::Run,
        word: TITLE,
        icon: Icon::WEBHOOKS,
        key: 'w',
    }),
    show: |v| Box::pin(show(v)),
    take: Some(|v, form| Box::pin(take(v, form))),
    words: WORDS,
};

words! {
    TITLE = "Webhooks", "事件通知";
    ADDRESS = "Address", "地址";
    EVENTS = "Events", "事件类型";
    EVENTS_HINT = "Names such as label.added, families such as case.*, or *; with blanks between", "事件名如 label.added，事件族如 case.*，或 *；以空格分隔";
    OUTCOMES = "Of which decisions", "限定的决策结果";
    OUTCOMES_HINT = "Outcomes with blanks between; of all if empty", "决策结果以空格分隔，留空则不限";
    ALL_OUTCOMES = "all", "不限结果";
    FOR = "What it is for", "用途";
    STATE = "State", "状态";
    SIGNED = "Signed by", "签名方式";
    CHANGED_AT = "Changed last", "最近变更";
    NEW = "Ask for another webhook", "申请新增通知地址";
    NEW_WHY = "Whoever says where events go could have them sent elsewhere: somebody else votes. The secret is shown to whoever carries it out.", "事件去向属敏感操作，须由他人投票；密钥仅向执行人显示一次。";
    ASK = "Ask for approval", "提交申请";
    ASKED = "Asked for. Others vote now.", "已提交申请，等待他人投票。";
}

#[derive(Deserialize)]
struct Webhooks {
    webhooks: Vec<Webhook>,
}

/// A webhook.
#[derive(Deserialize)]
pub(super) struct Webhook {
    pub(super) id: String,
    pub(super) version: i64,
    pub(super) changed_at: Timestamp,
    pub(super) url: String,
    pub(super) description: String,
    pub(super) events: Vec<String>,
    pub(super) outcomes: Vec<Outcome>,
    pub(super) state: String,
    pub(super) signature: String,
    pub(super) public_key: Option<String>,
}

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let Webhooks { webhooks } = v.get("/v1/webhooks").await?;
    let v = &*v;
    let rows: Vec<_> = webhooks.iter().map(|one| cells(v, one)).collect();
    let columns = [
        v.t(ADDRESS),
        v.t(EVENTS),
        v.t(OUTCOMES),
        v.t(STATE),
        v.t(SIGNED),
        v.t(CHANGED_AT),
        v.t(FOR),
    ];
    let main = html! {
        (parts::table(v.t(TITLE), &columns, &rows, v))
        @if may_ask(v) { div.narrow { (parts::panel(v.t(NEW), new(v))) } }
    };
    Ok(Body::new(v.t(TITLE), main).into())
}

/// Whether whoever looks may ask for a change of webhooks.
pub(super) fn may_ask(v: &Visit) -> bool {
    v.may(Scope::WebhooksWrite) && v.may(Scope::ApprovalsRequest)
}

fn cells(v: &Visit, webhook: &Webhook) -> Vec<Markup> {
    vec![
        parts::link(&format!("/webhooks/{}", encoded(&webhook.id)), &webhook.url),
        html! { @for event in &webhook.events { (parts::id(event)) " " } },
        outcomes(v, &webhook.outcomes),
        parts::state(&webhook.state, v.language()),
        parts::id(&webhook.signature),
        format::time(webhook.changed_at),
        html! { (webhook.description) },
    ]
}

/// Of which decisions one is told.
pub(super) fn outcomes(v: &Visit, outcomes: &[Outcome]) -> Markup {
    html! {
        @if outcomes.is_empty() { span.muted { (v.t(ALL_OUTCOMES)) } }
        @for one in outcomes { (parts::outcome(*one, v.language())) " " }
    }
}

fn new(v: &Visit) -> Markup {
    let signatures =
        ["v1", "v1a"].map(|name| (name.to_owned(), super::webhook::scheme(name).to_owned()));
    parts::form(
        v,
        "/webhooks",
        html! {
            p.muted { (v.t(NEW_WHY)) }
            (fields(v, None))
            (parts::select("signature", v.t(SIGNED), "v1", signatures))
            (parts::reason("reason", v))
            (parts::submit(v.t(ASK), Tone::Info))
        },
    )
}

/// What is said of a webhook.
pub(super) fn fields(v: &Visit, known: Option<&Webhook>) -> Markup {
    let events = known.map(|one| one.events.join(" ")).unwrap_or_default();
    let outcomes = known.map(|one| {
        one.outcomes
            .iter()
            .map(|one| one.name())
            .collect::<Vec<_>>()
            .join(" ")
    });
    let outcomes = outcomes.unwrap_or_default();
    let url = Field {
        kind: "url",
        value: known.map(|one| one.url.as_str()).unwrap_or_default(),
        bytes_max: 2_048,
        ..Field::new("url", v.t(ADDRESS))
    };
    let events = Field {
        value: &events,
        hint: Some(v.t(EVENTS_HINT)),
        ..Field::new("events", v.t(EVENTS))
    };
    let outcomes = Field {
        value: &outcomes,
        required: false,
        hint: Some(v.t(OUTCOMES_HINT)),
        ..Field::new("outcomes", v.t(OUTCOMES))
    };
    let description = Field {
        value: known
            .map(|one| one.description.as_str())
            .unwrap_or_default(),
        required: false,
        bytes_max: 200,
        ..Field::new("description", v.t(FOR))
    };
    html! { (url) (events) (outcomes) (description) }
}

/// What a form says of a webhook.
pub(super) fn said(form: &Form) -> Value {
    let words = |name: &str| -> Vec<String> {
        form.text(name)
            .split_whitespace()
            .map(str::to_owned)
            .collect()
    };
    json!({
        "url": form.text("url").trim(),
        "events": words("events"),
        "outcomes": words("outcomes"),
        "description": form.text("description").trim(),
    })
}

async fn take(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    let mut webhook = said(form);
    if let Value::Object(members) = &mut webhook {
        members.insert("signature".to_owned(), form.text("signature").into());
    }
    ask(v, json!({ "create": webhook }), form.text("reason")).await
}

#[derive(Deserialize)]
struct Asked {
    id: String,
}

/// Asks for a change of webhooks, which somebody else votes on.
pub(super) async fn ask(v: &mut Visit, change: Value, reason: &str) -> Result<Shown, Fault> {
    let body = json!({ "command": { "webhook_change": change }, "reason": reason });
    let Asked { id } = v.post("/v1/approvals", &body).await?;
    Ok(Shown::done(
        format!("/approvals/{}", encoded(&id)),
        v.t(ASKED),
    ))
}
