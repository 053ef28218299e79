//! The routes of Hyperswitch's card vault, for those who have it and come over: the same paths,
//! bodies and answers, kept by our vault. What differs: a request is signed by its key, references
//! are tokens, refusals are problem documents, and the key of a fingerprint that comes with a
//! request is not used, because whoever sends it could try out card numbers.

use super::by;
use crate::{
    api::{Call, json::parse, json_reply},
    edge::{Code, Problem, ProblemDocument, reply::Reply},
};
use http::StatusCode;
use paywarden_crypto::{Keyring, split::Share};
use paywarden_domain::Pan;
use paywarden_privacy::{By, Error, Item, Plain, Retention, Said, policy::Data, token::Form};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::{Mutex, PoisonError};
use utoipa::ToSchema;

/// For what a card vault keeps cards.
const PURPOSE: &str = "payment_processing";
/// What a fingerprint is made of.
const CARD: Data<'static> = Data {
    set: "vault",
    collection: "contract",
    field: "card_number",
};
const TEXT: &str = "text/plain; charset=utf-8";

/// What to add.
#[derive(Deserialize, ToSchema)]
pub struct Add {
    merchant_id: String,
    merchant_customer_id: String,
    #[serde(default)]
    requester_card_reference: Option<String>,
    #[serde(default)]
    card: Option<CardData>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    enc_card_data: Option<Plain<String>>,
    #[serde(default)]
    ttl: Option<u32>,
}

/// A card.
#[derive(Deserialize, ToSchema)]
pub struct CardData {
    #[schema(value_type = String)]
    card_number: Plain<String>,
    /// Name, expiry, brand and the like: kept sealed beside the number.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    rest: Map<String, Value>,
}

/// Whose card, by its reference.
#[derive(Deserialize, ToSchema)]
pub struct Reference {
    merchant_id: String,
    merchant_customer_id: String,
    card_reference: String,
}

/// A card to index.
#[derive(Deserialize, ToSchema)]
pub struct Fingerprinted {
    card: FingerprintedCard,
}

/// Its number.
#[derive(Deserialize, ToSchema)]
pub struct FingerprintedCard {
    #[schema(value_type = String)]
    card_number: Pan,
}

/// A custodian's share.
#[derive(Deserialize, ToSchema)]
pub struct CustodianKey {
    #[schema(value_type = String)]
    key: Plain<String>,
}

#[derive(Serialize)]
struct Answer<P> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<P>,
}

#[derive(Serialize)]
struct CardReference {
    card_reference: String,
}

#[derive(Serialize)]
struct Fingerprint {
    fingerprint: String,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Retrieved {
    Card { card: Map<String, Value> },
    Encrypted { enc_card_data: String },
}

/// Adds a card, or data that was encrypted elsewhere, for a customer of a merchant.
#[utoipa::path(
    post, path = "/data/add", tag = "card vault",
    operation_id = "card_vault_add", security(("signature" = [])),
    request_body = Add,
    responses(
        (status = 200, description = "The reference", body = Value),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn add(call: &Call) -> Result<Reply, Problem> {
    let add: Add = parse(&call.body)?;
    if add.requester_card_reference.is_some() {
        let detail = "references are given out by this vault: leave `requester_card_reference` out";
        return Err(Problem::new(Code::VaultRequestMalformed, detail));
    }
    let (class, value, details) = match (add.card, add.enc_card_data) {
        (Some(card), None) => {
            let rest = Value::Object(card.rest).to_string();
            ("card_number", card.card_number, Some(Plain::from(rest)))
        }
        (None, Some(data)) => ("free_form", data, None),
        _ => {
            let detail = "give either `card` or `enc_card_data`";
            return Err(Problem::new(Code::VaultRequestMalformed, detail));
        }
    };
    let item = Item {
        subject: customer(&add.merchant_id, &add.merchant_customer_id),
        class: class.to_owned(),
        value,
        details,
        retention: Retention::Contract,
        form: Form::Opaque,
        once: false,
        ttl_seconds: add.ttl,
        caller: None,
        purpose: None,
    };
    let by = routine(call, "card vault: add");
    let kept = call.state.vault.tokenize(&by, &[item]).await?;
    let token = kept.into_iter().next().map(|kept| kept.token);
    ok(CardReference {
        card_reference: token.unwrap_or_default(),
    })
}

/// Gives a card back.
#[utoipa::path(
    post, path = "/data/retrieve", tag = "card vault",
    operation_id = "card_vault_retrieve", security(("signature" = [])),
    request_body = Reference,
    responses(
        (status = 200, description = "The card", body = Value),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn retrieve(call: &Call) -> Result<Reply, Problem> {
    let asked = theirs(call).await?;
    let by = routine(call, "card vault: retrieve");
    let read = call.state.vault.detokenize(&by, &[asked]).await?;
    let read = read
        .into_iter()
        .next()
        .unwrap_or(Err(Error::TokenUnknown))?;
    let value = read.value.expose().clone();
    if *read.class != *"card_number" {
        return ok(Retrieved::Encrypted {
            enc_card_data: value,
        });
    }
    let details = read
        .details
        .as_ref()
        .map(|details| details.expose().as_str());
    let details = details.and_then(|text| serde_json::from_str(text).ok());
    let mut card: Map<String, Value> = details.unwrap_or_default();
    card.insert("card_number".to_owned(), Value::String(value));
    ok(Retrieved::Card { card })
}

/// Deletes a card.
#[utoipa::path(
    post, path = "/data/delete", tag = "card vault",
    operation_id = "card_vault_delete", security(("signature" = [])),
    request_body = Reference,
    responses(
        (status = 200, description = "Deleted", body = Value),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn delete(call: &Call) -> Result<Reply, Problem> {
    let asked = theirs(call).await?;
    let by = by(call, "card vault: delete");
    call.state.vault.delete(&by, &asked).await?;
    done()
}

/// Gives the index of a card number. The `hash_key` of the request is not used.
#[utoipa::path(
    post, path = "/data/fingerprint", tag = "card vault",
    operation_id = "card_vault_fingerprint", security(("signature" = [])),
    request_body = Fingerprinted,
    responses(
        (status = 200, description = "The fingerprint", body = Value),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn fingerprint(call: &Call) -> Result<Reply, Problem> {
    let Fingerprinted { card } = parse(&call.body)?;
    let by = routine(call, "card vault: fingerprint");
    call.state.vault.may(&by, CARD, None).await?;
    let index = call
        .state
        .vault
        .card_index(&call.caller.tenant, &card.card_number);
    ok(Fingerprint { fingerprint: index })
}

/// The same by its older path.
#[utoipa::path(
    post, path = "/cards/fingerprint", tag = "card vault",
    operation_id = "card_vault_card_fingerprint", security(("signature" = [])),
    request_body = Fingerprinted,
    responses(
        (status = 200, description = "The fingerprint", body = Value),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn card_fingerprint(call: &Call) -> Result<Reply, Problem> {
    fingerprint(call).await
}

/// The shares that custodians have brought.
#[derive(Default)]
pub(crate) struct Custody {
    brought: Mutex<[Option<Share>; 2]>,
}

/// A custodian brings a share of the master key.
#[utoipa::path(
    post, path = "/custodian/key1", tag = "card vault",
    operation_id = "card_vault_key1", security(("signature" = [])),
    request_body = CustodianKey,
    responses(
        (status = 200, description = "Received", body = String),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) fn custodian_key1(call: &Call) -> Result<Reply, Problem> {
    custodian_key(call, 0)
}

/// Another custodian brings a share of the master key.
#[utoipa::path(
    post, path = "/custodian/key2", tag = "card vault",
    operation_id = "card_vault_key2", security(("signature" = [])),
    request_body = CustodianKey,
    responses(
        (status = 200, description = "Received", body = String),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) fn custodian_key2(call: &Call) -> Result<Reply, Problem> {
    custodian_key(call, 1)
}

fn custodian_key(call: &Call, number: usize) -> Result<Reply, Problem> {
    let CustodianKey { key } = parse(&call.body)?;
    let share = Share::parse(key.expose()).map_err(refused)?;
    let mut brought = lock(&call.state.custody);
    if let Some(place) = brought.get_mut(number) {
        *place = Some(share);
    }
    let said = format!("Received Key{}", number + 1);
    Ok(Reply::new(StatusCode::OK, TEXT, said))
}

/// Whether the shares make the master key that this server works with.
/// A server that runs is open already; this proves that its custodians could open it again (PCI
/// DSS 4.0.1, 3.7.6), and the trail keeps that they did.
#[utoipa::path(
    post, path = "/custodian/decrypt", tag = "card vault",
    operation_id = "card_vault_decrypt", security(("signature" = [])),
    responses(
        (status = 200, description = "They do", body = String),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn custodian_decrypt(call: &Call) -> Result<Reply, Problem> {
    let shares: Vec<Share> = std::mem::take(&mut *lock(&call.state.custody))
        .into_iter()
        .flatten()
        .collect();
    let joined = Keyring::from_shares(&shares).map_err(refused)?;
    let is_same = call.state.keyring.is_same(&joined).map_err(refused)?;
    if !is_same {
        let detail = "the shares make another key than this server's";
        return Err(Problem::new(Code::ShareRefused, detail));
    }
    let by = by(call, "custodians bring their shares");
    let numbers: Vec<_> = shares
        .iter()
        .map(|share| share.number().to_string())
        .collect();
    let what = format!("shares {} make the master key", numbers.join(", "));
    call.state.vault.note_ceremony(&by, what).await?;
    Ok(Reply::new(StatusCode::OK, TEXT, "Decryption successful"))
}

/// The caller, for the purpose that a card vault serves: its requests state none.
fn routine(call: &Call, reason: &'static str) -> By {
    let said = Said {
        reason: Some(reason.to_owned()),
        ..Said::default()
    };
    super::stated(call, PURPOSE.to_owned(), said)
}

fn lock(custody: &Custody) -> std::sync::MutexGuard<'_, [Option<Share>; 2]> {
    custody
        .brought
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

fn refused(error: paywarden_crypto::Error) -> Problem {
    Problem::new(Code::ShareRefused, error.to_string())
}

/// The token that is asked for, if it is of the customer that is named.
async fn theirs(call: &Call) -> Result<String, Problem> {
    let asked: Reference = parse(&call.body)?;
    let customer = customer(&asked.merchant_id, &asked.merchant_customer_id);
    let (vault, tenant) = (&call.state.vault, &call.caller.tenant);
    match vault
        .is_of(tenant, &asked.card_reference, &customer)
        .await?
    {
        true => Ok(asked.card_reference),
        false => Err(Error::TokenUnknown.into()),
    }
}

/// A customer of a merchant: the parts cannot run into each other, because the length of the first
/// stands in front.
fn customer(merchant: &str, customer: &str) -> String {
    format!("{}:{merchant}/{customer}", merchant.len())
}

fn ok(payload: impl Serialize) -> Result<Reply, Problem> {
    let payload = Some(payload);
    let status = "Ok";
    json_reply(StatusCode::OK, &Answer { status, payload })
}

fn done() -> Result<Reply, Problem> {
    let answer = Answer::<()> {
        status: "Ok",
        payload: None,
    };
    json_reply(StatusCode::OK, &answer)
}
