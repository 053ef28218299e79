//! The content of a file: in parts, each sealed under the key of the file for its place.

use super::{CaseFile, FileKind};
use crate::Error;
use paywarden_crypto::{
    Keyring,
    digest::sha256,
    keyring::{MASTER_BYTES, PreparedSeal, fresh_master},
};
use paywarden_domain::{TenantId, Timestamp};
use paywarden_store::RecordRow;
use std::fmt::Write;
use zeroize::Zeroizing;

pub(super) const KIND: &str = "case_file_part";
/// So many bytes are sealed together; a record holds 64 KiB.
const PART_BYTES: usize = 63 * 1024;
/// No file has more parts.
pub(super) const PARTS: u32 = super::FILE_BYTES_MAX.div_ceil(PART_BYTES) as u32;

/// The key of one file.
pub struct FileKey(Zeroizing<[u8; MASTER_BYTES]>);

/// A file that may be taken, and its fresh key.
pub struct CheckedFile {
    name: String,
    kind: FileKind,
    content: Zeroizing<Vec<u8>>,
    scanned: bool,
    key: FileKey,
}

/// A file as it lies there.
pub struct KeptFile {
    /// What is said of it.
    pub file: CaseFile,
    /// What its key is kept as.
    pub token: String,
    pub(super) parts: Vec<RecordRow>,
}

impl FileKey {
    /// The key as text.
    pub fn text(&self) -> Zeroizing<String> {
        hexadecimal(self.0.as_slice()).into()
    }

    /// The key that was written so.
    pub fn parse(text: &str) -> Option<Self> {
        let mut key = Zeroizing::new([0; MASTER_BYTES]);
        if text.len() != 2 * MASTER_BYTES {
            return None;
        }
        for (place, byte) in key.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
        }
        Some(Self(key))
    }

    fn seal(&self) -> Result<PreparedSeal, Error> {
        let seal = Keyring::of_master(&self.0).seal_for("case file");
        seal.map_err(|error| Error::Damaged(error.to_string()))
    }
}

impl CheckedFile {
    pub(super) fn new(
        (name, kind): (&str, FileKind),
        content: Vec<u8>,
        scanned: bool,
    ) -> Result<Self, Error> {
        Ok(Self {
            name: name.to_owned(),
            kind,
            content: content.into(),
            scanned,
            key: FileKey(fresh_master()),
        })
    }

    /// What opens it, once it is taken.
    pub fn key(&self) -> &FileKey {
        &self.key
    }

    /// What it is, by its content.
    pub fn kind(&self) -> FileKind {
        self.kind
    }

    /// Its content.
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn len(&self) -> usize {
        self.content.len()
    }

    pub(super) fn file(&self, number: u32, (by, at): (&str, Timestamp)) -> CaseFile {
        CaseFile {
            number,
            name: self.name.clone(),
            kind: self.kind,
            bytes: self.content.len() as u64,
            sha256: hexadecimal(&sha256(&self.content)),
            scanned: self.scanned,
            by: by.to_owned(),
            at,
            erased: None,
        }
    }

    /// Its parts, sealed for a place.
    pub(super) fn seal(&self, place: &str) -> Result<Vec<Vec<u8>>, Error> {
        let seal = self.key.seal()?;
        let parts = self.content.chunks(PART_BYTES).enumerate();
        let sealed = parts.map(|(number, part)| seal.seal(of(place, number).as_bytes(), part));
        let sealed: Result<_, _> = sealed.collect();
        sealed.map_err(|error| Error::Damaged(error.to_string()))
    }
}

impl KeptFile {
    /// The content, if it is what was taken.
    pub fn open(&self, key: &FileKey) -> Result<Vec<u8>, Error> {
        let damaged = || Error::Damaged(format!("file {}", self.file.sha256));
        let seal = key.seal()?;
        let mut content = Vec::with_capacity(self.file.bytes as usize);
        for part in &self.parts {
            let clear = seal.open(part.id.as_bytes(), &part.body);
            content.extend_from_slice(&clear.map_err(|_| damaged())?);
        }
        match hexadecimal(&sha256(&content)) == self.file.sha256 {
            true => Ok(content),
            false => Err(damaged()),
        }
    }
}

/// A sealed part as a record.
pub(super) fn part(
    tenant: &TenantId,
    (place, number): (&str, usize),
    body: Vec<u8>,
    written_at: Timestamp,
) -> RecordRow {
    RecordRow {
        tenant: tenant.clone(),
        kind: KIND.to_owned(),
        id: of(place, number),
        version: 1,
        written_at,
        body,
    }
}

fn of(place: &str, number: usize) -> String {
    format!("{place}.{number:04}")
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
