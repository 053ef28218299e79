//! Entities by their keyed hash: each gets a small number and a record of 32 bytes.

use crate::Error;
use crate::blocks::{List, Moved};
use crate::entity::EntityKind;
use hashbrown::HashTable;
use paywarden_domain::time::SECOND;

/// Parts of the index. Each grows by itself, so that no single event waits for all of it.
const PARTS: usize = 1024;
/// Records per page.
const PAGE: usize = 4096;
/// How many records one newcomer may inspect for an idle one to replace.
const SWEEP_STEPS: u32 = 1024;

/// What is kept of one entity besides its list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entity {
    pub key: u64,
    /// Time of its earliest event that is no longer kept; `i64::MAX` for none.
    pub gone_first: i64,
    pub list: Timeline,
    /// Time of its latest event ever, in seconds since 1970, for the sweep.
    pub last: u32,
    pub kind: EntityKind,
}

const _: () = assert!(size_of::<Entity>() == 32);

/// Where the events of an entity are listed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Timeline {
    /// In a block of positions.
    Short(List),
    /// In a long timeline of its own.
    Long,
}

impl Entity {
    pub(crate) fn new(kind: EntityKind, key: u64) -> Self {
        let list = Timeline::Short(List::default());
        Self {
            key,
            gone_first: i64::MAX,
            list,
            last: 0,
            kind,
        }
    }

    /// Whether no event of it is kept.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self.list, Timeline::Short(list) if list.len() == 0)
    }

    /// Whether its timeline is a long one.
    pub(crate) fn is_long(&self) -> bool {
        matches!(self.list, Timeline::Long)
    }

    /// Notes an event at this time; true if it is later than every event before by its second.
    pub(crate) fn seen(&mut self, at: i64) -> bool {
        let second = (at / SECOND + 1).clamp(0, i64::from(u32::MAX)) as u32;
        let later = second > self.last;
        self.last = self.last.max(second);
        later
    }

    fn idle_since(&self, time: i64) -> bool {
        self.is_empty() && i64::from(self.last) < time / SECOND
    }
}

/// All tracked entities.
#[derive(Debug)]
pub(crate) struct Registry {
    index: Vec<HashTable<u32>>,
    records: Records,
    free: Vec<u32>,
    tracked_max: usize,
    tracked: usize,
    hand: u32,
    /// How many images are being written: meanwhile numbers given up are kept apart, because
    /// events that were copied refer to them.
    held: u32,
    given_up: Vec<u32>,
}

#[derive(Debug, Default)]
struct Records(Vec<Vec<Entity>>);

impl Records {
    #[inline]
    fn get(&self, id: u32) -> Option<&Entity> {
        self.0.get(id as usize / PAGE)?.get(id as usize % PAGE)
    }

    fn get_mut(&mut self, id: u32) -> Option<&mut Entity> {
        self.0
            .get_mut(id as usize / PAGE)?
            .get_mut(id as usize % PAGE)
    }

    fn len(&self) -> u32 {
        let full = self.0.len().saturating_sub(1) * PAGE;
        (full + self.0.last().map_or(0, Vec::len)) as u32
    }

    fn push(&mut self, entity: Entity) -> u32 {
        if self.0.last().is_none_or(|page| page.len() == PAGE) {
            self.0.push(Vec::with_capacity(PAGE));
        }
        let id = self.len();
        if let Some(page) = self.0.last_mut() {
            page.push(entity);
        }
        id
    }

    fn is(&self, id: u32, kind: EntityKind, key: u64) -> bool {
        self.get(id)
            .is_some_and(|entity| entity.key == key && entity.kind == kind)
    }

    fn hash(&self, id: u32) -> u64 {
        self.get(id)
            .map_or(0, |entity| hash(entity.kind, entity.key))
    }
}

impl Registry {
    pub(crate) fn new(tracked_max: usize) -> Self {
        let index = (0..PARTS).map(|_| HashTable::new()).collect();
        let records = Records::default();
        Self {
            index,
            records,
            free: Vec::new(),
            tracked_max,
            tracked: 0,
            hand: 0,
            held: 0,
            given_up: Vec::new(),
        }
    }

    /// How many entities are tracked.
    pub(crate) fn tracked(&self) -> usize {
        self.tracked
    }

    /// One past the highest number given out.
    pub(crate) fn end(&self) -> u32 {
        self.records.len()
    }

    #[inline]
    pub(crate) fn get(&self, id: u32) -> Option<&Entity> {
        self.records.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: u32) -> Option<&mut Entity> {
        self.records.get_mut(id)
    }

    /// Notes that the block of a list has moved.
    pub(crate) fn note(&mut self, moved: Option<Moved>) {
        if let Some(moved) = moved
            && let Some(entity) = self.get_mut(moved.owner)
            && let Timeline::Short(list) = &mut entity.list
        {
            *list = list.moved(moved);
        }
    }

    /// The number of an entity if it is tracked.
    #[inline]
    pub(crate) fn find(&self, kind: EntityKind, key: u64) -> Option<u32> {
        let hash = hash(kind, key);
        let part = self.index.get(part(hash))?;
        part.find(hash, |id| self.records.is(*id, kind, key))
            .copied()
    }

    /// The number of an entity, tracked from now on if it was not. None if there is no room: the
    /// limit is reached and the entities inspected all had events since `idle_before`.
    pub(crate) fn track(&mut self, kind: EntityKind, key: u64, idle_before: i64) -> Option<u32> {
        if let Some(id) = self.find(kind, key) {
            return Some(id);
        }
        if self.tracked >= self.tracked_max {
            self.sweep(idle_before);
        }
        if self.tracked >= self.tracked_max {
            return None;
        }
        let entity = Entity::new(kind, key);
        let id = match self.free.pop() {
            Some(id) => {
                *self.records.get_mut(id)? = entity;
                id
            }
            None => self.records.push(entity),
        };
        let hash = hash(kind, key);
        let records = &self.records;
        self.index
            .get_mut(part(hash))?
            .insert_unique(hash, id, |id| records.hash(*id));
        self.tracked += 1;
        Some(id)
    }

    /// Forgets an entity that has no events.
    pub(crate) fn forget(&mut self, id: u32) {
        let hash = self.records.hash(id);
        let part = self.index.get_mut(part(hash));
        if let Some(entry) = part.and_then(|part| part.find_entry(hash, |other| *other == id).ok())
        {
            entry.remove();
            self.tracked -= 1;
            match self.held {
                0 => self.vacate(id),
                _ => self.given_up.push(id),
            }
        }
    }

    /// Keeps given up numbers from being used again.
    pub(crate) fn hold(&mut self) {
        self.held += 1;
    }

    /// Ends one [`Registry::hold`].
    pub(crate) fn release(&mut self) {
        self.held = self.held.saturating_sub(1);
        if self.held == 0 {
            for id in std::mem::take(&mut self.given_up) {
                self.vacate(id);
            }
        }
    }

    /// Adds a record of an image under the next number.
    pub(crate) fn push(&mut self, entity: Entity) {
        self.records.push(entity);
    }

    /// Indexes all records that were pushed.
    pub(crate) fn index_all(&mut self) -> Result<(), Error> {
        let room = self.records.len() as usize / PARTS * 9 / 8;
        for part in &mut self.index {
            part.reserve(room, |_| 0);
        }
        for id in 0..self.records.len() {
            let Some(entity) = self
                .records
                .get(id)
                .copied()
                .filter(|entity| entity.key != 0)
            else {
                self.free.push(id);
                continue;
            };
            let hash = hash(entity.kind, entity.key);
            let records = &self.records;
            let Some(part) = self.index.get_mut(part(hash)) else {
                continue;
            };
            let same = |other: &u32| records.is(*other, entity.kind, entity.key);
            if part.find(hash, same).is_some() {
                return Err(Error::Damaged("an entity is there twice"));
            }
            part.insert_unique(hash, id, |id| records.hash(*id));
            self.tracked += 1;
        }
        Ok(())
    }

    fn vacate(&mut self, id: u32) {
        if let Some(entity) = self.records.get_mut(id) {
            entity.key = 0;
        }
        self.free.push(id);
    }

    /// Moves the hand over some records until it has forgotten an idle one.
    fn sweep(&mut self, idle_before: i64) {
        for _ in 0..SWEEP_STEPS.min(self.end()) {
            let id = self.hand;
            self.hand = (id + 1) % self.end();
            if self
                .get(id)
                .is_some_and(|entity| entity.idle_since(idle_before))
            {
                self.forget(id);
                return;
            }
        }
    }
}

fn part(hash: u64) -> usize {
    (hash >> 32) as usize % PARTS
}

/// Keys are hashes already, but of unknown quality: one multiply-and-fold round spreads them.
fn hash(kind: EntityKind, key: u64) -> u64 {
    let product = u128::from(key ^ (kind as u64) << 56) * 0x9e37_79b9_7f4a_7c15;
    (product >> 64) as u64 ^ product as u64
}
