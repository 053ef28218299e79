//! Every token of the lists once, found as it is, by sound, and with letters wrong.

use super::leads;
use crate::{compare::Part, compare::nearness, name::Token, word::Word};
use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

/// Tokens shorter than this are found as they are or by sound only.
const DELETE_LETTERS_MIN: usize = 3;
/// From this length on two letters may be wrong.
const TWO_DELETES_LETTERS_MIN: usize = 7;
/// Near tokens that are followed for one token asked about.
pub(super) const NEAR_MAX: usize = 48;
/// Keys of most tokens: of eleven letters at most.
const KEYS: usize = 64;
/// What is less near is another word.
pub(super) const NEAR_MIN: f32 = 0.6;

/// The dictionary.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    tokens: Vec<Token>,
    rarity: Vec<f32>,
    exact: HashMap<Word<31>, u32, BuildHasherDefault<Folded>>,
    /// Tokens by hash of their sound and of what is left when letters are taken out.
    near: Postings,
}

/// A token of the dictionary that is near the one asked about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Near {
    pub(super) token: u32,
    pub(super) near: f32,
}

impl Dictionary {
    /// The number of a token, new or known.
    pub(super) fn enter(&mut self, token: Token) -> u32 {
        let next = self.tokens.len() as u32;
        let number = *self.exact.entry(token.text).or_insert(next);
        if number == next {
            self.tokens.push(token);
        }
        number
    }

    pub(super) fn len(&self) -> usize {
        self.tokens.len()
    }

    pub(super) fn token(&self, number: u32) -> &Token {
        &self.tokens[number as usize]
    }

    /// How much a token tells, 0 to 1: its inverse document frequency, scaled to what a token has
    /// that one name bears.
    pub(super) fn rarity(&self, number: u32) -> f32 {
        self.rarity[number as usize]
    }

    /// Weight of a token in a comparison: a frequent one tells less, but a name proper never so
    /// little that its difference goes unseen.
    pub(super) fn weight(&self, number: u32) -> f32 {
        self.token(number).weight() * (0.6 + 0.4 * self.rarity(number))
    }

    pub(super) fn exact(&self, text: &Word<31>) -> Option<u32> {
        self.exact.get(text).copied()
    }

    /// Knows how many names bear each token, and can be asked from now on.
    pub(super) fn finish(&mut self, counts: &[u32], names: usize) {
        let most = (names.max(2) as f32).ln();
        let rarity = |&count: &u32| (1.0 - (count.max(1) as f32).ln() / most).clamp(0.0, 1.0);
        self.rarity = counts.iter().map(rarity).collect();
        let mut pairs = Vec::new();
        for (number, token) in self.tokens.iter().enumerate() {
            if leads(token.role) {
                keys(token, |key| pairs.push((key, number as u32)));
            }
        }
        self.near = Postings::new(pairs);
    }

    /// Tokens near one, the nearest first, at most [`NEAR_MAX`].
    pub(super) fn near(&self, part: &Part, found: &mut Vec<Near>) {
        found.clear();
        let mut numbers: Vec<u32> = self.exact(&part.token.text).into_iter().collect();
        let mut asked = Vec::with_capacity(KEYS);
        keys(&part.token, |key| asked.push(key));
        // With nothing else between one look and the next, the processor waits for many at once.
        asked.retain(|key| self.near.may_have(*key));
        for key in asked {
            numbers.extend_from_slice(self.near.of(key));
        }
        numbers.sort_unstable();
        numbers.dedup();
        let near = |token: u32| nearness(part, self.token(token)).near;
        let all = numbers.into_iter().map(|token| Near {
            token,
            near: near(token),
        });
        found.extend(all.filter(|near| near.near >= NEAR_MIN));
        if found.len() > NEAR_MAX {
            found.select_nth_unstable_by(NEAR_MAX, |a, b| b.near.total_cmp(&a.near));
            found.truncate(NEAR_MAX);
        }
    }
}

/// Keys under which a token is found: its sound, itself, and itself with one letter, in long tokens
/// two, taken out (W. Garbe, symmetric delete spelling correction, 2012).
fn keys(token: &Token, mut key: impl FnMut(u64)) {
    let text = token.text.text();
    if token.sound.len() >= 2 {
        key(hash(token.sound.text(), 1));
    }
    if text.len() < DELETE_LETTERS_MIN {
        return;
    }
    key(hash(text, 2));
    for skipped in 0..text.len() {
        // Equal neighbours leave the same behind.
        if skipped > 0 && text[skipped] == text[skipped - 1] {
            continue;
        }
        let mut one = [0; 31];
        let length = without(text, skipped, &mut one);
        key(hash(&one[..length], 2));
        if text.len() < TWO_DELETES_LETTERS_MIN {
            continue;
        }
        for again in skipped..length {
            let mut two = [0; 31];
            let length = without(&one[..length], again, &mut two);
            key(hash(&two[..length], 2));
        }
    }
}

fn without(text: &[u8], skipped: usize, into: &mut [u8; 31]) -> usize {
    into[..skipped].copy_from_slice(&text[..skipped]);
    into[skipped..text.len() - 1].copy_from_slice(&text[skipped + 1..]);
    text.len() - 1
}

/// A multiply-and-fold hash; what collides is compared anyhow.
fn hash(text: &[u8], salt: u64) -> u64 {
    let mut hash = salt.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    for chunk in text.chunks(8) {
        let mut bytes = [0; 8];
        bytes[..chunk.len()].copy_from_slice(chunk);
        let product = u128::from(hash ^ u64::from_le_bytes(bytes)) * 0xD6E8_FEB8_6659_FD93;
        hash = (product as u64) ^ (product >> 64) as u64 ^ text.len() as u64;
    }
    hash
}

/// Words of 64 bits that say which keys are there: 1 MiB.
const THERE_WORDS: usize = 1 << 17;

/// Where the bit of a key stands.
fn place(key: u64) -> (usize, u64) {
    ((key >> 47) as usize, 1 << ((key >> 41) & 63))
}

/// Numbers by key, in one piece.
#[derive(Debug, Default)]
struct Postings {
    /// One bit for each key, by its first bits: most keys asked for are not there, and this says so
    /// without a look at the table, which no cache holds.
    there: Vec<u64>,
    ranges: HashMap<u64, (u32, u32), BuildHasherDefault<Folded>>,
    numbers: Vec<u32>,
}

impl Postings {
    fn new(mut pairs: Vec<(u64, u32)>) -> Self {
        pairs.sort_unstable();
        pairs.dedup();
        let mut ranges: HashMap<_, _, _> = HashMap::default();
        let mut there = vec![0; THERE_WORDS];
        let mut from = 0;
        for group in pairs.chunk_by(|a, b| a.0 == b.0) {
            let (word, bit) = place(group[0].0);
            there[word] |= bit;
            let to = from + group.len() as u32;
            ranges.insert(group[0].0, (from, to));
            from = to;
        }
        let numbers = pairs.into_iter().map(|(_, number)| number).collect();
        Self {
            there,
            ranges,
            numbers,
        }
    }

    fn may_have(&self, key: u64) -> bool {
        let (word, bit) = place(key);
        self.there.get(word).is_some_and(|bits| bits & bit != 0)
    }

    fn of(&self, key: u64) -> &[u32] {
        let range = self.ranges.get(&key);
        range.map_or(&[], |&(from, to)| &self.numbers[from as usize..to as usize])
    }
}

/// Of letters the hash above; of keys, which are hashes already, themselves.
#[derive(Debug, Default, Clone, Copy)]
struct Folded(u64);

impl Hasher for Folded {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = hash(bytes, self.0);
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}
