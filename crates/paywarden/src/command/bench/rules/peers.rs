//! The same rules in other languages: the crates `cel` and `zen-expression`, compiled beforehand,
//! their context built beforehand.

use super::{
    Bench, bug,
    workload::{Dialect, Payment, Scalar},
};
use crate::{
    cpu,
    failure::{Failure, Result},
};
use cel::{Context, Program, Value};
use std::{collections::HashMap, hint::black_box};
use zen_expression::{Scope, Variable, compile_expression, vm::VM};

/// Payments that they decide in a run: enough for the steps of the kernel's count of processor
/// time not to matter, few because they are slow.
const PAYMENTS: usize = 48;
/// The best of so many runs counts.
const RUNS: usize = 3;

/// Microseconds per payment in CEL and in zen. Both must find our hits.
pub fn measure(bench: &Bench) -> Result<(f64, f64)> {
    let by_cel: Result<Vec<Program>> = bench
        .workload
        .written(Dialect::Cel)
        .iter()
        .map(|rule| Program::compile(rule).map_err(|error| bug(format!("{rule}: {error}"))))
        .collect();
    let by_zen: Result<Vec<_>> = bench
        .workload
        .written(Dialect::Zen)
        .iter()
        .map(|rule| compile_expression(rule).map_err(|error| bug(format!("{rule}: {error}"))))
        .collect();
    let (by_cel, by_zen) = (by_cel?, by_zen?);
    let payments = || bench.payments.iter().zip(&bench.windows).take(PAYMENTS);
    let ours: Vec<Vec<usize>> = payments()
        .map(|(payment, windows)| {
            let slots = payment.slots(bench.workload.facts(), windows);
            bench.rules.evaluate(&slots, || true).fired
        })
        .collect();
    let contexts: Vec<Context<'_, '_>> = payments()
        .map(|(payment, _)| cel_context(bench, payment))
        .collect();
    let cel_us = measured("cel", &ours, |payment| {
        let context = &contexts[payment];
        hits(&by_cel, |rule| {
            rule.execute(context) == Ok(Value::Bool(true))
        })
    })?;
    let scopes: Vec<Scope> = payments()
        .map(|(payment, _)| zen_scope(bench, payment))
        .collect();
    let mut vm = VM::new();
    let zen_us = measured("zen-expression", &ours, |payment| {
        let scope = &scopes[payment];
        hits(&by_zen, |rule| {
            let value = rule.evaluate_with_scope(scope, &mut vm);
            matches!(value, Ok(Variable::Bool(true)))
        })
    })?;
    Ok((cel_us, zen_us))
}

/// Microseconds per payment on average, if the hits are ours.
fn measured(
    peer: &str,
    ours: &[Vec<usize>],
    mut decide: impl FnMut(usize) -> Vec<usize>,
) -> Result<f64> {
    for (payment, ours) in ours.iter().enumerate() {
        same(peer, &decide(payment), ours)?;
    }
    let mut run_ns = || {
        let start = cpu::thread_ns();
        for payment in 0..ours.len() {
            black_box(decide(payment));
        }
        cpu::thread_ns() - start
    };
    let best_ns = (0..RUNS).map(|_| run_ns()).min().unwrap_or(0);
    Ok(best_ns as f64 / 1e3 / ours.len() as f64)
}

fn hits<R>(rules: &[R], mut fires: impl FnMut(&R) -> bool) -> Vec<usize> {
    let all = rules.iter().enumerate();
    let found = all.filter(|(_, rule)| fires(rule)).map(|(place, _)| place);
    found.collect()
}

fn same(peer: &str, found: &[usize], ours: &[usize]) -> Result<()> {
    if found == ours {
        return Ok(());
    }
    Err(Failure::not_held(
        format!(
            "{peer} finds other hits: {} against {}",
            found.len(),
            ours.len()
        ),
        "report this as a bug: the same rules must mean the same",
    ))
}

fn members<'a>(
    bench: &'a Bench,
    payment: &'a Payment,
) -> impl Iterator<Item = (&'a str, &'a str, Option<Scalar>)> {
    let facts = bench.workload.facts().iter().zip(&payment.0);
    facts.filter_map(|(fact, value)| {
        let (group, name) = fact.theirs.split_once('.')?;
        Some((group, name, *value))
    })
}

fn cel_context(bench: &Bench, payment: &Payment) -> Context<'static, 'static> {
    let mut groups: HashMap<String, HashMap<String, Value>> = HashMap::new();
    for (group, name, value) in members(bench, payment) {
        let group = groups.entry(group.to_owned()).or_default();
        let Some(value) = value else { continue };
        let value = match value {
            Scalar::Whole(number) => Value::Int(number),
            Scalar::Real(number) => Value::Float(number),
            Scalar::Word(word) => word.into(),
            Scalar::Flag(flag) => Value::Bool(flag),
        };
        group.insert(name.to_owned(), value);
    }
    let mut context = Context::default();
    for (name, group) in groups {
        context.add_variable_from_value(name, group);
    }
    context
}

fn zen_scope(bench: &Bench, payment: &Payment) -> Scope {
    let mut groups = serde_json::Map::new();
    for (group, name, value) in members(bench, payment) {
        let group = groups
            .entry(group)
            .or_insert_with(|| serde_json::Value::Object(serde_json::Map::new()));
        if let Some(value) = value {
            group[name] = match value {
                Scalar::Whole(number) => number.into(),
                Scalar::Real(number) => number.into(),
                Scalar::Word(word) => word.into(),
                Scalar::Flag(flag) => flag.into(),
            };
        }
    }
    Scope::new(serde_json::Value::Object(groups).into())
}
