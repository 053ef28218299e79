//! Refusals about staff, their factors and keys.

macro_rules! staff {
    ($next:ident $($later:ident)*; $($rows:tt)*) => { $next! { $($later)*; $($rows)*
        /// The invitation was used, has expired or was never made. Ask for another one.
        InvitationUnknown = "invitation_unknown", NOT_FOUND, "Invitation unknown";
        /// The challenge was answered, has expired or is somebody else's. Ask for another one.
        CeremonyUnknown = "ceremony_unknown", NOT_FOUND, "Ceremony unknown";
        /// The answer of the authenticator does not fit its challenge, this server or the standard, or
        /// the passkey belongs to an account already.
        PasskeyRefused = "passkey_refused", UNPROCESSABLE_ENTITY, "Passkey refused";
        /// No provider has this name, or this server was built without sign-on by others.
        ProviderUnknown = "provider_unknown", NOT_FOUND, "Provider unknown";
        /// What came back from the provider does not hold: its signature, issuer, audience, times or
        /// nonce, its code, or it answers another question. Begin anew.
        ProviderRefused = "provider_refused", UNAUTHORIZED, "Provider refused";
        /// The provider gives no answer within five seconds, or none that can be read. Come in by
        /// another factor, or later.
        ProviderUnavailable = "provider_unavailable", SERVICE_UNAVAILABLE, "Provider unavailable";
        /// The identity is bound to an account.
        IdentityTaken = "identity_taken", CONFLICT, "Identity taken";
        /// The code is not the one that the authenticator application shows now, or it was used.
        CodeRefused = "code_refused", UNPROCESSABLE_ENTITY, "Code refused";
        /// The password does not meet the rules that `missing` names.
        PasswordRefused = "password_refused", UNPROCESSABLE_ENTITY, "Password refused";
        /// The account has no such factor, or not the one that must come before it.
        FactorUnknown = "factor_unknown", NOT_FOUND, "Factor unknown";
        /// Without it nobody could sign in to the account. Set up another factor first.
        LastFactor = "last_factor", CONFLICT, "Last factor";
        /// No such session of this account.
        SessionUnknown = "session_unknown", NOT_FOUND, "Session unknown";
        /// No account of your company has this identifier.
        AccountUnknown = "account_unknown", NOT_FOUND, "Account unknown";
        /// The account is not in a state in which this means something; `detail` says which it is in.
        AccountState = "account_state", CONFLICT, "Not possible in this state";
        /// The login name belongs to an account.
        LoginTaken = "login_taken", CONFLICT, "Login name taken";
        /// The login name or name is empty, too long, of several persons or not one line.
        NameRefused = "name_refused", UNPROCESSABLE_ENTITY, "Name refused";
        /// A view or a letter is not one, or there are too many; `detail` says which.
        PreferencesRefused = "preferences_refused", UNPROCESSABLE_ENTITY, "Preferences refused";
        /// The preferences have changed since they were read. Read them again.
        PreferencesChanged = "preferences_changed", CONFLICT, "Preferences changed";
        /// Nobody does this to their own account. Ask somebody else.
        OwnAccount = "own_account", FORBIDDEN, "Own account";
        /// No role has this name.
        RoleUnknown = "role_unknown", UNPROCESSABLE_ENTITY, "Role unknown";
        /// One person may not hold these roles together; `detail` says why and by which text.
        RolesConflict = "roles_conflict", CONFLICT, "Roles conflict";
        /// Who invites grants no roles, except the first holder of another administrator's role.
        GrantForbidden = "grant_forbidden", FORBIDDEN, "Grant forbidden";
        /// No key of your company has this identifier.
        KeyUnknown = "key_unknown", NOT_FOUND, "Key unknown";
        /// The key was revoked or has been replaced.
        KeyEnded = "key_ended", CONFLICT, "Key ended";
        /// The public key does not read as one of its algorithm, or is too weak.
        KeyRefused = "key_refused", UNPROCESSABLE_ENTITY, "Key refused";
        /// A limit on accounts, roles, passkeys or keys is reached; `detail` says which.
        StaffLimit = "staff_limit", CONFLICT, "Staff limit";
    } };
}

pub(super) use staff;
