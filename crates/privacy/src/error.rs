//! Why the vault refuses, named by what the caller can do about it.

/// A refusal. None repeats what was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The token was not made here for this company, or was mistyped.
    #[error("the token was not made here")]
    TokenRefused,
    /// The value behind the token is not there, or was erased.
    #[error("no value has this token, or it was erased")]
    TokenUnknown,
    /// The token could be read until a time that has passed.
    #[error("the token could be read until a time that has passed")]
    TokenExpired,
    /// Somebody else, or another purpose, is meant by the token.
    #[error("the token is good for another caller or purpose")]
    TokenBound,
    /// The catalogue has no such class.
    #[error("the catalogue has no such class")]
    ClassUnknown,
    /// The value is not one of its class; the text says what it must be.
    #[error("{0}")]
    ValueRefused(&'static str),
    /// A number, length or purpose of the request is not accepted; the text says which.
    #[error("{0}")]
    Request(&'static str),
    /// A sealed value does not open: it was moved or changed, or its keys are gone. An operator
    /// must look at it.
    #[error("a sealed value does not open")]
    Damaged,
    /// The keys of the vault cannot be used as they are; an operator must look at them.
    #[error("the keys of the vault: {0}")]
    Keys(String),
    /// The journal has no room at present: try again.
    #[error("the journal has no room at present")]
    Overloaded,
    /// The store cannot be written or read: try again.
    #[error("nothing is answered that is not durable")]
    Store(String),
}

impl Error {
    /// The code of the problem document.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TokenRefused => "token_refused",
            Self::TokenUnknown => "token_unknown",
            Self::TokenExpired => "token_expired",
            Self::TokenBound => "token_bound",
            Self::ClassUnknown => "vault_class_unknown",
            Self::ValueRefused(_) => "vault_value_refused",
            Self::Request(_) => "vault_request_malformed",
            Self::Damaged | Self::Keys(_) => "record_damaged",
            Self::Overloaded => "overloaded",
            Self::Store(_) => "store_unavailable",
        }
    }
}

impl From<paywarden_store::Error> for Error {
    fn from(error: paywarden_store::Error) -> Self {
        match error {
            paywarden_store::Error::Overloaded => Self::Overloaded,
            // Only the erasure of one record conflicts: somebody else was faster.
            paywarden_store::Error::Conflict { .. } => Self::TokenUnknown,
            other => Self::Store(other.to_string()),
        }
    }
}

impl From<paywarden_crypto::Error> for Error {
    fn from(error: paywarden_crypto::Error) -> Self {
        match error {
            paywarden_crypto::Error::SealBroken => Self::Damaged,
            other => Self::Keys(other.to_string()),
        }
    }
}
