//! The image of a store: written beside live traffic, read back whole or not at all.
//!
//! A base holds the events as they lie in memory, with the interned numbers of their entities, and
//! then the entities, each with the list of its events unless it has many; what is derived from
//! them is built anew in one go. Deltas follow it: the
//! events since, and the new standing of earlier ones. A delta that is cut or damaged is left out
//! with all after it: the state is then older and more of the journal is replayed. A base that is
//! damaged is refused.

use crate::arena::Standing;
use crate::event::take;
use crate::image::{BLOCK_BYTES, BlockWriter, fill, read_block};
use crate::load::Loading;
use crate::state::State;
use crate::{Error, FeatureEvent, FeatureStore};
use std::io::{Read, Write};
use std::ops::Range;

const NAME: [u8; 7] = *b"pw-past";
const FORMAT: u8 = 3;
const EVENTS: u8 = 1;
const ENTITIES: u8 = 2;
const END: u8 = 3;
const LATER_EVENTS: u8 = 4;
const STANDINGS: u8 = 5;
const LATER_END: u8 = 6;
/// How many events, and how many entities, are copied under one hold of the lock.
const EVENTS_STEP: u64 = 256;
const ENTITIES_STEP: u32 = 256;

/// Where to go on after an image was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// Replay decisions from this number on.
    pub next_event_no: u64,
    /// Apply labels after this one.
    pub labels_seq: u64,
    /// How many deltas were read.
    pub deltas: u32,
    /// Why the rest was left out, if there was more.
    pub left_out: Option<&'static str>,
}

/// What an image holds, so that the next one can be a delta to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saved {
    until: u64,
}

impl FeatureStore {
    /// Writes a base: all events before the oldest undecided one.
    ///
    /// `labels_seq` is the number of the newest label that has been applied; labels that arrive
    /// while the image is written may or may not be in it, and applying them again changes nothing.
    /// The lock is held for 256 events at a time, some tens of microseconds, never while writing.
    pub fn snapshot(&self, labels_seq: u64, writer: impl Write) -> Result<Saved, Error> {
        self.lock().past.registry.hold();
        let saved = self.write_base(labels_seq, writer);
        self.lock().past.registry.release();
        saved
    }

    /// Writes what has changed since an image, to be appended to it. After an error, and when this
    /// gives `None`, write a base.
    pub fn snapshot_delta(
        &self,
        since: Saved,
        labels_seq: u64,
        writer: impl Write,
    ) -> Result<Option<Saved>, Error> {
        let (until, relabelled) = {
            let mut state = self.lock();
            (state.decided_until(), state.take_relabelled())
        };
        let Some(relabelled) = relabelled else {
            return Ok(None);
        };
        if since.until <= self.lock().gone_last {
            return Ok(None);
        }
        let mut image = BlockWriter::new(writer);
        let mut end = End::new(until, labels_seq);
        let mut number = since.until;
        while number < until {
            let next = until.min(number + EVENTS_STEP);
            end.events += self.lock().copy_later(number..next, &mut image.payload);
            image.flush(LATER_EVENTS, BLOCK_BYTES)?;
            number = next;
        }
        image.flush(LATER_EVENTS, 1)?;
        for numbers in relabelled.chunks(EVENTS_STEP as usize) {
            end.others += self.lock().copy_standings(numbers, &mut image.payload);
            image.flush(STANDINGS, BLOCK_BYTES)?;
        }
        image.flush(STANDINGS, 1)?;
        end.close(&self.lock(), &mut image.payload);
        image.flush(LATER_END, 1)?;
        image.finish()?;
        Ok(Some(Saved { until }))
    }

    /// Replaces all content by that of a base and the deltas after it. After an error the store is
    /// as it was.
    ///
    /// Register the windows first: they stay. To be called before live traffic: what is reserved
    /// meanwhile is lost. Marks are kept.
    pub fn restore(&self, reader: impl Read) -> Result<Restored, Error> {
        let mut state = self.lock().emptied();
        let restored = load(&mut state, reader)?;
        let mut current = self.lock();
        state.past.marks.clone_from(&current.past.marks);
        let replaced = std::mem::replace(&mut *current, state);
        drop(current);
        drop(replaced);
        Ok(restored)
    }

    fn write_base(&self, labels_seq: u64, writer: impl Write) -> Result<Saved, Error> {
        let (mut number, until) = {
            let mut state = self.lock();
            state.take_relabelled();
            (state.past.arena.start(), state.decided_until())
        };
        let mut image = BlockWriter::new(writer);
        image.raw(&NAME)?;
        image.raw(&[FORMAT])?;
        let mut end = End::new(until, labels_seq);
        while number < until {
            let next = until.min(number + EVENTS_STEP);
            end.events += self.copy_cells(number..next, &mut image.payload);
            image.flush(EVENTS, BLOCK_BYTES)?;
            number = next;
        }
        image.flush(EVENTS, 1)?;
        let mut id = 0;
        while id < self.lock().past.registry.end() {
            let next = id + ENTITIES_STEP;
            end.others += self.copy_entities(id..next, until, &mut image.payload);
            image.flush(ENTITIES, BLOCK_BYTES)?;
            id = next;
        }
        image.flush(ENTITIES, 1)?;
        end.close(&self.lock(), &mut image.payload);
        image.flush(END, 1)?;
        image.finish()?;
        Ok(Saved { until })
    }
}

/// The lock is held within these and no longer: a guard in a loop would be held while writing.
impl FeatureStore {
    fn copy_cells(&self, numbers: Range<u64>, bytes: &mut Vec<u8>) -> u64 {
        self.lock().past.arena.copy_cells(numbers, bytes)
    }

    fn copy_entities(&self, ids: Range<u32>, until: u64, bytes: &mut Vec<u8>) -> u64 {
        self.lock().past.copy_entities(ids, until, bytes)
    }
}

/// The last block.
#[derive(Debug, Default, PartialEq)]
struct End {
    next_event_no: u64,
    labels_seq: u64,
    events: u64,
    /// Entities, or standings.
    others: u64,
    newest: i64,
    gone_latest: i64,
}

impl End {
    fn new(next_event_no: u64, labels_seq: u64) -> Self {
        Self {
            next_event_no,
            labels_seq,
            ..Self::default()
        }
    }

    fn close(mut self, state: &State, bytes: &mut Vec<u8>) {
        (self.newest, self.gone_latest) = (state.newest, state.gone_latest);
        for number in [
            self.next_event_no,
            self.labels_seq,
            self.events,
            self.others,
        ] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        for time in [self.newest, self.gone_latest] {
            bytes.extend_from_slice(&time.to_le_bytes());
        }
    }

    fn decode(mut bytes: &[u8], events: u64, others: u64) -> Result<Self, Error> {
        let bytes = &mut bytes;
        let end = Self {
            next_event_no: u64::from_le_bytes(take(bytes)?),
            labels_seq: u64::from_le_bytes(take(bytes)?),
            events: u64::from_le_bytes(take(bytes)?),
            others: u64::from_le_bytes(take(bytes)?),
            newest: i64::from_le_bytes(take(bytes)?),
            gone_latest: i64::from_le_bytes(take(bytes)?),
        };
        let agrees = (events, others) == (end.events, end.others) && bytes.is_empty();
        if !agrees || end.next_event_no > i64::MAX as u64 {
            return Err(Error::Damaged("totals do not agree"));
        }
        Ok(end)
    }

    /// Takes over the clock, and the numbers that were given out.
    fn apply(&self, state: &mut State) {
        state.newest = state.newest.max(self.newest);
        state.gone_latest = state.gone_latest.max(self.gone_latest);
        state.past.arena.leap_to(self.next_event_no);
        state.skip_to(self.next_event_no);
    }
}

impl State {
    /// Appends the kept events of these numbers as they came; returns how many there are.
    fn copy_later(&self, numbers: Range<u64>, bytes: &mut Vec<u8>) -> u64 {
        let mut copied = 0;
        for number in numbers {
            if let Some((event, standing)) = self.past.event(number) {
                bytes.extend_from_slice(&number.to_le_bytes());
                bytes.push(standing.place());
                event.encode_into(bytes);
                copied += 1;
            }
        }
        copied
    }

    /// Appends how these events stand now; returns how many are kept.
    fn copy_standings(&self, numbers: &[u64], bytes: &mut Vec<u8>) -> u64 {
        let mut copied = 0;
        for number in numbers {
            let position = self.past.arena.position(*number);
            let fact = position.and_then(|position| self.past.arena.fact(position));
            if let Some(fact) = fact.filter(|fact| fact.standing.outcome().is_some()) {
                bytes.extend_from_slice(&number.to_le_bytes());
                bytes.push(fact.standing.place());
                copied += 1;
            }
        }
        copied
    }
}

/// Reads a base and its deltas into an empty state.
fn load(state: &mut State, mut reader: impl Read) -> Result<Restored, Error> {
    let mut head = [0; 8];
    fill(&mut reader, &mut head)?;
    if head[..7] != NAME {
        return Err(Error::Damaged("not an image of features"));
    }
    if head[7] != FORMAT {
        return Err(Error::Format {
            found: head[7],
            expected: FORMAT,
        });
    }
    let mut loading = Loading::new(&mut state.past);
    let mut payload = Vec::new();
    let end = loop {
        let tag = read_block(&mut reader, &mut payload)?;
        match tag {
            EVENTS => loading.events(&payload)?,
            ENTITIES => loading.entities(&payload)?,
            END => break End::decode(&payload, loading.events, loading.entities)?,
            _ => return Err(Error::Damaged("block is unknown")),
        }
    };
    if loading.next() > end.next_event_no {
        return Err(Error::Damaged("totals do not agree"));
    }
    let events = loading.finish(&state.plan)?;
    state.count_loaded(events);
    end.apply(state);
    let mut restored = Restored {
        next_event_no: end.next_event_no,
        labels_seq: end.labels_seq,
        deltas: 0,
        left_out: None,
    };
    while restored.left_out.is_none() {
        match Delta::read(&mut reader, restored.next_event_no) {
            Ok(Some(delta)) => {
                restored.next_event_no = delta.end.next_event_no;
                restored.labels_seq = delta.end.labels_seq;
                restored.deltas += 1;
                delta.apply(state);
            }
            Ok(None) => break,
            Err(Error::Damaged(why)) => restored.left_out = Some(why),
            Err(error) => return Err(error),
        }
    }
    Ok(restored)
}

/// A delta, read to its end before anything of it is applied.
struct Delta {
    events: Vec<(u64, Standing, FeatureEvent)>,
    standings: Vec<(u64, Standing)>,
    end: End,
}

impl Delta {
    /// `None` if the image ends here.
    fn read(reader: &mut impl Read, from: u64) -> Result<Option<Self>, Error> {
        let (mut events, mut standings) = (Vec::new(), Vec::new());
        let mut payload = Vec::new();
        let mut first = [0];
        if reader.read(&mut first)? == 0 {
            return Ok(None);
        }
        let mut reader = first.as_slice().chain(reader);
        loop {
            let tag = read_block(&mut reader, &mut payload)?;
            let mut bytes = payload.as_slice();
            match tag {
                LATER_EVENTS => {
                    while !bytes.is_empty() {
                        let (number, standing) = numbered(&mut bytes)?;
                        let event = FeatureEvent::decode_from(&mut bytes)?;
                        events.push((number, standing, event));
                    }
                }
                STANDINGS => {
                    while !bytes.is_empty() {
                        standings.push(numbered(&mut bytes)?);
                    }
                }
                LATER_END => {
                    let end = End::decode(bytes, events.len() as u64, standings.len() as u64)?;
                    let ascending = events.is_sorted_by(|one, other| one.0 < other.0);
                    let inside = |number: u64| (from..end.next_event_no).contains(&number);
                    if !ascending || !events.iter().all(|event| inside(event.0)) {
                        return Err(Error::Damaged("event numbers do not ascend"));
                    }
                    return Ok(Some(Self {
                        events,
                        standings,
                        end,
                    }));
                }
                _ => return Err(Error::Damaged("block is unknown")),
            }
        }
    }

    fn apply(self, state: &mut State) {
        for (number, standing, event) in &self.events {
            state.add(*number, event, *standing);
        }
        for (number, standing) in self.standings {
            state.restand(number, standing);
        }
        self.end.apply(state);
    }
}

fn numbered(bytes: &mut &[u8]) -> Result<(u64, Standing), Error> {
    let number = u64::from_le_bytes(take(bytes)?);
    let [standing] = take(bytes)?;
    let standing = Standing::decided(standing).ok_or(Error::Damaged("outcome is unknown"))?;
    Ok((number, standing))
}
