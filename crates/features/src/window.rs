//! What a rule may ask of the past: a window, what to compute over it, and which events count.

use crate::{EntityKind, Error, Set};
use paywarden_domain::time::DAY;
use paywarden_domain::{EventKind, LabelVerdict, Outcome};

/// How far back a window may reach, in microseconds: 400 days.
pub const WINDOW_MAX: i64 = 400 * DAY;
/// How far back [`WindowSpec::since_previous`] looks, in microseconds: 90 days.
pub const SINCE_PREVIOUS_REACH: i64 = 90 * DAY;

/// One window over the past of one entity of the current event.
///
/// With `t` the time of the current event, it covers the events of the entity that happened in
/// `(t - older, t - newer]` and pass the filter. Events at the same microsecond as the current one
/// count, later ones never do. The current event itself counts only if `counts_self` is set, the
/// window reaches `t`, and the filter asks for nothing that is not known yet (outcome or label).
///
/// ```
/// use paywarden_domain::time::{DAY, MINUTE};
/// use paywarden_features::{Aggregate, EntityKind, WindowSpec};
///
/// // card.count("10m") and card.sum("7d..35d")
/// let recent = WindowSpec::recent(EntityKind::Card, Aggregate::Count, 10 * MINUTE);
/// let before = WindowSpec::between(EntityKind::Card, Aggregate::Sum, 7 * DAY, 35 * DAY);
/// assert!(recent.counts_self && !before.counts_self);
/// assert!(recent.check().is_ok() && before.check().is_ok());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WindowSpec {
    /// Whose past.
    pub entity: EntityKind,
    /// What to compute.
    pub aggregate: Aggregate,
    /// The near edge: how long ago, in microseconds, still counts. 0 is now.
    pub newer: i64,
    /// The far edge: how long ago, in microseconds, no longer counts. At most [`WINDOW_MAX`].
    pub older: i64,
    /// Whether the current event counts.
    pub counts_self: bool,
    /// Which events count.
    pub filter: Filter,
    /// For which kinds of current event the value is wanted; for others it is `Missing`, unread.
    pub readers: Set<EventKind>,
}

impl WindowSpec {
    /// The window `(t - length, t]` with the current event: `card.count("10m")`.
    pub fn recent(entity: EntityKind, aggregate: Aggregate, length: i64) -> Self {
        let filter = Filter::default();
        Self {
            entity,
            aggregate,
            newer: 0,
            older: length,
            counts_self: true,
            filter,
            readers: Set::all(),
        }
    }

    /// The window `(t - older, t - newer]` without the current event: `card.sum("7d..35d")`.
    pub fn between(entity: EntityKind, aggregate: Aggregate, newer: i64, older: i64) -> Self {
        let filter = Filter::default();
        Self {
            entity,
            aggregate,
            newer,
            older,
            counts_self: false,
            filter,
            readers: Set::all(),
        }
    }

    /// How long ago the entity was first seen: `card.first_seen()`.
    pub fn first_seen(entity: EntityKind) -> Self {
        Self::recent(entity, Aggregate::FirstSeen, DAY)
    }

    /// How long ago the previous event of the entity was, up to [`SINCE_PREVIOUS_REACH`]:
    /// `card.since_previous()`.
    pub fn since_previous(entity: EntityKind) -> Self {
        Self::between(entity, Aggregate::SincePrevious, 0, SINCE_PREVIOUS_REACH)
    }

    /// The same window over the events that pass `filter`.
    #[must_use]
    pub fn filtered(self, filter: Filter) -> Self {
        Self { filter, ..self }
    }

    /// Refuses a window that is empty, reaches into the future or beyond [`WINDOW_MAX`].
    pub fn check(&self) -> Result<(), Error> {
        let sound = 0 <= self.newer && self.newer < self.older && self.older <= WINDOW_MAX;
        if sound || self.aggregate == Aggregate::FirstSeen {
            return Ok(());
        }
        Err(Error::Window(Box::new(*self)))
    }
}

/// What to compute over the events of a window.
///
/// An entity that the current event does not carry makes every value `Missing`. With the entity
/// but without events, `Count`, `Sum` and `Distinct` are 0 and the others `Missing`. Events without
/// an amount count for `Count`, not for the four aggregates over amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Aggregate {
    /// How many events.
    Count,
    /// Sum of amounts; `Missing` if it exceeds 64 bits.
    Sum,
    /// Mean of amounts, rounded to the minor unit, halves away from zero.
    Avg,
    /// Smallest amount.
    Min,
    /// Largest amount.
    Max,
    /// How many different values of an attribute; events without it do not count.
    Distinct(Attribute),
    /// Time since the first event of the entity, of any kind, however long ago: 0 if that is now.
    /// Window and filter do not matter.
    FirstSeen,
    /// Time since the latest earlier event of the window, never the current one.
    SincePrevious,
}

/// What `Distinct` tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Attribute {
    /// Entities of this kind.
    Entity(EntityKind),
    /// The country of the event.
    Country,
    /// The merchant category code of the event.
    Mcc,
}

/// Which events count: those that pass every part.
///
/// The default lets every payment through ([`EventKind::is_payment`]) and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Filter {
    /// The kinds of event.
    pub kinds: Set<EventKind>,
    /// The outcomes; `None` is no restriction. An undecided event passes no restriction at all.
    pub outcomes: Option<Set<Outcome>>,
    /// The labels known by now, `None` among them being "no label yet"; `None` is no restriction.
    pub labels: Option<Set<Option<LabelVerdict>>>,
    /// Entities that the counted event shares with the current one. If the current event lacks one
    /// of them the value is `Missing`.
    pub same: Set<EntityKind>,
    /// The smallest amount, in minor units of the base currency. Events without amount fail.
    pub amount_min: Option<i64>,
    /// The largest amount, in minor units of the base currency. Events without amount fail.
    pub amount_max: Option<i64>,
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            kinds: EventKind::ALL
                .iter()
                .copied()
                .filter(|kind| kind.is_payment())
                .collect(),
            outcomes: None,
            labels: None,
            same: Set::EMPTY,
            amount_min: None,
            amount_max: None,
        }
    }
}
