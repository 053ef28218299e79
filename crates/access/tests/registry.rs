//! Keys in a real store: made, found, ended, read again; each act with its leaf.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use paywarden_access::{Author, Credential, Error, KeyRegistry, NewKey, Scope, Scopes};
use paywarden_crypto::{Keyring, SignatureAlgorithm, SigningKey};
use paywarden_domain::TenantId;
use paywarden_store::{Actor, Clock, Database, Journal, JournalLimits};
use std::sync::Arc;

struct Ground {
    database: Database,
    journal: Journal,
    keyring: Arc<Keyring>,
    folder: tempfile::TempDir,
}

impl Ground {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("store.db").display());
        let database = Database::open(&url).await.unwrap();
        let limits = JournalLimits::default();
        let journal = Journal::start(&database, Clock::System, limits)
            .await
            .unwrap();
        Self {
            database,
            journal,
            keyring: Arc::new(Keyring::ephemeral()),
            folder,
        }
    }

    async fn open(&self) -> Result<KeyRegistry, Error> {
        let (database, journal) = (self.database.clone(), self.journal.clone());
        KeyRegistry::open(database, journal, Arc::clone(&self.keyring), Clock::System).await
    }

    async fn leaves(&self) -> u64 {
        self.database.trail_leaves_count().await.unwrap()
    }

    /// Whether the store's files hold these bytes anywhere.
    async fn holds(&self, bytes: &[u8]) -> bool {
        let files = std::fs::read_dir(self.folder.path()).unwrap();
        files
            .map(|file| std::fs::read(file.unwrap().path()).unwrap_or_default())
            .any(|content| content.windows(bytes.len()).any(|window| window == bytes))
    }
}

fn author() -> Author {
    Author {
        actor: Actor::Staff("alice".to_owned()),
        purpose: "new customer".into(),
    }
}

fn new_key(description: &str) -> NewKey {
    NewKey {
        tenant: TenantId::parse("acme").unwrap(),
        scopes: Scopes::of(&[Scope::DecisionsWrite]),
        description: description.to_owned(),
    }
}

#[tokio::test]
async fn a_made_key_signs_for_its_owner_and_its_private_half_is_not_kept() {
    let ground = Ground::new().await;
    let registry = ground.open().await.unwrap();
    for algorithm in SignatureAlgorithm::ALL {
        let before = ground.leaves().await;
        let made = registry
            .create(author(), algorithm, new_key("web shop"))
            .await
            .unwrap();
        assert_eq!(ground.leaves().await, before + 1);
        assert!(made.key.id.starts_with("key_"));
        let found = registry.find(&made.key.id).unwrap();
        let verifying = found.verifying().unwrap();
        assert_eq!(
            (verifying.algorithm(), found.tenant.as_str()),
            (algorithm, "acme")
        );
        let signing = match &found.credential {
            Credential::Shared { signing, .. } => {
                assert!(verifying.verify(b"base", &signing.sign(b"base").unwrap()));
                assert!(!ground.holds(&signing.private_bytes().unwrap()).await);
                continue;
            }
            _ => SigningKey::from_private(algorithm, made.private.as_bytes()).unwrap(),
        };
        assert!(verifying.verify(b"base", &signing.sign(b"base").unwrap()));
        assert!(!ground.holds(&signing.private_bytes().unwrap()).await);
    }
}

#[tokio::test]
async fn keys_are_read_again_from_the_store_as_they_were() {
    let ground = Ground::new().await;
    let registry = ground.open().await.unwrap();
    let own = SigningKey::generate(SignatureAlgorithm::Ed25519).unwrap();
    let pem = own.public_spki_pem().unwrap();
    let ed25519 = SignatureAlgorithm::Ed25519;
    let registered = registry
        .register(author(), ed25519, pem.as_bytes(), new_key("own pair"))
        .await
        .unwrap();
    let shared = registry
        .create(author(), SignatureAlgorithm::HmacSha256, new_key("shared"))
        .await
        .unwrap();
    let bearer = registry
        .create_bearer(author(), new_key("sandbox"))
        .await
        .unwrap();
    let again = ground.open().await.unwrap();
    assert_eq!(again.all().len(), 3);
    let read = again.find(&registered.id).unwrap();
    assert_eq!(read.verifying().unwrap().public_spki_pem().unwrap(), pem);
    assert_eq!(
        (read.scopes, read.description.as_str()),
        (registered.scopes, "own pair")
    );
    assert!(matches!(
        again.find(&shared.key.id).unwrap().credential,
        Credential::Shared { .. }
    ));
    assert_eq!(
        again.find_bearer(&bearer.private).unwrap().id,
        bearer.key.id
    );
    assert!(again.find_bearer("sandbox_other").is_none());
    assert!(!ground.holds(bearer.private.as_bytes()).await);
}

#[tokio::test]
async fn a_key_ends_once_with_a_leaf_and_stays_ended() {
    let ground = Ground::new().await;
    let registry = ground.open().await.unwrap();
    let ed25519 = SignatureAlgorithm::Ed25519;
    let made = registry
        .create(author(), ed25519, new_key("short-lived"))
        .await
        .unwrap();
    let before = ground.leaves().await;
    registry.revoke(author(), &made.key.id).await.unwrap();
    assert_eq!(ground.leaves().await, before + 1);
    assert!(registry.find(&made.key.id).unwrap().revoked_at.is_some());
    let twice = registry.revoke(author(), &made.key.id).await;
    assert!(matches!(twice, Err(Error::KeyRevoked(id)) if id == made.key.id));
    let unknown = registry.revoke(author(), "key_unknown").await;
    assert!(matches!(unknown, Err(Error::KeyUnknown(_))));
    assert_eq!(ground.leaves().await, before + 1);
    let again = ground.open().await.unwrap();
    assert!(again.find(&made.key.id).unwrap().revoked_at.is_some());
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_and_leaves_nothing() {
    let mut ground = Ground::new().await;
    let registry = ground.open().await.unwrap();
    let long = registry
        .create_bearer(author(), new_key(&"x".repeat(201)))
        .await;
    assert!(matches!(long.err(), Some(Error::DescriptionTooLong)));
    let ed25519 = SignatureAlgorithm::Ed25519;
    let garbage = registry
        .register(author(), ed25519, b"no key", new_key("garbage"))
        .await;
    assert!(matches!(garbage, Err(Error::Crypto(_))));
    assert_eq!(ground.leaves().await, 0);
    registry
        .create(author(), SignatureAlgorithm::HmacSha256, new_key("shared"))
        .await
        .unwrap();
    ground.keyring = Arc::new(Keyring::ephemeral());
    assert!(matches!(
        ground.open().await.err(),
        Some(Error::KeyDamaged { .. })
    ));
}
