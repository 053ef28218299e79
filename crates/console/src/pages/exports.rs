//! Taking rows out, with a reason: asked for on the list itself, approved by somebody else, then
//! fetched as CSV or as JSON lines.

mod file;

pub(crate) use file::{PREFIX as FILES, fetch};

use super::decisions;
use crate::{
    page::{Body, Door, Fault, Page, Shown},
    parts::{self, Field},
    terms::Tone,
    visit::{Visit, address, encoded},
    word::{Word, words},
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_server::pages::Form;
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) const PAGE: Page = Page {
    path: "/exports",
    door: Door::Staff,
    needs: &[Scope::ExportsWrite],
    menu: None,
    show: |v| Box::pin(async { Ok(show(v)) }),
    take: Some(|v, form| Box::pin(take(v, form))),
    words: WORDS,
};

words! {
    TITLE = "Take rows out", "导出数据";
    EXPORT = "Export", "数据导出";
    WHY = "Rows leave the system: somebody else votes. When it is carried out, the file is fetched on the page of the approval, as CSV or as JSON lines.", "数据将离开系统，须由他人投票；执行后在审批页以 CSV 或 JSON 行格式下载。";
    OF_WHAT = "Which rows", "导出范围";
    ROWS = "How many rows at most", "最多行数";
    TICKET = "Ticket", "工单号";
    ASK = "Ask for approval", "提交申请";
    ASKED = "Asked for. Others vote now.", "已提交申请，等待他人投票。";
    FETCH = "Fetch the file", "下载文件";
    DECISIONS = "Decisions", "决策";
    LEAVES = "Leaves of the trail", "审计叶节点";
    ENTRIES = "Entries of lists", "名单条目";
    ALERTS = "All alerts on payments", "全部支付告警";
    CASES = "All cases", "全部案件";
    SECURITY_ALERTS = "Security alerts", "安全告警";
    APPROVALS = "Approvals with their votes", "审批及表决";
    RULES = "Rules that decide", "生效规则";
    RATINGS = "Ratings of customers", "客户风险等级";
    SCREENING_ALERTS = "What the watch of screening has found", "持续筛查命中";
    ONLY = "Only what this line of terms finds", "仅导出符合查询语句的行";
}

/// What can be taken out: its name, its word, the page that it is of, and what reading it needs.
const COLLECTIONS: [(&str, Word, &str, Scope); 10] = [
    ("decisions", DECISIONS, "/decisions", Scope::DecisionsRead),
    ("trail", LEAVES, "/trail", Scope::TrailRead),
    ("lists", ENTRIES, "/lists", Scope::ListsRead),
    ("alerts", ALERTS, "/payment-alerts", Scope::CasesRead),
    ("cases", CASES, "/cases", Scope::CasesRead),
    (
        "security_alerts",
        SECURITY_ALERTS,
        "/alerts",
        Scope::SecurityRead,
    ),
    ("approvals", APPROVALS, "/approvals", Scope::ApprovalsRead),
    ("rules", RULES, "/library", Scope::DecisionsRead),
    ("ratings", RATINGS, "/customer-ratings", Scope::RatingsRead),
    (
        "screening_alerts",
        SCREENING_ALERTS,
        "/screening",
        Scope::ScreeningRead,
    ),
];

/// The way to an export of what a list shows, for whoever may ask for one.
pub(super) fn way(v: &Visit, collection: &str) -> Markup {
    let may = v.may(Scope::ExportsWrite) && v.may(Scope::ApprovalsRequest);
    let to = address("/exports", &[("of", Some(collection))]);
    html! { @if may { p { a.button.quiet href=(to) { (v.t(EXPORT)) } } } }
}

/// What something that can be taken out is called.
pub(super) fn collection(name: &str, v: &Visit) -> String {
    let found = COLLECTIONS.iter().find(|(known, ..)| *known == name);
    found.map_or(name, |(_, word, ..)| v.t(*word)).to_owned()
}

fn show(v: &Visit) -> Shown {
    let of = v.query("of").unwrap_or_default();
    let known = COLLECTIONS.iter().filter(|(.., scope)| v.may(*scope));
    let options = known.map(|(name, word, ..)| ((*name).to_owned(), v.t(*word).to_owned()));
    let line = |name, word, value, required| Field {
        value,
        required,
        ..Field::new(name, v.t(word))
    };
    let main = html! {
        div.narrow {
            (parts::panel(v.t(TITLE), parts::form(v, "/exports", html! {
                p.muted { (v.t(WHY)) }
                (parts::select("collection", v.t(OF_WHAT), &of, options))
                (line("rows", ROWS, "10000", true)) (line("ticket", TICKET, "", false))
                (parts::reason("reason", v))
                (parts::submit(v.t(ASK), Tone::Info))
            })))
        }
    };
    let page = COLLECTIONS.iter().find(|(name, ..)| *name == of);
    let body = Body::new(v.t(TITLE), main);
    match page {
        Some((_, word, path, _)) => body.below(*path, v.t(*word)).into(),
        None => body.into(),
    }
}

#[derive(Deserialize)]
struct Asked {
    id: String,
}

async fn take(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    let rows = form.text("rows").trim();
    let rows = rows
        .parse::<u64>()
        .map_or_else(|_| rows.into(), Value::from);
    let export = json!({ "collection": form.text("collection"), "rows": rows });
    let body = json!({
        "command": { "export": export },
        "reason": form.text("reason"),
        "ticket": form.given("ticket"),
    });
    let Asked { id } = v.post("/v1/approvals", &body).await?;
    Ok(Shown::done(
        format!("/approvals/{}", encoded(&id)),
        v.t(ASKED),
    ))
}

/// Fetches the file of an export that is open: whoever asked for it may.
pub(super) fn files(v: &Visit, approval: &str, payload: &Value) -> Option<Markup> {
    let collection = payload.get("collection")?.as_str()?;
    COLLECTIONS.iter().find(|(name, ..)| *name == collection)?;
    let to = |ending: &str| format!("{FILES}{}/{collection}.{ending}", encoded(approval));
    let narrowed = collection == "decisions";
    Some(html! {
        h3 { (v.t(FETCH)) }
        @if narrowed {
            form method="get" action=(to("csv")) {
                (decisions::query_line(v, ""))
                p.hint { (v.t(ONLY)) }
                div.buttons {
                    button.button { "CSV" }
                    button.button formaction=(to("jsonl")) { "JSON" }
                }
            }
        } @else {
            div.buttons {
                a.button href=(to("csv")) download="" { "CSV" }
                a.button href=(to("jsonl")) download="" { "JSON" }
            }
        }
    })
}
