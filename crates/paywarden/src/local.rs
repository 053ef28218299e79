//! A server inside this process with one caller, for commands that measure or show.

use crate::{
    client::{Caller, Client, Protocol},
    config::Config,
    failure::{Failure, Result},
    private,
    signing::Signer,
    wiring::{Running, local_ca_pem},
};
use paywarden_access::{Author, NewKey, Scopes};
use paywarden_crypto::SignatureAlgorithm;
use paywarden_domain::TenantId;
use paywarden_store::{Actor, Purpose};
use std::{path::PathBuf, sync::Arc};

/// A running server and a client of it that signs.
pub struct Local {
    /// The server.
    pub running: Running,
    /// The client.
    pub client: Arc<Client>,
    /// Where the client's private key lies.
    pub key_file: PathBuf,
    /// What the client trusts.
    pub ca_pem: PathBuf,
}

impl Local {
    /// Starts a server with its data in the configuration's folder and makes a key for `tenant`.
    pub async fn start(config: &Config, tenant: &str, purpose: &'static str) -> Result<Self> {
        let running = Running::start(config).await?;
        let unmade = |error: &dyn std::fmt::Display| {
            Failure::environment(format!("no key was made: {error}"), "report this as a bug")
        };
        let new = NewKey {
            tenant: TenantId::parse(tenant).map_err(|error| unmade(&error))?,
            scopes: Scopes::usual(),
            description: purpose.to_owned(),
        };
        let author = Author {
            actor: Actor::System("paywarden"),
            purpose: Purpose::from(purpose),
        };
        let created = running
            .registry()
            .create(author, SignatureAlgorithm::Ed25519, new)
            .await;
        let created = created.map_err(|error| unmade(&error))?;
        let folder = config.data_dir.join("keys");
        private::folder(&folder)?;
        let key_file = folder.join(format!("{}.pem", created.key.id));
        private::file(&key_file, &created.private)?;
        let signer = Signer::from_text(&created.key.id, &created.private)?;
        let ca_pem = local_ca_pem(&config.data_dir);
        let caller = Caller::Signed(signer);
        let client = Client::new(&running.url(), &ca_pem, caller, Protocol::Http1)?;
        Ok(Self {
            running,
            client,
            key_file,
            ca_pem,
        })
    }
}
