//! Reading decisions and the live rule set.

use crate::{Engine, Error, Mention, record};
use paywarden_domain::{
    Decision, DecisionId, Engine as EngineName, Outcome, PaymentId, TenantId, Timestamp,
};
use paywarden_rules::{Rule, RuleSet, RuleTitle};
use paywarden_store::{DecisionFilter, DecisionRow, DecisionsFound};
use serde::Serialize;
use utoipa::ToSchema;

/// Which decisions to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DecisionQuery {
    /// What has to hold of each.
    pub filter: DecisionFilter,
    /// What each has to name: one of every one of these.
    pub mentions: Vec<Vec<Mention>>,
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
    /// Where it ends before it is full: all that was decided since was looked at.
    pub looked_back_to: Option<Timestamp>,
    /// Give this as `after` for what comes later: no decision up to here is still under way.
    pub newest: i64,
    /// Where `after` was given: how many more there are between that and the last of these, at most
    /// [`paywarden_store::COUNTED_MAX`].
    pub passed_over: u64,
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
    /// The same in Chinese, if its pack says it.
    pub title_zh: Option<String>,
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

    /// Whom a payment is about, as in [`DecisionPage::persons`]; nobody where none was decided.
    pub async fn person_of_payment(
        &self,
        tenant: &TenantId,
        payment: &PaymentId,
    ) -> Result<Option<String>, Error> {
        let row = self.database.decision_of_payment(tenant, payment).await?;
        let person = row.as_ref().map(|row| self.recorder.person(row));
        Ok(person.transpose()?.flatten())
    }

    /// A page of decisions, newest first. Those behind `after` are only such that none before them
    /// is still under way, so that whoever reads on from there misses none.
    pub async fn decisions(
        &self,
        tenant: &TenantId,
        query: &DecisionQuery,
    ) -> Result<DecisionPage, Error> {
        let mut query = query.clone();
        query.limit = query.limit.clamp(1, 200);
        let settled = self.settled();
        if query.filter.after.is_some() {
            let before = query.filter.before.unwrap_or(i64::MAX);
            query.filter.before = Some(before.min(settled));
        }
        let DecisionsFound {
            rows,
            next,
            looked_back_to,
        } = self.found(tenant, &query).await?;
        let passed_over = match (query.filter.after, next) {
            (Some(_), Some(last)) => {
                query.filter.before = Some(last);
                self.found_count(tenant, &query).await?
            }
            _ => 0,
        };
        let (decisions, persons) = self.told(&rows)?;
        Ok(DecisionPage {
            decisions,
            persons,
            next,
            looked_back_to,
            newest: settled - 1,
            passed_over,
        })
    }

    async fn found(
        &self,
        tenant: &TenantId,
        query: &DecisionQuery,
    ) -> Result<DecisionsFound, Error> {
        if !query.mentions.is_empty() {
            return self.mentioned(tenant, query).await;
        }
        let (filter, limit) = (&query.filter, query.limit);
        Ok(self.database.decisions_page(tenant, filter, limit).await?)
    }

    async fn found_count(&self, tenant: &TenantId, query: &DecisionQuery) -> Result<u64, Error> {
        if !query.mentions.is_empty() {
            return self.mentioned_count(tenant, query).await;
        }
        let filter = &query.filter;
        Ok(self.database.decisions_counted(tenant, filter).await?)
    }

    /// Decisions and whom each is about, as in [`DecisionPage::persons`].
    pub(crate) fn told(
        &self,
        rows: &[DecisionRow],
    ) -> Result<(Vec<Decision>, Vec<Option<String>>), Error> {
        let decisions = rows.iter().map(record::decision);
        let persons = rows.iter().map(|row| self.recorder.person(row));
        Ok((
            decisions.collect::<Result<_, _>>()?,
            persons.collect::<Result<_, _>>()?,
        ))
    }

    /// A number below which every decision is durable, or was never made.
    pub fn settled(&self) -> i64 {
        let stats = self.features.stats();
        let first = stats.oldest_pending.unwrap_or(stats.next_event_no);
        i64::try_from(first).unwrap_or(i64::MAX)
    }

    /// The rules that decide a tenant's payments now.
    pub fn rule_set(&self, tenant: &TenantId) -> RuleSetSummary {
        let running = self.running.load();
        RuleSetSummary::of(&running.line(tenant).live.set.rules)
    }

    /// What a rule is called, by its identifier: one of the sets that decide or are on trial for a
    /// tenant now, or of the library.
    pub fn rule_title(&self, tenant: &TenantId, rule: &str) -> Option<RuleTitle> {
        let running = self.running.load();
        let own = running.line(tenant).sets().map(|runner| &runner.set);
        own.chain([running.base()])
            .find_map(|set| set.rules.title(rule))
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
            title_zh: rule.title_zh.clone(),
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
