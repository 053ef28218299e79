//! Every refusal the API can give, one row each. The reference page of errors is made from them.

mod page;
mod reports;
mod table;

use http::StatusCode;
pub use page::errors_markdown;
use reports::with_reports;

with_reports! {
    /// The header lines are more than 64 or longer than 16 KiB in total. Send fewer.
    HeadersTooLarge = "headers_too_large", REQUEST_HEADER_FIELDS_TOO_LARGE, "Headers too large";
    /// No route has this path. See the API reference.
    RouteUnknown = "route_unknown", NOT_FOUND, "No such route";
    /// The route exists, but not with this method. The `Allow` header names those that do.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "Method not allowed";
    /// The body is longer than its route takes: 64 KiB; 4 MiB for batches of the vault, 6 MiB for rules
    /// or many names, 14 MiB for a model, 32 MiB for a screening list. Send one event per request.
    BodyTooLarge = "body_too_large", PAYLOAD_TOO_LARGE, "Body too large";
    /// The body is not declared as `application/json`; screening lists are `application/xml`,
    /// `text/csv`, `application/x-ndjson` or `application/octet-stream`, which models are, too.
    ContentTypeUnsupported = "content_type_unsupported", UNSUPPORTED_MEDIA_TYPE,
        "Content type not supported";
    /// The body did not arrive within five seconds of its headers.
    BodyTimeout = "body_timeout", REQUEST_TIMEOUT, "Body too slow";
    /// The request carries no signature. `Accept-Signature` says what one must cover.
    SignatureMissing = "signature_missing", UNAUTHORIZED, "Signature missing";
    /// `Signature-Input` or `Signature` does not follow RFC 9421.
    SignatureMalformed = "signature_malformed", BAD_REQUEST, "Signature malformed";
    /// The key is not known. Replies say `signature_invalid`; metrics and `sandbox` say this.
    SignatureKeyUnknown = "signature_key_unknown", UNAUTHORIZED, "Signature not valid";
    /// The key was revoked. Replies say `signature_invalid`; metrics and `sandbox` say this.
    SignatureKeyRevoked = "signature_key_revoked", UNAUTHORIZED, "Signature not valid";
    /// `created` lies more than 300 seconds back, more than 60 seconds ahead or before the server
    /// started, or `expires` has passed. Compare your clock with `server_time` and sign again.
    SignatureExpired = "signature_expired", UNAUTHORIZED, "Signature out of its time";
    /// The signature leaves out what it must cover; `missing` names it.
    SignatureComponentsInsufficient = "signature_components_insufficient", UNAUTHORIZED,
        "Signature covers too little";
    /// The signature does not verify for this request under this key. In sandbox mode `sandbox`
    /// shows the signature base that the server built, to compare with yours.
    SignatureInvalid = "signature_invalid", UNAUTHORIZED, "Signature not valid";
    /// The bearer text is not a key of this sandbox.
    BearerInvalid = "bearer_invalid", UNAUTHORIZED, "Bearer key not valid";
    /// The key lacks the scope that this route needs; `missing` names it.
    ScopeInsufficient = "scope_insufficient", FORBIDDEN, "Scope missing";
    /// More requests are under way than the server takes. Retry after the stated pause.
    Overloaded = "overloaded", SERVICE_UNAVAILABLE, "Overloaded";
    /// A request with a body must carry `Content-Digest` (RFC 9530).
    ContentDigestMissing = "content_digest_missing", BAD_REQUEST, "Content digest missing";
    /// `Content-Digest` is no dictionary of bytes, or has neither `sha-256` nor `sha-512`.
    ContentDigestMalformed = "content_digest_malformed", BAD_REQUEST, "Content digest malformed";
    /// The body does not have the stated digest: it was changed on the way or after signing.
    ContentDigestMismatch = "content_digest_mismatch", BAD_REQUEST, "Content digest differs";
    /// The key sent more requests than its rate allows. Retry after the stated pause.
    RateLimited = "rate_limited", TOO_MANY_REQUESTS, "Too many requests";
    /// The nonce was used before. Sign again with a new one and the same idempotency key.
    SignatureReplayed = "signature_replayed", UNAUTHORIZED, "Signature replayed";
    /// The signature is right, but the key may not be used from this address. Ask whoever looks
    /// after keys to add the network.
    NetworkNotAllowed = "network_not_allowed", FORBIDDEN, "Network not allowed";
    /// The signature is right, but the key is bound to a client certificate, and the connection
    /// does not show it.
    ClientCertificateRequired = "client_certificate_required", FORBIDDEN,
        "Client certificate required";
    /// The server cannot remember more nonces at present. Retry after the stated pause.
    ReplayStoreFull = "replay_store_full", SERVICE_UNAVAILABLE, "Replay store full";
    /// The request is not from the pages of this server: its `Origin`, or `Sec-Fetch-Site`, says so.
    OriginRefused = "origin_refused", FORBIDDEN, "Origin refused";
    /// So many people are signing in, or answering behind links, at once, all in all or from your
    /// network, that no other is listened to. Come again after the stated pause.
    VisitorLimit = "visitor_limit", TOO_MANY_REQUESTS, "Too many visitors";
    /// There is no session, or it has ended: after 15 minutes without use, after 12 hours, or
    /// because somebody ended it. Sign in.
    SessionRequired = "session_required", UNAUTHORIZED, "Session required";
    /// Commands of a session carry its `csrf_token` in the header `x-csrf-token`; it changes
    /// whenever a factor is proved.
    CsrfTokenInvalid = "csrf_token_invalid", FORBIDDEN, "Token of the session not valid";
    /// The session only sets up factors. Set up a passkey, or a password with an authenticator.
    FactorsIncomplete = "factors_incomplete", FORBIDDEN, "Factors incomplete";
    /// No security alert of your company has this identifier.
    AlertUnknown = "alert_unknown", NOT_FOUND, "Alert unknown";
    /// No alert or case of a queue that you see has this identifier.
    WorkItemUnknown = "work_item_unknown", NOT_FOUND, "Alert or case unknown";
    /// The alert or case stands where this cannot be done; `detail` says where. Read it again.
    WorkItemState = "work_item_state", CONFLICT, "Alert or case not in this state";
    /// Somebody else works on it; `detail` says who. Have it released or assigned first.
    WorkItemTaken = "work_item_taken", CONFLICT, "Somebody else works on it";
    /// It was changed since you read it: of two who change at once one is refused. Read it again.
    WorkItemChanged = "work_item_changed", CONFLICT, "Changed in between";
    /// The alert is about you: somebody else decides about it.
    OwnAlert = "own_alert", FORBIDDEN, "Alert about yourself";
    /// The alert is closed, or acknowledged already. Read it again.
    AlertState = "alert_state", CONFLICT, "Alert not in this state";
    /// The account was suspended by a security alert. Whoever decides about alerts closes it first.
    AccountUnderReview = "account_under_review", CONFLICT, "Account under review";
    /// The command is sensitive: prove a factor again, then repeat it within five minutes.
    FreshFactorRequired = "fresh_factor_required", FORBIDDEN, "Fresh factor required";
    /// Name or factors are not right. It is not told which, nor whether the name exists.
    SignInRefused = "sign_in_refused", UNAUTHORIZED, "Sign-in refused";
    /// There were too many failures of this name or from your network. Wait as long as
    /// `Retry-After` says; after the tenth failure that is half an hour. Passkeys are not delayed
    /// by failures of the name.
    SignInDelayed = "sign_in_delayed", TOO_MANY_REQUESTS, "Sign-in delayed";
    /// Half of the processors check passwords, and 16 wait at most. Come again after the pause.
    PasswordChecksBusy = "password_checks_busy", SERVICE_UNAVAILABLE, "Password checks busy";
    /// `Idempotency-Key` is required on this route.
    IdempotencyKeyMissing = "idempotency_key_missing", BAD_REQUEST, "Idempotency key missing";
    /// `Idempotency-Key` is a quoted string or a bare token of 1 to 255 visible characters.
    IdempotencyKeyMalformed = "idempotency_key_malformed", BAD_REQUEST,
        "Idempotency key malformed";
    /// A request with this idempotency key is being worked on. Retry after a pause.
    IdempotencyInProgress = "idempotency_in_progress", CONFLICT, "Request in progress";
    /// The idempotency key was used for another request. Take a fresh key for each payment.
    IdempotencyKeyReused = "idempotency_key_reused", UNPROCESSABLE_ENTITY,
        "Idempotency key reused";
    /// A query or path parameter is not known or not well formed; `detail` names it.
    ParameterInvalid = "parameter_invalid", BAD_REQUEST, "Parameter not valid";
    /// The body is not UTF-8.
    BodyNotUtf8 = "body_not_utf8", BAD_REQUEST, "Body is not UTF-8";
    /// The body is not one JSON text.
    JsonMalformed = "json_malformed", BAD_REQUEST, "JSON malformed";
    /// The JSON is nested deeper than 32 levels.
    JsonTooDeep = "json_too_deep", BAD_REQUEST, "JSON too deep";
    /// A member is not known; `pointer` says where, `detail` what may have been meant.
    FieldUnknown = "field_unknown", UNPROCESSABLE_ENTITY, "Unknown field";
    /// A required member is missing; `pointer` says where.
    FieldMissing = "field_missing", UNPROCESSABLE_ENTITY, "Field missing";
    /// A member is given twice.
    FieldDuplicate = "field_duplicate", UNPROCESSABLE_ENTITY, "Field given twice";
    /// A member has the wrong type or a word that is not known; `pointer` says where.
    FieldInvalid = "field_invalid", UNPROCESSABLE_ENTITY, "Field not valid";
    /// The amount has more decimals than its currency (ISO 4217).
    AmountDecimals = "amount_decimals", UNPROCESSABLE_ENTITY, "Too many decimals";
    /// The amount is not plain digits such as `12.34`, or not exactly one of `value` and `minor`
    /// is given.
    AmountMalformed = "amount_malformed", UNPROCESSABLE_ENTITY, "Amount malformed";
    /// The amount is negative.
    AmountNegative = "amount_negative", UNPROCESSABLE_ENTITY, "Amount negative";
    /// The amount exceeds 10^15 minor units.
    AmountOverflow = "amount_overflow", UNPROCESSABLE_ENTITY, "Amount too large";
    /// More than 64 attributes.
    AttributeLimit = "attribute_limit", UNPROCESSABLE_ENTITY, "Too many attributes";
    /// An attribute is not a string, a number, true or false.
    AttributeNotScalar = "attribute_not_scalar", UNPROCESSABLE_ENTITY, "Attribute not a scalar";
    /// The card number is not 12 to 19 digits.
    CardNumberMalformed = "card_number_malformed", UNPROCESSABLE_ENTITY, "Card number malformed";
    /// The card number fails the Luhn check.
    CardNumberLuhn = "card_number_luhn", UNPROCESSABLE_ENTITY, "Card number mistyped";
    /// The card has neither `number` nor `index`.
    CardNumberMissing = "card_number_missing", UNPROCESSABLE_ENTITY, "Card number missing";
    /// The card's `index` is not one that a reply has given.
    CardIndexMalformed = "card_index_malformed", UNPROCESSABLE_ENTITY, "Card index malformed";
    /// Latitude lies outside -90 to 90 or longitude outside -180 to 180.
    CoordinateOutOfRange = "coordinate_out_of_range", UNPROCESSABLE_ENTITY,
        "Coordinate out of range";
    /// Not an ISO 3166-1 alpha-2 country code.
    CountryUnknown = "country_unknown", UNPROCESSABLE_ENTITY, "Country unknown";
    /// Not an active ISO 4217 currency code.
    CurrencyUnknown = "currency_unknown", UNPROCESSABLE_ENTITY, "Currency unknown";
    /// The expiry is not `YYYY-MM`.
    ExpiryMalformed = "expiry_malformed", UNPROCESSABLE_ENTITY, "Expiry malformed";
    /// An identifier is not 1 to 128 visible ASCII characters.
    IdentifierMalformed = "identifier_malformed", UNPROCESSABLE_ENTITY, "Identifier malformed";
    /// Not an IPv4 or IPv6 address.
    IpMalformed = "ip_malformed", UNPROCESSABLE_ENTITY, "Address malformed";
    /// A text has more than 512 bytes or a control character.
    TextTooLong = "text_too_long", UNPROCESSABLE_ENTITY, "Text not accepted";
    /// A time is not RFC 3339.
    TimeMalformed = "time_malformed", UNPROCESSABLE_ENTITY, "Time malformed";
    /// A time lies outside the years 1970 to 2199.
    TimeOutOfRange = "time_out_of_range", UNPROCESSABLE_ENTITY, "Time out of range";
    /// `known_at` is accepted only by a server that replays history.
    KnownAtRefused = "known_at_refused", UNPROCESSABLE_ENTITY, "known_at not accepted";
    /// The event lies further back than this server accepts. Import history instead.
    EventTooOld = "event_too_old", UNPROCESSABLE_ENTITY, "Event too old";
    /// The event lies in the future. Set your clock.
    EventInFuture = "event_in_future", UNPROCESSABLE_ENTITY, "Event in the future";
    /// The payment was decided under another idempotency key; `decision` names what stands.
    PaymentAlreadyDecided = "payment_already_decided", CONFLICT, "Payment already decided";
    /// No decision is known for this payment.
    PaymentUnknown = "payment_unknown", NOT_FOUND, "Payment unknown";
    /// No decision has this identifier.
    DecisionUnknown = "decision_unknown", NOT_FOUND, "Decision unknown";
    /// The list name, value or reason is not accepted; `detail` says which.
    ListEntryMalformed = "list_entry_malformed", UNPROCESSABLE_ENTITY, "List entry malformed";
    /// The list holds no such entry.
    ListEntryUnknown = "list_entry_unknown", NOT_FOUND, "List entry unknown";
    /// The trail has no such leaf, tile, size or checkpoint, or not yet.
    TrailUnknown = "trail_unknown", NOT_FOUND, "Not in the trail";
    /// A cosignature is not of a witness that is known here, or does not fit the checkpoint.
    CosignatureInvalid = "cosignature_invalid", UNPROCESSABLE_ENTITY, "Cosignature not valid";
    /// The trail contradicts its last checkpoint: somebody changed the store. Nothing is signed
    /// any more. An operator must run `paywarden verify`.
    TrailInconsistent = "trail_inconsistent", INTERNAL_SERVER_ERROR, "Trail inconsistent";
    /// No decided event lies in the span of time. Ask for another one.
    HistoryEmpty = "history_empty", NOT_FOUND, "Nothing in this span";
    /// The journal holds more labels or list entries than a back-test takes in.
    HistoryTooLong = "history_too_long", CONFLICT, "History too long";
    /// So many of your back-tests run or wait that no other is taken. Wait for one to end.
    BacktestLimit = "backtest_limit", TOO_MANY_REQUESTS, "Too many back-tests";
    /// No such back-test is remembered: the last twelve are, until the server restarts.
    BacktestUnknown = "backtest_unknown", NOT_FOUND, "Back-test unknown";
    /// The condition does not compile; `diagnostics` lists what is wrong, with place and hint.
    ConditionRefused = "condition_refused", UNPROCESSABLE_ENTITY, "Condition refused";
    /// The packs do not compile, or an example does not behave as it says; `diagnostics` lists what
    /// is wrong, with file, line, place and hint. Nothing was written down.
    RulesRefused = "rules_refused", UNPROCESSABLE_ENTITY, "Rules refused";
    /// The draft has no pack, too many packs, too many bytes or a file name that is not accepted,
    /// or the purpose or share is not accepted; `detail` says which.
    RuleSetMalformed = "rule_set_malformed", UNPROCESSABLE_ENTITY, "Rule set malformed";
    /// The version to start from has no such pack to leave out.
    PackUnknown = "pack_unknown", UNPROCESSABLE_ENTITY, "Pack unknown";
    /// None of your rule sets has this version.
    RuleSetUnknown = "rule_set_unknown", NOT_FOUND, "Rule set unknown";
    /// The version that decided has no rule of this name.
    RuleUnknown = "rule_unknown", NOT_FOUND, "Rule unknown";
    /// The decision cannot be explained: it is older than the keeping of what rules see.
    TraceUnknown = "trace_unknown", NOT_FOUND, "Nothing to explain with";
    /// The version is not where this is possible from; another call was faster. Read it again.
    RuleSetMove = "rule_set_move", CONFLICT, "Not possible in this state";
    /// A limit on versions, steps, shadows or canaries is reached; `detail` says which. Archive some.
    RuleSetLimit = "rule_set_limit", CONFLICT, "Rule set limit";
    /// Another step of your rule sets is being prepared. Follow its progress and ask again.
    RuleSetBusy = "rule_set_busy", CONFLICT, "Rule set busy";
    /// The library decides your payments: there is no version to take back.
    RuleSetNotLive = "rule_set_not_live", CONFLICT, "No version to roll back";
    /// The package is no whole model, is too large, or reads features that are not those of its
    /// recipe; `detail` says which. Nothing was registered. Train again, or get the file again.
    ModelRefused = "model_refused", UNPROCESSABLE_ENTITY, "Model refused";
    /// None of your models has this name.
    ModelUnknown = "model_unknown", NOT_FOUND, "Model unknown";
    /// The model has not shown on your own payments what this needs; `detail` says what. Ask it
    /// beside (`shadow`) for longer, or train a better one.
    ModelUnproven = "model_unproven", CONFLICT, "Model not proven";
    /// The policy of the model, or the purpose, is not accepted; `detail` says why.
    ModelPolicyMalformed = "model_policy_malformed", UNPROCESSABLE_ENTITY, "Policy malformed";
    /// The model is not where this is possible from; another call was faster. Read it again.
    ModelMove = "model_move", CONFLICT, "Not possible for this model";
    /// More than 250,000 payments lie in the stretch, or two million decisions behind it. Ask for a
    /// shorter or a later one.
    ReportTooLong = "report_too_long", UNPROCESSABLE_ENTITY, "Report too long";
    /// A limit on models or challengers is reached; `detail` says which.
    ModelLimit = "model_limit", CONFLICT, "Model limit";
    /// Another step of your models is being prepared. Follow its progress and ask again.
    ModelBusy = "model_busy", CONFLICT, "Models busy";
    /// The policy asks for approval of this command. Ask for it with `POST /v1/approvals`, have
    /// others vote, and name the approval.
    ApprovalMissing = "approval_missing", CONFLICT, "Approval missing";
    /// You have had as many rows of this collection today as may be looked at. Ask for an export
    /// with `POST /v1/approvals`, carry it out, and name it as `export`; or go on tomorrow (UTC).
    ExportRequired = "export_required", FORBIDDEN, "Export required";
    /// None of your approvals has this identifier.
    ApprovalUnknown = "approval_unknown", NOT_FOUND, "Approval unknown";
    /// The command that approval is asked for is not accepted; `detail` says why.
    ApprovalCommandMalformed = "approval_command_malformed", UNPROCESSABLE_ENTITY,
        "Command malformed";
    /// The reason, ticket or expiry is not accepted; `detail` says which.
    ApprovalMalformed = "approval_malformed", UNPROCESSABLE_ENTITY, "Approval malformed";
    /// You, or whoever asked, lent the right or broke the glass, may not do this now, by the scopes
    /// of the key and the policy.
    ApprovalForbidden = "approval_forbidden", FORBIDDEN, "Not allowed by the policy";
    /// Whoever asked cannot approve or review it, nor lend or borrow a right for it. Have somebody
    /// else do it.
    ApprovalByMaker = "approval_by_maker", FORBIDDEN, "Approval by the maker";
    /// The payload is not the one that was asked for and voted on. Read the approval again.
    ApprovalOtherPayload = "approval_other_payload", CONFLICT, "Another payload";
    /// The two have approved each other as often in 30 days as they may. Have another one vote.
    ApprovalMutual = "approval_mutual", FORBIDDEN, "Mutual approval";
    /// You have voted on this already, or the right that you use has been used for it.
    ApprovalRepeated = "approval_repeated", CONFLICT, "Voted already";
    /// Not enough votes count at this moment: votes of those who have lost their right do not.
    ApprovalVotes = "approval_votes", CONFLICT, "Too few votes";
    /// The approval was carried out before; it is good for once. Ask anew.
    ApprovalUsed = "approval_used", CONFLICT, "Approval used";
    /// Nobody carried the approval out in time. Ask anew.
    ApprovalExpired = "approval_expired", CONFLICT, "Approval expired";
    /// The approval was refused or taken back, or it needs no votes because the glass is broken.
    ApprovalClosed = "approval_closed", CONFLICT, "Approval closed";
    /// Somebody else acted on the approval at the same time. Read it again and retry.
    ApprovalBusy = "approval_busy", CONFLICT, "Approval busy";
    /// A limit on requests, votes or delegations is reached; `detail` says which.
    ApprovalLimit = "approval_limit", CONFLICT, "Approval limit";
    /// The policy lets nobody carry this command out without votes.
    BreakGlassForbidden = "break_glass_forbidden", FORBIDDEN, "No emergency for this";
    /// An earlier emergency of yours waits for its review, or one of your company is overdue.
    ApprovalReviewOpen = "approval_review_open", CONFLICT, "Review open";
    /// This approval was no emergency, or it is reviewed already.
    ApprovalNothingToReview = "approval_nothing_to_review", CONFLICT, "Nothing to review";
    /// The delegation is not accepted; `detail` says why.
    DelegationMalformed = "delegation_malformed", UNPROCESSABLE_ENTITY, "Delegation malformed";
    /// No delegation in force has this identifier and is yours, or none lends you the right.
    DelegationUnknown = "delegation_unknown", NOT_FOUND, "Delegation unknown";
    /// The policy is not accepted; `detail` says why.
    ApprovalPolicyRefused = "approval_policy_refused", UNPROCESSABLE_ENTITY, "Policy refused";
    /// Another policy has come into force since the change was asked for. Ask anew.
    ApprovalPolicyMoved = "approval_policy_moved", CONFLICT, "Policy moved";
    /// The list does not read as a whole list of its format; `detail` says where. Fetch it again, or
    /// name its format. The version before stays at work.
    ScreeningListRefused = "screening_list_refused", UNPROCESSABLE_ENTITY, "List refused";
    /// The version lacks more than a tenth of the parties of the one at work: a download may have
    /// broken off. Fetch it again; if it is right, ask for a `screening_change` with
    /// `POST /v1/approvals`. The version before stays at work.
    ScreeningListShrunken = "screening_list_shrunken", CONFLICT, "List shrank";
    /// No screening list of yours has this name.
    ScreeningListUnknown = "screening_list_unknown", NOT_FOUND, "Screening list unknown";
    /// No such version of the list waits to be accepted. Import it again.
    ScreeningVersionUnknown = "screening_version_unknown", NOT_FOUND, "Version unknown";
    /// The list at work has no entry with this identifier.
    ScreeningEntryUnknown = "screening_entry_unknown", NOT_FOUND, "Entry unknown";
    /// No party with this reference is under watch.
    ScreeningPartyUnknown = "screening_party_unknown", NOT_FOUND, "Party unknown";
    /// There is no screening list, so nobody could be told apart. Import one.
    ScreeningNoLists = "screening_no_lists", CONFLICT, "No screening list";
    /// The name is longer than 1,024 bytes, or has no letters.
    ScreeningNameRefused = "screening_name_refused", UNPROCESSABLE_ENTITY, "Name refused";
    /// So many imports or batches are under way that no other is taken. Retry after the pause.
    ScreeningBusy = "screening_busy", SERVICE_UNAVAILABLE, "Screening busy";
    /// A limit on lists, parties or names is reached; `detail` says which.
    ScreeningLimit = "screening_limit", UNPROCESSABLE_ENTITY, "Screening limit";
    /// None of your batches has this identifier: a restart or later batches push results out.
    ScreeningBatchUnknown = "screening_batch_unknown", NOT_FOUND, "Batch unknown";
    /// The windows of the rules cannot be kept: too many, or one that is not sound.
    WindowsRefused = "windows_refused", UNPROCESSABLE_ENTITY, "Windows refused";
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
    /// The token was not made here for your company, or is mistyped.
    TokenRefused = "token_refused", UNPROCESSABLE_ENTITY, "Token refused";
    /// No value has this token, or it was erased, or read by a token that was good for once.
    TokenUnknown = "token_unknown", NOT_FOUND, "Token unknown";
    /// The token could be read until a time that has passed.
    TokenExpired = "token_expired", GONE, "Token expired";
    /// The token is good for another caller or purpose.
    TokenBound = "token_bound", FORBIDDEN, "Token bound";
    /// The catalogue has no such class of data. `GET /v1/vault/catalogue` lists them.
    VaultClassUnknown = "vault_class_unknown", UNPROCESSABLE_ENTITY, "Class unknown";
    /// The value is not one of its class; `detail` says what it must be.
    VaultValueRefused = "vault_value_refused", UNPROCESSABLE_ENTITY, "Value refused";
    /// The purpose, a number or a length of the request is not accepted; `detail` says which.
    VaultRequestMalformed = "vault_request_malformed", UNPROCESSABLE_ENTITY,
        "Vault request malformed";
    /// The notice is not accepted; `detail` says what to mend.
    NoticeRefused = "notice_refused", UNPROCESSABLE_ENTITY, "Notice refused";
    /// No notice of yours has this name and version. `GET /v1/notices` lists them.
    NoticeUnknown = "notice_unknown", NOT_FOUND, "Notice unknown";
    /// Another version was published at the same moment. Read it, then publish yours anew.
    NoticeMoved = "notice_moved", CONFLICT, "Notice changed meanwhile";
    /// The consent is not accepted; `detail` says what to mend.
    ConsentRefused = "consent_refused", UNPROCESSABLE_ENTITY, "Consent refused";
    /// The person has given no consent that could be withdrawn.
    ConsentUnknown = "consent_unknown", NOT_FOUND, "Consent unknown";
    /// Nothing is kept of a person with this pseudonym. Give your own identifier of them.
    SubjectUnknown = "subject_unknown", NOT_FOUND, "Person unknown";
    /// The person stands so already: nothing was changed. `GET /v1/consents/{subject}` shows how.
    SubjectUnchanged = "subject_unchanged", CONFLICT, "Nothing changed";
    /// A hold keeps what is to be erased; `detail` names it. Lift it first by
    /// `POST /v1/subjects/holds`.
    SubjectHeld = "subject_held", CONFLICT, "Kept by a hold";
    /// No request of a person has this identifier. `GET /v1/subjects/requests` lists them.
    SubjectRequestUnknown = "subject_request_unknown", NOT_FOUND, "Request of a person unknown";
    /// The request of a person does not take this step where it stands: it is answered, overdue, or
    /// was given more time; `detail` says which.
    SubjectRequestState = "subject_request_state", CONFLICT, "Request of a person stands elsewhere";
    /// 10,000 requests of persons have no answer. Answer some first.
    SubjectRequestLimit = "subject_request_limit", TOO_MANY_REQUESTS, "Too many open requests";
    /// The root of the vault's keys, which is outside of this server, does not open them. Nothing
    /// was kept, read or lost: try again.
    RootUnavailable = "root_unavailable", SERVICE_UNAVAILABLE, "Root of keys unavailable";
    /// Living keys are wrapped by the epochs that were to end; `detail` says how many. Let
    /// `POST /v1/vault/rotation` wrap them again first.
    EpochInUse = "epoch_in_use", CONFLICT, "Epoch in use";
    /// No epoch before that one lives, or it has not begun. `GET /v1/vault/rotation` shows them.
    EpochUnknown = "epoch_unknown", NOT_FOUND, "Epoch unknown";
    /// The company has a retention run under way; `detail` names it. Let it end, or stop it.
    RetentionOpen = "retention_open", CONFLICT, "Retention run under way";
    /// No retention run has this identifier. `GET /v1/retention/runs` lists them.
    RetentionUnknown = "retention_unknown", NOT_FOUND, "Retention run unknown";
    /// The retention run does not take this step where it stands; `detail` says where that is.
    RetentionState = "retention_state", CONFLICT, "Retention run stands elsewhere";
    /// Nothing ends that was not counted: name a run with `dry_run` that is done, not older than
    /// seven days and by the privacy policy in force.
    RetentionNotCounted = "retention_not_counted", CONFLICT, "Not counted";
    /// The time of the grant is over. Ask for another.
    RevealOver = "reveal_over", FORBIDDEN, "Grant over";
    /// Every look of the grant was taken. Ask for another.
    RevealSpent = "reveal_spent", FORBIDDEN, "Grant spent";
    /// You were shown many different persons today. `Retry-After` says when the next one may be
    /// looked at; the wait doubles with each. Whoever goes on all the same is suspended.
    RevealThrottled = "reveal_throttled", TOO_MANY_REQUESTS, "Shown too many persons";
    /// The privacy policy is not accepted; `detail` says what to mend.
    PrivacyPolicyRefused = "privacy_policy_refused", UNPROCESSABLE_ENTITY,
        "Privacy policy refused";
    /// Another privacy policy has come into force. Read it and ask for its change.
    PrivacyPolicyMoved = "privacy_policy_moved", CONFLICT, "Privacy policy changed meanwhile";
    /// The privacy policy knows no such purpose. `GET /v1/privacy-policy` lists those it knows.
    PurposeUnknown = "purpose_unknown", UNPROCESSABLE_ENTITY, "Purpose unknown";
    /// This data is not kept for this purpose. State another one, or have the policy attach it.
    PurposeNotForData = "purpose_not_for_data", FORBIDDEN, "Not for this purpose";
    /// No clause of a notice in force tells people of this purpose and data; `detail` names the
    /// clause. Publish it by `POST /v1/notices`.
    PurposeNotNotified = "purpose_not_notified", FORBIDDEN, "Nobody was told";
    /// A rule of the privacy policy forbids it; `detail` names the rule.
    PurposeForbidden = "purpose_forbidden", FORBIDDEN, "Forbidden by the policy";
    /// The policy names no lawful basis for this purpose where the person lives. Add one.
    LawfulBasisMissing = "lawful_basis_missing", FORBIDDEN, "No lawful basis";
    /// The person has not agreed to this purpose. Ask, and record the answer by
    /// `POST /v1/consents`.
    ConsentMissing = "consent_missing", FORBIDDEN, "Consent missing";
    /// The person has withdrawn consent to this purpose. Stop, or ask anew.
    ConsentWithdrawn = "consent_withdrawn", FORBIDDEN, "Consent withdrawn";
    /// The person agreed for a time that is over. Ask anew.
    ConsentExpired = "consent_expired", FORBIDDEN, "Consent expired";
    /// The notice has changed since the person agreed, and asks anew. Show it and ask.
    ConsentOutdated = "consent_outdated", FORBIDDEN, "Consent outdated";
    /// The person has objected to this purpose. Leave this data alone.
    SubjectObjected = "subject_objected", FORBIDDEN, "Person objects";
    /// The person has had handling restricted; only purposes that the policy marks
    /// `while_restricted` go on.
    SubjectRestricted = "subject_restricted", FORBIDDEN, "Handling restricted";
    /// A custodian's share is not one, or the shares do not make the master key of this server.
    ShareRefused = "share_refused", UNPROCESSABLE_ENTITY, "Share refused";
    /// No webhook of your company has this identifier.
    WebhookUnknown = "webhook_unknown", NOT_FOUND, "Webhook unknown";
    /// What is said of the webhook cannot be; `detail` says what. See `webhook_networks` too.
    WebhookRefused = "webhook_refused", UNPROCESSABLE_ENTITY, "Webhook refused";
    /// The webhook is enabled or disabled already. Read it again.
    WebhookState = "webhook_state", CONFLICT, "Webhook not in this state";
    /// A company has at most 32 webhooks, disabled ones included.
    WebhookLimit = "webhook_limit", CONFLICT, "Too many webhooks";
    /// No delivery to this webhook has this message, or it is older than 30 days.
    DeliveryUnknown = "delivery_unknown", NOT_FOUND, "Delivery unknown";
    /// The payer was not asked about this payment.
    ConfirmationUnknown = "confirmation_unknown", NOT_FOUND, "Confirmation unknown";
    /// The payer has answered already, or the time for an answer is over. Read it again.
    ConfirmationState = "confirmation_state", CONFLICT, "Confirmation not in this state";
    /// A payer is asked about one payment five times at most.
    ConfirmationLimit = "confirmation_limit", TOO_MANY_REQUESTS, "Asked too often";
    /// What is asked of the confirmation cannot be; `detail` says what.
    ConfirmationRefused = "confirmation_refused", UNPROCESSABLE_ENTITY, "Confirmation refused";
    /// Too many links were opened from your network. Come again after the stated pause.
    LinkLimit = "link_limit", TOO_MANY_REQUESTS, "Too many links";
    /// Somebody else changed the same thing at the same moment. Read it again, then repeat.
    Conflict = "conflict", CONFLICT, "Changed meanwhile";
    /// Nothing can be made durable at present. Retry with the same idempotency key.
    StoreUnavailable = "store_unavailable", SERVICE_UNAVAILABLE, "Store unavailable";
    /// A stored record does not read back. An operator must look at it.
    RecordDamaged = "record_damaged", INTERNAL_SERVER_ERROR, "Record damaged";
    /// A defect of the server. It may have taken effect: retry with the same idempotency key.
    Internal = "internal", INTERNAL_SERVER_ERROR, "Internal error";
}
