//! The register of what persons have asked for: until when each is to be answered by the law that
//! holds for the person, and what the answer was. One record per request; each step is its next
//! version.
//!
//! *Invariant*: a request that is overdue is told of once, by a leaf of its own, also across a
//! restart; nobody gives more time to one that is.

mod open;

pub(crate) use open::Requests;

use super::{SUBJECT, Wait, deadline, is_pseudonym};
use crate::{Error, Vault, consent::check_subject, policy::Jurisdiction};
use paywarden_access::approval::Who;
use paywarden_domain::{TenantId, Timestamp, time::DAY};
use paywarden_store::{Actor, Entry, RecordRow, Row, VaultPerson};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most open requests of a company.
pub const OPEN_MAX: usize = 10_000;
/// The most requests of one page.
pub const REQUESTS_MAX: u32 = 100;
/// What kind of record a request is, and the telling of an overdue one.
const REQUEST: &str = "subject_request";
const OVERDUE: &str = "request_overdue";
/// Requests are written down at most so long after they came in.
const LATE_MAX_US: i64 = 366 * DAY;
const REASON_BYTES_MAX: usize = 256;
const PAGE: u32 = 500;
/// How often a step is tried again that another one got ahead of.
const TRIES: usize = 4;

/// What a person may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SubjectRequestKind)]
pub enum RequestKind {
    /// To be told what is kept (GDPR, article 15; PIPL, article 45; CCPA, 1798.110).
    Access,
    /// To be given it by machine (GDPR, article 20; PIPL, article 45).
    Portability,
    /// To have it corrected (GDPR, article 16; PIPL, article 46; CCPA, 1798.106).
    Correction,
    /// To have it erased (GDPR, article 17; PIPL, article 47; CCPA, 1798.105).
    Erasure,
    /// To have its handling restricted (GDPR, article 18; PIPL, article 44).
    Restriction,
    /// To object to it (GDPR, article 21; CCPA, 1798.120).
    Objection,
    /// To have a decision explained that a machine took (GDPR, article 22; PIPL, article 24).
    Explanation,
}

/// What an answer was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SubjectRequestOutcome)]
pub enum RequestOutcome {
    /// What was asked for was done.
    Granted,
    /// A part of it was.
    GrantedInPart,
    /// It was not.
    Refused,
    /// The person no longer asks.
    Withdrawn,
}

/// A request, as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectRequest {
    /// Its identifier, `srq_…`.
    pub id: String,
    /// The pseudonym of the person.
    pub subject: String,
    /// What they asked for.
    pub kind: RequestKind,
    /// Whose law says how long an answer may take.
    pub jurisdiction: Jurisdiction,
    /// When it came in.
    pub received_at: Timestamp,
    /// Until when it is to be answered, exclusive.
    pub due_at: Timestamp,
    /// When it was written down.
    pub recorded_at: Timestamp,
    /// By whom, as the trail names them.
    pub recorded_by: String,
    /// That there is more time, if it was given.
    pub extension: Option<RequestExtension>,
    /// The answer; null while there is none.
    pub answer: Option<RequestAnswer>,
}

/// More time for an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SubjectRequestExtension)]
pub struct RequestExtension {
    /// Why, as the person was told.
    pub reason: String,
    /// When they were told.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SubjectRequestAnswer)]
pub struct RequestAnswer {
    /// What it was.
    pub outcome: RequestOutcome,
    /// Why, as the person was told.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// A request to write down.
#[derive(Debug, Clone)]
pub struct NewRequest {
    /// The person, by the caller's own identifier or their pseudonym.
    pub subject: String,
    /// What they asked for.
    pub kind: RequestKind,
    /// When it came in: at most 366 days ago; now if not given.
    pub received_at: Option<Timestamp>,
    /// Whose law holds for them; as known of them, or as the policy says, if not given.
    pub jurisdiction: Option<Jurisdiction>,
}

/// Which requests are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SubjectRequestFilter)]
pub enum RequestFilter {
    /// Every one.
    All,
    /// Those without an answer.
    Open,
    /// Those whose answer is overdue.
    Overdue,
}

impl SubjectRequest {
    /// Whether it has no answer, and should have one.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.answer.is_none() && self.due_at <= now
    }

    fn read(row: &RecordRow) -> Result<Self, Error> {
        serde_json::from_slice(&row.body).map_err(|_| Error::Damaged)
    }

    /// More time, as the law of the person gives it, once and before time is up.
    fn extend(&mut self, extension: RequestExtension) -> Result<(), Error> {
        let law = deadline(self.jurisdiction, self.kind).ok_or(Error::Damaged)?;
        let refusals = [
            (self.answer.is_none(), "it is answered"),
            (self.extension.is_none(), "it was given more time already"),
            (extension.at < self.due_at, "it is overdue"),
            (
                law.more != Wait::default(),
                "the law of the person gives no more time",
            ),
        ];
        if let Some(why) = crate::words::first_broken(&refusals) {
            return Err(Error::RequestState(why));
        }
        self.due_at = law.due(self.received_at, true);
        self.extension = Some(extension);
        Ok(())
    }

    fn answer(&mut self, answer: RequestAnswer) -> Result<(), Error> {
        match self.answer.replace(answer) {
            None => Ok(()),
            Some(_) => Err(Error::RequestState("it is answered")),
        }
    }
}

impl Vault {
    /// Writes down that a person asked for something.
    pub async fn record_request(
        &self,
        who: &Who,
        new: &NewRequest,
    ) -> Result<SubjectRequest, Error> {
        let now = self.clock.now();
        let received_at = new.received_at.unwrap_or(now);
        if received_at > now || received_at.micros() < now.micros() - LATE_MAX_US {
            return Err(Error::Request(
                "a request came in now or earlier, at most 366 days ago",
            ));
        }
        let subject = self.known_subject(&who.tenant, &new.subject).await?;
        let standing = self.desk.persons.of(&subject).await?;
        let jurisdiction = new.jurisdiction.or(standing.jurisdiction);
        let jurisdiction =
            jurisdiction.unwrap_or_else(|| self.desk.in_force(&who.tenant).policy.jurisdiction);
        let law = deadline(jurisdiction, new.kind).ok_or(Error::Damaged)?;
        let request = SubjectRequest {
            id: self.fresh_in_time("srq"),
            subject,
            kind: new.kind,
            jurisdiction,
            received_at,
            due_at: law.due(received_at, false),
            recorded_at: now,
            recorded_by: who.actor.to_string(),
            extension: None,
            answer: None,
        };
        self.requests.must_have_room(&who.tenant)?;
        self.write_request(who, (&request, 1), "subject.request")
            .await?;
        Ok(request)
    }

    /// Gives a request more time, once: the person was told why.
    pub async fn extend_request(
        &self,
        who: &Who,
        id: &str,
        reason: &str,
    ) -> Result<SubjectRequest, Error> {
        let extension = RequestExtension {
            reason: checked(reason)?,
            at: self.clock.now(),
            by: who.actor.to_string(),
        };
        let step = |request: &mut SubjectRequest| request.extend(extension.clone());
        self.step_request(who, id, ("subject.extend_request", step))
            .await
    }

    /// Writes down what a person was answered.
    pub async fn answer_request(
        &self,
        who: &Who,
        id: &str,
        (outcome, reason): (RequestOutcome, &str),
    ) -> Result<SubjectRequest, Error> {
        let answer = RequestAnswer {
            outcome,
            reason: checked(reason)?,
            at: self.clock.now(),
            by: who.actor.to_string(),
        };
        let step = |request: &mut SubjectRequest| request.answer(answer.clone());
        self.step_request(who, id, ("subject.answer_request", step))
            .await
    }

    /// A request of a company.
    pub async fn request(&self, tenant: &TenantId, id: &str) -> Result<SubjectRequest, Error> {
        SubjectRequest::read(&self.request_row(tenant, id).await?)
    }

    /// Requests of a company before this one, newest first, at most 100; whether there may be more.
    pub async fn requests(
        &self,
        tenant: &TenantId,
        filter: RequestFilter,
        (before, limit): (Option<&str>, u32),
    ) -> Result<Vec<SubjectRequest>, Error> {
        // Behind every identifier.
        let before = before.unwrap_or("t");
        let limit = limit.clamp(1, REQUESTS_MAX);
        let database = self.reader.database();
        if filter == RequestFilter::All {
            let rows = database.records_of(tenant, REQUEST, before, limit).await?;
            return rows.iter().map(SubjectRequest::read).collect();
        }
        let now = self.clock.now();
        let due_before = (filter == RequestFilter::Overdue).then_some(now);
        let mut found = Vec::new();
        for id in self.requests.open(tenant, (before, due_before), limit) {
            found.push(self.request(tenant, &id).await?);
        }
        Ok(found)
    }

    /// How many requests of all companies have no answer.
    pub fn requests_open(&self) -> usize {
        self.requests.count()
    }

    /// How many of these are overdue.
    pub fn requests_overdue(&self) -> usize {
        self.requests.overdue(self.clock.now())
    }

    /// Looks for requests whose answer is overdue, in every company. Each is told of once: by a
    /// leaf, `subject.request_overdue`, which a rule about acts makes an alert of.
    pub async fn note_overdue_requests(&self) -> Result<(), Error> {
        let now = self.clock.now();
        for (id, tenant) in self.requests.untold(now) {
            let record = RecordRow {
                tenant: tenant.clone(),
                kind: OVERDUE.to_owned(),
                id: id.clone(),
                version: 1,
                written_at: now,
                body: Vec::new(),
            };
            let entry = Entry {
                tenant,
                actor: Actor::System("privacy"),
                purpose: "a person is not answered in time".into(),
                action: "subject.request_overdue",
                object: id.clone(),
                rows: vec![Row::Record(record)],
            };
            match self.journal.append(entry).await {
                Ok(_) => tracing::error!(id, "request of a person overdue"),
                // It was told before the start.
                Err(paywarden_store::Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            self.requests.told(&id);
        }
        Ok(())
    }

    async fn step_request(
        &self,
        who: &Who,
        id: &str,
        (action, step): (
            &'static str,
            impl Fn(&mut SubjectRequest) -> Result<(), Error>,
        ),
    ) -> Result<SubjectRequest, Error> {
        for _ in 0..TRIES {
            let row = self.request_row(&who.tenant, id).await?;
            let mut request = SubjectRequest::read(&row)?;
            step(&mut request)?;
            let written = self.write_request(who, (&request, row.version + 1), action);
            match written.await {
                Ok(()) => return Ok(request),
                // Somebody else took a step a moment before.
                Err(Error::TokenUnknown) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Overloaded)
    }

    async fn request_row(&self, tenant: &TenantId, id: &str) -> Result<RecordRow, Error> {
        let row = self.reader.database().record(REQUEST, id).await?;
        let row = row.filter(|row| row.tenant == *tenant);
        row.ok_or(Error::RequestUnknown)
    }

    /// Writes a version of a request, and keeps it among the open ones as long as it is.
    async fn write_request(
        &self,
        who: &Who,
        (request, version): (&SubjectRequest, i64),
        action: &'static str,
    ) -> Result<(), Error> {
        let row = RecordRow {
            tenant: who.tenant.clone(),
            kind: REQUEST.to_owned(),
            id: request.id.clone(),
            version,
            written_at: self.clock.now(),
            body: serde_json::to_vec(request).map_err(|_| Error::Damaged)?,
        };
        let entry = Entry {
            tenant: who.tenant.clone(),
            actor: who.actor.clone(),
            purpose: "request of a person".into(),
            action,
            object: format!("{} {}", request.id, request.subject),
            rows: vec![Row::Record(row)],
        };
        self.journal.append(entry).await?;
        self.requests.put(&who.tenant, request);
        Ok(())
    }

    /// The pseudonym of a person; whoever names them by one must have something of theirs.
    async fn known_subject(&self, tenant: &TenantId, named: &str) -> Result<String, Error> {
        check_subject(named)?;
        let subject = self.pseudonym(tenant, named);
        if !is_pseudonym(named) {
            return Ok(subject);
        }
        let standing = self.reader.database().record(SUBJECT, &subject).await?;
        let person = VaultPerson {
            subject: subject.clone(),
            retention: None,
        };
        let is_known = standing.is_some_and(|row| row.tenant == *tenant)
            || self.reader.living(tenant, &person).await? != (0, 0);
        is_known.then_some(subject).ok_or(Error::SubjectUnknown)
    }
}

fn checked(reason: &str) -> Result<String, Error> {
    match (1..=REASON_BYTES_MAX).contains(&reason.len()) && !reason.contains('\0') {
        true => Ok(reason.to_owned()),
        false => Err(Error::Request("a reason has 1 to 256 bytes")),
    }
}
