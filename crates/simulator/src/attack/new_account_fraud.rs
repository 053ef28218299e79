//! New-account fraud: invented people sign up, load their wallets from stolen cards and cash out.
//! The hurried open several from one device; the careful give each a device and a few days.

use super::pause;
use crate::{OutgoingEvent, identity::text, scene::Scene, session::Session, word};
use paywarden_domain::{
    EventKind, Timestamp,
    event::{Account, EntryMode, Party},
};

pub(super) fn plan(scene: &mut Scene, mut at: i64) -> Option<()> {
    let care = scene.rng.unit();
    let place = scene.rng.below(scene.people.places.len()) as u8;
    let mut session = scene.stranger(place, care);
    for _ in 0..scene.rng.between(2, 5) {
        if scene.rng.chance(0.1 + 0.8 * care) {
            session = scene.stranger(place, care);
        }
        invented(scene, place, at, care, &session)?;
        at += pause(&mut scene.rng, care, 6.0, 60.0);
    }
    Some(())
}

fn invented(scene: &mut Scene, place: u8, mut at: i64, care: f64, session: &Session) -> Option<()> {
    let people = scene.people;
    let number = scene.rng.below(100_000_000);
    let mut payer = people.outsider(scene.rng.bits(), false);
    payer.id = text(format!("c-9{number:08}"));
    payer.account = None;
    payer.country = people.place(place)?.country;
    payer.since = Some(Timestamp::from_micros(at));
    payer.kyc_level = Some(1);
    let domain = match scene.rng.chance(0.6 - 0.5 * care) {
        true => scene.rng.word(&word::THROWAWAY),
        false => scene.rng.word(&word::DOMAINS),
    };
    payer.email = text(format!("{number}@{domain}"));
    payer.phone = text(format!("+9998{number:08}"));
    let born = (
        scene.rng.between(1960, 2006),
        scene.rng.between(1, 12),
        scene.rng.between(1, 28),
    );
    payer.birth_date = text(format!("{}-{:02}-{:02}", born.0, born.1, born.2));
    let account = format!("acc-9{number:08}");
    let of = |scene: &mut Scene, kind, at| about(scene, kind, at, (&payer, &account), session);
    let event = of(scene, EventKind::Signup, at)?;
    scene.strike(event);
    at += pause(&mut scene.rng, care, 3.0, 400.0);
    let mut event = of(scene, EventKind::Topup, at)?;
    let cents = scene.rng.cents(30_000.0 * (1.4 - care), 0.6);
    event.amount = people.place(place)?.money(cents);
    let held = scene.stranger_card()?;
    let mut card = scene.card(held, people.place(place)?.country);
    card.details.entry_mode = Some(EntryMode::Ecommerce);
    card.details.cvv_check = Some(scene.check(&[70, 0, 20, 10]));
    event.card = Some(card);
    scene.strike(event);
    at += pause(&mut scene.rng, care, 10.0, 200.0);
    let mut event = of(scene, EventKind::Payout, at)?;
    event.amount = people.place(place)?.money(cents * 95 / 100);
    event.payee = Some(scene.new_payee(false));
    scene.strike(event);
    Some(())
}

fn about(
    scene: &mut Scene,
    kind: EventKind,
    at: i64,
    (payer, account): (&Party, &str),
    session: &Session,
) -> Option<OutgoingEvent> {
    let mut event = scene.event(kind, at)?;
    event.payer = Some(payer.clone());
    let cents = scene.rng.cents(60_000.0, 1.0);
    let place = scene
        .people
        .places
        .iter()
        .find(|place| place.country == payer.country);
    event.account = Some(Account {
        id: text(account),
        opened_at: payer.since,
        balance: place.and_then(|place| place.money(cents)),
        recently_changed: Some(false),
        login_succeeded: None,
    });
    session.put_on(&mut event);
    Some(event)
}
