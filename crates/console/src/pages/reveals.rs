//! Asking to be shown values of a person: whose, which, for what, by which ticket, how often.

use super::{approvals, subject::PURPOSE};
use crate::{
    names::named,
    page::{Body, Door, Fault, Page, Shown},
    parts::{self, Field},
    terms::Tone,
    visit::{Visit, encoded},
    word::words,
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_server::pages::Form;
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) const PAGE: Page = Page {
    path: "/reveals",
    door: Door::Staff,
    needs: &[Scope::SubjectsReveal],
    menu: None,
    show: |v| Box::pin(async { Ok(show(v)) }),
    take: Some(|v, form| Box::pin(take(v, form))),
    words: WORDS,
};

words! {
    TITLE = "Ask to see values", "申请查看明文";
    WHY = "Somebody else votes. When it is carried out, the values are shown on the page of the approval, for a minute at a time.", "须由他人投票；执行后在审批页查看，每次显示一分钟。";
    WHOSE = "Whose: the pseudonym, sub_…", "主体假名（sub_…）";
    CLASSES = "Which", "数据类别";
    TICKET = "Ticket", "工单号";
    LOOKS = "How often, at most 20", "查看次数（最多 20）";
    OPEN_FOR = "For how many minutes, at most 480", "有效分钟数（最多 480）";
    ASK = "Ask for approval", "提交申请";
    ASKED = "Asked for. Others vote now.", "已提交申请，等待他人投票。";
}

/// For what values may be asked to be seen.
const PURPOSES: [&str; 5] = [
    "fraud_prevention",
    "aml_compliance",
    "dispute_handling",
    "customer_service",
    "subject_request",
];
/// What the vault keeps of persons.
const CLASSES_KEPT: [&str; 9] = [
    "card_number",
    "bank_account",
    "name",
    "phone",
    "email",
    "id_number",
    "address",
    "birth_date",
    "free_form",
];

/// A choice of what data is handled for.
pub(super) fn purpose(v: &Visit) -> Markup {
    let named = |name: &str| named("purpose", name, "", v.language());
    let purposes = PURPOSES.map(|name| (name.to_owned(), named(name)));
    parts::select("purpose", v.t(PURPOSE), "", purposes)
}

fn show(v: &Visit) -> Shown {
    let subject = v.query("subject").unwrap_or_default();
    let line = |name, word, value| Field {
        value,
        ..Field::new(name, v.t(word))
    };
    let main = html! {
        div.narrow {
            (parts::panel(v.t(TITLE), parts::form(v, "/reveals", html! {
                p.muted { (v.t(WHY)) }
                (line("subject", WHOSE, subject.as_str()))
                fieldset.checks {
                    legend { (v.t(CLASSES)) }
                    @for class in CLASSES_KEPT {
                        label { input type="checkbox" name="class" value=(class); (named("class", class, "", v.language())) }
                    }
                }
                (purpose(v))
                (line("ticket", TICKET, ""))
                (line("looks", LOOKS, "1")) (line("minutes", OPEN_FOR, "30"))
                (parts::reason("reason", v))
                (parts::submit(v.t(ASK), Tone::Info))
            })))
        }
    };
    let body = Body::new(v.t(TITLE), main);
    body.below("/approvals", v.t(approvals::TITLE)).into()
}

#[derive(Deserialize)]
struct Asked {
    id: String,
}

async fn take(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    let number = |name: &str| {
        let text = form.text(name).trim();
        text.parse::<u32>()
            .map_or_else(|_| text.into(), Value::from)
    };
    let classes: Vec<&str> = form.all("class").collect();
    let reveal = json!({
        "subject": form.text("subject").trim(),
        "classes": classes,
        "purpose": form.text("purpose"),
        "looks": number("looks"),
        "minutes": number("minutes"),
    });
    let body = json!({
        "command": { "reveal": reveal },
        "reason": form.text("reason"),
        "ticket": form.given("ticket"),
    });
    let Asked { id } = v.post("/v1/approvals", &body).await?;
    Ok(Shown::done(
        format!("/approvals/{}", encoded(&id)),
        v.t(ASKED),
    ))
}
