//! Whether what travels with a transfer says who pays and who is paid, before it is sent or when it
//! arrives.

use super::{Call, Door, Endpoint, Keyed, Route, json::parse, json_reply};
use crate::edge::{Code, Problem, ProblemDocument, reply::Reply};
use http::StatusCode;
use paywarden_access::Scope;
use paywarden_domain::Money;
use paywarden_filings::{
    Day, Fault, Profile, Profiles,
    travel::{Identity, completeness},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The route of the Travel Rule.
pub(super) static ROUTES: &[Route] = &[Route {
    door: Door::Any,
    ..Route::post(
        "/v1/travel-rule-checks",
        Scope::ScreeningRead,
        Keyed::Never,
        Endpoint::TravelRule,
    )
}];

/// What travels with a transfer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TravelRuleInput {
    /// Whose rule, such as `eu`: a profile of `GET /v1/report-profiles`; that of your company if not
    /// given.
    #[serde(default)]
    pub profile: Option<String>,
    /// How much.
    pub amount: Money,
    /// Who pays and who is paid, in the fields of IVMS101.
    pub identity: Identity,
}

/// What was found.
#[derive(Serialize, ToSchema)]
pub struct TravelRuleCheck {
    /// The profile.
    pub profile: String,
    /// Whether it has a Travel Rule at all.
    pub applies: bool,
    /// Whether the full facts are asked for at this amount. An amount whose rate is missing asks for
    /// them.
    pub is_full: bool,
    /// Whether the transfer may go.
    pub is_complete: bool,
    /// What is missing or breaks a constraint of IVMS101, by pointer into `identity`.
    pub faults: Vec<Fault>,
    /// The text that asks for it; null where none does.
    pub source: Option<String>,
}

/// Holds what travels with a transfer against the Travel Rule of a country. Nothing of it is kept.
#[utoipa::path(
    post, path = "/v1/travel-rule-checks", tag = "screening",
    operation_id = "check_travel_rule", security(("signature" = []), ("session" = [])),
    request_body = TravelRuleInput,
    responses(
        (status = 200, description = "What was found", body = TravelRuleCheck),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) fn check(call: &Call) -> Result<Reply, Problem> {
    let input: TravelRuleInput = parse(&call.body)?;
    let countries = call.state.engine.jurisdictions();
    let own = countries.profiles.get(&call.caller.tenant);
    let profile: &Profile = match &input.profile {
        Some(name) => named(name)?,
        None => own.ok_or_else(unknown)?,
    };
    let today = Day::of(call.state.clock.now(), profile.utc_offset_hours);
    let beside = (&countries.rates, today);
    let found = completeness(profile, input.amount, &input.identity, beside);
    let view = TravelRuleCheck {
        profile: profile.name.clone(),
        applies: found.is_some(),
        is_full: found.as_ref().is_some_and(|found| found.full),
        is_complete: found.as_ref().is_none_or(|found| found.faults.is_empty()),
        source: found.as_ref().map(|found| found.source.clone()),
        faults: found.map(|found| found.faults).unwrap_or_default(),
    };
    json_reply(StatusCode::OK, &view)
}

fn named(name: &str) -> Result<&'static Profile, Problem> {
    let shipped =
        Profiles::shipped().map_err(|error| crate::reports::Error::Internal(error.to_string()))?;
    shipped.find(name).ok_or_else(unknown)
}

fn unknown() -> Problem {
    let detail = "name a profile, or have one set for your company";
    Problem::new(Code::ReportProfileUnknown, detail)
}
