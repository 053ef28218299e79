//! What the decisions of a block name, as bytes.
//!
//! ```text
//! decisions u32, names u32, then without gaps
//! numbers   i64 each decision, ascending
//! names     u64 each, ascending
//! ends      u32 each name: where its places end, behind those of the names before it
//! places    u16 each: which decisions they are, ascending
//! ```
//!
//! Numbers are little-endian. A name is found by halving; nothing is decoded that is not asked for.

use crate::Error;
use std::collections::BTreeMap;

/// A block, as it is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block<'b> {
    numbers: &'b [[u8; 8]],
    names: &'b [[u8; 8]],
    ends: &'b [[u8; 4]],
    places: &'b [[u8; 2]],
}

impl<'b> Block<'b> {
    /// The bytes of some decisions in the order of their numbers, with what each names. At most 65,536.
    pub(super) fn encode(decisions: &[(i64, Vec<u64>)]) -> Vec<u8> {
        let mut places: BTreeMap<u64, Vec<u16>> = BTreeMap::new();
        for (place, (_, names)) in (0..=u16::MAX).zip(decisions) {
            for name in names {
                let places = places.entry(*name).or_default();
                if places.last() != Some(&place) {
                    places.push(place);
                }
            }
        }
        let mut bytes = Vec::new();
        for count in [decisions.len(), places.len()] {
            bytes.extend_from_slice(&(count as u32).to_le_bytes());
        }
        decisions
            .iter()
            .for_each(|(number, _)| bytes.extend_from_slice(&number.to_le_bytes()));
        places
            .keys()
            .for_each(|name| bytes.extend_from_slice(&name.to_le_bytes()));
        let mut end = 0_u32;
        for places in places.values() {
            end += places.len() as u32;
            bytes.extend_from_slice(&end.to_le_bytes());
        }
        let places = places.values().flatten();
        places.for_each(|place| bytes.extend_from_slice(&place.to_le_bytes()));
        bytes
    }

    /// The block of these bytes.
    pub(super) fn decode(bytes: &'b [u8]) -> Result<Self, Error> {
        let damaged = || Error::RecordDamaged("what a block names".to_owned());
        let read = || {
            let (counts, rest) = bytes.split_at_checked(8)?;
            let (counts, _) = counts.as_chunks::<4>();
            let count = |place: usize| Some(u32::from_le_bytes(*counts.get(place)?) as usize);
            let (decisions, names) = (count(0)?, count(1)?);
            let (numbers, rest) = rest.split_at_checked(decisions.checked_mul(8)?)?;
            let (ids, rest) = rest.split_at_checked(names.checked_mul(8)?)?;
            let (ends, rest) = rest.split_at_checked(names.checked_mul(4)?)?;
            let (places, left) = rest.as_chunks();
            left.is_empty().then_some(Self {
                numbers: numbers.as_chunks().0,
                names: ids.as_chunks().0,
                ends: ends.as_chunks().0,
                places,
            })
        };
        read().ok_or_else(damaged)
    }

    /// The numbers of the decisions that name one of each of these, the last first.
    pub(super) fn naming(&self, wanted: &[Vec<u64>]) -> Vec<i64> {
        let mut left = vec![true; self.numbers.len()];
        for any in wanted {
            let mut named = vec![false; left.len()];
            for place in any.iter().flat_map(|name| self.places(*name)) {
                if let Some(named) = named.get_mut(usize::from(place)) {
                    *named = true;
                }
            }
            for (left, named) in left.iter_mut().zip(named) {
                *left &= named;
            }
        }
        let numbers = self.numbers.iter().map(|bytes| i64::from_le_bytes(*bytes));
        let found = numbers.zip(left).filter(|(_, left)| *left).rev();
        found.map(|(number, _)| number).collect()
    }

    /// The places of the decisions that name this.
    fn places(&self, name: u64) -> impl Iterator<Item = u16> + use<'b> {
        let found = self
            .names
            .binary_search_by_key(&name, |bytes| u64::from_le_bytes(*bytes));
        let end = |place: usize| {
            self.ends
                .get(place)
                .map(|end| u32::from_le_bytes(*end) as usize)
        };
        let range = found.ok().and_then(|place| {
            let start = place.checked_sub(1).map_or(Some(0), end)?;
            self.places.get(start..end(place)?)
        });
        let places = range.unwrap_or_default().iter();
        places.map(|place| u16::from_le_bytes(*place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_block_answers_as_looking_at_all_of_it(
            decisions in prop::collection::vec(prop::collection::vec(0_u64..12, 0..9), 0..40),
            wanted in prop::collection::vec(prop::collection::vec(0_u64..14, 0..3), 0..3),
        ) {
            // Names that differ by their high bytes too.
            let wide = |names: &Vec<u64>| -> Vec<u64> {
                names.iter().map(|name| name << 59 | name).collect()
            };
            let numbered = (7..).step_by(3).zip(&decisions);
            let decisions: Vec<_> = numbered.map(|(number, names)| (number, wide(names))).collect();
            let wanted: Vec<Vec<u64>> = wanted.iter().map(wide).collect();
            let bytes = Block::encode(&decisions);
            let holds = |names: &Vec<u64>| {
                wanted.iter().all(|any| any.iter().any(|name| names.contains(name)))
            };
            let expected = decisions.iter().rev().filter(|(_, names)| holds(names));
            let expected: Vec<i64> = expected.map(|(number, _)| *number).collect();
            prop_assert_eq!(Block::decode(&bytes).unwrap().naming(&wanted), expected);
        }

        #[test]
        fn damaged_bytes_are_refused_or_answer_something(
            bytes in prop::collection::vec(any::<u8>(), 0..60),
            cut in 0_usize..80,
        ) {
            let whole = Block::encode(&[(1, vec![5, 6]), (2, vec![5])]);
            for bytes in [&bytes, &whole[..cut.min(whole.len())].to_vec()] {
                if let Ok(block) = Block::decode(bytes) {
                    block.naming(&[vec![5, 6]]);
                }
            }
        }
    }
}
