//! The twelve ways in which proceeds are moved, one line each in the table below.
//!
//! Red flags as FATF and Wolfsberg papers name them. Every ring draws how hurried it is, works
//! several rounds through the same accounts, and half of its members have known each other before.

use super::stage::{Held, Plan, Stage, ends};
use paywarden_domain::time::{DAY, HOUR, MINUTE};
use std::fmt;

/// Below what structured deposits stay, in US cents (31 CFR 1010.311).
pub(super) const LIMIT_CENTS: i64 = 1_000_000;

macro_rules! typologies {
    ($($(#[$doc:meta])* $kind:ident = $name:literal, $plan:path;)*) => {
        /// How proceeds are moved.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Typology { $($(#[$doc])* $kind,)* }

        impl Typology {
            /// Every typology.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

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

typologies! {
    /// Several payments to one account, each just below the reporting limit.
    Structuring = "structuring", structuring;
    /// Many pay one.
    FanIn = "fan_in", fan_in;
    /// One pays many.
    FanOut = "fan_out", fan_out;
    /// What comes in leaves within minutes or hours.
    RapidPassThrough = "rapid_pass_through", rapid_pass_through;
    /// Many pay one, who pays many.
    GatherScatter = "gather_scatter", gather_scatter;
    /// One pays many, who all pay the same one.
    ScatterGather = "scatter_gather", scatter_gather;
    /// Through several hands back to where it came from.
    Cycle = "cycle", cycle;
    /// There and back between two, less each time.
    RoundTrip = "round_trip", round_trip;
    /// An account wakes after months to receive and empty a sum.
    DormantReactivation = "dormant_reactivation", dormant_reactivation;
    /// An account of some days moves much money.
    NewAccountVelocity = "new_account_velocity", new_account_velocity;
    /// Several send to the same accounts abroad.
    HighRiskCorridor = "high_risk_corridor", high_risk_corridor;
    /// From mule to mule, the last of whom sends it abroad.
    MuleChain = "mule_chain", mule_chain;
}

impl fmt::Display for Typology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How many rounds a ring works before it moves on.
fn rounds(stage: &mut Stage) -> i64 {
    1 + stage.rng.weighted(&[25, 40, 25, 10]) as i64
}

fn structuring(stage: &mut Stage, at: i64) -> Option<()> {
    let owner = stage.someone(at, |_| true)?;
    let hands = stage.rng.between(1, 3);
    let hands = stage.several(at, hands, |one| one.number != owner.number);
    let lowest = stage.rng.between(70, 95);
    let mut at = at;
    for _ in 0..stage.rng.between(3, 8) {
        let hand = *stage.rng.pick(&hands)?;
        at = stage.later(hand, at, 9 * HOUR);
        let cents = LIMIT_CENTS * stage.rng.between(lowest, 99) / 100;
        stage.pay(hand, owner.into(), at, cents);
    }
    Some(())
}

fn fan_in(stage: &mut Stage, at: i64) -> Option<()> {
    let hub = stage.someone(at, |_| true)?;
    let many = stage.rng.between(4, 10);
    let payers = stage.several(at, many, |one| one.number != hub.number);
    let mut at = at;
    for _ in 0..rounds(stage) {
        let cents = stage.sum();
        at = stage.gather(&payers, hub, at, DAY, cents).at + DAY;
    }
    Some(())
}

fn fan_out(stage: &mut Stage, at: i64) -> Option<()> {
    let hub = stage.someone(at, |_| true)?;
    let many = stage.rng.between(4, 10);
    let payees = ends(&stage.several(at, many, |one| one.number != hub.number));
    let mut at = at;
    for _ in 0..rounds(stage) {
        let cents = stage.sum();
        at = stage.scatter(hub, &payees, Held { cents, at }, DAY).at + DAY;
    }
    Some(())
}

fn rapid_pass_through(stage: &mut Stage, at: i64) -> Option<()> {
    let hands = stage.chain(at, 3)?;
    let mut at = stage.later(hands.first()?, at, DAY);
    for _ in 0..=rounds(stage) {
        let cents = stage.sum() / 2;
        at = stage.relay(&hands, Held { cents, at }, 45 * MINUTE, 8).at;
        at = stage.later(hands.first()?, at, 2 * DAY);
    }
    Some(())
}

fn gather_scatter(stage: &mut Stage, at: i64) -> Option<()> {
    let hub = stage.someone(at, |_| true)?;
    let (before, after) = (stage.rng.between(3, 7), stage.rng.between(2, 6));
    let payers = stage.several(at, before, |one| one.number != hub.number);
    let payees = ends(&stage.several(at, after, |one| {
        one.number != hub.number && payers.iter().all(|payer| payer.number != one.number)
    }));
    let mut at = at;
    for _ in 0..rounds(stage).min(2) {
        let cents = stage.sum();
        let mut held = stage.gather(&payers, hub, at, 16 * HOUR, cents);
        held.cents = stage.kept(held.cents, 10);
        at = stage.scatter(hub, &payees, held, 8 * HOUR).at + DAY;
    }
    Some(())
}

fn scatter_gather(stage: &mut Stage, at: i64) -> Option<()> {
    let source = stage.someone(at, |_| true)?;
    let sink = stage.someone(at, |one| one.number != source.number)?;
    let many = stage.rng.between(3, 6);
    let between = stage.several(at, many, |one| {
        one.number != source.number && one.number != sink.number
    });
    let mut at = at;
    for _ in 0..rounds(stage).min(2) {
        let sum = stage.sum();
        let mut end = at;
        for middle in &between {
            let held = Held {
                cents: sum / between.len() as i64,
                at,
            };
            let hands = [source, *middle, sink];
            end = stage.relay(&hands, held, 14 * HOUR, 8).at.max(end);
        }
        at = end + DAY;
    }
    Some(())
}

fn cycle(stage: &mut Stage, at: i64) -> Option<()> {
    let many = stage.rng.between(3, 5);
    let mut hands = stage.chain(at, many)?;
    hands.push(*hands.first()?);
    let mut at = at;
    for _ in 0..rounds(stage).min(3) {
        let cents = stage.sum();
        at = stage.relay(&hands, Held { cents, at }, 12 * HOUR, 6).at + DAY;
    }
    Some(())
}

fn round_trip(stage: &mut Stage, at: i64) -> Option<()> {
    let pair = stage.chain(at, 2)?;
    let (first, second) = (*pair.first()?, *pair.get(1)?);
    let mut held = Held {
        cents: stage.sum(),
        at,
    };
    for _ in 0..=rounds(stage) {
        held = stage.relay(&[first, second, first], held, DAY, 15);
    }
    Some(())
}

fn dormant_reactivation(stage: &mut Stage, at: i64) -> Option<()> {
    let sleeper = stage.wake()?;
    emptied(stage, sleeper, at)
}

fn new_account_velocity(stage: &mut Stage, at: i64) -> Option<()> {
    let newcomer = stage.newcomer(at, 14)?;
    emptied(stage, newcomer, at)
}

/// An account receives from a few and pays it all out to a few, once or more.
fn emptied(stage: &mut Stage, hub: &crate::people::Customer, at: i64) -> Option<()> {
    let (before, after) = (stage.rng.between(1, 4), stage.rng.between(1, 3));
    let payers = stage.several(at, before, |one| one.number != hub.number);
    let payees = ends(&stage.several(at, after, |one| {
        one.number != hub.number && payers.iter().all(|payer| payer.number != one.number)
    }));
    let mut at = at;
    for _ in 0..rounds(stage) {
        let cents = stage.sum();
        let mut held = stage.gather(&payers, hub, at, 10 * HOUR, cents);
        held.cents = stage.kept(held.cents, 12);
        at = stage.scatter(hub, &payees, held, 6 * HOUR).at + 6 * HOUR;
    }
    Some(())
}

fn high_risk_corridor(stage: &mut Stage, at: i64) -> Option<()> {
    let many = stage.rng.between(2, 5);
    let senders = stage.several(at, many, |_| true);
    let accounts = [stage.abroad(), stage.abroad()];
    let mut at = at;
    for _ in 0..rounds(stage) {
        let cents = stage.sum() / 2;
        let mut end = at;
        for sender in &senders {
            let moment = stage.later(sender, at, DAY);
            let account = *stage.rng.pick(&accounts)?;
            stage.pay(sender, account, moment, cents / senders.len() as i64);
            end = end.max(moment);
        }
        at = end + DAY;
    }
    Some(())
}

fn mule_chain(stage: &mut Stage, at: i64) -> Option<()> {
    let many = stage.rng.between(3, 6);
    let hands = stage.chain(at, many)?;
    let last = *hands.last()?;
    let account = stage.abroad();
    let mut at = at;
    for _ in 0..rounds(stage).min(3) {
        let cents = stage.sum();
        let held = stage.relay(&hands, Held { cents, at }, 4 * HOUR, 8);
        at = stage.later(last, held.at, 4 * HOUR);
        stage.pay(last, account, at, held.cents);
        at += DAY;
    }
    Some(())
}
