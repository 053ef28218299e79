//! The master key and everything that is derived from it.
//!
//! One key of 32 random bytes lies in a file that only its owner can read. No purpose ever uses
//! it directly: HKDF-SHA256 (RFC 5869) derives one key per purpose, so that a value sealed or
//! indexed for one purpose says nothing about another.

use crate::{
    Error, random,
    split::{self, Share},
};
use ::hmac::{Hmac, KeyInit as _, Mac as _};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hkdf, hmac,
};
use sm3::Sm3;
use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
};
use zeroize::Zeroizing;

/// The longest value that can be sealed, in bytes.
pub const SEAL_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How many bytes a sealed value is longer than the plain one.
pub const SEAL_OVERHEAD_BYTES: usize = HEADER_BYTES + TAG_BYTES;

/// How long a master key is.
pub const MASTER_BYTES: usize = 32;
const VERSION: u8 = 1;
const SALT_BYTES: usize = 12;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
const HEADER_BYTES: usize = 1 + SALT_BYTES + NONCE_BYTES;

/// The master key. It has no `Debug`, and its bytes are zeroed when it is dropped.
pub struct Keyring {
    root: hkdf::Prk,
}

impl Keyring {
    /// Opens the key file, or makes one at the first start.
    ///
    /// A new file has mode 0600, is never written over an old one, and is on disk together with
    /// its directory entry before this returns. An existing file is refused if its group or
    /// others may touch it, or if it does not have exactly 32 bytes.
    pub fn open_or_create(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::KeyFile {
            path: path.to_owned(),
            source,
        };
        match create(path) {
            Ok(master) => Ok(Self::new(&master)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => open(path),
            Err(error) => Err(failed(error)),
        }
    }

    /// Makes the key from the shares of enough custodians.
    pub fn from_shares(shares: &[Share]) -> Result<Self, Error> {
        Ok(Self::new(&*split::join(shares)?))
    }

    /// The keyring of a master key that was opened elsewhere.
    pub fn of_master(master: &[u8; MASTER_BYTES]) -> Self {
        Self::new(master)
    }

    /// Splits the key of a file into `shares` shares, any `needed` of which make it again; see
    /// [`crate::split`]. The file stays as it is.
    pub fn split_file(path: &Path, shares: u8, needed: u8) -> Result<Vec<Share>, Error> {
        split::split(&*read_master(path)?, shares, needed)
    }

    /// Whether both were made from the same key.
    pub fn is_same(&self, other: &Self) -> Result<bool, Error> {
        const LABEL: &str = "custodians' check";
        Ok(*self.derive(LABEL)? == *other.derive(LABEL)?)
    }

    /// A keyring that is forgotten when it is dropped, for tests and trials.
    pub fn ephemeral() -> Self {
        Self::new(&fresh_master())
    }

    fn new(master: &[u8; MASTER_BYTES]) -> Self {
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"paywarden keyring 1");
        Self {
            root: salt.extract(master),
        }
    }

    /// 32 bytes for one purpose, the same at every start. Labels never meet the purposes of
    /// seals and indexes.
    pub fn derive(&self, label: &str) -> Result<Zeroizing<[u8; 32]>, Error> {
        expand(&self.root, &[b"derive:", label.as_bytes()])
    }

    /// The seal for one purpose; keep it where many values are sealed.
    pub fn seal_for(&self, purpose: &str) -> Result<PreparedSeal, Error> {
        let key = expand(&self.root, &[b"seal:", purpose.as_bytes()])?;
        Ok(PreparedSeal {
            root: hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, key.as_slice()),
        })
    }

    /// The index for one purpose; keep it where many values are indexed.
    pub fn index_for(&self, purpose: &str) -> Result<PreparedIndex, Error> {
        self.index_with(MacAlgorithm::HmacSha256, purpose)
    }

    /// The same with a keyed hash of choice.
    pub fn index_with(&self, mac: MacAlgorithm, purpose: &str) -> Result<PreparedIndex, Error> {
        let key = expand(&self.root, &[b"index:", purpose.as_bytes()])?;
        PreparedIndex::new(mac, key.as_slice())
    }

    /// Seals one value; see [`PreparedSeal::seal`].
    pub fn seal(&self, purpose: &str, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, Error> {
        self.seal_for(purpose)?.seal(aad, plain)
    }

    /// Opens one value; see [`PreparedSeal::open`].
    pub fn open(
        &self,
        purpose: &str,
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.seal_for(purpose)?.open(aad, sealed)
    }

    /// Indexes one value; see [`PreparedIndex::of`].
    pub fn keyed_index(
        &self,
        purpose: &str,
        tenant: &str,
        value: &[u8],
    ) -> Result<[u8; 32], Error> {
        Ok(self.index_for(purpose)?.of(tenant, value))
    }
}

/// Seals values of one purpose with AES-256-GCM (NIST SP 800-38D).
///
/// Each value gets its own key, derived from a random salt, beside its random nonce. With one
/// key for all, random nonces would allow 2^32 values, which a busy payment system reaches in
/// days; with 192 random bits there is no number to watch.
pub struct PreparedSeal {
    root: hkdf::Prk,
}

impl PreparedSeal {
    /// Encrypts and authenticates `plain`, bound to `aad` (whose value it is, for example), as
    /// version, salt, nonce, ciphertext, tag: [`SEAL_OVERHEAD_BYTES`] longer than it was.
    pub fn seal(&self, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, Error> {
        if plain.len() > SEAL_BYTES_MAX {
            return Err(Error::SealTooLong);
        }
        let mut random = [0; SALT_BYTES + NONCE_BYTES];
        random::fill(&mut random);
        let (salt, nonce) = random.split_at(SALT_BYTES);
        let mut sealed = Vec::with_capacity(plain.len() + SEAL_OVERHEAD_BYTES);
        sealed.push(VERSION);
        sealed.extend_from_slice(&random);
        sealed.extend_from_slice(plain);
        let tag = self.key(salt)?.seal_in_place_separate_tag(
            Nonce::try_assume_unique_for_key(nonce)?,
            Aad::from(aad),
            sealed.get_mut(HEADER_BYTES..).unwrap_or_default(),
        )?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Gives the plain value back, if it was sealed for the same purpose and `aad` and nobody
    /// changed it since; else [`Error::SealBroken`].
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let (header, body) = sealed
            .split_at_checked(HEADER_BYTES)
            .ok_or(Error::SealBroken)?;
        let (version, random) = header.split_at(1);
        if version != [VERSION] || body.len() > SEAL_BYTES_MAX + TAG_BYTES {
            return Err(Error::SealBroken);
        }
        let (salt, nonce) = random.split_at(SALT_BYTES);
        let mut plain = Zeroizing::new(body.to_vec());
        let nonce = Nonce::try_assume_unique_for_key(nonce)?;
        let length = self
            .key(salt)?
            .open_in_place(nonce, Aad::from(aad), &mut plain)
            .map_err(|_| Error::SealBroken)?
            .len();
        plain.truncate(length);
        Ok(plain)
    }

    fn key(&self, salt: &[u8]) -> Result<LessSafeKey, Error> {
        let key = expand(&self.root, &[salt])?;
        Ok(LessSafeKey::new(UnboundKey::new(
            &AES_256_GCM,
            key.as_slice(),
        )?))
    }
}

/// A keyed hash of 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MacAlgorithm {
    /// HMAC (RFC 2104) with SHA-256.
    HmacSha256,
    /// HMAC with SM3 (GB/T 32905).
    HmacSm3,
}

/// Makes equal values of one tenant comparable without telling what they are, and derives keys
/// from one that is random already. It has no `Debug`.
#[derive(Clone)]
pub struct PreparedIndex {
    key: Mac,
}

#[derive(Clone)]
enum Mac {
    Sha256(Box<hmac::Key>),
    Sm3(Box<Hmac<Sm3>>),
}

impl PreparedIndex {
    /// Takes the bytes of a key.
    pub fn new(mac: MacAlgorithm, key: &[u8]) -> Result<Self, Error> {
        let key = match mac {
            MacAlgorithm::HmacSha256 => {
                Mac::Sha256(Box::new(hmac::Key::new(hmac::HMAC_SHA256, key)))
            }
            MacAlgorithm::HmacSm3 => {
                let key = Hmac::new_from_slice(key).map_err(|_| Error::Library)?;
                Mac::Sm3(Box::new(key))
            }
        };
        Ok(Self { key })
    }

    /// The index of a value. Tenant and value are prefixed with their lengths, so that no two
    /// pairs of them are hashed as the same bytes.
    pub fn of(&self, tenant: &str, value: &[u8]) -> [u8; 32] {
        self.of_parts(&[tenant.as_bytes(), value])
    }

    /// The index of several parts, each prefixed with its length (8 bytes, big-endian).
    pub fn of_parts(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.keyed(|update| framed(parts, update))
    }

    /// A key for one purpose: HKDF-Expand (RFC 5869, section 2.3) with the keyed hash of this
    /// index, whose key is the pseudorandom key. `info` is the parts, framed as in
    /// [`Self::of_parts`].
    pub fn derive(&self, parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        let key = self.keyed(|update| {
            framed(parts, update);
            update(&[1]);
        });
        Zeroizing::new(key)
    }

    /// The hash of one message as it is.
    pub fn of_bytes(&self, message: &[u8]) -> [u8; 32] {
        self.keyed(|update| update(message))
    }

    fn keyed(&self, feed: impl FnOnce(&mut dyn FnMut(&[u8]))) -> [u8; 32] {
        let mut hash = [0; 32];
        match &self.key {
            Mac::Sha256(key) => {
                let mut context = hmac::Context::with_key(key);
                feed(&mut |bytes| context.update(bytes));
                hash.copy_from_slice(context.sign().as_ref());
            }
            Mac::Sm3(key) => {
                let mut context = key.clone();
                feed(&mut |bytes| context.update(bytes));
                hash.copy_from_slice(&context.finalize().into_bytes());
            }
        }
        hash
    }
}

fn framed(parts: &[&[u8]], update: &mut dyn FnMut(&[u8])) {
    for part in parts {
        update(&(part.len() as u64).to_be_bytes());
        update(part);
    }
}

fn expand(root: &hkdf::Prk, info: &[&[u8]]) -> Result<Zeroizing<[u8; 32]>, Error> {
    let mut key = Zeroizing::new([0; 32]);
    root.expand(info, hkdf::HKDF_SHA256)?
        .fill(key.as_mut_slice())?;
    Ok(key)
}

/// A master key that nobody has.
pub fn fresh_master() -> Zeroizing<[u8; MASTER_BYTES]> {
    let mut master = Zeroizing::new([0; MASTER_BYTES]);
    random::fill(master.as_mut_slice());
    master
}

fn create(path: &Path) -> std::io::Result<Zeroizing<[u8; MASTER_BYTES]>> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    let master = fresh_master();
    file.write_all(master.as_slice())?;
    file.sync_all()?;
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(master)
}

fn open(path: &Path) -> Result<Keyring, Error> {
    Ok(Keyring::new(&*read_master(path)?))
}

/// The master key of a file; refused as [`Keyring::open_or_create`] refuses it.
pub fn read_master(path: &Path) -> Result<Zeroizing<[u8; MASTER_BYTES]>, Error> {
    let failed = |source| Error::KeyFile {
        path: path.to_owned(),
        source,
    };
    let refused = |detail| Error::KeyFileRefused {
        path: path.to_owned(),
        detail,
    };
    let mut file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.mode() & 0o077 != 0 {
        return Err(refused("others than its owner may touch it: chmod 600"));
    }
    if !metadata.is_file() || metadata.len() != MASTER_BYTES as u64 {
        return Err(refused(
            "not a file of exactly 32 bytes: restore it, or remove it if new",
        ));
    }
    let mut master = Zeroizing::new([0; MASTER_BYTES]);
    file.read_exact(master.as_mut_slice()).map_err(failed)?;
    Ok(master)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{fs, os::unix::fs::PermissionsExt};

    #[test]
    fn the_first_start_makes_a_private_file_and_the_next_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let first = Keyring::open_or_create(&path).unwrap();
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!((metadata.mode() & 0o7777, metadata.len()), (0o600, 32));
        let second = Keyring::open_or_create(&path).unwrap();
        assert_eq!(*first.derive("a").unwrap(), *second.derive("a").unwrap());
        assert_ne!(*first.derive("a").unwrap(), *first.derive("b").unwrap());
        assert_ne!(
            *first.derive("a").unwrap(),
            *Keyring::ephemeral().derive("a").unwrap()
        );
    }

    #[test]
    fn shares_of_the_file_make_the_same_keyring_and_others_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let whole = Keyring::open_or_create(&path).unwrap();
        let shares = Keyring::split_file(&path, 3, 2).unwrap();
        let joined = Keyring::from_shares(&shares[1..]).unwrap();
        assert!(whole.is_same(&joined).unwrap());
        assert!(!whole.is_same(&Keyring::ephemeral()).unwrap());
        let too_few = Keyring::from_shares(&shares[..1]);
        let error = too_few.err().unwrap();
        assert!(matches!(
            error,
            Error::SharesTooFew {
                given: 1,
                needed: 2
            }
        ));
    }

    #[test]
    fn a_file_that_is_open_to_others_or_of_wrong_length_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        Keyring::open_or_create(&path).unwrap();
        for mode in [0o640, 0o604, 0o660, 0o610] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let refusal = Keyring::open_or_create(&path).err().unwrap().to_string();
            assert!(refusal.contains("chmod 600"), "{refusal}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        for bytes in [vec![], vec![0; 31], vec![0; 33]] {
            fs::write(&path, bytes).unwrap();
            let refusal = Keyring::open_or_create(&path).err().unwrap().to_string();
            assert!(refusal.contains("32 bytes"), "{refusal}");
        }
        let nowhere = folder.path().join("missing").join("master.key");
        assert!(matches!(
            Keyring::open_or_create(&nowhere),
            Err(Error::KeyFile { .. })
        ));
    }

    #[test]
    fn purposes_tenants_and_boundaries_keep_indexes_apart() {
        let keyring = Keyring::ephemeral();
        let index = |purpose, tenant, value: &str| {
            keyring
                .keyed_index(purpose, tenant, value.as_bytes())
                .unwrap()
        };
        let one = index("pan", "acme", "4111");
        assert_eq!(one, index("pan", "acme", "4111"));
        assert_eq!(one, keyring.index_for("pan").unwrap().of("acme", b"4111"));
        for other in [
            index("email", "acme", "4111"),
            index("pan", "ac", "me4111"),
            index("pan", "b", "4111"),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn a_value_over_the_limit_is_not_sealed() {
        let plain = vec![0; SEAL_BYTES_MAX + 1];
        let refusal = Keyring::ephemeral().seal("p", b"", &plain);
        assert!(matches!(refusal, Err(Error::SealTooLong)));
    }

    proptest! {
        #[test]
        fn only_the_untouched_value_opens_and_only_in_its_context(
            plain: Vec<u8>, aad: Vec<u8>, at: prop::sample::Index, bit in 0..8u8,
        ) {
            let keyring = Keyring::ephemeral();
            let sealed = keyring.seal("event", &aad, &plain).unwrap();
            prop_assert_eq!(sealed.len(), plain.len() + SEAL_OVERHEAD_BYTES);
            prop_assert_eq!(&**keyring.open("event", &aad, &sealed).unwrap(), &plain);
            prop_assert_ne!(&sealed, &keyring.seal("event", &aad, &plain).unwrap());
            let mut changed = sealed.clone();
            changed[at.index(sealed.len())] ^= 1 << bit;
            prop_assert!(keyring.open("event", &aad, &changed).is_err());
            prop_assert!(keyring.open("other", &aad, &sealed).is_err());
            prop_assert!(keyring.open("event", &[aad, vec![0]].concat(), &sealed).is_err());
            prop_assert!(keyring.open("event", b"", &sealed[..at.index(sealed.len())]).is_err());
        }
    }
}
