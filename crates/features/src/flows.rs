//! Money that is passed on: which earlier transfers a transfer continues, looked at only so far.
//!
//! A transfer continues an earlier one into the paying account if it comes after it and moves
//! nearly the same amount: an account in between keeps a fee, and what is left is told apart from
//! everyday spending. From the current transfer these lead back, nearest first. A transfer that was
//! declined moved nothing.
//!
//! Several questions of one transfer walk the same chains: what came into an account is looked up
//! once for all of them. How far each may look is counted as if it had looked up everything itself.

use crate::arena::{NO_ENTITY, Seen};
use crate::past::Past;
use crate::plan::Plan;
use crate::read::Current;
use crate::slide::Spread;
use crate::{Aggregate, EntityKind, Value};
use hashbrown::HashMap;
use paywarden_domain::{EventKind, Outcome};
use std::hash::BuildHasherDefault;
use std::ops::{ControlFlow, Range};

/// The most earlier transfers in one chain.
pub const TRANSFERS_MAX: i64 = 5;
/// The most events that one question looks at.
pub const EVENTS_MAX: usize = 512;
/// The most events of one account that are followed, latest first.
pub const EVENTS_OF_ONE: usize = 32;
/// How much of an amount is passed on at least, in hundredths, and at most: conversion may round up.
const LEFT_PERCENT: (i128, i128) = (80, 102);

/// A transfer whose origin is asked for.
#[derive(Debug, Clone, Copy)]
struct Transfer {
    /// The account that paid.
    payer: u32,
    at: i64,
    amount: i64,
}

/// An event on the way into an account.
#[derive(Debug, Clone, Copy)]
enum Came {
    /// At this time, a transfer or something else.
    At(i64, Option<Transfer>),
    /// There are more than one question looks at.
    More,
}

/// What came into the accounts that the questions of one transfer have met. Reused from transfer to
/// transfer.
#[derive(Debug, Default)]
pub(crate) struct Flows {
    known: HashMap<u32, Range<usize>, BuildHasherDefault<Spread>>,
    came: Vec<Came>,
    /// No question looks at what came at this time or before.
    since: i64,
}

/// How far a question may still look.
struct Walk<'f> {
    flows: &'f mut Flows,
    since: i64,
    events_left: usize,
    whole: bool,
}

impl Flows {
    /// Forgets everything, for the questions of another transfer.
    pub(crate) fn begin(&mut self, plan: &Plan, current: &Current) {
        self.known.clear();
        self.came.clear();
        let lengths = plan.links.iter().map(|link| plan.older(link.output.slot));
        self.since = current.fact.at.saturating_sub(lengths.max().unwrap_or(0));
    }
}

impl Past {
    /// What [`Aggregate::Cycle`], [`Aggregate::Relay`] and [`Aggregate::CommonSource`] ask, over
    /// transfers of the last `length` microseconds; and whether everything was looked at.
    pub(crate) fn flow(
        &self,
        aggregate: Aggregate,
        length: i64,
        current: &Current,
        flows: &mut Flows,
    ) -> (Value, bool) {
        let (account, payee) = (EntityKind::Account as usize, EntityKind::Payee as usize);
        let (payer, payee) = (current.ids[account], current.ids[payee]);
        let keys = self.key(payer).zip(self.key(payee));
        if current.fact.amount <= 0 || keys.is_none_or(|(payer, payee)| payer == payee) {
            return (Value::Missing, true);
        }
        let now = Transfer {
            payer,
            at: current.fact.at,
            amount: current.fact.amount,
        };
        let mut walk = Walk {
            flows,
            since: now.at.saturating_sub(length),
            events_left: EVENTS_MAX,
            whole: true,
        };
        let value = match aggregate {
            Aggregate::Cycle => self.cycle(now, current.payee_as_account(), &mut walk),
            Aggregate::Relay => self.relay(now, &mut walk),
            _ => self.common_source(now, payee, &mut walk),
        };
        (value, walk.whole)
    }

    /// How many transfers the shortest chain has that the current one closes.
    fn cycle(&self, now: Transfer, payee: u32, walk: &mut Walk) -> Value {
        let mut length = Value::Missing;
        self.chains(now, walk, |place, transfer| {
            if transfer.payer != payee {
                return ControlFlow::Continue(());
            }
            length = Value::Count(place + 1);
            ControlFlow::Break(())
        });
        length
    }

    /// How many transfers the longest chain has that the current one continues.
    fn relay(&self, now: Transfer, walk: &mut Walk) -> Value {
        let mut longest = 0;
        self.chains(now, walk, |place, _| {
            longest = place;
            ControlFlow::Continue(())
        });
        Value::Count(longest)
    }

    /// By how many accounts money of one source reached the payee.
    fn common_source(&self, now: Transfer, payee: u32, walk: &mut Walk) -> Value {
        let mut into = vec![now];
        self.visit(payee, now.at, walk, |transfer| into.push(transfer));
        let mut ways = Vec::new();
        for last in into {
            self.continued(last, walk, |first| ways.push((first.payer, last.payer)));
        }
        ways.sort_unstable();
        ways.dedup();
        let sources = ways.chunk_by(|(one, _), (other, _)| one == other);
        Value::Count(sources.map(<[_]>::len).max().unwrap_or(0) as i64)
    }

    /// Visits the transfers that lead to one, with how many lie between, until told to stop.
    fn chains(
        &self,
        now: Transfer,
        walk: &mut Walk,
        mut visit: impl FnMut(i64, Transfer) -> ControlFlow<()>,
    ) {
        let mut level = vec![now];
        for place in 1..=TRANSFERS_MAX {
            let mut next = Vec::new();
            for transfer in level {
                self.continued(transfer, walk, |before| next.push(before));
            }
            if next.iter().any(|before| visit(place, *before).is_break()) {
                return;
            }
            level = next;
        }
    }

    /// Visits the transfers that one may continue.
    fn continued(&self, last: Transfer, walk: &mut Walk, mut visit: impl FnMut(Transfer)) {
        self.visit(last.payer, last.at, walk, |first| {
            let (least, most) = LEFT_PERCENT;
            let (amount, left) = (i128::from(first.amount), i128::from(last.amount) * 100);
            let fits = least * amount <= left && left <= most * amount;
            if fits && first.payer != last.payer {
                visit(first);
            }
        });
    }

    /// Visits the latest transfers into an account, or to a payee, until a moment.
    fn visit(&self, id: u32, until: i64, walk: &mut Walk, mut visit: impl FnMut(Transfer)) {
        let known = walk.flows.known.get(&id).cloned();
        let known = known.unwrap_or_else(|| self.look_up(id, walk.flows));
        for came in &walk.flows.came[known] {
            let Came::At(at, transfer) = *came else {
                walk.whole = false;
                return;
            };
            if walk.events_left == 0 {
                walk.whole = false;
                return;
            }
            walk.events_left -= 1;
            if at <= walk.since {
                return;
            }
            if let Some(transfer) = transfer.filter(|other| other.at <= until) {
                visit(transfer);
            }
        }
    }

    /// Looks up what came into an account, or to a payee, as far as any question may look.
    fn look_up(&self, id: u32, flows: &mut Flows) -> Range<usize> {
        let from = flows.came.len();
        for (place, position) in self.latest(self.paid(id)).enumerate() {
            if place == EVENTS_OF_ONE {
                flows.came.push(Came::More);
                break;
            }
            let event = self.arena.seen(position);
            flows.came.push(Came::At(event.fact.at, transfer(&event)));
            if event.fact.at <= flows.since {
                break;
            }
        }
        let known = from..flows.came.len();
        flows.known.insert(id, known.clone());
        known
    }

    /// An account as transfers name it that paid it; a payee is that already.
    fn paid(&self, id: u32) -> u32 {
        match self.registry.get(id) {
            Some(entity) if entity.kind == EntityKind::Account => {
                let paid = self.registry.find(EntityKind::Payee, entity.key);
                paid.unwrap_or(NO_ENTITY)
            }
            Some(_) => id,
            None => NO_ENTITY,
        }
    }

    fn key(&self, id: u32) -> Option<u64> {
        self.registry.get(id).map(|entity| entity.key)
    }
}

/// An event as a transfer, if it moved money from account to account.
fn transfer(event: &Seen) -> Option<Transfer> {
    let fact = &event.fact;
    let is_payment = EventKind::from_number(fact.kind).is_some_and(EventKind::is_payment);
    let moved = is_payment && fact.standing.outcome() != Some(Outcome::Decline);
    let payer = event.id(EntityKind::Account)?;
    (moved && fact.amount > 0).then_some(Transfer {
        payer,
        at: fact.at,
        amount: fact.amount,
    })
}
