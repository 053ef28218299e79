//! Bust-out: a new merchant sells honestly for a while, then sells much that will never arrive,
//! partly to stolen cards, has the takings paid out and is gone.

use super::pause;
use crate::{OutgoingEvent, identity::text, scene::Scene};
use paywarden_domain::{
    EventKind, Timestamp,
    event::{Channel, Merchant, Party},
    time::{DAY, HOUR},
};

pub(super) fn plan(scene: &mut Scene, mut at: i64) -> Option<()> {
    let care = scene.rng.unit();
    let people = scene.people;
    let front = people.web_shop_of(
        &mut scene.rng,
        &["electronics", "travel_agency", "web_fashion"],
    )?;
    let known_since = at - scene.rng.between(2, 40) * DAY;
    let mut merchant = people.merchant(front, 0, scene.start)?;
    merchant.id = text(format!("m-9{:05}", scene.rng.below(100_000)));
    merchant.name = text(format!("{} outlet", front.name()));
    merchant.since = Some(Timestamp::from_micros(known_since.max(0)));
    for _ in 0..scene.rng.between(3, 9) {
        let (event, _) = sale(scene, &merchant, at, 0.6)?;
        scene.push(event);
        at += pause(&mut scene.rng, care, 6.0 * 60.0, 4.0);
    }
    let mut takings = 0;
    for _ in 0..scene.rng.between(7, 16) {
        let (event, cents) = sale(scene, &merchant, at, 2.6 - care)?;
        takings += cents;
        scene.strike(event);
        at += pause(&mut scene.rng, care, 25.0, 8.0);
    }
    for _ in 0..scene.rng.between(1, 2) {
        at += scene.rng.between(HOUR, DAY);
        let mut event = scene.event(EventKind::Payout, at)?;
        event.amount = people.place(front.place)?.money(takings * 45 / 100);
        event.channel = Some(Channel::Api);
        let mut payee = people.outsider(u64::from(front.number), true);
        payee.name.clone_from(&merchant.name);
        event.payer = Some(Party {
            id: merchant.id.clone(),
            name: merchant.name.clone(),
            country: merchant.country,
            since: merchant.since,
            is_company: Some(true),
            ..Party::default()
        });
        event.payee = Some(payee);
        event.merchant = Some(merchant.clone());
        scene.strike(event);
    }
    Some(())
}

/// A sale and how many US cents it brings.
fn sale(
    scene: &mut Scene,
    merchant: &Merchant,
    at: i64,
    dear: f64,
) -> Option<(OutgoingEvent, i64)> {
    let people = scene.people;
    let shop = people.web_shop_of(&mut scene.rng, &["electronics", "travel_agency"])?;
    let cents = (shop.amount(&mut scene.rng, 1.0) as f64 * dear) as i64 + 100;
    let stolen = dear > 1.0 && scene.rng.chance(0.35);
    let mut event = if stolen {
        let session = scene.stranger(shop.place, 0.5);
        let held = scene.stranger_card()?;
        scene.guest_payment(shop, held, at, cents, (&session, 0.7))?
    } else {
        let buyer = people.someone(&mut scene.rng, |customer| customer.known_days > 0)?;
        let session = scene.own(buyer, at);
        scene.web_payment(buyer, shop, at, cents, &session)?
    };
    event.merchant = Some(merchant.clone());
    Some((event, cents))
}
