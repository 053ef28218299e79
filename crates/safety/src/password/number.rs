//! Digits that mean something: dates, Chinese mobile and identity numbers, numbers that sound like
//! words.

use super::{Finding, Pattern, text::Text};

/// Years that a date may lie in.
const YEARS: std::ops::RangeInclusive<u32> = 1920..=2035;
/// Days of a hundred years.
const DATE_LOG10: f64 = 4.56;
/// An attacker who knows the town tries some hundred blocks of ten thousand numbers.
const MOBILE_LOG10: f64 = 6.5;
/// An attacker who knows county and birth date tries a hundred counties, or a thousand serials.
const ID_LOG10: f64 = 5.0;
const LUCKY_LOG10: f64 = 1.3;
/// Numbers that are heard as words, or that every quick list begins with. The sounds: 520 "I love
/// you", 1314 "for life", 168 "prosper all the way", 748 an insult.
const LUCKY: &[&str] = &[
    "5201314", "1314520", "5211314", "1314521", "7758521", "7758258", "3344520", "52013", "1314",
    "520", "521", "530", "168", "518", "888", "666", "999", "886", "748", "110", "119", "120",
    "911", "007", "996", "365", "250", "921", "985", "211",
];
/// Weights and check digits of GB 11643-1999 (ISO 7064, MOD 11-2).
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECKS: &[u8; 11] = b"10x98765432";

pub(super) fn find(text: &Text, findings: &mut Vec<Finding>) {
    let chars = &text.plain;
    for start in 0..chars.len() {
        let rest = chars.get(start..).unwrap_or_default();
        let found = [
            date_length(rest).map(|length| (Pattern::Date, length, DATE_LOG10)),
            is_mobile(rest).then_some((Pattern::MobileNumber, 11, MOBILE_LOG10)),
            id_length(rest).map(|length| (Pattern::IdNumber, length, ID_LOG10)),
            lucky_length(rest).map(|length| (Pattern::LuckyNumber, length, LUCKY_LOG10)),
        ];
        for (pattern, length, guesses_log10) in found.into_iter().flatten() {
            findings.push(Finding {
                pattern,
                start,
                end: start + length,
                guesses_log10,
            });
        }
    }
}

/// The number of these digits, or none if one is no digit.
fn number(digits: &[char]) -> Option<u32> {
    digits.iter().try_fold(0u32, |number, digit| {
        number.checked_mul(10)?.checked_add(digit.to_digit(10)?)
    })
}

fn is_day(year: u32, month: u32, day: u32) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => 0,
    };
    YEARS.contains(&year) && (1..=days).contains(&day)
}

/// The orders of year, month and day as lengths: what stands first, second and third.
const ORDERS: &[[(usize, char); 3]] = &[
    [(4, 'y'), (2, 'm'), (2, 'd')],
    [(2, 'd'), (2, 'm'), (4, 'y')],
    [(2, 'm'), (2, 'd'), (4, 'y')],
    [(2, 'y'), (2, 'm'), (2, 'd')],
    [(2, 'd'), (2, 'm'), (2, 'y')],
    [(2, 'm'), (2, 'd'), (2, 'y')],
];

/// The length of the longest date at the front: six or eight digits, with or without `-`, `/` or
/// `.` between its parts.
fn date_length(chars: &[char]) -> Option<usize> {
    let lengths = ORDERS.iter().flat_map(|order| {
        let apart = [None, Some('-'), Some('/'), Some('.')];
        apart
            .into_iter()
            .filter_map(|separator| date_in(chars, order, separator))
    });
    lengths.max()
}

fn date_in(chars: &[char], order: &[(usize, char); 3], separator: Option<char>) -> Option<usize> {
    let (mut year, mut month, mut day, mut at) = (0, 0, 0, 0);
    for (part, (length, kind)) in order.iter().enumerate() {
        if part > 0
            && let Some(separator) = separator
        {
            if chars.get(at) != Some(&separator) {
                return None;
            }
            at += 1;
        }
        let value = number(chars.get(at..at + length)?)?;
        at += length;
        match (kind, length) {
            ('m', _) => month = value,
            ('d', _) => day = value,
            (_, 4) => year = value,
            _ => year = if value <= 35 { 2000 } else { 1900 } + value,
        }
    }
    is_day(year, month, day).then_some(at)
}

/// Eleven digits that begin with 13 to 19 (numbering plan of mainland China).
fn is_mobile(chars: &[char]) -> bool {
    let digits = chars.get(..11).unwrap_or_default();
    let all = digits.len() == 11 && digits.iter().all(char::is_ascii_digit);
    all && digits.starts_with(&['1']) && digits.get(1).is_some_and(|digit| *digit >= '3')
}

/// 18 characters with a right check digit, or the old 15 digits without one.
fn id_length(chars: &[char]) -> Option<usize> {
    let long = || {
        let digits = chars.get(..17)?;
        let date = digits.get(6..14)?;
        let sum = digits
            .iter()
            .zip(WEIGHTS)
            .try_fold(0, |sum, (digit, weight)| {
                Some(sum + digit.to_digit(10)? * weight)
            });
        let check = *CHECKS.get(sum? as usize % 11)?;
        let right = chars.get(17) == Some(&char::from(check));
        (right && date_in(date, ORDERS.first()?, None) == Some(8)).then_some(18)
    };
    let short = || {
        let digits = chars.get(..15)?;
        let province = number(digits.get(..2)?)?;
        let date = digits.get(6..12)?;
        number(digits.get(12..15)?)?;
        let placed = (11..=82).contains(&province);
        (placed && date_in(date, ORDERS.get(3)?, None) == Some(6)).then_some(15)
    };
    long().or_else(short)
}

fn lucky_length(chars: &[char]) -> Option<usize> {
    let fits = |lucky: &&&str| {
        let mut rest = chars.iter();
        lucky.chars().all(|c| rest.next() == Some(&c))
    };
    let lengths = LUCKY.iter().filter(fits).map(|lucky| lucky.len());
    lengths.max()
}
