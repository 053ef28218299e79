//! A stretch of a long timeline: up to 4,096 events in chunks of up to 64, with their tallies.

use crate::arena::{Arena, Fact};
use crate::plan::{Listed, Matcher};
use crate::tally::Tally;
use std::ops::Range;

/// Most events of a chunk.
const CHUNK: usize = 64;
/// Most events of a run.
pub(crate) const RUN: usize = 4096;

/// By which positions are sorted: time, then number.
pub(crate) type Key = (i64, u32);

/// What a timeline refers to: the events, and what is kept for this kind of entity.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'a> {
    pub arena: &'a Arena,
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

    fn tallied(&self) -> &[Matcher] {
        &self.listed.tallied
    }
}

/// The run.
///
/// *Invariant*: chunks are not empty, lie side by side and cover all positions; each has one tally
/// per tallied filter, and the totals are the sum of them.
#[derive(Debug)]
pub(crate) struct Run {
    positions: Vec<u32>,
    /// When each of them was: searching does not look at the events.
    times: Vec<i64>,
    chunks: Vec<Chunk>,
    /// The tallies of each chunk side by side, one per filter.
    tallies: Vec<Tally>,
    totals: Vec<Tally>,
}

/// Up to 64 positions, from `start` to the start of the next chunk.
#[derive(Debug, Clone, Copy)]
struct Chunk {
    first: i64,
    last: i64,
    start: usize,
}

impl Run {
    /// A run of sorted positions.
    pub(crate) fn new(positions: Vec<u32>, ground: Ground) -> Self {
        let times = positions.iter().map(|position| ground.at(*position));
        let mut run = Self {
            times: times.collect(),
            positions,
            chunks: vec![],
            tallies: vec![],
            totals: vec![],
        };
        run.renew(ground);
        run
    }

    /// Computes chunks and tallies anew from the positions.
    pub(crate) fn renew(&mut self, ground: Ground) {
        let starts = (0..self.positions.len()).step_by(CHUNK);
        self.chunks = starts
            .map(|start| Chunk {
                first: 0,
                last: 0,
                start,
            })
            .collect();
        self.tallies = vec![Tally::EMPTY; self.chunks.len() * ground.tallied().len()];
        (0..self.chunks.len()).for_each(|place| self.renew_chunk(place, ground));
        self.renew_totals(ground);
    }

    pub(crate) fn len(&self) -> usize {
        self.positions.len()
    }

    pub(crate) fn positions(&self) -> &[u32] {
        &self.positions
    }

    /// Its positions until a time.
    pub(crate) fn positions_until(&self, until: i64) -> &[u32] {
        &self.positions[..self.times.partition_point(|time| *time <= until)]
    }

    /// Time of the first event.
    pub(crate) fn first(&self) -> i64 {
        self.chunks.first().map_or(i64::MAX, |chunk| chunk.first)
    }

    /// Time of the last event.
    pub(crate) fn last(&self) -> i64 {
        self.chunks.last().map_or(i64::MIN, |chunk| chunk.last)
    }

    /// Where the first event is sorted.
    pub(crate) fn begin(&self, ground: Ground) -> Key {
        (
            self.first(),
            self.positions
                .first()
                .map_or(0, |first| ground.arena.rank(*first)),
        )
    }

    /// Where the last event is sorted.
    pub(crate) fn end(&self, ground: Ground) -> Key {
        (
            self.last(),
            self.positions
                .last()
                .map_or(0, |last| ground.arena.rank(*last)),
        )
    }

    /// The tally of all its events by one of the filters.
    pub(crate) fn total(&self, column: usize) -> &Tally {
        &self.totals[column]
    }

    /// Gives back the room that a run no longer grows into.
    pub(crate) fn shrink(&mut self) {
        self.positions.shrink_to_fit();
        self.times.shrink_to_fit();
        self.chunks.shrink_to_fit();
        self.tallies.shrink_to_fit();
    }

    /// Takes off the upper half.
    pub(crate) fn split(&mut self, ground: Ground) -> Self {
        let upper = self.positions.split_off(self.positions.len() / 2);
        self.times.truncate(self.positions.len());
        self.renew(ground);
        Self::new(upper, ground)
    }

    /// Adds an event. The run has fewer than 4,096.
    pub(crate) fn insert(&mut self, position: u32, fact: &Fact, ground: Ground) {
        let key = (fact.at, ground.arena.rank(position));
        let appends = self.end(ground) < key;
        let mut place = self.chunk_of(key, ground);
        if self.chunks.is_empty() || self.range(place).len() >= CHUNK {
            place = self.make_room(place, key, ground);
        }
        let range = self.range(place);
        let before = |other: &u32| appends || ground.key(*other) < key;
        let offset = self.positions[range.clone()].partition_point(before);
        reserve(&mut self.positions);
        reserve(&mut self.times);
        self.positions.insert(range.start + offset, position);
        self.times.insert(range.start + offset, fact.at);
        self.chunks[place + 1..]
            .iter_mut()
            .for_each(|chunk| chunk.start += 1);
        let chunk = &mut self.chunks[place];
        chunk.first = chunk.first.min(fact.at);
        chunk.last = chunk.last.max(fact.at);
        self.count(place, fact, ground, |_| true);
    }

    /// Removes an event. False if it is not there.
    pub(crate) fn remove(&mut self, position: u32, fact: &Fact, ground: Ground) -> bool {
        let place = self.chunk_of((fact.at, ground.arena.rank(position)), ground);
        let range = self.range(place);
        let positions = &self.positions[range.clone()];
        let found = positions.iter().position(|other| *other == position);
        let Some(offset) = found else { return false };
        self.positions.remove(range.start + offset);
        self.times.remove(range.start + offset);
        self.chunks[place + 1..]
            .iter_mut()
            .for_each(|chunk| chunk.start -= 1);
        if range.len() == 1 {
            let width = ground.tallied().len();
            self.chunks.remove(place);
            self.tallies.drain(place * width..(place + 1) * width);
            self.renew_totals(ground);
        } else {
            self.bound_chunk(place);
            self.uncount(place, fact, ground, |_| true);
        }
        true
    }

    /// Follows a change of outcome or label of one event, already made in the arena.
    pub(crate) fn change(&mut self, position: u32, before: &Fact, after: &Fact, ground: Ground) {
        let place = self.chunk_of((after.at, ground.arena.rank(position)), ground);
        self.count(place, after, ground, |matcher| !matcher.matches(before));
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
        for place in self.chunks_between(after, until) {
            let chunk = &self.chunks[place];
            if after < chunk.first && chunk.last <= until {
                tally.merge(&self.tallies[place * ground.tallied().len() + column]);
                continue;
            }
            let matcher = &ground.tallied()[column];
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
        let width = ground.tallied().len();
        let matcher = &ground.tallied()[column];
        let mut places = self.chunks_between(after, until).rev();
        places.find_map(|place| {
            if self.tallies[place * width + column].count() == 0 {
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
        let start = self.chunks.partition_point(|chunk| chunk.last <= after);
        let end = self.chunks.partition_point(|chunk| chunk.first <= until);
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
        let range = self.range(place);
        let (positions, times) = (&self.positions[range.clone()], &self.times[range]);
        let start = times.partition_point(|time| *time <= after);
        let end = times.partition_point(|time| *time <= until).max(start);
        Inside {
            positions: positions[start..end].iter(),
            arena: ground.arena,
        }
    }

    /// The positions of a chunk; none for a chunk that is not there.
    fn range(&self, place: usize) -> Range<usize> {
        let start = |place: usize| self.chunks.get(place).map(|chunk| chunk.start);
        let end = self.positions.len();
        start(place).unwrap_or(end)..start(place + 1).unwrap_or(end)
    }

    /// The last chunk that begins at or before a key, else the first.
    fn chunk_of(&self, key: Key, ground: Ground) -> usize {
        let rank = |place: usize| self.positions.get(place).map(|p| ground.arena.rank(*p));
        let begin = |chunk: &Chunk| (chunk.first, rank(chunk.start).unwrap_or(u32::MAX));
        self.chunks
            .partition_point(|chunk| begin(chunk) <= key)
            .saturating_sub(1)
    }

    /// Adds a chunk at the end, or splits a full one. Returns the chunk that the key belongs to.
    fn make_room(&mut self, place: usize, key: Key, ground: Ground) -> usize {
        let width = ground.tallied().len();
        let range = self.range(place);
        let appends = self.positions.is_empty() || self.end(ground) < key;
        let start = if appends {
            self.positions.len()
        } else {
            range.start + range.len() / 2
        };
        let added = if appends {
            self.chunks.len()
        } else {
            place + 1
        };
        reserve(&mut self.chunks);
        self.chunks.insert(
            added,
            Chunk {
                first: i64::MAX,
                last: i64::MIN,
                start,
            },
        );
        let empty = std::iter::repeat_n(Tally::EMPTY, width);
        self.tallies.splice(added * width..added * width, empty);
        if appends {
            return added;
        }
        self.renew_chunk(place, ground);
        self.renew_chunk(added, ground);
        self.chunk_of(key, ground)
    }

    /// Counts an event in its chunk and the totals, for the filters that also pass a test.
    fn count(
        &mut self,
        place: usize,
        fact: &Fact,
        ground: Ground,
        also: impl Fn(&Matcher) -> bool,
    ) {
        let tallies = self.tallies.iter_mut().skip(place * ground.tallied().len());
        let both = tallies.zip(&mut self.totals);
        for (matcher, (tally, total)) in ground.tallied().iter().zip(both) {
            if matcher.matches(fact) && also(matcher) {
                tally.add(matcher.amount(fact));
                total.add(matcher.amount(fact));
            }
        }
    }

    /// Takes an event out of the tallies of its chunk and the totals, likewise.
    fn uncount(
        &mut self,
        place: usize,
        fact: &Fact,
        ground: Ground,
        also: impl Fn(&Matcher) -> bool,
    ) {
        let tallies = self.tallies.iter_mut().skip(place * ground.tallied().len());
        let both = tallies.zip(&mut self.totals);
        let (mut chunk_known, mut totals_known) = (true, true);
        for (matcher, (tally, total)) in ground.tallied().iter().zip(both) {
            if matcher.matches(fact) && also(matcher) {
                chunk_known &= tally.remove(matcher.amount(fact));
                totals_known &= total.remove(matcher.amount(fact));
            }
        }
        if !chunk_known {
            self.renew_chunk(place, ground);
        }
        if !totals_known {
            self.renew_totals(ground);
        }
    }

    /// Computes the edges and tallies of a chunk anew.
    fn renew_chunk(&mut self, place: usize, ground: Ground) {
        self.bound_chunk(place);
        let width = ground.tallied().len();
        let tallies = &mut self.tallies[place * width..(place + 1) * width];
        tallies.fill(Tally::EMPTY);
        let end = self
            .chunks
            .get(place + 1)
            .map_or(self.positions.len(), |next| next.start);
        let positions = self.positions[self.chunks[place].start..end].iter();
        for (_, fact) in (Inside {
            positions,
            arena: ground.arena,
        }) {
            for (matcher, tally) in ground.tallied().iter().zip(&mut *tallies) {
                if matcher.matches(fact) {
                    tally.add(matcher.amount(fact));
                }
            }
        }
    }

    /// Computes the edges of a chunk anew.
    fn bound_chunk(&mut self, place: usize) {
        let times = &self.times[self.range(place)];
        let (first, last) = (times.first().copied(), times.last().copied());
        let chunk = &mut self.chunks[place];
        (chunk.first, chunk.last) = (first.unwrap_or(i64::MAX), last.unwrap_or(i64::MIN));
    }

    /// Computes the totals anew.
    fn renew_totals(&mut self, ground: Ground) {
        let width = ground.tallied().len();
        self.totals = vec![Tally::EMPTY; width];
        for (place, tally) in self.tallies.iter().enumerate() {
            self.totals[place % width].merge(tally);
        }
    }
}

/// Some events of a chunk, earliest first.
pub(crate) struct Inside<'a> {
    positions: std::slice::Iter<'a, u32>,
    arena: &'a Arena,
}

impl<'a> Iterator for Inside<'a> {
    type Item = (u32, &'a Fact);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let position = *self.positions.next()?;
        Some((position, self.arena.fact(position)?))
    }
}

impl DoubleEndedIterator for Inside<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let position = *self.positions.next_back()?;
        Some((position, self.arena.fact(position)?))
    }
}

/// Makes room for one item more, growing by a quarter: there are many of these lists.
fn reserve<T>(items: &mut Vec<T>) {
    if items.len() == items.capacity() {
        items.reserve_exact((items.len() / 4).max(8));
    }
}
