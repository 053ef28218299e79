//! Keys of persons.

use super::super::Canonical;
use crate::{
    Error,
    sql::{Fields, Stored},
};
use paywarden_domain::{TenantId, Timestamp};
use std::fmt::{self, Write as _};

/// Where a key of a person is kept, which is its name too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPlace {
    /// The page, from 0.
    pub page: i64,
    /// Its number in the page, below [`super::PAGE_KEYS`].
    pub slot: u8,
}

/// The key under which values of one person are sealed, itself wrapped.
#[derive(Clone, PartialEq, Eq)]
pub struct VaultKeyRow {
    /// Its place. A page is of one tenant and retention.
    pub key: KeyPlace,
    /// Whose customer the person is.
    pub tenant: TenantId,
    /// The person, by a pseudonym of 1 to 64 bytes.
    pub subject: String,
    /// How long what is sealed under it is kept for, 1 to 32 bytes.
    pub retention: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// When it was destroyed.
    pub destroyed_at: Option<Timestamp>,
    /// The epoch whose keys wrap it, from 1.
    pub epoch: i64,
    /// The wrapped key, at most 67 bytes; empty once it is destroyed.
    pub wrapped: Vec<u8>,
}

/// A key as it is wrapped now.
#[derive(Clone, PartialEq, Eq)]
pub struct Wrapping {
    /// The key.
    pub key: KeyPlace,
    /// The wrapped key, at most 67 bytes.
    pub wrapped: Vec<u8>,
}

/// Wraps keys of one tenant again under the keys of a later epoch. Keys that were destroyed
/// meanwhile, or wrapped under that epoch or a later one, stay as they are. The keys themselves
/// do not change, and the trail says no more than that it was done.
#[derive(Clone, PartialEq, Eq)]
pub struct VaultRewrap {
    /// Whose keys.
    pub tenant: TenantId,
    /// The epoch whose keys wrap them now.
    pub epoch: i64,
    /// The keys, at most 2,048.
    pub keys: Vec<Wrapping>,
}

impl KeyPlace {
    /// The place with this name.
    pub fn parse(name: &str) -> Option<Self> {
        let (page, slot) = name.strip_prefix("vk_")?.split_once('.')?;
        let place = Self {
            page: i64::from_str_radix(page, 16).ok()?,
            slot: slot.parse().ok()?,
        };
        // There is one way to write it.
        (place.name() == name).then_some(place)
    }

    /// Its name: `vk_`, the page in hexadecimal, `.` and the number in it.
    pub fn name(self) -> String {
        let mut name = String::with_capacity(3 + 16 + 1 + 3);
        // Writing to a string does not fail.
        let _ = write!(name, "{self}");
        name
    }
}

impl fmt::Display for KeyPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "vk_{:016x}.{:02}", self.page, self.slot)
    }
}

impl VaultKeyRow {
    /// Without epoch and wrapping, which change while the key stays: they authenticate themselves.
    pub(crate) fn canonical(&self) -> Canonical {
        Canonical::new(b'Y')
            .text(self.tenant.as_str())
            .text(&self.key.to_string())
            .text(&self.subject)
            .text(&self.retention)
            .time(self.made_at)
    }
}

impl fmt::Debug for VaultKeyRow {
    /// Without the wrapped key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultKeyRow")
            .field("key", &self.key)
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for VaultRewrap {
    /// Without the wrapped keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultRewrap")
            .field("epoch", &self.epoch)
            .field("keys", &self.keys.len())
            .finish_non_exhaustive()
    }
}

/// The places of the keys that something of a person is sealed under, each once.
impl Stored for KeyPlace {
    const TABLE: &'static str = "vault_records";
    const COLUMNS: &'static [&'static str] = &["DISTINCT key_page", "key_slot"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            page: fields.take()?,
            slot: fields.numbered(Some)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_place_is_read_as_it_is_written_and_in_no_other_way() {
        let pages = [0, 1, 255, i64::MAX];
        for (page, slot) in pages.into_iter().zip([0, 9, 31, 255]) {
            let place = KeyPlace { page, slot };
            assert_eq!(KeyPlace::parse(&place.to_string()), Some(place));
        }
        for name in [
            "",
            "vk_",
            "vk_1.1",
            "vk_0000000000000001.1",
            "vk_000000000000000A.01",
        ] {
            assert_eq!(KeyPlace::parse(name), None, "{name}");
        }
    }
}
