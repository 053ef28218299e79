//! What can go wrong with keys, named by what the caller can do about it.

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Use a key that exists.
    #[error("no key has the id {0}")]
    KeyUnknown(String),
    /// Nothing left to do.
    #[error("key {0} is revoked already")]
    KeyRevoked(String),
    /// Rotate the key that has taken its place.
    #[error("key {0} has been replaced already")]
    KeyReplaced(String),
    /// Let the old key end sooner.
    #[error("two keys are valid beside each other for at most 30 days")]
    OverlapTooLong,
    /// Name fewer networks.
    #[error("a key has at most {} networks", crate::terms::NETWORKS_MAX)]
    TooManyNetworks,
    /// Name scopes from the list.
    #[error("unknown scope {0:?}: known are {known}", known = crate::Scopes::all())]
    ScopeUnknown(String),
    /// Shorten the description.
    #[error(
        "a description has at most {} bytes",
        crate::registry::DESCRIPTION_BYTES_MAX
    )]
    DescriptionTooLong,
    /// Revoked keys cannot be removed; use a fresh store.
    #[error("the registry holds at most {} keys", crate::registry::KEYS_MAX)]
    RegistryFull,
    /// Restore the keyring that sealed it, or revoke the key.
    #[error("stored key {key_id} does not read back: {reason}")]
    KeyDamaged {
        /// Which key.
        key_id: String,
        /// Why.
        reason: String,
    },
    /// See the error of approvals.
    #[error(transparent)]
    Approval(crate::approval::Error),
    /// Mend the key that was given.
    #[error(transparent)]
    Crypto(#[from] paywarden_crypto::Error),
    /// See the store's error.
    #[error(transparent)]
    Store(#[from] paywarden_store::Error),
}
