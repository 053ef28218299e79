//! The policy: for which purposes personal data may be handled, and on what grounds. One text per
//! company, whose changes need approval.
//!
//! ```text
//! basis    what grounds the law of each jurisdiction gives, one table
//! decide   whether one use of one kind of data is allowed: a function of what is known
//! desk     what is known: policies, notices and the standing of persons, in memory
//! ```

mod basis;
mod decide;
mod desk;

pub use basis::{Basis, Jurisdiction, bases};
pub(crate) use decide::Question;
pub use decide::{Data, Denial, Ground};
pub(crate) use desk::Desk;
pub use desk::{ChangeError, PolicyInForce, PurposeInForce};

use crate::{
    Error,
    retention::{self, Keep, Timetable},
    words::{first_broken, is_word},
};
use paywarden_access::approval::{Kind, Sensitive};
use paywarden_domain::Country;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use utoipa::ToSchema;

/// The policy that is shipped.
pub(crate) const SHIPPED: &str = include_str!("policy/default.toml");
/// For what the decision path keeps card numbers.
pub const FRAUD_PREVENTION: &str = "fraud_prevention";
/// What it keeps them as.
pub(crate) const PAYMENT_CARD: Data<'static> = Data {
    set: "vault",
    collection: "evidence",
    field: "card_number",
};
/// Who gets data when nobody is named: whoever asks for it.
pub const INSIDE: &str = "inside";
/// The longest policy, in bytes.
const TEXT_BYTES_MAX: usize = 60 * 1024;
const PURPOSES_MAX: usize = 64;
const DATA_MAX: usize = 256;
const RULES_MAX: usize = 256;
const KEEPS_MAX: usize = 256;

/// A policy that was read and can be asked.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Where people live of whom nothing else is known.
    pub jurisdiction: Jurisdiction,
    purposes: HashMap<String, Purpose>,
    data: Vec<Attached>,
    rules: Vec<Rule>,
    keeps: Vec<Keep>,
    timetable: Option<Timetable>,
}

/// The same as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    jurisdiction: Jurisdiction,
    purpose: Vec<Purpose>,
    data: Vec<Attached>,
    #[serde(default)]
    rule: Vec<Rule>,
    #[serde(default)]
    keep: Vec<Keep>,
    #[serde(default)]
    timetable: Option<Timetable>,
}

/// A purpose.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Purpose {
    pub(crate) name: String,
    told_in: String,
    pub(crate) dpv: String,
    bases: BTreeMap<Jurisdiction, String>,
    #[serde(default)]
    outweighs: bool,
    #[serde(default)]
    while_restricted: bool,
}

/// Purposes that are attached to data.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Attached {
    of: String,
    purposes: Vec<String>,
}

/// What a rule does where it fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Effect {
    Allow,
    Deny,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    id: String,
    effect: Effect,
    #[serde(default)]
    purposes: Vec<String>,
    #[serde(default)]
    data: Vec<String>,
    #[serde(default)]
    unless: Option<Unless>,
}

/// Conditions that all have to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Unless {
    /// A purpose that the person has agreed to.
    #[serde(default)]
    consent: Option<String>,
    #[serde(default)]
    country: Option<Among<Country>>,
    #[serde(default)]
    recipient: Option<Among<String>>,
}

/// One of these, or none of these.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Among<T> {
    In(Vec<T>),
    NotIn(Vec<T>),
}

/// Another policy is to come into force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PrivacyPolicyChange {
    /// The number of the policy that it takes the place of: 0 for the shipped one.
    pub replaces: i64,
    /// The whole policy, in TOML, at most 60 KiB.
    pub text: String,
}

impl Policy {
    /// Reads a policy and refuses one that says nothing, or by which payments could not be
    /// decided.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > TEXT_BYTES_MAX {
            return refused("it has more than 60 KiB");
        }
        let written: Written = toml::from_str(text)
            .map_err(|error| Error::PolicyRefused(error.message().to_owned()))?;
        let counts = first_broken(&[
            (
                (1..=PURPOSES_MAX).contains(&written.purpose.len()),
                "it has 1 to 64 purposes",
            ),
            (
                (1..=DATA_MAX).contains(&written.data.len()),
                "it has 1 to 256 data",
            ),
            (written.rule.len() <= RULES_MAX, "it has at most 256 rules"),
            (
                written.keep.len() <= KEEPS_MAX,
                "it says at most 256 times how long data is kept",
            ),
        ]);
        if let Some(why) = counts {
            return refused(why);
        }
        let mut policy = Self {
            jurisdiction: written.jurisdiction,
            purposes: HashMap::new(),
            data: written.data,
            rules: written.rule,
            keeps: written.keep,
            timetable: written.timetable,
        };
        for purpose in written.purpose {
            purpose.check()?;
            if let Some(twice) = policy.purposes.insert(purpose.name.clone(), purpose) {
                return refused(&format!("purpose {} stands there twice", twice.name));
            }
        }
        policy.check_names()?;
        match policy.lets_payments_be_decided() {
            true => Ok(policy),
            false => refused(
                "payments could not be decided: attach fraud_prevention to \
                 vault.evidence.card_number, on a basis other than consent in every jurisdiction, \
                 with while_restricted (and outweighs where people may object), and let no rule \
                 deny it",
            ),
        }
    }

    /// The purpose with this name.
    pub(crate) fn purpose(&self, name: &str) -> Option<&Purpose> {
        self.purposes.get(name)
    }

    /// Every purpose, by name.
    pub(crate) fn purposes(&self) -> Vec<&Purpose> {
        let mut all: Vec<_> = self.purposes.values().collect();
        all.sort_by_key(|purpose| &purpose.name);
        all
    }

    /// Whether the data may be handled for a purpose at all: what is said of the whole, of its part
    /// and of the field adds up.
    pub(crate) fn is_attached(&self, data: Data<'_>, purpose: &str) -> bool {
        let names = |one: &Attached| one.purposes.iter().any(|name| name == purpose);
        self.data
            .iter()
            .any(|one| names(one) && data.is_within(&one.of))
    }

    /// How long data is kept, in the order of the text.
    pub(crate) fn keeps(&self) -> impl Iterator<Item = &Keep> {
        self.keeps.iter()
    }

    /// When retention runs begin by themselves; never if nothing is said.
    pub(crate) fn timetable(&self) -> Option<&Timetable> {
        self.timetable.as_ref()
    }

    fn check_names(&self) -> Result<(), Error> {
        let known = |name: &String| self.purposes.contains_key(name);
        let attached = self.data.iter().map(|one| (&one.of, &one.purposes));
        let ruled = self.rules.iter().map(|rule| (&rule.id, &rule.purposes));
        for (place, purposes) in attached.chain(ruled) {
            if let Some(unknown) = purposes.iter().find(|name| !known(name)) {
                return refused(&format!("{place}: no purpose is named {unknown}"));
            }
        }
        let paths = self.rules.iter().flat_map(|rule| &rule.data);
        let paths = paths.chain(self.data.iter().map(|one| &one.of));
        let paths = paths.chain(self.keeps.iter().map(|row| &row.of));
        let is_path = |path: &&String| {
            let parts: Vec<_> = path.split('.').collect();
            parts.len() <= 3 && parts.iter().all(|part| *part == "*" || is_word(part))
        };
        if let Some(crooked) = paths.clone().find(|path| !is_path(path)) {
            return refused(&format!("{crooked}: data is set.collection.field"));
        }
        let timetable = self.timetable.as_ref().and_then(Timetable::broken);
        if let Some(why) = self.keeps.iter().find_map(retention::broken).or(timetable) {
            return refused(why);
        }
        let mut ids: Vec<_> = self.rules.iter().map(|rule| &rule.id).collect();
        ids.extend(self.keeps.iter().map(|row| &row.id));
        ids.sort_unstable();
        let twice = ids
            .windows(2)
            .any(|pair| matches!(pair, [one, other] if one == other));
        match twice || !ids.iter().all(|id| is_word(id)) {
            true => refused(
                "each rule and row has an id of its own: lower case words joined by underscores",
            ),
            false => Ok(()),
        }
    }

    /// Whether the card of a payment can be kept, whosever it is.
    fn lets_payments_be_decided(&self) -> bool {
        let Some(purpose) = self.purpose(FRAUD_PREVENTION) else {
            return false;
        };
        let is_sure = |jurisdiction| {
            let basis = purpose.basis(jurisdiction);
            let is_free = |basis: &Basis| !basis.consent && (purpose.outweighs || !basis.objection);
            basis.is_some_and(is_free)
        };
        let is_denied = self.rules.iter().any(|rule| {
            let may_deny = rule.effect == Effect::Deny || rule.unless.is_some();
            may_deny && rule.fits(FRAUD_PREVENTION, PAYMENT_CARD)
        });
        self.is_attached(PAYMENT_CARD, FRAUD_PREVENTION)
            && purpose.while_restricted
            && Jurisdiction::ALL.into_iter().all(is_sure)
            && !is_denied
    }
}

impl Purpose {
    /// The notice and the clause that tell of it.
    pub(crate) fn told_in(&self) -> (&str, &str) {
        self.told_in.split_once('/').unwrap_or_default()
    }

    /// On what ground it is served in a jurisdiction.
    pub(crate) fn basis(&self, jurisdiction: Jurisdiction) -> Option<&'static Basis> {
        basis::basis(jurisdiction, self.bases.get(&jurisdiction)?)
    }

    fn check(&self) -> Result<(), Error> {
        let (notice, clause) = self.told_in();
        let is_term =
            !self.dpv.is_empty() && self.dpv.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let is_known = |(jurisdiction, name): (&Jurisdiction, &String)| {
            basis::basis(*jurisdiction, name).is_some()
        };
        let broken = first_broken(&[
            (
                is_word(&self.name),
                "a name is lower case words joined by underscores",
            ),
            (
                is_word(notice) && is_word(clause),
                "told_in is notice/clause",
            ),
            (is_term, "dpv is a term such as DirectMarketing"),
            (
                !self.bases.is_empty() && self.bases.iter().all(is_known),
                "bases are those that the law of the jurisdiction gives",
            ),
        ]);
        broken.map_or(Ok(()), |why| {
            refused(&format!("purpose {}: {why}", self.name))
        })
    }
}

impl Rule {
    fn fits(&self, purpose: &str, data: Data<'_>) -> bool {
        let named = self.purposes.is_empty() || self.purposes.iter().any(|name| name == purpose);
        named && (self.data.is_empty() || self.data.iter().any(|path| data.is_within(path)))
    }
}

impl<T: PartialEq> Among<T> {
    fn holds(&self, value: &T) -> bool {
        match self {
            Self::In(values) => values.contains(value),
            Self::NotIn(values) => !values.contains(value),
        }
    }
}

impl Sensitive for PrivacyPolicyChange {
    const KIND: Kind = Kind::PrivacyPolicyChange;

    fn object(&self) -> String {
        "privacy_policy".to_owned()
    }

    fn check(&self) -> Result<(), String> {
        Policy::parse(&self.text)
            .map(drop)
            .map_err(|error| error.to_string())
    }
}

fn refused<T>(why: &str) -> Result<T, Error> {
    Err(Error::PolicyRefused(why.to_owned()))
}

#[cfg(test)]
mod tests;
