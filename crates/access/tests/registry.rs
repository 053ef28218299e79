//! Keys in a real store: made, found, ended, read again; each act with its leaf.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use paywarden_access::{Author, Credential, Error, KeyRegistry, Network, NewKey, Scope, Scopes};
use paywarden_crypto::{Keyring, SignatureAlgorithm, SigningKey};
use paywarden_domain::{TenantId, Timestamp};
use paywarden_store::{Actor, Clock, Database, Journal, JournalLimits};
use std::sync::Arc;

struct Ground {
    database: Database,
    journal: Journal,
    keyring: Arc<Keyring>,
    clock: Clock,
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
            clock: Clock::System,
            folder,
        }
    }

    async fn open(&self) -> Result<KeyRegistry, Error> {
        let (database, journal) = (self.database.clone(), self.journal.clone());
        let clock = self.clock.clone();
        KeyRegistry::open(database, journal, Arc::clone(&self.keyring), clock).await
    }

    /// From now on registries live by a clock that moves when told to.
    fn simulate(&mut self) -> Clock {
        let start = Timestamp::from_micros(1_790_000_000_000_000);
        self.clock = Clock::simulated(start, 7);
        self.clock.clone()
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

const HOUR: i64 = 3_600_000_000;

#[tokio::test]
async fn a_key_and_the_one_in_its_place_are_valid_together_until_the_stated_time() {
    let mut ground = Ground::new().await;
    let clock = ground.simulate();
    let registry = ground.open().await.unwrap();
    for algorithm in [SignatureAlgorithm::Ed25519, SignatureAlgorithm::HmacSha256] {
        let old = registry
            .create(author(), algorithm, new_key("shop"))
            .await
            .unwrap()
            .key;
        let networks: Vec<Network> = vec!["10.0.0.0/8".parse().unwrap()];
        registry
            .bind(author(), &old.id, networks.clone(), None)
            .await
            .unwrap();
        let before = ground.leaves().await;
        let new = registry.rotate(author(), &old.id, 2 * HOUR).await.unwrap();
        assert_eq!(ground.leaves().await, before + 1);
        assert_eq!(new.key.algorithm(), algorithm.name());
        assert_eq!(
            (new.key.scopes, &new.key.terms.networks),
            (old.scopes, &networks)
        );
        let is_live = |id: &str| registry.find(id).unwrap().is_live(clock.now());
        let tenant = &old.tenant;
        let may = |id: &str| registry.may(tenant, id, Scope::DecisionsWrite);
        assert!(is_live(&old.id) && is_live(&new.key.id) && may(&old.id));
        let twice = registry.rotate(author(), &old.id, HOUR).await;
        assert!(matches!(twice.err(), Some(Error::KeyReplaced(_))));
        let again = ground.open().await.unwrap().find(&old.id).unwrap();
        assert_eq!(again.terms.replaced_by.as_ref(), Some(&new.key.id));
        advance(&clock, 2 * HOUR);
        assert!(!is_live(&old.id) && is_live(&new.key.id));
        assert!(!may(&old.id) && may(&new.key.id));
        let late = registry.rotate(author(), &old.id, HOUR).await;
        assert!(matches!(late.err(), Some(Error::KeyRevoked(_))));
    }
    let some = registry.all().last().unwrap().id.clone();
    let long = registry.rotate(author(), &some, 31 * 24 * HOUR).await;
    assert!(matches!(long.err(), Some(Error::OverlapTooLong)));
}

#[tokio::test]
async fn of_two_rotations_at_once_one_takes_place() {
    let ground = Ground::new().await;
    let registry = Arc::new(ground.open().await.unwrap());
    let ed25519 = SignatureAlgorithm::Ed25519;
    let old = registry.create(author(), ed25519, new_key("shop")).await;
    let old = old.unwrap().key;
    let tries: Vec<_> = (0..4)
        .map(|_| {
            let (registry, id) = (Arc::clone(&registry), old.id.clone());
            tokio::spawn(async move { registry.rotate(author(), &id, HOUR).await.is_ok() })
        })
        .collect();
    let mut rotated = 0;
    for one in tries {
        rotated += usize::from(one.await.unwrap());
    }
    assert_eq!((rotated, registry.all().len()), (1, 2));
}

#[tokio::test]
async fn uses_are_noted_by_the_day_and_written_once_a_day() {
    let mut ground = Ground::new().await;
    let clock = ground.simulate();
    let registry = ground.open().await.unwrap();
    let ed25519 = SignatureAlgorithm::Ed25519;
    let made = registry.create(author(), ed25519, new_key("shop")).await;
    let id = made.unwrap().key.id.clone();
    let unused = registry.create(author(), ed25519, new_key("spare")).await;
    let unused = unused.unwrap().key.id.clone();
    let before = ground.leaves().await;
    for _ in 0..1_000 {
        registry.find(&id).unwrap().used(clock.now());
    }
    assert_eq!(ground.leaves().await, before);
    assert_eq!(registry.note_uses().await.unwrap(), 1);
    registry.find(&id).unwrap().used(clock.now());
    assert_eq!(registry.note_uses().await.unwrap(), 0);
    assert_eq!(ground.leaves().await, before + 1);
    advance(&clock, 24 * HOUR);
    registry.find(&id).unwrap().used(clock.now());
    // A change of the terms in between keeps the day.
    registry
        .bind(author(), &id, Vec::new(), None)
        .await
        .unwrap();
    assert_eq!(registry.note_uses().await.unwrap(), 0);
    let again = ground.open().await.unwrap();
    let day = again.find(&id).unwrap().last_used_on().unwrap();
    assert_eq!(day.micros() % (24 * HOUR), 0);
    assert!(clock.now().micros() - day.micros() < 24 * HOUR);
    assert_eq!(again.find(&unused).unwrap().last_used_on(), None);
}

fn advance(clock: &Clock, micros: i64) {
    if let Clock::Simulated(clock) = clock {
        clock.advance_us(micros.unsigned_abs());
    }
}
