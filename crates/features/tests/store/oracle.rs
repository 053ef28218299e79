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
        let of_entity = |event: &FeatureEvent| event.entity(spec.entity) == key;
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
        let all = others.chain(with_self.then_some(&this));
        let inside: Vec<&FeatureEvent> = all
            .filter(|known| passes(filter, known, current))
            .map(|known| &known.event)
            .filter(|e| current.at - spec.older < e.at && e.at <= current.at - spec.newer)
            .collect();
        aggregate(spec.aggregate, &inside, current)
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

fn aggregate(aggregate: Aggregate, events: &[&FeatureEvent], current: &FeatureEvent) -> Value {
    let amounts: Vec<i64> = events.iter().filter_map(|event| event.amount).collect();
    let sum: i128 = amounts.iter().map(|amount| i128::from(*amount)).sum();
    let money = |amount: Option<i64>| amount.map_or(Value::Missing, Value::Money);
    match aggregate {
        Aggregate::Count => Value::Count(events.len() as i64),
        Aggregate::Sum => money(i64::try_from(sum).ok()),
        Aggregate::Avg if amounts.is_empty() => Value::Missing,
        Aggregate::Avg => {
            let count = amounts.len() as i128;
            let (whole, rest) = (sum / count, sum % count);
            let up = if 2 * rest.abs() >= count {
                sum.signum()
            } else {
                0
            };
            money(i64::try_from(whole + up).ok())
        }
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
        Aggregate::FirstSeen => unreachable!(),
    }
}

fn value_of(event: &FeatureEvent, attribute: Attribute) -> u64 {
    match attribute {
        Attribute::Entity(kind) => event.entity(kind),
        Attribute::Country => u64::from(event.country),
        Attribute::Mcc => u64::from(event.mcc),
    }
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
        }
    }

    pub fn spec(&mut self, longest: i64) -> WindowSpec {
        let attribute = match self.below(4) {
            0 => Attribute::Country,
            1 => Attribute::Mcc,
            _ => Attribute::Entity(self.pick(&EntityKind::ALL)),
        };
        let aggregate = self.pick(&[
            Aggregate::Count,
            Aggregate::Sum,
            Aggregate::Avg,
            Aggregate::Min,
            Aggregate::Max,
            Aggregate::Distinct(attribute),
            Aggregate::Distinct(attribute),
            Aggregate::FirstSeen,
            Aggregate::SincePrevious,
        ]);
        let entity = self.pick(&EntityKind::ALL[..4]);
        let scale = self
            .pick(&[10 * MINUTE, 6 * HOUR, DAY, longest])
            .min(longest);
        let older = SECOND + self.below((scale - SECOND) as u64 + 1) as i64;
        let spec = match self.below(3) {
            0 if aggregate == Aggregate::SincePrevious => {
                WindowSpec::between(entity, aggregate, 0, older)
            }
            0 | 1 if aggregate != Aggregate::SincePrevious => {
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
            ..spec.filtered(self.filter())
        }
    }

    pub fn specs(&mut self, count: usize, longest: i64) -> Vec<WindowSpec> {
        let mut specs: Vec<_> = (0..count).map(|_| self.spec(longest)).collect();
        specs.retain(|spec| spec.newer < spec.older);
        specs.extend(specs.first().copied());
        specs
    }
}
