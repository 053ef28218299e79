//! The primary account number, in the only type that may hold it in clear.

use crate::Invalid;
use serde::{Deserialize, Deserializer, de};
use std::fmt;
use zeroize::Zeroize;

/// A clear primary account number of 12 to 19 digits that passes the Luhn check (ISO/IEC 7812-1).
///
/// *Invariant*: it has no `Debug`, no `Display` and no `Serialize`, and its digits are zeroed when
/// it is dropped. Only the parser in front of the vault makes one and only the vault reads it.
pub struct Pan(Box<str>);

impl Pan {
    /// Reads digits, allowing the spaces and hyphens that people type between groups.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let mut digits = String::with_capacity(19);
        for character in text.chars() {
            match character {
                '0'..='9' if digits.len() < 19 => digits.push(character),
                ' ' | '-' => {}
                _ => {
                    digits.zeroize();
                    return Err(malformed());
                }
            }
        }
        let pan = Self(digits.into_boxed_str());
        if pan.0.len() < 12 {
            return Err(malformed());
        }
        if !luhn(pan.0.as_bytes()) {
            return Err(Invalid::new(
                "card_number_luhn",
                "the card number fails the Luhn check: a digit is mistyped",
            ));
        }
        Ok(pan)
    }

    /// The digits, for the vault alone.
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// The issuer identification: eight digits of a card number of 16 or more, else six, so that
    /// together with the last four at least four digits stay hidden (PCI DSS 3.4.1).
    pub fn bin(&self) -> &str {
        let length = if self.0.len() >= 16 { 8 } else { 6 };
        &self.0[..length]
    }

    /// The last four digits.
    pub fn last_four(&self) -> &str {
        &self.0[self.0.len() - 4..]
    }
}

impl Drop for Pan {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

fn malformed() -> Invalid {
    Invalid::new(
        "card_number_malformed",
        "a card number has 12 to 19 digits and nothing else",
    )
}

/// The Luhn check (ISO/IEC 7812-1, annex B) over ASCII digits, eight at a time in one word.
#[inline]
pub fn luhn(digits: &[u8]) -> bool {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    /// Every second digit from the right, which counts twice.
    const TWICE: u64 = 0xFF00_FF00_FF00_FF00;
    /// Added to a byte sets its high bit if it was ten or more.
    const TEN: u64 = 0x7676_7676_7676_7676;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    const GATHER: u64 = 0x0101_0101_0101_0101;
    let sum_of = |word: u64| {
        let values = word ^ ZEROS;
        let twice = (values & TWICE) << 1;
        let carries = (twice.wrapping_add(TEN) & HIGH) >> 7;
        let sums = (values & !TWICE)
            .wrapping_add(twice)
            .wrapping_sub(carries.wrapping_mul(9));
        sums.wrapping_mul(GATHER) >> 56
    };
    let (head, words) = digits.as_rchunks::<8>();
    let head = head
        .iter()
        .fold(ZEROS, |word, digit| (word << 8) | u64::from(*digit));
    let sum = words.iter().fold(sum_of(head), |sum, word| {
        sum + sum_of(u64::from_be_bytes(*word))
    });
    sum.is_multiple_of(10)
}

impl<'de> Deserialize<'de> for Pan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Digits;
        impl de::Visitor<'_> for Digits {
            type Value = Pan;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a card number as a string")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Pan, E> {
                Pan::parse(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn eight_digits_at_a_time_are_checked_as_one_at_a_time(number in "[0-9]{0,40}") {
            let of = |(place, digit): (usize, char)| match (digit.to_digit(10).unwrap(), place % 2) {
                (value, 0) => value,
                (value, _) => 2 * value / 10 + 2 * value % 10,
            };
            let sum: u32 = number.chars().rev().enumerate().map(of).sum();
            prop_assert_eq!(luhn(number.as_bytes()), sum.is_multiple_of(10));
        }
    }

    #[test]
    fn accepts_scheme_test_numbers_and_shows_only_their_ends() {
        for number in [
            "4111 1111 1111 1111",
            "5555-5555-5555-4444",
            "378282246310005",
        ] {
            let pan = Pan::parse(number).unwrap();
            assert!(pan.digits().len() - pan.bin().len() - pan.last_four().len() >= 4);
        }
    }

    #[test]
    fn refuses_with_a_code_and_without_the_number() {
        for (number, code) in [
            ("4111111111111112", "card_number_luhn"),
            ("4111", "card_number_malformed"),
            ("41111111111111111111111", "card_number_malformed"),
            ("4111x11111111111", "card_number_malformed"),
        ] {
            let refusal = Pan::parse(number).err().unwrap();
            assert_eq!(refusal.code, code);
            assert!(!refusal.to_string().contains(number));
        }
    }
}
