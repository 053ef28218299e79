//! The stage on which events are planned: who is where, what is due when, and what has been drawn.

use crate::{
    AttackKind, Labelled, OutgoingEvent,
    event::blank,
    identity::{account_id, days_before, text},
    people::Customer,
    population::Population,
    rng::Rng,
};
use paywarden_domain::{EventKind, PaymentId, Timestamp, event::Account, time::DAY};
use std::collections::BTreeMap;

/// Everything that changes while traffic is generated.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    pub people: &'a Population,
    pub rng: Rng,
    /// When the traffic begins and ends, in microseconds since 1970.
    pub start: i64,
    pub end: i64,
    /// The attack that is being planned.
    pub kind: Option<AttackKind>,
    /// How many events were planned, before the start and after the end included.
    pub planned: usize,
    /// How many of them were fraud.
    pub struck: usize,
    lives: Vec<Life>,
    due: BTreeMap<(i64, u64), Box<Labelled>>,
    seed: u64,
    sequence: u64,
}

/// What has happened to a customer lately.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Life {
    /// How many telephones were bought.
    pub phones: u8,
    /// Where the customer travels, until when.
    pub away: u8,
    pub away_until: i64,
    /// When a newcomer signed up; 0 for not yet.
    pub joined_at: i64,
    /// When a password, telephone or address last changed.
    pub changed_at: i64,
}

impl<'a> Scene<'a> {
    /// An empty stage.
    pub fn new(people: &'a Population, seed: u64, start: i64, end: i64) -> Self {
        Self {
            people,
            rng: Rng::of(seed, &[8]),
            start,
            end,
            kind: None,
            planned: 0,
            struck: 0,
            lives: vec![Life::default(); people.size()],
            due: BTreeMap::new(),
            seed,
            sequence: 0,
        }
    }

    /// What has happened to a customer lately.
    pub fn life(&self, customer: &Customer) -> Life {
        self.lives
            .get(customer.number as usize)
            .copied()
            .unwrap_or_default()
    }

    /// Lets something happen to a customer.
    pub fn live(&mut self, customer: &Customer, happens: impl FnOnce(&mut Life)) {
        if let Some(life) = self.lives.get_mut(customer.number as usize) {
            happens(life);
        }
    }

    /// Whether a customer has an account at this moment.
    pub fn is_known(&self, customer: &Customer, at: i64) -> bool {
        let joined_at = self.life(customer).joined_at;
        customer.known_days > 0 || (1..=at).contains(&joined_at)
    }

    /// Where a customer is at this moment.
    pub fn place_of(&self, customer: &Customer, at: i64) -> u8 {
        let life = self.life(customer);
        if at < life.away_until {
            life.away
        } else {
            customer.place
        }
    }

    /// An event about nobody yet.
    pub fn event(&mut self, kind: EventKind, at: i64) -> Option<OutgoingEvent> {
        self.sequence += 1;
        let id = PaymentId::parse(&format!("sim-{:x}-{}", self.seed, self.sequence)).ok()?;
        Some(blank(id, kind, at))
    }

    /// An event of a customer, from his or her account, of so many US cents; 0 for no amount.
    pub fn of(
        &mut self,
        kind: EventKind,
        customer: &Customer,
        at: i64,
        cents: i64,
    ) -> Option<OutgoingEvent> {
        let life = self.life(customer);
        let since = match customer.known_days {
            0 => Timestamp::from_micros(life.joined_at),
            days => days_before(self.start, days),
        };
        let place = self.people.place(customer.place)?;
        let spare = self.rng.cents(180_000.0 * f64::from(customer.spend), 0.9);
        let mut event = self.event(kind, at)?;
        event.payer = self.people.party(customer, since);
        event.account = Some(Account {
            id: text(account_id(customer.number)),
            opened_at: Some(since),
            balance: place.money(cents + spare),
            recently_changed: Some(life.changed_at > 0 && at - life.changed_at < DAY),
            login_succeeded: None,
        });
        event.amount = if cents > 0 { place.money(cents) } else { None };
        Some(event)
    }

    /// Plans an event that is harmless by itself.
    pub fn push(&mut self, event: OutgoingEvent) {
        let mut labelled = Labelled::genuine(event);
        labelled.kind = self.kind;
        self.put(labelled);
    }

    /// Plans an event that should be stopped.
    pub fn strike(&mut self, event: OutgoingEvent) {
        let mut labelled = Labelled::genuine(event);
        labelled.kind = self.kind;
        if let Some(kind) = self.kind {
            labelled.is_fraud = true;
            (labelled.label_after_us, labelled.source) = kind.found_after(&mut self.rng);
            self.struck += 1;
        }
        self.put(labelled);
    }

    /// Takes the first event that is due by this moment.
    pub fn take_due(&mut self, by: i64) -> Option<Labelled> {
        let first = self.due.first_entry().filter(|entry| entry.key().0 <= by)?;
        Some(*first.remove())
    }

    fn put(&mut self, labelled: Labelled) {
        self.planned += 1;
        self.sequence += 1;
        let at = labelled.event.occurred_at.micros();
        if (self.start..self.end).contains(&at) {
            self.due.insert((at, self.sequence), Box::new(labelled));
        }
    }
}
