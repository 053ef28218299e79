//! Entities that hang together by the events that name them, looked at only so far.
//!
//! From an entity, its latest events lead to the other entities that they name, and so on, nearest
//! first. Two limits make a visit cheap whatever the links are: a value that met one says so.

use crate::arena::{Ids, NO_ENTITY, Seen};
use crate::entity::ENTITY_KINDS;
use crate::past::{Past, tracked};
use crate::read::Current;
use crate::{EntityKind, Value};

/// The most entities of a component that are counted.
pub const ENTITIES_MAX: usize = 64;
/// The most events that one visit looks at.
pub const EVENTS_MAX: usize = 512;
/// The most events of one entity that are followed, latest first.
const EVENTS_OF_ONE: usize = 64;

/// The kinds that tie people together. A merchant, a BIN or an address of a network names too many
/// who have nothing in common.
const TIES: [EntityKind; 6] = [
    EntityKind::Card,
    EntityKind::Account,
    EntityKind::Customer,
    EntityKind::Device,
    EntityKind::Email,
    EntityKind::Phone,
];

/// Entities found so far, nearest first.
struct Search {
    found: Vec<u32>,
    events_left: usize,
    whole: bool,
}

impl Search {
    fn from(start: u32) -> Self {
        Self {
            found: vec![start],
            events_left: EVENTS_MAX,
            whole: true,
        }
    }

    fn note(&mut self, id: u32) {
        if self.found.contains(&id) {
            return;
        }
        match self.found.len() < ENTITIES_MAX {
            true => self.found.push(id),
            false => self.whole = false,
        }
    }
}

impl Past {
    /// How many entities hang together with one of the current event, and whether that is all.
    pub(crate) fn component(&self, start: u32, current: &Current) -> (Value, bool) {
        if start == NO_ENTITY {
            return (Value::Missing, true);
        }
        let mut search = Search::from(start);
        ties(&current.ids).for_each(|id| search.note(id));
        let mut next = 0;
        while let Some(id) = search.found.get(next).copied() {
            next += 1;
            self.follow(id, &mut search, |search, event| {
                TIES.iter()
                    .filter_map(|kind| event.id(*kind))
                    .for_each(|id| search.note(id));
            });
        }
        (Value::Count(search.found.len() as i64), search.whole)
    }

    /// How many events lead from an entity of the current event to a marked one, if at most two.
    pub(crate) fn hops_to_marked(&self, start: u32, current: &Current) -> (Value, bool) {
        if start == NO_ENTITY {
            return (Value::Missing, true);
        }
        if self.marks.is_empty() {
            return (Value::Missing, true);
        }
        if self.is_marked(start) {
            return (Value::Count(0), true);
        }
        let mut search = Search::from(start);
        let linked = || tracked(&current.ids).filter(|(kind, _)| kind.is_one());
        if linked().any(|(_, id)| id == start) {
            linked().for_each(|(_, id)| search.note(id));
        }
        let mut seen = 1;
        let mut next = 0..1;
        for hops in 1..=2 {
            for place in next.clone() {
                let id = search.found[place];
                self.follow(id, &mut search, |search, event| {
                    EntityKind::ALL
                        .iter()
                        .filter(|kind| kind.is_one())
                        .filter_map(|kind| event.id(*kind))
                        .for_each(|id| search.note(id));
                });
            }
            if search.found[seen..].iter().any(|id| self.is_marked(*id)) {
                return (Value::Count(hops), true);
            }
            next = seen..search.found.len();
            seen = search.found.len();
        }
        (Value::Missing, search.whole)
    }

    /// Visits the latest events of an entity, as far as the search may still look.
    fn follow(&self, id: u32, search: &mut Search, mut visit: impl FnMut(&mut Search, &Seen)) {
        for (place, position) in self.latest(id).enumerate() {
            if search.events_left == 0 || place == EVENTS_OF_ONE {
                search.whole = false;
                return;
            }
            search.events_left -= 1;
            visit(search, &self.arena.seen(position));
        }
    }

    pub(crate) fn is_marked(&self, id: u32) -> bool {
        let entity = self.registry.get(id);
        entity.is_some_and(|entity| self.marks.contains(&(entity.kind as u8, entity.key)))
    }
}

/// Whether an entity of this kind ties people together.
pub(crate) fn ties_people(kind: EntityKind) -> bool {
    TIES.contains(&kind)
}

fn ties(ids: &Ids) -> impl Iterator<Item = u32> {
    let ids: [u32; ENTITY_KINDS] = *ids;
    TIES.into_iter()
        .map(move |kind| ids[kind as usize])
        .filter(|id| *id != NO_ENTITY)
}
