//! Point-in-time replay: past decisions in their order through the code of the online path.
//!
//! Back-tests and training sets come from here. One owner, no lock; the windows are read and the
//! event is added by the same functions as online, so that a value has the same bits in both.

use crate::arena::Standing;
use crate::plan::Plan;
use crate::read::Scratch;
use crate::state::State;
use crate::{Error, FeatureEvent, Limits, Value, WindowSpec};
use paywarden_domain::{LabelVerdict, Outcome, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A past that is lived through again.
///
/// What it cannot know is how decisions overlapped online: it takes each as made before the next
/// one began. Online, an outcome counts for filters from the commit on, some milliseconds later.
///
/// ```
/// use paywarden_domain::{EventKind, LabelVerdict, Outcome, Timestamp, time::DAY};
/// use paywarden_features::*;
///
/// let fraud = Filter {
///     labels: Some(Set::EMPTY.with(Some(LabelVerdict::Fraud))),
///     ..Filter::default()
/// };
/// let frauds = WindowSpec::recent(EntityKind::Card, Aggregate::Count, 30 * DAY).filtered(fraud);
/// let mut replay = Replay::new(Limits::default(), &[frauds])?;
/// let mut event = FeatureEvent::new(EventKind::PaymentCard, 0);
/// event.entities[EntityKind::Card as usize] = 0x5eed;
/// let mut values = Vec::new();
/// // The fraud of the first payment was reported two days later.
/// replay.label(Timestamp::from_micros(2 * DAY), 1, LabelVerdict::Fraud);
/// for day in 0..4 {
///     event.at = day * DAY;
///     let decided_at = Timestamp::from_micros(event.at);
///     replay.decide(decided_at, day as u64 + 1, &event, Outcome::Approve, &mut values);
///     assert_eq!(values, [Value::Count(if day < 2 { 0 } else { 1 })]);
/// }
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
pub struct Replay {
    state: State,
    plan: Arc<Plan>,
    /// Labels to come: earliest first, those of one moment in the order they were given.
    labels: BTreeMap<(Timestamp, u64), (u64, LabelVerdict)>,
    labels_given: u64,
    scratch: Scratch,
}

impl Replay {
    /// An empty past with these windows; slot `i` of the values belongs to window `i`.
    pub fn new(limits: Limits, specs: &[WindowSpec]) -> Result<Self, Error> {
        let plan = Arc::new(Plan::new(specs, limits.windows_max)?);
        Ok(Self {
            state: State::new(limits, Arc::clone(&plan)),
            plan,
            labels: BTreeMap::new(),
            labels_given: 0,
            scratch: Scratch::default(),
        })
    }

    /// Gives a label that becomes known at a time. It counts for decisions made at that time or
    /// later. Labels may be given at any point before; those of one event and one time apply in
    /// the order given.
    pub fn label(&mut self, known_at: Timestamp, event_no: u64, verdict: LabelVerdict) {
        self.labels_given += 1;
        let place = (known_at, self.labels_given);
        self.labels.insert(place, (event_no, verdict));
    }

    /// Decides an event again: applies the labels known by `decided_at`, fills one value per
    /// window, adds the event under its number and records its outcome.
    ///
    /// Numbers ascend; one that is not above all before is refused: `None`, nothing changes. Else
    /// whether a window reached back beyond the oldest kept event.
    pub fn decide(
        &mut self,
        decided_at: Timestamp,
        event_no: u64,
        event: &FeatureEvent,
        outcome: Outcome,
        values: &mut Vec<Value>,
    ) -> Option<bool> {
        if event_no < self.state.past.arena.next() || event_no > i64::MAX as u64 {
            return None;
        }
        self.learn_until(decided_at);
        self.state.skip_to(event_no);
        let pending = (event, Standing::PENDING);
        let reserved = self
            .state
            .reserve(&self.plan, pending, &mut self.scratch, values);
        let (ticket, current) = reserved;
        self.scratch.sum_up(&self.plan, &current, values);
        self.state.commit(ticket.event_no(), outcome);
        Some(ticket.bounded())
    }

    /// Adds an event without reading its windows: what lies before the span that is asked about.
    /// False if its number is not above all before.
    pub fn skip(
        &mut self,
        decided_at: Timestamp,
        event_no: u64,
        event: &FeatureEvent,
        outcome: Outcome,
    ) -> bool {
        self.learn_until(decided_at);
        event_no >= self.state.past.arena.next()
            && self.state.add(event_no, event, Standing::of(outcome))
    }

    /// What is kept by now.
    pub fn stats(&self) -> crate::Stats {
        self.state.stats()
    }

    fn learn_until(&mut self, now: Timestamp) {
        while let Some(entry) = self.labels.first_entry()
            && entry.key().0 <= now
        {
            let (event_no, verdict) = entry.remove();
            self.state.label(event_no, verdict);
        }
    }
}
