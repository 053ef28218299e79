//! The walk over one tree.

use super::{Broken, Check, ClockStep, Fault, Place};
use crate::{
    Error,
    sql::{Value, select, select_number_of},
    trail::{
        TILE_WIDTH,
        checkpoint::{Checkpoint, StoredCheckpoint, origin},
        growth::{BundleRow, Segment, Tile},
        leaf::{Leaf, leaves},
        merkle::{Frontier, Hash, leaf_hash, perfect_root},
        read::{self, TreeHead, TreeRow},
        rows::Wanted,
    },
};
use paywarden_domain::time::SECOND;
use sqlx::AnyConnection;
use std::collections::VecDeque;

/// Bundles read at a time.
const PAGE: i64 = 32;
/// Checkpoints read at a time.
const CHECKPOINTS: i64 = 256;
/// A clock that is corrected by less went back without anybody having set it.
const CLOCK_STEP_US: i64 = SECOND;

pub(super) struct Walk<'k, 't> {
    check: &'k mut Check<'t>,
    tenant: String,
    tree: Frontier,
    /// The hashes of unfinished tiles, from level 0 up.
    edge: Vec<Vec<Hash>>,
    tiles: i64,
    segments: i64,
    /// Hash and time of the newest leaf.
    head: Hash,
    last_us: i64,
    /// The latest time of all leaves so far.
    latest_us: i64,
    /// Checkpoints that come next, by size.
    ahead: VecDeque<Checkpoint>,
    /// The size up to which stored checkpoints were read.
    read_to: Option<u64>,
    /// The last checkpoint that held.
    held: u64,
    /// The newest checkpoint that is stored.
    signed: u64,
    wanted: Vec<Wanted>,
}

impl<'k, 't> Walk<'k, 't> {
    pub(super) fn new(check: &'k mut Check<'t>, tenant: String) -> Self {
        Self {
            check,
            tenant,
            tree: Frontier::default(),
            edge: Vec::new(),
            tiles: 0,
            segments: 0,
            head: [0; 32],
            last_us: i64::MIN,
            latest_us: i64::MIN,
            ahead: VecDeque::new(),
            read_to: None,
            held: 0,
            signed: 0,
            wanted: Vec::new(),
        }
    }

    pub(super) async fn run(mut self, connection: &mut AnyConnection) -> Result<Broken, Error> {
        let broken = match self.bundles(connection).await? {
            None => self.tail(connection).await?,
            broken => broken,
        };
        if broken.is_some() {
            // A row that was changed explains more than the hash of a later leaf.
            return Ok(self.rows(connection).await?.or(broken));
        }
        if let Some(broken) = self.rows(connection).await? {
            return Ok(Some(broken));
        }
        self.end(connection).await
    }

    fn at(&self, leaf: u64, fault: Fault) -> Broken {
        Some((Some(Place::new(&self.tenant, leaf)), fault))
    }

    async fn page<S: crate::sql::Stored>(
        &self,
        connection: &mut AnyConnection,
        rest: &str,
        first: u64,
    ) -> Result<Vec<S>, Error> {
        let values = [
            self.tenant.as_str().into(),
            Value::from(first.cast_signed()),
            PAGE.into(),
        ];
        select(connection, rest, &values).await
    }

    /// The whole bundles, each with its tile.
    async fn bundles(&mut self, connection: &mut AnyConnection) -> Result<Broken, Error> {
        let rest = "WHERE tenant = $1 AND n >= $2 ORDER BY n LIMIT $3";
        let rest_of_tiles = "WHERE tenant = $1 AND level = 0 AND n >= $2 ORDER BY n LIMIT $3";
        loop {
            let n = self.tree.size() / TILE_WIDTH;
            let bundles: Vec<BundleRow> = self.page(connection, rest, n).await?;
            let mut tiles = self
                .page::<Tile>(connection, rest_of_tiles, n)
                .await?
                .into_iter()
                .peekable();
            if bundles.is_empty() {
                return Ok(None);
            }
            for (expected, bundle) in (n..).zip(bundles) {
                if bundle.n != expected {
                    return Ok(self.at(expected * TILE_WIDTH, Fault::LeafMissing));
                }
                let tile = tiles.next_if(|tile| tile.n == expected);
                let hashes = tile.and_then(|tile| read::cut(&tile.hashes).ok());
                let broken = self.bundle(connection, &bundle, hashes.as_deref()).await?;
                if broken.is_some() {
                    return Ok(broken);
                }
            }
            if let Some(broken) = self.rows(connection).await? {
                return Ok(Some(broken));
            }
        }
    }

    async fn bundle(
        &mut self,
        connection: &mut AnyConnection,
        bundle: &BundleRow,
        tile: Option<&[Hash]>,
    ) -> Result<Broken, Error> {
        let (hashes, broken) = self.hashes(bundle, tile);
        if broken.is_some() {
            return Ok(broken);
        }
        if let Some(broken) = self.grow(connection, &hashes).await? {
            return Ok(Some(broken));
        }
        self.tiles += 1;
        self.raise(connection, perfect_root(&hashes)).await
    }

    /// The hashes of the leaves of a bundle that comes next, as many as the tile has and the same.
    fn hashes(&mut self, bundle: &BundleRow, tile: Option<&[Hash]>) -> (Vec<Hash>, Broken) {
        let first = self.tree.size();
        let mut hashes = Vec::with_capacity(TILE_WIDTH as usize);
        let broken = self.leaves(&bundle.entries, tile, &mut hashes);
        let count = hashes.len() as u64;
        let broken = broken.or_else(|| match count {
            ..TILE_WIDTH => self.at(first + count, Fault::LeafMissing),
            TILE_WIDTH if tile == Some(&hashes) => None,
            TILE_WIDTH => self.at(
                first,
                Fault::TileChanged {
                    level: 0,
                    n: bundle.n,
                },
            ),
            _ => self.at(first + TILE_WIDTH, Fault::LeafSurplus),
        });
        (hashes, broken)
    }

    /// One bundle by itself, of which leaf `first` is the first, and the hashes of its leaves: not
    /// what stands above it.
    pub(super) async fn alone(
        &mut self,
        connection: &mut AnyConnection,
        first: u64,
        bundle: &BundleRow,
        tile: Option<&[Hash]>,
    ) -> Result<(Broken, Vec<Hash>), Error> {
        self.tree = Frontier::beginning_at(first);
        let (hashes, broken) = self.hashes(bundle, tile);
        // A row that was changed explains more than the hash of a later leaf.
        let rows = self.rows(connection).await?;
        Ok((rows.or(broken), hashes))
    }

    /// The leaves after the last bundle.
    async fn tail(&mut self, connection: &mut AnyConnection) -> Result<Broken, Error> {
        let rest = "WHERE tenant = $1 AND first >= $2 ORDER BY first LIMIT $3";
        let start = self.tree.size();
        loop {
            let segments: Vec<Segment> = self.page(connection, rest, self.tree.size()).await?;
            if segments.is_empty() {
                return Ok(None);
            }
            for segment in segments {
                let (hashes, broken) = self.segment(&segment);
                if broken.is_some() {
                    return Ok(broken);
                }
                if let Some(broken) = self.grow(connection, &hashes).await? {
                    return Ok(Some(broken));
                }
                self.segments += 1;
                if self.tree.size() - start >= TILE_WIDTH {
                    return Ok(self.at(start + TILE_WIDTH, Fault::LeafSurplus));
                }
            }
        }
    }

    /// The hashes of the leaves that were committed together and come next in the tail.
    fn segment(&mut self, segment: &Segment) -> (Vec<Hash>, Broken) {
        let expected = self.tree.size();
        let mut hashes = Vec::new();
        if segment.first != expected {
            return (hashes, self.at(expected, Fault::LeafMissing));
        }
        let stored = read::cut(&segment.hashes).unwrap_or_default();
        let broken = self.leaves(&segment.entries, Some(&stored), &mut hashes);
        let is_kept = hashes == stored && !hashes.is_empty();
        let broken = broken.or_else(|| match is_kept {
            true => None,
            false => self.at(expected, Fault::LeafChanged),
        });
        (hashes, broken)
    }

    /// The leaves behind the last whole bundle by themselves, against what the row of the tree says
    /// of its end; how many there are. Which of them a checkpoint covers, its root says.
    pub(super) async fn unfinished(
        &mut self,
        connection: &mut AnyConnection,
        row: Option<&TreeRow>,
    ) -> Result<(Broken, u64), Error> {
        let start = row.map_or(0, |row| row.size / TILE_WIDTH * TILE_WIDTH);
        self.tree = Frontier::beginning_at(start);
        // Without the head of the last bundle there is nothing to hold the row against.
        (self.head, self.signed) = row.map_or(([0; 32], 0), |row| (row.head, row.signed));
        // One more than a tail may have, so that one too many is seen.
        let rest = "WHERE tenant = $1 ORDER BY first LIMIT 257";
        let tenant = self.tenant.as_str().into();
        let segments: Vec<Segment> = select(connection, rest, &[tenant]).await?;
        let mut broken = None;
        for segment in segments {
            let hashes;
            (hashes, broken) = self.segment(&segment);
            if broken.is_some() {
                break;
            }
            self.tree = Frontier::beginning_at(self.tree.size() + hashes.len() as u64);
        }
        let rows = self.rows(connection).await?;
        let (end, contradiction) = (self.tree.size(), self.contradiction(row));
        let contradiction = contradiction.and_then(|fault| self.at(end, fault));
        Ok((rows.or(broken).or(contradiction), end - start))
    }

    /// Reads and hashes leaves and holds each against its stored hash.
    fn leaves(
        &mut self,
        entries: &[u8],
        stored: Option<&[Hash]>,
        hashes: &mut Vec<Hash>,
    ) -> Broken {
        for (index, bytes) in (self.tree.size()..).zip(leaves(entries)) {
            let place = hashes.len();
            let Some(bytes) = bytes else {
                return self.at(index, Fault::LeafChanged);
            };
            let hash = leaf_hash(bytes);
            let is_kept =
                stored.is_none_or(|stored| stored.get(place).is_none_or(|kept| *kept == hash));
            let leaf = Leaf::decode(bytes);
            let leaf = leaf.filter(|leaf| leaf.index == index && leaf.tenant == self.tenant);
            let Some(leaf) = leaf.filter(|_| is_kept) else {
                return self.at(index, Fault::LeafChanged);
            };
            self.time(index, leaf.time.micros());
            let wanted = leaf.changes.into_iter();
            self.wanted.extend(wanted.map(|change| Wanted {
                leaf: index,
                change,
            }));
            hashes.push(hash);
            self.head = hash;
        }
        None
    }

    /// Notes a leaf before which the clock went back.
    fn time(&mut self, index: u64, time_us: i64) {
        let back_us = self.latest_us.saturating_sub(time_us);
        if time_us < self.last_us && back_us > CLOCK_STEP_US {
            let place = Place::new(&self.tenant, index);
            super::list(
                &mut self.check.seen.clock_steps,
                ClockStep { place, back_us },
            );
        }
        self.last_us = time_us;
        self.latest_us = self.latest_us.max(time_us);
    }

    /// Adds leaves to the tree, and stops where a checkpoint says what the root was.
    async fn grow(
        &mut self,
        connection: &mut AnyConnection,
        hashes: &[Hash],
    ) -> Result<Broken, Error> {
        self.read_ahead(connection).await?;
        let end = self.tree.size() + hashes.len() as u64;
        let is_whole = hashes.len() as u64 == TILE_WIDTH;
        if is_whole && self.ahead.front().is_none_or(|next| next.size > end) {
            self.tree.push_perfect(8, perfect_root(hashes));
            return Ok(None);
        }
        for hash in hashes {
            self.tree.push(*hash);
            loop {
                self.read_ahead(connection).await?;
                let size = self.tree.size();
                let Some(said) = self.ahead.pop_front_if(|next| next.size == size) else {
                    break;
                };
                if said.origin.is_empty() {
                    return Ok(self.at(self.held, Fault::CheckpointUnsigned { size }));
                }
                if said.root != self.tree.root() {
                    return Ok(self.at(self.held, Fault::Rewritten { size }));
                }
                self.held = size;
                self.check.seen.checkpoints += 1;
            }
        }
        Ok(None)
    }

    /// Keeps the next checkpoints at hand, those from outside among them.
    async fn read_ahead(&mut self, connection: &mut AnyConnection) -> Result<(), Error> {
        if !self.ahead.is_empty() || self.read_to == Some(u64::MAX) {
            return Ok(());
        }
        let rest = "WHERE tenant = $1 AND size > $2 ORDER BY size LIMIT $3";
        let after = self.read_to.unwrap_or(0);
        let values = [
            self.tenant.as_str().into(),
            Value::from(after.cast_signed()),
            CHECKPOINTS.into(),
        ];
        let stored: Vec<StoredCheckpoint> = select(connection, rest, &values).await?;
        let name = origin(&self.check.store, &self.tenant);
        let is_last = (stored.len() as i64) < CHECKPOINTS;
        self.signed = stored.last().map_or(self.signed, |last| last.size);
        let to = match stored.last() {
            Some(last) if !is_last => last.size,
            _ => u64::MAX,
        };
        let said = stored.iter().map(|row| {
            let opened = self.check.opened_stored(row);
            let opened = opened.filter(|said| said.origin == name && said.size == row.size);
            // One that does not hold keeps its place, without a name.
            opened.unwrap_or(Checkpoint {
                origin: String::new(),
                size: row.size,
                root: [0; 32],
            })
        });
        let mut next: Vec<_> = said.collect();
        let kept = self.check.kept(&name).into_iter();
        next.extend(kept.filter(|said| said.size > after && said.size <= to));
        next.sort_by_key(|said| said.size);
        self.ahead = next.into();
        self.read_to = Some(to);
        Ok(())
    }

    /// Puts the root of a full tile into the tile above.
    async fn raise(&mut self, connection: &mut AnyConnection, root: Hash) -> Result<Broken, Error> {
        let (mut level, mut root) = (1_u8, root);
        loop {
            let place = usize::from(level) - 1;
            if self.edge.len() <= place {
                self.edge.push(Vec::new());
            }
            let Some(hashes) = self.edge.get_mut(place) else {
                return Ok(None);
            };
            hashes.push(root);
            if (hashes.len() as u64) < TILE_WIDTH {
                return Ok(None);
            }
            let hashes = std::mem::take(hashes);
            let broken = self.tile(connection, level, &hashes).await?;
            if broken.is_some() {
                return Ok(broken);
            }
            (level, root) = (level + 1, perfect_root(&hashes));
        }
    }

    /// Compares the newest tile of a level.
    async fn tile(
        &mut self,
        connection: &mut AnyConnection,
        level: u8,
        hashes: &[Hash],
    ) -> Result<Broken, Error> {
        let span = 1_u64 << (8 * (u32::from(level) + 1));
        let is_full = hashes.len() as u64 == TILE_WIDTH;
        let n = (self.tree.size() / span).saturating_sub(u64::from(is_full));
        let stored = read::tile(connection, &self.tenant, level, n).await;
        self.tiles += 1;
        match stored {
            Ok(Some(stored)) if stored == hashes => Ok(None),
            Ok(_) | Err(Error::Corrupt { .. }) => {
                Ok(self.at(n * span, Fault::TileChanged { level, n }))
            }
            Err(error) => Err(error),
        }
    }

    async fn rows(&mut self, connection: &mut AnyConnection) -> Result<Broken, Error> {
        let wanted = std::mem::take(&mut self.wanted);
        let broken = self
            .check
            .rows
            .compare(connection, &self.tenant, &wanted)
            .await?;
        Ok(broken.map(|(place, fault)| (Some(place), fault)))
    }

    /// At the end of the tree: the unfinished tiles, what is left over, and what is missing.
    async fn end(mut self, connection: &mut AnyConnection) -> Result<Broken, Error> {
        let size = self.tree.size();
        for (level, hashes) in (1..).zip(std::mem::take(&mut self.edge)) {
            if !hashes.is_empty()
                && let Some(broken) = self.tile(connection, level, &hashes).await?
            {
                return Ok(Some(broken));
            }
        }
        self.read_ahead(connection).await?;
        if let Some(next) = self.ahead.front() {
            let fault = match next.origin.is_empty() {
                true => Fault::CheckpointUnsigned { size: next.size },
                false => Fault::Shortened { size: next.size },
            };
            return Ok(self.at(size, fault));
        }
        let row = read::tree_row(connection, &self.tenant).await?;
        if let Some(fault) = self.contradiction(row.as_ref()) {
            return Ok(self.at(size, fault));
        }
        let leftovers = [
            (TILES, self.tiles, Fault::TileSurplus),
            (
                BUNDLES,
                (size / TILE_WIDTH).cast_signed(),
                Fault::LeafSurplus,
            ),
            (SEGMENTS, self.segments, Fault::LeafSurplus),
        ];
        for (text, expected, fault) in leftovers {
            if select_number_of(connection, text, &self.tenant).await? != expected {
                return Ok(self.at(size, fault));
            }
        }
        self.check.seen.leaves += size;
        self.check.seen.heads.push(TreeHead {
            tenant: self.tenant,
            size,
            root: self.tree.root(),
        });
        Ok(None)
    }

    /// How the row of the tree contradicts its leaves and checkpoints.
    fn contradiction(&self, row: Option<&TreeRow>) -> Option<Fault> {
        let size = self.tree.size();
        let Some(row) = row else {
            return (size > 0).then_some(Fault::LeafSurplus);
        };
        match row.size {
            said if said > size => Some(Fault::LeafMissing),
            said if said < size => Some(Fault::LeafSurplus),
            _ if row.head != self.head => Some(Fault::LeafChanged),
            _ if row.signed != self.signed => Some(Fault::CheckpointMissing { size: row.signed }),
            _ => None,
        }
    }
}

const TILES: &str = "SELECT COUNT(*) FROM trail_tiles WHERE tenant = $1";
const BUNDLES: &str = "SELECT COUNT(*) FROM trail_bundles WHERE tenant = $1";
const SEGMENTS: &str = "SELECT COUNT(*) FROM trail_tail WHERE tenant = $1";
