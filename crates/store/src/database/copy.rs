//! A copy of a SQLite database, made beside whoever writes to it, and whether the pages of one hold.

use super::{Database, file_text, sqlite};
use crate::{Error, sql::Fields};
use sqlx::Connection as _;
use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

/// The most faults of pages that are told.
const FAULTS_MAX: u32 = 10;

impl Database {
    /// Writes what is durable now into a new file, for this user only, and returns its size when it
    /// is on the disk. What is written meanwhile is not in it. Without success no file is left.
    ///
    /// Only of SQLite: a server of PostgreSQL makes its own. While it runs, SQLite cannot start its
    /// write-ahead log anew.
    pub async fn copy_to(&self, path: &Path) -> Result<u64, Error> {
        let Some((file, limits)) = self.file() else {
            return Err(Error::invalid(
                "a server of PostgreSQL makes its own copies",
            ));
        };
        let unwritten =
            |error: io::Error| Error::unavailable(format!("{}: {error}", path.display()));
        let text = file_text(path)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        options.open(path).map_err(unwritten)?;
        let unfinished = Unfinished(path);
        let mut connection = file.connect(&sqlite::copier_settings(limits)).await?;
        // SQLite writes into a file that is there if it is empty.
        let copy = sqlx::query("VACUUM INTO $1").bind(text);
        copy.execute(&mut connection).await?;
        connection.close().await?;
        let bytes = settled(path).map_err(unwritten)?;
        std::mem::forget(unfinished);
        Ok(bytes)
    }

    /// What is wrong with the pages and indexes of a SQLite file, in its own words, at most ten; nothing
    /// of PostgreSQL, which keeps checksums of its own.
    pub async fn page_faults(&self) -> Result<Vec<String>, Error> {
        if self.file().is_none() {
            return Ok(Vec::new());
        }
        let check = format!("PRAGMA integrity_check({FAULTS_MAX})");
        let rows = sqlx::query(sqlx::AssertSqlSafe(check));
        let rows = rows.fetch_all(&mut *self.reader().await?).await?;
        let mut faults = Vec::new();
        for row in &rows {
            let said: String = Fields::of(row).take()?;
            if said != "ok" {
                faults.push(said);
            }
        }
        Ok(faults)
    }
}

/// A file that is gone, unless it is finished: whoever is interrupted leaves nothing behind.
struct Unfinished<'p>(&'p Path);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.0);
    }
}

/// The size of a file that is on the disk, by its name.
fn settled(path: &Path) -> io::Result<u64> {
    let file = File::open(path)?;
    file.sync_all()?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(file.metadata()?.len())
}
