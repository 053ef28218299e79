//! Refund abuse: a customer keeps the goods and asks the money back again and again; or a shop
//! assistant refunds purchases that never were to a card of his own.

use super::pause;
use crate::scene::Scene;
use paywarden_domain::{
    EventKind,
    event::{Channel, EntryMode},
    time::{DAY, HOUR},
};

pub(super) fn plan(scene: &mut Scene, at: i64) -> Option<()> {
    if scene.rng.chance(0.65) {
        by_customer(scene, at)
    } else {
        by_assistant(scene, at)
    }
}

fn by_customer(scene: &mut Scene, mut at: i64) -> Option<()> {
    let care = scene.rng.unit();
    let people = scene.people;
    let customer = people.someone(&mut scene.rng, |customer| customer.known_days > 0)?;
    let shop = people.web_shop_of(&mut scene.rng, &["electronics", "web_fashion", "books"])?;
    for _ in 0..scene.rng.between(2, 6) {
        let session = scene.own(customer, at);
        let cents = shop.amount(&mut scene.rng, customer.spend * 1.4);
        let purchase = scene.web_payment(customer, shop, at, cents, &session)?;
        let later = at + scene.rng.between(DAY / 2, 6 * DAY);
        let percent = if scene.rng.chance(0.3 * care) {
            60
        } else {
            100
        };
        let refund = scene.refund_of(&purchase, later, percent)?;
        // Some orders are kept and paid for.
        scene.push(purchase);
        if scene.rng.chance(0.9 - 0.3 * care) {
            scene.strike(refund);
        }
        at += pause(&mut scene.rng, care, 8.0 * 60.0, 8.0);
    }
    Some(())
}

fn by_assistant(scene: &mut Scene, mut at: i64) -> Option<()> {
    let care = scene.rng.unit();
    let people = scene.people;
    let place = scene.rng.below(people.places.len()) as u8;
    let shop = *people.street_shop(&mut scene.rng, place)?;
    let held = scene.stranger_card()?;
    let terminal = scene.rng.between(1, i64::from(shop.terminals)) as u8;
    let country = people.place(shop.place).and_then(|place| place.country);
    for _ in 0..scene.rng.between(3, 8) {
        let mut event = scene.event(EventKind::Refund, at)?;
        let cents = shop.amount(&mut scene.rng, 2.5 - care as f32);
        event.amount = people.place(shop.place)?.money(cents);
        event.channel = Some(Channel::Pos);
        event.merchant = people.merchant(&shop, terminal, scene.start);
        let mut card = scene.card(held, country);
        card.details.entry_mode = Some(EntryMode::Chip);
        event.card = Some(card);
        scene.strike(event);
        at += scene.rng.between(HOUR, 2 * HOUR) + pause(&mut scene.rng, care, 60.0, 30.0);
    }
    Some(())
}
