//! The definition of windows, computed the slow and obvious way, and random streams to try it on.

use paywarden_domain::time::{DAY, HOUR, MINUTE, SECOND};
use paywarden_domain::{EventKind, LabelVerdict, Outcome};
use paywarden_features::*;

/// Every event ever reserved, replayed or aborted.
#[derive(Debug, Clone, Default)]
pub struct Oracle {
    pub events: Vec<Known>,
}

#[derive(Debug, Clone)]
pub struct Known {
    pub number: u64,
    pub event: FeatureEvent,
    pub outcome: Option<Outcome>,
    pub label: Option<LabelVerdict>,
}

impl Oracle {
    pub fn add(&mut self, number: u64, event: FeatureEvent) {
        self.events.push(Known {
            number,
            event,
            outcome: None,
            label: None,
        });
    }

    pub fn known(&mut self, number: u64) -> Option<&mut Known> {
        self.events.iter_mut().find(|known| known.number == number)
    }

    pub fn abort(&mut self, number: u64) {
        self.events.retain(|known| known.number != number);
    }

    /// The value of a window for an event that has not been added yet.
    pub fn value(&self, spec: &WindowSpec, current: &FeatureEvent) -> Value {
        let key = current.entity(spec.entity);
        let unread = !spec.readers.contains(current.kind) && spec.aggregate != Aggregate::FirstSeen;
        if key == 0 || unread {
            return Value::Missing;
        }
        let of_entity = |event: &FeatureEvent| event.entity(spec.seen_as) == key;
        if spec.aggregate == Aggregate::FirstSeen {
            let known = self
                .events
                .iter()
                .map(|known| &known.event)
                .filter(|e| of_entity(e));
            let first = known
                .map(|event| event.at)
                .chain([current.at])
                .min()
                .unwrap();
            return Value::Duration(current.at - first);
        }
        let filter = &spec.filter;
        if filter.same.iter().any(|kind| current.entity(kind) == 0) {
            return Value::Missing;
        }
        let this = Known {
            number: 0,
            event: *current,
            outcome: None,
            label: None,
        };
        let filtered = filter.outcomes.is_some() || filter.labels.is_some();
        let with_self = spec.counts_self && !filtered;
        let others = self.events.iter().filter(|known| of_entity(&known.event));
        let with_self = with_self && of_entity(current);
        let all = others.chain(with_self.then_some(&this));
        let inside: Vec<&Known> = all
            .filter(|known| passes(filter, known, current))
            .filter(|known| {
                let at = known.event.at;
                current.at - spec.older < at && at <= current.at - spec.newer
            })
            .collect();
        if let Aggregate::Earlier(place, part) = spec.aggregate {
            return earlier(place, part, spec, &inside, current);
        }
        let inside: Vec<&FeatureEvent> = inside.into_iter().map(|known| &known.event).collect();
        aggregate(spec, &inside, current)
    }
}

fn earlier(
    place: u8,
    part: Part,
    spec: &WindowSpec,
    events: &[&Known],
    current: &FeatureEvent,
) -> Value {
    let mut latest_first = events.to_vec();
    latest_first.sort_by_key(|known| std::cmp::Reverse((known.event.at, known.number)));
    let Some(known) = latest_first.get(usize::from(place) - 1) else {
        return Value::Missing;
    };
    let number = match part {
        Part::Amount => return signed(spec, &known.event).map_or(Value::Missing, Value::Money),
        Part::Age => return Value::Duration(current.at - known.event.at),
        Part::Mcc => Some(i64::from(known.event.mcc)).filter(|mcc| *mcc != 0),
        Part::Outcome => known.outcome.map(|outcome| outcome as i64),
    };
    number.map_or(Value::Missing, Value::Count)
}

/// Whether a value is the expected one; where it was rounded from a fraction, nearly.
pub fn agree(spec: &WindowSpec, value: Value, expected: Value) -> bool {
    let fraction = matches!(
        spec.aggregate,
        Aggregate::Ewma(_) | Aggregate::DistanceKm | Aggregate::SpeedKmh
    );
    let near = |a: i64, b: i64| (a as f64 - b as f64).abs() <= 2.0 + 1e-9 * (b as f64).abs();
    match (value.number(), expected.number()) {
        (Some(a), Some(b)) if fraction => near(a, b),
        _ => value == expected,
    }
}

fn passes(filter: &Filter, known: &Known, current: &FeatureEvent) -> bool {
    let event = &known.event;
    filter.kinds.contains(event.kind)
        && filter
            .outcomes
            .is_none_or(|set| known.outcome.is_some_and(|o| set.contains(o)))
        && filter.labels.is_none_or(|set| set.contains(known.label))
        && filter
            .same
            .iter()
            .all(|kind| event.entity(kind) == current.entity(kind))
        && filter
            .amount_min
            .is_none_or(|min| event.amount.is_some_and(|amount| amount >= min))
        && filter
            .amount_max
            .is_none_or(|max| event.amount.is_some_and(|amount| amount <= max))
}

fn aggregate(spec: &WindowSpec, events: &[&FeatureEvent], current: &FeatureEvent) -> Value {
    let amounts = events.iter().filter_map(|event| signed(spec, event));
    let mut amounts: Vec<i64> = amounts.collect();
    amounts.sort_unstable();
    let sum: i128 = amounts.iter().map(|amount| i128::from(*amount)).sum();
    let money = |amount: Option<i64>| amount.map_or(Value::Missing, Value::Money);
    match spec.aggregate {
        Aggregate::Count => Value::Count(events.len() as i64),
        Aggregate::Sum => money(i64::try_from(sum).ok()),
        Aggregate::Avg => money(mean(&amounts)),
        Aggregate::Min => money(amounts.iter().min().copied()),
        Aggregate::Max => money(amounts.iter().max().copied()),
        Aggregate::Distinct(attribute) => {
            let mut values: Vec<u64> = events.iter().map(|e| value_of(e, attribute)).collect();
            values.retain(|value| *value != 0);
            values.sort_unstable();
            values.dedup();
            Value::Count(values.len() as i64)
        }
        Aggregate::SincePrevious => match events.iter().map(|event| event.at).max() {
            Some(at) => Value::Duration(current.at - at),
            None => Value::Missing,
        },
        Aggregate::Deviation => money(deviation(&amounts)),
        Aggregate::Quantile(permille) => {
            let enough = |amount: &&i64| {
                let not_above = amounts.iter().filter(|other| other <= amount).count();
                not_above * 1000 >= amounts.len() * usize::from(permille)
            };
            money(amounts.iter().find(enough).copied())
        }
        Aggregate::Ewma(half_life) => ewma(half_life, spec, events, current),
        Aggregate::DistanceKm | Aggregate::SpeedKmh => travel(spec, events, current),
        Aggregate::FirstSeen
        | Aggregate::Component
        | Aggregate::HopsToMarked
        | Aggregate::Cycle
        | Aggregate::Relay
        | Aggregate::CommonSource
        | Aggregate::Earlier(..) => unreachable!(),
    }
}

fn signed(spec: &WindowSpec, event: &FeatureEvent) -> Option<i64> {
    match spec.filter.subtract.contains(event.kind) {
        true => event.amount.map(|amount| -amount),
        false => event.amount,
    }
}

fn mean(amounts: &[i64]) -> Option<i64> {
    let sum: i128 = amounts.iter().map(|amount| i128::from(*amount)).sum();
    let count = amounts.len() as i128;
    let (whole, rest) = (sum.checked_div(count)?, sum.checked_rem(count)?);
    let up = if 2 * rest.abs() >= count {
        sum.signum()
    } else {
        0
    };
    i64::try_from(whole + up).ok()
}

fn deviation(amounts: &[i64]) -> Option<i64> {
    if amounts.len() < 2 || amounts.iter().any(|amount| amount.abs() > 1 << 40) {
        return None;
    }
    let count = amounts.len() as i128;
    let sum: i128 = amounts.iter().map(|a| i128::from(*a)).sum();
    let squares: i128 = amounts
        .iter()
        .map(|a| i128::from(*a) * i128::from(*a))
        .sum();
    let variance = (count * squares - sum * sum) as f64 / (count * (count - 1)) as f64;
    Some(variance.sqrt().round() as i64)
}

fn ewma(
    half_life: i64,
    spec: &WindowSpec,
    events: &[&FeatureEvent],
    current: &FeatureEvent,
) -> Value {
    let quarter = half_life / 4;
    let (mut weighted, mut weights) = (0.0, 0.0);
    for age in 0..=spec.older / quarter {
        let of_age = events
            .iter()
            .filter(|event| (current.at - event.at) / quarter == age);
        let priced: Vec<i64> = of_age.filter_map(|event| signed(spec, event)).collect();
        let weight = 2f64.powf(-(age as f64) / 4.0);
        weighted += weight * priced.iter().map(|a| i128::from(*a)).sum::<i128>() as f64;
        weights += weight * priced.len() as f64;
    }
    match weights > 0.0 {
        true => Value::Money((weighted / weights).round() as i64),
        false => Value::Missing,
    }
}

fn travel(spec: &WindowSpec, events: &[&FeatureEvent], current: &FeatureEvent) -> Value {
    let placed = events.iter().filter(|event| event.place.is_some());
    let previous = placed.max_by_key(|event| event.at);
    let places = previous.map(|event| (event.at, event.place.zip(current.place)));
    let Some((at, Some((from, to)))) = places else {
        return Value::Missing;
    };
    let km = distance_km(from, to);
    let hours = (current.at - at).max(SECOND) as f64 / HOUR as f64;
    let speed = spec.aggregate == Aggregate::SpeedKmh;
    Value::Count(if speed { km / hours } else { km }.round() as i64)
}

/// By the spherical law of cosines.
fn distance_km(from: event::Place, to: event::Place) -> f64 {
    let radians = |micro: i32| (f64::from(micro) / 1e6).to_radians();
    let (a, b) = (radians(from.0), radians(to.0));
    let between = (radians(to.1) - radians(from.1)).cos();
    let cosine = a.sin() * b.sin() + a.cos() * b.cos() * between;
    6371.0 * cosine.clamp(-1.0, 1.0).acos()
}

fn value_of(event: &FeatureEvent, attribute: Attribute) -> u64 {
    match attribute {
        Attribute::Entity(kind) => event.entity(kind),
        Attribute::Country => u64::from(event.country),
        Attribute::Mcc => u64::from(event.mcc),
    }
}

/// Whether the current event never counts.
fn earlier_only(aggregate: Aggregate) -> bool {
    matches!(
        aggregate,
        Aggregate::SincePrevious
            | Aggregate::Ewma(_)
            | Aggregate::DistanceKm
            | Aggregate::SpeedKmh
            | Aggregate::Earlier(..)
    )
}

/// SplitMix64: a small reproducible source of choices.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.roll() % end
    }

    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u64) as usize]
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn sometimes<T>(&mut self, percent: u64, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.chance(percent).then(|| make(self))
    }

    fn subset<T: set::Member>(&mut self) -> Set<T> {
        T::ALL.iter().copied().filter(|_| self.chance(50)).collect()
    }

    /// An event around `now`: sometimes at the same microsecond, sometimes hours late. Each kind
    /// of entity has `variety` keys; the first is frequent.
    pub fn event(&mut self, now: i64, variety: u64) -> FeatureEvent {
        let at = match self.below(10) {
            0 | 1 => now - self.below(6 * HOUR as u64) as i64,
            2..5 => now / MINUTE * MINUTE,
            _ => now,
        };
        let kind = if self.chance(80) {
            self.pick(&EventKind::ALL[..4])
        } else {
            self.pick(EventKind::ALL)
        };
        let mut event = FeatureEvent::new(kind, at);
        event.amount = self.sometimes(85, |dice| dice.below(2000) as i64 - 200);
        if self.chance(1) {
            event.amount = Some(i64::MAX - 7);
        }
        event.country = self.below(4) as u16;
        event.mcc = self.below(3) as u16 * 5000;
        event.place = self.sometimes(40, |dice| {
            let degrees =
                |dice: &mut Self, most: u64| dice.below(2 * most + 1) as i32 - most as i32;
            (
                degrees(dice, 80) * 1_000_000,
                degrees(dice, 179) * 1_000_000,
            )
        });
        for key in &mut event.entities {
            *key = match self.below(10) {
                0 | 1 => 0,
                2..5 => 1,
                _ => self.below(variety) + 1,
            };
        }
        event
    }

    pub fn filter(&mut self) -> Filter {
        Filter {
            kinds: if self.chance(60) {
                Filter::default().kinds
            } else {
                self.subset()
            },
            outcomes: self.sometimes(30, Self::subset),
            labels: self.sometimes(30, Self::subset),
            same: if self.chance(20) {
                Set::EMPTY.with(self.pick(&EntityKind::ALL))
            } else {
                Set::EMPTY
            },
            amount_min: self.sometimes(15, |dice| dice.below(1000) as i64),
            amount_max: self.sometimes(15, |dice| dice.below(1500) as i64 - 100),
            subtract: if self.chance(20) {
                self.subset()
            } else {
                Set::EMPTY
            },
        }
    }

    fn earlier(&mut self) -> Aggregate {
        let part = self.pick(&[Part::Amount, Part::Age, Part::Mcc, Part::Outcome]);
        Aggregate::Earlier(self.below(8) as u8 + 1, part)
    }

    pub fn spec(&mut self, longest: i64) -> WindowSpec {
        let attribute = match self.below(4) {
            0 => Attribute::Country,
            1 => Attribute::Mcc,
            _ => Attribute::Entity(self.pick(&EntityKind::ALL)),
        };
        let quantile = Aggregate::Quantile(self.below(1000) as u16 + 1);
        let ewma = Aggregate::Ewma(MINUTE + self.below(DAY as u64) as i64);
        let earlier = self.earlier();
        let aggregate = self.pick(&[
            earlier,
            Aggregate::Count,
            Aggregate::Sum,
            Aggregate::Avg,
            Aggregate::Min,
            Aggregate::Max,
            Aggregate::Distinct(attribute),
            Aggregate::Distinct(attribute),
            Aggregate::FirstSeen,
            Aggregate::SincePrevious,
            Aggregate::Deviation,
            Aggregate::Quantile(500),
            quantile,
            ewma,
            Aggregate::DistanceKm,
            Aggregate::SpeedKmh,
        ]);
        let (entity, seen_as) = self.pick(&[
            (EntityKind::Card, EntityKind::Card),
            (EntityKind::Bin, EntityKind::Bin),
            (EntityKind::Customer, EntityKind::Customer),
            (EntityKind::Account, EntityKind::Account),
            (EntityKind::Account, EntityKind::Payee),
            (EntityKind::Payee, EntityKind::Account),
        ]);
        let scale = self
            .pick(&[10 * MINUTE, 6 * HOUR, DAY, longest])
            .min(longest);
        let older = SECOND + self.below((scale - SECOND) as u64 + 1) as i64;
        let spec = match self.below(3) {
            _ if matches!(aggregate, Aggregate::Ewma(_)) => {
                WindowSpec::between(entity, aggregate, 0, older)
            }
            0 if earlier_only(aggregate) => WindowSpec::between(entity, aggregate, 0, older),
            0 | 1 if !earlier_only(aggregate) => {
                WindowSpec::recent(entity, aggregate, older / MINUTE * MINUTE + MINUTE)
            }
            _ => WindowSpec::between(entity, aggregate, self.below(older as u64) as i64, older),
        };
        WindowSpec {
            older: spec.older.min(longest),
            readers: match self.below(3) {
                0 => EventKind::ALL
                    .iter()
                    .copied()
                    .filter(|_| self.below(2) == 0)
                    .collect(),
                _ => Set::all(),
            },
            ..spec.seen_as(seen_as).filtered(self.filter())
        }
    }

    pub fn specs(&mut self, count: usize, longest: i64) -> Vec<WindowSpec> {
        let mut specs: Vec<_> = (0..count).map(|_| self.spec(longest)).collect();
        specs.retain(|spec| spec.newer < spec.older);
        specs.extend(specs.first().copied());
        specs
    }
}
