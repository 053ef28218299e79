//! The desk of alerts and cases: its policy, and that everything which waits is seen by somebody.

use super::{Ground, needed};
use crate::{
    config::Config,
    failure::{Failure, Result},
};
use paywarden_cases::{Cases, FileScan, Policy};
use paywarden_outward::scan::{Scanner, ScannerPlace};
use paywarden_store::Clock;
use std::{sync::Arc, time::Duration};

/// Opens the desk. An index that does not count every version is mended first; open alerts in queues
/// that the policy has given up are moved to those that take over, and without one the start is
/// refused.
pub(super) async fn open(config: &Config, ground: &Ground) -> Result<Arc<Cases>> {
    let tables = (policy(config)?, config.office());
    let store = (ground.database.clone(), ground.journal.clone());
    let cases = Cases::new(store, Clock::System, &ground.keyring, tables);
    let cases = cases.map_err(|error| needed("the desk of alerts", &error))?;
    let cases = cases.scanned_by(scan(config)?);
    mend(&cases).await?;
    Ok(Arc::new(cases))
}

fn policy(config: &Config) -> Result<Policy> {
    let refused = |error: &dyn std::fmt::Display| {
        let next = "correct the file that alert_policy names, or leave it out";
        Failure::wrong_use(error, next)
    };
    let policy = match &config.alert_policy {
        None => Policy::shipped(),
        Some(path) => {
            let text = std::fs::read_to_string(path);
            Policy::parse(&text.map_err(|error| refused(&error))?)
        }
    };
    policy.map_err(|error| refused(&error))
}

/// Who scans files, if somebody does.
fn scan(config: &Config) -> Result<Option<FileScan>> {
    let Some(place) = &config.file_scanner else {
        return Ok(None);
    };
    let place: ScannerPlace = place.parse().map_err(|expected| {
        let what = format!("file_scanner = {place}: a scanner is on this machine");
        Failure::wrong_use(what, format!("name {expected}"))
    })?;
    let within = Duration::from_secs(config.file_scanner_seconds.max(1).into());
    Ok(Some(FileScan {
        scanner: Scanner::new(place, within),
        away: config.file_scanner_away,
    }))
}

async fn mend(cases: &Cases) -> Result<()> {
    let unusable = |error| needed("the desk of alerts", &error);
    for tenant in cases.unindexed().await.map_err(unusable)? {
        let mended = cases.reindex(&tenant).await.map_err(unusable)?;
        tracing::warn!(%tenant, items = mended.items, mended = mended.mended, "index of alerts made again");
    }
    match cases.settle().await.map_err(unusable)?.first() {
        None => Ok(()),
        Some(left) => Err(Failure::wrong_use(
            format!(
                "the policy of alerts has no queue {}, where {} of {} wait",
                left.queue, left.open, left.tenant
            ),
            "keep the queue, or name it in `takes_over` of the queue that they shall wait in",
        )),
    }
}
