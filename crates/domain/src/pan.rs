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

/// The Luhn check over ASCII digits.
pub fn luhn(digits: &[u8]) -> bool {
    /// Twice each digit, the digits of that added up.
    const TWICE: [u8; 10] = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
    let value = |digit: &u8| usize::from(digit.wrapping_sub(b'0'));
    let pairs = digits.rchunks(2);
    let sum: usize = pairs
        .map(|pair| match pair {
            [first, second] => {
                usize::from(TWICE.get(value(first)).copied().unwrap_or(0)) + value(second)
            }
            pair => pair.iter().map(value).sum(),
        })
        .sum();
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
