//! What a person proves who they are with.
//!
//! A passkey alone is two factors of which one is cryptographic: a device and what unlocks it.
//! A password counts only together with the code of an authenticator application; in place of a
//! lost application, a recovery code opens a session in which factors are set up anew and nothing
//! else. What a provider says counts as its settings tell; see [`provider`].

pub(crate) mod ceremony;
#[cfg(feature = "oidc")]
mod oidc;
pub mod passkey;
pub mod password;
pub mod provider;
pub mod recovery;
pub mod totp;

use passkey::NamedPasskey;
use password::PasswordHash;
use provider::Identity;
use serde::{Deserialize, Serialize};
use totp::TotpState;
use utoipa::ToSchema;

/// The most passkeys of one account.
pub const PASSKEYS_MAX: usize = 10;

/// The factors of one account, as they are kept: sealed together with the account.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Factors {
    /// The password, newest first, with those before it, so that none comes back at once.
    pub(crate) passwords: Vec<PasswordHash>,
    pub(crate) totp: Option<TotpState>,
    /// An authenticator application that has not shown a code yet.
    pub(crate) totp_next: Option<TotpState>,
    pub(crate) passkeys: Vec<NamedPasskey>,
    /// Keyed hashes of the recovery codes that are left.
    pub(crate) recovery: Vec<[u8; 32]>,
    /// Who they are to providers.
    #[serde(default)]
    pub(crate) identities: Vec<Identity>,
}

/// What may be told of factors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FactorSummary {
    /// Names of the passkeys.
    pub passkeys: Vec<String>,
    /// Whether there is a password.
    pub password: bool,
    /// Whether an authenticator application is set up and proved.
    pub totp: bool,
    /// Recovery codes that are left.
    pub recovery_codes: usize,
    /// Issuers of the identities that are bound.
    pub identities: Vec<String>,
}

impl Factors {
    /// Whether they let anybody in: a passkey, a password with an authenticator application, or an
    /// identity that was a cryptographic factor when it was bound.
    pub fn suffice(&self) -> bool {
        let by_password = self.password().is_some() && self.totp.is_some();
        let by_provider = self.identities.iter().any(|identity| identity.suffices);
        by_password || by_provider || !self.passkeys.is_empty()
    }

    /// What may be told of them.
    pub fn summary(&self) -> FactorSummary {
        FactorSummary {
            passkeys: self.passkeys.iter().map(|key| key.name.clone()).collect(),
            password: self.password().is_some(),
            totp: self.totp.is_some(),
            recovery_codes: self.recovery.len(),
            identities: self
                .identities
                .iter()
                .map(|one| one.issuer.clone())
                .collect(),
        }
    }

    pub(crate) fn password(&self) -> Option<&PasswordHash> {
        self.passwords.first()
    }
}
