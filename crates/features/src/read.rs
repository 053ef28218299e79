//! Reading the registered windows for one event that is about to be added.

use crate::arena::{Arena, Fact, Ids, NO_ENTITY};
use crate::entity::EntityKind;
use crate::long::Long;
use crate::past::{Past, ground, tracked};
use crate::plan::{JointLane, Lane, Output, Plan, Want, value_of};
use crate::registry::Timeline;
use crate::tally::Tally;
use crate::{Attribute, Value};

/// From how many values on the memory of a scan is given back after it.
const VALUES_KEPT: usize = 4096;

/// The event that asks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Current {
    pub fact: Fact,
    pub ids: Ids,
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
    facts: Vec<Fact>,
    gathers: Vec<Gather>,
    distinct: Vec<u32>,
}

/// What a lane has gathered.
#[derive(Debug, Clone, Copy)]
struct Gather {
    after: i64,
    until: i64,
    tally: Tally,
    latest: Option<i64>,
    distinct: usize,
    /// Whether the current event's value was among them.
    own_seen: bool,
}

impl Gather {
    fn new(lane: &Lane, at: i64) -> Self {
        Self {
            after: at.saturating_sub(lane.older),
            until: at.saturating_sub(lane.newer),
            tally: Tally::EMPTY,
            latest: None,
            distinct: 0,
            own_seen: false,
        }
    }
}

impl Current {
    fn value(&self, attribute: Attribute) -> Option<u32> {
        let (number, none) = match attribute {
            Attribute::Entity(kind) => (self.ids[kind as usize], NO_ENTITY),
            Attribute::Country => (u32::from(self.fact.country), 0),
            Attribute::Mcc => (u32::from(self.fact.mcc), 0),
        };
        (number != none).then_some(number)
    }

    /// The value of an output, this event included if it counts.
    fn value_of(&self, lane: &Lane, output: &Output, gather: &Gather) -> Value {
        let counts = output.counts_self && lane.matcher.would_match(&self.fact);
        match lane.want {
            Want::Tally => {
                let mut tally = gather.tally;
                if counts {
                    tally.add(self.fact.amount);
                }
                tally.value(output.aggregate)
            }
            Want::Distinct(attribute) => {
                let adds = counts && !gather.own_seen && self.value(attribute).is_some();
                Value::Count((gather.distinct + usize::from(adds)) as i64)
            }
            Want::Latest => gather.latest.map_or(Value::Missing, |at| {
                Value::Duration(self.fact.at.saturating_sub(at))
            }),
        }
    }
}

/// Looks at single events for one lane.
struct Scan<'a> {
    arena: &'a Arena,
    lane: &'a Lane,
    gather: &'a mut Gather,
    /// The values that are told apart, repeated ones too.
    values: &'a mut Vec<u32>,
}

impl<'a> Scan<'a> {
    fn new(
        arena: &'a Arena,
        lane: &'a Lane,
        gather: &'a mut Gather,
        values: &'a mut Vec<u32>,
    ) -> Self {
        values.clear();
        Self {
            arena,
            lane,
            gather,
            values,
        }
    }

    /// Gathers events that lie in the window.
    fn visit<'f>(&mut self, events: impl Iterator<Item = (u32, &'f Fact)>) {
        let Self {
            arena,
            lane,
            gather,
            values,
        } = self;
        let events = events.filter(|(_, fact)| lane.matcher.matches(fact));
        match lane.want {
            Want::Tally => events.for_each(|(_, fact)| gather.tally.add(fact.amount)),
            Want::Latest => {
                gather.latest = events
                    .map(|(_, fact)| Some(fact.at))
                    .fold(gather.latest, Ord::max);
            }
            Want::Distinct(attribute) => values.extend(
                events.filter_map(|(position, fact)| value_of(arena, position, fact, attribute)),
            ),
        }
    }

    /// Counts the values that differ.
    fn finish(self, current: &Current) {
        if let Want::Distinct(attribute) = self.lane.want {
            self.values.sort_unstable();
            self.values.dedup();
            let own = current.value(attribute);
            self.gather.distinct = self.values.len();
            self.gather.own_seen = own.is_some_and(|own| self.values.binary_search(&own).is_ok());
        }
        if self.values.capacity() > VALUES_KEPT {
            *self.values = Vec::new();
        }
    }
}

/// The lanes whose results the current event wants, with what they gather.
fn wanted<'a>(
    lanes: &'a [Lane],
    query: Query<'a>,
    gathers: &'a mut [Gather],
) -> impl Iterator<Item = (&'a Lane, &'a mut Gather)> {
    let kind = query.current.fact.kind;
    let pairs = lanes.iter().zip(gathers);
    pairs.filter(move |(lane, _)| lane.readers.contains_place(kind))
}

impl Past {
    /// Fills one value per slot of the plan. The event is not yet inserted.
    pub(crate) fn read(&mut self, query: Query, scratch: &mut Scratch, values: &mut Vec<Value>) {
        let Query { plan, current, .. } = query;
        let Scratch {
            facts,
            gathers,
            distinct,
        } = scratch;
        values.clear();
        values.resize(plan.slots, Value::Missing);
        self.copy_facts(&current.ids, facts);
        let mut facts = facts.as_slice();
        for (kind, id) in tracked(&current.ids) {
            let kind_plan = &plan.kinds[kind as usize];
            let (own, rest) = facts.split_at(self.short(id).len());
            facts = rest;
            if !kind_plan.first_seen.is_empty() {
                let first = self.first_seen(id).min(current.fact.at);
                let age = Value::Duration(current.fact.at.saturating_sub(first));
                kind_plan
                    .first_seen
                    .iter()
                    .for_each(|slot| values[*slot] = age);
            }
            gathers.clear();
            gathers.extend(
                kind_plan
                    .lanes
                    .iter()
                    .map(|lane| Gather::new(lane, current.fact.at)),
            );
            if !self.summarize(query, (kind, id), gathers) {
                self.scan(query, (kind, id), own, gathers, distinct);
            }
            let wanted = |output: &&Output| output.readers.contains_place(current.fact.kind);
            for output in kind_plan.outputs.iter().filter(wanted) {
                let (lane, gather) = (&kind_plan.lanes[output.lane], &gathers[output.lane]);
                values[output.slot] = current.value_of(lane, output, gather);
            }
        }
        let wanted = |joint: &&JointLane| joint.lane.readers.contains_place(current.fact.kind);
        for joint in plan.joint.iter().filter(wanted) {
            if let Some(gather) = self.gather_joint(joint, query, distinct) {
                values[joint.output.slot] = current.value_of(&joint.lane, &joint.output, &gather);
            }
        }
    }

    /// Copies the facts of all short timelines side by side. They lie all over the arena: with no
    /// decision between one and the next the processor fetches many of them at once, which is
    /// several times faster than looking at each in turn.
    fn copy_facts(&self, ids: &Ids, facts: &mut Vec<Fact>) {
        facts.clear();
        for (_, id) in tracked(ids) {
            let positions = self.short(id).iter();
            facts.extend(positions.map(|p| self.arena.fact(*p).copied().unwrap_or(Fact::EMPTY)));
        }
    }

    /// The positions of an entity with a short timeline; none for a long one.
    fn short(&self, id: u32) -> &[u32] {
        match self.registry.get(id).map(|entity| entity.list) {
            Some(Timeline::Short(list)) => self.blocks.positions(list),
            _ => &[],
        }
    }

    /// When an entity was first seen; the end of time if never.
    fn first_seen(&self, id: u32) -> i64 {
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

    /// Runs all lanes of one entity over its summaries. False if it has none for this plan.
    fn summarize(
        &mut self,
        query: Query,
        (kind, id): (EntityKind, u32),
        gathers: &mut [Gather],
    ) -> bool {
        let is_long = self.registry.get(id).is_some_and(|entity| entity.is_long());
        let Some(long) = is_long.then(|| self.longs.get_mut(&id)).flatten() else {
            return false;
        };
        let ground = ground(&self.arena, query.plan, kind);
        if query.newest {
            long.refresh(ground);
        }
        if !long.is_of(query.plan.generation) {
            return false;
        }
        for (lane, gather) in wanted(&ground.kind.lanes, query, gathers) {
            let (after, until) = (gather.after, gather.until);
            match lane.want {
                Want::Tally => gather.tally = long.tally(lane, after, until, ground),
                Want::Latest => gather.latest = long.latest(lane, after, until, ground),
                Want::Distinct(attribute) => {
                    if let Some(slide) = long.distinct(lane, after, until, ground) {
                        let own = query.current.value(attribute);
                        gather.distinct = slide.len();
                        gather.own_seen = own.is_some_and(|value| slide.contains(value));
                    }
                }
            }
        }
        true
    }

    /// Runs all lanes of one entity over its events; `own` are their facts if they are few.
    fn scan(
        &self,
        query: Query,
        (kind, id): (EntityKind, u32),
        own: &[Fact],
        gathers: &mut [Gather],
        values: &mut Vec<u32>,
    ) {
        let ground = ground(&self.arena, query.plan, kind);
        let long = if own.is_empty() {
            self.longs.get(&id)
        } else {
            None
        };
        for (lane, gather) in wanted(&ground.kind.lanes, query, gathers) {
            let (after, until) = (gather.after, gather.until);
            let mut scan = Scan::new(&self.arena, lane, gather, values);
            if let Some(long) = long {
                long.each_between(after, until, ground, |chunk| scan.visit(chunk));
            } else {
                let start = own.partition_point(|fact| fact.at <= after);
                let end = own.partition_point(|fact| fact.at <= until);
                let positions = self.short(id).iter().copied();
                scan.visit(positions.zip(own).take(end).skip(start));
            }
            scan.finish(query.current);
        }
    }

    /// Runs one lane over the events that share several entities with the current one: over the
    /// shortest timeline of them. None if the current event lacks one.
    fn gather_joint(
        &self,
        joint: &JointLane,
        query: Query,
        values: &mut Vec<u32>,
    ) -> Option<Gather> {
        let Query { plan, current, .. } = query;
        let id = |kind: EntityKind| current.ids[kind as usize];
        if joint.entities.iter().any(|kind| id(kind) == NO_ENTITY) {
            return None;
        }
        let host = joint
            .entities
            .iter()
            .min_by_key(|kind| self.count(id(*kind)))?;
        let others = joint.entities.without(host);
        let lane = &joint.lane;
        let mut gather = Gather::new(lane, current.fact.at);
        let (after, until) = (gather.after, gather.until);
        let mut scan = Scan::new(&self.arena, lane, &mut gather, values);
        let shares = |(position, fact): &(u32, &Fact)| {
            let shared = |kind| self.arena.id(*position, kind) == Some(id(kind));
            after < fact.at && fact.at <= until && others.iter().all(shared)
        };
        match self.registry.get(id(host))?.list {
            Timeline::Short(list) => {
                let positions = self.blocks.positions(list).iter();
                let facts = positions.filter_map(|p| Some((*p, self.arena.fact(*p)?)));
                scan.visit(facts.filter(shares));
            }
            Timeline::Long => {
                let ground = ground(&self.arena, plan, host);
                let long = self.longs.get(&id(host))?;
                long.each_between(after, until, ground, |chunk| {
                    scan.visit(chunk.filter(shares))
                });
            }
        }
        scan.finish(current);
        Some(gather)
    }

    /// How many events an entity has.
    fn count(&self, id: u32) -> usize {
        self.registry.get(id).map_or(0, |entity| match entity.list {
            Timeline::Short(list) => list.len(),
            Timeline::Long => self.longs.get(&id).map_or(0, Long::len),
        })
    }
}
