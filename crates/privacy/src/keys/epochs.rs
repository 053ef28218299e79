//! The file of epochs: one secret for each epoch that still wraps a key, sealed by the master key,
//! and over that by the root outside, where there is one.
//!
//! The file is written anew as a whole. What it replaces is overwritten with zeros before it is
//! let go, so that the secret of an epoch that was left is not found on the disk, as far as the
//! disk writes in place. It belongs to no backup of the database: a copy of it brings back what
//! was erased.

use crate::{Error, root::RootError};
use base64::{Engine, engine::general_purpose::STANDARD};
use paywarden_crypto::{Keyring, envelope::Profile};
use paywarden_domain::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::UNIX_EPOCH,
};
use zeroize::Zeroizing;

const PURPOSE: &str = "vault epoch";
const FORMAT: u8 = 1;

/// The epochs of a vault.
pub(crate) struct Epochs {
    keyring: Arc<Keyring>,
    path: PathBuf,
    held: Held,
    /// Secrets that the root outside has opened; none where there is no such root.
    lease: Option<Lease>,
}

/// Secrets that are good for a while.
struct Lease {
    opened: BTreeMap<i64, Zeroizing<Vec<u8>>>,
    until_us: u64,
}

/// A secret as the file has it.
pub(crate) type Stored = Vec<u8>;

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Held {
    format: u8,
    profile: String,
    /// The root outside that seals the secrets as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    root: Option<String>,
    /// When each began, in microseconds; by number, as text: TOML has no other keys.
    #[serde(default)]
    begun: BTreeMap<String, i64>,
    /// The sealed secrets, by number.
    epochs: BTreeMap<String, String>,
}

impl Epochs {
    /// Reads the file; one without an epoch if it is not there.
    pub(crate) fn open(
        keyring: Arc<Keyring>,
        profile: &'static Profile,
        (path, root): (&Path, Option<String>),
    ) -> Result<Self, Error> {
        let mut held = match fs::read_to_string(path) {
            Ok(text) => read(&text)?,
            Err(error) if error.kind() == ErrorKind::NotFound => Held::new(profile, root.clone()),
            Err(error) => return Err(unusable(path, &error)),
        };
        if held.profile != profile.name {
            let other = format!(
                "made with the profile {}, which does not change",
                held.profile
            );
            return Err(Error::Keys(other));
        }
        if let (Some(outside), None) = (&held.root, &root) {
            let other = format!("the epochs are sealed by {outside}: name it in the settings");
            return Err(Error::Keys(other));
        }
        held.date(path);
        let lease = root.map(|_| Lease {
            opened: BTreeMap::new(),
            until_us: 0,
        });
        let path = path.to_owned();
        Ok(Self {
            keyring,
            path,
            held,
            lease,
        })
    }

    /// The epoch that wraps keys now; 0 if none has begun.
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

    /// When an epoch began.
    pub(crate) fn begun_at(&self, epoch: i64) -> Option<Timestamp> {
        let begun = self.held.begun.get(&epoch.to_string());
        begun.copied().map(Timestamp::from_micros)
    }

    /// Whether the secrets are still to be sealed by the root outside.
    pub(crate) fn is_to_be_adopted(&self) -> bool {
        self.lease.is_some() && self.held.root.is_none()
    }

    /// The secret of an epoch, sealed by the master key.
    pub(crate) fn seal(&self, epoch: i64, secret: &[u8]) -> Result<Stored, Error> {
        Ok(self.keyring.seal(PURPOSE, &aad(epoch), secret)?)
    }

    /// The reverse.
    pub(crate) fn unseal(&self, epoch: i64, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let opened = self.keyring.open(PURPOSE, &aad(epoch), sealed);
        opened.map_err(|_| Error::Keys("the epochs were sealed by another master key".to_owned()))
    }

    /// Every secret as the file has it.
    pub(crate) fn stored(&self) -> Result<Vec<(i64, Stored)>, Error> {
        let stored = |epoch| Ok((epoch, self.stored_of(epoch)?));
        self.numbers().map(stored).collect()
    }

    /// Begins an epoch, the next one; durable when it returns.
    pub(crate) fn begin(
        &mut self,
        epoch: i64,
        (stored, secret): (Stored, &[u8]),
        now: Timestamp,
    ) -> Result<(), Error> {
        if epoch != self.newest() + 1 {
            return Err(Error::Request("another epoch began at the same moment"));
        }
        let mut held = self.held.clone();
        held.epochs
            .insert(epoch.to_string(), STANDARD.encode(stored));
        held.begun.insert(epoch.to_string(), now.micros());
        self.write(held)?;
        if let Some(lease) = &mut self.lease {
            lease.opened.insert(epoch, Zeroizing::new(secret.to_vec()));
        }
        Ok(())
    }

    /// Takes in the secrets as the root outside has sealed them.
    pub(crate) fn adopt(&mut self, root: String, stored: &[(i64, Stored)]) -> Result<(), Error> {
        let mut held = self.held.clone();
        held.root = Some(root);
        let each = stored.iter();
        held.epochs = each
            .map(|(epoch, stored)| (epoch.to_string(), STANDARD.encode(stored)))
            .collect();
        self.write(held)
    }

    /// Destroys the secrets of every epoch before this one; their numbers.
    pub(crate) fn end_before(&mut self, epoch: i64) -> Result<Vec<i64>, Error> {
        let ended: Vec<i64> = self.numbers().filter(|number| *number < epoch).collect();
        if !ended.is_empty() {
            let stays = |number: &String| number.parse().is_ok_and(|number: i64| number >= epoch);
            let mut held = self.held.clone();
            held.epochs.retain(|number, _| stays(number));
            held.begun.retain(|number, _| stays(number));
            self.write(held)?;
            if let Some(lease) = &mut self.lease {
                lease.opened.retain(|number, _| *number >= epoch);
            }
        }
        Ok(ended)
    }

    /// The secret of an epoch, and until when it may be used; one that was left has none.
    pub(crate) fn secret(
        &self,
        epoch: i64,
        now_us: u64,
    ) -> Result<(Zeroizing<Vec<u8>>, u64), Error> {
        let Some(lease) = &self.lease else {
            let stored = self.stored_of(epoch)?;
            return Ok((self.unseal(epoch, &stored)?, u64::MAX));
        };
        if lease.until_us <= now_us {
            let why = "what it opened is good no longer".to_owned();
            return Err(RootError::Gone(why).into());
        }
        let secret = lease.opened.get(&epoch).cloned();
        Ok((secret.ok_or(Error::Damaged)?, lease.until_us))
    }

    /// Takes in what the root outside has opened. Epochs that began meanwhile stay.
    pub(crate) fn renewed(&mut self, opened: BTreeMap<i64, Zeroizing<Vec<u8>>>, until_us: u64) {
        let living: Vec<i64> = self.numbers().collect();
        if let Some(lease) = &mut self.lease {
            lease.opened.extend(opened);
            lease.opened.retain(|epoch, _| living.contains(epoch));
            lease.until_us = until_us;
        }
    }

    /// How long secrets may still be used; nothing where there is no root outside.
    pub(crate) fn lease_left_us(&self, now_us: u64) -> Option<u64> {
        let lease = self.lease.as_ref()?;
        Some(lease.until_us.saturating_sub(now_us))
    }

    fn stored_of(&self, epoch: i64) -> Result<Stored, Error> {
        let stored = self.held.epochs.get(&epoch.to_string());
        let stored = stored.ok_or(Error::Damaged)?;
        STANDARD.decode(stored).map_err(|_| Error::Damaged)
    }

    fn write(&mut self, held: Held) -> Result<(), Error> {
        let text = toml::to_string(&held).map_err(|error| Error::Keys(error.to_string()))?;
        replace(&self.path, text.as_bytes()).map_err(|error| unusable(&self.path, &error))?;
        self.held = held;
        Ok(())
    }
}

impl Held {
    fn new(profile: &Profile, root: Option<String>) -> Self {
        Self {
            format: FORMAT,
            profile: profile.name.to_owned(),
            root,
            begun: BTreeMap::new(),
            epochs: BTreeMap::new(),
        }
    }

    /// Files of earlier versions do not say when an epoch began: not later than they were written.
    fn date(&mut self, path: &Path) {
        let written = fs::metadata(path).and_then(|file| file.modified());
        let since = written.map(|at| at.duration_since(UNIX_EPOCH).unwrap_or_default());
        let micros = since.map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(0));
        for number in self.epochs.keys() {
            self.begun.entry(number.clone()).or_insert(micros);
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
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
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
    use paywarden_crypto::envelope::SealKey;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    fn begin(epochs: &mut Epochs) -> i64 {
        let next = epochs.newest() + 1;
        let secret = SealKey::random_bytes();
        let stored = epochs.seal(next, secret.as_slice()).unwrap();
        let begun = epochs.begin(next, (stored, secret.as_slice()), at(next * 10));
        begun.unwrap();
        next
    }

    #[test]
    fn epochs_are_kept_over_restarts_until_they_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vault.epochs");
        let keyring = Arc::new(Keyring::ephemeral());
        let open =
            |keyring: &Arc<Keyring>, profile| Epochs::open(keyring.clone(), profile, (&path, None));
        let secret = |epochs: &Epochs, epoch| epochs.secret(epoch, 0).map(|(secret, _)| secret);
        let mut epochs = open(&keyring, &Profile::DEFAULT).unwrap();
        assert_eq!((epochs.newest(), begin(&mut epochs)), (0, 1));
        let first = secret(&epochs, 1).unwrap();
        assert_eq!(begin(&mut epochs), 2);
        drop(epochs);
        let mut epochs = open(&keyring, &Profile::DEFAULT).unwrap();
        assert_eq!(epochs.begun_at(2), Some(at(20)));
        assert_eq!(*secret(&epochs, 1).unwrap(), *first);
        assert_ne!(*secret(&epochs, 2).unwrap(), *first);
        // Of two who begin the same epoch one does.
        let again = epochs.begin(2, (Vec::new(), &[]), at(30));
        assert!(matches!(again, Err(Error::Request(_))));
        assert_eq!(epochs.end_before(2).unwrap(), [1]);
        assert!(secret(&epochs, 1).is_err());
        let reopened = open(&keyring, &Profile::DEFAULT).unwrap();
        assert_eq!(reopened.numbers().collect::<Vec<_>>(), [2]);
        assert!(secret(&reopened, 1).is_err());
        let other = open(&Arc::new(Keyring::ephemeral()), &Profile::DEFAULT).unwrap();
        assert!(secret(&other, 2).is_err());
        assert!(open(&keyring, &Profile::GM).is_err());
        for text in [
            "",
            "format = 1",
            "format = 2\nprofile = \"default\"\n[epochs]\n1 = \"\"",
            "format = 1\nprofile = \"default\"\nroot = \"outside\"\n[epochs]\n1 = \"\"",
        ] {
            fs::write(&path, text).unwrap();
            assert!(open(&keyring, &Profile::DEFAULT).is_err(), "{text}");
        }
    }

    #[test]
    fn a_lease_is_over_when_its_time_is_and_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vault.epochs");
        let keyring = Arc::new(Keyring::ephemeral());
        let root = Some("outside".to_owned());
        let mut epochs = Epochs::open(keyring, &Profile::DEFAULT, (&path, root)).unwrap();
        begin(&mut epochs);
        assert!(epochs.secret(1, 0).is_err(), "nothing was opened yet");
        epochs.renewed(BTreeMap::new(), 100);
        assert_eq!(epochs.secret(1, 99).unwrap().1, 100);
        let over = epochs.secret(1, 100).err();
        assert!(
            matches!(over, Some(Error::Root(RootError::Gone(_)))),
            "{over:?}"
        );
        assert_eq!(epochs.lease_left_us(60), Some(40));
        // An epoch that was left is not opened again by a late answer.
        begin(&mut epochs);
        epochs.end_before(2).unwrap();
        let late = BTreeMap::from([(1, Zeroizing::new(vec![7]))]);
        epochs.renewed(late, 200);
        assert_eq!(epochs.secret(1, 0).err(), Some(Error::Damaged));
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
