//! Risk ratings of customers: what the company says of them, what came of it, and why.

use super::{
    Call, Door, Endpoint, Keyed, Route,
    export::{self, EXPORT},
    json::parse,
    json_reply,
    query::Query,
};
use crate::edge::{Code, Problem, ProblemDocument, reply::Reply};
use http::{Method, StatusCode};
use paywarden_access::{Scope, approval::Collection, watch::Subject};
use paywarden_domain::event::Text;
use paywarden_privacy::{By, policy::Data};
use paywarden_risk::rating::{
    CustomerProfile, CustomerRating, HISTORY_MAX, RatingHistory, RatingPolicy, RatingQuery,
    RatingRows, RiskRating,
};
use serde::Deserialize;
use utoipa::ToSchema;

const PAGE: u32 = 50;
const PAGE_MAX: u32 = 500;
const HISTORY: u32 = 20;
/// What ratings are for, in the words of the privacy policy.
const PURPOSE: &str = "aml_compliance";

const fn acting(method: &'static Method, path: &'static str, act: Act) -> Route {
    Route {
        method,
        door: Door::Any,
        ..Route::post(
            path,
            Scope::RatingsWrite,
            Keyed::Optional,
            Endpoint::Rating(act),
        )
    }
}

/// The routes of ratings.
#[rustfmt::skip]
pub(super) static ROUTES: &[Route] = &[
    acting(&Method::PUT, "/v1/customer-ratings", Act::Profile),
    Route::shown("/v1/customer-ratings", Scope::RatingsRead, Endpoint::Rating(Act::Page)),
    Route::shown("/v1/customer-ratings/{id}", Scope::RatingsRead, Endpoint::Rating(Act::One)),
    Route::shown("/v1/customer-ratings/{id}/history", Scope::RatingsRead, Endpoint::Rating(Act::History)),
    acting(&Method::POST, "/v1/customer-ratings/{id}/review", Act::Review),
    Route::shown("/v1/rating-policy", Scope::RatingsRead, Endpoint::Rating(Act::Policy)),
];

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Profile,
    Page,
    One,
    History,
    Review,
    Policy,
}

/// What the company says of a customer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerInput {
    /// Your own identifier, as events carry it in `payer.id`. What is kept is a pseudonym.
    pub reference: Text,
    /// All that you know; what is left out is not known from then on.
    pub profile: CustomerProfile,
}

/// Somebody has looked at a customer again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RatingReview {
    /// What was seen, 1 to 256 bytes.
    #[serde(deserialize_with = "crate::api::own_words")]
    pub reason: String,
}

/// Answers for ratings.
pub(crate) async fn handle(act: Act, call: &Call) -> Result<Reply, Problem> {
    match act {
        Act::Profile => profile(call).await,
        Act::Page => page(call).await,
        Act::One => one(call).await,
        Act::History => history(call).await,
        Act::Review => review(call).await,
        Act::Policy => policy(call),
    }
}

/// Says what you know of a customer; they are rated at once. Say it again whenever it changes.
#[utoipa::path(
    put, path = "/v1/customer-ratings", tag = "customer ratings",
    operation_id = "profile_customer", security(("signature" = []), ("session" = [])),
    params(("idempotency-key" = Option<String>, Header, description = "Makes a retry safe")),
    request_body = CustomerInput,
    responses(
        (status = 200, description = "Rated", body = CustomerRating),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn profile(call: &Call) -> Result<Reply, Problem> {
    let CustomerInput { reference, profile } = parse(&call.body)?;
    let reference = reference.as_str();
    let ground = ground(call, Some(reference)).await?;
    let (engine, who) = (&call.state.engine, call.who());
    let rated = engine.profile_customer(&who, &ground, (reference, &profile));
    told(&rated.await?, ground)
}

/// Rated customers, by hash, and how many there are of each rating.
#[utoipa::path(
    get, path = "/v1/customer-ratings", tag = "customer ratings",
    operation_id = "list_customer_ratings", security(("signature" = []), ("session" = [])),
    params(
        ("rating" = Option<String>, Query, description = "`low`, `medium`, `high` or `prohibited`"),
        ("overridden" = Option<bool>, Query, description = "Whether an approval set it"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 500, description = "50 if not given"),
        ("after" = Option<String>, Query, description = "`next_after` of the page before"),
        ("export" = Option<String>, Query, description = "`apr_…`: the export that you have \
            carried out"),
    ),
    responses(
        (status = 200, description = "A page", body = RatingRows),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn page(call: &Call) -> Result<Reply, Problem> {
    let known = ["rating", "overridden", "limit", "after", EXPORT];
    let query = Query::parse(&call.query, &known)?;
    let (wanted, who) = (query.limit(PAGE, PAGE_MAX)?, call.who());
    let by = (&*call.state, &who);
    let reserved = export::by_export(by, Collection::Ratings, &query, wanted).await?;
    let asked = RatingQuery {
        rating: query.read(
            "rating",
            "`low`, `medium`, `high` or `prohibited`",
            RiskRating::parse,
        )?,
        is_overridden: query.read("overridden", "`true` or `false`", |text| text.parse().ok())?,
        after: query
            .read("after", "`customer:` and 16 hexadecimal digits", |text| {
                hash(text.strip_prefix("customer:")?)
            })?
            .unwrap_or(0),
        limit: export::rows(reserved.as_ref(), wanted) as usize,
    };
    let (engine, tenant) = (&call.state.engine, &call.caller.tenant);
    let rows: RatingRows = engine.rated_customers(tenant, &asked);
    let count = rows.customers.len();
    export::hand_out(call, &query, reserved, (count, Vec::new())).await?;
    Ok(json_reply(StatusCode::OK, &rows)?.of(count))
}

/// The rating of a customer, what contributed to it, and what is known of them.
#[utoipa::path(
    get, path = "/v1/customer-ratings/{id}", tag = "customer ratings",
    operation_id = "read_customer_rating", security(("signature" = []), ("session" = [])),
    params(("id" = String, Path, description = "The hash, 16 hexadecimal digits, as alerts show it")),
    responses(
        (status = 200, description = "The rating", body = CustomerRating),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn one(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    let ground = ground(call, None).await?;
    let (engine, tenant) = (&call.state.engine, &call.caller.tenant);
    let rated = engine.customer_rating(tenant, named(call)?).await?;
    told(&rated, ground)
}

/// Every rating of a customer, newest first, each as it was when it was made.
#[utoipa::path(
    get, path = "/v1/customer-ratings/{id}/history", tag = "customer ratings",
    operation_id = "list_rating_history", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "The hash, 16 hexadecimal digits"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "20 if not given"),
        ("before" = Option<i64>, Query, description = "`next_before` of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = RatingHistory),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn history(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &["limit", "before"])?;
    let limit = query.limit(HISTORY, HISTORY_MAX)?;
    let number = |text: &str| text.parse().ok();
    let before = query.read("before", "a number of a version", number)?;
    let ground = ground(call, None).await?;
    let customer = named(call)?;
    let (engine, tenant) = (&call.state.engine, &call.caller.tenant);
    let page = engine.rating_history(tenant, customer, (before.unwrap_or(i64::MAX), limit));
    let page: RatingHistory = page.await?;
    let count = page.ratings.len();
    let about = Subject::Outside(format!("customer:{customer:016x}"));
    Ok(json_reply(StatusCode::OK, &page)?
        .of(count)
        .about(about)
        .on(ground))
}

/// Rates a customer again because somebody has looked at them; the time until the next look begins
/// anew.
#[utoipa::path(
    post, path = "/v1/customer-ratings/{id}/review", tag = "customer ratings",
    operation_id = "review_customer_rating", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "The hash, 16 hexadecimal digits"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = RatingReview,
    responses(
        (status = 200, description = "Rated", body = CustomerRating),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn review(call: &Call) -> Result<Reply, Problem> {
    let RatingReview { reason } = parse(&call.body)?;
    if !(1..=256).contains(&reason.trim().len()) {
        let detail = "a reason has 1 to 256 bytes";
        return Err(Problem::new(Code::FieldInvalid, detail).at("/reason".to_owned()));
    }
    let ground = ground(call, None).await?;
    let (engine, who) = (&call.state.engine, call.who());
    let rated = engine.review_customer(&who, named(call)?, &reason).await?;
    told(&rated, ground)
}

/// How customers are rated: factors, points, floors, days between two looks.
#[utoipa::path(
    get, path = "/v1/rating-policy", tag = "customer ratings",
    operation_id = "read_rating_policy", security(("signature" = []), ("session" = [])),
    responses(
        (status = 200, description = "The policy", body = RatingPolicy),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) fn policy(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    json_reply(StatusCode::OK, call.state.engine.rating_policy())
}

fn told(rated: &CustomerRating, ground: String) -> Result<Reply, Problem> {
    let about = Subject::Outside(rated.customer.clone());
    Ok(json_reply(StatusCode::OK, rated)?.about(about).on(ground))
}

/// The customer that the path names.
fn named(call: &Call) -> Result<u64, Problem> {
    hash(&call.parameter).ok_or_else(|| paywarden_risk::Error::CustomerNotRated.into())
}

fn hash(text: &str) -> Option<u64> {
    let small = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let is_hash = text.len() == 16 && text.bytes().all(small);
    is_hash
        .then(|| u64::from_str_radix(text, 16).ok())
        .flatten()
}

/// Why what is known of customers may be handled, as the trail carries it.
async fn ground(call: &Call, person: Option<&str>) -> Result<String, Problem> {
    let who = call.who();
    let by = By::new(who.tenant, who.actor, PURPOSE);
    let data = Data {
        set: "ratings",
        collection: "customer",
        field: "profile",
    };
    Ok(call.state.vault.may(&by, data, person).await?.to_string())
}
