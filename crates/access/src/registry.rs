//! All keys, in memory for every request and in the store for good.

use crate::{Credential, Error, RegisteredKey, Scope, Scopes, key::Material};
use arc_swap::ArcSwap;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use paywarden_crypto::{
    Keyring, SignatureAlgorithm, SigningKey, VerifyingKey, keyring::PreparedIndex, random,
};
use paywarden_domain::TenantId;
use paywarden_store::{
    Actor, Clock, Database, Entry, Journal, KeyRevocation, Purpose, Row, SigningKeyRow,
};
use std::{collections::HashMap, sync::Arc};
use tokio::sync::{Mutex, MutexGuard};
use zeroize::Zeroizing;

/// How many keys there may be, revoked ones included.
pub const KEYS_MAX: usize = 100_000;
/// The longest description of a key, in bytes.
pub const DESCRIPTION_BYTES_MAX: usize = 200;

const PAGE: u32 = 1_000;

/// The keys of all tenants. Looking one up takes no lock.
pub struct KeyRegistry {
    current: ArcSwap<Keys>,
    /// Held while the store and `current` are brought to the same state.
    changing: Mutex<()>,
    database: Database,
    journal: Journal,
    keyring: Arc<Keyring>,
    bearer: PreparedIndex,
    clock: Clock,
}

#[derive(Default, Clone)]
struct Keys {
    by_id: HashMap<Box<str>, Arc<RegisteredKey>>,
    by_bearer: HashMap<[u8; 32], Arc<RegisteredKey>>,
}

/// Who acts, and why: part of the trail leaf that each change leaves.
#[derive(Debug, Clone)]
pub struct Author {
    /// Who.
    pub actor: Actor,
    /// Why.
    pub purpose: Purpose,
}

/// What a new key is for.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Whose it is.
    pub tenant: TenantId,
    /// What it may do.
    pub scopes: Scopes,
    /// For people, at most 200 bytes.
    pub description: String,
}

/// A key made here, with the half that only its owner keeps.
pub struct CreatedKey {
    /// The key as registered.
    pub key: Arc<RegisteredKey>,
    /// PKCS#8 PEM; base64 for a shared secret; the bearer text itself. Shown once, stored
    /// nowhere in clear.
    pub private: Zeroizing<String>,
}

impl KeyRegistry {
    /// Reads every key from the store.
    pub async fn open(
        database: Database,
        journal: Journal,
        keyring: Arc<Keyring>,
        clock: Clock,
    ) -> Result<Self, Error> {
        let registry = Self {
            current: ArcSwap::default(),
            changing: Mutex::default(),
            database,
            journal,
            bearer: keyring.index_for("bearer key")?,
            keyring,
            clock,
        };
        registry.reload().await?;
        Ok(registry)
    }

    /// Reads the store again: other processes may have added or revoked keys.
    pub async fn reload(&self) -> Result<(), Error> {
        let _changing = self.changing.lock().await;
        let old = self.current.load_full();
        let mut keys = Keys::default();
        let mut after = String::new();
        loop {
            let page = self.database.signing_keys_all(&after, PAGE).await?;
            for row in &page {
                keys.insert(match old.by_id.get(row.key_id.as_str()) {
                    Some(known) if known.revoked_at == row.revoked_at => Arc::clone(known),
                    _ => Arc::new(RegisteredKey::from_row(row, &self.keyring)?),
                });
            }
            match page.last() {
                Some(last) if keys.by_id.len() < KEYS_MAX => after.clone_from(&last.key_id),
                Some(_) => return Err(Error::RegistryFull),
                None => break,
            }
        }
        self.current.store(Arc::new(keys));
        Ok(())
    }

    /// The key with this id, revoked or not.
    pub fn find(&self, id: &str) -> Option<Arc<RegisteredKey>> {
        self.current.load().by_id.get(id).cloned()
    }

    /// The key whose bearer text this is, revoked or not.
    pub fn find_bearer(&self, text: &str) -> Option<Arc<RegisteredKey>> {
        self.current
            .load()
            .by_bearer
            .get(&self.bearer.of("", text.as_bytes()))
            .cloned()
    }

    /// Whether a key is the tenant's, not revoked, and has the scope.
    pub fn may(&self, tenant: &TenantId, id: &str, scope: Scope) -> bool {
        self.find(id).is_some_and(|key| {
            key.tenant == *tenant && key.revoked_at.is_none() && key.scopes.contains(scope)
        })
    }

    /// Every key, by id.
    pub fn all(&self) -> Vec<Arc<RegisteredKey>> {
        let mut all: Vec<_> = self.current.load().by_id.values().cloned().collect();
        all.sort_by(|one, other| one.id.cmp(&other.id));
        all
    }

    /// Makes a key pair (or a shared secret) and registers the half that checks.
    pub async fn create(
        &self,
        author: Author,
        algorithm: SignatureAlgorithm,
        new: NewKey,
    ) -> Result<CreatedKey, Error> {
        let signing = SigningKey::generate(algorithm)?;
        let id = self.fresh_id();
        let (material, private) = if algorithm == SignatureAlgorithm::HmacSha256 {
            let secret = signing.private_bytes()?;
            let material = Material::shared(&id, &secret, &self.keyring)?;
            (material, Zeroizing::new(STANDARD.encode(&*secret)))
        } else {
            (
                Material::public(&signing.verifying_key()?)?,
                signing.private_pem()?,
            )
        };
        let key = self.add(author, "key.create", id, material, new).await?;
        Ok(CreatedKey { key, private })
    }

    /// Registers the public key (PEM or DER) of a pair that its owner made.
    pub async fn register(
        &self,
        author: Author,
        algorithm: SignatureAlgorithm,
        public: &[u8],
        new: NewKey,
    ) -> Result<Arc<RegisteredKey>, Error> {
        let material = Material::public(&VerifyingKey::from_public(algorithm, public)?)?;
        self.add(author, "key.register", self.fresh_id(), material, new)
            .await
    }

    /// Makes a bearer key, which only a server in sandbox mode takes.
    pub async fn create_bearer(&self, author: Author, new: NewKey) -> Result<CreatedKey, Error> {
        let mut secret = Zeroizing::new([0; 32]);
        random::fill(secret.as_mut_slice());
        let private = Zeroizing::new(format!("sandbox_{}", URL_SAFE_NO_PAD.encode(*secret)));
        let material = Material::bearer(self.bearer.of("", private.as_bytes()));
        let key = self
            .add(author, "key.create", self.fresh_id(), material, new)
            .await?;
        Ok(CreatedKey { key, private })
    }

    /// Ends a key. Requests already past the signature check are finished.
    pub async fn revoke(&self, author: Author, id: &str) -> Result<(), Error> {
        let changing = self.changing.lock().await;
        let key = self
            .find(id)
            .ok_or_else(|| Error::KeyUnknown(id.to_owned()))?;
        if key.revoked_at.is_some() {
            return Err(Error::KeyRevoked(id.to_owned()));
        }
        let tenant = key.tenant.clone();
        let revocation = KeyRevocation {
            tenant: tenant.clone(),
            key_id: id.to_owned(),
            revoked_at: self.clock.now(),
        };
        self.write(
            author,
            "key.revoke",
            tenant,
            id,
            Row::KeyRevocation(revocation),
        )
        .await?;
        drop(changing);
        self.reload().await
    }

    async fn add(
        &self,
        author: Author,
        action: &'static str,
        id: String,
        material: Material,
        new: NewKey,
    ) -> Result<Arc<RegisteredKey>, Error> {
        if new.description.len() > DESCRIPTION_BYTES_MAX {
            return Err(Error::DescriptionTooLong);
        }
        let changing = self.changing.lock().await;
        if self.current.load().by_id.len() >= KEYS_MAX {
            return Err(Error::RegistryFull);
        }
        let row = SigningKeyRow {
            key_id: id,
            tenant: new.tenant,
            algorithm: material.algorithm,
            material: material.bytes,
            sealed: material.sealed,
            scopes: new.scopes.to_string(),
            created_at: self.clock.now(),
            revoked_at: None,
            description: new.description,
        };
        let key = Arc::new(RegisteredKey::from_row(&row, &self.keyring)?);
        self.write(
            author,
            action,
            key.tenant.clone(),
            &key.id,
            Row::SigningKey(row),
        )
        .await?;
        self.publish(&key, &changing);
        Ok(key)
    }

    async fn write(
        &self,
        author: Author,
        action: &'static str,
        tenant: TenantId,
        id: &str,
        row: Row,
    ) -> Result<(), Error> {
        let Author { actor, purpose } = author;
        let object = id.to_owned();
        let entry = Entry {
            tenant,
            actor,
            purpose,
            action,
            object,
            rows: vec![row],
        };
        self.journal.append(entry).await?;
        Ok(())
    }

    fn publish(&self, key: &Arc<RegisteredKey>, _changing: &MutexGuard<'_, ()>) {
        let mut keys = Keys::clone(&self.current.load());
        keys.insert(Arc::clone(key));
        self.current.store(Arc::new(keys));
    }

    fn fresh_id(&self) -> String {
        let random = u128::from_be_bytes(self.clock.random());
        format!("key_{:024x}", random >> 32)
    }
}

impl Keys {
    fn insert(&mut self, key: Arc<RegisteredKey>) {
        if let Credential::Bearer(hash) = key.credential {
            self.by_bearer.insert(hash, Arc::clone(&key));
        }
        self.by_id.insert(key.id.as_str().into(), key);
    }
}
