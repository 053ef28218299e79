//! An OpenID provider in this process, as honest or as hostile as it is told to be.

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use paywarden_access::factor::provider::{ProviderSettings, SignOnAnswer, SignOnChallenge};
use paywarden_crypto::digest::sha256;
use paywarden_store::Clock;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{net::TcpListener, task::JoinHandle};

pub const CLIENT: &str = "paywarden";
pub const SECRET: &str = "a secret of two";

/// What it does otherwise than it should.
#[derive(Clone, Default)]
pub struct Nature {
    /// Claims of the token that stand in the place of the right ones; null leaves one out.
    pub claims: BTreeMap<&'static str, Value>,
    /// The header's `alg` and how it is signed.
    pub signing: Signing,
    /// Whether it says that it names itself in answers (RFC 9207).
    pub names_itself: bool,
    /// What it says its issuer is, if not the right one.
    pub issuer: Option<String>,
    /// Paths to which it never answers.
    pub hangs_on: Option<&'static str>,
    /// What it answers to any request, if not what was asked for.
    pub answers: Option<(u16, String)>,
}

/// How a token is signed.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Signing {
    /// By the key that it publishes.
    #[default]
    Own,
    /// By another key under the same name.
    Forged,
    /// Not at all, and it says so.
    None,
    /// By the secret that client and provider share (HS256).
    Shared,
    /// By a key that it publishes only once the token is out.
    Rotated,
}

struct Grant {
    nonce: String,
    challenge: String,
    subject: String,
}

struct Inner {
    issuer: String,
    key: EcdsaKeyPair,
    next: EcdsaKeyPair,
    clock: Mutex<Option<Clock>>,
    nature: Mutex<Nature>,
    grants: Mutex<HashMap<String, Grant>>,
    asked: Mutex<Vec<String>>,
    rotated: Mutex<bool>,
}

/// A provider that listens on loopback.
pub struct Provider {
    inner: Arc<Inner>,
    listening: JoinHandle<()>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

fn key() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()
}

fn text(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Provider {
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let issuer = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let inner = Arc::new(Inner {
            issuer,
            key: key(),
            next: key(),
            clock: Mutex::default(),
            nature: Mutex::default(),
            grants: Mutex::default(),
            asked: Mutex::default(),
            rotated: Mutex::default(),
        });
        let shared = Arc::clone(&inner);
        let listening = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let inner = Arc::clone(&shared);
                let serve = service_fn(move |request| {
                    let inner = Arc::clone(&inner);
                    async move { Ok::<_, Infallible>(inner.answer(request).await) }
                });
                let connection =
                    http1::Builder::new().serve_connection(TokioIo::new(stream), serve);
                tokio::spawn(async { drop(connection.await) });
            }
        });
        Self { inner, listening }
    }

    pub fn issuer(&self) -> &str {
        &self.inner.issuer
    }

    /// As an operator would set it; `amr` that counts as a cryptographic factor.
    pub fn settings(&self, id: &str, amr: &[&str]) -> ProviderSettings {
        ProviderSettings {
            id: id.to_owned(),
            title: id.to_uppercase(),
            issuer: self.inner.issuer.clone(),
            client_id: CLIENT.to_owned(),
            secret: Some(SECRET.to_owned().into()),
            scopes: vec!["profile".to_owned()],
            ca_pem: None,
            cryptographic_amr: amr.iter().map(|one| (*one).to_owned()).collect(),
            cryptographic_acr: vec!["urn:strong".to_owned()],
        }
    }

    /// Goes by the time of the house.
    pub fn keep_time(&self, clock: &Clock) {
        *self.inner.clock.lock().unwrap() = Some(clock.clone());
    }

    pub fn become_(&self, nature: Nature) {
        *self.inner.nature.lock().unwrap() = nature;
    }

    /// How often a path was asked for.
    pub fn asked(&self, path: &str) -> usize {
        let asked = self.inner.asked.lock().unwrap();
        asked.iter().filter(|one| *one == path).count()
    }

    /// What the browser of `subject` comes back with, having been sent to this address.
    pub fn authorize(&self, challenge: &SignOnChallenge, subject: &str) -> Back {
        let (place, query) = challenge.address.split_once('?').unwrap();
        assert_eq!(place, format!("{}/authorize", self.inner.issuer));
        let query: HashMap<String, String> = query.split('&').map(pair).collect();
        for (name, value) in [
            ("response_type", "code"),
            ("client_id", CLIENT),
            ("code_challenge_method", "S256"),
            ("max_age", "300"),
            ("acr_values", "urn:strong"),
        ] {
            assert_eq!(query.get(name).map(String::as_str), Some(value), "{name}");
        }
        assert!(query["scope"].contains("openid") && query["scope"].contains("profile"));
        assert!(query["redirect_uri"].starts_with("https://localhost/sign-in/"));
        let grant = Grant {
            nonce: query["nonce"].clone(),
            challenge: query["code_challenge"].clone(),
            subject: subject.to_owned(),
        };
        let mut grants = self.inner.grants.lock().unwrap();
        let code = format!("code{}", grants.len() + self.asked("/token"));
        grants.insert(code.clone(), grant);
        Back {
            ceremony: challenge.ceremony.clone(),
            state: query["state"].clone(),
            code,
            iss: None,
        }
    }
}

/// What a browser brings back.
#[derive(Clone)]
pub struct Back {
    pub ceremony: String,
    pub state: String,
    pub code: String,
    pub iss: Option<String>,
}

impl Back {
    pub fn answer(&self) -> SignOnAnswer<'_> {
        SignOnAnswer {
            ceremony: &self.ceremony,
            state: &self.state,
            code: &self.code,
            issuer: self.iss.as_deref(),
        }
    }
}

impl Inner {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path().to_owned();
        self.asked.lock().unwrap().push(path.clone());
        let nature = self.nature.lock().unwrap().clone();
        if nature.hangs_on == Some(path.as_str()) {
            tokio::time::sleep(Duration::from_secs(3_600)).await;
        }
        if let Some((status, body)) = nature.answers {
            return reply(status, body);
        }
        let json = match path.as_str() {
            "/.well-known/openid-configuration" => self.metadata(&nature),
            "/keys" => self.keys(),
            "/token" => match self.token(request, &nature).await {
                Some(json) => json,
                None => return reply(400, json!({ "error": "invalid_grant" }).to_string()),
            },
            _ => return reply(404, String::new()),
        };
        reply(200, json.to_string())
    }

    fn metadata(&self, nature: &Nature) -> Value {
        let at = |path: &str| format!("{}{path}", self.issuer);
        json!({
            "issuer": nature.issuer.as_ref().unwrap_or(&self.issuer),
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"),
            "jwks_uri": at("/keys"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "authorization_response_iss_parameter_supported": nature.names_itself,
        })
    }

    fn keys(&self) -> Value {
        let mut keys = vec![jwk(&self.key, "first")];
        if *self.rotated.lock().unwrap() {
            keys.push(jwk(&self.next, "second"));
        }
        json!({ "keys": keys })
    }

    /// Tokens for a code, once, with the verifier of its challenge and the client's secret.
    async fn token(&self, request: Request<Incoming>, nature: &Nature) -> Option<Value> {
        let secret = request
            .headers()
            .get("authorization")?
            .to_str()
            .ok()?
            .to_owned();
        let body = request.into_body().collect().await.ok()?.to_bytes();
        let form: HashMap<String, String> = String::from_utf8_lossy(&body)
            .split('&')
            .map(pair)
            .collect();
        let encoded: String = SECRET.replace(' ', "+");
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("{CLIENT}:{encoded}"));
        if secret != format!("Basic {basic}") {
            return None;
        }
        let grant = self.grants.lock().unwrap().remove(form.get("code")?)?;
        let verifier = form.get("code_verifier")?;
        if text(sha256(verifier.as_bytes())) != grant.challenge {
            return None;
        }
        Some(json!({
            "access_token": "unused", "token_type": "Bearer",
            "id_token": self.id_token(&grant, nature),
        }))
    }

    fn id_token(&self, grant: &Grant, nature: &Nature) -> String {
        let now_s = self.clock.lock().unwrap().as_ref().unwrap().now().seconds();
        let mut claims = json!({
            "iss": self.issuer, "aud": CLIENT, "sub": grant.subject, "nonce": grant.nonce,
            "iat": now_s, "exp": now_s + 60, "auth_time": now_s - 30, "amr": ["pwd"],
        });
        for (name, value) in &nature.claims {
            match value {
                Value::Null => drop(claims.as_object_mut().unwrap().remove(*name)),
                value => claims[*name] = value.clone(),
            }
        }
        let (algorithm, kid) = match nature.signing {
            Signing::Own | Signing::Forged => ("ES256", "first"),
            Signing::Rotated => ("ES256", "second"),
            Signing::None => ("none", "first"),
            Signing::Shared => ("HS256", "first"),
        };
        let head = json!({ "typ": "JWT", "alg": algorithm, "kid": kid });
        let signed = format!("{}.{}", text(head.to_string()), text(claims.to_string()));
        let by = |key: &EcdsaKeyPair| {
            let signature = key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
            text(signature.as_ref())
        };
        let signature = match nature.signing {
            Signing::Own => by(&self.key),
            Signing::Forged => by(&self.next),
            Signing::Rotated => {
                *self.rotated.lock().unwrap() = true;
                by(&self.next)
            }
            Signing::None => String::new(),
            Signing::Shared => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
                text(hmac::sign(&key, signed.as_bytes()).as_ref())
            }
        };
        format!("{signed}.{signature}")
    }
}

fn jwk(key: &EcdsaKeyPair, kid: &str) -> Value {
    let (x, y) = key.public_key().as_ref()[1..].split_at(32);
    json!({ "kty": "EC", "crv": "P-256", "use": "sig", "kid": kid, "x": text(x), "y": text(y) })
}

fn reply(status: u16, body: String) -> Response<Full<Bytes>> {
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Full::new(body.into()))
        .unwrap()
}

/// One pair of a form or a query.
fn pair(text: &str) -> (String, String) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    (name.to_owned(), decoded(value))
}

fn decoded(value: &str) -> String {
    let value = value.replace('+', " ");
    let mut bytes = value.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            byte => byte,
        });
    }
    String::from_utf8(out).unwrap()
}
