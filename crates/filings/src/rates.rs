//! Exchange rates as the caller gives them, without floats.

use paywarden_domain::{Currency, Money};
use std::{cmp::Ordering, collections::BTreeMap};

/// Decimals that a rate may have.
pub const RATE_DECIMALS: usize = 9;
/// Decimals that a rate of an installation may have.
const GIVEN_DECIMALS: usize = 12;
/// Units of a rate in one.
const ONE: i128 = 1_000_000_000;
/// The largest whole part of a rate.
const WHOLE_MAX: i128 = 1_000_000_000;
/// No currency has more decimals.
const MONEY_DECIMALS: u32 = 4;

/// What one unit of each currency is worth in one common currency.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rates(BTreeMap<Currency, i128>);

impl Rates {
    /// No rates: only amounts of one currency compare.
    pub fn none() -> Self {
        Self::default()
    }

    /// The same with another rate, as an installation writes it: a decimal above zero of at most
    /// twelve decimals, such as `7.123`, or a ratio of two, such as `1/7.2`; rounded to nine
    /// decimals. None if it is not one.
    pub fn with(mut self, currency: Currency, rate: &str) -> Option<Self> {
        let (over, under) = rate.split_once('/').unwrap_or((rate, "1"));
        let [over, under] = [over, under].map(|side| decimal(side.trim(), GIVEN_DECIMALS));
        let (over, under) = (over?, under?);
        let rounded = (over * ONE + under / 2) / under;
        self.0.insert(currency, Some(rounded).filter(is_rate)?);
        Some(self)
    }

    /// An amount as a number that compares with those of other amounts whose worth is counted in
    /// the same unit: in the currency itself if `unit` is the same, in the common one if both have
    /// a rate; none if either has none.
    pub(crate) fn worth(&self, money: Money, unit: Currency) -> Option<i128> {
        let scale = 10_i128.pow(MONEY_DECIMALS - u32::from(money.currency.decimals()));
        let rate = match (money.currency == unit, self.0.get(&unit)) {
            (true, None) => 1,
            _ => *self.0.get(&money.currency)?,
        };
        // Without a rate of the unit only the unit itself has a worth.
        if money.currency != unit && !self.0.contains_key(&unit) {
            return None;
        }
        Some(i128::from(money.minor) * scale * rate)
    }

    /// How two amounts compare; none if a rate is missing.
    pub fn compare(&self, one: Money, other: Money) -> Option<Ordering> {
        let unit = other.currency;
        Some(self.worth(one, unit)?.cmp(&self.worth(other, unit)?))
    }
}

/// Reads a rate, in units of 10^-9.
pub(crate) fn parse(text: &str) -> Option<i128> {
    decimal(text, RATE_DECIMALS).filter(is_rate)
}

fn is_rate(rate: &i128) -> bool {
    (1..=WHOLE_MAX * ONE).contains(rate)
}

/// A decimal above zero, in units of its last place.
fn decimal(text: &str, decimals: usize) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > decimals || whole.len() > 10 {
        return None;
    }
    let number: i128 = format!("{whole}{fraction:0<decimals$}").parse().ok()?;
    Some(number).filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str, code: &str) -> Money {
        Money::parse(text, Currency::parse(code).unwrap()).unwrap()
    }

    #[test]
    fn amounts_compare_exactly_and_without_a_rate_not_at_all() {
        let usd = Currency::parse("USD").unwrap();
        let jpy = Currency::parse("JPY").unwrap();
        let rates = Rates::none()
            .with(usd, "1")
            .unwrap()
            .with(jpy, "0.0065")
            .unwrap();
        let compare = |one, other| rates.compare(one, other);
        assert_eq!(
            compare(money("1000000", "JPY"), money("6500.00", "USD")),
            Some(Ordering::Equal)
        );
        assert_eq!(
            compare(money("1000001", "JPY"), money("6500.00", "USD")),
            Some(Ordering::Greater)
        );
        assert_eq!(
            compare(money("6499.99", "USD"), money("1000000", "JPY")),
            Some(Ordering::Less)
        );
        assert_eq!(compare(money("1.00", "EUR"), money("1.00", "USD")), None);
        assert_eq!(
            Rates::none().compare(money("2.00", "EUR"), money("1.00", "EUR")),
            Some(Ordering::Greater)
        );
        assert_eq!(
            Rates::none().compare(money("2.00", "EUR"), money("1.00", "USD")),
            None
        );
        for wrong in [
            "",
            "0",
            "-1",
            "1e3",
            "1.",
            ".5",
            "1.0000000001",
            "99999999999",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
    #[test]
    fn rates_of_an_installation_may_be_ratios_and_are_rounded() {
        let usd = Currency::parse("USD").unwrap();
        let cny = Currency::parse("CNY").unwrap();
        let rates = |text| Rates::none().with(usd, "1")?.with(cny, text);
        let ratio = rates("1/7.2").unwrap();
        let compare = |one, other| ratio.compare(one, other);
        assert_eq!(
            compare(money("72000.00", "CNY"), money("10000.00", "USD")),
            Some(Ordering::Greater),
            "0.138888889 is a little more than 1/7.2"
        );
        assert_eq!(
            compare(money("71999.99", "CNY"), money("10000.00", "USD")),
            Some(Ordering::Less)
        );
        assert_eq!(rates("0.138888888889"), rates("1 / 7.2"));
        for wrong in [
            "1/0",
            "0/1",
            "/",
            "1/2/3",
            "0.0000000000001",
            "1/99999999999",
        ] {
            assert_eq!(rates(wrong), None, "{wrong}");
        }
        assert_eq!(rates("0.0000000001"), None, "rounds to nothing");
    }
}
