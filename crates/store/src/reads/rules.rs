//! Published rule sets.

use super::limited;
use crate::{Database, Error, RuleSetRow};
use paywarden_domain::TenantId;

/// The most rows of one answer: each may be large.
const VERSIONS_MAX: u32 = 100;

impl Database {
    /// One version of a tenant's rules.
    pub async fn rule_set(
        &self,
        tenant: &TenantId,
        version: &str,
    ) -> Result<Option<RuleSetRow>, Error> {
        let values = [tenant.as_str().into(), version.into()];
        self.select_one("WHERE tenant = $1 AND version = $2", &values)
            .await
    }

    /// The versions of a tenant's rules, newest first, at most 100.
    pub async fn rule_sets(&self, tenant: &TenantId, limit: u32) -> Result<Vec<RuleSetRow>, Error> {
        let rest = "WHERE tenant = $1 ORDER BY created_at DESC, version LIMIT $2";
        self.select(
            rest,
            &[tenant.as_str().into(), limited(limit, VERSIONS_MAX)?],
        )
        .await
    }
}
