//! Keys that callers sign with.

use super::limited;
use crate::{Database, Error, SigningKeyRow};
use paywarden_domain::TenantId;

/// The most rows of one answer.
const KEYS_MAX: u32 = 10_000;

impl Database {
    /// The key with this identifier, of whichever tenant: the key tells the tenant. Revoked keys
    /// are found too.
    pub async fn signing_key(&self, key_id: &str) -> Result<Option<SigningKeyRow>, Error> {
        self.select_one("WHERE key_id = $1", &[key_id.into()]).await
    }

    /// The keys of a tenant by identifier, revoked ones too, at most 10,000.
    pub async fn signing_keys(&self, tenant: &TenantId) -> Result<Vec<SigningKeyRow>, Error> {
        let rest = "WHERE tenant = $1 ORDER BY key_id LIMIT 10000";
        self.select(rest, &[tenant.as_str().into()]).await
    }

    /// The keys of every tenant after `key_id`, for start-up; at most 10,000 at a time.
    pub async fn signing_keys_all(
        &self,
        after: &str,
        limit: u32,
    ) -> Result<Vec<SigningKeyRow>, Error> {
        let values = [after.into(), limited(limit, KEYS_MAX)?];
        self.select("WHERE key_id > $1 ORDER BY key_id LIMIT $2", &values)
            .await
    }
}
