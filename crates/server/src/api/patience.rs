//! How long a caller waits for what takes long to make.

use super::query::Query;
use crate::edge::{Code, Problem};
use std::time::Duration;

/// The name of the parameter.
pub(super) const WAIT: &str = "wait_ms";
/// The longest that a caller may want to wait at most, in milliseconds.
const WAIT_MAX: u64 = 60_000;
/// When to come again for what is being made.
const PAUSE_US: u64 = 1_000_000;

/// As long as it takes, or so long.
pub(super) struct Patience(Option<Duration>);

impl Patience {
    pub(super) fn read(query: &Query<'_>) -> Result<Self, Problem> {
        let wait = query.read(WAIT, "0 to 60000 milliseconds", |text| {
            text.parse().ok().filter(|wait| *wait <= WAIT_MAX)
        })?;
        Ok(Self(wait.map(Duration::from_millis)))
    }

    /// What is made, or that it is still under way.
    pub(super) async fn wait<T>(
        self,
        made: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        match self.0 {
            None => made.await,
            Some(wait) => tokio::time::timeout(wait, made)
                .await
                .unwrap_or_else(|_| Err(underway())),
        }
    }
}

/// Makes something to its end, whoever leaves.
pub(super) async fn to_its_end<T: Send + 'static>(
    making: impl Future<Output = Result<T, Problem>> + Send + 'static,
) -> Result<T, Problem> {
    tokio::spawn(making).await.unwrap_or_else(|error| {
        tracing::error!(%error, "what takes long was not made");
        Err(Problem::new(Code::Internal, "the request failed"))
    })
}

fn underway() -> Problem {
    let detail = "the report is being made and will be kept";
    Problem::new(Code::ReportUnderway, detail).retry_after_us(PAUSE_US)
}
