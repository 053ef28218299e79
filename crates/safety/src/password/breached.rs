//! Passwords known from breaches, as a filter of about 18 bits each: a binary fuse filter (Graf and
//! Lemire, "Binary Fuse Filters", 2022) over the first 64 bits of their SHA-1, which is how lists of
//! them are published.
//!
//! A listed password is always found. One in 65,536 others is taken for listed, and refused.

use paywarden_crypto::digest::{sha1, sha256};
use std::io::{self, BufRead, Read, Write};
use xorf::{BinaryFuse16, DmaSerializable, Filter};

const NAME: &[u8; 8] = b"PWBREACH";
/// Name, format, count of passwords, descriptor.
const HEAD: usize = NAME.len() + 1 + 8 + BinaryFuse16::DESCRIPTOR_LEN;
const FORMAT: u8 = 1;
const SHA256: usize = 32;
/// The longest line that is read, in bytes.
const LINE_MAX: u64 = 1_024;
/// The most passwords of one filter; it then takes 4.5 GB.
pub const PASSWORDS_MAX: usize = 2_000_000_000;

/// Why no filter could be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The list cannot be read.
    #[error("the list cannot be read: {0}")]
    Read(#[from] io::Error),
    /// A line is longer than 1 KiB.
    #[error("line {line} is longer than 1024 bytes")]
    LineTooLong {
        /// Counted from 1.
        line: u64,
    },
    /// More than [`PASSWORDS_MAX`].
    #[error("more than {PASSWORDS_MAX} passwords")]
    TooMany,
    /// Nothing was in it.
    #[error("the list holds no password")]
    Empty,
    /// The construction failed for every seed; its probability is negligible.
    #[error("the filter cannot be built: {0}")]
    Construction(&'static str),
}

/// Why a file is no filter.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It cannot be read.
    #[error("the filter cannot be read: {0}")]
    Read(#[from] io::Error),
    /// It was made by something else, or by a later version.
    #[error("not a filter of breached passwords of this version")]
    Format,
    /// Its checksum does not agree.
    #[error("the filter is damaged: build it again from the list")]
    Damaged,
}

/// A filter over breached passwords.
#[derive(Debug, Clone)]
pub struct Breached {
    filter: BinaryFuse16,
    passwords: u64,
}

impl Breached {
    /// Builds the filter of a list: one password a line, or one SHA-1 in hexadecimal a line with an
    /// optional `:count` behind it, as Have I Been Pwned publishes them. Hashes seen fewer than
    /// `count_min` times are left out. Holds 8 bytes a password while it builds.
    pub fn build(mut list: impl BufRead, count_min: u64) -> Result<Self, BuildError> {
        let mut keys = Vec::new();
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            let read = (&mut list)
                .take(LINE_MAX + 1)
                .read_until(b'\n', &mut line)?;
            if read == 0 {
                break;
            }
            if read as u64 > LINE_MAX {
                return Err(BuildError::LineTooLong { line: number });
            }
            keys.extend(key_of_line(line.trim_ascii_end(), count_min));
            if keys.len() > PASSWORDS_MAX {
                return Err(BuildError::TooMany);
            }
        }
        keys.sort_unstable();
        keys.dedup();
        if keys.is_empty() {
            return Err(BuildError::Empty);
        }
        Ok(Self {
            passwords: keys.len() as u64,
            filter: BinaryFuse16::try_from(keys).map_err(BuildError::Construction)?,
        })
    }

    /// How many passwords it was built from.
    pub fn passwords(&self) -> u64 {
        self.passwords
    }

    /// Whether a password is listed, or one of the few that are taken for it.
    pub fn contains(&self, password: &str) -> bool {
        self.filter.contains(&key(password.as_bytes()))
    }

    /// Writes the filter.
    pub fn write(&self, mut file: impl Write) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(HEAD + self.filter.fingerprints.len() * 2);
        bytes.extend_from_slice(NAME);
        bytes.push(FORMAT);
        bytes.extend_from_slice(&self.passwords.to_le_bytes());
        let mut descriptor = [0; BinaryFuse16::DESCRIPTOR_LEN];
        self.filter.dma_copy_descriptor_to(&mut descriptor);
        bytes.extend_from_slice(&descriptor);
        for fingerprint in &self.filter.fingerprints {
            bytes.extend_from_slice(&fingerprint.to_le_bytes());
        }
        file.write_all(&bytes)?;
        file.write_all(&sha256(&bytes))
    }

    /// Reads a filter.
    pub fn read(mut file: impl Read) -> Result<Self, LoadError> {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let (bytes, sum) = bytes
            .split_last_chunk::<SHA256>()
            .ok_or(LoadError::Format)?;
        let (head, fingerprints) = bytes.split_first_chunk::<HEAD>().ok_or(LoadError::Format)?;
        let mut head = &head[..];
        if take::<8>(&mut head)? != *NAME || take::<1>(&mut head)? != [FORMAT] {
            return Err(LoadError::Format);
        }
        if sha256(bytes) != *sum {
            return Err(LoadError::Damaged);
        }
        let passwords = u64::from_le_bytes(take(&mut head)?);
        // The descriptor has no constructor, so that of the smallest filter is filled in.
        let mut filter = BinaryFuse16::try_from(&[0u64][..]).map_err(|_| LoadError::Format)?;
        filter.descriptor.seed = u64::from_le_bytes(take(&mut head)?);
        filter.descriptor.segment_length = u32::from_le_bytes(take(&mut head)?);
        filter.descriptor.segment_length_mask = u32::from_le_bytes(take(&mut head)?);
        filter.descriptor.segment_count_length = u32::from_le_bytes(take(&mut head)?);
        let (pairs, _) = fingerprints.as_chunks::<2>();
        filter.fingerprints = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
        Ok(Self { filter, passwords })
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], LoadError> {
    let (taken, rest) = bytes.split_first_chunk().ok_or(LoadError::Format)?;
    *bytes = rest;
    Ok(*taken)
}

fn key(password: &[u8]) -> u64 {
    first_eight(&sha1(password))
}

fn first_eight(hash: &[u8; 20]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *hash;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// The key of a line, unless it is empty or too rare.
fn key_of_line(line: &[u8], count_min: u64) -> Option<u64> {
    if line.is_empty() {
        return None;
    }
    let Some((hash, count)) = hash_of_line(line) else {
        return Some(key(line));
    };
    (count >= count_min).then_some(hash)
}

/// The first 64 bits of a published hash, and how often it was seen.
fn hash_of_line(line: &[u8]) -> Option<(u64, u64)> {
    let text = std::str::from_utf8(line).ok()?;
    let (hash, count) = text.split_once(':').unwrap_or((text, "1"));
    let hexadecimal = hash.len() == 40 && hash.bytes().all(|b| b.is_ascii_hexdigit());
    let first = hash.get(..16).filter(|_| hexadecimal)?;
    Some((u64::from_str_radix(first, 16).ok()?, count.parse().ok()?))
}
