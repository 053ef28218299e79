//! What only SQLite needs: its file, its settings and the lock that keeps others from writing.

use super::{DatabaseLimits, file_text};
use crate::Error;
use sqlx::{AnyConnection, AssertSqlSafe, ConnectOptions as _, any::AnyConnectOptions};
use std::{
    fs::{self, OpenOptions, TryLockError},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

/// Size of a page. A commit writes every page that it touched to the log whole, some eight of
/// them for a single decision: small pages are cheaper than large ones.
pub(super) const PAGE_BYTES: u32 = 4096;

/// A SQLite file by its path.
#[derive(Debug, Clone)]
pub(super) struct File {
    path: PathBuf,
    options: AnyConnectOptions,
}

/// Held while the file is open for writing; the operating system drops it with the process.
#[derive(Debug)]
pub(super) struct FileLock {
    _file: fs::File,
}

impl File {
    pub(super) fn new(path: &str) -> Result<Self, Error> {
        if path.is_empty() || path.contains(['?', '\0']) || path == ":memory:" {
            let reason = "write sqlite:// and the path of a file, without parameters".into();
            return Err(Error::Url { reason });
        }
        let escaped = path.replace('%', "%25").replace('#', "%23");
        let options = format!("sqlite://{escaped}?mode=rw").parse::<AnyConnectOptions>()?;
        Ok(Self {
            path: path.into(),
            options: options.disable_statement_logging(),
        })
    }

    pub(super) fn exists(&self) -> bool {
        self.path.exists()
    }

    pub(super) fn options(&self) -> AnyConnectOptions {
        self.options.clone()
    }

    /// Takes the lock file beside the database and makes the database file when it is absent,
    /// both for this user only.
    pub(super) fn lock(&self) -> Result<FileLock, Error> {
        let lock_path = format!("{}.lock", file_text(&self.path)?);
        let file = open_private(Path::new(&lock_path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Locked { reason: lock_path }),
            Err(TryLockError::Error(error)) => return Err(unavailable(&lock_path, &error)),
        }
        open_private(&self.path)?;
        Ok(FileLock { _file: file })
    }

    pub(super) async fn connect(&self, settings: &str) -> Result<AnyConnection, Error> {
        let mut connection = self.options.connect().await?;
        sqlx::raw_sql(AssertSqlSafe(settings))
            .execute(&mut connection)
            .await?;
        Ok(connection)
    }
}

/// The writer: every commit reaches the disk before it returns, and it never checkpoints.
pub(super) fn writer_settings(limits: &DatabaseLimits) -> String {
    format!(
        "PRAGMA page_size = {PAGE_BYTES};
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA wal_autocheckpoint = 0;
         PRAGMA journal_size_limit = {};
         PRAGMA cache_size = -{};
         PRAGMA busy_timeout = {};",
        2 * limits.log_bytes,
        limits.cache_kib / 2,
        limits.wait_ms_max,
    )
}

pub(super) fn reader_settings(limits: &DatabaseLimits) -> String {
    format!(
        "PRAGMA query_only = ON;
         PRAGMA cache_size = -{};
         PRAGMA busy_timeout = {};",
        limits.cache_kib / 2 / limits.readers_max.max(1),
        limits.wait_ms_max,
    )
}

/// The connection that only checkpoints: it never waits for readers.
pub(super) fn checkpoint_settings() -> &'static str {
    "PRAGMA synchronous = FULL;
     PRAGMA cache_size = -64;
     PRAGMA busy_timeout = 0;"
}

/// The connection that copies the whole file once, and so has little use for a cache.
pub(super) fn copier_settings(limits: &DatabaseLimits) -> String {
    format!(
        "PRAGMA cache_size = -2048;
         PRAGMA busy_timeout = {};",
        limits.wait_ms_max,
    )
}

fn open_private(path: &Path) -> Result<fs::File, Error> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600);
    options
        .open(path)
        .map_err(|error| unavailable(&path.display().to_string(), &error))
}

fn unavailable(path: &str, error: &std::io::Error) -> Error {
    Error::unavailable(format!("{path}: {error}"))
}
