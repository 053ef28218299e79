//! The keys of the vault, from the root down.
//!
//! ```text
//! keyring (root: a file, the shares of custodians, or sealed by a root outside)
//!  ├─ epoch secret            sealed by the root, and over that by a root outside if there is one,
//!  │   │                       in the file of epochs; destroyed when left
//!  │   └─ KEK                 per company, retention class and epoch
//!  │       └─ subject key     random, wrapped: the unit of erasure
//!  │           └─ field key   per class of data
//!  ├─ blind indexes           a tree of its own: knowing values does not open indexes, nor the
//!  ├─ sameness, pseudonyms    other way round
//!  └─ token checks
//! ```
//!
//! *Invariant*: an epoch secret is nowhere but in the file of epochs. A backup of the database
//! opens only while the secret of its epoch lives; see [`crate::rotation`].

mod epochs;
mod places;
mod recent;

pub(crate) use epochs::{Epochs, replace};
pub(crate) use recent::Recent;

use crate::{
    Error,
    catalogue::Class,
    normal,
    root::OutsideLease,
    token::{Form, encode},
    vault::VaultSettings,
};
use paywarden_crypto::{
    Keyring,
    envelope::{Context, Profile, SealKey},
    keyring::PreparedIndex,
};
use paywarden_domain::{TenantId, Timestamp};
use paywarden_store::{Clock, KeyPlace};
use places::Places;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use zeroize::Zeroizing;

/// How long an unwrapped KEK is kept, in microseconds.
const KEK_LIFE_US: u64 = 10 * 60 * 1_000_000;
/// Unwrapped KEKs that are kept.
const KEKS_MAX: usize = 4_096;

const RECORD_DOMAIN: &str = "paywarden vault record 1";
const KEY_DOMAIN: &str = "paywarden vault subject key 1";

/// Every key of the vault.
pub(crate) struct KeyRoom {
    profile: &'static Profile,
    epochs: Mutex<Epochs>,
    outside: Option<OutsideLease>,
    keks: Recent<String, Arc<SealKey>>,
    places: Places,
    /// Indexes of card numbers: the key that the first version of this program used, so that what
    /// it indexed keeps its name.
    cards: PreparedIndex,
    blind: PreparedIndex,
    same: PreparedIndex,
    subjects: PreparedIndex,
}

/// A key of a person, unwrapped.
pub(crate) struct SubjectKey {
    /// Where it is kept.
    pub(crate) place: KeyPlace,
    id: String,
    derive: PreparedIndex,
    profile: &'static Profile,
}

/// A subject key beside its wrapping.
pub(crate) struct FreshKey {
    /// The key.
    pub(crate) key: Arc<SubjectKey>,
    /// The epoch whose KEK wraps it.
    pub(crate) epoch: i64,
    /// The wrapped key.
    pub(crate) wrapped: Vec<u8>,
}

/// Whose key, and how long what it seals is kept.
#[derive(Clone, Copy)]
pub(crate) struct Owner<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) subject: &'a str,
    pub(crate) retention: &'a str,
}

/// A field of a record.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) owner: Owner<'a>,
    pub(crate) class: &'a str,
    pub(crate) token: &'a str,
    pub(crate) field: &'static str,
}

impl KeyRoom {
    /// The keys below this root; the file of epochs is made when it is not there.
    pub(crate) async fn open(
        keyring: &Arc<Keyring>,
        (settings, clock): (&VaultSettings, &Clock),
    ) -> Result<Self, Error> {
        let profile = settings.profile;
        let index = |purpose| keyring.index_with(profile.mac, purpose);
        let outside = settings.outside.clone();
        let name = outside.as_ref().map(|outside| outside.root.name());
        let place = (settings.epochs_file.as_path(), name);
        let epochs = Epochs::open(keyring.clone(), profile, place)?;
        let room = Self {
            profile,
            epochs: Mutex::new(epochs),
            outside,
            keks: Recent::new(KEKS_MAX),
            places: Places::default(),
            cards: index("card number")?,
            blind: index("vault blind index")?,
            same: index("vault sameness")?,
            subjects: index("vault subject")?,
        };
        if room.epochs().newest() == 0 {
            room.begin_epoch(clock.now()).await?;
        }
        room.adopt().await?;
        room.renew(clock.monotonic_us()).await?;
        // A file of another root says so now, not at the first card.
        let newest = room.epochs().newest();
        drop(room.epochs().secret(newest, clock.monotonic_us())?);
        Ok(room)
    }

    /// Begins the next epoch; its number. Durable when it returns. Where the root outside is gone,
    /// nothing has changed.
    pub(crate) async fn begin_epoch(&self, now: Timestamp) -> Result<i64, Error> {
        let next = self.epochs().newest() + 1;
        let secret = SealKey::random_bytes();
        let sealed = self.epochs().seal(next, secret.as_slice())?;
        let stored = match &self.outside {
            Some(outside) => outside.root.seal(&place(next), &sealed).await?,
            None => sealed,
        };
        self.epochs()
            .begin(next, (stored, secret.as_slice()), now)?;
        Ok(next)
    }

    /// Has the root outside open the secrets of epochs again: they may be used for another lease.
    pub(crate) async fn renew(&self, now_us: u64) -> Result<(), Error> {
        let Some(outside) = &self.outside else {
            return Ok(());
        };
        let stored = self.epochs().stored()?;
        let mut opened = BTreeMap::new();
        for (epoch, stored) in stored {
            let sealed = outside.root.open(&place(epoch), &stored).await?;
            let secret = self.epochs().unseal(epoch, &sealed)?;
            opened.insert(epoch, secret);
        }
        let until_us = now_us + u64::from(outside.lease_seconds) * 1_000_000;
        self.epochs().renewed(opened, until_us);
        Ok(())
    }

    /// Has a root that was named for the first time seal what lies there.
    async fn adopt(&self) -> Result<(), Error> {
        let Some(outside) = self
            .outside
            .as_ref()
            .filter(|_| self.epochs().is_to_be_adopted())
        else {
            return Ok(());
        };
        let stored = self.epochs().stored()?;
        let mut sealed = Vec::new();
        for (epoch, stored) in stored {
            // What another master key has sealed is not ours to seal over.
            drop(self.epochs().unseal(epoch, &stored)?);
            sealed.push((epoch, outside.root.seal(&place(epoch), &stored).await?));
        }
        self.epochs().adopt(outside.root.name(), &sealed)
    }

    /// Name of the ciphers and hashes.
    pub(crate) fn profile(&self) -> &'static str {
        self.profile.name
    }

    pub(crate) fn epochs(&self) -> MutexGuard<'_, Epochs> {
        self.epochs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets unwrapped KEKs.
    pub(crate) fn forget_keks(&self) {
        self.keks.clear();
    }

    /// The pseudonym of a person: `sub_` and 26 characters.
    pub(crate) fn subject(&self, tenant: &TenantId, name: &str) -> String {
        let hash = self.subjects.of(tenant.as_str(), name.as_bytes());
        format!("sub_{}", encode(first_bits(&hash)))
    }

    /// The index of a card number.
    pub(crate) fn card(&self, tenant: &TenantId, digits: &str) -> [u8; 32] {
        self.cards.of(tenant.as_str(), digits.as_bytes())
    }

    /// The index of a value of a class, as long as the catalogue says.
    pub(crate) fn blind(&self, tenant: &TenantId, class: &Class, form: &str) -> Option<Vec<u8>> {
        let bytes = usize::from(class.index_bits / 8);
        let hash = match class.normal {
            normal::Normal::CardNumber => self.card(tenant, form),
            _ => self.blind.of_parts(&[
                tenant.as_str().as_bytes(),
                class.name.as_bytes(),
                &[normal::VERSION],
                form.as_bytes(),
            ]),
        };
        (bytes > 0).then(|| hash.iter().copied().take(bytes).collect())
    }

    /// The index of two values of one person, 48 bits.
    pub(crate) fn pair(&self, tenant: &TenantId, name: &str, birth_date: &str) -> Vec<u8> {
        let hash = self.blind.of_parts(&[
            tenant.as_str().as_bytes(),
            b"name and birth_date",
            &[normal::VERSION],
            name.as_bytes(),
            birth_date.as_bytes(),
        ]);
        hash.iter().copied().take(6).collect()
    }

    /// What makes two records of a person the same.
    pub(crate) fn same(
        &self,
        owner: Owner<'_>,
        class: &Class,
        (form, value, details): (Form, &str, &str),
    ) -> Vec<u8> {
        let hash = self.same.of_parts(&[
            owner.tenant.as_str().as_bytes(),
            owner.subject.as_bytes(),
            owner.retention.as_bytes(),
            class.name.as_bytes(),
            form.name().as_bytes(),
            &[normal::VERSION],
            value.as_bytes(),
            details.as_bytes(),
        ]);
        hash.iter().copied().take(16).collect()
    }

    /// A new key of a person, wrapped by the newest epoch.
    pub(crate) fn fresh(
        &self,
        owner: Owner<'_>,
        now: Timestamp,
        now_us: u64,
    ) -> Result<FreshKey, Error> {
        let bytes = SealKey::random_bytes();
        let epoch = self.epochs().newest();
        let place = self.places.next(owner, (epoch, now));
        let id = place.name();
        let kek = self.kek(owner, epoch, now_us)?;
        let wrapped = kek.seal(&key_context(owner, &id), bytes.as_slice())?;
        let key = Arc::new(self.subject_key(place, id, &bytes)?);
        Ok(FreshKey {
            key,
            epoch,
            wrapped,
        })
    }

    /// A key of a person as it was before it was wrapped by this KEK.
    pub(crate) fn unwrap(
        &self,
        owner: Owner<'_>,
        place: KeyPlace,
        (kek, wrapped): (&SealKey, &[u8]),
    ) -> Result<SubjectKey, Error> {
        let id = place.name();
        let bytes = unwrapped(&key_context(owner, &id), (kek, wrapped))?;
        self.subject_key(place, id, &bytes)
    }

    fn subject_key(
        &self,
        place: KeyPlace,
        id: String,
        bytes: &[u8; 32],
    ) -> Result<SubjectKey, Error> {
        Ok(SubjectKey {
            place,
            id,
            derive: PreparedIndex::new(self.profile.mac, bytes)?,
            profile: self.profile,
        })
    }

    /// The KEK of a company and retention class in an epoch, unwrapped for a while.
    pub(crate) fn kek(
        &self,
        owner: Owner<'_>,
        epoch: i64,
        now_us: u64,
    ) -> Result<Arc<SealKey>, Error> {
        let name = format!("{}/{}/{epoch}", owner.tenant, owner.retention);
        if let Some(kek) = self.keks.get(name.as_str(), now_us) {
            return Ok(kek);
        }
        let (secret, until_us) = self.epochs().secret(epoch, now_us)?;
        let derive = PreparedIndex::new(self.profile.mac, secret.as_slice())?;
        let bytes = derive.derive(&[
            b"kek",
            owner.tenant.as_str().as_bytes(),
            owner.retention.as_bytes(),
        ]);
        let version = u32::try_from(epoch).map_err(|_| Error::Damaged)?;
        let kek = Arc::new(SealKey::new(self.profile.wrap, &bytes, version)?);
        let until_us = until_us.min(now_us + KEK_LIFE_US);
        self.keks.put(name, kek.clone(), until_us);
        Ok(kek)
    }
}

impl SubjectKey {
    /// Seals a field.
    pub(crate) fn seal(&self, place: Place<'_>, plain: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self
            .field_key(place.class)?
            .seal(&self.context(place), plain)?)
    }

    /// Opens a field.
    pub(crate) fn open(
        &self,
        place: Place<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        Ok(self
            .field_key(place.class)?
            .open(&self.context(place), sealed)?)
    }

    fn field_key(&self, class: &str) -> Result<SealKey, Error> {
        let bytes = self.derive.derive(&[b"field key", class.as_bytes()]);
        Ok(SealKey::new(self.profile.data, &bytes, 1)?)
    }

    fn context<'a>(&'a self, place: Place<'a>) -> Context<'a> {
        Context {
            domain: RECORD_DOMAIN,
            tenant: place.owner.tenant.as_str(),
            subject: place.owner.subject,
            class: place.class,
            field: place.field,
            record: place.token,
            version: 1,
            key: &self.id,
        }
    }
}

/// The same key of a person, wrapped by one KEK, wrapped by another.
pub(crate) fn rewrap(
    owner: Owner<'_>,
    place: KeyPlace,
    (kek, wrapped): (&SealKey, &[u8]),
    next: &SealKey,
) -> Result<Vec<u8>, Error> {
    let id = place.name();
    let context = key_context(owner, &id);
    let bytes = unwrapped(&context, (kek, wrapped))?;
    Ok(next.seal(&context, bytes.as_slice())?)
}

fn unwrapped(
    context: &Context<'_>,
    (kek, wrapped): (&SealKey, &[u8]),
) -> Result<Zeroizing<[u8; 32]>, Error> {
    let plain = kek.open(context, wrapped)?;
    let mut bytes = Zeroizing::new([0; 32]);
    match plain.len() == bytes.len() {
        true => bytes.copy_from_slice(&plain),
        false => return Err(Error::Damaged),
    }
    Ok(bytes)
}

fn key_context<'a>(owner: Owner<'a>, id: &'a str) -> Context<'a> {
    Context {
        domain: KEY_DOMAIN,
        tenant: owner.tenant.as_str(),
        subject: owner.subject,
        class: owner.retention,
        field: "",
        record: id,
        version: 1,
        key: "kek",
    }
}

/// What the root outside seals the secret of an epoch for.
pub(crate) fn place(epoch: i64) -> String {
    format!("paywarden vault epoch {epoch}")
}

fn first_bits(hash: &[u8; 32]) -> u128 {
    let first = hash.first_chunk::<16>();
    u128::from_be_bytes(first.copied().unwrap_or_default())
}
