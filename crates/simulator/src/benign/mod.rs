//! Ordinary life: what customers do when nobody attacks them.

mod banking;
mod life;
mod lookalike;
mod shopping;

use crate::{people::Customer, scene::Scene};

/// Something a customer does, as one or more events from `at` on.
type Activity = fn(&mut Scene, &Customer, i64) -> Option<()>;

const ACTIVITIES: [Activity; 12] = [
    shopping::street,
    shopping::web,
    shopping::subscription,
    shopping::wallet,
    shopping::machine,
    shopping::visitor,
    banking::transfer,
    banking::new_payee,
    banking::look,
    banking::topup,
    banking::payout,
    banking::change,
];

/// How many of a thousand activities, by persona and activity.
const HABITS: [[u16; ACTIVITIES.len()]; 6] = [
    [330, 130, 40, 130, 15, 90, 80, 8, 200, 30, 5, 6],
    [210, 170, 45, 270, 10, 90, 45, 6, 200, 30, 2, 8],
    [400, 60, 20, 25, 45, 90, 110, 5, 170, 12, 3, 3],
    [330, 210, 35, 100, 25, 90, 55, 5, 200, 22, 5, 6],
    [140, 120, 25, 210, 5, 80, 45, 8, 230, 12, 80, 6],
    [90, 160, 70, 20, 5, 70, 240, 30, 200, 45, 45, 6],
];

/// What happens now and then instead, and once in how many activities.
const EVENTS_OF_LIFE: [(Activity, f64); 9] = [
    (life::trip, 1.0 / 400.0),
    (life::new_phone, 1.0 / 700.0),
    (lookalike::payroll, 1.0 / 4_000.0),
    (lookalike::savings_circle, 1.0 / 5_000.0),
    (lookalike::charity_drive, 1.0 / 8_000.0),
    (lookalike::small_payments, 1.0 / 2_500.0),
    (lookalike::great_purchase, 1.0 / 1_500.0),
    (lookalike::market_takings, 1.0 / 2_500.0),
    (lookalike::supported, 1.0 / 2_000.0),
];

/// Plans what a customer does from `at` on.
pub(crate) fn plan(scene: &mut Scene, customer: &Customer, at: i64) -> Option<()> {
    if !scene.is_known(customer, at) {
        return life::signup(scene, customer, at);
    }
    let mut draw = scene.rng.unit();
    for (happening, likelihood) in EVENTS_OF_LIFE {
        draw -= likelihood;
        if draw < 0.0 {
            return happening(scene, customer, at);
        }
    }
    let habits = HABITS.get(customer.persona as usize)?;
    let activity = ACTIVITIES.get(scene.rng.weighted(habits))?;
    activity(scene, customer, at)
}
