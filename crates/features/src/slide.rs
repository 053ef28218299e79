//! Different values of a moving window, for entities with too many events to look at each time.
//!
//! The window keeps how often each value occurs between its two edges. Moving it costs one step for
//! each event that an edge passes, in either direction, so that late events are exact too.

use hashbrown::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// The values between two edges.
#[derive(Debug)]
pub(crate) struct Slide {
    /// Events at this time and before are outside.
    pub after: i64,
    /// Events at this time are inside, later ones outside.
    pub until: i64,
    counts: HashMap<u32, u32, BuildHasherDefault<Spread>>,
}

/// What happens to the value of an event that an edge passes.
pub(crate) type Step = fn(&mut Slide, u32);

impl Slide {
    pub(crate) fn new() -> Self {
        Self {
            after: i64::MIN,
            until: i64::MIN,
            counts: HashMap::default(),
        }
    }

    /// Moves the edges. Returns the stretches of time that leave or enter by it: after the first
    /// time, until the second. A stretch that ends before it begins is empty.
    pub(crate) fn shift(&mut self, after: i64, until: i64) -> [(i64, i64, Step); 4] {
        let (mut old_after, mut old_until) = (self.after, self.until);
        if old_until <= after || until <= old_after {
            self.counts = HashMap::default();
            (old_after, old_until) = (after, after);
        }
        (self.after, self.until) = (after, until);
        [
            (old_after, after, Self::remove),
            (until, old_until, Self::remove),
            (after, old_after, Self::add),
            (old_until, until, Self::add),
        ]
    }

    pub(crate) fn covers(&self, at: i64) -> bool {
        self.after < at && at <= self.until
    }

    pub(crate) fn add(&mut self, value: u32) {
        *self.counts.entry(value).or_insert(0) += 1;
    }

    pub(crate) fn remove(&mut self, value: u32) {
        if let hashbrown::hash_map::Entry::Occupied(mut entry) = self.counts.entry(value) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }

    /// How many different values there are.
    pub(crate) fn len(&self) -> usize {
        self.counts.len()
    }

    pub(crate) fn contains(&self, value: u32) -> bool {
        self.counts.contains_key(&value)
    }
}

/// Spreads small numbers over 64 bits. Values are numbers of entities, which this crate gives out
/// itself, or have 16 bits: nobody outside can choose many that collide.
#[derive(Debug, Default)]
pub(crate) struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes
            .iter()
            .for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        let product = u128::from(self.0 ^ number) * 0x9e37_79b9_7f4a_7c15;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }
}
