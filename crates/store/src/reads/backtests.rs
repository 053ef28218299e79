//! Back-tests that are kept.

use crate::{BacktestRow, Database, Error, rows::BacktestLine};
use paywarden_domain::TenantId;

impl Database {
    /// A back-test of a tenant, with what it found.
    pub async fn backtest(
        &self,
        tenant: &TenantId,
        id: &str,
    ) -> Result<Option<BacktestRow>, Error> {
        let values = [tenant.as_str().into(), id.into()];
        self.select_one("WHERE tenant = $1 AND id = $2", &values)
            .await
    }

    /// The back-tests of a tenant that are kept, the newest first, without what they found.
    pub async fn backtests(&self, tenant: &TenantId) -> Result<Vec<BacktestLine>, Error> {
        let rest = "WHERE tenant = $1 ORDER BY asked_at DESC, id DESC";
        self.select(rest, &[tenant.as_str().into()]).await
    }
}
