//! Messages, their deliveries and attempts.

use super::limited;
use crate::{
    AttemptRow, Database, DeliveryRow, DeliveryState, Error, LabelRow, MessageRow,
    rows::DecisionSummary,
    sql::{Lookup, Value},
};
use paywarden_domain::{TenantId, Timestamp};
use std::collections::HashMap;

/// The most deliveries of one answer.
const DELIVERIES_MAX: u32 = 1_000;
/// The most attempts of one answer.
const ATTEMPTS_MAX: u32 = 100;

impl Database {
    /// The deliveries to an endpoint that are due, the longest due first; at most 1,000.
    pub async fn deliveries_due(
        &self,
        endpoint: &str,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<DeliveryRow>, Error> {
        let rest = "WHERE endpoint = $1 AND due_at <= $2 ORDER BY due_at LIMIT $3";
        let limit = limited(limit, DELIVERIES_MAX)?;
        self.select(rest, &[endpoint.into(), now.micros().into(), limit])
            .await
    }

    /// How many deliveries wait, of all tenants.
    pub async fn deliveries_waiting(&self) -> Result<i64, Error> {
        self.number("SELECT COUNT(*) FROM deliveries WHERE due_at IS NOT NULL")
            .await
    }

    /// A message of a tenant.
    pub async fn message(&self, tenant: &TenantId, id: &str) -> Result<Option<MessageRow>, Error> {
        let values = [tenant.as_str().into(), id.into()];
        self.select_one("WHERE tenant = $1 AND id = $2", &values)
            .await
    }

    /// A delivery of a tenant.
    pub async fn delivery(
        &self,
        tenant: &TenantId,
        (endpoint, message): (&str, &str),
    ) -> Result<Option<DeliveryRow>, Error> {
        let rest = "WHERE tenant = $1 AND endpoint = $2 AND message = $3";
        let values = [tenant.as_str().into(), endpoint.into(), message.into()];
        self.select_one(rest, &values).await
    }

    /// The deliveries to an endpoint of a tenant, newest first, those that stand at `state` alone if
    /// it is given; the next page begins `before` the moment and message of the last one of this. At
    /// most 1,000.
    pub async fn deliveries_page(
        &self,
        tenant: &TenantId,
        endpoint: &str,
        state: Option<DeliveryState>,
        (time, message): (Timestamp, &str),
        limit: u32,
    ) -> Result<Vec<DeliveryRow>, Error> {
        let rest = "WHERE endpoint = $1 AND tenant = $2 AND ($3 < 0 OR state = $3)
            AND (created_at < $4 OR (created_at = $4 AND message < $5))
            ORDER BY created_at DESC, message DESC LIMIT $6";
        let state = state.map_or(-1, |state| i64::from(state as u8));
        let values = [
            endpoint.into(),
            tenant.as_str().into(),
            Value::Number(state),
            time.micros().into(),
            message.into(),
            limited(limit, DELIVERIES_MAX)?,
        ];
        self.select(rest, &values).await
    }

    /// The messages about these, each with its deliveries, in no order.
    pub async fn told_about(
        &self,
        tenant: &TenantId,
        about: &[String],
    ) -> Result<Vec<(MessageRow, Vec<DeliveryRow>)>, Error> {
        let mut reader = self.reader().await?;
        // Only messages that are about something are in the index.
        let about: Vec<String> = about
            .iter()
            .filter(|one| !one.is_empty())
            .cloned()
            .collect();
        let found = Lookup::<MessageRow>::by(self.backend(), "about <> '' AND about");
        let found = found.run(&mut reader, &about).await?;
        let own: Vec<_> = found
            .into_iter()
            .filter(|one| one.tenant == *tenant)
            .collect();
        let ids: Vec<String> = own.iter().map(|one| one.id.clone()).collect();
        let deliveries = Lookup::<DeliveryRow>::by(self.backend(), "message");
        let mut of: HashMap<String, Vec<DeliveryRow>> = HashMap::new();
        for delivery in deliveries.run(&mut reader, &ids).await? {
            of.entry(delivery.message.clone())
                .or_default()
                .push(delivery);
        }
        let with = |message: MessageRow| {
            let deliveries = of.remove(&message.id).unwrap_or_default();
            (message, deliveries)
        };
        Ok(own.into_iter().map(with).collect())
    }

    /// The attempts of a delivery, the newest 100, newest first.
    pub async fn attempts(
        &self,
        (endpoint, message): (&str, &str),
    ) -> Result<Vec<AttemptRow>, Error> {
        let rest = "WHERE message = $1 AND endpoint = $2 ORDER BY attempt_no DESC LIMIT $3";
        let limit = limited(ATTEMPTS_MAX, ATTEMPTS_MAX)?;
        self.select(rest, &[message.into(), endpoint.into(), limit])
            .await
    }

    /// What the columns tell of decisions of all tenants between two event numbers, both included.
    pub async fn decision_summaries(
        &self,
        first: i64,
        last: i64,
    ) -> Result<Vec<DecisionSummary>, Error> {
        let rest = "WHERE event_no >= $1 AND event_no <= $2 ORDER BY event_no LIMIT $3";
        let limit = limited(DELIVERIES_MAX, DELIVERIES_MAX)?;
        self.select(rest, &[first.into(), last.into(), limit]).await
    }

    /// The label with this number, of whichever tenant.
    pub async fn label(&self, seq: i64) -> Result<Option<LabelRow>, Error> {
        self.select_one("WHERE seq = $1", &[seq.into()]).await
    }
}
