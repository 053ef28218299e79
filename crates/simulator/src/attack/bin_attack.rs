//! BIN attack: numbers of one issuer are guessed in a row until one is accepted. The code and the
//! address are guessed as well, so most checks fail.

use super::pause;
use crate::{
    card::{Held, STRANGE_ISSUERS, TEST_RANGES},
    scene::Scene,
};

pub(super) fn plan(scene: &mut Scene, mut at: i64) -> Option<()> {
    let care = scene.rng.unit();
    let people = scene.people;
    let mut shop = people.web_shop(&mut scene.rng)?;
    let mut session = scene.stranger(shop.place, care);
    let range = *scene.rng.pick(&TEST_RANGES)?;
    let issuer = STRANGE_ISSUERS.start + scene.rng.below(STRANGE_ISSUERS.len()) as u8;
    let first = 8_000_000 + scene.rng.below(900_000) as u64;
    let longest = 16 + (30.0 * (1.0 - care)) as i64;
    for step in 0..scene.rng.between(12, longest) as u64 {
        if scene.rng.chance(0.6 * care) {
            session = scene.stranger(shop.place, care);
            shop = people.web_shop(&mut scene.rng)?;
        }
        let held = Held {
            range,
            issuer,
            key: first + step,
        };
        let cents = scene.rng.between(1, 300);
        let event = scene.guest_payment(shop, held, at, cents, (&session, 0.02))?;
        scene.strike(event);
        at += pause(&mut scene.rng, care, 0.1, 60.0);
    }
    Some(())
}
