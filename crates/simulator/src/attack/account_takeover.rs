//! Account takeover: sign-in from elsewhere, a change or two, a new payee, the balance gone.
//! The careful have the password, wait days between steps and take what does not stand out.

use super::pause;
use crate::scene::Scene;
use paywarden_domain::{
    EventKind,
    time::{MINUTE, SECOND},
};

pub(super) fn plan(scene: &mut Scene, mut at: i64) -> Option<()> {
    let care = scene.rng.unit();
    let people = scene.people;
    let victim = people.someone(&mut scene.rng, |customer| customer.known_days > 30)?;
    let session = scene.stranger(victim.place, care);
    for _ in 0..scene.rng.between(0, (5.0 * (1.0 - care)) as i64) {
        let event = scene.login(victim, at, false, &session)?;
        scene.strike(event);
        at += scene.rng.between(2 * SECOND, MINUTE);
    }
    let event = scene.login(victim, at, true, &session)?;
    scene.strike(event);
    let changes = [
        EventKind::PasswordChanged,
        EventKind::ContactChanged,
        EventKind::DeviceBound,
    ];
    for kind in changes {
        if scene.rng.chance(0.55 - 0.4 * care) {
            at += scene.rng.between(20 * SECOND, 5 * MINUTE);
            let event = scene.change(kind, victim, at, &session)?;
            scene.live(victim, |life| life.changed_at = at);
            scene.strike(event);
        }
    }
    at += pause(&mut scene.rng, care, 4.0, 600.0);
    let mut payee = scene.new_payee(false);
    if scene.rng.chance(0.7) {
        let event = scene.beneficiary(victim, payee.clone(), at, &session)?;
        payee.since = Some(event.occurred_at);
        scene.strike(event);
    }
    for _ in 0..scene.rng.between(1, 3) {
        at += pause(&mut scene.rng, care, 3.0, 300.0);
        let share = scene.rng.between(20, 95);
        let median = 120_000.0 * f64::from(victim.spend) * (1.3 - care);
        let cents = scene.rng.cents(median, 0.7) * share / 60;
        let payout = scene.rng.chance(0.25);
        let mut event = scene.transfer(victim, payee.clone(), at, cents, &session)?;
        if payout {
            event.kind = EventKind::Payout;
        }
        scene.strike(event);
    }
    Some(())
}
