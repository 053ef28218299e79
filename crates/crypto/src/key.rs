//! Keys: parsed once, kept with their algorithm, used many times.

use crate::{
    Error, SignatureAlgorithm,
    encoding::{self, KEY_BYTES_MAX},
    random,
};
use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    error::KeyRejected,
    hmac,
    rand::SystemRandom,
    rsa,
    signature::{
        self, ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
        Ed25519KeyPair, KeyPair, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256,
        RSA_PSS_2048_8192_SHA512, RSA_PSS_SHA512, RsaKeyPair, RsaParameters, VerificationAlgorithm,
    },
};
use std::fmt;
use zeroize::Zeroizing;

/// The shortest shared secret for HMAC, in bytes: as long as its hash (RFC 2104 section 3).
pub const SECRET_BYTES_MIN: usize = 32;
/// The smallest RSA modulus, in bits (NIST SP 800-131A); the largest is 8192.
pub const RSA_BITS_MIN: u32 = 2048;

const RSA_BITS_MAX: u32 = 8192;

/// A key that signatures are checked with: public, or the shared secret of HMAC.
pub struct VerifyingKey {
    algorithm: SignatureAlgorithm,
    check: Check,
}

enum Check {
    Public(ParsedPublicKey),
    Secret(Box<hmac::Key>),
}

impl VerifyingKey {
    /// Reads a public key: PEM or DER as SubjectPublicKeyInfo (RFC 5280) or PKCS#1 (RSA), or the
    /// 32 bytes of an Ed25519 key. RSA keys below 2048 bits are refused.
    pub fn from_public(algorithm: SignatureAlgorithm, key: &[u8]) -> Result<Self, Error> {
        let method: &'static dyn VerificationAlgorithm = match algorithm {
            SignatureAlgorithm::Ed25519 => &ED25519,
            SignatureAlgorithm::EcdsaP256Sha256 => &ECDSA_P256_SHA256_FIXED,
            SignatureAlgorithm::RsaPssSha512 => &RSA_PSS_2048_8192_SHA512,
            SignatureAlgorithm::RsaV15Sha256 => &RSA_PKCS1_2048_8192_SHA256,
            SignatureAlgorithm::HmacSha256 => {
                return Err(Error::KeyRefused {
                    detail: "hmac-sha256 has no public key",
                });
            }
        };
        let der = encoding::der(key)?;
        if is_rsa(algorithm) {
            check_rsa_size(der.bytes())?;
        }
        let key = ParsedPublicKey::new(method, der.bytes()).map_err(not_this_kind)?;
        Ok(Self {
            algorithm,
            check: Check::Public(key),
        })
    }

    /// Takes the shared secret of [`SignatureAlgorithm::HmacSha256`], 32 bytes or more.
    pub fn from_secret(secret: &[u8]) -> Result<Self, Error> {
        let check = Check::Secret(hmac_key(secret)?);
        Ok(Self {
            algorithm: SignatureAlgorithm::HmacSha256,
            check,
        })
    }

    /// The one algorithm of this key.
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// Whether `signature` was made over `base` with the other half of this key.
    pub fn verify(&self, base: &[u8], signature: &[u8]) -> bool {
        match &self.check {
            Check::Public(key) => key.verify_sig(base, signature).is_ok(),
            Check::Secret(key) => hmac::verify(key, base, signature).is_ok(),
        }
    }

    /// The public key as SubjectPublicKeyInfo DER; a shared secret has none.
    pub fn public_spki_der(&self) -> Result<Vec<u8>, Error> {
        match &self.check {
            Check::Public(key) => spki(key),
            Check::Secret(_) => Err(Error::KeyRefused {
                detail: "hmac-sha256 has no public key",
            }),
        }
    }

    /// The public key as PEM; a shared secret has none.
    pub fn public_spki_pem(&self) -> Result<String, Error> {
        Ok(std::mem::take(&mut *encoding::pem(
            "PUBLIC KEY",
            &self.public_spki_der()?,
        )))
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", self.algorithm)
    }
}

/// A key that signs. Its secret half is zeroed when it is dropped and has no `Debug`.
pub struct SigningKey {
    algorithm: SignatureAlgorithm,
    pair: Pair,
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    Ecdsa(EcdsaKeyPair),
    Rsa(RsaKeyPair),
    Secret(Box<hmac::Key>, Zeroizing<Vec<u8>>),
}

impl SigningKey {
    /// A new random key; RSA keys get 2048 bits, shared secrets 32 bytes.
    pub fn generate(algorithm: SignatureAlgorithm) -> Result<Self, Error> {
        let pair = match algorithm {
            SignatureAlgorithm::Ed25519 => Pair::Ed25519(Ed25519KeyPair::generate()?),
            SignatureAlgorithm::EcdsaP256Sha256 => {
                Pair::Ecdsa(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?)
            }
            SignatureAlgorithm::RsaPssSha512 | SignatureAlgorithm::RsaV15Sha256 => {
                Pair::Rsa(RsaKeyPair::generate(rsa::KeySize::Rsa2048)?)
            }
            SignatureAlgorithm::HmacSha256 => {
                let mut secret = Zeroizing::new([0; SECRET_BYTES_MIN]);
                random::fill(secret.as_mut_slice());
                return Self::from_secret(secret.as_slice());
            }
        };
        Ok(Self { algorithm, pair })
    }

    /// Reads an unencrypted private key: PEM or DER as PKCS#8 (RFC 5958), SEC1 (EC) or PKCS#1
    /// (RSA). RSA keys below 2048 bits are refused.
    pub fn from_private(algorithm: SignatureAlgorithm, key: &[u8]) -> Result<Self, Error> {
        let der = encoding::der(key)?;
        let der = der.bytes();
        let pair = match algorithm {
            SignatureAlgorithm::Ed25519 => Ed25519KeyPair::from_pkcs8(der).map(Pair::Ed25519),
            SignatureAlgorithm::EcdsaP256Sha256 => {
                EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, der)
                    .map(Pair::Ecdsa)
            }
            SignatureAlgorithm::RsaPssSha512 | SignatureAlgorithm::RsaV15Sha256 => {
                rsa_pair(der).map(Pair::Rsa)
            }
            SignatureAlgorithm::HmacSha256 => {
                return Err(Error::KeyRefused {
                    detail: "hmac-sha256 has no private key",
                });
            }
        };
        Ok(Self {
            algorithm,
            pair: pair.map_err(not_this_kind)?,
        })
    }

    /// Takes the shared secret of [`SignatureAlgorithm::HmacSha256`], 32 bytes or more.
    pub fn from_secret(secret: &[u8]) -> Result<Self, Error> {
        let pair = Pair::Secret(hmac_key(secret)?, Zeroizing::new(secret.to_vec()));
        Ok(Self {
            algorithm: SignatureAlgorithm::HmacSha256,
            pair,
        })
    }

    /// The Ed25519 key of these 32 secret bytes, so that a key can be derived from the keyring
    /// instead of stored.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, Error> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(not_this_kind)?;
        Ok(Self {
            algorithm: SignatureAlgorithm::Ed25519,
            pair: Pair::Ed25519(pair),
        })
    }

    /// The one algorithm of this key.
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The signature over `base`: 64 bytes for Ed25519 and ECDSA, 32 for HMAC, the length of the
    /// modulus for RSA.
    pub fn sign(&self, base: &[u8]) -> Result<Vec<u8>, Error> {
        match &self.pair {
            Pair::Ed25519(pair) => Ok(pair.try_sign(base)?.as_ref().to_vec()),
            Pair::Ecdsa(pair) => Ok(pair.sign(&SystemRandom::new(), base)?.as_ref().to_vec()),
            Pair::Secret(key, _) => Ok(hmac::sign(key, base).as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let padding: &'static dyn signature::RsaEncoding = match self.algorithm {
                    SignatureAlgorithm::RsaPssSha512 => &RSA_PSS_SHA512,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut made = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &SystemRandom::new(), base, &mut made)?;
                Ok(made)
            }
        }
    }

    /// The half that checks what this key signs.
    pub fn verifying_key(&self) -> Result<VerifyingKey, Error> {
        match &self.pair {
            Pair::Ed25519(pair) => self.public(pair.public_key().as_ref()),
            Pair::Ecdsa(pair) => self.public(pair.public_key().as_ref()),
            Pair::Rsa(pair) => self.public(pair.public_key().as_ref()),
            Pair::Secret(_, secret) => VerifyingKey::from_secret(secret),
        }
    }

    /// The 32 bytes of an Ed25519 public key; other keys have none.
    pub fn ed25519_public(&self) -> Result<[u8; 32], Error> {
        let Pair::Ed25519(pair) = &self.pair else {
            return Err(Error::KeyRefused {
                detail: "not an ed25519 key",
            });
        };
        let bytes = pair.public_key().as_ref().try_into();
        bytes.map_err(|_| Error::Library)
    }

    fn public(&self, key: &[u8]) -> Result<VerifyingKey, Error> {
        VerifyingKey::from_public(self.algorithm, key)
    }

    /// The public key as SubjectPublicKeyInfo DER; a shared secret has none.
    pub fn public_spki_der(&self) -> Result<Vec<u8>, Error> {
        self.verifying_key()?.public_spki_der()
    }

    /// The public key as PEM; a shared secret has none.
    pub fn public_spki_pem(&self) -> Result<String, Error> {
        self.verifying_key()?.public_spki_pem()
    }

    /// The secret half, to be sealed or handed to its owner: PKCS#8 DER, or the shared secret
    /// itself.
    pub fn private_bytes(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let der: Pkcs8V1Der<'_> = match &self.pair {
            Pair::Ed25519(pair) => pair.as_der()?,
            Pair::Ecdsa(pair) => return Ok(Zeroizing::new(pair.to_pkcs8v1()?.as_ref().to_vec())),
            Pair::Rsa(pair) => pair.as_der()?,
            Pair::Secret(_, secret) => return Ok(secret.clone()),
        };
        Ok(Zeroizing::new(der.as_ref().to_vec()))
    }

    /// The secret half as PKCS#8 PEM; a shared secret has none.
    pub fn private_pem(&self) -> Result<Zeroizing<String>, Error> {
        match &self.pair {
            Pair::Secret(..) => Err(Error::KeyRefused {
                detail: "hmac-sha256 has no private key",
            }),
            _ => Ok(encoding::pem("PRIVATE KEY", &self.private_bytes()?)),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.algorithm)
    }
}

fn is_rsa(algorithm: SignatureAlgorithm) -> bool {
    matches!(
        algorithm,
        SignatureAlgorithm::RsaPssSha512 | SignatureAlgorithm::RsaV15Sha256
    )
}

fn not_this_kind(_: KeyRejected) -> Error {
    Error::KeyRefused {
        detail: "not a key of this algorithm, or weak, or damaged",
    }
}

fn check_rsa_size(der: &[u8]) -> Result<(), Error> {
    let key = rsa::PublicKey::from_der(der).map_err(not_this_kind)?;
    match RsaParameters::public_modulus_len(key.as_ref())? {
        ..RSA_BITS_MIN => Err(Error::KeyRefused {
            detail: "an RSA key has at least 2048 bits",
        }),
        RSA_BITS_MIN..=RSA_BITS_MAX => Ok(()),
        _ => Err(Error::KeyRefused {
            detail: "an RSA key has at most 8192 bits",
        }),
    }
}

fn rsa_pair(der: &[u8]) -> Result<RsaKeyPair, KeyRejected> {
    RsaKeyPair::from_pkcs8(der)
        .or_else(|_| RsaKeyPair::from_der(encoding::pkcs8_inner(der).unwrap_or(der)))
}

fn hmac_key(secret: &[u8]) -> Result<Box<hmac::Key>, Error> {
    match secret.len() {
        ..SECRET_BYTES_MIN => Err(Error::KeyRefused {
            detail: "a shared secret has at least 32 bytes",
        }),
        SECRET_BYTES_MIN..=KEY_BYTES_MAX => Ok(Box::new(hmac::Key::new(hmac::HMAC_SHA256, secret))),
        _ => Err(Error::KeyRefused {
            detail: "a shared secret has at most 16384 bytes",
        }),
    }
}

fn spki(key: &ParsedPublicKey) -> Result<Vec<u8>, Error> {
    let der: PublicKeyX509Der<'_> = key.as_der()?;
    Ok(der.as_ref().to_vec())
}

#[cfg(test)]
mod tests;
