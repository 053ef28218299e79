//! What can go wrong with staff, named by what the caller can do about it.

use super::role::Conflict;
use crate::approval;

/// Errors of accounts, factors, sign-in and sessions.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Sign in.
    #[error("there is no such session, or it has ended")]
    SessionUnknown,
    /// One answer for an unknown name, a wrong factor, a used code and an account that may not
    /// sign in.
    #[error("name or factors are not right")]
    SignInRefused,
    /// Come again later. The same for names that do not exist.
    #[error("too many tries: wait")]
    Delayed {
        /// Microseconds to wait.
        wait_us: u64,
    },
    /// Come again in a second: every place for checking passwords is taken.
    #[error("all places for checking passwords are taken")]
    Busy,
    /// Ask for a new invitation.
    #[error("the invitation is used, expired or was never made")]
    InvitationUnknown,
    /// Ask for a new challenge.
    #[error("the ceremony is over or was never begun")]
    CeremonyUnknown,
    /// Prove it again, in a way that the standard accepts.
    #[error("the answer of the authenticator is not accepted")]
    PasskeyRefused,
    /// Show the code that the authenticator application shows now.
    #[error("the code is not right")]
    CodeRefused,
    /// Choose another password; the rules that it does not meet.
    #[error("the password does not meet {0:?}")]
    PasswordRefused(Vec<&'static str>),
    /// Name a provider that is set.
    #[error("no provider has this name")]
    ProviderUnknown,
    /// Begin anew: what came back from the provider does not hold, or is not for us.
    #[error("what the provider says is not accepted")]
    ProviderRefused,
    /// Come again later, or by another factor.
    #[error("the provider gives no answer")]
    ProviderUnavailable,
    /// Sign in with the account that has it.
    #[error("the identity is bound to an account")]
    IdentityTaken,
    /// Mend the settings of this provider.
    #[error("provider {0}: {1}")]
    ProviderSettings(String, &'static str),
    /// Set the factor up first.
    #[error("the account has no such factor")]
    FactorUnknown,
    /// Set another factor up first: an account keeps one that is cryptographic.
    #[error("it is the last factor that lets this account in")]
    LastFactor,
    /// Use an account that exists.
    #[error("no account has this identifier")]
    AccountUnknown,
    /// Choose another login name.
    #[error("the login name belongs to an account")]
    LoginTaken,
    /// Mend the login name or the name.
    #[error("{0}")]
    NameRefused(&'static str),
    /// Mend the views or letters.
    #[error("{0}")]
    PreferencesRefused(&'static str),
    /// Read the preferences again.
    #[error("the preferences have changed since they were read")]
    PreferencesChanged,
    /// The account is in a state in which this means nothing.
    #[error("not possible: the account is {0}")]
    State(&'static str),
    /// Let somebody else do it.
    #[error("nobody does this to their own account")]
    Oneself,
    /// Use a role that exists.
    #[error("no role has the name {0:?}")]
    RoleUnknown(String),
    /// Mend the role.
    #[error("role {0:?}: {1}")]
    RoleRefused(String, &'static str),
    /// Give these roles to different persons.
    #[error("{}", conflict_text(.0))]
    RolesConflict(Vec<Conflict>),
    /// Invite without roles and let a security administrator grant them.
    #[error("who invites grants no roles, except the first holder of another administrator's role")]
    GrantForbidden,
    /// A stated limit is reached.
    #[error("{0}")]
    Limit(&'static str),
    /// Restore the keyring that sealed it.
    #[error("stored record {id} of staff does not read back")]
    AccountDamaged {
        /// Which record.
        id: String,
    },
    /// Name an origin that browsers accept for passkeys: `https://` and a domain name.
    #[error("not an origin for passkeys: {0}")]
    Origin(String),
    /// A defect of ours or of the machine.
    #[error("internal: {0}")]
    Internal(&'static str),
    /// See the error of approvals.
    #[error(transparent)]
    Approval(approval::Error),
    /// See its error.
    #[error(transparent)]
    Crypto(#[from] paywarden_crypto::Error),
    /// See the store's error.
    #[error(transparent)]
    Store(#[from] paywarden_store::Error),
}

impl From<approval::Error> for Error {
    fn from(error: approval::Error) -> Self {
        match error {
            approval::Error::Store(error) => Self::Store(error),
            other => Self::Approval(other),
        }
    }
}

fn conflict_text(conflicts: &[Conflict]) -> String {
    let lines = conflicts
        .iter()
        .map(|conflict| format!("{} ({})", conflict.what, conflict.source));
    lines.collect::<Vec<_>>().join("; ")
}
