//! What persons may ask for beside withdrawing: that a purpose is left, that handling rests, that
//! what is kept of them is shown or erased.

use super::{Deadline, EventKind, Hold, RequestKind, Standing, deadline};
use crate::{
    By, Error, Item, Kept, Plain, Retention, Revealed, Vault, consent::Answered, token::Form,
    vault::Erased, words::is_word,
};
use paywarden_access::approval::Who;
use paywarden_domain::{TenantId, Timestamp};
use paywarden_store::{SealedRow, VaultPerson};

/// The most holds of a person.
const HOLDS_MAX: usize = 16;
/// The purpose for which persons are answered.
const SUBJECT_REQUEST: &str = "subject_request";

/// What a person asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// That a purpose is left alone.
    Object {
        /// Which, 1 to 16.
        purposes: Vec<String>,
    },
    /// That it goes on.
    LiftObjection {
        /// Which, 1 to 16.
        purposes: Vec<String>,
    },
    /// That handling rests.
    Restrict,
    /// That it goes on.
    LiftRestriction,
    /// A duty to keep what is there, such as a court's order.
    Hold {
        /// What it is known by: a word of at most 64 bytes.
        reference: String,
        /// Until when; until it is lifted if not given.
        until: Option<Timestamp>,
    },
    /// The end of such a duty.
    LiftHold {
        /// What it is known by.
        reference: String,
    },
    /// The business relationship with them ended.
    EndRelation {
        /// When: not in the future.
        at: Timestamp,
    },
    /// It goes on.
    ResumeRelation,
}

/// What of a person was erased, and what was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasedPerson {
    /// Their pseudonym.
    pub subject: String,
    /// What was erased.
    pub erased: Erased,
    /// What was kept, and why.
    pub kept: Vec<KeptBack>,
}

/// What an erasure has kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptBack {
    /// What for: `marketing`, `contract`, `evidence`.
    pub retention: Retention,
    /// How many values.
    pub records: u64,
    /// Why.
    pub why: Why,
}

/// Why something is kept although the person asked for its erasure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// A hold, by its reference.
    Hold(String),
    /// The law against laundering asks for it: GDPR, article 17(3)(b); PIPL, article 47.
    Evidence,
}

impl Wish {
    fn kind(&self) -> EventKind {
        match self {
            Self::Object { .. } => EventKind::Objected,
            Self::LiftObjection { .. } => EventKind::ObjectionLifted,
            Self::Restrict => EventKind::Restricted,
            Self::LiftRestriction => EventKind::RestrictionLifted,
            Self::Hold { .. } => EventKind::Held,
            Self::LiftHold { .. } => EventKind::HoldLifted,
            Self::EndRelation { .. } => EventKind::RelationEnded,
            Self::ResumeRelation => EventKind::RelationResumed,
        }
    }

    /// Changes how the person stands; the purposes that it is about.
    fn apply(&self, standing: &mut Standing, now: Timestamp) -> Result<Vec<String>, Error> {
        match self {
            Self::Object { purposes } => objected(standing, purposes, true),
            Self::LiftObjection { purposes } => objected(standing, purposes, false),
            Self::Restrict => changed(standing.restricted_at.replace(now).is_none()),
            Self::LiftRestriction => changed(standing.restricted_at.take().is_some()),
            Self::Hold { reference, until } => {
                let reference = reference.clone();
                let (placed_at, until) = (now, *until);
                held(
                    standing,
                    Hold {
                        reference,
                        placed_at,
                        until,
                    },
                )
            }
            Self::LiftHold { reference } => {
                let before = standing.holds.len();
                standing.holds.retain(|hold| hold.reference != *reference);
                changed(standing.holds.len() < before)
            }
            Self::EndRelation { at } => {
                changed(standing.relation_ended_at.replace(*at) != Some(*at))
            }
            Self::ResumeRelation => changed(standing.relation_ended_at.take().is_some()),
        }
    }
}

impl Vault {
    /// Writes down what a person asked for. It holds for whatever is asked afterwards.
    pub async fn wish(&self, who: &Who, subject: &str, wish: &Wish) -> Result<Answered, Error> {
        let now = self.clock.now();
        match wish {
            Wish::Object { purposes } => self.must_know(&who.tenant, purposes)?,
            Wish::Hold { reference, until } => check_hold(reference, *until, now)?,
            Wish::EndRelation { at } if *at > now => {
                return Err(Error::Request("a relationship ended now or earlier"));
            }
            _ => {}
        }
        let step = |standing: &mut Standing| wish.apply(standing, now);
        self.change_standing(who, subject, (wish.kind(), now), step)
            .await
    }

    /// Everything that is kept of a person in the vault, at most 1,000 values, opened. The leaf of
    /// the reading says that they asked.
    pub async fn export_person(&self, by: &By, subject: &str) -> Result<Vec<Revealed>, Error> {
        let by = By {
            purpose: SUBJECT_REQUEST.to_owned(),
            ..by.clone()
        };
        let subject = self.pseudonym(&by.tenant, subject);
        let search = paywarden_store::VaultFind::Subject(&subject);
        let found = self.reader.find(&by.tenant, search, EXPORTED_MAX).await?;
        if found.is_empty() {
            return Err(Error::SubjectUnknown);
        }
        let tokens: Vec<_> = found.into_iter().map(|row| row.token).collect();
        let read = self.detokenize(&by, &tokens).await?;
        // What somebody else alone may read, or what was erased meanwhile, is not given.
        Ok(read.into_iter().filter_map(Result::ok).collect())
    }

    /// Puts another value in the place of one of a person: the new one is kept like the old, which
    /// is erased.
    pub async fn correct(
        &self,
        by: &By,
        (subject, token): (&str, &str),
        value: Plain<String>,
    ) -> Result<Kept, Error> {
        let by = By {
            purpose: SUBJECT_REQUEST.to_owned(),
            ..by.clone()
        };
        let pseudonym = self.pseudonym(&by.tenant, subject);
        let rows = self.reader.sealed(&[token.to_owned()]).await?;
        let is_theirs = |row: &SealedRow| {
            row.subject == pseudonym && *row.tenant == *by.tenant.as_str() && row.sealed.is_some()
        };
        let old = rows.into_iter().find(is_theirs);
        let old = old.ok_or(Error::TokenUnknown)?;
        // What a hold keeps would stand beside what is right.
        self.must_not_be_held(&pseudonym).await?;
        let item = Item {
            subject: subject.to_owned(),
            class: old.class.to_string(),
            value,
            details: None,
            retention: Retention::parse(&old.retention).ok_or(Error::Damaged)?,
            form: Form::Opaque,
            once: old.once,
            ttl_seconds: None,
            caller: old.caller,
            purpose: old.purpose,
        };
        let kept = self.tokenize(&by, &[item]).await?;
        let kept = kept.into_iter().next().ok_or(Error::Damaged)?;
        if kept.token != token {
            self.delete(&by, token).await?;
        }
        Ok(kept)
    }

    /// How long one may take to answer a person, by the law that holds for them.
    pub async fn deadline(
        &self,
        tenant: &TenantId,
        (subject, kind): (&str, RequestKind),
    ) -> Result<Option<&'static Deadline>, Error> {
        let subject = self.pseudonym(tenant, subject);
        let standing = self.desk.persons.of(&subject).await?;
        let generic = self.desk.in_force(tenant).policy.jurisdiction;
        Ok(deadline(standing.jurisdiction.unwrap_or(generic), kind))
    }

    /// Erases what is kept of a person, but for what a hold or the law keeps.
    pub async fn erase_person(&self, by: &By, subject: &str) -> Result<ErasedPerson, Error> {
        let subject = self.pseudonym(&by.tenant, subject);
        let now = self.clock.now();
        let standing = self.desk.persons.of(&subject).await?;
        let hold = standing
            .hold(now)
            .map(|hold| Why::Hold(hold.reference.clone()));
        let mut done = ErasedPerson {
            subject: subject.clone(),
            erased: Erased {
                records: 0,
                keys: 0,
            },
            kept: Vec::new(),
        };
        for retention in [
            Retention::Marketing,
            Retention::Contract,
            Retention::Evidence,
        ] {
            let evidence = (retention == Retention::Evidence).then_some(Why::Evidence);
            match hold.clone().or(evidence) {
                None => {
                    let erased = self.forget(by, &subject, Some(retention)).await?;
                    done.erased.records += erased.records;
                    done.erased.keys += erased.keys;
                }
                Some(why) => {
                    let person = VaultPerson {
                        subject: subject.clone(),
                        retention: Some(retention.name().to_owned()),
                    };
                    let (_, records) = self.reader.living(&by.tenant, &person).await?;
                    if records > 0 {
                        done.kept.push(KeptBack {
                            retention,
                            records,
                            why,
                        });
                    }
                }
            }
        }
        Ok(done)
    }

    fn must_know(&self, tenant: &TenantId, purposes: &[String]) -> Result<(), Error> {
        let in_force = self.desk.in_force(tenant);
        let is_known = |purpose: &String| in_force.policy.purpose(purpose).is_some();
        match purposes.iter().all(is_known) && (1..=16).contains(&purposes.len()) {
            true => Ok(()),
            false => Err(crate::policy::Denial::PurposeUnknown.into()),
        }
    }
}

/// The most values of one export.
const EXPORTED_MAX: u32 = 1_000;

fn objected(
    standing: &mut Standing,
    purposes: &[String],
    objects: bool,
) -> Result<Vec<String>, Error> {
    let before = standing.objections.len();
    standing
        .objections
        .retain(|known| !purposes.contains(known));
    if objects {
        standing.objections.extend_from_slice(purposes);
    }
    changed(standing.objections.len() != before).map(|_| purposes.to_vec())
}

fn held(standing: &mut Standing, hold: Hold) -> Result<Vec<String>, Error> {
    standing
        .holds
        .retain(|known| known.reference != hold.reference);
    standing.holds.push(hold);
    match standing.holds.len() <= HOLDS_MAX {
        true => Ok(Vec::new()),
        false => Err(Error::Request(
            "a person has at most 16 holds: lift one first",
        )),
    }
}

fn changed(has_changed: bool) -> Result<Vec<String>, Error> {
    has_changed.then(Vec::new).ok_or(Error::StandingUnchanged)
}

fn check_hold(reference: &str, until: Option<Timestamp>, now: Timestamp) -> Result<(), Error> {
    match is_word(reference) && until.is_none_or(|until| now < until) {
        true => Ok(()),
        false => Err(Error::Request(
            "a hold has a reference of lower case words joined by underscores, and ends later",
        )),
    }
}
