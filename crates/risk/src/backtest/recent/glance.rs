//! What one condition would have done with the last payments.

use super::block::Block;
use crate::backtest::{
    Effect, Labelled,
    tally::{Count, Subject},
};
use paywarden_domain::{Engine, PaymentId, Timestamp};
use paywarden_features::Value;
use paywarden_rules::{
    Diagnostic, Field, Pack, Rates, RuleSet, Schema, Slots, Truth,
    pack::{OnFault, ReasonSource, RuleSource, Stage},
};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Payments named at most.
const SAMPLES_MAX: usize = 10;

/// What a condition would have done with the last payments of a tenant.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Glance {
    /// The payments looked at.
    pub payments: Effect,
    /// Those for which the condition is true.
    pub fired: Effect,
    /// Those among them that were stopped as it was.
    pub stopped_already: u64,
    /// Payments for which something that the condition needs is missing.
    pub unknown: u64,
    /// Payments for which it cannot be computed.
    pub faults: u64,
    /// Windows of the condition that were not kept for some of the payments: it counts as unknown
    /// there, and only a back-test has the answer.
    pub windows_not_kept: u64,
    /// When the oldest payment looked at happened.
    pub since: Option<Timestamp>,
    /// Some of the payments for which it is true, newest first.
    pub samples: Vec<PaymentId>,
}

/// Compiles a lone condition, or says what is wrong with it and where.
pub fn compile(expression: &str, rates: &Rates) -> Result<RuleSet, Vec<Diagnostic>> {
    let rule = RuleSource {
        line: 1,
        id: "condition".to_owned(),
        title: String::new(),
        title_zh: None,
        engine: Engine::Fraud,
        when: expression.to_owned(),
        parts: Vec::new(),
        score: 0,
        action: None,
        hold_minutes: None,
        reason: ReasonSource {
            code: "condition".to_owned(),
            text: String::new(),
        },
        warning: None,
        stage: Stage::Live,
        on_fault: OnFault::Open,
        source: String::new(),
        false_positives: None,
        examples: Vec::new(),
    };
    let pack = Pack {
        file: "condition".to_owned(),
        id: "condition".to_owned(),
        title: String::new(),
        description: String::new(),
        schema: &Schema::PAYMENTS,
        uses: Vec::new(),
        definitions: Vec::new(),
        rules: vec![rule],
    };
    paywarden_rules::compile(&[pack], rates, "condition")
}

/// Asks the one rule of a set about every payment of some blocks.
pub(super) fn over(
    blocks: &[Arc<Block>],
    rules: &RuleSet,
    listed: impl Fn(&str, &str) -> bool,
    labelled: impl Fn(u64, i64) -> Labelled,
) -> Glance {
    let fields = fields_read(rules);
    let (mut all, mut fired) = (Count::default(), Count::default());
    let mut glance = Glance {
        payments: Effect::default(),
        fired: Effect::default(),
        stopped_already: 0,
        unknown: 0,
        faults: 0,
        windows_not_kept: 0,
        since: None,
        samples: Vec::new(),
    };
    for block in blocks.iter().rev() {
        let places: Vec<_> = rules.windows().iter().map(|w| block.window(w)).collect();
        let unkept = places.iter().filter(|place| place.is_none()).count() as u64;
        glance.windows_not_kept = glance.windows_not_kept.max(unkept);
        let mut values = vec![Value::Missing; places.len()];
        for (row, (event_no, kept)) in block.subjects().iter().enumerate().rev() {
            let subject = Subject {
                labelled: labelled(*event_no, kept.occurred_at.micros()),
                ..kept.clone()
            };
            all.add_of_all(&subject);
            let oldest = glance
                .since
                .map_or(kept.occurred_at, |t| t.min(kept.occurred_at));
            glance.since = Some(oldest);
            for (value, place) in values.iter_mut().zip(&places) {
                *value = place.map_or(Value::Missing, |place| block.value(place, row));
            }
            match truth(block, row, rules, &fields, &values, &listed) {
                Truth::True => {
                    fired.add_of_all(&subject);
                    glance.stopped_already += u64::from(subject.before.stops());
                    if glance.samples.len() < SAMPLES_MAX {
                        glance.samples.push(subject.payment_id);
                    }
                }
                Truth::False => {}
                Truth::Unknown => glance.unknown += 1,
                Truth::Fault(_) => glance.faults += 1,
            }
        }
    }
    let all = all.effect();
    glance.fired = fired.effect().shared(&all);
    glance.payments = all.clone().shared(&all);
    glance
}

fn truth(
    block: &Block,
    row: usize,
    rules: &RuleSet,
    fields: &[Field],
    values: &[Value],
    listed: impl Fn(&str, &str) -> bool,
) -> Truth {
    let mut slots = Slots::new();
    for field in fields {
        slots.set(*field, block.field(*field, row));
    }
    slots.attributes = block.attributes(row);
    let probes = rules.probes().iter();
    let lists: Vec<Option<bool>> = probes
        .map(|probe| {
            let value = probe.value(&slots)?;
            Some(listed(&probe.list, &value))
        })
        .collect();
    slots.windows = values;
    slots.lists = &lists;
    rules.truth(0, &slots)
}

/// The fields that a condition may read: those whose path stands in its canonical text, which has
/// no space inside a path.
fn fields_read(rules: &RuleSet) -> Vec<Field> {
    let when = rules.rules().first().map_or("", |rule| rule.when.as_str());
    let text = paywarden_rules::format(when).unwrap_or_else(|_| when.to_owned());
    let read = |field: &Field| text.contains(field.path());
    Schema::PAYMENTS
        .fields()
        .iter()
        .copied()
        .filter(read)
        .collect()
}
