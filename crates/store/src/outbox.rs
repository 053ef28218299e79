//! The outbox: leaves of the trail that still have to be handled by the rest of the system.
//!
//! A leaf is put here by the transaction that writes it. A consumer claims leaves for a while,
//! handles them, and strikes them off; what it did not finish is handed out again, so that each
//! leaf is handled at least once. Its depth is bounded by the disk alone: watch it.
//!
//! Leaves that follow each other in one tree wait as one row, a run, which is cut where a claim or
//! an acknowledgement begins or ends: a decision adds to a number instead of adding a row.

use crate::{
    Error, RowRef,
    sql::{AnyQuery, Fields, Insertable, Stored, select},
    trail::{self, Leaf, Reader, TILE_WIDTH},
};
use paywarden_domain::{TenantId, Timestamp};
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};
use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};
use tokio::sync::oneshot;

/// The most leaves claimed or struck off at a time.
const ITEMS_MAX: usize = 256;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxItem {
    /// Number of its leaf.
    pub seq: i64,
    /// When it was written.
    pub written_at: Timestamp,
    /// Whose data it is.
    pub tenant: TenantId,
    /// Who acted.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// To what.
    pub object: String,
    /// The rows that were written.
    pub rows: Vec<RowRef>,
}

/// Leaves that wait.
#[derive(Debug)]
pub(crate) struct Run {
    /// Number of the first.
    pub(crate) seq: i64,
    pub(crate) tenant: String,
    /// Number of the first in its tree.
    pub(crate) leaf: u64,
    /// How many they are.
    pub(crate) leaves: u64,
}

impl Run {
    /// Whether a leaf follows the last one; then it is one of them.
    pub(crate) fn takes(&mut self, seq: i64, tenant: &str, leaf: u64) -> bool {
        let follows = self.seq + self.leaves.cast_signed() == seq
            && self.leaf + self.leaves == leaf
            && self.tenant == tenant;
        self.leaves += u64::from(follows);
        follows
    }
}

impl Stored for Run {
    const TABLE: &'static str = "outbox";
    const COLUMNS: &'static [&'static str] = &["seq", "tenant", "leaf", "leaves"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            seq: fields.take()?,
            tenant: fields.take()?,
            leaf: fields.counted()?,
            leaves: fields.counted()?,
        })
    }
}

impl Insertable for Run {
    fn bind<'q>(&'q self, query: AnyQuery<'q>) -> AnyQuery<'q> {
        query
            .bind(self.seq)
            .bind(self.tenant.as_str())
            .bind(self.leaf.cast_signed())
            .bind(self.leaves.cast_signed())
    }
}

impl OutboxItem {
    fn new(seq: i64, leaf: &Leaf<'_>) -> Result<Self, Error> {
        let tenant = TenantId::parse(leaf.tenant);
        Ok(Self {
            seq,
            written_at: leaf.time,
            tenant: tenant.map_err(|_| Error::corrupt("a leaf of no tenant"))?,
            actor: leaf.actor.to_owned(),
            action: leaf.action.to_owned(),
            object: leaf.object.to_owned(),
            rows: leaf
                .changes
                .iter()
                .map(|change| change.row.clone())
                .collect(),
        })
    }
}

/// Work on the outbox, done by the writer like every other change.
pub(crate) struct Command {
    pub(crate) consumer: String,
    pub(crate) work: Work,
    pub(crate) reply: oneshot::Sender<Result<Done, Error>>,
}

/// What to do.
pub(crate) enum Work {
    Claim { limit: u32, lease_us: i64 },
    Acknowledge { seqs: Vec<i64> },
}

/// What it came to.
#[derive(Default)]
pub(crate) struct Done {
    pub(crate) claimed: Vec<OutboxItem>,
    pub(crate) acknowledged: u64,
}

/// Checks the limits of a command.
pub(crate) fn check(consumer: &str, items: usize) -> Result<(), Error> {
    if consumer.is_empty() || consumer.len() > 128 || consumer.contains('\0') {
        return Err(Error::invalid("a consumer has a name of 1 to 128 bytes"));
    }
    if items > ITEMS_MAX {
        return Err(Error::invalid("at most 256 leaves at a time"));
    }
    Ok(())
}

impl Command {
    pub(crate) async fn run(
        &self,
        connection: &mut AnyConnection,
        now: Timestamp,
    ) -> Result<Done, Error> {
        let mut done = Done::default();
        match &self.work {
            Work::Claim { limit, lease_us } => {
                let until = now.micros().saturating_add(*lease_us);
                let limit = i64::from(*limit);
                done.claimed = claim(connection, &self.consumer, limit, now, until).await?;
            }
            Work::Acknowledge { seqs } => {
                done.acknowledged = acknowledge(connection, &self.consumer, seqs).await?;
            }
        }
        Ok(done)
    }
}

/// Nobody else writes, so what was selected is what the update meets: every free leaf between the
/// first and the last.
async fn claim(
    connection: &mut AnyConnection,
    consumer: &str,
    limit: i64,
    now: Timestamp,
    until: i64,
) -> Result<Vec<OutboxItem>, Error> {
    let rest = "WHERE claimed_until IS NULL OR claimed_until <= $1 ORDER BY seq LIMIT $2";
    let values = [now.micros().into(), limit.into()];
    let mut runs: Vec<Run> = select(connection, rest, &values).await?;
    let mut room = limit.unsigned_abs();
    for run in &mut runs {
        run.leaves = run.leaves.min(room);
        room -= run.leaves;
    }
    runs.retain(|run| run.leaves > 0);
    let Some((first, last)) = runs.first().zip(runs.last()) else {
        return Ok(Vec::new());
    };
    let end = last.seq + last.leaves.cast_signed();
    cut(connection, end).await?;
    let text = "UPDATE outbox SET claimed_by = $1, claimed_until = $2
        WHERE seq >= $3 AND seq < $4 AND (claimed_until IS NULL OR claimed_until <= $5)";
    sqlx::query(text)
        .bind(consumer)
        .bind(until)
        .bind(first.seq)
        .bind(end)
        .bind(now.micros())
        .execute(&mut *connection)
        .await?;
    items(connection, &runs).await
}

/// Makes a run begin at a leaf that waits within one. Both parts stay with whoever holds them.
async fn cut(connection: &mut AnyConnection, at: i64) -> Result<(), Error> {
    const WITHIN: &str = "seq = (SELECT MAX(seq) FROM outbox WHERE seq < $1) AND seq + leaves > $1";
    let insert = format!(
        "INSERT INTO outbox (seq, tenant, leaf, leaves, claimed_by, claimed_until)
         SELECT CAST($1 AS BIGINT), tenant, leaf + ($1 - seq), leaves - ($1 - seq), claimed_by, claimed_until
         FROM outbox WHERE {WITHIN}"
    );
    let shorten = format!("UPDATE outbox SET leaves = $1 - seq WHERE {WITHIN}");
    for text in [insert, shorten] {
        sqlx::query(AssertSqlSafe(text))
            .bind(at)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// What the waiting leaves say; each bundle is read once.
async fn items(connection: &mut AnyConnection, runs: &[Run]) -> Result<Vec<OutboxItem>, Error> {
    let missing = || Error::corrupt("a leaf of the outbox is not in the trail");
    let mut bundles = BTreeMap::new();
    let mut items = Vec::new();
    let waiting = runs.iter().flat_map(|run| {
        (run.seq..)
            .zip(run.leaf..run.leaf + run.leaves)
            .map(move |at| (run, at))
    });
    for (run, (seq, leaf)) in waiting {
        let n = leaf / TILE_WIDTH;
        let place = (run.tenant.as_str(), n);
        let bundle: &Vec<u8> = match bundles.entry(place) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => {
                let bundle = Reader::new(connection, &run.tenant).bundle(n).await?;
                free.insert(bundle.ok_or_else(missing)?)
            }
        };
        let nth = (leaf % TILE_WIDTH) as usize;
        let bytes = trail::leaves(bundle).nth(nth).flatten();
        let leaf = bytes.and_then(Leaf::decode).ok_or_else(missing)?;
        items.push(OutboxItem::new(seq, &leaf)?);
    }
    Ok(items)
}

/// A few statements per range of consecutive numbers: usually one range for all.
async fn acknowledge(
    connection: &mut AnyConnection,
    consumer: &str,
    seqs: &[i64],
) -> Result<u64, Error> {
    let seqs: Vec<i64> = BTreeSet::from_iter(seqs.iter().copied())
        .into_iter()
        .collect();
    let mut count = 0;
    for range in seqs.chunk_by(|one, next| one.checked_add(1) == Some(*next)) {
        let Some((first, last)) = range.first().zip(range.last()) else {
            continue;
        };
        let end = last.saturating_add(1);
        cut(connection, *first).await?;
        cut(connection, end).await?;
        let held = "claimed_by = $1 AND seq >= $2 AND seq < $3";
        let leaves =
            format!("SELECT CAST(COALESCE(SUM(leaves), 0) AS BIGINT) FROM outbox WHERE {held}");
        let leaves = sqlx::query(AssertSqlSafe(leaves)).bind(consumer);
        let leaves = leaves.bind(*first).bind(end).fetch_one(&mut *connection);
        count += leaves.await?.try_get::<i64, _>(0)?.unsigned_abs();
        let strike = sqlx::query(AssertSqlSafe(format!("DELETE FROM outbox WHERE {held}")));
        let strike = strike.bind(consumer).bind(*first).bind(end);
        strike.execute(&mut *connection).await?;
    }
    Ok(count)
}
