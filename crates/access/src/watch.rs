//! Watching the trail: what people and programs do here goes through the rule engine that
//! payments go through, and what it finds becomes a security alert.
//!
//! ```text
//! recorder    a leaf for each request     access      the line that says how it went
//! act         a leaf as rules read it     calendar    when the office works
//! eyes        windows and rules           alert       what was found, and what became of it
//! desk        alerts in the store, and who decides about them; open: those not closed
//! ```
//!
//! It reads acts from the store behind the number that it has marked there, so that it delays
//! nobody, and however far it falls behind it misses nothing: the trail is its queue. Windows are
//! rebuilt from the acts of ninety days. *Invariant*: an act is counted in an alert once, also
//! when the process ends between any two steps: an alert says which act it counted last, and an
//! act that lies before the mark raises none.

pub mod access;
mod act;
pub mod alert;
mod calendar;
mod desk;
mod error;
mod eyes;
mod open;
pub mod recorder;

pub use alert::{Alert, Effect, Severity, State};
pub use calendar::Calendar;
pub use desk::{AlertFilter, AlertPage, Desk, PAGE_MAX, REPEAT};
pub use error::Error;
pub use open::OPEN_MAX;
pub use recorder::{Recorder, Subject, Visit};

use crate::{Network, Staff};
use eyes::{Eyes, Hit};
use paywarden_crypto::Keyring;
use paywarden_domain::{Timestamp, time::DAY};
use paywarden_rules::RuleSet;
use paywarden_store::{Clock, Database, Journal, WATCH};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::Mutex;

/// Windows of rules about acts reach so far back, in microseconds.
pub const REACH: i64 = 90 * DAY;
/// Acts that are read at a time.
const PAGE: u32 = 256;
/// How long it waits when it has seen everything.
const PAUSE: Duration = Duration::from_millis(200);
/// How long it waits when the store does not answer.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// What an operator sets.
pub struct Settings {
    /// Rules of packs that say `events: acts`.
    pub rules: RuleSet,
    /// When the office works.
    pub calendar: Calendar,
    /// The networks of the company.
    pub inside: Vec<Network>,
    /// The most that a rule does by itself.
    pub effect_max: Effect,
}

/// What it has seen, for the page of metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Acts that rules were asked about.
    pub acts: u64,
    /// Leaves that could not be read.
    pub unreadable: u64,
    /// Alerts raised since the start, by severity.
    pub raised: [u64; Severity::ALL.len()],
    /// Alerts that are not closed.
    pub open: u64,
    /// How old the newest act is that was seen while others wait, in microseconds; 0 if none does.
    pub behind_us: u64,
}

/// Watches the trail of every company.
pub struct Watch {
    recorder: Recorder,
    /// Held while acts are looked at.
    eyes: Mutex<Eyes>,
    desk: Desk,
    rules: RuleSet,
    database: Database,
    journal: Journal,
    clock: Clock,
    acts: AtomicU64,
    unreadable: AtomicU64,
    /// When the last act was written of a page behind which others wait; 0 if none does.
    behind: AtomicI64,
}

impl Watch {
    /// Reads the alerts that are not closed and the acts of ninety days.
    pub async fn open(
        database: Database,
        journal: Journal,
        keyring: &Keyring,
        clock: Clock,
        staff: Arc<Staff>,
        settings: Settings,
    ) -> Result<Self, Error> {
        settings.calendar.check().map_err(Error::Settings)?;
        let recorder = Recorder::new(journal.clone(), clock.clone(), keyring, settings.inside)?;
        let desk = Desk::open(
            (database.clone(), journal.clone()),
            clock.clone(),
            staff,
            settings.effect_max,
        )
        .await?;
        let rules = settings.rules;
        let eyes = Eyes::new(keyring, rules.clone(), settings.calendar)?;
        let watch = Self {
            recorder,
            eyes: Mutex::new(eyes),
            desk,
            rules,
            database,
            journal,
            clock,
            acts: AtomicU64::new(0),
            unreadable: AtomicU64::new(0),
            behind: AtomicI64::new(0),
        };
        watch.remember().await?;
        Ok(watch)
    }

    /// Notes requests.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// The alerts and who decides about them.
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// The rules by which it watches.
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// Looks at the acts of one page and writes what it found; how many acts those were. After a
    /// failure the next call goes on with what is not written yet.
    pub async fn round(&self) -> Result<usize, Error> {
        let mut eyes = self.eyes.lock().await;
        self.settle(&eyes).await?;
        let acts = self.database.acts(eyes.seen, PAGE).await?;
        for act in &acts {
            self.look(&mut eyes, act, |desk, hit| desk.hit(hit)).await;
        }
        self.settle(&eyes).await?;
        let last = acts.last().filter(|_| acts.len() == PAGE as usize);
        let behind = last.map_or(0, |act| act.written_at.micros());
        self.behind.store(behind, Ordering::Relaxed);
        Ok(acts.len())
    }

    /// Watches until it is dropped.
    pub async fn run(&self) {
        loop {
            let flushed = self.recorder.flush().await.map_err(Error::from);
            let pause = match (flushed, self.round().await) {
                (Ok(()), Ok(acts)) if acts == PAGE as usize => Duration::ZERO,
                (Ok(()), Ok(_)) => PAUSE,
                (Err(error), _) | (_, Err(error)) => {
                    tracing::error!(%error, "trail not watched");
                    PAUSE_AFTER_FAILURE
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// What it has seen.
    pub fn figures(&self) -> Figures {
        let behind = self.behind.load(Ordering::Relaxed);
        let behind_us = self.clock.now().micros().saturating_sub(behind);
        Figures {
            acts: self.acts.load(Ordering::Relaxed),
            unreadable: self.unreadable.load(Ordering::Relaxed),
            raised: self.desk.raised(),
            open: self.desk.open_count(),
            behind_us: match behind {
                0 => 0,
                _ => u64::try_from(behind_us).unwrap_or(0),
            },
        }
    }

    /// Fills the windows with the acts before the mark. Rules are asked all the same: an alert
    /// that was not written again since it was last hit catches up.
    async fn remember(&self) -> Result<(), Error> {
        let mut eyes = self.eyes.lock().await;
        let mark = self.database.mark(WATCH).await?.unwrap_or(0);
        let since = self.clock.now().micros().saturating_sub(REACH);
        let oldest = self.database.last_act_before(Timestamp::from_micros(since));
        eyes.seen = oldest.await?.min(mark);
        while eyes.seen < mark {
            let mut acts = self.database.acts(eyes.seen, PAGE).await?;
            acts.retain(|act| act.seq <= mark);
            if acts.is_empty() {
                break;
            }
            for act in &acts {
                self.look(&mut eyes, act, |desk, hit| desk.count_again(hit))
                    .await;
            }
        }
        eyes.seen = mark;
        Ok(())
    }

    async fn look(
        &self,
        eyes: &mut Eyes,
        act: &paywarden_store::ActRow,
        take: impl Fn(&Desk, Hit),
    ) {
        match eyes.look(act) {
            Ok(hits) => hits.into_iter().for_each(|hit| take(&self.desk, hit)),
            Err(_) => {
                tracing::error!(seq = act.seq, tenant = %act.tenant, "act not readable");
                self.unreadable.fetch_add(1, Ordering::Relaxed);
            }
        }
        eyes.seen = act.seq;
        self.acts.fetch_add(1, Ordering::Relaxed);
    }

    /// Writes the alerts that have changed, then how far it has come.
    async fn settle(&self, eyes: &Eyes) -> Result<(), Error> {
        self.desk.write_changed().await?;
        if eyes.marked.load(Ordering::Relaxed) < eyes.seen {
            self.journal.mark(WATCH, eyes.seen).await?;
            eyes.marked.store(eyes.seen, Ordering::Relaxed);
        }
        Ok(())
    }
}
