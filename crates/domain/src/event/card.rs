//! The card of an event, before and behind the vault.

use super::{CheckResult, EntryMode, Funding, Text, ThreeDs};
use crate::{Country, Invalid, Pan, Timestamp, schema::text};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::Cow;
use utoipa::{PartialSchema, ToSchema};

/// A card as it arrives: it may carry the clear number, which goes no further than the vault.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CardInput {
    /// Clear card number, 12 to 19 digits.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^[0-9 -]{12,40}$")]
    pub number: Option<Pan>,
    /// Card verification code: accepted so that callers need not strip it, and dropped unread.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub cvv: Option<Dropped>,
    /// Index of a card decided on earlier, instead of the number.
    #[serde(default)]
    pub index: Option<Text>,
    /// What else is known of the card.
    #[serde(default)]
    pub details: Option<CardDetails>,
}

/// A card as everything behind the vault sees it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Card {
    /// Keyed index of the number: equal numbers of one tenant have equal indexes.
    pub index: Text,
    /// Issuer identification: eight digits, six for short numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bin: Option<Text>,
    /// Last four digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_four: Option<Text>,
    /// What else is known of the card.
    pub details: CardDetails,
}

/// What is known of a card besides its number.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CardDetails {
    /// Scheme, such as `visa` or `unionpay`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<Text>,
    /// Who funds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub funding: Option<Funding>,
    /// Country of the issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer_country: Option<Country>,
    /// How it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry_mode: Option<EntryMode>,
    /// Expiry, `YYYY-MM`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry: Option<Expiry>,
    /// Cardholder name as given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder_name: Option<Text>,
    /// Address verification result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avs: Option<CheckResult>,
    /// Card verification code result (the code itself is never kept).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cvv_check: Option<CheckResult>,
    /// 3-D Secure result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub three_ds: Option<ThreeDs>,
}

/// A value that is read past and forgotten. It holds nothing.
pub struct Dropped;

impl<'de> Deserialize<'de> for Dropped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        de::IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// Card expiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expiry {
    /// Four digits.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
}

impl Expiry {
    /// Reads `YYYY-MM`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let parts = text
            .split_once('-')
            .filter(|(year, month)| year.len() == 4 && month.len() == 2);
        parts
            .and_then(|(year, month)| Some((year.parse().ok()?, month.parse().ok()?)))
            .filter(|(year, month)| (1990..=2199).contains(year) && (1..=12).contains(month))
            .map(|(year, month)| Self { year, month })
            .ok_or_else(|| Invalid::new("expiry_malformed", "write an expiry as YYYY-MM"))
    }

    /// The first moment at which the card is no longer valid: the start of the next month, UTC.
    pub fn end(self) -> Option<Timestamp> {
        let next = (
            i16::try_from(self.year).ok()?,
            i8::try_from(self.month).ok()? + 1,
        );
        let (year, month) = if next.1 > 12 { (next.0 + 1, 1) } else { next };
        let start = jiff::civil::Date::new(year, month, 1).ok()?;
        let zoned = start.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        Some(Timestamp::from_micros(zoned.timestamp().as_microsecond()))
    }
}

impl Serialize for Expiry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:04}-{:02}", self.year, self.month))
    }
}

impl<'de> Deserialize<'de> for Expiry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

impl PartialSchema for Expiry {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        text("Card expiry, YYYY-MM", "^[0-9]{4}-[0-9]{2}$")
    }
}

impl ToSchema for Expiry {}
