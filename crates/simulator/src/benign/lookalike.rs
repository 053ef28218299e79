//! Honest things that look like attacks. A rule that cannot tell them apart costs customers.

use super::banking;
use crate::{
    identity::{days_before, text},
    people::{Customer, Persona},
    scene::Scene,
};
use paywarden_domain::{
    EventKind,
    event::Channel,
    time::{DAY, HOUR, MINUTE, SECOND},
};

/// A company pays its staff: many transfers in a few minutes, to the same people every month.
pub(super) fn payroll(scene: &mut Scene, _: &Customer, at: i64) -> Option<()> {
    let people = scene.people;
    let company = people.someone(&mut scene.rng, |customer| customer.is_company())?;
    let session = scene.own(company, at);
    let at = banking::signed_in(scene, company, at, &session)?;
    let staff = 8 + company.number % 25;
    for place in 0..staff {
        let number = (company.number.wrapping_mul(31) + place * 7) % people.size() as u32;
        let employee = people.customer(number)?;
        let payee = people.payee(employee, days_before(scene.start, 400));
        let cents = scene.rng.cents(260_000.0, 0.25);
        let at = at + i64::from(place) * scene.rng.between(2 * SECOND, 9 * SECOND);
        let event = scene.transfer(company, payee, at, cents, &session)?;
        scene.push(event);
    }
    Some(())
}

/// A savings circle: everybody pays the same round sum to one member, who soon pays it all on.
pub(super) fn savings_circle(scene: &mut Scene, organiser: &Customer, at: i64) -> Option<()> {
    let people = scene.people;
    let members = scene.rng.between(6, 14);
    let each = scene.rng.between(2, 12) * 5_000;
    let since = days_before(scene.start, organiser.known_days);
    for _ in 0..members {
        let Some(member) = people.anyone(&mut scene.rng) else {
            continue;
        };
        let at = at + scene.rng.between(0, 30 * HOUR);
        if !scene.is_known(member, at) {
            continue;
        }
        let session = scene.own(member, at);
        let payee = people.payee(organiser, since);
        let event = scene.transfer(member, payee, at, each, &session)?;
        scene.push(event);
    }
    let at = at + scene.rng.between(31 * HOUR, 50 * HOUR);
    let session = scene.own(organiser, at);
    let payee = scene.known_payee(organiser)?;
    let event = scene.transfer(organiser, payee, at, each * members, &session)?;
    scene.push(event);
    Some(())
}

/// An appeal on television: dozens of strangers give small sums to one charity at once.
pub(super) fn charity_drive(scene: &mut Scene, _: &Customer, at: i64) -> Option<()> {
    let people = scene.people;
    let charity = people.web_shop_of(&mut scene.rng, &["charity"])?;
    for _ in 0..scene.rng.between(15, 50) {
        let Some(giver) = people.anyone(&mut scene.rng) else {
            continue;
        };
        let at = at + (scene.rng.exponential() * 12.0 * MINUTE as f64) as i64;
        if !scene.is_known(giver, at) {
            continue;
        }
        let cents = scene.rng.between(1, 10) * 100;
        let session = scene.own(giver, at);
        let event = scene.web_payment(giver, charity, at, cents, &session)?;
        scene.push(event);
    }
    Some(())
}

/// Many small payments with one card: advertising billed by thresholds, a game, a day on buses.
pub(super) fn small_payments(scene: &mut Scene, customer: &Customer, at: i64) -> Option<()> {
    let people = scene.people;
    let shop = people.web_shop_of(&mut scene.rng, &["advertising", "games"])?;
    let session = scene.own(customer, at);
    let card = scene.own_card(customer)?;
    let mut at = at;
    for _ in 0..scene.rng.between(5, 22) {
        let cents = scene.rng.between(1, 20) * 50 + 49;
        let mut event = scene.web_payment(customer, shop, at, cents, &session)?;
        event.card = Some(card.clone());
        scene.push(event);
        at += (scene.rng.exponential() * 5.0 * MINUTE as f64) as i64;
    }
    Some(())
}

/// A car, a deposit, a roof: a great sum to a new payee, sometimes while on the telephone with him.
pub(super) fn great_purchase(scene: &mut Scene, customer: &Customer, at: i64) -> Option<()> {
    let mut session = scene.own(customer, at);
    session.device.active_call = Some(scene.rng.chance(0.25));
    let at = banking::signed_in(scene, customer, at, &session)?;
    let mut payee = scene.new_payee(true);
    let stored = scene.beneficiary(customer, payee.clone(), at, &session)?;
    payee.since = Some(stored.occurred_at);
    scene.push(stored);
    let cents = scene.rng.cents(450_000.0 * f64::from(customer.spend), 0.8) / 10_000 * 10_000;
    let at = at + scene.rng.between(MINUTE, 2 * DAY);
    let event = scene.transfer(customer, payee, at, cents.max(50_000), &session)?;
    scene.push(event);
    Some(())
}

/// A market trader brings the week's takings to the branch, day after day.
pub(super) fn market_takings(scene: &mut Scene, _: &Customer, at: i64) -> Option<()> {
    let people = scene.people;
    let trader = people.someone(&mut scene.rng, |customer| {
        matches!(customer.persona, Persona::Business | Persona::Seller) && customer.known_days > 90
    })?;
    for day in 0..scene.rng.between(2, 6) {
        let cents = scene.rng.cents(430_000.0, 0.5) / 500 * 500;
        let at = at + day * DAY + scene.rng.between(0, 3 * HOUR);
        let mut event = scene.of(EventKind::Topup, trader, at, cents.max(500))?;
        event.channel = Some(Channel::Branch);
        event.remittance = text("takings");
        scene.push(event);
    }
    Some(())
}

/// A grandchild helps by remote control, or the bank's own hotline does.
pub(super) fn supported(scene: &mut Scene, _: &Customer, at: i64) -> Option<()> {
    let people = scene.people;
    let customer = people.someone(&mut scene.rng, |customer| customer.age_years > 55)?;
    let mut session = scene.own(customer, at);
    session.device.remote_control = Some(true);
    session.device.active_call = Some(true);
    let at = banking::signed_in(scene, customer, at, &session)?;
    let payee = scene.known_payee(customer)?;
    let cents = scene.rng.cents(9_000.0, 0.8);
    let event = scene.transfer(customer, payee, at, cents, &session)?;
    scene.push(event);
    Some(())
}
