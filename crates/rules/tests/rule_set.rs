//! Rule sets: what is compiled, shared, evaluated, skipped and explained.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use paywarden_domain::event::{AttributeValue, Attributes, Text};
use paywarden_features::{EntityKind, Value};
use paywarden_rules::{
    Fault, Field, FieldValue, Hits, Pack, RuleSet, Slots, Truth, canonical_source, compile,
    pack::Stage,
};

fn compiled(conditions: &[&str], change: impl FnOnce(&mut Pack)) -> RuleSet {
    let conditions: Vec<String> = conditions.iter().map(|c| (*c).to_owned()).collect();
    let mut pack = support::pack(&conditions);
    change(&mut pack);
    compile(&[pack], &support::rates(), "v1").unwrap()
}

#[test]
fn live_shadow_off_and_faults_are_told_apart() {
    let conditions = ["device.rooted"; 3]
        .into_iter()
        .chain(["1 / event.hour > 0"; 2]);
    let rules = compiled(&conditions.collect::<Vec<_>>(), |pack| {
        pack.rules[1].stage = Stage::Shadow;
        pack.rules[2].stage = Stage::Off;
        pack.rules[4].stage = Stage::Shadow;
    });
    let mut slots = Slots::new();
    let hits = rules.evaluate(&slots, || true);
    assert_eq!(
        (hits.fired.len(), hits.shadow.len(), hits.faults.len()),
        (0, 0, 0)
    );
    slots.set(Field::DeviceRooted, FieldValue::Bool(true));
    slots.set(Field::EventHour, FieldValue::Int(0));
    let hits = rules.evaluate(&slots, || true);
    assert_eq!((hits.fired, hits.shadow), (vec![0], vec![1]));
    assert_eq!(
        hits.faults,
        [(3, Fault::DivisionByZero), (4, Fault::DivisionByZero)]
    );
    assert!(hits.skipped.is_empty());
}

#[test]
fn a_spent_budget_leaves_out_the_rest() {
    let rules = compiled(&["device.rooted"; 100], |_| {});
    let mut slots = Slots::new();
    slots.set(Field::DeviceRooted, FieldValue::Bool(true));
    let mut asked = 0;
    let hits = rules.evaluate(&slots, || {
        asked += 1;
        asked <= 2
    });
    let rest: Vec<usize> = (64..100).collect();
    assert_eq!((hits.fired.len(), hits.skipped), (64, rest));
    let all: Vec<usize> = (0..100).collect();
    assert_eq!(rules.evaluate(&slots, || false).skipped, all);
    // A rule that cannot fire is not left out: it is known to be silent.
    slots.set(Field::DeviceRooted, FieldValue::Bool(false));
    assert_eq!(rules.evaluate(&slots, || false), Hits::default());
}

#[test]
fn equal_windows_and_probes_are_shared() {
    let rules = compiled(
        &[
            "card.count(\"10m\") > 1 && payee in lists.mules",
            "card.count( '10m' ) > 2 || card.count(\"600s\") > 5 || payee in lists.mules",
            "card.sum(\"10m\") > money(\"1\", \"USD\")",
        ],
        |_| {},
    );
    assert_eq!((rules.windows().len(), rules.probes().len()), (2, 1));
    assert_eq!(rules.windows()[0].entity, EntityKind::Card);
    assert_eq!(rules.probes()[0].operand, "payee");
}

#[test]
fn a_slot_of_another_type_is_a_fault() {
    let rules = compiled(
        &["event.hour > 1", "payer.name == \"a\"", "device.rooted"],
        |_| {},
    );
    let mut slots = Slots::new();
    slots.set(Field::EventHour, FieldValue::Money(1));
    slots.set(Field::PayerName, FieldValue::Int(1));
    slots.set(Field::DeviceRooted, FieldValue::Text("true"));
    let mismatch = Fault::TypeMismatch;
    assert_eq!(
        rules.evaluate(&slots, || true).faults,
        [(0, mismatch), (1, mismatch), (2, mismatch)]
    );
}

#[test]
fn an_event_of_another_type_than_text_is_a_fault_in_every_rule_about_events() {
    let rules = compiled(&["event.type == \"login\" && device.rooted"; 4], |_| {});
    let mut slots = Slots::new();
    slots.set(Field::DeviceRooted, FieldValue::Bool(true));
    slots.set(Field::EventType, FieldValue::Int(1));
    let faults = (0..4).map(|rule| (rule, Fault::TypeMismatch));
    let hits = rules.evaluate(&slots, || true);
    assert_eq!(hits.faults, faults.collect::<Vec<_>>());
    slots.set(Field::EventType, FieldValue::Text("payment.card"));
    assert_eq!(rules.evaluate(&slots, || true), Hits::default());
    slots.set(Field::EventType, FieldValue::Text("login"));
    assert_eq!(rules.evaluate(&slots, || true).fired, [0, 1, 2, 3]);
}

#[test]
fn an_attribute_of_another_type_is_missing() {
    let rules = compiled(
        &[
            "attributes.number(\"risk\") > 1.0",
            "has(attributes.flag(\"risk\"))",
        ],
        |_| {},
    );
    let mut attributes = Attributes::default();
    let high = AttributeValue::Text(Text::parse("high").unwrap());
    attributes.push(Text::parse("risk").unwrap(), high).unwrap();
    let mut slots = Slots::new();
    slots.attributes = Some(&attributes);
    assert_eq!(rules.truth(0, &slots), Truth::Unknown);
    assert_eq!(rules.truth(1, &slots), Truth::False);
}

#[test]
fn explanations_name_every_operand_once_in_source_order() {
    let rules = compiled(
        &[
            "event.type == \"payment.card\" && payment.amount_base > money(\"1\", \"USD\") \
           && payment.amount > payment.amount && card.sum('7d',label==\"fraud\") > card.avg(\"1d\") \
           && card.count(\"10m\") > 1 && card.first_seen() < duration(\"3d\") && event.hour > 1 \
           && payee in lists.mules && distance.billing_merchant_km > 1.0 && event.type != \"login\" \
           && attributes.text(\"plan\") == \"x\" && has(payer.name) && device.rooted",
        ],
        |_| {},
    );
    let mut attributes = Attributes::default();
    let plan = AttributeValue::Text(Text::parse("say \"hi\"").unwrap());
    attributes.push(Text::parse("plan").unwrap(), plan).unwrap();
    let windows = [
        Value::Money(1_999),
        Value::Missing,
        Value::Count(7),
        Value::Duration(183_600_000_000),
    ];
    let lists = [Some(true)];
    let mut slots = Slots::new();
    slots.set(Field::EventType, FieldValue::Text("payment.card"));
    slots.set(Field::PaymentAmountBase, FieldValue::Money(1_234));
    slots.set(Field::PaymentAmount, FieldValue::Money(1_500));
    slots.set(Field::PaymentCurrency, FieldValue::Text("JPY"));
    slots.set(Field::EventHour, FieldValue::Int(3));
    slots.set(Field::DistanceBillingMerchantKm, FieldValue::Double(12.5));
    slots.set(Field::DeviceRooted, FieldValue::Bool(false));
    (slots.windows, slots.lists, slots.attributes) = (&windows, &lists, Some(&attributes));
    let values = rules.explain(0, &slots);
    let lines: Vec<String> = values.iter().map(|value| value.to_string()).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    event.type = "payment.card"
    payment.amount_base = 12.34 USD
    payment.amount = 1500 JPY
    card.sum("7d", label == "fraud") = 19.99 USD
    card.avg("1d") = missing
    card.count("10m") = 7
    card.first_seen() = 2d 3h
    event.hour = 3
    payee = missing
    payee in lists.mules = true
    distance.billing_merchant_km = 12.5
    attributes.text("plan") = "say \"hi\""
    payer.name = missing
    device.rooted = false
    "#);
    assert!(rules.explain(1, &slots).is_empty());
}

#[test]
fn the_version_follows_the_verdict_not_the_spelling() {
    let source = |when: &str, change: fn(&mut Pack)| {
        let mut pack = support::pack(&[when.to_owned()]);
        change(&mut pack);
        canonical_source(&[pack])
    };
    let same = source("event.hour>5", |pack| {
        pack.rules[0].source = "other words".to_owned()
    });
    let first = source("event.hour > 5 // late", |_| {});
    assert_eq!(first, same);
    assert_ne!(first, source("event.hour > 6", |_| {}));
    assert_ne!(
        first,
        source("event.hour > 5", |pack| pack.rules[0].score = 101)
    );
}

#[test]
fn a_rule_set_may_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<RuleSet>();
}

#[test]
fn expressions_at_the_limits_fit_a_small_stack() {
    let sum = format!("event.hour{} > 0", " + 1".repeat(60));
    let chain = format!("{}device.rooted", "device.rooted && ".repeat(600));
    let nested = format!("{}device.rooted{}", "!(".repeat(31), ")".repeat(31));
    let compile_and_run = move || {
        let rules = compiled(&[&sum, &chain, &nested], |_| {});
        let mut slots = Slots::new();
        slots.set(Field::EventHour, FieldValue::Int(1));
        slots.set(Field::DeviceRooted, FieldValue::Bool(true));
        assert_eq!(rules.evaluate(&slots, || true).fired, [0, 1]);
        assert_eq!(paywarden_rules::format(&sum).unwrap(), sum);
    };
    let thread = std::thread::Builder::new().stack_size(1024 * 1024);
    thread.spawn(compile_and_run).unwrap().join().unwrap();
}
