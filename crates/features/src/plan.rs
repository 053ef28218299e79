//! The registered windows, sorted into what one visit to one entity computes.

use crate::arena::{Arena, Fact, NO_AMOUNT};
use crate::entity::{ENTITY_KINDS, EntityKind};
use crate::set::Member;
use crate::{Aggregate, Attribute, Error, Filter, Set, WindowSpec};
use paywarden_domain::time::DAY;
use paywarden_domain::{EventKind, LabelVerdict, Outcome};
use std::sync::atomic::{AtomicU64, Ordering};

/// The windows of one rule set, compiled. Slot `i` of the values belongs to window `i`.
#[derive(Debug)]
pub struct Plan {
    /// Different for every plan of this process.
    pub(crate) generation: u64,
    pub(crate) slots: usize,
    /// What to compute for each kind of entity.
    pub(crate) kinds: [KindPlan; ENTITY_KINDS],
    /// Windows over events that share a second entity with the current one.
    pub(crate) joint: Vec<JointLane>,
    /// The farthest edge of all windows, at least a day.
    pub(crate) reach: i64,
}

/// What one visit to an entity of one kind computes.
#[derive(Debug, Default)]
pub(crate) struct KindPlan {
    pub lanes: Vec<Lane>,
    pub outputs: Vec<Output>,
    /// Slots of `FirstSeen`.
    pub first_seen: Vec<usize>,
    /// The filters of the lanes, each once: long timelines keep tallies for them.
    pub matchers: Vec<Matcher>,
    /// How many lanes want different values: long timelines keep a slide for each.
    pub slides: usize,
    /// The farthest edge of these windows.
    pub reach: i64,
}

/// One computation over one window; several aggregates may read its result.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Lane {
    pub newer: i64,
    pub older: i64,
    pub matcher: Matcher,
    /// Place of its summary at long timelines: among the tallies, or among the slides.
    pub summary: usize,
    pub want: Want,
    /// For which kinds of current event some output of it is wanted.
    pub readers: Set<EventKind>,
}

/// What a lane gathers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Want {
    Tally,
    Distinct(Attribute),
    Latest,
}

/// Where a lane's result goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    pub slot: usize,
    pub lane: usize,
    pub aggregate: Aggregate,
    /// Whether the current event counts if its kind and amount match.
    pub counts_self: bool,
    /// For which kinds of current event it is wanted.
    pub readers: Set<EventKind>,
}

/// A lane whose events share all of these entities with the current one.
#[derive(Debug)]
pub(crate) struct JointLane {
    pub entities: Set<EntityKind>,
    pub lane: Lane,
    pub output: Output,
}

impl Plan {
    /// Sorts the windows. Refuses a wrong window and more than `windows_max`.
    pub(crate) fn new(specs: &[WindowSpec], windows_max: usize) -> Result<Self, Error> {
        if specs.len() > windows_max {
            return Err(Error::TooManyWindows {
                asked: specs.len(),
                limit: windows_max,
            });
        }
        let mut plan = Self {
            slots: specs.len(),
            ..Self::empty()
        };
        for (slot, spec) in specs.iter().enumerate() {
            spec.check()?;
            plan.add(slot, spec);
        }
        Ok(plan)
    }

    /// A plan without windows.
    pub(crate) fn empty() -> Self {
        static GENERATIONS: AtomicU64 = AtomicU64::new(0);
        let generation = GENERATIONS.fetch_add(1, Ordering::Relaxed);
        let kinds = std::array::from_fn(|_| KindPlan::default());
        Self {
            generation,
            slots: 0,
            kinds,
            joint: Vec::new(),
            reach: DAY,
        }
    }

    /// How far back the windows of an event with these entities reach.
    pub(crate) fn reach_for(&self, present: Set<EntityKind>) -> i64 {
        let own = present.iter().map(|kind| self.kinds[kind as usize].reach);
        let joint = self
            .joint
            .iter()
            .filter(|joint| present.includes(joint.entities));
        own.chain(joint.map(|joint| joint.lane.older))
            .max()
            .unwrap_or(0)
    }

    /// How many values an event gets.
    pub fn slots(&self) -> usize {
        self.slots
    }

    fn add(&mut self, slot: usize, spec: &WindowSpec) {
        let kind = &mut self.kinds[spec.entity as usize];
        let want = match spec.aggregate {
            Aggregate::FirstSeen => return kind.first_seen.push(slot),
            Aggregate::SincePrevious => Want::Latest,
            Aggregate::Distinct(attribute) => Want::Distinct(attribute),
            _ => Want::Tally,
        };
        self.reach = self.reach.max(spec.older);
        let matcher = Matcher::new(&spec.filter);
        let known = spec.filter.outcomes.is_none() && spec.filter.labels.is_none();
        let counts_self = spec.counts_self && spec.newer == 0 && known;
        let mut output = Output {
            slot,
            lane: 0,
            aggregate: spec.aggregate,
            counts_self,
            readers: spec.readers,
        };
        let mut lane = Lane {
            newer: spec.newer,
            older: spec.older,
            matcher,
            summary: 0,
            want,
            readers: spec.readers,
        };
        let entities = spec.filter.same.with(spec.entity);
        if entities != Set::EMPTY.with(spec.entity) {
            return self.joint.push(JointLane {
                entities,
                lane,
                output,
            });
        }
        kind.reach = kind.reach.max(spec.older);
        let known = kind.lanes.iter().position(|other| {
            Lane {
                summary: 0,
                readers: lane.readers,
                ..*other
            } == lane
        });
        if let Some(known) = known {
            kind.lanes[known].readers = kind.lanes[known].readers.union(spec.readers);
        }
        output.lane = known.unwrap_or_else(|| {
            lane.summary = match want {
                Want::Distinct(_) => kind.slides,
                Want::Tally | Want::Latest => place(&mut kind.matchers, matcher),
            };
            kind.slides += usize::from(matches!(want, Want::Distinct(_)));
            kind.lanes.push(lane);
            kind.lanes.len() - 1
        });
        kind.outputs.push(output);
    }
}

/// The place of an equal item, added if there is none.
fn place<T: PartialEq>(items: &mut Vec<T>, item: T) -> usize {
    items
        .iter()
        .position(|other| *other == item)
        .unwrap_or_else(|| {
            items.push(item);
            items.len() - 1
        })
}

/// A filter as masks. `same` is not part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Matcher {
    kinds: u32,
    standings: u32,
    amount_min: i64,
    amount_max: i64,
}

impl Matcher {
    fn new(filter: &Filter) -> Self {
        let bounded = filter.amount_min.is_some() || filter.amount_max.is_some();
        let lowest = if bounded { NO_AMOUNT + 1 } else { NO_AMOUNT };
        Self {
            kinds: filter.kinds.bits(),
            standings: standings(filter),
            amount_min: filter.amount_min.unwrap_or(lowest).max(lowest),
            amount_max: filter.amount_max.unwrap_or(i64::MAX),
        }
    }

    #[inline]
    pub(crate) fn matches(&self, fact: &Fact) -> bool {
        self.standings >> fact.standing.place() & 1 == 1 && self.would_match(fact)
    }

    /// Whether kind and amount match, whatever outcome and label turn out to be.
    #[inline]
    pub(crate) fn would_match(&self, fact: &Fact) -> bool {
        self.kinds >> fact.kind & 1 == 1
            && (self.amount_min..=self.amount_max).contains(&fact.amount)
    }
}

/// One bit for each combination of outcome and label that passes.
fn standings(filter: &Filter) -> u32 {
    let outcomes = filter
        .outcomes
        .map_or(Set::<Outcome>::all().bits() | 1 << 6, Set::bits);
    let labels = filter
        .labels
        .unwrap_or_else(Set::<Option<LabelVerdict>>::all);
    labels
        .iter()
        .fold(0, |mask, label| mask | outcomes << (8 * label.place()))
}

const _: () = assert!(EventKind::ALL.len() <= 32);

/// The value that `Distinct` tells apart, if the event has one.
#[inline]
pub(crate) fn value_of(
    arena: &Arena,
    position: u32,
    fact: &Fact,
    attribute: Attribute,
) -> Option<u32> {
    let number = match attribute {
        Attribute::Entity(kind) => return arena.id(position, kind),
        Attribute::Country => fact.country,
        Attribute::Mcc => fact.mcc,
    };
    (number != 0).then_some(u32::from(number))
}
