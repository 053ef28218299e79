//! What honest people do, one line each in the table below: most of it looks like some typology.

use super::{
    stage::{Held, Plan, Stage, ends},
    typology::LIMIT_CENTS,
};
use crate::people::{Customer, Persona};
use paywarden_domain::time::{DAY, HOUR, MINUTE};
use std::fmt;

macro_rules! habits {
    ($($(#[$doc:meta])* $kind:ident = $name:literal, $weight:literal, $plan:path;)*) => {
        /// A reason why honest people pay each other.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Habit { $($(#[$doc])* $kind,)* }

        impl Habit {
            /// Every habit.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];
            /// How many of a thousand stories are of each.
            pub(super) const WEIGHTS: &[u16] = &[$($weight,)*];

            /// Its name, in `snake_case`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            pub(super) fn plan(self) -> Plan {
                match self { $(Self::$kind => $plan,)* }
            }
        }
    };
}

habits! {
    /// Small sums among friends.
    Friends = "friends", 360, friends;
    /// A car, a sofa, a deposit: paid once to somebody never paid before.
    Stranger = "stranger", 160, stranger;
    /// Buyers pay a platform, the platform pays sellers (gathers and scatters).
    Marketplace = "marketplace", 50, marketplace;
    /// Wages, nearly equal ones, at once (fans out).
    Payroll = "payroll", 25, payroll;
    /// Rent, most of which the landlord passes on at once (passes through).
    Rent = "rent", 95, rent;
    /// Everybody pays in, each in turn takes all (fans in, comes back around).
    SavingsCircle = "savings_circle", 12, savings_circle;
    /// Families send money home (the corridor).
    SendingHome = "sending_home", 90, sending_home;
    /// Instalments that stay below what a clerk may sign alone (looks structured).
    Instalments = "instalments", 25, instalments;
    /// A contractor pays subcontractors, who buy from one supplier (scatters and gathers).
    Project = "project", 18, project;
    /// A loan goes from friend to friend and comes back, less what was repaid before (round trip).
    Loan = "loan", 45, loan;
    /// A debt is settled along a row of friends, home at the end (a chain).
    Settling = "settling", 45, settling;
    /// Several collect for one, for a gift or a journey, who pays for it (fans in).
    Collection = "collection", 50, collection;
    /// A newcomer moves in: parents pay, the newcomer pays for everything (new account).
    MovingIn = "moving_in", 20, moving_in;
    /// An account for a house or an inheritance wakes (dormant).
    Inheritance = "inheritance", 5, inheritance;
}

impl fmt::Display for Habit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn other_than(one: &Customer) -> impl Fn(&Customer) -> bool + use<> {
    let number = one.number;
    move |other| other.number != number
}

fn friends(stage: &mut Stage, at: i64) -> Option<()> {
    let payer = stage.someone(at, |_| true)?;
    let payee = stage.friend(payer, at)?;
    let mut at = at;
    for _ in 0..stage.rng.between(1, 3) {
        let cents = stage.rng.cents(9_000.0, 1.3);
        at = stage.later(payer, at, DAY);
        stage.pay(payer, payee.into(), at, cents);
    }
    Some(())
}

fn stranger(stage: &mut Stage, at: i64) -> Option<()> {
    let payer = stage.someone(at, |_| true)?;
    let payee = stage.someone(at, other_than(payer))?;
    let at = stage.later(payer, at, 8 * HOUR);
    let cents = stage.rng.cents(80_000.0, 1.5);
    stage.pay(payer, payee.into(), at, cents);
    Some(())
}

fn marketplace(stage: &mut Stage, at: i64) -> Option<()> {
    let guest = stage.someone(at, |_| true)?;
    let platform = stage.partner(guest, 1, |one| one.persona == Persona::Seller)?;
    let (before, after) = (stage.rng.between(3, 9), stage.rng.between(2, 6));
    let buyers = stage.several(at, before, other_than(platform));
    let sellers = ends(&stage.several(at, after, other_than(platform)));
    let cents = stage.sum() / 2;
    let mut held = stage.gather(&buyers, platform, at, 16 * HOUR, cents);
    held.cents = stage.kept(held.cents, 15);
    stage.scatter(platform, &sellers, held, 5 * HOUR);
    Some(())
}

fn payroll(stage: &mut Stage, at: i64) -> Option<()> {
    let employer = stage.someone(at, Customer::is_company)?;
    let staff: Vec<&Customer> = (0..stage.rng.between(4, 12) as u64)
        .filter_map(|place| stage.partner(employer, 100 + place, |one| !one.is_company()))
        .collect();
    let cents = 260_000 * staff.len() as i64;
    let clients = stage.rng.between(2, 5);
    let clients = stage.several(at, clients, other_than(employer));
    let mut held = stage.gather(&clients, employer, at, DAY, cents);
    held.cents = held.cents.min(cents);
    stage.scatter(employer, &ends(&staff), held, 2 * HOUR);
    Some(())
}

fn rent(stage: &mut Stage, at: i64) -> Option<()> {
    let tenant = stage.someone(at, |one| !one.is_company())?;
    let landlord = stage.partner(tenant, 2, |_| true)?;
    let lender = stage.partner(landlord, 3, Customer::is_company)?;
    let at = stage.later(tenant, at, 8 * HOUR);
    let held = Held {
        cents: stage.rng.cents(130_000.0, 0.5),
        at,
    };
    let hands = [tenant, landlord, lender];
    let passed_on = if stage.rng.chance(0.6) { 3 } else { 2 };
    stage.relay(hands.get(..passed_on)?, held, 3 * HOUR, 15);
    Some(())
}

fn savings_circle(stage: &mut Stage, at: i64) -> Option<()> {
    let many = stage.rng.between(4, 8);
    let members = stage.chain(at, many)?;
    let share = stage.rng.cents(50_000.0, 0.6);
    let mut at = at;
    for taker in &members {
        let payers: Vec<&Customer> = members
            .iter()
            .copied()
            .filter(|one| one.number != taker.number)
            .collect();
        let cents = share * payers.len() as i64;
        at = stage.gather(&payers, taker, at, 14 * HOUR, cents).at + 2 * DAY;
    }
    Some(())
}

fn sending_home(stage: &mut Stage, at: i64) -> Option<()> {
    let sender = stage.someone(at, |one| !one.is_company())?;
    let usual = stage.rng.chance(0.6);
    let account = if usual {
        stage.family(sender)
    } else {
        stage.abroad()
    };
    let mut at = at;
    for _ in 0..stage.rng.between(1, 2) {
        at = stage.later(sender, at, DAY);
        let cents = stage.rng.cents(60_000.0, 1.1);
        stage.pay(sender, account, at, cents);
    }
    Some(())
}

fn instalments(stage: &mut Stage, at: i64) -> Option<()> {
    let buyer = stage.someone(at, |_| true)?;
    let supplier = stage.partner(buyer, 4, |_| true)?;
    let lowest = stage.rng.between(60, 95);
    let mut at = at;
    for _ in 0..stage.rng.between(2, 6) {
        at = stage.later(buyer, at, 12 * HOUR);
        let cents = LIMIT_CENTS * stage.rng.between(lowest, 100) / 100;
        stage.pay(buyer, supplier.into(), at, cents);
    }
    Some(())
}

fn project(stage: &mut Stage, at: i64) -> Option<()> {
    let contractor = stage.someone(at, |_| true)?;
    let supplier = stage.partner(contractor, 5, |_| true)?;
    let many = stage.rng.between(2, 5);
    let builders = stage.several(at, many, |one| {
        one.number != contractor.number && one.number != supplier.number
    });
    let sum = stage.sum();
    for builder in &builders {
        let held = Held {
            cents: sum / builders.len() as i64,
            at,
        };
        stage.relay(&[contractor, *builder, supplier], held, 18 * HOUR, 40);
    }
    Some(())
}

fn loan(stage: &mut Stage, at: i64) -> Option<()> {
    let pair = stage.chain(at, 2)?;
    let (lender, borrower) = (*pair.first()?, *pair.get(1)?);
    let mut held = Held {
        cents: stage.sum() / 2,
        at,
    };
    for _ in 0..stage.rng.between(1, 2) {
        held = stage.relay(&[lender, borrower, lender], held, 2 * DAY, 30);
    }
    Some(())
}

fn settling(stage: &mut Stage, at: i64) -> Option<()> {
    let many = stage.rng.between(3, 5);
    let mut hands = stage.chain(at, many)?;
    if stage.rng.chance(0.3) {
        hands.push(*hands.first()?);
    }
    let held = Held {
        cents: stage.sum() / 3,
        at,
    };
    let held = stage.relay(&hands, held, 9 * HOUR, 25);
    if stage.rng.chance(0.4) {
        let last = *hands.last()?;
        let at = stage.later(last, held.at, 6 * HOUR);
        let home = stage.family(last);
        stage.pay(last, home, at, held.cents);
    }
    Some(())
}

fn collection(stage: &mut Stage, at: i64) -> Option<()> {
    let host = stage.someone(at, |_| true)?;
    let many = stage.rng.between(3, 8);
    let guests = stage.several(at, many, other_than(host));
    let hotel = stage.someone(at, other_than(host))?;
    let cents = stage.sum() / 3;
    let held = stage.gather(&guests, host, at, 20 * HOUR, cents);
    let at = stage.later(host, held.at, 10 * HOUR);
    stage.pay(host, hotel.into(), at, held.cents);
    Some(())
}

fn moving_in(stage: &mut Stage, at: i64) -> Option<()> {
    let newcomer = stage.newcomer(at, 20)?;
    received_and_spent(stage, newcomer, at)
}

fn inheritance(stage: &mut Stage, at: i64) -> Option<()> {
    let heir = stage.wake()?;
    received_and_spent(stage, heir, at)
}

/// A few pay one, who soon spends some or nearly all of it.
fn received_and_spent(stage: &mut Stage, owner: &Customer, at: i64) -> Option<()> {
    let (before, after) = (stage.rng.between(1, 3), stage.rng.between(1, 4));
    let payers = stage.several(at, before, other_than(owner));
    let payees = ends(&stage.several(at, after, other_than(owner)));
    let cents = stage.sum();
    let mut held = stage.gather(&payers, owner, at, 12 * HOUR, cents);
    held.cents = stage.kept(held.cents, 60);
    held.at += 20 * MINUTE;
    stage.scatter(owner, &payees, held, 10 * HOUR);
    Some(())
}
