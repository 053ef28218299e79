//! The outbox: leaves of the trail that still have to be handled by the rest of the system.
//!
//! A leaf is put here by the transaction that writes it. A consumer claims leaves for a while,
//! handles them, and strikes them off; what it did not finish is handed out again, so that each
//! leaf is handled at least once. Its depth is bounded by the disk alone: watch it.

use crate::{
    Error, RowRef,
    sql::{Fields, Stored, select},
    trail::read_manifest,
};
use paywarden_domain::{TenantId, Timestamp};
use sqlx::AnyConnection;
use std::collections::BTreeSet;
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

impl Stored for OutboxItem {
    const TABLE: &'static str = "outbox JOIN trail ON trail.seq = outbox.seq";
    const COLUMNS: &'static [&'static str] = &[
        "trail.seq",
        "written_at",
        "tenant",
        "actor",
        "action",
        "object",
        "manifest",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            seq: fields.take()?,
            written_at: Timestamp::from_micros(fields.take()?),
            tenant: fields.parsed(TenantId::parse)?,
            actor: fields.take()?,
            action: fields.take()?,
            object: fields.take()?,
            rows: read_manifest(fields.take()?)?
                .into_iter()
                .map(|(row, _)| row)
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
    let rest = "WHERE claimed_until IS NULL OR claimed_until <= $1 ORDER BY outbox.seq LIMIT $2";
    let values = [now.micros().into(), limit.into()];
    let items: Vec<OutboxItem> = select(connection, rest, &values).await?;
    let Some((first, last)) = items.first().zip(items.last()) else {
        return Ok(items);
    };
    let text = "UPDATE outbox SET claimed_by = $1, claimed_until = $2
        WHERE seq >= $3 AND seq <= $4 AND (claimed_until IS NULL OR claimed_until <= $5)";
    sqlx::query(text)
        .bind(consumer)
        .bind(until)
        .bind(first.seq)
        .bind(last.seq)
        .bind(now.micros())
        .execute(connection)
        .await?;
    Ok(items)
}

/// One statement per run of consecutive numbers: usually one for all.
async fn acknowledge(
    connection: &mut AnyConnection,
    consumer: &str,
    seqs: &[i64],
) -> Result<u64, Error> {
    let seqs: Vec<i64> = BTreeSet::from_iter(seqs.iter().copied())
        .into_iter()
        .collect();
    let mut count = 0;
    for run in seqs.chunk_by(|one, next| one.checked_add(1) == Some(*next)) {
        let Some((first, last)) = run.first().zip(run.last()) else {
            continue;
        };
        let text = "DELETE FROM outbox WHERE claimed_by = $1 AND seq >= $2 AND seq <= $3";
        let struck = sqlx::query(text).bind(consumer).bind(*first).bind(*last);
        count += struck.execute(&mut *connection).await?.rows_affected();
    }
    Ok(count)
}
