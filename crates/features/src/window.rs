//! What a rule may ask of the past: a window, what to compute over it, and which events count.

use crate::entity::view;
use crate::{EntityKind, Error, Set};
use paywarden_domain::time::{DAY, MINUTE};
use paywarden_domain::{EventKind, LabelVerdict, Outcome};

/// How far back a window may reach, in microseconds: 400 days.
pub const WINDOW_MAX: i64 = 400 * DAY;
/// How far back [`WindowSpec::since_previous`] looks, in microseconds: 90 days.
pub const SINCE_PREVIOUS_REACH: i64 = 90 * DAY;
/// How many earlier events of an entity can be asked about one by one.
pub const EARLIER_MAX: u8 = 8;

/// One window over the past of one entity of the current event.
///
/// With `t` the time of the current event, it covers the events of the entity that happened in
/// `(t - older, t - newer]` and pass the filter. Events at the same microsecond as the current one
/// count, later ones never do. The current event itself counts only if `counts_self` is set, the
/// window reaches `t`, and the filter asks for nothing that is not known yet: its label, or its
/// outcome unless it is observed with it ([`crate::FeatureStore::observe`]).
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
    /// Whose past: the current event names the entity as this kind.
    pub entity: EntityKind,
    /// As which kind the events looked at name it; mostly the same. An account can be looked at as
    /// payee (what it received), a payee as account (what it sent).
    pub seen_as: EntityKind,
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
            seen_as: entity,
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
            seen_as: entity,
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

    /// Mean of amounts that forgets by half every `half_life` microseconds: `card.ewma("7d")`. It
    /// reaches ten half-lives back, at most [`SINCE_PREVIOUS_REACH`].
    pub fn ewma(entity: EntityKind, half_life: i64) -> Self {
        let reach = half_life.saturating_mul(10).min(SINCE_PREVIOUS_REACH);
        Self::between(entity, Aggregate::Ewma(half_life), 0, reach)
    }

    /// How far, or how fast, from the previous event of any kind whose place is known, up to
    /// [`SINCE_PREVIOUS_REACH`] ago: `card.distance_km()`, `card.speed_kmh()`.
    pub fn travel(entity: EntityKind, aggregate: Aggregate) -> Self {
        let filter = Filter {
            kinds: Set::all(),
            ..Filter::default()
        };
        Self::between(entity, aggregate, 0, SINCE_PREVIOUS_REACH).filtered(filter)
    }

    /// What the entity is linked to now: `customer.component()`, `payee.hops_to_denied()`.
    pub fn link(entity: EntityKind, aggregate: Aggregate) -> Self {
        Self::between(entity, aggregate, 0, DAY)
    }

    /// Where the money of the current transfer came from, over the transfers of a time:
    /// `account.cycle("7d")`, `account.relay("24h")`, `payee.common_source("3d")`.
    pub fn flow(entity: EntityKind, aggregate: Aggregate, length: i64) -> Self {
        Self::between(entity, aggregate, 0, length)
    }

    /// The same window over events that name the entity as another kind.
    #[must_use]
    pub fn seen_as(self, kind: EntityKind) -> Self {
        Self {
            seen_as: kind,
            ..self
        }
    }

    /// The same window over the events that pass `filter`.
    #[must_use]
    pub fn filtered(self, filter: Filter) -> Self {
        Self { filter, ..self }
    }

    /// Refuses a window that is empty, reaches into the future or beyond [`WINDOW_MAX`], a view
    /// that there is not, a share above one, a half-life below a minute and a place beyond
    /// [`EARLIER_MAX`].
    pub fn check(&self) -> Result<(), Error> {
        let spans = 0 <= self.newer && self.newer < self.older && self.older <= WINDOW_MAX;
        let sound = match self.aggregate {
            Aggregate::FirstSeen => true,
            Aggregate::Quantile(permille) => spans && (1..=1000).contains(&permille),
            Aggregate::Ewma(half_life) => spans && self.newer == 0 && half_life >= MINUTE,
            Aggregate::Earlier(place, _) => spans && (1..=EARLIER_MAX).contains(&place),
            Aggregate::Cycle | Aggregate::Relay => self.is_flow_of(EntityKind::Account),
            Aggregate::CommonSource => self.is_flow_of(EntityKind::Payee),
            _ => spans,
        };
        if sound && view(self.entity, self.seen_as).is_some() {
            return Ok(());
        }
        Err(Error::Window(Box::new(*self)))
    }

    /// Where money came from is asked of one side of a transfer, up to now, without a filter.
    fn is_flow_of(&self, entity: EntityKind) -> bool {
        let plain = (self.entity, self.seen_as, self.filter) == (entity, entity, Filter::default());
        plain && self.newer == 0 && (1..=WINDOW_MAX).contains(&self.older)
    }

    /// How far back it looks for events, in microseconds; 0 if it takes what is kept.
    pub(crate) fn reach(&self) -> i64 {
        match self.aggregate {
            Aggregate::FirstSeen | Aggregate::Component | Aggregate::HopsToMarked => 0,
            _ => self.older,
        }
    }
}

/// What to compute over the events of a window.
///
/// An entity that the current event does not carry makes every value `Missing`. With the entity
/// but without events, `Count`, `Sum` and `Distinct` are 0 and the others `Missing`. Events without
/// an amount count for `Count`, not for the aggregates over amounts.
///
/// What has no word of its own is an expression of rules: the share of the last hour in a month is
/// `card.sum("1h") / card.sum("30d")`, the risk of a terminal, delayed until labels are in, is
/// `terminal.count("7d..35d", label == "fraud")` against `terminal.count("7d..35d")`.
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
    /// Sample standard deviation of amounts, rounded to the minor unit; `Missing` for fewer than
    /// two, or if an amount exceeds 2^40 minor units. A z-score is
    /// `(amount - avg) / deviation` of the same window.
    Deviation,
    /// The smallest amount such that at least this share of amounts, in thousandths, is not above
    /// it (nearest rank).
    Quantile(u16),
    /// Mean of amounts, each weighted by `2^(-age / half-life)`, rounded to the minor unit. The
    /// half-life is in microseconds; ages count in whole quarters of it, which makes sums exact and
    /// the value the same whatever the order of arrival. Of earlier events only.
    Ewma(i64),
    /// Great-circle distance from the latest earlier event with a place, in whole kilometres.
    DistanceKm,
    /// That distance over the time since, in whole km/h; less than a second counts as one.
    SpeedKmh,
    /// How many entities hang together with this one by events that share a device, e-mail, phone,
    /// card or account, this one included. Looks at [`crate::links::ENTITIES_MAX`] entities and
    /// [`crate::links::EVENTS_MAX`] events at most; a value at that limit is a lower bound.
    Component,
    /// How many events lie between this entity and a marked one: 0 if it is marked itself, 1 if
    /// an event names both, 2 by way of one other entity; `Missing` if none is found within 2 and
    /// the limits of `Component`.
    HopsToMarked,
    /// How many transfers the shortest cycle has that the current one closes: money that its payee
    /// sent comes back to it. 2 is there and back; `Missing` if there is none, or the event is no
    /// transfer from account to account. See [`crate::flows`] for what continues what and the
    /// limits; a value at a limit is an upper bound.
    Cycle,
    /// How many transfers the longest chain has that the current one continues: money that came in
    /// leaves again, at most [`crate::flows::TRANSFERS_MAX`]. At a limit a lower bound.
    Relay,
    /// By how many accounts, that of the current event included, money of one source was passed on
    /// to the payee. At a limit a lower bound.
    CommonSource,
    /// Time since the first event of the entity, of any kind, however long ago: 0 if that is now.
    /// Window and filter do not matter.
    FirstSeen,
    /// Time since the latest earlier event of the window, never the current one.
    SincePrevious,
    /// Something of one earlier event of the window, 1 being the latest, at most
    /// [`EARLIER_MAX`]; `Missing` if there are not so many. Of an entity with many events the
    /// latest 1,024 are looked at.
    Earlier(u8, Part),
}

impl Aggregate {
    /// Whether it follows events from entity to entity.
    pub(crate) fn is_link(self) -> bool {
        matches!(
            self,
            Self::Component | Self::HopsToMarked | Self::Cycle | Self::Relay | Self::CommonSource
        )
    }
}

/// What [`Aggregate::Earlier`] asks of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// Its amount.
    Amount,
    /// How long ago it was.
    Age,
    /// Its merchant category code.
    Mcc,
    /// Its outcome, as a number of [`Outcome`]; `Missing` until it is decided.
    Outcome,
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
    /// Kinds whose amounts count negative: money that came back or went out.
    pub subtract: Set<EventKind>,
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
            subtract: Set::EMPTY,
        }
    }
}
