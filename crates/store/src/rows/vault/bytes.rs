//! Reading and writing the bytes of records and pages, field by field.

use crate::Error;
use paywarden_domain::Timestamp;

/// Puts text or bytes of at most 255 bytes behind their length.
pub(super) fn put_short(to: &mut Vec<u8>, bytes: &[u8]) {
    to.push(u8::try_from(bytes.len()).unwrap_or(u8::MAX));
    to.extend_from_slice(bytes);
}

/// Puts bytes behind their length in four bytes.
pub(super) fn put_long(to: &mut Vec<u8>, bytes: &[u8]) {
    to.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    to.extend_from_slice(bytes);
}

/// Puts a number in eight bytes.
pub(super) fn put_number(to: &mut Vec<u8>, number: i64) {
    to.extend(number.to_be_bytes());
}

/// Bytes that are being read. What is cut off or is no text is [`Error::Corrupt`].
#[derive(Clone, Copy)]
pub(super) struct Cursor<'b>(pub(super) &'b [u8]);

impl<'b> Cursor<'b> {
    pub(super) fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'b [u8], Error> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(cut_off)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Error> {
        let (byte, rest) = self.0.split_first().ok_or_else(cut_off)?;
        self.0 = rest;
        Ok(*byte)
    }

    pub(super) fn small(&mut self) -> Result<u32, Error> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or_else(cut_off)?;
        self.0 = rest;
        Ok(u32::from_be_bytes(*bytes))
    }

    pub(super) fn number(&mut self) -> Result<i64, Error> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or_else(cut_off)?;
        self.0 = rest;
        Ok(i64::from_be_bytes(*bytes))
    }

    pub(super) fn time(&mut self) -> Result<Timestamp, Error> {
        self.number().map(Timestamp::from_micros)
    }

    pub(super) fn short(&mut self) -> Result<&'b [u8], Error> {
        let length = self.byte()?;
        self.take(usize::from(length))
    }

    pub(super) fn long(&mut self) -> Result<&'b [u8], Error> {
        let length = self.small()?;
        self.take(usize::try_from(length).map_err(|_| cut_off())?)
    }

    pub(super) fn text(&mut self) -> Result<&'b str, Error> {
        text(self.short()?)
    }

    pub(super) fn long_text(&mut self) -> Result<&'b str, Error> {
        text(self.long()?)
    }
}

fn text(bytes: &[u8]) -> Result<&str, Error> {
    std::str::from_utf8(bytes).map_err(|_| Error::corrupt("a text is none"))
}

fn cut_off() -> Error {
    Error::corrupt("what the vault keeps is cut off")
}
