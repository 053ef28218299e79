//! The Travel Rule: whether a transfer carries who pays and who is paid, in the fields of IVMS101.
//!
//! Names and constraints are those of the interVASP Messaging Standard 101, 2023 edition; which of
//! them have to be there, and from which amount on, is the profile's.

mod ivms;

pub use ivms::{
    Address, Birth, Identity, LegalName, LegalNames, LegalPerson, NationalIdentification,
    NaturalName, NaturalNames, NaturalPerson, Person, Wallets,
};

use crate::{Day, Fault, Profile, Rates};
use paywarden_domain::Money;
use std::cmp::Ordering;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completeness {
    /// Whether the full facts were asked for. An amount whose rate is missing asks for them.
    pub full: bool,
    /// What is missing or wrong; nothing if the transfer may go.
    pub faults: Vec<Fault>,
    /// The text that asks for it.
    pub source: String,
}

/// Facts that profiles name: what each is, and whether a side has it.
type Fact = (&'static str, fn(&Wallets) -> bool);

const FACTS: [Fact; 6] = [
    ("name", |side| side.all(Person::has_name)),
    ("account", |side| {
        side.accounts().any(|account| !account.trim().is_empty())
    }),
    ("address", |side| side.all(Person::has_address)),
    ("national_id", |side| side.all(Person::has_national_id)),
    ("customer_id", |side| side.all(Person::has_customer_id)),
    ("birth", |side| side.all(Person::has_birth)),
];

/// Whether a profile may name this fact.
pub(crate) fn is_fact(name: &str) -> bool {
    let fact = name
        .strip_prefix("originator.")
        .or(name.strip_prefix("beneficiary."));
    fact.is_some_and(|fact| FACTS.iter().any(|(known, _)| *known == fact))
}

/// Holds what travels with a transfer against the rule of a profile; none if it has none. `today`
/// is needed because a birth lies in the past.
pub fn completeness(
    profile: &Profile,
    amount: Money,
    identity: &Identity,
    (rates, today): (&Rates, Day),
) -> Option<Completeness> {
    let rule = profile.travel_rule.as_ref()?;
    let full = match rates.compare(amount, rule.threshold) {
        Some(Ordering::Less) => false,
        Some(Ordering::Equal) => rule.inclusive,
        Some(Ordering::Greater) | None => true,
    };
    let wanted = if full { &rule.from } else { &rule.below };
    let mut faults = Vec::new();
    for fact in wanted {
        if !fact.split('|').any(|one| has(identity, one.trim())) {
            faults.push(missing(fact));
        }
    }
    for (name, side) in sides(identity) {
        side.check(name, today, &mut faults);
    }
    Some(Completeness {
        full,
        faults,
        source: rule.source.clone(),
    })
}

fn sides(identity: &Identity) -> [(&'static str, &Wallets); 2] {
    [
        ("originator", &identity.originator),
        ("beneficiary", &identity.beneficiary),
    ]
}

fn has(identity: &Identity, fact: &str) -> bool {
    let Some((side, fact)) = fact.split_once('.') else {
        return false;
    };
    let side = sides(identity).into_iter().find(|(name, _)| *name == side);
    let known = FACTS.iter().find(|(name, _)| *name == fact);
    matches!((side, known), (Some((_, side)), Some((_, holds))) if holds(side))
}

fn missing(fact: &str) -> Fault {
    let side = fact.split('.').next().unwrap_or_default();
    let alternatives: Vec<&str> = fact.split('|').map(str::trim).collect();
    Fault {
        path: format!("/{side}"),
        code: "missing",
        hint: format!("give {}", alternatives.join(" or ")),
    }
}
