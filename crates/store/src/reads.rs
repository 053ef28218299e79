//! Questions that the database answers, each for one tenant unless it says otherwise.

mod approvals;
mod backtests;
mod counts;
mod decisions;
mod deliveries;
mod history;
mod keys;
mod lists;
mod mentions;
mod persons;
mod records;
mod replay;
mod rules;
mod together;
mod vault;
mod work_items;

pub use approvals::ApprovalStepFilter;
pub use counts::{DecisionCount, DecisionSpan, PaymentCount};
pub use decisions::{COUNTED_MAX, DecisionFilter, DecisionsFound};
pub use history::{HistoryRow, HistorySpan, PastRow};
pub use records::NewestRecords;
pub use replay::ReplayRow;
pub use rules::TraceRow;
pub use vault::{EpochKeys, MaskedRow, VaultFind, VaultReader};
pub use work_items::{Salience, WorkFilter};

use crate::{
    Database, Error,
    sql::{self, Stored, Value},
};

impl Database {
    pub(crate) async fn select<S: Stored>(
        &self,
        rest: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<S>, Error> {
        sql::select(&mut *self.reader().await?, rest, values).await
    }

    pub(crate) async fn select_one<S: Stored>(
        &self,
        rest: &str,
        values: &[Value<'_>],
    ) -> Result<Option<S>, Error> {
        Ok(self.select(rest, values).await?.into_iter().next())
    }

    /// The one number that a question without values yields.
    pub(crate) async fn number(&self, text: &'static str) -> Result<i64, Error> {
        sql::select_number(&mut *self.reader().await?, text).await
    }

    /// How many leaves of the trail wait in the outbox.
    pub async fn outbox_depth(&self) -> Result<i64, Error> {
        let text = "SELECT CAST(COALESCE(SUM(leaves), 0) AS BIGINT) FROM outbox";
        self.number(text).await
    }
}

/// A limit as a value to bind, if it is within its bound.
fn limited(limit: u32, limit_max: u32) -> Result<Value<'static>, Error> {
    if limit > limit_max {
        return Err(Error::invalid(format!(
            "at most {limit_max} rows at a time"
        )));
    }
    Ok(Value::Number(limit.into()))
}
