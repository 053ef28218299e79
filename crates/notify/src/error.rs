//! Why something is not told, or not changed.

use paywarden_access::approval;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No endpoint of the company has this identifier.
    #[error("there is no such endpoint")]
    EndpointUnknown,
    /// It stands where this cannot be done.
    #[error("{0}")]
    EndpointState(&'static str),
    /// What is asked for could never be carried out.
    #[error("{0}")]
    Malformed(&'static str),
    /// The company has as many endpoints as it may.
    #[error("a company has at most {max} endpoints")]
    Full {
        /// So many.
        max: usize,
    },
    /// No delivery to this endpoint has this message.
    #[error("there is no such delivery")]
    DeliveryUnknown,
    /// The question stands where this cannot be done.
    #[error("{0}")]
    ConfirmationState(&'static str),
    /// What is asked of the question could never be carried out.
    #[error("{0}")]
    ConfirmationRefused(&'static str),
    /// The payer was asked about this payment as often as one may be.
    #[error("a payer is asked five times about one payment at most")]
    AskedTooOften,
    /// Somebody else changed it at the same moment: read it again.
    #[error("somebody else changed it at the same moment")]
    Conflict,
    /// It needs approval, or the approval does not hold.
    #[error(transparent)]
    Approval(approval::Error),
    /// The store refuses or fails.
    #[error(transparent)]
    Store(paywarden_store::Error),
    /// A sealed value does not open: it was changed, or belongs to another master key.
    #[error(transparent)]
    Crypto(#[from] paywarden_crypto::Error),
    /// The authorities cannot be used.
    #[error(transparent)]
    Roots(#[from] paywarden_outward::RootsError),
    /// A record does not read back.
    #[error("a stored record does not read back: {0}")]
    Damaged(String),
}

impl From<paywarden_store::Error> for Error {
    fn from(error: paywarden_store::Error) -> Self {
        match error {
            paywarden_store::Error::Conflict { .. } => Self::Conflict,
            other => Self::Store(other),
        }
    }
}

impl From<approval::Error> for Error {
    fn from(error: approval::Error) -> Self {
        match error {
            approval::Error::Store(error) => error.into(),
            other => Self::Approval(other),
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}
