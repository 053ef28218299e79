//! What a verifier demands of a signature.

use super::{Component, Message, Part, Signature, component};
use crate::Error;
use http::HeaderValue;

const METHOD: &[Component<'static>] = &[Component::new(Part::Method)];
const STATUS: &[Component<'static>] = &[Component::new(Part::Status)];

/// What a signature must cover, carry and satisfy to count.
#[derive(Debug, Clone)]
pub struct Policy<'a> {
    /// Signatures with this `tag` are meant for us; others are not looked at.
    pub tag: &'a str,
    /// Components that must be covered.
    pub required: &'a [Component<'a>],
    /// Header fields that must be covered if the message has them.
    pub required_if_present: &'a [&'a str],
    /// Whether the whole target must be covered: `@target-uri`, or `@authority` with
    /// `@request-target`, or `@authority` with `@path` and, if there is a query, `@query`.
    pub whole_target: bool,
    /// Whether a nonce is needed. `created` and `keyid` always are.
    pub nonce: bool,
    /// How old a signature may be, in seconds.
    pub age_s_max: i64,
    /// How far ahead of our clock it may be made, in seconds.
    pub ahead_s_max: i64,
}

impl<'a> Policy<'a> {
    /// For requests: method, whole target, and every field that decides what the request does.
    pub const fn request(tag: &'a str) -> Self {
        Self {
            tag,
            required: METHOD,
            required_if_present: &[
                "content-digest",
                "content-type",
                "idempotency-key",
                "authorization",
            ],
            whole_target: true,
            nonce: true,
            age_s_max: 300,
            ahead_s_max: 60,
        }
    }

    /// For responses: status and body. Add `"signature";req;key="…"` to `required` to bind the
    /// response to the request.
    pub const fn response(tag: &'a str) -> Self {
        Self {
            tag,
            required: STATUS,
            required_if_present: &["content-digest", "content-type"],
            whole_target: false,
            nonce: false,
            age_s_max: 300,
            ahead_s_max: 60,
        }
    }

    /// The value of `Accept-Signature` (RFC 9421 section 5.1) that asks for a signature over
    /// this message which the policy accepts.
    pub fn accept_signature(&self, message: &Message<'_>) -> Result<HeaderValue, Error> {
        let covered: Vec<String> = self
            .demands(message)
            .map(|component| component.to_string())
            .collect();
        let mut value = format!("sig1=({});created;keyid", covered.join(" "));
        if self.nonce {
            value.push_str(";nonce");
        }
        component::write_parameter(&mut value, "tag", self.tag).map_err(|_| Error::Library)?;
        HeaderValue::try_from(value).map_err(|_| super::malformed("the tag is not ASCII"))
    }

    /// Checks all that needs no key: coverage, parameters, time window.
    pub(super) fn check(
        &self,
        message: &Message<'_>,
        signature: &Signature<'_>,
        now_s: i64,
    ) -> Result<(), Error> {
        let missing = self.missing(message, signature);
        if !missing.is_empty() {
            return Err(Error::SignatureComponents { missing });
        }
        let parameters = &signature.input.parameters;
        let expired = |detail| Err(Error::SignatureExpired { detail });
        match (parameters.created_s, parameters.expires_s) {
            (Some(created), _) if created < now_s.saturating_sub(self.age_s_max) => {
                expired("made too long ago")
            }
            (Some(created), _) if created > now_s.saturating_add(self.ahead_s_max) => {
                expired("made in the future")
            }
            (_, Some(expires)) if expires < now_s => expired("expires has passed"),
            _ => Ok(()),
        }
    }

    fn missing(&self, message: &Message<'_>, signature: &Signature<'_>) -> Vec<String> {
        let covers = |wanted: &Component<'_>| {
            signature
                .input
                .components()
                .any(|covered| covered.protects(wanted))
        };
        let parameters = &signature.input.parameters;
        let components = self
            .demands(message)
            .filter(|wanted| !covers(wanted) && !covers_target(message, wanted, covers))
            .map(|wanted| wanted.to_string());
        let parameters = [
            (";created", parameters.created_s.is_some()),
            (";keyid", parameters.keyid.is_some()),
            (";nonce", parameters.nonce.is_some() || !self.nonce),
        ];
        let parameters = parameters
            .iter()
            .filter(|(_, there)| !there)
            .map(|(name, _)| *name);
        components.chain(parameters.map(str::to_owned)).collect()
    }

    /// The components that a signature over this message must cover, the target in one piece.
    fn demands(&self, message: &Message<'_>) -> impl Iterator<Item = Component<'a>> {
        let headers = match message {
            Message::Request(request) => request.headers,
            Message::Response(response) => response.headers,
        };
        let target = self.whole_target.then_some(Component::new(Part::TargetUri));
        let present = self.required_if_present.iter().copied();
        let present = present
            .filter(|name| headers.contains_key(*name))
            .map(Component::field);
        self.required.iter().cloned().chain(target).chain(present)
    }
}

/// Whether `wanted` is the target and it is covered piece by piece.
fn covers_target(
    message: &Message<'_>,
    wanted: &Component<'_>,
    covers: impl Fn(&Component<'_>) -> bool,
) -> bool {
    let request = match message {
        Message::Request(request) => Some(*request),
        Message::Response(response) => response.request,
    };
    let has_query = request.is_none_or(|request| request.query.is_some());
    let covers = |part| {
        covers(&Component {
            part,
            of_request: wanted.of_request,
        })
    };
    wanted.part == Part::TargetUri
        && covers(Part::Authority)
        && (covers(Part::RequestTarget)
            || covers(Part::Path) && (covers(Part::Query) || !has_query))
}
