//! Moving SQLite's write-ahead log into the database file, beside the writer.

use super::{Database, sqlite};
use crate::Error;
use sqlx::{AnyConnection, Connection as _, Row as _};
use std::sync::Arc;
use tokio::{
    sync::{Mutex, mpsc},
    task::JoinHandle,
};

/// Commits after which the length of the log is looked at.
const COMMITS: u32 = 16;
/// Bytes of entries after which it is looked at.
const BYTES: u64 = 256 * 1024;
/// Rounds that run beside the writer before the last one holds it back.
const ROUNDS_MAX: u32 = 4;
/// A round that found so few new pages is followed by the last one, which will be short.
const PAGES_FEW: i64 = 1_000;

/// Minds the log on a second connection, and holds the writer back for the short end of a
/// checkpoint. Without that end the log would never start anew under steady load.
#[derive(Debug)]
pub(crate) struct Checkpointer {
    /// Held by the writer during a transaction.
    pub(crate) gate: Arc<Mutex<()>>,
    calls: mpsc::Sender<()>,
    task: JoinHandle<()>,
    commits: u32,
    bytes: u64,
}

impl Checkpointer {
    /// One for SQLite; PostgreSQL minds its own log.
    pub(crate) async fn start(database: &Database) -> Result<Option<Self>, Error> {
        let Some((file, limits)) = database.file() else {
            return Ok(None);
        };
        let mut connection = file.connect(sqlite::checkpoint_settings()).await?;
        // What a crash left behind goes into the file before the first entry comes.
        run(&mut connection, RESTART).await?;
        let (calls, called) = mpsc::channel(1);
        let gate = Arc::new(Mutex::new(()));
        let pages_max = i64::from(limits.log_bytes / sqlite::PAGE_BYTES);
        let task = tokio::spawn(mind(connection, pages_max, gate.clone(), called));
        Ok(Some(Self {
            gate,
            calls,
            task,
            commits: 0,
            bytes: 0,
        }))
    }

    /// Counts a commit; now and then, has the length of the log looked at.
    pub(crate) fn committed(&mut self, bytes: u64) {
        self.commits += 1;
        self.bytes += bytes;
        // A full channel means that it is busy; the next commit calls again.
        let is_due = self.commits >= COMMITS || self.bytes >= BYTES;
        if is_due && self.calls.try_send(()).is_ok() {
            (self.commits, self.bytes) = (0, 0);
        }
    }

    /// Waits for a running checkpoint and closes the connection.
    pub(crate) async fn close(self) {
        drop(self.calls);
        let _ = self.task.await;
    }
}

async fn mind(
    mut connection: AnyConnection,
    pages_max: i64,
    gate: Arc<Mutex<()>>,
    mut called: mpsc::Receiver<()>,
) {
    while called.recv().await.is_some() {
        if let Err(error) = checkpoint(&mut connection, pages_max, &gate).await {
            tracing::warn!(%error, "checkpoint failed");
        }
    }
    let _ = connection.close().await;
}

async fn checkpoint(
    connection: &mut AnyConnection,
    pages_max: i64,
    gate: &Mutex<()>,
) -> Result<(), Error> {
    let mut pages = run(connection, LOOK).await?;
    if pages < pages_max {
        return Ok(());
    }
    for _ in 0..ROUNDS_MAX {
        let before = pages;
        pages = run(connection, PASSIVE).await?;
        if pages - before <= PAGES_FEW {
            break;
        }
    }
    let _held_back = gate.lock().await;
    run(connection, RESTART).await?;
    Ok(())
}

/// Does nothing, and says how long the log is.
const LOOK: &str = "PRAGMA wal_checkpoint(NOOP)";
/// As far as possible without disturbing anybody.
const PASSIVE: &str = "PRAGMA wal_checkpoint(PASSIVE)";
/// To the end, so that the log starts anew; gives up at once when a reader is in the way.
const RESTART: &str = "PRAGMA wal_checkpoint(RESTART)";

/// One checkpoint; how many pages the log had when it began.
async fn run(connection: &mut AnyConnection, mode: &'static str) -> Result<i64, Error> {
    Ok(sqlx::query(mode).fetch_one(connection).await?.try_get(1)?)
}
