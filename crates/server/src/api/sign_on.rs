//! Coming in by an OpenID provider, and identities that are bound to accounts.

use super::{
    factors, json::parse, json_reply, person::PersonCall, session::SessionView, session::entered,
    staff::told,
};
use crate::edge::{Code, Problem, ProblemDocument, reply::Reply};
use http::StatusCode;
use paywarden_access::factor::{
    FactorSummary,
    provider::{ProviderView, SignOnAnswer, SignOnChallenge},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The providers that people can come in by.
#[derive(Serialize, ToSchema)]
pub struct ProviderList {
    /// None, if none is set.
    pub providers: Vec<ProviderView>,
}

/// Which provider is to say who a person is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignOnRequest {
    /// Its name.
    provider: String,
}

/// What the provider sent the browser back with, and the ceremony of the page that began.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignOnReply {
    /// Of the challenge.
    ceremony: String,
    /// As it came.
    state: String,
    /// As it came.
    code: String,
    /// As it came, if it came (RFC 9207).
    #[serde(default)]
    iss: Option<String>,
}

/// An identity for the account of somebody else.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentityInput {
    /// The provider's name.
    provider: String,
    /// What the provider calls them: the claim `sub`, 1 to 255 bytes.
    subject: String,
    /// Why, 1 to 256 bytes; it goes into the trail.
    #[serde(deserialize_with = "crate::api::own_words")]
    purpose: String,
}

/// The factors of the account that an identity was bound to.
#[derive(Serialize, ToSchema)]
pub struct BoundIdentity {
    /// The account.
    pub account: String,
    /// How its owner can sign in.
    pub factors: FactorSummary,
}

impl SignOnReply {
    fn answer(&self) -> SignOnAnswer<'_> {
        SignOnAnswer {
            ceremony: &self.ceremony,
            state: &self.state,
            code: &self.code,
            issuer: self.iss.as_deref(),
        }
    }
}

/// The providers that people can come in by.
#[utoipa::path(
    get, path = "/v1/session/providers", tag = "session",
    operation_id = "list_providers",
    responses(
        (status = 200, description = "The providers", body = ProviderList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) fn providers(call: &PersonCall) -> Result<Reply, Problem> {
    let providers = call.state.staff.providers();
    json_reply(StatusCode::OK, &ProviderList { providers })
}

/// Where to send the browser to come in by a provider. It comes back to `/sign-in/{provider}`.
#[utoipa::path(
    post, path = "/v1/session/sign-on-challenge", tag = "session",
    operation_id = "challenge_sign_on",
    request_body = SignOnRequest,
    responses(
        (status = 200, description = "The address", body = SignOnChallenge),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn challenge(call: &PersonCall) -> Result<Reply, Problem> {
    let SignOnRequest { provider } = parse(&call.body)?;
    let (staff, network) = (&call.state.staff, call.peer.network());
    let challenge = staff.sign_on_challenge(&provider, network).await?;
    json_reply(StatusCode::OK, &challenge)
}

/// Opens a session for whom the provider names. Where its word is no cryptographic factor, the
/// session is for proving one of the account's own, with `POST /v1/session/proof`.
#[utoipa::path(
    post, path = "/v1/session/sign-on", tag = "session",
    operation_id = "sign_on",
    request_body = SignOnReply,
    responses(
        (status = 200, description = "The session", body = SessionView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn enter(call: &PersonCall) -> Result<Reply, Problem> {
    let reply: SignOnReply = parse(&call.body)?;
    let (staff, network) = (&call.state.staff, call.peer.network());
    let opened = staff.sign_on(reply.answer(), network).await?;
    entered(call, &opened)
}

/// Where to send the browser to bind an identity to one's own account.
#[utoipa::path(
    post, path = "/v1/session/factors/identity-challenge", tag = "factors",
    operation_id = "challenge_identity", security(("session" = [])),
    request_body = SignOnRequest,
    responses(
        (status = 200, description = "The address", body = SignOnChallenge),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn identity_challenge(call: &PersonCall) -> Result<Reply, Problem> {
    let SignOnRequest { provider } = parse(&call.body)?;
    let (staff, network) = (&call.state.staff, call.peer.network());
    let challenge = staff.identity_challenge(call.member()?, &provider, network);
    json_reply(StatusCode::OK, &challenge.await?)
}

/// Binds whom the provider names to one's own account. A session for setting up factors becomes a
/// full one where the provider's word is a cryptographic factor: cookie and token change.
#[utoipa::path(
    post, path = "/v1/session/factors/identities", tag = "factors",
    operation_id = "bind_identity", security(("session" = [])),
    request_body = SignOnReply,
    responses(
        (status = 200, description = "The session", body = SessionView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn bind(call: &PersonCall) -> Result<Reply, Problem> {
    let reply: SignOnReply = parse(&call.body)?;
    let staff = &call.state.staff;
    match staff.bind_identity(call.member()?, reply.answer()).await? {
        Some(opened) => entered(call, &opened),
        None => factors::now(call),
    }
}

/// Removes an identity by its place in the list, from 0. Other sessions of the account end.
#[utoipa::path(
    delete, path = "/v1/session/factors/identities/{place}", tag = "factors",
    operation_id = "unbind_identity", security(("session" = [])),
    params(
        ("place" = usize, Path, description = "Its place in `factors.identities`"),
    ),
    responses(
        (status = 200, description = "The session", body = SessionView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn unbind(call: &PersonCall) -> Result<Reply, Problem> {
    let place = call.parameter.parse();
    let place = place.map_err(|_| Problem::new(Code::ParameterInvalid, "a place is a number"))?;
    let staff = &call.state.staff;
    staff.unbind_identity(call.member()?, place).await?;
    factors::now(call)
}

/// Binds an identity to the account of somebody else, who can come in by it beside a factor of
/// their own.
#[utoipa::path(
    post, path = "/v1/staff/{id}/identities", tag = "staff",
    operation_id = "bind_identity_of", security(("session" = [])),
    params(("id" = String, Path, description = "The account")),
    request_body = IdentityInput,
    responses(
        (status = 200, description = "Bound", body = BoundIdentity),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn bind_of(call: &PersonCall) -> Result<Reply, Problem> {
    let input: IdentityInput = parse(&call.body)?;
    let author = call.author(told(&*input.purpose))?;
    let (staff, tenant) = (&call.state.staff, &call.member()?.account.tenant);
    let whose = (tenant, call.parameter.as_str());
    let bound = staff.bind_identity_of(author, whose, &input.provider, &input.subject);
    bound.await?;
    let account = staff.find(tenant, &call.parameter)?;
    let bound = BoundIdentity {
        account: account.id.clone(),
        factors: account.factors().summary(),
    };
    json_reply(StatusCode::OK, &bound)
}
