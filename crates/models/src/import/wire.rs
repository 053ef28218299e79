//! The protobuf wire format, as much of it as the few messages of an ONNX file need.
//!
//! Source: protobuf encoding guide. Groups are refused, unknown fields are skipped.

use crate::Error;

/// The value of one field.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 5.
    Fixed32([u8; 4]),
    /// Wire type 1.
    Fixed64,
    /// Wire type 2: text, bytes, a message, or packed numbers.
    Bytes(&'a [u8]),
}

/// The fields of a message, in the order of the file.
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) fn of(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    fn field(&mut self) -> Option<(u64, Value<'a>)> {
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Varint(self.varint()?),
            1 => {
                let _: [u8; 8] = self.take()?;
                Value::Fixed64
            }
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                let (bytes, rest) = self.rest.split_at_checked(length)?;
                self.rest = rest;
                Value::Bytes(bytes)
            }
            5 => Value::Fixed32(self.take()?),
            _ => return None,
        };
        Some((key >> 3, value))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for place in 0..10 {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            number |= u64::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*head)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.rest = &[];
        }
        Some(field.ok_or_else(|| Error::damaged("protobuf", "a field ends too early or is none")))
    }
}

impl<'a> Value<'a> {
    pub(super) fn bytes(self) -> Result<&'a [u8], Error> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(Error::damaged("protobuf", "a number stands for bytes")),
        }
    }

    pub(super) fn text(self) -> Result<&'a str, Error> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Error::damaged("protobuf", "not UTF-8"))
    }

    /// A whole number, or packed ones.
    pub(super) fn integers(self, into: &mut Vec<i64>) -> Result<(), Error> {
        match self {
            Self::Varint(number) => into.push(number as i64),
            Self::Bytes(packed) => {
                let mut packed = Fields::of(packed);
                while !packed.rest.is_empty() {
                    let number = packed.varint();
                    let short = || Error::damaged("protobuf", "packed numbers end too early");
                    into.push(number.ok_or_else(short)? as i64);
                }
            }
            _ => return Err(Error::damaged("protobuf", "no whole number")),
        }
        Ok(())
    }

    /// A float, or packed ones.
    pub(super) fn floats(self, into: &mut Vec<f32>) -> Result<(), Error> {
        match self {
            Self::Fixed32(bytes) => into.push(f32::from_le_bytes(bytes)),
            Self::Bytes(packed) => {
                let (chunks, rest) = packed.as_chunks::<4>();
                if !rest.is_empty() {
                    return Err(Error::damaged("protobuf", "packed floats end too early"));
                }
                into.extend(chunks.iter().map(|bytes| f32::from_le_bytes(*bytes)));
            }
            _ => return Err(Error::damaged("protobuf", "no float")),
        }
        Ok(())
    }
}
