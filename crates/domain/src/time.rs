//! Points in time: microseconds in the system, RFC 3339 in JSON.

use crate::Invalid;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{borrow::Cow, fmt};
use utoipa::{PartialSchema, ToSchema};

/// Microseconds in one second, minute, hour and day.
pub const SECOND: i64 = 1_000_000;
/// Microseconds in one minute.
pub const MINUTE: i64 = 60 * SECOND;
/// Microseconds in one hour.
pub const HOUR: i64 = 60 * MINUTE;
/// Microseconds in one day.
pub const DAY: i64 = 24 * HOUR;

/// A point in time: microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The point so many microseconds after the start of 1970, UTC.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the start of 1970, UTC.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the start of 1970, UTC.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(SECOND)
    }

    /// Reads RFC 3339; years 1970 to 2199.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let time: jiff::Timestamp = text.parse().map_err(|_| {
            Invalid::new(
                "time_malformed",
                "write a time as RFC 3339, like 2026-01-31T08:00:00Z",
            )
        })?;
        let micros = time.as_microsecond();
        if !(0..7_258_118_400 * SECOND).contains(&micros) {
            return Err(Invalid::new(
                "time_out_of_range",
                "a time lies between 1970 and 2199",
            ));
        }
        Ok(Self(micros))
    }
}

impl Timestamp {
    /// The same time of day on the same date so many months later, UTC; on the last day of that month
    /// if it has no such date (Regulation (EEC, Euratom) No 1182/71, article 3(2)(c)). The last point
    /// there is if that lies beyond it.
    pub fn after_months(self, months: u32) -> Self {
        let later = jiff::Timestamp::from_microsecond(self.0).and_then(|time| {
            let zoned = time.to_zoned(jiff::tz::TimeZone::UTC);
            let span = jiff::Span::new().try_months(months)?;
            Ok(zoned.checked_add(span)?.timestamp().as_microsecond())
        });
        Self(later.unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(time) => write!(f, "{time}"),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_i64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return i64::deserialize(deserializer).map(Self);
        }
        let text = Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

impl PartialSchema for Timestamp {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("RFC 3339 time, microsecond resolution"))
            .into()
    }
}

impl ToSchema for Timestamp {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_ends_on_the_same_date_or_the_last_there_is() {
        for (from, months, to) in [
            ("2026-01-31T10:00:00Z", 1, "2026-02-28T10:00:00Z"),
            ("2028-01-31T10:00:00Z", 1, "2028-02-29T10:00:00Z"),
            ("2026-01-31T10:00:00Z", 3, "2026-04-30T10:00:00Z"),
            ("2026-12-15T23:59:59Z", 2, "2027-02-15T23:59:59Z"),
            ("2026-07-01T00:00:00Z", 0, "2026-07-01T00:00:00Z"),
        ] {
            let later = Timestamp::parse(from).unwrap().after_months(months);
            assert_eq!(later, Timestamp::parse(to).unwrap(), "{from} {months}");
        }
        let last = Timestamp::from_micros(i64::MAX);
        assert_eq!(last.after_months(1), last);
        let soon = Timestamp::from_micros(0);
        assert_eq!(soon.after_months(u32::MAX), last);
    }

    #[test]
    fn rfc_3339_round_trips_and_nonsense_has_a_code() {
        let time = Timestamp::parse("2026-01-31T09:00:00.000001+01:00").unwrap();
        assert_eq!(time.to_string(), "2026-01-31T08:00:00.000001Z");
        assert_eq!(
            Timestamp::parse("yesterday").unwrap_err().code,
            "time_malformed"
        );
        assert_eq!(
            Timestamp::parse("1969-01-01T00:00:00Z").unwrap_err().code,
            "time_out_of_range"
        );
    }
}
