//! Which decisions of a batch exist already, in the table or earlier in the batch.

use super::{Appended, Pending};
use crate::{Backend, DecisionRow, Entry, Error, Row, rows::Existing, sql::Lookup};
use paywarden_domain::DecisionId;
use sqlx::AnyConnection;
use std::collections::HashMap;

/// The two questions that find them.
#[derive(Debug)]
pub(super) struct Finder {
    by_payment: Lookup<Existing>,
    by_key: Lookup<Existing>,
}

impl Finder {
    pub(super) fn new(backend: Backend) -> Self {
        Self {
            by_payment: Lookup::by(backend, "payment_id"),
            by_key: Lookup::by(backend, "idempotency_key"),
        }
    }

    /// Decisions in the table that have a payment or an idempotency key in common with the batch;
    /// some may belong to other tenants or other keys.
    pub(super) async fn candidates(
        &self,
        connection: &mut AnyConnection,
        batch: &[Pending],
    ) -> Result<Vec<Existing>, Error> {
        let decisions = || batch.iter().flat_map(|pending| decisions(&pending.entry));
        let payments: Vec<_> = decisions().map(|row| row.payment_id.as_str()).collect();
        let keys: Vec<_> = decisions()
            .filter_map(|row| row.idempotency_key.as_deref())
            .collect();
        let mut found = self.by_payment.run(connection, &payments).await?;
        found.extend(self.by_key.run(connection, &keys).await?);
        Ok(found)
    }
}

/// Decisions by what makes them unique.
#[derive(Default)]
pub(super) struct Known<'b> {
    by_payment: HashMap<(&'b str, &'b str), Earlier<'b>>,
    by_key: HashMap<(&'b str, &'b str, &'b str), Earlier<'b>>,
}

/// The decision that was first.
#[derive(Clone, Copy)]
struct Earlier<'b> {
    event_no: i64,
    id: &'b DecisionId,
    fingerprint: Option<[u8; 32]>,
}

impl<'b> Known<'b> {
    pub(super) fn new(candidates: &'b [Existing]) -> Self {
        let mut known = Self::default();
        for row in candidates {
            let earlier = Earlier {
                event_no: row.event_no,
                id: &row.id,
                fingerprint: row.fingerprint,
            };
            known
                .by_payment
                .insert((&row.tenant, &row.payment_id), earlier);
            if let Some(key) = &row.idempotency_key {
                known
                    .by_key
                    .insert((&row.tenant, &row.key_id, key), earlier);
            }
        }
        known
    }

    /// What to answer if a decision of the entry exists already; otherwise its decisions exist
    /// from now on.
    pub(super) fn admit(&mut self, entry: &'b Entry) -> Option<Appended> {
        let duplicate = decisions(entry).find_map(|row| self.find(row));
        if duplicate.is_none() {
            decisions(entry).for_each(|row| self.insert(row));
        }
        duplicate
    }

    fn find(&self, row: &DecisionRow) -> Option<Appended> {
        let tenant = row.tenant.as_str();
        let key = row.idempotency_key.as_deref();
        let by_key = key.and_then(|key| self.by_key.get(&(tenant, row.key_id.as_str(), key)));
        let by_payment = || self.by_payment.get(&(tenant, row.payment_id.as_str()));
        let earlier = by_key.or_else(by_payment)?;
        Some(Appended::Duplicate {
            event_no: earlier.event_no,
            id: earlier.id.clone(),
            fingerprint: earlier.fingerprint,
            same_idempotency_key: by_key.is_some(),
        })
    }

    fn insert(&mut self, row: &'b DecisionRow) {
        let earlier = Earlier {
            event_no: row.event_no,
            id: &row.id,
            fingerprint: row.fingerprint,
        };
        let tenant = row.tenant.as_str();
        self.by_payment
            .insert((tenant, row.payment_id.as_str()), earlier);
        if let Some(key) = &row.idempotency_key {
            self.by_key.insert((tenant, &row.key_id, key), earlier);
        }
    }
}

fn decisions(entry: &Entry) -> impl Iterator<Item = &DecisionRow> {
    entry.rows.iter().filter_map(|row| match row {
        Row::Decision(decision) => Some(&**decision),
        _ => None,
    })
}
