//! The feature store: one lock, held for microseconds while events are looked up and added. What
//! was looked up is summed up without it.

use crate::arena::Standing;
use crate::plan::Plan;
use crate::read::Scratch;
use crate::state::State;
use crate::{EntityKind, Error, FeatureEvent, Value, WindowSpec};
use paywarden_domain::{LabelVerdict, Outcome, Timestamp};
use std::cell::RefCell;
use std::hint::spin_loop;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

/// How often a held lock is asked for before the thread sleeps, and the pauses between: together
/// about twice as long as reading and adding an event takes. To sleep and be woken costs more than
/// that.
const TRIES: usize = 64;
const PAUSES: usize = 16;

/// How much the store may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Event numbers between the oldest kept event and the next; beyond it the oldest go.
    pub events_max: u64,
    /// Entities; beyond it idle ones go, and if there are none new ones are not tracked.
    pub entities_max: usize,
    /// Windows of one plan; more are refused.
    pub windows_max: usize,
    /// From how many events on an entity's windows are summarised, 2 to 256. The values are the
    /// same either way.
    pub long_min: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            events_max: 5_000_000,
            entities_max: 20_000_000,
            windows_max: 4_096,
            long_min: 256,
        }
    }
}

/// What the store holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    /// Events kept.
    pub events: u64,
    /// Events among them that are neither committed nor aborted yet.
    pub pending: u64,
    /// The oldest of those: snapshots end before it.
    pub oldest_pending: Option<u64>,
    /// The number that the next event gets.
    pub next_event_no: u64,
    /// Entities tracked.
    pub entities: u64,
    /// How often an entity could not be tracked since the store was made.
    pub entities_untracked: u64,
    /// Entities with enough events for summaries.
    pub long_timelines: u64,
    /// If set, windows that reach this far back or further are incomplete: `events_max` was
    /// reached, or a plan with longer windows came after events had been dropped.
    pub truncated_since: Option<Timestamp>,
}

/// A reserved event, undecided: it counts for others and waits for its outcome.
///
/// Give it to [`FeatureStore::commit`] when the decision is durable, else to
/// [`FeatureStore::abort`]. A ticket that is lost leaves its event undecided until it is too old
/// to be kept: it counts for filters without outcome, [`Stats::pending`] shows it, and snapshots
/// end before it.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "commit or abort it, else its event stays undecided and holds up snapshots"]
pub struct Ticket {
    pub(crate) event_no: u64,
    pub(crate) as_of: i64,
    /// The newest time of an event that is no longer kept, if some window reaches so far.
    pub(crate) gone_latest: Option<i64>,
    /// Slots whose values met a limit.
    pub(crate) cut: Vec<usize>,
}

impl Ticket {
    /// The number of the event: ascending, unique, from 1 on.
    pub fn event_no(&self) -> u64 {
        self.event_no
    }

    /// The time that the values are of: that of the event.
    pub fn as_of(&self) -> Timestamp {
        Timestamp::from_micros(self.as_of)
    }

    /// Whether some value may be less than exact: its window reached back beyond the oldest kept
    /// event, or it met a limit.
    pub fn bounded(&self) -> bool {
        self.gone_latest.is_some() || !self.cut.is_empty()
    }

    /// Whether the value of this slot may be less than exact. Ask with the plan that was read.
    pub fn bounded_at(&self, plan: &Plan, slot: usize) -> bool {
        let since = self.as_of.saturating_sub(plan.older(slot));
        self.gone_latest
            .is_some_and(|gone| plan.older(slot) > 0 && since < gone)
            || self.cut.contains(&slot)
    }
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Exact sliding windows over the past of each entity, in memory.
///
/// *Invariant*: reading the windows of an event and adding it happen under one lock, so that of two
/// payments decided at once the second sees the first.
///
/// ```
/// use paywarden_domain::{EventKind, Outcome, time::MINUTE};
/// use paywarden_features::*;
///
/// let store = FeatureStore::new(Limits::default());
/// store.register(&[WindowSpec::recent(EntityKind::Card, Aggregate::Count, 10 * MINUTE)])?;
/// let mut event = FeatureEvent::new(EventKind::PaymentCard, 0);
/// event.entities[EntityKind::Card as usize] = 0x5eed;
/// let mut values = Vec::new();
/// for count in 1..=3 {
///     let ticket = store.reserve(&event, &mut values);
///     assert_eq!(values, [Value::Count(count)]);
///     store.commit(ticket, Outcome::Approve);
/// }
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
pub struct FeatureStore {
    windows_max: usize,
    state: Mutex<State>,
}

impl FeatureStore {
    /// An empty store without windows.
    pub fn new(limits: Limits) -> Self {
        let state = State::new(limits, Arc::new(Plan::empty()));
        Self {
            windows_max: limits.windows_max,
            state: Mutex::new(state),
        }
    }

    /// Replaces the windows; slot `i` of the values then belongs to window `i`. No event is lost:
    /// the new windows see all that is kept. Windows that are longer than all before see only what
    /// was kept for those; tickets say so.
    ///
    /// The lock is held for one assignment. What entities with many events need for windows that
    /// the plan before did not have follows on their next visit, at some tens of nanoseconds per
    /// event and window; [`FeatureStore::prepare`] does that beforehand.
    pub fn register(&self, specs: &[WindowSpec]) -> Result<Arc<Plan>, Error> {
        let plan = Arc::new(self.plan(specs)?);
        let mut state = self.lock();
        state.next = None;
        state.plan = Arc::clone(&plan);
        Ok(plan)
    }

    /// Reads all windows for an event, adds it undecided, and fills one value per registered
    /// window.
    pub fn reserve(&self, event: &FeatureEvent, values: &mut Vec<Value>) -> Ticket {
        self.read(None, (event, Standing::PENDING), values)
    }

    /// Like [`FeatureStore::reserve`], for the windows of a given plan: so that rules and the
    /// values they read belong together while others are being published. A plan other than the
    /// latest one is answered without summaries: exact, but slow for entities with many events.
    pub fn reserve_for(
        &self,
        plan: &Plan,
        event: &FeatureEvent,
        values: &mut Vec<Value>,
    ) -> Ticket {
        self.read(Some(plan), (event, Standing::PENDING), values)
    }

    /// Reads all windows for an event whose outcome is known already, and adds it with that
    /// outcome. Unlike that of a reserved one, filters on outcomes see the event itself.
    pub fn observe(&self, event: &FeatureEvent, outcome: Outcome, values: &mut Vec<Value>) {
        let _ = self.read(None, (event, Standing::of(outcome)), values);
    }

    /// Records the outcome of a reserved event.
    pub fn commit(&self, ticket: Ticket, outcome: Outcome) {
        self.lock().commit(ticket.event_no, outcome);
    }

    /// Takes a reserved event away, as if it had never been.
    pub fn abort(&self, ticket: Ticket) {
        self.lock().abort(ticket.event_no);
    }

    /// Records what an event turned out to be; the newest label counts, repeating one changes
    /// nothing. False if the event is unknown or no longer kept.
    pub fn label(&self, event_no: u64, verdict: LabelVerdict) -> bool {
        self.lock().label(event_no, verdict)
    }

    /// Adds an event from the journal under its number. Numbers come in ascending order; later ones
    /// are given out above the highest. False, and nothing changes, if the number is already
    /// present or lies before the oldest kept event. Register the windows first: events that none
    /// of them reaches are dropped on the way.
    pub fn replay(&self, event_no: u64, event: &FeatureEvent, outcome: Outcome) -> bool {
        self.lock().add(event_no, event, Standing::of(outcome))
    }

    /// Marks an entity, or takes its mark away: `HopsToMarked` looks for marked ones. An account is
    /// marked as payee too. Marks are not part of snapshots; give them again after a restart.
    pub fn mark(&self, kind: EntityKind, key: u64, marked: bool) {
        self.lock().past.mark(kind, key, marked);
    }

    /// What the store holds.
    pub fn stats(&self) -> Stats {
        self.lock().stats()
    }

    /// Reads all windows of a plan, or of the one at work, and adds the event.
    fn read(
        &self,
        plan: Option<&Plan>,
        event: (&FeatureEvent, Standing),
        values: &mut Vec<Value>,
    ) -> Ticket {
        SCRATCH.with_borrow_mut(|scratch| {
            let mut state = self.lock();
            let own;
            let plan = match plan {
                Some(plan) => plan,
                None => {
                    own = Arc::clone(&state.plan);
                    &own
                }
            };
            let (ticket, current) = state.reserve(plan, event, scratch, values);
            drop(state);
            scratch.sum_up(plan, &current, values);
            ticket
        })
    }

    /// A plan that takes over from the one at work what both keep.
    pub(crate) fn plan(&self, specs: &[WindowSpec]) -> Result<Plan, Error> {
        let before = Arc::clone(&self.lock().plan);
        Ok(Plan::new(specs, self.windows_max)?.following(&before))
    }

    pub(crate) fn windows_max(&self) -> usize {
        self.windows_max
    }

    /// The state, also after a panic of another holder: no operation leaves it half-changed by
    /// design, and a store that refuses would stop every payment.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        for _ in 0..TRIES {
            match self.state.try_lock() {
                Ok(state) => return state,
                Err(TryLockError::Poisoned(state)) => return state.into_inner(),
                Err(TryLockError::WouldBlock) => (0..PAUSES).for_each(|_| spin_loop()),
            }
        }
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
