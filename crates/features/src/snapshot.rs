//! The image of a store: written beside live traffic, read back whole or not at all.
//!
//! A head of eight bytes, then blocks of `tag, length, payload, CRC-32`: events, then what entities
//! remember of events no longer kept, then one end block with the totals. All numbers are
//! little-endian. Events carry the hashes of their entities, not their interned numbers: an image
//! means the same to every store.

use crate::arena::Standing;
use crate::event::take;
use crate::set::Member;
use crate::state::State;
use crate::{EntityKind, Error, FeatureEvent, FeatureStore};
use std::io::{ErrorKind, Read, Write};

const NAME: [u8; 7] = *b"pw-past";
const FORMAT: u8 = 1;
const EVENTS: u8 = 1;
const ENTITIES: u8 = 2;
const END: u8 = 3;
/// From how many bytes on a block is written.
const BLOCK_BYTES: usize = 64 * 1024;
/// The longest block that is read.
const BLOCK_BYTES_MAX: u32 = 1024 * 1024;
/// How many events, and how many entities, are copied under one hold of the lock.
const EVENTS_STEP: u64 = 64;
const ENTITIES_STEP: u32 = 1024;

/// Where to go on after an image was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// Replay decisions from this number on.
    pub next_event_no: u64,
    /// Apply labels after this one.
    pub labels_seq: u64,
}

impl FeatureStore {
    /// Writes an image of all events before the oldest undecided one.
    ///
    /// `labels_seq` is the number of the newest label that has been applied; labels that arrive
    /// while the image is written may or may not be in it, and applying them again changes nothing.
    /// The lock is held for 64 events at a time, some tens of microseconds, never while writing.
    pub fn snapshot(&self, labels_seq: u64, writer: impl Write) -> Result<(), Error> {
        let (mut number, until) = {
            let state = self.lock();
            (state.past.arena.start(), state.decided_until())
        };
        let mut image = ImageWriter::begin(writer)?;
        let mut events = 0;
        while number < until {
            let end = until.min(number + EVENTS_STEP);
            events += self.lock().copy_events(number..end, &mut image.payload);
            image.flush(EVENTS, BLOCK_BYTES)?;
            number = end;
        }
        image.flush(EVENTS, 1)?;
        let mut entities = 0;
        let mut id = 0;
        while id < self.lock().past.registry.end() {
            let end = id + ENTITIES_STEP;
            entities += self.lock().copy_entities(id..end, &mut image.payload);
            image.flush(ENTITIES, BLOCK_BYTES)?;
            id = end;
        }
        image.flush(ENTITIES, 1)?;
        let (newest, gone_latest) = {
            let state = self.lock();
            (state.newest, state.gone_latest)
        };
        let end = End {
            next_event_no: until,
            labels_seq,
            newest,
            gone_latest,
            events,
            entities,
        };
        end.encode(&mut image.payload);
        image.flush(END, 1)?;
        Ok(image.writer.flush()?)
    }

    /// Replaces all content by that of an image. After an error the store is as it was.
    ///
    /// Register the windows first: they stay, and events that none of them reaches are dropped on
    /// the way. To be called before live traffic: what is reserved meanwhile is lost.
    pub fn restore(&self, reader: impl Read) -> Result<Restored, Error> {
        let mut state = self.lock().emptied();
        let restored = load(&mut state, reader)?;
        let mut current = self.lock();
        state.plan = current.plan.clone();
        let replaced = std::mem::replace(&mut *current, state);
        drop(current);
        drop(replaced);
        Ok(restored)
    }
}

/// The last block.
struct End {
    next_event_no: u64,
    labels_seq: u64,
    newest: i64,
    gone_latest: i64,
    events: u64,
    entities: u64,
}

impl End {
    fn encode(&self, bytes: &mut Vec<u8>) {
        for number in [
            self.next_event_no,
            self.labels_seq,
            self.events,
            self.entities,
        ] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        for time in [self.newest, self.gone_latest] {
            bytes.extend_from_slice(&time.to_le_bytes());
        }
    }

    fn decode(bytes: &mut &[u8]) -> Result<Self, Error> {
        Ok(Self {
            next_event_no: u64::from_le_bytes(take(bytes)?),
            labels_seq: u64::from_le_bytes(take(bytes)?),
            events: u64::from_le_bytes(take(bytes)?),
            entities: u64::from_le_bytes(take(bytes)?),
            newest: i64::from_le_bytes(take(bytes)?),
            gone_latest: i64::from_le_bytes(take(bytes)?),
        })
    }
}

impl State {
    /// Appends the kept events of these numbers; returns how many there are.
    fn copy_events(&self, numbers: std::ops::Range<u64>, bytes: &mut Vec<u8>) -> u64 {
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

    /// Appends what these entities remember of events no longer kept; returns how many do.
    fn copy_entities(&self, ids: std::ops::Range<u32>, bytes: &mut Vec<u8>) -> u64 {
        let entities = ids.filter_map(|id| self.past.registry.get(id));
        let mut copied = 0;
        for entity in entities.filter(|entity| entity.gone_first != i64::MAX) {
            bytes.push(entity.kind.place());
            bytes.extend_from_slice(&entity.key.to_le_bytes());
            bytes.extend_from_slice(&entity.gone_first.to_le_bytes());
            bytes.extend_from_slice(&entity.last.to_le_bytes());
            copied += 1;
        }
        copied
    }

    fn load_event(&mut self, bytes: &mut &[u8]) -> Result<(), Error> {
        let number = u64::from_le_bytes(take(bytes)?);
        let [standing] = take(bytes)?;
        let standing = Standing::decided(standing).ok_or(Error::Damaged("outcome is unknown"))?;
        let event = FeatureEvent::decode_from(bytes)?;
        self.past.arena.leap_to(number);
        if number >= self.past.arena.next() && self.add(number, &event, standing) {
            return Ok(());
        }
        Err(Error::Damaged("event numbers do not ascend"))
    }

    fn load_entity(&mut self, bytes: &mut &[u8]) -> Result<(), Error> {
        let [kind] = take(bytes)?;
        let kind = EntityKind::ALL.get(usize::from(kind)).copied();
        let kind = kind.ok_or(Error::Damaged("entity kind is unknown"))?;
        let key = u64::from_le_bytes(take(bytes)?);
        let gone_first = i64::from_le_bytes(take(bytes)?);
        let last = u32::from_le_bytes(take(bytes)?);
        self.past.remember(kind, key, gone_first, last);
        Ok(())
    }
}

/// Reads an image into an empty state.
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
    let (mut events, mut entities) = (0, 0);
    let mut payload = Vec::new();
    loop {
        let tag = read_block(&mut reader, &mut payload)?;
        let mut bytes = payload.as_slice();
        match tag {
            EVENTS => {
                while !bytes.is_empty() {
                    state.load_event(&mut bytes)?;
                    events += 1;
                }
            }
            ENTITIES => {
                while !bytes.is_empty() {
                    state.load_entity(&mut bytes)?;
                    entities += 1;
                }
            }
            END => {
                let end = End::decode(&mut bytes)?;
                let whole = bytes.is_empty() && (events, entities) == (end.events, end.entities);
                return finish(state, reader, whole, &end);
            }
            _ => return Err(Error::Damaged("block is unknown")),
        }
    }
}

fn finish(
    state: &mut State,
    mut reader: impl Read,
    whole: bool,
    end: &End,
) -> Result<Restored, Error> {
    let numbers = state.past.arena.next()..=i64::MAX as u64;
    if !whole || !numbers.contains(&end.next_event_no) {
        return Err(Error::Damaged("totals do not agree"));
    }
    if reader.read(&mut [0])? != 0 {
        return Err(Error::Damaged("image has trailing bytes"));
    }
    state.newest = state.newest.max(end.newest);
    state.gone_latest = state.gone_latest.max(end.gone_latest);
    state.past.arena.leap_to(end.next_event_no);
    state.skip_to(end.next_event_no);
    Ok(Restored {
        next_event_no: end.next_event_no,
        labels_seq: end.labels_seq,
    })
}

/// Collects a payload and writes it as one block.
struct ImageWriter<W> {
    writer: W,
    payload: Vec<u8>,
}

impl<W: Write> ImageWriter<W> {
    fn begin(mut writer: W) -> Result<Self, Error> {
        writer.write_all(&NAME)?;
        writer.write_all(&[FORMAT])?;
        Ok(Self {
            writer,
            payload: Vec::with_capacity(2 * BLOCK_BYTES),
        })
    }

    /// Writes the payload if it has at least so many bytes.
    fn flush(&mut self, tag: u8, bytes_min: usize) -> Result<(), Error> {
        if self.payload.len() < bytes_min {
            return Ok(());
        }
        let head = block_head(tag, self.payload.len() as u32);
        self.writer.write_all(&head)?;
        self.writer.write_all(&self.payload)?;
        let sum = crc32(crc32(0, &head), &self.payload);
        self.writer.write_all(&sum.to_le_bytes())?;
        self.payload.clear();
        Ok(())
    }
}

fn block_head(tag: u8, length: u32) -> [u8; 5] {
    let [a, b, c, d] = length.to_le_bytes();
    [tag, a, b, c, d]
}

/// Reads one block into `payload` and returns its tag.
fn read_block(reader: &mut impl Read, payload: &mut Vec<u8>) -> Result<u8, Error> {
    let mut head = [0; 5];
    fill(reader, &mut head)?;
    let [tag, a, b, c, d] = head;
    let length = u32::from_le_bytes([a, b, c, d]);
    if length > BLOCK_BYTES_MAX {
        return Err(Error::Damaged("block is too long"));
    }
    payload.resize(length as usize, 0);
    fill(reader, payload)?;
    let mut sum = [0; 4];
    fill(reader, &mut sum)?;
    if u32::from_le_bytes(sum) != crc32(crc32(0, &head), payload) {
        return Err(Error::Damaged("checksum does not agree"));
    }
    Ok(tag)
}

fn fill(reader: &mut impl Read, bytes: &mut [u8]) -> Result<(), Error> {
    reader
        .read_exact(bytes)
        .map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => Error::Damaged("image ends too early"),
            _ => Error::Io(error),
        })
}

/// CRC-32 as in ISO-HDLC (polynomial 0x04C11DB7, reflected), continued from `sum`.
fn crc32(sum: u32, bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!sum, |sum, byte| {
        CRC_TABLE[usize::from(sum as u8 ^ byte)] ^ sum >> 8
    })
}

const CRC_TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut place = 0;
    while place < 256 {
        let mut sum = place as u32;
        let mut bit = 0;
        while bit < 8 {
            sum = sum >> 1 ^ if sum & 1 == 1 { 0xedb8_8320 } else { 0 };
            bit += 1;
        }
        table[place] = sum;
        place += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksum_has_the_published_check_value() {
        assert_eq!(crc32(0, b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(crc32(0, b"1234"), b"56789"), 0xcbf4_3926);
    }
}
