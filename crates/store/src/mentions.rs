//! Keeping what blocks of decisions name, done by the writer like every other change. It leaves no
//! leaves: it says nothing that the decisions do not say, and can be made from them again.

use crate::{Error, Journal, MentionsRow, journal::Job, sql::Insert};
use sqlx::AnyConnection;
use tokio::sync::oneshot;

/// A block to keep.
pub(crate) struct Command {
    pub(crate) row: MentionsRow,
    pub(crate) reply: oneshot::Sender<Result<(), Error>>,
}

impl Journal {
    /// Keeps a block of what decisions name. Errors: [`Error::Invalid`] if it is too long or ends
    /// before it begins, [`Error::Conflict`] if one begins there already, and those of
    /// [`Journal::append`].
    pub async fn keep_mentions(&self, row: MentionsRow) -> Result<(), Error> {
        row.check()?;
        self.ask(|reply| Job::Mentions(Command { row, reply }))
            .await
    }
}

impl Command {
    pub(crate) async fn run(
        &self,
        connection: &mut AnyConnection,
        insert: &Insert<MentionsRow>,
    ) -> Result<(), Error> {
        insert.run(connection, &[&self.row]).await
    }
}
