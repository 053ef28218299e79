//! From a request to a page: files, reports, doors, forms, a factor proved again, faults.

use crate::{
    assets, layout,
    look::{self, Look},
    page::{Body, Door, Fault, Page, Shown, Take},
    pages, parts, policy,
    refused::{self, Refused},
    terms::Tone,
    visit::{Visit, encoded},
    word::words,
};
use http::{
    HeaderName, HeaderValue, Method, StatusCode,
    header::{ACCEPT_LANGUAGE, ALLOW, LOCATION, SET_COOKIE},
};
use maud::{Markup, html};
use paywarden_server::{
    edge::{Code, ProblemDocument, reply::Reply},
    pages::{Desk, Form, Paged},
};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Value, json};

const HTML: &str = "text/html; charset=utf-8";
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// The cookie of what is said once on the next page.
const TOLD: &str = "__Host-paywarden-told";
/// The most characters of it.
const TOLD_MAX: usize = 400;
/// The most bytes of a report that are logged.
const REPORT_BYTES_MAX: usize = 2_048;

words! {
    PROVE_TITLE = "Confirm it is you", "请确认身份";
    PROVE_WHY = "This command wants a factor proved within the last five minutes. What you filled in is kept.", "此操作要求最近五分钟内验证过身份。已填写的内容会保留。";
    PROVE_PASSKEY = "Confirm with your passkey", "用通行密钥确认";
    PROVE_CODE = "Code of your authenticator application", "身份验证器中的动态码";
    PROVE_BY_CODE = "Confirm with the code", "用动态码确认";
    PROVE_AGAIN = "That was not right. Try once more.", "验证未通过，请重试。";
    OR = "or", "或";
    FAULT_NOT_FOUND = "There is no such page", "页面不存在";
    FAULT_FORBIDDEN = "Your roles do not allow this", "您的角色无权进行此操作";
    FAULT_REFUSED = "This was refused", "请求被拒绝";
    FAULT_BUSY = "Not now: the server has no room for it", "服务器繁忙，请稍后再试";
    FAULT_OURS = "Something went wrong on our side", "系统内部错误";
    FAULT_CODE = "Code", "代码";
    FAULT_WHY = "Why", "原因";
    FAULT_REQUEST = "Request", "请求编号";
    FAULT_BACK = "Back to the overview", "返回总览";
}

/// Answers a request.
pub(crate) async fn answer(desk: Desk) -> Paged {
    let method = desk.method().clone();
    if let Some(asset) = assets::at(desk.path()) {
        let mut reply = Reply::new(StatusCode::OK, asset.media_type, asset.bytes);
        reply.headers.extend(policy::of_files());
        return desk.reply(reply);
    }
    if method == Method::POST && desk.path() == policy::REPORTS {
        report(desk.report());
        return desk.reply(Reply::empty());
    }
    if method == Method::GET
        && let Some(elsewhere) = desk.elsewhere()
    {
        return desk.reply(moved(StatusCode::TEMPORARY_REDIRECT, &elsewhere));
    }
    let accepted = desk.header(&ACCEPT_LANGUAGE).unwrap_or_default();
    let look = Look::of(desk.cookie(look::COOKIE), accepted);
    let told = desk.cookie(TOLD).map(percent_decode_str);
    let told = told.map(|text| text.decode_utf8_lossy().into_owned());
    let mut visit = Visit {
        told: told.filter(|text| !text.is_empty()),
        ..Visit::of(desk, look, String::new())
    };
    if method == Method::GET && visit.desk.path() == pages::live::STREAM {
        return pages::live::stream(visit);
    }
    if method == Method::GET && visit.desk.path().starts_with(pages::exports::FILES) {
        return pages::exports::fetch(visit);
    }
    if method == Method::GET && visit.desk.path().starts_with(pages::case::FILES) {
        let fetched = pages::case::fetch(&mut visit).await;
        let reply = fetched.unwrap_or_else(|fault| refused(&visit, None, fault));
        return visit.desk.reply(reply);
    }
    let mut reply = match method {
        Method::GET | Method::POST => page(&mut visit, &method).await,
        _ => {
            let mut reply = Reply::new(StatusCode::METHOD_NOT_ALLOWED, HTML, "");
            let both = HeaderValue::from_static("GET, POST");
            reply.headers.push((ALLOW, both));
            reply
        }
    };
    let cookies = visit.cookies.into_iter().map(|line| (SET_COOKIE, line));
    reply.headers.extend(cookies);
    visit.desk.reply(reply)
}

async fn page(visit: &mut Visit, method: &Method) -> Reply {
    let path = visit.desk.path().to_owned();
    let Some((page, parameter)) = pages::find(&path) else {
        let fault = visit.fault(Code::RouteUnknown, "no page has this path");
        return faulty(visit, None, fault);
    };
    visit.parameter = parameter;
    let is_get = *method == Method::GET;
    if let Some(reply) = kept_out(visit, page, is_get) {
        return reply;
    }
    if page.door == Door::Staff {
        // Whoever's preferences cannot be read works as everybody does.
        let own = visit.get("/v1/session/preferences").await;
        visit.own = own.unwrap_or_default();
    }
    let shown = match page.take.filter(|_| !is_get) {
        None if !is_get => Err(visit.fault(Code::MethodNotAllowed, "the page has no form")),
        None => (page.show)(visit).await,
        Some(take) => taken(visit, page, take).await,
    };
    match shown {
        Ok(Shown::Page(body)) => {
            let refused = visit.refused.as_ref().map(Refused::status);
            let status = refused.and_then(|status| StatusCode::from_u16(status).ok());
            whole(visit, Some(page), status.unwrap_or(StatusCode::OK), body)
        }
        Ok(Shown::Elsewhere(to, told)) => {
            let mut reply = moved(StatusCode::SEE_OTHER, &to);
            reply.headers.extend(told.and_then(|told| tell(&told)));
            reply
        }
        Err(fault) => refused(visit, Some(page), fault),
    }
}

/// What is answered instead of a page.
fn refused(visit: &Visit, page: Option<&Page>, fault: Fault) -> Reply {
    match fault.0.code == Code::SessionRequired.name() {
        true => to_sign_in(visit),
        false => faulty(visit, page, fault),
    }
}

/// Whoever does not come in, and where they are sent.
fn kept_out(visit: &Visit, page: &Page, is_get: bool) -> Option<Reply> {
    let member = visit.desk.member();
    let is_full = member.is_some_and(|member| member.session.factor.is_full());
    match page.door {
        Door::Anybody => return None,
        Door::Own if member.is_some() => return None,
        Door::Staff if is_full => {}
        Door::Staff if member.is_some() => return Some(moved(StatusCode::SEE_OTHER, "/account")),
        // The cookie does not come with a link from elsewhere: the page asks for itself once more.
        _ if is_get && visit.desk.header(&FETCH_SITE) == Some("cross-site") => {
            return Some(asked_again());
        }
        _ => return Some(to_sign_in(visit)),
    }
    let may = page.needs.is_empty() || page.needs.iter().any(|scope| visit.may(*scope));
    let missing = || visit.fault(Code::ScopeInsufficient, "your roles do not allow this");
    (!may).then(|| faulty(visit, Some(page), missing()))
}

/// What comes of a form, once it is known to be ours and a factor in it is proved.
async fn taken(visit: &mut Visit, page: &Page, take: Take) -> Result<Shown, Fault> {
    let form = visit.desk.form()?;
    let proof = match (form.given("_code"), form.given("_answer")) {
        (Some(code), _) => Some(json!({ "code": code })),
        (None, Some(answer)) => Some(json!({
            "ceremony": form.text("_ceremony"),
            "answer": serde_json::from_str::<Value>(answer).unwrap_or_default(),
        })),
        (None, None) => None,
    };
    if let Some(proof) = proof
        && let Err(fault) = visit.post::<Value>("/v1/session/proof", &proof).await
    {
        return match fault.0.status < 500 && fault.0.code != Code::SessionRequired.name() {
            true => prove(visit, &form, true).await,
            false => Err(fault),
        };
    }
    match take(visit, &form).await {
        Err(fault) if fault.0.code == Code::FreshFactorRequired.name() => {
            prove(visit, &form, false).await
        }
        Err(fault) if !fault.is_kept() => {
            visit.refused = Some(Refused::of(&form, fault.0));
            again(visit, page).await
        }
        shown => shown,
    }
}

/// Shows the page of a form that was refused, with the form as it was filled in.
async fn again(visit: &mut Visit, page: &Page) -> Result<Shown, Fault> {
    let shown = (page.show)(visit).await;
    match (shown, visit.refused.take()) {
        (Ok(Shown::Page(body)), refused) if refused::is_said(&body.main) => {
            visit.refused = refused;
            Ok(Shown::Page(body))
        }
        // The page has no such form any more.
        (_, Some(refused)) => Err(Fault(refused.into_why())),
        (shown, None) => shown,
    }
}

#[derive(Deserialize)]
struct Challenge {
    ceremony: String,
    options: Value,
}

/// Asks for a factor, and keeps the form for when it is proved.
async fn prove(visit: &mut Visit, form: &Form, is_again: bool) -> Result<Shown, Fault> {
    let kept: Vec<(&str, &str)> = form.own().collect();
    prove_with(visit, &kept, is_again).await
}

/// Asks for a factor; these fields come back with it.
pub(crate) async fn prove_with(
    visit: &mut Visit,
    kept: &[(&str, &str)],
    is_again: bool,
) -> Result<Shown, Fault> {
    let factors = visit
        .desk
        .member()
        .map(|member| member.account.factors().summary());
    let has_passkey = factors.as_ref().is_some_and(|all| !all.passkeys.is_empty());
    let has_code = factors.is_some_and(|all| all.totp);
    let challenge: Option<Challenge> = match has_passkey {
        true => Some(
            visit
                .post("/v1/session/proof-challenge", &Value::Null)
                .await?,
        ),
        false => None,
    };
    let v = &*visit;
    let kept = html! { @for (name, text) in kept { (parts::hidden(name, text)) } };
    let action = v.desk.path();
    let code = parts::Field {
        autocomplete: "one-time-code",
        bytes_max: 8,
        ..parts::Field::new("_code", v.t(PROVE_CODE))
    };
    let main = html! {
        div.narrow {
            @if is_again { (parts::note(Tone::Bad, v.t(PROVE_AGAIN))) }
            p { (v.t(PROVE_WHY)) }
            @if let Some(Challenge { ceremony, options }) = &challenge {
                form method="post" action=(action) data-passkey="get" data-options=(options) data-field="_answer" {
                    (parts::token(v)) (kept)
                    (parts::hidden("_ceremony", ceremony)) (parts::hidden("_answer", ""))
                    (parts::submit(v.t(PROVE_PASSKEY), Tone::Info))
                    p.note.bad role="alert" data-problem="" hidden {}
                }
            }
            @if has_passkey && has_code { p.muted { (v.t(OR)) } }
            @if has_code {
                (parts::form(v, action, html! { (kept) (code) (parts::submit(v.t(PROVE_BY_CODE), Tone::Plain)) }))
            }
        }
    };
    Ok(Body::new(v.t(PROVE_TITLE), main)
        .with(&["passkey.js"])
        .into())
}

fn whole(visit: &Visit, page: Option<&Page>, status: StatusCode, body: Body) -> Reply {
    let text = layout::whole(visit, page, &body).into_string();
    let mut reply = Reply::new(status, HTML, text);
    reply.headers.extend(policy::headers());
    if visit.told.is_some() {
        let gone = "__Host-paywarden-told=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0";
        reply
            .headers
            .push((SET_COOKIE, HeaderValue::from_static(gone)));
    }
    reply
}

/// Says why there is no page.
fn faulty(visit: &Visit, page: Option<&Page>, Fault(document): Fault) -> Reply {
    let status = StatusCode::from_u16(document.status);
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let title = match document.status {
        404 => FAULT_NOT_FOUND,
        403 => FAULT_FORBIDDEN,
        429 | 503 => FAULT_BUSY,
        500.. => FAULT_OURS,
        _ => FAULT_REFUSED,
    };
    let body = Body::new(visit.t(title), why(visit, &document));
    whole(visit, page, status, body)
}

fn why(v: &Visit, document: &ProblemDocument) -> Markup {
    html! {
        div.narrow {
            (parts::note(Tone::Bad, parts::facts([
                parts::row(FAULT_WHY, parts::refusal(document, v), v),
                parts::row(FAULT_CODE, parts::id(&document.code), v),
                parts::row(FAULT_REQUEST, parts::id(&document.request_id), v),
            ])))
            p { a.button href="/" data-back="" { (v.t(FAULT_BACK)) } }
        }
    }
}

fn to_sign_in(visit: &Visit) -> Reply {
    let asked = match visit.desk.query() {
        "" => visit.desk.path().to_owned(),
        query => format!("{}?{query}", visit.desk.path()),
    };
    let to = match asked.as_str() {
        "/" => "/sign-in".to_owned(),
        asked => format!("/sign-in?next={}", encoded(asked)),
    };
    moved(StatusCode::SEE_OTHER, &to)
}

fn moved(status: StatusCode, to: &str) -> Reply {
    let mut reply = Reply::new(status, HTML, "");
    reply.headers.extend(policy::headers());
    if let Ok(to) = HeaderValue::from_str(to) {
        reply.headers.push((LOCATION, to));
    }
    reply
}

fn asked_again() -> Reply {
    let page = "<!doctype html><html lang=\"en\"><head><meta http-equiv=\"refresh\" content=\"0\">\
        <title>Paywarden</title></head><body></body></html>";
    let mut reply = Reply::new(StatusCode::OK, HTML, page);
    reply.headers.extend(policy::headers());
    reply
}

/// The line that keeps a text for the next page.
fn tell(text: &str) -> Option<(HeaderName, HeaderValue)> {
    let text: String = text.chars().take(TOLD_MAX).collect();
    let line = format!(
        "{TOLD}={}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=30",
        encoded(&text)
    );
    Some((SET_COOKIE, HeaderValue::from_str(&line).ok()?))
}

/// A browser was kept from something: a page of ours is wrong, or somebody has tried to change one.
fn report(bytes: &[u8]) {
    let bytes = bytes.get(..REPORT_BYTES_MAX).unwrap_or(bytes);
    let report = String::from_utf8_lossy(bytes);
    tracing::warn!(report = %report.escape_debug(), "a page did what its policy forbids");
}
