//! Why something was not done, by what whoever asked can do.

/// Why something was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Nothing that whoever asks may see has this identifier.
    #[error("nothing that you may see has this identifier")]
    Unknown,
    /// It stands where this cannot be done.
    #[error("{0}")]
    State(&'static str),
    /// Somebody else works on it.
    #[error("{0} works on it")]
    NotYours(String),
    /// It was changed in between: read it again.
    #[error("it was changed in between")]
    Changed,
    /// What was asked for is not well-formed.
    #[error("{field}: {why}")]
    Field {
        /// The member.
        field: &'static str,
        /// What it has to be.
        why: String,
    },
    /// It would hold more than it may.
    #[error("at most {0}")]
    Limit(&'static str),
    /// It is no file that is taken.
    #[error("{0}")]
    File(&'static str),
    /// Malware was found in a file.
    #[error("a scanner found {0}")]
    FileInfected(String),
    /// Nobody could scan a file.
    #[error("files are scanned before they are taken, and nobody does now")]
    ScannerAway,
    /// The file was erased.
    #[error("the file was erased")]
    FileErased,
    /// The policy of alerts is not one.
    #[error("the policy of alerts: {0}")]
    Policy(String),
    /// A stored item does not read back.
    #[error("{0} does not read back")]
    Damaged(String),
    /// The approval does not allow it.
    #[error(transparent)]
    Approval(#[from] paywarden_access::approval::Error),
    /// The store refused.
    #[error(transparent)]
    Store(paywarden_store::Error),
}

impl Error {
    pub(crate) fn field(field: &'static str, why: impl Into<String>) -> Self {
        Self::Field {
            field,
            why: why.into(),
        }
    }

    /// Whether the same may succeed later.
    pub fn is_passing(&self) -> bool {
        use paywarden_store::Error as Store;
        match self {
            Self::Changed => true,
            Self::Store(error) => !matches!(error, Store::Invalid { .. } | Store::Corrupt { .. }),
            _ => false,
        }
    }
}

impl From<paywarden_store::Error> for Error {
    /// What conflicts has a newer version.
    fn from(error: paywarden_store::Error) -> Self {
        match error {
            paywarden_store::Error::Conflict { .. } => Self::Changed,
            error => Self::Store(error),
        }
    }
}
