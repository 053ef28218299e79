//! Consent: notices are published, and people agree to purposes that a notice tells of, and
//! withdraw. Each answer is an event of its own with a signed receipt.

mod receipt;

pub use receipt::{RECEIPT_TYPE, Receipts};

use crate::{
    Error, Vault,
    notice::{Books, Notice, Published, hexadecimal},
    policy::{self, Jurisdiction, PolicyInForce, PrivacyPolicyChange},
    subject::{Change, Consent, EventKind, SUBJECT, Standing, SubjectEvent, is_pseudonym},
    words::is_word,
};
use paywarden_access::approval::{Approved, Who};
use paywarden_domain::{TenantId, Timestamp};
use paywarden_store::{Entry, Purpose, RecordRow, Row, VaultPerson};
use std::sync::Arc;

/// The most purposes of one answer.
pub const PURPOSES_MAX: usize = 16;
/// How often a change of a person's standing is tried again that another one got ahead of.
const TRIES: usize = 4;
/// The longest that consent may count, in days: ten years.
const DAYS_MAX: u32 = 3_660;
const DAY_US: i64 = 86_400_000_000;

/// What a person agreed to.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The person, by the caller's own identifier or their pseudonym.
    pub subject: String,
    /// For what, 1 to 16 purposes that the notice tells of.
    pub purposes: Vec<String>,
    /// The notice that was shown.
    pub notice: String,
    /// The version that was shown: the one in force.
    pub notice_version: i64,
    /// In which language: `zh` or `en`.
    pub language: String,
    /// How they answered, a word such as `web_form`.
    pub method: String,
    /// Whose law holds for them; kept if not given.
    pub jurisdiction: Option<Jurisdiction>,
    /// For how many days it counts, at most 3,660; until it is withdrawn if not given.
    pub days: Option<u32>,
}

/// How a person stands after an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// Their pseudonym.
    pub subject: String,
    /// How they stand now.
    pub standing: Standing,
    /// The event.
    pub event: SubjectEvent,
}

impl Vault {
    /// Publishes a version of a notice. It holds from the moment that it names; what is decided
    /// after this returns is decided by it.
    pub async fn publish_notice(
        &self,
        who: &Who,
        notice: &Notice,
    ) -> Result<Arc<Published>, Error> {
        notice.check()?;
        self.must_keep_payments(&who.tenant, notice)?;
        let books = &self.desk.books;
        if !books.has_room(&who.tenant, &notice.name) {
            return Err(Error::NoticeRefused(
                "a company has at most 64 notices: publish a version of one",
            ));
        }
        let row = RecordRow {
            tenant: who.tenant.clone(),
            kind: crate::notice::NOTICE.to_owned(),
            id: Books::id(&who.tenant, &notice.name),
            version: books.newest(&who.tenant, &notice.name) + 1,
            written_at: self.clock.now(),
            body: notice.body()?,
        };
        let entry = Entry {
            tenant: who.tenant.clone(),
            actor: who.actor.clone(),
            purpose: Purpose::from("privacy notice"),
            action: "notice.publish",
            object: format!("{} {}", notice.name, row.version),
            rows: vec![Row::Record(row.clone())],
        };
        match self.journal.append(entry).await {
            Ok(_) => books.add(&row),
            Err(paywarden_store::Error::Conflict { .. }) => Err(Error::NoticeMoved),
            Err(error) => Err(error.into()),
        }
    }

    /// Every notice of a company, the newest version of each.
    pub fn notices(&self, tenant: &TenantId) -> Vec<Arc<Published>> {
        self.desk.books.all(tenant)
    }

    /// One version of a notice, or the one that holds now.
    pub async fn notice(
        &self,
        tenant: &TenantId,
        name: &str,
        version: Option<i64>,
    ) -> Result<Arc<Published>, Error> {
        let books = &self.desk.books;
        let Some(version) = version else {
            let found = books.in_force(tenant, name, self.clock.now());
            return found.ok_or(Error::NoticeUnknown);
        };
        if let Some(found) = books.version(tenant, name, version) {
            return Ok(found);
        }
        if !is_word(name) || version < 1 {
            return Err(Error::NoticeUnknown);
        }
        let id = Books::id(tenant, name);
        let database = self.reader.database();
        let rows = database
            .record_versions(crate::notice::NOTICE, &id, version + 1, 1)
            .await?;
        let row = rows
            .into_iter()
            .find(|row| row.version == version && row.tenant == *tenant);
        let row = row.ok_or(Error::NoticeUnknown)?;
        let read = Published::read(row.version, row.written_at, &row.body);
        read.map(Arc::new).ok_or(Error::Damaged)
    }

    /// The privacy policy of a company.
    pub fn privacy_policy(&self, tenant: &TenantId) -> PolicyInForce {
        self.desk.shown(tenant, self.clock.now())
    }

    /// Brings another privacy policy into force.
    pub async fn change_privacy_policy(
        &self,
        approved: Approved<PrivacyPolicyChange>,
        reason: &str,
    ) -> Result<(), policy::ChangeError> {
        self.desk
            .change_policy(approved, (reason, &self.clock))
            .await
    }

    /// Writes down that a person agreed. The receipt is theirs.
    pub async fn give_consent(&self, who: &Who, answer: &Answer) -> Result<Answered, Error> {
        let notice = self.shown_notice(&who.tenant, answer)?;
        let now = self.clock.now();
        let (record, receipt) = (self.fresh("con"), self.fresh("rcp"));
        let days = answer.days.map(i64::from);
        let expires_at = days.map(|days| Timestamp::from_micros(now.micros() + days * DAY_US));
        let clause = |purpose: &String| {
            let clauses = &notice.notice.clauses;
            let clause = clauses.iter().find(|clause| clause.covers(purpose));
            clause.map(|clause| clause.id.clone()).unwrap_or_default()
        };
        let consents = answer.purposes.iter().map(|purpose| Consent {
            record: record.clone(),
            receipt: receipt.clone(),
            purpose: purpose.clone(),
            notice: answer.notice.clone(),
            notice_version: notice.version,
            notice_sha256: notice.sha256.clone(),
            clause: clause(purpose),
            given_at: now,
            expires_at,
            withdrawn_at: None,
            language: answer.language.clone(),
            method: answer.method.clone(),
        });
        let consents: Vec<Consent> = consents.collect();
        let step = |standing: &mut Standing| {
            consents
                .iter()
                .cloned()
                .for_each(|consent| standing.agree(consent));
            standing.jurisdiction = answer.jurisdiction.or(standing.jurisdiction);
            match standing.consents.len() <= crate::subject::CONSENTS_MAX {
                true => Ok(answer.purposes.clone()),
                false => Err(Error::ConsentRefused(
                    "a person answers about at most 64 purposes",
                )),
            }
        };
        self.change_standing(who, &answer.subject, (EventKind::ConsentGiven, now), step)
            .await
    }

    /// Writes down that a person withdrew consent to purposes, or to all if none is named. What is
    /// read after this returns is read without it.
    pub async fn withdraw_consent(
        &self,
        who: &Who,
        subject: &str,
        purposes: &[String],
    ) -> Result<Answered, Error> {
        let now = self.clock.now();
        let receipt = self.fresh("rcp");
        let step = |standing: &mut Standing| {
            let is_meant = |one: &Consent| purposes.is_empty() || purposes.contains(&one.purpose);
            let is_given = |one: &&mut Consent| one.withdrawn_at.is_none() && is_meant(one);
            let mut withdrawn = Vec::new();
            for consent in standing.consents.iter_mut().filter(is_given) {
                consent.withdrawn_at = Some(now);
                consent.receipt.clone_from(&receipt);
                withdrawn.push(consent.purpose.clone());
            }
            match withdrawn.is_empty() {
                true => Err(Error::ConsentUnknown),
                false => Ok(withdrawn),
            }
        };
        self.change_standing(who, subject, (EventKind::ConsentWithdrawn, now), step)
            .await
    }

    /// How a person stands, and the events that led there, newest first, at most `limit`.
    pub async fn standing(
        &self,
        tenant: &TenantId,
        subject: &str,
        limit: u32,
    ) -> Result<(String, Standing, Vec<SubjectEvent>), Error> {
        let subject = self.pseudonym(tenant, subject);
        let database = self.reader.database();
        let rows = database
            .record_versions(SUBJECT, &subject, i64::MAX, limit)
            .await?;
        let rows = rows.into_iter().filter(|row| row.tenant == *tenant);
        let changes: Vec<Change> = rows
            .map(|row| Change::read(&row.body))
            .collect::<Result<_, _>>()?;
        let standing = changes.first().map(|change| change.standing.clone());
        let events = changes.into_iter().map(|change| change.event);
        Ok((subject, standing.unwrap_or_default(), events.collect()))
    }

    /// The pseudonym of a person: as it is if one is given, else made of the caller's identifier.
    /// A pseudonym of another company stands for nobody here.
    pub fn pseudonym(&self, tenant: &TenantId, subject: &str) -> String {
        match is_pseudonym(subject) {
            true => subject.to_owned(),
            false => self.keys.subject(tenant, subject),
        }
    }

    /// Changes how a person stands, with an event of its own. Nothing of theirs is read or kept
    /// meanwhile, so that whoever asks afterwards is decided about by the change.
    pub(crate) async fn change_standing(
        &self,
        who: &Who,
        subject: &str,
        (kind, at): (EventKind, Timestamp),
        step: impl Fn(&mut Standing) -> Result<Vec<String>, Error>,
    ) -> Result<Answered, Error> {
        check_subject(subject)?;
        let (named, subject) = (subject, self.pseudonym(&who.tenant, subject));
        let _gate = self.shut(&subject).await;
        for _ in 0..TRIES {
            let database = self.reader.database();
            let before = database.record(SUBJECT, &subject).await?;
            if before.as_ref().is_some_and(|row| row.tenant != who.tenant) {
                return Err(Error::SubjectUnknown);
            }
            let mut standing = match before {
                Some(row) => Change::read(&row.body)?.standing,
                None => self.nothing_said(&who.tenant, (named, &subject)).await?,
            };
            let purposes = step(&mut standing)?;
            standing.version += 1;
            let mut event = SubjectEvent {
                kind,
                at,
                by: who.actor.to_string(),
                purposes,
                receipt: None,
            };
            event.receipt =
                self.receipts
                    .of(&who.tenant, &subject, (&standing, &event), &self.desk)?;
            let entry = standing_entry(who, &subject, (&standing, &event))?;
            match self.journal.append(entry).await {
                Ok(_) => {
                    self.desk.persons.put(&subject, standing.clone());
                    return Ok(Answered {
                        subject,
                        standing,
                        event,
                    });
                }
                Err(paywarden_store::Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Overloaded)
    }

    /// The standing of somebody who has said nothing yet. Whoever names them by a pseudonym must
    /// have data of theirs: it may be another company's.
    async fn nothing_said(
        &self,
        tenant: &TenantId,
        (named, subject): (&str, &str),
    ) -> Result<Standing, Error> {
        let person = VaultPerson {
            subject: subject.to_owned(),
            retention: None,
        };
        let is_known = !is_pseudonym(named) || self.reader.living(tenant, &person).await? != (0, 0);
        is_known
            .then(Standing::default)
            .ok_or(Error::SubjectUnknown)
    }

    /// The notice that a person saw: the version in force, which tells of every purpose.
    fn shown_notice(&self, tenant: &TenantId, answer: &Answer) -> Result<Arc<Published>, Error> {
        let refused = |why| Err(Error::ConsentRefused(why));
        if !(1..=PURPOSES_MAX).contains(&answer.purposes.len()) {
            return refused("a person answers about 1 to 16 purposes at a time");
        }
        if !matches!(answer.language.as_str(), "zh" | "en") {
            return refused("language is zh or en: the one in which the notice was shown");
        }
        if !is_word(&answer.method) {
            return refused("method is a word such as web_form");
        }
        if answer
            .days
            .is_some_and(|days| !(1..=DAYS_MAX).contains(&days))
        {
            return refused("consent counts for 1 to 3,660 days");
        }
        let now = self.clock.now();
        let notice = self.desk.books.in_force(tenant, &answer.notice, now);
        let notice = notice.ok_or(Error::NoticeUnknown)?;
        if notice.version != answer.notice_version {
            return refused(
                "another version of the notice is in force: show that one and ask anew",
            );
        }
        let covers = |purpose: &String| {
            let clauses = &notice.notice.clauses;
            clauses.iter().any(|clause| clause.covers(purpose))
        };
        match answer.purposes.iter().all(covers) {
            true => Ok(notice),
            false => refused("no clause of the notice tells of one of the purposes"),
        }
    }

    /// A notice may not take away what payments are decided by.
    fn must_keep_payments(&self, tenant: &TenantId, notice: &Notice) -> Result<(), Error> {
        let in_force = self.desk.in_force(tenant);
        let purpose = in_force.policy.purpose(policy::FRAUD_PREVENTION);
        let Some((told_in, clause)) = purpose.map(policy::Purpose::told_in) else {
            return Ok(());
        };
        let covers = notice.clause(clause).is_some_and(|clause| {
            clause.covers(policy::FRAUD_PREVENTION) && clause.tells_of(policy::PAYMENT_CARD.field)
        });
        let is_lasting = notice.until.is_none() && notice.jurisdictions.is_empty();
        match notice.name != told_in || (covers && is_lasting) {
            true => Ok(()),
            false => Err(Error::NoticeRefused(
                "payments could not be decided: keep the clause that the policy names for \
                 fraud_prevention, with card_number, everywhere and without end",
            )),
        }
    }

    fn fresh(&self, prefix: &str) -> String {
        format!("{prefix}_{}", hexadecimal(&self.clock.random::<16>()))
    }
}

impl Change {
    pub(crate) fn read(body: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(body).map_err(|_| Error::Damaged)
    }
}

pub(crate) fn check_subject(subject: &str) -> Result<(), Error> {
    match (1..=256).contains(&subject.len()) && !subject.contains('\0') {
        true => Ok(()),
        false => Err(Error::Request("a subject has 1 to 256 bytes")),
    }
}

fn standing_entry(
    who: &Who,
    subject: &str,
    (standing, event): (&Standing, &SubjectEvent),
) -> Result<Entry, Error> {
    let change = Change {
        standing: standing.clone(),
        event: event.clone(),
    };
    let row = RecordRow {
        tenant: who.tenant.clone(),
        kind: SUBJECT.to_owned(),
        id: subject.to_owned(),
        version: standing.version,
        written_at: event.at,
        body: serde_json::to_vec(&change).map_err(|_| Error::Damaged)?,
    };
    Ok(Entry {
        tenant: who.tenant.clone(),
        actor: who.actor.clone(),
        purpose: Purpose::from("standing of a person"),
        action: event.kind.action(),
        object: subject.to_owned(),
        rows: vec![Row::Record(row)],
    })
}
