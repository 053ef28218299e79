//! Why data may be handled: asked before anything is kept, read or found, and written into the
//! leaf of what is done.

use super::Vault;
use crate::{
    By, Error,
    policy::{Data, Denial, FRAUD_PREVENTION, Ground, INSIDE, PAYMENT_CARD, Question},
    subject::Standing,
};
use hashbrown::{HashMap, hash_map::Entry as Place};
use paywarden_access::masking::{self, Channel, Form, GRANTED, NOBODY, PROGRAM};
use paywarden_domain::{Country, TenantId, Timestamp};
use paywarden_store::{Actor, Entry, Purpose, RecordRow, Row};
use std::{collections::BTreeSet, sync::Arc};

/// The longest line that a leaf has for its purpose, in bytes.
const LINE_BYTES_MAX: usize = 256;
/// The longest reason and the longest recipient, in bytes: both stand in one line beside the leaf.
const REASON_BYTES_MAX: usize = 160;
const RECIPIENT_BYTES_MAX: usize = 64;

/// What whoever acts says beside the purpose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Why, in their own words, 1 to 160 bytes: kept beside the leaf.
    pub reason: Option<String>,
    /// Who gets the data, 1 to 64 bytes; whoever asks, if nobody is named.
    pub recipient: Option<String>,
    /// Where it goes.
    pub country: Option<Country>,
    /// The grant by which somebody looks.
    pub grant: Option<Grant>,
}

/// A look by an approved grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The approval.
    pub approval: String,
    /// The look, written with the leaf of the reading.
    pub look: RecordRow,
}

impl Said {
    /// The line that is kept beside the leaf: who gets the data, and why.
    fn line(&self) -> Option<String> {
        let to = self.recipient.as_ref().map(|name| format!("to {name}"));
        let there = self.country.map(|country| format!("in {}", country.code()));
        let parts: Vec<_> = [to, there, self.reason.clone()]
            .into_iter()
            .flatten()
            .collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

impl By {
    /// What of a class is shown to whoever looks. A person who states no roles is nobody.
    pub(super) fn form(&self, class: &str) -> Form {
        let show = |role, channel| masking::form([role], &self.purpose, class, channel);
        match (&self.actor, &self.said.grant, self.roles.as_slice()) {
            (_, Some(_), _) => show(GRANTED, Channel::Console),
            (Actor::Staff(_), None, []) => show(NOBODY, Channel::Console),
            (Actor::Staff(_), None, roles) => {
                let roles = roles.iter().map(String::as_str);
                masking::form(roles, &self.purpose, class, Channel::Console)
            }
            _ => show(PROGRAM, Channel::Api),
        }
    }
}

/// How the persons of one call stand, by their pseudonyms.
pub(super) type Standings<'s> = HashMap<&'s str, Arc<Standing>>;

impl Vault {
    /// Whether data may be handled for the purpose that is stated: of this person, by the caller's
    /// identifier or their pseudonym, or of nobody in particular.
    pub async fn may(
        &self,
        by: &By,
        data: Data<'_>,
        subject: Option<&str>,
    ) -> Result<Ground, Error> {
        check_said(by)?;
        let subject = subject.map(|subject| self.pseudonym(&by.tenant, subject));
        let person = match subject {
            Some(subject) => self.desk.persons.of(&subject).await?,
            None => Arc::default(),
        };
        Ok(self.judge(by, (data, &person), self.clock.now())?)
    }

    /// The same for each of many, some of whom are nobody in particular.
    pub async fn may_each(
        &self,
        by: &By,
        data: Data<'_>,
        subjects: &[Option<String>],
    ) -> Result<Vec<Result<Ground, Denial>>, Error> {
        check_said(by)?;
        let mut judged = Vec::with_capacity(subjects.len());
        for subject in subjects {
            let person = match subject {
                Some(subject) => {
                    let subject = self.pseudonym(&by.tenant, subject);
                    self.desk.persons.of(&subject).await?
                }
                None => Arc::default(),
            };
            judged.push(self.judge(by, (data, &person), self.clock.now()));
        }
        Ok(judged)
    }

    /// How these persons stand. Hold their gates, or it may change meanwhile.
    pub(super) async fn standings<'s>(
        &self,
        subjects: impl Iterator<Item = &'s str>,
    ) -> Result<Standings<'s>, Error> {
        let mut standings = Standings::with_capacity(subjects.size_hint().0);
        for subject in subjects {
            if let Place::Vacant(place) = standings.entry(subject) {
                place.insert(self.desk.persons.of(subject).await?);
            }
        }
        Ok(standings)
    }

    /// Decides about a value of the vault, by the standing of its person.
    pub(super) fn judge_value(
        &self,
        by: &By,
        (standings, subject): (&Standings<'_>, &str),
        (retention, class): (&str, &str),
        now: Timestamp,
    ) -> Result<Ground, Error> {
        let data = Data {
            set: "vault",
            collection: retention,
            field: class,
        };
        let person = standings.get(subject).ok_or(Error::Damaged)?;
        Ok(self.judge(by, (data, person), now)?)
    }

    /// On what ground a payment is decided and its card kept; see [`crate::policy::Policy`], which
    /// holds for everybody that it may be.
    pub(super) async fn may_decide(
        &self,
        tenant: &TenantId,
        subject: Option<&str>,
        now: Timestamp,
    ) -> Result<Ground, Error> {
        let person = match subject {
            Some(subject) => self.desk.persons.of(subject).await?,
            None => Arc::default(),
        };
        let question = Question {
            tenant,
            purpose: FRAUD_PREVENTION,
            data: PAYMENT_CARD,
            person: &person,
            recipient: INSIDE,
            country: None,
            now,
        };
        Ok(self.desk.decide(question)?)
    }

    fn judge(
        &self,
        by: &By,
        (data, person): (Data<'_>, &Standing),
        now: Timestamp,
    ) -> Result<Ground, Denial> {
        self.desk.decide(Question {
            tenant: &by.tenant,
            purpose: &by.purpose,
            data,
            person,
            recipient: by.said.recipient.as_deref().unwrap_or(INSIDE),
            country: by.said.country,
            now,
        })
    }
}

/// An entry of something that was allowed on these grounds, for a purpose that the policy knows.
pub(super) fn entry<'g>(
    by: &By,
    grounds: impl Iterator<Item = &'g Ground>,
    (action, object): (&'static str, String),
    rows: Vec<Row>,
) -> Entry {
    let distinct: BTreeSet<String> = grounds.map(ToString::to_string).collect();
    let count = distinct.len();
    let look = by
        .said
        .grant
        .iter()
        .map(|grant| Row::Record(grant.look.clone()));
    let rows = rows.into_iter().chain(look).collect();
    let mut line = distinct.into_iter().collect::<Vec<_>>().join("; ");
    if !(1..=LINE_BYTES_MAX).contains(&line.len()) {
        line = format!("{}: {count} grounds", by.purpose);
    }
    written(by, line, (action, object), rows)
}

/// An entry of something that was refused. A purpose that the policy does not know is text of
/// whoever asked, and does not stand in a leaf.
pub(super) fn refusal(by: &By, why: &Error, (action, object): (&'static str, String)) -> Entry {
    let purpose = match why {
        Error::Denied(Denial::PurposeUnknown) => "personal data",
        Error::Denied(_) => by.purpose.as_str(),
        _ => "personal data",
    };
    let line = format!("{purpose}: {}", why.code());
    written(by, line, (action, object), Vec::new())
}

fn written(
    by: &By,
    line: String,
    (action, object): (&'static str, String),
    rows: Vec<Row>,
) -> Entry {
    let purpose = Purpose::composed(line);
    let purpose = match &by.said.grant {
        Some(grant) => purpose.approved_by(grant.approval.clone()),
        None => purpose,
    };
    Entry {
        tenant: by.tenant.clone(),
        actor: by.actor.clone(),
        purpose: match by.said.line() {
            Some(line) => purpose.because(line),
            None => purpose,
        },
        action,
        object,
        rows,
    }
}

/// Refuses what says nothing or too much.
pub(super) fn check_said(by: &By) -> Result<(), Error> {
    super::check_purpose(by)?;
    let fits = |text: &Option<String>, bytes_max| {
        let length = text.as_ref().map(String::len);
        length.is_none_or(|length| (1..=bytes_max).contains(&length))
    };
    let is_short = fits(&by.said.reason, REASON_BYTES_MAX);
    match is_short && fits(&by.said.recipient, RECIPIENT_BYTES_MAX) {
        true => Ok(()),
        false => Err(Error::Request(
            "a reason has 1 to 160 bytes, a recipient 1 to 64",
        )),
    }
}
