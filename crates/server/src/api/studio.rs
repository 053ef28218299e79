//! What people who write rules look at: packs of a version, what is wrong with one that is being
//! written, help at the cursor, what the rules at work do, and what a version would have said.

use super::{
    Call, Door, Endpoint, Keyed, Route, Size, backtests,
    json::parse,
    json_reply,
    query::{Query, invalid},
};
use crate::edge::{Code, Problem, ProblemDocument, reply::Reply};
use http::StatusCode;
use paywarden_access::Scope;
use paywarden_risk::{
    PackFile, RuleActivity, WhatIf,
    release::{Assist, CheckedPack, Completed, Hovered, PackDraft, PackLine},
};
use serde::Serialize;
use utoipa::ToSchema;

/// The routes of the studio.
#[rustfmt::skip]
pub(super) static ROUTES: &[Route] = &[
    Route::shown("/v1/rule-sets/{version}/packs", Scope::RulesRead, Endpoint::Studio(Act::Packs)),
    Route::shown("/v1/rule-sets/{version}/packs/{pack}", Scope::RulesRead, Endpoint::Studio(Act::Pack)),
    Route::shown("/v1/rules/activity", Scope::DecisionsRead, Endpoint::Studio(Act::Activity)),
    Route::shown("/v1/decisions/{id}/what-if", Scope::DecisionsRead, Endpoint::Studio(Act::WhatIf)),
    helped("/v1/rules/effect", Act::Effect),
    helped("/v1/rules/check", Act::Check),
    helped("/v1/rules/completions", Act::Completions),
    helped("/v1/rules/hover", Act::Hover),
];

const fn helped(path: &'static str, act: Act) -> Route {
    Route {
        door: Door::Any,
        size: Size::RuleSet,
        ..Route::post(path, Scope::RulesRead, Keyed::Never, Endpoint::Studio(act))
    }
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Packs,
    Pack,
    Activity,
    WhatIf,
    Effect,
    Check,
    Completions,
    Hover,
}

/// Answers for the studio.
pub(crate) async fn handle(act: Act, call: &Call) -> Result<Reply, Problem> {
    match act {
        Act::Packs => packs(call).await,
        Act::Pack => pack(call).await,
        Act::Activity => activity(call).await,
        Act::WhatIf => what_if(call).await,
        Act::Effect => backtests::effect(call).await,
        Act::Check => check(call).await,
        Act::Completions => completions(call).await,
        Act::Hover => hover(call).await,
    }
}

/// The packs of a version.
#[derive(Debug, Serialize, ToSchema)]
pub struct PackList {
    /// By identifier.
    pub packs: Vec<PackLine>,
}

/// A pack of a version, and what is to be said about it.
#[derive(Debug, Serialize, ToSchema)]
pub struct PackView {
    /// The name of its file.
    pub file: String,
    /// Its text, its rules, and what is worth a look.
    #[serde(flatten)]
    pub checked: CheckedPack,
}

/// What may stand at the cursor.
#[derive(Debug, Serialize, ToSchema)]
pub struct CompletionList {
    /// Best first, at most 200.
    pub completions: Vec<Completed>,
}

/// What stands at the cursor.
#[derive(Debug, Serialize, ToSchema)]
pub struct HoverReply {
    /// Null between expressions.
    pub hover: Option<Hovered>,
}

/// The packs of a version, without their text.
#[utoipa::path(
    get, path = "/v1/rule-sets/{version}/packs", tag = "rules",
    operation_id = "list_packs", security(("signature" = []), ("session" = [])),
    params(("version" = String, Path, description = "A version, `live` or `base`")),
    responses(
        (status = 200, description = "The packs", body = PackList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn packs(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    let engine = &call.state.engine;
    let packs = engine.packs(&call.caller.tenant, &call.parameter).await?;
    json_reply(StatusCode::OK, &PackList { packs })
}

/// One pack of a version as it was sent, and what is to be said about it.
#[utoipa::path(
    get, path = "/v1/rule-sets/{version}/packs/{pack}", tag = "rules",
    operation_id = "read_pack", security(("signature" = []), ("session" = [])),
    params(
        ("version" = String, Path, description = "A version, `live` or `base`"),
        ("pack" = String, Path, description = "The pack's identifier"),
        ("rule" = Option<String>, Query, description = "The rule to tell more about, by its \
            identifier within the pack"),
    ),
    responses(
        (status = 200, description = "The pack", body = PackView),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn pack(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &["rule"])?;
    let (version, pack) = call.parameter.rsplit_once('/').unwrap_or_default();
    let engine = &call.state.engine;
    let tenant = &call.caller.tenant;
    let PackFile { file, text } = engine.pack_file(tenant, version, pack).await?;
    let draft = PackDraft {
        from: Some(version.to_owned()),
        text,
        change: None,
        rule: query.find("rule").map(ToOwned::to_owned),
    };
    let checked = engine.check_pack(tenant, draft).await?;
    json_reply(StatusCode::OK, &PackView { file, checked })
}

/// What the rules that decide now did with the last 20,000 decisions: how often each fired, what
/// those turned out to be, and for which events the rules of each scenario can fire at all.
#[utoipa::path(
    get, path = "/v1/rules/activity", tag = "rules",
    operation_id = "read_rule_activity", security(("signature" = []), ("session" = [])),
    responses(
        (status = 200, description = "The figures", body = RuleActivity),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn activity(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    let engine = &call.state.engine;
    let activity = engine.rule_activity(&call.caller.tenant).await?;
    json_reply(StatusCode::OK, &activity)
}

/// What another version of the rules would have made of a decided payment. Windows are those that
/// the decision saw: one that was not stored with it counts as missing and is named. Lists that were
/// not asked then are asked as they are now, and named too.
#[utoipa::path(
    get, path = "/v1/decisions/{id}/what-if", tag = "decisions",
    operation_id = "read_what_if", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "The decision"),
        ("version" = String, Query, description = "A version, `live` or `base`"),
    ),
    responses(
        (status = 200, description = "The comparison", body = WhatIf),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn what_if(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &["version"])?;
    let version = query.find("version");
    let version = version.ok_or_else(|| invalid("version", "name a version, `live` or `base`"))?;
    let engine = &call.state.engine;
    let found = engine.what_if(&call.caller.tenant, &call.parameter, version);
    let unknown = || Problem::new(Code::DecisionUnknown, "there is no such decision");
    json_reply(StatusCode::OK, &found.await?.ok_or_else(unknown)?)
}

/// Checks a pack that is being written, after a change of one of its rules if one is given: what is
/// wrong and where, and how the examples of one rule go. For an editor to ask on each pause.
/// Nothing is written down. The pack is checked with those that it uses; what only shows beside all
/// others is found when it is drafted.
#[utoipa::path(
    post, path = "/v1/rules/check", tag = "rules",
    operation_id = "check_pack", security(("signature" = []), ("session" = [])),
    request_body = PackDraft,
    responses(
        (status = 200, description = "What is to be said about it", body = CheckedPack),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn check(call: &Call) -> Result<Reply, Problem> {
    let draft: PackDraft = parse(&call.body)?;
    let engine = &call.state.engine;
    json_reply(
        StatusCode::OK,
        &engine.check_pack(&call.caller.tenant, draft).await?,
    )
}

/// What may stand at the cursor of a condition.
#[utoipa::path(
    post, path = "/v1/rules/completions", tag = "rules",
    operation_id = "complete_condition", security(("signature" = []), ("session" = [])),
    request_body = Assist,
    responses(
        (status = 200, description = "The completions", body = CompletionList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn completions(call: &Call) -> Result<Reply, Problem> {
    let ask: Assist = parse(&call.body)?;
    let engine = &call.state.engine;
    let completions = engine.complete_condition(&call.caller.tenant, ask).await?;
    json_reply(StatusCode::OK, &CompletionList { completions })
}

/// What stands at the cursor of a condition.
#[utoipa::path(
    post, path = "/v1/rules/hover", tag = "rules",
    operation_id = "hover_condition", security(("signature" = []), ("session" = [])),
    request_body = Assist,
    responses(
        (status = 200, description = "What it is", body = HoverReply),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn hover(call: &Call) -> Result<Reply, Problem> {
    let ask: Assist = parse(&call.body)?;
    let engine = &call.state.engine;
    let hover = engine.hover_condition(&call.caller.tenant, ask).await?;
    json_reply(StatusCode::OK, &HoverReply { hover })
}
