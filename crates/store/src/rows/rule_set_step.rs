//! Steps in the life of rule sets.

use super::Canonical;
use crate::{
    Error,
    sql::{AnyQuery, Fields, Insertable, Stored},
};
use paywarden_domain::{TenantId, Timestamp};

/// One step of one version of a tenant's rules. Never changed; a second step with the same number
/// is an [`Error::Conflict`], so that two who saw the same state cannot both go on from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSetStepRow {
    /// Whose rules they are.
    pub tenant: TenantId,
    /// Place among the steps of the tenant, from 1 without gaps.
    pub step_no: i64,
    /// The version, at most 128 bytes.
    pub version: String,
    /// What was done, `snake_case`, at most 32 bytes.
    pub action: String,
    /// Who did it: `key:…`, `staff:…` or `system:…`.
    pub actor: String,
    /// Why, 1 to 256 bytes.
    pub purpose: String,
    /// When.
    pub taken_at: Timestamp,
    /// What else belongs to the step, as JSON of at most 1 MiB; may be empty.
    pub detail: String,
}

impl RuleSetStepRow {
    pub(crate) fn canonical(&self) -> Canonical {
        Canonical::new(b'T')
            .text(self.tenant.as_str())
            .number(self.step_no)
            .text(&self.version)
            .text(&self.action)
            .text(&self.actor)
            .text(&self.purpose)
            .time(self.taken_at)
            .text(&self.detail)
    }
}

impl Stored for RuleSetStepRow {
    const TABLE: &'static str = "rule_set_steps";
    const COLUMNS: &'static [&'static str] = &[
        "tenant", "step_no", "version", "action", "actor", "purpose", "taken_at", "detail",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            tenant: fields.parsed(TenantId::parse)?,
            step_no: fields.take()?,
            version: fields.take()?,
            action: fields.take()?,
            actor: fields.take()?,
            purpose: fields.take()?,
            taken_at: Timestamp::from_micros(fields.take()?),
            detail: fields.take()?,
        })
    }
}

impl Insertable for RuleSetStepRow {
    fn bind<'q>(&'q self, query: AnyQuery<'q>) -> AnyQuery<'q> {
        query
            .bind(self.tenant.as_str())
            .bind(self.step_no)
            .bind(self.version.as_str())
            .bind(self.action.as_str())
            .bind(self.actor.as_str())
            .bind(self.purpose.as_str())
            .bind(self.taken_at.micros())
            .bind(self.detail.as_str())
    }
}
