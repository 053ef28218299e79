//! The routes of programs, and of people who look at the same: one line each.

use super::{Door, Endpoint, Keyed, Route, Size, approvals, statistics::Of};
use http::Method;
use paywarden_access::Scope;

/// Every route of programs but those of the vault.
#[rustfmt::skip]
pub(super) static ROUTES: &[Route] = &[
    Route::post("/v1/decisions", Scope::DecisionsWrite, Keyed::Required, Endpoint::Decide),
    Route::shown("/v1/decisions", Scope::DecisionsRead, Endpoint::Decisions),
    Route::shown("/v1/decisions/{id}", Scope::DecisionsRead, Endpoint::Decision),
    Route::shown("/v1/decisions/{id}/explanation", Scope::DecisionsRead, Endpoint::Explanation),
    Route::shown("/v1/statistics/decisions", Scope::DecisionsRead, Endpoint::Statistics(Of::LastDay)),
    Route::shown("/v1/statistics/found", Scope::DecisionsRead, Endpoint::Statistics(Of::Found)),
    Route::post("/v1/labels", Scope::LabelsWrite, Keyed::Optional, Endpoint::AddLabel),
    Route {
        size: Size::Labels,
        ..Route::post("/v1/labels/batch", Scope::LabelsWrite, Keyed::Never, Endpoint::AddLabels)
    },
    Route::shown("/v1/payments/{payment_id}/labels", Scope::DecisionsRead, Endpoint::Labels),
    Route::shown("/v1/lists", Scope::ListsRead, Endpoint::Lists),
    Route::shown("/v1/lists/{list}/entries", Scope::ListsRead, Endpoint::ListEntries),
    Route::put("/v1/lists/{list}/entries", Scope::ListsWrite, Endpoint::AddToList),
    Route::delete("/v1/lists/{list}/entries", Scope::ListsWrite, Endpoint::RemoveFromList),
    Route::shown("/v1/rule-set", Scope::DecisionsRead, Endpoint::RuleSet),
    Route {
        size: Size::RuleSet,
        door: Door::Any,
        ..Route::step("/v1/rule-sets", Scope::RulesWrite, Endpoint::DraftRuleSet)
    },
    Route::shown("/v1/rule-sets", Scope::RulesRead, Endpoint::RuleSets),
    Route {
        // What decides changes at once: people prove first that it is them.
        door: Door::AnyFresh,
        ..Route::step("/v1/rule-sets/rollback", Scope::RulesWrite, Endpoint::RollBackRuleSet)
    },
    Route::shown("/v1/rule-sets/{version}", Scope::RulesRead, Endpoint::RuleSetVersion),
    Route::shown("/v1/rule-sets/{version}/diff", Scope::RulesRead, Endpoint::RuleSetDiff),
    Route::shown("/v1/rule-sets/{version}/progress", Scope::RulesRead, Endpoint::RuleSetProgress),
    Route { door: Door::Any, ..Route::step("/v1/rule-sets/{version}/shadow", Scope::RulesWrite, Endpoint::ShadowRuleSet) },
    Route::step("/v1/rule-sets/{version}/canary", Scope::RulesWrite, Endpoint::CanaryRuleSet),
    Route::step("/v1/rule-sets/{version}/publish", Scope::RulesWrite, Endpoint::PublishRuleSet),
    Route { door: Door::Any, ..Route::step("/v1/rule-sets/{version}/archive", Scope::RulesWrite, Endpoint::ArchiveRuleSet) },
    Route { door: Door::Any, ..Route::step("/v1/rule-sets/{version}/backtests", Scope::RulesWrite, Endpoint::StartBacktest) },
    Route::shown("/v1/rule-sets/{version}/backtests", Scope::RulesRead, Endpoint::Backtests),
    Route::shown("/v1/rule-sets/{version}/backtests/{id}", Scope::RulesRead, Endpoint::Backtest),
    Route {
        size: Size::RuleSet,
        ..Route::acting(&Method::POST, "/v1/approvals", Scope::ApprovalsRequest, approvals::Act::Request)
    },
    Route::acting(&Method::GET, "/v1/approvals", Scope::ApprovalsRead, approvals::Act::Page),
    Route::acting(&Method::GET, "/v1/approvals/{id}", Scope::ApprovalsRead, approvals::Act::One),
    Route::acting(&Method::POST, "/v1/approvals/{id}/votes", Scope::ApprovalsVote, approvals::Act::Vote),
    Route::acting(&Method::POST, "/v1/approvals/{id}/withdrawal", Scope::ApprovalsRequest, approvals::Act::Withdraw),
    Route::acting(&Method::POST, "/v1/approvals/{id}/execution", Scope::ApprovalsRequest, approvals::Act::Execute),
    Route {
        has_body: false,
        keyed: Keyed::Never,
        ..Route::acting(&Method::POST, "/v1/approvals/{id}/reveal", Scope::SubjectsReveal, approvals::Act::Reveal)
    },
    Route::acting(&Method::POST, "/v1/approvals/{id}/review", Scope::ApprovalsVote, approvals::Act::Review),
    Route::acting(&Method::POST, "/v1/approval-delegations", Scope::ApprovalsVote, approvals::Act::Delegate),
    Route::acting(&Method::GET, "/v1/approval-delegations", Scope::ApprovalsRead, approvals::Act::Delegations),
    Route::acting(&Method::DELETE, "/v1/approval-delegations/{id}", Scope::ApprovalsVote, approvals::Act::EndDelegation),
    Route::acting(&Method::GET, "/v1/approval-policy", Scope::ApprovalsRead, approvals::Act::Policy),
    Route::post("/v1/safety/password-checks", Scope::SafetyCheck, Keyed::Never, Endpoint::CheckPassword),
    Route::shown("/v1/trail/checkpoint", Scope::TrailRead, Endpoint::TrailCheckpoint),
    Route::shown("/v1/trail/keys", Scope::TrailRead, Endpoint::TrailKeys),
    Route::shown("/v1/trail/proofs/inclusion", Scope::TrailRead, Endpoint::TrailInclusion),
    Route::shown("/v1/trail/proofs/consistency", Scope::TrailRead, Endpoint::TrailConsistency),
    Route::shown("/v1/trail/leaves", Scope::TrailRead, Endpoint::TrailLeaves),
    Route::get("/v1/trail/tile/{tile}", Scope::TrailRead, Endpoint::TrailTile),
    Route::post("/v1/trail/cosignatures", Scope::TrailCosign, Keyed::Never, Endpoint::TrailCosign),
    Route::shown("/v1/security-alerts", Scope::SecurityRead, Endpoint::Alerts),
    Route::shown("/v1/security-alerts/{id}", Scope::SecurityRead, Endpoint::Alert),
    Route::open("/v1/reply-keys", Endpoint::ReplyKeys),
    Route::open("/openapi.json", Endpoint::OpenApi),
    Route::open("/metrics", Endpoint::Metrics),
    Route::open("/healthz", Endpoint::Health),
    Route::open("/readyz", Endpoint::Ready),
];
