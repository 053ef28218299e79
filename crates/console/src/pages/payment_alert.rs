//! One alert on payments: what it is about, the evidence, and saying what it was.

use super::{
    payment_alerts::{self, closing, next, next_form, open_case},
    work::{self, Alert, Payment, Policy, Story},
};
use crate::{
    format,
    names::named,
    page::{Body, Door, Fault, Page, Shown},
    parts::{self, Field},
    risks,
    terms::Tone,
    visit::{Visit, address, encoded},
    word::words,
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::Outcome;
use paywarden_server::pages::Form;
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) const PAGE: Page = Page {
    path: "/payment-alerts/{id}",
    door: Door::Staff,
    needs: &[Scope::CasesRead],
    menu: None,
    show: |v| Box::pin(show(v)),
    take: Some(|v, form| Box::pin(take(v, form))),
    words: WORDS,
};

words! {
    STANDING = "Where it is", "当前情况";
    LAST = "Last payment", "最近支付";
    GROUP = "Group", "告警组";
    CASE = "Case", "案件";
    NO_CASE = "of none", "未关联";
    ESCALATED = "passed up", "已升级";
    RULES = "Rules that fired", "触发的规则";
    EVIDENCE = "Payments and why each was stopped", "支付与拦截原因";
    DECIDED = "Decided", "决策时间";
    FRAUD = "Fraud", "欺诈";
    LAUNDERING = "Money laundering", "洗钱";
    WHY = "Why", "原因";
    HANDS = "Whose turn", "处理分工";
    SAY = "Say what it was", "处置结论选择";
    SAY_HINT = "e and the sign on a button closes by keys.", "按 e 再按按钮上的字符即可结案。";
    SAY_NOTE = "In words, if more is to be said", "补充说明";
    AND_NEXT = "Then take the next one", "随后领取下一条";
    TAKEN = "Somebody else works on it.", "他人正在处理。";
    CLOSED_IT = "Closed.", "已结案。";
    ESCALATE = "Pass it up", "升级处理";
    SNOOZE = "Snooze a rule for this customer", "对该客户静默一条规则";
    SNOOZE_WHY = "It goes on deciding, and opens no alert about them until then; ninety days at most.", "规则继续参与决策，但在此之前不再对其产生告警，最长九十天。";
    RULE = "Rule", "规则";
    SNOOZE_IT = "Snooze it", "静默";
    PUT_INTO = "Put it into a case", "加入已有案件";
    CASE_ID = "Which case", "案件编号";
}

/// Decisions that are shown at once.
const EVIDENCE_MAX: usize = 10;
/// What is pressed after `e` for each way to close.
const SIGNS: &str = "123456789abcdfghijklmnopqrstuvwxyz";

#[derive(Deserialize)]
struct Decision {
    outcome: Outcome,
    fraud: Judgement,
    laundering: Judgement,
    reasons: Vec<Reason>,
}

#[derive(Deserialize)]
struct Judgement {
    score: u16,
}

#[derive(Deserialize)]
struct Reason {
    text: String,
}

fn route(v: &Visit) -> String {
    format!("/v1/alerts/{}", encoded(&v.parameter))
}

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let alert: Alert = v.get(&route(v)).await?;
    let policy: Policy = v.get("/v1/alert-policy").await?;
    let story = Story::read(v, &route(v)).await?;
    let from = v.query("from").and_then(|text| text.parse().ok());
    let from = from.unwrap_or(0);
    let rows = evidence(v, alert.payments.iter().rev().skip(from)).await?;
    let v = &*v;
    let is_open = alert.state == "open";
    let works = is_open && v.may(Scope::CasesWork);
    let payments = alert.payments.iter().rev();
    let payments = payments.map(|payment| payment.payment_id.as_str());
    let main = html! {
        (parts::panel(v.t(EVIDENCE), html! {
            (evidence_table(v, &rows))
            (pages(v, from, alert.payments.len()))
        }))
        div.columns {
            div {
                (parts::panel(v.t(STANDING), facts(v, &alert, &policy)))
                (parts::panel(v.t(work::TAKE_PART), work::entities(v, &alert.entities)))
            }
            div {
                @if v.may(Scope::CasesWork) { div.pager { (next_form(v)) } }
                @if let Some(closing) = &alert.closing { (parts::panel(v.t(work::TURNED_OUT), work::closing(v, closing, &policy))) }
                @if is_open && v.may(Scope::CasesClose) { (parts::panel(v.t(SAY), say(v, &alert, &policy))) }
                @if works { (parts::panel(v.t(HANDS), hands(v, &alert, &policy, payments))) }
            }
        }
        (parts::panel(v.t(work::NOTES), story.notes(v, is_open)))
        (parts::panel(v.t(work::TIMELINE), story.timeline(v)))
    };
    let title = format!(
        "{}: {}",
        named("trigger", &alert.trigger, "", v.language()),
        work::entity(&alert.subject, v)
    );
    let body = Body::new(title, main).below("/payment-alerts", v.t(payment_alerts::TITLE));
    Ok(body.with(&["due.js"]).into())
}

fn facts(v: &Visit, alert: &Alert, policy: &Policy) -> Markup {
    let group = address("/payment-alerts", &[("group", Some(&alert.group))]);
    parts::facts([
        parts::row(
            work::STATE,
            html! {
                (parts::state(&alert.state, v.language())) " " (parts::state(&alert.priority, v.language()))
                @if alert.escalated { " " (parts::badge(Tone::Care, None, v.t(ESCALATED))) }
            },
            v,
        ),
        parts::row(work::LEFT, work::left(alert.due_at, &alert.state, v), v),
        parts::row(
            work::QUEUE,
            html! { (policy.queue(&alert.queue, v.language())) },
            v,
        ),
        parts::row(
            work::ASSIGNEE,
            work::assignee(alert.assignee.as_deref(), v),
            v,
        ),
        parts::row(
            work::OUTCOME,
            html! { (parts::outcome(alert.outcome, v.language())) " " (parts::score(alert.score, v.language())) },
            v,
        ),
        parts::row(work::AMOUNT, work::amounts(&alert.amounts), v),
        parts::row(work::OPENED, parts::since(alert.opened_at, v), v),
        parts::row(LAST, parts::since(alert.last_at, v), v),
        parts::row(
            RULES,
            html! { ul.plain { @for rule in &alert.rules { li { (parts::rule(rule, v)) } } } },
            v,
        ),
        parts::row(GROUP, parts::link(&group, &alert.group), v),
        parts::row(
            CASE,
            html! {
                @match &alert.case { Some(case) => (work::item(case)), None => span.muted { (v.t(NO_CASE)) } }
            },
            v,
        ),
    ])
}

/// One payment with its decision, or why that is not shown.
type Evidence<'p> = (&'p Payment, Result<Option<Decision>, Fault>);

async fn evidence<'p>(
    v: &mut Visit,
    payments: impl Iterator<Item = &'p Payment>,
) -> Result<Vec<Evidence<'p>>, Fault> {
    let mut rows = Vec::new();
    for payment in payments.take(EVIDENCE_MAX) {
        let target = format!("/v1/decisions/{}", encoded(&payment.decision));
        let decision = v.get_if(Scope::DecisionsRead, &target).await;
        rows.push((payment, decision));
    }
    Ok(rows)
}

fn evidence_table(v: &Visit, rows: &[Evidence<'_>]) -> Markup {
    let rows: Vec<_> = rows.iter().map(|row| evidence_cells(v, row)).collect();
    let (amount, why) = (format!("{}#", v.t(work::AMOUNT)), format!("{}~", v.t(WHY)));
    let columns = [
        v.t(DECIDED),
        v.t(work::PAYMENT),
        &amount,
        v.t(work::OUTCOME),
        v.t(FRAUD),
        v.t(LAUNDERING),
        &why,
    ];
    parts::table(v.t(EVIDENCE), &columns, &rows, v)
}

fn evidence_cells(v: &Visit, (payment, decision): &Evidence<'_>) -> Vec<Markup> {
    let to = format!("/decisions/{}", encoded(&payment.decision));
    let decision = match decision {
        Ok(decision) => Ok(decision.as_ref()),
        Err(Fault(document)) => Err(document.code.as_str()),
    };
    let known = decision.ok().flatten();
    let score = |of: fn(&Decision) -> u16| {
        html! {
            @if let Some(decision) = known { (parts::score(of(decision), v.language())) } @else { "–" }
        }
    };
    vec![
        format::time(payment.decided_at),
        parts::link(&to, &payment.payment_id),
        html! { @if let Some(amount) = payment.amount { (format::money(amount)) } @else { "–" } },
        html! { @if let Some(decision) = known { (parts::outcome(decision.outcome, v.language())) } @else { "–" } },
        score(|decision| decision.fraud.score),
        score(|decision| decision.laundering.score),
        html! {
            @match decision {
                Ok(Some(decision)) => {
                    @let reasons = decision.reasons.iter().map(|reason| risks::reason(&reason.text, v.language()));
                    @let said = reasons.collect::<Vec<_>>().join("; ");
                    span title=(said) { (said) }
                }
                Ok(None) => "–",
                Err(code) => (parts::id(code)),
            }
        },
    ]
}

fn pages(v: &Visit, from: usize, all: usize) -> Markup {
    let at = |from: usize| address(v.desk.path(), &[("from", Some(&from.to_string()))]);
    let first = (from > 0).then(|| v.desk.path().to_owned());
    let next = (from + EVIDENCE_MAX < all).then(|| at(from + EVIDENCE_MAX));
    parts::pager(first.as_deref(), next.as_deref(), v)
}

/// Every way to close it, one button each.
fn say(v: &Visit, alert: &Alert, policy: &Policy) -> Markup {
    let other = alert
        .assignee
        .as_deref()
        .filter(|name| !work::is_me(name, v));
    if other.is_some() {
        return parts::note(Tone::Care, v.t(TAKEN));
    }
    let mut signs = SIGNS.chars();
    let verdicts = policy.verdicts(v.language());
    parts::form(
        v,
        v.desk.path(),
        html! {
            (parts::hidden("version", &alert.version.to_string()))
            (parts::hidden("do", "close"))
            div.verdicts { @for (disposition, reasons) in &verdicts {
                @if !reasons.is_empty() {
                    div {
                        h3 { (disposition) }
                        @for (value, said) in reasons {
                            @let sign = signs.next().unwrap_or(' ');
                            button.button type="submit" name="as" value=(value) data-keys=(format!("e {sign}")) {
                                (said) kbd aria-hidden="true" { (sign) }
                            }
                        }
                    }
                }
            } }
            p.hint { (v.t(SAY_HINT)) }
            (parts::text_area("note", v.t(SAY_NOTE), false))
            @if v.may(Scope::CasesWork) {
                label.check { input type="checkbox" name="and_next" value="1" checked; (v.t(AND_NEXT)) }
            }
        },
    )
}

fn hands<'p>(
    v: &Visit,
    alert: &Alert,
    policy: &Policy,
    payments: impl Iterator<Item = &'p str>,
) -> Markup {
    let version = alert.version.to_string();
    let said = |rule: &String| parts::title(rule, None, v).unwrap_or_else(|| rule.clone());
    let rules = alert.rules.iter().map(|rule| (rule.clone(), said(rule)));
    let until = work::ahead(v, 30);
    let until = Field {
        value: &until,
        hint: Some(v.t(work::UNTIL_TIME)),
        ..Field::new("snooze_until", v.t(work::UNTIL))
    };
    html! {
        (work::hands(v, (alert.assignee.as_deref(), alert.version)))
        (parts::fold_by("r", v.t(ESCALATE), parts::form(v, v.desk.path(), html! {
            (parts::hidden("version", &version))
            (parts::reason("escalate_reason", v))
            (parts::submit_as("do", "escalate", v.t(ESCALATE), Tone::Care))
        })))
        (parts::fold(v.t(SNOOZE), parts::form(v, v.desk.path(), html! {
            p.muted { (v.t(SNOOZE_WHY)) }
            (parts::hidden("version", &version))
            (parts::select("rule", v.t(RULE), "", rules))
            (until) (parts::reason("snooze_reason", v))
            (parts::submit_as("do", "snooze", v.t(SNOOZE_IT), Tone::Plain))
        })))
        @if alert.case.is_none() {
            (parts::fold(v.t(work::OPEN_CASE), parts::form(v, v.desk.path(), html! {
                (parts::hidden("alert", &alert.id))
                (policy.case_fields(v))
                (parts::submit_as("do", "case", v.t(work::OPEN_CASE), Tone::Info))
            })))
            (parts::fold(v.t(PUT_INTO), parts::form(v, v.desk.path(), html! {
                (Field::new("case", v.t(CASE_ID)))
                (parts::submit_as("do", "put", v.t(PUT_INTO), Tone::Plain))
            })))
        }
        (work::steps(v, payments, &alert.entities))
    }
}

async fn take(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    let (target, here) = (route(v), v.desk.path().to_owned());
    let (below, body) = match form.text("do") {
        "close" => return close(v, form).await,
        "case" => return open_case(v, form).await,
        "put" => return put(v, form).await,
        "escalate" => work::acts(
            form,
            json!({ "escalate": { "reason": form.text("escalate_reason") } }),
        ),
        "snooze" => work::acts(
            form,
            json!({ "snooze": {
            "rule": form.text("rule"),
            "until": form.text("snooze_until").trim(),
            "reason": form.text("snooze_reason"),
        } }),
        ),
        _ => work::asked(v, form)?,
    };
    v.post::<Value>(&format!("{target}/{below}"), &body).await?;
    Ok(Shown::done(here, v.t(work::DONE)))
}

async fn close(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    let body = json!({ "closing": closing(form), "version": work::version(form) });
    v.post::<Value>(&format!("{}/closing", route(v)), &body)
        .await?;
    let told = v.t(CLOSED_IT);
    match form.given("and_next") {
        Some(_) => next(v, told).await,
        None => Ok(Shown::done(v.desk.path().to_owned(), told)),
    }
}

/// Puts the alert into a case that is there.
async fn put(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    let case = encoded(form.text("case").trim());
    let body = json!({ "act": { "add_alerts": { "alerts": [v.parameter] } } });
    v.post::<Value>(&format!("/v1/cases/{case}/acts"), &body)
        .await?;
    Ok(Shown::done(format!("/cases/{case}"), v.t(work::DONE)))
}
