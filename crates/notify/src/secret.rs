//! Secrets of endpoints and the signatures that they make (Standard Webhooks 1.0, "Signature
//! scheme"): over the identifier, the time in seconds and the body, with full stops between them.

use crate::Error;
use base64::{Engine, engine::general_purpose::STANDARD};
use paywarden_crypto::{
    SigningKey,
    keyring::{MacAlgorithm, PreparedIndex},
    random,
};
use paywarden_domain::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// How long a secret is, in bytes: the standard asks for 24 to 64.
pub const SECRET_BYTES: usize = 32;

/// How an endpoint is signed for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WebhookSignature)]
pub enum Scheme {
    /// HMAC-SHA256 with a secret that both have, `whsec_…`: `v1`.
    #[default]
    V1,
    /// Ed25519 (RFC 8032), whose public half is `whpk_…`: `v1a`.
    V1a,
}

/// A secret that signs.
pub struct Signer {
    key: Key,
    /// Until when it signs beside the one that has taken its place; for good if none.
    pub until: Option<Timestamp>,
}

enum Key {
    Hmac(PreparedIndex),
    Ed25519(Box<SigningKey>),
}

/// A fresh secret.
pub fn fresh() -> Zeroizing<[u8; SECRET_BYTES]> {
    let mut secret = Zeroizing::new([0; SECRET_BYTES]);
    random::fill(secret.as_mut_slice());
    secret
}

/// What whoever checks signatures has to know: the secret itself, which is shown once, or the
/// public half.
pub fn shown(scheme: Scheme, secret: &[u8]) -> Result<Zeroizing<String>, Error> {
    Ok(Zeroizing::new(match scheme {
        Scheme::V1 => format!("whsec_{}", STANDARD.encode(secret)),
        Scheme::V1a => format!("whpk_{}", STANDARD.encode(pair(secret)?.ed25519_public()?)),
    }))
}

impl Signer {
    /// The signer of a secret: any bytes for `v1`, a seed of 32 bytes for `v1a`.
    pub fn new(scheme: Scheme, secret: &[u8], until: Option<Timestamp>) -> Result<Self, Error> {
        let key = match scheme {
            Scheme::V1 => Key::Hmac(PreparedIndex::new(MacAlgorithm::HmacSha256, secret)?),
            Scheme::V1a => Key::Ed25519(Box::new(pair(secret)?)),
        };
        Ok(Self { key, until })
    }

    /// The signature with its version, such as `v1,…`.
    pub fn sign(&self, id: &str, timestamp_s: i64, body: &[u8]) -> Result<String, Error> {
        let mut content = format!("{id}.{timestamp_s}.").into_bytes();
        content.extend_from_slice(body);
        Ok(match &self.key {
            Key::Hmac(key) => format!("v1,{}", STANDARD.encode(key.of_bytes(&content))),
            Key::Ed25519(key) => format!("v1a,{}", STANDARD.encode(key.sign(&content)?)),
        })
    }
}

fn pair(seed: &[u8]) -> Result<SigningKey, Error> {
    let seed = seed
        .try_into()
        .map_err(|_| paywarden_crypto::Error::SealBroken)?;
    Ok(SigningKey::from_seed(seed)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use paywarden_crypto::{SignatureAlgorithm, VerifyingKey};

    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const TIME_S: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;

    /// The vector that the libraries of the standard carry.
    #[test]
    fn the_vector_of_the_standard_is_signed_alike() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signer = Signer::new(Scheme::V1, &secret, None).unwrap();
        let signed = signer.sign(ID, TIME_S, BODY).unwrap();
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn the_public_half_checks_what_the_seed_has_signed() {
        let seed = [7; SECRET_BYTES];
        let public = shown(Scheme::V1a, &seed).unwrap();
        let public = STANDARD
            .decode(public.strip_prefix("whpk_").unwrap())
            .unwrap();
        let signed = Signer::new(Scheme::V1a, &seed, None).unwrap();
        let signed = signed.sign(ID, TIME_S, BODY).unwrap();
        let signature = STANDARD
            .decode(signed.strip_prefix("v1a,").unwrap())
            .unwrap();
        let key = VerifyingKey::from_public(SignatureAlgorithm::Ed25519, &public).unwrap();
        let content = [format!("{ID}.{TIME_S}.").as_bytes(), BODY].concat();
        assert!(key.verify(&content, &signature));
        assert!(!key.verify(BODY, &signature));
        assert!(Signer::new(Scheme::V1a, &seed[1..], None).is_err());
    }
}
