//! Events as honest people cause them; attacks take these and bend them.

use crate::{
    OutgoingCard, OutgoingEvent,
    card::Held,
    identity::text,
    people::Customer,
    rhythm::date,
    scene::Scene,
    session::Session,
    shop::{Reach, Shop},
    word,
};
use paywarden_domain::{
    Country, EventKind, Timestamp,
    event::{AttributeValue, Channel, CheckResult, EntryMode, Party, Text, ThreeDs},
    time::DAY,
};

impl Scene<'_> {
    /// A card as it is put into a payment.
    pub fn card(&self, held: Held, issuer_country: Option<Country>) -> OutgoingCard {
        let mut details = held.details(date(self.start).year);
        details.issuer_country = issuer_country;
        OutgoingCard {
            number: held.number(),
            details,
        }
    }

    /// One of a customer's cards; nearly always the first.
    pub fn own_card(&mut self, customer: &Customer) -> Option<OutgoingCard> {
        let usual = self.rng.chance(0.8);
        let slot = if usual {
            0
        } else {
            self.rng.below(usize::from(customer.cards)) as u8
        };
        let country = self
            .people
            .place(customer.place)
            .and_then(|place| place.country);
        Some(self.card(self.people.held(customer, slot)?, country))
    }

    /// A purchase in a shop, or money from a machine.
    pub fn street_payment(
        &mut self,
        customer: &Customer,
        shop: &Shop,
        at: i64,
        cents: i64,
    ) -> Option<OutgoingEvent> {
        let terminal = self.rng.between(1, i64::from(shop.terminals)) as u8;
        let machine = shop.category().reach == Reach::Machine;
        let cents = if machine {
            (cents / 2_000).max(1) * 2_000
        } else {
            cents
        };
        let mut event = self.of(EventKind::PaymentCard, customer, at, cents)?;
        event.amount = self.people.place(shop.place)?.money(cents);
        event.channel = Some(if machine { Channel::Atm } else { Channel::Pos });
        event.merchant = self.people.merchant(shop, terminal, self.start);
        let mut card = self.own_card(customer)?;
        card.details.entry_mode = Some(match self.rng.below(50) {
            0 => EntryMode::Magstripe,
            _ if machine => EntryMode::Chip,
            1..=12 => EntryMode::Chip,
            13..=20 => EntryMode::Token,
            _ => EntryMode::Contactless,
        });
        event.card = Some(card);
        Some(event)
    }

    /// A purchase on the web.
    pub fn web_payment(
        &mut self,
        customer: &Customer,
        shop: &Shop,
        at: i64,
        cents: i64,
        session: &Session,
    ) -> Option<OutgoingEvent> {
        let mut event = self.of(EventKind::PaymentCard, customer, at, cents)?;
        session.put_on(&mut event);
        event.merchant = self.people.merchant(shop, 0, self.start);
        event.billing = self.people.address(customer);
        event.shipping = match self.rng.below(20) {
            0..=8 => None,
            9 => customer
                .friends
                .first()
                .and_then(|friend| self.people.customer(*friend))
                .and_then(|friend| self.people.address(friend)),
            _ => event.billing.clone(),
        };
        let mut card = self.own_card(customer)?;
        let stored = customer.webs.contains(&shop.number) && self.rng.chance(0.6);
        card.details.entry_mode = Some(if stored {
            EntryMode::CredentialOnFile
        } else {
            EntryMode::Ecommerce
        });
        card.details.holder_name = text(customer.name());
        card.details.avs = Some(self.check(&[88, 7, 2, 3]));
        card.details.cvv_check = (!stored).then(|| self.check(&[95, 0, 2, 3]));
        card.details.three_ds = Some(match self.rng.below(10) {
            0..=3 => ThreeDs::Authenticated,
            4 => ThreeDs::Attempted,
            5 if self.rng.chance(0.08) => ThreeDs::Failed,
            _ => ThreeDs::NotRequested,
        });
        event.card = Some(card);
        self.fill_basket(&mut event);
        Some(event)
    }

    /// A credit transfer.
    pub fn transfer(
        &mut self,
        customer: &Customer,
        payee: Party,
        at: i64,
        cents: i64,
        session: &Session,
    ) -> Option<OutgoingEvent> {
        let mut event = self.of(EventKind::PaymentTransfer, customer, at, cents)?;
        session.put_on(&mut event);
        event.payee = Some(payee);
        event.remittance = match self.rng.below(10) {
            0..=3 => None,
            _ if customer.is_company() => {
                text(format!("invoice {}", self.rng.between(1_000, 99_999)))
            }
            _ => self.remark(),
        };
        Some(event)
    }

    /// A sign-in, or the attempt at one.
    pub fn login(
        &mut self,
        customer: &Customer,
        at: i64,
        succeeded: bool,
        session: &Session,
    ) -> Option<OutgoingEvent> {
        let mut event = self.change(EventKind::Login, customer, at, session)?;
        if let Some(account) = &mut event.account {
            account.login_succeeded = Some(succeeded);
        }
        Some(event)
    }

    /// Something about an account that moves no money.
    pub fn change(
        &mut self,
        kind: EventKind,
        customer: &Customer,
        at: i64,
        session: &Session,
    ) -> Option<OutgoingEvent> {
        let mut event = self.of(kind, customer, at, 0)?;
        session.put_on(&mut event);
        Some(event)
    }

    /// Storing a payee.
    pub fn beneficiary(
        &mut self,
        customer: &Customer,
        payee: Party,
        at: i64,
        session: &Session,
    ) -> Option<OutgoingEvent> {
        let mut event = self.change(EventKind::BeneficiaryAdded, customer, at, session)?;
        event.payee = Some(payee);
        Some(event)
    }

    /// Money from a purchase goes back, wholly or in part, to the card that paid.
    pub fn refund_of(
        &mut self,
        purchase: &OutgoingEvent,
        at: i64,
        percent: i64,
    ) -> Option<OutgoingEvent> {
        let mut refund = self.event(EventKind::Refund, at)?;
        refund.amount = purchase.amount.map(|mut amount| {
            amount.minor = (amount.minor * percent / 100).max(1);
            amount
        });
        refund.payer.clone_from(&purchase.payer);
        refund.merchant.clone_from(&purchase.merchant);
        refund.card.clone_from(&purchase.card);
        refund.account.clone_from(&purchase.account);
        refund.channel = purchase.channel;
        refund.original_id = Some(purchase.id.clone());
        if purchase.channel != Some(Channel::Pos) {
            let reason = text(self.rng.word(&word::REASONS))?;
            add_attribute(&mut refund, "reason", AttributeValue::Text(reason));
        }
        Some(refund)
    }

    /// What else the shop tells of a purchase.
    pub fn fill_basket(&mut self, event: &mut OutgoingEvent) {
        let items = AttributeValue::Integer(self.rng.between(1, 6));
        add_attribute(event, "basket_items", items);
    }

    /// A payee that a customer has paid for long: a friend or a company elsewhere.
    pub fn known_payee(&mut self, customer: &Customer) -> Option<Party> {
        let since = self.start - self.rng.between(20, 900) * DAY;
        let slot = self.rng.below(8);
        if let Some(friend) = customer.friends.get(slot) {
            let friend = self.people.customer(*friend)?;
            return Some(self.people.payee(friend, Timestamp::from_micros(since)));
        }
        // One company in forty customers: a landlord or supplier is paid by many.
        let companies = self.people.size() as u64 / 40 + 1;
        let key = (u64::from(customer.number) * 5 + slot as u64) % companies;
        let mut payee = self.people.outsider(key, true);
        payee.since = Some(Timestamp::from_micros(since));
        payee.name_check = Some(self.check(&[90, 5, 1, 4]));
        Some(payee)
    }

    /// A payee never paid before.
    pub fn new_payee(&mut self, is_company: bool) -> Party {
        let mut payee = self.people.outsider(self.rng.bits(), is_company);
        let asked = self.rng.chance(0.9);
        payee.name_check = asked.then(|| self.check(&[80, 9, 4, 7]));
        payee
    }

    /// The result of a check: match, partial, no match or unavailable, by these weights.
    pub fn check(&mut self, weights: &[u16; 4]) -> CheckResult {
        let results = CheckResult::ALL;
        results
            .get(self.rng.weighted(weights))
            .copied()
            .unwrap_or(CheckResult::Unavailable)
    }

    /// What an honest person writes beside a transfer; one in fifty sounds alarming.
    pub fn remark(&mut self) -> Option<Text> {
        let alarming = self.rng.chance(0.02);
        text(if alarming {
            self.rng.word(&word::PRESSED_REMARKS)
        } else {
            self.rng.word(&word::REMARKS)
        })
    }
}

/// An event has few attributes, so there is always room for one more.
fn add_attribute(event: &mut OutgoingEvent, name: &str, value: AttributeValue) {
    if let Some(name) = text(name) {
        let _there_is_room = event.attributes.push(name, value);
    }
}
