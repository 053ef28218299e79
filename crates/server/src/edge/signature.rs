//! Station: who signed this request? Window, coverage and signature (RFC 9421) are checked before
//! a byte of the body is read, so that a stranger cannot make the server read.

use super::{Code, Problem, peer::Peer};
use crate::state::State;
use http::{
    HeaderMap,
    header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE},
    request::Parts,
};
use paywarden_access::{Credential, RegisteredKey, terms::Breach};
use paywarden_crypto::{
    Error, VerifyingKey,
    message_signature::{ACCEPT_SIGNATURE, Message, Policy, RequestView, Signatures, verify},
};
use std::sync::Arc;

/// The `tag` of signatures meant for us.
pub const REQUEST_TAG: &str = "paywarden";
/// The longest nonce, in bytes.
pub const NONCE_BYTES_MAX: usize = 128;
const POLICY: Policy<'static> = Policy::request(REQUEST_TAG);

/// Who sent a request, proved.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The key that signed.
    pub key: Arc<RegisteredKey>,
    /// The signature, unless a sandbox took a bearer key.
    pub signature: Option<Arc<Signed>>,
}

/// What later stations need to know of the signature.
#[derive(Debug)]
pub struct Signed {
    /// Its label: replies name it.
    pub label: String,
    /// Its nonce, not yet remembered.
    pub nonce: String,
}

/// Recognises the caller by signature, or in a sandbox by bearer key.
pub(crate) fn recognise(state: &State, head: &Parts, peer: &Peer) -> Result<Caller, Problem> {
    let caller = prove(state, head)?;
    keeps_to_terms(&caller.key, peer)?;
    caller.key.used(state.clock.now());
    Ok(caller)
}

fn prove(state: &State, head: &Parts) -> Result<Caller, Problem> {
    if state.sandbox
        && let Some(text) = bearer(&head.headers)
    {
        return match state
            .registry
            .find_bearer(text)
            .filter(|key| key.is_live(state.clock.now()))
        {
            Some(key) => Ok(Caller {
                key,
                signature: None,
            }),
            None => Err(
                Problem::new(Code::BearerInvalid, "no such key in this sandbox")
                    .header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
            ),
        };
    }
    let request = RequestView::new(&head.method, &head.uri, "https", &head.headers);
    by_signature(state, &request).map_err(|problem| {
        let problem = problem.server_time(state.clock.now());
        match POLICY.accept_signature(&Message::Request(&request)) {
            Ok(wanted) => problem.header(ACCEPT_SIGNATURE, wanted),
            Err(_) => problem,
        }
    })
}

/// The key that a request names, proved or not.
pub(crate) fn claimed(headers: &HeaderMap) -> Option<String> {
    let signatures = Signatures::parse(headers).ok()?;
    let first = signatures.tagged(REQUEST_TAG).next()?;
    let key = first.input.parameters().keyid.as_deref();
    key.map(str::to_owned)
}

/// Told only to whoever has the key.
fn keeps_to_terms(key: &RegisteredKey, peer: &Peer) -> Result<(), Problem> {
    match key.terms.check(peer.address, peer.certificate) {
        Ok(()) => Ok(()),
        Err(Breach::Network) => Err(Problem::new(
            Code::NetworkNotAllowed,
            "this key may not be used from your address",
        )),
        Err(Breach::Certificate) => Err(Problem::new(
            Code::ClientCertificateRequired,
            "this key is bound to a client certificate that the connection does not show",
        )),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("Bearer ")
}

fn by_signature(state: &State, request: &RequestView<'_>) -> Result<Caller, Problem> {
    let signatures = Signatures::parse(request.headers).map_err(|error| refusal(state, error))?;
    let mut tagged = signatures.tagged(REQUEST_TAG);
    let first = tagged.next().ok_or_else(missing)?;
    let key_id = first
        .input
        .parameters()
        .keyid
        .as_deref()
        .unwrap_or_default();
    if tagged.next().is_some() {
        // Each would need its own nonce remembered, else one could be cut off and used again.
        let detail = "more than one signature carries the tag `paywarden`";
        return Err(Problem::new(Code::SignatureMalformed, detail));
    }
    let key = state
        .registry
        .find(key_id)
        .filter(|key| key.verifying().is_some());
    let verifying = key.as_deref().and_then(RegisteredKey::verifying);
    let now = state.clock.now();
    let now_s = now.seconds();
    let result = verify(
        &Message::Request(request),
        &signatures,
        &POLICY,
        now_s,
        // Without a key a stand-in is tried, so that the answer takes its usual time.
        |_| Ok::<&VerifyingKey, Error>(verifying.unwrap_or(&state.stand_in)),
    );
    let key = match (result, key) {
        (Ok(_), Some(key)) if key.is_live(now) => key,
        (Err(Error::SignatureInvalid { base, .. }), None) => {
            return Err(invalid(state, Code::SignatureKeyUnknown, Some(base)));
        }
        (Err(Error::SignatureInvalid { base, .. }), Some(key)) if !key.is_live(now) => {
            return Err(invalid(state, Code::SignatureKeyRevoked, Some(base)));
        }
        (Err(error), _) => return Err(refusal(state, error)),
        (Ok(_), None) => return Err(invalid(state, Code::SignatureKeyUnknown, None)),
        (Ok(_), Some(_)) => return Err(invalid(state, Code::SignatureKeyRevoked, None)),
    };
    let parameters = first.input.parameters();
    if parameters.created_s.unwrap_or_default() < state.signed_from_s {
        let detail = "made before this server started, which cannot know its nonce";
        return Err(Problem::new(Code::SignatureExpired, detail));
    }
    let nonce = parameters.nonce.as_deref().unwrap_or_default();
    if nonce.is_empty() || nonce.len() > NONCE_BYTES_MAX {
        let detail = "a nonce has 1 to 128 characters";
        return Err(Problem::new(Code::SignatureMalformed, detail));
    }
    let signature = Signed {
        label: first.label.to_owned(),
        nonce: nonce.to_owned(),
    };
    Ok(Caller {
        key,
        signature: Some(Arc::new(signature)),
    })
}

fn refusal(state: &State, error: Error) -> Problem {
    match error {
        Error::SignatureMissing { .. } => missing(),
        Error::SignatureComponents { missing } => {
            let detail = "the signature must also cover what `missing` names";
            Problem::new(Code::SignatureComponentsInsufficient, detail).missing(missing)
        }
        Error::SignatureExpired { detail } => Problem::new(Code::SignatureExpired, detail),
        Error::SignatureInvalid { base, .. } => invalid(state, Code::SignatureInvalid, Some(base)),
        Error::SignatureMalformed { detail } => Problem::new(Code::SignatureMalformed, detail),
        other => {
            tracing::error!(error = %other, "signature check failed");
            Problem::new(Code::Internal, "the signature could not be checked")
        }
    }
}

fn missing() -> Problem {
    Problem::new(
        Code::SignatureMissing,
        "no signature carries the tag `paywarden`",
    )
}

/// One answer for a wrong signature, an unknown key and a revoked key.
fn invalid(state: &State, code: Code, base: Option<String>) -> Problem {
    let detail = "the signature does not fit the request and the key it names";
    let problem = Problem::new(code, detail).shown_as(Code::SignatureInvalid);
    match state.sandbox {
        true => problem.sandbox(base.clone()).built(base),
        false => problem.built(base),
    }
}

/// The key that signs replies to this caller, if it is not the server's own.
pub(crate) fn shared_key(key: &RegisteredKey) -> Option<&paywarden_crypto::SigningKey> {
    match &key.credential {
        Credential::Shared { signing, .. } => Some(signing),
        Credential::Public(_) | Credential::Bearer(_) => None,
    }
}
