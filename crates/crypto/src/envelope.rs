//! Envelopes: values sealed so that they open only where they belong.
//!
//! What a key may open is not only a matter of the key. Every envelope is bound to its
//! [`Context`]: whose value it is, of which class and field, in which record and version, under
//! which key. A sealed value that is moved to another row, person or company does not open there.
//!
//! An envelope is format (1 byte), cipher (1), key version (4, big-endian), nonce (12),
//! ciphertext, tag (16): [`OVERHEAD_BYTES`] more than the value.

mod cipher;
mod context;
mod nonce;

pub use cipher::{Cipher, Profile, SealKey};
pub use context::Context;

use crate::{Error, keyring::SEAL_BYTES_MAX};
use cipher::{NONCE_BYTES, TAG_BYTES};
use zeroize::Zeroizing;

/// How many bytes an envelope is longer than the value in it.
pub const OVERHEAD_BYTES: usize = HEADER_BYTES + NONCE_BYTES + TAG_BYTES;

const FORMAT: u8 = 1;
const HEADER_BYTES: usize = 6;

impl SealKey {
    /// Seals a value of at most [`SEAL_BYTES_MAX`] bytes into its context, under a random nonce.
    pub fn seal(&self, context: &Context<'_>, plain: &[u8]) -> Result<Vec<u8>, Error> {
        if plain.len() > SEAL_BYTES_MAX {
            return Err(Error::SealTooLong);
        }
        let header = self.header();
        let nonce = nonce::next();
        let mut sealed = Vec::with_capacity(plain.len() + OVERHEAD_BYTES);
        sealed.extend_from_slice(&header);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let body = sealed.get_mut(HEADER_BYTES + NONCE_BYTES..);
        let aad = context.bytes(&header);
        let tag = self.encrypt(&nonce, &aad, body.unwrap_or_default())?;
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// The value of an envelope, if this key sealed it into the same context and nobody changed it
    /// since; else [`Error::SealBroken`]. The cipher is the key's: an envelope that names another
    /// one does not open.
    pub fn open(&self, context: &Context<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let (header, rest) = sealed
            .split_at_checked(HEADER_BYTES)
            .ok_or(Error::SealBroken)?;
        let (nonce, body) = rest
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(Error::SealBroken)?;
        if header != self.header() || body.len() > SEAL_BYTES_MAX + TAG_BYTES {
            return Err(Error::SealBroken);
        }
        let mut plain = Zeroizing::new(body.to_vec());
        let length = self.decrypt(nonce, &context.bytes(header), &mut plain)?;
        plain.truncate(length);
        Ok(plain)
    }

    fn header(&self) -> [u8; HEADER_BYTES] {
        let [a, b, c, d] = self.version().to_be_bytes();
        [FORMAT, self.cipher().id(), a, b, c, d]
    }
}

/// The version of the key that sealed an envelope, read without opening it.
pub fn key_version(sealed: &[u8]) -> Option<u32> {
    let (header, _) = sealed.split_first_chunk::<HEADER_BYTES>()?;
    let [_, _, version @ ..] = header;
    Some(u32::from_be_bytes(*version))
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod wycheproof;
