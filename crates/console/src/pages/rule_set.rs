//! One version of the rules: where it stands, its history, what it changes, how it is released.

use super::{
    approval::{Difference, changes},
    rules,
};
use crate::{
    format,
    page::{Body, Door, Fault, Page, Shown},
    parts::{self, Field},
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
    path: "/rules/{version}",
    door: Door::Staff,
    needs: &[Scope::RulesRead],
    menu: None,
    show: |v| Box::pin(show(v)),
    take: Some(|v, form| Box::pin(ask(v, form))),
    words: WORDS,
};

words! {
    STATE = "State", "状态";
    RULES = "Rules in it", "规则数";
    WINDOWS = "Windows", "时间窗数";
    MAKER = "Made by", "编写人";
    DRAFTED = "Drafted", "起草时间";
    STANDING = "Where it stands", "版本状态";
    CHANGES = "Against what is live", "与生效版本的差异";
    HISTORY = "History", "处理记录";
    AT = "At", "时间";
    BY = "By", "操作人";
    ACTION = "Action", "动作";
    WHY = "Why", "原因";
    APPROVAL = "Approval", "审批单";
    PACKS = "Packs as they were sent", "规则包原文";
    RELEASE = "Release it", "发布";
    RELEASE_WHY = "Publishing takes the vote of somebody who did not write it.", "发布须由非编写人投票批准。";
    SHARE = "Share in basis points", "灰度比例（万分比）";
    SHARE_HINT = "1 to 9,999 for a canary; all payments if empty", "灰度填 1 至 9,999；留空则全量发布";
    ASK = "Ask for its release", "申请发布";
    ASKED = "Asked for. Others vote now.", "已提交申请，等待他人投票。";
}

#[derive(Deserialize)]
struct Record {
    version: String,
    state: String,
    maker: String,
    drafted_at: Timestamp,
    rules: u64,
    windows: u64,
    history: Vec<Step>,
    packs: Vec<Pack>,
}

#[derive(Deserialize)]
struct Step {
    action: String,
    state: String,
    by: String,
    purpose: String,
    at: Timestamp,
    approval: Option<String>,
}

#[derive(Deserialize)]
struct Pack {
    file: String,
    text: String,
}

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let route = format!("/v1/rule-sets/{}", encoded(&v.parameter));
    let record: Record = v.get(&route).await?;
    let difference: Difference = v.get(&format!("{route}/diff")).await?;
    let v = &*v;
    let steps: Vec<_> = record.history.iter().map(|step| cells(v, step)).collect();
    let columns = [
        v.t(AT),
        v.t(ACTION),
        v.t(STATE),
        v.t(BY),
        v.t(APPROVAL),
        v.t(WHY),
    ];
    let main = html! {
        div.columns {
            div {
                (parts::panel(v.t(STANDING), facts(v, &record)))
                @if v.may(Scope::RulesWrite) && v.may(Scope::ApprovalsRequest) && record.state != "live" {
                    (parts::panel(v.t(RELEASE), release(v, &record)))
                }
            }
            (parts::panel(v.t(CHANGES), changes(v, &difference)))
        }
        (parts::panel(v.t(HISTORY), parts::table(v.t(HISTORY), &columns, &steps, v)))
        (parts::panel(v.t(PACKS), html! {
            @for pack in &record.packs {
                (parts::fold(&pack.file, html! { pre.raw tabindex="0" role="region" aria-label=(pack.file) { (pack.text) } }))
            }
        }))
    };
    Ok(Body::new(record.version, main)
        .below("/rules", v.t(rules::TITLE))
        .into())
}

fn facts(v: &Visit, record: &Record) -> Markup {
    parts::facts([
        parts::row(STATE, parts::state(&record.state, v.language()), v),
        parts::row(RULES, html! { (format::number(record.rules)) }, v),
        parts::row(WINDOWS, html! { (format::number(record.windows)) }, v),
        parts::row(MAKER, parts::actor(&record.maker, v), v),
        parts::row(DRAFTED, parts::since(record.drafted_at, v), v),
    ])
}

fn cells(v: &Visit, step: &Step) -> Vec<Markup> {
    let approval = step.approval.as_deref();
    vec![
        format::time(step.at),
        parts::id(&step.action),
        parts::state(&step.state, v.language()),
        parts::actor(&step.by, v),
        html! { @if let Some(id) = approval { (parts::link(&format!("/approvals/{id}"), id)) } @else { "–" } },
        html! { (step.purpose) },
    ]
}

fn release(v: &Visit, record: &Record) -> Markup {
    let share = Field {
        required: false,
        hint: Some(v.t(SHARE_HINT)),
        bytes_max: 4,
        ..Field::new("share", v.t(SHARE))
    };
    parts::form(
        v,
        &format!("/rules/{}", encoded(&record.version)),
        html! {
            p.muted { (v.t(RELEASE_WHY)) }
            (share) (parts::reason("reason", v))
            (parts::submit(v.t(ASK), Tone::Info))
        },
    )
}

#[derive(Deserialize)]
struct Asked {
    id: String,
}

async fn ask(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    let share = form.given("share").map(|text| match text.parse::<u16>() {
        Ok(share) => Value::from(share),
        Err(_) => Value::from(text),
    });
    let release = json!({ "version": v.parameter, "share_bp": share });
    let body = json!({ "command": { "rule_release": release }, "reason": form.text("reason") });
    let Asked { id } = v.post("/v1/approvals", &body).await?;
    Ok(Shown::done(
        format!("/approvals/{}", encoded(&id)),
        v.t(ASKED),
    ))
}
