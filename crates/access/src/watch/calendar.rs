//! When the office works, by its own clock.

use paywarden_domain::{
    Timestamp,
    time::{DAY, HOUR, MINUTE},
};
use serde::Deserialize;

/// The most holidays of a calendar.
pub const HOLIDAYS_MAX: usize = 1_000;

/// The hours of an office. Fixed offset: where clocks are put forward, say the winter's and let
/// the hours be wide enough.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Calendar {
    /// Minutes that the office is ahead of UTC, −1,440 to 1,440.
    pub offset_minutes: i32,
    /// The first hour of work, 0 to 23.
    pub from_hour: u8,
    /// The first hour after work, 1 to 24; more than `from_hour`.
    pub to_hour: u8,
    /// Days of work, 1 Monday to 7 Sunday.
    pub weekdays: Vec<u8>,
    /// Days without work, as `2026-10-01`.
    pub holidays: Vec<String>,
}

impl Default for Calendar {
    /// Monday to Friday from 7 to 20 o'clock UTC.
    fn default() -> Self {
        Self {
            offset_minutes: 0,
            from_hour: 7,
            to_hour: 20,
            weekdays: vec![1, 2, 3, 4, 5],
            holidays: Vec::new(),
        }
    }
}

/// A moment at the office.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Local {
    /// 0 to 23.
    pub hour: i64,
    /// 1 Monday to 7 Sunday.
    pub weekday: i64,
    /// Whether the office works.
    pub is_open: bool,
}

impl Calendar {
    /// Refuses hours, days and offsets that there are not.
    pub fn check(&self) -> Result<(), &'static str> {
        let is_day = |text: &String| Timestamp::parse(&format!("{text}T00:00:00Z")).is_ok();
        let checks = [
            (
                self.offset_minutes.abs() <= 1_440,
                "offset_minutes lies between -1440 and 1440",
            ),
            (
                self.from_hour < self.to_hour && self.to_hour <= 24,
                "from_hour lies before to_hour, which is at most 24",
            ),
            (
                self.weekdays.iter().all(|day| (1..=7).contains(day)),
                "weekdays are numbers from 1 to 7",
            ),
            (self.holidays.len() <= HOLIDAYS_MAX, "at most 1000 holidays"),
            (
                self.holidays.iter().all(is_day),
                "write a holiday as 2026-10-01",
            ),
        ];
        match checks.into_iter().find(|(holds, _)| !holds) {
            Some((_, why)) => Err(why),
            None => Ok(()),
        }
    }

    /// The moment at which the office has worked so many microseconds since another one. If it
    /// does not work so much within a year, a year later.
    pub fn after(&self, start: Timestamp, working_us: i64) -> Timestamp {
        let (mut now, mut left) = (start.micros(), working_us);
        let offset = i64::from(self.offset_minutes) * MINUTE;
        let end = now.saturating_add(366 * DAY);
        while now < end {
            let hour_ends = now + HOUR - (now + offset).rem_euclid(HOUR);
            if self.at(Timestamp::from_micros(now)).is_open {
                let worked = left.min(hour_ends - now);
                left -= worked;
                if left <= 0 {
                    return Timestamp::from_micros(now + worked);
                }
            }
            now = hour_ends;
        }
        Timestamp::from_micros(end)
    }

    pub(super) fn at(&self, time: Timestamp) -> Local {
        let local = time
            .micros()
            .saturating_add(i64::from(self.offset_minutes) * MINUTE);
        let hour = local.rem_euclid(DAY) / HOUR;
        // The first day of 1970 was a Thursday.
        let weekday = (local.div_euclid(DAY) + 3).rem_euclid(7) + 1;
        let works = u8::try_from(weekday).is_ok_and(|day| self.weekdays.contains(&day));
        let within = (i64::from(self.from_hour)..i64::from(self.to_hour)).contains(&hour);
        let text = Timestamp::from_micros(local).to_string();
        let is_holiday = || {
            self.holidays
                .iter()
                .any(|day| text.starts_with(day.as_str()))
        };
        Local {
            hour,
            weekday,
            is_open: works && within && !is_holiday(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(calendar: &Calendar, text: &str) -> Local {
        calendar.at(Timestamp::parse(text).unwrap())
    }

    #[test]
    fn days_and_hours_are_those_of_the_office() {
        let shanghai = Calendar {
            offset_minutes: 480,
            from_hour: 9,
            to_hour: 18,
            holidays: vec!["2026-10-01".to_owned()],
            ..Calendar::default()
        };
        shanghai.check().unwrap();
        let friday = at(&shanghai, "2026-09-25T00:59:59Z");
        assert_eq!((friday.hour, friday.weekday, friday.is_open), (8, 5, false));
        assert!(at(&shanghai, "2026-09-25T01:00:00Z").is_open);
        assert!(!at(&shanghai, "2026-09-25T10:00:00Z").is_open);
        let saturday = at(&shanghai, "2026-09-25T16:00:00Z");
        assert_eq!(
            (saturday.hour, saturday.weekday, saturday.is_open),
            (0, 6, false)
        );
        assert!(!at(&shanghai, "2026-10-01T03:00:00Z").is_open);
        assert!(at(&shanghai, "2026-10-02T03:00:00Z").is_open);
        assert_eq!(shanghai.at(Timestamp::from_micros(-8 * HOUR)).weekday, 4);
    }

    #[test]
    fn work_is_counted_minute_by_minute() {
        let office = Calendar {
            offset_minutes: 345,
            from_hour: 9,
            to_hour: 12,
            weekdays: vec![1, 2, 4, 5],
            holidays: vec!["2026-09-28".to_owned()],
        };
        for start in [
            "2026-09-25T03:14:15Z",
            "2026-09-25T06:14:59Z",
            "2026-09-26T00:00:00Z",
        ] {
            let start = Timestamp::parse(start).unwrap();
            for minutes in [1, 59, 60, 181, 600] {
                let mut oracle = start.micros();
                let mut worked = 0;
                while worked < minutes * 60 {
                    worked += i64::from(office.at(Timestamp::from_micros(oracle)).is_open);
                    oracle += 1_000_000;
                }
                let after = office.after(start, minutes * MINUTE);
                assert_eq!(after.micros(), oracle, "{start} + {minutes}");
            }
        }
        let never = Calendar {
            weekdays: Vec::new(),
            ..office
        };
        let start = Timestamp::parse("2026-09-25T03:14:15Z").unwrap();
        let after = never.after(start, MINUTE).micros();
        assert!((365 * DAY..367 * DAY).contains(&(after - start.micros())));
    }

    #[test]
    fn hours_that_there_are_not_are_refused() {
        let with = |edit: fn(&mut Calendar)| {
            let mut calendar = Calendar::default();
            edit(&mut calendar);
            calendar.check().is_err()
        };
        assert!(with(|calendar| calendar.to_hour = 25));
        assert!(with(|calendar| calendar.from_hour = calendar.to_hour));
        assert!(with(|calendar| calendar.weekdays = vec![0]));
        assert!(with(|calendar| calendar.offset_minutes = 1_441));
        assert!(with(|calendar| calendar.holidays = vec!["1.10.".to_owned()]));
    }
}
