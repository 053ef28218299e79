//! Recomputing everything, and finding the first place where it does not hold.
//!
//! Leaves are read a bundle at a time and hashed once; the tree above them grows as it grew when
//! it was written, and is compared with every tile and every checkpoint on the way.

mod patrol;
mod walk;

pub use patrol::Patrolled;
pub(crate) use patrol::Rounds;

use super::{
    change::RowRef,
    checkpoint::{self, Checkpoint, KeyPeriod},
    notary::counted_at,
    read::TreeHead,
    rows::Rows,
    stored_digester,
};
use crate::{Database, Error, sql::select_texts};
use paywarden_crypto::note::Note;
use sqlx::AnyConnection;
use walk::Walk;

/// The most steps of the clock that a verdict lists.
const CLOCK_STEPS_MAX: usize = 16;

/// What the caller knows from outside the store, and believes more than the store.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// The Ed25519 keys that may have signed checkpoints. With none, signatures are not looked
    /// at, only what the checkpoints say.
    pub keys: Vec<[u8; 32]>,
    /// Checkpoints that were kept elsewhere: the trees must still contain what they say.
    pub checkpoints: Vec<Note>,
}

/// What became of the check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every tree is whole, and every row is as its leaf says.
    Intact(Intact),
    /// Something was changed behind the journal.
    Broken {
        /// The first leaf that does not hold; none when it is not a matter of one leaf.
        place: Option<Place>,
        /// What is wrong there.
        fault: Fault,
    },
}

/// What was checked and holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Intact {
    /// Every tree, by tenant.
    pub heads: Vec<TreeHead>,
    /// How many leaves were hashed.
    pub leaves: u64,
    /// How many rows were compared with their digest.
    pub rows: u64,
    /// How many checkpoints were compared with the trees.
    pub checkpoints: u64,
    /// Where the clock went back by more than a second, in the order of the trees; the 16 largest
    /// steps, if there are more.
    pub clock_steps: Vec<ClockStep>,
}

/// A leaf that says an earlier time than one before it. Many small steps show as the large one that
/// they make together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockStep {
    /// Where.
    pub place: Place,
    /// How far it lies behind the latest time before it, in microseconds.
    pub back_us: i64,
}

/// A leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// In whose tree.
    pub tenant: String,
    /// Its number.
    pub leaf: u64,
}

impl Place {
    pub(crate) fn new(tenant: &str, leaf: u64) -> Self {
        let tenant = tenant.to_owned();
        Self { tenant, leaf }
    }
}

/// What is wrong at a leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The leaf is not there, but the tree goes on or is said to.
    LeafMissing,
    /// A leaf, or its hash, or its place was changed.
    LeafChanged,
    /// There are leaves where the tree has ended.
    LeafSurplus,
    /// A tile that begins at the leaf is not there, or is not what the leaves make.
    TileChanged {
        /// Its level.
        level: u8,
        /// Its number.
        n: u64,
    },
    /// A tile is there that the leaves do not make.
    TileSurplus,
    /// A row that was written with the leaf is not there.
    RowMissing(RowRef),
    /// A row that was written with the leaf was changed.
    RowChanged(RowRef),
    /// A table has a different number of rows than the trail speaks of.
    RowsUnrecorded(&'static str),
    /// A checkpoint does not read, or no key that counted has signed it.
    CheckpointUnsigned {
        /// Its size.
        size: u64,
    },
    /// The tree is said to be signed up to a checkpoint that is not the newest there.
    CheckpointMissing {
        /// Its size.
        size: u64,
    },
    /// Leaves up to this one were rewritten: the tree is not the one that was signed. The leaf is
    /// the first after the last checkpoint that holds.
    Rewritten {
        /// The size of the checkpoint that it contradicts.
        size: u64,
    },
    /// The tree ends before a checkpoint: its end was cut off.
    Shortened {
        /// The size of that checkpoint.
        size: u64,
    },
    /// A checkpoint from outside is of another store.
    OtherStore {
        /// The origin that it names.
        origin: String,
    },
    /// The store lists a signing key that is not one of those given.
    KeyUnknown {
        /// Its generation.
        generation: u64,
    },
}

impl Fault {
    /// What it is, in a word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::LeafMissing => "leaf_missing",
            Self::LeafChanged => "leaf_changed",
            Self::LeafSurplus => "leaf_surplus",
            Self::TileChanged { .. } => "tile_changed",
            Self::TileSurplus => "tile_surplus",
            Self::RowMissing(_) => "row_missing",
            Self::RowChanged(_) => "row_changed",
            Self::RowsUnrecorded(_) => "rows_unrecorded",
            Self::CheckpointUnsigned { .. } => "checkpoint_unsigned",
            Self::CheckpointMissing { .. } => "checkpoint_missing",
            Self::Rewritten { .. } => "rewritten",
            Self::Shortened { .. } => "shortened",
            Self::OtherStore { .. } => "other_store",
            Self::KeyUnknown { .. } => "key_unknown",
        }
    }
}

/// The first thing that does not hold.
type Broken = Option<(Option<Place>, Fault)>;

impl Database {
    /// Hashes every leaf, grows every tree again, compares tiles, checkpoints and the digest of
    /// every row, in one consistent state and in memory that does not grow with the trail. With
    /// `trust` also whether the signatures are by keys that the caller knows, and whether the
    /// trees contain checkpoints that the caller kept.
    ///
    /// While it runs, SQLite cannot start its write-ahead log anew.
    pub async fn verify(&self, trust: Option<&Trust>) -> Result<Verdict, Error> {
        let mut snapshot = self.snapshot().await?;
        let mut check = Check::load(self, &mut snapshot, trust).await?;
        let broken = check.run(&mut snapshot).await?;
        snapshot.rollback().await?;
        Ok(match broken {
            Some((place, fault)) => Verdict::Broken { place, fault },
            None => Verdict::Intact(check.seen),
        })
    }
}

/// Every table that may hold something of a tree.
const TENANTS: &str = "SELECT tenant FROM trail_trees
    UNION SELECT tenant FROM trail_bundles UNION SELECT tenant FROM trail_tail
    UNION SELECT tenant FROM trail_tiles UNION SELECT tenant FROM trail_checkpoints
    ORDER BY 1";

struct Check<'t> {
    trust: Option<&'t Trust>,
    keys: Vec<KeyPeriod>,
    store: String,
    rows: Rows,
    seen: Intact,
}

impl<'t> Check<'t> {
    async fn load(
        database: &Database,
        connection: &mut AnyConnection,
        trust: Option<&'t Trust>,
    ) -> Result<Self, Error> {
        Ok(Self {
            trust,
            keys: crate::sql::select(connection, "ORDER BY generation", &[]).await?,
            store: super::meta(connection, super::IDENTITY)
                .await?
                .unwrap_or_default(),
            rows: Rows::new(database.backend(), stored_digester(connection).await?),
            seen: Intact::default(),
        })
    }

    async fn run(&mut self, connection: &mut AnyConnection) -> Result<Broken, Error> {
        if let Some(fault) = self.keys_known().or_else(|| self.known_elsewhere()) {
            return Ok(Some((None, fault)));
        }
        let mut tenants = select_texts(connection, TENANTS).await?;
        // A tree that is kept elsewhere and is gone here is walked too: it ends at once.
        tenants.extend(self.kept_tenants());
        tenants.sort_unstable();
        tenants.dedup();
        for tenant in tenants {
            let broken = Walk::new(self, tenant).run(connection).await?;
            if broken.is_some() {
                return Ok(broken);
            }
        }
        self.seen.rows = self.rows.compared;
        let unrecorded = self.rows.unrecorded(connection).await?;
        Ok(unrecorded.map(|table| (None, Fault::RowsUnrecorded(table))))
    }

    /// A key of the store that the caller does not know.
    fn keys_known(&self) -> Option<Fault> {
        let known = &self.trust?.keys;
        let stranger = |key: &&KeyPeriod| !known.is_empty() && !known.contains(&key.public);
        let key = self.keys.iter().find(stranger)?;
        let generation = key.generation;
        Some(Fault::KeyUnknown { generation })
    }

    /// A checkpoint from outside that is not of this store, or that nobody known has signed.
    fn known_elsewhere(&self) -> Option<Fault> {
        let trust = self.trust?;
        let prefix = super::checkpoint::origin(&self.store, "");
        trust.checkpoints.iter().find_map(|note| {
            let checkpoint = self.opened(note, &trust.keys);
            let Some(checkpoint) = checkpoint else {
                let size = Checkpoint::parse(note.text()).map_or(0, |said| said.size);
                return Some(Fault::CheckpointUnsigned { size });
            };
            let origin = checkpoint.origin;
            (!origin.starts_with(&prefix)).then_some(Fault::OtherStore { origin })
        })
    }

    /// What a note says, if its signature holds or signatures are not looked at.
    fn opened(&self, note: &Note, keys: &[[u8; 32]]) -> Option<Checkpoint> {
        match keys {
            [] => Checkpoint::parse(note.text()),
            keys => checkpoint::open(note, keys),
        }
    }

    /// What a stored note says, if a key that counted then has signed it.
    fn opened_stored(&self, stored: &checkpoint::StoredCheckpoint) -> Option<Checkpoint> {
        let note = Note::parse(&stored.note).ok()?;
        checkpoint::open(&note, &counted_at(&self.keys, stored.made_at))
    }

    /// Checkpoints from outside of one tree, by size.
    fn kept(&self, origin: &str) -> Vec<Checkpoint> {
        let notes = self.trust.map_or(&[][..], |trust| &trust.checkpoints);
        let mut kept: Vec<_> = notes
            .iter()
            .filter_map(|note| Checkpoint::parse(note.text()))
            .filter(|checkpoint| checkpoint.origin == origin)
            .collect();
        kept.sort_by_key(|checkpoint| checkpoint.size);
        kept
    }

    /// The tenants of the checkpoints from outside, as their origins name them.
    fn kept_tenants(&self) -> Vec<String> {
        let notes = self.trust.map_or(&[][..], |trust| &trust.checkpoints);
        notes
            .iter()
            .filter_map(|note| Checkpoint::parse(note.text()))
            .filter_map(|said| checkpoint::tenant(&said.origin))
            .collect()
    }
}

/// Lists a step of the clock. Small ones make room, so that nobody hides a large one behind them.
fn list(steps: &mut Vec<ClockStep>, step: ClockStep) {
    steps.push(step);
    if steps.len() > CLOCK_STEPS_MAX {
        let smallest = steps
            .iter()
            .enumerate()
            .min_by_key(|(_, step)| step.back_us);
        if let Some((place, _)) = smallest {
            steps.remove(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_steps_do_not_hide_a_large_one() {
        let mut steps = Vec::new();
        for leaf in 0..100 {
            let back_us = if leaf == 50 { 9_000_000 } else { 2_000_000 };
            let place = Place {
                tenant: "acme".into(),
                leaf,
            };
            list(&mut steps, ClockStep { place, back_us });
        }
        assert_eq!(steps.len(), CLOCK_STEPS_MAX);
        assert!(steps.iter().any(|step| step.place.leaf == 50));
        assert!(steps.is_sorted_by_key(|step| step.place.leaf));
    }
}
