//! The ciphers, and which of them go together.

use crate::{Error, keyring::MacAlgorithm, random};
use aes_gcm::{
    AesGcm,
    aead::{AeadInOut, KeyInit, consts::U12},
};
use aws_lc_rs::aead::{
    AES_256_GCM, AES_256_GCM_SIV, Aad, Algorithm, LessSafeKey, Nonce, UnboundKey,
};
use sm4::Sm4;
use zeroize::Zeroizing;

pub(super) const NONCE_BYTES: usize = 12;
pub(super) const TAG_BYTES: usize = 16;

type Sm4Gcm = AesGcm<Sm4, U12>;

/// A cipher with associated data, nonces of 96 and tags of 128 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cipher {
    /// AES-256-GCM (NIST SP 800-38D): at most 2^32 values under one key.
    Aes256Gcm,
    /// AES-256-GCM-SIV (RFC 8452): a nonce that comes twice tells no more than that the same
    /// value was sealed twice, so that one key may wrap very many others.
    Aes256GcmSiv,
    /// SM4-GCM (GB/T 32907, RFC 8998): at most 2^32 values under one key.
    Sm4Gcm,
}

impl Cipher {
    /// Every cipher.
    pub const ALL: [Self; 3] = [Self::Aes256Gcm, Self::Aes256GcmSiv, Self::Sm4Gcm];

    /// The number that stands for it in envelopes.
    pub fn id(self) -> u8 {
        match self {
            Self::Aes256Gcm => 1,
            Self::Aes256GcmSiv => 2,
            Self::Sm4Gcm => 3,
        }
    }
}

/// Ciphers and keyed hash that an installation works with.
#[derive(Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name in the configuration.
    pub name: &'static str,
    /// Seals values.
    pub data: Cipher,
    /// Wraps keys.
    pub wrap: Cipher,
    /// Derives keys, indexes values and checks tokens.
    pub mac: MacAlgorithm,
}

impl Profile {
    /// AES-256 and SHA-256.
    pub const DEFAULT: Self = Self {
        name: "default",
        data: Cipher::Aes256Gcm,
        wrap: Cipher::Aes256GcmSiv,
        mac: MacAlgorithm::HmacSha256,
    };
    /// The commercial algorithms of GM/T: SM4 and SM3.
    pub const GM: Self = Self {
        name: "gm",
        data: Cipher::Sm4Gcm,
        wrap: Cipher::Sm4Gcm,
        mac: MacAlgorithm::HmacSm3,
    };

    /// The profile with this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        [&Self::DEFAULT, &Self::GM]
            .into_iter()
            .find(|profile| profile.name == name)
    }
}

/// A key of one cipher, made ready. It has no `Debug`, and is zeroed when it is dropped.
pub struct SealKey {
    cipher: Cipher,
    version: u32,
    prepared: Prepared,
}

enum Prepared {
    AwsLc(Box<LessSafeKey>),
    Sm4(Box<Sm4Gcm>),
}

impl SealKey {
    /// Takes the bytes of a key; SM4 uses the first 16 of them. `version` stands in each envelope.
    pub fn new(cipher: Cipher, key: &[u8; 32], version: u32) -> Result<Self, Error> {
        let prepared = match cipher {
            Cipher::Aes256Gcm => aws_lc(&AES_256_GCM, key)?,
            Cipher::Aes256GcmSiv => aws_lc(&AES_256_GCM_SIV, key)?,
            Cipher::Sm4Gcm => {
                let key = key.get(..16).unwrap_or_default();
                let key = Sm4Gcm::new_from_slice(key).map_err(|_| Error::Library)?;
                Prepared::Sm4(Box::new(key))
            }
        };
        Ok(Self {
            cipher,
            version,
            prepared,
        })
    }

    /// The bytes of a new random key.
    pub fn random_bytes() -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        random::fill(key.as_mut_slice());
        key
    }

    /// The one cipher of this key.
    pub fn cipher(&self) -> Cipher {
        self.cipher
    }

    /// The number of this key among those of its kind.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Encrypts in place; the tag.
    pub(super) fn encrypt(
        &self,
        nonce: &[u8; NONCE_BYTES],
        aad: &[u8],
        body: &mut [u8],
    ) -> Result<[u8; TAG_BYTES], Error> {
        let mut tag = [0; TAG_BYTES];
        match &self.prepared {
            Prepared::AwsLc(key) => {
                let nonce = Nonce::from(nonce);
                let made = key.seal_in_place_separate_tag(nonce, Aad::from(aad), body)?;
                tag.copy_from_slice(made.as_ref());
            }
            Prepared::Sm4(key) => {
                let made = key.encrypt_inout_detached(nonce.into(), aad, body.into());
                tag.copy_from_slice(&made.map_err(|_| Error::Library)?);
            }
        }
        Ok(tag)
    }

    /// Decrypts ciphertext and tag in place; the length of the value.
    pub(super) fn decrypt(
        &self,
        nonce: &[u8; NONCE_BYTES],
        aad: &[u8],
        body: &mut [u8],
    ) -> Result<usize, Error> {
        match &self.prepared {
            Prepared::AwsLc(key) => {
                let opened = key.open_in_place(Nonce::from(nonce), Aad::from(aad), body);
                opened
                    .map(|plain| plain.len())
                    .map_err(|_| Error::SealBroken)
            }
            Prepared::Sm4(key) => {
                let (text, tag) = body
                    .split_last_chunk_mut::<TAG_BYTES>()
                    .ok_or(Error::SealBroken)?;
                let length = text.len();
                let opened =
                    key.decrypt_inout_detached(nonce.into(), aad, text.into(), (&*tag).into());
                opened.map(|()| length).map_err(|_| Error::SealBroken)
            }
        }
    }
}

fn aws_lc(algorithm: &'static Algorithm, key: &[u8; 32]) -> Result<Prepared, Error> {
    let key = LessSafeKey::new(UnboundKey::new(algorithm, key)?);
    Ok(Prepared::AwsLc(Box::new(key)))
}
