//! Structuring: cash that should be reported comes in pieces below the limit, over days, by one
//! hand or several, and goes on. The careful keep well below it and at irregular hours.

use super::pause;
use crate::{identity::text, people::Persona, scene::Scene};
use paywarden_domain::{EventKind, event::Channel};

/// The limit that the pieces avoid: 10,000 dollars.
const LIMIT_CENTS: i64 = 1_000_000;

pub(super) fn plan(scene: &mut Scene, mut at: i64) -> Option<()> {
    let care = scene.rng.unit();
    let people = scene.people;
    let several = scene.rng.chance(0.3);
    let fits = |persona: Persona| !matches!(persona, Persona::Student | Persona::Retired);
    let owner = people.someone(&mut scene.rng, |other| {
        fits(other.persona) && other.known_days > 0
    })?;
    let mut hand = owner;
    let lowest = 90 - (45.0 * care) as i64;
    let mut taken = 0;
    for _ in 0..scene.rng.between(3, 10) {
        if several {
            hand = people.someone(&mut scene.rng, |other| other.known_days > 0)?;
        }
        let noise = scene.rng.between(0, 9_900);
        let cents = LIMIT_CENTS * scene.rng.between(lowest, 98) / 100 + noise;
        let cents = if scene.rng.chance(0.5) {
            cents / 10_000 * 10_000
        } else {
            cents
        };
        let mut event = scene.of(EventKind::Topup, hand, at, cents)?;
        event.channel = Some(if scene.rng.chance(0.7) {
            Channel::Branch
        } else {
            Channel::Atm
        });
        event.remittance = if scene.rng.chance(0.3) {
            text("takings")
        } else {
            None
        };
        scene.strike(event);
        taken += cents;
        at += pause(&mut scene.rng, care, 180.0, 12.0);
    }
    if scene.rng.chance(0.6) {
        at += pause(&mut scene.rng, care, 240.0, 10.0);
        let session = scene.own(owner, at);
        let payee = scene.new_payee(true);
        let cents = taken * scene.rng.between(50, 95) / 100;
        let event = scene.transfer(owner, payee, at, cents, &session)?;
        scene.strike(event);
    }
    Some(())
}
