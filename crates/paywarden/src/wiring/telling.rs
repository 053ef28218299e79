//! What tells companies and payers, as the configuration says.

use super::{Ground, needed};
use crate::{
    config::{Config, MessengerKind},
    failure::{Failure, Result},
};
use paywarden_notify::{Courier, Error, Notify, Settings};
use paywarden_outward::{Reach, Roots};
use paywarden_store::Clock;
use std::{fs, sync::Arc};

/// Opens it. The courier does nothing before it is run.
pub(super) async fn open(config: &Config, ground: &Ground) -> Result<(Arc<Notify>, Courier)> {
    let is_logged = config.messenger == MessengerKind::Log;
    if is_logged && !config.sandbox {
        let what = "messenger = log: links are secret, and logs are not";
        return Err(Failure::wrong_use(
            what,
            "set messenger to webhook, or sandbox to true",
        ));
    }
    let wrong = |error: &dyn std::fmt::Display| {
        let file = config.webhook_ca.clone().unwrap_or_default();
        let what = format!("webhook_ca = {}: {error}", file.display());
        Failure::wrong_use(what, "name a file of certificates in PEM")
    };
    let pem = config.webhook_ca.as_ref().map(fs::read).transpose();
    let pem = pem.map_err(|error| wrong(&error))?;
    let settings = Settings {
        reach: Reach::with(config.webhook_networks.iter().copied()),
        roots: pem.as_deref().map_or(Roots::Native, Roots::Pem),
        is_logged,
        ..Settings::default()
    };
    let store = (ground.database.clone(), ground.journal.clone());
    let opened = Notify::open(store, &ground.keyring, Clock::System, settings).await;
    let (notify, courier) = opened.map_err(|error| match error {
        Error::Roots(error) => wrong(&error),
        error => needed("the webhooks", &error),
    })?;
    Ok((Arc::new(notify), courier))
}
