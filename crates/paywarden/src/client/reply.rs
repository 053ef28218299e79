//! What the server answered, and whether it was really the server.

use crate::{
    failure::{Failure, Result},
    signing::{LABEL, Signer},
};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri};
use paywarden_crypto::{
    Error, SignatureAlgorithm, VerifyingKey,
    digest::verify_content_digest,
    message_signature::{
        Component, Form, Message, Part, Policy, RequestView, ResponseView, Signatures, verify,
    },
};
use serde::{Deserialize, de::DeserializeOwned};
use std::{borrow::Cow, collections::HashMap};

/// The tag of a reply's signature.
const REPLY_TAG: &str = "paywarden-reply";

/// A whole reply, with the request that it answers.
#[derive(Debug)]
pub struct Reply {
    /// Status code.
    pub status: StatusCode,
    /// Header fields.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
    pub(super) request: RequestHead,
}

#[derive(Debug)]
pub(super) struct RequestHead {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
}

/// The keys that a server signs its replies with.
pub struct ReplyKeys(HashMap<String, VerifyingKey>);

#[derive(Deserialize)]
struct ReplyKeyList {
    keys: Vec<ReplyKeyFile>,
}

#[derive(Deserialize)]
struct ReplyKeyFile {
    keyid: String,
    alg: String,
    public_key_pem: String,
}

#[derive(Deserialize)]
struct Problem {
    code: String,
    #[serde(default)]
    detail: String,
}

impl Reply {
    /// The body as JSON; a refusal becomes a failure with the server's own words.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        if !self.status.is_success() {
            return Err(Failure::not_held(
                self.refusal(),
                "see docs/reference/errors.md",
            ));
        }
        serde_json::from_slice(&self.body).map_err(|error| {
            let what = format!(
                "{} answered something unknown: {error}",
                self.request.uri.path()
            );
            Failure::not_held(what, "check that client and server have the same version")
        })
    }

    /// A refusal in one line: status, stable code, detail.
    pub fn refusal(&self) -> String {
        match serde_json::from_slice::<Problem>(&self.body) {
            Ok(problem) => format!(
                "{} {}: {}",
                self.status.as_u16(),
                problem.code,
                problem.detail
            ),
            Err(_) => self.status.to_string(),
        }
    }

    /// The stable code of a refusal.
    pub fn code(&self) -> String {
        serde_json::from_slice::<Problem>(&self.body)
            .map_or_else(|_| self.status.as_u16().to_string(), |problem| problem.code)
    }

    /// Checks that the server signed this very reply to this very request.
    pub fn verify(&self, keys: &ReplyKeys, now_s: i64) -> Result<(), Error> {
        if !self.body.is_empty() {
            verify_content_digest(&self.headers, &self.body)?;
        }
        let request = RequestView::new(
            &self.request.method,
            &self.request.uri,
            "https",
            &self.request.headers,
        );
        let response = ResponseView {
            status: self.status.as_u16(),
            headers: &self.headers,
            request: Some(&request),
        };
        let mut required = vec![
            Component::new(Part::Status),
            Component {
                part: Part::Method,
                of_request: true,
            },
            Component {
                part: Part::Path,
                of_request: true,
            },
        ];
        if self.request.headers.contains_key("signature") {
            let form = Form::Member(Cow::Borrowed(LABEL));
            required.push(Component {
                part: Part::Field("signature", form),
                of_request: true,
            });
        }
        let policy = Policy {
            required: &required,
            ..Policy::response(REPLY_TAG)
        };
        let signatures = Signatures::parse(&self.headers)?;
        verify(
            &Message::Response(&response),
            &signatures,
            &policy,
            now_s,
            |signature| {
                let key_id = signature
                    .input
                    .parameters()
                    .keyid
                    .as_deref()
                    .unwrap_or_default();
                keys.0.get(key_id).ok_or(Error::KeyRefused {
                    detail: "the reply names another key",
                })
            },
        )
        .map(drop)
    }
}

impl ReplyKeys {
    /// Reads the reply of `GET /v1/reply-keys`. Whoever signs with a shared secret gets replies
    /// signed with it too.
    pub fn read(reply: &Reply, signer: Option<&Signer>) -> Result<Self> {
        let list: ReplyKeyList = reply.json()?;
        let unusable = |error: Error| {
            let what = format!("a reply key of the server is unusable: {error}");
            Failure::not_held(what, "check that client and server have the same version")
        };
        let mut keys = HashMap::new();
        for file in list.keys {
            let algorithm = SignatureAlgorithm::parse(&file.alg).ok_or_else(|| {
                unusable(Error::KeyRefused {
                    detail: "unknown algorithm",
                })
            })?;
            let key = VerifyingKey::from_public(algorithm, file.public_key_pem.as_bytes());
            keys.insert(file.keyid, key.map_err(unusable)?);
        }
        let shared = signer.filter(|s| s.key().algorithm() == SignatureAlgorithm::HmacSha256);
        if let Some(signer) = shared {
            let key = signer.key().verifying_key().map_err(unusable)?;
            keys.insert(signer.key_id().to_owned(), key);
        }
        Ok(Self(keys))
    }
}
