//! Pages of keys: as many as one page of a database file holds, so that wrapping them again moves
//! pages instead of rows, and a new key of a new person adds to the page of the one before.

use super::{
    bytes::{Cursor, put_number, put_short},
    key::{KeyPlace, VaultKeyRow},
};
use crate::{
    Error,
    sql::{AnyQuery, Fields, Insertable, Stored},
};
use paywarden_domain::{TenantId, Timestamp};
use std::{fmt, ops::Range};

/// Keys of one page.
pub const PAGE_KEYS: u8 = 32;
/// The longest wrapped key, in bytes.
pub(crate) const WRAPPED_MAX: usize = SLOT_BYTES - 5;
/// What each key has in the column of wrapped keys: epoch, length and the key, filled up with
/// zeros, so that a statement cuts one out by its number. All zeros where no key lives.
pub(crate) const SLOT_BYTES: usize = 72;

/// A page of keys of one tenant that are kept for equally long.
#[derive(Clone)]
pub struct KeyPage {
    /// Its number.
    pub page: i64,
    /// Whose customers the persons are.
    pub tenant: TenantId,
    /// How long what is sealed under the keys is kept for.
    pub retention: String,
    /// By number; none where no key was ever made.
    slots: Vec<Option<Slot>>,
    /// The persons, one behind the other.
    subjects: String,
    /// As many slots as the highest number asks for.
    wrapped: Vec<u8>,
}

/// What stands beside one key of a page.
#[derive(Clone)]
struct Slot {
    /// Where the person stands among the others.
    subject: Range<usize>,
    made_at: Timestamp,
    destroyed_at: Option<Timestamp>,
}

/// A key of a page that is not destroyed.
#[derive(Clone, Copy)]
pub struct LivingKey<'p> {
    /// Where it is.
    pub key: KeyPlace,
    /// The person.
    pub subject: &'p str,
    /// The epoch whose keys wrap it.
    pub epoch: i64,
    /// The wrapped key.
    pub wrapped: &'p [u8],
}

impl KeyPage {
    /// An empty one.
    pub(crate) fn new(page: i64, tenant: TenantId, retention: String) -> Self {
        Self {
            page,
            tenant,
            retention,
            slots: Vec::new(),
            subjects: String::new(),
            wrapped: Vec::new(),
        }
    }

    /// The keys that are not destroyed, by number.
    pub fn living(&self) -> impl Iterator<Item = LivingKey<'_>> {
        let living = self.slots().filter(|(_, slot)| slot.lives());
        living.map(|(number, slot)| self.living_key(number, slot))
    }

    fn slots(&self) -> impl Iterator<Item = (u8, &Slot)> {
        let numbered = (0..=u8::MAX).zip(&self.slots);
        numbered.filter_map(|(number, slot)| Some((number, slot.as_ref()?)))
    }

    fn slot(&self, number: u8) -> Option<&Slot> {
        self.slots.get(usize::from(number))?.as_ref()
    }

    fn living_key(&self, number: u8, slot: &Slot) -> LivingKey<'_> {
        let stored = self.wrapped.get(slot_range(number)).unwrap_or_default();
        let (epoch, wrapped) = unwrapped_slot(stored).unwrap_or_default();
        LivingKey {
            key: self.place(number),
            subject: self.subject(slot),
            epoch,
            wrapped,
        }
    }

    /// Every key that was ever made in it.
    pub(crate) fn keys(&self) -> impl Iterator<Item = VaultKeyRow> {
        self.slots().filter_map(|(number, _)| self.key(number))
    }

    /// The key with this number.
    pub(crate) fn key(&self, number: u8) -> Option<VaultKeyRow> {
        let slot = self.slot(number)?;
        let LivingKey { epoch, wrapped, .. } = self.living_key(number, slot);
        Some(VaultKeyRow {
            key: self.place(number),
            tenant: self.tenant.clone(),
            subject: self.subject(slot).to_owned(),
            retention: self.retention.clone(),
            made_at: slot.made_at,
            destroyed_at: slot.destroyed_at,
            epoch,
            wrapped: wrapped.to_vec(),
        })
    }

    /// Adds a key; false if its place is taken, or in a page of others.
    pub(crate) fn add(&mut self, key: &VaultKeyRow) -> bool {
        let (number, fits) = (key.key.slot, key.wrapped.len() <= WRAPPED_MAX);
        let is_ours = key.tenant == self.tenant && key.retention == self.retention;
        if !fits || !is_ours || self.slot(number).is_some() {
            return false;
        }
        self.describe(number, &key.subject, (key.made_at, None));
        self.put(number, (key.epoch, &key.wrapped));
        true
    }

    /// Wraps a key again, unless it is destroyed, or wrapped by that epoch or a later one.
    pub(crate) fn rewrap(&mut self, number: u8, (epoch, wrapped): (i64, &[u8])) {
        let slot = self.slot(number).filter(|slot| slot.lives());
        let is_earlier = slot.is_some_and(|slot| self.living_key(number, slot).epoch < epoch);
        if is_earlier && wrapped.len() <= WRAPPED_MAX {
            self.put(number, (epoch, wrapped));
        }
    }

    /// Destroys a key; nothing of the wrapped key stays.
    pub(crate) fn destroy(&mut self, number: u8, at: Timestamp) {
        let slot = self.slots.get_mut(usize::from(number));
        if let Some(slot) = slot.and_then(Option::as_mut) {
            slot.destroyed_at = Some(at);
            self.put(number, (0, &[]));
        }
    }

    fn place(&self, slot: u8) -> KeyPlace {
        KeyPlace {
            page: self.page,
            slot,
        }
    }

    fn subject(&self, slot: &Slot) -> &str {
        self.subjects.get(slot.subject.clone()).unwrap_or_default()
    }

    fn describe(
        &mut self,
        number: u8,
        subject: &str,
        (made_at, destroyed_at): (Timestamp, Option<Timestamp>),
    ) {
        let start = self.subjects.len();
        self.subjects.push_str(subject);
        let slot = Slot {
            subject: start..self.subjects.len(),
            made_at,
            destroyed_at,
        };
        let place = usize::from(number);
        if self.slots.len() <= place {
            self.slots.resize(place + 1, None);
        }
        if let Some(empty) = self.slots.get_mut(place) {
            *empty = Some(slot);
        }
    }

    fn put(&mut self, number: u8, (epoch, wrapped): (i64, &[u8])) {
        let range = slot_range(number);
        let length = self.wrapped.len().max(range.end);
        self.wrapped.resize(length, 0);
        if let Some(slot) = self.wrapped.get_mut(range) {
            slot.fill(0);
            let (head, rest) = slot.split_at_mut(4);
            head.copy_from_slice(&u32::try_from(epoch).unwrap_or_default().to_be_bytes());
            let length = [u8::try_from(wrapped.len()).unwrap_or_default()];
            let said = length.iter().chain(wrapped);
            rest.iter_mut().zip(said).for_each(|(to, from)| *to = *from);
        }
    }

    /// What the columns beside the bytes say: oldest epoch of a living key, how many live, how many
    /// there are, since when the oldest living one is.
    fn counts(&self) -> (Option<i64>, i64, i64, Option<i64>) {
        let (mut epoch, mut living, mut keys, mut oldest) = (None, 0, 0, None);
        for (number, slot) in self.slots() {
            keys += 1;
            if slot.lives() {
                living += 1;
                let of = self.living_key(number, slot).epoch;
                epoch = Some(epoch.map_or(of, |least: i64| least.min(of)));
                let made_at = slot.made_at.micros();
                oldest = Some(oldest.map_or(made_at, |least: i64| least.min(made_at)));
            }
        }
        (epoch, living, keys, oldest)
    }

    fn owners(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.slots.len() * 48);
        for (number, slot) in self.slots() {
            bytes.extend([number, u8::from(slot.lives())]);
            put_number(&mut bytes, slot.made_at.micros());
            if let Some(at) = slot.destroyed_at {
                put_number(&mut bytes, at.micros());
            }
            put_short(&mut bytes, self.subject(slot).as_bytes());
        }
        bytes
    }

    fn fill(&mut self, wrapped: Vec<u8>, owners: &[u8]) -> Result<(), Error> {
        self.wrapped = wrapped;
        self.subjects.reserve(owners.len());
        let mut owners = Cursor(owners);
        while !owners.is_at_end() {
            let (number, lives) = (owners.byte()?, owners.byte()? == 1);
            let made_at = owners.time()?;
            let destroyed_at = (!lives).then(|| owners.time()).transpose()?;
            self.describe(number, owners.text()?, (made_at, destroyed_at));
        }
        match self.wrapped.len() == self.slots.len() * SLOT_BYTES {
            true => Ok(()),
            false => Err(Error::corrupt("a page has not as many keys as it says")),
        }
    }
}

impl fmt::Debug for KeyPage {
    /// Without the wrapped keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPage")
            .field("page", &self.page)
            .field("keys", &self.slots.len())
            .finish_non_exhaustive()
    }
}

impl Slot {
    fn lives(&self) -> bool {
        self.destroyed_at.is_none()
    }
}

/// Where a slot is among the wrapped keys.
fn slot_range(number: u8) -> Range<usize> {
    let start = usize::from(number) * SLOT_BYTES;
    start..start + SLOT_BYTES
}

/// Epoch and wrapped key of a slot as it is stored.
pub(super) fn unwrapped_slot(slot: &[u8]) -> Result<(i64, &[u8]), Error> {
    let mut slot = Cursor(slot);
    let epoch = slot.small()?;
    Ok((i64::from(epoch), slot.short()?))
}

impl Stored for KeyPage {
    const TABLE: &'static str = "vault_pages";
    const COLUMNS: &'static [&'static str] = &[
        "page",
        "tenant",
        "retention",
        "epoch",
        "living",
        "keys",
        "oldest",
        "wrapped",
        "owners",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        let mut page = Self::new(
            fields.take()?,
            fields.parsed(TenantId::parse)?,
            fields.take()?,
        );
        let counts = (
            fields.take()?,
            fields.take()?,
            fields.take()?,
            fields.take()?,
        );
        let (wrapped, owners): (Vec<u8>, Vec<u8>) = (fields.take()?, fields.take()?);
        page.fill(wrapped, &owners)?;
        match page.counts() == counts {
            true => Ok(page),
            false => Err(Error::corrupt(
                "a page does not hold as many keys as it says",
            )),
        }
    }
}

impl Insertable for KeyPage {
    fn bind<'q>(&'q self, query: AnyQuery<'q>) -> AnyQuery<'q> {
        let (epoch, living, keys, oldest) = self.counts();
        query
            .bind(self.page)
            .bind(self.tenant.as_str())
            .bind(self.retention.as_str())
            .bind(epoch)
            .bind(living)
            .bind(keys)
            .bind(oldest)
            .bind(self.wrapped.as_slice())
            .bind(self.owners())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(slot: u8, epoch: i64) -> VaultKeyRow {
        VaultKeyRow {
            key: KeyPlace { page: 7, slot },
            tenant: TenantId::parse("acme").unwrap(),
            subject: format!("person {slot}"),
            retention: "contract".to_owned(),
            made_at: Timestamp::from_micros(i64::from(slot)),
            destroyed_at: None,
            epoch,
            wrapped: vec![slot; WRAPPED_MAX],
        }
    }

    fn read_again(page: &KeyPage) -> KeyPage {
        let mut again = KeyPage::new(page.page, page.tenant.clone(), page.retention.clone());
        again.fill(page.wrapped.clone(), &page.owners()).unwrap();
        again
    }

    #[test]
    fn a_page_reads_as_it_was_written_whatever_happened_to_its_keys() {
        let mut page = KeyPage::new(7, key(0, 1).tenant, "contract".to_owned());
        for slot in (0..PAGE_KEYS).rev().filter(|slot| slot % 3 != 1) {
            assert!(page.add(&key(slot, 1)) && !page.add(&key(slot, 2)));
            assert!(read_again(&page).keys().eq(page.keys()), "{slot}");
        }
        page.destroy(2, Timestamp::from_micros(99));
        page.rewrap(2, (3, b"gone"));
        page.rewrap(3, (3, b"again"));
        page.rewrap(3, (2, b"late"));
        page.rewrap(1, (3, b"none"));
        let again = read_again(&page);
        assert!(again.keys().eq(page.keys()) && again.wrapped == page.wrapped);
        assert!(
            !page.wrapped.windows(5).any(|part| part == [2; 5]),
            "destroyed"
        );
        assert_eq!(again.key(2).unwrap().destroyed_at.unwrap().micros(), 99);
        assert_eq!(
            (
                again.key(3).unwrap().epoch,
                &again.key(3).unwrap().wrapped[..]
            ),
            (3, &b"again"[..])
        );
        assert!(again.key(1).is_none());
        assert_eq!(page.counts(), (Some(1), 20, 21, Some(0)));
    }

    #[test]
    fn what_is_cut_off_is_refused() {
        let mut page = KeyPage::new(7, key(0, 1).tenant, "contract".to_owned());
        page.add(&key(0, 1));
        let (wrapped, owners) = (page.wrapped.clone(), page.owners());
        for length in 1..owners.len() {
            let mut cut = KeyPage::new(7, page.tenant.clone(), page.retention.clone());
            assert!(
                cut.fill(wrapped.clone(), &owners[..length]).is_err(),
                "{length}"
            );
        }
    }
}
