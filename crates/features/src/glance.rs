//! A look at one entity while no event of it is decided: what its windows hold, whom it is linked to.
//!
//! Nothing is added and nothing kept; a look holds the lock for some microseconds, as an event does.

use crate::arena::Seen;
use crate::links::ties_people;
use crate::past::Past;
use crate::plan::Plan;
use crate::read::{Query, Scratch};
use crate::state::State;
use crate::{EntityKind, FeatureEvent, FeatureStore, Value};
use paywarden_domain::{EventKind, Timestamp};
use std::collections::{HashMap, HashSet};

/// The most entities of one web.
pub const NODES_MAX: usize = 40;
/// The most ties of one web.
pub const TIES_MAX: usize = 80;
/// How many ties away the farthest entities of a web are.
pub const HOPS_MAX: u8 = 2;
/// The most events of one entity that a web follows, latest first.
pub const EVENTS_OF_ONE: usize = 64;
/// The most events that one web looks at.
pub const EVENTS_MAX: usize = 1_024;
/// The most numbers of events that a glance has.
pub const NUMBERS_MAX: usize = 100;

/// What is known of an entity at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    /// One value for each slot of the plan; `Missing` where it says nothing of this entity alone.
    pub values: Vec<Value>,
    /// Slots whose values may be less than exact.
    pub bounded: Vec<usize>,
    /// When it was first seen, however long ago.
    pub first_seen: Timestamp,
    /// The numbers of its latest events, latest first, at most [`NUMBERS_MAX`].
    pub numbers: Vec<u64>,
    /// How many of its events are kept.
    pub events: u64,
    /// Whether it is marked.
    pub is_marked: bool,
}

/// Entities that hang together by the events that name them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Web {
    /// The entities, nearest first; the first is the one that was asked about.
    pub nodes: Vec<Node>,
    /// What ties them.
    pub ties: Vec<Tie>,
    /// Whether that is all within [`HOPS_MAX`]: no limit was met.
    pub is_whole: bool,
}

/// An entity of a web.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// What it is; an account that is only known as paid is a payee.
    pub kind: EntityKind,
    /// The hash that windows know it by.
    pub key: u64,
    /// How many ties lead to it.
    pub hops: u8,
    /// How many of its events are kept.
    pub events: u64,
    /// Whether it is marked.
    pub is_marked: bool,
}

/// Events that name two entities of a web.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tie {
    /// Place of one among the nodes; of a payment from account to account the payer.
    pub from: usize,
    /// Place of the other.
    pub to: usize,
    /// Whether money went from one to the other, rather than that an event names both.
    pub is_paid: bool,
    /// How many events.
    pub events: u32,
    /// What they come to in minor units of the base currency.
    pub amount: i64,
    /// When the latest was.
    pub latest: Timestamp,
}

impl FeatureStore {
    /// What the windows of a plan hold of one entity at a moment; none if no event of it is kept.
    ///
    /// The values are those that an event would read which names the entity and nobody else, without
    /// that event itself.
    pub fn glance(&self, plan: &Plan, entity: (EntityKind, u64), at: Timestamp) -> Option<Glance> {
        self.lock().glance(plan, entity, at.micros())
    }

    /// Whom an entity is linked to by its latest events, two ties away at most; none if no event of
    /// it is kept. Of what names too many who have nothing in common, such as a merchant or an
    /// address of a network, no further events are followed.
    pub fn web(&self, entity: (EntityKind, u64)) -> Option<Web> {
        Weaving::start(&self.lock(), entity).map(Weaving::finish)
    }
}

impl State {
    fn glance(&mut self, plan: &Plan, entity: (EntityKind, u64), at: i64) -> Option<Glance> {
        let ids = self.past.known(entity);
        let first = ids.iter().map(|id| self.past.first_seen(*id)).min()?;
        let positions: HashSet<u32> = ids
            .iter()
            .flat_map(|id| self.past.latest(*id).take(NUMBERS_MAX))
            .collect();
        let numbers = positions.into_iter().map(|at| self.past.arena.number(at));
        let mut numbers: Vec<u64> = numbers.collect();
        numbers.sort_unstable_by(|one, other| other.cmp(one));
        numbers.truncate(NUMBERS_MAX);
        let mut glance = Glance {
            values: vec![Value::Missing; plan.slots()],
            bounded: Vec::new(),
            first_seen: Timestamp::from_micros(first),
            numbers,
            events: ids.iter().map(|id| self.past.count(*id) as u64).sum(),
            is_marked: ids.iter().any(|id| self.past.is_marked(*id)),
        };
        // A window is read for some kinds of event alone.
        for kind in EventKind::ALL {
            self.glance_as(plan, entity, (*kind, at), &mut glance);
        }
        for slot in 0..plan.slots() {
            let is_cut = at.saturating_sub(plan.older(slot)) < self.gone_latest;
            if is_cut && plan.older(slot) > 0 && !glance.bounded.contains(&slot) {
                glance.bounded.push(slot);
            }
        }
        Some(glance)
    }

    fn glance_as(
        &mut self,
        plan: &Plan,
        (entity, key): (EntityKind, u64),
        (kind, at): (EventKind, i64),
        glance: &mut Glance,
    ) {
        let mut event = FeatureEvent::new(kind, at);
        event.entities[entity as usize] = key;
        let query = Query {
            plan,
            newest: plan.generation == self.plan.generation,
            current: &self.past.onlooker(&event),
        };
        let (mut values, mut cut) = (Vec::new(), Vec::new());
        let mut scratch = Scratch::default();
        self.past.gather(query, &mut scratch, &mut values, &mut cut);
        scratch.sum_up(plan, query.current, &mut values);
        for (known, value) in glance.values.iter_mut().zip(values) {
            if *known == Value::Missing {
                *known = value;
            }
        }
        cut.retain(|slot| !glance.bounded.contains(slot));
        glance.bounded.extend(cut);
    }
}

/// A web that is being made.
struct Weaving<'s> {
    state: &'s State,
    web: Web,
    places: HashMap<(EntityKind, u64), usize>,
    ties: HashMap<(usize, usize, bool), usize>,
    told: HashSet<(usize, u32)>,
    events_left: usize,
}

impl<'s> Weaving<'s> {
    fn start(state: &'s State, entity: (EntityKind, u64)) -> Option<Self> {
        let mut weaving = Self {
            state,
            web: Web {
                is_whole: true,
                ..Web::default()
            },
            places: HashMap::new(),
            ties: HashMap::new(),
            told: HashSet::new(),
            events_left: EVENTS_MAX,
        };
        let (kind, key) = entity;
        let is_kept = state
            .past
            .known(entity)
            .iter()
            .any(|id| state.past.count(*id) > 0);
        is_kept.then(|| weaving.place(side(kind), key, 0))?;
        Some(weaving)
    }

    fn finish(mut self) -> Web {
        let mut next = 0;
        while let Some(node) = self.web.nodes.get(next).copied() {
            if node.hops < HOPS_MAX && (next == 0 || ties_people(node.kind)) {
                self.follow(next, node);
            }
            next += 1;
        }
        self.web
    }

    /// Adds what the latest events of an entity tie it to.
    fn follow(&mut self, place: usize, node: Node) {
        let past = &self.state.past;
        for id in past.known((node.kind, node.key)) {
            for (count, position) in past.latest(id).enumerate() {
                if self.events_left == 0 || count == EVENTS_OF_ONE {
                    self.web.is_whole = false;
                    break;
                }
                self.events_left -= 1;
                self.tie((place, node), position, &past.arena.seen(position));
            }
        }
    }

    fn tie(&mut self, (place, node): (usize, Node), position: u32, event: &Seen) {
        let key = |kind| {
            let entity = self.state.past.registry.get(event.id(kind)?)?;
            Some(entity.key)
        };
        let named = EntityKind::ALL.into_iter().filter(|kind| is_shown(*kind));
        let named: Vec<(EntityKind, u64)> =
            named.filter_map(|kind| Some((kind, key(kind)?))).collect();
        let is = |side_of: Option<u64>| {
            side(node.kind) == EntityKind::Account && side_of == Some(node.key)
        };
        let pays = is(key(EntityKind::Account));
        let is_paid = is(key(EntityKind::Payee));
        for (kind, other) in named {
            if (side(kind), other) == (side(node.kind), node.key) {
                continue;
            }
            let Some(end) = self.place(side(kind), other, node.hops + 1) else {
                continue;
            };
            // Money goes from the account that pays to the one that is paid.
            let tie = match kind {
                EntityKind::Payee if pays => (place, end, true),
                EntityKind::Account if is_paid => (end, place, true),
                _ => (place.min(end), place.max(end), false),
            };
            self.count(tie, position, event);
        }
    }

    fn count(&mut self, tie: (usize, usize, bool), position: u32, event: &Seen) {
        let known = self.ties.get(&tie).copied();
        if known.is_none() && self.web.ties.len() == TIES_MAX {
            self.web.is_whole = false;
            return;
        }
        let (from, to, is_paid) = tie;
        let number = known.unwrap_or_else(|| {
            self.web.ties.push(Tie {
                from,
                to,
                is_paid,
                events: 0,
                amount: 0,
                latest: Timestamp::from_micros(event.fact.at),
            });
            self.web.ties.len() - 1
        });
        self.ties.insert(tie, number);
        // Both ends may be followed: an event counts once.
        if !self.told.insert((number, position)) {
            return;
        }
        if let Some(tie) = self.web.ties.get_mut(number) {
            tie.events += 1;
            tie.amount = tie.amount.saturating_add(event.fact.amount.max(0));
            tie.latest = tie.latest.max(Timestamp::from_micros(event.fact.at));
        }
    }

    /// The place of an entity among the nodes; none if there is no room for it.
    fn place(&mut self, kind: EntityKind, key: u64, hops: u8) -> Option<usize> {
        if let Some(place) = self.places.get(&(kind, key)) {
            return Some(*place);
        }
        if self.web.nodes.len() == NODES_MAX {
            self.web.is_whole = false;
            return None;
        }
        let past = &self.state.past;
        let ids = past.known((kind, key));
        let is_account =
            kind != EntityKind::Account || past.registry.find(EntityKind::Account, key).is_some();
        let place = self.web.nodes.len();
        self.places.insert((kind, key), place);
        self.web.nodes.push(Node {
            kind: if is_account { kind } else { EntityKind::Payee },
            key,
            hops,
            events: ids.iter().map(|id| past.count(*id) as u64).sum(),
            is_marked: ids.iter().any(|id| past.is_marked(*id)),
        });
        Some(place)
    }
}

/// An account and a payee are sides of one thing.
fn side(kind: EntityKind) -> EntityKind {
    match kind {
        EntityKind::Payee => EntityKind::Account,
        kind => kind,
    }
}

/// What a web shows: a range of cards and a terminal say no more than the card and the merchant.
fn is_shown(kind: EntityKind) -> bool {
    kind.is_one() && !matches!(kind, EntityKind::Bin | EntityKind::Terminal)
}

impl Past {
    /// Under what numbers an entity is known: an account perhaps as both sides.
    fn known(&self, (kind, key): (EntityKind, u64)) -> Vec<u32> {
        let kinds = match side(kind) {
            EntityKind::Account => [EntityKind::Account, EntityKind::Payee].as_slice(),
            _ => &[kind],
        };
        let found = kinds.iter().map(|kind| self.registry.find(*kind, key));
        found.flatten().collect()
    }
}
