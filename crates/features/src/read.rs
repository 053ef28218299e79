//! Reading the registered windows for one event that is about to be added.

use crate::arena::{Fact, Ids, NO_ENTITY, Seen, Standing};
use crate::entity::{VIEW_COUNT, VIEWS};
use crate::event::{FeatureEvent, Place};
use crate::long::Long;
use crate::pass::{Asked, pass, trail};
use crate::past::{Past, Plans, ground};
use crate::plan::{Joint, Passes, Plan};
use crate::registry::Timeline;
use crate::slide::Running;
use crate::{Aggregate, EntityKind, Value};
use std::hint::black_box;

/// The most events that a window shared by several entities looks at when all of them have many.
const SHARED_MAX: usize = 4096;
/// Stands for an entity that the current event names and that no event is listed under.
const NO_EVENTS: u32 = NO_ENTITY - 1;

/// The event that asks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Current {
    pub fact: Fact,
    pub ids: Ids,
    pub place: Option<Place>,
    /// The entity of each view; `NO_ENTITY` if the event does not name it.
    views: [u32; VIEW_COUNT],
    /// Whether it only looks on, and counts for nobody.
    looks_on: bool,
}

impl Current {
    /// The event as one view sees it.
    fn asked(&self, view: usize) -> Asked<'_> {
        Asked {
            fact: &self.fact,
            ids: &self.ids,
            place: self.place,
            counts: !self.looks_on && self.ids[VIEWS[view].1 as usize] == self.views[view],
        }
    }
}

/// What is asked, and by which event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Query<'a> {
    pub plan: &'a Plan,
    /// Whether the plan is the one that summaries follow; any other is answered without them.
    pub newest: bool,
    pub current: &'a Current,
}

/// What is reused from read to read.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    seen: Vec<Seen>,
    shared: Vec<Seen>,
    running: Running,
}

impl Past {
    /// The event with the entities that its views look at.
    pub(crate) fn current(&self, event: &FeatureEvent, fact: Fact, ids: Ids) -> Current {
        let mut views = [NO_ENTITY; VIEW_COUNT];
        for (view, (kind, seen_as)) in views.iter_mut().zip(VIEWS) {
            *view = match event.entity(kind) {
                0 => NO_ENTITY,
                _ if kind == seen_as => ids[kind as usize],
                key => self.registry.find(seen_as, key).unwrap_or(NO_EVENTS),
            };
        }
        Current {
            fact,
            ids,
            place: event.place,
            views,
            looks_on: false,
        }
    }

    /// An event that only looks on: it names entities, and counts for none of them.
    pub(crate) fn onlooker(&self, event: &FeatureEvent) -> Current {
        let known = |kind, key| match key {
            0 => NO_ENTITY,
            key => self.registry.find(kind, key).unwrap_or(NO_EVENTS),
        };
        let ids = EntityKind::ALL.map(|kind| known(kind, event.entity(kind)));
        Current {
            fact: Fact::new(event, &ids, Standing::PENDING),
            ids,
            place: None,
            views: VIEWS.map(|(kind, seen_as)| known(seen_as, event.entity(kind))),
            looks_on: true,
        }
    }

    /// Fills one value per slot of the plan. The event is not yet inserted. Adds to `cut` the slots
    /// that would have had to look at too much.
    pub(crate) fn read(
        &mut self,
        query: Query,
        scratch: &mut Scratch,
        values: &mut Vec<Value>,
        cut: &mut Vec<usize>,
    ) {
        values.clear();
        values.resize(query.plan.slots(), Value::Missing);
        self.read_views(query, scratch, values);
        self.read_joint(query, scratch, values, cut);
        self.read_links(query, values, cut);
    }

    fn read_views(&mut self, query: Query, scratch: &mut Scratch, values: &mut [Value]) {
        let Query { plan, current, .. } = query;
        self.copy_events(&current.views, &mut scratch.seen);
        let mut seen = scratch.seen.as_slice();
        for (view, passes) in plan.views.iter().enumerate() {
            let id = current.views[view];
            if id == NO_ENTITY {
                continue;
            }
            let (own, rest) = seen.split_at(self.short(id).len());
            seen = rest;
            if !plan.first_seen[view].is_empty() {
                let first = self.first_seen(id).min(current.fact.at);
                let age = Value::Duration(current.fact.at.saturating_sub(first));
                let slots = plan.first_seen[view].iter();
                slots.for_each(|slot| values[*slot] = age);
            }
            let asked = current.asked(view);
            if passes.reach == 0 || self.summarize(query, view, &asked, values) {
                continue;
            }
            if self.is_long(id) {
                let mut all = Vec::new();
                self.copy_long(id, &asked, passes, &mut all);
                run(passes, &all, &asked, &mut scratch.running, values);
            } else {
                run(passes, own, &asked, &mut scratch.running, values);
            }
        }
    }

    fn read_joint(
        &self,
        query: Query,
        scratch: &mut Scratch,
        values: &mut [Value],
        cut: &mut Vec<usize>,
    ) {
        let kind = query.current.fact.kind;
        let joints = query.plan.joint.iter();
        for joint in joints.filter(|joint| joint.readers.contains_place(kind)) {
            let Some(whole) = self.gather(joint, query, &mut scratch.shared) else {
                continue;
            };
            let asked = query.current.asked(joint.view);
            let (shared, running) = (&scratch.shared, &mut scratch.running);
            run(&joint.passes, shared, &asked, running, values);
            if !whole {
                cut.extend(joint.passes.slots());
            }
        }
    }

    fn read_links(&self, query: Query, values: &mut [Value], cut: &mut Vec<usize>) {
        let current = query.current;
        let links = query.plan.links.iter();
        for link in links.filter(|link| link.output.readers.contains_place(current.fact.kind)) {
            let start = current.views[link.view];
            let (value, whole) = match link.output.aggregate {
                Aggregate::HopsToMarked => self.hops_to_marked(start, current),
                Aggregate::Component => self.component(start, current),
                flow => self.flow(flow, query.plan.older(link.output.slot), current),
            };
            values[link.output.slot] = value;
            if !whole {
                cut.push(link.output.slot);
            }
        }
    }

    /// Copies the events of all short timelines side by side.
    fn copy_events(&self, ids: &[u32; VIEW_COUNT], seen: &mut Vec<Seen>) {
        seen.clear();
        self.fetch(ids);
        for id in ids.iter().filter(|id| **id != NO_ENTITY) {
            let positions = self.short(*id).iter();
            seen.extend(positions.map(|position| self.arena.seen(*position)));
        }
    }

    /// Looks at one number of each event of the short timelines. They lie all over the arena: with
    /// little else between one and the next the processor waits for many of them at once, which is
    /// several times faster than for each in turn.
    fn fetch(&self, ids: &[u32]) {
        self.fetch_lists(ids);
        let positions = ids.iter().flat_map(|id| self.short(*id));
        let facts = positions.filter_map(|position| self.arena.fact(*position));
        black_box(facts.fold(0, |sum, fact| sum ^ fact.at));
    }

    /// The same with the records of entities, then with their lists.
    pub(crate) fn fetch_lists(&self, ids: &[u32]) {
        let entities = ids.iter().filter_map(|id| self.registry.get(*id));
        black_box(entities.fold(0, |sum, entity| sum ^ entity.key));
        let lists = ids.iter().filter_map(|id| self.short(*id).first());
        black_box(lists.fold(0, |sum, first| sum ^ first));
    }

    /// The positions of an entity with a short timeline; none for a long one.
    pub(crate) fn short(&self, id: u32) -> &[u32] {
        match self.registry.get(id).map(|entity| entity.list) {
            Some(Timeline::Short(list)) => self.blocks.positions(list),
            _ => &[],
        }
    }

    /// The positions of an entity, latest first.
    pub(crate) fn latest(&self, id: u32) -> impl Iterator<Item = u32> {
        let short = self.short(id).iter().rev().copied();
        let long = self.longs.get(&id).into_iter();
        short.chain(long.flat_map(|long| long.positions().rev()))
    }

    fn is_long(&self, id: u32) -> bool {
        self.registry.get(id).is_some_and(|entity| entity.is_long())
    }

    /// When an entity was first seen; the end of time if never.
    pub(crate) fn first_seen(&self, id: u32) -> i64 {
        let Some(entity) = self.registry.get(id) else {
            return i64::MAX;
        };
        let kept = match entity.list {
            Timeline::Short(list) => {
                let first = self.blocks.positions(list).first();
                first
                    .and_then(|first| self.arena.fact(*first))
                    .map(|fact| fact.at)
            }
            Timeline::Long => self.longs.get(&id).map(Long::first),
        };
        kept.unwrap_or(i64::MAX).min(entity.gone_first)
    }

    /// Runs all passes of one view over its summaries. False if it has none for this plan.
    fn summarize(
        &mut self,
        query: Query,
        view: usize,
        asked: &Asked,
        values: &mut [Value],
    ) -> bool {
        let id = query.current.views[view];
        let Some(long) = self.is_long(id).then(|| self.longs.get_mut(&id)).flatten() else {
            return false;
        };
        let ground = ground(&self.arena, Plans::only(query.plan), VIEWS[view].1);
        if query.newest {
            long.refresh(ground);
        }
        if !long.is_of(query.plan.generation) {
            return false;
        }
        long.read(&query.plan.views[view], asked, ground, values);
        true
    }

    /// Copies the events of a long timeline that some pass reaches.
    fn copy_long(&self, id: u32, asked: &Asked, passes: &Passes, seen: &mut Vec<Seen>) {
        let after = asked.fact.at.saturating_sub(passes.reach);
        let Some(long) = self.longs.get(&id) else {
            return;
        };
        for position in long.positions().rev() {
            let event = self.arena.seen(position);
            if event.fact.at <= after {
                break;
            }
            seen.push(event);
        }
        seen.reverse();
    }

    /// Collects the events that share several entities with the current one, from the shortest
    /// timeline of them. `None` if the current event lacks one; else whether they are all there.
    fn gather(&self, joint: &Joint, query: Query, shared: &mut Vec<Seen>) -> Option<bool> {
        let current = query.current;
        shared.clear();
        let seen_as = VIEWS[joint.view].1;
        let own = (seen_as, current.views[joint.view]);
        let same = |kind| (kind, current.ids[kind as usize]);
        let all = || std::iter::once(own).chain(joint.same.iter().map(same));
        if all().any(|(_, id)| id == NO_ENTITY) {
            return None;
        }
        let (_, host) = all().min_by_key(|(_, id)| self.count(*id))?;
        let shares = |event: &Seen| all().all(|(kind, id)| event.id(kind) == Some(id));
        if !self.is_long(host) {
            let events = self
                .short(host)
                .iter()
                .map(|position| self.arena.seen(*position));
            shared.extend(events.filter(shares));
            return Some(true);
        }
        let after = current.fact.at.saturating_sub(joint.passes.reach);
        let mut whole = true;
        let positions = self.longs.get(&host)?.positions().rev();
        for (visited, position) in positions.enumerate() {
            let event = self.arena.seen(position);
            if event.fact.at <= after {
                break;
            }
            if visited == SHARED_MAX {
                whole = false;
                break;
            }
            if shares(&event) {
                shared.push(event);
            }
        }
        shared.reverse();
        Some(whole)
    }

    /// How many events an entity has.
    pub(crate) fn count(&self, id: u32) -> usize {
        self.registry.get(id).map_or(0, |entity| match entity.list {
            Timeline::Short(list) => list.len(),
            Timeline::Long => self.longs.get(&id).map_or(0, Long::len),
        })
    }
}

/// Runs all passes over some events, earliest first.
fn run(
    passes: &Passes,
    events: &[Seen],
    asked: &Asked,
    running: &mut Running,
    values: &mut [Value],
) {
    let kind = asked.fact.kind;
    for group in passes
        .groups
        .iter()
        .filter(|group| group.readers.contains_place(kind))
    {
        pass(group, events, asked, running, values);
    }
    for step in passes
        .trails
        .iter()
        .filter(|trail| trail.output.readers.contains_place(kind))
    {
        values[step.output.slot] = trail(step, events, asked);
    }
}
