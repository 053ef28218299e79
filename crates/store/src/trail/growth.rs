//! Growing the trees inside the transaction that writes what the leaves record.
//!
//! Leaves are appended to a tail; every 256 leaves the tail becomes one entry bundle and one tile,
//! whose root goes into the tile above. So a commit writes its own leaves and, now and then, the
//! 255 before them once more, however large the tree is. It takes few statements: all bundles of
//! a commit go in together, and so do all tiles; the tile above grows once.

use super::{
    change::Change,
    leaf::Bundle,
    merkle::{Hash, leaf_hash, perfect_root},
    read,
};
use crate::{
    Backend, Entry, Error,
    sql::{AnyQuery, Fields, Insert, Insertable, Stored},
};
use paywarden_domain::Timestamp;
use sqlx::AnyConnection;
use std::collections::{BTreeMap, HashMap};

/// Leaves of one bundle and hashes of one tile, as C2SP tlog-tiles has it.
pub const TILE_WIDTH: u64 = 256;
/// The most trees whose tail is kept in memory, about 8 KiB each; others are read again.
const TREES_MAX: usize = 4_096;

/// Where a tree stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    pub(crate) size: u64,
    /// Hash of the newest leaf.
    pub(crate) head: Hash,
    /// Hashes of the leaves after the last bundle.
    tail: Vec<Hash>,
}

/// The trees as they are committed.
#[derive(Debug, Default)]
pub(crate) struct Trees(HashMap<String, Tree>);

/// What one batch adds to the trees.
#[derive(Debug, Default)]
pub(crate) struct Growth(BTreeMap<String, Fresh>);

/// New leaves of one tree.
#[derive(Debug, Default)]
struct Fresh {
    /// Where it stands with them.
    tree: Tree,
    /// The new leaves, cut where a bundle ends.
    parts: Vec<Part>,
}

/// New leaves of one bundle.
#[derive(Debug)]
struct Part {
    /// Number of the first.
    first: u64,
    entries: Bundle,
    hashes: Vec<Hash>,
}

impl Trees {
    /// Takes over what was committed.
    pub(crate) fn apply(&mut self, growth: Growth) {
        if self.0.len() + growth.0.len() > TREES_MAX {
            self.0.clear();
        }
        self.0.extend(
            growth
                .0
                .into_iter()
                .map(|(tenant, fresh)| (tenant, fresh.tree)),
        );
    }

    /// Forgets everything: it is read again when it is needed.
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }
}

impl Growth {
    /// Adds the leaf of an entry; its number in the tree of its tenant.
    pub(crate) async fn add(
        &mut self,
        connection: &mut AnyConnection,
        trees: &Trees,
        now: Timestamp,
        entry: &Entry,
        changes: &[Change],
    ) -> Result<u64, Error> {
        let tenant = entry.tenant.as_str();
        if let Some(fresh) = self.0.get_mut(tenant) {
            return Ok(fresh.push(now, entry, changes));
        }
        let tree = match trees.0.get(tenant) {
            Some(tree) => tree.clone(),
            None => load(connection, tenant).await?,
        };
        let parts = Vec::new();
        let fresh = self.0.entry(tenant.to_owned());
        let fresh = fresh.or_insert(Fresh { tree, parts });
        Ok(fresh.push(now, entry, changes))
    }

    /// Writes the new leaves of every tree, and where it stands after them.
    pub(crate) async fn store(
        &mut self,
        connection: &mut AnyConnection,
        statements: &Statements,
    ) -> Result<(), Error> {
        for (tenant, fresh) in &mut self.0 {
            fresh.store(connection, statements, tenant).await?;
        }
        Ok(())
    }

    /// Whether the trees are stored as this batch leaves them.
    pub(crate) async fn is_stored(&self, connection: &mut AnyConnection) -> Result<bool, Error> {
        for (tenant, fresh) in &self.0 {
            let stored = read::tree_row(connection, tenant).await?;
            if stored.is_none_or(|row| (row.size, row.head) != (fresh.tree.size, fresh.tree.head)) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Fresh {
    /// Adds a leaf; its number.
    fn push(&mut self, now: Timestamp, entry: &Entry, changes: &[Change]) -> u64 {
        let index = self.tree.size;
        if self.parts.is_empty() || index.is_multiple_of(TILE_WIDTH) {
            self.parts.push(Part {
                first: index,
                entries: Bundle::default(),
                hashes: Vec::new(),
            });
        }
        if let Some(part) = self.parts.last_mut() {
            let hash = leaf_hash(part.entries.push(index, now, entry, changes));
            part.hashes.push(hash);
            self.tree.head = hash;
        }
        self.tree.size += 1;
        index
    }

    async fn store(
        &mut self,
        connection: &mut AnyConnection,
        statements: &Statements,
        tenant: &str,
    ) -> Result<(), Error> {
        let (mut bundles, mut tiles) = (Vec::new(), Vec::new());
        for part in std::mem::take(&mut self.parts) {
            let (n, first) = (part.first / TILE_WIDTH, part.first);
            self.tree.tail.extend_from_slice(&part.hashes);
            if (self.tree.tail.len() as u64) < TILE_WIDTH {
                let part = Segment::new(tenant, part);
                statements.tail.run(connection, &[&part]).await?;
                break;
            }
            let mut entries = part.entries.into_bytes();
            if !first.is_multiple_of(TILE_WIDTH) {
                let before = take_tail(connection, tenant, n * TILE_WIDTH).await?;
                entries.splice(..0, before);
            }
            bundles.push(BundleRow::new(tenant, n, entries));
            tiles.push(std::mem::take(&mut self.tree.tail));
        }
        if let Some(first) = bundles.first() {
            let n = first.n;
            let bundles: Vec<_> = bundles.iter().collect();
            statements.bundles.run(connection, &bundles).await?;
            grow(connection, statements, tenant, n, tiles).await?;
        }
        let text = "INSERT INTO trail_trees (tenant, size, head, signed) VALUES ($1, $2, $3, 0)
            ON CONFLICT (tenant) DO UPDATE SET size = excluded.size, head = excluded.head";
        sqlx::query(text)
            .bind(tenant)
            .bind(self.tree.size.cast_signed())
            .bind(self.tree.head.as_slice())
            .execute(connection)
            .await?;
        Ok(())
    }
}

/// The leaves of the tail, which are about to become a part of a bundle; the tail has none then.
async fn take_tail(
    connection: &mut AnyConnection,
    tenant: &str,
    first: u64,
) -> Result<Vec<u8>, Error> {
    let tail = read::tail(connection, tenant, first).await?;
    sqlx::query("DELETE FROM trail_tail WHERE tenant = $1")
        .bind(tenant)
        .execute(connection)
        .await?;
    Ok(tail.entries)
}

/// Writes full tiles of level 0, the first of them number `n`, puts their roots into the tiles
/// above, and so on as far as those are full too.
async fn grow(
    connection: &mut AnyConnection,
    statements: &Statements,
    tenant: &str,
    mut n: u64,
    mut full: Vec<Vec<Hash>>,
) -> Result<(), Error> {
    insert(connection, statements, tenant, (0, n), &full).await?;
    for level in 1.. {
        let roots = full.iter().map(|tile| perfect_root(tile));
        let place = n % TILE_WIDTH;
        n /= TILE_WIDTH;
        let mut hashes = match place {
            0 => Vec::new(),
            _ => part_of_tile(connection, tenant, (level, n), place).await?,
        };
        hashes.extend(roots);
        let mut tiles: Vec<_> = hashes
            .chunks(TILE_WIDTH as usize)
            .map(<[_]>::to_vec)
            .collect();
        let new = match (place, tiles.split_first()) {
            (0, _) | (_, None) => (n, &*tiles),
            (_, Some((grown, new))) => {
                replace(connection, tenant, (level, n), grown).await?;
                (n + 1, new)
            }
        };
        insert(connection, statements, tenant, (level, new.0), new.1).await?;
        tiles.retain(|tile| tile.len() as u64 == TILE_WIDTH);
        if tiles.is_empty() {
            break;
        }
        full = tiles;
    }
    Ok(())
}

/// A tile that grows on, as far as it goes.
async fn part_of_tile(
    connection: &mut AnyConnection,
    tenant: &str,
    (level, n): (u8, u64),
    width: u64,
) -> Result<Vec<Hash>, Error> {
    let tile = read::tile(connection, tenant, level, n).await?;
    tile.filter(|hashes| hashes.len() as u64 == width)
        .ok_or_else(|| Error::corrupt("a tile of the trail has the wrong width"))
}

async fn replace(
    connection: &mut AnyConnection,
    tenant: &str,
    (level, n): (u8, u64),
    hashes: &[Hash],
) -> Result<(), Error> {
    let text = "UPDATE trail_tiles SET hashes = $1 WHERE tenant = $2 AND level = $3 AND n = $4";
    sqlx::query(text)
        .bind(hashes.as_flattened())
        .bind(tenant)
        .bind(i16::from(level))
        .bind(n.cast_signed())
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes tiles of one level, the first of them number `n`.
async fn insert(
    connection: &mut AnyConnection,
    statements: &Statements,
    tenant: &str,
    (level, n): (u8, u64),
    tiles: &[Vec<Hash>],
) -> Result<(), Error> {
    let rows = (n..).zip(tiles);
    let rows: Vec<_> = rows
        .map(|(n, hashes)| Tile::new(tenant, level, n, hashes))
        .collect();
    let rows: Vec<_> = rows.iter().collect();
    statements.tiles.run(connection, &rows).await
}

/// Where a stored tree stands.
async fn load(connection: &mut AnyConnection, tenant: &str) -> Result<Tree, Error> {
    let Some(row) = read::tree_row(connection, tenant).await? else {
        return Ok(Tree::default());
    };
    let first = row.size - row.size % TILE_WIDTH;
    let tail = read::tail(connection, tenant, first).await?.hashes;
    if tail.len() as u64 != row.size - first {
        return Err(Error::corrupt("the tail of the trail has the wrong length"));
    }
    Ok(Tree {
        size: row.size,
        head: row.head,
        tail,
    })
}

/// The statements of growing.
#[derive(Debug)]
pub(crate) struct Statements {
    bundles: Insert<BundleRow>,
    tail: Insert<Segment>,
    tiles: Insert<Tile>,
}

impl Statements {
    pub(crate) fn new(backend: Backend) -> Self {
        Self {
            bundles: Insert::new(backend),
            tail: Insert::new(backend),
            tiles: Insert::new(backend),
        }
    }
}

/// 256 leaves.
#[derive(Debug)]
pub(crate) struct BundleRow {
    pub(crate) tenant: String,
    pub(crate) n: u64,
    pub(crate) entries: Vec<u8>,
}

/// Leaves after the last bundle that were committed together.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) tenant: String,
    pub(crate) first: u64,
    pub(crate) entries: Vec<u8>,
    pub(crate) hashes: Vec<u8>,
}

/// Up to 256 hashes of one level.
#[derive(Debug)]
pub(crate) struct Tile {
    pub(crate) tenant: String,
    pub(crate) level: u8,
    pub(crate) n: u64,
    pub(crate) hashes: Vec<u8>,
}

impl BundleRow {
    fn new(tenant: &str, n: u64, entries: Vec<u8>) -> Self {
        Self {
            tenant: tenant.to_owned(),
            n,
            entries,
        }
    }
}

impl Segment {
    fn new(tenant: &str, part: Part) -> Self {
        Self {
            tenant: tenant.to_owned(),
            first: part.first,
            entries: part.entries.into_bytes(),
            hashes: part.hashes.as_flattened().to_vec(),
        }
    }
}

impl Tile {
    fn new(tenant: &str, level: u8, n: u64, hashes: &[Hash]) -> Self {
        Self {
            tenant: tenant.to_owned(),
            level,
            n,
            hashes: hashes.as_flattened().to_vec(),
        }
    }
}

impl Stored for BundleRow {
    const TABLE: &'static str = "trail_bundles";
    const COLUMNS: &'static [&'static str] = &["tenant", "n", "entries"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            tenant: fields.take()?,
            n: fields.counted()?,
            entries: fields.take()?,
        })
    }
}

impl Insertable for BundleRow {
    fn bind<'q>(&'q self, query: AnyQuery<'q>) -> AnyQuery<'q> {
        query
            .bind(self.tenant.as_str())
            .bind(self.n.cast_signed())
            .bind(self.entries.as_slice())
    }
}

impl Stored for Segment {
    const TABLE: &'static str = "trail_tail";
    const COLUMNS: &'static [&'static str] = &["tenant", "first", "entries", "hashes"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            tenant: fields.take()?,
            first: fields.counted()?,
            entries: fields.take()?,
            hashes: fields.take()?,
        })
    }
}

impl Insertable for Segment {
    fn bind<'q>(&'q self, query: AnyQuery<'q>) -> AnyQuery<'q> {
        query
            .bind(self.tenant.as_str())
            .bind(self.first.cast_signed())
            .bind(self.entries.as_slice())
            .bind(self.hashes.as_slice())
    }
}

impl Stored for Tile {
    const TABLE: &'static str = "trail_tiles";
    const COLUMNS: &'static [&'static str] = &["tenant", "level", "n", "hashes"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            tenant: fields.take()?,
            level: fields.numbered(Some)?,
            n: fields.counted()?,
            hashes: fields.take()?,
        })
    }
}

impl Insertable for Tile {
    fn bind<'q>(&'q self, query: AnyQuery<'q>) -> AnyQuery<'q> {
        query
            .bind(self.tenant.as_str())
            .bind(i16::from(self.level))
            .bind(self.n.cast_signed())
            .bind(self.hashes.as_slice())
    }
}
