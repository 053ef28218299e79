//! Mule ring: money of many comes into a young account and leaves within the hour, through a second
//! account, to one abroad. The careful keep a rest, wait a night and use older accounts.

use super::pause;
use crate::{identity::days_before, people::Customer, scene::Scene};
use paywarden_domain::{
    EventKind,
    event::Channel,
    time::{HOUR, MINUTE},
};

pub(super) fn plan(scene: &mut Scene, at: i64) -> Option<()> {
    let care = scene.rng.unit();
    let people = scene.people;
    let oldest = if care > 0.7 { 900 } else { 150 };
    let young = |customer: &Customer| (2..oldest).contains(&customer.known_days);
    let mule = people.someone(&mut scene.rng, young)?;
    let second = people.someone(&mut scene.rng, |other| other.number != mule.number)?;
    let (mut taken, mut last) = (0, at);
    for _ in 0..scene.rng.between(4, 11) {
        let at = at + (scene.rng.unit() * (4.0 + 40.0 * care) * HOUR as f64) as i64;
        taken += pay_in(scene, mule, at)?;
        last = last.max(at);
    }
    let mut left = taken * scene.rng.between(75, 97) / 100;
    let session = scene.own(mule, last);
    let away = scene.new_payee(false);
    while left > 2_000 {
        last += pause(&mut scene.rng, care, 18.0, 60.0);
        let cents = (taken * scene.rng.between(25, 70) / 100).min(left);
        left -= cents;
        let to_second = scene.rng.chance(0.5);
        let payee = match to_second {
            true => people.payee(second, days_before(scene.start, second.known_days)),
            false => away.clone(),
        };
        let event = scene.transfer(mule, payee, last, cents, &session)?;
        scene.strike(event);
        if to_second {
            let at = last + pause(&mut scene.rng, care, 25.0, 60.0);
            let session = scene.own(second, at);
            let cents = cents * scene.rng.between(88, 98) / 100;
            let mut event = scene.transfer(second, away.clone(), at, cents, &session)?;
            event.kind = EventKind::Payout;
            scene.strike(event);
        }
    }
    Some(())
}

/// Somebody robbed or deceived pays the mule: another customer, or one of another bank.
fn pay_in(scene: &mut Scene, mule: &Customer, at: i64) -> Option<i64> {
    let people = scene.people;
    let cents = scene.rng.cents(65_000.0, 0.8) / 100 * 100 + 100;
    let event = if scene.rng.chance(0.6) {
        let victim = people.someone(&mut scene.rng, |customer| customer.known_days > 0)?;
        let session = scene.own(victim, at);
        let payee = people.payee(mule, days_before(scene.start, mule.known_days));
        let mut event = scene.transfer(victim, payee, at, cents, &session)?;
        if let Some(payee) = &mut event.payee {
            payee.name_check = Some(scene.check(&[55, 10, 20, 15]));
        }
        event
    } else {
        let mut event = scene.of(EventKind::Topup, mule, at + MINUTE, cents)?;
        event.channel = Some(Channel::Api);
        event.remittance = scene.remark();
        event
    };
    scene.strike(event);
    Some(cents)
}
