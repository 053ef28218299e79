//! What can go wrong, named by what the caller can do about it.

use sqlx::error::ErrorKind;

/// Why the store refused or failed. Cloneable, because one failed commit answers a whole batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The queue is full: try again later, with the same idempotency key.
    #[error("the journal has no room for another entry")]
    Overloaded,
    /// Nothing was written: try again.
    #[error("the database cannot be written or read: {reason}")]
    Unavailable {
        /// What the database said.
        reason: String,
    },
    /// `COMMIT` was sent and its result could not be learned: repeat with the same idempotency
    /// key, which finds out.
    #[error("it is not known whether the entry was written: {reason}")]
    Unresolved {
        /// What the database said.
        reason: String,
    },
    /// The database refuses this entry for what is in it, alone; repeating does not help.
    #[error("the entry contradicts what is stored: {reason}")]
    Conflict {
        /// Which rule it breaks.
        reason: String,
    },
    /// A stated limit of an entry or of a question is broken; repeating does not help.
    #[error("outside the limits of the store: {reason}")]
    Invalid {
        /// Which limit.
        reason: String,
    },
    /// Somebody else writes to this database: stop the other one first.
    #[error("another process writes to this database: {reason}")]
    Locked {
        /// Where the lock is held.
        reason: String,
    },
    /// The schema is not the one that this program knows: use the matching program.
    #[error("the database has schema {found}, this program knows {known}")]
    Schema {
        /// The version in the database.
        found: i64,
        /// The version that this program writes.
        known: i64,
    },
    /// The vault has the form of an earlier program, which alone opens it: read its values there and
    /// keep them in a new database.
    #[error(
        "the database has schema {found} and {values} sealed values in the form that it had then: read \
         them with the program that wrote it (POST /v1/vault/detokenize/batch) and keep them again in a \
         new database; nothing was changed"
    )]
    OldVault {
        /// How many.
        values: i64,
        /// The version in the database.
        found: i64,
    },
    /// The address is not one that can be opened.
    #[error("not an address of a database: {reason}")]
    Url {
        /// What is wrong with it.
        reason: String,
    },
    /// A stored row cannot be read: the database was changed by somebody else.
    #[error("a stored row cannot be read: {reason}")]
    Corrupt {
        /// Which one.
        reason: String,
    },
    /// The journal has been closed.
    #[error("the journal is closed")]
    Closed,
}

impl Error {
    pub(crate) fn invalid(reason: impl Into<String>) -> Self {
        Self::Invalid {
            reason: reason.into(),
        }
    }

    pub(crate) fn conflict(reason: impl Into<String>) -> Self {
        Self::Conflict {
            reason: reason.into(),
        }
    }

    pub(crate) fn unavailable(reason: impl Into<String>) -> Self {
        Self::Unavailable {
            reason: reason.into(),
        }
    }

    pub(crate) fn corrupt(reason: impl Into<String>) -> Self {
        Self::Corrupt {
            reason: reason.into(),
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let reason = error.to_string();
        match error {
            sqlx::Error::Database(refusal) if is_about_content(&*refusal) => {
                Self::Conflict { reason }
            }
            sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::Decode(_)
            | sqlx::Error::ColumnNotFound(_)
            | sqlx::Error::ColumnIndexOutOfBounds { .. } => Self::Corrupt { reason },
            sqlx::Error::Configuration(_) => Self::Url { reason },
            _ => Self::Unavailable { reason },
        }
    }
}

/// Whether a constraint was broken, or PostgreSQL found a value that it cannot hold (class 22).
fn is_about_content(refusal: &dyn sqlx::error::DatabaseError) -> bool {
    let is_data_exception = refusal
        .code()
        .is_some_and(|c| c.len() == 5 && c.starts_with("22"));
    is_data_exception || !matches!(refusal.kind(), ErrorKind::Other)
}
