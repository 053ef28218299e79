//! Keeping back-tests, done by the writer like every other change. It leaves no leaves of its own:
//! that a version was back-tested is a step of its rule set, and what was found can be found again.

use crate::{BacktestRow, Error, Journal, journal::Job, sql::Insert};
use paywarden_domain::TenantId;
use sqlx::AnyConnection;
use tokio::sync::oneshot;

/// The most back-tests of a tenant that are kept; the oldest leave.
pub const BACKTESTS_MAX: u32 = 12;

/// A back-test to keep.
pub(crate) struct Command {
    pub(crate) row: BacktestRow,
    pub(crate) reply: oneshot::Sender<Result<(), Error>>,
}

impl Journal {
    /// Keeps a back-test in place of what was kept of it before, and lets the oldest of its tenant
    /// go, so that twelve are left. Errors: [`Error::Invalid`] if a part is too long, and those of
    /// [`Journal::append`].
    pub async fn keep_backtest(&self, row: BacktestRow) -> Result<(), Error> {
        row.check()?;
        self.ask(|reply| Job::Backtest(Command { row, reply }))
            .await
    }
}

impl Command {
    pub(crate) async fn run(
        &self,
        connection: &mut AnyConnection,
        insert: &Insert<BacktestRow>,
    ) -> Result<(), Error> {
        let row = &self.row;
        let same = "DELETE FROM backtests WHERE id = $1 AND tenant = $2";
        sqlx::query(same)
            .bind(row.id.as_str())
            .bind(row.tenant.as_str())
            .execute(&mut *connection)
            .await?;
        insert.run(connection, &[row]).await?;
        leave(connection, &row.tenant).await
    }
}

/// Lets go what is beyond the newest.
async fn leave(connection: &mut AnyConnection, tenant: &TenantId) -> Result<(), Error> {
    let text = "DELETE FROM backtests WHERE id IN (SELECT id FROM backtests WHERE tenant = $1
        ORDER BY asked_at DESC, id DESC LIMIT 1000 OFFSET $2)";
    sqlx::query(text)
        .bind(tenant.as_str())
        .bind(i64::from(BACKTESTS_MAX))
        .execute(connection)
        .await?;
    Ok(())
}
