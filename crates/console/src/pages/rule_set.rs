//! One version of the rules: where it stands, what it changes, how it is tried and released.

pub(super) mod lines;
mod trial;

use super::{
    approval::{Difference, changes},
    rules,
};
use crate::{
    format,
    icon::Icon,
    page::{Body, Door, Fault, Page, Shown},
    parts::{self, Field},
    said,
    terms::Tone,
    visit::{Visit, address, encoded},
    word::words,
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::Timestamp;
use paywarden_server::pages::Form;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(crate) const PAGE: Page = Page {
    path: "/rules/{version}",
    door: Door::Staff,
    needs: &[Scope::RulesRead],
    menu: None,
    show: |v| Box::pin(show(v)),
    take: Some(|v, form| Box::pin(take(v, form))),
    words: WORDS,
};

/// Words of the parts beside this file.
pub(crate) const MORE_WORDS: &[crate::word::Word] = trial::WORDS;

words! {
    STATE = "State", "状态";
    RULES = "Rules in it", "规则数";
    WINDOWS = "Windows", "时间窗数";
    MAKER = "Made by", "编写人";
    DRAFTED = "Drafted", "起草时间";
    STANDING = "Where it stands", "版本状态";
    CHANGES = "Against what is live", "与生效版本的差异";
    LINES = "Line by line", "逐行差异";
    HISTORY = "History", "处理记录";
    AT = "At", "时间";
    BY = "By", "操作人";
    ACTION = "Action", "动作";
    WHY = "Why", "原因";
    APPROVAL = "Approval", "审批单";
    PACKS = "Packs", "规则包";
    EDIT = "Edit in the studio", "在工作台中编辑";
    NEXT = "What comes next", "下一步";
    TRY = "Try it on the past", "用历史数据回测";
    TRY_WHY = "Every payment of the journal is decided again by this version, point in time.", "以该版本按时点重新决策日志中的每一笔支付。";
    LABEL_DELAY = "Days after which a payment without a label counts as genuine", "无标签支付视为正常的天数";
    AGAINST = "Compare with", "对比对象";
    AGAINST_ANSWERED = "the outcomes that were answered", "实际答复的结果";
    AGAINST_LIVE = "the version that is live", "当前生效版本";
    START_TRY = "Start the back-test", "开始回测";
    SHADOW_WHY = "It is evaluated beside the live version and decides nothing.", "与生效版本并行求值，不影响决策。";
    START_SHADOW = "Put it in the shadow", "进入影子运行";
    GIVE_UP = "Give it up", "放弃该版本";
    GIVE_UP_WHY = "It stays readable and can be taken up again.", "版本仍可查看，也可重新启用。";
    RELEASE = "Release it", "发布";
    RELEASE_WHY = "Publishing takes the vote of somebody who did not write it.", "发布须由非编写人投票批准。";
    SHARE = "Share in basis points", "灰度比例（万分比）";
    SHARE_HINT = "1 to 9,999 for a canary; all payments if empty", "灰度填 1 至 9,999；留空则全量发布";
    ASK = "Ask for its release", "申请发布";
    ASKED = "Asked for. Others vote now.", "已提交申请，等待他人投票。";
    ROLL_BACK = "Roll it back", "回滚";
    ROLL_BACK_WHY = "The version that was live before decides again, at once.", "此前生效的版本立即恢复决策。";
    DONE = "Done.", "操作完成。";
    UNDER_WAY = "Under way: windows are being filled first.", "处理中：正在补算时间窗。";
    PREPARING = "Windows are being filled: {} of {} decisions read", "正在补算时间窗：已读取 {} / {} 条决策";
    LAST_FAILED = "The last preparation came to nothing", "上次准备未成功";
}

#[derive(Deserialize)]
struct Record {
    version: String,
    state: String,
    maker: String,
    drafted_at: Timestamp,
    rules: u64,
    windows: u64,
    trial: Option<trial::Trial>,
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
    back_test: Option<String>,
}

#[derive(Deserialize)]
struct Pack {
    file: String,
    text: String,
}

#[derive(Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
enum Progress {
    Idle,
    Preparing { done: u64, total: u64 },
    Done {},
    Failed { code: String, detail: String },
}

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let route = format!("/v1/rule-sets/{}", encoded(&v.parameter));
    let record: Record = v.get(&route).await?;
    let difference: Difference = v.get(&format!("{route}/diff")).await?;
    let version = v.parameter.clone();
    v.desk.about_rules(&version).await;
    let is_own = !record.history.is_empty();
    let progress: Option<Progress> = match is_own {
        true => Some(v.get(&format!("{route}/progress")).await?),
        false => None,
    };
    let texts = match record.state.as_str() {
        "live" => Vec::new(),
        _ => {
            let live: Record = v.get("/v1/rule-sets/live").await?;
            lines::changed(&by_file(&live.packs), &by_file(&record.packs))
        }
    };
    let v = &*v;
    let steps: Vec<_> = record
        .history
        .iter()
        .map(|step| cells(v, &record.version, step))
        .collect();
    let studio = address("/studio", &[("from", Some(&record.version))]);
    let main = html! {
        (progress.as_ref().map(|progress| under_way(v, progress)).unwrap_or_default())
        div.columns {
            div {
                (parts::panel(v.t(STANDING), html! {
                    (facts(v, &record))
                    p { a.button href=(studio) { (Icon::PEN.draw()) (v.t(EDIT)) } }
                }))
                @if v.may(Scope::RulesWrite) && is_own { (next(v, &record)) }
            }
            div {
                (parts::panel(v.t(CHANGES), changes(v, &difference)))
                @if let Some(trial) = &record.trial { (trial::panel(v, trial)) }
            }
        }
        @if !texts.is_empty() {
            (parts::panel(v.t(LINES), html! {
                @for (file, text) in &texts { h3 { (file) } (lines::draw(file, text)) }
            }))
        }
        (parts::panel(v.t(HISTORY), parts::table(v.t(HISTORY), &[AT, ACTION, STATE, BY, APPROVAL, WHY].map(|word| v.t(word)), &steps, v)))
        (parts::panel(v.t(PACKS), html! {
            ul.icons { @for pack in &record.packs { li { (pack_link(&record.version, &pack.file)) } } }
        }))
    };
    Ok(Body::new(record.version, main)
        .below("/rules", v.t(rules::TITLE))
        .with(&["wait.js"])
        .into())
}

/// Files are named by their packs, as a rule; where one is not, the studio says so.
fn pack_link(version: &str, file: &str) -> Markup {
    let name = file.trim_end_matches(".yaml");
    let parameters = [("from", Some(version)), ("pack", Some(name))];
    parts::link(&address("/studio", &parameters), file)
}

fn by_file(packs: &[Pack]) -> BTreeMap<&str, &str> {
    let named = packs
        .iter()
        .map(|pack| (pack.file.as_str(), pack.text.as_str()));
    named.collect()
}

fn under_way(v: &Visit, progress: &Progress) -> Markup {
    match progress {
        Progress::Idle | Progress::Done {} => html! {},
        Progress::Preparing { done, total } => {
            let [done_text, total_text] = [done, total].map(|count| format::number(*count));
            let said = PREPARING.with(v.language(), &[&done_text, &total_text]);
            parts::note(
                Tone::Info,
                html! { div data-wait="" { (said) progress max=(total.max(&1)) value=(done) aria-label=(said) {} } },
            )
        }
        Progress::Failed { code, detail } => parts::note(
            Tone::Bad,
            html! { div { (v.t(LAST_FAILED)) ": " (said::detail(detail, v)) " " (parts::id(code)) } },
        ),
    }
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

fn cells(v: &Visit, version: &str, step: &Step) -> Vec<Markup> {
    let approval = step.approval.as_deref();
    let back_test = step.back_test.as_deref().map(|id| back_test(version, id));
    vec![
        format::time(step.at),
        match back_test {
            Some(to) => parts::link(&to, &step.action),
            None => parts::id(&step.action),
        },
        parts::state(&step.state, v.language()),
        parts::actor(&step.by, v),
        html! { @if let Some(id) = approval { (parts::link(&format!("/approvals/{id}"), id)) } @else { "–" } },
        html! { (step.purpose) },
    ]
}

/// Where a back-test is looked at.
fn back_test(version: &str, id: &str) -> String {
    address(
        &format!("/backtests/{}", encoded(id)),
        &[("version", Some(version))],
    )
}

/// What may be done with a version where it stands, the likeliest first.
fn next(v: &Visit, record: &Record) -> Markup {
    let here = format!("/rules/{}", encoded(&record.version));
    let state = record.state.as_str();
    let may_ask = v.may(Scope::ApprovalsRequest) && !["live", "draft"].contains(&state);
    let may_shadow = ["checked", "back_tested", "archived", "canary"].contains(&state);
    let may_archive = !["live", "archived"].contains(&state);
    let against = [
        (String::new(), v.t(AGAINST_ANSWERED).to_owned()),
        ("live".to_owned(), v.t(AGAINST_LIVE).to_owned()),
    ];
    let delay = Field {
        kind: "number",
        value: "45",
        bytes_max: 4,
        ..Field::new("label_delay", v.t(LABEL_DELAY))
    };
    let share = Field {
        required: false,
        hint: Some(v.t(SHARE_HINT)),
        bytes_max: 4,
        ..Field::new("share", v.t(SHARE))
    };
    let press = |name, word, tone| html! { div.buttons { (parts::submit_as("do", name, v.t(word), tone)) } };
    // The button stands behind the reason: what is asked for last is done next.
    let with = |fields: Markup, name: &'static str, reason: &'static str, word, tone| {
        html! {
            (fields) (parts::reason(reason, v)) (press(name, word, tone))
        }
    };
    let step = |title, why, inside: Markup, is_open: bool| {
        html! {
            details.fold open[is_open] {
                summary { (v.t(title)) }
                (parts::form(v, &here, html! { p.muted { (v.t(why)) } (inside) }))
            }
        }
    };
    parts::panel(
        v.t(NEXT),
        html! {
            (step(TRY, TRY_WHY, with(html! {
                (parts::select("against", v.t(AGAINST), "", against)) (delay)
            }, "back_test", "try_reason", START_TRY, Tone::Info), state == "checked"))
            @if may_shadow {
                (step(START_SHADOW, SHADOW_WHY, with(html! {}, "shadow", "shadow_reason", START_SHADOW, Tone::Info), false))
            }
            @if may_ask {
                (step(RELEASE, RELEASE_WHY, with(html! { (share) }, "release", "reason", ASK, Tone::Info), ["back_tested", "shadow"].contains(&state)))
            }
            @if state == "live" {
                (step(ROLL_BACK, ROLL_BACK_WHY, with(html! {}, "roll_back", "back_reason", ROLL_BACK, Tone::Bad), false))
            }
            @if may_archive {
                (step(GIVE_UP, GIVE_UP_WHY, with(html! {}, "archive", "archive_reason", GIVE_UP, Tone::Plain), false))
            }
        },
    )
}

#[derive(Deserialize)]
struct Asked {
    id: String,
}

/// What came of a step: the version as it stands, or how far its preparation is.
#[derive(Deserialize)]
struct Moved {
    #[serde(default)]
    state: Option<String>,
}

async fn take(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    let here = format!("/rules/{}", encoded(&v.parameter));
    let route = format!("/v1/rule-sets/{}", encoded(&v.parameter));
    let (target, reason) = match form.text("do") {
        "back_test" => return try_out(v, form).await,
        "release" => return release(v, form).await,
        "shadow" => (format!("{route}/shadow"), "shadow_reason"),
        "roll_back" => ("/v1/rule-sets/rollback".to_owned(), "back_reason"),
        _ => (format!("{route}/archive"), "archive_reason"),
    };
    let body = json!({ "purpose": form.text(reason) });
    let Moved { state } = v.post(&target, &body).await?;
    let word = if state.is_some() { DONE } else { UNDER_WAY };
    Ok(Shown::done(here, v.t(word)))
}

async fn try_out(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    let days = form.text("label_delay");
    let days = days
        .parse::<u16>()
        .map_or_else(|_| Value::from(days), Value::from);
    let body = json!({
        "against": form.given("against"),
        "label_delay_days": days,
        "purpose": form.text("try_reason"),
    });
    let route = format!("/v1/rule-sets/{}/backtests", encoded(&v.parameter));
    let Asked { id } = v.post(&route, &body).await?;
    Ok(Shown::at(back_test(&v.parameter, &id)))
}

async fn release(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
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
