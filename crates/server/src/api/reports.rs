//! Reports: how much loss was prevented, and how a challenger does beside the live model.

mod kept;

pub(crate) use kept::Kept;

use super::{
    Call, Endpoint, Route, json_reply,
    patience::{Patience, WAIT},
    query::{Query, invalid},
};
use crate::{
    edge::{Problem, ProblemDocument, reply::Reply},
    state::State,
};
use http::StatusCode;
use paywarden_access::Scope;
use paywarden_domain::{Engine, TenantId, Timestamp, time::DAY};
use paywarden_risk::{
    Stretch,
    model::{ModelComparison, ModelDrift},
    prevention::{Part, PreventionOrder, PreventionReport},
};
use std::{sync::Arc, time::Duration};

/// The stretch that is looked at if none is given, in days.
const DAYS_DEFAULT: i64 = 30;
/// The label delay that is reckoned with if none is given, in days.
const DELAY_DEFAULT: u16 = 45;
const DELAY_MAX: u16 = 3_650;
const STRETCH: [&str; 4] = ["from", "to", "as_of", "label_delay_days"];
/// How often it is looked whether the report that everybody is shown is still young, and when it is
/// not: before whoever takes one of ten minutes would have to wait.
const LOOK: Duration = Duration::from_secs(60);
const YOUNG_S: i64 = 300;

/// The oldest answer that is given again, in seconds.
const AGE_MAX: i64 = 3_600;

/// Has ready what the overview shows, so that whoever comes first after a start does not wait: the
/// counts of the last day, without which there is none, and then the report of the last days.
pub(crate) async fn keep_ready(state: &Arc<State>) {
    loop {
        if let Err(error) = state.engine.count_decisions().await {
            tracing::warn!(%error, "decisions not counted");
        }
        match state.engine.tenants_decided().await {
            Ok(tenants) => {
                for tenant in tenants {
                    Asked::default()
                        .answered(state, &tenant, YOUNG_S)
                        .await
                        .ok();
                }
            }
            Err(error) => tracing::warn!(%error, "reports not made ready"),
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// The routes of reports.
#[rustfmt::skip]
pub(super) static ROUTES: &[Route] = &[
    Route::shown("/v1/reports/prevention", Scope::DecisionsRead, Endpoint::Report(Act::Prevention)),
    Route::shown("/v1/models/{model}/comparison", Scope::RulesRead, Endpoint::Report(Act::Comparison)),
    Route::shown("/v1/models/{model}/drift", Scope::RulesRead, Endpoint::Report(Act::Drift)),
];

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Prevention,
    Comparison,
    Drift,
}

/// Answers for reports.
pub(crate) async fn handle(act: Act, call: &Call) -> Result<Reply, Problem> {
    match act {
        Act::Prevention => prevention(call).await,
        Act::Comparison => comparison(call).await,
        Act::Drift => drift(call),
    }
}

/// How much loss was prevented: of what frauds attempted the share that was stopped, of the risk
/// events the share that was alerted at their first payment, what was lost before the first alert.
/// Beside each share stand the alert rate, the label delay and where the share lies in nine of ten
/// redrawings of the days. As a whole and by day at most 250,000 payments that have a label; by
/// anything else at most 250,000 payments.
#[utoipa::path(
    get, path = "/v1/reports/prevention", tag = "reports",
    operation_id = "read_prevention", security(("signature" = []), ("session" = [])),
    params(
        ("from" = Option<String>, Query, description = "Payments that happened from here on; 30 \
            days before `to` if not given"),
        ("to" = Option<String>, Query, description = "Payments that happened before this; now if \
            not given"),
        ("as_of" = Option<String>, Query, description = "Labels that were known by then; now if \
            not given"),
        ("label_delay_days" = Option<u16>, Query, maximum = 3650, description = "After so many \
            days a payment without a label counts as genuine, younger ones are left out; 45 if \
            not given"),
        ("by" = Option<String>, Query, description = "`day`, `rule`, `model`, `scenario`, \
            `engine` or `channel`"),
        ("age_s" = Option<i64>, Query, maximum = 3600, description = "An answer to the same \
            question will do if it is at most so many seconds old; 0 if not given"),
        ("wait_ms" = Option<u64>, Query, maximum = 60000, description = "After so many \
            milliseconds `report_underway` rather than the report; as long as it takes if not \
            given"),
    ),
    responses(
        (status = 200, description = "The report", body = PreventionReport),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn prevention(call: &Call) -> Result<Reply, Problem> {
    let [from, to, as_of, delay] = STRETCH;
    let known = [from, to, as_of, delay, "by", "age_s", WAIT];
    let query = Query::parse(&call.query, &known)?;
    let age = query.read("age_s", "0 to 3600 seconds", |text| {
        text.parse().ok().filter(|age| *age <= AGE_MAX)
    })?;
    let (patience, asked) = (Patience::read(&query)?, Asked::read(&query)?);
    let answered = asked.answered(&call.state, &call.caller.tenant, age.unwrap_or(0));
    patience.wait(answered).await
}

/// A challenger beside the live model at the same number of alerts, on payments that both scored and
/// whose labels are in; and why it would not be promoted.
#[utoipa::path(
    get, path = "/v1/models/{model}/comparison", tag = "models",
    operation_id = "compare_models", security(("signature" = []), ("session" = [])),
    params(
        ("model" = String, Path, description = "The challenger, `mdl_…`"),
        ("engine" = Option<String>, Query, description = "`fraud` or `laundering`; `fraud` if not \
            given"),
        ("from" = Option<String>, Query, description = "Payments that happened from here on; 30 \
            days before `to` if not given"),
        ("to" = Option<String>, Query, description = "Payments that happened before this; now if \
            not given"),
        ("as_of" = Option<String>, Query, description = "Labels that were known by then; now if \
            not given"),
        ("label_delay_days" = Option<u16>, Query, maximum = 3650, description = "After so many \
            days a payment without a label counts as genuine, younger ones are left out; 45 if \
            not given"),
    ),
    responses(
        (status = 200, description = "The comparison", body = ModelComparison),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn comparison(call: &Call) -> Result<Reply, Problem> {
    let [from, to, as_of, delay] = STRETCH;
    let query = Query::parse(&call.query, &[from, to, as_of, delay, "engine"])?;
    let known = |name: &str| Engine::ALL.into_iter().find(|engine| engine.name() == name);
    let judge = query.read("engine", "fraud or laundering", known)?;
    let place = (judge.unwrap_or(Engine::Fraud), call.parameter.as_str());
    let (engine, tenant) = (&call.state.engine, &call.caller.tenant);
    engine.model(tenant, place.1).await?;
    let stretch = Asked::read(&query)?.stretch(call.state.clock.now())?;
    let compared = engine.compare_models(tenant, place, stretch);
    json_reply(StatusCode::OK, &compared.await?)
}

/// How far the payments of a model at work have moved from those that it was calibrated on, number
/// by number; and its alerts beside its budget. What stands out of a day is a leaf `model.drift`.
#[utoipa::path(
    get, path = "/v1/models/{model}/drift", tag = "models",
    operation_id = "read_model_drift", security(("signature" = []), ("session" = [])),
    params(("model" = String, Path, description = "`mdl_…`")),
    responses(
        (status = 200, description = "The drift", body = ModelDrift),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) fn drift(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    let engine = &call.state.engine;
    let drift = engine.model_drift(&call.caller.tenant, &call.parameter)?;
    json_reply(StatusCode::OK, &drift)
}

/// What is asked about; nothing of what was not given.
#[derive(Debug, Default)]
struct Asked {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    as_of: Option<Timestamp>,
    label_delay_days: Option<u16>,
    by: Option<Part>,
}

impl Asked {
    fn read(query: &Query<'_>) -> Result<Self, Problem> {
        let time = |name: &str| {
            query.read(name, "a time such as 2026-01-31T00:00:00Z", |text| {
                Timestamp::parse(text).ok()
            })
        };
        let days = |text: &str| text.parse().ok().filter(|days| *days <= DELAY_MAX);
        let parts = "day, rule, model, scenario, engine or channel";
        Ok(Self {
            from: time("from")?,
            to: time("to")?,
            as_of: time("as_of")?,
            label_delay_days: query.read("label_delay_days", "0 to 3650 days", days)?,
            by: query.read("by", parts, Part::parse)?,
        })
    }

    fn stretch(&self, now: Timestamp) -> Result<Stretch, Problem> {
        let to = self.to.unwrap_or(now);
        let month = Timestamp::from_micros(to.micros() - DAYS_DEFAULT * DAY);
        let stretch = Stretch {
            from: self.from.unwrap_or(month),
            to,
            as_of: self.as_of.unwrap_or(now),
            label_delay_days: self.label_delay_days.unwrap_or(DELAY_DEFAULT),
        };
        match stretch.from < stretch.to {
            true => Ok(stretch),
            false => Err(invalid("from", "it lies before `to`")),
        }
    }

    /// The report of a tenant, at most so many seconds old.
    async fn answered(
        self,
        state: &Arc<State>,
        tenant: &TenantId,
        age_s: i64,
    ) -> Result<Reply, Problem> {
        let (question, asked_at) = (format!("{tenant} {self:?}"), state.clock.now());
        let (state, tenant) = (Arc::clone(state), tenant.clone());
        let kept = state.reports_kept.clone();
        let make = async move {
            let at = state.clock.now();
            (at, self.reckoned(&state, &tenant, at).await)
        };
        kept.answer(question, (asked_at, age_s), make).await
    }

    async fn reckoned(
        &self,
        state: &State,
        tenant: &TenantId,
        now: Timestamp,
    ) -> Result<Reply, Problem> {
        let order = PreventionOrder {
            stretch: self.stretch(now)?,
            by: self.by,
        };
        let report = state.engine.prevention(tenant, order).await?;
        json_reply(StatusCode::OK, &report)
    }
}
