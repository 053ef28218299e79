//! Bytes that stand for a row in the trail: equal rows have equal bytes on either engine.

use aws_lc_rs::digest::{SHA256, digest};
use paywarden_domain::Timestamp;

/// Fields one after the other. Numbers are eight bytes big-endian, texts and bytes have their
/// length (eight bytes) in front, what may be absent has a byte 0 or 1 in front, so that no two
/// different rows have the same bytes.
pub(crate) struct Canonical(Vec<u8>);

impl Canonical {
    /// Begins with the kind of thing that follows.
    pub(crate) fn new(kind: u8) -> Self {
        Self::with_room(kind, 0)
    }

    /// The same, with room for content of so many bytes beside what every row has.
    pub(crate) fn with_room(kind: u8, content: usize) -> Self {
        let mut bytes = Vec::with_capacity(512 + content);
        bytes.push(kind);
        Self(bytes)
    }

    pub(crate) fn number(mut self, number: impl Into<i64>) -> Self {
        self.0.extend(number.into().to_be_bytes());
        self
    }

    pub(crate) fn time(self, time: Timestamp) -> Self {
        self.number(time.micros())
    }

    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend((bytes.len() as u64).to_be_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    pub(crate) fn optional<T>(
        mut self,
        value: Option<T>,
        append: impl FnOnce(Self, T) -> Self,
    ) -> Self {
        self.0.push(u8::from(value.is_some()));
        match value {
            Some(value) => append(self, value),
            None => self,
        }
    }

    /// Everything so far.
    pub(crate) fn bytes_so_far(&self) -> &[u8] {
        &self.0
    }
}

/// SHA-256 (FIPS 180-4).
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}
