//! Brands of cards: the first six digits and the lengths that go with them.
//!
//! Ranges and lengths are those that the schemes publish and ISO/IEC 7812-1 allots; ranges of
//! single issuers are left to the vault's index, which knows the cards that matter.

/// A range of issuer identifications.
struct Issuers {
    from: u32,
    to: u32,
    /// Bit n is set if numbers have n digits.
    lengths: u32,
    brand: &'static str,
    /// What a number says for itself by being of this brand: less where a brand takes much of the
    /// number space in many lengths.
    weight: i32,
}

const fn issuers(
    (from, to): (u32, u32),
    lengths: u32,
    brand: &'static str,
    weight: i32,
) -> Issuers {
    Issuers {
        from,
        to,
        lengths,
        brand,
        weight,
    }
}

const D13: u32 = 1 << 13;
const D14: u32 = 1 << 14;
const D15: u32 = 1 << 15;
const D16: u32 = 1 << 16;
const D19: u32 = 1 << 19;
const D16_TO_19: u32 = 0b1111 << 16;
const D12_TO_19: u32 = 0b1111_1111 << 12;

/// A number of a brand, without anything around it, is likely one.
const FIRM: i32 = 70;
/// A number of one of these is possibly one.
const WEAK: i32 = 50;

/// In order of their first number.
const ISSUERS: &[Issuers] = &[
    issuers((220_000, 220_499), D16_TO_19, "mir", FIRM),
    issuers((222_100, 272_099), D16, "mastercard", FIRM),
    issuers((300_000, 305_999), D14 | D16, "diners", FIRM),
    issuers((309_500, 309_599), D14 | D16, "diners", FIRM),
    issuers((340_000, 349_999), D15, "amex", FIRM),
    issuers((352_800, 358_999), D16_TO_19, "jcb", FIRM),
    issuers((360_000, 369_999), D14 | D16, "diners", FIRM),
    issuers((370_000, 379_999), D15, "amex", FIRM),
    issuers((380_000, 399_999), D14 | D16, "diners", FIRM),
    issuers((400_000, 499_999), D13, "visa", WEAK),
    issuers((400_000, 499_999), D16 | D19, "visa", FIRM),
    issuers((500_000, 509_999), D12_TO_19, "maestro", WEAK),
    issuers((510_000, 559_999), D16, "mastercard", FIRM),
    issuers((560_000, 589_999), D12_TO_19, "maestro", WEAK),
    issuers((601_100, 601_199), D16_TO_19, "discover", FIRM),
    issuers((606_985, 608_999), D16, "rupay", FIRM),
    issuers((620_000, 629_999), D16_TO_19, "unionpay", FIRM),
    issuers((630_000, 639_999), D12_TO_19, "maestro", WEAK),
    issuers((644_000, 659_999), D16_TO_19, "discover", FIRM),
    issuers((670_000, 679_999), D12_TO_19, "maestro", WEAK),
    issuers((810_000, 817_199), D16_TO_19, "unionpay", FIRM),
    issuers((817_200, 820_199), D16, "rupay", FIRM),
    issuers((955_880, 955_889), D19, "unionpay", FIRM),
    issuers((979_200, 979_289), D16, "troy", FIRM),
];

/// The brand of a number, and what that says for it.
pub(super) fn of(digits: &[u8]) -> Option<(&'static str, i32)> {
    // No range begins so, and most numbers that are none do.
    if matches!(digits, [b'0' | b'1' | b'7', ..]) {
        return None;
    }
    let number = |sum, digit: &u8| 10 * sum + u32::from(digit.wrapping_sub(b'0'));
    let head = digits.iter().take(6).fold(0, number);
    let length = 1_u32.checked_shl(digits.len() as u32).unwrap_or(0);
    let begins = ISSUERS.partition_point(|issuers| issuers.to < head);
    let mut about = ISSUERS
        .iter()
        .skip(begins)
        .take_while(|issuers| issuers.from <= head);
    let found = about.find(|issuers| issuers.lengths & length != 0);
    found.map(|issuers| (issuers.brand, issuers.weight))
}

/// Numbers that schemes and processors publish for tests.
const PUBLISHED: &[&[u8]] = &[
    b"2222420000001113",
    b"2223000048400011",
    b"2223003122003222",
    b"3056930009020004",
    b"30569309025904",
    b"3530111333300000",
    b"3566002020360505",
    b"36227206271667",
    b"371449635398431",
    b"378282246310005",
    b"378734493671000",
    b"38520000023237",
    b"4000000000000002",
    b"4000056655665556",
    b"4007000000027",
    b"4012888888881881",
    b"4111111111111111",
    b"4222222222222",
    b"4242424242424242",
    b"5105105105105100",
    b"5200828282828210",
    b"5454545454545454",
    b"5555555555554444",
    b"6011000990139424",
    b"6011111111111117",
    b"6200000000000005",
    b"6200000000000047",
    b"6205500000000000004",
];

/// Whether a number is published for tests.
pub(super) fn is_published(digits: &[u8]) -> bool {
    PUBLISHED.binary_search(&digits).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use paywarden_domain::pan::luhn;

    #[test]
    fn tables_are_in_order_and_published_numbers_have_a_brand() {
        assert!(
            ISSUERS
                .windows(2)
                .all(|pair| pair[0].to < pair[1].from || pair[0].from == pair[1].from)
        );
        assert!(PUBLISHED.is_sorted());
        for number in PUBLISHED {
            assert!(of(number).is_some(), "{:?}", std::str::from_utf8(number));
            assert!(luhn(number), "{:?}", std::str::from_utf8(number));
        }
    }

    #[test]
    fn brands_go_by_first_digits_and_length() {
        for (number, brand) in [
            ("4012888888881881", Some("visa")),
            ("401288888888188", None),
            ("2720990000000007", Some("mastercard")),
            ("2721000000000004", None),
            ("378282246310005", Some("amex")),
            ("6205500000000000004", Some("unionpay")),
            ("3569990010082211", Some("jcb")),
            ("1111111111111117", None),
        ] {
            let found = of(number.as_bytes()).map(|(brand, _)| brand);
            assert_eq!(found, brand, "{number}");
        }
    }
}
