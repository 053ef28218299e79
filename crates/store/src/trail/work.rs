//! What the writer stores about the trail itself: checkpoints, cosignatures, keys, and how far
//! receivers have it. None of it is an entry, because none of it changes anything but the trail's
//! own evidence.

use super::checkpoint::{KeyPeriod, StoredCheckpoint};
use crate::Error;
use paywarden_domain::time::HOUR;
use sqlx::AnyConnection;
use tokio::sync::oneshot;

/// Work, done by the writer like every other change.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) work: Work,
    pub(crate) reply: oneshot::Sender<Result<Done, Error>>,
}

/// What to do.
#[derive(Debug)]
pub(crate) enum Work {
    /// Stores a new checkpoint. Of the ones before, the newest of each hour and those that a
    /// witness has cosigned are kept.
    Checkpoint(StoredCheckpoint),
    /// Stores a checkpoint again with another signature, if nobody else has changed it.
    Cosigned {
        before: String,
        after: StoredCheckpoint,
    },
    /// A new key signs from its time on; the one before stops at `overlap_until`.
    Key { key: KeyPeriod, overlap_until: i64 },
    /// A receiver has everything before a leaf.
    Exported {
        tenant: String,
        receiver: String,
        next: u64,
    },
}

/// How many rows it changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Done(pub(crate) u64);

impl Command {
    pub(crate) async fn run(&self, connection: &mut AnyConnection) -> Result<Done, Error> {
        let changed = match &self.work {
            Work::Checkpoint(row) => insert_checkpoint(connection, row).await?,
            Work::Cosigned { before, after } => cosign(connection, before, after).await?,
            Work::Key { key, overlap_until } => insert_key(connection, key, *overlap_until).await?,
            Work::Exported {
                tenant,
                receiver,
                next,
            } => move_on(connection, tenant, receiver, *next).await?,
        };
        Ok(Done(changed))
    }
}

async fn insert_checkpoint(
    connection: &mut AnyConnection,
    row: &StoredCheckpoint,
) -> Result<u64, Error> {
    let made_at = row.made_at.micros();
    sqlx::query(
        "DELETE FROM trail_checkpoints
         WHERE tenant = $1 AND cosigned = 0 AND made_at >= $2 AND size < $3",
    )
    .bind(row.tenant.as_str())
    .bind(made_at - made_at.rem_euclid(HOUR))
    .bind(row.size.cast_signed())
    .execute(&mut *connection)
    .await?;
    let inserted = sqlx::query(
        "INSERT INTO trail_checkpoints (tenant, size, made_at, cosigned, note)
         VALUES ($1, $2, $3, 0, $4) ON CONFLICT (tenant, size) DO NOTHING",
    )
    .bind(row.tenant.as_str())
    .bind(row.size.cast_signed())
    .bind(made_at)
    .bind(row.note.as_str())
    .execute(&mut *connection)
    .await?;
    sqlx::query("UPDATE trail_trees SET signed = $1 WHERE tenant = $2 AND signed < $1")
        .bind(row.size.cast_signed())
        .bind(row.tenant.as_str())
        .execute(connection)
        .await?;
    Ok(inserted.rows_affected())
}

async fn move_on(
    connection: &mut AnyConnection,
    tenant: &str,
    receiver: &str,
    next: u64,
) -> Result<u64, Error> {
    let text = "INSERT INTO trail_exports (tenant, receiver, next) VALUES ($1, $2, $3)
        ON CONFLICT (tenant, receiver) DO UPDATE SET next = excluded.next
        WHERE trail_exports.next < excluded.next";
    let moved = sqlx::query(text)
        .bind(tenant)
        .bind(receiver)
        .bind(next.cast_signed())
        .execute(connection)
        .await?;
    Ok(moved.rows_affected())
}

async fn cosign(
    connection: &mut AnyConnection,
    before: &str,
    after: &StoredCheckpoint,
) -> Result<u64, Error> {
    let text = "UPDATE trail_checkpoints SET note = $1, cosigned = 1
        WHERE tenant = $2 AND size = $3 AND note = $4";
    let changed = sqlx::query(text)
        .bind(after.note.as_str())
        .bind(after.tenant.as_str())
        .bind(after.size.cast_signed())
        .bind(before)
        .execute(connection)
        .await?;
    Ok(changed.rows_affected())
}

async fn insert_key(
    connection: &mut AnyConnection,
    key: &KeyPeriod,
    overlap_until: i64,
) -> Result<u64, Error> {
    sqlx::query("UPDATE trail_keys SET valid_until = $1 WHERE valid_until IS NULL")
        .bind(overlap_until)
        .execute(&mut *connection)
        .await?;
    let inserted =
        sqlx::query("INSERT INTO trail_keys (generation, public, valid_from) VALUES ($1, $2, $3)")
            .bind(key.generation.cast_signed())
            .bind(key.public.as_slice())
            .bind(key.valid_from.micros())
            .execute(connection)
            .await?;
    Ok(inserted.rows_affected())
}
