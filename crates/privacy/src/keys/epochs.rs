//! The file of epochs: one secret for each epoch that still wraps a key, sealed by the root.
//!
//! The file is written anew as a whole. What it replaces is overwritten with zeros before it is
//! let go, so that the secret of an epoch that was left is not found on the disk, as far as the
//! disk writes in place. It belongs to no backup of the database: a copy of it brings back what
//! was erased.

use crate::Error;
use base64::{Engine, engine::general_purpose::STANDARD};
use paywarden_crypto::{
    Keyring,
    envelope::{Profile, SealKey},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};
use zeroize::Zeroizing;

const PURPOSE: &str = "vault epoch";
const FORMAT: u8 = 1;

/// The epochs of a vault.
pub(crate) struct Epochs {
    keyring: Arc<Keyring>,
    path: PathBuf,
    held: Held,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Held {
    format: u8,
    profile: String,
    /// By number, as text: TOML has no other keys.
    epochs: BTreeMap<String, String>,
}

impl Epochs {
    /// Reads the file, or makes it with epoch 1.
    pub(crate) fn open(
        keyring: Arc<Keyring>,
        profile: &'static Profile,
        path: &Path,
    ) -> Result<Self, Error> {
        let (held, is_new) = match fs::read_to_string(path) {
            Ok(text) => (read(&text)?, false),
            Err(error) if error.kind() == ErrorKind::NotFound => (Held::new(profile), true),
            Err(error) => return Err(unusable(path, &error)),
        };
        if held.profile != profile.name {
            let other = format!(
                "made with the profile {}, which does not change",
                held.profile
            );
            return Err(Error::Keys(other));
        }
        let path = path.to_owned();
        let mut epochs = Self {
            keyring,
            path,
            held,
        };
        match is_new {
            true => drop(epochs.begin()?),
            // A file of another root says so now, not at the first card.
            false => drop(epochs.secret(epochs.newest())?),
        }
        Ok(epochs)
    }

    /// The epoch that wraps keys now.
    pub(crate) fn newest(&self) -> i64 {
        self.numbers().max().unwrap_or(0)
    }

    /// The epochs whose secret lives.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = i64> {
        self.held
            .epochs
            .keys()
            .filter_map(|number| number.parse().ok())
    }

    /// Begins the next epoch; its number. Durable when it returns.
    pub(crate) fn begin(&mut self) -> Result<i64, Error> {
        let next = self.newest() + 1;
        let secret = SealKey::random_bytes();
        let sealed = self.keyring.seal(PURPOSE, &aad(next), secret.as_slice())?;
        let mut epochs = self.held.epochs.clone();
        epochs.insert(next.to_string(), STANDARD.encode(sealed));
        self.write(epochs)?;
        Ok(next)
    }

    /// Destroys the secrets of every epoch before this one; their numbers.
    pub(crate) fn end_before(&mut self, epoch: i64) -> Result<Vec<i64>, Error> {
        let ended: Vec<i64> = self.numbers().filter(|number| *number < epoch).collect();
        if !ended.is_empty() {
            let mut epochs = self.held.epochs.clone();
            epochs.retain(|number, _| number.parse().is_ok_and(|number: i64| number >= epoch));
            self.write(epochs)?;
        }
        Ok(ended)
    }

    /// The secret of an epoch; one that was left has none.
    pub(crate) fn secret(&self, epoch: i64) -> Result<Zeroizing<Vec<u8>>, Error> {
        let sealed = self.held.epochs.get(&epoch.to_string());
        let sealed = sealed.ok_or(Error::Damaged)?;
        let sealed = STANDARD.decode(sealed).map_err(|_| Error::Damaged)?;
        let opened = self.keyring.open(PURPOSE, &aad(epoch), &sealed);
        opened.map_err(|_| Error::Keys("the epochs were sealed by another master key".to_owned()))
    }

    fn write(&mut self, epochs: BTreeMap<String, String>) -> Result<(), Error> {
        let held = Held {
            format: FORMAT,
            profile: self.held.profile.clone(),
            epochs,
        };
        let text = toml::to_string(&held).map_err(|error| Error::Keys(error.to_string()))?;
        replace(&self.path, text.as_bytes()).map_err(|error| unusable(&self.path, &error))?;
        self.held = held;
        Ok(())
    }
}

impl Held {
    fn new(profile: &Profile) -> Self {
        Self {
            format: FORMAT,
            profile: profile.name.to_owned(),
            epochs: BTreeMap::new(),
        }
    }
}

fn read(text: &str) -> Result<Held, Error> {
    let held: Held = toml::from_str(text)
        .map_err(|_| Error::Keys("the file of epochs does not read".to_owned()))?;
    match held.format == FORMAT && !held.epochs.is_empty() {
        true => Ok(held),
        false => Err(Error::Keys(
            "the file of epochs is of another format".to_owned(),
        )),
    }
}

fn aad(epoch: i64) -> [u8; 8] {
    epoch.to_be_bytes()
}

/// Writes a private file anew, durably, and overwrites what it replaces.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    // Held open over the renaming: its blocks are given back only when it is closed.
    let old = match OpenOptions::new().write(true).open(path) {
        Ok(old) => Some(old),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    fs::rename(&beside, path)?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    if let Some(mut old) = old {
        let length = old.metadata()?.len();
        io::copy(&mut io::Read::take(io::repeat(0), length), &mut old)?;
        old.sync_all()?;
    }
    Ok(())
}

fn unusable(path: &Path, error: &io::Error) -> Error {
    Error::Keys(format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_are_kept_over_restarts_until_they_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vault.epochs");
        let keyring = Arc::new(Keyring::ephemeral());
        let open = |keyring: &Arc<Keyring>, profile| Epochs::open(keyring.clone(), profile, &path);
        let mut epochs = open(&keyring, &Profile::DEFAULT).unwrap();
        assert_eq!(epochs.newest(), 1);
        let first = epochs.secret(1).unwrap();
        assert_eq!(epochs.begin().unwrap(), 2);
        drop(epochs);
        let mut epochs = open(&keyring, &Profile::DEFAULT).unwrap();
        assert_eq!(*epochs.secret(1).unwrap(), *first);
        assert_ne!(*epochs.secret(2).unwrap(), *first);
        assert_eq!(epochs.end_before(2).unwrap(), [1]);
        assert!(epochs.secret(1).is_err());
        let reopened = open(&keyring, &Profile::DEFAULT).unwrap();
        assert_eq!(reopened.numbers().collect::<Vec<_>>(), [2]);
        assert!(reopened.secret(1).is_err());
        assert!(open(&Arc::new(Keyring::ephemeral()), &Profile::DEFAULT).is_err());
        assert!(open(&keyring, &Profile::GM).is_err());
        for text in [
            "",
            "format = 1",
            "format = 2\nprofile = \"default\"\n[epochs]\n1 = \"\"",
        ] {
            fs::write(&path, text).unwrap();
            assert!(open(&keyring, &Profile::DEFAULT).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_replaced_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vault.epochs");
        replace(&path, b"a secret that must go").unwrap();
        // A second name for the same blocks, as whoever looks at the disk has.
        let blocks = folder.path().join("blocks");
        fs::hard_link(&path, &blocks).unwrap();
        replace(&path, b"another").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"another");
        assert_eq!(fs::read(&blocks).unwrap(), [0; 21]);
    }
}
