//! The vault: personal data in, tokens out, and back for whoever may have it. Values travel in
//! bodies, never in URLs: a URL ends up in logs.

pub(crate) mod bodies;
pub(crate) mod compatible;
pub(crate) mod rotation;

use super::{Call, Endpoint, Keyed, Route, Size, json::parse, json_reply};
use crate::edge::{Code, Problem, ProblemDocument, reply::Reply};
use bodies::{
    Detokenize, DetokenizeBatch, Tokenize, TokenizeBatch, VaultCatalogue, VaultDeletion,
    VaultErased, VaultForgetting, VaultRecord, VaultRecords, VaultSearch, VaultToken, VaultTokens,
    VaultValue, VaultValues, said,
};
use http::StatusCode;
use paywarden_access::Scope;
use paywarden_privacy::{By, Error, Item, Said};
use paywarden_store::Actor;

/// The routes of the vault, and those of Hyperswitch's.
#[rustfmt::skip]
pub(super) static ROUTES: &[Route] = &[
    command("/v1/vault/tokenize", Scope::VaultWrite, Act::Tokenize),
    batch("/v1/vault/tokenize/batch", Scope::VaultWrite, Act::TokenizeBatch),
    command("/v1/vault/detokenize", Scope::VaultRead, Act::Detokenize),
    batch("/v1/vault/detokenize/batch", Scope::VaultRead, Act::DetokenizeBatch),
    command("/v1/vault/search", Scope::VaultSearch, Act::Search),
    command("/v1/vault/delete", Scope::VaultErase, Act::Delete),
    command("/v1/vault/forget", Scope::VaultErase, Act::Forget),
    Route::get("/v1/vault/catalogue", Scope::VaultSearch, Endpoint::Vault(Act::Catalogue)),
    Route::get("/v1/vault/rotation", Scope::VaultKeys, Endpoint::Vault(Act::Rotation)),
    command("/v1/vault/rotation", Scope::VaultKeys, Act::StepRotation),
    command("/data/add", Scope::VaultWrite, Act::CompatibleAdd),
    command("/data/retrieve", Scope::VaultRead, Act::CompatibleRetrieve),
    command("/data/delete", Scope::VaultErase, Act::CompatibleDelete),
    command("/data/fingerprint", Scope::VaultSearch, Act::CompatibleFingerprint),
    command("/cards/fingerprint", Scope::VaultSearch, Act::CompatibleCardFingerprint),
    command("/custodian/key1", Scope::VaultKeys, Act::CustodianKey1),
    command("/custodian/key2", Scope::VaultKeys, Act::CustodianKey2),
    Route {
        has_body: false,
        ..command("/custodian/decrypt", Scope::VaultKeys, Act::CustodianDecrypt)
    },
];

/// A command to the vault. What it reads is answered to nobody twice: remembered replies would
/// hold clear values.
const fn command(path: &'static str, scope: Scope, act: Act) -> Route {
    let keyed = match scope {
        Scope::VaultWrite | Scope::VaultErase | Scope::VaultKeys => Keyed::Optional,
        _ => Keyed::Never,
    };
    Route::post(path, scope, keyed, Endpoint::Vault(act))
}

/// A command about many values.
const fn batch(path: &'static str, scope: Scope, act: Act) -> Route {
    Route {
        size: Size::Batch,
        ..command(path, scope, act)
    }
}

/// What is asked of the vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Tokenize,
    TokenizeBatch,
    Detokenize,
    DetokenizeBatch,
    Search,
    Delete,
    Forget,
    Catalogue,
    Rotation,
    StepRotation,
    CompatibleAdd,
    CompatibleRetrieve,
    CompatibleDelete,
    CompatibleFingerprint,
    CompatibleCardFingerprint,
    CustodianKey1,
    CustodianKey2,
    CustodianDecrypt,
}

/// Answers for the vault.
pub(crate) async fn handle(act: Act, call: &Call) -> Result<Reply, Problem> {
    match act {
        Act::Tokenize => tokenize(call).await,
        Act::TokenizeBatch => tokenize_batch(call).await,
        Act::Detokenize => detokenize(call).await,
        Act::DetokenizeBatch => detokenize_batch(call).await,
        Act::Search => search(call).await,
        Act::Delete => delete(call).await,
        Act::Forget => forget(call).await,
        Act::Catalogue => catalogue(),
        Act::Rotation => rotation::read(call).await,
        Act::StepRotation => rotation::step(call).await,
        Act::CompatibleAdd => compatible::add(call).await,
        Act::CompatibleRetrieve => compatible::retrieve(call).await,
        Act::CompatibleDelete => compatible::delete(call).await,
        Act::CompatibleFingerprint => compatible::fingerprint(call).await,
        Act::CompatibleCardFingerprint => compatible::card_fingerprint(call).await,
        Act::CustodianKey1 => compatible::custodian_key1(call),
        Act::CustodianKey2 => compatible::custodian_key2(call),
        Act::CustodianDecrypt => compatible::custodian_decrypt(call).await,
    }
}

/// Keeps a value and gives it a token. Durable when answered.
#[utoipa::path(
    post, path = "/v1/vault/tokenize", tag = "vault",
    operation_id = "tokenize", security(("signature" = [])),
    params(("idempotency-key" = Option<String>, Header, description = "Makes a retry safe")),
    request_body = Tokenize,
    responses(
        (status = 200, description = "Kept", body = VaultToken),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn tokenize(call: &Call) -> Result<Reply, Problem> {
    let Tokenize {
        purpose,
        reason,
        to,
        item,
    } = parse(&call.body)?;
    let by = stated(call, purpose, said(reason, to));
    let kept = call.state.vault.tokenize(&by, &[item.into()]).await?;
    match kept.into_iter().next() {
        Some(kept) => json_reply(StatusCode::OK, &VaultToken::from(kept)),
        None => Err(Error::TokenUnknown.into()),
    }
}

/// Keeps up to 100 values in one step. The name and the birth date of a person that are kept
/// together are found together.
#[utoipa::path(
    post, path = "/v1/vault/tokenize/batch", tag = "vault",
    operation_id = "tokenize_batch", security(("signature" = [])),
    params(("idempotency-key" = Option<String>, Header, description = "Makes a retry safe")),
    request_body = TokenizeBatch,
    responses(
        (status = 200, description = "Kept", body = VaultTokens),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn tokenize_batch(call: &Call) -> Result<Reply, Problem> {
    let TokenizeBatch {
        purpose,
        reason,
        to,
        items,
    } = parse(&call.body)?;
    let by = stated(call, purpose, said(reason, to));
    let items: Vec<Item> = items.into_iter().map(Item::from).collect();
    let kept = call.state.vault.tokenize(&by, &items).await?;
    let tokens = kept.into_iter().map(VaultToken::from).collect();
    json_reply(StatusCode::OK, &VaultTokens { tokens })
}

/// Gives the value of a token to whoever may read it. That it was read, by whom and why, is
/// durable before it is answered.
#[utoipa::path(
    post, path = "/v1/vault/detokenize", tag = "vault",
    operation_id = "detokenize", security(("signature" = [])),
    request_body = Detokenize,
    responses(
        (status = 200, description = "The value", body = VaultValue),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn detokenize(call: &Call) -> Result<Reply, Problem> {
    let Detokenize {
        purpose,
        reason,
        to,
        token,
    } = parse(&call.body)?;
    let by = stated(call, purpose, said(reason, to));
    let tokens = [token];
    let read = call.state.vault.detokenize(&by, &tokens).await?;
    let read = read
        .into_iter()
        .next()
        .unwrap_or(Err(Error::TokenUnknown))?;
    json_reply(StatusCode::OK, &VaultValue::of(&read.token, Ok(&read)))
}

/// Gives the values of up to 1,000 tokens, or why each is not given.
#[utoipa::path(
    post, path = "/v1/vault/detokenize/batch", tag = "vault",
    operation_id = "detokenize_batch", security(("signature" = [])),
    request_body = DetokenizeBatch,
    responses(
        (status = 200, description = "The values", body = VaultValues),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn detokenize_batch(call: &Call) -> Result<Reply, Problem> {
    let DetokenizeBatch {
        purpose,
        reason,
        to,
        tokens,
    } = parse(&call.body)?;
    let by = stated(call, purpose, said(reason, to));
    let read = call.state.vault.detokenize(&by, &tokens).await?;
    let values = tokens.iter().zip(&read);
    let values = values.map(|(token, read)| VaultValue::of(token, read.as_ref()));
    let values = values.collect();
    json_reply(StatusCode::OK, &VaultValues { values })
}

/// Finds records by value, last four characters, name and birth date, or person. Nothing is opened
/// for it. Where the catalogue gives a class a short index, other values may be among them.
#[utoipa::path(
    post, path = "/v1/vault/search", tag = "vault",
    operation_id = "search_vault", security(("signature" = [])),
    request_body = VaultSearch,
    responses(
        (status = 200, description = "The records, masked", body = VaultRecords),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn search(call: &Call) -> Result<Reply, Problem> {
    let VaultSearch {
        purpose,
        reason,
        to,
        by: what,
    } = parse(&call.body)?;
    let by = stated(call, purpose, said(reason, to));
    let vault = &call.state.vault;
    let found = vault.search(&by, &what.into()).await?;
    let withheld = found.withheld;
    let records = found.records.into_iter().map(VaultRecord::from).collect();
    json_reply(StatusCode::OK, &VaultRecords { records, withheld })
}

/// Erases one value, its mask and its indexes.
#[utoipa::path(
    post, path = "/v1/vault/delete", tag = "vault",
    operation_id = "delete_from_vault", security(("signature" = [])),
    params(("idempotency-key" = Option<String>, Header, description = "Makes a retry safe")),
    request_body = VaultDeletion,
    responses(
        (status = 200, description = "Erased", body = VaultErased),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn delete(call: &Call) -> Result<Reply, Problem> {
    let VaultDeletion { purpose, token } = parse(&call.body)?;
    call.state.vault.delete(&by(call, purpose), &token).await?;
    let (records, keys) = (1, 0);
    json_reply(StatusCode::OK, &VaultErased { records, keys })
}

/// Erases everything of a person: destroys the keys, then values, masks and indexes.
#[utoipa::path(
    post, path = "/v1/vault/forget", tag = "vault",
    operation_id = "forget_subject", security(("signature" = [])),
    params(("idempotency-key" = Option<String>, Header, description = "Makes a retry safe")),
    request_body = VaultForgetting,
    responses(
        (status = 200, description = "Erased", body = VaultErased),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn forget(call: &Call) -> Result<Reply, Problem> {
    let asked: VaultForgetting = parse(&call.body)?;
    let (by, vault) = (by(call, asked.purpose), &call.state.vault);
    let erased = vault.forget(&by, &asked.subject, asked.retention).await?;
    let (records, keys) = (erased.records, erased.keys);
    json_reply(StatusCode::OK, &VaultErased { records, keys })
}

/// The classes of data and their labels.
#[utoipa::path(
    get, path = "/v1/vault/catalogue", tag = "vault",
    operation_id = "read_vault_catalogue", security(("signature" = [])),
    responses(
        (status = 200, description = "The classes", body = VaultCatalogue),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) fn catalogue() -> Result<Reply, Problem> {
    json_reply(StatusCode::OK, &VaultCatalogue::of_every_class())
}

/// The caller, and the purpose that it states.
pub(super) fn by(call: &Call, purpose: impl Into<String>) -> By {
    let actor = Actor::Key(call.caller.key_id.clone());
    By::new(call.caller.tenant.clone(), actor, purpose)
}

/// The same with what it says beside the purpose.
fn stated(call: &Call, purpose: String, said: Said) -> By {
    By {
        said,
        ..by(call, purpose)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        const PAUSE_US: u64 = 1_000_000;
        let code = Code::parse(error.code()).unwrap_or(Code::Internal);
        match error {
            Error::Overloaded => Self::new(code, error.to_string()).retry_after_us(PAUSE_US),
            Error::Store(reason) => {
                tracing::error!(reason, "vault: store unavailable");
                Self::new(code, "nothing is answered that is not durable").retry_after_us(PAUSE_US)
            }
            Error::Root(reason) => {
                tracing::error!(%reason, "vault: root unavailable");
                Self::new(code, "the root of the vault's keys does not open them")
                    .retry_after_us(PAUSE_US)
            }
            Error::Damaged | Error::Keys(_) => {
                tracing::error!(%error, "vault damaged");
                Self::new(code, "a sealed value does not open")
            }
            other => Self::new(code, other.to_string()),
        }
    }
}
