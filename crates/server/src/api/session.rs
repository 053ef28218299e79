//! Signing in and out, and who one is.

use super::{json::parse, json_reply, person::PersonCall};
use crate::edge::{
    Problem, ProblemDocument,
    person::{clear_cookie, set_cookie},
    reply::Reply,
};
use http::StatusCode;
use paywarden_access::{
    factor::{FactorSummary, passkey::Challenge},
    staff::{Acceptance, Factor, Member, Opened, Proof, SecondFactor, Session, session::IDLE_US},
};
use paywarden_domain::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// An invitation, accepted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationAcceptance {
    /// What stands in the link behind `#`.
    #[schema(value_type = String)]
    token: Zeroizing<String>,
    /// A login name, where the invitation has none.
    #[serde(default)]
    login: Option<String>,
    /// A name, where another one is wanted.
    #[serde(default)]
    name: Option<String>,
}

/// Whose passkey is to answer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginName {
    login: String,
}

/// What the browser answered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasskeyAnswer {
    ceremony: String,
    /// The credential as JSON (W3C WebAuthn level 3, `toJSON`).
    #[schema(value_type = Object)]
    answer: Value,
}

/// A password with a second factor: one of `code` and `recovery_code`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordSignIn {
    login: String,
    #[schema(value_type = String)]
    password: Zeroizing<String>,
    /// What the authenticator application shows.
    #[serde(default)]
    code: Option<String>,
    /// One of ten, each good once: opens a session for setting up factors.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    recovery_code: Option<Zeroizing<String>>,
}

/// A factor, proved again: a passkey's answer, or a code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FactorProof {
    #[serde(default)]
    ceremony: Option<String>,
    /// The credential as JSON.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    answer: Option<Value>,
    /// What the authenticator application shows.
    #[serde(default)]
    code: Option<String>,
}

/// Who is signed in, and what they may do.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionView {
    /// The account.
    pub account: String,
    /// Its company.
    pub company: String,
    /// For people.
    pub name: String,
    /// What they sign in with.
    pub login: Option<String>,
    /// Their roles.
    pub roles: Vec<String>,
    /// What the roles allow; nothing in a session for setting up factors.
    pub scopes: Vec<&'static str>,
    /// How they can sign in.
    pub factors: FactorSummary,
    /// The session.
    pub session: String,
    /// What opened it.
    pub factor: Factor,
    /// Whether sensitive commands are taken now.
    pub is_fresh: bool,
    /// Send it as `x-csrf-token` with every command.
    pub csrf_token: String,
    /// Seconds without a request after which the session ends.
    pub idle_seconds_max: u64,
}

/// One session.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionLine {
    /// Names it where it is ended.
    pub id: String,
    /// What opened it.
    pub factor: Factor,
    /// When.
    pub opened_at: Timestamp,
    /// The network it was opened from.
    pub network: String,
    /// Seconds since the last request.
    pub idle_seconds: u64,
    /// Whether it is the one that asks.
    pub is_this: bool,
}

/// Sessions, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionList {
    /// The sessions.
    pub sessions: Vec<SessionLine>,
}

/// Accepts an invitation, once. The session is for setting up factors.
#[utoipa::path(
    post, path = "/v1/session/invitation", tag = "session",
    operation_id = "accept_invitation",
    request_body = InvitationAcceptance,
    responses(
        (status = 200, description = "The session", body = SessionView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn accept(call: &PersonCall) -> Result<Reply, Problem> {
    let InvitationAcceptance { token, login, name } = parse(&call.body)?;
    let acceptance = Acceptance { login, name };
    let staff = &call.state.staff;
    let opened = staff
        .accept(&token, acceptance, call.peer.network())
        .await?;
    entered(call, &opened)
}

/// A challenge for the passkeys of a login name. A name that does not exist gets one as well.
#[utoipa::path(
    post, path = "/v1/session/passkey-challenge", tag = "session",
    operation_id = "challenge_passkey",
    request_body = LoginName,
    responses(
        (status = 200, description = "The challenge", body = Challenge),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) fn passkey_challenge(call: &PersonCall) -> Result<Reply, Problem> {
    let LoginName { login } = parse(&call.body)?;
    let challenge = call
        .state
        .staff
        .passkey_challenge(&login, call.peer.network())?;
    json_reply(StatusCode::OK, &challenge)
}

/// Signs in by a passkey.
#[utoipa::path(
    post, path = "/v1/session/passkey", tag = "session",
    operation_id = "sign_in_by_passkey",
    request_body = PasskeyAnswer,
    responses(
        (status = 200, description = "The session", body = SessionView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn by_passkey(call: &PersonCall) -> Result<Reply, Problem> {
    let PasskeyAnswer { ceremony, answer } = parse(&call.body)?;
    let staff = &call.state.staff;
    let opened = staff
        .sign_in_by_passkey(&ceremony, &answer, call.peer.network())
        .await?;
    entered(call, &opened)
}

/// Signs in by password and code. One answer for whatever is not right.
#[utoipa::path(
    post, path = "/v1/session/password", tag = "session",
    operation_id = "sign_in_by_password",
    request_body = PasswordSignIn,
    responses(
        (status = 200, description = "The session", body = SessionView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn by_password(call: &PersonCall) -> Result<Reply, Problem> {
    let sign_in: PasswordSignIn = parse(&call.body)?;
    let second = match (sign_in.code, sign_in.recovery_code) {
        (Some(code), None) => SecondFactor::Code(code),
        (None, Some(code)) => SecondFactor::RecoveryCode(code),
        _ => return Err(one_of("give one of `code` and `recovery_code`")),
    };
    let staff = &call.state.staff;
    let network = call.peer.network();
    let opened = staff
        .sign_in_by_password(&sign_in.login, sign_in.password, second, network)
        .await?;
    entered(call, &opened)
}

/// Who is signed in, with the token that commands carry.
#[utoipa::path(
    get, path = "/v1/session", tag = "session",
    operation_id = "read_session", security(("session" = [])),
    responses(
        (status = 200, description = "The session", body = SessionView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) fn whoami(call: &PersonCall) -> Result<Reply, Problem> {
    let member = call.member()?;
    json_reply(StatusCode::OK, &view(call, member))
}

/// Ends the session.
#[utoipa::path(
    delete, path = "/v1/session", tag = "session",
    operation_id = "sign_out", security(("session" = [])),
    responses(
        (status = 204, description = "Ended"),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn sign_out(call: &PersonCall) -> Result<Reply, Problem> {
    let member = call.member()?;
    end(call, &member.session.id).await?;
    let mut reply = Reply::empty();
    reply.headers.push(clear_cookie());
    Ok(reply)
}

/// A challenge for one's own passkeys.
#[utoipa::path(
    post, path = "/v1/session/proof-challenge", tag = "session",
    operation_id = "challenge_proof", security(("session" = [])),
    responses(
        (status = 200, description = "The challenge", body = Challenge),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) fn proof_challenge(call: &PersonCall) -> Result<Reply, Problem> {
    let staff = &call.state.staff;
    let challenge = staff.proof_challenge(call.member()?, call.peer.network())?;
    json_reply(StatusCode::OK, &challenge)
}

/// Proves a factor again: for five minutes sensitive commands are taken. Cookie and token change.
#[utoipa::path(
    post, path = "/v1/session/proof", tag = "session",
    operation_id = "prove_factor", security(("session" = [])),
    request_body = FactorProof,
    responses(
        (status = 200, description = "The session", body = SessionView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn prove(call: &PersonCall) -> Result<Reply, Problem> {
    let FactorProof {
        ceremony,
        answer,
        code,
    } = parse(&call.body)?;
    let proof = match (&ceremony, &answer, &code) {
        (Some(ceremony), Some(answer), None) => Proof::Passkey { ceremony, answer },
        (None, None, Some(code)) => Proof::Code(code),
        _ => return Err(one_of("give `ceremony` and `answer`, or `code`")),
    };
    let staff = &call.state.staff;
    let opened = staff
        .prove(call.member()?, proof, call.peer.network())
        .await?;
    entered(call, &opened)
}

/// One's own sessions.
#[utoipa::path(
    get, path = "/v1/session/sessions", tag = "session",
    operation_id = "list_own_sessions", security(("session" = [])),
    responses(
        (status = 200, description = "The sessions", body = SessionList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) fn own_sessions(call: &PersonCall) -> Result<Reply, Problem> {
    lines(call, &call.member()?.account.id)
}

/// Ends one of one's own sessions.
#[utoipa::path(
    delete, path = "/v1/session/sessions/{id}", tag = "session",
    operation_id = "end_own_session", security(("session" = [])),
    params(
        ("id" = String, Path, description = "The session"),
    ),
    responses(
        (status = 204, description = "Ended"),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn end_own(call: &PersonCall) -> Result<Reply, Problem> {
    end(call, &call.parameter).await?;
    Ok(Reply::empty())
}

/// The sessions of an account.
pub(crate) fn lines(call: &PersonCall, account: &str) -> Result<Reply, Problem> {
    let member = call.member()?;
    let found = call.state.staff.sessions(&member.account.tenant, account)?;
    let line = |(session, idle_us): (Session, u64)| SessionLine {
        is_this: session.id == member.session.id,
        id: session.id,
        factor: session.factor,
        opened_at: session.opened_at,
        network: session.network,
        idle_seconds: idle_us / 1_000_000,
    };
    let sessions = found.into_iter().map(line).collect();
    json_reply(StatusCode::OK, &SessionList { sessions })
}

/// The session just opened, with its cookie.
pub(crate) fn entered(call: &PersonCall, opened: &Opened) -> Result<Reply, Problem> {
    let member = call.state.staff.authenticate(&opened.token)?;
    let mut reply = json_reply(StatusCode::OK, &view(call, &member))?;
    reply.headers.push(set_cookie(opened)?);
    Ok(reply.entered((&member).into()))
}

pub(crate) fn view(call: &PersonCall, member: &Member) -> SessionView {
    let account = &member.account;
    SessionView {
        account: account.id.clone(),
        company: account.tenant.as_str().to_owned(),
        name: account.name().to_owned(),
        login: account.login().map(str::to_owned),
        roles: account.roles().map(str::to_owned).collect(),
        scopes: member.scopes.iter().map(|scope| scope.name()).collect(),
        factors: account.factors().summary(),
        session: member.session.id.clone(),
        factor: member.session.factor,
        is_fresh: call.state.staff.is_fresh(member),
        csrf_token: member.session.csrf.clone(),
        idle_seconds_max: IDLE_US / 1_000_000,
    }
}

async fn end(call: &PersonCall, session: &str) -> Result<(), Problem> {
    let account = &call.member()?.account;
    let author = call.author("own session")?;
    let staff = &call.state.staff;
    staff
        .end_sessions(author, &account.tenant, &account.id, Some(session))
        .await?;
    Ok(())
}

fn one_of(detail: &'static str) -> Problem {
    Problem::new(crate::edge::Code::FieldMissing, detail)
}
