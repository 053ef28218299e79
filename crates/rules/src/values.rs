//! What functions make of texts, numbers and times: pure, bounded, without slots.

use crate::{
    literals,
    program::{Calendar, Rounding, Sought},
    schema::Type,
    truth::{Answer, Fault, Stop},
};
use jiff::{Timestamp, civil::DateTime, tz::Offset};
use paywarden_domain::time::SECOND;

/// The longest text that a function may make, in bytes.
pub(crate) const TEXT_BYTES_MAX: usize = 64 * 1024;
/// The earliest and the latest timestamp: the years 1 to 9999, as in CEL.
pub(crate) const TIMESTAMPS: [i64; 2] = [-62_135_596_800 * SECOND, 253_402_300_800 * SECOND - 1];
/// The shortest and the longest duration: ten thousand years, as in CEL.
pub(crate) const DURATIONS: [i64; 2] = [-315_576_000_000 * SECOND, 315_576_000_000 * SECOND];

const OVERFLOW: Stop = Stop::Fault(Fault::Overflow);
const MALFORMED: Stop = Stop::Fault(Fault::Malformed);

/// A text, unless it has become too long.
pub(crate) fn limited(text: String) -> Answer<String> {
    match text.len() <= TEXT_BYTES_MAX {
        true => Ok(text),
        false => Err(OVERFLOW),
    }
}

/// Without white space at both ends.
pub(crate) fn trim(text: &str) -> &str {
    text.trim()
}

/// Replaces one text by another, at most so many times; all of them if that is none or negative.
pub(crate) fn replace(
    text: &str,
    sought: &str,
    instead: &str,
    times: Option<i64>,
) -> Answer<String> {
    let places = text.matches(sought).count();
    let times = times.and_then(|times| usize::try_from(times).ok());
    let times = times.unwrap_or(places).min(places);
    let length = instead
        .len()
        .saturating_mul(times)
        .saturating_add(text.len());
    match length <= TEXT_BYTES_MAX {
        true => Ok(text.replacen(sought, instead, times)),
        false => Err(OVERFLOW),
    }
}

/// From one place to before another, in characters.
pub(crate) fn substring(text: &str, start: i64, end: Option<i64>) -> Answer<&str> {
    let start = byte_at(text, start)?;
    let end = end.map_or(Ok(text.len()), |end| byte_at(text, end))?;
    text.get(start..end).ok_or(OVERFLOW)
}

/// The character at a place; none directly behind the last one.
pub(crate) fn char_at(text: &str, place: i64) -> Answer<String> {
    let start = byte_at(text, place)?;
    let rest = text.get(start..).unwrap_or("");
    Ok(rest.chars().take(1).collect())
}

/// Where a text stands in another, in characters; -1 if nowhere. The search begins at a character
/// that is there; only nothing can be sought behind the end.
pub(crate) fn find(which: Sought, text: &str, sought: &str, start: Option<i64>) -> Answer<i64> {
    let start = match start {
        Some(start) if start >= 0 && sought.is_empty() => {
            return Ok(start.min(text.chars().count() as i64));
        }
        Some(start) => Some(byte_at(text, start)?),
        None => None,
    };
    if start == Some(text.len()) {
        return Err(OVERFLOW);
    }
    let found = match which {
        Sought::First => {
            let start = start.unwrap_or(0);
            let rest = text.get(start..).unwrap_or("");
            rest.find(sought).map(|place| start + place)
        }
        Sought::Last => {
            let last = start.unwrap_or(text.len());
            let starts = text
                .char_indices()
                .map(|(byte, _)| byte)
                .chain([text.len()]);
            let stands = |place: &usize| {
                text.get(*place..)
                    .is_some_and(|rest| rest.starts_with(sought))
            };
            let candidates = starts.take_while(|place| *place <= last);
            candidates.filter(stands).last()
        }
    };
    let characters = |place| {
        text.get(..place)
            .map_or(0, |head| head.chars().count() as i64)
    };
    Ok(found.map_or(-1, characters))
}

/// The byte at which the character with this place begins.
fn byte_at(text: &str, place: i64) -> Answer<usize> {
    let place = usize::try_from(place).map_err(|_| OVERFLOW)?;
    let mut starts = text
        .char_indices()
        .map(|(byte, _)| byte)
        .chain([text.len()]);
    starts.nth(place).ok_or(OVERFLOW)
}

/// A text read as a whole number, a duration, a timestamp, or as 1 for true and 0 for false.
pub(crate) fn read(kind: Type, text: &str) -> Answer<i64> {
    match kind {
        Type::Duration => literals::duration(text).ok_or(MALFORMED),
        Type::Timestamp => timestamp(text).ok_or(MALFORMED),
        Type::Bool => truth(text).map(i64::from).ok_or(MALFORMED),
        _ => text.parse().map_err(|_| MALFORMED),
    }
}

fn in_range([low, high]: [i64; 2]) -> impl Fn(i64) -> Answer<i64> {
    move |value| match (low..=high).contains(&value) {
        true => Ok(value),
        false => Err(OVERFLOW),
    }
}

/// The words for true and false that CEL reads.
fn truth(text: &str) -> Option<bool> {
    match text {
        "true" | "t" | "1" | "TRUE" | "True" => Some(true),
        "false" | "f" | "0" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// RFC 3339 with an offset; years 1 to 9999.
pub(crate) fn timestamp(text: &str) -> Option<i64> {
    let time: Timestamp = text.parse().ok()?;
    let micros = time.as_microsecond();
    in_range(TIMESTAMPS)(micros).ok()
}

/// A text read as a number.
pub(crate) fn read_real(text: &str) -> Answer<f64> {
    let value: f64 = text.parse().map_err(|_| MALFORMED)?;
    match value.is_finite() {
        true => Ok(value),
        false => Err(OVERFLOW),
    }
}

/// A number without its fraction.
pub(crate) fn truncated(value: f64) -> Answer<i64> {
    let limit = 2f64.powi(63);
    match value > -limit && value < limit {
        true => Ok(value as i64),
        false => Err(OVERFLOW),
    }
}

impl Rounding {
    pub(crate) fn of(self, value: f64) -> f64 {
        match self {
            Self::Absolute => value.abs(),
            Self::Ceiling => value.ceil(),
            Self::Floor => value.floor(),
            Self::HalfAwayFromZero => value.round(),
            Self::TowardsZero => value.trunc(),
        }
    }
}

/// A whole number, a duration in seconds or a timestamp, as text.
pub(crate) fn written(kind: Type, value: i64) -> String {
    match kind {
        Type::Duration => {
            let (seconds, micros) = (value / SECOND, (value % SECOND).unsigned_abs());
            let sign = if value < 0 && seconds == 0 { "-" } else { "" };
            let fraction = format!(".{micros:06}");
            format!(
                "{sign}{seconds}{}s",
                fraction.trim_end_matches('0').trim_end_matches('.')
            )
        }
        Type::Timestamp => match Timestamp::from_microsecond(value) {
            Ok(time) => time.to_string(),
            Err(_) => value.to_string(),
        },
        _ => value.to_string(),
    }
}

/// A number as text, very large and very small ones with an exponent.
pub(crate) fn written_real(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e21).contains(&size) {
        let text = format!("{value:e}");
        return match text.split_once('e') {
            Some((digits, power)) if !power.starts_with('-') => format!("{digits}e+{power}"),
            _ => text,
        };
    }
    value.to_string()
}

/// A part of a timestamp on a clock that is ahead of UTC.
pub(crate) fn calendar(part: Calendar, time: i64, ahead: i64) -> Answer<i64> {
    let local = time.checked_add(ahead).ok_or(OVERFLOW)?;
    let local = Timestamp::from_microsecond(local).map_err(|_| OVERFLOW)?;
    let local: DateTime = Offset::UTC.to_datetime(local);
    Ok(match part {
        Calendar::FullYear => i64::from(local.year()),
        Calendar::Month => i64::from(local.month()) - 1,
        Calendar::Date => i64::from(local.day()),
        Calendar::DayOfMonth => i64::from(local.day()) - 1,
        Calendar::DayOfWeek => i64::from(local.weekday().to_sunday_zero_offset()),
        Calendar::DayOfYear => i64::from(local.day_of_year()) - 1,
        Calendar::Hours => i64::from(local.hour()),
        Calendar::Minutes => i64::from(local.minute()),
        Calendar::Seconds => i64::from(local.second()),
        Calendar::Milliseconds => i64::from(local.millisecond()),
    })
}
