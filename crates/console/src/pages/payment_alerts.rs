//! The queue of alerts on payments: whose turn it is, most urgent first, and much at once.

use super::{
    exports, views,
    work::{self, Alert, Policy},
};
use crate::{
    icon::Icon,
    page::{Body, Door, Fault, Group, Menu, Page, Shown},
    parts::{self, Field},
    said,
    terms::{self, Tone},
    visit::{Parameters, Visit, address, encoded, with},
    word::words,
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_server::pages::Form;
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) const PAGE: Page = Page {
    path: "/payment-alerts",
    door: Door::Staff,
    needs: &[Scope::CasesRead],
    menu: Some(Menu {
        group: Group::Decide,
        word: TITLE,
        icon: Icon::QUEUE,
        key: 'q',
    }),
    show: |v| Box::pin(show(v)),
    take: Some(|v, form| Box::pin(take(v, form))),
    words: WORDS,
};

words! {
    TITLE = "Alert queue", "告警队列";
    PICK = "Pick", "选取";
    PICK_ONE = "Pick {}", "选取 {}";
    NEXT = "Take the next one", "领取下一条";
    NOTHING_WAITS = "Nothing waits that nobody works on.", "没有待领取的告警。";
    LINKED = "Alerts linked to {}, whatever their state.", "与 {} 关联的全部告警（不限状态）。";
    TOGETHER = "With those picked", "对选取的告警";
    CLAIM_ALL = "Claim them", "全部认领";
    CLOSE_ALL = "Close them", "全部结案";
    CASE_OF_ALL = "Open a case of them", "以此创建案件";
    BULK_NOTE = "In words, for those that are closed", "结案说明";
    DONE_MANY = "{} done, {} refused{}", "完成 {} 条，被拒 {} 条{}";
    CASE_OPENED = "The case is open.", "案件已创建。";
}

/// A page of alerts.
#[derive(Deserialize)]
struct Alerts {
    alerts: Vec<Alert>,
    next_cursor: Option<String>,
}

/// What the filter may say; the cursor is none of it.
const FILTERS: [&str; 7] = [
    "state",
    "queue",
    "priority",
    "assignee",
    "entity",
    "group",
    "payment_id",
];
const PRIORITIES: [&str; 4] = ["critical", "high", "medium", "low"];

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let given = FILTERS.map(|name| (name, v.query(name)));
    let given = given
        .each_ref()
        .map(|(name, value)| (*name, value.as_deref()));
    let filter: &Parameters<'_> = &given;
    let cursor = v.query("cursor");
    let asked = with(
        filter,
        &[("cursor", cursor.as_deref()), ("limit", Some("50"))],
    );
    let page: Alerts = v.get(&address("/v1/alerts", &asked)).await?;
    let policy: Policy = v.get("/v1/alert-policy").await?;
    let v = &*v;
    let next = page.next_cursor.as_deref();
    let next =
        next.map(|place| address("/payment-alerts", &with(filter, &[("cursor", Some(place))])));
    let first = cursor.map(|_| address("/payment-alerts", filter));
    let is_set = filter.iter().any(|(_, value)| value.is_some());
    let main = html! {
        div.line {
            (parts::filters("/payment-alerts", fields(v, filter, &policy), is_set, v))
            @if v.may(Scope::CasesWork) { (next_form(v)) }
        }
        @if let Some(linked) = linked(filter) {
            (parts::note(Tone::Info, LINKED.with(v.language(), &[linked])))
        }
        (parts::form(v, "/payment-alerts", html! {
            (table(v, &page.alerts))
            (parts::pager(first.as_deref(), next.as_deref(), v))
            @if v.may(Scope::CasesWork) && !page.alerts.is_empty() {
                (parts::fold(v.t(TOGETHER), together(v, &policy)))
            }
        }))
        div.line { (views::keep(v)) (exports::way(v, "alerts")) }
    };
    Ok(Body::new(v.t(TITLE), main).with(&["due.js"]).into())
}

/// What alerts are linked to, if that is asked.
fn linked<'f>(filter: &Parameters<'f>) -> Option<&'f str> {
    let by = ["entity", "group", "payment_id"];
    let mut links = filter.iter().filter(|(name, _)| by.contains(name));
    links.find_map(|(_, value)| *value)
}

fn fields(v: &Visit, filter: &Parameters<'_>, policy: &Policy) -> Markup {
    let value = |name: &str| {
        let mut all = filter.iter();
        all.find(|(known, _)| *known == name)
            .and_then(|(_, value)| *value)
    };
    let any = || (String::new(), v.t(parts::ANY).to_owned());
    let queues = policy.queues.iter();
    let queues = queues.map(|one| (one.name.clone(), policy.queue(&one.name, v.language())));
    let queues = std::iter::once(any()).chain(queues);
    let people = [("me", v.t(work::ME)), ("nobody", v.t(work::NOBODY))];
    let people = people.map(|(name, said)| (name.to_owned(), said.to_owned()));
    let people = std::iter::once(any()).chain(people);
    let states = ["open", "closed"].map(|name| (name.to_owned(), terms::term(name, v.language())));
    let entity = Field {
        value: value("entity").unwrap_or_default(),
        required: false,
        ..Field::new("entity", v.t(work::ENTITY))
    };
    html! {
        (parts::select("state", v.t(work::STATE), value("state").unwrap_or("open"), states))
        (parts::select("queue", v.t(work::QUEUE), value("queue").unwrap_or_default(), queues))
        (parts::filter_by("priority", v.t(work::PRIORITY), value("priority"), PRIORITIES, v))
        (parts::select("assignee", v.t(work::ASSIGNEE), value("assignee").unwrap_or_default(), people))
        (entity)
    }
}

/// A button that takes the most urgent alert.
pub(super) fn next_form(v: &Visit) -> Markup {
    parts::form(
        v,
        "/payment-alerts",
        html! {
            button.button.info type="submit" name="do" value="next" data-keys="n" { (v.t(NEXT)) kbd aria-hidden="true" { "n" } }
        },
    )
}

fn table(v: &Visit, alerts: &[Alert]) -> Markup {
    let row = |alert: &Alert| {
        let said = PICK_ONE.with(v.language(), &[&work::entity(&alert.subject, v)]);
        let mut cells = vec![work::pick("alert", &alert.id, &said)];
        cells.extend(work::alert_cells(v, alert));
        cells
    };
    let rows: Vec<_> = alerts.iter().map(row).collect();
    let named = work::alert_columns(v);
    let mut columns = vec![v.t(PICK)];
    columns.extend(named.iter().map(String::as_str));
    parts::table(v.t(TITLE), &columns, &rows, v)
}

fn together(v: &Visit, policy: &Policy) -> Markup {
    html! {
        div.columns {
            div {
                div.buttons { (parts::submit_as("do", "claim", v.t(CLAIM_ALL), Tone::Plain)) }
                @if v.may(Scope::CasesClose) {
                    (policy.choose_verdict("as", v))
                    (parts::text_area("note", v.t(BULK_NOTE), false))
                    div.buttons { (parts::submit_as("do", "close", v.t(CLOSE_ALL), Tone::Bad)) }
                }
            }
            div {
                (policy.case_fields(v))
                div.buttons { (parts::submit_as("do", "case", v.t(CASE_OF_ALL), Tone::Plain)) }
            }
        }
    }
}

async fn take(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    let alerts: Vec<&str> = form.all("alert").collect();
    match form.text("do") {
        "next" => next(v, "").await,
        "case" => open_case(v, form).await,
        "close" => {
            let body = json!({ "alerts": alerts, "closing": closing(form) });
            many(v, "/v1/alerts/closings", &body).await
        }
        _ => {
            let body = json!({ "alerts": alerts, "act": { "claim": {} } });
            many(v, "/v1/alerts/acts", &body).await
        }
    }
}

/// How a form says that alerts are closed.
pub(super) fn closing(form: &Form) -> Value {
    let (disposition, reason) = work::verdict(form.text("as"));
    json!({ "disposition": disposition, "reason": reason, "note": form.given("note") })
}

#[derive(Deserialize)]
struct Next {
    alert: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

/// Claims the most urgent alert and goes there, saying what was done before.
pub(super) async fn next(v: &mut Visit, told: &str) -> Result<Shown, Fault> {
    let Next { alert } = v.post("/v1/alerts/next", &Value::Null).await?;
    Ok(match alert {
        Some(Named { id }) if told.is_empty() => {
            Shown::at(format!("/payment-alerts/{}", encoded(&id)))
        }
        Some(Named { id }) => Shown::done(format!("/payment-alerts/{}", encoded(&id)), told),
        None => Shown::done("/payment-alerts", format!("{told} {}", v.t(NOTHING_WAITS))),
    })
}

/// Opens a case of the alerts of a form.
pub(super) async fn open_case(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    let body = json!({
        "title": form.text("title").trim(),
        "typology": form.text("typology"),
        "alerts": form.all("alert").collect::<Vec<_>>(),
    });
    let Named { id } = v.post("/v1/cases", &body).await?;
    Ok(Shown::done(
        format!("/cases/{}", encoded(&id)),
        v.t(CASE_OPENED),
    ))
}

#[derive(Deserialize)]
struct Results {
    results: Vec<Done>,
}

#[derive(Deserialize)]
struct Done {
    detail: Option<String>,
}

async fn many(v: &mut Visit, route: &str, body: &Value) -> Result<Shown, Fault> {
    let Results { results } = v.post(route, body).await?;
    let refused: Vec<&str> = results
        .iter()
        .filter_map(|one| one.detail.as_deref())
        .collect();
    let why = refused
        .first()
        .map(|why| format!(": {}", said::REFUSALS.said(why, v.language())))
        .unwrap_or_default();
    let done = (results.len() - refused.len()).to_string();
    let told = DONE_MANY.with(v.language(), &[&done, &refused.len().to_string(), &why]);
    Ok(Shown::done("/payment-alerts", told))
}
