//! Refusals about tokens and the keys of the vault.

macro_rules! vault {
    ($next:ident $($later:ident)*; $($rows:tt)*) => { $next! { $($later)*; $($rows)*
        /// The token was not made here for your company, or is mistyped.
        TokenRefused = "token_refused", UNPROCESSABLE_ENTITY, "Token refused", "令牌未被接受";
        /// No value has this token, or it was erased, or read by a token that was good for once.
        TokenUnknown = "token_unknown", NOT_FOUND, "Token unknown", "令牌不存在";
        /// The token could be read until a time that has passed.
        TokenExpired = "token_expired", GONE, "Token expired", "令牌已过期";
        /// The token is good for another caller or purpose.
        TokenBound = "token_bound", FORBIDDEN, "Token bound", "令牌绑定于其他对象";
        /// The catalogue has no such class of data. `GET /v1/vault/catalogue` lists them.
        VaultClassUnknown = "vault_class_unknown", UNPROCESSABLE_ENTITY, "Class unknown", "数据类别不存在";
        /// The value is not one of its class; `detail` says what it must be.
        VaultValueRefused = "vault_value_refused", UNPROCESSABLE_ENTITY, "Value refused", "值未被接受";
        /// The purpose, a number or a length of the request is not accepted; `detail` says which.
        VaultRequestMalformed = "vault_request_malformed", UNPROCESSABLE_ENTITY,
            "Vault request malformed", "保险库请求格式有误";
        /// The root of the vault's keys, which is outside of this server, does not open them. Nothing
        /// was kept, read or lost: try again.
        RootUnavailable = "root_unavailable", SERVICE_UNAVAILABLE, "Root of keys unavailable", "根密钥不可用";
        /// Living keys are wrapped by the epochs that were to end; `detail` says how many. Let
        /// `POST /v1/vault/rotation` wrap them again first.
        EpochInUse = "epoch_in_use", CONFLICT, "Epoch in use", "密钥周期使用中";
        /// No epoch before that one lives, or it has not begun. `GET /v1/vault/rotation` shows them.
        EpochUnknown = "epoch_unknown", NOT_FOUND, "Epoch unknown", "密钥周期不存在";
        /// A custodian's share is not one, or the shares do not make the master key of this server.
        ShareRefused = "share_refused", UNPROCESSABLE_ENTITY, "Share refused", "密钥分片未被接受";
    } };
}

pub(super) use vault;
