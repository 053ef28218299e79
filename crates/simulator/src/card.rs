//! Card numbers that belong to nobody: the test ranges that schemes and processors document.

use crate::rng::hash;
use paywarden_domain::{
    event::{CardDetails, Expiry, Funding, Text},
    pan::luhn,
};
use serde::Serialize;
use std::fmt;

/// A documented test range: every number of this crate begins with one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TestRange {
    /// The six digits that every number of the range begins with.
    pub prefix: u32,
    /// How many digits a number of the range has.
    pub digits: u8,
    /// The scheme.
    pub brand: &'static str,
}

/// The ranges of published test numbers, such as 4111 1111 1111 1111 and 6200 0000 0000 0005.
pub const TEST_RANGES: [TestRange; 10] = [
    TestRange {
        prefix: 411_111,
        digits: 16,
        brand: "visa",
    },
    TestRange {
        prefix: 424_242,
        digits: 16,
        brand: "visa",
    },
    TestRange {
        prefix: 400_000,
        digits: 16,
        brand: "visa",
    },
    TestRange {
        prefix: 555_555,
        digits: 16,
        brand: "mastercard",
    },
    TestRange {
        prefix: 222_300,
        digits: 16,
        brand: "mastercard",
    },
    TestRange {
        prefix: 510_510,
        digits: 16,
        brand: "mastercard",
    },
    TestRange {
        prefix: 378_282,
        digits: 15,
        brand: "amex",
    },
    TestRange {
        prefix: 601_111,
        digits: 16,
        brand: "discover",
    },
    TestRange {
        prefix: 353_011,
        digits: 16,
        brand: "jcb",
    },
    TestRange {
        prefix: 620_000,
        digits: 16,
        brand: "unionpay",
    },
];

/// A card as a caller sends it: number in clear, details beside it.
#[derive(Clone, Serialize)]
pub struct OutgoingCard {
    /// Clear number, always of a test range.
    pub number: Box<str>,
    /// What else is known of the card.
    pub details: CardDetails,
}

impl fmt::Debug for OutgoingCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutgoingCard")
            .field("details", &self.details)
            .finish_non_exhaustive()
    }
}

/// A card that somebody holds or has stolen, before anything is paid with it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held {
    pub range: TestRange,
    /// The two digits after the prefix, which stand for the issuing bank.
    pub issuer: u8,
    /// Which number of that issuer: different keys below ten million give different numbers.
    pub key: u64,
}

/// The issuers whose cards belong to nobody in the population: stolen elsewhere, or invented.
pub(crate) const STRANGE_ISSUERS: std::ops::Range<u8> = 90..100;

impl Held {
    /// Whether it belongs to nobody in the population.
    pub fn is_strange(&self) -> bool {
        STRANGE_ISSUERS.contains(&self.issuer)
    }

    /// The number, with its check digit.
    pub fn number(&self) -> Box<str> {
        let width = usize::from(self.range.digits) - 7;
        let span = if width == 8 { 100_000_000 } else { 10_000_000 };
        // An odd multiplier that does not end in 5 permutes the numbers below a power of ten.
        let scattered = (self.key.wrapping_mul(7_654_321) + 1_234_567) % span;
        let issuer = if width == 8 {
            0
        } else {
            u64::from(self.issuer) * span
        };
        let mut number = format!("{}{:0width$}", self.range.prefix, issuer + scattered);
        for check in '0'..='9' {
            number.push(check);
            if luhn(number.as_bytes()) {
                break;
            }
            number.pop();
        }
        number.into_boxed_str()
    }

    /// What stays the same in every payment: scheme, funding and expiry.
    pub fn details(&self, year: u16) -> CardDetails {
        let draw = hash(
            self.key,
            &[u64::from(self.range.prefix), u64::from(self.issuer)],
        );
        let funding = match draw % 20 {
            0 => Funding::Prepaid,
            1..=9 => Funding::Credit,
            _ => Funding::Debit,
        };
        CardDetails {
            brand: Text::parse(self.range.brand).ok(),
            funding: Some(funding),
            expiry: Some(Expiry {
                year: year + 1 + u16::try_from((draw >> 8) % 4).unwrap_or(0),
                month: 1 + u8::try_from((draw >> 16) % 12).unwrap_or(0),
            }),
            ..CardDetails::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn numbers_are_whole_valid_and_different() {
        for range in TEST_RANGES {
            let mut seen = HashSet::new();
            for key in 0..2_000 {
                let number = Held {
                    range,
                    issuer: 7,
                    key,
                }
                .number();
                assert_eq!(number.len(), usize::from(range.digits));
                assert!(number.starts_with(&range.prefix.to_string()));
                assert!(luhn(number.as_bytes()), "{number}");
                assert!(seen.insert(number));
            }
        }
    }

    #[test]
    fn nothing_printed_shows_a_number() {
        let held = Held {
            range: TEST_RANGES[0],
            issuer: 1,
            key: 1,
        };
        let card = OutgoingCard {
            number: held.number(),
            details: held.details(2026),
        };
        assert!(!format!("{card:?}").contains("411111"));
    }
}
