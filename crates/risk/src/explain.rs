//! Why a rule fired on a payment, or what kept it from firing: the rules of then over what the
//! decision saw.

use crate::{
    Engine, Error, facts, identify::Keys, record, release::Trace, screening::ScreeningFact,
};
use paywarden_domain::{DecisionId, RuleValue, RuleValues, TenantId};
use paywarden_rules::{Dissected, RuleSet, Slots, Truth, WhyNot};
use serde::Serialize;
use utoipa::ToSchema;

/// One rule and one decision.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Explanation {
    /// `pack.rule`.
    pub rule: String,
    /// The version that decided.
    pub rule_set: String,
    /// Whether the condition held: the rule fired if it was at work and the time allowed it.
    pub holds: bool,
    /// The condition, part by part, with the values that the decision saw.
    pub condition: ExplainedPart,
    /// The fewest tests that would have had to come out otherwise; empty if the condition held.
    pub why_not: Vec<ExplainedTest>,
    /// What screening had found of the parties of the payment.
    pub screening: Vec<ScreeningFact>,
}

/// One part of a condition.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ExplainedPart {
    /// In canonical spelling, names replaced by what they stand for.
    pub text: String,
    /// What it came to: `true`, `false`, `unknown` or a fault.
    pub truth: &'static str,
    /// The operands of a test, with their values.
    #[schema(value_type = Vec<RuleValue>)]
    pub values: RuleValues,
    /// The parts of a condition that is joined by `&&`, `||`, `!` or `? :`.
    #[schema(no_recursion)]
    pub parts: Vec<ExplainedPart>,
}

/// A test that was not as it would have had to be.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ExplainedTest {
    /// In canonical spelling.
    pub text: String,
    /// What it would have had to be.
    pub wanted: bool,
    /// What it was: `true`, `false`, `unknown` or a fault.
    pub truth: &'static str,
    /// Its operands with their values.
    #[schema(value_type = Vec<RuleValue>)]
    pub values: RuleValues,
}

impl Engine {
    /// Explains one rule of the version that decided; none if there is no such decision.
    ///
    /// Errors: [`Error::RuleUnknown`], and [`Error::TraceUnknown`] for decisions whose windows were
    /// not kept.
    pub async fn explain(
        &self,
        tenant: &TenantId,
        id: &str,
        rule: &str,
    ) -> Result<Option<Explanation>, Error> {
        let Ok(id) = DecisionId::parse(id) else {
            return Ok(None);
        };
        let Some(row) = self.database.decision(tenant, &id).await? else {
            return Ok(None);
        };
        let rules = record::decision(&row)?.rule_set;
        let rules = self.rules_of(tenant, &rules).await?;
        let place = rules.place(rule).ok_or(Error::RuleUnknown)?;
        let trace = Trace::decode(row.trace.as_deref().ok_or(Error::TraceUnknown)?)?;
        let seen = &trace.seen;
        if (seen.windows.len(), seen.lists.len()) != (rules.windows().len(), rules.probes().len()) {
            return Err(Error::TraceUnknown);
        }
        let event = self.recorder.event(&row)?;
        let keys = Keys::of(&event);
        let mut slots = Slots::new();
        facts::fill(&mut slots, &event, &keys, rules.rates());
        trace.fill(&mut slots);
        slots.windows = &seen.windows;
        slots.lists = &seen.lists;
        explanation(&rules, place, &slots, trace.screening.facts()).map(Some)
    }
}

fn explanation(
    rules: &RuleSet,
    place: usize,
    slots: &Slots<'_>,
    screening: Vec<ScreeningFact>,
) -> Result<Explanation, Error> {
    let rule = rules.rules().get(place).ok_or(Error::RuleUnknown)?;
    let condition = rules.dissect(place, slots).ok_or(Error::RuleUnknown)?;
    let why_not = rules.why_not(place, slots);
    Ok(Explanation {
        rule: rule.id.clone(),
        rule_set: rules.version().to_owned(),
        holds: condition.truth == Truth::True,
        condition: condition.into(),
        why_not: why_not.into_iter().map(ExplainedTest::from).collect(),
        screening,
    })
}

impl From<Dissected> for ExplainedPart {
    fn from(part: Dissected) -> Self {
        Self {
            text: part.text,
            truth: part.truth.name(),
            values: part.values,
            parts: part.parts.into_iter().map(Self::from).collect(),
        }
    }
}

impl From<WhyNot> for ExplainedTest {
    fn from(test: WhyNot) -> Self {
        Self {
            text: test.text,
            wanted: test.wanted,
            truth: test.truth.name(),
            values: test.values,
        }
    }
}
