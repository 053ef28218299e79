//! The `cel` crate as an oracle: on the subset that both speak, both give the same answer or both
//! give none.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use cel::{Context, Env, Value, extensions};
use paywarden_rules::{FieldValue, Truth};
use proptest::{prelude::*, test_runner::TestRunner};
use std::{collections::HashMap, sync::Arc, thread};
use support::generate::{Facts, condition, facts};

/// What CEL makes of it; none if it is an error there, as reading a missing key is.
fn by_cel(when: &str, facts: &Facts) -> Option<bool> {
    let groups = [
        "event", "payer", "network", "distance", "merchant", "device", "payment",
    ];
    let mut tables: HashMap<&str, HashMap<String, Value>> = groups
        .into_iter()
        .map(|group| (group, HashMap::new()))
        .collect();
    for (field, value) in facts.values() {
        let (group, name) = field.path().split_once('.').unwrap();
        let value = match value {
            FieldValue::Int(value) => Value::Int(value),
            FieldValue::Double(value) => Value::Float(value),
            FieldValue::Text(value) => value.into(),
            FieldValue::Bool(value) => Value::Bool(value),
            other => panic!("{other:?} is not generated"),
        };
        tables
            .get_mut(group)
            .unwrap()
            .insert(name.to_owned(), value);
    }
    let env = environment();
    let program = env.compile(when).unwrap();
    let mut context = Context::with_env(env);
    for (group, table) in tables {
        context.add_variable_from_value(group, table);
    }
    match program.execute(&context) {
        Ok(Value::Bool(value)) => Some(value),
        Ok(other) => panic!("{when} is {other:?} in CEL"),
        Err(_) => None,
    }
}

fn environment() -> Arc<Env> {
    let mut env = Env::stdlib();
    env.add_extension(extensions::strings).unwrap();
    env.add_extension(extensions::math).unwrap();
    Arc::new(env)
}

/// The oracle's own frames are large when it is not optimised.
const STACK_BYTES: usize = 64 * 1024 * 1024;

#[test]
fn agrees_with_cel() {
    let compare = || {
        let mut runner = TestRunner::new(ProptestConfig::with_cases(1024));
        let outcome = runner.run(&(condition(), facts()), |(when, facts)| {
            let rules = support::rule_set(&when).unwrap();
            let found = match rules.truth(0, &facts.slots()) {
                Truth::True => Some(true),
                Truth::False => Some(false),
                Truth::Unknown | Truth::Fault(_) => None,
            };
            prop_assert_eq!(found, by_cel(&when, &facts), "{}", when);
            Ok(())
        });
        outcome.map_err(|failure| failure.to_string())
    };
    let thread = thread::Builder::new().stack_size(STACK_BYTES);
    let outcome = thread.spawn(compare).unwrap().join().unwrap();
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}
