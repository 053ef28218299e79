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
    let number = |sum, digit: &u8| 10 * sum + u32::from(digit.wrapping_sub(b'0'));
    let (two, rest) = digits.split_at_checked(2)?;
    let two = two.iter().fold(0, number);
    // Most numbers that are none begin as no range does.
    let (begin, end) = *BY_TWO.get(two as usize)?;
    let about = ISSUERS.get(usize::from(begin)..usize::from(end))?;
    let head = rest.iter().take(4).fold(two, number);
    let length = 1_u32.checked_shl(digits.len() as u32).unwrap_or(0);
    let is_of = |issuers: &&Issuers| {
        (issuers.from <= head) & (head <= issuers.to) & (issuers.lengths & length != 0)
    };
    let found = about.iter().find(is_of);
    found.map(|issuers| (issuers.brand, issuers.weight))
}

/// The ranges that have numbers with these first two digits: from and to.
const BY_TWO: [(u8, u8); 100] = {
    let mut by_two = [(0, 0); 100];
    let mut two = 0;
    while two < 100 {
        let (first, last) = (two as u32 * 10_000, two as u32 * 10_000 + 9_999);
        let mut end = 0;
        while end < ISSUERS.len() && ISSUERS[end].from <= last {
            end += 1;
        }
        let mut begin = 0;
        while begin < end && ISSUERS[begin].to < first {
            begin += 1;
        }
        by_two[two] = (begin as u8, end as u8);
        two += 1;
    }
    by_two
};

/// Numbers that schemes and processors publish for tests.
const PUBLISHED: &[u64] = &[
    4_007_000_000_027,
    4_222_222_222_222,
    30_569_309_025_904,
    36_227_206_271_667,
    38_520_000_023_237,
    371_449_635_398_431,
    378_282_246_310_005,
    378_734_493_671_000,
    2_222_420_000_001_113,
    2_223_000_048_400_011,
    2_223_003_122_003_222,
    3_056_930_009_020_004,
    3_530_111_333_300_000,
    3_566_002_020_360_505,
    4_000_000_000_000_002,
    4_000_056_655_665_556,
    4_012_888_888_881_881,
    4_111_111_111_111_111,
    4_242_424_242_424_242,
    5_105_105_105_105_100,
    5_200_828_282_828_210,
    5_454_545_454_545_454,
    5_555_555_555_554_444,
    6_011_000_990_139_424,
    6_011_111_111_111_117,
    6_200_000_000_000_005,
    6_200_000_000_000_047,
    6_205_500_000_000_000_004,
];

/// Whether a number is published for tests.
pub(super) fn is_published(digits: &[u8]) -> bool {
    // Zeros before a number would make no other number of it.
    let is_read = digits.len() <= 19 && !digits.starts_with(b"0");
    let number = |sum, digit: &u8| 10 * sum + u64::from(digit.wrapping_sub(b'0'));
    is_read
        && PUBLISHED
            .binary_search(&digits.iter().fold(0, number))
            .is_ok()
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
            let digits = number.to_string();
            assert!(of(digits.as_bytes()).is_some(), "{digits}");
            assert!(luhn(digits.as_bytes()), "{digits}");
            assert!(is_published(digits.as_bytes()), "{digits}");
            assert!(!is_published(format!("0{digits}").as_bytes()), "0{digits}");
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
            ("2204990000000002", Some("mir")),
            ("2205000000000009", None),
            ("9792890000000000", Some("troy")),
            ("9792900000000000", None),
            ("0", None),
            ("", None),
        ] {
            let found = of(number.as_bytes()).map(|(brand, _)| brand);
            assert_eq!(found, brand, "{number}");
        }
    }
}
