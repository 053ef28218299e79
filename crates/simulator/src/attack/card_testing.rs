//! Card testing: numbers bought by the thousand are tried at a shop that asks little.
//! The hurried send one every few seconds from one device; the careful rotate both and wait.

use super::pause;
use crate::scene::Scene;

const TARGETS: [&str; 5] = ["charity", "games", "software", "telecom", "gift_card"];

pub(super) fn plan(scene: &mut Scene, mut at: i64) -> Option<()> {
    let care = scene.rng.unit();
    let people = scene.people;
    let shop = people.web_shop_of(&mut scene.rng, &TARGETS)?;
    let mut session = scene.stranger(shop.place, care);
    let mut held = scene.stranger_card()?;
    let longest = 12 + (30.0 * (1.0 - care)) as i64;
    for _ in 0..scene.rng.between(8, longest) {
        if scene.rng.chance(0.03 + 0.5 * care) {
            session = scene.stranger(shop.place, care);
        }
        // A number is given up after a try or two; some belong to customers of ours.
        if scene.rng.chance(0.75) {
            held = match scene.rng.chance(0.3) {
                true => people.held(people.anyone(&mut scene.rng)?, 0)?,
                false => scene.stranger_card()?,
            };
        }
        let dear = if scene.rng.chance(0.15 + 0.3 * care) {
            2_500
        } else {
            400
        };
        let cents = scene.rng.between(50, dear);
        let event = scene.guest_payment(shop, held, at, cents, (&session, 0.2 + 0.3 * care))?;
        scene.strike(event);
        at += pause(&mut scene.rng, care, 0.25, 120.0);
    }
    Some(())
}
