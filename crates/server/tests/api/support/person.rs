//! A person with a browser and an authenticator.

#[path = "../../../../access/tests/support/authenticator.rs"]
pub mod authenticator;

use super::{Client, Sent, World, author, client::Answer};
use authenticator::Authenticator;
use http::Method;
use paywarden_access::staff::{Granter, NewAccount};
use paywarden_domain::TenantId;
use serde_json::{Value, json};

/// Somebody with a cookie, or without one.
pub struct Person {
    pub client: Client,
    pub origin: String,
    pub device: Authenticator,
    pub cookie: String,
    pub csrf: String,
    pub login: String,
}

impl Person {
    /// Somebody who has just opened a browser.
    pub async fn stranger(world: &World) -> Self {
        let origin = world.server.origin().to_owned();
        Self {
            client: world.client(true).await,
            device: Authenticator::new(&origin),
            origin,
            cookie: String::new(),
            csrf: String::new(),
            login: String::new(),
        }
    }

    /// Somebody of a company with these roles, signed in by a fresh passkey.
    pub async fn with_roles(world: &World, tenant: &str, login: &str, roles: &[&str]) -> Self {
        let mut person = Self::invited(world, tenant, login, roles).await;
        let setup = person
            .post("/v1/session/factors/passkey-challenge", None)
            .await
            .json();
        let answer = person.device.create(&setup["options"]);
        let body = json!({ "ceremony": setup["ceremony"], "answer": answer, "name": "laptop" });
        let entered = person
            .post("/v1/session/factors/passkeys", Some(&body))
            .await;
        assert_eq!(entered.status, 200, "{:?}", entered.json());
        person
    }

    /// Somebody who has followed a link and set up nothing.
    pub async fn invited(world: &World, tenant: &str, login: &str, roles: &[&str]) -> Self {
        let mut person = Self::stranger(world).await;
        login.clone_into(&mut person.login);
        let token = invitation(world, tenant, login, roles).await;
        let body = json!({ "token": token });
        let entered = person.post("/v1/session/invitation", Some(&body)).await;
        assert_eq!(entered.status, 200, "{:?}", entered.json());
        person
    }

    /// Signs in again by passkey.
    pub async fn sign_in(&mut self) -> Answer {
        let login = json!({ "login": self.login });
        let challenge = self
            .post("/v1/session/passkey-challenge", Some(&login))
            .await
            .json();
        let answer = self.device.get(&challenge["options"]);
        let body = json!({ "ceremony": challenge["ceremony"], "answer": answer });
        self.post("/v1/session/passkey", Some(&body)).await
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        let sent = self.dress(Sent::new(Method::GET, path, ""));
        self.client.send(sent).await
    }

    pub async fn post(&mut self, path: &str, body: Option<&Value>) -> Answer {
        self.send(Method::POST, path, body).await
    }

    /// Sends as a page of ours would, and keeps what comes back as a browser would.
    pub async fn send(&mut self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let sent = match body {
            Some(body) => Sent::json(method, path, body),
            None => Sent::new(method, path, ""),
        };
        let sent = self.dress(sent);
        let answer = self.client.send(sent).await;
        if let Some(cookie) = answer.headers.get("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            self.cookie = cookie.split(';').next().unwrap().to_owned();
            let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let token = json.get("csrf_token").or(json["session"].get("csrf_token"));
            self.csrf = token.and_then(Value::as_str).unwrap_or_default().to_owned();
        }
        answer
    }

    /// With what the browser and the page add.
    pub fn dress(&self, sent: Sent) -> Sent {
        let sent = match sent.method {
            Method::GET => sent,
            _ => sent.header("origin", &self.origin),
        };
        let sent = sent.header("sec-fetch-site", "same-origin");
        match self.cookie.is_empty() {
            true => sent,
            false => sent
                .header("cookie", &self.cookie)
                .header("x-csrf-token", &self.csrf),
        }
    }
}

/// The secret of a link.
pub async fn invitation(world: &World, tenant: &str, login: &str, roles: &[&str]) -> String {
    let new = NewAccount {
        login: Some(login.to_owned()),
        name: "Liu Wei".to_owned(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
    };
    let tenant = TenantId::parse(tenant).unwrap();
    let invited = world.staff.invite(author(), &tenant, new, Granter::Anybody);
    invited.await.unwrap().token.to_string()
}
