//! Purchases by people without an account: visitors, and those who hold somebody else's card.

use crate::{
    OutgoingCard, OutgoingEvent,
    card::Held,
    identity::{stranger_of, text},
    people::Customer,
    scene::Scene,
    session::Session,
    shop::Shop,
    word,
};
use paywarden_domain::{
    EventKind,
    event::{EntryMode, Text, ThreeDs},
};

impl Scene<'_> {
    /// A purchase on the web without an account. `knows` from 0 to 1: how much of the cardholder's
    /// data the payer has; visitors have all of it.
    pub fn guest_payment(
        &mut self,
        shop: &Shop,
        held: Held,
        at: i64,
        cents: i64,
        (session, knows): (&Session, f64),
    ) -> Option<OutgoingEvent> {
        let people = self.people;
        let holder = people.holder(held);
        let place = match holder {
            Some(holder) => holder.place,
            None => self.rng.below(people.places.len()) as u8,
        };
        let known = holder.filter(|_| self.rng.chance(knows));
        let place = people.place(place)?;
        let mut event = self.event(EventKind::PaymentCard, at)?;
        session.put_on(&mut event);
        event.amount = place.money(cents);
        event.merchant = people.merchant(shop, 0, self.start);
        let some_address = people.address(people.anyone(&mut self.rng)?);
        event.billing = known
            .and_then(|holder| people.address(holder))
            .or(some_address);
        let mut payer = people.outsider(self.rng.bits(), false);
        payer.account = None;
        payer.country = place.country;
        if let Some(holder) = known {
            payer.name = text(holder.name());
        }
        payer.email = self.guest_email(knows);
        let mut card = self.card(held, place.country);
        card.details.holder_name.clone_from(&payer.name);
        self.check_guest(&mut card, knows);
        event.payer = Some(payer);
        event.card = Some(card);
        self.fill_basket(&mut event);
        Some(event)
    }

    /// A visitor pays in a shop: the terminal knows the card and nothing else.
    pub fn visitor_payment(
        &mut self,
        shop: &Shop,
        held: Held,
        at: i64,
        cents: i64,
    ) -> Option<OutgoingEvent> {
        let anyone = *self.people.anyone(&mut self.rng)?;
        let mut event = self.street_payment(&anyone, shop, at, cents)?;
        let entry_mode = event.card.and_then(|card| card.details.entry_mode);
        let country = self
            .people
            .place(anyone.place)
            .and_then(|place| place.country);
        let mut card = self.card(held, country);
        card.details.entry_mode = entry_mode;
        event.card = Some(card);
        (event.payer, event.account) = (None, None);
        Some(event)
    }

    /// A card that belongs to nobody in the population: of a visitor, or never seen.
    pub fn stranger_card(&mut self) -> Option<Held> {
        let seen = self.rng.chance(0.4);
        let limit = if seen {
            self.people.visitors()
        } else {
            900_000
        };
        stranger_of(self.rng.below(limit) as u64)
    }

    fn check_guest(&mut self, card: &mut OutgoingCard, knows: f64) {
        let right = (knows * 90.0) as u16;
        card.details.entry_mode = Some(EntryMode::Ecommerce);
        card.details.avs = Some(self.check(&[right, 8, 62 - right * 2 / 3, 14 - right / 10]));
        card.details.cvv_check = Some(self.check(&[10 + right, 0, 82 - right * 8 / 9, 6]));
        let answered = (knows * 8.0) as u16;
        card.details.three_ds = Some(match self.rng.weighted(&[2 + answered, 2, 1, 25]) {
            0 if knows > 0.99 => ThreeDs::Authenticated,
            0 | 2 => ThreeDs::Failed,
            1 => ThreeDs::Attempted,
            _ => ThreeDs::NotRequested,
        });
    }

    fn guest_email(&mut self, knows: f64) -> Option<Text> {
        let throwaway = self.rng.chance(0.02 + 0.5 * (1.0 - knows));
        let domain = match throwaway {
            true => self.rng.word(&word::THROWAWAY),
            false => self.rng.word(&word::DOMAINS),
        };
        text(format!("{:x}@{domain}", self.rng.bits() >> 24))
    }
}

impl crate::Population {
    /// How many people without an account come again and again.
    pub(crate) fn visitors(&self) -> usize {
        self.size() / 4
    }

    /// The customer who holds a card.
    fn holder(&self, held: Held) -> Option<&Customer> {
        let number = u32::try_from(held.key / 4).ok()?;
        self.customer(number).filter(|_| !held.is_strange())
    }
}
