//! The last backup that was read back: an operator says so at the command line, a leaf of the trail
//! keeps it, and this process shows how old it is.

use paywarden_domain::{TenantId, Timestamp};
use paywarden_store::{Actor, Database, Entry, Error, Journal, Purpose, RecordRow, Row};
use serde::{Deserialize, Serialize};

/// What kind of record it is, and which one: there is one database.
const KIND: &str = "backup";
const ID: &str = "database";

/// A copy of the database whose pages, leaves and records hold, and whose trees the ones here begin
/// with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    /// The time of its newest leaf.
    pub as_of: Timestamp,
    /// When it was read back.
    pub read_back_at: Timestamp,
    /// The leaves of all its trees.
    pub leaves: u64,
    /// The size of its file, if it is one.
    pub bytes: Option<u64>,
}

impl Backup {
    /// The last one that was read back.
    pub async fn last(database: &Database) -> Result<Option<Self>, Error> {
        let known = database.record(KIND, ID).await?;
        known.map(|row| read(&row)).transpose()
    }

    /// Keeps that it was read back, in the trail of a company.
    pub async fn keep(
        &self,
        (database, journal): (&Database, &Journal),
        tenant: TenantId,
        (actor, purpose): (Actor, Purpose),
    ) -> Result<(), Error> {
        let before = database.record(KIND, ID).await?;
        let row = RecordRow {
            tenant: before.as_ref().map_or(tenant, |row| row.tenant.clone()),
            kind: KIND.to_owned(),
            id: ID.to_owned(),
            version: before.map_or(1, |row| row.version + 1),
            written_at: self.read_back_at,
            body: serde_json::to_vec(self).map_err(|error| Error::Invalid {
                reason: error.to_string(),
            })?,
        };
        let entry = Entry {
            tenant: row.tenant.clone(),
            actor,
            purpose,
            action: "backup.read_back",
            object: format!("as of {}, {} leaves", self.as_of, self.leaves),
            rows: vec![Row::Record(row)],
        };
        journal.append(entry).await.map(|_| ())
    }
}

fn read(row: &RecordRow) -> Result<Backup, Error> {
    serde_json::from_slice(&row.body).map_err(|error| Error::Corrupt {
        reason: format!("{}: {error}", row.record()),
    })
}
