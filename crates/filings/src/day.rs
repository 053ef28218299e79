//! Days of the calendar, and which of them are business days.

use jiff::civil::{Date, Weekday};
use paywarden_domain::{
    Invalid, Timestamp,
    time::{DAY, HOUR},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{borrow::Cow, collections::BTreeSet, fmt};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{ObjectBuilder, Schema, Type},
    },
};

/// A day of the Gregorian calendar, `2026-01-31` in JSON; years 1900 to 2199.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(Date);

impl Day {
    /// Reads `2026-01-31`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let date: Option<Date> = text.parse().ok();
        // The parser takes `20260131` and more, too.
        date.map(Self)
            .filter(|day| (1900..2200).contains(&day.0.year()) && day.to_string() == text)
            .ok_or_else(|| Invalid::new("time_malformed", "write a date like 2026-01-31"))
    }

    /// The day of a moment at a place so many hours ahead of UTC.
    pub fn of(moment: Timestamp, offset_hours: i8) -> Self {
        let local = moment.micros() + i64::from(offset_hours) * HOUR;
        Self::EPOCH.after(local.div_euclid(DAY))
    }

    /// The first moment after this day, at a place so many hours ahead of UTC.
    pub fn end(self, offset_hours: i8) -> Timestamp {
        Timestamp::from_micros((self.number() + 1) * DAY - i64::from(offset_hours) * HOUR)
    }

    /// So many days later.
    pub fn after(self, days: i64) -> Self {
        let date = self
            .0
            .checked_add(jiff::Span::new().days(days.clamp(-200_000, 200_000)));
        Self(date.unwrap_or(self.0))
    }

    /// So many business days later: neither Saturday, Sunday nor one of the holidays is counted.
    pub fn after_business(self, days: u16, holidays: &BTreeSet<Self>) -> Self {
        let mut left = days;
        let mut day = self;
        // So many holidays cannot be in a row that a year does not end the walk.
        for _ in 0..u32::from(days) * 2 + 400 {
            if left == 0 {
                break;
            }
            day = day.after(1);
            left -= u16::from(day.is_business(holidays));
        }
        day
    }

    /// `20260131`.
    pub(crate) fn compact(self) -> String {
        format!(
            "{:04}{:02}{:02}",
            self.0.year(),
            self.0.month(),
            self.0.day()
        )
    }

    const EPOCH: Self = Self(jiff::civil::date(1970, 1, 1));

    fn is_business(self, holidays: &BTreeSet<Self>) -> bool {
        let weekend = matches!(self.0.weekday(), Weekday::Saturday | Weekday::Sunday);
        !weekend && !holidays.contains(&self)
    }

    /// Days since the start of 1970.
    fn number(self) -> i64 {
        let span = Self::EPOCH.0.until(self.0).map(|span| span.get_days());
        i64::from(span.unwrap_or(0))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

impl PartialSchema for Day {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))
            .description(Some("A day, such as 2026-01-31"))
            .into()
    }
}

impl ToSchema for Day {}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap()
    }

    #[test]
    fn days_are_those_of_the_place_and_nonsense_is_refused() {
        let late = Timestamp::parse("2026-01-31T23:30:00Z").unwrap();
        assert_eq!(Day::of(late, 0), day("2026-01-31"));
        assert_eq!(Day::of(late, 8), day("2026-02-01"));
        assert_eq!(Day::of(Timestamp::from_micros(0), -5), day("1969-12-31"));
        let end = day("2026-01-31").end(8);
        assert_eq!(end.to_string(), "2026-01-31T16:00:00Z");
        for wrong in [
            "20260131",
            "2026-02-30",
            "2026-1-3",
            "1899-12-31",
            "",
            "2026-01-31T00:00",
        ] {
            assert!(Day::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn business_days_pass_over_weekends_and_holidays() {
        // A Friday before two holidays.
        let holidays = BTreeSet::from([day("2026-02-16"), day("2026-02-17")]);
        assert_eq!(
            day("2026-02-13").after_business(1, &holidays),
            day("2026-02-18")
        );
        assert_eq!(
            day("2026-02-13").after_business(5, &BTreeSet::new()),
            day("2026-02-20")
        );
        assert_eq!(
            day("2026-02-14").after_business(0, &holidays),
            day("2026-02-14")
        );
        assert_eq!(day("2024-02-28").after(2), day("2024-03-01"));
    }
}
