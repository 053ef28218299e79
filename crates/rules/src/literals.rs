//! Literals with meaning: time spans, windows and amounts.

use crate::{
    diagnostic::{Code, Diagnostic},
    rates::{RateError, Rates},
    syntax::Call,
    values,
};
use paywarden_domain::{
    Currency, Money,
    time::{DAY, HOUR, MINUTE, SECOND},
};
use paywarden_features::window::WINDOW_MAX;

/// Units of a time span in nanoseconds, longer names before their beginnings.
const UNITS: &[(&str, i128)] = &[
    ("d", DAY as i128 * 1_000),
    ("h", HOUR as i128 * 1_000),
    ("ms", 1_000_000),
    ("m", MINUTE as i128 * 1_000),
    ("s", SECOND as i128 * 1_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Reads a time span such as `10m`, `2d 3h`, `1.5h` or `-1h30m`, in microseconds. What is no whole
/// number of microseconds, or more than ten thousand years, is none.
pub(crate) fn duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut total = 0i128;
    loop {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (count, tail) = (rest.get(..number)?, rest.get(number..)?);
        let (whole, fraction) = count.split_once('.').unwrap_or((count, "0"));
        let (unit, nanos) = UNITS.iter().find(|(unit, _)| tail.starts_with(unit))?;
        let digits: u32 = fraction
            .len()
            .try_into()
            .ok()
            .filter(|digits| *digits <= 9)?;
        let fraction = fraction.parse::<u32>().ok().map(i128::from)? * nanos;
        let whole = whole.parse::<u64>().ok().map(i128::from)? * nanos;
        total += whole + fraction / 10i128.pow(digits);
        let tail = tail.get(unit.len()..)?;
        if tail.is_empty() {
            let micros = i64::try_from(total / 1_000).ok();
            let [_, longest] = values::DURATIONS;
            let whole = micros.filter(|micros| total % 1_000 == 0 && *micros <= longest);
            return whole.map(|micros| if negative { -micros } else { micros });
        }
        rest = tail.trim_start();
    }
}

/// The edges of a window: `(newer, older, counts this event)`.
///
/// `10m` reaches from 10 minutes ago to now and counts this event; `7d..35d` never does.
pub(crate) fn window(text: &str) -> Result<(i64, i64, bool), &'static str> {
    let edge = |text: &str| match text.strip_suffix(['s', 'm', 'h', 'd']) {
        Some(count) if count.bytes().all(|b| b.is_ascii_digit()) => duration(text),
        _ => None,
    };
    let malformed = "a window is a count and a unit s, m, h or d, like \"10m\" or \"7d..35d\"";
    let (newer, older, counts_self) = match text.split_once("..") {
        Some((newer, older)) => (edge(newer), edge(older), false),
        None => (Some(0), edge(text), true),
    };
    let (newer, older) = newer.zip(older).ok_or(malformed)?;
    if older <= newer {
        return Err(
            "a window reaches back: write the nearer edge first and the farther one second",
        );
    }
    if older > WINDOW_MAX {
        return Err("a window reaches back 400 days at most");
    }
    Ok((newer, older, counts_self))
}

/// The value of `duration("…")` in microseconds.
pub(crate) fn duration_call(call: &Call) -> Result<i64, Diagnostic> {
    let (span, text) = match call.arguments.as_slice() {
        [argument] => (argument.span.clone(), argument.as_text()),
        _ => (call.name.span.clone(), None),
    };
    text.and_then(duration).ok_or_else(|| {
        Diagnostic::at(Code::BadLiteral, span, "not a time span")
            .hint("write `duration(\"10m\")` or `duration(\"2d 3h\")`: d, h, m, s, ms, us")
    })
}

/// The value of `money("5.00", "USD")` in minor units of the base currency.
pub(crate) fn money_call(call: &Call, rates: &Rates) -> Result<i64, Diagnostic> {
    let span = match call.arguments.as_slice() {
        [first, last] => first.span.start..last.span.end,
        _ => call.name.span.clone(),
    };
    let wrong = |message: String| {
        Diagnostic::at(Code::BadLiteral, span.clone(), message)
            .hint("write an amount as two texts: `money(\"5.00\", \"USD\")`")
    };
    let [value, currency] = call.arguments.as_slice() else {
        return Err(wrong("`money` takes an amount and a currency".to_owned()));
    };
    let (Some(value), Some(currency)) = (value.as_text(), currency.as_text()) else {
        return Err(wrong("`money` takes two texts".to_owned()));
    };
    let amount = Currency::parse(currency)
        .and_then(|currency| Money::parse(value, currency))
        .map_err(|invalid| wrong(invalid.detail))?;
    rates.to_base(amount).map_err(|error| match error {
        RateError::Missing(_) => Diagnostic::at(Code::RateMissing, span.clone(), error.to_string())
            .hint(format!(
                "add a rate or write the amount in {}",
                rates.base()
            )),
        _ => wrong(error.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use paywarden_domain::written::TimeSpan;

    #[test]
    fn time_spans_are_read_and_written() {
        for (text, micros, written) in [
            ("10m", 10 * MINUTE, "10m"),
            ("2d 3h", 2 * DAY + 3 * HOUR, "2d 3h"),
            ("1h30m", 90 * MINUTE, "1h 30m"),
            ("-1h", -HOUR, "-1h"),
            ("0s", 0, "0s"),
            ("1500ms", 1_500_000, "1s 500ms"),
            ("90s", 90 * SECOND, "1m 30s"),
            ("7us", 7, "7us"),
            ("1.5h", 90 * MINUTE, "1h 30m"),
            ("2000ns", 2, "2us"),
        ] {
            assert_eq!(duration(text), Some(micros), "{text}");
            assert_eq!(TimeSpan(micros).to_string(), written);
        }
        for wrong in [
            "",
            "-",
            "10",
            "m",
            "10x",
            "1.h5",
            "1.0000000001s",
            "1ns",
            "10m ",
            "9999999999999d",
            "10 m",
        ] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn windows_have_edges_in_order() {
        assert_eq!(window("10m"), Ok((0, 10 * MINUTE, true)));
        assert_eq!(window("0s..30d"), Ok((0, 30 * DAY, false)));
        assert_eq!(window("7d..35d"), Ok((7 * DAY, 35 * DAY, false)));
        for wrong in [
            "90x", "35d..7d", "401d", "0s", "1h30m", "-1h", "", "..", "1d..", "5ms",
        ] {
            assert!(window(wrong).is_err(), "{wrong}");
        }
    }
}
