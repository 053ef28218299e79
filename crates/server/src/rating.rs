//! Between the outbox and the ratings of customers: alerts that were closed, and what lists say of
//! parties under watch.

use paywarden_cases::{Alert, Cases, Disposition, Entity};
use paywarden_domain::Engine as EngineName;
use paywarden_risk::{
    Engine,
    rating::{Signal, SignalKind},
};
use paywarden_store::{OutboxItem, RowRef};
use std::{sync::Arc, time::Duration};

/// What leaves are called whose alerts were closed.
const CLOSINGS: [&str; 2] = ["payment_alert.close", "case.close"];
/// How often it is looked whose time has come. Each customer is rated by their own date; a restart
/// changes nothing.
const LOOK: Duration = Duration::from_secs(3_600);
/// What is looked for again when there was as much as one round takes.
const PAUSE: Duration = Duration::from_secs(1);
const FULL_ROUND: usize = 1_000;

/// Why a batch was not taken; it may be later.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// The engine, or its store.
    #[error(transparent)]
    Engine(#[from] paywarden_risk::Error),
    /// The desk of alerts, or its store.
    #[error(transparent)]
    Cases(#[from] paywarden_cases::Error),
}

/// Rates customers anew when something is found.
#[derive(Clone)]
pub struct RatingFeed {
    engine: Arc<Engine>,
    cases: Arc<Cases>,
}

impl RatingFeed {
    /// Over the same store as both.
    pub fn new(engine: Arc<Engine>, cases: Arc<Cases>) -> Self {
        Self { engine, cases }
    }

    /// Takes a batch of leaves. Taken again it changes nothing.
    pub async fn take(&self, batch: &[OutboxItem]) -> Result<(), NotTaken> {
        for item in batch {
            let is_closing = CLOSINGS.contains(&&*item.action);
            for row in &item.rows {
                let RowRef::Record(record) = row else {
                    continue;
                };
                match record.split('/').collect::<Vec<_>>()[..] {
                    ["payment_alert", id, version] if is_closing => {
                        self.closed(item, id, version).await?;
                    }
                    ["screening_party", party, _] => self.listed(item, party).await?,
                    ["screening_clearance", id, _] => {
                        let party = self.engine.party_of_clearance(&item.tenant, id).await?;
                        if let Some(party) = party {
                            self.listed(item, &party).await?;
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    async fn closed(&self, item: &OutboxItem, id: &str, version: &str) -> Result<(), NotTaken> {
        let Ok(version) = version.parse() else {
            return Ok(());
        };
        let alert = match self.cases.alert_version(&item.tenant, id, version).await {
            Ok(alert) => alert,
            Err(error) if error.is_passing() => return Err(error.into()),
            Err(error) => {
                tracing::error!(id, version, %error, "closing not looked at");
                return Ok(());
            }
        };
        if alert.engine != EngineName::Laundering {
            return Ok(());
        }
        for customer in customers(&alert) {
            let found = (alert.id.as_str(), signal(&alert));
            let rated = self
                .engine
                .signal_customer(&item.tenant, customer.hash(), found);
            settled(rated.await, customer.as_str())?;
        }
        Ok(())
    }

    async fn listed(&self, item: &OutboxItem, party: &str) -> Result<(), NotTaken> {
        settled(self.engine.signal_party(&item.tenant, party).await, party)
    }
}

/// Rates those again whose time has come, until it is stopped.
pub async fn keep(engine: Arc<Engine>) {
    loop {
        let pause = match engine.rate_due().await {
            Ok(FULL_ROUND..) => PAUSE,
            Ok(_) => LOOK,
            Err(error) => {
                tracing::error!(%error, "customers not rated again");
                LOOK
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// What would fail for ever is told of, and holds nothing up.
fn settled(rated: Result<bool, paywarden_risk::Error>, whom: &str) -> Result<(), NotTaken> {
    use paywarden_risk::Error;
    match rated {
        Ok(_) => Ok(()),
        Err(error @ (Error::RecordDamaged(_) | Error::RatingLimit(_))) => {
            tracing::error!(whom, %error, "customer not rated");
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// Whom an alert is about: its subject if that is a customer, or else every customer who takes part.
fn customers(alert: &Alert) -> Vec<&Entity> {
    let is_customer = |entity: &&Entity| entity.kind() == "customer";
    match is_customer(&&alert.subject) {
        true => vec![&alert.subject],
        false => alert.entities.iter().filter(is_customer).collect(),
    }
}

/// What a closed alert says of its customers; nothing if there was nothing, or nobody can tell.
fn signal(alert: &Alert) -> Option<Signal> {
    let closing = alert.closing.as_ref()?;
    let kind = match closing.disposition {
        Disposition::Confirmed => SignalKind::ConfirmedAlert,
        Disposition::SuspiciousReported => SignalKind::ReportedAlert,
        Disposition::FalsePositive | Disposition::Inconclusive => return None,
    };
    Some(Signal {
        id: alert.id.clone(),
        kind,
        at: closing.at,
    })
}
