//! The toolbox of secrets: keys at rest, seals, keyed indexes, body digests and signed messages.
//!
//! Everything rests on aws-lc-rs, and on RustCrypto for SM3 and SM4; nothing here implements a
//! cipher, a hash or a curve. What is ours is how they are put together: which key serves which
//! purpose ([`keyring`]) and who holds its shares ([`split`]), where a sealed value belongs
//! ([`envelope`]), which algorithm belongs to which key ([`key`]), and what exactly of an HTTP
//! message is signed ([`message_signature`], RFC 9421) or of a text ([`note`]). No clock and no
//! network: callers pass the time.

pub mod algorithm;
pub mod digest;
mod encoding;
pub mod envelope;
pub mod error;
pub mod jws;
pub mod key;
pub mod keyring;
pub mod message_signature;
pub mod note;
pub mod random;
pub mod split;
mod structured;

pub use algorithm::SignatureAlgorithm;
pub use error::Error;
pub use key::{SigningKey, VerifyingKey};
pub use keyring::Keyring;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_can_be_shared_between_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<(Keyring, keyring::PreparedSeal, keyring::PreparedIndex)>();
        shared::<(SigningKey, VerifyingKey, envelope::SealKey)>();
    }
}
