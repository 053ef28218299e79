//! When people pay: hours, weekdays, pay days and the season of gifts.

use paywarden_domain::time::{DAY, HOUR};

/// The greatest value of [`liveliness`].
pub(crate) const LIVELINESS_MAX: f64 = 1.9 * 1.2 * 1.5;

/// How busy each local hour is; 1 is the mean.
const HOURS: [f64; 24] = [
    0.25, 0.15, 0.10, 0.10, 0.15, 0.30, 0.60, 1.00, 1.20, 1.20, 1.25, 1.40, 1.70, 1.50, 1.25, 1.20,
    1.30, 1.60, 1.90, 1.80, 1.60, 1.30, 0.80, 0.45,
];
/// How busy each weekday is, Monday first; 1 is the mean.
const WEEKDAYS: [f64; 7] = [0.90, 0.90, 0.95, 1.00, 1.20, 1.15, 0.90];

/// A local date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Date {
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

/// How likely people are to pay at this moment of their local time, compared with the mean moment.
pub(crate) fn liveliness(local: i64) -> f64 {
    let hour = usize::try_from(local.rem_euclid(DAY) / HOUR).unwrap_or(0);
    let by_hour = HOURS.get(hour).copied().unwrap_or(1.0);
    let by_weekday = WEEKDAYS.get(weekday(local)).copied().unwrap_or(1.0);
    by_hour * by_weekday * season(date(local))
}

/// The weekday of a local time, 0 for Monday.
pub(crate) fn weekday(local: i64) -> usize {
    // 1970-01-01 was a Thursday.
    usize::try_from((local.div_euclid(DAY) + 3).rem_euclid(7)).unwrap_or(0)
}

/// The date of a local time (the days are counted in eras of 400 Gregorian years from 1 March).
pub(crate) fn date(local: i64) -> Date {
    let days = local.div_euclid(DAY) + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    Date {
        year: u16::try_from(era * 400 + year_of_era + i64::from(month <= 2)).unwrap_or(1970),
        month: u8::try_from(month).unwrap_or(1),
        day: u8::try_from(day_of_year - (153 * month_from_march + 2) / 5 + 1).unwrap_or(1),
    }
}

fn season(date: Date) -> f64 {
    match (date.month, date.day) {
        (11, 20..) | (12, 1..=23) => 1.5,
        (12, 24..) | (1, 1..=2) => 0.7,
        (2, 10..=14) | (5, 1..=12) => 1.15,
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use paywarden_domain::Timestamp;

    #[test]
    fn dates_and_weekdays_are_those_of_the_calendar() {
        for (text, year, month, day, expected) in [
            ("1970-01-01T00:00:00Z", 1970, 1, 1, 3),
            ("2024-02-29T23:59:59Z", 2024, 2, 29, 3),
            ("2026-01-05T12:00:00Z", 2026, 1, 5, 0),
            ("2100-03-01T00:00:00Z", 2100, 3, 1, 0),
        ] {
            let local = Timestamp::parse(text).unwrap().micros();
            assert_eq!(date(local), Date { year, month, day }, "{text}");
            assert_eq!(weekday(local), expected, "{text}");
        }
    }

    #[test]
    fn the_mean_moment_of_an_ordinary_week_is_one() {
        let monday = Timestamp::parse("2026-03-02T00:00:00Z").unwrap().micros();
        let week: Vec<f64> = (0..168)
            .map(|hour| liveliness(monday + hour * HOUR))
            .collect();
        assert!((week.iter().sum::<f64>() / 168.0 - 1.0).abs() < 0.01);
        assert!(week.iter().all(|value| *value <= LIVELINESS_MAX));
    }
}
