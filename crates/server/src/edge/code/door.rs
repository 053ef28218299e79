//! Refusals at the door: sizes, signatures, sessions, idempotency.

macro_rules! door {
    ($next:ident $($later:ident)*; $($rows:tt)*) => { $next! { $($later)*; $($rows)*
        /// The header lines are more than 64 or longer than 16 KiB in total. Send fewer.
        HeadersTooLarge = "headers_too_large", REQUEST_HEADER_FIELDS_TOO_LARGE, "Headers too large", "请求头过大";
        /// No route has this path. See the API reference.
        RouteUnknown = "route_unknown", NOT_FOUND, "No such route", "没有此接口";
        /// The route exists, but not with this method. The `Allow` header names those that do.
        MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "Method not allowed", "不支持此方法";
        /// The body is longer than its route takes: 64 KiB; 4 MiB for batches of the vault, 6 MiB for rules
        /// or many names, 14 MiB for a model, 32 MiB for a screening list. Send one event per request.
        BodyTooLarge = "body_too_large", PAYLOAD_TOO_LARGE, "Body too large", "请求体过大";
        /// This route takes no body. Send the request again without one.
        BodyUnexpected = "body_unexpected", BAD_REQUEST, "No body wanted", "此请求不应带请求体";
        /// The body is not declared as `application/json`; screening lists are `application/xml`,
        /// `text/csv`, `application/x-ndjson` or `application/octet-stream`, which models are, too.
        ContentTypeUnsupported = "content_type_unsupported", UNSUPPORTED_MEDIA_TYPE,
            "Content type not supported", "不支持此内容类型";
        /// The body did not arrive within five seconds of its headers.
        BodyTimeout = "body_timeout", REQUEST_TIMEOUT, "Body too slow", "请求体传输过慢";
        /// The request carries no signature. `Accept-Signature` says what one must cover.
        SignatureMissing = "signature_missing", UNAUTHORIZED, "Signature missing", "缺少签名";
        /// `Signature-Input` or `Signature` does not follow RFC 9421.
        SignatureMalformed = "signature_malformed", BAD_REQUEST, "Signature malformed", "签名格式有误";
        /// The key is not known. Replies say `signature_invalid`; metrics and `sandbox` say this.
        SignatureKeyUnknown = "signature_key_unknown", UNAUTHORIZED, "Signature not valid", "签名无效";
        /// The key was revoked. Replies say `signature_invalid`; metrics and `sandbox` say this.
        SignatureKeyRevoked = "signature_key_revoked", UNAUTHORIZED, "Signature not valid", "签名无效";
        /// `created` lies more than 300 seconds back, more than 60 seconds ahead or before the server
        /// started, or `expires` has passed. Compare your clock with `server_time` and sign again.
        SignatureExpired = "signature_expired", UNAUTHORIZED, "Signature out of its time", "签名不在有效时间内";
        /// The signature leaves out what it must cover; `missing` names it.
        SignatureComponentsInsufficient = "signature_components_insufficient", UNAUTHORIZED,
            "Signature covers too little", "签名覆盖内容不足";
        /// The signature does not verify for this request under this key. In sandbox mode `sandbox`
        /// shows the signature base that the server built, to compare with yours.
        SignatureInvalid = "signature_invalid", UNAUTHORIZED, "Signature not valid", "签名无效";
        /// The bearer text is not a key of this sandbox.
        BearerInvalid = "bearer_invalid", UNAUTHORIZED, "Bearer key not valid", "令牌密钥无效";
        /// The key lacks the scope that this route needs; `missing` names it.
        ScopeInsufficient = "scope_insufficient", FORBIDDEN, "Scope missing", "权限不足";
        /// More requests are under way than the server takes. Retry after the stated pause.
        Overloaded = "overloaded", SERVICE_UNAVAILABLE, "Overloaded", "系统过载";
        /// A request with a body must carry `Content-Digest` (RFC 9530).
        ContentDigestMissing = "content_digest_missing", BAD_REQUEST, "Content digest missing", "缺少内容摘要";
        /// `Content-Digest` is no dictionary of bytes, or has neither `sha-256` nor `sha-512`.
        ContentDigestMalformed = "content_digest_malformed", BAD_REQUEST, "Content digest malformed", "内容摘要格式有误";
        /// The body does not have the stated digest: it was changed on the way or after signing.
        ContentDigestMismatch = "content_digest_mismatch", BAD_REQUEST, "Content digest differs", "内容摘要不一致";
        /// The key sent more requests than its rate allows. Retry after the stated pause.
        RateLimited = "rate_limited", TOO_MANY_REQUESTS, "Too many requests", "请求过于频繁";
        /// The nonce was used before. Sign again with a new one and the same idempotency key.
        SignatureReplayed = "signature_replayed", UNAUTHORIZED, "Signature replayed", "签名被重放";
        /// The signature is right, but the key may not be used from this address. Ask whoever looks
        /// after keys to add the network.
        NetworkNotAllowed = "network_not_allowed", FORBIDDEN, "Network not allowed", "网络地址不在允许范围";
        /// The signature is right, but the key is bound to a client certificate, and the connection
        /// does not show it.
        ClientCertificateRequired = "client_certificate_required", FORBIDDEN,
            "Client certificate required", "需要客户端证书";
        /// The server cannot remember more nonces at present. Retry after the stated pause.
        ReplayStoreFull = "replay_store_full", SERVICE_UNAVAILABLE, "Replay store full", "防重放存储已满";
        /// The request is not from the pages of this server: its `Origin`, or `Sec-Fetch-Site`, says so.
        OriginRefused = "origin_refused", FORBIDDEN, "Origin refused", "来源未被接受";
        /// So many people are signing in, or answering behind links, at once, all in all or from your
        /// network, that no other is listened to. Come again after the stated pause.
        VisitorLimit = "visitor_limit", TOO_MANY_REQUESTS, "Too many visitors", "访问者过多";
        /// There is no session, or it has ended: after 15 minutes without use, after 12 hours, or
        /// because somebody ended it. Sign in.
        SessionRequired = "session_required", UNAUTHORIZED, "Session required", "需要登录";
        /// Commands of a session carry its `csrf_token` in the header `x-csrf-token`; it changes
        /// whenever a factor is proved.
        CsrfTokenInvalid = "csrf_token_invalid", FORBIDDEN, "Token of the session not valid", "会话令牌无效";
        /// The session only sets up factors. Set up a passkey, or a password with an authenticator.
        FactorsIncomplete = "factors_incomplete", FORBIDDEN, "Factors incomplete", "认证因素不全";
        /// The command is sensitive: prove a factor again, then repeat it within five minutes.
        FreshFactorRequired = "fresh_factor_required", FORBIDDEN, "Fresh factor required", "需要重新认证";
        /// Name or factors are not right. It is not told which, nor whether the name exists.
        SignInRefused = "sign_in_refused", UNAUTHORIZED, "Sign-in refused", "登录被拒绝";
        /// There were too many failures of this name or from your network. Wait as long as
        /// `Retry-After` says; after the tenth failure that is half an hour. Passkeys are not delayed
        /// by failures of the name.
        SignInDelayed = "sign_in_delayed", TOO_MANY_REQUESTS, "Sign-in delayed", "登录被延迟";
        /// Half of the processors check passwords, and 16 wait at most. Come again after the pause.
        PasswordChecksBusy = "password_checks_busy", SERVICE_UNAVAILABLE, "Password checks busy", "口令校验繁忙";
        /// `Idempotency-Key` is required on this route.
        IdempotencyKeyMissing = "idempotency_key_missing", BAD_REQUEST, "Idempotency key missing", "缺少幂等键";
        /// `Idempotency-Key` is a quoted string or a bare token of 1 to 255 visible characters.
        IdempotencyKeyMalformed = "idempotency_key_malformed", BAD_REQUEST,
            "Idempotency key malformed", "幂等键格式有误";
        /// A request with this idempotency key is being worked on. Retry after a pause.
        IdempotencyInProgress = "idempotency_in_progress", CONFLICT, "Request in progress", "相同请求正在处理";
        /// The idempotency key was used for another request. Take a fresh key for each payment.
        IdempotencyKeyReused = "idempotency_key_reused", UNPROCESSABLE_ENTITY,
            "Idempotency key reused", "幂等键被用于其他请求";
    } };
}

pub(super) use door;
