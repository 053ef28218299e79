//! What goes on beside the requests until the server stops.

use super::{Ground, root};
use crate::{config::Config, dispatch::Dispatcher, refresh::Refresh};
use paywarden_access::{KeyRegistry, Staff, Watch, approval::Approvals};
use paywarden_domain::TenantId;
use paywarden_notify::Courier;
use paywarden_privacy::Vault;
use paywarden_risk::Engine;
use paywarden_server::{LargeValues, rating, rescreen};
use paywarden_store::trail::notary::{Notary, Refusal};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::task::JoinHandle;

/// How often it is looked for values whose time is over.
const VAULT_LOOK: Duration = Duration::from_secs(600);
/// How often it is looked for requests of persons that are overdue, and for retention runs that are
/// due or that nobody works on.
const PERSONS_LOOK: Duration = Duration::from_secs(60);
/// How often accounts that nobody uses are looked for, and uses of keys noted.
const ACCESS_LOOK: Duration = Duration::from_secs(3_600);
/// How often it is looked whether there are enough decisions for a block of what they name.
const MENTIONS: Duration = Duration::from_secs(2);
/// How often it is looked whether models need something.
const MODELS_LOOK: Duration = Duration::from_secs(3_600);
/// How often it is looked whether a snapshot of the windows is due.
const SNAPSHOT_LOOK: Duration = Duration::from_secs(1);

/// How often reviews that are overdue are looked for.
const REVIEW_LOOK: Duration = Duration::from_secs(60);
/// How often a little of the trail is looked at: 1,024 leaves each time, eight millions a day.
const PATROL: Duration = Duration::from_secs(10);

/// Starts all of it.
pub(super) fn start(
    (engine, notary, watch, approvals): (&Arc<Engine>, &Notary, &Arc<Watch>, Approvals),
    ground: &Ground,
    config: &Config,
    (refresh, dispatcher, courier, large): (Refresh, Dispatcher, Courier, LargeValues),
) -> Vec<JoinHandle<()>> {
    let every = Duration::from_secs(config.trail_checkpoint_seconds.max(1).into());
    let mut jobs = vec![
        tokio::spawn(keep_snapshots(engine.clone())),
        tokio::spawn(keep_checkpoints(notary.clone(), every, watch.clone())),
        tokio::spawn(keep_mentions(engine.clone())),
        tokio::spawn(keep_models(engine.clone())),
        tokio::spawn(keep_patrol(notary.clone(), watch.clone())),
        tokio::spawn(keep_reviews(approvals)),
        tokio::spawn(keep_watch(watch.clone())),
        tokio::spawn(keep_access(ground.staff.clone(), ground.registry.clone())),
        tokio::spawn(keep_vault(ground.vault.clone())),
        tokio::spawn(rating::keep(engine.clone())),
        tokio::spawn(rescreen::keep(engine.clone(), ground.vault.clone())),
        tokio::spawn(keep_root(ground.vault.clone(), root::renewal(config))),
        tokio::spawn(keep_persons(ground.vault.clone())),
        tokio::spawn(dispatcher.run()),
        tokio::spawn(courier.run()),
        tokio::spawn(large.keep()),
    ];
    jobs.extend(refresh.start(engine));
    jobs
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

/// Keeps what decisions name in blocks, so that rules and entities are found among millions.
async fn keep_mentions(engine: Arc<Engine>) {
    loop {
        if let Err(error) = engine.index_mentions().await {
            tracing::warn!(%error, "what decisions name not kept");
        }
        tokio::time::sleep(MENTIONS).await;
    }
}

/// Sets the thresholds of alert budgets anew.
async fn keep_models(engine: Arc<Engine>) {
    loop {
        if let Err(error) = engine.tend_models().await {
            tracing::error!(%error, "models not looked after");
        }
        tokio::time::sleep(MODELS_LOOK).await;
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

/// Has the root outside open the keys of the vault again, a few times in each lease.
async fn keep_root(vault: Arc<Vault>, every: Duration) {
    while vault.root_lease_left_us().is_some() {
        if let Err(error) = vault.renew_root().await {
            let left_s = vault
                .root_lease_left_us()
                .map(|left_us| left_us / 1_000_000);
            tracing::error!(%error, left_s, "keys of the vault not opened again");
        }
        tokio::time::sleep(every).await;
    }
}

/// Erases values whose time is over, and tells of keys that are used too long.
async fn keep_vault(vault: Arc<Vault>) {
    let mut told = 0;
    loop {
        let passed = vault.periods_passed();
        if passed > told {
            tracing::warn!(passed, "keys of the vault are used longer than they may be");
        }
        told = passed;
        if let Err(error) = vault.sweep().await {
            tracing::error!(%error, "expired values not erased");
        }
        tokio::time::sleep(VAULT_LOOK).await;
    }
}

/// Tells of requests of persons that nobody has answered in time, begins retention runs by the
/// timetable, and lets those go on that a stop has interrupted.
async fn keep_persons(vault: Arc<Vault>) {
    loop {
        if let Err(error) = vault.note_overdue_requests().await {
            tracing::error!(%error, "overdue requests of persons not looked for");
        }
        if let Err(error) = vault.tend_retention().await {
            tracing::error!(%error, "retention runs not taken up");
        }
        if let Err(error) = vault.keep_timetable().await {
            tracing::error!(%error, "retention runs not begun");
        }
        tokio::time::sleep(PERSONS_LOOK).await;
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

/// Looks at the trail, a little at a time and round and round. What does not hold is told of once.
async fn keep_patrol(notary: Notary, watch: Arc<Watch>) {
    let mut place = None;
    loop {
        tokio::time::sleep(PATROL).await;
        let step = match notary.patrol(place.as_ref()).await {
            Ok(Some(step)) => step,
            Ok(None) => continue,
            Err(error) => {
                tracing::error!(%error, "trail not looked at");
                continue;
            }
        };
        if let Some(finding) = step.finding().filter(|_| step.is_new)
            && let Ok(tenant) = TenantId::parse(&step.tenant)
        {
            tracing::error!(%tenant, finding, "trail not intact");
            if let Err(error) = watch.recorder().not_intact(tenant, finding).await {
                tracing::error!(%error, "changed trail not noted");
            }
        }
        place = step.next;
    }
}

/// Looks for emergencies that nobody has reviewed in time.
async fn keep_reviews(approvals: Approvals) {
    loop {
        if let Err(error) = approvals.note_overdue().await {
            tracing::error!(%error, "overdue reviews not looked for");
        }
        tokio::time::sleep(REVIEW_LOOK).await;
    }
}

/// Looks at what people and programs do.
async fn keep_watch(watch: Arc<Watch>) {
    watch.run().await;
}
