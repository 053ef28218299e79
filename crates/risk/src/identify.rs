//! Who and what takes part in an event: the keys that windows and lists run on.

use paywarden_domain::{
    Card, Event, Money, TenantId,
    event::{AttributeValue, Channel},
};
use paywarden_features::{EntityKind, FeatureEvent, event::Place};
use paywarden_rules::Rates;
use siphasher::sip::SipHasher24;
use std::{borrow::Cow, hash::Hasher, net::IpAddr};

/// Tells what is drawn by chance apart from every kind of entity.
const DRAW: u8 = u8::MAX;
/// Tells a rule apart from every kind of entity.
const RULE: u8 = u8::MAX - 1;

/// The attribute that says what kind of customer the payer is.
const CUSTOMER_TYPE: &str = "customer_type";
const UNTOLD: &str = "-";

/// The key of each entity that takes part in one event, as text.
pub(crate) struct Keys<'a>([Option<Cow<'a, str>>; EntityKind::ALL.len()]);

impl<'a> Keys<'a> {
    /// The entities of an event. What the event does not carry is absent, never empty.
    pub(crate) fn of(event: &'a Event<Card>) -> Self {
        let mut keys = Self(std::array::from_fn(|_| None));
        for kind in EntityKind::ALL {
            keys.0[kind as usize] = key(kind, event).filter(|key| !key.is_empty());
        }
        keys
    }

    /// The key of one entity.
    pub(crate) fn get(&self, kind: EntityKind) -> Option<&str> {
        self.0[kind as usize].as_deref()
    }
}

/// The key of an event's entity of a kind, as lists have it.
pub(crate) fn key(kind: EntityKind, event: &Event<Card>) -> Option<Cow<'_, str>> {
    fn borrowed(text: Option<&paywarden_domain::event::Text>) -> Option<Cow<'_, str>> {
        text.map(|text| Cow::Borrowed(text.as_str()))
    }
    let payer = event.payer.as_ref();
    let merchant = event.merchant.as_ref();
    match kind {
        EntityKind::Card => event
            .card
            .as_ref()
            .map(|card| Cow::Borrowed(card.index.as_str())),
        EntityKind::Bin => borrowed(event.card.as_ref()?.bin.as_ref()),
        EntityKind::Account => {
            let own = event
                .account
                .as_ref()
                .and_then(|account| account.id.as_ref());
            borrowed(own.or_else(|| payer?.account.as_ref()))
        }
        EntityKind::Customer => borrowed(payer?.id.as_ref()),
        EntityKind::Device => borrowed(event.device.as_ref()?.id.as_ref()),
        EntityKind::Ip => event
            .network
            .as_ref()?
            .ip
            .map(|ip| Cow::Owned(network(ip.0))),
        EntityKind::Merchant => borrowed(merchant?.id.as_ref()),
        EntityKind::Terminal => terminal(event),
        EntityKind::Payee => {
            let payee = event.payee.as_ref()?;
            borrowed(payee.account.as_ref().or(payee.id.as_ref()))
        }
        EntityKind::Email => payer?
            .email
            .as_ref()
            .map(|email| Cow::Owned(email.to_lowercase())),
        EntityKind::Phone => borrowed(payer?.phone.as_ref()),
        EntityKind::Segment => segment(event),
    }
}

/// An IPv4 address as it is; of an IPv6 address its /64, which is what one subscriber has.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// The kind of customer that pays: person or company, country, and what the caller calls them, `-`
/// for what is not told. None where neither the first nor the last is, or nobody is named who would
/// count as a member.
fn segment(event: &Event<Card>) -> Option<Cow<'_, str>> {
    let payer = event.payer.as_ref().filter(|payer| payer.id.is_some())?;
    let called = match event.attributes.find(CUSTOMER_TYPE) {
        Some(AttributeValue::Text(called)) if !called.is_empty() => Some(called.as_str()),
        _ => None,
    };
    let person = payer.is_company.map(|is_company| match is_company {
        true => "company",
        false => "person",
    });
    called.or(person)?;
    let country = payer
        .country
        .as_ref()
        .map_or(UNTOLD, |country| country.code());
    let [person, called] = [person, called].map(|part| part.unwrap_or(UNTOLD));
    Some(Cow::Owned(format!("{person}/{country}/{called}")))
}

fn terminal(event: &Event<Card>) -> Option<Cow<'_, str>> {
    let merchant = event.merchant.as_ref()?;
    let terminal = merchant.terminal_id.as_ref()?;
    Some(match &merchant.id {
        Some(merchant) => Cow::Owned(format!("{}/{}", merchant.as_str(), terminal.as_str())),
        None => Cow::Borrowed(terminal.as_str()),
    })
}

/// Turns entity keys into the numbers that windows are kept under.
///
/// SipHash-2-4 under a key of this installation (Aumasson and Bernstein, 2012): nobody outside can
/// make two entities collide, and by chance two of ten million do with probability 3 in a million.
#[derive(Clone)]
pub(crate) struct EntityHasher {
    key: [u8; 16],
}

impl EntityHasher {
    pub(crate) fn new(derived: &[u8; 32]) -> Self {
        let mut key = [0; 16];
        key.copy_from_slice(&derived[..16]);
        Self { key }
    }

    /// The number of an entity. An account has one number on both sides of a payment, so that what
    /// it received is seen beside what it sent.
    pub(crate) fn hash(&self, tenant: &TenantId, kind: EntityKind, key: &str) -> u64 {
        let space = match kind {
            EntityKind::Payee => EntityKind::Account,
            kind => kind,
        };
        self.sum(tenant, space as u8, key).max(1)
    }

    /// The number of a rule.
    pub(crate) fn rule(&self, tenant: &TenantId, rule: &str) -> u64 {
        self.sum(tenant, RULE, rule)
    }

    /// Whether a payment is one of about one in so many. The same payment always is, or never, and
    /// nobody outside can tell which are.
    pub(crate) fn is_drawn(&self, tenant: &TenantId, payment: &str, one_in: u16) -> bool {
        self.sum(tenant, DRAW, payment)
            .is_multiple_of(u64::from(one_in))
    }

    fn sum(&self, tenant: &TenantId, space: u8, text: &str) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.key);
        hasher.write(tenant.as_str().as_bytes());
        hasher.write(&[0, space]);
        hasher.write(text.as_bytes());
        hasher.finish()
    }

    /// The event as the windows see it.
    pub(crate) fn feature_event(
        &self,
        tenant: &TenantId,
        event: &Event<Card>,
        keys: &Keys<'_>,
        rates: &Rates,
    ) -> FeatureEvent {
        let merchant = event.merchant.as_ref();
        let country = merchant
            .and_then(|merchant| merchant.country)
            .or_else(|| event.network.as_ref().and_then(|network| network.country));
        let mcc = merchant.and_then(|merchant| merchant.mcc.as_ref());
        let mut entities = [0; EntityKind::ALL.len()];
        for kind in EntityKind::ALL {
            if let Some(key) = keys.get(kind) {
                entities[kind as usize] = self.hash(tenant, kind, key);
            }
        }
        FeatureEvent {
            at: event.occurred_at.micros(),
            amount: event.amount.and_then(|amount| rates.to_base(amount).ok()),
            kind: event.kind,
            country: country.map_or(0, |country| country.number()),
            mcc: mcc.and_then(|mcc| mcc.parse().ok()).unwrap_or(0),
            place: place(event),
            entities,
        }
    }
}

/// Where the payer is: where the device says, else where the point of sale stands, unless the payer
/// is not there.
fn place(event: &Event<Card>) -> Option<Place> {
    let device = event.device.as_ref().and_then(|device| device.location);
    let network = event.network.as_ref().and_then(|network| network.location);
    let present = matches!(
        event.channel,
        Some(Channel::Pos | Channel::Atm | Channel::Branch)
    );
    let merchant = event.merchant.as_ref().filter(|_| present);
    let location = device
        .or_else(|| merchant.and_then(|merchant| merchant.location))
        .or(network)?;
    let micro = |degrees: f64| (degrees * 1e6).round() as i32;
    Some((micro(location.latitude), micro(location.longitude)))
}

/// Whether the amount is a whole multiple of 100 major units, as amounts chosen by people are.
pub(crate) fn is_round(amount: Money) -> bool {
    let unit = 100 * 10_i64.pow(u32::from(amount.currency.decimals()));
    amount.minor > 0 && amount.minor % unit == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use paywarden_domain::CardInput;
    use serde_json::{Value, json};

    fn segment_of(payer: Value, attributes: Value) -> Option<String> {
        let event = json!({
            "id": "p", "type": "payment.transfer", "occurred_at": "2026-01-01T00:00:00Z",
            "payer": payer, "attributes": attributes,
        });
        let event: Event<CardInput> = serde_json::from_value(event).unwrap();
        let Ok(event) = event.map_card(|_| Err::<Card, ()>(())) else {
            panic!("no card is given");
        };
        key(EntityKind::Segment, &event).map(Cow::into_owned)
    }

    #[test]
    fn a_segment_is_what_is_told_of_a_named_payer() {
        let student = json!({ "customer_type": "student" });
        let of = |payer, attributes: &Value| segment_of(payer, attributes.clone());
        let whole = json!({ "id": "c", "is_company": false, "country": "CN" });
        assert_eq!(of(whole.clone(), &student).unwrap(), "person/CN/student");
        assert_eq!(of(whole, &json!({})).unwrap(), "person/CN/-");
        assert_eq!(of(json!({ "id": "c" }), &student).unwrap(), "-/-/student");
        let company = json!({ "id": "c", "is_company": true });
        assert_eq!(
            of(company, &json!({ "customer_type": 7 })).unwrap(),
            "company/-/-"
        );
        // A country alone is no kind of customer, and nobody is no member.
        assert_eq!(of(json!({ "id": "c", "country": "CN" }), &json!({})), None);
        assert_eq!(
            of(json!({ "is_company": true, "country": "CN" }), &student),
            None
        );
        // What is called with a stroke is not another country's.
        let odd = json!({ "customer_type": "CN/student" });
        assert_eq!(of(json!({ "id": "c" }), &odd).unwrap(), "-/-/CN/student");
    }
}
