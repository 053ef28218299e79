//! Signed HTTP messages (RFC 9421), made and checked, requests and responses.
//!
//! A message names in `Signature-Input` what of it is signed and carries the signature itself in
//! `Signature`. Both sides write the same text, the *signature base*, from the message they have:
//!
//! ```text
//! "@method": POST
//! "content-digest": sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:
//! "@signature-params": ("@method" "content-digest");created=1618884473;keyid="k1"
//! ```
//!
//! *Invariant*: components and parameters keep the order in which they were received. Putting
//! them in an order of one's own refuses good signatures.
//!
//! A verifier parses ([`Signatures::parse`]), then calls [`verify`] with a [`Policy`] that says
//! what a signature must cover and how old it may be. A signer calls [`sign`].
//!
//! ```
//! use http::{HeaderMap, Method, Uri};
//! use paywarden_crypto::{SignatureAlgorithm, SigningKey, Error};
//! use paywarden_crypto::message_signature::{
//!     Component, Message, Parameters, Part, Policy, RequestView, Signatures, sign, verify,
//! };
//!
//! # fn main() -> Result<(), Error> {
//! let key = SigningKey::generate(SignatureAlgorithm::Ed25519)?;
//! let (method, uri) = (Method::POST, Uri::from_static("https://pay.example/v1/decisions"));
//! let mut headers = HeaderMap::new();
//! let request = RequestView::new(&method, &uri, "https", &headers);
//! let parameters = Parameters {
//!     created_s: Some(1_700_000_000),
//!     keyid: Some("key_1".into()),
//!     nonce: Some("b3k2pp5k7z".into()),
//!     tag: Some("paywarden".into()),
//!     ..Parameters::default()
//! };
//! let covered = [Component::new(Part::Method), Component::new(Part::TargetUri)];
//! let fields = sign(&Message::Request(&request), "sig1", &covered, &parameters, &key)?;
//! fields.insert_into(&mut headers);
//!
//! let request = RequestView::new(&method, &uri, "https", &headers);
//! let signatures = Signatures::parse(&headers)?;
//! let check = key.verifying_key()?;
//! let policy = Policy::request("paywarden");
//! let verified = verify(&Message::Request(&request), &signatures, &policy, 1_700_000_060, |_| {
//!     Ok::<_, Error>(&check)
//! })?;
//! assert_eq!(verified[0].keyid, "key_1");
//! # Ok(())
//! # }
//! ```

mod base;
mod component;
mod input;
mod message;
mod parse;
mod policy;
mod query;
mod sign;
mod verify;

pub use base::signature_base;
pub use component::{Component, Form, Part};
pub use input::{Parameters, SignatureInput};
pub use message::{Message, RequestView, ResponseView};
pub use parse::{Signature, Signatures};
pub use policy::Policy;
pub use sign::{SignatureFields, sign};
pub use verify::{Verified, verify};

use crate::Error;
use http::HeaderName;

/// The field that says what is signed.
pub const SIGNATURE_INPUT: HeaderName = HeaderName::from_static("signature-input");
/// The field that carries the signatures.
pub const SIGNATURE: HeaderName = HeaderName::from_static("signature");
/// The field that asks for a signature, in a refusal.
pub const ACCEPT_SIGNATURE: HeaderName = HeaderName::from_static("accept-signature");

/// How many signatures one message may carry.
pub const SIGNATURES_MAX: usize = 4;
/// How many components one signature may cover.
pub const COMPONENTS_MAX: usize = 32;
/// How long `Signature-Input` and `Signature` may be together, in bytes.
pub const FIELD_BYTES_MAX: usize = 8 * 1024;

fn malformed(detail: impl Into<String>) -> Error {
    Error::SignatureMalformed {
        detail: detail.into(),
    }
}
