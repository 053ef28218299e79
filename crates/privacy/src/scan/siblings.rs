//! Numbers in the same place of one source: under one name, or in one column, equally long.
//!
//! One in ten numbers passes the Luhn check by chance, every card number does. So a column of order
//! numbers shows what it is after some rows, whatever single rows look like.

use super::{Evidence, context};
use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

/// Places of one source that are told apart; in further ones numbers stand for themselves.
const PLACES_MAX: usize = 4_096;
/// Numbers that a place needs before it says something against one.
const ENOUGH_AGAINST: u32 = 8;
/// Numbers that a place needs before it says something for one.
const ENOUGH_FOR: u32 = 5;

/// Where a number stands, and how long it is, as one hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Place(u64);

impl Place {
    /// Of digits that stand here.
    pub(super) fn of(text: &[u8], start: usize, digits: &[u8]) -> Self {
        Self::new(context::place(text, start), digits)
    }

    /// Of digits in this place.
    pub(super) fn new(of: u64, digits: &[u8]) -> Self {
        Self((of.rotate_left(32) ^ digits.len() as u64).wrapping_mul(context::MIX))
    }
}

/// How many numbers of each place there are, and how many of them pass the check.
#[derive(Default)]
pub(super) struct Siblings(HashMap<Place, (u32, u32), BuildHasherDefault<Mixed>>);

/// Takes a place for its hash.
#[derive(Default)]
struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64((*byte).into()));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

impl Siblings {
    /// Counts a number.
    pub(super) fn count(&mut self, place: Place, passes: bool) {
        if self.0.len() >= PLACES_MAX && !self.0.contains_key(&place) {
            return;
        }
        let (all, passing) = self.0.entry(place).or_default();
        *all = all.saturating_add(1);
        *passing = passing.saturating_add(passes.into());
    }

    /// What a finding weighs, with what its siblings say.
    pub(super) fn weigh(&self, evidence: &Evidence) -> Evidence {
        let counted = evidence.place.and_then(|place| self.0.get(&place));
        let Some(&(all, passing)) = counted else {
            return *evidence;
        };
        let (all, passing) = (u64::from(all), u64::from(passing));
        let says = match () {
            () if all >= ENOUGH_AGAINST.into() && 2 * passing < all => -40,
            () if all >= ENOUGH_FOR.into() && 10 * passing >= 9 * all => 20,
            () => 0,
        };
        Evidence {
            weight: evidence.weight + says,
            ..*evidence
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_says_what_its_numbers_are() {
        let place = |of| Place::new(of, &[b'1'; 16]);
        let mut siblings = Siblings::default();
        for number in 0..100 {
            siblings.count(place(1), number % 10 == 0);
            siblings.count(place(2), true);
            siblings.count(place(3), number % 10 < 7);
        }
        siblings.count(place(4), false);
        let weigh = |of| {
            let evidence = Evidence {
                weight: 70,
                place: Some(place(of)),
            };
            siblings.weigh(&evidence).weight
        };
        assert_eq!([1, 2, 3, 4, 5].map(weigh), [30, 90, 70, 70, 70]);
        assert_eq!(siblings.weigh(&Evidence::new(70)).weight, 70);
    }

    #[test]
    fn places_are_limited() {
        let mut siblings = Siblings::default();
        for of in 0..2 * PLACES_MAX as u64 {
            siblings.count(Place::new(of, b"1"), true);
        }
        assert_eq!(siblings.0.len(), PLACES_MAX);
    }
}
