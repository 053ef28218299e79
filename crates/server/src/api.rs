//! The JSON API: which routes there are, what each needs, and who answers.

pub(crate) mod alerts;
pub(crate) mod approvals;
pub(crate) mod areas;
pub(crate) mod backtests;
pub(crate) mod case_files;
pub(crate) mod cases;
pub(crate) mod confirmations;
pub(crate) mod decisions;
mod door;
pub(crate) mod entities;
pub(crate) mod export;
pub(crate) mod factors;
pub(crate) mod filings;
mod find;
pub(crate) mod ground;
pub(crate) mod json;
pub(crate) mod keys;
pub(crate) mod labels;
pub(crate) mod large_values;
pub(crate) mod lists;
pub(crate) mod models;
mod openapi;
mod own_words;
mod patience;
pub(crate) mod payment_alerts;
pub mod person;
pub(crate) mod preferences;
pub(crate) mod privacy;
pub(crate) mod query;
pub(crate) mod ratings;
pub(crate) mod reports;
pub(crate) mod retention;
mod routes;
pub(crate) mod rule_sets;
pub(crate) mod safety;
pub(crate) mod screening;
pub(crate) mod session;
pub(crate) mod sign_on;
mod size;
pub(crate) mod staff;
pub(crate) mod statistics;
pub(crate) mod studio;
pub(crate) mod subjects;
pub(crate) mod system;
pub(crate) mod trail;
pub(crate) mod travel_rule;
pub(crate) mod vault;
pub(crate) mod webhooks;

pub use door::Door;
pub(crate) use find::find;
pub(crate) use own_words::{must_not_be_card, own_words};

use crate::{
    edge::{
        Code, Problem,
        reply::{JSON, Reply},
        signature,
    },
    state::State,
};
use bytes::Bytes;
use http::{Method, StatusCode, request};
pub use openapi::openapi_json;
use paywarden_access::{
    Scope,
    approval::Who,
    masking::{self, Channel, PROGRAM},
};
use paywarden_risk::{Caller, Idempotency};
use paywarden_store::Actor;
use serde::Serialize;
pub use size::Size;
use std::sync::Arc;
pub use trail::LeafView;

/// Whether a route takes an idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keyed {
    /// It changes nothing.
    Never,
    /// A retry is harmless, with a key it gets the same answer.
    Optional,
    /// A retry without a key could count twice.
    Required,
}

/// One route.
#[derive(Debug)]
pub struct Route {
    /// The method.
    pub method: &'static Method,
    /// The path; `{…}` stands for one segment, `{tile}` for one or more.
    pub path: &'static str,
    /// Who may come in.
    pub door: Door,
    /// What a key or a person needs; none for routes that need no more than their door.
    pub scope: Option<Scope>,
    /// Whether it takes a JSON body.
    pub has_body: bool,
    /// How large its body may be.
    pub size: Size,
    /// Whether it takes an idempotency key.
    pub keyed: Keyed,
    endpoint: Endpoint,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Endpoint {
    Decide,
    Decision,
    Entity(entities::Act),
    Explanation,
    Decisions,
    Statistics(statistics::Of),
    AddLabel,
    AddLabels,
    Labels,
    Lists,
    ListEntries,
    AddToList,
    RemoveFromList,
    RuleSet,
    DraftRuleSet,
    RuleSets,
    RuleSetVersion,
    RuleSetDiff,
    RuleSetProgress,
    ShadowRuleSet,
    CanaryRuleSet,
    PublishRuleSet,
    ArchiveRuleSet,
    RollBackRuleSet,
    StartBacktest,
    Backtests,
    Backtest,
    Approval(approvals::Act),
    CheckPassword,
    Screening(screening::Act),
    Model(models::Act),
    Report(reports::Act),
    Studio(studio::Act),
    TrailCheckpoint,
    TrailKeys,
    TrailInclusion,
    TrailConsistency,
    TrailLeaves,
    TrailTile,
    TrailCosign,
    Vault(vault::Act),
    Privacy(privacy::Act),
    Subject(subjects::Act),
    Retention(retention::Act),
    Webhook(webhooks::Act),
    Confirmation(confirmations::Act),
    Filing(filings::Act),
    Rating(ratings::Act),
    TravelRule,
    LargeValues,
    ConsentKeys,
    Alerts,
    Alert,
    PaymentAlert(payment_alerts::Act),
    Case(cases::Act),
    CaseFile(case_files::Act),
    ReplyKeys,
    OpenApi,
    Metrics,
    Health,
    Ready,
    Person(person::Act),
}

impl Route {
    const fn open(path: &'static str, endpoint: Endpoint) -> Self {
        Self {
            method: &Method::GET,
            path,
            door: Door::Key,
            scope: None,
            has_body: false,
            size: Size::Event,
            keyed: Keyed::Never,
            endpoint,
        }
    }

    const fn get(path: &'static str, scope: Scope, endpoint: Endpoint) -> Self {
        Self {
            scope: Some(scope),
            ..Self::open(path, endpoint)
        }
    }

    const fn post(path: &'static str, scope: Scope, keyed: Keyed, endpoint: Endpoint) -> Self {
        Self {
            method: &Method::POST,
            has_body: true,
            keyed,
            ..Self::get(path, scope, endpoint)
        }
    }

    const fn put(path: &'static str, scope: Scope, endpoint: Endpoint) -> Self {
        Self {
            method: &Method::PUT,
            ..Self::post(path, scope, Keyed::Optional, endpoint)
        }
    }

    const fn delete(path: &'static str, scope: Scope, endpoint: Endpoint) -> Self {
        Self {
            method: &Method::DELETE,
            ..Self::post(path, scope, Keyed::Optional, endpoint)
        }
    }

    /// A step of a rule set or an approval.
    const fn step(path: &'static str, scope: Scope, endpoint: Endpoint) -> Self {
        Self::post(path, scope, Keyed::Optional, endpoint)
    }

    /// For programs by their key and for people alike, who look at something.
    const fn shown(path: &'static str, scope: Scope, endpoint: Endpoint) -> Self {
        Self {
            door: Door::Any,
            ..Self::get(path, scope, endpoint)
        }
    }

    /// For programs by their key and for people alike; commands of people want a fresh factor.
    const fn acting(
        method: &'static Method,
        path: &'static str,
        scope: Scope,
        act: approvals::Act,
    ) -> Self {
        let (door, has_body, keyed) = match *method {
            Method::GET => (Door::Any, false, Keyed::Never),
            _ => (Door::AnyFresh, true, Keyed::Optional),
        };
        Self {
            method,
            door,
            has_body,
            keyed,
            ..Self::get(path, scope, Endpoint::Approval(act))
        }
    }

    pub(crate) fn is_decision(&self) -> bool {
        self.endpoint == Endpoint::Decide
    }
}

/// One authenticated request, as its handler sees it.
pub(crate) struct Call {
    pub(crate) state: Arc<State>,
    pub(crate) caller: Caller,
    /// The segments that stand for `{…}`, decoded, with `/` between them.
    pub(crate) parameter: String,
    pub(crate) query: String,
    pub(crate) body: Bytes,
    pub(crate) received_us: u64,
    pub(crate) idempotency: Option<Idempotency>,
    /// The roles of a person; `program` of a key.
    pub(crate) roles: Vec<String>,
    actor: Actor,
    target: String,
}

impl Call {
    pub(crate) fn new(
        state: &Arc<State>,
        caller: &signature::Caller,
        head: &request::Parts,
        parameter: String,
        body: Bytes,
        received_us: u64,
    ) -> Self {
        let tenant = caller.key.tenant.clone();
        Self {
            state: Arc::clone(state),
            caller: Caller {
                tenant,
                key_id: caller.key.id.clone(),
            },
            parameter,
            query: head.uri.query().unwrap_or_default().to_owned(),
            target: format!("{} {}", head.method, head.uri.path()),
            body,
            received_us,
            idempotency: None,
            roles: vec![PROGRAM.to_owned()],
            actor: Actor::Key(caller.key.id.clone()),
        }
    }

    /// The same of a person who looks at what programs look at.
    pub(crate) fn of_person(call: &person::PersonCall) -> Result<Self, Problem> {
        let account = &call.member()?.account;
        Ok(Self {
            state: Arc::clone(&call.state),
            caller: Caller {
                tenant: account.tenant.clone(),
                key_id: account.id.clone(),
            },
            parameter: call.parameter.clone(),
            query: call.query.clone(),
            body: call.body.clone(),
            received_us: call.state.clock.monotonic_us(),
            idempotency: None,
            roles: account.roles().map(ToOwned::to_owned).collect(),
            actor: Actor::Staff(account.id.clone()),
            target: String::new(),
        })
    }

    /// Who acts, as approvals name them.
    pub(crate) fn who(&self) -> Who {
        Who {
            tenant: self.caller.tenant.clone(),
            actor: self.actor.clone(),
        }
    }

    /// What the caller is shown of a field where no purpose is stated.
    pub(crate) fn shown(&self, field: &str, is_export: bool) -> masking::Form {
        let channel = match (&self.actor, is_export) {
            (_, true) => Channel::Export,
            (Actor::Staff(_), _) => Channel::Console,
            _ => Channel::Api,
        };
        let roles = self.roles.iter().map(String::as_str);
        masking::form(roles, "*", field, channel)
    }

    fn acting(&self) -> approvals::Acting<'_> {
        approvals::Acting {
            state: &self.state,
            who: self.who(),
            roles: self.roles.clone(),
            parameter: &self.parameter,
            query: &self.query,
            body: &self.body,
        }
    }

    /// Takes the idempotency key, tied to method, path and body; and says whose it is.
    pub(crate) fn keyed_by(&mut self, key: String) -> (&str, &Idempotency) {
        let fingerprint = self.state.fingerprints.of(&self.target, &self.body);
        let idempotency = self.idempotency.insert(Idempotency { key, fingerprint });
        (&self.caller.key_id, idempotency)
    }
}

/// Every route of programs.
pub fn program_routes() -> impl Iterator<Item = &'static Route> {
    routes::ROUTES
        .iter()
        .chain(entities::ROUTES)
        .chain(vault::ROUTES)
        .chain(privacy::ROUTES)
        .chain(subjects::ROUTES)
        .chain(screening::ROUTES)
        .chain(models::ROUTES)
        .chain(reports::ROUTES)
        .chain(retention::ROUTES)
        .chain(payment_alerts::ROUTES)
        .chain(cases::ROUTES)
        .chain(case_files::ROUTES)
        .chain(webhooks::ROUTES)
        .chain(confirmations::ROUTES)
        .chain(filings::ROUTES)
        .chain(ratings::ROUTES)
        .chain(travel_rule::ROUTES)
        .chain(large_values::ROUTES)
        .chain(studio::ROUTES)
}

/// Every route, of programs and of people.
pub fn routes() -> impl Iterator<Item = &'static Route> {
    program_routes().chain(person::ROUTES)
}

/// Answers a route that needs no key.
pub(crate) fn open(state: &State, route: &Route) -> Reply {
    match route.endpoint {
        Endpoint::ReplyKeys => system::reply_keys(state),
        Endpoint::ConsentKeys => privacy::keys(state),
        Endpoint::OpenApi => Reply::new(StatusCode::OK, JSON, openapi_json()),
        Endpoint::Metrics => system::metrics(state),
        Endpoint::Ready => system::ready(state),
        _ => system::health(),
    }
}

/// Answers a route for an authenticated caller.
pub(crate) async fn handle(route: &Route, call: &Call) -> Result<Reply, Problem> {
    match route.endpoint {
        Endpoint::Decide => decisions::decide(call).await,
        Endpoint::Decision => decisions::one(call).await,
        Endpoint::Entity(act) => entities::handle(act, call).await,
        Endpoint::Explanation => decisions::explanation(call).await,
        Endpoint::Decisions => decisions::page(call).await,
        Endpoint::Statistics(of) => statistics::answer(call, of).await,
        Endpoint::AddLabel => labels::add(call).await,
        Endpoint::AddLabels => labels::batch::add(call).await,
        Endpoint::Labels => labels::of_payment(call).await,
        Endpoint::Lists => lists::all(call),
        Endpoint::ListEntries => lists::entries(call).await,
        Endpoint::AddToList => lists::add(call).await,
        Endpoint::RemoveFromList => lists::remove(call).await,
        Endpoint::RuleSet => system::rule_set(call).await,
        Endpoint::DraftRuleSet => rule_sets::draft(call).await,
        Endpoint::RuleSets => rule_sets::page(call),
        Endpoint::RuleSetVersion => rule_sets::one(call).await,
        Endpoint::RuleSetDiff => rule_sets::diff(call).await,
        Endpoint::RuleSetProgress => rule_sets::progress(call),
        Endpoint::ShadowRuleSet => rule_sets::shadow(call).await,
        Endpoint::CanaryRuleSet => rule_sets::canary(call).await,
        Endpoint::PublishRuleSet => rule_sets::publish(call).await,
        Endpoint::ArchiveRuleSet => rule_sets::archive(call).await,
        Endpoint::RollBackRuleSet => rule_sets::roll_back(call).await,
        Endpoint::StartBacktest => backtests::start(call).await,
        Endpoint::Backtests => backtests::all(call).await,
        Endpoint::Backtest => backtests::one(call).await,
        Endpoint::Approval(act) => approvals::handle(act, &call.acting()).await,
        Endpoint::CheckPassword => safety::check_password(call),
        Endpoint::Screening(act) => screening::handle(act, call).await,
        Endpoint::Model(act) => models::handle(act, call).await,
        Endpoint::Report(act) => reports::handle(act, call).await,
        Endpoint::Studio(act) => studio::handle(act, call).await,
        Endpoint::TrailCheckpoint => trail::checkpoint(call).await,
        Endpoint::TrailKeys => trail::keys(call).await,
        Endpoint::TrailInclusion => trail::inclusion(call).await,
        Endpoint::TrailConsistency => trail::consistency(call).await,
        Endpoint::TrailLeaves => trail::leaves(call).await,
        Endpoint::TrailTile => trail::tile(call).await,
        Endpoint::TrailCosign => trail::cosign(call).await,
        Endpoint::Vault(act) => vault::handle(act, call).await,
        Endpoint::Privacy(act) => privacy::handle(act, call).await,
        Endpoint::Subject(act) => subjects::handle(act, call).await,
        Endpoint::Retention(act) => retention::handle(act, call).await,
        Endpoint::Webhook(act) => webhooks::handle(act, call).await,
        Endpoint::Confirmation(act) => confirmations::handle(act, call).await,
        Endpoint::Filing(act) => filings::handle(act, call).await,
        Endpoint::Rating(act) => ratings::handle(act, call).await,
        Endpoint::TravelRule => travel_rule::check(call),
        Endpoint::LargeValues => large_values::run(call).await,
        Endpoint::Alerts => alerts::page(call).await,
        Endpoint::Alert => alerts::one(call).await,
        Endpoint::PaymentAlert(act) => payment_alerts::handle(act, call).await,
        Endpoint::Case(act) => cases::handle(act, call).await,
        Endpoint::CaseFile(act) => case_files::handle(act, call).await,
        _ => Ok(open(&call.state, route)),
    }
}

/// An answer in JSON.
pub(crate) fn json_reply(status: StatusCode, value: &impl Serialize) -> Result<Reply, Problem> {
    match serde_json::to_vec(value) {
        // Replies may be remembered for a while: without the room that writing them took.
        Ok(body) => Ok(Reply::new(status, JSON, body.into_boxed_slice())),
        Err(_) => Err(Problem::new(Code::Internal, "the answer cannot be written")),
    }
}
