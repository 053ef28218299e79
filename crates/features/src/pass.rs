//! One pass over a few events, from the near edge back: all far edges, all aggregates.

use crate::arena::{Fact, Ids, NO_AMOUNT, NO_ENTITY, Seen};
use crate::event::Place;
use crate::plan::{Edge, Group, Output, Trail};
use crate::slide::{Running, Slide};
use crate::tally::{Fading, Moments, Tally};
use crate::{Aggregate, Attribute, Part, Value};
use paywarden_domain::event::Location;
use paywarden_domain::time::{HOUR, SECOND};

/// The event that asks, as one view sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub fact: &'a Fact,
    pub ids: &'a Ids,
    pub place: Option<Place>,
    /// Whether it belongs to the events looked at itself.
    pub counts: bool,
}

impl Asked<'_> {
    fn value(&self, attribute: Attribute) -> Option<u32> {
        let (number, none) = match attribute {
            Attribute::Entity(kind) => (self.ids[kind as usize], NO_ENTITY),
            Attribute::Country => (u32::from(self.fact.country), 0),
            Attribute::Mcc => (u32::from(self.fact.mcc), 0),
        };
        (number != none).then_some(number)
    }
}

/// What is known of the events of one window.
pub(crate) trait Window {
    fn tally(&self) -> Tally;
    fn moments(&self) -> Moments;
    fn latest(&self) -> Option<i64>;
    /// How many values of the output's attribute differ, and whether this one is among them.
    fn distinct(&self, output: &Output, own: Option<u32>) -> (usize, bool);
    /// The amount at a share, one more amount included.
    fn quantile(&self, permille: u16, own: Option<i64>) -> Option<i64>;
}

impl Window for Running {
    #[inline]
    fn tally(&self) -> Tally {
        self.tally.unwrap_or(Tally::EMPTY)
    }

    fn moments(&self) -> Moments {
        self.moments
    }

    fn latest(&self) -> Option<i64> {
        self.latest
    }

    #[inline]
    fn distinct(&self, output: &Output, own: Option<u32>) -> (usize, bool) {
        let values = &self.values[output.attribute];
        let seen = own.is_some_and(|own| values.contains(&own));
        (values.len(), seen)
    }

    fn quantile(&self, permille: u16, own: Option<i64>) -> Option<i64> {
        Self::quantile(self, permille, own)
    }
}

/// A slide, and when the latest event of its window was.
pub(crate) struct Slid<'a>(pub &'a Slide, pub Option<i64>);

impl Window for Slid<'_> {
    fn tally(&self) -> Tally {
        self.0.tally()
    }

    fn moments(&self) -> Moments {
        self.0.moments()
    }

    fn latest(&self) -> Option<i64> {
        self.1
    }

    fn distinct(&self, output: &Output, own: Option<u32>) -> (usize, bool) {
        self.0.distinct(output.slid, own)
    }

    fn quantile(&self, permille: u16, own: Option<i64>) -> Option<i64> {
        self.0.quantile(permille, own)
    }
}

/// Runs one group over events, earliest first, and fills in its values.
pub(crate) fn pass(
    group: &Group,
    events: &[Seen],
    asked: &Asked,
    running: &mut Running,
    values: &mut [Value],
) {
    let at = asked.fact.at;
    let until = at.saturating_sub(group.newer);
    let end = events.partition_point(|event| event.fact.at <= until);
    running.clear(group.attributes.len());
    let mut edges = group.edges.iter();
    let Some(mut edge) = edges.next() else { return };
    let mut after = at.saturating_sub(edge.older);
    for event in events[..end].iter().rev() {
        while event.fact.at <= after {
            fill(group, edge, asked, running, values);
            let Some(next) = edges.next() else { return };
            edge = next;
            after = at.saturating_sub(edge.older);
        }
        if group.matcher.matches(&event.fact) {
            let amount = group.matcher.amount(&event.fact);
            running.add(event.fact.at, amount, group.needs);
            for (place, attribute) in group.attributes.iter().enumerate() {
                if let Some(value) = value(event, *attribute) {
                    running.note(place, value);
                }
            }
        }
    }
    fill(group, edge, asked, running, values);
    for edge in edges {
        fill(group, edge, asked, running, values);
    }
}

/// Fills in the values of one window, the current event included where it counts.
pub(crate) fn fill(
    group: &Group,
    edge: &Edge,
    asked: &Asked,
    window: &impl Window,
    values: &mut [Value],
) {
    let kind = asked.fact.kind;
    let matches = asked.counts && group.matcher.matches(asked.fact);
    let amount = group.matcher.amount(asked.fact);
    let others = window.tally();
    let mut all = others;
    if matches {
        all.add(amount);
    }
    for output in edge
        .outputs
        .iter()
        .filter(|output| output.readers.contains_place(kind))
    {
        let counts = output.counts_self && matches;
        let tally = if counts { &all } else { &others };
        values[output.slot] = match output.aggregate {
            Aggregate::Distinct(attribute) => {
                let own = asked.value(attribute).filter(|_| counts);
                let (count, seen) = window.distinct(output, own);
                let adds = own.is_some() && !seen;
                Value::Count((count + usize::from(adds)) as i64)
            }
            Aggregate::SincePrevious => window.latest().map_or(Value::Missing, |latest| {
                Value::Duration(since(asked, latest))
            }),
            Aggregate::Deviation => {
                let mut moments = window.moments();
                if counts {
                    moments.add(amount);
                }
                moments.deviation(tally)
            }
            Aggregate::Quantile(permille) => {
                let own = (counts && amount != NO_AMOUNT).then_some(amount);
                let value = window.quantile(permille, own);
                value.map_or(Value::Missing, Value::Money)
            }
            aggregate => tally.value(aggregate),
        };
    }
}

/// The value of a trail over events, earliest first.
pub(crate) fn trail(trail: &Trail, events: &[Seen], asked: &Asked) -> Value {
    let at = asked.fact.at;
    let (after, until) = (
        at.saturating_sub(trail.older),
        at.saturating_sub(trail.newer),
    );
    let inside = |event: &&Seen| after < event.fact.at && event.fact.at <= until;
    let mut events = events
        .iter()
        .rev()
        .filter(inside)
        .filter(|event| trail.matcher.matches(&event.fact));
    match trail.output.aggregate {
        Aggregate::Ewma(half_life) => {
            let step = Fading::step(half_life);
            let mut fading = Fading::default();
            let (mut age, mut tally) = (0, Tally::EMPTY);
            for event in events {
                let steps = since(asked, event.fact.at) / step;
                if steps != age {
                    fading.add(age, tally.sum(), tally.priced());
                    (age, tally) = (steps, Tally::EMPTY);
                }
                tally.add(trail.matcher.amount(&event.fact));
            }
            fading.add(age, tally.sum(), tally.priced());
            fading.value()
        }
        Aggregate::Earlier(place, part) => {
            let event = events.nth(usize::from(place) - 1);
            event.map_or(Value::Missing, |event| {
                self::part(part, &event.fact, trail, asked)
            })
        }
        aggregate => {
            let previous = events.find_map(|event| Some((event.fact.at, event.place()?)));
            travel(aggregate, asked, previous)
        }
    }
}

/// What is asked of an earlier event.
pub(crate) fn part(part: Part, fact: &Fact, trail: &Trail, asked: &Asked) -> Value {
    match part {
        Part::Amount => match trail.matcher.amount(fact) {
            NO_AMOUNT => Value::Missing,
            amount => Value::Money(amount),
        },
        Part::Age => Value::Duration(since(asked, fact.at)),
        Part::Mcc if fact.mcc == 0 => Value::Missing,
        Part::Mcc => Value::Count(i64::from(fact.mcc)),
        Part::Outcome => {
            let outcome = fact.standing.outcome();
            outcome.map_or(Value::Missing, |outcome| Value::Count(outcome as i64))
        }
    }
}

/// How far, or how fast, from a place and time to the current ones.
pub(crate) fn travel(aggregate: Aggregate, asked: &Asked, from: Option<(i64, Place)>) -> Value {
    let Some((to, (at, place))) = asked.place.zip(from) else {
        return Value::Missing;
    };
    let km = location(place).distance_km(location(to));
    match aggregate {
        Aggregate::SpeedKmh => {
            let hours = since(asked, at).max(SECOND) as f64 / HOUR as f64;
            Value::Count((km / hours).round() as i64)
        }
        _ => Value::Count(km.round() as i64),
    }
}

fn location((latitude, longitude): Place) -> Location {
    Location {
        latitude: f64::from(latitude) / 1e6,
        longitude: f64::from(longitude) / 1e6,
    }
}

fn since(asked: &Asked, at: i64) -> i64 {
    asked.fact.at.saturating_sub(at)
}

#[inline]
fn value(event: &Seen, attribute: Attribute) -> Option<u32> {
    let number = match attribute {
        Attribute::Entity(kind) => return event.id(kind),
        Attribute::Country => event.fact.country,
        Attribute::Mcc => event.fact.mcc,
    };
    (number != 0).then_some(u32::from(number))
}
