//! Reading and writing what people work on: sealed records with versions.

use crate::{Change, Error, FileScan, Policy, queue::Claims, text::checked_text};
use paywarden_access::{approval::Who, watch::Calendar};
use paywarden_crypto::{Keyring, keyring::PreparedSeal};
use paywarden_domain::{TenantId, Timestamp};
use paywarden_store::{
    Clock, Database, Entry, Journal, Purpose, RecordRow, Row, WorkItemRow, WorkPlace,
};
use serde::{Serialize, de::DeserializeOwned};
use std::{collections::BTreeSet, fmt};

/// Why whatever happens to alerts and cases happens, in the trail.
pub(crate) const PURPOSE: &str = "alert handling";

/// Alerts and cases of all companies.
pub struct Cases {
    pub(crate) database: Database,
    pub(crate) journal: Journal,
    pub(crate) clock: Clock,
    pub(crate) policy: Policy,
    pub(crate) calendar: Calendar,
    seal: PreparedSeal,
    /// Who scans files; nobody if not set.
    pub(crate) scan: Option<FileScan>,
    /// Claims of the next alert that are under way.
    pub(crate) claims: Claims,
}

/// Somebody who works on alerts and cases, and the queues that they see.
#[derive(Debug, Clone)]
pub struct Worker {
    /// Who it is.
    pub who: Who,
    /// The queues.
    pub(crate) queues: Vec<String>,
}

/// What people work on.
pub(crate) trait Item: Clone + Serialize + DeserializeOwned {
    /// What kind of record it is.
    const KIND: &'static str;
    /// How its identifiers begin.
    const PREFIX: &'static str;
    /// The state of those that are worked on.
    const OPEN: u8;
    /// Writing one again because it was not found as it should be, in the trail.
    const REINDEX: &'static str;
    /// Moving one because its queue was given up, in the trail.
    const MOVE: &'static str;

    fn id(&self) -> &str;
    fn version(&mut self) -> &mut i64;
    fn change(&mut self) -> &mut Change;
    fn queue(&mut self) -> &mut String;
    fn found(&self) -> Found<'_>;
    /// All that it is linked to, but for whom its notes mention.
    fn targets(&self) -> BTreeSet<String>;
}

/// By what a work item is found.
pub(crate) struct Found<'i> {
    pub(crate) queue: &'i str,
    pub(crate) state: u8,
    pub(crate) assignee: &'i str,
    pub(crate) urgency: i64,
    pub(crate) subject: &'i str,
}

/// What a work item is linked to from now on, and what not any more.
#[derive(Debug, Default)]
pub(crate) struct Links {
    pub(crate) new: Vec<String>,
    pub(crate) gone: Vec<String>,
}

impl fmt::Debug for Cases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cases").finish_non_exhaustive()
    }
}

impl Worker {
    /// As the trail names them.
    pub fn name(&self) -> String {
        self.who.actor.to_string()
    }

    pub(crate) fn tenant(&self) -> &TenantId {
        &self.who.tenant
    }

    /// Whether they see a queue.
    pub fn sees(&self, queue: &str) -> bool {
        self.queues.iter().any(|seen| seen == queue)
    }
}

impl Cases {
    /// The desk of a store.
    pub fn new(
        (database, journal): (Database, Journal),
        clock: Clock,
        keyring: &Keyring,
        (policy, calendar): (Policy, Calendar),
    ) -> Result<Self, Error> {
        let seal = keyring.seal_for("alerts and cases");
        let seal = seal.map_err(|error| Error::Damaged(error.to_string()))?;
        Ok(Self {
            database,
            journal,
            clock,
            policy,
            calendar,
            seal,
            scan: None,
            claims: Claims::default(),
        })
    }

    /// The same, with somebody who scans files before they are taken.
    #[must_use]
    pub fn scanned_by(self, scan: Option<FileScan>) -> Self {
        Self { scan, ..self }
    }

    /// What raises alerts, and where they wait.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Somebody with these roles, who sees the queues that the policy opens to them.
    pub fn worker<'r>(&self, who: Who, roles: impl Iterator<Item = &'r str> + Clone) -> Worker {
        let queues = self.policy.queues_of(roles);
        Worker { who, queues }
    }

    pub(crate) fn fresh_id<T: Item>(&self, now: Timestamp) -> String {
        let random = u32::from_be_bytes(self.clock.random());
        format!("{}_{:016x}{random:08x}", T::PREFIX, now.micros())
    }

    /// An item that somebody may see. Another's, and one in a queue that is not theirs, is unknown.
    pub(crate) async fn seen<T: Item>(&self, worker: &Worker, id: &str) -> Result<T, Error> {
        let item: T = self.find(worker.tenant(), id).await?;
        match worker.sees(item.found().queue) {
            true => Ok(item),
            false => Err(Error::Unknown),
        }
    }

    pub(crate) async fn find<T: Item>(&self, tenant: &TenantId, id: &str) -> Result<T, Error> {
        let record = self.database.record(T::KIND, id).await?;
        let record = record.filter(|record| record.tenant == *tenant);
        self.read(&record.ok_or(Error::Unknown)?)
    }

    /// The newest versions, in the order of their places.
    pub(crate) async fn all<T: Item>(&self, places: &[WorkPlace]) -> Result<Vec<T>, Error> {
        let records = self.database.work_records(places).await?;
        records.iter().map(|record| self.read(record)).collect()
    }

    /// Every version of an item, oldest first, at most the newest 1,000.
    pub(crate) async fn versions<T: Item>(
        &self,
        tenant: &TenantId,
        id: &str,
    ) -> Result<Vec<T>, Error> {
        let records = self.database.record_versions(T::KIND, id, i64::MAX, 1_000);
        let records = records.await?;
        let own = records
            .iter()
            .rev()
            .filter(|record| record.tenant == *tenant);
        own.map(|record| self.read(record)).collect()
    }

    pub(crate) fn read<T: DeserializeOwned>(&self, record: &RecordRow) -> Result<T, Error> {
        let damaged = || Error::Damaged(record.record());
        let clear = self.seal.open(record.record().as_bytes(), &record.body);
        let clear = clear.map_err(|_| damaged())?;
        serde_json::from_slice(&clear).map_err(|_| damaged())
    }

    pub(crate) fn record(
        &self,
        tenant: &TenantId,
        (kind, id, version): (&str, &str, i64),
        body: &impl Serialize,
    ) -> Result<RecordRow, Error> {
        let mut record = RecordRow {
            tenant: tenant.clone(),
            kind: kind.to_owned(),
            id: id.to_owned(),
            version,
            written_at: self.clock.now(),
            body: Vec::new(),
        };
        let damaged = |error: &dyn fmt::Display| Error::Damaged(error.to_string());
        let clear = serde_json::to_vec(body).map_err(|error| damaged(&error))?;
        let sealed = self.seal.seal(record.record().as_bytes(), &clear);
        record.body = sealed.map_err(|error| damaged(&error))?;
        Ok(record)
    }

    /// The next version of an item, as a row.
    pub(crate) fn next<T: Item>(
        &self,
        tenant: &TenantId,
        item: &mut T,
        change: Change,
        links: Links,
    ) -> Result<Row, Error> {
        *item.version() += 1;
        *item.change() = change;
        let version = *item.version();
        let record = self.record(tenant, (T::KIND, item.id(), version), item)?;
        let found = item.found();
        Ok(Row::WorkItem(Box::new(WorkItemRow {
            record,
            queue: found.queue.to_owned(),
            state: found.state,
            assignee: found.assignee.to_owned(),
            urgency: found.urgency,
            subject: found.subject.to_owned(),
            linked: links.new,
            unlinked: links.gone,
        })))
    }

    /// What a version says of itself.
    pub(crate) fn change(&self, who: &Who, act: &str, reason: Option<&str>) -> Change {
        Change {
            act: act.to_owned(),
            by: who.actor.to_string(),
            at: self.clock.now(),
            reason: reason.map(str::to_owned),
        }
    }

    /// Writes rows with their leaf. [`Error::Changed`] if one of them is not the next version.
    pub(crate) async fn write(
        &self,
        who: &Who,
        (action, object): (&'static str, &str),
        reason: Option<&str>,
        rows: Vec<Row>,
    ) -> Result<(), Error> {
        let entry = entry(who, (action, object), reason, rows);
        self.journal.append(entry).await?;
        Ok(())
    }
}

/// An entry about alerts or cases.
pub(crate) fn entry(
    who: &Who,
    (action, object): (&'static str, &str),
    reason: Option<&str>,
    rows: Vec<Row>,
) -> Entry {
    let purpose = Purpose::from(PURPOSE);
    Entry {
        tenant: who.tenant.clone(),
        actor: who.actor.clone(),
        purpose: match reason {
            Some(reason) => purpose.because(reason),
            None => purpose,
        },
        action,
        object: object.to_owned(),
        rows,
    }
}

/// A reason in somebody's words, as the trail takes it.
pub(crate) fn checked_reason(reason: &str) -> Result<&str, Error> {
    checked_text("reason", reason, (256, "1 to 256 bytes")).map(|()| reason)
}
