//! The notary: makes checkpoints, takes cosignatures of witnesses, and lets one signing key take
//! over from another.
//!
//! Keys are derived from the master key, one per generation. When a key is older than its time,
//! the next generation takes over; for a while both sign, so that a verifier that knows only the
//! old key can go on until it has learned the new one.

use super::{
    checkpoint::{Checkpoint, KeyPeriod, StoredCheckpoint, origin},
    merkle::verify_consistency,
    read::TreeRow,
    verify::{Patrolled, Place, Rounds, Trust},
    work::{Done, Work},
};
use crate::{Clock, Database, Error, Journal, sql::select};
use paywarden_crypto::{
    Keyring, SigningKey,
    note::{Note, NoteKind, NoteSignature, NoteSigner, NoteVerifier, Signed},
};
use paywarden_domain::{TenantId, Timestamp, time::DAY};
use std::sync::Arc;
use tokio::sync::Mutex;

/// The most cosignatures taken at a time.
pub const COSIGNATURES_MAX: usize = 16;
/// Bundles of 256 leaves that a step of the patrol looks at.
const PATROL_BUNDLES: u32 = 4;
/// Keys of ours that are known at most: one a day for more than ten years.
const GENERATIONS_MAX: u64 = 4_096;
/// The most trees that get a checkpoint in one round.
const ROUND_MAX: i64 = 10_000;

/// What an operator sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Days after which the next key takes over.
    pub key_days: u32,
    /// Days for which the key before goes on signing beside it.
    pub overlap_days: u32,
    /// Verifier keys of the witnesses whose cosignatures are taken.
    pub witnesses: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            key_days: 365,
            overlap_days: 30,
            witnesses: Vec::new(),
        }
    }
}

/// Why the notary refused.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The store cannot answer: try again.
    #[error(transparent)]
    Store(#[from] Error),
    /// The keys cannot be used: an operator must look at them.
    #[error(transparent)]
    Key(#[from] paywarden_crypto::Error),
    /// The tree does not continue what was signed: somebody changed the store.
    #[error("the tree of {tenant} does not continue the checkpoint of {size} leaves")]
    Inconsistent {
        /// Whose tree it is.
        tenant: String,
        /// The checkpoint that it contradicts.
        size: u64,
    },
    /// The cosigned checkpoint is not one of ours.
    #[error("no checkpoint says this")]
    CheckpointUnknown,
    /// The cosignature is of no witness that is known here, or does not fit.
    #[error("a cosignature is not of a known witness, or does not fit the checkpoint")]
    CosignatureInvalid,
}

/// Makes and keeps checkpoints. Clones share it.
#[derive(Clone)]
pub struct Notary(Arc<Inner>);

struct Inner {
    database: Database,
    journal: Journal,
    keyring: Arc<Keyring>,
    clock: Clock,
    settings: Settings,
    witnesses: Vec<NoteVerifier>,
    store: String,
    /// Held while a checkpoint is made, so that none is made twice.
    turn: Mutex<()>,
    rounds: Rounds,
}

impl Notary {
    /// Starts a notary; the first one of a store makes the first key.
    pub async fn start(
        database: Database,
        journal: Journal,
        keyring: Arc<Keyring>,
        clock: Clock,
        settings: Settings,
    ) -> Result<Self, Refusal> {
        let witness = |vkey: &String| {
            let verifier = NoteVerifier::parse(vkey)?;
            match verifier.kind() {
                NoteKind::Cosignature => Ok(verifier),
                NoteKind::Plain => Err(paywarden_crypto::Error::KeyRefused {
                    detail: "a witness has a cosignature key (type 4)",
                }),
            }
        };
        let witnesses = settings.witnesses.iter().map(witness);
        let inner = Inner {
            witnesses: witnesses.collect::<Result<_, _>>()?,
            store: database.trail_id().await?,
            database,
            journal,
            keyring,
            clock,
            settings,
            turn: Mutex::new(()),
            rounds: Rounds::default(),
        };
        inner.keys_now().await?;
        Ok(Self(Arc::new(inner)))
    }

    /// Where the trees are stored.
    pub fn database(&self) -> &Database {
        &self.0.database
    }

    /// The name of a tenant's tree.
    pub fn origin(&self, tenant: &TenantId) -> String {
        origin(&self.0.store, tenant.as_str())
    }

    /// The keys of a tenant's checkpoints, oldest first.
    pub async fn keys(&self, tenant: &TenantId) -> Result<Vec<(NoteVerifier, KeyPeriod)>, Refusal> {
        let origin = self.origin(tenant);
        let keys = self.0.database.trail_keys().await?;
        keys.into_iter()
            .map(|key| Ok((key.verifier(&origin)?, key)))
            .collect()
    }

    /// Verifier keys of the witnesses that are known here.
    pub fn witnesses(&self) -> &[NoteVerifier] {
        &self.0.witnesses
    }

    /// The checkpoint over every leaf that is written now; made if there is none yet. None for a
    /// tenant without leaves.
    pub async fn checkpoint(&self, tenant: &TenantId) -> Result<Option<StoredCheckpoint>, Refusal> {
        let inner = &self.0;
        let size = inner.database.trail_size(tenant).await?;
        let newest = inner.database.trail_checkpoint(tenant, None).await?;
        if size == 0 || newest.as_ref().is_some_and(|newest| newest.size >= size) {
            return Ok(newest);
        }
        let _turn = inner.turn.lock().await;
        let newest = inner.database.trail_checkpoint(tenant, None).await?;
        let size = inner.database.trail_size(tenant).await?;
        match newest {
            Some(newest) if newest.size >= size => Ok(Some(newest)),
            newest => Ok(Some(inner.sign(tenant, size, newest.as_ref()).await?)),
        }
    }

    /// Makes a checkpoint for every tree that has grown; how many.
    pub async fn round(&self) -> Result<usize, Refusal> {
        let grown: Vec<TreeRow> = {
            let mut reader = self.0.database.reader().await?;
            select(
                &mut reader,
                "WHERE size > signed LIMIT $1",
                &[ROUND_MAX.into()],
            )
            .await?
        };
        let mut made = 0;
        for row in grown {
            let tenant =
                TenantId::parse(&row.tenant).map_err(|_| Error::corrupt("a tree of no tenant"))?;
            made += usize::from(self.checkpoint(&tenant).await?.is_some());
        }
        Ok(made)
    }

    /// Looks at a little of the trail, from a place on, and at what was signed of it; none when
    /// nothing is there. It costs some reads of the database, however large the trail is.
    pub async fn patrol(&self, from: Option<&Place>) -> Result<Option<Patrolled>, Refusal> {
        let keys = self.0.database.trail_keys().await?;
        let generations = keys.iter().map(|key| key.generation).max().unwrap_or(0);
        let trust = Trust {
            // Somebody who can write to the store cannot have us derive keys without end.
            keys: public_keys(&self.0.keyring, generations.min(GENERATIONS_MAX))?,
            checkpoints: Vec::new(),
        };
        let patrolled = self.0.database.patrol(&trust, from, PATROL_BUNDLES).await;
        let mut patrolled = patrolled?;
        patrolled
            .iter_mut()
            .for_each(|step| self.0.rounds.take(step));
        Ok(patrolled)
    }

    /// How many leaves patrols have looked at since the start, and how many places did not hold.
    pub fn patrolled(&self) -> (u64, usize) {
        self.0.rounds.figures()
    }

    /// Takes cosignatures: signature lines under the text of a checkpoint that was made here.
    pub async fn cosign(
        &self,
        tenant: &TenantId,
        note: &Note,
    ) -> Result<StoredCheckpoint, Refusal> {
        let inner = &self.0;
        let checkpoint = Checkpoint::parse(note.text()).ok_or(Refusal::CheckpointUnknown)?;
        let _turn = inner.turn.lock().await;
        let stored = inner
            .database
            .trail_checkpoint(tenant, Some(checkpoint.size))
            .await?;
        let stored = stored
            .filter(|stored| stored.size == checkpoint.size)
            .ok_or(Refusal::CheckpointUnknown)?;
        let mut kept = Note::parse(&stored.note)?;
        if kept.text() != note.text() {
            return Err(Refusal::CheckpointUnknown);
        }
        for signature in inner.new_cosignatures(note, &kept)? {
            kept.push(signature)?;
        }
        let after = StoredCheckpoint {
            note: kept.to_string(),
            cosigned: true,
            ..stored.clone()
        };
        let before = stored.note;
        let work = Work::Cosigned {
            before,
            after: after.clone(),
        };
        match inner.journal.trail(work).await? {
            Done(0) => Err(Error::conflict("the checkpoint was changed meanwhile").into()),
            Done(_) => Ok(after),
        }
    }

    /// Lets the next key take over now.
    pub async fn rotate(&self) -> Result<KeyPeriod, Refusal> {
        let _turn = self.0.turn.lock().await;
        let keys = self.0.database.trail_keys().await?;
        self.0.next_key(keys.last()).await
    }
}

impl Inner {
    /// Signs the tree as it is at `size`, if it continues what was signed before.
    async fn sign(
        &self,
        tenant: &TenantId,
        size: u64,
        before: Option<&StoredCheckpoint>,
    ) -> Result<StoredCheckpoint, Refusal> {
        let origin = origin(&self.store, tenant.as_str());
        let root = self.database.trail_root(tenant, size).await?;
        let checkpoint = Checkpoint { origin, size, root };
        if let Some(before) = before {
            self.require_continuation(tenant, before, &checkpoint)
                .await?;
        }
        let mut note = Note::new(&checkpoint.to_string())?;
        for (signer, _) in self.signers(&checkpoint.origin).await? {
            note.push(signer.sign(&note, 0)?)?;
        }
        let stored = StoredCheckpoint {
            tenant: tenant.as_str().to_owned(),
            size,
            made_at: self.clock.now(),
            cosigned: false,
            note: note.to_string(),
        };
        self.journal.trail(Work::Checkpoint(stored.clone())).await?;
        Ok(stored)
    }

    async fn require_continuation(
        &self,
        tenant: &TenantId,
        before: &StoredCheckpoint,
        now: &Checkpoint,
    ) -> Result<(), Refusal> {
        let inconsistent = || Refusal::Inconsistent {
            tenant: tenant.as_str().to_owned(),
            size: before.size,
        };
        let note = Note::parse(&before.note).map_err(|_| inconsistent())?;
        let old = Checkpoint::parse(note.text()).ok_or_else(inconsistent)?;
        let proof = self.database.trail_consistency(tenant, old.size, now.size);
        let proof = proof.await?;
        verify_consistency(old.size, &old.root, now.size, &now.root, &proof)
            .map_err(|_| inconsistent())
    }

    /// The signers of a tree now, oldest first.
    async fn signers(&self, origin: &str) -> Result<Vec<(NoteSigner, KeyPeriod)>, Refusal> {
        let now = self.clock.now();
        let keys = self.keys_now().await?;
        keys.into_iter()
            .filter(|key| key.signs_at(now))
            .map(|key| {
                let seed = seed(&self.keyring, key.generation)?;
                Ok((NoteSigner::from_seed(origin, NoteKind::Plain, &seed)?, key))
            })
            .collect()
    }

    /// Every key, after the next one has taken over if it is time.
    async fn keys_now(&self) -> Result<Vec<KeyPeriod>, Refusal> {
        let mut keys = self.database.trail_keys().await?;
        let age_max = i64::from(self.settings.key_days) * DAY;
        let is_due =
            |key: &KeyPeriod| self.clock.now().micros() - key.valid_from.micros() >= age_max;
        if keys.last().is_none_or(is_due) {
            self.next_key(keys.last()).await?;
            keys = self.database.trail_keys().await?;
        }
        Ok(keys)
    }

    async fn next_key(&self, last: Option<&KeyPeriod>) -> Result<KeyPeriod, Refusal> {
        let now = self.clock.now();
        let generation = last.map_or(0, |last| last.generation) + 1;
        let key = KeyPeriod {
            generation,
            public: public_key(&self.keyring, generation)?,
            valid_from: now,
            valid_until: None,
        };
        let overlap = i64::from(self.settings.overlap_days) * DAY;
        let work = Work::Key {
            key: key.clone(),
            overlap_until: now.micros().saturating_add(overlap),
        };
        self.journal.trail(work).await?;
        Ok(key)
    }

    /// The signatures of witnesses under a note that are not kept yet; every signature that is
    /// not ours must be of a known witness.
    fn new_cosignatures(&self, note: &Note, kept: &Note) -> Result<Vec<NoteSignature>, Refusal> {
        let is_new = |signature: &&NoteSignature| !kept.signatures().contains(signature);
        let fresh: Vec<_> = note.signatures().iter().filter(is_new).cloned().collect();
        if fresh.is_empty() || fresh.len() > COSIGNATURES_MAX {
            return Err(Refusal::CosignatureInvalid);
        }
        for signature in &fresh {
            let mut alone = Note::new(note.text())?;
            alone.push(signature.clone())?;
            let fits = |witness: &NoteVerifier| {
                matches!(alone.signed_by(witness), Ok(Some(Signed::At(_))))
            };
            if !self.witnesses.iter().any(fits) {
                return Err(Refusal::CosignatureInvalid);
            }
        }
        Ok(fresh)
    }
}

/// The public keys that this keyring signs with, up to a generation: what a verifier believes
/// instead of the store.
pub fn public_keys(
    keyring: &Keyring,
    generations: u64,
) -> Result<Vec<[u8; 32]>, paywarden_crypto::Error> {
    (1..=generations)
        .map(|generation| public_key(keyring, generation))
        .collect()
}

fn public_key(keyring: &Keyring, generation: u64) -> Result<[u8; 32], paywarden_crypto::Error> {
    SigningKey::from_seed(&seed(keyring, generation)?)?.ed25519_public()
}

fn seed(keyring: &Keyring, generation: u64) -> Result<[u8; 32], paywarden_crypto::Error> {
    Ok(*keyring.derive(&format!("trail-signing-{generation}"))?)
}

/// Whether a key counted when a checkpoint was made.
pub(crate) fn counted_at(keys: &[KeyPeriod], made_at: Timestamp) -> Vec<[u8; 32]> {
    keys.iter()
        .filter(|key| key.valid_from <= made_at && key.signs_at(made_at))
        .map(|key| key.public)
        .collect()
}
