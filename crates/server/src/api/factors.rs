//! One's own factors: passkeys, password, authenticator application, recovery codes.

use super::{
    json::parse,
    json_reply,
    person::PersonCall,
    session::{SessionView, entered, view},
};
use crate::edge::{Code, Problem, ProblemDocument, person::set_cookie, reply::Reply};
use http::StatusCode;
use paywarden_access::factor::passkey::Challenge;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// A new passkey.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPasskey {
    ceremony: String,
    /// The credential as JSON (W3C WebAuthn level 3, `toJSON`).
    #[schema(value_type = Object)]
    answer: Value,
    /// For people, at most 100 bytes.
    name: String,
}

/// A password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// At most 128 characters; none is cut.
    #[schema(value_type = String)]
    password: Zeroizing<String>,
}

/// What an authenticator application needs, shown once.
#[derive(Serialize, ToSchema)]
pub struct TotpSetupView {
    /// The secret in base 32, for typing.
    #[schema(value_type = String)]
    secret: Zeroizing<String>,
    /// The same as an `otpauth:` address, for a picture.
    #[schema(value_type = String)]
    address: Zeroizing<String>,
}

/// A code of a new authenticator application.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TotpCode {
    code: String,
}

/// Recovery codes, shown once: each is good once, beside the password, in place of a code of a
/// lost application.
#[derive(Serialize, ToSchema)]
pub struct RecoveryCodes {
    /// Ten.
    #[schema(value_type = Vec<String>)]
    recovery_codes: Vec<Zeroizing<String>>,
    /// The session as it is now.
    session: SessionView,
}

/// A challenge for a new passkey.
#[utoipa::path(
    post, path = "/v1/session/factors/passkey-challenge", tag = "factors",
    operation_id = "challenge_new_passkey", security(("session" = [])),
    responses(
        (status = 200, description = "The challenge", body = Challenge),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) fn passkey_setup(call: &PersonCall) -> Result<Reply, Problem> {
    let staff = &call.state.staff;
    let challenge = staff.passkey_setup(call.member()?, call.peer.network())?;
    json_reply(StatusCode::OK, &challenge)
}

/// Adds a passkey. A session for setting up factors becomes a full one: cookie and token change.
#[utoipa::path(
    post, path = "/v1/session/factors/passkeys", tag = "factors",
    operation_id = "add_passkey", security(("session" = [])),
    request_body = NewPasskey,
    responses(
        (status = 200, description = "The session", body = SessionView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn add_passkey(call: &PersonCall) -> Result<Reply, Problem> {
    let NewPasskey {
        ceremony,
        answer,
        name,
    } = parse(&call.body)?;
    let staff = &call.state.staff;
    let opened = staff
        .add_passkey(call.member()?, &ceremony, &answer, &name)
        .await?;
    match opened {
        Some(opened) => entered(call, &opened),
        None => now(call),
    }
}

/// Removes a passkey by its place in the list, from 0. Other sessions of the account end.
#[utoipa::path(
    delete, path = "/v1/session/factors/passkeys/{place}", tag = "factors",
    operation_id = "remove_passkey", security(("session" = [])),
    params(
        ("place" = usize, Path, description = "Its place in `factors.passkeys`"),
    ),
    responses(
        (status = 200, description = "The session", body = SessionView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn remove_passkey(call: &PersonCall) -> Result<Reply, Problem> {
    let place = call.parameter.parse();
    let place = place.map_err(|_| Problem::new(Code::ParameterInvalid, "a place is a number"))?;
    let staff = &call.state.staff;
    staff.remove_passkey(call.member()?, place).await?;
    now(call)
}

/// Sets or changes the password. Other sessions of the account end.
#[utoipa::path(
    put, path = "/v1/session/factors/password", tag = "factors",
    operation_id = "set_password", security(("session" = [])),
    request_body = NewPassword,
    responses(
        (status = 200, description = "The session", body = SessionView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn set_password(call: &PersonCall) -> Result<Reply, Problem> {
    let NewPassword { password } = parse(&call.body)?;
    let staff = &call.state.staff;
    staff.set_password(call.member()?, password).await?;
    now(call)
}

/// A secret for an authenticator application; it counts once a code of it was shown.
#[utoipa::path(
    post, path = "/v1/session/factors/totp", tag = "factors",
    operation_id = "set_up_totp", security(("session" = [])),
    responses(
        (status = 200, description = "The secret", body = TotpSetupView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn totp_setup(call: &PersonCall) -> Result<Reply, Problem> {
    let setup = call.state.staff.totp_setup(call.member()?).await?;
    let view = TotpSetupView {
        secret: setup.secret,
        address: setup.address,
    };
    json_reply(StatusCode::OK, &view)
}

/// Shows the first code of a new authenticator application, beside a password that is set.
#[utoipa::path(
    post, path = "/v1/session/factors/totp/confirmation", tag = "factors",
    operation_id = "confirm_totp", security(("session" = [])),
    request_body = TotpCode,
    responses(
        (status = 200, description = "Recovery codes", body = RecoveryCodes),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn confirm_totp(call: &PersonCall) -> Result<Reply, Problem> {
    let TotpCode { code } = parse(&call.body)?;
    let staff = &call.state.staff;
    let confirmed = staff.confirm_totp(call.member()?, &code).await?;
    let session = match &confirmed.opened {
        Some(opened) => view(call, &staff.authenticate(&opened.token)?),
        None => current(call)?,
    };
    let codes = RecoveryCodes {
        recovery_codes: confirmed.recovery_codes,
        session,
    };
    let mut reply = json_reply(StatusCode::OK, &codes)?;
    if let Some(opened) = &confirmed.opened {
        reply.headers.push(set_cookie(opened)?);
    }
    Ok(reply)
}

/// Ten new recovery codes; the old ones end.
#[utoipa::path(
    post, path = "/v1/session/factors/recovery-codes", tag = "factors",
    operation_id = "renew_recovery_codes", security(("session" = [])),
    responses(
        (status = 200, description = "Recovery codes", body = RecoveryCodes),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn recovery_codes(call: &PersonCall) -> Result<Reply, Problem> {
    let staff = &call.state.staff;
    let recovery_codes = staff.renew_recovery_codes(call.member()?).await?;
    let session = current(call)?;
    let codes = RecoveryCodes {
        recovery_codes,
        session,
    };
    json_reply(StatusCode::OK, &codes)
}

pub(crate) fn now(call: &PersonCall) -> Result<Reply, Problem> {
    json_reply(StatusCode::OK, &current(call)?)
}

/// The session with the account as it is after a change.
fn current(call: &PersonCall) -> Result<SessionView, Problem> {
    let mut member = call.member()?.clone();
    let account = &member.account;
    member.account = call.state.staff.find(&account.tenant, &account.id)?;
    Ok(view(call, &member))
}
