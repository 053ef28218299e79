//! Making a signature.

use super::{
    Component, Message, Parameters, SIGNATURE, SIGNATURE_INPUT, SignatureInput, malformed,
    signature_base,
};
use crate::{Error, SigningKey};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue};
use sfv::KeyRef;

/// The two field values that carry a signature.
#[derive(Debug, Clone)]
pub struct SignatureFields {
    /// The value of `Signature-Input`.
    pub input: HeaderValue,
    /// The value of `Signature`.
    pub signature: HeaderValue,
}

impl SignatureFields {
    /// Adds both fields to a message, beside signatures that it may already have.
    pub fn insert_into(self, headers: &mut HeaderMap) {
        headers.append(SIGNATURE_INPUT, self.input);
        headers.append(SIGNATURE, self.signature);
    }
}

/// Signs the given components of a message under a label.
///
/// The label is a structured-field key: lower-case letters, digits, `_`, `-`, `.`, `*`, starting
/// with a letter or `*`. A covered component that the message lacks is malformed.
pub fn sign(
    message: &Message<'_>,
    label: &str,
    components: &[Component<'_>],
    parameters: &Parameters<'_>,
    key: &SigningKey,
) -> Result<SignatureFields, Error> {
    KeyRef::from_str(label).map_err(|error| malformed(format!("label: {error}")))?;
    if parameters
        .alg
        .as_deref()
        .is_some_and(|name| name != key.algorithm().name())
    {
        return Err(malformed("alg is not the algorithm of the key"));
    }
    let input = SignatureInput::new(components, parameters)?;
    let base = signature_base(message, &input)?;
    let made = key.sign(base.as_bytes())?;
    let mut signature = String::with_capacity(label.len() + 3 + made.len().div_ceil(3) * 4);
    signature.push_str(label);
    signature.push_str("=:");
    STANDARD.encode_string(&made, &mut signature);
    signature.push(':');
    let input = format!("{label}={}", input.as_str());
    let field = |text: String| HeaderValue::try_from(text).map_err(|_| Error::Library);
    Ok(SignatureFields {
        input: field(input)?,
        signature: field(signature)?,
    })
}
