//! The stream: stories of honest life at their own pace, rings at the share that was asked for.

use super::{
    Habit, Typology, corridor,
    stage::{End, Leg, Stage},
};
use crate::{
    OutgoingEvent, event::body, population::Population, scene::Scene, traffic::within_years,
};
use paywarden_domain::{Timestamp, time::DAY};
use std::collections::{BTreeMap, btree_map::Entry};

/// Honest stories are told from so long before the start, so that the first day is as full as the
/// others.
const WARM_UP_US: i64 = 12 * DAY;

/// What stream to generate. A value outside its limits becomes the nearest within.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LaunderingSettings {
    /// Decides everything: equal seeds give equal streams.
    pub seed: u64,
    /// When the stream begins; 2000 to 2190.
    pub start: Timestamp,
    /// For how many days, 1 to 3,650.
    pub days: u32,
    /// How many transfers a day, 10 to 100,000,000. One for every two customers is natural.
    pub transfers_per_day: u32,
    /// The share of transfers that launder, 0 to 0.5. Ends of rings after the last day are cut
    /// off, so that a short stream has somewhat less.
    pub illicit_share: f64,
}

impl LaunderingSettings {
    /// Sixty days of 4,000 transfers, one in a thousand illicit: 240,000 transfers. Fits a
    /// [`Population`] of 8,000.
    pub fn demo() -> Self {
        Self {
            seed: 7,
            start: Timestamp::from_micros(1_767_571_200_000_000),
            days: 60,
            transfers_per_day: 4_000,
            illicit_share: 0.001,
        }
    }

    fn within_limits(self) -> Self {
        let share = if self.illicit_share.is_finite() {
            self.illicit_share
        } else {
            0.0
        };
        Self {
            seed: self.seed,
            start: within_years(self.start),
            days: self.days.clamp(1, crate::traffic::DAYS_MAX),
            transfers_per_day: self.transfers_per_day.clamp(10, 100_000_000),
            illicit_share: share.clamp(0.0, 0.5),
        }
    }
}

/// Why a transfer was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Honest life.
    Life(Habit),
    /// A ring, numbered from 1 within its stream.
    Ring(Typology, u32),
}

impl Origin {
    /// The typology; none for honest life.
    pub fn typology(self) -> Option<Typology> {
        match self {
            Self::Life(_) => None,
            Self::Ring(typology, _) => Some(typology),
        }
    }
}

/// A transfer and the truth about it.
#[derive(Debug, Clone)]
pub struct Transfer {
    /// What a caller would send: an ordinary `payment.transfer`.
    pub event: OutgoingEvent,
    /// Why it was made.
    pub origin: Origin,
}

impl Transfer {
    /// The JSON body of the request, about a kilobyte.
    pub fn body(&self) -> Result<Vec<u8>, serde_json::Error> {
        body(&self.event)
    }
}

/// Labelled transfers in the order of time. Equal populations and settings give equal streams, bit
/// for bit.
///
/// ```
/// use paywarden_simulator::{Laundering, LaunderingSettings, Population};
///
/// let population = Population::new(1, 500);
/// let settings = LaunderingSettings { transfers_per_day: 250, ..LaunderingSettings::demo() };
/// let transfer = Laundering::new(&population, settings).next();
/// assert!(transfer.is_some_and(|transfer| transfer.event.payee.is_some()));
/// ```
#[derive(Debug)]
pub struct Laundering<'a> {
    stage: Stage<'a>,
    scene: Scene<'a>,
    due: BTreeMap<(i64, u64), (Leg, Origin)>,
    sequence: u64,
    /// When the next story may begin.
    arrival: i64,
    /// The mean time between two such moments, in microseconds.
    gap_us: f64,
    /// Transfers told beyond one per arrival, to be made up for by telling nothing.
    surplus: usize,
    /// Illicit transfers due for each honest one.
    odds: f64,
    goal: f64,
    /// How many transfers of each typology were told.
    told: Vec<(Typology, usize)>,
    rings: u32,
    /// When each pair first paid.
    pairs: BTreeMap<(u32, End), i64>,
}

impl<'a> Laundering<'a> {
    /// The transfers of a population.
    pub fn new(population: &'a Population, settings: LaunderingSettings) -> Self {
        let settings = settings.within_limits();
        let start = settings.start.micros();
        let end = start + i64::from(settings.days) * DAY;
        let share = settings.illicit_share;
        let per_day = f64::from(settings.transfers_per_day);
        let stage = Stage::new(population, settings.seed, start, end);
        let mut scene = Scene::new(population, settings.seed, start, end);
        for customer in &population.customers {
            if let Some(joined_at) = stage.joined_at(customer) {
                scene.live(customer, |life| life.joined_at = joined_at);
            }
        }
        Self {
            stage,
            scene,
            due: BTreeMap::new(),
            sequence: 0,
            arrival: start - WARM_UP_US,
            gap_us: DAY as f64 / (per_day * (1.0 - share)),
            surplus: 0,
            odds: share / (1.0 - share),
            goal: 0.0,
            told: Typology::ALL.iter().map(|kind| (*kind, 0)).collect(),
            rings: 0,
            pairs: BTreeMap::new(),
        }
    }

    /// One moment: a story may begin, and rings do if there are too few.
    fn arrive(&mut self) {
        let at = self.arrival;
        self.arrival += (self.stage.rng.exponential() * self.gap_us) as i64 + 1;
        if at >= self.scene.start {
            self.goal += self.odds;
            self.launder(at);
        }
        if self.surplus > 0 {
            self.surplus -= 1;
            return;
        }
        let place = self.stage.rng.weighted(Habit::WEIGHTS);
        if let Some(habit) = Habit::ALL.get(place) {
            let legs = self.stage.tell(habit.plan(), at);
            self.surplus += legs.len().saturating_sub(1);
            self.plan(legs, Origin::Life(*habit));
        }
    }

    /// Begins a ring of the typology that lags most, if illicit transfers are too few.
    fn launder(&mut self, at: i64) {
        let told: usize = self.told.iter().map(|(_, told)| told).sum();
        if (told as f64) >= self.goal {
            return;
        }
        let Some(least) = self.told.iter_mut().min_by_key(|(_, told)| *told) else {
            return;
        };
        let kind = least.0;
        let legs = self.stage.tell(kind.plan(), at);
        // A typology for which nobody fits lets the others go first.
        least.1 += legs.len().max(1);
        self.rings += u32::from(!legs.is_empty());
        self.plan(legs, Origin::Ring(kind, self.rings));
    }

    fn plan(&mut self, legs: Vec<Leg>, origin: Origin) {
        for leg in legs {
            self.sequence += 1;
            if (self.scene.start..self.scene.end).contains(&leg.at) {
                self.due.insert((leg.at, self.sequence), (leg, origin));
            }
        }
    }

    /// The event of a transfer, composed alike for crime and for life.
    fn compose(&mut self, leg: Leg) -> Option<OutgoingEvent> {
        let people = self.scene.people;
        let payer = people.customer(leg.payer)?;
        let since = match self.pairs.entry((leg.payer, leg.payee)) {
            Entry::Occupied(known) => Some(Timestamp::from_micros(*known.get())),
            Entry::Vacant(first) => {
                first.insert(leg.at);
                None
            }
        };
        let mut payee = match leg.payee {
            End::Customer(number) => {
                people.payee(people.customer(number)?, Timestamp::from_micros(leg.at))
            }
            End::Abroad(key) => corridor::party(people, key),
        };
        payee.since = since;
        let session = self.scene.own(payer, leg.at);
        self.scene
            .transfer(payer, payee, leg.at, leg.cents, &session)
    }
}

impl Iterator for Laundering<'_> {
    type Item = Transfer;

    fn next(&mut self) -> Option<Transfer> {
        loop {
            let first = self.due.first_entry();
            if let Some(first) = first.filter(|entry| entry.key().0 <= self.arrival) {
                let (leg, origin) = first.remove();
                if let Some(event) = self.compose(leg) {
                    return Some(Transfer { event, origin });
                }
            } else if self.arrival >= self.scene.end {
                return None;
            } else {
                self.arrive();
            }
        }
    }
}
