//! A root outside of this program: a key in a token of an HSM, or in a key service, that never
//! leaves there.
//!
//! ```text
//! change    from one root to another
//! token     a PKCS#11 token (feature pkcs11)
//! transit   a service with the transit API of Vault and OpenBao
//! ```
//!
//! It seals two things: the master key, once, in the file `master.wrapped`; and the secret of each
//! epoch, over the seal of the master key. The master key is opened when the program starts; secrets
//! of epochs are opened again and again, and kept no longer than a lease. So whoever takes the root
//! away closes the vault, also one that runs, and nothing is lost: it opens when the root is back.

mod change;
#[cfg(feature = "pkcs11")]
mod token;
mod transit;

pub use change::{Onto, RootFiles, Under, change};
#[cfg(feature = "pkcs11")]
pub use token::{Token, TokenSettings};
pub use transit::Transit;

use base64::{Engine, engine::general_purpose::STANDARD};
use paywarden_crypto::{Keyring, keyring};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::Arc,
};
use zeroize::Zeroizing;

/// What the sealed master key belongs to.
const MASTER: &str = "paywarden master key 1";
const FORMAT: u8 = 1;

/// A root outside of this program.
pub enum OutsideRoot {
    /// A key in a PKCS#11 token.
    #[cfg(feature = "pkcs11")]
    Token(Token),
    /// A key in a service.
    Transit(Transit),
}

/// A root, and how long what it has opened may be used.
#[derive(Clone)]
pub struct OutsideLease {
    /// The root.
    pub root: Arc<OutsideRoot>,
    /// How long secrets of epochs are kept that it has opened, in seconds.
    pub lease_seconds: u32,
}

impl fmt::Debug for OutsideLease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for {} s", self.root.name(), self.lease_seconds)
    }
}

/// Why a root does nothing. None repeats a PIN, a token or what was sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RootError {
    /// It does not answer, or cannot at present: try again.
    #[error("the root does not answer: {0}")]
    Gone(String),
    /// It answers, and refuses: an operator must look at its key and at what we may do there.
    #[error("the root refuses: {0}")]
    Refused(String),
    /// What was sealed does not open: it was changed, or another root sealed it.
    #[error("what the root has sealed does not open: it was changed, or belongs to another root")]
    Damaged,
    /// The file of the sealed master key cannot be used.
    #[error("{0}")]
    File(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrapped {
    format: u8,
    root: String,
    wrapped: String,
}

impl OutsideRoot {
    /// What it is, for people and for files: no secret.
    pub fn name(&self) -> String {
        match self {
            #[cfg(feature = "pkcs11")]
            Self::Token(token) => token.name(),
            Self::Transit(transit) => transit.name(),
        }
    }

    /// Seals at most 1 KiB for its place.
    pub async fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>, RootError> {
        match self {
            #[cfg(feature = "pkcs11")]
            Self::Token(token) => token.seal(place, plain).await,
            Self::Transit(transit) => transit.seal(place, plain).await,
        }
    }

    /// Opens what was sealed for this place.
    pub async fn open(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, RootError> {
        match self {
            #[cfg(feature = "pkcs11")]
            Self::Token(token) => token.open(place, sealed).await,
            Self::Transit(transit) => transit.open(place, sealed).await,
        }
    }

    /// The keyring whose master key this root keeps sealed in a file. At the first start it is made:
    /// of the master key in its file, if there is one, which is to be removed afterwards. Where epochs
    /// lie there is a master key already, and none is made beside it.
    pub async fn keyring(&self, files: &RootFiles) -> Result<Keyring, RootError> {
        match fs::read_to_string(&files.sealed) {
            Ok(text) => self.read(&text).await,
            Err(error) if error.kind() == ErrorKind::NotFound => self.make(files).await,
            Err(error) => Err(unusable(&files.sealed, &error)),
        }
    }

    async fn read(&self, text: &str) -> Result<Keyring, RootError> {
        let damaged = |_| RootError::File("the sealed master key does not read".to_owned());
        let held: Wrapped = toml::from_str(text).map_err(|error| damaged(error.to_string()))?;
        let wrapped = STANDARD.decode(&held.wrapped);
        let wrapped = wrapped.map_err(|error| damaged(error.to_string()))?;
        if held.format != FORMAT {
            return Err(damaged(String::new()));
        }
        let master = self.open(MASTER, &wrapped).await?;
        let master: &[u8; 32] = master
            .as_slice()
            .try_into()
            .map_err(|_| RootError::Damaged)?;
        Ok(Keyring::of_master(master))
    }

    async fn make(&self, files: &RootFiles) -> Result<Keyring, RootError> {
        let RootFiles {
            clear,
            sealed,
            epochs,
        } = files;
        let master = match (clear.exists(), epochs.exists()) {
            (true, _) => {
                keyring::read_master(clear).map_err(|error| RootError::File(error.to_string()))?
            }
            (false, false) => keyring::fresh_master(),
            (false, true) => {
                let sealed = sealed.display();
                let why = format!(
                    "{sealed} is not there, and the epochs have a master key: bring it here by `paywarden vault change-root`"
                );
                return Err(RootError::File(why));
            }
        };
        let wrapped = self.seal(MASTER, master.as_slice()).await?;
        let held = Wrapped {
            format: FORMAT,
            root: self.name(),
            wrapped: STANDARD.encode(wrapped),
        };
        let text = toml::to_string(&held).map_err(|error| RootError::File(error.to_string()))?;
        write_new(sealed, text.as_bytes()).map_err(|error| unusable(sealed, &error))?;
        Ok(Keyring::of_master(&master))
    }
}

/// Writes a private file that was not there, durably.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn unusable(path: &Path, error: &io::Error) -> RootError {
    RootError::File(format!("{}: {error}", path.display()))
}
