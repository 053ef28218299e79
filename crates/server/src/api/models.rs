//! Models: registered, asked beside, made to decide and taken back.

use super::{
    Call, Door, Endpoint, Keyed, Route, Size, decisions,
    ground::PURPOSE,
    json::parse,
    json_reply,
    query::{Query, cursor, invalid},
};
use crate::edge::{Code, Problem, ProblemDocument, reply::Reply};
use http::StatusCode;
use paywarden_access::Scope;
use paywarden_domain::Engine;
use paywarden_risk::model::{
    ControlGroup, ModelLine, ModelList, ModelMoved, ModelPolicy, ModelProgress, ModelReading,
    ModelRelease, RegisteredModel,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const PAGE: u32 = 20;
const PAGE_MAX: u32 = 100;

/// The routes of models.
#[rustfmt::skip]
pub(super) static ROUTES: &[Route] = &[
    Route {
        size: Size::Model,
        ..Route::post("/v1/models", Scope::RulesWrite, Keyed::Optional, Endpoint::Model(Act::Register))
    },
    Route::shown("/v1/models", Scope::RulesRead, Endpoint::Model(Act::Page)),
    Route::step("/v1/models/rollback", Scope::RulesWrite, Endpoint::Model(Act::RollBack)),
    Route::shown("/v1/models/{model}", Scope::RulesRead, Endpoint::Model(Act::One)),
    Route::shown("/v1/models/{model}/progress", Scope::RulesRead, Endpoint::Model(Act::Progress)),
    Route::step("/v1/models/{model}/shadow", Scope::RulesWrite, Endpoint::Model(Act::Shadow)),
    Route::step("/v1/models/{model}/withdraw", Scope::RulesWrite, Endpoint::Model(Act::Withdraw)),
    Route::step("/v1/models/{model}/publish", Scope::RulesWrite, Endpoint::Model(Act::Publish)),
    Route {
        door: Door::Any,
        ..Route::get("/v1/decisions/{id}/models/{engine}", Scope::DecisionsRead, Endpoint::Model(Act::Reading))
    },
];

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Register,
    Page,
    One,
    Progress,
    Shadow,
    Withdraw,
    Publish,
    RollBack,
    Reading,
}

/// Answers for models.
pub(crate) async fn handle(act: Act, call: &Call) -> Result<Reply, Problem> {
    match act {
        Act::Register => register(call).await,
        Act::Page => page(call).await,
        Act::One => one(call).await,
        Act::Progress => progress(call).await,
        Act::Shadow => shadow(call).await,
        Act::Withdraw => withdraw(call).await,
        Act::Publish => publish(call).await,
        Act::RollBack => roll_back(call).await,
        Act::Reading => reading(call).await,
    }
}

/// A step of a model.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelStepInput {
    /// Whose model.
    pub engine: Engine,
    /// Why; it goes into the trail.
    #[serde(deserialize_with = "crate::api::own_words")]
    pub purpose: String,
}

/// A publication.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelPublishInput {
    /// Whose model it becomes.
    pub engine: Engine,
    /// What its chances come to.
    pub policy: ModelPolicy,
    /// Of what would be declined by scores alone, how much is let pass with a challenge; nothing if
    /// not given.
    #[serde(default)]
    pub control: Option<ControlGroup>,
    /// Why; it goes into the trail.
    #[serde(deserialize_with = "crate::api::own_words")]
    pub purpose: String,
    /// The approval of this very release, where the policy asks for one.
    #[serde(default)]
    pub approval: Option<String>,
}

/// A page of models.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModelPage {
    /// The models.
    #[serde(flatten)]
    pub list: ModelList,
    /// Give this as `cursor` to read on; null at the end.
    pub next_cursor: Option<String>,
}

/// Registers a package as `paywarden train` writes it, at most 14 MiB. It is signed by the
/// installation, and decides nothing yet. A model whose features are not those of its recipe is
/// refused. Sending the same package again answers with the model that is there.
#[utoipa::path(
    post, path = "/v1/models", tag = "models",
    operation_id = "register_model", security(("signature" = [])),
    params(("idempotency-key" = Option<String>, Header, description = "Makes a retry safe")),
    request_body(content = String, content_type = "application/octet-stream",
        description = "The package"),
    responses(
        (status = 201, description = "Registered", body = RegisteredModel),
        (status = 200, description = "It was there already", body = RegisteredModel),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn register(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    let engine = &call.state.engine;
    let registered = engine
        .register_model(&call.who(), call.body.clone())
        .await?;
    let status = match registered.is_new {
        true => StatusCode::CREATED,
        false => StatusCode::OK,
    };
    json_reply(status, &registered)
}

/// Your models, with where each is at work.
#[utoipa::path(
    get, path = "/v1/models", tag = "models",
    operation_id = "list_models", security(("signature" = []), ("session" = [])),
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "20 if not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = ModelPage),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn page(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &["limit", "cursor"])?;
    let limit = query.limit(PAGE, PAGE_MAX)?;
    let before = query.cursor()?;
    let engine = &call.state.engine;
    let list = engine
        .models(&call.caller.tenant, before.as_deref(), limit)
        .await?;
    let next_cursor = list.next.as_deref().map(cursor);
    json_reply(StatusCode::OK, &ModelPage { list, next_cursor })
}

/// One model.
#[utoipa::path(
    get, path = "/v1/models/{model}", tag = "models",
    operation_id = "read_model", security(("signature" = []), ("session" = [])),
    params(("model" = String, Path, description = "`mdl_…`")),
    responses(
        (status = 200, description = "The model", body = ModelLine),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn one(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    let engine = &call.state.engine;
    let line = engine.model(&call.caller.tenant, &call.parameter).await?;
    json_reply(StatusCode::OK, &line)
}

/// How far a model is on its way to work.
#[utoipa::path(
    get, path = "/v1/models/{model}/progress", tag = "models",
    operation_id = "read_model_progress", security(("signature" = []), ("session" = [])),
    params(("model" = String, Path, description = "`mdl_…`")),
    responses(
        (status = 200, description = "The progress", body = ModelProgress),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn progress(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    let engine = &call.state.engine;
    let progress = engine
        .model_progress(&call.caller.tenant, &call.parameter)
        .await?;
    json_reply(StatusCode::OK, &progress)
}

/// Asks a model beside the live one. It decides nothing; each decision keeps what it says. At most
/// 8 challengers at once.
#[utoipa::path(
    post, path = "/v1/models/{model}/shadow", tag = "models",
    operation_id = "shadow_model", security(("signature" = [])),
    params(
        ("model" = String, Path, description = "`mdl_…`"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = ModelStepInput,
    responses(
        (status = 200, description = "Done", body = ModelLine),
        (status = 202, description = "Windows are being filled, then it follows",
            body = ModelProgress),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn shadow(call: &Call) -> Result<Reply, Problem> {
    let ModelStepInput { engine, purpose } = parse(&call.body)?;
    let place = (engine, call.parameter.as_str());
    let who = call.who();
    reply(
        call.state
            .engine
            .shadow_model(&who, place, &purpose)
            .await?,
    )
}

/// Asks a challenger no more.
#[utoipa::path(
    post, path = "/v1/models/{model}/withdraw", tag = "models",
    operation_id = "withdraw_model", security(("signature" = [])),
    params(
        ("model" = String, Path, description = "`mdl_…`"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = ModelStepInput,
    responses(
        (status = 200, description = "Done", body = ModelLine),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn withdraw(call: &Call) -> Result<Reply, Problem> {
    let ModelStepInput { engine, purpose } = parse(&call.body)?;
    let place = (engine, call.parameter.as_str());
    let who = call.who();
    reply(
        call.state
            .engine
            .withdraw_model(&who, place, &purpose)
            .await?,
    )
}

/// Lets an approved model decide, by its policy, beside the rules.
#[utoipa::path(
    post, path = "/v1/models/{model}/publish", tag = "models",
    operation_id = "publish_model", security(("signature" = [])),
    params(
        ("model" = String, Path, description = "`mdl_…`"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = ModelPublishInput,
    responses(
        (status = 200, description = "Done", body = ModelLine),
        (status = 202, description = "Windows are being filled, then it follows",
            body = ModelProgress),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn publish(call: &Call) -> Result<Reply, Problem> {
    let input: ModelPublishInput = parse(&call.body)?;
    let release = ModelRelease {
        engine: input.engine,
        model: call.parameter.clone(),
        policy: input.policy,
        control: input.control,
    };
    let (engine, who) = (&call.state.engine, call.who());
    engine.check_model_release(&who.tenant, &release).await?;
    let approvals = &call.state.approvals;
    let approved = approvals
        .admit(&who, release, input.approval.as_deref())
        .await?;
    reply(engine.release_model(approved, &input.purpose).await?)
}

/// Takes the live model of an engine back: the one before it decides again, or none. The answer is
/// the model that was taken back.
#[utoipa::path(
    post, path = "/v1/models/rollback", tag = "models",
    operation_id = "roll_back_model", security(("signature" = [])),
    params(("idempotency-key" = Option<String>, Header, description = "Makes a retry safe")),
    request_body = ModelStepInput,
    responses(
        (status = 200, description = "Done", body = ModelLine),
        (status = 202, description = "Windows are being filled, then it follows",
            body = ModelProgress),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn roll_back(call: &Call) -> Result<Reply, Problem> {
    let ModelStepInput { engine, purpose } = parse(&call.body)?;
    let who = call.who();
    reply(
        call.state
            .engine
            .roll_back_model(&who, engine, &purpose)
            .await?,
    )
}

/// What the model of an engine read when it decided a payment, and exactly what each number added
/// (TreeSHAP).
#[utoipa::path(
    get, path = "/v1/decisions/{id}/models/{engine}", tag = "models",
    operation_id = "read_model_reading", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`dec_…`"),
        ("engine" = String, Path, description = "`fraud` or `laundering`"),
        ("purpose" = Option<String>, Query, description = "For what, of the purposes of the \
            privacy policy; `fraud_prevention` if not given"),
    ),
    responses(
        (status = 200, description = "What it read", body = ModelReading),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn reading(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &[PURPOSE])?;
    let (id, engine) = call.parameter.rsplit_once('/').unwrap_or_default();
    let judge = Engine::ALL.into_iter().find(|known| known.name() == engine);
    let judge = judge.ok_or_else(|| invalid("engine", "fraud or laundering"))?;
    let (decision, ground) = decisions::seen(call, id, &query).await?;
    let reading = call
        .state
        .engine
        .model_reading(&call.caller.tenant, id, judge);
    let unknown = || Problem::new(Code::DecisionUnknown, "no decision has this identifier");
    let reading = reading.await?.ok_or_else(unknown)?;
    Ok(json_reply(StatusCode::OK, &reading)?
        .about(decisions::subject(&decision))
        .on(ground))
}

fn reply(moved: ModelMoved) -> Result<Reply, Problem> {
    match moved {
        ModelMoved::Done(line) => json_reply(StatusCode::OK, &line),
        ModelMoved::Preparing(progress) => json_reply(StatusCode::ACCEPTED, &progress),
    }
}
