//! Safety of people: how strong a password is. Nothing of it is kept or logged.

use super::{Call, json::parse, json_reply};
use crate::edge::{Code, Problem, ProblemDocument, reply::Reply};
use http::StatusCode;
use paywarden_safety::password::{self, Assessment, Person, Profile, Question};
use serde::Deserialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// A password to look at, and what an attacker may know about the person.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordCheck {
    /// The password; what lies behind its 128th character is not looked at.
    #[schema(value_type = String)]
    password: Zeroizing<String>,
    /// The rules to hold it against: `nist`, `pci`, `mlps-l3` or `page`.
    profile: String,
    /// Whether another factor is asked for beside it.
    #[serde(default)]
    with_second_factor: bool,
    /// What is known about the person; leave out what does not apply.
    #[serde(default)]
    person: Person,
}

/// Assesses a password. Takes no idempotency key and leaves no trace.
#[utoipa::path(
    post, path = "/v1/safety/password-checks", tag = "safety",
    operation_id = "check_password", security(("signature" = [])),
    request_body = PasswordCheck,
    responses(
        (status = 200, description = "The assessment", body = Assessment),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) fn check_password(call: &Call) -> Result<Reply, Problem> {
    let check: PasswordCheck = parse(&call.body)?;
    let profile = Profile::find(&check.profile).ok_or_else(|| {
        let known: Vec<&str> = Profile::ALL.iter().map(|profile| profile.name).collect();
        let detail = format!("the profile must be one of {}", known.join(", "));
        Problem::new(Code::FieldInvalid, detail).at("/profile".to_owned())
    })?;
    let assessment = password::assess(Question {
        password: &check.password,
        person: &check.person,
        profile,
        with_second_factor: check.with_second_factor,
        breached: call.state.breached.as_deref(),
    });
    json_reply(StatusCode::OK, &assessment)
}
