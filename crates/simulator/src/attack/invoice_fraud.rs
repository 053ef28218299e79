//! Invoice fraud: a company gets a supplier's invoice with a changed account and pays it, on its own
//! device and at its usual hours. Only the account is new; the name may not fit it.

use super::pause;
use crate::{identity::text, scene::Scene};
use paywarden_domain::time::{DAY, HOUR};

pub(super) fn plan(scene: &mut Scene, mut at: i64) -> Option<()> {
    let care = scene.rng.unit();
    let people = scene.people;
    let company = people.someone(&mut scene.rng, |customer| {
        customer.is_company() && customer.known_days > 0
    })?;
    let session = scene.own(company, at);
    let supplier = scene.known_payee(company)?;
    let mut payee = scene.new_payee(true);
    payee.name = supplier.name;
    payee.name_check = Some(scene.check(&[20, 20, 40, 20]));
    let stored = scene.beneficiary(company, payee.clone(), at, &session)?;
    payee.since = Some(stored.occurred_at);
    scene.push(stored);
    for _ in 0..scene.rng.between(1, 2) {
        at += scene.rng.between(HOUR, 2 * DAY);
        let cents = scene.rng.cents(380_000.0 * f64::from(company.spend), 0.7);
        let mut event = scene.transfer(company, payee.clone(), at, cents, &session)?;
        event.remittance = text(format!("invoice {}", scene.rng.between(1_000, 99_999)));
        scene.strike(event);
        at += pause(&mut scene.rng, care, 600.0, 5.0);
    }
    Some(())
}
