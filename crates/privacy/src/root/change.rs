//! Another root: what one has sealed is sealed by another. The master key stays what it is, so that
//! every index, pseudonym and token stays too.

use super::{FORMAT, MASTER, OutsideRoot, RootError, Wrapped, unusable, write_new};
use crate::keys::{place, replace};
use base64::{Engine, engine::general_purpose::STANDARD};
use paywarden_crypto::keyring;
use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Where the things lie that a root seals.
#[derive(Debug, Clone)]
pub struct RootFiles {
    /// The master key, open: where the root is a file.
    pub clear: PathBuf,
    /// The master key, sealed by a root outside.
    pub sealed: PathBuf,
    /// The secrets of epochs.
    pub epochs: PathBuf,
}

/// What lies under a root.
pub enum Under<'r> {
    /// The master key itself, from its file or from shares.
    Master(Zeroizing<[u8; 32]>),
    /// A root outside.
    Outside(&'r OutsideRoot),
}

/// What everything is to lie under.
pub enum Onto<'r> {
    /// The master key, in its file.
    File,
    /// The master key that the shares of custodians make, in no file.
    Shares(Zeroizing<[u8; 32]>),
    /// A root outside.
    Outside(&'r OutsideRoot),
}

impl<'r> Onto<'r> {
    fn outside(&self) -> Option<&'r OutsideRoot> {
        match self {
            Self::Outside(root) => Some(root),
            Self::File | Self::Shares(_) => None,
        }
    }
}

/// Seals everything by `to` that `from` has sealed; by the master key alone if that is no root outside,
/// and writes its file unless there are shares of it. What `to` has sealed already stays, so that a
/// change that broke off is done by asking again. Nothing is replaced before everything was sealed and opened again; the epochs come
/// first, and the master key is sealed anew when they are.
///
/// Call it while nobody has the folder open.
pub async fn change(files: &RootFiles, from: &Under<'_>, onto: &Onto<'_>) -> Result<(), RootError> {
    let to = onto.outside();
    let master = master(files, from, onto).await?;
    if matches!(onto, Onto::Shares(shared) if **shared != *master) {
        let why = "the shares make another key than the one that is in use";
        return Err(RootError::File(why.to_owned()));
    }
    let epochs = epochs(&files.epochs, from, to).await?;
    let sealed = match to {
        Some(to) => Some(checked(to, MASTER, master.as_slice()).await?),
        None => None,
    };
    if let Some(text) = epochs {
        let written = replace(&files.epochs, text.as_bytes());
        written.map_err(|error| unusable(&files.epochs, &error))?;
    }
    match (to, sealed) {
        (Some(to), Some(wrapped)) => {
            let held = Wrapped {
                format: FORMAT,
                root: to.name(),
                wrapped: STANDARD.encode(wrapped),
            };
            let text = toml::to_string(&held).map_err(|error| unreadable(&files.sealed, &error))?;
            let written = replace(&files.sealed, text.as_bytes());
            written.map_err(|error| unusable(&files.sealed, &error))
        }
        _ => {
            if matches!(onto, Onto::File) {
                write_clear(&files.clear, &master)?;
            }
            remove(&files.sealed)
        }
    }
}

/// The master key, from whichever of the two has sealed it.
async fn master(
    files: &RootFiles,
    from: &Under<'_>,
    onto: &Onto<'_>,
) -> Result<Zeroizing<[u8; 32]>, RootError> {
    let to = onto.outside();
    let from = match from {
        Under::Master(master) => return Ok(master.clone()),
        Under::Outside(from) => *from,
    };
    let text = match fs::read_to_string(&files.sealed) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound && to.is_none() => {
            return opened_before(files, onto);
        }
        Err(error) => return Err(unusable(&files.sealed, &error)),
    };
    let held: Wrapped = toml::from_str(&text).map_err(|error| unreadable(&files.sealed, &error))?;
    let wrapped = STANDARD.decode(&held.wrapped);
    let wrapped = wrapped.map_err(|error| unreadable(&files.sealed, &error))?;
    let opener = to.filter(|to| to.name() == held.root).unwrap_or(from);
    let opened = opener.open(MASTER, &wrapped).await?;
    let master: [u8; 32] = opened
        .as_slice()
        .try_into()
        .map_err(|_| RootError::Damaged)?;
    Ok(Zeroizing::new(master))
}

/// The master key that was opened for good by a change that broke off when it had done nearly all.
fn opened_before(files: &RootFiles, onto: &Onto<'_>) -> Result<Zeroizing<[u8; 32]>, RootError> {
    match onto {
        Onto::Shares(shared) => Ok(shared.clone()),
        Onto::File | Onto::Outside(_) => {
            let master = keyring::read_master(&files.clear);
            master.map_err(|error| RootError::File(error.to_string()))
        }
    }
}

/// The file of epochs as it is to be; nothing if it is so already, or is not there.
async fn epochs(
    path: &Path,
    from: &Under<'_>,
    to: Option<&OutsideRoot>,
) -> Result<Option<String>, RootError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(path, &error)),
    };
    let mut held: toml::Table = text.parse().map_err(|error| unreadable(path, &error))?;
    let by = held.get("root").and_then(toml::Value::as_str);
    let by = by.map(str::to_owned);
    if by == to.map(OutsideRoot::name) {
        return Ok(None);
    }
    let opener = match (&by, from) {
        (None, _) => None,
        (Some(by), Under::Outside(from)) if *by == from.name() => Some(*from),
        (Some(by), _) => return Err(RootError::File(format!("the epochs are sealed by {by}"))),
    };
    let epochs = held.get_mut("epochs").and_then(toml::Value::as_table_mut);
    for (number, stored) in epochs.into_iter().flatten() {
        let damaged = || unreadable(path, &format!("epoch {number}"));
        let place = place(number.parse().map_err(|_| damaged())?);
        let bytes = stored.as_str().and_then(|text| STANDARD.decode(text).ok());
        let bytes = Zeroizing::new(bytes.ok_or_else(damaged)?);
        let inner = match opener {
            Some(opener) => opener.open(&place, &bytes).await?,
            None => bytes,
        };
        let outer = match to {
            Some(to) => checked(to, &place, &inner).await?,
            None => inner.to_vec(),
        };
        *stored = toml::Value::String(STANDARD.encode(outer));
    }
    match to {
        Some(to) => held.insert("root".to_owned(), toml::Value::String(to.name())),
        None => held.remove("root"),
    };
    Ok(Some(held.to_string()))
}

/// Seals, and opens again: what does not open is found out before anything is replaced.
async fn checked(root: &OutsideRoot, place: &str, plain: &[u8]) -> Result<Vec<u8>, RootError> {
    let sealed = root.seal(place, plain).await?;
    match root.open(place, &sealed).await?.as_slice() == plain {
        true => Ok(sealed),
        false => Err(RootError::Damaged),
    }
}

/// The file of the master key.
fn write_clear(path: &Path, master: &[u8; 32]) -> Result<(), RootError> {
    let is_there = keyring::read_master(path).is_ok_and(|found| *found == *master);
    match is_there {
        true => Ok(()),
        false => write_new(path, master).map_err(|error| unusable(path, &error)),
    }
}

fn remove(path: &Path) -> Result<(), RootError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(unusable(path, &error)),
        _ => Ok(()),
    }
}

fn unreadable(path: &Path, why: &dyn std::fmt::Display) -> RootError {
    RootError::File(format!("{} does not read: {why}", path.display()))
}
