//! Checking the signatures of a message.

use super::{Message, Policy, Signature, SignatureInput, Signatures, signature_base};
use crate::{Error, VerifyingKey};
use std::borrow::Borrow;

/// A signature that passed, as far as this crate can tell: whether its nonce was seen before is
/// the caller's to find out, and to remember only now.
#[derive(Debug)]
pub struct Verified<'s> {
    /// Its name within the message.
    pub label: &'s str,
    /// The key that made it.
    pub keyid: &'s str,
    /// Its nonce; there if the policy asks for one.
    pub nonce: Option<&'s str>,
    /// When it was made, in seconds since 1970.
    pub created_s: i64,
    /// What it covers and its other parameters.
    pub input: &'s SignatureInput<'s>,
}

/// Checks every signature that carries the policy's tag: at least one must be there, and all
/// must pass. Signatures without the tag are somebody else's and are not looked at.
///
/// `now_s` is the time in seconds since 1970. `key_of` finds the key of a signature; its own
/// refusal is passed on. It is asked last, after everything that needs no key, so that answers
/// before it say nothing about which keys exist.
pub fn verify<'s, K, E>(
    message: &Message<'_>,
    signatures: &'s Signatures<'_>,
    policy: &Policy<'_>,
    now_s: i64,
    mut key_of: impl FnMut(&Signature<'_>) -> Result<K, E>,
) -> Result<Vec<Verified<'s>>, E>
where
    K: Borrow<VerifyingKey>,
    E: From<Error>,
{
    let mut verified = Vec::with_capacity(1);
    for signature in signatures.tagged(policy.tag) {
        policy.check(message, signature, now_s)?;
        let base = signature_base(message, &signature.input)?;
        let key = key_of(signature)?;
        check(signature, base, key.borrow())?;
        verified.push(accepted(signature));
    }
    if verified.is_empty() {
        return Err(Error::SignatureMissing {
            tag: policy.tag.to_owned(),
        }
        .into());
    }
    Ok(verified)
}

fn check(signature: &Signature<'_>, base: String, key: &VerifyingKey) -> Result<(), Error> {
    let named = signature.input.parameters.alg.as_deref();
    if named.is_some_and(|name| name != key.algorithm().name()) {
        let detail = "alg is not the algorithm of the key";
        return Err(Error::SignatureInvalid { detail, base });
    }
    if !key.verify(base.as_bytes(), &signature.value) {
        let detail = "it does not fit the message and the key";
        return Err(Error::SignatureInvalid { detail, base });
    }
    Ok(())
}

fn accepted<'s>(signature: &'s Signature<'_>) -> Verified<'s> {
    let parameters = &signature.input.parameters;
    Verified {
        label: signature.label,
        keyid: parameters.keyid.as_deref().unwrap_or_default(),
        nonce: parameters.nonce.as_deref(),
        created_s: parameters.created_s.unwrap_or_default(),
        input: &signature.input,
    }
}
