//! Signing keys of programs, for key custodians.

use super::{json::parse, json_reply, person::PersonCall};
use crate::edge::{Code, Problem, ProblemDocument, reply::Reply};
use http::StatusCode;
use paywarden_access::{
    CreatedKey, Error, Network, NewKey, RegisteredKey, Scope, Scopes, terms::CertificateHash,
};
use paywarden_crypto::SignatureAlgorithm;
use paywarden_domain::{Timestamp, time::HOUR};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// A key to make, or, with `public_key_pem`, to register.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKeyInput {
    /// By its registered name: `ed25519`, `ecdsa-p256-sha256`, `rsa-pss-sha512`,
    /// `rsa-v1_5-sha256` or `hmac-sha256`.
    algorithm: String,
    /// What it may do; not what is for people alone.
    scopes: Vec<String>,
    /// What it is for, at most 200 bytes.
    description: String,
    /// The public half of a pair that its owner has made; without it a pair is made here.
    #[serde(default)]
    public_key_pem: Option<String>,
    /// Why; it goes into the trail.
    purpose: String,
}

/// A key to put in the place of another one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyRotation {
    /// How long the old key stays valid, at most 720.
    overlap_hours: u16,
    /// Why; it goes into the trail.
    purpose: String,
}

/// Where a key may be used from, and with which certificate.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyBinding {
    /// At most 64, such as `203.0.113.0/24`; from anywhere if empty.
    #[schema(value_type = Vec<String>)]
    networks: Vec<Network>,
    /// SHA-256 of the client certificate (DER), 64 hexadecimal digits; none if not given.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    certificate_sha256: Option<CertificateHash>,
    /// Why; it goes into the trail.
    purpose: String,
}

/// The reason for the end of a key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyEnd {
    /// Why; it goes into the trail.
    purpose: String,
}

/// One key.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyView {
    /// What signatures name as `keyid`.
    pub id: String,
    /// By its registered name, or `bearer`.
    pub algorithm: &'static str,
    /// What it may do.
    pub scopes: Vec<&'static str>,
    /// What it is for.
    pub description: String,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it ends by itself.
    pub valid_until: Option<Timestamp>,
    /// The key that has taken its place.
    pub replaced_by: Option<String>,
    /// Whether requests signed with it are taken now.
    pub is_live: bool,
    /// Where it may be used from; from anywhere if empty.
    pub networks: Vec<String>,
    /// The client certificate it is bound to.
    pub certificate_sha256: Option<String>,
    /// The first moment (UTC) of the day on which it was last used.
    pub last_used_on: Option<Timestamp>,
}

/// Keys of the company, by identifier.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyList {
    /// The keys, ended ones too.
    pub keys: Vec<KeyView>,
}

/// A key made here, with the half that only its owner keeps.
#[derive(Serialize, ToSchema)]
pub struct KeyMade {
    /// The key.
    key: KeyView,
    /// PKCS#8 PEM, or base64 of a shared secret. Shown once, stored nowhere; null for a key that
    /// was registered.
    #[schema(value_type = Option<String>)]
    private_half: Option<Zeroizing<String>>,
}

/// Every key of the company.
#[utoipa::path(
    get, path = "/v1/keys", tag = "keys",
    operation_id = "list_keys", security(("session" = [])),
    responses(
        (status = 200, description = "The keys", body = KeyList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) fn all(call: &PersonCall) -> Result<Reply, Problem> {
    let tenant = &call.member()?.account.tenant;
    let now = call.state.clock.now();
    let all = call.state.registry.all().into_iter();
    let own = all.filter(|key| key.tenant == *tenant);
    let keys = own.map(|key| view(&key, now)).collect();
    json_reply(StatusCode::OK, &KeyList { keys })
}

/// Makes or registers a key.
#[utoipa::path(
    post, path = "/v1/keys", tag = "keys",
    operation_id = "create_key", security(("session" = [])),
    request_body = NewKeyInput,
    responses(
        (status = 201, description = "The key", body = KeyMade),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create(call: &PersonCall) -> Result<Reply, Problem> {
    let input: NewKeyInput = parse(&call.body)?;
    let algorithm = SignatureAlgorithm::parse(&input.algorithm).ok_or_else(|| {
        Problem::new(Code::FieldInvalid, "no such algorithm").at("/algorithm".to_owned())
    })?;
    let author = call.author(&input.purpose)?;
    let new = NewKey {
        tenant: call.member()?.account.tenant.clone(),
        scopes: scopes(&input.scopes)?,
        description: input.description,
    };
    let registry = &call.state.registry;
    if let Some(pem) = input.public_key_pem {
        let key = registry.register(author, algorithm, pem.as_bytes(), new);
        let key = view(&*key.await?, call.state.clock.now());
        let private_half = None;
        return json_reply(StatusCode::CREATED, &KeyMade { key, private_half });
    }
    made(call, registry.create(author, algorithm, new).await?)
}

/// Puts a new key in the place of one; both are valid until the stated time.
#[utoipa::path(
    post, path = "/v1/keys/{id}/rotation", tag = "keys",
    operation_id = "rotate_key", security(("session" = [])),
    params(
        ("id" = String, Path, description = "The key"),
    ),
    request_body = KeyRotation,
    responses(
        (status = 201, description = "The new key", body = KeyMade),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn rotate(call: &PersonCall) -> Result<Reply, Problem> {
    let KeyRotation {
        overlap_hours,
        purpose,
    } = parse(&call.body)?;
    let (author, id) = (call.author(&purpose)?, own(call)?);
    let overlap = i64::from(overlap_hours) * HOUR;
    made(call, call.state.registry.rotate(author, id, overlap).await?)
}

/// Says from which networks a key may be used, and with which client certificate.
#[utoipa::path(
    put, path = "/v1/keys/{id}/binding", tag = "keys",
    operation_id = "bind_key", security(("session" = [])),
    params(
        ("id" = String, Path, description = "The key"),
    ),
    request_body = KeyBinding,
    responses(
        (status = 200, description = "The key", body = KeyView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn bind(call: &PersonCall) -> Result<Reply, Problem> {
    let KeyBinding {
        networks,
        certificate_sha256,
        purpose,
    } = parse(&call.body)?;
    let (author, id) = (call.author(&purpose)?, own(call)?);
    let registry = &call.state.registry;
    registry
        .bind(author, id, networks, certificate_sha256)
        .await?;
    shown(call, id)
}

/// Ends a key.
#[utoipa::path(
    post, path = "/v1/keys/{id}/revocation", tag = "keys",
    operation_id = "revoke_key", security(("session" = [])),
    params(
        ("id" = String, Path, description = "The key"),
    ),
    request_body = KeyEnd,
    responses(
        (status = 200, description = "The key", body = KeyView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn revoke(call: &PersonCall) -> Result<Reply, Problem> {
    let KeyEnd { purpose } = parse(&call.body)?;
    let (author, id) = (call.author(&purpose)?, own(call)?);
    call.state.registry.revoke(author, id).await?;
    shown(call, id)
}

/// The key of the path, if it is one of the company.
fn own(call: &PersonCall) -> Result<&str, Problem> {
    find(call, &call.parameter).map(|_| call.parameter.as_str())
}

fn find(call: &PersonCall, id: &str) -> Result<Arc<RegisteredKey>, Problem> {
    let tenant = &call.member()?.account.tenant;
    let key = call.state.registry.find(id);
    let key = key.filter(|key| key.tenant == *tenant);
    key.ok_or_else(|| Problem::new(Code::KeyUnknown, "your company has no such key"))
}

/// Scopes of a program: those for people are not among them.
fn scopes(names: &[String]) -> Result<Scopes, Problem> {
    let refused = |detail| Problem::new(Code::FieldInvalid, detail).at("/scopes".to_owned());
    let scopes = Scopes::parse(&names.join(","));
    let scopes = scopes.map_err(|_| refused("a scope is not known"))?;
    match scopes.meets(Scope::OF_PEOPLE) {
        true => Err(refused("a scope is for people alone")),
        false => Ok(scopes),
    }
}

fn made(call: &PersonCall, created: CreatedKey) -> Result<Reply, Problem> {
    let made = KeyMade {
        key: view(&created.key, call.state.clock.now()),
        private_half: Some(created.private),
    };
    json_reply(StatusCode::CREATED, &made)
}

fn shown(call: &PersonCall, id: &str) -> Result<Reply, Problem> {
    let key = find(call, id)?;
    json_reply(StatusCode::OK, &view(&key, call.state.clock.now()))
}

fn view(key: &RegisteredKey, now: Timestamp) -> KeyView {
    let terms = &key.terms;
    KeyView {
        id: key.id.clone(),
        algorithm: key.algorithm(),
        scopes: key.scopes.iter().map(Scope::name).collect(),
        description: key.description.clone(),
        created_at: key.created_at,
        revoked_at: key.revoked_at,
        valid_until: terms.valid_until,
        replaced_by: terms.replaced_by.clone(),
        is_live: key.is_live(now),
        networks: terms.networks.iter().map(ToString::to_string).collect(),
        certificate_sha256: terms.certificate.map(|hash| hash.to_string()),
        last_used_on: key.last_used_on(),
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::KeyUnknown(_) => Self::new(Code::KeyUnknown, "there is no such key"),
            Error::KeyRevoked(_) | Error::KeyReplaced(_) => Self::new(Code::KeyEnded, detail),
            Error::OverlapTooLong
            | Error::TooManyNetworks
            | Error::DescriptionTooLong
            | Error::ScopeUnknown(_) => Self::new(Code::FieldInvalid, detail),
            Error::Crypto(_) => Self::new(Code::KeyRefused, "the public key is not accepted"),
            Error::RegistryFull => Self::new(Code::StaffLimit, detail),
            Error::Store(error) => super::person::store(&error),
            Error::KeyDamaged { .. } => {
                tracing::error!(%error, "keys");
                Self::new(Code::RecordDamaged, "a stored key does not read back")
            }
        }
    }
}
