//! Reading trees: where they stand, their leaves and tiles, and the hashes that proofs are made of.

use super::{
    growth::{BundleRow, Segment, TILE_WIDTH, Tile},
    leaf::{self, first_leaves},
    merkle::{
        Frontier, Hash, consistency_ranges, inclusion_ranges, node_hash, perfect_root,
        perfect_trees,
    },
    tile::{Resource, TilePath},
};
use crate::{
    Database, Error,
    sql::{Fields, Stored, select},
};
use paywarden_domain::TenantId;
use sqlx::{AnyConnection, AssertSqlSafe, any::AnyRow};
use std::{collections::HashMap, ops::Range};

/// The most leaves of one answer.
pub const LEAVES_MAX: u32 = 1_000;

/// A tree and its root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeHead {
    /// Whose tree it is.
    pub tenant: String,
    /// How many leaves it has.
    pub size: u64,
    /// The root over all of them.
    pub root: Hash,
}

/// Where a tree stands, as its row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TreeRow {
    pub(crate) tenant: String,
    pub(crate) size: u64,
    pub(crate) head: Hash,
    pub(crate) signed: u64,
}

impl Stored for TreeRow {
    const TABLE: &'static str = "trail_trees";
    const COLUMNS: &'static [&'static str] = &["tenant", "size", "head", "signed"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            tenant: fields.take()?,
            size: fields.counted()?,
            head: fields
                .hash()?
                .ok_or_else(|| Error::corrupt("a tree has no head"))?,
            signed: fields.counted()?,
        })
    }
}

/// The leaves after the last bundle.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    pub(crate) entries: Vec<u8>,
    pub(crate) hashes: Vec<Hash>,
}

impl Database {
    /// Every tree with its root, by tenant. Together they stand for the whole trail.
    pub async fn trail_heads(&self) -> Result<Vec<TreeHead>, Error> {
        let mut snapshot = self.snapshot().await?;
        let rows: Vec<TreeRow> = select(&mut snapshot, "ORDER BY tenant", &[]).await?;
        let mut heads = Vec::with_capacity(rows.len());
        for row in rows {
            let root = Reader::new(&mut snapshot, &row.tenant)
                .root(row.size)
                .await?;
            let TreeRow { tenant, size, .. } = row;
            heads.push(TreeHead { tenant, size, root });
        }
        snapshot.rollback().await?;
        Ok(heads)
    }

    /// Everybody who has a tree, by name.
    pub async fn trail_tenants(&self) -> Result<Vec<TenantId>, Error> {
        let rows = sqlx::query("SELECT tenant FROM trail_trees ORDER BY tenant");
        let rows = rows.fetch_all(&mut *self.reader().await?).await?;
        let read = |row: &sqlx::any::AnyRow| Fields::of(row).parsed(TenantId::parse);
        rows.iter().map(read).collect()
    }

    /// How many leaves all trees have together.
    pub async fn trail_leaves_count(&self) -> Result<u64, Error> {
        let count = self
            .number("SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM trail_trees")
            .await?;
        Ok(count.unsigned_abs())
    }

    /// How many leaves a tenant's tree has.
    pub async fn trail_size(&self, tenant: &TenantId) -> Result<u64, Error> {
        let row = tree_row(&mut *self.reader().await?, tenant.as_str()).await?;
        Ok(row.map_or(0, |row| row.size))
    }

    /// The root of a tenant's tree when it had `size` leaves.
    pub async fn trail_root(&self, tenant: &TenantId, size: u64) -> Result<Hash, Error> {
        let mut connection = self.reader().await?;
        Reader::new(&mut connection, tenant.as_str())
            .root(size)
            .await
    }

    /// The proof that leaf `index` is in the tree of `size` leaves.
    pub async fn trail_inclusion(
        &self,
        tenant: &TenantId,
        index: u64,
        size: u64,
    ) -> Result<Vec<Hash>, Error> {
        if index >= size {
            return Err(Error::invalid("the leaf is not in the tree of this size"));
        }
        self.proof(tenant, size, inclusion_ranges(index, size))
            .await
    }

    /// The proof that the tree of `size` leaves begins with the tree of `old_size` leaves.
    pub async fn trail_consistency(
        &self,
        tenant: &TenantId,
        old_size: u64,
        size: u64,
    ) -> Result<Vec<Hash>, Error> {
        if old_size == 0 || old_size > size {
            return Err(Error::invalid(
                "the old tree has from 1 leaf to as many as the new one",
            ));
        }
        self.proof(tenant, size, consistency_ranges(old_size, size))
            .await
    }

    async fn proof(
        &self,
        tenant: &TenantId,
        size: u64,
        ranges: Vec<Range<u64>>,
    ) -> Result<Vec<Hash>, Error> {
        let mut connection = self.reader().await?;
        let mut reader = Reader::new(&mut connection, tenant.as_str());
        if reader.gather(&ranges).await? < size {
            return Err(Error::invalid("the tree has fewer leaves"));
        }
        let mut proof = Vec::with_capacity(ranges.len());
        for range in ranges {
            proof.push(reader.range(&range).await?);
        }
        Ok(proof)
    }

    /// The bytes of up to `limit` (at most 1,000) leaves from number `first` on.
    pub async fn trail_leaves(
        &self,
        tenant: &TenantId,
        first: u64,
        limit: u32,
    ) -> Result<Vec<Vec<u8>>, Error> {
        let end = first.saturating_add(u64::from(limit.min(LEAVES_MAX)));
        let mut snapshot = self.snapshot().await?;
        let mut reader = Reader::new(&mut snapshot, tenant.as_str());
        let mut found = Vec::new();
        for n in first / TILE_WIDTH..end.div_ceil(TILE_WIDTH) {
            let Some(bundle) = reader.bundle(n).await? else {
                break;
            };
            for (index, leaf) in (n * TILE_WIDTH..).zip(leaf::leaves(&bundle)) {
                let leaf = leaf.ok_or_else(|| Error::corrupt("a bundle of the trail"))?;
                if (first..end).contains(&index) {
                    found.push(leaf.to_vec());
                }
            }
        }
        snapshot.rollback().await?;
        Ok(found)
    }

    /// A resource of C2SP tlog-tiles; none if the tree does not reach so far.
    pub async fn trail_tile(
        &self,
        tenant: &TenantId,
        path: &TilePath,
    ) -> Result<Option<Vec<u8>>, Error> {
        let mut snapshot = self.snapshot().await?;
        let mut reader = Reader::new(&mut snapshot, tenant.as_str());
        let width = usize::from(path.width);
        let found = match path.resource {
            Resource::Entries => {
                let bundle = reader.bundle(path.n).await?;
                bundle.and_then(|bundle| first_leaves(&bundle, width).map(<[u8]>::to_vec))
            }
            Resource::Hashes(level) => {
                let hashes = reader.hashes(level, path.n).await?;
                hashes.get(..width).map(|part| part.as_flattened().to_vec())
            }
        };
        snapshot.rollback().await?;
        Ok(found)
    }
}

/// Reads one tree, every tile once.
pub(crate) struct Reader<'c, 't> {
    connection: &'c mut AnyConnection,
    tenant: &'t str,
    tiles: HashMap<(u8, u64), Vec<Hash>>,
}

impl<'c, 't> Reader<'c, 't> {
    pub(crate) fn new(connection: &'c mut AnyConnection, tenant: &'t str) -> Self {
        Self {
            connection,
            tenant,
            tiles: HashMap::new(),
        }
    }

    /// Reads every tile that the roots of these ranges are made of, and the tail, by one statement:
    /// they are of one moment, and what a proof costs is mostly the way to the database and back.
    /// How many leaves the tree has.
    async fn gather(&mut self, ranges: &[Range<u64>]) -> Result<u64, Error> {
        let trees = ranges.iter().flat_map(perfect_trees);
        let mut wanted: Vec<(u8, u64)> = trees.map(|tree| Place::of(tree).tile()).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let rows = parts(self.connection, self.tenant, &wanted).await?;
        let (mut size, mut tail) = (0, Vec::new());
        self.tiles.extend(wanted.iter().map(|at| (*at, Vec::new())));
        for Part { of, n, hashes } in rows {
            match of {
                PartOf::Tree => size = n,
                PartOf::Tail => tail.push((n, hashes)),
                PartOf::Tile(level) => {
                    self.tiles.insert((level, n), cut(&hashes)?);
                }
            }
        }
        tail.sort_unstable();
        let unfinished = self.tiles.get_mut(&(0, size / TILE_WIDTH));
        if let Some(unfinished) = unfinished.filter(|hashes| hashes.is_empty()) {
            let first = size / TILE_WIDTH * TILE_WIDTH;
            for (start, hashes) in tail {
                if start != first + unfinished.len() as u64 {
                    break;
                }
                unfinished.extend(cut(&hashes)?);
            }
        }
        Ok(size)
    }

    /// The root of the first `size` leaves.
    pub(crate) async fn root(&mut self, size: u64) -> Result<Hash, Error> {
        match size {
            0 => Ok(Frontier::default().root()),
            _ => {
                let all = 0..size;
                self.gather(std::slice::from_ref(&all)).await?;
                self.range(&all).await
            }
        }
    }

    /// The root of some leaves.
    async fn range(&mut self, range: &Range<u64>) -> Result<Hash, Error> {
        let mut roots = Vec::new();
        for (height, number) in perfect_trees(range) {
            roots.push(self.perfect(height, number).await?);
        }
        let fold = |right: Hash, left: Hash| node_hash(&left, &right);
        roots
            .into_iter()
            .rev()
            .reduce(fold)
            .ok_or_else(|| Error::invalid("no leaves have no root"))
    }

    /// The root of perfect tree `number` of `2^height` leaves.
    async fn perfect(&mut self, height: u32, number: u64) -> Result<Hash, Error> {
        let place = Place::of((height, number));
        let (level, n) = place.tile();
        let part = self.hashes(level, n).await?.get(place.within());
        part.map(perfect_root)
            .ok_or_else(|| Error::corrupt("a tile of the trail is missing or too short"))
    }

    /// The hashes of a tile, as many as there are.
    async fn hashes(&mut self, level: u8, n: u64) -> Result<&[Hash], Error> {
        if !self.tiles.contains_key(&(level, n)) {
            let hashes = match tile(self.connection, self.tenant, level, n).await? {
                Some(hashes) => hashes,
                None if level == 0 => {
                    let first = n.saturating_mul(TILE_WIDTH);
                    tail(self.connection, self.tenant, first).await?.hashes
                }
                None => Vec::new(),
            };
            self.tiles.insert((level, n), hashes);
        }
        Ok(self.tiles.get(&(level, n)).map_or(&[], Vec::as_slice))
    }

    /// An entry bundle, as far as there are leaves; none if there are none.
    pub(crate) async fn bundle(&mut self, n: u64) -> Result<Option<Vec<u8>>, Error> {
        let rest = "WHERE tenant = $1 AND n = $2";
        let values = [self.tenant.into(), n.cast_signed().into()];
        let rows: Vec<BundleRow> = select(self.connection, rest, &values).await?;
        if let Some(row) = rows.into_iter().next() {
            return Ok(Some(row.entries));
        }
        let entries = tail(self.connection, self.tenant, n.saturating_mul(TILE_WIDTH))
            .await?
            .entries;
        Ok((!entries.is_empty()).then_some(entries))
    }
}

/// Where the hashes stand that a perfect tree is made of.
#[derive(Debug, Clone, Copy)]
struct Place {
    level: u8,
    /// The number of the first hash within its level.
    first: u64,
    count: usize,
}

impl Place {
    /// Of perfect tree `number` of `2^height` leaves.
    fn of((height, number): (u32, u64)) -> Self {
        let within = height % 8;
        Self {
            level: (height / 8) as u8,
            first: number << within,
            count: 1 << within,
        }
    }

    fn tile(self) -> (u8, u64) {
        (self.level, self.first / TILE_WIDTH)
    }

    fn within(self) -> Range<usize> {
        let start = (self.first % TILE_WIDTH) as usize;
        start..start + self.count
    }
}

/// What a row of the one statement of a proof is of.
enum PartOf {
    /// The tree: its size, and its head, which no proof needs.
    Tree,
    /// The leaves after the last bundle, from number `n` on.
    Tail,
    /// A tile of a level.
    Tile(u8),
}

struct Part {
    of: PartOf,
    n: u64,
    hashes: Vec<u8>,
}

/// Tiles, the tail behind the last bundle and the size of a tree, by one statement.
async fn parts(
    connection: &mut AnyConnection,
    tenant: &str,
    tiles: &[(u8, u64)],
) -> Result<Vec<Part>, Error> {
    let mut text = String::from(
        "SELECT CAST(-2 AS SMALLINT), size, head FROM trail_trees WHERE tenant = $1
         UNION ALL SELECT CAST(-1 AS SMALLINT), first, hashes FROM trail_tail WHERE tenant = $1",
    );
    for place in 0..tiles.len() {
        let (level, n) = (2 * place + 2, 2 * place + 3);
        text += &format!(
            " UNION ALL SELECT level, n, hashes FROM trail_tiles
              WHERE tenant = $1 AND level = ${level} AND n = ${n}"
        );
    }
    let query = sqlx::query(AssertSqlSafe(text)).bind(tenant);
    let query = tiles.iter().fold(query, |query, (level, n)| {
        query.bind(i64::from(*level)).bind(n.cast_signed())
    });
    let rows = query.fetch_all(connection).await?;
    let part = |row: &AnyRow| {
        let mut fields = Fields::of(row);
        let of = match fields.take::<i16>()? {
            -2 => PartOf::Tree,
            -1 => PartOf::Tail,
            level => {
                let level = u8::try_from(level);
                PartOf::Tile(level.map_err(|_| Error::corrupt("a tile has no level"))?)
            }
        };
        let (n, hashes) = (fields.counted()?, fields.take()?);
        Ok(Part { of, n, hashes })
    };
    rows.iter().map(part).collect()
}

/// Where a tree stands, if it has begun.
pub(crate) async fn tree_row(
    connection: &mut AnyConnection,
    tenant: &str,
) -> Result<Option<TreeRow>, Error> {
    let rows = select(connection, "WHERE tenant = $1", &[tenant.into()]).await?;
    Ok(rows.into_iter().next())
}

/// A stored tile.
pub(crate) async fn tile(
    connection: &mut AnyConnection,
    tenant: &str,
    level: u8,
    n: u64,
) -> Result<Option<Vec<Hash>>, Error> {
    let rest = "WHERE tenant = $1 AND level = $2 AND n = $3";
    let values = [
        tenant.into(),
        i64::from(level).into(),
        n.cast_signed().into(),
    ];
    let rows: Vec<Tile> = select(connection, rest, &values).await?;
    rows.into_iter()
        .next()
        .map(|tile| cut(&tile.hashes))
        .transpose()
}

/// The tail, if it begins with leaf `first`.
pub(crate) async fn tail(
    connection: &mut AnyConnection,
    tenant: &str,
    first: u64,
) -> Result<Tail, Error> {
    let rest = "WHERE tenant = $1 AND first >= $2 ORDER BY first";
    let values = [tenant.into(), first.cast_signed().into()];
    let segments: Vec<Segment> = select(connection, rest, &values).await?;
    let mut all = Tail::default();
    for segment in segments {
        let next = first.saturating_add(all.hashes.len() as u64);
        if segment.first != next {
            break;
        }
        all.entries.extend_from_slice(&segment.entries);
        all.hashes.extend(cut(&segment.hashes)?);
    }
    Ok(all)
}

/// Bytes as hashes.
pub(crate) fn cut(bytes: &[u8]) -> Result<Vec<Hash>, Error> {
    match bytes.as_chunks() {
        (hashes, []) => Ok(hashes.to_vec()),
        _ => Err(Error::corrupt("a tile is not made of hashes")),
    }
}
