//! Whether one use of one kind of data is allowed. A function of what is known: it reads no clock
//! and asks no store.

use super::{Basis, Effect, Jurisdiction, Policy, Purpose, Rule, Unless};
use crate::{
    notice::Books,
    subject::{Agreed, Standing},
};
use paywarden_domain::{Country, TenantId, Timestamp};
use std::fmt;

/// A kind of data: a field of a collection of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Data<'d> {
    /// Which set: `vault`, `decisions`, `lists`.
    pub set: &'d str,
    /// Which part of it: of the vault, how long it is kept for.
    pub collection: &'d str,
    /// Which field: of the vault, the class.
    pub field: &'d str,
}

impl Data<'_> {
    /// Whether a path such as `vault.*.card_number` stands for it.
    pub(crate) fn is_within(&self, path: &str) -> bool {
        let parts = [self.set, self.collection, self.field];
        let mut given = path.split('.');
        let fits = parts.iter().all(|part| match given.next() {
            Some(wanted) => wanted == "*" || wanted == *part,
            None => true,
        });
        fits && given.next().is_none()
    }
}

impl fmt::Display for Data<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.set, self.collection, self.field)
    }
}

/// What is to be done with whose data.
#[derive(Clone, Copy)]
pub(crate) struct Question<'q> {
    pub(crate) tenant: &'q TenantId,
    pub(crate) purpose: &'q str,
    pub(crate) data: Data<'q>,
    pub(crate) person: &'q Standing,
    /// Who gets it.
    pub(crate) recipient: &'q str,
    /// Where it goes, if that is known.
    pub(crate) country: Option<Country>,
    pub(crate) now: Timestamp,
}

/// Why data may be handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    /// For what.
    pub purpose: String,
    /// On what ground.
    pub basis: &'static Basis,
    /// The receipt of the person's consent, where that is the ground.
    pub receipt: Option<String>,
}

impl fmt::Display for Ground {
    /// As leaves of the trail carry it; at most 200 bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { purpose, basis, .. } = self;
        match &self.receipt {
            Some(receipt) => write!(f, "{purpose}: consent {receipt}"),
            None => write!(f, "{purpose}: {} {}", basis.jurisdiction.name(), basis.name),
        }
    }
}

/// Why data may not be handled, and what would have to happen first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// The policy has no such purpose.
    #[error("the policy knows no such purpose: state one that GET /v1/privacy-policy lists")]
    PurposeUnknown,
    /// The purpose is not one of those that this data is kept for.
    #[error(
        "{0} is not kept for this purpose: state another one, or have the policy attach it by a \
         privacy_policy_change"
    )]
    PurposeNotForData(String),
    /// Nobody was told.
    #[error(
        "no notice in force tells of this purpose and data: publish one with the clause {0} by \
         POST /v1/notices"
    )]
    PurposeNotNotified(String),
    /// The law where the person lives gives no ground.
    #[error("the policy names no lawful basis for this purpose under {}: add one", .0.name())]
    LawfulBasisMissing(Jurisdiction),
    /// The person was not asked, or has not answered.
    #[error("the person has not agreed to this purpose: ask, and record it by POST /v1/consents")]
    ConsentMissing,
    /// The person has withdrawn.
    #[error("the person has withdrawn consent to this purpose: stop, or ask anew")]
    ConsentWithdrawn,
    /// The consent was for a time that is over.
    #[error("the person's consent to this purpose has expired: ask anew")]
    ConsentExpired,
    /// The notice has changed so that people are asked again.
    #[error("the notice has changed since the person agreed: show the new one and ask anew")]
    ConsentOutdated,
    /// The person has objected.
    #[error("the person has objected to this purpose: leave this data alone")]
    SubjectObjected,
    /// The person has had handling restricted.
    #[error(
        "the person has had handling restricted: only purposes that the policy marks \
         while_restricted go on, until POST /v1/subjects/restriction lifts it"
    )]
    SubjectRestricted,
    /// A rule of the policy says no.
    #[error("the rule {0} of the policy forbids it: see GET /v1/privacy-policy")]
    PurposeForbidden(String),
}

impl Denial {
    /// The code of the problem document.
    pub fn code(&self) -> &'static str {
        match self {
            Self::PurposeUnknown => "purpose_unknown",
            Self::PurposeNotForData(_) => "purpose_not_for_data",
            Self::PurposeNotNotified(_) => "purpose_not_notified",
            Self::LawfulBasisMissing(_) => "lawful_basis_missing",
            Self::ConsentMissing => "consent_missing",
            Self::ConsentWithdrawn => "consent_withdrawn",
            Self::ConsentExpired => "consent_expired",
            Self::ConsentOutdated => "consent_outdated",
            Self::SubjectObjected => "subject_objected",
            Self::SubjectRestricted => "subject_restricted",
            Self::PurposeForbidden(_) => "purpose_forbidden",
        }
    }
}

/// Decides. What is not allowed by the policy, told by a notice and lawful is denied.
pub(super) fn decide(
    policy: &Policy,
    books: &Books,
    question: Question<'_>,
) -> Result<Ground, Denial> {
    let Question {
        purpose,
        data,
        person,
        ..
    } = question;
    let purpose = policy.purpose(purpose).ok_or(Denial::PurposeUnknown)?;
    if !policy.is_attached(data, &purpose.name) {
        return Err(Denial::PurposeNotForData(data.to_string()));
    }
    let jurisdiction = person.jurisdiction.unwrap_or(policy.jurisdiction);
    must_be_told(books, question, (purpose, jurisdiction))?;
    let basis = purpose.basis(jurisdiction);
    let basis = basis.ok_or(Denial::LawfulBasisMissing(jurisdiction))?;
    let receipt = match basis.consent {
        true => Some(must_have_agreed(books, question, purpose)?),
        false => None,
    };
    if basis.objection && !purpose.outweighs && person.objects_to(&purpose.name) {
        return Err(Denial::SubjectObjected);
    }
    if person.restricted_at.is_some() && !purpose.while_restricted {
        return Err(Denial::SubjectRestricted);
    }
    must_pass_rules(policy, question)?;
    Ok(Ground {
        purpose: purpose.name.clone(),
        basis,
        receipt,
    })
}

fn must_be_told(
    books: &Books,
    question: Question<'_>,
    (purpose, jurisdiction): (&Purpose, Jurisdiction),
) -> Result<(), Denial> {
    let (notice, clause) = purpose.told_in();
    let told = books.told(question.tenant, (notice, jurisdiction), question.now);
    let covers = told.is_some_and(|told| {
        // Classes are those of the vault; other data is told of as a whole.
        let Data { set, field, .. } = question.data;
        let clause = told.notice.clause(clause);
        clause.is_some_and(|clause| {
            clause.covers(&purpose.name) && (set != "vault" || clause.tells_of(field))
        })
    });
    match covers {
        true => Ok(()),
        false => Err(Denial::PurposeNotNotified(format!("{notice}/{clause}"))),
    }
}

/// The receipt of a consent that counts now.
fn must_have_agreed(
    books: &Books,
    question: Question<'_>,
    purpose: &Purpose,
) -> Result<String, Denial> {
    let (notice, _) = purpose.told_in();
    let from = books.consent_counts_from(question.tenant, notice, question.now);
    match question.person.agreed(&purpose.name, question.now) {
        Agreed::Never => Err(Denial::ConsentMissing),
        Agreed::Withdrawn => Err(Denial::ConsentWithdrawn),
        Agreed::Expired => Err(Denial::ConsentExpired),
        Agreed::Given(consent) if consent.notice != notice => Err(Denial::ConsentMissing),
        Agreed::Given(consent) if consent.notice_version < from => Err(Denial::ConsentOutdated),
        Agreed::Given(consent) => Ok(consent.receipt.clone()),
    }
}

/// The first rule that fits decides; see the head of `default.toml`.
fn must_pass_rules(policy: &Policy, question: Question<'_>) -> Result<(), Denial> {
    let fitting = policy.rules.iter();
    for rule in fitting.filter(|rule| rule.fits(question.purpose, question.data)) {
        let Rule {
            id, effect, unless, ..
        } = rule;
        let unless = unless
            .as_ref()
            .map_or(Some(false), |unless| unless.holds(question));
        match (effect, unless) {
            (Effect::Allow, Some(false)) => return Ok(()),
            // A refusal that is taken away lets the next rule speak.
            (Effect::Deny, Some(true)) => {}
            _ => return Err(Denial::PurposeForbidden(id.clone())),
        }
    }
    Ok(())
}

impl Unless {
    /// Whether all conditions hold; nothing if that depends on what is not known (Kleene's and).
    fn holds(&self, question: Question<'_>) -> Option<bool> {
        let agreed = |purpose: &String| {
            let agreed = question.person.agreed(purpose, question.now);
            Some(matches!(agreed, Agreed::Given(_)))
        };
        let there = |among: &super::Among<Country>| Some(among.holds(&question.country?));
        let to = |among: &super::Among<String>| Some(among.holds(&question.recipient.to_owned()));
        let conditions = [
            self.consent.as_ref().map(agreed),
            self.country.as_ref().map(there),
            self.recipient.as_ref().map(to),
        ];
        let conditions: Vec<_> = conditions.into_iter().flatten().collect();
        match conditions.contains(&Some(false)) || conditions.is_empty() {
            true => Some(false),
            false => conditions
                .into_iter()
                .collect::<Option<Vec<_>>>()
                .map(|_| true),
        }
    }
}
