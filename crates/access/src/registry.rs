//! All keys, in memory for every request and in the store for good.

use crate::{
    Credential, Error, Network, RegisteredKey, Scope, Scopes, Terms,
    key::Material,
    key_change::Word,
    terms::{CertificateHash, OVERLAP_MAX, TERMS, terms_row},
};
use arc_swap::ArcSwap;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use paywarden_crypto::{
    Keyring, SignatureAlgorithm, SigningKey, VerifyingKey, keyring::PreparedIndex, random,
};
use paywarden_domain::{TenantId, Timestamp};
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
        let mut terms = self.read_terms().await?;
        let mut keys = Keys::default();
        let mut after = String::new();
        loop {
            let page = self.database.signing_keys_all(&after, PAGE).await?;
            for row in &page {
                let terms = terms.remove(&row.key_id).unwrap_or_default();
                let old = old.by_id.get(row.key_id.as_str());
                let is_known = |known: &&Arc<RegisteredKey>| {
                    known.revoked_at == row.revoked_at && known.terms_version == terms.0
                };
                if let Some(known) = old.filter(is_known) {
                    keys.insert(Arc::clone(known));
                    continue;
                }
                let key = RegisteredKey::from_row(row, terms, &self.keyring)?;
                if let Some(day) = old.and_then(|old| old.last_used_on()) {
                    key.used(day);
                }
                keys.insert(Arc::new(key));
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

    async fn read_terms(&self) -> Result<HashMap<String, (i64, Terms)>, Error> {
        let mut all = HashMap::new();
        let mut after = String::new();
        loop {
            let page = self.database.records_newest(TERMS, &after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(all);
            };
            after.clone_from(&last.id);
            for row in page {
                let terms = serde_json::from_slice(&row.body);
                let terms = terms.map_err(|error| Error::KeyDamaged {
                    key_id: row.id.clone(),
                    reason: error.to_string(),
                })?;
                all.insert(row.id, (row.version, terms));
            }
        }
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

    /// Whether a key is the tenant's, counts now, and has the scope. Scopes of people open nothing
    /// to a key, whatever it was given: two keys must not make a person powerful.
    pub fn may(&self, tenant: &TenantId, id: &str, scope: Scope) -> bool {
        let now = self.clock.now();
        let holds = |key: &RegisteredKey| key.is_live(now) && key.scopes.contains(scope);
        let key = self.find(id).filter(|key| key.tenant == *tenant);
        !Scope::OF_PEOPLE.contains(&scope) && key.is_some_and(|key| holds(&key))
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
        word: impl Into<Word>,
        algorithm: SignatureAlgorithm,
        new: NewKey,
    ) -> Result<CreatedKey, Error> {
        let id = self.fresh_id();
        let (material, private) = self.make(algorithm, &id)?;
        let key = self
            .add(word.into(), "key.create", id, material, new)
            .await?;
        Ok(CreatedKey { key, private })
    }

    /// Registers the public key (PEM or DER) of a pair that its owner made.
    pub async fn register(
        &self,
        word: impl Into<Word>,
        algorithm: SignatureAlgorithm,
        public: &[u8],
        new: NewKey,
    ) -> Result<Arc<RegisteredKey>, Error> {
        let material = Material::public(&VerifyingKey::from_public(algorithm, public)?)?;
        self.add(word.into(), "key.register", self.fresh_id(), material, new)
            .await
    }

    /// Makes a bearer key, which only a server in sandbox mode takes.
    pub async fn create_bearer(
        &self,
        word: impl Into<Word>,
        new: NewKey,
    ) -> Result<CreatedKey, Error> {
        let (material, private) = self.make_bearer();
        let key = self
            .add(word.into(), "key.create", self.fresh_id(), material, new)
            .await?;
        Ok(CreatedKey { key, private })
    }

    /// Puts a new key in the place of one: the same algorithm, scopes and terms. Both are valid
    /// for `overlap` microseconds, at most 30 days; then the old one ends by itself.
    pub async fn rotate(
        &self,
        word: impl Into<Word>,
        id: &str,
        overlap: i64,
    ) -> Result<CreatedKey, Error> {
        if !(0..=OVERLAP_MAX).contains(&overlap) {
            return Err(Error::OverlapTooLong);
        }
        let changing = self.changing.lock().await;
        let old = self.live(id)?;
        if old.terms.replaced_by.is_some() {
            return Err(Error::KeyReplaced(id.to_owned()));
        }
        let fresh = self.fresh_id();
        let (material, private) = match SignatureAlgorithm::parse(old.algorithm()) {
            Some(algorithm) => self.make(algorithm, &fresh)?,
            None => self.make_bearer(),
        };
        let now = self.clock.now();
        let kept = Terms {
            last_used_on: None,
            ..old.terms.clone()
        };
        let ending = Terms {
            valid_until: Some(Timestamp::from_micros(now.micros() + overlap)),
            replaced_by: Some(fresh.clone()),
            last_used_on: old.last_used_on(),
            ..old.terms.clone()
        };
        let new = NewKey {
            tenant: old.tenant.clone(),
            scopes: old.scopes,
            description: old.description.clone(),
        };
        let rows = vec![
            Row::SigningKey(self.row(fresh.clone(), material, new)),
            terms_row(&old.tenant, &fresh, 1, now, &kept)?,
            terms_row(&old.tenant, id, old.terms_version + 1, now, &ending)?,
        ];
        self.write(word.into(), "key.rotate", old.tenant.clone(), id, rows)
            .await?;
        drop(changing);
        self.reload().await?;
        let key = self.find(&fresh).ok_or(Error::KeyUnknown(fresh))?;
        Ok(CreatedKey { key, private })
    }

    /// Says from which networks a key may be used, and with which certificate.
    pub async fn bind(
        &self,
        word: impl Into<Word>,
        id: &str,
        networks: Vec<Network>,
        certificate: Option<CertificateHash>,
    ) -> Result<(), Error> {
        let changing = self.changing.lock().await;
        let key = self.live(id)?;
        let terms = Terms {
            networks,
            certificate,
            last_used_on: key.last_used_on(),
            ..key.terms.clone()
        };
        terms.check_limits()?;
        self.write_terms(word.into(), "key.bind", &key, &terms)
            .await?;
        drop(changing);
        self.reload().await
    }

    /// Writes down on which day each key was last used, where that has changed; how many those
    /// were. Call it now and then: uses are counted in memory, by the day.
    pub async fn note_uses(&self) -> Result<usize, Error> {
        let changing = self.changing.lock().await;
        let mut noted = 0;
        for key in self.all() {
            if key.last_used_on() == key.terms.last_used_on {
                continue;
            }
            let author = Author {
                actor: Actor::System("access"),
                purpose: "day of last use".into(),
            };
            let terms = Terms {
                last_used_on: key.last_used_on(),
                ..key.terms.clone()
            };
            self.write_terms(author.into(), "key.note_use", &key, &terms)
                .await?;
            noted += 1;
        }
        drop(changing);
        if noted > 0 {
            self.reload().await?;
        }
        Ok(noted)
    }

    /// Ends a key. Requests already past the signature check are finished.
    pub async fn revoke(&self, word: impl Into<Word>, id: &str) -> Result<(), Error> {
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
            word.into(),
            "key.revoke",
            tenant,
            id,
            vec![Row::KeyRevocation(revocation)],
        )
        .await?;
        drop(changing);
        self.reload().await
    }

    async fn add(
        &self,
        word: Word,
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
        let row = self.row(id, material, new);
        let key = Arc::new(RegisteredKey::from_row(
            &row,
            Default::default(),
            &self.keyring,
        )?);
        let rows = vec![Row::SigningKey(row)];
        self.write(word, action, key.tenant.clone(), &key.id, rows)
            .await?;
        self.publish(&key, &changing);
        Ok(key)
    }

    async fn write(
        &self,
        word: Word,
        action: &'static str,
        tenant: TenantId,
        id: &str,
        rows: Vec<Row>,
    ) -> Result<(), Error> {
        let (Author { actor, purpose }, approved) = word.parts();
        let object = id.to_owned();
        let entry = Entry {
            tenant,
            actor,
            purpose,
            action,
            object,
            rows,
        };
        match approved {
            Some(approved) => drop(approved.carry_out(|_| entry).await?),
            None => drop(self.journal.append(entry).await?),
        }
        Ok(())
    }

    async fn write_terms(
        &self,
        word: Word,
        action: &'static str,
        key: &RegisteredKey,
        terms: &Terms,
    ) -> Result<(), Error> {
        let version = key.terms_version + 1;
        let row = terms_row(&key.tenant, &key.id, version, self.clock.now(), terms)?;
        self.write(word, action, key.tenant.clone(), &key.id, vec![row])
            .await
    }

    /// A key that counts now.
    pub(crate) fn live(&self, id: &str) -> Result<Arc<RegisteredKey>, Error> {
        let key = self.find(id);
        let key = key.ok_or_else(|| Error::KeyUnknown(id.to_owned()))?;
        match key.is_live(self.clock.now()) {
            true => Ok(key),
            false => Err(Error::KeyRevoked(id.to_owned())),
        }
    }

    /// What is stored of a new key pair or shared secret, and the half that only its owner keeps.
    fn make(
        &self,
        algorithm: SignatureAlgorithm,
        id: &str,
    ) -> Result<(Material, Zeroizing<String>), Error> {
        let signing = SigningKey::generate(algorithm)?;
        if algorithm == SignatureAlgorithm::HmacSha256 {
            let secret = signing.private_bytes()?;
            let material = Material::shared(id, &secret, &self.keyring)?;
            return Ok((material, Zeroizing::new(STANDARD.encode(&*secret))));
        }
        let material = Material::public(&signing.verifying_key()?)?;
        Ok((material, signing.private_pem()?))
    }

    fn make_bearer(&self) -> (Material, Zeroizing<String>) {
        let mut secret = Zeroizing::new([0; 32]);
        random::fill(secret.as_mut_slice());
        let private = Zeroizing::new(format!("sandbox_{}", URL_SAFE_NO_PAD.encode(*secret)));
        let material = Material::bearer(self.bearer.of("", private.as_bytes()));
        (material, private)
    }

    fn row(&self, key_id: String, material: Material, new: NewKey) -> SigningKeyRow {
        SigningKeyRow {
            key_id,
            tenant: new.tenant,
            algorithm: material.algorithm,
            material: material.bytes,
            sealed: material.sealed,
            scopes: new.scopes.to_string(),
            created_at: self.clock.now(),
            revoked_at: None,
            description: new.description,
        }
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
