//! A stolen card: on the web with goods sent elsewhere, or as a copy in shops and cash machines.
//! The careful buy what the victim might have bought, from a connection in the victim's town.

use super::pause;
use crate::{people::Customer, scene::Scene};
use paywarden_domain::event::EntryMode;

const RESALE: [&str; 5] = [
    "electronics",
    "gift_card",
    "airline",
    "web_fashion",
    "crypto_exchange",
];

pub(super) fn plan(scene: &mut Scene, at: i64) -> Option<()> {
    let care = scene.rng.unit();
    let people = scene.people;
    let victim = people.someone(&mut scene.rng, |customer| customer.known_days > 0)?;
    if scene.rng.chance(0.7) {
        web(scene, victim, at, care)
    } else {
        copy(scene, victim, at, care)
    }
}

fn web(scene: &mut Scene, victim: &Customer, mut at: i64, care: f64) -> Option<()> {
    let people = scene.people;
    let held = people.held(victim, 0)?;
    let mut session = scene.stranger(victim.place, care);
    let parcel_shop = people
        .anyone(&mut scene.rng)
        .and_then(|anyone| people.address(anyone));
    let longest = 3 + (5.0 * (1.0 - care)) as i64;
    for turn in 0..scene.rng.between(1, longest) {
        if scene.rng.chance(0.15) {
            session = scene.stranger(victim.place, care);
        }
        let any = scene.rng.chance(0.3 * care);
        let shop = match any {
            true => people.web_shop(&mut scene.rng)?,
            false => people.web_shop_of(&mut scene.rng, &RESALE)?,
        };
        let greed = 1.0 + (1.0 - care) * turn as f64 * 0.8;
        let cents = (shop.amount(&mut scene.rng, victim.spend) as f64 * greed) as i64;
        let knows = 0.6 + 0.4 * care;
        let mut event = scene.guest_payment(shop, held, at, cents, (&session, knows))?;
        let sent = scene.rng.chance(0.7);
        event.shipping = if sent { parcel_shop.clone() } else { None };
        scene.strike(event);
        at += pause(&mut scene.rng, care, 12.0, 200.0);
    }
    Some(())
}

fn copy(scene: &mut Scene, victim: &Customer, mut at: i64, care: f64) -> Option<()> {
    let people = scene.people;
    let near = scene.rng.chance(0.3 + 0.5 * care);
    let place = if near {
        victim.place
    } else {
        scene.rng.below(people.places.len()) as u8
    };
    let longest = 3 + (4.0 * (1.0 - care)) as i64;
    for _ in 0..scene.rng.between(1, longest) {
        let cash = scene.rng.chance(0.3);
        let shop = match cash {
            true => people.machine(&mut scene.rng, place)?,
            false => people.street_shop(&mut scene.rng, place)?,
        };
        let cents = (shop.amount(&mut scene.rng, victim.spend) as f64 * (2.5 - care)) as i64;
        let mut event = scene.street_payment(victim, shop, at, cents)?;
        if let Some(card) = &mut event.card {
            let stripe = scene.rng.chance(0.8 - 0.4 * care);
            card.details.entry_mode = Some(if stripe {
                EntryMode::Magstripe
            } else {
                EntryMode::Contactless
            });
        }
        scene.strike(event);
        at += pause(&mut scene.rng, care, 15.0, 30.0);
    }
    Some(())
}
