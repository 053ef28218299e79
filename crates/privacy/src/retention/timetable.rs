//! The timetable of a privacy policy: when runs begin by themselves, and whether what they count ends.

use super::{COUNT_LIFE_US, Order, Run, RunState};
use crate::{By, Error, Vault};
use paywarden_domain::{
    TenantId, Timestamp,
    time::{DAY, HOUR},
};
use paywarden_store::Actor;
use serde::Deserialize;
use std::sync::Arc;

/// Runs among which the last one of the timetable is looked for.
const RUNS_MAX: u32 = 100;
/// The longest that a count waits before it ends something, in hours: it is good for a week.
const WAIT_HOURS_MAX: u32 = 144;
/// Persons that such a run looks at in a second.
const PACE: u32 = 500;

/// When runs begin by themselves.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Timetable {
    /// A count begins on every so many days, 1 to 366.
    every_days: u16,
    /// At this hour, UTC.
    #[serde(default)]
    hour: u8,
    /// Whether what was counted ends.
    #[serde(default)]
    ends: bool,
    /// So many hours after it was counted, 1 to 144: until then somebody may stop it.
    #[serde(default = "three_days")]
    wait_hours: u32,
}

fn three_days() -> u32 {
    72
}

impl Timetable {
    /// The first rule that it breaks.
    pub(crate) fn broken(&self) -> Option<&'static str> {
        crate::words::first_broken(&[
            (
                (1..=366).contains(&self.every_days),
                "a timetable has every_days of 1 to 366",
            ),
            (self.hour < 24, "a timetable has an hour of 0 to 23"),
            (
                (1..=WAIT_HOURS_MAX).contains(&self.wait_hours),
                "a timetable has wait_hours of 1 to 144",
            ),
        ])
    }

    /// The number of the day, by days that begin at its hour.
    fn day(&self, at: Timestamp) -> i64 {
        (at.micros() - i64::from(self.hour) * HOUR).div_euclid(DAY)
    }

    /// Whether a count is due: so many days after the last, or, where none was ever made, when a day
    /// has begun since the start.
    fn counts(&self, last: Option<Timestamp>, opened_at: Timestamp, now: Timestamp) -> bool {
        let today = self.day(now);
        match last {
            Some(last) => today - self.day(last) >= i64::from(self.every_days),
            None => today > self.day(opened_at),
        }
    }

    /// Whether what was counted ends now.
    fn ends(&self, count: &Run, policy: i64, now: Timestamp) -> bool {
        let waited = |ended_at: Timestamp| {
            now.micros() - ended_at.micros() >= i64::from(self.wait_hours) * HOUR
        };
        self.ends
            && count.state == RunState::Done
            && count.policy == policy
            && now.micros() - count.as_of.micros() <= COUNT_LIFE_US
            && count.ended_at.is_some_and(waited)
    }
}

impl Vault {
    /// Begins every run that is due by the timetable of its company, and none twice. Call it now and
    /// then.
    pub async fn keep_timetable(self: &Arc<Self>) -> Result<(), Error> {
        for tenant in self.reader.database().trail_tenants().await? {
            match self.begin_due(&tenant).await {
                // Somebody's run is open, or somebody stopped this one: it is looked again.
                Err(Error::RetentionOpen(_) | Error::RetentionNotCounted) => {}
                begun => begun?,
            }
        }
        Ok(())
    }

    async fn begin_due(self: &Arc<Self>, tenant: &TenantId) -> Result<(), Error> {
        let in_force = self.desk.in_force(tenant);
        let Some(timetable) = in_force.policy.timetable() else {
            return Ok(());
        };
        let runs = self.retention_runs(tenant, None, RUNS_MAX).await?;
        let count = runs.iter().find(|run| run.is_timed && run.is_count());
        let now = self.clock.now();
        let is_acted_upon = |count: &Run| {
            let mut later = runs.iter();
            later.any(|run| run.counted.as_ref() == Some(&count.id))
        };
        let ending = count
            .filter(|count| timetable.ends(count, in_force.number(), now) && !is_acted_upon(count));
        let last = count.map(|count| count.begun_at);
        if ending.is_none() && !timetable.counts(last, self.opened_at, now) {
            return Ok(());
        }
        let by = By::new(
            tenant.clone(),
            Actor::System("retention"),
            "timetable of the privacy policy",
        );
        let order = Order {
            counted: ending.map(|count| count.id.clone()),
            persons_per_second: PACE,
        };
        self.begin_run(&by, &order, true).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn a_day_begins_at_the_hour_and_no_count_is_made_twice() {
        let timetable: Timetable = toml::from_str("every_days = 7\nhour = 2").unwrap();
        assert_eq!(timetable.broken(), None);
        let counts = |last, now| {
            let opened_at = at("2026-03-01T12:00:00Z");
            timetable.counts(last, opened_at, at(now))
        };
        assert!(!counts(None, "2026-03-01T23:00:00Z"));
        assert!(!counts(None, "2026-03-02T01:59:59Z"));
        assert!(counts(None, "2026-03-02T02:00:00Z"));
        // However late it began, the next is due at the hour.
        let last = Some(at("2026-03-02T20:00:00Z"));
        assert!(!counts(last, "2026-03-09T01:59:59Z"));
        assert!(counts(last, "2026-03-09T02:00:00Z"));
        assert!(counts(last, "2026-05-09T15:00:00Z"));
    }

    #[test]
    fn a_timetable_that_says_nothing_is_refused() {
        for text in [
            "every_days = 0",
            "every_days = 367",
            "every_days = 1\nhour = 24",
            "every_days = 1\nwait_hours = 0",
            "every_days = 1\nwait_hours = 145",
        ] {
            let timetable: Timetable = toml::from_str(text).unwrap();
            assert!(timetable.broken().is_some(), "{text}");
        }
        assert!(toml::from_str::<Timetable>("hour = 1").is_err());
        assert!(toml::from_str::<Timetable>("every_days = 1\nminute = 1").is_err());
    }
}
