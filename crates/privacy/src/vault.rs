//! Keeping, reading, finding and erasing.

mod decision;
mod deposit;
mod erasure;
mod grounds;
mod inventory;
mod opening;
mod reading;
mod recognise;
mod search;

pub use decision::{Deposit, Refusal, is_card_index};
pub use deposit::{ITEMS_MAX, Item, Kept, Retention};
pub use erasure::Erased;
pub use grounds::{Grant, Said};
pub(crate) use inventory::Periods;
pub use inventory::{EpochLine, Inventory, Period};
pub use reading::{Revealed, TOKENS_MAX};
pub use search::{FOUND_MAX, Found, Search};

use crate::{
    Error,
    consent::Receipts,
    keys::{KeyRoom, Recent, SubjectKey},
    policy::Desk,
    retention::Runs,
    reveal::Budget,
    root::OutsideLease,
    rotation::Switch,
    subject::Requests,
    token::Tokens,
};
use paywarden_crypto::{Keyring, envelope::Profile};
use paywarden_domain::{TenantId, Timestamp};
use paywarden_store::{Actor, Clock, Database, Entry, Journal, Purpose, Row, VaultReader};
use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash, Hasher},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::{Mutex, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

/// Persons are spread over so many gates.
const GATES: u64 = 64;
/// Tokens of values seen lately that are remembered.
const KNOWN_MAX: usize = 100_000;
/// For how long, in microseconds.
const KNOWN_LIFE_US: u64 = 60 * 60 * 1_000_000;
/// Keys of persons that are kept unwrapped.
const SUBJECT_KEYS_MAX: usize = 4_096;
/// For how long, in microseconds.
const SUBJECT_KEY_LIFE_US: u64 = 10 * 60 * 1_000_000;
/// The longest purpose, in bytes.
const PURPOSE_BYTES_MAX: usize = 256;

/// What an operator sets.
#[derive(Debug, Clone)]
pub struct VaultSettings {
    /// Ciphers and hashes; a vault keeps those that it was made with.
    pub profile: &'static Profile,
    /// The file of epochs. It belongs to no backup of the database.
    pub epochs_file: PathBuf,
    /// The root outside that seals the secrets of epochs; none where the master key does alone.
    pub outside: Option<OutsideLease>,
    /// How many days the secret of an epoch may wrap keys.
    pub epoch_days: u32,
    /// How many days a master key may be used, and since when this one is, if that is known.
    pub root_days: u32,
    /// Since when this master key is used, if that is known.
    pub root_since: Option<Timestamp>,
    /// How many different persons a member of staff is shown in a day without a wait.
    pub reveals_per_day: u32,
}

impl Default for VaultSettings {
    fn default() -> Self {
        Self {
            profile: &Profile::DEFAULT,
            epochs_file: PathBuf::from("vault.epochs"),
            outside: None,
            epoch_days: 365,
            root_days: 1_826,
            root_since: None,
            reveals_per_day: 30,
        }
    }
}

/// Who does something with personal data, and why. The trail keeps both.
#[derive(Debug, Clone)]
pub struct By {
    /// Whose data it is.
    pub tenant: TenantId,
    /// Who acts.
    pub actor: Actor,
    /// The roles of a person, by which the table of masks knows what they are shown.
    pub roles: Vec<String>,
    /// Why. What keeps, reads or finds data states a purpose of the privacy policy; what erases it,
    /// or turns its keys, any text of 1 to 256 bytes.
    pub purpose: String,
    /// What they say beside it.
    pub said: Said,
}

impl By {
    /// Somebody who says no more than the purpose.
    pub fn new(tenant: TenantId, actor: Actor, purpose: impl Into<String>) -> Self {
        Self {
            tenant,
            actor,
            roles: Vec::new(),
            purpose: purpose.into(),
            said: Said::default(),
        }
    }
}

/// Seals personal data and gives it back to whoever may have it.
///
/// *Invariant*: nothing clear leaves before a leaf of the trail that says so is durable. Writing
/// for a person and erasing them exclude each other: of a person who was erased nothing new is
/// sealed under a key that no longer is. So do giving out and erasing: what was erased is not given out
/// by whoever had looked it up before.
pub struct Vault {
    pub(crate) keys: KeyRoom,
    pub(crate) reader: VaultReader,
    pub(crate) journal: Journal,
    pub(crate) clock: Clock,
    pub(crate) switch: Switch,
    pub(crate) desk: Desk,
    pub(crate) receipts: Receipts,
    pub(crate) runs: Runs,
    pub(crate) requests: Requests,
    pub(crate) budget: Budget,
    pub(crate) periods: Periods,
    /// When this was opened.
    pub(crate) opened_at: Timestamp,
    /// Held while somebody looks by a grant.
    pub(crate) looking: Mutex<()>,
    tokens: Tokens,
    /// Tokens of values seen lately, by what makes them the same.
    known: Recent<u128, Known>,
    /// Keys of persons seen lately.
    subject_keys: Recent<String, Arc<SubjectKey>>,
    gates: Vec<Arc<RwLock<()>>>,
    /// How often a gate was opened again behind which somebody may have been erased.
    erasures: Arc<AtomicU64>,
}

/// The gate of persons, shut: nothing of theirs is written or given out.
pub(crate) struct Shut {
    _gate: OwnedRwLockWriteGuard<()>,
    erasures: Arc<AtomicU64>,
}

impl Drop for Shut {
    /// Counted before the gate opens: whoever waits there finds it counted.
    fn drop(&mut self) {
        self.erasures.fetch_add(1, Ordering::SeqCst);
    }
}

/// A token that is remembered. There are many, so it is short.
#[derive(Debug, Clone)]
struct Known {
    token: Box<str>,
    /// Hash of whose value it stands for.
    subject: u64,
}

impl Known {
    fn new(subject: &str, token: &str) -> Self {
        Self {
            token: token.into(),
            subject: hashed(subject),
        }
    }

    /// Whether it stands for a value of this subject; seldom true of another.
    fn may_be_of(&self, subject: &str) -> bool {
        self.subject == hashed(subject)
    }
}

fn hashed(subject: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    subject.hash(&mut hasher);
    hasher.finish()
}

impl Vault {
    /// The vault of this keyring and store, with what is known of policies, notices and persons. The
    /// file of epochs is made at the first start.
    pub async fn open(
        keyring: &Arc<Keyring>,
        database: Database,
        journal: Journal,
        clock: Clock,
        settings: &VaultSettings,
    ) -> Result<Self, Error> {
        let keys = KeyRoom::open(keyring, (settings, &clock)).await?;
        let check = keyring.index_with(settings.profile.mac, "vault token check")?;
        Ok(Self {
            keys,
            desk: Desk::load(&database).await?,
            runs: Runs::load(&database).await?,
            requests: Requests::load(&database).await?,
            periods: Periods::of(settings),
            opened_at: clock.now(),
            budget: Budget::load(&database, (settings.reveals_per_day, clock.now())).await?,
            receipts: Receipts::new(keyring)?,
            looking: Mutex::default(),
            tokens: Tokens::new(check),
            reader: VaultReader::new(database),
            journal,
            clock,
            switch: Switch::default(),
            known: Recent::new(KNOWN_MAX),
            subject_keys: Recent::new(SUBJECT_KEYS_MAX),
            gates: (0..GATES).map(|_| Arc::default()).collect(),
            erasures: Arc::default(),
        })
    }

    pub(crate) fn entry(by: &By, action: &'static str, object: String, rows: Vec<Row>) -> Entry {
        Entry {
            tenant: by.tenant.clone(),
            actor: by.actor.clone(),
            purpose: Purpose::from("personal data").because(by.purpose.clone()),
            action,
            object,
            rows,
        }
    }

    /// Has the root outside open the secrets of epochs again. Call it a few times in each lease; when
    /// a lease is over everything that was opened by it is forgotten, and the vault is closed until
    /// the root answers.
    pub async fn renew_root(&self) -> Result<(), Error> {
        let renewed = self.keys.renew(self.clock.monotonic_us()).await;
        if renewed.is_err() && self.root_lease_left_us() == Some(0) {
            self.forget_remembered();
        }
        renewed
    }

    /// How long the vault stays open if the root outside does not answer, in microseconds; nothing
    /// where there is none.
    pub fn root_lease_left_us(&self) -> Option<u64> {
        let now_us = self.clock.monotonic_us();
        self.keys.epochs().lease_left_us(now_us)
    }

    /// Writes into the trail that a ceremony of keys was held.
    pub async fn note_ceremony(&self, by: &By, what: String) -> Result<(), Error> {
        check_purpose(by)?;
        let entry = Self::entry(by, "vault.ceremony", what, Vec::new());
        self.journal.append(entry).await?;
        Ok(())
    }

    /// What verifies receipts of consent, as a JWK Set.
    pub fn receipt_keys(&self) -> Result<serde_json::Value, Error> {
        self.receipts.public_jwks()
    }

    /// Waits until none of these persons is being erased, and keeps it so.
    pub(crate) async fn enter<'s>(
        &self,
        subjects: impl Iterator<Item = &'s str>,
    ) -> Vec<OwnedRwLockReadGuard<()>> {
        // In order and each once: two who wait for each other's gate would wait for ever.
        let gates: BTreeSet<usize> = subjects.map(gate_of).collect();
        let mut held = Vec::with_capacity(gates.len());
        for gate in gates.into_iter().filter_map(|gate| self.gates.get(gate)) {
            held.push(gate.clone().read_owned().await);
        }
        held
    }

    /// Waits until nothing is being written or given out for a person, and keeps it so.
    pub(crate) async fn shut(&self, subject: &str) -> Option<Shut> {
        let gate = self.gates.get(gate_of(subject))?;
        Some(Shut {
            _gate: gate.clone().write_owned().await,
            erasures: Arc::clone(&self.erasures),
        })
    }

    /// How often somebody may have been erased until now. What was looked up before a gate was entered
    /// is looked up again if that has changed meanwhile.
    pub(crate) fn erasures(&self) -> u64 {
        self.erasures.load(Ordering::SeqCst)
    }

    /// Waits until everything that is being written now is written or refused.
    pub(crate) async fn settle(&self) {
        for gate in &self.gates {
            drop(gate.write().await);
        }
    }

    /// Forgets what is remembered of a person.
    pub(crate) fn forget_person(&self, subject: &str) {
        self.subject_keys
            .drop_if(|name, _| name.starts_with(subject));
        self.known.drop_if(|_, known| known.may_be_of(subject));
    }

    /// Forgets every key and token that is remembered.
    pub(crate) fn forget_remembered(&self) {
        self.keys.forget_keks();
        self.subject_keys.clear();
        self.known.clear();
    }
}

fn gate_of(subject: &str) -> usize {
    usize::try_from(hashed(subject) % GATES).unwrap_or(0)
}

/// Refuses a purpose that says nothing or too much.
pub(crate) fn check_purpose(by: &By) -> Result<(), Error> {
    let is_said = !by.purpose.trim().is_empty() && by.purpose.len() <= PURPOSE_BYTES_MAX;
    let refusal = Error::Request("state a purpose of 1 to 256 bytes");
    is_said.then_some(()).ok_or(refusal)
}
