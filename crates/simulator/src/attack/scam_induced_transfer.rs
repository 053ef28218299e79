//! Scam: the victim pays, on his or her own device, because somebody on the telephone, in a chat or
//! with remote control says so. The patient begin small and come back for weeks.

use super::pause;
use crate::{identity::text, people::Customer, scene::Scene, session::Session, word};
use paywarden_domain::time::{DAY, MINUTE};

pub(super) fn plan(scene: &mut Scene, mut at: i64) -> Option<()> {
    let care = scene.rng.unit();
    let people = scene.people;
    let elderly = scene.rng.chance(0.5);
    let victim = people.someone(&mut scene.rng, |customer| {
        customer.known_days > 0 && !customer.is_company() && (customer.age_years > 58) == elderly
    })?;
    let mut session = pressed(scene, victim, at, care);
    let event = scene.login(victim, at, true, &session)?;
    scene.push(event);
    at += scene.rng.between(MINUTE, 15 * MINUTE);
    let to_company = scene.rng.chance(0.5);
    let mut payee = scene.new_payee(to_company);
    payee.name_check = Some(scene.check(&[45, 15, 25, 15]));
    let stored = scene.beneficiary(victim, payee.clone(), at, &session)?;
    payee.since = Some(stored.occurred_at);
    scene.push(stored);
    let mut grows = 1.2 - 0.9 * care;
    for _ in 0..scene.rng.between(1, 2 + (3.0 * care) as i64) {
        at += pause(&mut scene.rng, care, 8.0, 40.0);
        let cents = scene
            .rng
            .cents(160_000.0 * f64::from(victim.spend) * grows, 0.7);
        let round = scene.rng.chance(0.6);
        let cents = if round {
            (cents / 5_000).max(1) * 5_000
        } else {
            cents
        };
        let mut event = scene.transfer(victim, payee.clone(), at, cents, &session)?;
        if scene.rng.chance(0.5) {
            event.remittance = text(scene.rng.word(&word::PRESSED_REMARKS));
        }
        scene.strike(event);
        grows *= 1.0 + care;
        if care > 0.5 {
            at += scene.rng.between(DAY / 4, 4 * DAY);
            session = pressed(scene, victim, at, care);
        }
    }
    Some(())
}

/// The victim's own device, perhaps with somebody on the line or in control of it.
fn pressed(scene: &mut Scene, victim: &Customer, at: i64, care: f64) -> Session {
    let mut session = scene.own(victim, at);
    session.device.active_call = Some(scene.rng.chance(0.65 - 0.4 * care));
    session.device.remote_control = Some(scene.rng.chance(0.35 - 0.3 * care));
    session.device.screen_shared = Some(scene.rng.chance(0.3 - 0.25 * care));
    session
}
