//! What blocks of decisions name, and what that is read from.

use crate::{
    Error,
    sql::{AnyQuery, Fields, Insertable, Stored},
};
use paywarden_domain::TenantId;

/// The longest content of a block, in bytes.
pub const MENTIONS_BYTES_MAX: usize = 16 * 1024 * 1024;

/// All decisions of a tenant between two numbers, by what they name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MentionsRow {
    /// Whose they are.
    pub tenant: TenantId,
    /// The number of the first.
    pub first: i64,
    /// The number of the last, not less than the first.
    pub last: i64,
    /// What they name, at most 16 MiB.
    pub content: Vec<u8>,
}

/// What a decision names is read from these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MentioningRow {
    /// Number of the event.
    pub event_no: i64,
    /// The event as features see it.
    pub feature: Vec<u8>,
    /// The encoded decision.
    pub body: Vec<u8>,
}

impl MentionsRow {
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.first > self.last || self.content.len() > MENTIONS_BYTES_MAX {
            let reason = "a block ends where it begins or later, and has at most 16 MiB";
            return Err(Error::invalid(reason));
        }
        Ok(())
    }
}

impl Stored for MentionsRow {
    const TABLE: &'static str = "mentions";
    const COLUMNS: &'static [&'static str] = &["tenant", "first_no", "last_no", "content"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            tenant: fields.parsed(TenantId::parse)?,
            first: fields.take()?,
            last: fields.take()?,
            content: fields.take()?,
        })
    }
}

impl Insertable for MentionsRow {
    fn bind<'q>(&'q self, query: AnyQuery<'q>) -> AnyQuery<'q> {
        query
            .bind(self.tenant.as_str())
            .bind(self.first)
            .bind(self.last)
            .bind(self.content.as_slice())
    }
}

impl Stored for MentioningRow {
    const TABLE: &'static str = "decisions";
    const COLUMNS: &'static [&'static str] = &["event_no", "feature", "body"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            event_no: fields.take()?,
            feature: fields.take()?,
            body: fields.take()?,
        })
    }
}
