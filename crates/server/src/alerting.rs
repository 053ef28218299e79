//! Between the outbox and those who look at payments: decisions become alerts, and what alerts
//! turned out to be becomes labels.

use paywarden_access::approval::Who;
use paywarden_cases::{Alert, Cases, Disposition, Entity, Error, Sighting};
use paywarden_domain::{Engine as EngineName, Label, LabelSource, LabelVerdict, TenantId};
use paywarden_risk::{Engine, Error as Missing, Noticed};
use paywarden_store::{Actor, Database, DecisionRow, Error as StoreError, OutboxItem, RowRef};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Who writes labels for what people have said, in the trail.
const SYSTEM: &str = "cases";
/// What leaves are called whose alerts were closed.
const CLOSINGS: [&str; 2] = ["payment_alert.close", "case.close"];
/// The most decisions of one answer of the store.
const DECISIONS_MAX: usize = 1_000;

/// Why a batch was not taken; it may be later.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// The engine, or its store.
    #[error(transparent)]
    Engine(#[from] paywarden_risk::Error),
    /// The desk of alerts, or its store.
    #[error(transparent)]
    Cases(#[from] Error),
    /// The store.
    #[error(transparent)]
    Store(#[from] paywarden_store::Error),
}

/// Opens alerts and writes labels.
#[derive(Clone)]
pub struct Alerting {
    engine: Arc<Engine>,
    cases: Arc<Cases>,
    database: Database,
}

/// The decisions of one company in a batch.
type Decided<'b> = BTreeMap<&'b TenantId, BTreeSet<i64>>;

impl Alerting {
    /// Over the same store as both.
    pub fn new(engine: Arc<Engine>, cases: Arc<Cases>, database: Database) -> Self {
        Self {
            engine,
            cases,
            database,
        }
    }

    /// Takes a batch of leaves. Taken again it changes nothing: a decision makes one alert of each
    /// engine, with or without a report of the payer, a closing one label of each payment.
    pub async fn take(&self, batch: &[OutboxItem]) -> Result<(), NotTaken> {
        let mut decided = Decided::new();
        for item in batch {
            for row in &item.rows {
                if let RowRef::Decision(event_no) = row {
                    decided.entry(&item.tenant).or_default().insert(*event_no);
                }
            }
        }
        for (tenant, numbers) in decided {
            self.open(tenant, &numbers).await?;
        }
        for item in batch {
            for row in &item.rows {
                if let RowRef::Label(seq) = row {
                    self.report(&item.tenant, *seq).await?;
                }
            }
        }
        let closings = batch
            .iter()
            .filter(|item| CLOSINGS.contains(&&*item.action));
        for item in closings {
            self.label(item).await?;
        }
        Ok(())
    }

    /// One question finds which decisions matter.
    async fn open(&self, tenant: &TenantId, numbers: &BTreeSet<i64>) -> Result<(), NotTaken> {
        let salience = self.cases.policy().salience();
        let Some((first, last)) = numbers.first().zip(numbers.last()) else {
            return Ok(());
        };
        let mut from = *first;
        loop {
            let rows = self
                .database
                .decisions_salient(tenant, (from, *last), salience);
            let rows = match rows.await {
                Err(StoreError::Corrupt { .. }) => self.readable(tenant, numbers).await?,
                rows => rows?,
            };
            let own = rows.iter().filter(|row| numbers.contains(&row.event_no));
            let seen: Vec<Sighting> = own.filter_map(|row| self.sighting(row)).collect();
            self.cases.take(tenant, &seen).await?;
            match rows.last() {
                Some(row) if rows.len() == DECISIONS_MAX => from = row.event_no + 1,
                _ => return Ok(()),
            }
        }
    }

    /// The decisions that stand out, asked for one by one, without those that do not read back.
    async fn readable(
        &self,
        tenant: &TenantId,
        numbers: &BTreeSet<i64>,
    ) -> Result<Vec<DecisionRow>, NotTaken> {
        let salience = self.cases.policy().salience();
        let mut readable = Vec::new();
        for number in numbers {
            let (store, alone) = (&self.database, (*number, *number));
            match store.decisions_salient(tenant, alone, salience).await {
                Err(error @ StoreError::Corrupt { .. }) => {
                    tracing::error!(%tenant, number, %error, "decision not looked at");
                }
                rows => readable.extend(rows?),
            }
        }
        Ok(readable)
    }

    /// One that does not read back opens no alert, now or later.
    fn sighting(&self, row: &DecisionRow) -> Option<Sighting> {
        match self.engine.noticed(row) {
            Ok(noticed) => Some(sighting(noticed)),
            Err(error) => {
                let (tenant, event_no) = (&row.tenant, row.event_no);
                tracing::error!(%tenant, event_no, %error, "decision not looked at");
                None
            }
        }
    }

    /// What a payer reports is looked at, if a payment of theirs was decided here.
    async fn report(&self, tenant: &TenantId, seq: i64) -> Result<(), NotTaken> {
        let label = self.database.label(seq).await?;
        let reported = label.filter(|label| {
            label.source == LabelSource::CustomerReport && label.verdict == LabelVerdict::Fraud
        });
        let Some(event_no) = reported.and_then(|label| label.event_no) else {
            return Ok(());
        };
        let row = self.database.decision_by_event_no(tenant, event_no).await?;
        let Some(sighting) = row.and_then(|row| self.sighting(&row)) else {
            return Ok(());
        };
        match self.cases.take_reported(tenant, &sighting).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_passing() => Err(error.into()),
            Err(error) => {
                tracing::error!(%tenant, event_no, %error, "no alert opened");
                Ok(())
            }
        }
    }

    /// Labels the payments of each alert that a leaf closed.
    async fn label(&self, item: &OutboxItem) -> Result<(), NotTaken> {
        for row in &item.rows {
            let RowRef::Record(record) = row else {
                continue;
            };
            let Some((id, version)) = alert_version(record) else {
                continue;
            };
            match self.cases.alert_version(&item.tenant, id, version).await {
                Ok(alert) => self.label_payments(&item.tenant, &alert).await?,
                Err(error) if error.is_passing() => return Err(error.into()),
                Err(error) => tracing::error!(id, version, %error, "closing not looked at"),
            }
        }
        Ok(())
    }

    async fn label_payments(&self, tenant: &TenantId, alert: &Alert) -> Result<(), NotTaken> {
        let Some(closing) = &alert.closing else {
            return Ok(());
        };
        let Some(verdict) = verdict(alert.engine, closing.disposition) else {
            return Ok(());
        };
        let who = Who {
            tenant: tenant.clone(),
            actor: Actor::System(SYSTEM),
        };
        for payment in &alert.payments {
            let known = self.engine.labels(tenant, &payment.payment_id).await?;
            let is_same = known.iter().any(|label| {
                let source = label.source == LabelSource::Analyst;
                source && label.verdict == verdict && label.known_at == closing.at
            });
            if is_same {
                continue;
            }
            let label = Label {
                payment_id: payment.payment_id.clone(),
                verdict,
                source: LabelSource::Analyst,
                occurred_at: None,
            };
            match self.engine.label_by(&who, label, Some(closing.at)).await {
                Ok(_) => {}
                // There is nothing to label any more, and never will be.
                Err(error @ (Missing::PaymentUnknown | Missing::RecordDamaged(_))) => {
                    let payment = payment.event_no;
                    tracing::error!(%tenant, payment, %error, "payment not labelled");
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// A decision as the desk of alerts takes it.
pub(crate) fn sighting(noticed: Noticed) -> Sighting {
    let Noticed {
        event_no,
        decision,
        entities,
    } = noticed;
    let entities = entities.into_iter();
    let entities = entities.filter_map(|(kind, hash)| Entity::new(kind, hash).ok());
    Sighting {
        event_no,
        decision,
        entities: entities.collect(),
    }
}

/// What an alert of an engine says of its payments. Labels tell fraud from what is genuine: what
/// was laundered, or was not, is neither.
fn verdict(engine: EngineName, disposition: Disposition) -> Option<LabelVerdict> {
    match (engine, disposition) {
        (EngineName::Fraud, Disposition::Confirmed) => Some(LabelVerdict::Fraud),
        (EngineName::Fraud, Disposition::FalsePositive) => Some(LabelVerdict::Genuine),
        _ => None,
    }
}

/// Alert and version of the key of a record.
fn alert_version(record: &str) -> Option<(&str, i64)> {
    let (id, version) = record.strip_prefix("payment_alert/")?.rsplit_once('/')?;
    Some((id, version.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_records_of_alerts_are_alerts() {
        assert_eq!(alert_version("payment_alert/alr_1/12"), Some(("alr_1", 12)));
        for other in [
            "case/cas_1/2",
            "payment_alert/alr_1",
            "payment_alert/alr_1/x",
            "",
        ] {
            assert_eq!(alert_version(other), None);
        }
    }
}
