//! Versions of things that change as a whole.

use super::Canonical;
use crate::{
    Error,
    sql::{AnyQuery, Fields, Insertable, Stored},
};
use paywarden_domain::{TenantId, Timestamp};
use std::fmt;

/// One version of a thing. Never changed; a second row with the same kind, identifier and version
/// is an [`Error::Conflict`], so that of two who saw the same version only one goes on from it.
#[derive(Clone, PartialEq, Eq)]
pub struct RecordRow {
    /// Whose thing it is.
    pub tenant: TenantId,
    /// What kind of thing, 1 to 32 bytes without `/`.
    pub kind: String,
    /// Which one, 1 to 128 bytes without `/`; unique over all tenants.
    pub id: String,
    /// From 1 without gaps.
    pub version: i64,
    /// When it was written.
    pub written_at: Timestamp,
    /// The thing, at most 64 KiB; whoever writes personal or secret things seals them first.
    pub body: Vec<u8>,
}

impl RecordRow {
    /// Kind, identifier and version in one word: its key.
    pub fn record(&self) -> String {
        format!("{}/{}/{}", self.kind, self.id, self.version)
    }

    pub(crate) fn canonical(&self) -> Canonical {
        Canonical::new(b'O')
            .text(self.tenant.as_str())
            .text(&self.kind)
            .text(&self.id)
            .number(self.version)
            .time(self.written_at)
            .bytes(&self.body)
    }
}

impl fmt::Debug for RecordRow {
    /// Without the body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordRow")
            .field("tenant", &self.tenant)
            .field("record", &self.record())
            .field("written_at", &self.written_at)
            .finish_non_exhaustive()
    }
}

impl Stored for RecordRow {
    const TABLE: &'static str = "records";
    const COLUMNS: &'static [&'static str] = &[
        "record",
        "tenant",
        "kind",
        "id",
        "version",
        "written_at",
        "body",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        let record: String = fields.take()?;
        let row = Self {
            tenant: fields.parsed(TenantId::parse)?,
            kind: fields.take()?,
            id: fields.take()?,
            version: fields.take()?,
            written_at: Timestamp::from_micros(fields.take()?),
            body: fields.take()?,
        };
        match row.record() == record {
            true => Ok(row),
            false => Err(Error::corrupt(
                "a record does not have the key of its parts",
            )),
        }
    }
}

impl Insertable for RecordRow {
    fn bind<'q>(&'q self, query: AnyQuery<'q>) -> AnyQuery<'q> {
        query
            .bind(self.record())
            .bind(self.tenant.as_str())
            .bind(self.kind.as_str())
            .bind(self.id.as_str())
            .bind(self.version)
            .bind(self.written_at.micros())
            .bind(self.body.as_slice())
    }
}
