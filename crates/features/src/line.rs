//! The events of a run in the order of time, in chunks of up to 64.

use crate::arena::{Arena, Fact};
use crate::run::{Ground, Key};
use std::ops::Range;

/// Most events of a chunk.
pub(crate) const CHUNK: usize = 64;

/// The positions, sorted, in chunks.
#[derive(Debug)]
pub(crate) struct Line {
    pub positions: Vec<u32>,
    /// When each of them was: searching does not look at the events.
    pub times: Vec<i64>,
    pub chunks: Vec<Chunk>,
}

/// Up to 64 positions, from `start` to the start of the next chunk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chunk {
    pub first: i64,
    pub last: i64,
    pub start: usize,
}

impl Line {
    /// Parts all positions into full chunks.
    pub(crate) fn part(&mut self) {
        let starts = (0..self.positions.len()).step_by(CHUNK);
        self.chunks = starts
            .map(|start| Chunk {
                first: 0,
                last: 0,
                start,
            })
            .collect();
        (0..self.chunks.len()).for_each(|place| self.bound_chunk(place));
    }

    pub(crate) fn first(&self) -> i64 {
        self.chunks.first().map_or(i64::MAX, |chunk| chunk.first)
    }

    pub(crate) fn last(&self) -> i64 {
        self.chunks.last().map_or(i64::MIN, |chunk| chunk.last)
    }

    pub(crate) fn end(&self, ground: Ground) -> Key {
        let last = self.positions.last();
        (self.last(), last.map_or(0, |last| ground.arena.rank(*last)))
    }

    /// The positions of a chunk; none for a chunk that is not there.
    pub(crate) fn range(&self, place: usize) -> Range<usize> {
        let start = |place: usize| self.chunks.get(place).map(|chunk| chunk.start);
        let end = self.positions.len();
        start(place).unwrap_or(end)..start(place + 1).unwrap_or(end)
    }

    /// The last chunk that begins at or before a key, else the first.
    pub(crate) fn chunk_of(&self, key: Key, ground: Ground) -> usize {
        let rank = |place: usize| self.positions.get(place).map(|p| ground.arena.rank(*p));
        let begin = |chunk: &Chunk| (chunk.first, rank(chunk.start).unwrap_or(u32::MAX));
        self.chunks
            .partition_point(|chunk| begin(chunk) <= key)
            .saturating_sub(1)
    }

    /// All events of a chunk.
    pub(crate) fn inside<'a>(&'a self, place: usize, arena: &'a Arena) -> Inside<'a> {
        Inside {
            positions: self.positions[self.range(place)].iter(),
            arena,
        }
    }

    pub(crate) fn insert(&mut self, place: usize, position: u32, key: Key, ground: Ground) {
        let range = self.range(place);
        let appends = self.end(ground) < key;
        let before = |other: &u32| appends || ground.key(*other) < key;
        let offset = self.positions[range.clone()].partition_point(before);
        reserve(&mut self.positions);
        reserve(&mut self.times);
        self.positions.insert(range.start + offset, position);
        self.times.insert(range.start + offset, key.0);
        self.chunks[place + 1..]
            .iter_mut()
            .for_each(|chunk| chunk.start += 1);
        let chunk = &mut self.chunks[place];
        chunk.first = chunk.first.min(key.0);
        chunk.last = chunk.last.max(key.0);
    }

    /// Takes a position out of a chunk; whether that has emptied it, and is gone with it. None if
    /// the position is not there.
    pub(crate) fn remove(&mut self, place: usize, position: u32) -> Option<bool> {
        let range = self.range(place);
        let positions = &self.positions[range.clone()];
        let offset = positions.iter().position(|other| *other == position)?;
        self.positions.remove(range.start + offset);
        self.times.remove(range.start + offset);
        self.chunks[place + 1..]
            .iter_mut()
            .for_each(|chunk| chunk.start -= 1);
        let emptied = range.len() == 1;
        if emptied {
            self.chunks.remove(place);
        } else {
            self.bound_chunk(place);
        }
        Some(emptied)
    }

    /// Adds an empty chunk at the end, or one that takes the upper half of a full one. Returns its
    /// place.
    pub(crate) fn add_chunk(&mut self, place: usize, appends: bool) -> usize {
        let range = self.range(place);
        let (added, start) = match appends {
            true => (self.chunks.len(), self.positions.len()),
            false => (place + 1, range.start + range.len() / 2),
        };
        reserve(&mut self.chunks);
        let chunk = Chunk {
            first: i64::MAX,
            last: i64::MIN,
            start,
        };
        self.chunks.insert(added, chunk);
        added
    }

    /// Computes the edges of a chunk anew.
    pub(crate) fn bound_chunk(&mut self, place: usize) {
        let times = &self.times[self.range(place)];
        let (first, last) = (times.first().copied(), times.last().copied());
        let chunk = &mut self.chunks[place];
        (chunk.first, chunk.last) = (first.unwrap_or(i64::MAX), last.unwrap_or(i64::MIN));
    }
}

/// Some events of a chunk, earliest first.
pub(crate) struct Inside<'a> {
    pub positions: std::slice::Iter<'a, u32>,
    pub arena: &'a Arena,
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
