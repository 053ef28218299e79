//! Parties under watch, screened again whenever a list of their company has changed.
//!
//! Names come out of the vault a page at a time, for the purpose `aml_compliance` and with a leaf,
//! and are forgotten with the page. Who was erased there, or may not be handled, is left out.

use paywarden_domain::TenantId;
use paywarden_privacy::{By, Vault};
use paywarden_risk::{
    Engine,
    screening::{Question, WatchedParty},
};
use paywarden_store::Actor;
use std::{sync::Arc, time::Duration};

/// How often it is looked whether a list has changed.
const LOOK: Duration = Duration::from_secs(5);
const PURPOSE: &str = "aml_compliance";
/// Behind every pseudonym.
const AFTER_ALL: &str = "~";

/// Why parties were not screened again.
#[derive(Debug, thiserror::Error)]
pub enum NotScreened {
    /// The engine, or its store.
    #[error(transparent)]
    Engine(#[from] paywarden_risk::Error),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] paywarden_privacy::Error),
}

/// Screens again until it is stopped. What fails is tried again at the next look.
pub async fn keep(engine: Arc<Engine>, vault: Arc<Vault>) {
    loop {
        for tenant in engine.take_changed_lists() {
            match round(&engine, &vault, &tenant).await {
                Ok(0) => {}
                Ok(alerts) => tracing::warn!(%tenant, alerts, "parties found on changed lists"),
                Err(error) => {
                    tracing::error!(%tenant, %error, "parties not screened again");
                    engine.screen_again(&tenant);
                }
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Screens every party under watch of a company; for how many there is an alert.
pub async fn round(
    engine: &Engine,
    vault: &Vault,
    tenant: &TenantId,
) -> Result<usize, NotScreened> {
    let (mut before, mut alerts) = (AFTER_ALL.to_owned(), 0);
    loop {
        let (parties, next) = engine.watched_parties(tenant, &before).await?;
        alerts += again(engine, vault, tenant, &parties).await?;
        match next {
            Some(next) => before = next,
            None => return Ok(alerts),
        }
    }
}

async fn again(
    engine: &Engine,
    vault: &Vault,
    tenant: &TenantId,
    parties: &[WatchedParty],
) -> Result<usize, NotScreened> {
    if parties.is_empty() {
        return Ok(0);
    }
    let by = By::new(tenant.clone(), Actor::System("screening"), PURPOSE);
    let tokens: Vec<String> = parties.iter().map(|party| party.token.clone()).collect();
    let facts = vault.detokenize(&by, &tokens).await?;
    let mut alerts = 0;
    for (party, facts) in parties.iter().zip(facts) {
        let Ok(facts) = facts else { continue };
        let Ok(question) = serde_json::from_str::<Question>(facts.value.expose()) else {
            continue;
        };
        alerts += usize::from(engine.rescreen(tenant, party, &question).await?);
    }
    Ok(alerts)
}
