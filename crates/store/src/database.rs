//! Opening a database: one text for two engines, one writer, a few readers.

mod checkpoint;
mod copy;
mod postgres;
mod schema;
mod sqlite;

pub(crate) use checkpoint::Checkpointer;

use crate::Error;
use sqlx::{
    Any, AnyConnection, AnyPool, ConnectOptions as _, Connection as _, Transaction,
    any::{AnyConnectOptions, AnyPoolOptions},
    pool::PoolConnection,
};
use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Limits of an open database.
#[derive(Debug, Clone, Copy)]
pub struct DatabaseLimits {
    /// Connections for reading.
    pub readers_max: u32,
    /// Page cache of all SQLite connections together, in KiB: half of it for the writer.
    pub cache_kib: u32,
    /// Length of SQLite's write-ahead log from which on it is moved into the database file, in
    /// bytes. Under steady load, or while somebody reads for long, it may be several times longer.
    pub log_bytes: u32,
    /// How long to wait for a connection, for a lock of the database or for its answer.
    pub wait_ms_max: u64,
    /// Decisions of a tenant that one question looks at one by one. What is found among millions
    /// seldom or never is answered as fast as what is found at once.
    pub looked_at_max: u32,
}

impl Default for DatabaseLimits {
    fn default() -> Self {
        Self {
            readers_max: 4,
            cache_kib: 10 * 1024,
            log_bytes: 64 * 1024 * 1024,
            wait_ms_max: 5_000,
            looked_at_max: 200_000,
        }
    }
}

impl DatabaseLimits {
    fn wait(&self) -> Duration {
        Duration::from_millis(self.wait_ms_max)
    }
}

/// The two engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// A file on this machine.
    Sqlite,
    /// A server; anything that speaks its protocol and has its advisory locks.
    Postgres,
}

/// An open database. Reading is open to all; writing goes through [`crate::Journal`] alone.
#[derive(Debug, Clone)]
pub struct Database(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    address: Address,
    limits: DatabaseLimits,
    readers: AnyPool,
    /// The one writing connection, until the journal takes it.
    writer: Mutex<Option<AnyConnection>>,
    lock: Mutex<Option<sqlite::FileLock>>,
}

/// Where the database is.
#[derive(Debug, Clone)]
enum Address {
    Sqlite(sqlite::File),
    Postgres(AnyConnectOptions),
}

impl Database {
    /// Opens `sqlite:///path/of/file` (made when absent, mode 0600) or `postgres://…` for reading
    /// and writing, with the default limits.
    ///
    /// Fails with [`Error::Locked`] while somebody else has it open for writing and with
    /// [`Error::Schema`] when a newer program has written it, [`Error::OldVault`] when one has that kept
    /// sealed values in another form.
    pub async fn open(url: &str) -> Result<Self, Error> {
        Self::open_with(url, DatabaseLimits::default()).await
    }

    /// The same with other limits.
    pub async fn open_with(url: &str, limits: DatabaseLimits) -> Result<Self, Error> {
        let address = Address::parse(url)?;
        let lock = match &address {
            Address::Sqlite(file) => Some(file.lock()?),
            Address::Postgres(_) => None,
        };
        let mut writer = address.connect_writer(&limits).await?;
        schema::migrate(address.backend(), &mut writer).await?;
        let readers = address.readers(&limits);
        Ok(Self(Arc::new(Inner {
            address,
            limits,
            readers,
            writer: Mutex::new(Some(writer)),
            lock: Mutex::new(lock),
        })))
    }

    /// Opens an existing database for reading only, beside the process that writes to it.
    pub async fn open_reader(url: &str) -> Result<Self, Error> {
        let limits = DatabaseLimits::default();
        let address = Address::parse(url)?;
        if let Address::Sqlite(file) = &address
            && !file.exists()
        {
            return Err(Error::Url {
                reason: "there is no such file".into(),
            });
        }
        // A pool tries until its time is over, and then does not say why.
        let mut first = address.connect_reader(&limits).await?;
        schema::require(&mut first).await?;
        first.close().await?;
        let readers = address.readers(&limits);
        let (writer, lock) = (Mutex::new(None), Mutex::new(None));
        Ok(Self(Arc::new(Inner {
            address,
            limits,
            readers,
            writer,
            lock,
        })))
    }

    /// Which engine it is.
    pub fn backend(&self) -> Backend {
        self.0.address.backend()
    }

    /// Closes every connection and gives the write lock back. Close the journal first.
    pub async fn close(&self) {
        let writer = take(&self.0.writer);
        if let Some(writer) = writer {
            let _ = writer.close().await;
        }
        self.0.readers.close().await;
        drop(take(&self.0.lock));
    }

    /// A connection for reading.
    pub(crate) async fn reader(&self) -> Result<PoolConnection<Any>, Error> {
        Ok(self.0.readers.acquire().await?)
    }

    /// A transaction in which every read sees the same state.
    pub(crate) async fn snapshot(&self) -> Result<Transaction<'static, Any>, Error> {
        let begin = match self.backend() {
            Backend::Sqlite => "BEGIN",
            Backend::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        let mut snapshot = self.0.readers.begin_with(begin).await?;
        if self.backend() == Backend::Postgres {
            // It is taken for work that may be long.
            sqlx::query("SET LOCAL statement_timeout = 0")
                .execute(&mut *snapshot)
                .await?;
        }
        Ok(snapshot)
    }

    /// The writing connection, for the first who asks.
    pub(crate) fn take_writer(&self) -> Result<AnyConnection, Error> {
        take(&self.0.writer).ok_or_else(|| Error::Locked {
            reason: "the journal of this database was started before, or it is open for reading"
                .into(),
        })
    }

    /// A new writing connection after the old one was lost.
    pub(crate) async fn reconnect_writer(&self) -> Result<AnyConnection, Error> {
        self.0.address.connect_writer(&self.0.limits).await
    }

    /// How many decisions one question looks at one by one.
    pub fn looked_at_max(&self) -> u32 {
        self.0.limits.looked_at_max
    }

    /// The file behind it and its limits, for the checkpoints of SQLite.
    fn file(&self) -> Option<(&sqlite::File, &DatabaseLimits)> {
        match &self.0.address {
            Address::Sqlite(file) => Some((file, &self.0.limits)),
            Address::Postgres(_) => None,
        }
    }
}

fn take<T>(slot: &Mutex<Option<T>>) -> Option<T> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

impl Backend {
    /// Begins a transaction that will write. SQLite takes its write lock at once, because a lock
    /// taken in the middle of a transaction can fail in the middle of it.
    pub(crate) async fn begin_write(
        self,
        connection: &mut AnyConnection,
    ) -> Result<Transaction<'_, Any>, Error> {
        let begin = match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        };
        Ok(connection.begin_with(begin).await?)
    }

    /// A table definition in the engine's own words: only `INTEGER PRIMARY KEY` makes a column
    /// the row identifier in SQLite, which saves a second tree per table.
    fn native(self, definition: &str) -> String {
        match self {
            Self::Sqlite => definition.replace("BIGINT PRIMARY KEY", "INTEGER PRIMARY KEY"),
            Self::Postgres => definition.to_owned(),
        }
    }

    /// The n-th placeholder (from 1) of a long statement. SQLite looks a named placeholder up by
    /// walking all of them, so there the nameless form keeps binding linear.
    pub(crate) fn placeholder(self, number: usize) -> String {
        match self {
            Self::Sqlite => "?".to_owned(),
            Self::Postgres => format!("${number}"),
        }
    }
}

impl Address {
    fn parse(url: &str) -> Result<Self, Error> {
        sqlx::any::install_default_drivers();
        if let Some(path) = url.strip_prefix("sqlite://") {
            return sqlite::File::new(path).map(Self::Sqlite);
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return postgres::options(url).map(Self::Postgres);
        }
        Err(Error::Url {
            reason: "it starts with neither sqlite:// nor postgres://".into(),
        })
    }

    fn backend(&self) -> Backend {
        match self {
            Self::Sqlite(_) => Backend::Sqlite,
            Self::Postgres(_) => Backend::Postgres,
        }
    }

    async fn connect_writer(&self, limits: &DatabaseLimits) -> Result<AnyConnection, Error> {
        match self {
            Self::Sqlite(file) => file.connect(&sqlite::writer_settings(limits)).await,
            Self::Postgres(options) => postgres::connect_writer(options, limits).await,
        }
    }

    async fn connect_reader(&self, limits: &DatabaseLimits) -> Result<AnyConnection, Error> {
        let (options, settings) = self.reading(limits);
        let connected = tokio::time::timeout(limits.wait(), options.connect()).await;
        let mut connection = connected.map_err(|_| Error::unavailable("it does not answer"))??;
        sqlx::raw_sql(sqlx::AssertSqlSafe(settings))
            .execute(&mut connection)
            .await?;
        Ok(connection)
    }

    fn reading(&self, limits: &DatabaseLimits) -> (AnyConnectOptions, String) {
        match self {
            Self::Sqlite(file) => (file.options(), sqlite::reader_settings(limits)),
            Self::Postgres(options) => (options.clone(), postgres::reader_settings(limits)),
        }
    }

    fn readers(&self, limits: &DatabaseLimits) -> AnyPool {
        let (options, settings) = self.reading(limits);
        let settings: Arc<str> = settings.into();
        AnyPoolOptions::new()
            .max_connections(limits.readers_max.max(1))
            .acquire_timeout(limits.wait())
            // A file does not go away, and looking would cost as much as a question.
            .test_before_acquire(matches!(self, Self::Postgres(_)))
            .after_connect(move |connection, _| {
                let settings = sqlx::AssertSqlSafe(settings.clone());
                Box::pin(async move {
                    sqlx::raw_sql(settings)
                        .execute(connection)
                        .await
                        .map(|_| ())
                })
            })
            .connect_lazy_with(options)
    }
}

/// The file name as text, or a refusal.
fn file_text(path: &Path) -> Result<&str, Error> {
    path.to_str().ok_or_else(|| Error::Url {
        reason: "the path is not UTF-8".into(),
    })
}
