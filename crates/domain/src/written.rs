//! How texts and spans of time are written for people.

use crate::time::{DAY, HOUR, MINUTE, SECOND};
use std::fmt::{self, Write};

/// A text as a literal in double quotes.
#[derive(Debug, Clone, Copy)]
pub struct Quoted<'a>(pub &'a str);

/// Microseconds by their two largest units, such as `2d 3h`.
#[derive(Debug, Clone, Copy)]
pub struct TimeSpan(pub i64);

const LARGEST_FIRST: &[(&str, u64)] = &[
    ("d", DAY as u64),
    ("h", HOUR as u64),
    ("m", MINUTE as u64),
    ("s", SECOND as u64),
    ("ms", 1_000),
    ("us", 1),
];
/// The place of seconds: nothing at all is written as `0s`.
const SECONDS: usize = 3;

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text) = self;
        f.write_char('"')?;
        let plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
        if text.as_bytes().iter().all(plain) {
            f.write_str(text)?;
            return f.write_char('"');
        }
        for character in text.chars() {
            match character {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                control if control.is_control() => write!(f, "\\u{:04x}", u32::from(control))?,
                other => f.write_char(other)?,
            }
        }
        f.write_char('"')
    }
}

impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.unsigned_abs();
        let first = LARGEST_FIRST.iter().position(|(_, size)| rest >= *size);
        let units = LARGEST_FIRST.iter().skip(first.unwrap_or(SECONDS)).take(2);
        for (place, (unit, size)) in units.enumerate() {
            if rest >= *size || place == 0 {
                let before = match place {
                    0 if self.0 < 0 => "-",
                    0 => "",
                    _ => " ",
                };
                write!(f, "{before}{}{unit}", rest / size)?;
            }
            rest %= size;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_written_by_their_two_largest_units() {
        for (micros, written) in [
            (0, "0s"),
            (7, "7us"),
            (90 * SECOND, "1m 30s"),
            (2 * DAY + 3 * HOUR, "2d 3h"),
            (2 * DAY + 3 * MINUTE, "2d"),
            (-HOUR, "-1h"),
            (i64::MIN, "-106751991d 4h"),
        ] {
            assert_eq!(TimeSpan(micros).to_string(), written);
        }
    }

    #[test]
    fn quoted_texts_escape_what_would_end_or_hide_them() {
        assert_eq!(Quoted("plain").to_string(), r#""plain""#);
        assert_eq!(Quoted("a\"\\\n\u{7}é").to_string(), r#""a\"\\\n\u0007é""#);
    }
}
