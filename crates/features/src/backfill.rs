//! Windows that are longer than all before: a second past, filled from the journal beside traffic.
//!
//! The live store keeps events only as long as its plan needs them. A plan that looks further back
//! is published in four steps, none of which holds up a decision:
//!
//! 1. [`FeatureStore::begin_backfill`] with the new windows makes an empty past and lets the live
//!    store note what happens to its events from then on.
//! 2. The caller replays decisions of the journal from [`Backfill::since`] on, in the order of
//!    their numbers, as long as [`Backfill::journal_until`] asks for more, then all labels.
//! 3. [`Backfill::catch_up`] copies what the live store itself keeps, a few events at a time.
//! 4. [`Backfill::swap`] makes the new past the live one, with the last few events copied under
//!    the lock, and returns the plan that goes with it.
//!
//! Meanwhile memory holds both pasts, each within [`crate::Limits`]. A back-fill that is dropped
//! leaves the live store as it was.

use crate::arena::Standing;
use crate::plan::Plan;
use crate::state::State;
use crate::{Error, FeatureEvent, FeatureStore, WindowSpec};
use paywarden_domain::{LabelVerdict, Outcome, Timestamp};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Events, or changes, that are copied under one hold of the lock.
const STEP: usize = 64;

/// What happened to an event of the live store.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Change {
    Commit(u64, Outcome),
    Abort(u64),
    Label(u64, LabelVerdict),
}

/// The changes that a back-fill has not followed yet, oldest first.
pub(crate) type Changes = Mutex<Vec<Change>>;

/// The live store's end of the changes.
#[derive(Debug, Default)]
pub(crate) struct Watch(Option<Weak<Changes>>);

impl Watch {
    /// Notes a change if somebody follows.
    pub(crate) fn note(&mut self, change: Change) {
        let Some(watch) = &self.0 else { return };
        match watch.upgrade() {
            Some(changes) => changes
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(change),
            None => self.0 = None,
        }
    }
}

/// A past that is being filled.
#[derive(Debug)]
pub struct Backfill {
    state: State,
    changes: Arc<Changes>,
    since: i64,
    /// From this number on the live store has the events, undecided ones too.
    journal_end: u64,
}

impl FeatureStore {
    /// Starts to fill a second past for these windows. A back-fill begun earlier can no longer
    /// be swapped in.
    pub fn begin_backfill(&self, specs: &[WindowSpec]) -> Result<Backfill, Error> {
        let plan = Arc::new(Plan::new(specs, self.windows_max())?);
        let changes = Arc::new(Changes::default());
        let mut live = self.lock();
        live.watch = Watch(Some(Arc::downgrade(&changes)));
        let mut state = live.emptied();
        state.plan = plan;
        let since = live.newest.saturating_sub(state.reach_kept());
        let journal_end = live.past.arena.start();
        Ok(Backfill {
            state,
            changes,
            since,
            journal_end,
        })
    }
}

impl Backfill {
    /// Earlier events are not needed from the journal.
    pub fn since(&self) -> Timestamp {
        Timestamp::from_micros(self.since)
    }

    /// The number up to which, exclusive, the journal is still to be replayed; `None` once the
    /// rest can come from the live store. Ask again after each batch: the live store drops old
    /// events meanwhile.
    pub fn journal_until(&mut self, live: &FeatureStore) -> Option<u64> {
        self.journal_end = live.lock().past.arena.start();
        (self.next() < self.journal_end).then_some(self.journal_end)
    }

    /// The number of the next event that it wants.
    pub fn next(&self) -> u64 {
        self.state.past.arena.next()
    }

    /// Adds a decision of the journal. False, and nothing changes, if its number is not above all
    /// before and below [`Backfill::journal_until`]: the live store may still have earlier ones.
    pub fn replay(&mut self, event_no: u64, event: &FeatureEvent, outcome: Outcome) -> bool {
        (self.next()..self.journal_end).contains(&event_no)
            && self.state.add(event_no, event, Standing::of(outcome))
    }

    /// Says that the journal has no more decisions below [`Backfill::journal_until`].
    pub fn journal_ended(&mut self) {
        self.state.skip_to(self.journal_end);
    }

    /// Applies a label of the journal. False if the event is not kept, or not yet copied.
    pub fn label(&mut self, event_no: u64, verdict: LabelVerdict) -> bool {
        self.state.label(event_no, verdict)
    }

    /// Copies up to `events_max` events of the live store and follows their changes. Returns how
    /// many are still missing, or `None` if [`Backfill::journal_until`] has something to ask for.
    pub fn catch_up(&mut self, live: &FeatureStore, events_max: u64) -> Option<u64> {
        let mut copied = 0;
        loop {
            let missing = self.copy_step(&live.lock())?;
            self.follow();
            copied += STEP as u64;
            if missing == 0 || copied >= events_max {
                return Some(missing);
            }
        }
    }

    /// Makes this the past of the live store. Gives it back if the journal is needed again, or if
    /// another back-fill was begun.
    pub fn swap(mut self, live: &FeatureStore) -> Result<Arc<Plan>, Box<Self>> {
        loop {
            if self.catch_up(live, u64::MAX).is_none() {
                return Err(Box::new(self));
            }
            let mut current = live.lock();
            let own = Arc::downgrade(&self.changes);
            if !current
                .watch
                .0
                .as_ref()
                .is_some_and(|watch| watch.ptr_eq(&own))
            {
                drop(current);
                return Err(Box::new(self));
            }
            let waiting = current.past.arena.next() - self.next();
            if waiting > STEP as u64 || self.changes_waiting() > STEP {
                continue;
            }
            self.copy_step(&current);
            self.follow();
            self.state.take_over(&current);
            let plan = Arc::clone(&self.state.plan);
            let replaced = std::mem::replace(&mut *current, self.state);
            drop(current);
            drop(replaced);
            return Ok(plan);
        }
    }

    /// Copies a few events. Returns how many are missing then; `None` if some are no longer kept.
    fn copy_step(&mut self, live: &State) -> Option<u64> {
        let (from, next) = (self.next(), live.past.arena.next());
        if from < live.past.arena.start() {
            return None;
        }
        let until = next.min(from + STEP as u64);
        for number in from..until {
            if let Some((event, standing)) = live.past.event(number) {
                self.state.add_as(number, &event, standing);
            }
        }
        self.state.skip_to(until);
        Some(next - until)
    }

    /// Follows the changes noted so far.
    fn follow(&mut self) {
        let changes = std::mem::take(&mut *self.noted());
        for change in changes {
            match change {
                Change::Commit(number, outcome) => self.state.commit(number, outcome),
                Change::Abort(number) => self.state.abort(number),
                Change::Label(number, verdict) => {
                    self.state.label(number, verdict);
                }
            }
        }
    }

    fn changes_waiting(&self) -> usize {
        self.noted().len()
    }

    fn noted(&self) -> std::sync::MutexGuard<'_, Vec<Change>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
