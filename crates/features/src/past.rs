//! Events and the entities that they belong to, kept in step.

use crate::FeatureEvent;
use crate::arena::{Arena, Fact, Ids, NO_AMOUNT, NO_ENTITY, Standing};
use crate::blocks::{Blocks, LIST_MAX, List};
use crate::entity::{EntityKind, VIEWS};
use crate::event::Place;
use crate::long::Long;
use crate::plan::Plan;
use crate::registry::{Registry, Timeline};
use crate::run::{Ground, Kept};
use crate::set::Member;
use crate::slide::Spread;
use hashbrown::{HashMap, HashSet};
use paywarden_domain::EventKind;
use std::hash::BuildHasherDefault;
use std::ops::Range;

/// The plan at work and the one that is being prepared.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plans<'a> {
    pub live: &'a Plan,
    pub next: Option<&'a Plan>,
}

/// Stands in an image for the number of events of an entity that has many.
pub(crate) const UNLISTED: u16 = u16::MAX;

/// What is kept, without any policy of what to keep.
#[derive(Debug)]
pub(crate) struct Past {
    pub arena: Arena,
    pub registry: Registry,
    pub blocks: Blocks,
    pub longs: HashMap<u32, Long, BuildHasherDefault<Spread>>,
    /// Entities that somebody marked, by kind and key.
    pub marks: HashSet<(u8, u64), BuildHasherDefault<Spread>>,
    /// From how many events on a timeline is long.
    long_min: usize,
}

impl Plans<'_> {
    /// A plan while no other is being prepared.
    pub(crate) fn only(live: &Plan) -> Plans<'_> {
        Plans { live, next: None }
    }
}

impl Past {
    pub(crate) fn new(entities_max: usize, long_min: usize) -> Self {
        Self {
            arena: Arena::new(),
            registry: Registry::new(entities_max),
            blocks: Blocks::new(),
            longs: HashMap::default(),
            marks: HashSet::default(),
            long_min: long_min.clamp(2, LIST_MAX),
        }
    }

    /// From how many events on a timeline is long.
    pub(crate) fn long_min(&self) -> usize {
        self.long_min
    }

    /// The numbers of the event's entities, tracked from now on; and how many had no room.
    pub(crate) fn track(&mut self, event: &FeatureEvent, idle_before: i64) -> (Ids, u64) {
        let mut ids = EntityKind::ALL.map(|kind| match event.entity(kind) {
            0 => NO_ENTITY,
            key => self.registry.find(kind, key).unwrap_or(NO_ENTITY),
        });
        let mut without_room = 0;
        for kind in EntityKind::ALL {
            let id = &mut ids[kind as usize];
            if *id == NO_ENTITY && event.entity(kind) != 0 {
                *id = self
                    .registry
                    .track(kind, event.entity(kind), idle_before)
                    .unwrap_or_else(|| {
                        without_room += 1;
                        NO_ENTITY
                    });
            }
        }
        (ids, without_room)
    }

    /// The event with this number as it came, and its outcome and label.
    pub(crate) fn event(&self, number: u64) -> Option<(FeatureEvent, Standing)> {
        let position = self.arena.position(number)?;
        let fact = self.arena.fact(position)?;
        let seen = self.arena.seen(position);
        let ids = self.arena.ids(position);
        let entities = ids.map(|id| self.registry.get(id).map_or(0, |entity| entity.key));
        let event = FeatureEvent {
            at: fact.at,
            amount: Some(fact.amount).filter(|amount| *amount != NO_AMOUNT),
            kind: EventKind::from_number(fact.kind)?,
            country: fact.country,
            mcc: fact.mcc,
            place: seen.place(),
            entities,
        };
        Some((event, fact.standing))
    }

    /// Appends some entities with those of their events that come before a number, vacant ones with
    /// the key 0; returns how many are not vacant. Who has many events is listed without them.
    pub(crate) fn copy_entities(&self, ids: Range<u32>, until: u64, bytes: &mut Vec<u8>) -> u64 {
        let mut copied = 0;
        for entity in ids.map_while(|id| self.registry.get(id)) {
            bytes.push(entity.kind.place());
            bytes.extend_from_slice(&entity.key.to_le_bytes());
            bytes.extend_from_slice(&entity.gone_first.to_le_bytes());
            bytes.extend_from_slice(&entity.last.to_le_bytes());
            copied += u64::from(entity.key != 0);
            let Timeline::Short(list) = entity.list else {
                bytes.extend_from_slice(&UNLISTED.to_le_bytes());
                continue;
            };
            let positions = self.blocks.positions(list).iter();
            let listed = positions.filter(|position| self.arena.is_before(**position, until));
            bytes.extend_from_slice(&(listed.clone().count() as u16).to_le_bytes());
            listed.for_each(|position| bytes.extend_from_slice(&position.to_le_bytes()));
        }
        copied
    }

    /// Marks an entity, or takes the mark away. A marked account is marked as payee too.
    pub(crate) fn mark(&mut self, kind: EntityKind, key: u64, marked: bool) {
        for (_, seen_as) in VIEWS.iter().filter(|(entity, _)| *entity == kind) {
            let entity = (*seen_as as u8, key);
            if marked {
                self.marks.insert(entity);
            } else {
                self.marks.remove(&entity);
            }
        }
    }

    /// Adds an event with a number that is not kept, and lists it at its entities.
    pub(crate) fn insert(
        &mut self,
        number: u64,
        fact: Fact,
        (ids, place): (&Ids, Option<Place>),
        plans: Plans,
    ) {
        self.arena.put(number, fact, ids, place);
        let position = number as u32;
        for (kind, id) in tracked(ids) {
            let ground = ground(&self.arena, plans, kind);
            let Some(entity) = self.registry.get_mut(id) else {
                continue;
            };
            let latest = entity.seen(fact.at);
            let moved = match &mut entity.list {
                Timeline::Short(list) if list.len() < self.long_min => {
                    let place = if latest {
                        list.len()
                    } else {
                        place_of(self.blocks.positions(*list), position, ground)
                    };
                    self.blocks.insert(list, id, place, position)
                }
                Timeline::Short(list) => {
                    let mut long = Long::new(self.blocks.positions(*list), ground);
                    long.insert(position, &fact, ground);
                    self.longs.insert(id, long);
                    let moved = self.blocks.release(list);
                    entity.list = Timeline::Long;
                    moved
                }
                Timeline::Long => {
                    if let Some(long) = self.longs.get_mut(&id) {
                        long.insert(position, &fact, ground);
                    }
                    None
                }
            };
            self.registry.note(moved);
        }
    }

    /// Takes an event away. If it `happened`, its entities remember when; if it did not, entities
    /// that were seen by it alone are forgotten.
    pub(crate) fn remove(&mut self, position: u32, happened: bool, plans: Plans) -> Option<Fact> {
        let fact = *self.arena.fact(position)?;
        let ids = self.arena.ids(position);
        self.fetch_lists(&ids);
        for (kind, id) in tracked(&ids) {
            self.unlist((kind, id), position, &fact, plans);
            let Some(entity) = self.registry.get_mut(id) else {
                continue;
            };
            if happened {
                entity.gone_first = entity.gone_first.min(fact.at);
            } else if entity.is_empty() && entity.gone_first == i64::MAX {
                self.registry.forget(id);
            }
        }
        self.arena.clear(position);
        Some(fact)
    }

    /// Prepares one entity for the next plan, looking at about so many events. True when it is
    /// ready, or has few events.
    pub(crate) fn prepare(&mut self, id: u32, plans: Plans, events_max: usize) -> bool {
        let kind = self.registry.get(id).map(|entity| entity.kind);
        let long = kind.zip(self.longs.get_mut(&id));
        long.is_none_or(|(kind, long)| long.prepare(ground(&self.arena, plans, kind), events_max))
    }

    /// Gives an event another outcome or label.
    pub(crate) fn restate(&mut self, position: u32, standing: Standing, plans: Plans) {
        let Some((before, after)) = self.arena.restate(position, standing) else {
            return;
        };
        if before.standing == after.standing {
            return;
        }
        for (kind, id) in tracked(&self.arena.ids(position)) {
            let is_long = self.registry.get(id).is_some_and(|entity| entity.is_long());
            if let Some(long) = is_long.then(|| self.longs.get_mut(&id)).flatten() {
                long.change(position, &before, &after, ground(&self.arena, plans, kind));
            }
        }
    }

    /// Removes a position from the timeline of one entity; a long one that has shrunk to half of
    /// the threshold becomes short again.
    fn unlist(&mut self, entity: (EntityKind, u32), position: u32, fact: &Fact, plans: Plans) {
        let (kind, id) = entity;
        let Some(entity) = self.registry.get_mut(id) else {
            return;
        };
        if let Timeline::Short(list) = &mut entity.list {
            let mut positions = self.blocks.positions(*list).iter();
            let place = positions.position(|other| *other == position);
            let moved = place.and_then(|place| self.blocks.remove(list, id, place));
            return self.registry.note(moved);
        }
        let Some(long) = self.longs.get_mut(&id) else {
            return;
        };
        long.remove(position, fact, ground(&self.arena, plans, kind));
        if long.len() > self.long_min / 2 {
            return;
        }
        let mut list = List::default();
        for (place, position) in long.positions().enumerate() {
            let moved = self.blocks.insert(&mut list, id, place, position);
            self.registry.note(moved);
        }
        self.longs.remove(&id);
        if let Some(entity) = self.registry.get_mut(id) {
            entity.list = Timeline::Short(list);
        }
    }
}

/// The entities that are there, with their kinds.
pub(crate) fn tracked(ids: &Ids) -> impl Iterator<Item = (EntityKind, u32)> {
    EntityKind::ALL
        .into_iter()
        .zip(*ids)
        .filter(|(_, id)| *id != NO_ENTITY)
}

/// What a timeline of this kind refers to.
pub(crate) fn ground<'a>(arena: &'a Arena, plans: Plans<'a>, kind: EntityKind) -> Ground<'a> {
    let kept = |plan: &'a Plan| Kept {
        listed: &plan.listed[kind as usize],
        generation: plan.generation,
    };
    Ground {
        arena,
        kept: kept(plans.live),
        next: plans.next.map(kept),
    }
}

/// Where a position belongs in a short list.
fn place_of(positions: &[u32], position: u32, ground: Ground) -> usize {
    let key = ground.key(position);
    let later = positions
        .iter()
        .rev()
        .take_while(|other| ground.key(**other) > key);
    positions.len() - later.count()
}
