//! Exchange rates: whole-number conversion of amounts into the base currency.

use paywarden_domain::{Currency, Money, money::MINOR_MAX};
use std::collections::BTreeMap;

/// Digits after the point that a rate may have.
const RATE_DECIMALS_MAX: usize = 12;
/// Digits that one side of a rate may have in all.
const RATE_DIGITS_MAX: usize = 18;

/// Why an amount cannot be converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    /// Write the rate as a positive decimal or as a ratio of two.
    #[error("a rate is a positive decimal such as 1.0845 or a ratio such as 1/7.25")]
    Malformed,
    /// Add a rate for the currency.
    #[error("no exchange rate for {0}")]
    Missing(Currency),
    /// The converted amount passes the largest amount, 10^15 minor units.
    #[error("the converted amount is too large")]
    Overflow,
}

/// The base currency of an installation, and what one unit of each other currency is worth in it.
///
/// ```
/// use paywarden_domain::{Currency, Money};
/// use paywarden_rules::Rates;
/// let (usd, jpy) = (Currency::parse("USD").unwrap(), Currency::parse("JPY").unwrap());
/// let rates = Rates::new(usd).with(jpy, "1/150").unwrap();
/// assert_eq!(rates.to_base(Money::new(15_000, jpy)), Ok(10_000));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rates {
    base: Currency,
    table: BTreeMap<Currency, Ratio>,
}

/// A positive fraction of whole numbers of at most 18 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ratio {
    over: i128,
    under: i128,
}

impl Rates {
    /// Rates with a base currency and nothing else.
    pub fn new(base: Currency) -> Self {
        Self {
            base,
            table: BTreeMap::new(),
        }
    }

    /// Adds what one major unit of a currency is worth in major units of the base currency:
    /// a decimal such as `1.0845`, or a ratio of decimals such as `1/7.25`.
    pub fn with(mut self, currency: Currency, rate: &str) -> Result<Self, RateError> {
        let (over, under) = rate.split_once('/').unwrap_or((rate, "1"));
        let (over, under) = (decimal(over)?, decimal(under)?);
        let ratio = Ratio {
            over: over.over * under.under,
            under: over.under * under.over,
        };
        self.table.insert(currency, ratio);
        Ok(self)
    }

    /// The base currency.
    pub fn base(&self) -> Currency {
        self.base
    }

    /// The amount in minor units of the base currency, rounded half away from zero.
    pub fn to_base(&self, amount: Money) -> Result<i64, RateError> {
        if amount.currency == self.base {
            return Ok(amount.minor);
        }
        let missing = RateError::Missing(amount.currency);
        let ratio = self.table.get(&amount.currency).ok_or(missing)?;
        let power = |currency: Currency| 10i128.pow(u32::from(currency.decimals()));
        let scaled = i128::from(amount.minor)
            .checked_mul(ratio.over)
            .and_then(|scaled| scaled.checked_mul(power(self.base)))
            .ok_or(RateError::Overflow)?;
        let divisor = ratio
            .under
            .checked_mul(power(amount.currency))
            .ok_or(RateError::Overflow)?;
        let half = divisor / 2 * scaled.signum();
        let minor = scaled.checked_add(half).ok_or(RateError::Overflow)? / divisor;
        match i64::try_from(minor) {
            Ok(minor) if minor.abs() <= MINOR_MAX => Ok(minor),
            _ => Err(RateError::Overflow),
        }
    }
}

/// A positive decimal as a fraction of a power of ten, trailing zeros removed.
fn decimal(text: &str) -> Result<Ratio, RateError> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let kept = fraction.trim_end_matches('0');
    let long = kept.len() > RATE_DECIMALS_MAX || whole.len() + kept.len() > RATE_DIGITS_MAX;
    if !digits(whole) || !digits(fraction) || long {
        return Err(RateError::Malformed);
    }
    let over: i128 = format!("{whole}{kept}")
        .parse()
        .map_err(|_| RateError::Malformed)?;
    let under = 10i128.pow(kept.len() as u32);
    if over == 0 {
        Err(RateError::Malformed)
    } else {
        Ok(Ratio { over, under })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    #[test]
    fn converts_between_different_decimals() {
        let rates = Rates::new(currency("USD"));
        for (code, rate, minor, expected) in [
            ("EUR", "1.0845", 10_000, 10_845),
            ("JPY", "0.0067", 10_000, 6_700),
            ("KWD", "3.25", 1_000, 325),
            ("CNY", "1/7.25", 725, 100),
            ("EUR", "0.005", 100, 1),
            ("EUR", "0.0049", 100, 0),
            ("EUR", "0.005", -100, -1),
        ] {
            let rates = rates.clone().with(currency(code), rate).unwrap();
            assert_eq!(
                rates.to_base(Money::new(minor, currency(code))),
                Ok(expected),
                "{code}"
            );
        }
    }

    #[test]
    fn refuses_what_is_not_a_rate() {
        let rates = Rates::new(currency("USD"));
        for wrong in [
            "",
            "0",
            "-1",
            "1,5",
            "1/0",
            "1/",
            ".5",
            "1.",
            "1e3",
            "1.0000000000001",
        ] {
            let refused = rates.clone().with(currency("EUR"), wrong);
            assert_eq!(refused, Err(RateError::Malformed), "{wrong}");
        }
        let missing = rates.to_base(Money::new(1, currency("EUR")));
        assert_eq!(missing, Err(RateError::Missing(currency("EUR"))));
        let huge = rates.with(currency("EUR"), "999999999").unwrap();
        assert_eq!(
            huge.to_base(Money::new(MINOR_MAX, currency("EUR"))),
            Err(RateError::Overflow)
        );
    }
}
