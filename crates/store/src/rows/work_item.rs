//! What people work on: a version of it, and by what it is found.

use super::{Canonical, RecordRow};
use crate::{
    Error,
    sql::{AnyQuery, Fields, Insertable, Stored},
};
use paywarden_domain::TenantId;

/// The most things that one version begins or ends to be linked to.
pub const LINKS_MAX: usize = 256;

/// A version of something that people work on, with that by which its newest version is found.
///
/// The record is the truth, which the trail covers; the rest is an index of the newest versions. A
/// version that does not follow the one before it is an [`Error::Conflict`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkItemRow {
    /// The version.
    pub record: RecordRow,
    /// Where it waits, at most 64 bytes.
    pub queue: String,
    /// Where it stands, as its owner counts.
    pub state: u8,
    /// Who works on it, at most 256 bytes; empty for nobody.
    pub assignee: String,
    /// How urgent it is within its queue and state: the smallest number comes first.
    pub urgency: i64,
    /// Whom or what it is about, at most 128 bytes.
    pub subject: String,
    /// What it is linked to from now on, each at most 128 bytes; at most 256.
    pub linked: Vec<String>,
    /// What it is not linked to any more; at most 256.
    pub unlinked: Vec<String>,
}

impl WorkItemRow {
    /// The index is derived from the record, which is what the trail keeps.
    pub(crate) fn canonical(&self) -> Canonical {
        self.record.canonical()
    }
}

/// Where the newest version of a work item is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkPlace {
    /// Identifier.
    pub id: String,
    /// Whose it is.
    pub tenant: TenantId,
    /// What kind of thing.
    pub kind: String,
    /// The newest version.
    pub version: i64,
    /// Where it waits.
    pub queue: String,
    /// Where it stands.
    pub state: u8,
    /// Who works on it; empty for nobody.
    pub assignee: String,
    /// How urgent it is.
    pub urgency: i64,
    /// Whom or what it is about.
    pub subject: String,
}

impl From<&WorkItemRow> for WorkPlace {
    fn from(row: &WorkItemRow) -> Self {
        Self {
            id: row.record.id.clone(),
            tenant: row.record.tenant.clone(),
            kind: row.record.kind.clone(),
            version: row.record.version,
            queue: row.queue.clone(),
            state: row.state,
            assignee: row.assignee.clone(),
            urgency: row.urgency,
            subject: row.subject.clone(),
        }
    }
}

impl WorkPlace {
    /// The key of its newest record.
    pub(crate) fn record(&self) -> String {
        format!("{}/{}/{}", self.kind, self.id, self.version)
    }
}

impl Stored for WorkPlace {
    const TABLE: &'static str = "work_items";
    const COLUMNS: &'static [&'static str] = &[
        "id", "tenant", "kind", "version", "queue", "state", "assignee", "urgency", "subject",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: fields.take()?,
            tenant: fields.parsed(TenantId::parse)?,
            kind: fields.take()?,
            version: fields.take()?,
            queue: fields.take()?,
            state: fields.numbered(Some)?,
            assignee: fields.take()?,
            urgency: fields.take()?,
            subject: fields.take()?,
        })
    }
}

impl Insertable for WorkPlace {
    fn bind<'q>(&'q self, query: AnyQuery<'q>) -> AnyQuery<'q> {
        query
            .bind(self.id.as_str())
            .bind(self.tenant.as_str())
            .bind(self.kind.as_str())
            .bind(self.version)
            .bind(self.queue.as_str())
            .bind(i16::from(self.state))
            .bind(self.assignee.as_str())
            .bind(self.urgency)
            .bind(self.subject.as_str())
    }
}

/// That a work item is about something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkLink {
    /// What it is about.
    pub target: String,
    /// Whose it is.
    pub tenant: TenantId,
    /// The work item.
    pub item: String,
}

impl Stored for WorkLink {
    const TABLE: &'static str = "work_links";
    const COLUMNS: &'static [&'static str] = &["target", "tenant", "item"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            target: fields.take()?,
            tenant: fields.parsed(TenantId::parse)?,
            item: fields.take()?,
        })
    }
}

impl Insertable for WorkLink {
    fn bind<'q>(&'q self, query: AnyQuery<'q>) -> AnyQuery<'q> {
        query
            .bind(self.target.as_str())
            .bind(self.tenant.as_str())
            .bind(self.item.as_str())
    }
}
