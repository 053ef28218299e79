//! One case: its alerts and payments, who takes part, what was looked at, and closing it by two.

mod files;
mod reported;

pub(crate) use files::{FILES, WORDS as FILE_WORDS, fetch};
pub(super) use reported::WORDS as REPORTED_WORDS;

use super::{
    cases::{self, Related},
    work::{self, Alert, Closing, Payment, Policy, Story},
};
use crate::{
    format,
    names::named,
    page::{Body, Door, Fault, Page, Shown},
    parts::{self, Field},
    terms::Tone,
    visit::{Visit, encoded},
    word::words,
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::{Money, Timestamp};
use paywarden_server::pages::Form;
use reported::Reports;
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) const PAGE: Page = Page {
    path: "/cases/{id}",
    door: Door::Staff,
    needs: &[Scope::CasesRead],
    menu: None,
    show: |v| Box::pin(show(v)),
    take: Some(|v, form| Box::pin(take(v, form))),
    words: WORDS,
};

words! {
    STANDING = "Where it is", "当前情况";
    MERGED_INTO = "Part of", "已并入";
    MERGED_FROM = "Took over", "合并来源";
    SPLIT_FROM = "Split off", "拆分自";
    ALERTS = "Alerts of the case", "案件告警";
    ALL_PAYMENTS = "Payments of the case", "案件支付";
    PICK = "Pick", "选取";
    PICK_ONE = "Pick {}", "选取 {}";
    TAKE_OUT = "Take those picked out", "移出选取项";
    SPLIT = "Split those picked off into a new case", "将选取项拆分为新案件";
    NEW_TITLE = "Title of the new case", "新案件名称";
    FROM_ALERT = "From", "来源告警";
    BY_ITSELF = "put in by itself", "单独加入";
    PUT_IN = "Put payments in", "加入支付记录";
    PAYMENT_IDS = "Which payments", "支付号列表";
    PAYMENT_IDS_HINT = "Your identifiers, with blanks between, at most 60", "商户支付号，以空格分隔，最多 60 个";
    CHECKLIST = "Checklist", "检查清单";
    DONE_BY = "Done by", "完成人";
    IS_DONE = "Done", "完成";
    NOT_DONE = "Not done after all", "撤销完成";
    HANDS = "Whose turn", "处理分工";
    MERGE = "Make it part of another case", "并入其他案件";
    CASE_ID = "Which case", "案件编号";
    CLOSING = "Close it by two", "双人结案";
    CLOSING_WHY = "Somebody else votes on this very version. Alerts that are open are closed with it.", "由他人对当前版本投票；未关闭的告警随案件一并结案。";
    UNCHECKED = "Something of the checklist is not done yet.", "检查清单尚未全部完成。";
    ASK_CLOSING = "Ask for its closing", "申请结案";
    WAITS = "Its closing waits for a vote.", "结案申请等待投票。";
    LOOK = "Look at it", "查看";
    REOPEN = "Look at it again", "重新打开案件";
    ASKED = "Asked for. Others vote now.", "已提交申请，等待他人投票。";
}

#[derive(Deserialize)]
struct Case {
    id: String,
    version: i64,
    queue: String,
    title: String,
    typology: String,
    priority: String,
    state: String,
    assignee: Option<String>,
    opened_at: Timestamp,
    due_at: Timestamp,
    payments: Vec<Own>,
    entities: Vec<String>,
    amounts: Vec<Money>,
    checklist: Vec<Check>,
    merged_into: Option<String>,
    merged_from: Vec<String>,
    split_from: Option<String>,
    closing: Option<Closing>,
}

/// A payment that was put in by itself.
#[derive(Deserialize)]
struct Own {
    payment: Payment,
}

#[derive(Deserialize)]
struct Check {
    id: String,
    done: Option<Done>,
}

#[derive(Deserialize)]
struct Done {
    by: String,
    at: Timestamp,
}

#[derive(Deserialize)]
struct Alerts {
    alerts: Vec<Alert>,
}

#[derive(Deserialize)]
struct RelatedCases {
    related: Vec<Related>,
}

#[derive(Deserialize)]
struct Approvals {
    approvals: Vec<Approval>,
}

#[derive(Deserialize)]
struct Approval {
    id: String,
    object: String,
}

fn route(v: &Visit) -> String {
    format!("/v1/cases/{}", encoded(&v.parameter))
}

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let route = route(v);
    let case: Case = v.get(&route).await?;
    let policy: Policy = v.get("/v1/alert-policy").await?;
    let Alerts { alerts } = v.get(&format!("{route}/alerts")).await?;
    let RelatedCases { related } = v.get(&format!("{route}/related")).await?;
    let reports = Reports::about(v, &route).await?;
    let story = Story::read(v, &route).await?;
    let files = files::Files::read(v).await?;
    let waiting = "/v1/approvals?command=case_closing&state=open&limit=100";
    let waiting: Option<Approvals> = v.get_if(Scope::ApprovalsRead, waiting).await?;
    let mut waiting = waiting.into_iter().flat_map(|page| page.approvals);
    let waiting = waiting.find(|approval| approval.object == case.id);
    let v = &*v;
    let is_open = case.state == "open";
    let main = html! {
        div.columns {
            div {
                (parts::panel(v.t(STANDING), facts(v, &case, &policy)))
                (parts::panel(v.t(CHECKLIST), checklist(v, &case)))
                (parts::panel(v.t(work::TAKE_PART), work::entities(v, &case.entities)))
            }
            div {
                @if let Some(closing) = &case.closing { (parts::panel(v.t(work::TURNED_OUT), work::closing(v, closing, &policy))) }
                @if v.may(Scope::CasesClose) { (ending(v, &case, &policy, waiting.as_ref())) }
                @if is_open && v.may(Scope::CasesWork) { (parts::panel(v.t(HANDS), hands(v, &case, &alerts))) }
                (parts::panel(v.t(work::NOTES), story.notes(v, is_open)))
            }
        }
        (parts::panel(v.t(ALERTS), alerts_of(v, &case, &alerts)))
        (parts::panel(v.t(ALL_PAYMENTS), payments_of(v, &case, &alerts)))
        (parts::panel(v.t(files::TITLE), files.draw(v, is_open)))
        (parts::panel(v.t(work::RELATED), cases::related(v, &related)))
        @if let Some(reports) = &reports { (reported::panel(v, reports)) }
        (parts::panel(v.t(work::TIMELINE), story.timeline(v)))
    };
    let body = Body::new(case.title, main).below("/cases", v.t(cases::TITLE));
    Ok(body.with(&["due.js"]).into())
}

fn facts(v: &Visit, case: &Case, policy: &Policy) -> Markup {
    let mut rows = vec![
        parts::row(
            work::STATE,
            html! { (parts::state(&case.state, v.language())) " " (parts::state(&case.priority, v.language())) },
            v,
        ),
        parts::row(work::LEFT, work::left(case.due_at, &case.state, v), v),
        parts::row(
            work::TYPOLOGY,
            html! { (policy.typology(&case.typology, v.language())) },
            v,
        ),
        parts::row(
            work::QUEUE,
            html! { (policy.queue(&case.queue, v.language())) },
            v,
        ),
        parts::row(
            work::ASSIGNEE,
            work::assignee(case.assignee.as_deref(), v),
            v,
        ),
        parts::row(work::AMOUNT, work::amounts(&case.amounts), v),
        parts::row(work::OPENED, parts::since(case.opened_at, v), v),
    ];
    let others = [
        (MERGED_INTO, &case.merged_into),
        (SPLIT_FROM, &case.split_from),
    ];
    for (word, other) in others {
        rows.extend(other.iter().map(|id| parts::row(word, work::item(id), v)));
    }
    if !case.merged_from.is_empty() {
        let all = html! { @for id in &case.merged_from { (work::item(id)) " " } };
        rows.push(parts::row(MERGED_FROM, all, v));
    }
    parts::facts(rows)
}

fn checklist(v: &Visit, case: &Case) -> Markup {
    let may = case.state == "open" && v.may(Scope::CasesWork);
    let row = |check: &Check| {
        let said = named("check", &check.id, "", v.language());
        let done = check.done.as_ref();
        let (value, text) = match done {
            Some(_) => ("", v.t(NOT_DONE)),
            None => ("1", v.t(IS_DONE)),
        };
        vec![
            html! { @if done.is_some() { (parts::badge(Tone::Good, Some(crate::icon::Icon::YES), &said)) } @else { (said) } },
            html! { @if let Some(Done { by, at }) = done { (parts::actor(by, v)) " " (format::time(*at)) } @else { "–" } },
            html! { @if may {
                (parts::form(v, v.desk.path(), html! {
                    (parts::hidden("do", "check")) (parts::hidden("check", &check.id)) (parts::hidden("is_done", value))
                    button.button type="submit" aria-label=(format!("{text}: {said}")) { (text) }
                }))
            } },
        ]
    };
    let rows: Vec<_> = case.checklist.iter().map(row).collect();
    parts::table(
        v.t(CHECKLIST),
        &[v.t(CHECKLIST), v.t(DONE_BY), v.t(work::STEP)],
        &rows,
        v,
    )
}

/// How the case comes to its end, or back from it.
fn ending(v: &Visit, case: &Case, policy: &Policy, waiting: Option<&Approval>) -> Markup {
    let is_checked = case.checklist.iter().all(|check| check.done.is_some());
    html! {
        @match (case.state.as_str(), waiting) {
            ("open", Some(approval)) => (parts::panel(v.t(CLOSING), html! {
                p { (v.t(WAITS)) }
                a.button href=(format!("/approvals/{}", encoded(&approval.id))) { (v.t(LOOK)) }
            })),
            ("open", None) if !is_checked => (parts::panel(v.t(CLOSING), parts::note(Tone::Care, v.t(UNCHECKED)))),
            ("open", None) if v.may(Scope::ApprovalsRequest) => (parts::panel(v.t(CLOSING), parts::form(v, v.desk.path(), html! {
                p.muted { (v.t(CLOSING_WHY)) }
                (parts::hidden("version", &case.version.to_string()))
                (policy.choose_verdict("as", v)) (parts::reason("close_reason", v))
                (parts::submit_as("do", "close", v.t(ASK_CLOSING), Tone::Info))
            }))),
            ("closed", _) => (parts::panel(v.t(REOPEN), parts::form(v, v.desk.path(), html! {
                (parts::reason("reopen_reason", v))
                (parts::submit_as("do", "reopen", v.t(REOPEN), Tone::Care))
            }))),
            _ => {}
        }
    }
}

fn hands(v: &Visit, case: &Case, alerts: &[Alert]) -> Markup {
    let of_alerts = alerts.iter().flat_map(|alert| &alert.payments);
    let all = of_alerts.chain(case.payments.iter().map(|own| &own.payment));
    let ids = Field {
        hint: Some(v.t(PAYMENT_IDS_HINT)),
        bytes_max: 8_192,
        ..Field::new("payments", v.t(PAYMENT_IDS))
    };
    html! {
        (work::hands(v, (case.assignee.as_deref(), case.version)))
        (parts::fold(v.t(PUT_IN), parts::form(v, v.desk.path(), html! {
            (ids)
            (parts::submit_as("do", "put_in", v.t(PUT_IN), Tone::Plain))
        })))
        (parts::fold(v.t(MERGE), parts::form(v, v.desk.path(), html! {
            (parts::hidden("version", &case.version.to_string()))
            (Field::new("into", v.t(CASE_ID)))
            (parts::submit_as("do", "merge", v.t(MERGE), Tone::Bad))
        })))
        (work::steps(v, all.map(|payment| payment.payment_id.as_str()), &case.entities))
    }
}

fn alerts_of(v: &Visit, case: &Case, alerts: &[Alert]) -> Markup {
    let may_pick = case.state == "open" && v.may(Scope::CasesWork) && !alerts.is_empty();
    let row = |alert: &Alert| {
        let said = PICK_ONE.with(v.language(), &[&work::entity(&alert.subject, v)]);
        let pick = may_pick.then(|| work::pick("alert", &alert.id, &said));
        let cells = work::alert_cells(v, alert);
        pick.into_iter().chain(cells).collect()
    };
    let rows: Vec<Vec<Markup>> = alerts.iter().map(row).collect();
    let names = work::alert_columns(v);
    let mut columns: Vec<&str> = may_pick.then(|| v.t(PICK)).into_iter().collect();
    columns.extend(names.iter().map(String::as_str));
    let title = Field {
        required: false,
        bytes_max: 200,
        ..Field::new("new_title", v.t(NEW_TITLE))
    };
    parts::form(
        v,
        v.desk.path(),
        html! {
            (parts::hidden("version", &case.version.to_string()))
            (parts::table(v.t(ALERTS), &columns, &rows, v))
            @if may_pick {
                div.buttons { (parts::submit_as("do", "take_out", v.t(TAKE_OUT), Tone::Plain)) }
                (parts::fold(v.t(SPLIT), html! {
                    (title) (parts::submit_as("do", "split", v.t(SPLIT), Tone::Plain))
                }))
            }
        },
    )
}

fn payments_of(v: &Visit, case: &Case, alerts: &[Alert]) -> Markup {
    let may_pick = case.state == "open" && v.may(Scope::CasesWork) && !case.payments.is_empty();
    let of_alerts = alerts.iter().flat_map(|alert| {
        let each = alert.payments.iter();
        each.map(|payment| (payment, work::item(&alert.id), html! {}))
    });
    let own = case.payments.iter().map(|Own { payment }| {
        let said = PICK_ONE.with(v.language(), &[&payment.payment_id]);
        (
            payment,
            html! { (v.t(BY_ITSELF)) },
            work::pick("payment", &payment.payment_id, &said),
        )
    });
    let mut all: Vec<_> = of_alerts.chain(own).collect();
    all.sort_by_key(|(payment, ..)| std::cmp::Reverse(payment.decided_at));
    let row = |(payment, from, pick): (&Payment, Markup, Markup)| {
        let to = format!("/decisions/{}", encoded(&payment.decision));
        let cells = [
            format::time(payment.decided_at),
            parts::link(&to, &payment.payment_id),
            html! { @if let Some(amount) = payment.amount { (format::money(amount)) } @else { "–" } },
            from,
        ];
        cells.into_iter().chain(may_pick.then_some(pick)).collect()
    };
    let rows: Vec<Vec<Markup>> = all.into_iter().map(row).collect();
    let amount = format!("{}#", v.t(work::AMOUNT));
    let mut columns = vec![v.t(work::AT), v.t(work::PAYMENT), &amount, v.t(FROM_ALERT)];
    columns.extend(may_pick.then(|| v.t(PICK)));
    parts::form(
        v,
        v.desk.path(),
        html! {
            (parts::hidden("version", &case.version.to_string()))
            (parts::table(v.t(ALL_PAYMENTS), &columns, &rows, v))
            @if may_pick {
                div.buttons { (parts::submit_as("do", "take_payments_out", v.t(TAKE_OUT), Tone::Plain)) }
            }
        },
    )
}

async fn take(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    if let Some(told) = files::take(v, form).await? {
        return Ok(Shown::done(v.desk.path().to_owned(), told));
    }
    let alerts: Vec<&str> = form.all("alert").collect();
    let (below, body) = match form.text("do") {
        "close" => return ask_closing(v, form).await,
        "reopen" => ("reopening", json!({ "reason": form.text("reopen_reason") })),
        "check" => {
            let check =
                json!({ "id": form.text("check"), "done": form.given("is_done").is_some() });
            ("acts", json!({ "act": { "check": check } }))
        }
        "take_out" => work::acts(form, json!({ "remove_alerts": { "alerts": alerts } })),
        "split" => work::acts(
            form,
            json!({ "split": { "alerts": alerts, "title": form.text("new_title").trim() } }),
        ),
        "merge" => work::acts(
            form,
            json!({ "merge": { "into": form.text("into").trim() } }),
        ),
        "put_in" => {
            let payments: Vec<&str> = form.text("payments").split_whitespace().collect();
            ("payments", json!({ "payments": payments }))
        }
        "take_payments_out" => {
            let payments: Vec<&str> = form.all("payment").collect();
            work::acts(form, json!({ "remove_payments": { "payments": payments } }))
        }
        _ => work::asked(v, form)?,
    };
    v.post::<Value>(&format!("{}/{below}", route(v)), &body)
        .await?;
    Ok(Shown::done(v.desk.path().to_owned(), v.t(work::DONE)))
}

#[derive(Deserialize)]
struct Asked {
    id: String,
}

async fn ask_closing(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    let (disposition, reason) = work::verdict(form.text("as"));
    let closing = json!({
        "case": v.parameter,
        "version": work::version(form),
        "disposition": disposition,
        "reason": reason,
    });
    let body =
        json!({ "command": { "case_closing": closing }, "reason": form.text("close_reason") });
    let Asked { id } = v.post("/v1/approvals", &body).await?;
    Ok(Shown::done(
        format!("/approvals/{}", encoded(&id)),
        v.t(ASKED),
    ))
}
