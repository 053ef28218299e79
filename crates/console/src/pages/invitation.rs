//! The one-time link: whoever holds it names themselves and goes on to set up factors.

use crate::{
    page::{Body, Door, Fault, Page, Shown},
    parts::{self, Field},
    terms::Tone,
    visit::Visit,
    word::words,
};
use maud::html;
use paywarden_server::{edge::ProblemDocument, pages::Form};
use serde_json::{Value, json};

pub(crate) const PAGE: Page = Page {
    path: "/invitation",
    door: Door::Anybody,
    needs: &[],
    menu: None,
    show: |v| Box::pin(async move { Ok(page(v, &Form::default(), None)) }),
    take: Some(|v, form| Box::pin(take(v, form))),
    words: WORDS,
};

words! {
    TITLE = "Set up your account", "设置账户";
    WELCOME = "This link is good once. Choose a login name; next you set up a passkey.", "此链接仅可使用一次。请先填写登录名，随后设置通行密钥。";
    SECRET = "What stands in the link behind #", "链接中 # 之后的内容";
    LOGIN = "Login name", "登录名";
    LOGIN_HINT = "Leave it empty if the invitation names it.", "如邀请中已指定登录名，可留空。";
    NAME = "Your name", "姓名";
    NAME_HINT = "Leave it empty to keep the one in the invitation.", "留空则沿用邀请中的姓名。";
    CONTINUE = "Continue", "继续";
}

/// The form, with what was filled in: the secret is in no other place any more.
fn page(v: &Visit, filled: &Form, refused: Option<&ProblemDocument>) -> Shown {
    let secret = Field {
        kind: "password",
        value: filled.text("token"),
        ..Field::new("token", v.t(SECRET))
    };
    let login = Field {
        required: false,
        hint: Some(v.t(LOGIN_HINT)),
        value: filled.text("login"),
        autocomplete: "username",
        ..Field::new("login", v.t(LOGIN))
    };
    let name = Field {
        required: false,
        hint: Some(v.t(NAME_HINT)),
        value: filled.text("name"),
        autocomplete: "name",
        ..Field::new("name", v.t(NAME))
    };
    let main = html! {
        div.narrow {
            @if let Some(refused) = refused { div.note.bad role="alert" { div { (parts::refusal(refused, v)) } } }
            p { (v.t(WELCOME)) }
            section.panel {
                form method="post" action="/invitation" data-from-hash="token" {
                    (parts::token(v))
                    (secret) (login) (name)
                    (parts::submit(v.t(CONTINUE), Tone::Info))
                }
            }
        }
    };
    Body::new(v.t(TITLE), main).into()
}

async fn take(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    let body = json!({
        "token": form.text("token").trim(),
        "login": form.given("login"),
        "name": form.given("name"),
    });
    match v.post::<Value>("/v1/session/invitation", &body).await {
        Ok(_) => Ok(Shown::at("/account")),
        Err(Fault(document)) if document.status < 500 => Ok(page(v, form, Some(&document))),
        Err(fault) => Err(fault),
    }
}
