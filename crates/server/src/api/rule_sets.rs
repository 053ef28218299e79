//! The life of rule sets: drafts, trials, approvals, publication, and the way back.

use super::{
    Call,
    json::parse,
    json_reply,
    query::{Query, cursor, invalid},
};
use crate::edge::{Code, Problem, ProblemDocument, reply::Reply};
use http::StatusCode;
use paywarden_risk::{
    PackFile,
    release::{
        Draft, Drafted, Moved, Order, Progress, RuleRelease, RuleSetDiff, RuleSetLine, RuleSetPage,
        RuleSetRecord,
    },
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const PAGE: u32 = 20;
const PAGE_MAX: u32 = 100;

/// A draft: whole packs, or what differs from a version.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftInput {
    /// The packs; with `from` those that are new or other there, by their identifiers.
    #[serde(default)]
    pub packs: Vec<PackInput>,
    /// A version to start from: one of yours, `live` or `base`. Empty if not given.
    #[serde(default)]
    pub from: Option<String>,
    /// Packs of that version to leave out, by their identifiers.
    #[serde(default)]
    pub without: Vec<String>,
    /// Why; it goes into the trail.
    #[serde(deserialize_with = "crate::api::own_words")]
    pub purpose: String,
}

/// A pack as YAML text, or as JSON.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PackInput {
    /// Name of the file, for messages.
    pub file: String,
    /// The pack in YAML.
    #[serde(default)]
    pub text: Option<String>,
    /// The pack in JSON, instead.
    #[serde(default)]
    pub pack: Option<serde_json::Map<String, serde_json::Value>>,
}

/// A step.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StepInput {
    /// Why; it goes into the trail.
    #[serde(deserialize_with = "crate::api::own_words")]
    pub purpose: String,
}

/// A share of the payments for a version.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CanaryInput {
    /// The share in basis points.
    #[schema(minimum = 1, maximum = 9999)]
    pub share_bp: u16,
    /// Why; it goes into the trail.
    #[serde(deserialize_with = "crate::api::own_words")]
    pub purpose: String,
    /// The approval of this very release, where the policy asks for one.
    #[serde(default)]
    pub approval: Option<String>,
}

/// A publication.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishInput {
    /// Why; it goes into the trail.
    #[serde(deserialize_with = "crate::api::own_words")]
    pub purpose: String,
    /// The approval of this very release, where the policy asks for one.
    #[serde(default)]
    pub approval: Option<String>,
}

/// A page of versions, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct RuleSetList {
    /// The versions, and which of them decides.
    #[serde(flatten)]
    pub page: RuleSetPage,
    /// Give this as `cursor` to read on; null at the end.
    pub next_cursor: Option<String>,
}

/// Writes a draft down. It has to compile, and every example of every rule has to behave as it
/// says; then it is `checked`. What is no mistake but worth a look comes as `warnings`. Sending the same rules again answers with the version that exists.
#[utoipa::path(
    post, path = "/v1/rule-sets", tag = "rules",
    operation_id = "draft_rule_set", security(("signature" = []), ("session" = [])),
    params(("idempotency-key" = Option<String>, Header, description = "Makes a retry safe")),
    request_body = DraftInput,
    responses(
        (status = 201, description = "Written down", body = Drafted),
        (status = 200, description = "It was there already", body = Drafted),
        (status = "default", description = "A refusal; `rules_refused` lists what is wrong",
            body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn draft(call: &Call) -> Result<Reply, Problem> {
    let input: DraftInput = parse(&call.body)?;
    let packs: Result<_, Problem> = input.packs.into_iter().enumerate().map(pack).collect();
    let draft = Draft {
        packs: packs?,
        from: input.from,
        without: input.without,
        purpose: input.purpose,
    };
    let engine = &call.state.engine;
    let drafted = engine.draft_rule_set(&call.who(), draft).await?;
    let status = match drafted.is_new {
        true => StatusCode::CREATED,
        false => StatusCode::OK,
    };
    json_reply(status, &drafted)
}

/// Your versions, newest first.
#[utoipa::path(
    get, path = "/v1/rule-sets", tag = "rules",
    operation_id = "list_rule_sets", security(("signature" = []), ("session" = [])),
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "20 if not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = RuleSetList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) fn page(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &["limit", "cursor"])?;
    let limit = query.limit(PAGE, PAGE_MAX)? as usize;
    let wrong = |_| invalid("cursor", "take the cursor of the last reply as it is");
    let place = query.cursor()?.map(|place| place.parse()).transpose();
    let before = place.map_err(wrong)?;
    let engine = &call.state.engine;
    let page = engine.rule_sets(&call.caller.tenant, before, limit);
    let next_cursor = page.next.map(|place| cursor(&place.to_string()));
    json_reply(StatusCode::OK, &RuleSetList { page, next_cursor })
}

/// One version: where it stands, its history, what its trial has found, its packs.
#[utoipa::path(
    get, path = "/v1/rule-sets/{version}", tag = "rules",
    operation_id = "read_rule_set_version", security(("signature" = []), ("session" = [])),
    params(("version" = String, Path, description = "A version, `live` or `base`")),
    responses(
        (status = 200, description = "The version", body = RuleSetRecord),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn one(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    let engine = &call.state.engine;
    let record = engine.rule_set_record(&call.caller.tenant, &call.parameter);
    json_reply(StatusCode::OK, &record.await?)
}

/// What a version has that another has not, rule by rule and field by field.
#[utoipa::path(
    get, path = "/v1/rule-sets/{version}/diff", tag = "rules",
    operation_id = "diff_rule_sets", security(("signature" = []), ("session" = [])),
    params(
        ("version" = String, Path, description = "A version, `live` or `base`"),
        ("against" = Option<String>, Query,
            description = "A version, `live` or `base`; `live` if not given"),
    ),
    responses(
        (status = 200, description = "The differences", body = RuleSetDiff),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn diff(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &["against"])?;
    let against = query.find("against").unwrap_or("live");
    let engine = &call.state.engine;
    let diff = engine.rule_set_diff(&call.caller.tenant, &call.parameter, against);
    json_reply(StatusCode::OK, &diff.await?)
}

/// How far the preparation of a version is.
#[utoipa::path(
    get, path = "/v1/rule-sets/{version}/progress", tag = "rules",
    operation_id = "read_rule_set_progress", security(("signature" = []), ("session" = [])),
    params(("version" = String, Path, description = "The version")),
    responses(
        (status = 200, description = "The progress", body = Progress),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) fn progress(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    let engine = &call.state.engine;
    let progress = engine.rule_set_progress(&call.caller.tenant, &call.parameter)?;
    json_reply(StatusCode::OK, &progress)
}

/// Evaluates a version beside the live one. It decides nothing; each decision keeps what it would
/// have said.
#[utoipa::path(
    post, path = "/v1/rule-sets/{version}/shadow", tag = "rules",
    operation_id = "shadow_rule_set", security(("signature" = []), ("session" = [])),
    params(
        ("version" = String, Path, description = "The version"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = StepInput,
    responses(
        (status = 200, description = "Done", body = RuleSetLine),
        (status = 202, description = "Windows are being filled, then it follows", body = Progress),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn shadow(call: &Call) -> Result<Reply, Problem> {
    step(call, Order::Shadow).await
}

/// Lets an approved version decide a share of the payments. Which ones depends on their
/// identifiers alone.
#[utoipa::path(
    post, path = "/v1/rule-sets/{version}/canary", tag = "rules",
    operation_id = "canary_rule_set", security(("signature" = [])),
    params(
        ("version" = String, Path, description = "The version"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = CanaryInput,
    responses(
        (status = 200, description = "Done", body = RuleSetLine),
        (status = 202, description = "Windows are being filled, then it follows", body = Progress),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn canary(call: &Call) -> Result<Reply, Problem> {
    let input: CanaryInput = parse(&call.body)?;
    release(
        call,
        Some(input.share_bp),
        input.approval.as_deref(),
        &input.purpose,
    )
    .await
}

/// Lets an approved version decide. The version that was live is archived.
#[utoipa::path(
    post, path = "/v1/rule-sets/{version}/publish", tag = "rules",
    operation_id = "publish_rule_set", security(("signature" = [])),
    params(
        ("version" = String, Path, description = "The version"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = PublishInput,
    responses(
        (status = 200, description = "Done", body = RuleSetLine),
        (status = 202, description = "Windows are being filled, then it follows", body = Progress),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn publish(call: &Call) -> Result<Reply, Problem> {
    let PublishInput { purpose, approval } = parse(&call.body)?;
    release(call, None, approval.as_deref(), &purpose).await
}

/// Gives a version up. It stays readable and can be taken up again.
#[utoipa::path(
    post, path = "/v1/rule-sets/{version}/archive", tag = "rules",
    operation_id = "archive_rule_set", security(("signature" = []), ("session" = [])),
    params(
        ("version" = String, Path, description = "The version"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = StepInput,
    responses(
        (status = 200, description = "Done", body = RuleSetLine),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn archive(call: &Call) -> Result<Reply, Problem> {
    step(call, Order::Archive).await
}

/// Takes the live version back: the one that was live before it decides again, or the library.
/// The answer is the version that was taken back.
#[utoipa::path(
    post, path = "/v1/rule-sets/rollback", tag = "rules",
    operation_id = "roll_back_rule_set", security(("signature" = []), ("session" = [])),
    params(("idempotency-key" = Option<String>, Header, description = "Makes a retry safe")),
    request_body = StepInput,
    responses(
        (status = 200, description = "Done", body = RuleSetLine),
        (status = 202, description = "Windows are being filled, then it follows", body = Progress),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn roll_back(call: &Call) -> Result<Reply, Problem> {
    let StepInput { purpose } = parse(&call.body)?;
    let engine = &call.state.engine;
    reply(engine.roll_back_rule_set(&call.who(), &purpose).await?)
}

async fn step(call: &Call, order: Order) -> Result<Reply, Problem> {
    let StepInput { purpose } = parse(&call.body)?;
    let (engine, version) = (&call.state.engine, &call.parameter);
    let moved = engine
        .move_rule_set(&call.who(), version, order, &purpose)
        .await;
    reply(moved?)
}

async fn release(
    call: &Call,
    share_bp: Option<u16>,
    approval: Option<&str>,
    purpose: &str,
) -> Result<Reply, Problem> {
    let release = RuleRelease {
        version: call.parameter.clone(),
        share_bp,
    };
    let engine = &call.state.engine;
    engine.check_release(&call.caller.tenant, &release)?;
    let (approvals, who) = (&call.state.approvals, call.who());
    let approved = approvals.admit(&who, release, approval).await?;
    let moved = engine.release_rule_set(approved, purpose);
    reply(moved.await?)
}

fn reply(moved: Moved) -> Result<Reply, Problem> {
    match moved {
        Moved::Done(line) => json_reply(StatusCode::OK, &line),
        Moved::Preparing(progress) => json_reply(StatusCode::ACCEPTED, &progress),
    }
}

/// JSON is YAML, so a pack in JSON is kept as its text.
fn pack((place, input): (usize, PackInput)) -> Result<PackFile, Problem> {
    let text = match (input.text, input.pack) {
        (Some(text), None) => text,
        (None, Some(pack)) => serde_json::Value::Object(pack).to_string(),
        _ => {
            let problem = Problem::new(Code::FieldInvalid, "give either `text` or `pack`");
            return Err(problem.at(format!("/packs/{place}")));
        }
    };
    Ok(PackFile::new(input.file, text))
}
