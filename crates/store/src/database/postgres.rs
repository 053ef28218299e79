//! What only PostgreSQL needs: the settings of a session and the lock that keeps others out.

use super::DatabaseLimits;
use crate::Error;
use sqlx::{AnyConnection, AssertSqlSafe, ConnectOptions as _, Row as _, any::AnyConnectOptions};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// Advisory lock of the one writer, per database: "paywardn" in ASCII.
const WRITER_LOCK: i64 = 0x7061_7977_6172_646e;
/// Pause between two attempts to take it.
const LOCK_PAUSE: Duration = Duration::from_millis(50);

pub(super) fn options(url: &str) -> Result<AnyConnectOptions, Error> {
    Ok(url
        .parse::<AnyConnectOptions>()?
        .disable_statement_logging())
}

/// The session that writes. The lock belongs to the session, so whoever holds it knows that the
/// session of the writer before has ended and that its last commit is decided.
pub(super) async fn connect_writer(
    options: &AnyConnectOptions,
    limits: &DatabaseLimits,
) -> Result<AnyConnection, Error> {
    let mut connection = timeout(limits.wait(), options.connect())
        .await
        .map_err(|_| Error::unavailable("the server does not answer"))??;
    sqlx::raw_sql(AssertSqlSafe(writer_settings(limits)))
        .execute(&mut connection)
        .await?;
    let deadline = Instant::now() + limits.wait();
    while !try_lock(&mut connection).await? {
        if Instant::now() >= deadline {
            return Err(Error::Locked {
                reason: "its advisory lock is held".into(),
            });
        }
        sleep(LOCK_PAUSE).await;
    }
    Ok(connection)
}

/// The writer only looks rows up by key: a plan made while a table was small must not scan it.
fn writer_settings(limits: &DatabaseLimits) -> String {
    format!(
        "SET synchronous_commit = on; SET enable_seqscan = off; SET statement_timeout = {};
         SET client_min_messages = warning;",
        limits.wait_ms_max,
    )
}

pub(super) fn reader_settings(limits: &DatabaseLimits) -> String {
    format!(
        "SET default_transaction_read_only = on; SET statement_timeout = {};",
        limits.wait_ms_max,
    )
}

async fn try_lock(connection: &mut AnyConnection) -> Result<bool, Error> {
    let row = sqlx::query("SELECT CASE WHEN pg_try_advisory_lock($1) THEN 1 ELSE 0 END")
        .bind(WRITER_LOCK)
        .fetch_one(connection)
        .await?;
    Ok(row.try_get::<i64, _>(0)? == 1)
}
