//! What the feature store keeps of an event, and its compact byte form for the journal.

use crate::entity::{ENTITY_KINDS, EntityKind};
use crate::{Error, Set};
use paywarden_domain::EventKind;

/// The format of [`FeatureEvent::encode`].
const FORMAT: u8 = 1;
const HAS_AMOUNT: u16 = 1 << 11;
const HAS_COUNTRY: u16 = 1 << 12;
const HAS_MCC: u16 = 1 << 13;
const HAS_PLACE: u16 = 1 << 14;
/// The kinds of entity whose bits come before those; the bits of the others come behind.
const KINDS_BEFORE: usize = 11;
const KINDS_SHIFT: usize = 4;
const _: () = assert!(ENTITY_KINDS + KINDS_SHIFT == u16::BITS as usize);

/// Where an event happened: latitude and longitude in millionths of a degree, north and east
/// positive (WGS 84).
pub type Place = (i32, i32);

/// One event, reduced to what windows need. Entities are keyed hashes: nothing personal is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeatureEvent {
    /// When it happened at the caller, in microseconds since 1970. The caller of the store refuses
    /// times in the future beforehand.
    pub at: i64,
    /// The amount in minor units of the base currency; `i64::MIN` is read as none.
    pub amount: Option<i64>,
    /// What happened.
    pub kind: EventKind,
    /// The country, by `Country::number`; 0 for none.
    pub country: u16,
    /// The merchant category code as a number; 0 for none.
    pub mcc: u16,
    /// Where it happened, if known.
    pub place: Option<Place>,
    /// The keyed hash of each entity, by the order of [`EntityKind::ALL`]; 0 for none. Equal
    /// entities of one tenant have equal hashes, those of different tenants different ones. An
    /// account has the same hash as payer's account and as payee.
    pub entities: [u64; ENTITY_KINDS],
}

impl FeatureEvent {
    /// An event of this kind at this time, with nothing else known.
    pub fn new(kind: EventKind, at: i64) -> Self {
        Self {
            at,
            amount: None,
            kind,
            country: 0,
            mcc: 0,
            place: None,
            entities: [0; ENTITY_KINDS],
        }
    }

    /// The keyed hash of its entity of this kind; 0 for none.
    pub fn entity(&self, kind: EntityKind) -> u64 {
        self.entities[kind as usize]
    }

    /// The kinds of entity that it has.
    pub fn present(&self) -> Set<EntityKind> {
        EntityKind::ALL
            .into_iter()
            .filter(|kind| self.entity(*kind) != 0)
            .collect()
    }

    /// Its byte form: format, parts present, kind, time, then the parts present. 12 to 128 bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(128);
        self.encode_into(&mut bytes);
        bytes
    }

    /// Appends the byte form.
    pub(crate) fn encode_into(&self, bytes: &mut Vec<u8>) {
        let amount = self.amount.filter(|amount| *amount != i64::MIN);
        let flag = |present: bool, flag: u16| if present { flag } else { 0 };
        let entities = self.entities.into_iter().enumerate();
        let present = entities.filter(|(_, hash)| *hash != 0);
        let parts = present.fold(0, |parts, (place, _)| parts | bit(place))
            | flag(amount.is_some(), HAS_AMOUNT)
            | flag(self.country != 0, HAS_COUNTRY)
            | flag(self.mcc != 0, HAS_MCC)
            | flag(self.place.is_some(), HAS_PLACE);
        bytes.push(FORMAT);
        bytes.extend_from_slice(&parts.to_le_bytes());
        bytes.push(self.kind as u8);
        bytes.extend_from_slice(&self.at.to_le_bytes());
        if let Some(amount) = amount {
            bytes.extend_from_slice(&amount.to_le_bytes());
        }
        for number in [self.country, self.mcc]
            .into_iter()
            .filter(|number| *number != 0)
        {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        if let Some((latitude, longitude)) = self.place {
            bytes.extend_from_slice(&latitude.to_le_bytes());
            bytes.extend_from_slice(&longitude.to_le_bytes());
        }
        for hash in self.entities.into_iter().filter(|hash| *hash != 0) {
            bytes.extend_from_slice(&hash.to_le_bytes());
        }
    }

    /// Reads exactly what [`FeatureEvent::encode`] wrote; anything else is an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut rest = bytes;
        let event = Self::decode_from(&mut rest)?;
        if rest.is_empty() {
            Ok(event)
        } else {
            Err(Error::Damaged("event has trailing bytes"))
        }
    }

    /// Reads one event from the front of `bytes`.
    pub(crate) fn decode_from(bytes: &mut &[u8]) -> Result<Self, Error> {
        let [format] = take(bytes)?;
        if format != FORMAT {
            return Err(Error::Format {
                found: format,
                expected: FORMAT,
            });
        }
        let parts = u16::from_le_bytes(take(bytes)?);
        let [kind] = take(bytes)?;
        let kind = EventKind::from_number(kind).ok_or(Error::Damaged("event kind is unknown"))?;
        let mut event = Self::new(kind, i64::from_le_bytes(take(bytes)?));
        if parts & HAS_AMOUNT != 0 {
            let amount = i64::from_le_bytes(take(bytes)?);
            event.amount = Some(amount).filter(|amount| *amount != i64::MIN);
            event.amount.ok_or(ZERO_PART)?;
        }
        for (flag, number) in [(HAS_COUNTRY, &mut event.country), (HAS_MCC, &mut event.mcc)] {
            if parts & flag != 0 {
                *number = Some(u16::from_le_bytes(take(bytes)?))
                    .filter(|n| *n != 0)
                    .ok_or(ZERO_PART)?;
            }
        }
        if parts & HAS_PLACE != 0 {
            let latitude = i32::from_le_bytes(take(bytes)?);
            event.place = Some((latitude, i32::from_le_bytes(take(bytes)?)));
        }
        for (place, hash) in event.entities.iter_mut().enumerate() {
            if parts & bit(place) != 0 {
                *hash = Some(u64::from_le_bytes(take(bytes)?))
                    .filter(|h| *h != 0)
                    .ok_or(ZERO_PART)?;
            }
        }
        Ok(event)
    }
}

/// The bit that says whether an entity of this kind is there.
fn bit(place: usize) -> u16 {
    match place < KINDS_BEFORE {
        true => 1 << place,
        false => 1 << (place + KINDS_SHIFT),
    }
}

const ZERO_PART: Error = Error::Damaged("event has a part that stands for absence");

/// Takes the first bytes off the front.
pub(crate) fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], Error> {
    let (head, rest) = bytes
        .split_first_chunk()
        .ok_or(Error::Damaged("bytes end too early"))?;
    *bytes = rest;
    Ok(*head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    prop_compose! {
        fn events()(
            at in any::<i64>(),
            amount in any::<Option<i64>>(),
            kind in 0..EventKind::ALL.len(),
            (country, mcc) in (0u16..3, any::<u16>()),
            place in any::<Option<(i32, i32)>>(),
            entities in proptest::array::uniform12(0u64..3),
        ) -> FeatureEvent {
            let amount = amount.filter(|amount| *amount != i64::MIN);
            FeatureEvent { at, amount, kind: EventKind::ALL[kind], country, mcc, place, entities }
        }
    }

    proptest! {
        #[test]
        fn bytes_round_trip_and_every_cut_is_refused(event in events()) {
            let bytes = event.encode();
            prop_assert_eq!(FeatureEvent::decode(&bytes).unwrap(), event);
            for length in 0..bytes.len() {
                prop_assert!(FeatureEvent::decode(&bytes[..length]).is_err());
            }
        }

        #[test]
        fn hostile_bytes_are_refused_or_canonical(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..130),
            format in 0u8..3,
        ) {
            if let Some(first) = bytes.first_mut() {
                *first = format;
            }
            if let Ok(event) = FeatureEvent::decode(&bytes) {
                prop_assert_eq!(event.encode(), bytes);
            }
        }
    }
}
