//! Reading the registered windows for one event that is about to be added, in two steps: what they
//! look at is copied out of the past, and summed up once nobody has to wait for the past any more.

use crate::arena::{Fact, Ids, NO_ENTITY, Seen, Standing};
use crate::entity::{ENTITY_KINDS, VIEW_COUNT, VIEWS};
use crate::event::{FeatureEvent, Place};
use crate::flows::Flows;
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
    /// The payee as an account that paid.
    pub(crate) fn payee_as_account(&self) -> u32 {
        self.views[ENTITY_KINDS + 1]
    }

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

/// What one read copies out of the past. Reused from read to read.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    positions: Vec<u32>,
    seen: Vec<Seen>,
    /// Whose they are, side by side, and how many each has.
    parts: Vec<(Part, usize)>,
    flows: Flows,
    running: Running,
}

/// Passes of a plan, by place.
#[derive(Debug, Clone, Copy)]
enum Part {
    View(usize),
    Joint(usize),
}

impl Scratch {
    /// Fills in what [`Past::gather`] left to be summed up.
    pub(crate) fn sum_up(&mut self, plan: &Plan, current: &Current, values: &mut [Value]) {
        let mut seen = self.seen.as_slice();
        for (part, count) in &self.parts {
            let (own, rest) = seen.split_at(*count);
            seen = rest;
            let (view, passes) = match *part {
                Part::View(view) => (view, &plan.views[view]),
                Part::Joint(place) => (plan.joint[place].view, &plan.joint[place].passes),
            };
            let asked = current.asked(view);
            run(passes, own, &asked, &mut self.running, values);
        }
    }

    fn end(&mut self, part: Part, from: usize) {
        self.parts.push((part, self.seen.len() - from));
    }
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

    /// Makes one value per slot of the plan: fills in what it knows, and copies the events that
    /// [`Scratch::sum_up`] needs for the rest. The event is not yet inserted. Adds to `cut` the
    /// slots that would have had to look at too much.
    pub(crate) fn gather(
        &mut self,
        query: Query,
        scratch: &mut Scratch,
        values: &mut Vec<Value>,
        cut: &mut Vec<usize>,
    ) {
        values.clear();
        values.resize(query.plan.slots(), Value::Missing);
        scratch.seen.clear();
        scratch.parts.clear();
        self.copy_short(query, scratch);
        self.gather_views(query, scratch, values);
        self.gather_joint(query, scratch, cut);
        self.read_links(query, &mut scratch.flows, values, cut);
    }

    /// What is asked of each view beside its short timeline.
    fn gather_views(&mut self, query: Query, scratch: &mut Scratch, values: &mut [Value]) {
        let Query { plan, current, .. } = query;
        for (view, passes) in plan.views.iter().enumerate() {
            let id = current.views[view];
            if id == NO_ENTITY {
                continue;
            }
            if !plan.first_seen[view].is_empty() {
                let first = self.first_seen(id).min(current.fact.at);
                let age = Value::Duration(current.fact.at.saturating_sub(first));
                let slots = plan.first_seen[view].iter();
                slots.for_each(|slot| values[*slot] = age);
            }
            let asked = current.asked(view);
            let is_left = passes.readers.contains_place(current.fact.kind) && self.is_long(id);
            if is_left && !self.summarize(query, view, &asked, values) {
                let from = scratch.seen.len();
                self.copy_long(id, &asked, passes, &mut scratch.seen);
                scratch.end(Part::View(view), from);
            }
        }
    }

    fn gather_joint(&self, query: Query, scratch: &mut Scratch, cut: &mut Vec<usize>) {
        let kind = query.current.fact.kind;
        let joints = query.plan.joint.iter().enumerate();
        for (place, joint) in joints.filter(|(_, joint)| joint.passes.readers.contains_place(kind))
        {
            let from = scratch.seen.len();
            let Some(whole) = self.copy_shared(joint, query, &mut scratch.seen) else {
                continue;
            };
            scratch.end(Part::Joint(place), from);
            if !whole {
                cut.extend(joint.passes.slots());
            }
        }
    }

    fn read_links(
        &self,
        query: Query,
        flows: &mut Flows,
        values: &mut [Value],
        cut: &mut Vec<usize>,
    ) {
        let current = query.current;
        flows.begin(query.plan, current);
        let links = query.plan.links.iter();
        for link in links.filter(|link| link.output.readers.contains_place(current.fact.kind)) {
            let start = current.views[link.view];
            let (value, whole) = match link.output.aggregate {
                Aggregate::HopsToMarked => self.hops_to_marked(start, current),
                Aggregate::Component => self.component(start, current),
                flow => self.flow(flow, query.plan.older(link.output.slot), current, flows),
            };
            values[link.output.slot] = value;
            if !whole {
                cut.push(link.output.slot);
            }
        }
    }

    /// Copies the events of all short timelines side by side.
    fn copy_short(&self, query: Query, scratch: &mut Scratch) {
        let views = query.current.views;
        self.fetch_lists(&views);
        let reads = |passes: &Passes| passes.readers.contains_place(query.current.fact.kind);
        scratch.positions.clear();
        for (view, id) in views.into_iter().enumerate() {
            if id != NO_ENTITY && reads(&query.plan.views[view]) && !self.is_long(id) {
                let positions = self.short(id);
                scratch.positions.extend_from_slice(positions);
                scratch.parts.push((Part::View(view), positions.len()));
            }
        }
        self.fetch(&scratch.positions);
        let positions = scratch.positions.iter();
        let events = positions.map(|position| self.arena.seen(*position));
        scratch.seen.extend(events);
    }

    /// Looks at one number of each event. They lie all over the arena: with little else between one
    /// and the next the processor waits for many of them at once, which is several times faster than
    /// for each in turn.
    fn fetch(&self, positions: &[u32]) {
        let positions = positions.iter();
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
        let from = seen.len();
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
        seen[from..].reverse();
    }

    /// Copies the events that share several entities with the current one, from the shortest
    /// timeline of them. `None` if the current event lacks one; else whether they are all there.
    fn copy_shared(&self, joint: &Joint, query: Query, seen: &mut Vec<Seen>) -> Option<bool> {
        let current = query.current;
        let from = seen.len();
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
            seen.extend(events.filter(shares));
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
                seen.push(event);
            }
        }
        seen[from..].reverse();
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
