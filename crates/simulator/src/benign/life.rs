//! What changes habits: joining, travelling, a new telephone.

use super::banking;
use crate::{people::Customer, scene::Scene, shop::Reach};
use paywarden_domain::{
    EventKind,
    time::{DAY, HOUR, MINUTE},
};

/// A newcomer signs up, stores a card and brings in the first money.
pub(super) fn signup(scene: &mut Scene, customer: &Customer, at: i64) -> Option<()> {
    if scene.life(customer).joined_at > 0 {
        return None;
    }
    scene.live(customer, |life| life.joined_at = at);
    let session = scene.own(customer, at);
    let event = scene.change(EventKind::Signup, customer, at, &session)?;
    scene.push(event);
    let at = at + scene.rng.between(MINUTE, 2 * HOUR);
    let mut event = scene.change(EventKind::CardAdded, customer, at, &session)?;
    event.card = scene.own_card(customer);
    scene.push(event);
    if scene.rng.chance(0.6) {
        let at = at + scene.rng.between(MINUTE, DAY);
        banking::topup(scene, customer, at)?;
    }
    Some(())
}

/// A trip begins: the next days' purchases are elsewhere, beginning with a hotel.
pub(super) fn trip(scene: &mut Scene, customer: &Customer, at: i64) -> Option<()> {
    let away = scene.rng.below(scene.people.places.len()) as u8;
    let until = at + scene.rng.between(2, 12) * DAY;
    scene.live(customer, |life| {
        (life.away, life.away_until) = (away, until)
    });
    let people = scene.people;
    let shop = (0..40)
        .filter_map(|_| people.street_shop(&mut scene.rng, away))
        .find(|shop| shop.category().reach == Reach::Street && shop.category().name == "hotel")
        .or_else(|| people.street_shop(&mut scene.rng, away))?;
    let cents = shop.amount(&mut scene.rng, customer.spend);
    let arrival = at + scene.rng.between(3 * HOUR, 16 * HOUR);
    let event = scene.street_payment(customer, shop, arrival, cents)?;
    scene.push(event);
    Some(())
}

/// A new telephone: an unknown device signs in and is bound; the account counts as changed.
pub(super) fn new_phone(scene: &mut Scene, customer: &Customer, at: i64) -> Option<()> {
    scene.live(customer, |life| life.phones = life.phones.wrapping_add(1));
    let session = scene.own(customer, at);
    let event = scene.login(customer, at, true, &session)?;
    scene.push(event);
    let at = at + scene.rng.between(MINUTE, 10 * MINUTE);
    let event = scene.change(EventKind::DeviceBound, customer, at, &session)?;
    scene.push(event);
    scene.live(customer, |life| life.changed_at = at);
    if scene.rng.chance(0.4) {
        let at = at + scene.rng.between(5 * MINUTE, DAY);
        banking::transfer(scene, customer, at)?;
    }
    Some(())
}
