//! The verbs that crimes and habits are both told in: pay, gather, scatter, relay.

use crate::{
    people::Customer,
    population::Population,
    rhythm::liveliness,
    rng::{Rng, hash},
};
use paywarden_domain::time::{DAY, MINUTE, SECOND};
use std::collections::BTreeSet;

/// Beyond this liveliness every moment suits.
const LIVELY: f64 = 1.4;
/// One customer in so many has let the account sleep.
const SLEEPER_ONE_IN: u64 = 12;
/// Only accounts that are older than this sleep, in days.
const SLEEPER_KNOWN_DAYS_MIN: u16 = 150;
/// Accounts abroad for every hundred customers.
const ABROAD_PER_HUNDRED: usize = 15;

/// Tells a story that begins about the given moment; none if nobody fits.
pub(super) type Plan = fn(&mut Stage, i64) -> Option<()>;

/// Who is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    /// The account of a customer.
    Customer(u32),
    /// An account abroad.
    Abroad(u64),
}

/// One transfer of a story.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leg {
    pub payer: u32,
    pub payee: End,
    /// In microseconds since 1970.
    pub at: i64,
    /// In US cents.
    pub cents: i64,
}

/// Money that has arrived.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    /// In US cents.
    pub cents: i64,
    /// When the last of it came.
    pub at: i64,
}

/// Who there is, and the story that is being told.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    pub people: &'a Population,
    pub rng: Rng,
    /// How much slower this story goes than others.
    tempo: f64,
    legs: Vec<Leg>,
    /// When each newcomer signs up.
    joins: Vec<i64>,
    awake: BTreeSet<u32>,
}

impl From<&Customer> for End {
    fn from(customer: &Customer) -> Self {
        Self::Customer(customer.number)
    }
}

/// Customers as those who are paid.
pub(super) fn ends(customers: &[&Customer]) -> Vec<End> {
    customers
        .iter()
        .map(|customer| End::from(*customer))
        .collect()
}

impl<'a> Stage<'a> {
    /// An empty stage; newcomers sign up between its start and its end.
    pub fn new(people: &'a Population, seed: u64, start: i64, end: i64) -> Self {
        let mut rng = Rng::of(seed, &[30]);
        let joins = people
            .customers
            .iter()
            .map(|_| rng.between(start - 10 * DAY, end))
            .collect();
        Self {
            people,
            rng,
            tempo: 1.0,
            legs: Vec::new(),
            joins,
            awake: BTreeSet::new(),
        }
    }

    /// The transfers of a story; none if nobody fitted.
    pub fn tell(&mut self, plan: Plan, at: i64) -> Vec<Leg> {
        self.tempo = self.rng.log_normal(1.0, 0.8).clamp(0.1, 5.0);
        let told = plan(self, at);
        let legs = std::mem::take(&mut self.legs);
        told.map_or_else(Vec::new, |()| legs)
    }

    /// When a newcomer signs up; none for those who have been there before.
    pub fn joined_at(&self, customer: &Customer) -> Option<i64> {
        let joined = self.joins.get(customer.number as usize).copied();
        joined.filter(|_| customer.known_days == 0)
    }

    /// Anybody with an account in use who fits.
    pub fn someone(&mut self, at: i64, fits: impl Fn(&Customer) -> bool) -> Option<&'a Customer> {
        self.find(|stage, customer| {
            stage.is_known(customer, at) && !stage.sleeps(customer) && fits(customer)
        })
    }

    /// So many different ones who fit; somewhat fewer if those are rare.
    pub fn several(
        &mut self,
        at: i64,
        count: i64,
        fits: impl Fn(&Customer) -> bool,
    ) -> Vec<&'a Customer> {
        let mut found: Vec<&Customer> = Vec::new();
        for _ in 0..count {
            let next = self.someone(at, &fits);
            found.extend(next.filter(|next| found.iter().all(|one| one.number != next.number)));
        }
        found
    }

    /// So many different people, half of whom know the one before; none if nobody is left.
    pub fn chain(&mut self, at: i64, count: i64) -> Option<Vec<&'a Customer>> {
        let mut chain = vec![self.someone(at, |_| true)?];
        for _ in 0..count * 20 {
            if chain.len() as i64 >= count {
                break;
            }
            let friend = self.rng.chance(0.5).then(|| self.friend(chain.last()?, at));
            let next = friend.flatten().or_else(|| self.someone(at, |_| true));
            chain.extend(next.filter(|next| chain.iter().all(|one| one.number != next.number)));
        }
        Some(chain)
    }

    /// Somebody whom a customer pays now and then.
    pub fn friend(&mut self, of: &Customer, at: i64) -> Option<&'a Customer> {
        let number = *self.rng.pick(&of.friends)?;
        let friend = self.people.customer(number)?;
        (self.is_known(friend, at) && !self.sleeps(friend) && number != of.number).then_some(friend)
    }

    /// Somebody of a kind whom a customer pays again and again: a landlord, an employer.
    pub fn partner(
        &self,
        of: &Customer,
        role: u64,
        fits: impl Fn(&Customer) -> bool,
    ) -> Option<&'a Customer> {
        (0..40).find_map(|attempt| {
            let draw = hash(self.people.seed, &[31, role, u64::from(of.number), attempt]);
            let number = draw % self.people.size() as u64;
            let customer = self.people.customer(u32::try_from(number).ok()?)?;
            let there = customer.known_days > 0 && !self.sleeps(customer);
            (there && number != u64::from(of.number) && fits(customer)).then_some(customer)
        })
    }

    /// An account abroad that others may pay, too.
    pub fn abroad(&mut self) -> End {
        let accounts = (self.people.size() * ABROAD_PER_HUNDRED / 100).max(10);
        End::Abroad(self.rng.below(accounts) as u64)
    }

    /// The account abroad that a customer's family has.
    pub fn family(&self, of: &Customer) -> End {
        let accounts = (self.people.size() * ABROAD_PER_HUNDRED / 100).max(10) as u64;
        End::Abroad(hash(self.people.seed, &[32, u64::from(of.number)]) % accounts)
    }

    /// Somebody who signed up in the last days.
    pub fn newcomer(&mut self, at: i64, days: i64) -> Option<&'a Customer> {
        self.find(|stage, customer| {
            let joined = stage.joined_at(customer);
            joined.is_some_and(|joined| (at - days * DAY..at).contains(&joined))
        })
    }

    /// Somebody whose account has slept, and does so no more.
    pub fn wake(&mut self) -> Option<&'a Customer> {
        let sleeper = self.find(|stage, customer| stage.sleeps(customer))?;
        self.awake.insert(sleeper.number);
        Some(sleeper)
    }

    /// A large sum in US cents: of a contract, a crime, a house.
    pub fn sum(&mut self) -> i64 {
        self.rng
            .log_normal(700_000.0, 0.9)
            .clamp(120_000.0, 15_000_000.0) as i64
    }

    /// What is left when so many percent at most are kept back.
    pub fn kept(&mut self, cents: i64, percent_max: i64) -> i64 {
        let percent = self.rng.between(1, percent_max);
        cents - cents * percent / 100
    }

    /// A moment after another, about `mean_us` later, at an hour at which `who` is about.
    pub fn later(&mut self, who: &Customer, after: i64, mean_us: i64) -> i64 {
        let mean = mean_us as f64 * self.tempo;
        let mut at = after;
        for _ in 0..12 {
            let wait = (self.rng.exponential() * mean) as i64;
            at = after + wait + self.rng.between(20 * SECOND, 3 * MINUTE);
            let place = self.people.place(who.place);
            let local = place.map_or(at, |place| place.local(at));
            if self.rng.chance(liveliness(local) / LIVELY) {
                break;
            }
        }
        at
    }

    /// One transfer; says how much was paid, because people like round sums.
    pub fn pay(&mut self, payer: &Customer, payee: End, at: i64, cents: i64) -> i64 {
        let step = *self.rng.pick(&[1, 1, 100, 1_000]).unwrap_or(&1);
        let cents = (cents / step * step).max(cents.min(step)).max(1);
        self.legs.push(Leg {
            payer: payer.number,
            payee,
            at,
            cents,
        });
        cents
    }

    /// Many pay one, uneven parts of a sum.
    pub fn gather(
        &mut self,
        payers: &[&Customer],
        hub: &Customer,
        after: i64,
        mean_us: i64,
        cents: i64,
    ) -> Held {
        let mut held = Held {
            cents: 0,
            at: after,
        };
        for (payer, part) in payers.iter().zip(self.parts(cents, payers.len())) {
            let at = self.later(payer, after, mean_us);
            held.cents += self.pay(payer, hub.into(), at, part);
            held.at = held.at.max(at);
        }
        held
    }

    /// One pays many, uneven parts of a sum; says when the last was paid.
    pub fn scatter(&mut self, hub: &Customer, payees: &[End], held: Held, mean_us: i64) -> Held {
        let mut sent = Held {
            cents: 0,
            at: held.at,
        };
        for (payee, part) in payees.iter().zip(self.parts(held.cents, payees.len())) {
            let at = self.later(hub, held.at, mean_us);
            sent.cents += self.pay(hub, *payee, at, part);
            sent.at = sent.at.max(at);
        }
        sent
    }

    /// From hand to hand, each keeping a little; says what the last of them got.
    pub fn relay(
        &mut self,
        hands: &[&Customer],
        held: Held,
        mean_us: i64,
        percent_max: i64,
    ) -> Held {
        let mut held = held;
        for (payer, payee) in hands.iter().zip(hands.iter().skip(1)) {
            let at = self.later(payer, held.at, mean_us);
            let paid = self.pay(payer, (*payee).into(), at, held.cents);
            held = Held {
                cents: self.kept(paid, percent_max),
                at,
            };
        }
        held
    }

    fn parts(&mut self, cents: i64, count: usize) -> Vec<i64> {
        let weights: Vec<f64> = (0..count).map(|_| 0.6 + self.rng.unit() * 0.8).collect();
        let total: f64 = weights.iter().sum();
        let part = |weight: &f64| (cents as f64 * weight / total) as i64;
        weights.iter().map(part).collect()
    }

    fn is_known(&self, customer: &Customer, at: i64) -> bool {
        self.joined_at(customer).is_none_or(|joined| joined <= at)
    }

    fn sleeps(&self, customer: &Customer) -> bool {
        customer.known_days > SLEEPER_KNOWN_DAYS_MIN
            && !self.awake.contains(&customer.number)
            && hash(self.people.seed, &[33, u64::from(customer.number)])
                .is_multiple_of(SLEEPER_ONE_IN)
    }

    fn find(&mut self, fits: impl Fn(&Self, &Customer) -> bool) -> Option<&'a Customer> {
        (0..400).find_map(|_| {
            let found = self.people.anyone(&mut self.rng)?;
            fits(self, found).then_some(found)
        })
    }
}
