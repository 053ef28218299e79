//! Windows that the live past does not know yet, filled beside traffic.
//!
//! Those that reach no further back than others before are built from the live past. It keeps
//! events only as long as somebody looks at them: before a version that looks further takes its
//! step, a second past is filled from the journal and takes the place of the first. See
//! [`paywarden_features::prepare`] and [`paywarden_features::backfill`] for why no decision waits.

use crate::{Engine, Error};
use paywarden_features::{Backfill, FeatureEvent, Plan, WindowSpec};
use std::sync::Arc;
use tokio::task::yield_now;

/// Rows read at a time: payments are decided between two reads.
const ROWS: u32 = 1_000;
/// Events copied from the live past before others get their turn.
const EVENTS: u64 = 4_096;
/// How often the live past may drop events before they are copied.
const ROUNDS_MAX: usize = 16;

impl Engine {
    /// Builds what these windows need of the live past.
    pub(super) async fn prepare(&self, windows: &[WindowSpec]) -> Result<Arc<Plan>, Error> {
        let preparation = self.features.prepare(windows);
        let mut preparation =
            preparation.map_err(|error| Error::WindowsRefused(error.to_string()))?;
        while preparation.step(&self.features) {
            yield_now().await;
        }
        Ok(preparation.plan())
    }

    /// Fills a past for these windows and makes it the live one. `note` learns how many decisions
    /// are read and how many there are to read.
    pub(super) async fn back_fill(
        &self,
        windows: &[WindowSpec],
        note: impl Fn(u64, u64),
    ) -> Result<Arc<Plan>, Error> {
        let filling = self.features.begin_backfill(windows);
        let mut filling = filling.map_err(|error| Error::WindowsRefused(error.to_string()))?;
        let mut after = 0;
        for _ in 0..ROUNDS_MAX {
            after = self.fill_decisions(&mut filling, after, &note).await?;
            self.fill_labels(&mut filling).await?;
            while filling
                .catch_up(&self.features, EVENTS)
                .is_some_and(|missing| missing > 0)
            {
                yield_now().await;
            }
            filling = match filling.swap(&self.features) {
                Ok(plan) => return Ok(plan),
                Err(again) => *again,
            };
        }
        Err(Error::RuleSetBusy)
    }

    /// Reads the decisions that the live past no longer has; the number of the last one read.
    async fn fill_decisions(
        &self,
        filling: &mut Backfill,
        mut after: u64,
        note: &impl Fn(u64, u64),
    ) -> Result<u64, Error> {
        while let Some(until) = filling.journal_until(&self.features) {
            note(after, until);
            let from = i64::try_from(after).unwrap_or(i64::MAX);
            let rows = self.database.decisions_since(from, ROWS).await?;
            let read = rows.len();
            for row in rows {
                let event = FeatureEvent::decode(&row.feature)
                    .map_err(|error| Error::RecordDamaged(error.to_string()))?;
                let event_no = u64::try_from(row.event_no).unwrap_or(0);
                if event_no >= until {
                    break;
                }
                filling.replay(event_no, &event, row.outcome);
                after = event_no;
            }
            if read < ROWS as usize || after + 1 >= until {
                filling.journal_ended();
            }
            yield_now().await;
        }
        Ok(after)
    }

    async fn fill_labels(&self, filling: &mut Backfill) -> Result<(), Error> {
        let mut after = 0;
        loop {
            let rows = self.database.labels_since(after, ROWS).await?;
            let Some(last) = rows.last() else {
                return Ok(());
            };
            after = last.seq;
            for row in rows {
                if let Some(event_no) = row.event_no.and_then(|number| u64::try_from(number).ok()) {
                    filling.label(event_no, row.verdict);
                }
            }
            yield_now().await;
        }
    }
}
