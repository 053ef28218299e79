//! A rule that opens no alert about one customer until a time, because somebody said so.

use crate::{Cases, Entity, Error};
use paywarden_crypto::digest::sha256;
use paywarden_domain::{TenantId, Timestamp};
use paywarden_store::Row;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const KIND: &str = "alert_snooze";

/// A rule that is snoozed for a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = AlertSnooze)]
pub struct Snooze {
    /// `pack.rule`.
    pub rule: String,
    /// The customer.
    pub subject: Entity,
    /// Until when.
    pub until: Timestamp,
    /// Who said so.
    pub by: String,
    /// Why.
    pub reason: String,
}

impl Cases {
    pub(crate) async fn is_snoozed(
        &self,
        tenant: &TenantId,
        (rule, subject): (&str, &Entity),
        at: Timestamp,
    ) -> Result<bool, Error> {
        let record = self
            .database
            .record(KIND, &id(tenant, rule, subject))
            .await?;
        let Some(record) = record.filter(|record| record.tenant == *tenant) else {
            return Ok(false);
        };
        Ok(self.read::<Snooze>(&record)?.until > at)
    }

    /// The next version of a snooze, as a row.
    pub(crate) async fn snooze_row(
        &self,
        tenant: &TenantId,
        snooze: &Snooze,
    ) -> Result<Row, Error> {
        let id = id(tenant, &snooze.rule, &snooze.subject);
        let before = self.database.record(KIND, &id).await?;
        let version = before.map_or(1, |record| record.version + 1);
        Ok(Row::Record(self.record(
            tenant,
            (KIND, &id, version),
            snooze,
        )?))
    }
}

fn id(tenant: &TenantId, rule: &str, subject: &Entity) -> String {
    let digest = sha256(format!("{tenant}\n{rule}\n{subject}").as_bytes());
    let digits = digest.iter().take(16).map(|byte| format!("{byte:02x}"));
    format!("snz_{}", digits.collect::<String>())
}
