//! A moving window, for entities with too many events to look at each time.
//!
//! It keeps what its aggregates need of the events between its two edges. Moving it costs one step
//! for each event that an edge passes, in either direction, so that late events are exact too.

use crate::Attribute;
use crate::arena::{Arena, Fact, NO_AMOUNT};
use crate::listed::SlideSpec;
use crate::plan::{Needs, value_of};
use crate::tally::{Moments, Sums, Tally, rank};
use hashbrown::HashMap;
use std::collections::BTreeMap;
use std::hash::{BuildHasherDefault, Hasher};

/// What lies between two edges.
#[derive(Debug)]
pub(crate) struct Slide {
    /// Events at this time and before are outside.
    pub after: i64,
    /// Events at this time are inside, later ones outside.
    pub until: i64,
    sums: Sums,
    /// Most windows ask for counts and sums only.
    more: Option<Box<More>>,
}

/// What some windows ask for besides.
#[derive(Debug)]
struct More {
    moments: Moments,
    min: Extreme,
    max: Extreme,
    /// How often each value occurs, by attribute.
    counts: Vec<HashMap<u32, u32, BuildHasherDefault<Spread>>>,
    ranks: Vec<Ranks>,
}

/// The smallest or largest amount, and how many events at least have it; 0 if nobody knows.
#[derive(Debug, Clone, Copy)]
struct Extreme {
    amount: i64,
    ties: u32,
}

/// What happens to an event that an edge passes.
pub(crate) type Step = fn(&mut Slide, &SlideSpec, &Arena, u32, &Fact);

impl Slide {
    pub(crate) fn new(spec: &SlideSpec) -> Self {
        Self {
            more: spec.asks_more().then(|| Box::new(More::new(spec))),
            ..Self::vacant()
        }
    }

    /// Stands in for a slide that is being moved.
    pub(crate) fn vacant() -> Self {
        Self {
            after: i64::MIN,
            until: i64::MIN,
            sums: Sums::default(),
            more: None,
        }
    }

    /// Moves the edges. Returns the stretches of time that leave or enter by it: after the first
    /// time, until the second. A stretch that ends before it begins is empty.
    pub(crate) fn shift(
        &mut self,
        spec: &SlideSpec,
        after: i64,
        until: i64,
    ) -> [(i64, i64, Step); 4] {
        let (mut old_after, mut old_until) = (self.after, self.until);
        if old_until <= after || until <= old_after {
            *self = Self::new(spec);
            (old_after, old_until) = (after, after);
        }
        (self.after, self.until) = (after, until);
        [
            (old_after, after, Self::remove),
            (until, old_until, Self::remove),
            (after, old_after, Self::add),
            (old_until, until, Self::add),
        ]
    }

    /// Whether it has not been moved anywhere yet.
    pub(crate) fn is_vacant(&self) -> bool {
        self.until == i64::MIN
    }

    pub(crate) fn covers(&self, at: i64) -> bool {
        self.after < at && at <= self.until
    }

    /// Counts an event that matches.
    pub(crate) fn add(&mut self, spec: &SlideSpec, arena: &Arena, position: u32, fact: &Fact) {
        let amount = spec.matcher.amount(fact);
        self.sums.add(amount);
        if let Some(more) = &mut self.more {
            more.add(spec, amount, |attribute| {
                value_of(arena, position, fact, attribute)
            });
        }
    }

    /// Takes an event out that was counted.
    pub(crate) fn remove(&mut self, spec: &SlideSpec, arena: &Arena, position: u32, fact: &Fact) {
        let amount = spec.matcher.amount(fact);
        self.sums.remove(amount);
        if let Some(more) = &mut self.more {
            more.remove(spec, amount, |attribute| {
                value_of(arena, position, fact, attribute)
            });
        }
    }

    /// Whether smallest and largest amount must be looked up again.
    pub(crate) fn forgot_extremes(&self) -> bool {
        let forgot = |more: &More| more.min.ties == 0 || more.max.ties == 0;
        self.sums.priced() > 0 && self.more.as_deref().is_some_and(forgot)
    }

    /// Notes extremes that were looked up.
    pub(crate) fn set_extremes(&mut self, (min, max): (i64, i64)) {
        if let Some(more) = &mut self.more {
            more.min = Extreme {
                amount: min,
                ties: 1,
            };
            more.max = Extreme {
                amount: max,
                ties: 1,
            };
        }
    }

    /// The tally, extremes included where the window asks for them.
    pub(crate) fn tally(&self) -> Tally {
        let known = self.more.as_ref().filter(|_| self.sums.priced() > 0);
        let extremes = known.map(|more| (more.min.amount, more.max.amount));
        Tally::new(self.sums, extremes.unwrap_or((i64::MAX, i64::MIN)))
    }

    pub(crate) fn moments(&self) -> Moments {
        self.more
            .as_ref()
            .map(|more| more.moments)
            .unwrap_or_default()
    }

    /// How many values of an attribute differ, and whether this one is among them.
    pub(crate) fn distinct(&self, attribute: usize, own: Option<u32>) -> (usize, bool) {
        let counts = self
            .more
            .as_ref()
            .and_then(|more| more.counts.get(attribute));
        counts.map_or((0, false), |counts| {
            let seen = own.is_some_and(|own| counts.contains_key(&own));
            (counts.len(), seen)
        })
    }

    /// The amount at a share, one more amount included.
    pub(crate) fn quantile(&self, permille: u16, own: Option<i64>) -> Option<i64> {
        let mut ranks = self.more.as_ref()?.ranks.iter();
        ranks.find(|ranks| ranks.permille == permille)?.value(own)
    }
}

impl More {
    fn new(spec: &SlideSpec) -> Self {
        let ranks = spec.quantiles.iter().map(|permille| Ranks::new(*permille));
        Self {
            moments: Moments::default(),
            min: Extreme::none(i64::MAX),
            max: Extreme::none(i64::MIN),
            counts: spec.attributes.iter().map(|_| HashMap::default()).collect(),
            ranks: ranks.collect(),
        }
    }

    fn add(&mut self, spec: &SlideSpec, amount: i64, value: impl Fn(Attribute) -> Option<u32>) {
        if spec.moments {
            self.moments.add(amount);
        }
        if amount != NO_AMOUNT {
            self.min.add(amount, amount < self.min.amount);
            self.max.add(amount, amount > self.max.amount);
            self.ranks.iter_mut().for_each(|ranks| ranks.add(amount));
        }
        for (counts, attribute) in self.counts.iter_mut().zip(&spec.attributes) {
            if let Some(value) = value(*attribute) {
                *counts.entry(value).or_insert(0) += 1;
            }
        }
    }

    fn remove(&mut self, spec: &SlideSpec, amount: i64, value: impl Fn(Attribute) -> Option<u32>) {
        if spec.moments {
            self.moments.remove(amount);
        }
        if amount != NO_AMOUNT {
            self.min.remove(amount);
            self.max.remove(amount);
            self.ranks.iter_mut().for_each(|ranks| ranks.remove(amount));
        }
        for (counts, attribute) in self.counts.iter_mut().zip(&spec.attributes) {
            if let Some(value) = value(*attribute) {
                take_one(counts, value);
            }
        }
    }
}

impl Extreme {
    fn none(amount: i64) -> Self {
        Self { amount, ties: 0 }
    }

    fn add(&mut self, amount: i64, beyond: bool) {
        if beyond {
            *self = Self { amount, ties: 1 };
        } else if amount == self.amount && self.ties > 0 {
            self.ties += 1;
        }
    }

    fn remove(&mut self, amount: i64) {
        if amount == self.amount {
            self.ties = self.ties.saturating_sub(1);
        }
    }
}

/// Amounts parted at a share: `low` holds the smallest of them, up to and with the one there.
#[derive(Debug)]
struct Ranks {
    permille: u16,
    low: Part,
    high: Part,
}

/// Amounts and how often each occurs.
#[derive(Debug, Default)]
struct Part {
    counts: BTreeMap<i64, u32>,
    len: usize,
}

impl Part {
    fn add(&mut self, amount: i64) {
        *self.counts.entry(amount).or_insert(0) += 1;
        self.len += 1;
    }

    fn remove(&mut self, amount: i64) -> bool {
        let Some(count) = self.counts.get_mut(&amount) else {
            return false;
        };
        *count -= 1;
        if *count == 0 {
            self.counts.remove(&amount);
        }
        self.len -= 1;
        true
    }

    fn first(&self) -> Option<i64> {
        self.counts.first_key_value().map(|(amount, _)| *amount)
    }

    fn last(&self) -> Option<i64> {
        self.counts.last_key_value().map(|(amount, _)| *amount)
    }

    /// The largest but one, repeated amounts counted.
    fn last_but_one(&self) -> Option<i64> {
        let mut last = self.counts.iter().rev();
        let (amount, count) = last.next()?;
        match count {
            1 => last.next().map(|(amount, _)| *amount),
            _ => Some(*amount),
        }
    }
}

impl Ranks {
    fn new(permille: u16) -> Self {
        Self {
            permille,
            low: Part::default(),
            high: Part::default(),
        }
    }

    fn add(&mut self, amount: i64) {
        match self.low.last() {
            Some(last) if amount > last => self.high.add(amount),
            _ => self.low.add(amount),
        }
        self.balance();
    }

    fn remove(&mut self, amount: i64) {
        // Equal amounts may lie in both parts; either copy will do.
        let _found = self.low.remove(amount) || self.high.remove(amount);
        self.balance();
    }

    fn balance(&mut self) {
        let count = self.low.len + self.high.len;
        let wanted = if count == 0 {
            0
        } else {
            rank(self.permille, count) + 1
        };
        while self.low.len > wanted
            && let Some(amount) = self.low.last()
        {
            self.low.remove(amount);
            self.high.add(amount);
        }
        while self.low.len < wanted
            && let Some(amount) = self.high.first()
        {
            self.high.remove(amount);
            self.low.add(amount);
        }
    }

    fn value(&self, own: Option<i64>) -> Option<i64> {
        let Some(own) = own else {
            return self.low.last();
        };
        let count = self.low.len + self.high.len;
        let Some(last) = self.low.last() else {
            return Some(own);
        };
        let moves = rank(self.permille, count + 1) == self.low.len;
        Some(match (moves, own > last) {
            (false, true) => last,
            (false, false) => self
                .low
                .last_but_one()
                .map_or(own, |before| before.max(own)),
            (true, true) => self.high.first().map_or(own, |first| first.min(own)),
            (true, false) => last,
        })
    }
}

/// The values of one pass over a few events.
#[derive(Debug, Default)]
pub(crate) struct Running {
    pub tally: Option<Tally>,
    pub moments: Moments,
    pub latest: Option<i64>,
    /// Different values so far, by attribute.
    pub values: Vec<Vec<u32>>,
    pub amounts: Vec<i64>,
}

impl Running {
    /// Empty, for so many attributes; the memory stays.
    pub(crate) fn clear(&mut self, attributes: usize) {
        self.tally = None;
        self.moments = Moments::default();
        self.latest = None;
        self.amounts.clear();
        self.values.iter_mut().for_each(Vec::clear);
        if self.values.len() < attributes {
            self.values.resize_with(attributes, Vec::new);
        }
    }

    /// Counts an event, earlier than all before.
    #[inline]
    pub(crate) fn add(&mut self, at: i64, amount: i64, needs: Needs) {
        self.tally.get_or_insert(Tally::EMPTY).add(amount);
        self.latest = self.latest.or(Some(at));
        if needs.moments {
            self.moments.add(amount);
        }
        if needs.amounts && amount != NO_AMOUNT {
            self.amounts.push(amount);
        }
    }

    /// Notes a value of an attribute.
    #[inline]
    pub(crate) fn note(&mut self, attribute: usize, value: u32) {
        let values = &mut self.values[attribute];
        if !values.contains(&value) {
            values.push(value);
        }
    }

    /// The amount at a share, one more amount included.
    pub(crate) fn quantile(&self, permille: u16, own: Option<i64>) -> Option<i64> {
        let mut amounts: Vec<i64> = self.amounts.iter().copied().chain(own).collect();
        let place = rank(permille, amounts.len());
        (!amounts.is_empty()).then(|| *amounts.select_nth_unstable(place).1)
    }
}

fn take_one(counts: &mut HashMap<u32, u32, BuildHasherDefault<Spread>>, value: u32) {
    if let hashbrown::hash_map::Entry::Occupied(mut entry) = counts.entry(value) {
        *entry.get_mut() -= 1;
        if *entry.get() == 0 {
            entry.remove();
        }
    }
}

/// Spreads small numbers over 64 bits. Values are numbers of entities, which this crate gives out
/// itself, or have 16 bits: nobody outside can choose many that collide.
#[derive(Debug, Default)]
pub(crate) struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes
            .iter()
            .for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        let product = u128::from(self.0 ^ number) * 0x9e37_79b9_7f4a_7c15;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }
}
