//! Building a past from a base in one go: events are put where they belong, lists are counted,
//! given their room once and filled.

use crate::Error;
use crate::arena::{Cells, NO_ENTITY};
use crate::entity::EntityKind;
use crate::event::take;
use crate::long::Long;
use crate::past::{Past, ground};
use crate::plan::Plan;
use crate::registry::{Entity, Timeline};
use crate::slide::Spread;
use hashbrown::HashMap;
use std::hash::BuildHasherDefault;

/// A past that is being read.
pub(crate) struct Loading<'a> {
    past: &'a mut Past,
    pub events: u64,
    pub entities: u64,
}

/// What becomes of the list of one entity.
#[derive(Clone, Copy)]
struct Filling {
    /// Its kind, beside what else is looked at for each of its events; none if it is vacant.
    kind: Option<EntityKind>,
    count: u32,
    /// The time of the last event put into it.
    last: i64,
    sorted: bool,
}

impl<'a> Loading<'a> {
    /// Goes on with an empty past.
    pub(crate) fn new(past: &'a mut Past) -> Self {
        Self {
            past,
            events: 0,
            entities: 0,
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
            self.past.registry.push(entity);
            self.entities += u64::from(key != 0);
        }
        Ok(())
    }

    /// Builds index, lists and summaries. Returns how many events there are.
    pub(crate) fn finish(self, plan: &Plan) -> Result<u64, Error> {
        let Self { past, events, .. } = self;
        past.registry.index_all()?;
        let filling = |id| Filling {
            kind: past.registry.kind(id),
            count: 0,
            last: i64::MIN,
            sorted: true,
        };
        let mut fillings: Vec<Filling> = (0..past.registry.end()).map(filling).collect();
        past.arena.try_each(|_, fact, ids| {
            for (kind, id) in EntityKind::ALL.into_iter().zip(ids) {
                if id == NO_ENTITY {
                    continue;
                }
                let filling = fillings.get_mut(id as usize);
                let Some(filling) = filling.filter(|filling| filling.kind == Some(kind)) else {
                    return Err(Error::Damaged("an event names an entity that is not there"));
                };
                filling.count += 1;
                filling.sorted &= filling.last <= fact.at;
                filling.last = fact.at;
            }
            Ok(())
        })?;
        past.fill_lists(&fillings_of(&fillings), plan);
        Ok(events)
    }
}

/// For each entity: how many events, and whether they come in the order of time.
fn fillings_of(fillings: &[Filling]) -> Vec<(u32, bool)> {
    let pairs = fillings
        .iter()
        .map(|filling| (filling.count, filling.sorted));
    pairs.collect()
}

impl Past {
    fn fill_lists(&mut self, fillings: &[(u32, bool)], plan: &Plan) {
        let long_min = self.long_min();
        let mut longs: HashMap<u32, Vec<u32>, BuildHasherDefault<Spread>> = HashMap::default();
        for (id, (count, _)) in fillings.iter().enumerate() {
            let id = id as u32;
            let Some(entity) = self.registry.get_mut(id) else {
                continue;
            };
            if *count as usize > long_min {
                longs.insert(id, Vec::with_capacity(*count as usize));
                entity.list = Timeline::Long;
            } else if *count > 0 {
                entity.list = Timeline::Short(self.blocks.with_room(id, *count as u16));
            }
        }
        let Self {
            arena,
            registry,
            blocks,
            ..
        } = self;
        arena.each(|position, _, ids| {
            for id in ids.into_iter().filter(|id| *id != NO_ENTITY) {
                match registry.get_mut(id).map(|entity| &mut entity.list) {
                    Some(Timeline::Short(list)) => blocks.append(list, position),
                    Some(Timeline::Long) => longs.entry(id).or_default().push(position),
                    None => {}
                }
            }
        });
        let unsorted = fillings
            .iter()
            .enumerate()
            .filter(|(_, (_, sorted))| !sorted);
        for (id, _) in unsorted {
            let key = |position: &u32| {
                (
                    self.arena.fact(*position).map_or(0, |f| f.at),
                    self.arena.rank(*position),
                )
            };
            match self.registry.get(id as u32).map(|entity| entity.list) {
                Some(Timeline::Short(list)) => self.blocks.sort_by_key(list, key),
                _ => {
                    if let Some(positions) = longs.get_mut(&(id as u32)) {
                        positions.sort_by_key(key);
                    }
                }
            }
        }
        for (id, positions) in longs {
            let Some(kind) = self.registry.get(id).map(|entity| entity.kind) else {
                continue;
            };
            let long = Long::new(&positions, ground(&self.arena, plan, kind));
            self.longs.insert(id, long);
        }
    }
}
