//! A stretch of a long timeline: up to 4,096 events in chunks of up to 64, with their tallies.

use crate::arena::{Arena, Fact};
use crate::line::{CHUNK, Inside, Line};
use crate::listed::Listed;
use crate::plan::Matcher;
use crate::tallies::Tallies;
use crate::tally::Tally;
use std::ops::Range;

/// Most events of a run.
pub(crate) const RUN: usize = 4096;

/// By which positions are sorted: time, then number.
pub(crate) type Key = (i64, u32);

/// What a timeline refers to: the events, and what is kept for this kind of entity.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'a> {
    pub arena: &'a Arena,
    pub kept: Kept<'a>,
    /// What will be kept, while a plan is being prepared.
    pub next: Option<Kept<'a>>,
}

/// What one plan keeps for one kind of entity.
#[derive(Clone, Copy)]
pub(crate) struct Kept<'a> {
    pub listed: &'a Listed,
    pub generation: u64,
}

impl Ground<'_> {
    pub(crate) fn key(&self, position: u32) -> Key {
        (self.at(position), self.arena.rank(position))
    }

    fn at(&self, position: u32) -> i64 {
        self.arena.fact(position).map_or(i64::MIN, |fact| fact.at)
    }
}

/// The run.
///
/// *Invariant*: chunks are not empty, lie side by side and cover all positions; each has one tally
/// per tallied filter, and the totals are the sum of them.
#[derive(Debug)]
pub(crate) struct Run {
    line: Line,
    tallies: Tallies,
    /// Those of the plan that is being prepared. Of another plan they are out of date.
    next: Option<Tallies>,
}

impl Run {
    /// A run of sorted positions.
    pub(crate) fn new(positions: Vec<u32>, ground: Ground) -> Self {
        let times = positions.iter().map(|position| ground.at(*position));
        let line = Line {
            times: times.collect(),
            positions,
            chunks: vec![],
        };
        let mut run = Self {
            tallies: Tallies::none(ground.kept.generation),
            line,
            next: None,
        };
        run.renew(ground);
        run
    }

    /// Computes chunks and tallies anew from the positions.
    fn renew(&mut self, ground: Ground) {
        self.line.part();
        self.tallies = Tallies::of(&self.line, ground.kept, ground.arena);
        self.prepare(ground);
    }

    /// Computes the tallies of the next plan, if there is one.
    pub(crate) fn prepare(&mut self, ground: Ground) {
        let next = ground.next;
        self.next = next.map(|kept| Tallies::of(&self.line, kept, ground.arena));
    }

    /// Whether it has the tallies of a plan to come.
    pub(crate) fn is_prepared(&self, generation: u64) -> bool {
        let next = self.next.as_ref();
        next.is_some_and(|tallies| tallies.generation == generation)
    }

    /// Goes on with the tallies of another plan: those prepared, else computed anew.
    pub(crate) fn turn_to(&mut self, ground: Ground) {
        let prepared = self.next.take();
        let prepared = prepared.filter(|next| next.generation == ground.kept.generation);
        self.tallies =
            prepared.unwrap_or_else(|| Tallies::of(&self.line, ground.kept, ground.arena));
    }

    pub(crate) fn len(&self) -> usize {
        self.line.positions.len()
    }

    pub(crate) fn positions(&self) -> &[u32] {
        &self.line.positions
    }

    /// Its positions until a time.
    pub(crate) fn positions_until(&self, until: i64) -> &[u32] {
        let end = self.line.times.partition_point(|time| *time <= until);
        &self.line.positions[..end]
    }

    /// Time of the first event.
    pub(crate) fn first(&self) -> i64 {
        self.line.first()
    }

    /// Time of the last event.
    pub(crate) fn last(&self) -> i64 {
        self.line.last()
    }

    /// Where the first event is sorted.
    pub(crate) fn begin(&self, ground: Ground) -> Key {
        let first = self.line.positions.first();
        let rank = first.map_or(0, |first| ground.arena.rank(*first));
        (self.first(), rank)
    }

    /// Where the last event is sorted.
    pub(crate) fn end(&self, ground: Ground) -> Key {
        self.line.end(ground)
    }

    /// The tally of all its events by one of the filters.
    pub(crate) fn total(&self, column: usize) -> &Tally {
        &self.tallies.totals[column]
    }

    /// Gives back the room that a run no longer grows into.
    pub(crate) fn shrink(&mut self) {
        self.line.positions.shrink_to_fit();
        self.line.times.shrink_to_fit();
        self.line.chunks.shrink_to_fit();
        self.tallies.chunks.shrink_to_fit();
    }

    /// Takes off the upper half.
    pub(crate) fn split(&mut self, ground: Ground) -> Self {
        let half = self.len() / 2;
        let upper = self.line.positions.split_off(half);
        self.line.times.truncate(half);
        self.renew(ground);
        Self::new(upper, ground)
    }

    /// Adds an event. The run has fewer than 4,096.
    pub(crate) fn insert(&mut self, position: u32, fact: &Fact, ground: Ground) {
        let key = (fact.at, ground.arena.rank(position));
        let line = &self.line;
        let mut place = line.chunk_of(key, ground);
        if line.chunks.is_empty() || line.range(place).len() >= CHUNK {
            place = self.make_room(place, key, ground);
        }
        self.line.insert(place, position, key, ground);
        for (tallies, kept) in self.each(ground) {
            tallies.count(place, fact, kept, |_| true);
        }
    }

    /// Removes an event. False if it is not there.
    pub(crate) fn remove(&mut self, position: u32, fact: &Fact, ground: Ground) -> bool {
        let key = (fact.at, ground.arena.rank(position));
        let place = self.line.chunk_of(key, ground);
        let Some(emptied) = self.line.remove(place, position) else {
            return false;
        };
        if emptied {
            for (tallies, kept) in self.each(ground) {
                tallies.remove_chunk(place, kept);
            }
        } else {
            self.uncount(place, fact, ground, |_| true);
        }
        true
    }

    /// Whether an event is listed here. One of an image need not be: its entity may have been
    /// copied after the event was dropped.
    pub(crate) fn holds(&self, position: u32, fact: &Fact, ground: Ground) -> bool {
        let key = (fact.at, ground.arena.rank(position));
        let range = self.line.range(self.line.chunk_of(key, ground));
        self.line.positions[range].contains(&position)
    }

    /// Follows a change of outcome or label of one event, already made in the arena.
    pub(crate) fn change(&mut self, position: u32, before: &Fact, after: &Fact, ground: Ground) {
        let key = (after.at, ground.arena.rank(position));
        let place = self.line.chunk_of(key, ground);
        for (tallies, kept) in self.each(ground) {
            tallies.count(place, after, kept, |matcher| !matcher.matches(before));
        }
        self.uncount(place, before, ground, |matcher| !matcher.matches(after));
    }

    /// Adds to `tally` the events that a filter lets through, after one time, until another.
    pub(crate) fn tally(
        &self,
        column: usize,
        after: i64,
        until: i64,
        ground: Ground,
        tally: &mut Tally,
    ) {
        let tallied = &ground.kept.listed.tallied;
        for place in self.chunks_between(after, until) {
            let chunk = &self.line.chunks[place];
            if after < chunk.first && chunk.last <= until {
                tally.merge(&self.tallies.chunks[place * tallied.len() + column]);
                continue;
            }
            let matcher = &tallied[column];
            for (_, fact) in self.inside(place, after, until, ground) {
                if matcher.matches(fact) {
                    tally.add(matcher.amount(fact));
                }
            }
        }
    }

    /// The time of the latest event that a filter lets through, after one time, until another.
    pub(crate) fn latest(
        &self,
        column: usize,
        after: i64,
        until: i64,
        ground: Ground,
    ) -> Option<i64> {
        let tallied = &ground.kept.listed.tallied;
        let matcher = &tallied[column];
        let mut places = self.chunks_between(after, until).rev();
        places.find_map(|place| {
            if self.tallies.chunks[place * tallied.len() + column].count() == 0 {
                return None;
            }
            let mut facts = self.inside(place, after, until, ground).rev();
            facts
                .find(|(_, fact)| matcher.matches(fact))
                .map(|(_, fact)| fact.at)
        })
    }

    /// The places of the chunks with events after one time, until another.
    pub(crate) fn chunks_between(&self, after: i64, until: i64) -> Range<usize> {
        let chunks = &self.line.chunks;
        let start = chunks.partition_point(|chunk| chunk.last <= after);
        let end = chunks.partition_point(|chunk| chunk.first <= until);
        start..end.max(start)
    }

    /// The events of a chunk after one time, until another.
    pub(crate) fn inside<'a>(
        &'a self,
        place: usize,
        after: i64,
        until: i64,
        ground: Ground<'a>,
    ) -> Inside<'a> {
        let range = self.line.range(place);
        let (positions, times) = (&self.line.positions[range.clone()], &self.line.times[range]);
        let start = times.partition_point(|time| *time <= after);
        let end = times.partition_point(|time| *time <= until).max(start);
        Inside {
            positions: positions[start..end].iter(),
            arena: ground.arena,
        }
    }

    /// Adds a chunk at the end, or splits a full one. Returns the chunk that the key belongs to.
    fn make_room(&mut self, place: usize, key: Key, ground: Ground) -> usize {
        let appends = self.line.positions.is_empty() || self.line.end(ground) < key;
        let added = self.line.add_chunk(place, appends);
        for (tallies, kept) in self.each(ground) {
            tallies.add_chunk(added, kept);
        }
        if appends {
            return added;
        }
        self.line.bound_chunk(place);
        self.line.bound_chunk(added);
        self.renew_chunk(place, ground);
        self.renew_chunk(added, ground);
        self.line.chunk_of(key, ground)
    }

    /// Takes an event out of the tallies of its chunk and the totals.
    fn uncount(
        &mut self,
        place: usize,
        fact: &Fact,
        ground: Ground,
        also: impl Fn(&Matcher) -> bool,
    ) {
        let Self {
            line,
            tallies,
            next,
        } = self;
        for (tallies, kept) in each(tallies, next, ground) {
            tallies.uncount(place, fact, kept, &also, || {
                line.inside(place, ground.arena)
            });
        }
    }

    fn renew_chunk(&mut self, place: usize, ground: Ground) {
        let Self {
            line,
            tallies,
            next,
        } = self;
        for (tallies, kept) in each(tallies, next, ground) {
            tallies.renew_chunk(place, kept, line.inside(place, ground.arena));
        }
    }

    fn each<'a>(
        &'a mut self,
        ground: Ground<'a>,
    ) -> impl Iterator<Item = (&'a mut Tallies, Kept<'a>)> {
        each(&mut self.tallies, &mut self.next, ground)
    }
}

/// The tallies at work and those being prepared, with what their plans keep.
fn each<'a>(
    tallies: &'a mut Tallies,
    next: &'a mut Option<Tallies>,
    ground: Ground<'a>,
) -> impl Iterator<Item = (&'a mut Tallies, Kept<'a>)> {
    let next = next.as_mut().zip(ground.next);
    let next = next.filter(|(tallies, kept)| tallies.generation == kept.generation);
    std::iter::once((tallies, ground.kept)).chain(next)
}
