//! Reading decisions and the live rule set.

use crate::{Engine, Error, record};
use paywarden_domain::{
    Decision, DecisionId, Engine as EngineName, EventKind, Outcome, PaymentId, TenantId, Timestamp,
};
use paywarden_rules::{Rule, RuleSet};
use paywarden_store::DecisionFilter;
use serde::Serialize;
use utoipa::ToSchema;

/// Which decisions to list.
#[derive(Debug, Clone, Default)]
pub struct DecisionQuery {
    /// Only this outcome.
    pub outcome: Option<Outcome>,
    /// Only this kind of event.
    pub kind: Option<EventKind>,
    /// Only this payment.
    pub payment_id: Option<PaymentId>,
    /// Decided at this time or later.
    pub from: Option<Timestamp>,
    /// Decided before this time.
    pub to: Option<Timestamp>,
    /// Continue below this event number.
    pub before: Option<i64>,
    /// At most so many, 1 to 200.
    pub limit: u32,
}

/// One page of decisions, newest first.
#[derive(Debug, Clone)]
pub struct DecisionPage {
    /// The decisions.
    pub decisions: Vec<Decision>,
    /// Whom each is about: the payer by the caller's identifier, or else the card; nobody where it
    /// names neither.
    pub persons: Vec<Option<String>>,
    /// Give this as `before` to read on.
    pub next: Option<i64>,
}

/// The rules that decide now.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RuleSetSummary {
    /// Version: it is in every decision.
    pub version: String,
    /// The rules in order of packs.
    pub rules: Vec<RuleSummary>,
    /// How many distinct windows they read.
    pub windows: usize,
}

/// One rule.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RuleSummary {
    /// `pack.rule`.
    pub id: String,
    /// What it looks for.
    pub title: String,
    /// The engine that it belongs to.
    pub engine: EngineName,
    /// The pack, which is the scenario.
    pub scenario: String,
    /// `live`, `shadow` or `off`.
    pub stage: &'static str,
    /// Points.
    pub score: u16,
    /// What it asks for by itself.
    pub action: Option<Outcome>,
    /// Reason code.
    pub reason: String,
    /// The condition.
    pub when: String,
    /// Why the rule exists.
    pub source: String,
}

impl Engine {
    /// A decision by its identifier.
    pub async fn decision(&self, tenant: &TenantId, id: &str) -> Result<Option<Decision>, Error> {
        let Ok(id) = DecisionId::parse(id) else {
            return Ok(None);
        };
        let row = self.database.decision(tenant, &id).await?;
        row.as_ref().map(record::decision).transpose()
    }

    /// The same with whom it is about, as in [`DecisionPage::persons`].
    pub async fn decision_about(
        &self,
        tenant: &TenantId,
        id: &str,
    ) -> Result<Option<(Decision, Option<String>)>, Error> {
        let Ok(id) = DecisionId::parse(id) else {
            return Ok(None);
        };
        let Some(row) = self.database.decision(tenant, &id).await? else {
            return Ok(None);
        };
        Ok(Some((record::decision(&row)?, self.recorder.person(&row)?)))
    }

    /// A page of decisions, newest first.
    pub async fn decisions(
        &self,
        tenant: &TenantId,
        query: &DecisionQuery,
    ) -> Result<DecisionPage, Error> {
        let filter = DecisionFilter {
            outcome: query.outcome,
            kind: query.kind,
            payment_id: query.payment_id.clone(),
            from: query.from,
            to: query.to,
            ..DecisionFilter::default()
        };
        let limit = query.limit.clamp(1, 200);
        let rows = self
            .database
            .decisions_page(tenant, &filter, query.before, limit)
            .await?;
        let full = rows.len() == limit as usize;
        let next = rows.last().filter(|_| full).map(|row| row.event_no);
        let decisions = rows
            .iter()
            .map(record::decision)
            .collect::<Result<_, _>>()?;
        let persons = rows.iter().map(|row| self.recorder.person(row));
        let persons = persons.collect::<Result<_, _>>()?;
        Ok(DecisionPage {
            decisions,
            persons,
            next,
        })
    }

    /// The rules that decide a tenant's payments now.
    pub fn rule_set(&self, tenant: &TenantId) -> RuleSetSummary {
        let running = self.running.load();
        RuleSetSummary::of(&running.line(tenant).live.set.rules)
    }

    /// The rules that decide for tenants that have published nothing of their own.
    pub fn library(&self) -> RuleSetSummary {
        RuleSetSummary::of(&self.running.load().base().rules)
    }
}

impl RuleSetSummary {
    fn of(rules: &RuleSet) -> Self {
        let summary = |rule: &Rule| RuleSummary {
            id: rule.id.clone(),
            title: rule.title.clone(),
            engine: rule.engine,
            scenario: rule.pack.clone(),
            stage: rule.stage.name(),
            score: rule.score,
            action: rule.action,
            reason: rule.reason.code.clone(),
            when: rule.when.clone(),
            source: rule.source.clone(),
        };
        Self {
            version: rules.version().to_owned(),
            rules: rules.rules().iter().map(summary).collect(),
            windows: rules.windows().len(),
        }
    }
}
