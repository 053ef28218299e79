//! Coming in by a provider: to its page, and back from it to `/sign-in/{provider}`.
//!
//! What ties both is a cookie that the browser brings back: a code that somebody else was given opens
//! nothing here.

use super::preferences::within;
use crate::{
    desk,
    page::{Body, Door, Fault, Page, Shown},
    parts,
    terms::Tone,
    visit::{Visit, encoded},
    word::words,
};
use http::HeaderValue;
use maud::{Markup, html};
use paywarden_server::{edge::Code, pages::Form};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) const PAGE: Page = Page {
    path: "/sign-in/{provider}",
    door: Door::Anybody,
    needs: &[],
    menu: None,
    show: |v| Box::pin(async { show(v) }),
    take: Some(|v, form| Box::pin(take(v, form))),
    words: WORDS,
};

words! {
    TITLE = "Sign in by a provider", "通过身份提供方登录";
    WITH = "Continue with {}", "使用 {} 继续";
    LEAVES = "You leave for the page of your provider, which sends you back here.", "将前往身份提供方页面，完成后返回此处。";
    BACK = "Your provider has sent you back.", "身份提供方已将您送回。";
    FINISH = "Finish signing in", "完成登录";
}

/// The cookie that ties the way back to the way there.
const COOKIE: &str = "__Host-paywarden-sign-on";
/// How long the way may take, in seconds.
const LIFE_S: u32 = 600;

#[derive(Deserialize)]
struct Providers {
    providers: Vec<Provider>,
}

#[derive(Deserialize)]
struct Provider {
    id: String,
    title: String,
}

#[derive(Deserialize)]
struct Challenge {
    ceremony: String,
    address: String,
}

/// Buttons for the providers that are set; nothing where there are none.
pub(super) async fn buttons(v: &mut Visit, next: &str) -> Markup {
    let found = v.get::<Providers>("/v1/session/providers").await;
    let providers = found.map(|found| found.providers).unwrap_or_default();
    let v = &*v;
    html! {
        @for Provider { id, title } in &providers {
            (parts::form(v, &format!("/sign-in/{}", encoded(id)), html! {
                (parts::hidden("do", "begin")) (parts::hidden("next", next))
                (parts::submit(&WITH.with(v.language(), &[title]), Tone::Plain))
            }))
        }
    }
}

/// The way back.
fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let Some(code) = v.query("code") else {
        return Ok(Shown::at("/sign-in"));
    };
    let [state, iss] = ["state", "iss"].map(|name| v.query(name).unwrap_or_default());
    let v = &*v;
    let main = html! {
        div.narrow {
            p { (v.t(BACK)) }
            form method="post" action=(v.desk.path()) data-now="" {
                (parts::token(v))
                (parts::hidden("do", "finish")) (parts::hidden("code", &code))
                (parts::hidden("state", &state)) (parts::hidden("iss", &iss))
                (parts::submit(v.t(FINISH), Tone::Info))
            }
        }
    };
    Ok(Body::new(v.t(TITLE), main).into())
}

async fn take(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    match form.text("do") {
        "begin" => begin(v, within(form.text("next"))).await,
        "finish" => finish(v, form).await,
        _ => Ok(Shown::at(within(form.text("next")).to_owned())),
    }
}

async fn begin(v: &mut Visit, next: &str) -> Result<Shown, Fault> {
    let body = json!({ "provider": v.parameter });
    let Challenge { ceremony, address } = v.post("/v1/session/sign-on-challenge", &body).await?;
    let kept = format!("{ceremony} {next}");
    let line = format!(
        "{COOKIE}={}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={LIFE_S}",
        encoded(&kept)
    );
    v.cookies.extend(HeaderValue::from_str(&line));
    let v = &*v;
    // A form may not lead to another site by itself: a link does.
    let main = html! {
        div.narrow {
            p { (v.t(LEAVES)) }
            p { a.button.info href=(address) data-now="" { (WITH.with(v.language(), &[&v.parameter])) } }
        }
    };
    Ok(Body::new(v.t(TITLE), main).into())
}

async fn finish(v: &mut Visit, form: &Form) -> Result<Shown, Fault> {
    let kept = v.desk.cookie(COOKIE).map(percent_decode_str);
    let kept = kept.map(|text| text.decode_utf8_lossy().into_owned());
    let Some((ceremony, next)) = kept.as_deref().and_then(|kept| kept.split_once(' ')) else {
        return Err(v.fault(
            Code::CeremonyUnknown,
            "this browser has begun no way to a provider",
        ));
    };
    let body = json!({
        "ceremony": ceremony,
        "state": form.text("state"),
        "code": form.text("code"),
        "iss": form.given("iss"),
    });
    v.post::<Value>("/v1/session/sign-on", &body).await?;
    let gone = format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
    v.cookies.extend(HeaderValue::from_str(&gone));
    let next = within(next).to_owned();
    let member = v.desk.member();
    match member.is_some_and(|member| member.session.factor.is_full()) {
        true => Ok(Shown::at(next)),
        // The provider's word is no cryptographic factor: one of their own is proved as well.
        false => desk::prove_with(v, &[("do", "proved"), ("next", &next)], false).await,
    }
}
