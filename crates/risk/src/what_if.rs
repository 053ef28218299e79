//! What another version of the rules would have made of a decided payment: over what the decision
//! saw, and nothing that is known since.
//!
//! Windows are as stored with the decision. One that the deciding version did not read was not
//! stored, and counts as missing: it is named, and only a back-test has its value. A list that the
//! deciding version did not ask is asked as it is now, and named too. What models asked for stays.

use crate::{Engine, Error, facts, identify::Keys, model, record, release::Trace, verdict};
use paywarden_domain::{DecisionId, Engine as EngineName, Outcome, TenantId};
use paywarden_features::{Set, Value, WindowSpec};
use paywarden_rules::{Hits, RuleSet, Slots};
use serde::Serialize;
use std::collections::HashMap;
use utoipa::ToSchema;

/// The most rules, windows or lists that one answer names of each kind.
const NAMED_MAX: usize = 200;

/// Rules that fired, by name.
type Fired = HashMap<String, WhatIfRule>;

/// A decision beside what another version would have said.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct WhatIf {
    /// The version that decided.
    pub decided_by: String,
    /// The version that was asked about.
    pub rule_set: String,
    /// What was decided.
    pub before: Outcome,
    /// What the other version would have said.
    pub after: Outcome,
    /// Scores of both engines: of the decision, and of the other version.
    pub scores: Vec<WhatIfScore>,
    /// Rules that fired for the decision and would not, at most 200.
    pub gone: Vec<WhatIfRule>,
    /// Rules that would have fired and did not, at most 200.
    pub come: Vec<WhatIfRule>,
    /// Rules that fired for both, at most 200.
    pub stayed: Vec<WhatIfRule>,
    /// Windows whose values are those that the decision saw.
    pub windows_stored: u64,
    /// Windows that were not stored with the decision and count as missing, at most 200.
    pub windows_missing: Vec<String>,
    /// Lists that were not asked then and were asked as they are now, at most 200.
    pub lists_asked_now: Vec<String>,
    /// Rules of the other version that could not be computed.
    pub faults: u64,
}

/// The points of one engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WhatIfScore {
    /// The engine.
    pub engine: EngineName,
    /// Of the decision; a model may have raised it.
    pub before: u16,
    /// The points of the other version's rules.
    pub after: u16,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WhatIfRule {
    /// `pack.rule`.
    pub rule: String,
    /// What it looks for.
    pub title: String,
    /// Its points in the version that it fired in, the other one if in both.
    pub score: u16,
}

impl Engine {
    /// Asks a version about a decided payment; none if there is no such decision.
    ///
    /// Errors: [`Error::RuleSetUnknown`], and [`Error::TraceUnknown`] for decisions whose windows
    /// were not kept.
    pub async fn what_if(
        &self,
        tenant: &TenantId,
        id: &str,
        version: &str,
    ) -> Result<Option<WhatIf>, Error> {
        let Ok(id) = DecisionId::parse(id) else {
            return Ok(None);
        };
        let Some(row) = self.database.decision(tenant, &id).await? else {
            return Ok(None);
        };
        let decision = record::decision(&row)?;
        let then = self.rules_of(tenant, &decision.rule_set).await?;
        let other = self.rules_of(tenant, version).await?;
        let trace = Trace::decode(row.trace.as_deref().ok_or(Error::TraceUnknown)?)?;
        let seen = &trace.seen;
        if (seen.windows.len(), seen.lists.len()) != (then.windows().len(), then.probes().len()) {
            return Err(Error::TraceUnknown);
        }
        let event = self.recorder.event(&row)?;
        let keys = Keys::of(&event);
        let mut slots = Slots::new();
        facts::fill(&mut slots, &event, &keys, other.rates());
        trace.screening.fill(&mut slots);
        let (windows, missing) = windows(&then, &other, &seen.windows);
        let now = self.clock.now();
        let listed = |list: &str, value: &str| self.lists.contains(tenant, list, value, now);
        let (lists, asked_now) = lists((&then, &seen.lists), &other, &slots, listed);
        slots.windows = &windows;
        slots.lists = &lists;
        let hits = other.evaluate(&slots, || true);
        let floors = model::floors(&trace.models);
        let sum = verdict::sum_of(&other, &hits, (floors, &self.config.bands));
        let (before, after) = (fired_before(&decision), fired_after(&other, &hits));
        let results = [&decision.fraud, &decision.laundering];
        let scores = EngineName::ALL.into_iter().zip(results);
        Ok(Some(WhatIf {
            decided_by: decision.rule_set.clone(),
            rule_set: other.version().to_owned(),
            before: decision.outcome,
            after: sum.outcome(&self.config.bands),
            scores: scores
                .map(|(engine, result)| WhatIfScore {
                    engine,
                    before: result.score,
                    after: sum.score(engine),
                })
                .collect(),
            gone: of_both(&before, &after, false),
            come: of_both(&after, &before, false),
            stayed: of_both(&after, &before, true),
            windows_stored: (windows.len() - missing.len()) as u64,
            windows_missing: missing,
            lists_asked_now: asked_now,
            faults: hits.faults.len() as u64,
        }))
    }
}

/// Rules that fired on one side, and on the other one too or not; the weightiest first.
fn of_both(these: &Fired, those: &Fired, too: bool) -> Vec<WhatIfRule> {
    let these = these.values();
    let found = these.filter(|rule| those.contains_key(&rule.rule) == too);
    let mut rules: Vec<_> = found.cloned().collect();
    rules.sort_by(|left, right| (right.score, &left.rule).cmp(&(left.score, &right.rule)));
    rules.truncate(NAMED_MAX);
    rules
}

/// The values of the other version's windows as the decision saw them, and how conditions write
/// those that it did not see.
fn windows(then: &RuleSet, other: &RuleSet, seen: &[Value]) -> (Vec<Value>, Vec<String>) {
    // Which events a window is read for says nothing about its value.
    let bare = |spec: &WindowSpec| WindowSpec {
        readers: Set::EMPTY,
        ..*spec
    };
    let known: HashMap<WindowSpec, Value> = then
        .windows()
        .iter()
        .map(bare)
        .zip(seen.iter().copied())
        .collect();
    let mut missing = Vec::new();
    let texts = other.window_texts();
    let value = |(spec, text): (&WindowSpec, Option<&str>)| match known.get(&bare(spec)) {
        Some(value) => *value,
        None => {
            missing.push(text.unwrap_or_default().to_owned());
            Value::Missing
        }
    };
    let values = other.windows().iter().zip(texts).map(value).collect();
    missing.sort_unstable();
    missing.truncate(NAMED_MAX);
    (values, missing)
}

/// The same of questions to lists.
fn lists(
    (then, seen): (&RuleSet, &[Option<bool>]),
    other: &RuleSet,
    slots: &Slots<'_>,
    listed: impl Fn(&str, &str) -> bool,
) -> (Vec<Option<bool>>, Vec<String>) {
    let known = then.probes().iter().zip(seen.iter().copied());
    let known: HashMap<(&str, &str), Option<bool>> = known
        .map(|(probe, answer)| ((probe.operand.as_str(), probe.list.as_str()), answer))
        .collect();
    let mut asked_now = Vec::new();
    let answer = |probe: &paywarden_rules::ListProbe| {
        let key = (probe.operand.as_str(), probe.list.as_str());
        if let Some(answer) = known.get(&key) {
            return *answer;
        }
        let value = probe.value(slots)?;
        asked_now.push(probe.list.clone());
        Some(listed(&probe.list, &value))
    };
    let answers = other.probes().iter().map(answer).collect();
    asked_now.sort_unstable();
    asked_now.dedup();
    asked_now.truncate(NAMED_MAX);
    (answers, asked_now)
}

fn fired_before(decision: &paywarden_domain::Decision) -> Fired {
    let fired = decision
        .fraud
        .fired
        .iter()
        .chain(&decision.laundering.fired);
    let rule = |fired: &paywarden_domain::FiredRule| WhatIfRule {
        rule: fired.rule.clone(),
        title: fired.title.clone(),
        score: fired.score,
    };
    fired
        .map(|fired| (fired.rule.clone(), rule(fired)))
        .collect()
}

fn fired_after(rules: &RuleSet, hits: &Hits) -> Fired {
    let fired = hits
        .fired
        .iter()
        .filter_map(|place| rules.rules().get(*place));
    let rule = |rule: &paywarden_rules::Rule| WhatIfRule {
        rule: rule.id.clone(),
        title: rule.title.clone(),
        score: rule.score,
    };
    fired.map(|fired| (fired.id.clone(), rule(fired))).collect()
}
