//! When a delivery is tried again: the example of Standard Webhooks 1.0 ("Deliverability and
//! reliability"), ten attempts within 75 hours and 35 minutes, each later or earlier by a tenth at
//! most, so that not everybody comes back at once.

use jiff::fmt::rfc2822::DateTimeParser;
use paywarden_domain::{
    Timestamp,
    time::{DAY, HOUR, MINUTE, SECOND},
};

/// How long it is waited after each attempt, in microseconds.
const WAITS: [i64; 9] = [
    5 * SECOND,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
];

/// The longest wait that a receiver may ask for.
const ASKED_MAX: i64 = DAY;

/// When the next attempt is due after `tries` of them, at least one; none if that was the last.
/// `asked` is for how long the receiver wants to be left alone, `random` any number.
pub fn next(tries: i64, now: Timestamp, asked: Option<i64>, random: u64) -> Option<Timestamp> {
    let place = usize::try_from(tries - 1).unwrap_or(0);
    let wait = *WAITS.get(place)?;
    let tenth = wait / 10;
    let jitter = (random % (2 * tenth.unsigned_abs() + 1)).cast_signed() - tenth;
    let asked = asked.unwrap_or(0).clamp(0, ASKED_MAX);
    let wait = asked.max(wait + jitter);
    Some(Timestamp::from_micros(now.micros().saturating_add(wait)))
}

/// What `Retry-After` says (RFC 9110, section 10.2.3): seconds, or a date; in microseconds.
pub fn retry_after(text: &str, now: Timestamp) -> Option<i64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(i64::from(seconds) * SECOND);
    }
    let at = DateTimeParser::new().parse_timestamp(text).ok()?;
    Some((at.as_microsecond() - now.micros()).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_micros(1_700_000_000 * SECOND);

    fn wait(tries: i64, asked: Option<i64>, random: u64) -> Option<i64> {
        next(tries, NOW, asked, random).map(|due| due.micros() - NOW.micros())
    }

    #[test]
    fn ten_attempts_take_about_three_days_as_the_standard_shows() {
        let tenths = |tries| wait(tries, None, WAITS[tries as usize - 1].unsigned_abs() / 10);
        let all: Option<i64> = (1..=9).map(tenths).sum();
        assert_eq!(all, Some(75 * HOUR + 35 * MINUTE + 5 * SECOND));
        assert_eq!(wait(10, None, 0), None);
        assert_eq!(wait(0, None, SECOND as u64 / 2), Some(5 * SECOND));
    }

    #[test]
    fn receivers_may_ask_for_a_pause_of_a_day_at_most() {
        let says = |text| retry_after(text, NOW);
        assert_eq!(says("120"), Some(2 * MINUTE));
        assert_eq!(says("Tue, 14 Nov 2023 22:14:20 GMT"), Some(MINUTE));
        assert_eq!(says("Tue, 14 Nov 2000 22:14:20 GMT"), Some(0));
        for text in ["", "soon", "-5", "1.5", "99999999999"] {
            assert_eq!(says(text), None, "{text}");
        }
        assert_eq!(wait(1, Some(HOUR), 0), Some(HOUR));
        assert_eq!(wait(1, Some(30 * DAY), 0), Some(DAY));
        assert!(wait(9, Some(HOUR), 0) > Some(21 * HOUR));
    }

    proptest! {
        #[test]
        fn jitter_stays_within_a_tenth(tries in 1..10_i64, random: u64) {
            let wanted = WAITS[tries as usize - 1];
            let found = wait(tries, None, random).unwrap();
            prop_assert!((found - wanted).abs() <= wanted / 10);
        }
    }
}
