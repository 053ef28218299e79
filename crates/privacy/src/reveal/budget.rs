//! How many different persons somebody is shown: so many a day at once, and each further one after a
//! wait that doubles. It is read from the looks in the journal, so that a restart begins nothing anew.

use super::LOOK;
use crate::Error;
use paywarden_domain::{
    TenantId, Timestamp,
    time::{DAY, MINUTE, SECOND},
};
use paywarden_store::{Database, RecordRow};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// How long a person counts against whoever was shown them, in microseconds.
const WINDOW_US: i64 = DAY;
/// The wait before the first person beyond what is free, in microseconds.
const WAIT_FIRST_US: i64 = 30 * SECOND;
/// The longest wait.
const WAIT_MAX_US: i64 = 15 * MINUTE;
const PAGE: u32 = 500;

/// Who was shown whom, and since when, in the last day.
pub(crate) struct Budget {
    free: usize,
    shown: Mutex<HashMap<(TenantId, String), Vec<Shown>>>,
}

struct Shown {
    subject: String,
    first_at: Timestamp,
}

/// What a look says in the journal.
#[derive(Serialize, Deserialize)]
pub(super) struct Looked {
    pub(super) actor: String,
    pub(super) subject: String,
}

impl Budget {
    /// What the journal knows; `free` persons a day are shown without a wait.
    pub(crate) async fn load(
        database: &Database,
        (free, now): (u32, Timestamp),
    ) -> Result<Self, Error> {
        let budget = Self {
            free: usize::try_from(free).unwrap_or(usize::MAX),
            shown: Mutex::default(),
        };
        let mut after = String::new();
        loop {
            let page = database.records_newest(LOOK, &after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(budget);
            };
            after.clone_from(&last.id);
            for row in page.iter().filter(|row| !is_over(row.written_at, now)) {
                budget.take(row)?;
            }
        }
    }

    /// Refuses a person who is new to whoever looks, if they must wait: so many microseconds.
    pub(super) fn wait_us(
        &self,
        (tenant, actor): (&TenantId, &str),
        subject: &str,
        now: Timestamp,
    ) -> Option<i64> {
        let mut shown = self.lock();
        let theirs = shown.get_mut(&(tenant.clone(), actor.to_owned()))?;
        theirs.retain(|one| !is_over(one.first_at, now));
        if theirs.iter().any(|one| one.subject == subject) {
            return None;
        }
        let beyond = u32::try_from(theirs.len().checked_sub(self.free)?).unwrap_or(u32::MAX);
        let wait_us = WAIT_FIRST_US
            .checked_shl(beyond.min(16))
            .map_or(WAIT_MAX_US, |wait_us| wait_us.min(WAIT_MAX_US));
        let last = theirs.iter().map(|one| one.first_at).max()?;
        let left_us = last.micros() + wait_us - now.micros();
        (left_us > 0).then_some(left_us)
    }

    /// Counts a look that is durable.
    pub(super) fn take(&self, look: &RecordRow) -> Result<(), Error> {
        // Looks of earlier versions say nothing.
        if look.body.is_empty() {
            return Ok(());
        }
        let looked: Looked = serde_json::from_slice(&look.body).map_err(|_| Error::Damaged)?;
        let mut shown = self.lock();
        let theirs = shown
            .entry((look.tenant.clone(), looked.actor))
            .or_default();
        if !theirs.iter().any(|one| one.subject == looked.subject) {
            theirs.push(Shown {
                subject: looked.subject,
                first_at: look.written_at,
            });
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(TenantId, String), Vec<Shown>>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_over(at: Timestamp, now: Timestamp) -> bool {
    at.micros() + WINDOW_US <= now.micros()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(subject: &str, at: i64) -> RecordRow {
        let looked = Looked {
            actor: "staff:liu".to_owned(),
            subject: subject.to_owned(),
        };
        RecordRow {
            tenant: TenantId::parse("acme").unwrap(),
            kind: LOOK.to_owned(),
            id: format!("apr_{subject}"),
            version: 1,
            written_at: Timestamp::from_micros(at),
            body: serde_json::to_vec(&looked).unwrap(),
        }
    }

    #[test]
    fn waits_double_up_to_a_quarter_of_an_hour_and_end_with_the_day() {
        let budget = Budget {
            free: 2,
            shown: Mutex::default(),
        };
        let acme = TenantId::parse("acme").unwrap();
        let wait = |subject: &str, at: i64| {
            let who = (&acme, "staff:liu");
            budget.wait_us(who, subject, Timestamp::from_micros(at))
        };
        assert_eq!(wait("a", 0), None);
        budget.take(&look("a", 0)).unwrap();
        budget.take(&look("b", 0)).unwrap();
        let mut now = 0;
        for seconds in [30, 60, 120, 240, 480, 900, 900] {
            let subject = format!("s{now}");
            assert_eq!(wait(&subject, now), Some(seconds * SECOND));
            // Who was shown before may be looked at again at once.
            assert_eq!(wait("a", now), None);
            now += seconds * SECOND;
            assert_eq!(wait(&subject, now - 1), Some(1));
            assert_eq!(wait(&subject, now), None);
            budget.take(&look(&subject, now)).unwrap();
        }
        let other = TenantId::parse("other").unwrap();
        let theirs = budget.wait_us((&other, "staff:liu"), "new", Timestamp::from_micros(now));
        assert_eq!(theirs, None);
        assert_eq!(wait("new", now + DAY), None);
    }
}
