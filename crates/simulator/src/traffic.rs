//! The stream: ordinary life at its own pace, attacks at the share that was asked for.

use crate::{
    AttackKind, Labelled, benign,
    population::Population,
    rhythm::{LIVELINESS_MAX, liveliness},
    scene::Scene,
};
use paywarden_domain::{
    Timestamp,
    time::{DAY, HOUR, MINUTE, SECOND},
};

/// Attacks under way at the start began up to so long before it, in microseconds.
const WARM_UP_US: i64 = 14 * DAY;
/// At most so many fraudulent events are planned for the time before the start.
const WARM_UP_EVENTS_MAX: f64 = 50_000.0;
/// The longest traffic.
pub(crate) const DAYS_MAX: u32 = 3_650;

/// The start, or the nearest between the first days of 2000 and 2190, so that everything an event
/// tells lies within the years of the domain.
pub(crate) fn within_years(start: Timestamp) -> Timestamp {
    Timestamp::from_micros(
        start
            .micros()
            .clamp(946_684_800 * SECOND, 6_942_326_400 * SECOND),
    )
}

/// What traffic to generate. A value outside its limits becomes the nearest within.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Decides everything: equal seeds give equal streams.
    pub seed: u64,
    /// When the traffic begins; 2000 to 2190.
    pub start: Timestamp,
    /// For how many days, 1 to 3,650.
    pub days: u32,
    /// How many events in an ordinary day, 1 to 100,000,000. Two per customer are natural.
    pub events_per_day: u32,
    /// The share of fraudulent events, 0 to 0.5.
    pub fraud_share: f64,
}

impl Settings {
    /// Two weeks of 2,000 customers, 4,000 events a day, one in a hundred fraudulent: about 56,000
    /// events. Fits [`Population::demo`].
    pub fn demo() -> Self {
        Self {
            seed: 7,
            start: Timestamp::from_micros(1_767_571_200_000_000),
            days: 14,
            events_per_day: 4_000,
            fraud_share: 0.01,
        }
    }

    fn within_limits(self) -> Self {
        let share = if self.fraud_share.is_finite() {
            self.fraud_share
        } else {
            0.0
        };
        Self {
            seed: self.seed,
            start: within_years(self.start),
            days: self.days.clamp(1, DAYS_MAX),
            events_per_day: self.events_per_day.clamp(1, 100_000_000),
            fraud_share: share.clamp(0.0, 0.5),
        }
    }
}

/// Labelled events in the order of time. Equal populations and settings give equal streams, bit
/// for bit.
///
/// ```
/// use paywarden_simulator::{Population, Settings, Traffic};
///
/// let population = Population::new(1, 500);
/// let settings = Settings { events_per_day: 1_000, ..Settings::demo() };
/// for item in Traffic::new(&population, settings).take(3) {
///     let body = item.body()?;
///     assert!(body.starts_with(br#"{"id":"sim-7-"#));
/// }
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug)]
pub struct Traffic<'a> {
    scene: Scene<'a>,
    /// Everybody, as often as the pace says.
    roster: Vec<Slot>,
    /// When the next customer may do something.
    arrival: i64,
    /// The mean time between two such moments, in microseconds.
    gap_us: f64,
    /// Events that were planned beyond one per arrival, to be made up for by doing nothing.
    surplus: usize,
    /// Fraudulent events due for each genuine one.
    odds: f64,
    /// How many fraudulent events should have been planned by now.
    goal: f64,
    struck: Vec<(AttackKind, usize)>,
}

/// A customer and by how much his or her day is ahead of UTC. Small, because it is looked up for
/// every moment at which nothing happens, too.
#[derive(Debug, Clone, Copy)]
struct Slot {
    customer: u32,
    ahead_minutes: i16,
}

fn roster(population: &Population) -> Vec<Slot> {
    let slots = population.customers.iter().flat_map(|customer| {
        let utc_minutes = population
            .place(customer.place)
            .map_or(0, |place| place.utc_minutes);
        let ahead_minutes = utc_minutes - customer.late_minutes;
        let slot = Slot {
            customer: customer.number,
            ahead_minutes,
        };
        std::iter::repeat_n(slot, usize::from(customer.pace))
    });
    slots.collect()
}

impl<'a> Traffic<'a> {
    /// The traffic of a population.
    pub fn new(population: &'a Population, settings: Settings) -> Self {
        let settings = settings.within_limits();
        let start = settings.start.micros();
        let end = start + i64::from(settings.days) * DAY;
        let share = settings.fraud_share;
        let per_day = f64::from(settings.events_per_day);
        let in_traffic = AttackKind::ALL.iter().filter(|kind| kind.share() > 0);
        let mut traffic = Self {
            scene: Scene::new(population, settings.seed, start, end),
            roster: roster(population),
            arrival: start,
            gap_us: DAY as f64 / (per_day * (1.0 - share)) / LIVELINESS_MAX,
            surplus: 0,
            odds: share / (1.0 - share),
            goal: 0.0,
            struck: in_traffic.map(|kind| (*kind, 0)).collect(),
        };
        traffic.warm_up(per_day * share);
        traffic
    }

    /// Plans the attacks that are under way when the traffic begins.
    fn warm_up(&mut self, fraud_per_day: f64) {
        if fraud_per_day <= 0.0 {
            return;
        }
        let longest = (WARM_UP_EVENTS_MAX / fraud_per_day * DAY as f64) as i64;
        let mut at = self.scene.start - WARM_UP_US.min(longest);
        while at < self.scene.start {
            self.goal += fraud_per_day / 24.0;
            self.attack(at);
            at += HOUR;
        }
    }

    /// One moment: a customer may do something, and attacks begin if there are too few.
    fn arrive(&mut self) {
        let at = self.arrival;
        self.arrival += (self.scene.rng.exponential() * self.gap_us) as i64 + 1;
        let people = self.scene.people;
        let Some(slot) = self.scene.rng.pick(&self.roster).copied() else {
            return;
        };
        let lively = liveliness(at + i64::from(slot.ahead_minutes) * MINUTE);
        if !self.scene.rng.chance(lively / LIVELINESS_MAX) {
            return;
        }
        let Some(customer) = people.customer(slot.customer) else {
            return;
        };
        if self.surplus > 0 {
            self.surplus -= 1;
            return;
        }
        let before = self.scene.planned;
        self.scene.kind = None;
        let _nothing_to_do = benign::plan(&mut self.scene, customer, at);
        let planned = self.scene.planned - before;
        self.surplus += planned.saturating_sub(1);
        self.goal += planned as f64 * self.odds;
        self.attack(at);
    }

    /// Begins attacks until as many fraudulent events are planned as should be.
    fn attack(&mut self, at: i64) {
        while (self.scene.struck as f64) < self.goal {
            let total: usize = self.struck.iter().map(|(_, struck)| struck + 1).sum();
            let lack = |(kind, struck): &(AttackKind, usize)| {
                i64::from(kind.share()) * total as i64 - 1000 * *struck as i64
            };
            let Some(entry) = self.struck.iter_mut().max_by_key(|entry| lack(entry)) else {
                return;
            };
            let before = self.scene.struck;
            self.scene.kind = Some(entry.0);
            let begins = at + self.scene.rng.between(0, 6 * HOUR);
            let _nobody_fits = entry.0.plan()(&mut self.scene, begins);
            let struck = self.scene.struck - before;
            // A kind for which nobody fits lets the others go first.
            entry.1 += struck.max(3);
            if struck == 0 {
                return;
            }
        }
    }
}

impl Iterator for Traffic<'_> {
    type Item = Labelled;

    fn next(&mut self) -> Option<Labelled> {
        loop {
            if let Some(labelled) = self.scene.take_due(self.arrival) {
                return Some(labelled);
            }
            if self.arrival >= self.scene.end {
                return None;
            }
            self.arrive();
        }
    }
}
