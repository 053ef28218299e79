//! Messages written as HTTP/1.1 text, and a signer in one call.

use http::{HeaderMap, HeaderName, HeaderValue};
use paywarden_crypto::{
    Error, SignatureAlgorithm, SigningKey, VerifyingKey,
    message_signature::{
        Component, Message, Parameters, Part, Policy, RequestView, ResponseView, Signatures, sign,
        signature_base, verify,
    },
};

/// The time at which the tests sign.
pub const NOW_S: i64 = 1_700_000_000;
/// The tag of the tests' policy.
pub const TAG: &str = "paywarden";
/// A request with everything that [`Policy::request`] asks about.
pub const REQUEST: &str = "POST /v1/decisions?trial=1 HTTP/1.1\n\
    Host: pay.example\n\
    Content-Type: application/json\n\
    Content-Digest: sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:\n\
    Idempotency-Key: \"k-1\"\n\n{\"hello\": \"world\"}";

/// A parsed message that owns its parts.
#[derive(Clone)]
pub struct Text {
    pub first: String,
    pub second: String,
    pub headers: HeaderMap,
}

impl Text {
    /// Reads `METHOD target HTTP/1.1` or `HTTP/1.1 status reason`, then header lines.
    pub fn parse(text: &str) -> Self {
        let head = text.split("\n\n").next().unwrap();
        let mut lines = head.lines();
        let mut words = lines.next().unwrap().split(' ');
        let mut headers = HeaderMap::new();
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            headers.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        let mut word = || words.next().unwrap().to_owned();
        Self {
            first: word(),
            second: word(),
            headers,
        }
    }

    pub fn request(&self) -> RequestView<'_> {
        let (path, query) = match self.second.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (&*self.second, None),
        };
        let authority = self
            .headers
            .get("host")
            .map_or("", |host| host.to_str().unwrap())
            .trim();
        let method = &self.first;
        RequestView {
            method,
            scheme: "https",
            authority,
            path,
            query,
            headers: &self.headers,
        }
    }

    pub fn response<'a>(&'a self, request: Option<&'a RequestView<'a>>) -> ResponseView<'a> {
        ResponseView {
            status: self.second.parse().unwrap(),
            headers: &self.headers,
            request,
        }
    }

    /// With one header line more.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.append(name, value.parse().unwrap());
        self
    }

    /// With a signature by `key` over what [`Policy::request`] asks for, plus `more`.
    pub fn signed(self, label: &str, key: &SigningKey, more: &[Component<'_>]) -> Self {
        let parts = [Part::Method, Part::TargetUri].map(Component::new);
        let fields = ["content-digest", "content-type", "idempotency-key"].map(Component::field);
        let components = [&parts[..], &fields[..], more].concat();
        self.signed_over(label, key, &components, &parameters())
    }

    pub fn signed_over(
        mut self,
        label: &str,
        key: &SigningKey,
        components: &[Component<'_>],
        parameters: &Parameters<'_>,
    ) -> Self {
        let request = self.request();
        let fields = sign(
            &Message::Request(&request),
            label,
            components,
            parameters,
            key,
        )
        .unwrap();
        fields.insert_into(&mut self.headers);
        self
    }

    /// Replaces text in all lines of a header field.
    pub fn replacing(mut self, name: &'static str, old: &str, new: &str) -> Self {
        let lines: Vec<_> = self.headers.get_all(name).iter().cloned().collect();
        assert!(
            lines
                .iter()
                .any(|line| line.to_str().unwrap().contains(old)),
            "{old}"
        );
        self.headers.remove(name);
        for line in lines {
            let line = line.to_str().unwrap().replace(old, new);
            self.headers.append(name, line.parse().unwrap());
        }
        self
    }

    /// Checks it as a request at [`NOW_S`] under [`Policy::request`].
    pub fn check(&self, key: &VerifyingKey) -> Result<usize, Error> {
        self.check_at(key, NOW_S)
    }

    pub fn check_at(&self, key: &VerifyingKey, now_s: i64) -> Result<usize, Error> {
        let signatures = Signatures::parse(&self.headers)?;
        let request = self.request();
        let policy = Policy::request(TAG);
        verify(
            &Message::Request(&request),
            &signatures,
            &policy,
            now_s,
            |_| Ok(key),
        )
        .map(|verified| verified.len())
    }

    /// The base of its only signature.
    pub fn base(&self) -> Result<String, Error> {
        let signatures = Signatures::parse(&self.headers)?;
        let request = self.request();
        signature_base(
            &Message::Request(&request),
            &signatures.iter().next().unwrap().input,
        )
    }
}

/// A request whose `Signature-Input` is as given, with a signature that fits nothing.
pub fn claiming(input: &str) -> Text {
    Text::parse(REQUEST)
        .with("signature-input", input)
        .with("signature", "sig1=:AAAA:")
}

pub fn parameters() -> Parameters<'static> {
    Parameters {
        created_s: Some(NOW_S),
        keyid: Some("key_1".into()),
        nonce: Some("n-1".into()),
        tag: Some(TAG.into()),
        ..Parameters::default()
    }
}

/// An Ed25519 key and its public half.
pub fn keys() -> (SigningKey, VerifyingKey) {
    let key = SigningKey::generate(SignatureAlgorithm::Ed25519).unwrap();
    let check = key.verifying_key().unwrap();
    (key, check)
}
