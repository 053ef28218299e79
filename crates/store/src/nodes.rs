//! The processes that serve a database: each says now and then that it is there. It leaves no leaves:
//! who was started and when stands in the log of the machine, and an operator wants to see it here.

use crate::{
    Database, Error, Journal,
    journal::Job,
    sql::{AnyQuery, Fields, Insert, Insertable, Stored},
};
use paywarden_domain::Timestamp;
use sqlx::AnyConnection;
use tokio::sync::oneshot;

/// The most processes that are remembered; those that were seen last.
pub const NODES_MAX: u32 = 20;

/// A process that serves a database, or did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRow {
    /// Its name, 1 to 64 bytes.
    pub id: String,
    /// The version of the program, 1 to 64 bytes.
    pub version: String,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it was last seen.
    pub seen_at: Timestamp,
}

/// A process says that it is there.
pub(crate) struct Beat {
    pub(crate) row: NodeRow,
    pub(crate) reply: oneshot::Sender<Result<(), Error>>,
}

impl Journal {
    /// Notes that a process was there; of more than twenty the one that was not seen for longest is
    /// forgotten. Errors: [`Error::Invalid`] if a text is too long, and those of
    /// [`Journal::append`].
    pub async fn beat(&self, row: NodeRow) -> Result<(), Error> {
        for text in [&row.id, &row.version] {
            if text.is_empty() || text.len() > 64 || text.contains('\0') {
                let reason = "a name and a version have 1 to 64 bytes, none of them zero";
                return Err(Error::invalid(reason));
            }
        }
        self.ask(|reply| Job::Beat(Beat { row, reply })).await
    }
}

impl Beat {
    pub(crate) async fn run(
        &self,
        connection: &mut AnyConnection,
        insert: &Insert<NodeRow>,
    ) -> Result<(), Error> {
        insert.run(connection, &[&self.row]).await?;
        let text = "DELETE FROM nodes WHERE id IN (
            SELECT id FROM nodes ORDER BY seen_at DESC, id LIMIT 1000 OFFSET $1)";
        sqlx::query(text)
            .bind(i64::from(NODES_MAX))
            .execute(connection)
            .await?;
        Ok(())
    }
}

impl Database {
    /// The processes that serve it, or did, those that were seen last first; at most twenty.
    pub async fn nodes(&self) -> Result<Vec<NodeRow>, Error> {
        self.select("ORDER BY seen_at DESC, id LIMIT 20", &[]).await
    }
}

impl Stored for NodeRow {
    const TABLE: &'static str = "nodes";
    const COLUMNS: &'static [&'static str] = &["id", "version", "started_at", "seen_at"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: fields.take()?,
            version: fields.take()?,
            started_at: Timestamp::from_micros(fields.take()?),
            seen_at: Timestamp::from_micros(fields.take()?),
        })
    }
}

impl Insertable for NodeRow {
    fn bind<'q>(&'q self, query: AnyQuery<'q>) -> AnyQuery<'q> {
        query
            .bind(self.id.as_str())
            .bind(self.version.as_str())
            .bind(self.started_at.micros())
            .bind(self.seen_at.micros())
    }
}
