//! How images lie in a file: blocks of `tag, length, payload, CRC-32`, numbers little-endian.

use crate::Error;
use std::io::{ErrorKind, Read, Write};

/// From how many bytes on a block is written.
pub(crate) const BLOCK_BYTES: usize = 256 * 1024;
/// The longest block that is read.
const BLOCK_BYTES_MAX: u32 = 1024 * 1024;

/// Collects a payload and writes it as one block.
pub(crate) struct BlockWriter<W> {
    writer: W,
    pub payload: Vec<u8>,
}

impl<W: Write> BlockWriter<W> {
    pub(crate) fn new(writer: W) -> Self {
        Self {
            writer,
            payload: Vec::with_capacity(2 * BLOCK_BYTES),
        }
    }

    /// Writes bytes that belong to no block.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> Result<(), Error> {
        Ok(self.writer.write_all(bytes)?)
    }

    /// Writes the payload if it has at least so many bytes.
    pub(crate) fn flush(&mut self, tag: u8, bytes_min: usize) -> Result<(), Error> {
        if self.payload.len() < bytes_min {
            return Ok(());
        }
        let head = block_head(tag, self.payload.len() as u32);
        self.writer.write_all(&head)?;
        self.writer.write_all(&self.payload)?;
        let sum = crc32(crc32(0, &head), &self.payload);
        self.writer.write_all(&sum.to_le_bytes())?;
        self.payload.clear();
        Ok(())
    }

    /// Hands everything to the operating system.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        Ok(self.writer.flush()?)
    }
}

fn block_head(tag: u8, length: u32) -> [u8; 5] {
    let [a, b, c, d] = length.to_le_bytes();
    [tag, a, b, c, d]
}

/// Reads one block into `payload` and returns its tag.
pub(crate) fn read_block(reader: &mut impl Read, payload: &mut Vec<u8>) -> Result<u8, Error> {
    let mut head = [0; 5];
    fill(reader, &mut head)?;
    let [tag, a, b, c, d] = head;
    let length = u32::from_le_bytes([a, b, c, d]);
    if length > BLOCK_BYTES_MAX {
        return Err(Error::Damaged("block is too long"));
    }
    payload.resize(length as usize, 0);
    fill(reader, payload)?;
    let mut sum = [0; 4];
    fill(reader, &mut sum)?;
    if u32::from_le_bytes(sum) != crc32(crc32(0, &head), payload) {
        return Err(Error::Damaged("checksum does not agree"));
    }
    Ok(tag)
}

/// Reads exactly so many bytes.
pub(crate) fn fill(reader: &mut impl Read, bytes: &mut [u8]) -> Result<(), Error> {
    reader
        .read_exact(bytes)
        .map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => Error::Damaged("image ends too early"),
            _ => Error::Io(error),
        })
}

/// CRC-32 as in ISO-HDLC (polynomial 0x04C11DB7, reflected), continued from `sum`; eight bytes at
/// a time (Kounavis and Berry, "A systematic approach to building high performance software-based
/// CRC generators", 2005).
pub(crate) fn crc32(sum: u32, bytes: &[u8]) -> u32 {
    let (eights, rest) = bytes.as_chunks::<8>();
    let sum = eights.iter().fold(!sum, |sum, eight| {
        let [a, b, c, d, e, f, g, h] = *eight;
        let [i, j, k, l] = sum.to_le_bytes();
        let at = |table: usize, byte: u8| CRC_TABLES[table][usize::from(byte)];
        at(7, a ^ i)
            ^ at(6, b ^ j)
            ^ at(5, c ^ k)
            ^ at(4, d ^ l)
            ^ at(3, e)
            ^ at(2, f)
            ^ at(1, g)
            ^ at(0, h)
    });
    !rest.iter().fold(sum, |sum, byte| {
        CRC_TABLES[0][usize::from(sum as u8 ^ byte)] ^ sum >> 8
    })
}

static CRC_TABLES: [[u32; 256]; 8] = {
    let mut tables = [[0; 256]; 8];
    let mut place = 0;
    while place < 256 {
        let mut sum = place as u32;
        let mut bit = 0;
        while bit < 8 {
            sum = sum >> 1 ^ if sum & 1 == 1 { 0xedb8_8320 } else { 0 };
            bit += 1;
        }
        tables[0][place] = sum;
        place += 1;
    }
    let mut table = 1;
    while table < 8 {
        let mut place = 0;
        while place < 256 {
            let sum = tables[table - 1][place];
            tables[table][place] = tables[0][(sum & 255) as usize] ^ sum >> 8;
            place += 1;
        }
        table += 1;
    }
    tables
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksum_has_the_published_check_value() {
        assert_eq!(crc32(0, b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(crc32(0, b"1234"), b"56789"), 0xcbf4_3926);
        let long: Vec<u8> = (0..=255).cycle().take(1000).collect();
        let halves = long.split_at(501);
        assert_eq!(crc32(crc32(0, halves.0), halves.1), crc32(0, &long));
    }
}
