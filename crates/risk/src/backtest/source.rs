//! The journal as back-tests read it: pages of one tenant, in order, and what belongs to them.

use super::known::{Labels, ListHistory};
use crate::Error;
use paywarden_crypto::{Keyring, keyring::PreparedSeal};
use paywarden_domain::{Card, DecisionId, Event, TenantId, Timestamp};
use paywarden_features::FeatureEvent;
use paywarden_store::{Database, HistoryRow, HistorySpan, PastRow};
use std::sync::Arc;

/// The most labels of a tenant that one back-test takes in.
const LABELS_MAX: usize = 4_000_000;
/// The most list entries, of all times, that one back-test takes in.
const LIST_ENTRIES_MAX: usize = 4_000_000;
const READ_ROWS: u32 = 10_000;

/// A journal and the seal on its events.
#[derive(Clone)]
pub struct Source {
    database: Database,
    seal: Arc<PreparedSeal>,
}

/// Some events of the journal.
pub(super) enum Page {
    /// Before the span: only windows see them.
    Before(Vec<PastRow>),
    /// Within it.
    Within(Vec<HistoryRow>),
}

impl Page {
    /// The number of the last event; none of an empty page.
    pub(super) fn last(&self) -> Option<i64> {
        match self {
            Self::Before(rows) => rows.last().map(|row| row.event_no),
            Self::Within(rows) => rows.last().map(|row| row.past.event_no),
        }
    }
}

impl Source {
    /// The journal of this database, whose events the keyring sealed.
    pub fn new(database: Database, keyring: &Keyring) -> Result<Self, paywarden_crypto::Error> {
        Ok(Self {
            database,
            seal: Arc::new(crate::record::seal(keyring)?),
        })
    }

    pub(super) async fn span(
        &self,
        tenant: &TenantId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<HistorySpan, Error> {
        let span = self.database.history_span(tenant, from, to).await?;
        span.ok_or(Error::HistoryEmpty)
    }

    /// The events after a number: those before the span first, then those within it.
    pub(super) async fn page(
        &self,
        tenant: &TenantId,
        after: i64,
        span: &HistorySpan,
        events: u32,
    ) -> Result<Page, Error> {
        let database = &self.database;
        if after < span.first - 1 {
            let rows = database.past(tenant, after, span.first, events).await?;
            if !rows.is_empty() {
                return Ok(Page::Before(rows));
            }
        }
        let after = after.max(span.first - 1);
        let rows = database.history(tenant, after, span.last + 1, events);
        Ok(Page::Within(rows.await?))
    }

    /// Every label of the tenant.
    pub(super) async fn labels(&self, tenant: &TenantId) -> Result<Labels, Error> {
        let mut labels = Labels::default();
        let mut seq = 0;
        loop {
            let rows = self.database.label_history(tenant, seq, READ_ROWS).await?;
            let Some(last) = rows.last() else {
                return Ok(labels);
            };
            seq = last.seq;
            rows.iter().for_each(|row| labels.add(row));
            if labels.len() > LABELS_MAX {
                return Err(Error::HistoryTooLong("labels"));
            }
        }
    }

    /// Everything that ever stood on the named lists of the tenant.
    pub(super) async fn lists(
        &self,
        tenant: &TenantId,
        names: &[String],
    ) -> Result<ListHistory, Error> {
        let mut lists = ListHistory::default();
        let mut entry_no = 0;
        while !names.is_empty() {
            let rows = self
                .database
                .list_history(tenant, entry_no, READ_ROWS)
                .await?;
            let Some(last) = rows.last() else { break };
            entry_no = last.entry_no;
            for row in rows.into_iter().filter(|row| names.contains(&row.list)) {
                lists.add(row);
            }
            if lists.len() > LIST_ENTRIES_MAX {
                return Err(Error::HistoryTooLong("list entries"));
            }
        }
        Ok(lists)
    }

    /// The event of a decision, unsealed.
    pub(super) fn event(&self, id: &DecisionId, sealed: &[u8]) -> Result<Event<Card>, Error> {
        let damaged =
            |error: &dyn std::fmt::Display| Error::RecordDamaged(format!("{id}: {error}"));
        let clear = self.seal.open(id.as_str().as_bytes(), sealed);
        let clear = clear.map_err(|error| damaged(&error))?;
        serde_json::from_slice(&clear).map_err(|error| damaged(&error))
    }
}

/// The event of a row as windows see it.
pub(super) fn feature(row: &PastRow) -> Result<FeatureEvent, Error> {
    FeatureEvent::decode(&row.feature)
        .map_err(|error| Error::RecordDamaged(format!("event {}: {error}", row.event_no)))
}
