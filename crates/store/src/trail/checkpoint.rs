//! Checkpoints: signed tree heads as C2SP tlog-checkpoint writes them, and how they are stored.

use super::merkle::Hash;
use crate::{
    Database, Error,
    sql::{Fields, Stored, select},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use paywarden_crypto::note::{Note, NoteKind, NoteVerifier};
use paywarden_domain::{TenantId, Timestamp};
use std::fmt;

/// What a checkpoint says of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which tree: `paywarden/<store>/<tenant>`.
    pub origin: String,
    /// How many leaves it had.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

/// The name of a tenant's tree in a store, percent-encoded where a key name may not have a
/// character.
pub fn origin(store: &str, tenant: &str) -> String {
    let start = format!("paywarden/{store}/");
    tenant.bytes().fold(start, |mut name, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            name.push(char::from(byte));
        } else {
            name += &format!("%{byte:02X}");
        }
        name
    })
}

/// The tenant that an origin names; none if it is none of ours.
pub(crate) fn tenant(name: &str) -> Option<String> {
    let encoded = name.splitn(3, '/').nth(2)?;
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        rest = after;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
    }
    String::from_utf8(bytes).ok()
}

impl Checkpoint {
    /// Reads the text of a note: origin, size and root, one line each. Lines after them are
    /// extensions, which are signed but not read.
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let number: u64 = size.parse().ok()?;
        let is_fit =
            !origin.is_empty() && number.to_string() == size && lines.all(|line| !line.is_empty());
        is_fit.then_some(Self {
            origin: origin.to_owned(),
            size: number,
            root: STANDARD.decode(root).ok()?.try_into().ok()?,
        })
    }
}

/// The text that is signed.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = STANDARD.encode(self.root);
        write!(f, "{}\n{}\n{root}\n", self.origin, self.size)
    }
}

/// A checkpoint as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCheckpoint {
    /// Whose tree it is of.
    pub tenant: String,
    /// How many leaves the tree had.
    pub size: u64,
    /// When it was made.
    pub made_at: Timestamp,
    /// Whether a witness has cosigned it.
    pub cosigned: bool,
    /// The signed note.
    pub note: String,
}

impl Stored for StoredCheckpoint {
    const TABLE: &'static str = "trail_checkpoints";
    const COLUMNS: &'static [&'static str] = &["tenant", "size", "made_at", "cosigned", "note"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            tenant: fields.take()?,
            size: fields.counted()?,
            made_at: Timestamp::from_micros(fields.take()?),
            cosigned: fields.take::<i16>()? == 1,
            note: fields.take()?,
        })
    }
}

/// A key that checkpoints were signed with, and when it counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPeriod {
    /// Its number, from 1.
    pub generation: u64,
    /// The Ed25519 public key.
    pub public: [u8; 32],
    /// When it began to sign.
    pub valid_from: Timestamp,
    /// When it stops, if another has taken over.
    pub valid_until: Option<Timestamp>,
}

impl KeyPeriod {
    /// Whether it signs at this time.
    pub fn signs_at(&self, now: Timestamp) -> bool {
        self.valid_until.is_none_or(|end| now < end)
    }

    /// The key as a verifier of the tree with this name.
    pub fn verifier(&self, origin: &str) -> Result<NoteVerifier, paywarden_crypto::Error> {
        NoteVerifier::new(origin, NoteKind::Plain, &self.public)
    }
}

impl Stored for KeyPeriod {
    const TABLE: &'static str = "trail_keys";
    const COLUMNS: &'static [&'static str] = &["generation", "public", "valid_from", "valid_until"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            generation: fields.counted()?,
            public: fields
                .hash()?
                .ok_or_else(|| Error::corrupt("a trail key is empty"))?,
            valid_from: Timestamp::from_micros(fields.take()?),
            valid_until: fields.take::<Option<i64>>()?.map(Timestamp::from_micros),
        })
    }
}

impl Database {
    /// The newest checkpoint of a tenant, or the oldest one of `size` leaves or more.
    pub async fn trail_checkpoint(
        &self,
        tenant: &TenantId,
        size: Option<u64>,
    ) -> Result<Option<StoredCheckpoint>, Error> {
        match size {
            None => {
                let rest = "WHERE tenant = $1 ORDER BY size DESC LIMIT 1";
                self.select_one(rest, &[tenant.as_str().into()]).await
            }
            Some(size) => {
                let rest = "WHERE tenant = $1 AND size >= $2 ORDER BY size LIMIT 1";
                let values = [tenant.as_str().into(), size.cast_signed().into()];
                self.select_one(rest, &values).await
            }
        }
    }

    /// Every key that checkpoints were signed with, oldest first.
    pub async fn trail_keys(&self) -> Result<Vec<KeyPeriod>, Error> {
        select(&mut *self.reader().await?, "ORDER BY generation", &[]).await
    }
}

/// Reads a checkpoint that is signed by one of the keys under its own origin. Any other signature
/// may be there too; one by these names that does not fit is an error.
pub fn open(note: &Note, keys: &[[u8; 32]]) -> Option<Checkpoint> {
    let checkpoint = Checkpoint::parse(note.text())?;
    let mut signed = false;
    for key in keys {
        let verifier = NoteVerifier::new(&checkpoint.origin, NoteKind::Plain, key).ok()?;
        signed |= note.signed_by(&verifier).ok()?.is_some();
    }
    signed.then_some(checkpoint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_reads_back_and_nothing_else_is_a_checkpoint() {
        let checkpoint = Checkpoint {
            origin: origin("00ff", "acme+co/eu"),
            size: 7,
            root: [9; 32],
        };
        let text = checkpoint.to_string();
        assert!(
            text.starts_with("paywarden/00ff/acme%2Bco%2Feu\n7\n"),
            "{text}"
        );
        assert_eq!(Checkpoint::parse(&text), Some(checkpoint.clone()));
        assert_eq!(tenant(&checkpoint.origin).as_deref(), Some("acme+co/eu"));
        let extended = format!("{text}an extension\n");
        assert_eq!(Checkpoint::parse(&extended), Some(checkpoint));
        for wrong in [
            text.replace("\n7\n", "\n07\n"),
            text.replace("\n7\n", "\n-7\n"),
            text.replace('=', ""),
            format!("{text}\n"),
            format!("\n{text}"),
            text.trim_end().to_owned(),
        ] {
            assert_eq!(Checkpoint::parse(&wrong), None, "{wrong:?}");
        }
    }
}
