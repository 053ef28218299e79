//! Station: the signed reply. A caller can prove to anybody what was answered to which request.

use super::{
    access::{Known, Told},
    flow::ReplyBody,
    signature::{Caller, shared_key},
};
use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE},
    request::Parts,
};
use paywarden_access::watch::Subject;
use paywarden_crypto::{
    Error, Keyring, SigningKey,
    digest::{CONTENT_DIGEST, content_digest},
    message_signature::{
        Component, Form, Message, Parameters, Part, RequestView, ResponseView, sign,
    },
};

/// The label and the `tag` of our signature on replies.
pub const REPLY_LABEL: &str = "reply";
/// The `tag` of our signature on replies.
pub const REPLY_TAG: &str = "paywarden-reply";
/// Media type of an answer.
pub const JSON: &str = "application/json";
/// The header that says which request a reply answers, for support.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
/// The header that marks an answer given before.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// An answer before it is signed.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its media type.
    pub content_type: &'static str,
    /// Its body.
    pub body: Bytes,
    /// Headers beyond the usual ones.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What its leaf says of it.
    pub(crate) told: Told,
}

impl Reply {
    /// An answer.
    pub fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            content_type,
            body: body.into(),
            headers: Vec::new(),
            told: Told::default(),
        }
    }

    /// It shows so many records.
    pub(crate) fn of(mut self, count: usize) -> Self {
        self.told.count = u32::try_from(count).unwrap_or(u32::MAX);
        self
    }

    /// It is about somebody.
    pub(crate) fn about(mut self, subject: Subject) -> Self {
        self.told.subject = subject;
        self
    }

    /// Personal data is shown on this ground.
    pub(crate) fn on(mut self, ground: String) -> Self {
        self.told.ground = Some(ground);
        self
    }

    /// Somebody has come in by it.
    pub(crate) fn entered(mut self, known: Known) -> Self {
        self.told.entered = Some(Box::new(known));
        self
    }

    /// An answer that says no more than that it was done.
    pub fn empty() -> Self {
        Self::new(StatusCode::NO_CONTENT, JSON, Bytes::new())
    }

    /// Marks it as given before.
    pub fn replayed(mut self) -> Self {
        self.headers
            .push((REPLAYED, HeaderValue::from_static("true")));
        self
    }

    /// The response, without a signature.
    pub(crate) fn into_response(self, request_id: &str, closes: bool) -> Response<ReplyBody> {
        let mut response = Response::new(ReplyBody::from(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        if let Ok(id) = HeaderValue::from_str(request_id) {
            headers.insert(REQUEST_ID, id);
        }
        if closes {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        for (name, value) in self.headers {
            headers.append(name, value);
        }
        let no_store = HeaderValue::from_static("no-store");
        headers.entry(CACHE_CONTROL).or_insert(no_store);
        response
    }
}

/// The key that signs replies, and how its public half is published.
pub struct ReplyKey {
    /// What replies name as `keyid`.
    pub id: String,
    /// SubjectPublicKeyInfo in PEM.
    pub public_pem: String,
    signing: SigningKey,
}

impl ReplyKey {
    /// The key of this keyring: the same at every start.
    pub fn new(keyring: &Keyring) -> Result<Self, Error> {
        let signing = SigningKey::from_seed(&*keyring.derive("reply-signing")?)?;
        let public = signing.public_spki_der()?;
        let tail = public
            .get(public.len().saturating_sub(8)..)
            .unwrap_or_default();
        let id = tail.iter().fold(String::from("reply_"), |id, byte| {
            id + &format!("{byte:02x}")
        });
        Ok(Self {
            id,
            public_pem: signing.public_spki_pem()?,
            signing,
        })
    }

    /// Signs a response to a signed request: its status and body, bound to that request's method,
    /// path, body and signature. Callers with a shared secret get it under that secret.
    pub(crate) fn sign(
        &self,
        caller: &Caller,
        request: &Parts,
        now_s: i64,
        body: &[u8],
        response: &mut Response<ReplyBody>,
    ) -> Result<(), Error> {
        let Some(signed) = &caller.signature else {
            return Ok(());
        };
        let (key, key_id) = match shared_key(&caller.key) {
            Some(shared) => (shared, caller.key.id.as_str()),
            None => (&self.signing, self.id.as_str()),
        };
        response
            .headers_mut()
            .insert(CONTENT_DIGEST, content_digest(body)?);
        let view = RequestView::new(&request.method, &request.uri, "https", &request.headers);
        let of_request = |part| Component {
            part,
            of_request: true,
        };
        let label = Form::Member(signed.label.as_str().into());
        let mut covered = vec![
            Component::new(Part::Status),
            Component::field("content-type"),
            Component::field("content-digest"),
            of_request(Part::Method),
            of_request(Part::Path),
            of_request(Part::Field("signature", label)),
        ];
        if request.headers.contains_key(CONTENT_DIGEST) {
            covered.push(of_request(Part::Field("content-digest", Form::Joined)));
        }
        let parameters = Parameters {
            created_s: Some(now_s),
            keyid: Some(key_id.into()),
            tag: Some(REPLY_TAG.into()),
            ..Parameters::default()
        };
        let message = ResponseView {
            status: response.status().as_u16(),
            headers: response.headers(),
            request: Some(&view),
        };
        let fields = sign(
            &Message::Response(&message),
            REPLY_LABEL,
            &covered,
            &parameters,
            key,
        )?;
        fields.insert_into(response.headers_mut());
        Ok(())
    }
}
