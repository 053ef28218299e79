//! Growing the trees inside the transaction that writes what the leaves record.
//!
//! Leaves are appended to a tail; every 256 leaves the tail becomes one entry bundle and one tile,
//! whose root goes into the tile above. So a commit writes its own leaves and, now and then, the
//! 255 before them once more, however large the tree is.

use super::{
    change::Change,
    leaf::{self, Bundle},
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
    tree: Tree,
    leaves: Vec<Vec<u8>>,
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
        if !self.0.contains_key(tenant) {
            let tree = match trees.0.get(tenant) {
                Some(tree) => tree.clone(),
                None => load(connection, tenant).await?,
            };
            let fresh = Fresh {
                tree,
                ..Fresh::default()
            };
            self.0.insert(tenant.to_owned(), fresh);
        }
        let fresh = self.0.entry(tenant.to_owned()).or_default();
        let index = fresh.next();
        let leaf = leaf::encode(index, now, entry, changes);
        fresh.hashes.push(leaf_hash(&leaf));
        fresh.leaves.push(leaf);
        Ok(index)
    }

    /// The number that the next leaf of an entry's tenant gets, if that tree was read already.
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
    fn next(&self) -> u64 {
        self.tree.size + self.hashes.len() as u64
    }

    /// Writes the new leaves, bundle by bundle, and where the tree stands after them.
    async fn store(
        &mut self,
        connection: &mut AnyConnection,
        statements: &Statements,
        tenant: &str,
    ) -> Result<(), Error> {
        let mut rest = std::mem::take(&mut self.leaves).into_iter();
        let hashes = std::mem::take(&mut self.hashes);
        let mut hashes = hashes.as_slice();
        while !hashes.is_empty() {
            let room = (TILE_WIDTH - self.tree.size % TILE_WIDTH) as usize;
            let (now, later) = hashes.split_at(room.min(hashes.len()));
            let mut bundle = Bundle::default();
            rest.by_ref()
                .take(now.len())
                .for_each(|leaf| bundle.push(&leaf));
            let first = self.tree.size;
            self.tree.size += now.len() as u64;
            self.tree.tail.extend_from_slice(now);
            self.tree.head = now.last().copied().unwrap_or(self.tree.head);
            if now.len() < room {
                let part = Segment::new(tenant, first, bundle.bytes(), now);
                statements.tail.run(connection, &[&part]).await?;
            } else {
                self.complete(connection, statements, tenant, first, bundle.bytes())
                    .await?;
            }
            hashes = later;
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

    /// The leaves up to here make whole bundles: the tail becomes the last of them.
    async fn complete(
        &mut self,
        connection: &mut AnyConnection,
        statements: &Statements,
        tenant: &str,
        first: u64,
        newest: &[u8],
    ) -> Result<(), Error> {
        let n = self.tree.size / TILE_WIDTH - 1;
        let mut entries = Vec::new();
        if !first.is_multiple_of(TILE_WIDTH) {
            entries = read::tail(connection, tenant, n * TILE_WIDTH)
                .await?
                .entries;
            sqlx::query("DELETE FROM trail_tail WHERE tenant = $1")
                .bind(tenant)
                .execute(&mut *connection)
                .await?;
        }
        entries.extend_from_slice(newest);
        let bundle = BundleRow {
            tenant: tenant.to_owned(),
            n,
            entries,
        };
        statements.bundles.run(connection, &[&bundle]).await?;
        let hashes = std::mem::take(&mut self.tree.tail);
        let tile = Tile::new(tenant, 0, n, &hashes);
        statements.tiles.run(connection, &[&tile]).await?;
        raise(connection, statements, tenant, n, perfect_root(&hashes)).await
    }
}

/// Puts the root of a full tile into the tile above, and so on while that is full too.
async fn raise(
    connection: &mut AnyConnection,
    statements: &Statements,
    tenant: &str,
    below: u64,
    root: Hash,
) -> Result<(), Error> {
    let (mut level, mut below, mut root) = (1, below, root);
    loop {
        let (n, place) = (below / TILE_WIDTH, below % TILE_WIDTH);
        if place == 0 {
            let tile = Tile::new(tenant, level, n, &[root]);
            return statements.tiles.run(connection, &[&tile]).await;
        }
        let mut hashes = read::tile(connection, tenant, level, n)
            .await?
            .unwrap_or_default();
        if hashes.len() as u64 != place {
            return Err(Error::corrupt("a tile of the trail has the wrong width"));
        }
        hashes.push(root);
        sqlx::query(
            "UPDATE trail_tiles SET hashes = $1 WHERE tenant = $2 AND level = $3 AND n = $4",
        )
        .bind(hashes.as_flattened())
        .bind(tenant)
        .bind(i16::from(level))
        .bind(n.cast_signed())
        .execute(&mut *connection)
        .await?;
        if place + 1 < TILE_WIDTH {
            return Ok(());
        }
        (level, below, root) = (level + 1, n, perfect_root(&hashes));
    }
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

impl Segment {
    fn new(tenant: &str, first: u64, entries: &[u8], hashes: &[Hash]) -> Self {
        Self {
            tenant: tenant.to_owned(),
            first,
            entries: entries.to_vec(),
            hashes: hashes.as_flattened().to_vec(),
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
