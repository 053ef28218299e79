//! Where the master key comes from: a file, the shares of its custodians, or a root outside that keeps
//! it sealed.

use super::{Ground, MASTER_KEY_FILE, needed, store};
use crate::{
    config::{Config, RootKind},
    failure::{Failure, Result},
};
use paywarden_crypto::{
    Keyring, keyring,
    split::{self, Share},
};
use paywarden_domain::Timestamp;
use paywarden_privacy::{
    By,
    root::{self, Onto, OutsideLease, OutsideRoot, RootError, RootFiles, Transit, Under},
};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};
use zeroize::Zeroizing;

/// The file of the epochs of the vault, in the data folder.
const EPOCHS_FILE: &str = "vault.epochs";
/// The file of the master key that a root outside has sealed, in the data folder.
const WRAPPED_FILE: &str = "master.wrapped";
/// What is opened by a root outside is opened again so many times in its lease.
const RENEWALS: u32 = 4;

/// The keyring, and what it comes from.
pub(super) struct Root {
    pub(super) keyring: Arc<Keyring>,
    pub(super) outside: Option<OutsideLease>,
    pub(super) since: Option<Timestamp>,
}

impl Root {
    /// Opens what the configuration names.
    pub(super) async fn open(config: &Config) -> Result<Self> {
        let Some(outside) = outside(config)? else {
            let keyring = Arc::new(keyring(config)?);
            let since = written_at(&config.data_dir.join(MASTER_KEY_FILE));
            return Ok(Self {
                keyring,
                outside: None,
                since,
            });
        };
        let files = files(config);
        let keyring = outside.keyring(&files).await;
        let keyring = Arc::new(keyring.map_err(|error| unusable(&error))?);
        if files.clear.exists() {
            let clear = files.clear.display();
            tracing::warn!(%clear, "the master key still lies open beside its sealed copy: remove it");
        }
        let outside = OutsideLease {
            root: Arc::new(outside),
            lease_seconds: config.root_lease_seconds.max(1),
        };
        Ok(Self {
            keyring,
            outside: Some(outside),
            since: written_at(&files.sealed),
        })
    }
}

/// How often what a root outside has opened is opened again.
pub(super) fn renewal(config: &Config) -> Duration {
    Duration::from_secs(config.root_lease_seconds.max(1).into()) / RENEWALS
}

/// Where the master key comes from, for people.
pub fn told(config: &Config) -> String {
    let folder = &config.data_dir;
    match (config.root, config.key_shares.as_slice()) {
        (RootKind::Transit, _) => {
            let url = config.transit_url.as_deref().unwrap_or_default();
            format!("a key service, {url}, key {}", config.root_key)
        }
        (RootKind::Pkcs11, _) => {
            let token = config.pkcs11_token.as_deref().unwrap_or_default();
            format!("a PKCS#11 token, {token}, key {}", config.root_key)
        }
        (RootKind::File, []) => format!("a file, {}", folder.join(MASTER_KEY_FILE).display()),
        (RootKind::File, shares) => {
            let shares: Vec<_> = shares
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            format!("shares of custodians: {}", shares.join(", "))
        }
    }
}

/// The root outside, if the configuration names one.
fn outside(config: &Config) -> Result<Option<OutsideRoot>> {
    match config.root {
        RootKind::File => Ok(None),
        RootKind::Transit => {
            let url = set(config.transit_url.as_ref(), "transit_url")?;
            let token = set(config.transit_token_file.as_ref(), "transit_token_file")?;
            let ca = config.transit_ca.as_ref().map(|path| {
                let read = fs::read(path);
                read.map_err(|error| needed(&format!("transit_ca = {}", path.display()), &error))
            });
            let ca = ca.transpose()?;
            let made = Transit::new(url, &config.root_key, token.clone(), ca.as_deref());
            Ok(Some(OutsideRoot::Transit(
                made.map_err(|error| unusable(&error))?,
            )))
        }
        RootKind::Pkcs11 => token(config).map(Some),
    }
}

#[cfg(feature = "pkcs11")]
fn token(config: &Config) -> Result<OutsideRoot> {
    use paywarden_privacy::root::{Token, TokenSettings};
    let made = Token::new(TokenSettings {
        module: set(config.pkcs11_module.as_ref(), "pkcs11_module")?.clone(),
        token: set(config.pkcs11_token.as_ref(), "pkcs11_token")?.clone(),
        key: config.root_key.clone(),
        pin_file: set(config.pkcs11_pin_file.as_ref(), "pkcs11_pin_file")?.clone(),
    });
    made.map(OutsideRoot::Token)
        .map_err(|error| unusable(&error))
}

#[cfg(not(feature = "pkcs11"))]
fn token(_: &Config) -> Result<OutsideRoot> {
    Err(Failure::wrong_use(
        "root = pkcs11: this program was built without tokens",
        "build it with --features pkcs11",
    ))
}

fn set<'c, T>(value: Option<&'c T>, name: &str) -> Result<&'c T> {
    let next = format!("set {name}, or root = \"file\"");
    value.ok_or_else(|| Failure::wrong_use(format!("the root outside needs {name}"), next))
}

/// The master key: from the shares of its custodians, or from its file.
fn keyring(config: &Config) -> Result<Keyring> {
    if config.key_shares.is_empty() {
        let RootFiles {
            clear,
            sealed,
            epochs,
        } = files(config);
        if sealed.exists() && !clear.exists() {
            let what = format!("{}: a root outside keeps the master key", sealed.display());
            return Err(Failure::wrong_use(what, "set root to what it was"));
        }
        if epochs.exists() && !clear.exists() {
            let what = format!("{}: the master key is not there", clear.display());
            return Err(Failure::wrong_use(
                what,
                "put it back, or name its shares: key_shares",
            ));
        }
        let opened = Keyring::open_or_create(&clear);
        return opened.map_err(|error| needed("the master key", &error));
    }
    let keyring = Keyring::from_shares(&shares(config)?);
    keyring.map_err(|error| unshared(&config.data_dir, &error))
}

/// The master key of a folder that a server has used, wherever it lies. Unlike a server, this makes
/// none.
pub async fn existing(config: &Config) -> Result<Option<Arc<Keyring>>> {
    let files = files(config);
    let is_there = match config.root {
        RootKind::File => !config.key_shares.is_empty() || files.clear.exists(),
        RootKind::Transit | RootKind::Pkcs11 => files.sealed.exists(),
    };
    match is_there {
        true => Root::open(config).await.map(|root| Some(root.keyring)),
        false => Ok(None),
    }
}

/// The shares that the configuration names.
fn shares(config: &Config) -> Result<Vec<Share>> {
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path).map_err(|error| unshared(path, &error))?;
        Share::parse(&Zeroizing::new(text)).map_err(|error| unshared(path, &error))
    };
    config.key_shares.iter().map(read).collect()
}

fn unshared(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::environment(
        format!("key_shares: {}: {error}", path.display()),
        "name the files that `paywarden vault split` wrote, one of each custodian",
    )
}

/// Seals by the root that `new` names what the root of `old` has sealed, and writes into the trail
/// that it was done. Only one process can have the folder open. One that broke off is done by asking
/// again.
pub async fn change(old: &Config, new: &Config, by: &By) -> Result<()> {
    let (database, journal) = store(old).await?;
    let changed = reseal(old, new).await;
    journal.close().await;
    database.close().await;
    changed?;
    let ground = Ground::open(new).await?;
    let what = format!("root changed from {} to {}", told(old), told(new));
    let noted = ground.vault.note_ceremony(by, what).await;
    ground.close().await;
    noted.map_err(|error| needed("the trail", &error))
}

async fn reseal(old: &Config, new: &Config) -> Result<()> {
    let (from, to) = (outside(old)?, outside(new)?);
    if from.is_none() && to.is_none() {
        return Err(Failure::wrong_use(
            "both settings keep the master key here",
            "name a root outside in one of them; shares are made by `paywarden vault split`",
        ));
    }
    let files = files(old);
    let under = match &from {
        Some(from) => Under::Outside(from),
        None => Under::Master(master(old)?),
    };
    let onto = match &to {
        Some(to) => Onto::Outside(to),
        None if new.key_shares.is_empty() => Onto::File,
        None => Onto::Shares(master(new)?),
    };
    let changed = root::change(&files, &under, &onto).await;
    changed.map_err(|error| unusable(&error))
}

/// Where the things lie that a root seals.
fn files(config: &Config) -> RootFiles {
    RootFiles {
        clear: config.data_dir.join(MASTER_KEY_FILE),
        sealed: config.data_dir.join(WRAPPED_FILE),
        epochs: epochs_file(config),
    }
}

/// The file of the epochs of the vault.
pub(super) fn epochs_file(config: &Config) -> PathBuf {
    let beside = || config.data_dir.join(EPOCHS_FILE);
    config.vault_epochs_file.clone().unwrap_or_else(beside)
}

/// The master key itself, from its file or from shares.
fn master(config: &Config) -> Result<Zeroizing<[u8; 32]>> {
    if config.key_shares.is_empty() {
        let read = keyring::read_master(&config.data_dir.join(MASTER_KEY_FILE));
        return read.map_err(|error| needed("the master key", &error));
    }
    split::join(&shares(config)?).map_err(|error| unshared(&config.data_dir, &error))
}

/// When a file was written: the master key is not older.
fn written_at(path: &Path) -> Option<Timestamp> {
    let written = fs::metadata(path).and_then(|file| file.modified()).ok()?;
    let since = written.duration_since(UNIX_EPOCH).ok()?;
    Some(Timestamp::from_micros(
        i64::try_from(since.as_micros()).ok()?,
    ))
}

fn unusable(error: &RootError) -> Failure {
    let next = match error {
        RootError::Gone(_) => "start the root first; nothing was changed",
        RootError::Refused(_) => "look at its key, and at what we may do there",
        RootError::Damaged => "name the root that has sealed master.wrapped, or restore that file",
        RootError::File(_) => "correct the settings of the root",
    };
    Failure::environment(error, next)
}
