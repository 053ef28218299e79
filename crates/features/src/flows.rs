//! Money that is passed on: which earlier transfers a transfer continues, looked at only so far.
//!
//! A transfer continues an earlier one into the paying account if it comes after it and moves
//! nearly the same amount: an account in between keeps a fee, and what is left is told apart from
//! everyday spending. From the current transfer these lead back, nearest first. A transfer that was
//! declined moved nothing.

use crate::arena::{NO_ENTITY, Seen};
use crate::past::Past;
use crate::read::Current;
use crate::{Aggregate, EntityKind, Value};
use paywarden_domain::{EventKind, Outcome};
use std::ops::ControlFlow;

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
    /// The payer, as earlier transfers name it that paid it.
    paid: u32,
    /// The key of the payer.
    payer: u64,
    at: i64,
    amount: i64,
}

/// How far a question may still look.
struct Walk {
    since: i64,
    events_left: usize,
    whole: bool,
}

impl Past {
    /// What [`Aggregate::Cycle`], [`Aggregate::Relay`] and [`Aggregate::CommonSource`] ask, over
    /// transfers of the last `length` microseconds; and whether everything was looked at.
    pub(crate) fn flow(
        &self,
        aggregate: Aggregate,
        length: i64,
        current: &Current,
    ) -> (Value, bool) {
        let payee = current.ids[EntityKind::Payee as usize];
        let Some((now, payee_key)) = self.now(current).zip(self.key(payee)) else {
            return (Value::Missing, true);
        };
        if now.payer == payee_key {
            return (Value::Missing, true);
        }
        let mut walk = Walk {
            since: now.at.saturating_sub(length),
            events_left: EVENTS_MAX,
            whole: true,
        };
        let value = match aggregate {
            Aggregate::Cycle => self.cycle(now, payee_key, &mut walk),
            Aggregate::Relay => self.relay(now, &mut walk),
            _ => self.common_source(now, payee, &mut walk),
        };
        (value, walk.whole)
    }

    /// How many transfers the shortest chain has that the current one closes.
    fn cycle(&self, now: Transfer, payee: u64, walk: &mut Walk) -> Value {
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
        self.visit(last.paid, last.at, walk, |first| {
            let (least, most) = LEFT_PERCENT;
            let (amount, left) = (i128::from(first.amount), i128::from(last.amount) * 100);
            let fits = least * amount <= left && left <= most * amount;
            if fits && first.payer != last.payer {
                visit(first);
            }
        });
    }

    /// Visits the latest transfers into an account until a moment.
    fn visit(&self, paid: u32, until: i64, walk: &mut Walk, mut visit: impl FnMut(Transfer)) {
        for (place, position) in self.latest(paid).enumerate() {
            if walk.events_left == 0 || place == EVENTS_OF_ONE {
                walk.whole = false;
                return;
            }
            walk.events_left -= 1;
            let event = self.arena.seen(position);
            if event.fact.at <= walk.since {
                return;
            }
            if let Some(transfer) = self.transfer(&event).filter(|other| other.at <= until) {
                visit(transfer);
            }
        }
    }

    /// An event as a transfer, if it moved money from account to account.
    fn transfer(&self, event: &Seen) -> Option<Transfer> {
        let fact = &event.fact;
        let is_payment = EventKind::from_number(fact.kind).is_some_and(EventKind::is_payment);
        let moved = is_payment && fact.standing.outcome() != Some(Outcome::Decline);
        let payer = self.key(event.id(EntityKind::Account)?)?;
        (moved && fact.amount > 0).then(|| Transfer {
            paid: self.paid(payer),
            payer,
            at: fact.at,
            amount: fact.amount,
        })
    }

    fn now(&self, current: &Current) -> Option<Transfer> {
        let payer = self.key(current.ids[EntityKind::Account as usize])?;
        (current.fact.amount > 0).then(|| Transfer {
            paid: self.paid(payer),
            payer,
            at: current.fact.at,
            amount: current.fact.amount,
        })
    }

    /// An account as transfers name it that paid it.
    fn paid(&self, account: u64) -> u32 {
        let paid = self.registry.find(EntityKind::Payee, account);
        paid.unwrap_or(NO_ENTITY)
    }

    fn key(&self, id: u32) -> Option<u64> {
        self.registry.get(id).map(|entity| entity.key)
    }
}
