//! The little of CBOR (RFC 8949) that leaves are written in, in its deterministic form: integers,
//! texts, bytes, arrays, maps and null, each with the shortest head.

const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const NULL: u8 = 0xf6;

/// Writes items one after the other.
#[derive(Debug, Default)]
pub(crate) struct Encoder(Vec<u8>);

impl Encoder {
    /// Writes behind what is there.
    pub(crate) fn behind(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Bytes that are no item.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn map(&mut self, pairs: usize) {
        self.head(MAP, pairs as u64);
    }

    pub(crate) fn array(&mut self, items: usize) {
        self.head(ARRAY, items as u64);
    }

    pub(crate) fn unsigned(&mut self, number: u64) {
        self.head(UNSIGNED, number);
    }

    pub(crate) fn integer(&mut self, number: i64) {
        match u64::try_from(number) {
            Ok(number) => self.head(UNSIGNED, number),
            Err(_) => self.head(NEGATIVE, (!number).cast_unsigned()),
        }
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.texts(&[text]);
    }

    /// One text made of parts.
    pub(crate) fn texts(&mut self, parts: &[&str]) {
        self.head(TEXT, parts.iter().map(|part| part.len() as u64).sum());
        for part in parts {
            self.0.extend_from_slice(part.as_bytes());
        }
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.head(BYTES, bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn null(&mut self) {
        self.0.push(NULL);
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn head(&mut self, major: u8, number: u64) {
        let major = major << 5;
        match number {
            0..24 => self.0.push(major | number as u8),
            24..0x100 => self.0.extend([major | 24, number as u8]),
            0x100..0x1_0000 => {
                self.0.push(major | 25);
                self.0.extend((number as u16).to_be_bytes());
            }
            0x1_0000..0x1_0000_0000 => {
                self.0.push(major | 26);
                self.0.extend((number as u32).to_be_bytes());
            }
            _ => {
                self.0.push(major | 27);
                self.0.extend(number.to_be_bytes());
            }
        }
    }
}

/// Reads items one after the other; none where the expected item does not stand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decoder<'b>(&'b [u8]);

impl<'b> Decoder<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes that were not read yet.
    pub(crate) fn left(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn map(&mut self) -> Option<u64> {
        self.head(MAP)
    }

    pub(crate) fn array(&mut self) -> Option<u64> {
        self.head(ARRAY)
    }

    pub(crate) fn unsigned(&mut self) -> Option<u64> {
        self.head(UNSIGNED)
    }

    pub(crate) fn integer(&mut self) -> Option<i64> {
        let major = self.0.first()? >> 5;
        let number = i64::try_from(self.head(major)?).ok()?;
        match major {
            UNSIGNED => Some(number),
            NEGATIVE => Some(!number),
            _ => None,
        }
    }

    pub(crate) fn text(&mut self) -> Option<&'b str> {
        let length = self.head(TEXT)?;
        std::str::from_utf8(self.take(length)?).ok()
    }

    pub(crate) fn bytes(&mut self) -> Option<&'b [u8]> {
        let length = self.head(BYTES)?;
        self.take(length)
    }

    /// Takes a null, if one stands here.
    pub(crate) fn null(&mut self) -> bool {
        match self.0.split_first() {
            Some((&NULL, rest)) => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    /// Whether a text stands next.
    pub(crate) fn is_text(&self) -> bool {
        self.0.first().is_some_and(|head| head >> 5 == TEXT)
    }

    fn head(&mut self, major: u8) -> Option<u64> {
        let (head, rest) = self.0.split_first()?;
        if head >> 5 != major {
            return None;
        }
        self.0 = rest;
        match head & 0x1f {
            small @ 0..24 => Some(u64::from(small)),
            24 => self.number(1).filter(|number| *number >= 24),
            25 => self.number(2).filter(|number| *number > 0xff),
            26 => self.number(4).filter(|number| *number > 0xffff),
            27 => self.number(8).filter(|number| *number > 0xffff_ffff),
            _ => None,
        }
    }

    fn number(&mut self, length: u64) -> Option<u64> {
        let bytes = self.take(length)?;
        Some(
            bytes
                .iter()
                .fold(0, |number, byte| number << 8 | u64::from(*byte)),
        )
    }

    fn take(&mut self, length: u64) -> Option<&'b [u8]> {
        let (bytes, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(write: impl FnOnce(&mut Encoder)) -> Vec<u8> {
        let mut encoder = Encoder::default();
        write(&mut encoder);
        encoder.into_bytes()
    }

    /// Examples of RFC 8949 appendix A.
    #[test]
    fn the_examples_of_the_rfc_are_written() {
        for (number, bytes) in [
            (0, vec![0x00]),
            (23, vec![0x17]),
            (24, vec![0x18, 0x18]),
            (1_000, vec![0x19, 0x03, 0xe8]),
            (1_000_000, vec![0x1a, 0x00, 0x0f, 0x42, 0x40]),
            (
                1_000_000_000_000,
                vec![0x1b, 0, 0, 0, 0xe8, 0xd4, 0xa5, 0x10, 0],
            ),
            (-1, vec![0x20]),
            (-1_000, vec![0x39, 0x03, 0xe7]),
        ] {
            assert_eq!(written(|to| to.integer(number)), bytes);
        }
        assert_eq!(written(|to| to.text("IETF")), b"\x64IETF");
        assert_eq!(written(|to| to.bytes(&[1, 2, 3, 4])), [0x44, 1, 2, 3, 4]);
    }

    #[test]
    fn a_head_longer_than_needed_is_refused() {
        for bytes in [
            &[0x18, 0x17][..],
            &[0x19, 0, 0xff],
            &[0x1a, 0, 0, 0xff, 0xff],
        ] {
            assert_eq!(Decoder::new(bytes).unsigned(), None);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(number: i64, text: String, bytes: Vec<u8>) {
            let all = written(|to| {
                to.map(1);
                to.integer(number);
                to.array(3);
                to.text(&text);
                to.bytes(&bytes);
                to.null();
            });
            let mut from = Decoder::new(&all);
            prop_assert_eq!(from.map(), Some(1));
            prop_assert_eq!(from.integer(), Some(number));
            prop_assert_eq!(from.array(), Some(3));
            prop_assert!(from.is_text());
            prop_assert_eq!(from.text(), Some(text.as_str()));
            prop_assert_eq!(from.bytes(), Some(bytes.as_slice()));
            prop_assert!(from.null() && from.is_at_end());
        }

        #[test]
        fn garbage_never_panics(bytes: Vec<u8>) {
            let mut from = Decoder::new(&bytes);
            let _ = (from.map(), from.integer(), from.text(), from.bytes(), from.null());
        }
    }
}
