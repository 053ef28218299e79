//! Money: whole minor units of one currency, never a float.

use crate::{Currency, Invalid};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeStruct};
use std::{borrow::Cow, fmt};
use utoipa::{PartialSchema, ToSchema};

/// The largest amount accepted, in minor units: 10^15, far above any payment and far enough below
/// `i64::MAX` that nine thousand of them can be summed.
pub const MINOR_MAX: i64 = 1_000_000_000_000_000;

/// An amount of one currency in minor units.
///
/// In JSON: `{"value": "12.34", "currency": "USD"}`. On the way in `{"minor": 1234, …}` is
/// accepted too. The decimals of `value` may not exceed those of the currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    /// Minor units (cents for USD, yen for JPY, fils for KWD). Not negative on the way in.
    pub minor: i64,
    /// The currency that the minor units belong to.
    pub currency: Currency,
}

impl Money {
    /// An amount in minor units.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Reads a plain decimal such as `12.34`: no sign, no exponent, no grouping.
    pub fn parse(value: &str, currency: Currency) -> Result<Self, Invalid> {
        if value.starts_with('-') {
            return Err(negative());
        }
        let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let dangling = value.ends_with('.');
        if whole.is_empty() || dangling || !digits(whole) || !digits(fraction) {
            return Err(Invalid::new(
                "amount_malformed",
                "write an amount as digits, like 12.34",
            ));
        }
        let decimals = usize::from(currency.decimals());
        if fraction.len() > decimals {
            return Err(Invalid::new(
                "amount_decimals",
                format!(
                    "{currency} has {decimals} decimals, the amount has {}",
                    fraction.len()
                ),
            ));
        }
        format!("{whole}{fraction:0<decimals$}")
            .parse::<i64>()
            .map_err(|_| overflow())
            .and_then(|minor| Self::checked(minor, currency))
    }

    /// Checks the limits that every incoming amount obeys.
    pub fn checked(minor: i64, currency: Currency) -> Result<Self, Invalid> {
        match minor {
            ..0 => Err(negative()),
            0..=MINOR_MAX => Ok(Self { minor, currency }),
            _ => Err(overflow()),
        }
    }

    /// The plain decimal form, with all decimals of the currency.
    pub fn decimal(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write_decimal(&mut text);
        text
    }

    fn write_decimal(&self, out: &mut impl fmt::Write) -> fmt::Result {
        let width = usize::from(self.currency.decimals());
        let unit = 10_u64.pow(u32::from(self.currency.decimals()));
        let (sign, minor) = (
            if self.minor < 0 { "-" } else { "" },
            self.minor.unsigned_abs(),
        );
        write!(out, "{sign}{}", minor / unit)?;
        match width {
            0 => Ok(()),
            _ => write!(out, ".{:0width$}", minor % unit),
        }
    }
}

fn negative() -> Invalid {
    Invalid::new(
        "amount_negative",
        "an amount is never negative: use a refund event instead",
    )
}

fn overflow() -> Invalid {
    Invalid::new("amount_overflow", "an amount is at most 10^15 minor units")
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_decimal(f)?;
        write!(f, " {}", self.currency)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return (self.minor, self.currency).serialize(serializer);
        }
        let mut object = serializer.serialize_struct("Money", 2)?;
        object.serialize_field("value", &self.decimal())?;
        object.serialize_field("currency", &self.currency)?;
        object.end()
    }
}

#[derive(Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "an object such as {\"value\": \"12.50\", \"currency\": \"USD\"}"
)]
struct MoneyInput<'a> {
    #[serde(borrow, default)]
    value: Option<Cow<'a, str>>,
    #[serde(default)]
    minor: Option<i64>,
    currency: Currency,
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            let (minor, currency) = Deserialize::deserialize(deserializer)?;
            return Ok(Self { minor, currency });
        }
        let input = MoneyInput::deserialize(deserializer)?;
        match (input.value, input.minor) {
            (Some(value), None) => Self::parse(&value, input.currency),
            (None, Some(minor)) => Self::checked(minor, input.currency),
            _ => Err(Invalid::new(
                "amount_malformed",
                "give either `value` or `minor`",
            )),
        }
        .map_err(de::Error::custom)
    }
}

impl PartialSchema for Money {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{ObjectBuilder, Type};
        ObjectBuilder::new()
            .property(
                "value",
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .pattern(Some("^[0-9]{1,16}(\\.[0-9]{1,4})?$"))
                    .description(Some(
                        "decimal amount; no more decimals than the currency has",
                    )),
            )
            .property(
                "minor",
                ObjectBuilder::new()
                    .schema_type(Type::Integer)
                    .minimum(Some(0))
                    .maximum(Some(MINOR_MAX))
                    .description(Some("the same amount in minor units; give one of the two")),
            )
            .property("currency", Currency::schema())
            .required("currency")
            .description(Some("An amount of one currency, as `value` or as `minor`."))
            .into()
    }
}

impl ToSchema for Money {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    #[test]
    fn wrong_amounts_have_their_own_codes() {
        for (value, code, expected) in [
            ("1.5", "JPY", "amount_decimals"),
            ("1.2345", "KWD", "amount_decimals"),
            ("-1", "USD", "amount_negative"),
            ("99999999999999999999", "USD", "amount_overflow"),
            ("1e3", "USD", "amount_malformed"),
            ("1.", "USD", "amount_malformed"),
            (".5", "USD", "amount_malformed"),
            ("", "USD", "amount_malformed"),
            ("1,000", "USD", "amount_malformed"),
        ] {
            assert_eq!(
                Money::parse(value, currency(code)).unwrap_err().code,
                expected,
                "{value}"
            );
        }
    }

    #[test]
    fn json_takes_both_forms_and_writes_one() {
        let cents: Money = serde_json::from_str(r#"{"minor":1205,"currency":"USD"}"#).unwrap();
        let value: Money = serde_json::from_str(r#"{"value":"12.05","currency":"USD"}"#).unwrap();
        assert_eq!(cents, value);
        let text = serde_json::to_string(&value).unwrap();
        assert_eq!(text, r#"{"value":"12.05","currency":"USD"}"#);
        assert!(serde_json::from_str::<Money>(r#"{"currency":"USD"}"#).is_err());
    }

    proptest! {
        #[test]
        fn decimal_round_trips(minor in 0..=MINOR_MAX, place in 0usize..150) {
            let currency = Currency::all().nth(place).unwrap();
            let money = Money::new(minor, currency);
            prop_assert_eq!(Money::parse(&money.decimal(), currency).unwrap(), money);
        }
    }
}
