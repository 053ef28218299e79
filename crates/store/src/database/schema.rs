//! Versions of the schema and the way from one to the next.

use super::Backend;
use crate::Error;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

/// Every step, oldest first; its place is its version. Steps are never edited, only added.
const STEPS: &[&str] = &[
    include_str!("../schema/0001_start.sql"),
    include_str!("../schema/0002_trail.sql"),
    include_str!("../schema/0003_rule_set_steps.sql"),
    include_str!("../schema/0004_approval_steps.sql"),
    include_str!("../schema/0005_records.sql"),
    include_str!("../schema/0006_acts.sql"),
    include_str!("../schema/0007_trail_exports.sql"),
    include_str!("../schema/0008_acts_by_tenant.sql"),
    include_str!("../schema/0009_vault.sql"),
    include_str!("../schema/0010_outbox_runs.sql"),
    include_str!("../schema/0011_vault_places.sql"),
    include_str!("../schema/0012_work_items.sql"),
    include_str!("../schema/0013_notify.sql"),
    include_str!("../schema/0014_labels_by_event.sql"),
    include_str!("../schema/0015_backtests.sql"),
    include_str!("../schema/0016_messages_about.sql"),
    include_str!("../schema/0017_vault_pages.sql"),
    include_str!("../schema/0018_acts_in_runs.sql"),
    include_str!("../schema/0019_decisions_found.sql"),
    include_str!("../schema/0020_payments_by_day.sql"),
    include_str!("../schema/0021_mentions.sql"),
    include_str!("../schema/0022_nodes.sql"),
];

/// The version that this program reads and writes.
pub(super) const KNOWN: i64 = STEPS.len() as i64;

/// The step that finds no way for sealed values of before: they would not open in their new places.
const VAULT_PAGES: i64 = 17;

/// Brings an older or empty database up to [`KNOWN`], each step in one transaction, and refuses a
/// newer one, and one whose sealed values no step takes along.
pub(super) async fn migrate(backend: Backend, writer: &mut AnyConnection) -> Result<(), Error> {
    sqlx::raw_sql("CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
        .execute(&mut *writer)
        .await?;
    let found = version(writer).await?;
    if found > KNOWN {
        return Err(Error::Schema {
            found,
            known: KNOWN,
        });
    }
    for (version, step) in (1..).zip(STEPS).filter(|(version, _)| *version > found) {
        let mut transaction = backend.begin_write(writer).await?;
        if version == VAULT_PAGES {
            refuse_sealed_values(&mut transaction, found).await?;
        }
        sqlx::raw_sql(AssertSqlSafe(backend.native(step)))
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "INSERT INTO meta (name, value) VALUES ('schema', $1)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )
        .bind(version.to_string())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
    }
    Ok(())
}

async fn refuse_sealed_values(connection: &mut AnyConnection, found: i64) -> Result<(), Error> {
    let counted = sqlx::query("SELECT COUNT(*) FROM vault_records")
        .fetch_one(connection)
        .await?;
    match counted.try_get(0)? {
        0 => Ok(()),
        values => Err(Error::OldVault { values, found }),
    }
}

/// Refuses a database of any other version, for those who may not migrate.
pub(super) async fn require(reader: &mut AnyConnection) -> Result<(), Error> {
    match version(reader).await? {
        KNOWN => Ok(()),
        found => Err(Error::Schema {
            found,
            known: KNOWN,
        }),
    }
}

async fn version(connection: &mut AnyConnection) -> Result<i64, Error> {
    let row = sqlx::query("SELECT value FROM meta WHERE name = 'schema'")
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(0) };
    let text: String = row.try_get(0)?;
    text.parse()
        .map_err(|_| Error::corrupt("the schema version is not a number"))
}
