//! Published rule sets.

use super::Canonical;
use crate::{
    Error,
    sql::{AnyQuery, Fields, Insertable, Stored},
};
use paywarden_domain::{TenantId, Timestamp};

/// One published version of a tenant's rules. Never changed; publishing a version again is an
/// [`Error::Conflict`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSetRow {
    /// Whose rules they are.
    pub tenant: TenantId,
    /// Version: what decisions name, at most 128 bytes.
    pub version: String,
    /// The packs as text, at most 8 MiB.
    pub source: String,
    /// When it was published.
    pub created_at: Timestamp,
}

impl RuleSetRow {
    pub(crate) fn canonical(&self) -> Canonical {
        Canonical::new(b'S')
            .text(self.tenant.as_str())
            .text(&self.version)
            .text(&self.source)
            .time(self.created_at)
    }
}

impl Stored for RuleSetRow {
    const TABLE: &'static str = "rule_sets";
    const COLUMNS: &'static [&'static str] = &["tenant", "version", "source", "created_at"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            tenant: fields.parsed(TenantId::parse)?,
            version: fields.take()?,
            source: fields.take()?,
            created_at: Timestamp::from_micros(fields.take()?),
        })
    }
}

impl Insertable for RuleSetRow {
    fn bind<'q>(&'q self, query: AnyQuery<'q>) -> AnyQuery<'q> {
        query
            .bind(self.tenant.as_str())
            .bind(self.version.as_str())
            .bind(self.source.as_str())
            .bind(self.created_at.micros())
    }
}
