//! The registered windows, sorted into what one visit to one entity computes.

use crate::arena::{Arena, Fact, NO_AMOUNT};
use crate::entity::{ENTITY_KINDS, EntityKind, VIEW_COUNT, view};
use crate::listed::Listed;
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
    /// The far edge of each slot, for the question whether its value is whole.
    olders: Vec<i64>,
    /// What to compute for each view of an entity.
    pub(crate) views: [Passes; VIEW_COUNT],
    /// What long timelines of each kind keep for it.
    pub(crate) listed: [Listed; ENTITY_KINDS],
    /// Windows over events that share further entities with the current one.
    pub(crate) joint: Vec<Joint>,
    /// Slots of `FirstSeen`, by view.
    pub(crate) first_seen: [Vec<usize>; VIEW_COUNT],
    /// Questions about links, by view.
    pub(crate) links: Vec<Link>,
    /// The farthest edge of all windows, at least a day.
    pub(crate) reach: i64,
}

/// Windows over one list of events. Those with one filter and one near edge are one group: a
/// single pass from the near edge back serves all of their far edges and aggregates.
#[derive(Debug, Default)]
pub(crate) struct Passes {
    pub groups: Vec<Group>,
    pub trails: Vec<Trail>,
    /// The farthest edge of these windows.
    pub reach: i64,
    /// For which kinds of current event some value of them is wanted.
    pub readers: Set<EventKind>,
}

/// One pass.
#[derive(Debug)]
pub(crate) struct Group {
    pub matcher: Matcher,
    pub newer: i64,
    /// Near to far.
    pub edges: Vec<Edge>,
    /// The attributes whose values are told apart.
    pub attributes: Vec<Attribute>,
    pub needs: Needs,
    /// For which kinds of current event some output of it is wanted.
    pub readers: Set<EventKind>,
}

/// What a pass gathers besides the tally.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Needs {
    pub moments: bool,
    pub amounts: bool,
}

/// A far edge of a group, with the values to be read there.
#[derive(Debug)]
pub(crate) struct Edge {
    pub older: i64,
    /// Place of its window among the slides of long timelines.
    pub slide: usize,
    /// Place of its filter among the tallies of long timelines, if it asks for the latest event.
    pub latest: Option<usize>,
    pub outputs: Vec<Output>,
}

/// Where a value goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    pub slot: usize,
    pub aggregate: Aggregate,
    /// Of `Distinct`: place among the attributes of the group.
    pub attribute: usize,
    /// Of `Distinct`: place among the attributes of the slide.
    pub slid: usize,
    /// Whether the current event counts if its kind, amount and outcome match.
    pub counts_self: bool,
    /// For which kinds of current event it is wanted.
    pub readers: Set<EventKind>,
}

/// A value that depends on the order of events, computed by itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trail {
    pub matcher: Matcher,
    /// Of `Ewma`: place of its filter among the tallies of long timelines.
    pub column: usize,
    pub newer: i64,
    pub older: i64,
    pub output: Output,
}

/// Windows over the events that share all of these entities with the current one.
#[derive(Debug)]
pub(crate) struct Joint {
    pub view: usize,
    pub same: Set<EntityKind>,
    pub passes: Passes,
}

/// A question about links.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Link {
    pub view: usize,
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
        let mut plan = Self::empty();
        for (slot, spec) in specs.iter().enumerate() {
            spec.check()?;
            plan.add(slot, spec);
        }
        plan.finish();
        Ok(plan)
    }

    /// The same plan, taking over from another what both keep.
    pub(crate) fn following(mut self, before: &Self) -> Self {
        for (listed, other) in self.listed.iter_mut().zip(&before.listed) {
            listed.follow(before.generation, other);
        }
        self
    }

    /// A plan without windows.
    pub(crate) fn empty() -> Self {
        static GENERATIONS: AtomicU64 = AtomicU64::new(0);
        Self {
            generation: GENERATIONS.fetch_add(1, Ordering::Relaxed),
            olders: Vec::new(),
            views: Default::default(),
            listed: Default::default(),
            joint: Vec::new(),
            first_seen: Default::default(),
            links: Vec::new(),
            reach: DAY,
        }
    }

    /// How far back the windows of an event with these entities reach.
    pub(crate) fn reach_for(&self, present: Set<EntityKind>) -> i64 {
        let views = crate::entity::VIEWS.iter().zip(&self.views);
        let own = views
            .filter(|((kind, _), _)| present.contains(*kind))
            .map(|(_, passes)| passes.reach);
        let joint = self
            .joint
            .iter()
            .filter(|joint| present.includes(joint.same.with(crate::entity::VIEWS[joint.view].0)));
        let links = self
            .links
            .iter()
            .filter(|link| present.contains(crate::entity::VIEWS[link.view].0))
            .map(|link| self.older(link.output.slot));
        own.chain(joint.map(|joint| joint.passes.reach))
            .chain(links)
            .max()
            .unwrap_or(0)
    }

    /// How many values an event gets.
    pub fn slots(&self) -> usize {
        self.olders.len()
    }

    /// How far back the window of a slot reaches, in microseconds.
    pub(crate) fn older(&self, slot: usize) -> i64 {
        self.olders.get(slot).copied().unwrap_or(0)
    }

    fn add(&mut self, slot: usize, spec: &WindowSpec) {
        let view = view(spec.entity, spec.seen_as).unwrap_or(spec.entity as usize);
        // Nobody has said anything of the current event yet.
        let known = spec.filter.labels.is_none();
        let output = Output {
            slot,
            aggregate: spec.aggregate,
            attribute: 0,
            slid: 0,
            counts_self: spec.counts_self && spec.newer == 0 && known,
            readers: spec.readers,
        };
        let reach = spec.reach();
        self.olders.push(reach);
        self.reach = self.reach.max(reach);
        match spec.aggregate {
            Aggregate::FirstSeen => return self.first_seen[view].push(slot),
            aggregate if aggregate.is_link() => return self.links.push(Link { view, output }),
            _ => {}
        }
        let same = match spec.seen_as == spec.entity {
            true => spec.filter.same.without(spec.entity),
            false => spec.filter.same,
        };
        if same.is_empty() {
            return self.views[view].add(spec, output);
        }
        let place = self
            .joint
            .iter()
            .position(|joint| (joint.view, joint.same) == (view, same));
        let place = place.unwrap_or_else(|| {
            self.joint.push(Joint {
                view,
                same,
                passes: Passes::default(),
            });
            self.joint.len() - 1
        });
        self.joint[place].passes.add(spec, output);
    }

    /// Names what long timelines keep for every edge, once all outputs are known.
    fn finish(&mut self) {
        for (passes, (_, kind)) in self.views.iter_mut().zip(crate::entity::VIEWS) {
            let listed = &mut self.listed[kind as usize];
            for trail in &mut passes.trails {
                if matches!(trail.output.aggregate, Aggregate::Ewma(_)) {
                    trail.column = place(&mut listed.tallied, trail.matcher);
                }
            }
            for group in &mut passes.groups {
                let window = (group.matcher, group.newer);
                for edge in &mut group.edges {
                    edge.slide = listed.slide(window, edge.older);
                    for output in &mut edge.outputs {
                        listed.keep(edge.slide, output, &group.attributes, &mut edge.latest);
                    }
                }
            }
        }
    }
}

impl Output {
    /// The share that a quantile asks for, in thousandths.
    pub(crate) fn permille(&self) -> Option<u16> {
        match self.aggregate {
            Aggregate::Quantile(permille) => Some(permille),
            _ => None,
        }
    }
}

impl Passes {
    /// The slots of its values.
    pub(crate) fn slots(&self) -> impl Iterator<Item = usize> {
        let edges = self.groups.iter().flat_map(|group| &group.edges);
        let outputs = edges.flat_map(|edge| edge.outputs.iter().map(|output| output.slot));
        outputs.chain(self.trails.iter().map(|trail| trail.output.slot))
    }

    /// Adds a window.
    fn add(&mut self, spec: &WindowSpec, mut output: Output) {
        self.reach = self.reach.max(spec.older);
        self.readers = self.readers.union(spec.readers);
        let matcher = Matcher::new(&spec.filter);
        let trails = matches!(
            spec.aggregate,
            Aggregate::Ewma(_)
                | Aggregate::DistanceKm
                | Aggregate::SpeedKmh
                | Aggregate::Earlier(..)
        );
        if trails {
            return self.trails.push(Trail {
                matcher,
                column: 0,
                newer: spec.newer,
                older: spec.older,
                output,
            });
        }
        let key = |group: &Group| (group.matcher, group.newer) == (matcher, spec.newer);
        let known = self.groups.iter().position(key).unwrap_or_else(|| {
            self.groups.push(Group {
                matcher,
                newer: spec.newer,
                edges: Vec::new(),
                attributes: Vec::new(),
                needs: Needs::default(),
                readers: Set::EMPTY,
            });
            self.groups.len() - 1
        });
        let group = &mut self.groups[known];
        group.readers = group.readers.union(spec.readers);
        group.needs.moments |= spec.aggregate == Aggregate::Deviation;
        group.needs.amounts |= output.permille().is_some();
        if let Aggregate::Distinct(attribute) = spec.aggregate {
            output.attribute = place(&mut group.attributes, attribute);
        }
        let found = group
            .edges
            .binary_search_by_key(&spec.older, |edge| edge.older);
        let edge = found.unwrap_or_else(|edge| {
            let new = Edge {
                older: spec.older,
                slide: 0,
                latest: None,
                outputs: Vec::new(),
            };
            group.edges.insert(edge, new);
            edge
        });
        group.edges[edge].outputs.push(output);
    }
}

/// The place of an equal item, added if there is none.
pub(crate) fn place<T: PartialEq>(items: &mut Vec<T>, item: T) -> usize {
    let known = items.iter().position(|other| *other == item);
    known.unwrap_or_else(|| {
        items.push(item);
        items.len() - 1
    })
}

/// A filter as masks. `same` is not part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Matcher {
    kinds: u32,
    standings: u32,
    subtract: u32,
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
            subtract: filter.subtract.bits(),
            amount_min: filter.amount_min.unwrap_or(lowest).max(lowest),
            amount_max: filter.amount_max.unwrap_or(i64::MAX),
        }
    }

    #[inline]
    pub(crate) fn matches(&self, fact: &Fact) -> bool {
        self.standings >> fact.standing.place() & 1 == 1
            && self.kinds >> fact.kind & 1 == 1
            && (self.amount_min..=self.amount_max).contains(&fact.amount)
    }

    /// The amount of an event that matches, with its sign; `NO_AMOUNT` for none.
    #[inline]
    pub(crate) fn amount(&self, fact: &Fact) -> i64 {
        if self.subtract >> fact.kind & 1 == 1 {
            // `NO_AMOUNT` is its own negative.
            fact.amount.wrapping_neg()
        } else {
            fact.amount
        }
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
