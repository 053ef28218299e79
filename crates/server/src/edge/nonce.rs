//! Station: has this nonce been seen? Remembers just long enough that no signature passes twice.
//!
//! A signature is accepted from 300 seconds after its `created` down to 60 seconds before it, so a
//! nonce has to be remembered for 360 seconds. Two generations of keyed 64-bit hashes do that: when the
//! younger one is 360 seconds old it becomes the elder and the former elder is dropped whole. Only
//! nonces of verified signatures come here, so strangers cannot fill it.

use siphasher::sip::SipHasher13;
use std::{
    collections::HashSet,
    hash::{BuildHasherDefault, Hasher},
    sync::{Mutex, PoisonError},
};

/// How long a nonce is remembered at least, in microseconds.
pub const REMEMBERED_US: u64 = 360_000_000;
const SHARDS: usize = 16;

/// The nonces of verified signatures.
pub struct NonceStore {
    keys: (u64, u64),
    per_generation_max: usize,
    shards: [Mutex<Generations>; SHARDS],
}

/// What became of a nonce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Insert {
    /// Not seen before; now remembered.
    Fresh,
    /// Seen before: the message is a replay.
    Seen,
    /// There is no room to remember it, so it cannot be accepted.
    Full,
}

#[derive(Default)]
struct Generations {
    young: Hashes,
    elder: Hashes,
    young_since_us: u64,
}

type Hashes = HashSet<u64, BuildHasherDefault<Itself>>;

impl NonceStore {
    /// Room for `entries_max` nonces (about 20 bytes each at worst). `secret` keys the hash, so
    /// that nobody can choose nonces that collide: with four million remembered, one fresh nonce in
    /// 4.6 million million is taken for seen and its request refused.
    pub fn new(entries_max: usize, secret: [u8; 16]) -> Self {
        let keys = u128::from_le_bytes(secret);
        let keys = (keys as u64, (keys >> 64) as u64);
        Self {
            keys,
            per_generation_max: (entries_max / 2 / SHARDS).max(1),
            shards: std::array::from_fn(|_| Mutex::default()),
        }
    }

    /// Remembers the nonce of a verified signature, unless it was there.
    pub fn insert(&self, key_id: &str, nonce: &str, now_us: u64) -> Insert {
        let hash = self.hash(key_id, nonce);
        let shard = (hash >> 32) as usize % SHARDS;
        let mut generations = self.shards[shard]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        generations.turn(now_us);
        if generations.young.contains(&hash) || generations.elder.contains(&hash) {
            return Insert::Seen;
        }
        if generations.young.len() >= self.per_generation_max {
            return Insert::Full;
        }
        generations.young.insert(hash);
        Insert::Fresh
    }

    /// How many nonces are remembered.
    pub fn len(&self) -> usize {
        let count = |shard: &Mutex<Generations>| {
            let generations = shard.lock().unwrap_or_else(PoisonError::into_inner);
            generations.young.len() + generations.elder.len()
        };
        self.shards.iter().map(count).sum()
    }

    fn hash(&self, key_id: &str, nonce: &str) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.keys.0, self.keys.1);
        hasher.write_usize(key_id.len());
        hasher.write(key_id.as_bytes());
        hasher.write(nonce.as_bytes());
        hasher.finish()
    }
}

impl Generations {
    fn turn(&mut self, now_us: u64) {
        let age_us = now_us.saturating_sub(self.young_since_us);
        if age_us < REMEMBERED_US {
            return;
        }
        self.elder = std::mem::take(&mut self.young);
        if age_us >= 2 * REMEMBERED_US {
            self.elder.clear();
        }
        self.young_since_us = now_us;
    }
}

/// The values are hashes already.
#[derive(Default)]
struct Itself(u64);

impl Hasher for Itself {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_passes_once_per_key_and_is_remembered_through_one_turn() {
        let store = NonceStore::new(1_000, [7; 16]);
        assert_eq!(store.insert("a", "n", 0), Insert::Fresh);
        assert_eq!(store.insert("a", "n", 1), Insert::Seen);
        assert_eq!(store.insert("b", "n", 1), Insert::Fresh);
        assert_eq!(store.insert("an", "", 1), Insert::Fresh);
        assert_eq!(store.insert("a", "n", REMEMBERED_US), Insert::Seen);
        assert_eq!(store.insert("a", "n", 2 * REMEMBERED_US - 1), Insert::Seen);
        assert_eq!(store.insert("a", "n", 2 * REMEMBERED_US), Insert::Fresh);
    }

    #[test]
    fn a_full_store_refuses_and_has_room_again_after_the_window() {
        let store = NonceStore::new(64, [1; 16]);
        let results: Vec<_> = (0..1_000)
            .map(|n| store.insert("a", &n.to_string(), 0))
            .collect();
        assert!(results.contains(&Insert::Full));
        assert!(store.len() <= 64);
        let full = results
            .iter()
            .position(|result| *result == Insert::Full)
            .unwrap();
        assert_eq!(
            store.insert("a", &full.to_string(), REMEMBERED_US),
            Insert::Fresh
        );
    }
}
