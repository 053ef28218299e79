//! From fired rules to one verdict.
//!
//! Each engine adds up the scores of its fired live rules, as [`crate::evidence`] says. Its action is
//! the strictest of: what its thresholds say about the sum, what a fired rule asks for by itself, what the
//! policy of its model makes of the chance, and `review` for each rule that failed closed. Its score
//! is the higher of points and chance in thousandths. A fired rule with action `approve` is an exemption:
//! it takes back everything but another rule's own `decline`. The verdict is the stricter of the
//! two engines' actions; a plain approval with something to tell the payer becomes
//! `approve_with_warning`. Of what scores alone would decline, a control group is let pass with a
//! challenge where the release of the fraud model asks for one.

use crate::{
    config::Bands,
    model::{ControlGroup, Opinion},
    weight::{Floors, Sum, Weight},
};
use paywarden_domain::{
    Card, Challenge, Control, Engine, EngineResult, Event, EventKind, Explained, FiredRule,
    Outcome, Reason, RuleFault, Warning,
};
use paywarden_rules::{
    Hits, Rule, RuleSet, Slots,
    pack::{OnFault, Stage},
};
use std::{cmp::Reverse, sync::Arc};

/// The most warnings that one payer is shown.
const WARNINGS_MAX: usize = 3;
const HOLD_MINUTES_DEFAULT: u32 = 60;

/// What both engines and their combination say.
pub(crate) struct Verdict {
    pub(crate) outcome: Outcome,
    pub(crate) challenge: Option<Challenge>,
    pub(crate) hold_minutes: Option<u32>,
    pub(crate) fraud: EngineResult,
    pub(crate) laundering: EngineResult,
    pub(crate) reasons: Vec<Reason>,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) control: Option<Control>,
}

/// Judges one event by its hits.
pub(crate) fn decide(
    rules: &RuleSet,
    hits: &Hits,
    slots: &Slots<'_>,
    event: &Event<Card>,
    (opinion, bands, draw): (&Opinion, &Bands, &dyn Fn(u16) -> bool),
) -> Verdict {
    let [fraud_faults, laundering_faults] = Engine::ALL.map(|engine| faults(engine, rules, hits));
    let sum = sum(rules, hits, bands, [&fraud_faults, &laundering_faults]).beside(opinion.floors);
    let noticed = hits.fired.iter().chain(&hits.shadow);
    let values = rules.explain_all(noticed.copied(), slots);
    let result = |engine, faults| EngineResult {
        score: sum.score(engine).max(opinion.score(engine)),
        action: sum.action(engine, bands),
        fired: self::fired(engine, &hits.fired, rules, &values),
        shadow: self::fired(engine, &hits.shadow, rules, &values),
        faults,
    };
    let fraud = result(Engine::Fraud, fraud_faults);
    let laundering = result(Engine::Laundering, laundering_faults);
    let control = opinion.control.filter(|_| sum.declines_by_scores(bands));
    let control = control.map(|ControlGroup { one_in }| Control {
        one_in,
        is_drawn: draw(one_in),
    });
    let outcome = match control {
        Some(Control { is_drawn: true, .. }) => Outcome::Challenge,
        _ => sum.outcome(bands),
    };
    let mut fired: Vec<&Rule> = hits
        .fired
        .iter()
        .filter_map(|index| rules.rules().get(*index))
        .collect();
    fired.sort_by_key(|rule| (Reverse(rule.action), Reverse(rule.score)));
    let warnings = warnings(&fired);
    Verdict {
        outcome,
        challenge: (outcome == Outcome::Challenge).then(|| factor(event)),
        hold_minutes: (outcome == Outcome::Hold).then(|| hold_minutes(&fired)),
        fraud,
        laundering,
        reasons: reasons(&fired)
            .into_iter()
            .chain(opinion.reasons())
            .chain(blind(rules, event))
            .chain(control.and_then(let_pass))
            .collect(),
        warnings,
        control,
    }
}

/// The outcome alone, for rules that decide nothing: the same that [`decide`] gives.
pub(crate) fn outcome(rules: &RuleSet, hits: &Hits, (floors, bands): (Floors, &Bands)) -> Outcome {
    sum_of(rules, hits, (floors, bands)).outcome(bands)
}

/// What the rules that fired, and models beside them, come to.
pub(crate) fn sum_of(rules: &RuleSet, hits: &Hits, (floors, bands): (Floors, &Bands)) -> Sum {
    let [fraud_faults, laundering_faults] = Engine::ALL.map(|engine| faults(engine, rules, hits));
    sum(rules, hits, bands, [&fraud_faults, &laundering_faults]).beside(floors)
}

fn sum(
    rules: &RuleSet,
    hits: &Hits,
    bands: &Bands,
    faults: [&[RuleFault]; Engine::ALL.len()],
) -> Sum {
    let mut sum = Sum::default();
    for rule in hits
        .fired
        .iter()
        .filter_map(|index| rules.rules().get(*index))
    {
        sum.add(Weight::of(rule, bands));
    }
    for (engine, faults) in Engine::ALL.into_iter().zip(faults) {
        for _ in faults.iter().filter(|fault| fault.closed) {
            sum.add_closed(engine);
        }
    }
    sum
}

fn fired(
    engine: Engine,
    hits: &[usize],
    rules: &RuleSet,
    values: &Arc<Explained>,
) -> Vec<FiredRule> {
    let mut fired: Vec<_> = hits
        .iter()
        .filter_map(|index| rules.rules().get(*index).map(|rule| (*index, rule)))
        .filter(|(_, rule)| rule.engine == engine)
        .map(|(index, rule)| FiredRule {
            rule: rule.id.clone(),
            title: rule.title.clone(),
            score: rule.score,
            action: rule.action,
            reason: rule.reason.code.clone(),
            values: values.of(index),
        })
        .collect();
    fired.sort_by_key(|rule| Reverse(rule.score));
    fired
}

fn faults(engine: Engine, rules: &RuleSet, hits: &Hits) -> Vec<RuleFault> {
    let rule = |index: usize| rules.rules().get(index);
    let failed = hits
        .faults
        .iter()
        .filter_map(|(index, fault)| Some((rule(*index)?, fault.name())));
    let late = hits
        .skipped
        .iter()
        .filter_map(|index| Some((rule(*index)?, "deadline")))
        .filter(|(rule, _)| rule.on_fault == OnFault::Closed);
    failed
        .chain(late)
        .filter(|(rule, _)| rule.engine == engine && rule.stage == Stage::Live)
        .map(|(rule, fault)| RuleFault {
            rule: rule.id.clone(),
            fault: fault.to_owned(),
            closed: rule.on_fault == OnFault::Closed,
        })
        .collect()
}

fn reasons(fired: &[&Rule]) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = Vec::new();
    for rule in fired {
        let known =
            |reason: &Reason| reason.code == rule.reason.code && reason.engine == Some(rule.engine);
        if !reasons.iter().any(known) {
            reasons.push(Reason {
                code: rule.reason.code.clone(),
                text: rule.reason.text.clone(),
                engine: Some(rule.engine),
            });
        }
    }
    reasons
}

/// Why a payment that scores would decline is let pass.
fn let_pass(control: Control) -> Option<Reason> {
    control.is_drawn.then(|| Reason {
        code: "control_group".to_owned(),
        text: format!(
            "Scores would decline it; one in {} is let pass with a challenge to learn the truth",
            control.one_in
        ),
        engine: Some(Engine::Fraud),
    })
}

/// Rules on amounts are silent for a currency without a rate, which must not go unseen.
fn blind(rules: &RuleSet, event: &Event<Card>) -> Option<Reason> {
    let amount = event
        .amount
        .filter(|amount| rules.rates().to_base(*amount).is_err())?;
    Some(Reason {
        code: "currency_without_rate".to_owned(),
        text: format!(
            "No rate for {}: rules on amounts could not see this one",
            amount.currency
        ),
        engine: None,
    })
}

fn warnings(fired: &[&Rule]) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = Vec::new();
    for warning in fired.iter().filter_map(|rule| rule.warning.as_ref()) {
        let known = warnings.iter().any(|known| known.code == warning.code);
        if !known && warnings.len() < WARNINGS_MAX {
            warnings.push(warning.clone());
        }
    }
    warnings
}

fn hold_minutes(fired: &[&Rule]) -> u32 {
    let asked = fired.iter().filter_map(|rule| rule.hold_minutes).max();
    asked.unwrap_or(HOLD_MINUTES_DEFAULT)
}

/// A card payment can be authenticated with its issuer; everything else by a bound code.
fn factor(event: &Event<Card>) -> Challenge {
    match event.kind {
        EventKind::PaymentCard | EventKind::CardAdded => Challenge::ThreeDs,
        _ => Challenge::BoundCode,
    }
}
