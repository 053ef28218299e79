//! What happens to an event in the store: reserved, decided, labelled, grown too old.

use crate::arena::{Fact, Ids, Standing};
use crate::backfill::{Change, Watch};
use crate::event::Place;
use crate::past::{Past, Plans};
use crate::plan::Plan;
use crate::read::{Current, Query, Scratch};
use crate::{FeatureEvent, Limits, Stats, Ticket, Value};
use paywarden_domain::time::DAY;
use paywarden_domain::{LabelVerdict, Outcome, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The most event numbers that positions can tell apart, with room to spare.
const SPAN_MAX: u64 = 1 << 31;
/// How late an event may come and still find whole windows.
pub(crate) const LATE_MAX: i64 = DAY;
/// How far one event may move the newest time on: one wrong clock does not age everything.
const LEAP_MAX: i64 = DAY;
/// How many labels are noted between two images.
const RELABELLED_MAX: usize = 1 << 20;
/// How many old slots one event may clear away, more than it fills.
const EXPIRY_STEPS: usize = 4;

/// Everything behind the lock.
#[derive(Debug)]
pub(crate) struct State {
    pub past: Past,
    pub plan: Arc<Plan>,
    /// The plan that is being prepared: the first event asked about by it makes it the one at work.
    pub next: Option<Arc<Plan>>,
    limits: Limits,
    pending: BTreeSet<u64>,
    /// The newest time of an event; `i64::MIN` before the first one.
    pub newest: i64,
    /// The newest time of an event that is no longer kept; `i64::MIN` for none.
    pub gone_latest: i64,
    /// The highest number of an event that is no longer kept; 0 for none.
    pub gone_last: u64,
    events: u64,
    untracked: u64,
    /// Events that were labelled since the last image began; `None` if they were too many to note.
    relabelled: Option<Vec<u64>>,
    /// Who follows what happens to the events.
    pub watch: Watch,
}

impl State {
    pub(crate) fn new(limits: Limits, plan: Arc<Plan>) -> Self {
        let limits = Limits {
            events_max: limits.events_max.clamp(1, SPAN_MAX),
            ..limits
        };
        Self {
            past: Past::new(limits.entities_max, limits.long_min),
            plan,
            next: None,
            limits,
            pending: BTreeSet::new(),
            newest: i64::MIN,
            gone_latest: i64::MIN,
            gone_last: 0,
            events: 0,
            untracked: 0,
            relabelled: Some(Vec::new()),
            watch: Watch::default(),
        }
    }

    /// An empty state with the same limits and plan.
    pub(crate) fn emptied(&self) -> Self {
        Self::new(self.limits, Arc::clone(&self.plan))
    }

    /// Looks up all windows and adds the event, undecided or with its outcome. What `scratch` has
    /// then is to be summed up, as this event.
    pub(crate) fn reserve(
        &mut self,
        plan: &Plan,
        (event, standing): (&FeatureEvent, Standing),
        scratch: &mut Scratch,
        values: &mut Vec<Value>,
    ) -> (Ticket, Current) {
        self.turn_to(plan.generation);
        let ids = self.track(event);
        let fact = Fact::new(event, &ids, standing);
        let mut cut = Vec::new();
        let current = self.past.current(event, fact, ids);
        let query = Query {
            plan,
            newest: plan.generation == self.plan.generation,
            current: &current,
        };
        self.past.gather(query, scratch, values, &mut cut);
        let bounded = event.at.saturating_sub(plan.reach_for(event.present())) < self.gone_latest;
        let event_no = self.past.arena.next();
        let ticket = Ticket {
            event_no,
            as_of: event.at,
            gone_latest: bounded.then_some(self.gone_latest),
            cut,
        };
        if standing.outcome().is_none() {
            self.pending.insert(event_no);
        }
        self.insert(event_no, fact, (&ids, event.place));
        (ticket, current)
    }

    /// Makes a plan that was prepared the one at work.
    pub(crate) fn turn_to(&mut self, generation: u64) {
        if let Some(next) = self.next.take_if(|next| next.generation == generation) {
            self.plan = next;
        }
    }

    /// Prepares one entity for the next plan, looking at about so many events. True when it is
    /// ready.
    pub(crate) fn prepare(&mut self, id: u32, events_max: usize) -> bool {
        let plans = plans(&self.plan, &self.next);
        self.past.prepare(id, plans, events_max)
    }

    /// Adds an event with a given number. False if it is present or too old.
    pub(crate) fn add(&mut self, number: u64, event: &FeatureEvent, standing: Standing) -> bool {
        let arena = &self.past.arena;
        let known = number < arena.start() || arena.position(number).is_some();
        if known || number > i64::MAX as u64 {
            return false;
        }
        self.make_room_until(number + 1);
        let ids = self.track(event);
        let fact = Fact::new(event, &ids, standing);
        self.insert(number, fact, (&ids, event.place));
        true
    }

    /// Like [`State::add`], for an event that may be undecided.
    pub(crate) fn add_as(&mut self, number: u64, event: &FeatureEvent, standing: Standing) {
        if self.add(number, event, standing) && standing.outcome().is_none() {
            self.pending.insert(number);
        }
    }

    /// Goes on with the clock and counters of another state that this one replaces.
    pub(crate) fn take_over(&mut self, other: &Self) {
        self.newest = self.newest.max(other.newest);
        self.past.marks.clone_from(&other.past.marks);
        self.untracked += other.untracked;
    }

    /// Makes `next` the next number, unless it is already higher.
    pub(crate) fn skip_to(&mut self, next: u64) {
        self.make_room_until(next);
        self.past.arena.skip_to(next);
    }

    /// Records the outcome of an undecided event; one that is no longer kept needs none.
    pub(crate) fn commit(&mut self, number: u64, outcome: Outcome) {
        self.watch.note(Change::Commit(number, outcome));
        if self.pending.remove(&number)
            && let Some(position) = self.past.arena.position(number)
            && let Some(fact) = self.past.arena.fact(position)
        {
            let standing = fact.standing.with_outcome(outcome);
            self.past
                .restate(position, standing, plans(&self.plan, &self.next));
        }
    }

    /// Takes an undecided event away again.
    pub(crate) fn abort(&mut self, number: u64) {
        self.watch.note(Change::Abort(number));
        if self.pending.remove(&number)
            && let Some(position) = self.past.arena.position(number)
        {
            self.past
                .remove(position, false, plans(&self.plan, &self.next));
            self.events -= 1;
        }
    }

    /// Records a label. False if the event is not kept.
    pub(crate) fn label(&mut self, number: u64, verdict: LabelVerdict) -> bool {
        self.watch.note(Change::Label(number, verdict));
        let arena = &self.past.arena;
        let position = arena.position(number);
        let Some((position, fact)) = position.and_then(|p| Some((p, arena.fact(p)?))) else {
            return false;
        };
        let standing = fact.standing.with_label(verdict);
        self.past
            .restate(position, standing, plans(&self.plan, &self.next));
        match &mut self.relabelled {
            Some(numbers) if numbers.len() < RELABELLED_MAX => numbers.push(number),
            numbers => *numbers = None,
        }
        true
    }

    /// The events labelled since the last time; `None` if they were too many to note.
    pub(crate) fn take_relabelled(&mut self) -> Option<Vec<u64>> {
        self.relabelled.replace(Vec::new())
    }

    /// Gives a decided event the standing that an image has for it.
    pub(crate) fn restand(&mut self, number: u64, standing: Standing) {
        if let Some(position) = self.past.arena.position(number) {
            self.past
                .restate(position, standing, plans(&self.plan, &self.next));
        }
    }

    /// Counts the events of an image that was loaded.
    pub(crate) fn count_loaded(&mut self, events: u64) {
        self.events += events;
    }

    /// The number below which every event is decided.
    pub(crate) fn decided_until(&self) -> u64 {
        self.pending
            .first()
            .copied()
            .unwrap_or(self.past.arena.next())
    }

    pub(crate) fn stats(&self) -> Stats {
        let truncated = self.gone_latest > self.newest.saturating_sub(self.plan.reach);
        Stats {
            events: self.events,
            pending: self.pending.len() as u64,
            oldest_pending: self.pending.first().copied(),
            next_event_no: self.past.arena.next(),
            entities: self.past.registry.tracked() as u64,
            entities_untracked: self.untracked,
            long_timelines: self.past.longs.len() as u64,
            truncated_since: truncated.then(|| Timestamp::from_micros(self.gone_latest)),
        }
    }

    fn track(&mut self, event: &FeatureEvent) -> Ids {
        let (ids, without_room) = self.past.track(event, self.kept_since());
        self.untracked += without_room;
        ids
    }

    fn insert(&mut self, number: u64, fact: Fact, rest: (&Ids, Option<Place>)) {
        let earlier = if self.newest == i64::MIN {
            fact.at
        } else {
            self.newest
        };
        self.newest = fact.at.clamp(earlier, earlier.saturating_add(LEAP_MAX));
        self.past
            .insert(number, fact, rest, plans(&self.plan, &self.next));
        self.events += 1;
        self.expire();
    }

    /// Drops the events that a span until `next` leaves no room for.
    fn make_room_until(&mut self, next: u64) {
        let start = next.saturating_sub(self.limits.events_max);
        while self.past.arena.start() < start && self.past.arena.span() > 0 {
            self.drop_oldest();
        }
        self.past.arena.leap_to(start);
    }

    /// How far before the newest time events are kept.
    pub(crate) fn reach_kept(&self) -> i64 {
        self.plan.reach + LATE_MAX
    }

    /// The time from which on events are kept.
    fn kept_since(&self) -> i64 {
        self.newest.saturating_sub(self.reach_kept())
    }

    /// Drops events that no window reaches any more, and those beyond the limit.
    fn expire(&mut self) {
        for _ in 0..EXPIRY_STEPS {
            match self.past.arena.front() {
                Some((_, Some(fact))) if fact.at >= self.kept_since() => break,
                Some(_) => self.drop_oldest(),
                None => break,
            }
        }
        self.make_room_until(self.past.arena.next());
    }

    fn drop_oldest(&mut self) {
        let Some((position, fact)) = self.past.arena.front() else {
            return;
        };
        if let Some(fact) = fact {
            self.pending.remove(&self.past.arena.start());
            self.past
                .remove(position, true, plans(&self.plan, &self.next));
            self.gone_latest = self.gone_latest.max(fact.at);
            self.gone_last = self.past.arena.start();
            self.events -= 1;
        }
        self.past.arena.pop();
    }
}

fn plans<'a>(live: &'a Plan, next: &'a Option<Arc<Plan>>) -> Plans<'a> {
    Plans {
        live,
        next: next.as_deref(),
    }
}
