//! Coming in: by passkey, or by password and code, which needs no script.

use super::{preferences::within, sign_on};
use crate::{
    page::{Body, Door, Fault, Page, Shown},
    parts::{self, Field},
    terms::Tone,
    visit::Visit,
    word::words,
};
use maud::html;
use paywarden_server::{edge::ProblemDocument, pages::Form};
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) const PAGE: Page = Page {
    path: "/sign-in",
    door: Door::Anybody,
    needs: &[],
    menu: None,
    show: |v| Box::pin(show(v)),
    take: Some(|v, form| Box::pin(take(v, form))),
    words: WORDS,
};

words! {
    TITLE = "Sign in", "登录系统";
    NAME = "Login name", "登录名";
    BY_PASSKEY = "Continue with a passkey", "用通行密钥继续";
    BY_PASSWORD = "Use a password and a code instead", "改用密码和动态码";
    PASSWORD = "Password", "密码";
    CODE = "Code of the authenticator application", "身份验证器动态码";
    RECOVERY = "Or a recovery code", "或恢复码";
    RECOVERY_HINT = "Each is good once; it opens a session in which factors are set up and nothing else.", "每个恢复码只能使用一次，登录后仅可重新设置验证方式。";
    ENTER = "Sign in with the password", "用密码登录";
    WAITING = "Your browser asks for your passkey.", "浏览器正在请求您的通行密钥。";
    ASK_AGAIN = "Ask again", "重新请求";
    NO_SCRIPT = "Passkeys need script. A password and a code work without.", "通行密钥需要启用脚本；密码和动态码则不需要。";
    OTHER_WAY = "Another way to sign in", "其他登录方式";
    INVITED = "You have a link? Set up your account", "已收到邀请链接？设置账户";
}

#[derive(Deserialize)]
struct Challenge {
    ceremony: String,
    options: Value,
}

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let next = v.query("next").unwrap_or_default();
    Ok(page(v, &next, "", None).await)
}

async fn page(v: &mut Visit, next: &str, login: &str, refused: Option<&ProblemDocument>) -> Shown {
    let providers = sign_on::buttons(v, next).await;
    let v = &*v;
    let name = |autocomplete| Field {
        value: login,
        autocomplete,
        ..Field::new("login", v.t(NAME))
    };
    let optional = |name, label, hint, autocomplete| Field {
        required: false,
        hint,
        autocomplete,
        ..Field::new(name, label)
    };
    let password = Field {
        kind: "password",
        autocomplete: "current-password",
        ..Field::new("password", v.t(PASSWORD))
    };
    let main = html! {
        div.narrow {
            @if let Some(refused) = refused { div.note.bad role="alert" { div { (parts::refusal(refused, v)) } } }
            section.panel {
                (parts::form(v, "/sign-in", html! {
                    (parts::hidden("way", "passkey")) (parts::hidden("next", next))
                    (name("username webauthn"))
                    (parts::submit(v.t(BY_PASSKEY), Tone::Info))
                    noscript { p.hint { (v.t(NO_SCRIPT)) } }
                }))
            }
            (providers)
            details.fold open[refused.is_some()] {
                summary { (v.t(BY_PASSWORD)) }
                (parts::form(v, "/sign-in", html! {
                    (parts::hidden("way", "password")) (parts::hidden("next", next))
                    div.field {
                        label for="f-password-login" { (v.t(NAME)) }
                        input id="f-password-login" name="login" value=(login) required autocomplete="username" spellcheck="false";
                    }
                    (password)
                    (optional("code", v.t(CODE), None, "one-time-code"))
                    (optional("recovery_code", v.t(RECOVERY), Some(v.t(RECOVERY_HINT)), "off"))
                    (parts::submit(v.t(ENTER), Tone::Plain))
                }))
            }
            p { a href="/invitation" { (v.t(INVITED)) } }
        }
    };
    Body::new(v.t(TITLE), main).into()
}

async fn take(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    let next = within(form.text("next")).to_owned();
    let login = form.text("login").trim().to_owned();
    let entered: Result<Value, Fault> = match form.text("way") {
        "passkey" => return challenge(v, &login, &next).await,
        "answer" => {
            let answer: Value = serde_json::from_str(form.text("answer")).unwrap_or_default();
            let body = json!({ "ceremony": form.text("ceremony"), "answer": answer });
            v.post("/v1/session/passkey", &body).await
        }
        _ => {
            let body = json!({
                "login": login,
                "password": form.text("password"),
                "code": form.given("code"),
                "recovery_code": form.given("recovery_code"),
            });
            v.post("/v1/session/password", &body).await
        }
    };
    match entered {
        Ok(_) => Ok(Shown::at(next)),
        Err(Fault(document)) if document.status < 500 => {
            Ok(page(v, &next, &login, Some(&document)).await)
        }
        Err(fault) => Err(fault),
    }
}

/// The second step: the browser answers a challenge.
async fn challenge(v: &mut Visit, login: &str, next: &str) -> Result<Shown, Fault> {
    let body = json!({ "login": login });
    let Challenge { ceremony, options } = v.post("/v1/session/passkey-challenge", &body).await?;
    let main = html! {
        div.narrow {
            section.panel {
                form method="post" action="/sign-in" data-passkey="get" data-options=(options) data-field="answer" data-now="" {
                    (parts::hidden("way", "answer")) (parts::hidden("next", next))
                    (parts::hidden("login", login))
                    (parts::hidden("ceremony", &ceremony)) (parts::hidden("answer", ""))
                    p { (v.t(WAITING)) }
                    p.note.bad role="alert" data-problem="" hidden {}
                    (parts::submit(v.t(ASK_AGAIN), Tone::Info))
                    noscript { p.hint { (v.t(NO_SCRIPT)) } }
                }
            }
            p { a href="/sign-in" data-back="" { (v.t(OTHER_WAY)) } }
        }
    };
    Ok(Body::new(v.t(TITLE), main).with(&["passkey.js"]).into())
}
