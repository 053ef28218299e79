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
    let lacks = lacking(profile, amount, rates, |fact| has(identity, fact))?;
    let mut faults: Vec<Fault> = lacks.missing.iter().map(|fact| missing(fact)).collect();
    for (name, side) in sides(identity) {
        side.check(name, today, &mut faults);
    }
    Some(Completeness {
        full: lacks.full,
        faults,
        source: rule.source.clone(),
    })
}

/// What a transfer lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lacking<'p> {
    /// Whether the full facts were asked for. An amount whose rate is missing asks for them.
    pub full: bool,
    /// What is asked for and not there: for each the facts one of which would do.
    pub missing: Vec<Vec<&'p str>>,
}

/// What a transfer lacks by the rule of a profile, whoever says what is `there` of facts such as
/// `originator.name`; none if the profile has no rule.
pub fn lacking<'p>(
    profile: &'p Profile,
    amount: Money,
    rates: &Rates,
    there: impl Fn(&str) -> bool,
) -> Option<Lacking<'p>> {
    let rule = profile.travel_rule.as_ref()?;
    let full = match rates.compare(amount, rule.threshold) {
        Some(Ordering::Less) => false,
        Some(Ordering::Equal) => rule.inclusive,
        Some(Ordering::Greater) | None => true,
    };
    let wanted = if full { &rule.from } else { &rule.below };
    let one_of = |facts: &'p String| facts.split('|').map(str::trim).collect::<Vec<_>>();
    let missing = wanted
        .iter()
        .map(one_of)
        .filter(|facts| !facts.iter().any(|fact| there(fact)));
    Some(Lacking {
        full,
        missing: missing.collect(),
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

fn missing(facts: &[&str]) -> Fault {
    let side = facts.first().and_then(|fact| fact.split('.').next());
    Fault {
        path: format!("/{}", side.unwrap_or_default()),
        code: "missing",
        hint: format!("give {}", facts.join(" or ")),
    }
}
