//! Building a past from a base in one go: events and entities are put where they belong, lists
//! as they come, and those of entities with many events from all events at the end.

use crate::Error;
use crate::arena::{Cells, NO_ENTITY};
use crate::blocks::LIST_MAX;
use crate::entity::EntityKind;
use crate::event::take;
use crate::long::Long;
use crate::past::{Past, Plans, UNLISTED, ground};
use crate::plan::Plan;
use crate::registry::{Entity, Timeline};

/// A past that is being read.
pub(crate) struct Loading<'a> {
    past: &'a mut Past,
    pub events: u64,
    pub entities: u64,
    /// Entities whose events are not listed, ascending.
    unlisted: Vec<u32>,
    positions: Vec<u32>,
}

impl<'a> Loading<'a> {
    /// Goes on with an empty past.
    pub(crate) fn new(past: &'a mut Past) -> Self {
        Self {
            past,
            events: 0,
            entities: 0,
            unlisted: Vec::new(),
            positions: Vec::new(),
        }
    }

    /// The number after the last event.
    pub(crate) fn next(&self) -> u64 {
        self.past.arena.next()
    }

    /// Takes over the events of one block.
    pub(crate) fn events(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            let cell = Cells::take(&mut bytes)?;
            self.past.arena.leap_to(cell.number);
            let room = (self.next()..self.next() + u64::from(u32::MAX)).contains(&cell.number);
            if !room || cell.number > i64::MAX as u64 {
                return Err(Error::Damaged("event numbers do not ascend"));
            }
            self.past.arena.put_cell(&cell);
            self.events += 1;
        }
        Ok(())
    }

    /// Takes over the entities of one block.
    pub(crate) fn entities(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            let [kind] = take(&mut bytes)?;
            let kind = EntityKind::ALL.get(usize::from(kind)).copied();
            let kind = kind.ok_or(Error::Damaged("entity kind is unknown"))?;
            let key = u64::from_le_bytes(take(&mut bytes)?);
            let mut entity = Entity::new(kind, key);
            entity.gone_first = i64::from_le_bytes(take(&mut bytes)?);
            entity.last = u32::from_le_bytes(take(&mut bytes)?);
            let id = self.past.registry.end();
            match u16::from_le_bytes(take(&mut bytes)?) {
                UNLISTED => self.unlisted.push(id),
                count => entity.list = self.list(id, count, &mut bytes)?,
            }
            self.past.registry.push(entity);
            self.entities += u64::from(key != 0);
        }
        Ok(())
    }

    /// Builds index, summaries and the lists that are still missing. Returns how many events there
    /// are.
    pub(crate) fn finish(self, plan: &Plan) -> Result<u64, Error> {
        let Self {
            past,
            events,
            unlisted,
            ..
        } = self;
        past.registry.index_all()?;
        let timelines = timelines(past, &unlisted)?;
        for (id, positions) in unlisted.into_iter().zip(timelines) {
            past.put_timeline(id, positions, plan);
        }
        Ok(events)
    }

    fn list(&mut self, id: u32, count: u16, bytes: &mut &[u8]) -> Result<Timeline, Error> {
        self.positions.clear();
        for _ in 0..count {
            let position = u32::from_le_bytes(take(bytes)?);
            if !self.past.arena.is_before(position, self.next()) {
                return Err(Error::Damaged("an entity lists an event that is not there"));
            }
            self.positions.push(position);
        }
        if self.positions.len() > LIST_MAX {
            return Err(Error::Damaged("a list is too long"));
        }
        Ok(Timeline::Short(self.past.blocks.list(id, &self.positions)))
    }
}

/// The events of some entities, in the order of their numbers.
fn timelines(past: &Past, ids: &[u32]) -> Result<Vec<Vec<u32>>, Error> {
    let end = past.registry.end();
    let mut wanted = vec![0_u64; (end as usize).div_ceil(64)];
    for id in ids {
        wanted[*id as usize / 64] |= 1 << (id % 64);
    }
    let mut timelines = vec![Vec::new(); ids.len()];
    past.arena.try_each(|position, _, named| {
        for id in named.into_iter().filter(|id| *id != NO_ENTITY) {
            let Some(word) = wanted.get(id as usize / 64).filter(|_| id < end) else {
                return Err(Error::Damaged("an event names an entity that is not there"));
            };
            if word >> (id % 64) & 1 == 1
                && let Ok(place) = ids.binary_search(&id)
            {
                timelines[place].push(position);
            }
        }
        Ok(())
    })?;
    Ok(timelines)
}

impl Past {
    /// Gives an entity the events that it takes part in.
    fn put_timeline(&mut self, id: u32, mut positions: Vec<u32>, plan: &Plan) {
        let long_min = self.long_min();
        let Some(entity) = self.registry.get_mut(id) else {
            return;
        };
        let ground = ground(&self.arena, Plans::only(plan), entity.kind);
        positions.sort_by_key(|position| ground.key(*position));
        if positions.len() > long_min {
            self.longs.insert(id, Long::new(&positions, ground));
            entity.list = Timeline::Long;
        } else {
            entity.list = Timeline::Short(self.blocks.list(id, &positions));
        }
    }
}
