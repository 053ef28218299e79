//! Whether a transfer carries who pays and who is paid, as the Travel Rule of the company's country
//! asks for at its amount (FATF Recommendation 16, Regulation (EU) 2023/1113, 31 CFR 1010.410(f)).

use paywarden_domain::{Card, Event, EventKind, TenantId};
use paywarden_filings::{Profile, Rates, travel};
use paywarden_rules::{Field, FieldValue, Slots};
use std::collections::HashMap;

/// The attributes that hold what an event has no field for.
const PAYER_DOCUMENT: &str = "payer_document";
const PAYEE_ADDRESS: &str = "payee_address";
const PAYEE_DOCUMENT: &str = "payee_document";

/// The countries of companies, and what amounts are worth.
#[derive(Debug, Clone, Default)]
pub struct Jurisdictions {
    /// The profile of each company; of one that is not here no rule is known.
    pub profiles: HashMap<TenantId, Profile>,
    /// Rates into one currency, for thresholds in another than the payment's.
    pub rates: Rates,
}

/// A fact of the rule, the field of a request that carries it, and whether an event has it.
type Fact = (&'static str, &'static str, fn(&Event<Card>) -> bool);

#[rustfmt::skip]
const FACTS: [Fact; 12] = [
    ("originator.name", "payer.name", |event| party(event, Side::Payer, |one| one.name.is_some())),
    ("originator.account", "account.id", |event| {
        event.account.as_ref().is_some_and(|account| account.id.is_some())
            || party(event, Side::Payer, |one| one.account.is_some())
    }),
    ("originator.address", "billing", |event| {
        let billing = event.billing.as_ref();
        billing.is_some_and(|place| place.country.is_some() && place.city.is_some())
    }),
    ("originator.national_id", "attributes.payer_document", |event| said(event, PAYER_DOCUMENT)),
    ("originator.customer_id", "payer.id", |event| party(event, Side::Payer, |one| one.id.is_some())),
    ("originator.birth", "payer.birth_date", |event| party(event, Side::Payer, |one| one.birth_date.is_some())),
    ("beneficiary.name", "payee.name", |event| party(event, Side::Payee, |one| one.name.is_some())),
    ("beneficiary.account", "payee.account", |event| party(event, Side::Payee, |one| one.account.is_some())),
    ("beneficiary.address", "attributes.payee_address", |event| said(event, PAYEE_ADDRESS)),
    ("beneficiary.national_id", "attributes.payee_document", |event| said(event, PAYEE_DOCUMENT)),
    ("beneficiary.customer_id", "payee.id", |event| party(event, Side::Payee, |one| one.id.is_some())),
    ("beneficiary.birth", "payee.birth_date", |event| party(event, Side::Payee, |one| one.birth_date.is_some())),
];

#[derive(Clone, Copy)]
enum Side {
    Payer,
    Payee,
}

impl Jurisdictions {
    /// The fields of the request that are missing, `a or b` where one of them would do, with commas
    /// between; empty if nothing is. None where no rule applies: no profile, no transfer, no amount.
    pub(crate) fn missing(&self, tenant: &TenantId, event: &Event<Card>) -> Option<String> {
        let profile = self.profiles.get(tenant)?;
        let amount = event.amount.filter(|_| is_transfer(event.kind))?;
        let there = |fact: &str| find(fact).is_some_and(|(_, _, has)| has(event));
        let lacks = travel::lacking(profile, amount, &self.rates, there)?;
        let field = |fact: &&str| find(fact).map_or("", |(_, field, _)| *field);
        let one_of = |facts: &Vec<&str>| facts.iter().map(field).collect::<Vec<_>>().join(" or ");
        let missing: Vec<String> = lacks.missing.iter().map(one_of).collect();
        Some(missing.join(", "))
    }
}

/// What rules read of it; nothing where no rule applies.
pub(crate) fn fill<'a>(missing: Option<&'a str>, slots: &mut Slots<'a>) {
    if let Some(missing) = missing {
        slots.set(Field::TravelRuleMissing, FieldValue::Text(missing));
    }
}

/// The rule is about transfers of money; buying by card is exempt (interpretive note to
/// Recommendation 16, paragraph 4).
fn is_transfer(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::PaymentTransfer | EventKind::PaymentWallet | EventKind::Payout
    )
}

fn find(fact: &str) -> Option<&'static Fact> {
    FACTS.iter().find(|(name, ..)| *name == fact)
}

fn party(
    event: &Event<Card>,
    side: Side,
    has: fn(&paywarden_domain::event::Party) -> bool,
) -> bool {
    let party = match side {
        Side::Payer => &event.payer,
        Side::Payee => &event.payee,
    };
    party.as_ref().is_some_and(has)
}

fn said(event: &Event<Card>, attribute: &str) -> bool {
    event.attributes.find(attribute).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use paywarden_filings::Profiles;
    use serde_json::{Value, json};

    fn missing(
        profile: &str,
        value: &str,
        currency: &str,
        change: fn(&mut Value),
    ) -> Option<String> {
        let tenant = TenantId::parse("acme").unwrap();
        let profile = Profiles::shipped().unwrap().find(profile).unwrap().clone();
        let jurisdictions = Jurisdictions {
            profiles: [(tenant.clone(), profile)].into(),
            rates: Rates::none(),
        };
        let mut event = json!({
            "id": "p1", "type": "payment.transfer", "occurred_at": "2026-01-31T08:00:00Z",
            "amount": { "value": value, "currency": currency },
            "payer": { "id": "c1", "name": "Lin Wei", "account": "CN01" },
            "payee": { "name": "Jane Doe", "account": "GB02" },
        });
        change(&mut event);
        let event: Event<Card> = serde_json::from_value(event).unwrap();
        jurisdictions.missing(&tenant, &event)
    }

    fn nothing(_: &mut Value) {}

    #[test]
    fn what_is_missing_is_named_by_the_field_of_the_request() {
        let cases = [
            // FATF: above 1,000 one of address, document, identifier and birth; the identifier is there.
            (missing("fatf", "1000.01", "USD", nothing), Some("")),
            (
                missing("fatf", "1000.01", "USD", |event| {
                    event["payer"].as_object_mut().unwrap().remove("id");
                }),
                Some("billing or attributes.payer_document or payer.id or payer.birth_date"),
            ),
            // At the threshold itself the FATF asks for names and accounts alone.
            (
                missing("fatf", "1000.00", "USD", |event| {
                    event["payer"].as_object_mut().unwrap().remove("id");
                }),
                Some(""),
            ),
            // The EU: any amount, address or birth as well.
            (
                missing("eu", "0.01", "EUR", nothing),
                Some("billing or payer.birth_date"),
            ),
            (
                missing("eu", "0.01", "EUR", |event| {
                    event["payer"]["birth_date"] = json!("1990-02-03")
                }),
                Some(""),
            ),
            // The United States: nothing below 3,000; the address from there on.
            (missing("us_bsa", "2999.99", "USD", nothing), Some("")),
            (
                missing("us_bsa", "3000.00", "USD", nothing),
                Some("billing"),
            ),
            (
                missing("us_bsa", "3000.00", "USD", |event| {
                    event["billing"] = json!({ "country": "US", "city": "Boston" });
                    event.as_object_mut().unwrap().remove("payee");
                }),
                Some("payee.name or payee.account"),
            ),
            // Without a rate nobody knows that it is small.
            (missing("us_bsa", "1.00", "EUR", nothing), Some("billing")),
            // China has no rule in its profile; a card payment is no transfer.
            (missing("cn_pboc", "1.00", "CNY", nothing), None),
            (
                missing("eu", "1.00", "EUR", |event| {
                    event["type"] = json!("payment.card")
                }),
                None,
            ),
        ];
        for (place, (found, expected)) in cases.into_iter().enumerate() {
            assert_eq!(found.as_deref(), expected, "{place}");
        }
    }

    #[test]
    fn every_fact_that_a_profile_may_name_is_a_field() {
        for profile in Profiles::shipped().unwrap().all() {
            let rule = profile.travel_rule.iter();
            let facts = rule.flat_map(|rule| rule.below.iter().chain(&rule.from));
            for fact in facts.flat_map(|facts| facts.split('|')) {
                assert!(find(fact.trim()).is_some(), "{fact}");
            }
        }
    }
}
