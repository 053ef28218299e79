//! How numbers, money and times are written.

use crate::word::Language;
use maud::{Markup, html};
use paywarden_domain::{Currency, Money, Timestamp};

/// A whole number with its thousands apart.
pub(crate) fn number(value: impl Into<i128>) -> String {
    let value = value.into();
    let digits = value.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if value < 0 {
        text.push('−');
    }
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A large number in few characters: 12.3k, 4.5M; 1.2万, 3.4亿.
pub(crate) fn short(value: i64, language: Language) -> String {
    let steps: &[(i64, &str)] = match language {
        Language::En => &[(1_000_000_000, "B"), (1_000_000, "M"), (1_000, "k")],
        Language::Zh => &[(100_000_000, "亿"), (10_000, "万")],
    };
    let step = steps.iter().find(|(size, _)| value.abs() >= *size);
    match step {
        Some((size, unit)) => {
            let tenths = value / (size / 10);
            format!("{}.{}{unit}", tenths / 10, (tenths % 10).abs())
        }
        None => number(value),
    }
}

/// An amount with its currency.
pub(crate) fn money(money: Money) -> Markup {
    amount(money.minor, money.currency)
}

/// So many minor units of a currency.
pub(crate) fn amount(minor: i64, currency: Currency) -> Markup {
    html! {
        span.money { (decimal(minor, currency)) " " span.unit { (currency.code()) } }
    }
}

/// So many minor units as a decimal number.
pub(crate) fn decimal(minor: i64, currency: Currency) -> String {
    let decimals = u32::from(currency.decimals());
    let one = 10_i64.pow(decimals);
    let whole = number(minor / one);
    match decimals {
        0 => whole,
        _ => format!(
            "{whole}.{:0width$}",
            (minor % one).abs(),
            width = decimals as usize
        ),
    }
}

/// A moment, in UTC.
pub(crate) fn time(time: Timestamp) -> Markup {
    let text = time.to_string();
    html! { time datetime=(text) title=(text) { (second(time)) } }
}

/// The same to the second, as text.
pub(crate) fn second(time: Timestamp) -> String {
    let text = time.to_string();
    text.get(..19).unwrap_or(&text).replace('T', " ")
}

/// How long something took, in milliseconds.
pub(crate) fn millis(micros: u64) -> String {
    match micros {
        0..10_000 => format!("{}.{:02} ms", micros / 1000, micros % 1000 / 10),
        10_000..100_000 => format!("{}.{} ms", micros / 1000, micros % 1000 / 100),
        _ => format!("{} ms", number(micros / 1000)),
    }
}

/// A size in the largest unit of which there are two at least.
pub(crate) fn bytes(bytes: u64) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let unit = units.into_iter().find(|(bits, _)| bytes >> bits >= 2);
    match unit {
        Some((bits, unit)) => format!("{} {unit}", number(bytes >> bits)),
        None => format!("{} B", number(bytes)),
    }
}

/// How long ago something was, in one unit.
pub(crate) fn age(since: Timestamp, now: Timestamp, language: Language) -> String {
    seconds((now.seconds() - since.seconds()).max(0), language)
}

/// How long something is, from microseconds, in one unit.
pub(crate) fn span(micros: i64, language: Language) -> String {
    seconds((micros / 1_000_000).max(0), language)
}

fn seconds(seconds: i64, language: Language) -> String {
    let (count, en, zh) = match seconds {
        0..60 => (seconds, "s", "秒"),
        60..3_600 => (seconds / 60, "min", "分钟"),
        3_600..86_400 => (seconds / 3_600, "h", "小时"),
        _ => (seconds / 86_400, "d", "天"),
    };
    match language {
        Language::En => format!("{count} {en}"),
        Language::Zh => format!("{count} {zh}"),
    }
}

/// Thousandths as a percentage with one decimal.
pub(crate) fn percent(part: u64, of: u64) -> String {
    match of {
        0 => "–".to_owned(),
        of => {
            let thousandths = (u128::from(part) * 1000 + u128::from(of) / 2) / u128::from(of);
            format!("{}.{} %", thousandths / 10, thousandths % 10)
        }
    }
}

/// A share from 0 to 1 as a percentage with one decimal.
pub(crate) fn share(share: f64) -> String {
    let thousandths = (share * 1000.0).round() as i64;
    let sign = if thousandths < 0 { "−" } else { "" };
    let size = thousandths.unsigned_abs();
    format!("{sign}{}.{} %", size / 10, size % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_people_read_them() {
        for (value, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (-1_234_567, "−1,234,567"),
        ] {
            assert_eq!(number(value), text);
        }
        for (value, en, zh) in [
            (999, "999", "999"),
            (12_345, "12.3k", "1.2万"),
            (123_456_789, "123.4M", "1.2亿"),
        ] {
            assert_eq!(short(value, Language::En), en);
            assert_eq!(short(value, Language::Zh), zh);
        }
        assert_eq!(percent(1, 3), "33.3 %");
        assert_eq!(percent(0, 0), "–");
        assert_eq!(
            (share(0.3333).as_str(), share(-0.05).as_str()),
            ("33.3 %", "−5.0 %")
        );
        assert_eq!(
            (millis(1_234), millis(45_678)),
            ("1.23 ms".into(), "45.6 ms".into())
        );
    }

    #[test]
    fn money_has_the_decimals_of_its_currency() {
        let currency = |code| Currency::parse(code).unwrap();
        assert_eq!(decimal(123_456_789, currency("EUR")), "1,234,567.89");
        assert_eq!(decimal(5, currency("EUR")), "0.05");
        assert_eq!(decimal(1_000, currency("JPY")), "1,000");
        assert_eq!(decimal(1_500, currency("KWD")), "1.500");
    }
}
