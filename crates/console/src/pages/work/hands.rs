//! What people ask of alerts and cases alike: the forms, and what each sends to which route.

use super::{
    ACT_ON, APPROVAL_ID, ASK, ASK_OF, ASK_OF_WHY, ASSIGN, ASSIGN_TO, CLAIM, ENTITY, GIVE_BACK,
    LET_GO, PAYMENT, PUT_ON, REQUEST, STEP, UNTIL, UNTIL_TIME, entity,
};
use crate::{
    names::named,
    page::Fault,
    parts::{self, Field},
    terms::Tone,
    visit::Visit,
    word::Language,
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::{Timestamp, time::DAY};
use paywarden_server::{edge::Code, pages::Form};
use serde_json::{Value, json};

/// Takes something, gives it back or to somebody else.
pub(in crate::pages) fn hands(v: &Visit, (assignee, version): (Option<&str>, i64)) -> Markup {
    let version = version.to_string();
    html! {
        (parts::form(v, v.desk.path(), html! {
            (parts::hidden("version", &version))
            div.buttons {
                @match assignee {
                    None => (parts::submit_as("do", "claim", v.t(CLAIM), Tone::Info)),
                    Some(_) => (parts::submit_as("do", "release", v.t(GIVE_BACK), Tone::Plain)),
                }
            }
        }))
        (parts::fold(v.t(ASSIGN), parts::form(v, v.desk.path(), html! {
            (parts::hidden("version", &version))
            (parts::select("to", v.t(ASSIGN_TO), assignee.unwrap_or_default(), v.desk.colleagues(Scope::CasesWork)))
            (parts::submit_as("do", "assign", v.t(ASSIGN), Tone::Plain))
        })))
    }
}

/// What may be asked of payments and done about who takes part, by whoever may.
pub(in crate::pages) fn steps<'p>(
    v: &Visit,
    payments: impl Iterator<Item = &'p str>,
    entities: &[String],
) -> Markup {
    let language = v.language();
    let payments = payments.map(|id| (id.to_owned(), id.to_owned()));
    let payments: Vec<(String, String)> = payments.collect();
    let ask = |form: &str, codes: &[&str]| {
        let name = |name: &str| format!("{name}#{form}");
        let requests = codes.iter().map(|code| option("action", code, language));
        parts::form(
            v,
            v.desk.path(),
            html! {
                p.muted { (v.t(ASK_OF_WHY)) }
                (parts::select(&name("payment_id"), v.t(PAYMENT), "", payments.clone()))
                (parts::select(&name("request"), v.t(REQUEST), "", requests))
                (parts::reason(&name("ask_reason"), v))
                (parts::submit_as("do", "ask", v.t(ASK), Tone::Info))
            },
        )
    };
    let people = entities.iter().map(|one| (one.clone(), entity(one, v)));
    let steps = ["block", "challenge"].map(|code| option("step", code, language));
    let until = ahead(v, 30);
    let until = Field {
        value: &until,
        hint: Some(v.t(UNTIL_TIME)),
        ..Field::new("step_until", v.t(UNTIL))
    };
    let approval = Field {
        required: false,
        ..Field::new("approval", v.t(APPROVAL_ID))
    };
    html! {
        (parts::fold_by("a", v.t(LET_GO), ask("let_go", &["release"])))
        (parts::fold_by("h", v.t(ASK_OF), ask("keep", &["cancel", "request_refund"])))
        @if v.may(Scope::ListsWrite) && !entities.is_empty() {
            (parts::fold_by("b", v.t(ACT_ON), parts::form(v, v.desk.path(), html! {
                (parts::select("entity", v.t(ENTITY), "", people))
                (parts::select("step", v.t(STEP), "", steps))
                (until) (approval) (parts::reason("step_reason", v))
                (parts::submit_as("do", "act_on", v.t(PUT_ON), Tone::Bad))
            })))
        }
    }
}

fn option(table: &str, code: &str, language: Language) -> (String, String) {
    (code.to_owned(), named(table, code, "", language))
}

/// The time so many days ahead, to the second, as forms take it.
pub(in crate::pages) fn ahead(v: &Visit, days: i64) -> String {
    let micros = v.now().micros() + days * DAY;
    Timestamp::from_micros(micros - micros.rem_euclid(1_000_000)).to_string()
}

/// What a form of either page asks for: the route below the item, and what is sent there.
pub(in crate::pages) fn asked(v: &Visit, form: &Form) -> Result<(&'static str, Value), Fault> {
    Ok(match form.text("do") {
        "claim" => acts(form, json!({ "claim": {} })),
        "release" => acts(form, json!({ "release": {} })),
        "assign" => acts(form, json!({ "assign": { "to": form.text("to").trim() } })),
        "note" => {
            let mentions: Vec<&str> = form.all("mentions").collect();
            (
                "notes",
                json!({ "text": form.text("note_text"), "mentions": mentions }),
            )
        }
        "ask" => (
            "payment-actions",
            json!({
                "action": form.text("request"),
                "payment_id": form.text("payment_id"),
                "reason": form.text("ask_reason"),
            }),
        ),
        "act_on" => (
            "entity-actions",
            json!({
                "action": form.text("step"),
                "entity": form.text("entity"),
                "expires_at": form.text("step_until").trim(),
                "reason": form.text("step_reason"),
                "approval": form.given("approval"),
            }),
        ),
        _ => {
            return Err(v.fault(
                Code::FieldInvalid,
                "the form does not say what is to be done",
            ));
        }
    })
}

/// An act on the version that was seen.
pub(in crate::pages) fn acts(form: &Form, act: Value) -> (&'static str, Value) {
    ("acts", json!({ "act": act, "version": version(form) }))
}

/// The version that was seen, if the form says so.
pub(in crate::pages) fn version(form: &Form) -> Option<i64> {
    form.given("version")?.parse().ok()
}

/// Disposition and reason of a chosen way to close.
pub(in crate::pages) fn verdict(chosen: &str) -> (&str, &str) {
    chosen.split_once(':').unwrap_or((chosen, ""))
}
