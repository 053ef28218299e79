//! What goes on beside the requests until the server stops.

use super::Ground;
use paywarden_access::{KeyRegistry, Staff, Watch};
use paywarden_domain::TenantId;
use paywarden_privacy::Vault;
use paywarden_risk::Engine;
use paywarden_store::trail::notary::{Notary, Refusal};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::task::JoinHandle;

/// How often it is looked for values whose time is over.
const VAULT_LOOK: Duration = Duration::from_secs(600);
/// How often accounts that nobody uses are looked for, and uses of keys noted.
const ACCESS_LOOK: Duration = Duration::from_secs(3_600);
/// How often it is looked whether a snapshot of the windows is due.
const SNAPSHOT_LOOK: Duration = Duration::from_secs(1);

/// Starts all of it.
pub(super) fn start(
    (engine, notary, watch): (&Arc<Engine>, &Notary, &Arc<Watch>),
    ground: &Ground,
    every: Duration,
) -> Vec<JoinHandle<()>> {
    vec![
        tokio::spawn(keep_snapshots(engine.clone())),
        tokio::spawn(keep_checkpoints(notary.clone(), every, watch.clone())),
        tokio::spawn(keep_watch(watch.clone())),
        tokio::spawn(keep_access(ground.staff.clone(), ground.registry.clone())),
        tokio::spawn(keep_vault(ground.vault.clone())),
    ]
}

/// Writes a snapshot of the windows whenever enough was decided since the last one, and keeps the
/// index of the rules fit for the payments that come.
async fn keep_snapshots(engine: Arc<Engine>) {
    loop {
        tokio::time::sleep(SNAPSHOT_LOOK).await;
        let engine = engine.clone();
        let look = move || {
            engine.refresh_index();
            engine.snapshot_if_due()
        };
        match tokio::task::spawn_blocking(look).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "window snapshot not written"),
            Err(_) => return,
        }
    }
}

/// Disables accounts that nobody has used for long, and notes on which days keys were used.
async fn keep_access(staff: Arc<Staff>, registry: Arc<KeyRegistry>) {
    loop {
        if let Err(error) = registry.note_uses().await {
            tracing::error!(%error, "uses of keys not noted");
        }
        match staff.disable_unused().await {
            Ok(disabled) if disabled.is_empty() => {}
            Ok(disabled) => tracing::warn!(count = disabled.len(), "unused accounts disabled"),
            Err(error) => tracing::error!(%error, "unused accounts not looked for"),
        }
        tokio::time::sleep(ACCESS_LOOK).await;
    }
}

/// Erases values whose time is over.
async fn keep_vault(vault: Arc<Vault>) {
    loop {
        if let Err(error) = vault.sweep().await {
            tracing::error!(%error, "expired values not erased");
        }
        tokio::time::sleep(VAULT_LOOK).await;
    }
}

/// Signs every tree of the trail that has grown, now and again. One that cannot be signed is told
/// of once.
async fn keep_checkpoints(notary: Notary, every: Duration, watch: Arc<Watch>) {
    let mut told = BTreeSet::new();
    loop {
        tokio::time::sleep(every).await;
        let Err(error) = notary.round().await else {
            continue;
        };
        tracing::error!(%error, "checkpoint not made");
        if let Refusal::Inconsistent { tenant, size } = error
            && told.insert((tenant.clone(), size))
            && let Ok(tenant) = TenantId::parse(&tenant)
            && let Err(error) = watch.recorder().not_signed(tenant, size).await
        {
            tracing::error!(%error, "unsigned trail not noted");
        }
    }
}

/// Looks at what people and programs do.
async fn keep_watch(watch: Arc<Watch>) {
    watch.run().await;
}
