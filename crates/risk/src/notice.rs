//! Decisions as those see them who look at them afterwards: with who takes part, by pseudonym.

use crate::{Engine, Error, identify::Keys, record};
use paywarden_domain::{Decision, DecisionId, TenantId};
use paywarden_features::{EntityKind, FeatureEvent};
use paywarden_store::DecisionRow;

/// A decision and who takes part in the payment.
#[derive(Debug, Clone, PartialEq)]
pub struct Noticed {
    /// The number of the decision.
    pub event_no: i64,
    /// The decision.
    pub decision: Decision,
    /// The kind of each entity, by the word of rules, and the hash that windows know it by.
    pub entities: Vec<(&'static str, u64)>,
}

impl Engine {
    /// What a stored decision says. Error: [`Error::RecordDamaged`].
    pub fn noticed(&self, row: &DecisionRow) -> Result<Noticed, Error> {
        let seen = FeatureEvent::decode(&row.feature);
        let seen = seen.map_err(|error| Error::RecordDamaged(error.to_string()))?;
        let present = EntityKind::ALL.into_iter();
        let present = present.filter(|kind| kind.is_one() && seen.entity(*kind) != 0);
        Ok(Noticed {
            event_no: row.event_no,
            decision: record::decision(row)?,
            entities: present
                .map(|kind| (kind.name(), seen.entity(kind)))
                .collect(),
        })
    }

    /// The same of a payment. Error: [`Error::PaymentUnknown`].
    pub async fn noticed_payment(
        &self,
        tenant: &TenantId,
        payment: &paywarden_domain::PaymentId,
    ) -> Result<Noticed, Error> {
        let row = self.database.decision_of_payment(tenant, payment).await?;
        self.noticed(&row.ok_or(Error::PaymentUnknown)?)
    }

    /// The key of an entity that takes part in a decided payment, as lists hold it; none if nobody
    /// with this hash does.
    pub async fn entity_key(
        &self,
        tenant: &TenantId,
        decision: &DecisionId,
        (kind, hash): (&str, u64),
    ) -> Result<Option<String>, Error> {
        let Some(kind) = EntityKind::parse(kind) else {
            return Ok(None);
        };
        let Some(row) = self.database.decision(tenant, decision).await? else {
            return Ok(None);
        };
        let seen = FeatureEvent::decode(&row.feature);
        let seen = seen.map_err(|error| Error::RecordDamaged(error.to_string()))?;
        if hash == 0 || seen.entity(kind) != hash {
            return Ok(None);
        }
        let event = self.recorder.event(&row)?;
        Ok(Keys::of(&event).get(kind).map(str::to_owned))
    }
}
