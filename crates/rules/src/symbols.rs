//! Symbols: texts and numbers as 64-bit integers that keep their order or their identity.

use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasherDefault, Hasher},
};

/// The symbol of every text that no rule names.
pub(crate) const UNNAMED: i64 = -1;

/// A map keyed by what rules say, never by what callers send: a quick hash is safe.
pub(crate) type QuickMap<K, V> = HashMap<K, V, BuildHasherDefault<Quick>>;

/// The texts that rules compare with. Texts of payments are looked up, never added.
#[derive(Debug, Clone, Default)]
pub(crate) struct Symbols(QuickMap<Box<str>, i64>);

impl Symbols {
    /// The symbol of a constant, a new one if it has none yet.
    pub(crate) fn name(&mut self, text: &str) -> i64 {
        if let Some(symbol) = self.0.get(text) {
            return *symbol;
        }
        let symbol = self.0.len() as i64;
        self.0.insert(text.into(), symbol);
        symbol
    }

    /// The symbol of any text.
    pub(crate) fn of(&self, text: &str) -> i64 {
        self.0.get(text).copied().unwrap_or(UNNAMED)
    }
}

/// A number that is not NaN as an integer of the same order; both zeros are one.
pub(crate) fn ordered(number: f64) -> i64 {
    let bits = (number + 0.0).to_bits() as i64;
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

/// A multiplicative hash over eight bytes at a time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Quick(u64);

impl Quick {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

    fn mix(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(Self::FACTOR);
    }
}

impl Hasher for Quick {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            self.mix(word.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)));
        }
        let rest = words.remainder();
        let word = rest.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        self.mix(word ^ (rest.len() as u64) << 56);
    }

    fn write_u8(&mut self, number: u8) {
        self.mix(u64::from(number));
    }

    fn write_u32(&mut self, number: u32) {
        self.mix(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.mix(number);
    }

    fn write_usize(&mut self, number: usize) {
        self.mix(number as u64);
    }

    fn write_i64(&mut self, number: i64) {
        self.mix(number as u64);
    }
}

/// Hashes a tree by its debug form, which equal trees share.
pub(crate) fn shape_hash(tree: &impl fmt::Debug) -> u64 {
    struct Writer(Quick);
    impl fmt::Write for Writer {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.write(text.as_bytes());
            Ok(())
        }
    }
    let mut writer = Writer(Quick::default());
    // Writing to a hash cannot fail.
    let _ = fmt::Write::write_fmt(&mut writer, format_args!("{tree:?}"));
    writer.0.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_keep_the_order_of_numbers() {
        let numbers = [
            f64::NEG_INFINITY,
            f64::MIN,
            -1.5,
            -f64::MIN_POSITIVE,
            0.0,
            5e-324,
            1.0,
            1.0 + f64::EPSILON,
            f64::MAX,
            f64::INFINITY,
        ];
        for pair in numbers.windows(2) {
            assert!(ordered(pair[0]) < ordered(pair[1]), "{pair:?}");
        }
        assert_eq!(ordered(-0.0), ordered(0.0));
        assert_eq!(ordered(5e-324), ordered(0.0) + 1);
    }

    #[test]
    fn texts_of_payments_get_no_symbol() {
        let mut symbols = Symbols::default();
        let first = symbols.name("a");
        assert_eq!((symbols.name("a"), symbols.name("b")), (first, first + 1));
        assert_eq!((symbols.of("b"), symbols.of("c")), (first + 1, UNNAMED));
    }
}
