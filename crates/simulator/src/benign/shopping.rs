//! Purchases: in town, on the web, by subscription, by wallet; and cash.

use crate::{identity::stranger_of, people::Customer, scene::Scene, shop::Shop};
use paywarden_domain::{
    EventKind, Timestamp,
    event::{Channel, EntryMode, Party},
    time::{DAY, HOUR, MINUTE, SECOND},
};

/// A purchase in town, or where the trip has led; now and then declined and tried again, or
/// brought back.
pub(super) fn street(scene: &mut Scene, customer: &Customer, at: i64) -> Option<()> {
    let place = scene.place_of(customer, at);
    let usual = place == customer.place && scene.rng.chance(0.75);
    let shop = match favourite(scene, &customer.streets).filter(|_| usual) {
        Some(shop) => shop,
        None => *scene.people.street_shop(&mut scene.rng, place)?,
    };
    let cents = shop.amount(&mut scene.rng, customer.spend);
    let event = scene.street_payment(customer, &shop, at, cents)?;
    if scene.rng.chance(0.01) {
        let seconds = scene.rng.between(15, 90);
        let mut again = scene.street_payment(customer, &shop, at + seconds * SECOND, cents)?;
        again.original_id = Some(event.id.clone());
        scene.push(again);
    } else if scene.rng.chance(0.01) {
        let later = at + scene.rng.between(HOUR, 10 * DAY);
        let refund = scene.refund_of(&event, later, 100)?;
        scene.push(refund);
    }
    scene.push(event);
    Some(())
}

/// A purchase on the web, now and then sent back.
pub(super) fn web(scene: &mut Scene, customer: &Customer, at: i64) -> Option<()> {
    let usual = scene.rng.chance(0.6);
    let shop = match favourite(scene, &customer.webs).filter(|_| usual) {
        Some(shop) => shop,
        None => *scene.people.web_shop(&mut scene.rng)?,
    };
    let cents = shop.amount(&mut scene.rng, customer.spend);
    let session = scene.own(customer, at);
    let event = scene.web_payment(customer, &shop, at, cents, &session)?;
    if scene.rng.chance(0.1) {
        let later = at + scene.rng.between(DAY, 16 * DAY);
        let percent = if scene.rng.chance(0.7) {
            100
        } else {
            scene.rng.between(10, 90)
        };
        let refund = scene.refund_of(&event, later, percent)?;
        scene.push(refund);
    }
    scene.push(event);
    Some(())
}

/// A subscription is collected: the same amount every time, nobody present.
pub(super) fn subscription(scene: &mut Scene, customer: &Customer, at: i64) -> Option<()> {
    let shop = *scene.people.shop(*customer.webs.first()?)?;
    let cents = i64::from(customer.number % 20) * 100 + 499;
    let session = scene.own(customer, at);
    let mut event = scene.web_payment(customer, &shop, at, cents, &session)?;
    event.channel = Some(Channel::Recurring);
    (event.device, event.network, event.shipping) = (None, None, None);
    if let Some(card) = &mut event.card {
        card.details.entry_mode = Some(EntryMode::CredentialOnFile);
        card.details.cvv_check = None;
    }
    scene.push(event);
    Some(())
}

/// A payment from the wallet: to a friend, to somebody who sells, or by QR code in a shop.
pub(super) fn wallet(scene: &mut Scene, customer: &Customer, at: i64) -> Option<()> {
    let session = scene.own(customer, at);
    let to_person = scene.rng.chance(0.45);
    let event = if to_person {
        let cents = scene.rng.cents(2_400.0 * f64::from(customer.spend), 0.9);
        let round = if scene.rng.chance(0.6) {
            (cents / 500).max(1) * 500
        } else {
            cents
        };
        let mut event = scene.of(EventKind::PaymentWallet, customer, at, round)?;
        event.payee = Some(wallet_payee(scene, customer)?);
        event.remittance = if scene.rng.chance(0.5) {
            scene.remark()
        } else {
            None
        };
        event
    } else {
        let place = scene.place_of(customer, at);
        let shop = *scene.people.street_shop(&mut scene.rng, place)?;
        let cents = shop.amount(&mut scene.rng, customer.spend * 0.6);
        let mut event = scene.of(EventKind::PaymentWallet, customer, at, cents)?;
        event.merchant = scene.people.merchant(&shop, 1, scene.start);
        event
    };
    let mut event = event;
    session.put_on(&mut event);
    scene.push(event);
    Some(())
}

/// Cash from a machine.
pub(super) fn machine(scene: &mut Scene, customer: &Customer, at: i64) -> Option<()> {
    let place = scene.place_of(customer, at);
    let shop = *scene.people.machine(&mut scene.rng, place)?;
    let cents = shop.amount(&mut scene.rng, customer.spend);
    let event = scene.street_payment(customer, &shop, at, cents)?;
    if scene.rng.chance(0.02) {
        let later = at + scene.rng.between(MINUTE, HOUR / 4);
        let again = scene.street_payment(customer, &shop, later, cents)?;
        scene.push(again);
    }
    scene.push(event);
    Some(())
}

/// Somebody without an account pays in the same town, or on the web as a guest.
pub(super) fn visitor(scene: &mut Scene, customer: &Customer, at: i64) -> Option<()> {
    let people = scene.people;
    let held = stranger_of(scene.rng.below(people.visitors()) as u64)?;
    let on_web = scene.rng.chance(0.5);
    let event = if on_web {
        let shop = people.web_shop(&mut scene.rng)?;
        let cents = shop.amount(&mut scene.rng, 1.0);
        let session = scene.stranger(customer.place, 1.0);
        scene.guest_payment(shop, held, at, cents, (&session, 1.0))?
    } else {
        let shop = people.street_shop(&mut scene.rng, customer.place)?;
        let cents = shop.amount(&mut scene.rng, 1.0);
        scene.visitor_payment(shop, held, at, cents)?
    };
    if scene.rng.chance(0.03) {
        let later = at + scene.rng.between(HOUR, 10 * DAY);
        let mut refund = scene.refund_of(&event, later, 100)?;
        refund.original_id = None;
        scene.push(refund);
    }
    scene.push(event);
    Some(())
}

/// The first of four favourites twice as often as the last.
fn favourite(scene: &mut Scene, favourites: &[u32; 4]) -> Option<Shop> {
    let place = scene.rng.below(4).min(scene.rng.below(5));
    favourites
        .get(place)
        .and_then(|number| scene.people.shop(*number))
        .copied()
}

/// A friend, or one of the few to whom many pay.
fn wallet_payee(scene: &mut Scene, customer: &Customer) -> Option<Party> {
    let seller = scene.rng.chance(0.4);
    let number = if seller {
        // The same few sellers are popular everywhere.
        let crowd = scene.people.size() / 30 + 1;
        scene.rng.below(crowd) as u32
    } else {
        *scene.rng.pick(&customer.friends)?
    };
    let payee = scene.people.customer(number)?;
    let since = scene.start - i64::from(payee.known_days) * DAY;
    Some(scene.people.payee(payee, Timestamp::from_micros(since)))
}
