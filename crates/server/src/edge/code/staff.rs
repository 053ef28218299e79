//! Refusals about staff, their factors and keys.

macro_rules! staff {
    ($next:ident $($later:ident)*; $($rows:tt)*) => { $next! { $($later)*; $($rows)*
        /// The invitation was used, has expired or was never made. Ask for another one.
        InvitationUnknown = "invitation_unknown", NOT_FOUND, "Invitation unknown", "邀请不存在";
        /// The challenge was answered, has expired or is somebody else's. Ask for another one.
        CeremonyUnknown = "ceremony_unknown", NOT_FOUND, "Ceremony unknown", "认证过程不存在";
        /// The answer of the authenticator does not fit its challenge, this server or the standard, or
        /// the passkey belongs to an account already.
        PasskeyRefused = "passkey_refused", UNPROCESSABLE_ENTITY, "Passkey refused", "通行密钥未被接受";
        /// No provider has this name, or this server was built without sign-on by others.
        ProviderUnknown = "provider_unknown", NOT_FOUND, "Provider unknown", "身份提供方不存在";
        /// What came back from the provider does not hold: its signature, issuer, audience, times or
        /// nonce, its code, or it answers another question. Begin anew.
        ProviderRefused = "provider_refused", UNAUTHORIZED, "Provider refused", "身份提供方拒绝";
        /// The provider gives no answer within five seconds, or none that can be read. Come in by
        /// another factor, or later.
        ProviderUnavailable = "provider_unavailable", SERVICE_UNAVAILABLE, "Provider unavailable", "身份提供方不可用";
        /// The identity is bound to an account.
        IdentityTaken = "identity_taken", CONFLICT, "Identity taken", "身份已被绑定";
        /// The code is not the one that the authenticator application shows now, or it was used.
        CodeRefused = "code_refused", UNPROCESSABLE_ENTITY, "Code refused", "验证码未通过";
        /// The password does not meet the rules that `missing` names.
        PasswordRefused = "password_refused", UNPROCESSABLE_ENTITY, "Password refused", "口令未被接受";
        /// The account has no such factor, or not the one that must come before it.
        FactorUnknown = "factor_unknown", NOT_FOUND, "Factor unknown", "认证因素不存在";
        /// Without it nobody could sign in to the account. Set up another factor first.
        LastFactor = "last_factor", CONFLICT, "Last factor", "不得删除最后一个认证因素";
        /// No such session of this account.
        SessionUnknown = "session_unknown", NOT_FOUND, "Session unknown", "会话不存在";
        /// No account of your company has this identifier.
        AccountUnknown = "account_unknown", NOT_FOUND, "Account unknown", "账号不存在";
        /// The account is not in a state in which this means something; `detail` says which it is in.
        AccountState = "account_state", CONFLICT, "Not possible in this state", "账号当前状态不允许此操作";
        /// The login name belongs to an account.
        LoginTaken = "login_taken", CONFLICT, "Login name taken", "登录名已被使用";
        /// The login name or name is empty, too long, of several persons or not one line.
        NameRefused = "name_refused", UNPROCESSABLE_ENTITY, "Name refused", "姓名未被接受";
        /// A view or a letter is not one, or there are too many; `detail` says which.
        PreferencesRefused = "preferences_refused", UNPROCESSABLE_ENTITY, "Preferences refused", "偏好设置未被接受";
        /// The preferences have changed since they were read. Read them again.
        PreferencesChanged = "preferences_changed", CONFLICT, "Preferences changed", "偏好设置已变化";
        /// Nobody does this to their own account. Ask somebody else.
        OwnAccount = "own_account", FORBIDDEN, "Own account", "不得对本人账号操作";
        /// No role has this name.
        RoleUnknown = "role_unknown", UNPROCESSABLE_ENTITY, "Role unknown", "角色不存在";
        /// One person may not hold these roles together; `detail` says why and by which text.
        RolesConflict = "roles_conflict", CONFLICT, "Roles conflict", "角色互斥";
        /// Who invites grants no roles, except the first holder of another administrator's role.
        GrantForbidden = "grant_forbidden", FORBIDDEN, "Grant forbidden", "不得授予";
        /// No key of your company has this identifier.
        KeyUnknown = "key_unknown", NOT_FOUND, "Key unknown", "密钥不存在";
        /// The key was revoked or has been replaced.
        KeyEnded = "key_ended", CONFLICT, "Key ended", "密钥已停用";
        /// The public key does not read as one of its algorithm, or is too weak.
        KeyRefused = "key_refused", UNPROCESSABLE_ENTITY, "Key refused", "密钥未被接受";
        /// A limit on accounts, roles, passkeys or keys is reached; `detail` says which.
        StaffLimit = "staff_limit", CONFLICT, "Staff limit", "员工数量达到上限";
    } };
}

pub(super) use staff;
