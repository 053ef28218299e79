//! Signs requests as the server wants them: RFC 9421 with a `Content-Digest` (RFC 9530).

use crate::failure::{Failure, Result};
use http::{
    HeaderMap, HeaderName, Method, Uri,
    header::{CONTENT_TYPE, HeaderValue},
};
use paywarden_crypto::{
    Error, SignatureAlgorithm, SigningKey,
    digest::{CONTENT_DIGEST, content_digest},
    message_signature::{Component, Message, Parameters, Part, RequestView, sign},
};
use paywarden_store::Clock;
use std::{borrow::Cow, fmt::Write, fs, path::Path};

/// The tag of a request signature: what tells it from signatures meant for others.
pub const REQUEST_TAG: &str = "paywarden";
/// The label under which this client signs.
pub const LABEL: &str = "pw";
/// The field that makes a request repeatable.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Fields that are covered whenever the request has them.
const FIELDS_COVERED: [&str; 3] = ["content-digest", "content-type", "idempotency-key"];
/// What a key file without an algorithm may hold, in the order in which it is tried.
const ALGORITHMS_TRIED: [SignatureAlgorithm; 3] = [
    SignatureAlgorithm::Ed25519,
    SignatureAlgorithm::EcdsaP256Sha256,
    SignatureAlgorithm::RsaPssSha512,
];

/// A key and the name under which the server knows it.
pub struct Signer {
    key: SigningKey,
    key_id: String,
    clock: Clock,
}

impl Signer {
    /// Signs with this key under this name.
    pub fn new(key: SigningKey, key_id: impl Into<String>) -> Self {
        Self {
            key,
            key_id: key_id.into(),
            clock: Clock::System,
        }
    }

    /// Reads the key that `paywarden keys create` wrote: PEM, or base64 for a shared secret.
    /// Without an id the file's name is the id; without an algorithm the key itself tells it (an
    /// RSA key is taken for rsa-pss-sha512).
    pub fn from_file(
        path: &Path,
        key_id: Option<&str>,
        algorithm: Option<SignatureAlgorithm>,
    ) -> Result<Self> {
        let next = "make a key with `paywarden keys create`, which prints the path of its file";
        let text = fs::read(path).map_err(|error| {
            Failure::environment(format!("cannot read {}: {error}", path.display()), next)
        })?;
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let key_id = key_id.or(stem).unwrap_or_default();
        let key = read_key(&text, algorithm).map_err(|error| {
            Failure::wrong_use(format!("{} holds no key: {error}", path.display()), next)
        })?;
        Ok(Self::new(key, key_id))
    }

    /// Takes a key as `paywarden keys create` gives it out.
    pub fn from_text(key_id: &str, text: &str) -> Result<Self> {
        let key = read_key(text.as_bytes(), None).map_err(|error| {
            Failure::wrong_use(format!("{key_id} is no key: {error}"), "make a new key")
        })?;
        Ok(Self::new(key, key_id))
    }

    /// The name of the key.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The key.
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// Adds `Content-Digest` for a body, then the signature over the method, the target and
    /// every field that decides what the request does. `uri` is absolute.
    pub fn sign(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &mut HeaderMap,
        body: &[u8],
    ) -> Result<(), Error> {
        if !body.is_empty() {
            headers.insert(CONTENT_DIGEST, content_digest(body)?);
        }
        let mut covered = vec![
            Component::new(Part::Method),
            Component::new(Part::TargetUri),
        ];
        let present = FIELDS_COVERED
            .iter()
            .filter(|name| headers.contains_key(**name));
        covered.extend(present.map(|name| Component::field(name)));
        let nonce = hexadecimal(&self.clock.random::<16>());
        let parameters = Parameters {
            created_s: Some(self.clock.now().seconds()),
            keyid: Some(Cow::Borrowed(&self.key_id)),
            nonce: Some(Cow::Owned(nonce)),
            tag: Some(Cow::Borrowed(REQUEST_TAG)),
            ..Parameters::default()
        };
        let request = RequestView::new(method, uri, "https", headers);
        let fields = sign(
            &Message::Request(&request),
            LABEL,
            &covered,
            &parameters,
            &self.key,
        )?;
        fields.insert_into(headers);
        Ok(())
    }
}

/// The fields of a JSON request before it is signed.
pub fn json_headers(body: &[u8], idempotency_key: Option<&str>) -> Result<HeaderMap> {
    let mut headers = HeaderMap::with_capacity(8);
    if !body.is_empty() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if let Some(key) = idempotency_key {
        let escaped = key.replace('\\', r"\\").replace('"', r#"\""#);
        let quoted = HeaderValue::try_from(format!("\"{escaped}\"")).map_err(|_| {
            Failure::wrong_use(
                "the idempotency key is not plain ASCII",
                "use letters and digits",
            )
        })?;
        headers.insert(IDEMPOTENCY_KEY, quoted);
    }
    Ok(headers)
}

/// A new random idempotency key.
pub fn fresh_idempotency_key() -> String {
    hexadecimal(&Clock::System.random::<16>())
}

fn read_key(text: &[u8], algorithm: Option<SignatureAlgorithm>) -> Result<SigningKey, Error> {
    let is_pem = text.trim_ascii_start().starts_with(b"-----BEGIN");
    match algorithm {
        Some(SignatureAlgorithm::HmacSha256) => shared_secret(text),
        Some(algorithm) => SigningKey::from_private(algorithm, text),
        None if !is_pem => shared_secret(text),
        None => {
            let read = |algorithm| SigningKey::from_private(algorithm, text);
            let mut tried = ALGORITHMS_TRIED.into_iter().map(read);
            let first = tried.find_map(Result::ok);
            first.ok_or(Error::KeyRefused {
                detail: "no algorithm of ours reads it",
            })
        }
    }
}

fn shared_secret(text: &[u8]) -> Result<SigningKey, Error> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let secret = STANDARD
        .decode(text.trim_ascii())
        .map_err(|_| Error::KeyRefused {
            detail: "neither PEM nor base64",
        })?;
    SigningKey::from_secret(&secret)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
