//! The manifest of a leaf: which rows were written with it, and the digest of each.

use crate::Error;

/// A row by its key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RowRef {
    /// The decision with this `event_no`.
    Decision(i64),
    /// The label with this `seq`.
    Label(i64),
    /// The list entry with this `entry_no`.
    ListEntry(i64),
    /// The removal of the list entry with this `entry_no`.
    ListRemoval(i64),
    /// The key with this identifier.
    SigningKey(String),
    /// The revocation of the key with this identifier.
    KeyRevocation(String),
    /// The tenant's rule set with this version.
    RuleSet(String),
}

/// Bytes of a manifest: per row one letter, the length of its key, its key, its digest.
#[derive(Debug, Default)]
pub(crate) struct Manifest(Vec<u8>);

impl Manifest {
    pub(crate) fn push(&mut self, row: &RowRef, digest: &[u8; 32]) {
        match row {
            RowRef::Decision(number) => self.append(b'D', &number.to_be_bytes(), digest),
            RowRef::Label(number) => self.append(b'L', &number.to_be_bytes(), digest),
            RowRef::ListEntry(number) => self.append(b'E', &number.to_be_bytes(), digest),
            RowRef::ListRemoval(number) => self.append(b'R', &number.to_be_bytes(), digest),
            RowRef::SigningKey(text) => self.append(b'K', text.as_bytes(), digest),
            RowRef::KeyRevocation(text) => self.append(b'V', text.as_bytes(), digest),
            RowRef::RuleSet(text) => self.append(b'S', text.as_bytes(), digest),
        }
    }

    /// Keys have at most 128 bytes: entries are checked before they come here.
    fn append(&mut self, letter: u8, key: &[u8], digest: &[u8; 32]) {
        self.0.extend([letter, key.len() as u8]);
        self.0.extend_from_slice(key);
        self.0.extend_from_slice(digest);
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// The rows of a manifest with their digests.
pub(crate) fn read_manifest(mut bytes: &[u8]) -> Result<Vec<(RowRef, [u8; 32])>, Error> {
    let mut rows = Vec::new();
    while !bytes.is_empty() {
        let (row, digest, rest) = first(bytes).ok_or_else(|| Error::corrupt("a manifest"))?;
        rows.push((row, digest));
        bytes = rest;
    }
    Ok(rows)
}

fn first(bytes: &[u8]) -> Option<(RowRef, [u8; 32], &[u8])> {
    let (&[letter, length], rest) = bytes.split_first_chunk()?;
    let (key, rest) = rest.split_at_checked(usize::from(length))?;
    let (digest, rest) = rest.split_first_chunk()?;
    let number = || key.try_into().ok().map(i64::from_be_bytes);
    let text = || String::from_utf8(key.to_vec()).ok();
    let row = match letter {
        b'D' => RowRef::Decision(number()?),
        b'L' => RowRef::Label(number()?),
        b'E' => RowRef::ListEntry(number()?),
        b'R' => RowRef::ListRemoval(number()?),
        b'K' => RowRef::SigningKey(text()?),
        b'V' => RowRef::KeyRevocation(text()?),
        b'S' => RowRef::RuleSet(text()?),
        _ => return None,
    };
    Some((row, *digest, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_round_trip_and_cut_ones_are_refused() {
        let rows = [
            RowRef::Decision(1),
            RowRef::Label(i64::MAX),
            RowRef::ListEntry(3),
            RowRef::ListRemoval(4),
            RowRef::SigningKey("k".repeat(128)),
            RowRef::KeyRevocation("key".into()),
            RowRef::RuleSet("9f".into()),
        ];
        let mut manifest = Manifest::default();
        rows.iter().for_each(|row| manifest.push(row, &[7; 32]));
        let bytes = manifest.into_bytes();
        let read = read_manifest(&bytes).unwrap();
        assert!(read.iter().map(|(row, _)| row).eq(&rows));
        assert!(read_manifest(&bytes[..bytes.len() - 1]).is_err());
    }
}
