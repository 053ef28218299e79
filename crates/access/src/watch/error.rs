//! Why an alert was not found, decided or kept.

/// What is wrong, by what can be done about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Look at the page of alerts.
    #[error("no alert has this identifier")]
    Unknown,
    /// Somebody else decides.
    #[error("the alert is about you: somebody else decides about it")]
    Concerned,
    /// Read the alert again.
    #[error("the alert is {0}")]
    State(&'static str),
    /// Say it in fewer words, or at all.
    #[error("a reason has 1 to 256 bytes")]
    Reason,
    /// The record was changed outside of Paywarden.
    #[error("alert {id} is damaged")]
    Damaged {
        /// Which.
        id: String,
    },
    /// Correct the rules about acts.
    #[error("rules about acts: {0}")]
    Rules(String),
    /// Correct the settings.
    #[error("{0}")]
    Settings(&'static str),
    /// What the windows refuse.
    #[error(transparent)]
    Windows(#[from] paywarden_features::Error),
    /// What the store refuses.
    #[error(transparent)]
    Store(#[from] paywarden_store::Error),
    /// What the keyring refuses.
    #[error(transparent)]
    Crypto(#[from] paywarden_crypto::Error),
}
