//! Signed notes (C2SP signed-note) and the cosignatures of witnesses (C2SP tlog-cosignature v1).
//!
//! A note is lines of text, an empty line, and one line per signature:
//! `— name base64(key id ‖ signature)`. A verifier key is written `name+key id+base64(type ‖ key)`.
//! The key id is the first four bytes of SHA-256(name ‖ 0x0a ‖ type ‖ public key), so the same key
//! under another name has another id. Only Ed25519 keys are made and read here.

use crate::{Error, SignatureAlgorithm, SigningKey, VerifyingKey, digest::sha256};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::fmt;

/// The longest note, in bytes.
pub const NOTE_BYTES_MAX: usize = 64 * 1024;
/// The most signatures of one note.
pub const SIGNATURES_MAX: usize = 64;

const KEY_BYTES: usize = 32;
const SIGNATURE_BYTES: usize = 64;
const TIME_BYTES: usize = 8;
const SIGNATURE_START: &str = "\u{2014} ";

/// What a key signs: the type byte of its verifier key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum NoteKind {
    /// The text of the note as it is.
    Plain = 0x01,
    /// The text after a line with the time, as a witness does.
    Cosignature = 0x04,
}

/// A signed note: its text and signatures, none of them checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// Name of the key.
    pub name: String,
    id: [u8; 4],
    bytes: Vec<u8>,
}

/// What a verifier found under a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    /// A plain signature.
    Plain,
    /// A cosignature made at this time, in seconds since 1970.
    At(u64),
}

/// The public half of a note key.
#[derive(Debug)]
pub struct NoteVerifier {
    name: String,
    kind: NoteKind,
    public: [u8; KEY_BYTES],
    key: VerifyingKey,
}

/// The secret half of a note key.
#[derive(Debug)]
pub struct NoteSigner {
    verifier: NoteVerifier,
    key: SigningKey,
}

impl Note {
    /// A note without signatures. The text has at least one line and ends with a line feed.
    pub fn new(text: &str) -> Result<Self, Error> {
        let is_clean = |c: char| c == '\n' || !c.is_control();
        if !text.ends_with('\n') || text.len() > NOTE_BYTES_MAX || !text.chars().all(is_clean) {
            return Err(malformed(
                "a text is lines without control characters, at most 64 KiB",
            ));
        }
        Ok(Self {
            text: text.to_owned(),
            signatures: Vec::new(),
        })
    }

    /// Reads text and signature lines: at least one, at most 64.
    pub fn parse(note: &str) -> Result<Self, Error> {
        let (body, signatures) = note
            .rsplit_once("\n\n")
            .ok_or_else(|| malformed("no empty line before the signatures"))?;
        let mut parsed = Self::new(&format!("{body}\n"))?;
        let lines = signatures
            .strip_suffix('\n')
            .ok_or_else(|| malformed("the last line does not end"))?;
        for line in lines.split('\n') {
            parsed.push(NoteSignature::parse(line)?)?;
        }
        Ok(parsed)
    }

    /// What is signed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures, in their order.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds a signature line; one that is there already is left as it is.
    pub fn push(&mut self, signature: NoteSignature) -> Result<(), Error> {
        if self.signatures.len() >= SIGNATURES_MAX {
            return Err(malformed("at most 64 signatures"));
        }
        if !self.signatures.contains(&signature) {
            self.signatures.push(signature);
        }
        Ok(())
    }

    /// What this key signed here. None if it did not sign; an error if a signature that bears
    /// its name and id does not fit the text, because then somebody tampers.
    pub fn signed_by(&self, verifier: &NoteVerifier) -> Result<Option<Signed>, Error> {
        let mut found = None;
        for signature in &self.signatures {
            if signature.name == verifier.name && signature.id == verifier.id() {
                found = Some(verifier.check(&self.text, &signature.bytes)?);
            }
        }
        Ok(found)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures
            .iter()
            .try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

impl NoteSignature {
    /// Reads one line, without its line feed.
    pub fn parse(line: &str) -> Result<Self, Error> {
        let parsed = || {
            let (name, encoded) = line.strip_prefix(SIGNATURE_START)?.split_once(' ')?;
            let bytes = STANDARD.decode(encoded).ok()?;
            let (id, bytes) = bytes.split_first_chunk::<4>()?;
            (is_name(name) && !bytes.is_empty()).then(|| Self {
                name: name.to_owned(),
                id: *id,
                bytes: bytes.to_vec(),
            })
        };
        parsed().ok_or_else(|| malformed("a signature line is `— name base64`"))
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoded = STANDARD.encode([&self.id[..], &self.bytes].concat());
        write!(f, "{SIGNATURE_START}{} {encoded}", self.name)
    }
}

impl NoteVerifier {
    /// The verifier of a public Ed25519 key under a name.
    pub fn new(name: &str, kind: NoteKind, public: &[u8; KEY_BYTES]) -> Result<Self, Error> {
        if !is_name(name) {
            return Err(Error::KeyRefused {
                detail: "a key name is 1 to 256 characters without spaces and plus signs",
            });
        }
        Ok(Self {
            name: name.to_owned(),
            kind,
            public: *public,
            key: VerifyingKey::from_public(SignatureAlgorithm::Ed25519, public)?,
        })
    }

    /// Reads `name+key id+base64(type ‖ key)`; an id that does not fit is refused.
    pub fn parse(vkey: &str) -> Result<Self, Error> {
        let refused = || Error::KeyRefused {
            detail: "a verifier key is `name+id+key`, Ed25519, of type 1 or 4",
        };
        let mut parts = vkey.splitn(3, '+');
        let (Some(name), Some(id), Some(encoded)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(refused());
        };
        let bytes = STANDARD.decode(encoded).map_err(|_| refused())?;
        let (kind, public) = bytes.split_first().ok_or_else(refused)?;
        let kind = NoteKind::from_byte(*kind).ok_or_else(refused)?;
        let verifier = Self::new(name, kind, public.try_into().map_err(|_| refused())?)?;
        match verifier.id_text() == id {
            true => Ok(verifier),
            false => Err(refused()),
        }
    }

    /// Name of the key.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the key signs.
    pub fn kind(&self) -> NoteKind {
        self.kind
    }

    /// The 32 bytes of the public key.
    pub fn public(&self) -> &[u8; KEY_BYTES] {
        &self.public
    }

    fn id(&self) -> [u8; 4] {
        let start = [self.name.as_bytes(), &[b'\n', self.kind as u8]].concat();
        let hash = sha256(&[&start[..], &self.public].concat());
        [hash[0], hash[1], hash[2], hash[3]]
    }

    fn id_text(&self) -> String {
        format!("{:08x}", u32::from_be_bytes(self.id()))
    }

    fn check(&self, text: &str, signature: &[u8]) -> Result<Signed, Error> {
        let (message, signature, signed) = match self.kind {
            NoteKind::Plain => (text.to_owned(), signature, Signed::Plain),
            NoteKind::Cosignature => {
                let (time, signature) = signature
                    .split_first_chunk::<TIME_BYTES>()
                    .ok_or_else(|| malformed("a cosignature has a time"))?;
                let time_s = u64::from_be_bytes(*time);
                (cosigned(text, time_s), signature, Signed::At(time_s))
            }
        };
        if signature.len() != SIGNATURE_BYTES || !self.key.verify(message.as_bytes(), signature) {
            return Err(Error::NoteInvalid {
                name: self.name.clone(),
            });
        }
        Ok(signed)
    }
}

/// The verifier key as text.
impl fmt::Display for NoteVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = STANDARD.encode([&[self.kind as u8][..], &self.public].concat());
        write!(f, "{}+{}+{key}", self.name, self.id_text())
    }
}

impl NoteSigner {
    /// The signer of these 32 secret bytes under a name.
    pub fn from_seed(name: &str, kind: NoteKind, seed: &[u8; KEY_BYTES]) -> Result<Self, Error> {
        let key = SigningKey::from_seed(seed)?;
        let public = key.ed25519_public()?;
        Ok(Self {
            verifier: NoteVerifier::new(name, kind, &public)?,
            key,
        })
    }

    /// The public half.
    pub fn verifier(&self) -> &NoteVerifier {
        &self.verifier
    }

    /// Signs the text of a note; `now_s` (seconds since 1970) is in cosignatures alone.
    pub fn sign(&self, note: &Note, now_s: u64) -> Result<NoteSignature, Error> {
        let bytes = match self.verifier.kind {
            NoteKind::Plain => self.key.sign(note.text.as_bytes())?,
            NoteKind::Cosignature => {
                let signature = self.key.sign(cosigned(&note.text, now_s).as_bytes())?;
                [&now_s.to_be_bytes()[..], &signature].concat()
            }
        };
        Ok(NoteSignature {
            name: self.verifier.name.clone(),
            id: self.verifier.id(),
            bytes,
        })
    }
}

impl NoteKind {
    fn from_byte(byte: u8) -> Option<Self> {
        [Self::Plain, Self::Cosignature]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}

/// What a witness signs.
fn cosigned(text: &str, time_s: u64) -> String {
    format!("cosignature/v1\ntime {time_s}\n{text}")
}

fn is_name(name: &str) -> bool {
    let is_fit = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
    !name.is_empty() && name.len() <= 256 && name.chars().all(is_fit)
}

fn malformed(detail: &'static str) -> Error {
    Error::NoteMalformed { detail }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "example.com/log\n7\nqqo=\n";

    fn signer(kind: NoteKind) -> NoteSigner {
        NoteSigner::from_seed("example.com/log", kind, &[7; 32]).unwrap()
    }

    #[test]
    fn both_kinds_are_signed_written_read_and_verified() {
        let mut note = Note::new(TEXT).unwrap();
        for kind in [NoteKind::Plain, NoteKind::Cosignature] {
            let signature = signer(kind).sign(&note, 1_700_000_000).unwrap();
            note.push(signature).unwrap();
        }
        let read = Note::parse(&note.to_string()).unwrap();
        assert_eq!(read, note);
        let signed = |kind| {
            let vkey = signer(kind).verifier().to_string();
            read.signed_by(&NoteVerifier::parse(&vkey).unwrap())
                .unwrap()
        };
        assert_eq!(signed(NoteKind::Plain), Some(Signed::Plain));
        assert_eq!(
            signed(NoteKind::Cosignature),
            Some(Signed::At(1_700_000_000))
        );
        let stranger = NoteSigner::from_seed("example.com/log", NoteKind::Plain, &[8; 32]).unwrap();
        assert_eq!(read.signed_by(stranger.verifier()).unwrap(), None);
    }

    #[test]
    fn a_signature_under_another_text_or_time_is_an_error() {
        for kind in [NoteKind::Plain, NoteKind::Cosignature] {
            let signer = signer(kind);
            let signature = signer.sign(&Note::new(TEXT).unwrap(), 5).unwrap();
            let mut other = Note::new("example.com/log\n8\nqqo=\n").unwrap();
            other.push(signature.clone()).unwrap();
            assert!(other.signed_by(signer.verifier()).is_err());
            let mut late = signature;
            late.bytes[0] ^= 1;
            let mut note = Note::new(TEXT).unwrap();
            note.push(late).unwrap();
            assert!(note.signed_by(signer.verifier()).is_err());
        }
    }

    #[test]
    fn what_is_no_note_or_key_is_refused() {
        for text in [
            "",
            "a",
            "a\n",
            "a\n\n",
            "a\n\nb\n",
            "a\n\n\u{2014} n AAAA\n",
        ] {
            assert!(Note::parse(text).is_err(), "{text:?}");
        }
        assert!(Note::new("a\u{7}\n").is_err());
        let vkey = signer(NoteKind::Plain).verifier().to_string();
        let (name, rest) = vkey.split_once('+').unwrap();
        for wrong in [
            name.to_owned(),
            format!("other+{rest}"),
            vkey.replace('+', "-"),
            vkey[..vkey.len() - 4].to_owned(),
        ] {
            assert!(NoteVerifier::parse(&wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn garbage_never_panics(text in ".{0,200}") {
            let _ = Note::parse(&text);
            let _ = NoteVerifier::parse(&text);
        }
    }
}
