//! The patrol: a little of the whole check at a time, by the server itself, round and round.
//!
//! Each step looks at the newest checkpoint of one tree and at a few of its bundles: their leaves,
//! the rows that these speak of, and every full tile from them upwards, as far as one that is still
//! growing, of which the checkpoint says what it must be. So each leaf is bound to what was signed,
//! at a cost that does not grow with the trail. The last step of a tree looks at its unfinished
//! bundle too, leaf by leaf and row by row. Rows without a leaf are found by the whole check alone.

use super::{Broken, Check, Fault, Place, TENANTS, Trust, walk::Walk};
use crate::{
    Database, Error,
    sql::{select, select_texts},
    trail::{
        TILE_WIDTH,
        checkpoint::{StoredCheckpoint, origin},
        growth::BundleRow,
        merkle::{Hash, perfect_root},
        read::{self, Reader},
    },
};
use sqlx::AnyConnection;
use std::{
    collections::BTreeSet,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// What a step of the patrol came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patrolled {
    /// Where the next step begins; none when the round is over, or there is nothing to look at.
    pub next: Option<Place>,
    /// How many leaves were looked at.
    pub leaves: u64,
    /// In whose tree.
    pub tenant: String,
    /// The first thing that does not hold, and the leaf if it is a matter of one.
    pub broken: Option<(Option<Place>, Fault)>,
    /// Whether no earlier step has found it.
    pub is_new: bool,
}

impl Patrolled {
    /// What does not hold, in a few words.
    pub fn finding(&self) -> Option<String> {
        let (place, fault) = self.broken.as_ref()?;
        let word = fault.word();
        Some(match place {
            Some(place) => format!("leaf {}: {word}", place.leaf),
            None => word.to_owned(),
        })
    }
}

/// What patrols have come to since the start.
#[derive(Debug, Default)]
pub(crate) struct Rounds {
    leaves: AtomicU64,
    findings: Mutex<BTreeSet<(String, String)>>,
}

impl Rounds {
    /// Counts a step.
    pub(crate) fn take(&self, step: &mut Patrolled) {
        self.leaves.fetch_add(step.leaves, Ordering::Relaxed);
        let mut findings = self.findings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(finding) = step.finding()
            && findings.len() < FINDINGS_MAX
        {
            step.is_new = findings.insert((step.tenant.clone(), finding));
        }
    }

    /// How many leaves were looked at, and how many places did not hold.
    pub(crate) fn figures(&self) -> (u64, usize) {
        let findings = self.findings.lock().unwrap_or_else(PoisonError::into_inner);
        (self.leaves.load(Ordering::Relaxed), findings.len())
    }
}

/// Places that are told of one by one.
const FINDINGS_MAX: usize = 1_000;

impl Database {
    /// Looks at up to `bundles` bundles of 256 leaves from a place on, at the beginning without
    /// one, and at the newest checkpoint of that tree.
    pub(crate) async fn patrol(
        &self,
        trust: &Trust,
        from: Option<&Place>,
        bundles: u32,
    ) -> Result<Option<Patrolled>, Error> {
        let mut snapshot = self.snapshot().await?;
        let mut tenants = select_texts(&mut snapshot, TENANTS).await?;
        // Engines compare texts differently.
        tenants.sort_unstable();
        let first = from.map_or("", |place| &place.tenant);
        let mut tenants = tenants.into_iter().skip_while(|tenant| **tenant < *first);
        let Some(tenant) = tenants.next() else {
            snapshot.rollback().await?;
            return Ok(None);
        };
        let start = from.filter(|place| place.tenant == tenant);
        let n = start.map_or(0, |place| place.leaf / TILE_WIDTH);
        let mut check = Check::load(self, &mut snapshot, Some(trust)).await?;
        let mut step = Step {
            check: &mut check,
            tenant: &tenant,
            leaves: 0,
        };
        let (broken, is_over) = step.run(&mut snapshot, n, bundles).await?;
        let leaves = step.leaves;
        snapshot.rollback().await?;
        let next = match is_over {
            false => Some(Place::new(&tenant, (n + u64::from(bundles)) * TILE_WIDTH)),
            true => tenants.next().map(|tenant| Place::new(&tenant, 0)),
        };
        Ok(Some(Patrolled {
            next,
            leaves,
            tenant,
            broken,
            is_new: false,
        }))
    }
}

struct Step<'k, 't> {
    check: &'k mut Check<'t>,
    tenant: &'k str,
    leaves: u64,
}

impl Step<'_, '_> {
    /// What does not hold first, and whether the tree has no more bundles behind these.
    async fn run(
        &mut self,
        connection: &mut AnyConnection,
        n: u64,
        bundles: u32,
    ) -> Result<(Broken, bool), Error> {
        let rest = "WHERE tenant = $1 AND n >= $2 ORDER BY n LIMIT $3";
        let limit = i64::from(bundles) + 1;
        let values = [self.tenant.into(), n.cast_signed().into(), limit.into()];
        let rows: Vec<BundleRow> = select(connection, rest, &values).await?;
        let row = read::tree_row(connection, self.tenant).await?;
        let (size, signed) = row.as_ref().map_or((0, 0), |row| (row.size, row.signed));
        // As many as the tree is said to have, and those that are there all the same.
        let end = rows.last().map_or(0, |last| last.n + 1);
        let end = end.max(size / TILE_WIDTH);
        let behind = n + u64::from(bundles);
        let is_over = end <= behind;
        if let Some(fault) = self.check.keys_known() {
            return Ok((Some((None, fault)), is_over));
        }
        let mut broken = self.newest(connection, (size, signed)).await?;
        let mut rows = rows.iter().peekable();
        for expected in n..end.min(behind) {
            if broken.is_some() {
                break;
            }
            broken = match rows.next_if(|bundle| bundle.n == expected) {
                Some(bundle) => self.bundle(connection, bundle).await?,
                None => self.at(expected * TILE_WIDTH, Fault::LeafMissing),
            };
        }
        if is_over && broken.is_none() {
            let mut walk = Walk::new(self.check, self.tenant.to_owned());
            let leaves;
            (broken, leaves) = walk.unfinished(connection, row.as_ref()).await?;
            self.leaves += leaves;
        }
        Ok((broken, is_over))
    }

    fn at(&self, leaf: u64, fault: Fault) -> Broken {
        Some((Some(Place::new(self.tenant, leaf)), fault))
    }

    /// The newest checkpoint: signed, the one that the tree is said to be signed up to, and true.
    async fn newest(
        &self,
        connection: &mut AnyConnection,
        (size, signed): (u64, u64),
    ) -> Result<Broken, Error> {
        let rest = "WHERE tenant = $1 ORDER BY size DESC LIMIT 1";
        let stored: Vec<StoredCheckpoint> = select(connection, rest, &[self.tenant.into()]).await?;
        let stored = match stored.first() {
            None if signed == 0 => return Ok(None),
            Some(stored) if stored.size == signed => stored,
            other => {
                let size_said = other.map_or(signed, |stored| stored.size.max(signed));
                return Ok(self.at(size, Fault::CheckpointMissing { size: size_said }));
            }
        };
        let name = origin(&self.check.store, self.tenant);
        let said = self.check.opened_stored(stored);
        let said = said.filter(|said| said.origin == name && said.size == signed);
        let Some(said) = said else {
            return Ok(self.at(signed, Fault::CheckpointUnsigned { size: signed }));
        };
        if said.size > size {
            return Ok(self.at(size, Fault::Shortened { size: signed }));
        }
        let root = Reader::new(connection, self.tenant).root(said.size).await;
        match root {
            Ok(root) if root == said.root => Ok(None),
            Ok(_) | Err(Error::Corrupt { .. }) => Ok(self.at(0, Fault::Rewritten { size: signed })),
            Err(error) => Err(error),
        }
    }

    /// A whole bundle: its leaves, its tile, the tiles above as far as they are full, its rows.
    async fn bundle(
        &mut self,
        connection: &mut AnyConnection,
        bundle: &BundleRow,
    ) -> Result<Broken, Error> {
        let first = bundle.n * TILE_WIDTH;
        let tile = self.tile(connection, 0, bundle.n).await?;
        let mut walk = Walk::new(self.check, self.tenant.to_owned());
        let (broken, hashes) = walk
            .alone(connection, first, bundle, tile.as_deref())
            .await?;
        self.leaves += hashes.len() as u64;
        if broken.is_some() {
            return Ok(broken);
        }
        self.upwards(connection, bundle.n, hashes).await
    }

    async fn upwards(
        &self,
        connection: &mut AnyConnection,
        n: u64,
        mut hashes: Vec<Hash>,
    ) -> Result<Broken, Error> {
        let (mut level, mut n) = (0_u8, n);
        while hashes.len() as u64 == TILE_WIDTH {
            let (root, place) = (perfect_root(&hashes), (n % TILE_WIDTH) as usize);
            (level, n) = (level + 1, n / TILE_WIDTH);
            let above = self.tile(connection, level, n).await?.unwrap_or_default();
            if above.get(place) != Some(&root) {
                let span = 1_u64 << (8 * (u32::from(level) + 1));
                return Ok(self.at(n * span, Fault::TileChanged { level, n }));
            }
            hashes = above;
        }
        Ok(None)
    }

    /// A stored tile; none also if it does not read.
    async fn tile(
        &self,
        connection: &mut AnyConnection,
        level: u8,
        n: u64,
    ) -> Result<Option<Vec<Hash>>, Error> {
        match read::tile(connection, self.tenant, level, n).await {
            Err(Error::Corrupt { .. }) => Ok(None),
            tile => tile,
        }
    }
}
