//! Somebody who comes in by a link, sets up a password and an application, and looks at pages.

use crate::{
    child::ServerChild,
    client::{Caller, Client, Connection, Protocol, Reply},
    failure::{Failure, Result},
};
use bytes::Bytes;
use http::{HeaderValue, Method, header::SET_COOKIE};
use paywarden_access::factor::totp;
use paywarden_domain::TenantId;
use paywarden_store::Clock;
use serde_json::{Value, json};

const PASSWORD: &str = "41 teal herons over Utrecht, 7 swans";
/// What they may see: everything that the measured pages show.
const ROLES: [&str; 2] = ["senior_analyst", "auditor"];

/// A connection of somebody who is signed in.
pub(super) async fn sign_in(server: &ServerChild, tenant: &TenantId) -> Result<Connection> {
    let bug = |what: &str| Failure::environment(what, "report this as a bug");
    let login = format!("clerk{}@example.com", Clock::System.now().micros());
    let link = server.invite(tenant, &login, &ROLES)?;
    let (page, token) = link
        .split_once('#')
        .ok_or_else(|| bug("a link without a secret"))?;
    let url = page.trim_end_matches("/invitation");
    let origin = HeaderValue::try_from(url).map_err(|_| bug("an origin that is no header"))?;
    let ca_pem = server.ca_pem();
    let client = |caller| Client::new(url, &ca_pem, caller, Protocol::Http1);
    let mut page = client(Caller::Page(origin.clone()))?.connection();
    let reply = page.post(
        "/v1/session/invitation",
        body(&json!({ "token": token })),
        None,
    );
    let mut caller = admitted(&origin, &reply.await?)?;
    let mut page = client(caller)?.connection();
    let password = body(&json!({ "password": PASSWORD }));
    let path = "/v1/session/factors/password";
    page.send(Method::PUT, path, password, None)
        .await?
        .json::<Value>()?;
    let path = "/v1/session/factors/totp";
    let setup: Value = page.post(path, Bytes::new(), None).await?.json()?;
    let secret = setup
        .get("secret")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let code = totp::code(secret, Clock::System.now());
    let path = "/v1/session/factors/totp/confirmation";
    let reply = page
        .post(path, body(&json!({ "code": code })), None)
        .await?;
    caller = admitted(&origin, &reply)?;
    Ok(client(caller)?.connection())
}

fn body(value: &Value) -> Bytes {
    Bytes::from(value.to_string())
}

/// Who one is by a reply that opened a session.
fn admitted(origin: &HeaderValue, reply: &Reply) -> Result<Caller> {
    let json: Value = reply.json()?;
    let token = json.pointer("/session/csrf_token");
    let token = token
        .or_else(|| json.get("csrf_token"))
        .and_then(Value::as_str);
    let cookie = reply
        .headers
        .get(SET_COOKIE)
        .and_then(|cookie| cookie.to_str().ok());
    let cookie = cookie.and_then(|cookie| cookie.split(';').next());
    let header = |text: Option<&str>| {
        let header = text.and_then(|text| HeaderValue::try_from(text).ok());
        header.ok_or_else(|| Failure::not_held("no session was opened", "report this as a bug"))
    };
    Ok(Caller::Person {
        origin: origin.clone(),
        cookie: header(cookie)?,
        token: header(token)?,
    })
}
