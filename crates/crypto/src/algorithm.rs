//! The signature algorithms that a key can be registered for.

use std::fmt;

/// A signature algorithm of RFC 9421 section 3.3. It belongs to the key, never to the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignatureAlgorithm {
    /// Edwards curve 25519 (RFC 8032); the default.
    Ed25519,
    /// ECDSA on P-256 with SHA-256; signatures are r and s, 32 bytes each.
    EcdsaP256Sha256,
    /// RSASSA-PSS with SHA-512 and a salt of 64 bytes (RFC 8017).
    RsaPssSha512,
    /// RSASSA-PKCS1-v1_5 with SHA-256, for callers that have nothing newer.
    RsaV15Sha256,
    /// HMAC with SHA-256 and a shared secret.
    HmacSha256,
}

impl SignatureAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 5] = [
        Self::Ed25519,
        Self::EcdsaP256Sha256,
        Self::RsaPssSha512,
        Self::RsaV15Sha256,
        Self::HmacSha256,
    ];

    /// The name in the IANA registry "HTTP Signature Algorithms".
    pub fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::EcdsaP256Sha256 => "ecdsa-p256-sha256",
            Self::RsaPssSha512 => "rsa-pss-sha512",
            Self::RsaV15Sha256 => "rsa-v1_5-sha256",
            Self::HmacSha256 => "hmac-sha256",
        }
    }

    /// The algorithm with this registered name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
    }
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for algorithm in SignatureAlgorithm::ALL {
            assert_eq!(SignatureAlgorithm::parse(algorithm.name()), Some(algorithm));
        }
        assert_eq!(SignatureAlgorithm::parse("none"), None);
    }
}
