//! Accounts: transfers, payees, sign-ins, money in and out, changes.

use crate::{
    identity::{account_id, text},
    people::{Customer, Persona},
    rhythm,
    scene::Scene,
    session::Session,
};
use paywarden_domain::{
    EventKind,
    event::{Channel, EntryMode, Party},
    time::{DAY, HOUR, MINUTE, SECOND},
};

/// A transfer to somebody paid before, rent and suppliers among them; or once and never again.
pub(super) fn transfer(scene: &mut Scene, customer: &Customer, at: i64) -> Option<()> {
    let session = scene.own(customer, at);
    let at = signed_in(scene, customer, at, &session)?;
    let once = scene.rng.chance(0.08);
    let payee = if once {
        scene.new_payee(false)
    } else {
        scene.known_payee(customer)?
    };
    let cents = transfer_cents(scene, customer, at);
    let event = scene.transfer(customer, payee, at, cents, &session)?;
    scene.push(event);
    Some(())
}

/// A new payee, mostly paid soon after.
pub(super) fn new_payee(scene: &mut Scene, customer: &Customer, at: i64) -> Option<()> {
    let session = scene.own(customer, at);
    let at = signed_in(scene, customer, at, &session)?;
    let is_company = scene.rng.chance(0.5);
    let mut payee = scene.new_payee(is_company);
    let stored = scene.beneficiary(customer, payee.clone(), at, &session)?;
    payee.since = Some(stored.occurred_at);
    scene.push(stored);
    if scene.rng.chance(0.8) {
        let soon = scene.rng.chance(0.7);
        let wait = if soon { 20 * MINUTE } else { 5 * DAY };
        let at = at + scene.rng.between(20 * SECOND, wait);
        let cents = transfer_cents(scene, customer, at);
        let event = scene.transfer(customer, payee, at, cents, &session)?;
        scene.push(event);
    }
    Some(())
}

/// A look at the balance; now and then the password is mistyped, or forgotten and set anew.
pub(super) fn look(scene: &mut Scene, customer: &Customer, at: i64) -> Option<()> {
    let session = scene.own(customer, at);
    let mistyped = scene.rng.weighted(&[900, 70, 20, 7, 3]) as i64;
    for attempt in 0..mistyped {
        let event = scene.login(customer, at + attempt * 12 * SECOND, false, &session)?;
        scene.push(event);
    }
    let at = at + mistyped * 12 * SECOND;
    let event = scene.login(customer, at, true, &session)?;
    scene.push(event);
    if mistyped > 2 {
        let at = at + scene.rng.between(30 * SECOND, 5 * MINUTE);
        let event = scene.change(EventKind::PasswordChanged, customer, at, &session)?;
        scene.live(customer, |life| life.changed_at = at);
        scene.push(event);
    }
    Some(())
}

/// Money comes in: wages in the last days of a month, else what was moved from another bank.
pub(super) fn topup(scene: &mut Scene, customer: &Customer, at: i64) -> Option<()> {
    let local = scene.people.place(customer.place)?.local(at);
    let wages = rhythm::date(local).day >= 25 && customer.persona == Persona::Worker;
    let (median, deviation) = if wages {
        (240_000.0, 0.3)
    } else {
        (12_000.0, 1.0)
    };
    let cents = scene
        .rng
        .cents(median * f64::from(customer.spend), deviation);
    let round = if wages {
        cents
    } else {
        (cents / 1_000).max(1) * 1_000
    };
    let mut event = scene.of(EventKind::Topup, customer, at, round)?;
    let session = scene.own(customer, at);
    if wages {
        event.channel = Some(Channel::Api);
        event.remittance = text("wages");
    } else if scene.rng.chance(0.35) {
        let cash = scene.rng.chance(0.3);
        event.channel = Some(if cash { Channel::Atm } else { Channel::Api });
        event.remittance = scene.remark();
    } else {
        session.put_on(&mut event);
        if scene.rng.chance(0.4) {
            let mut card = scene.own_card(customer)?;
            let stored = scene.rng.chance(0.6);
            card.details.entry_mode = Some(if stored {
                EntryMode::CredentialOnFile
            } else {
                EntryMode::Ecommerce
            });
            card.details.cvv_check = (!stored).then(|| scene.check(&[95, 0, 2, 3]));
            event.card = Some(card);
        }
    }
    scene.push(event);
    Some(())
}

/// Money leaves to the customer's own account at another bank, or to somebody else's.
pub(super) fn payout(scene: &mut Scene, customer: &Customer, at: i64) -> Option<()> {
    let cents = scene.rng.cents(22_000.0 * f64::from(customer.spend), 0.9);
    let mut event = scene.of(EventKind::Payout, customer, at, cents)?;
    let session = scene.own(customer, at);
    session.put_on(&mut event);
    let to_other = scene
        .rng
        .chance(if customer.is_company() { 0.6 } else { 0.12 });
    event.payee = match to_other {
        true if scene.rng.chance(0.3) => Some(scene.new_payee(false)),
        true => scene.known_payee(customer),
        false => Some(Party {
            name: text(customer.name()),
            account: text(format!("own-{}", account_id(customer.number))),
            country: scene.people.place(customer.place)?.country,
            is_company: Some(customer.is_company()),
            ..Party::default()
        }),
    };
    event.remittance = if scene.rng.chance(0.3) {
        scene.remark()
    } else {
        None
    };
    scene.push(event);
    Some(())
}

/// A card is stored, or the password or address changes.
pub(super) fn change(scene: &mut Scene, customer: &Customer, at: i64) -> Option<()> {
    let kinds = [
        EventKind::CardAdded,
        EventKind::ContactChanged,
        EventKind::PasswordChanged,
    ];
    let kind = *kinds.get(scene.rng.weighted(&[5, 3, 3]))?;
    let session = scene.own(customer, at);
    let mut event = scene.change(kind, customer, at, &session)?;
    if kind == EventKind::CardAdded {
        event.card = scene.own_card(customer);
    } else {
        scene.live(customer, |life| life.changed_at = at);
    }
    scene.push(event);
    Some(())
}

/// Signs in first, more often than not, and says when the customer goes on.
pub(super) fn signed_in(
    scene: &mut Scene,
    customer: &Customer,
    at: i64,
    session: &Session,
) -> Option<i64> {
    if scene.rng.chance(0.3) {
        return Some(at);
    }
    let event = scene.login(customer, at, true, session)?;
    scene.push(event);
    Some(at + scene.rng.between(8 * SECOND, 4 * MINUTE))
}

/// Rent in the first days of a month, else small things and now and then a big one.
fn transfer_cents(scene: &mut Scene, customer: &Customer, at: i64) -> i64 {
    let spend = f64::from(customer.spend);
    let rent = rhythm::date(at - 12 * HOUR).day <= 4 && scene.rng.chance(0.4);
    let (median, deviation) = match scene.rng.below(40) {
        _ if rent => (110_000.0, 0.3),
        0 => (600_000.0, 0.7),
        1..=6 => (60_000.0, 0.8),
        _ if customer.is_company() => (45_000.0, 1.1),
        _ => (7_500.0, 1.0),
    };
    let cents = scene.rng.cents(median * spend, deviation);
    if scene.rng.chance(0.45) {
        (cents / 1_000).max(1) * 1_000
    } else {
        cents
    }
}
