//! Signing keys of programs, for key custodians.

use super::{json::parse, json_reply, person::PersonCall};
use crate::{
    edge::{Code, Problem, ProblemDocument, reply::Reply, witness::SignedCall},
    state::State,
};
use http::StatusCode;
use paywarden_access::{
    Error, KeyChange, KeyCreate, Network, NewKey, RegisteredKey, Scope, Scopes, Word,
    approval::{Approved, Sensitive},
    key_change::{KeyBind, KeyRevoke, KeyRotate},
    terms::CertificateHash,
};
use paywarden_domain::{Timestamp, time::HOUR};
use serde::{Deserialize, Serialize};
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
    #[serde(deserialize_with = "crate::api::own_words")]
    purpose: String,
    /// The approval of this very change, where the policy asks for one.
    #[serde(default)]
    approval: Option<String>,
}

/// A key to put in the place of another one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyRotation {
    /// How long the old key stays valid, at most 720.
    overlap_hours: u16,
    /// Why; it goes into the trail.
    #[serde(deserialize_with = "crate::api::own_words")]
    purpose: String,
    /// The approval of this very change, where the policy asks for one.
    #[serde(default)]
    approval: Option<String>,
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
    #[serde(deserialize_with = "crate::api::own_words")]
    purpose: String,
    /// The approval of this very change, where the policy asks for one.
    #[serde(default)]
    approval: Option<String>,
}

/// The reason for the end of a key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyEnd {
    /// Why; it goes into the trail.
    #[serde(deserialize_with = "crate::api::own_words")]
    purpose: String,
    /// The approval of this very change, where the policy asks for one.
    #[serde(default)]
    approval: Option<String>,
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
    let keys: Vec<_> = own.map(|key| view(&key, now)).collect();
    let count = keys.len();
    Ok(json_reply(StatusCode::OK, &KeyList { keys })?.of(count))
}

/// Signed calls of programs of the company.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignedCallList {
    /// Newest first, at most 16.
    pub calls: Vec<SignedCall>,
}

/// Signed calls as they arrive, with what was wrong with those that were refused: for whoever takes a
/// program in. Calls are kept from the first look on, until nobody has looked for 15 minutes.
#[utoipa::path(
    get, path = "/v1/signed-calls", tag = "keys",
    operation_id = "watch_signed_calls", security(("session" = [])),
    responses(
        (status = 200, description = "The calls", body = SignedCallList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) fn calls(call: &PersonCall) -> Result<Reply, Problem> {
    let tenant = &call.member()?.account.tenant;
    let now_us = call.state.clock.monotonic_us();
    let calls = call.state.witness.look(tenant, now_us);
    json_reply(StatusCode::OK, &SignedCallList { calls })
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
    let change = KeyChange::Create(KeyCreate {
        scopes: scopes(&input.scopes)?,
        algorithm: input.algorithm,
        description: input.description,
        public_key_pem: input.public_key_pem,
    });
    let made = changed(call, change, (&input.purpose, input.approval)).await?;
    json_reply(StatusCode::CREATED, &made)
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
    let input: KeyRotation = parse(&call.body)?;
    let change = KeyChange::Rotate(KeyRotate {
        key_id: call.parameter.clone(),
        overlap_hours: input.overlap_hours,
    });
    let made = changed(call, change, (&input.purpose, input.approval)).await?;
    json_reply(StatusCode::CREATED, &made)
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
    let input: KeyBinding = parse(&call.body)?;
    let change = KeyChange::Bind(KeyBind {
        key_id: call.parameter.clone(),
        networks: input.networks,
        certificate_sha256: input.certificate_sha256,
    });
    let made = changed(call, change, (&input.purpose, input.approval)).await?;
    json_reply(StatusCode::OK, &made.key)
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
    let input: KeyEnd = parse(&call.body)?;
    let key_id = call.parameter.clone();
    let change = KeyChange::Revoke(KeyRevoke { key_id });
    let made = changed(call, change, (&input.purpose, input.approval)).await?;
    json_reply(StatusCode::OK, &made.key)
}

/// Carries a change out that the policy asks no approval for, or that is approved.
async fn changed(
    call: &PersonCall,
    change: KeyChange,
    (purpose, approval): (&str, Option<String>),
) -> Result<KeyMade, Problem> {
    let (state, who) = (&call.state, call.member()?.who());
    state.registry.check_change(&who.tenant, &change)?;
    change
        .check()
        .map_err(|detail| Problem::new(Code::FieldInvalid, detail))?;
    let approvals = &state.approvals;
    let approved = approvals.admit(&who, change, approval.as_deref()).await?;
    carry_out(state, approved, purpose).await
}

/// Carries an approved change out; what became of the key, and the private half of one made here.
pub(super) async fn carry_out(
    state: &State,
    approved: Approved<KeyChange>,
    purpose: &str,
) -> Result<KeyMade, Problem> {
    let (registry, tenant) = (&state.registry, approved.who().tenant.clone());
    let change = approved.command().clone();
    registry.check_change(&tenant, &change)?;
    let purpose = purpose.to_owned();
    let word = Word::Approved { approved, purpose };
    let created = match change {
        KeyChange::Create(create) => {
            let algorithm = create.algorithm()?;
            let new = NewKey {
                tenant,
                scopes: Scopes::of(&create.scopes),
                description: create.description,
            };
            match create.public_key_pem {
                Some(pem) => {
                    let key = registry.register(word, algorithm, pem.as_bytes(), new);
                    return Ok(made(state, &*key.await?, None));
                }
                None => registry.create(word, algorithm, new).await?,
            }
        }
        KeyChange::Rotate(rotate) => {
            let overlap = i64::from(rotate.overlap_hours) * HOUR;
            registry.rotate(word, &rotate.key_id, overlap).await?
        }
        KeyChange::Bind(bind) => {
            let (id, networks) = (bind.key_id, bind.networks);
            registry
                .bind(word, &id, networks, bind.certificate_sha256)
                .await?;
            return shown(state, &id);
        }
        KeyChange::Revoke(revoke) => {
            registry.revoke(word, &revoke.key_id).await?;
            return shown(state, &revoke.key_id);
        }
    };
    Ok(made(state, &created.key, Some(created.private)))
}

fn shown(state: &State, id: &str) -> Result<KeyMade, Problem> {
    let key = state.registry.find(id);
    let key = key.ok_or_else(|| Problem::new(Code::KeyUnknown, "there is no such key"))?;
    Ok(made(state, &key, None))
}

fn made(state: &State, key: &RegisteredKey, private_half: Option<Zeroizing<String>>) -> KeyMade {
    KeyMade {
        key: view(key, state.clock.now()),
        private_half,
    }
}

/// Scopes of a program: those for people are not among them.
fn scopes(names: &[String]) -> Result<Vec<Scope>, Problem> {
    let refused = |detail| Problem::new(Code::FieldInvalid, detail).at("/scopes".to_owned());
    let scopes: Option<Vec<_>> = names.iter().map(|name| Scope::parse(name)).collect();
    let scopes = scopes.ok_or_else(|| refused("a scope is not known"))?;
    match scopes.iter().any(|scope| Scope::OF_PEOPLE.contains(scope)) {
        true => Err(refused("a scope is for people alone")),
        false => Ok(scopes),
    }
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
            Error::Approval(error) => error.into(),
            Error::Store(error) => super::person::store(&error),
            Error::KeyDamaged { .. } => {
                tracing::error!(%error, "keys");
                Self::new(Code::RecordDamaged, "a stored key does not read back")
            }
        }
    }
}
