//! Measures evaluation: `cargo run --release -p paywarden-rules --example measure`.
//!
//! First the packs that the project ships, repeated to 100 and 1,000 rules, on a card payment with
//! every field filled. Then random-looking conditions that the `cel` crate can run too: both must
//! find the same hits before anything is timed.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program for developers: it prints and may stop"
)]

use cel::{Context, Program, Value};
use paywarden_domain::{Currency, Engine, event::Attributes};
use paywarden_features::{Aggregate, Value as Window};
use paywarden_rules::{
    Field, FieldValue, Pack, Rates, RuleSet, Schema, Slots, Type, compile,
    pack::{OnFault, ReasonSource, RuleSource, Stage},
};
use std::{collections::HashMap, fs, hint::black_box, path::Path, time::Instant};

fn main() {
    let shipped = shipped_conditions();
    for rules in [100, 1_000] {
        let conditions: Vec<String> = shipped.iter().cycle().take(rules).cloned().collect();
        let rules = rule_set(&conditions);
        let windows = windows(&rules);
        let lists = vec![Some(false); rules.probes().len()];
        let attributes = Attributes::default();
        let mut slots = card_payment();
        (slots.windows, slots.lists) = (&windows, &lists);
        slots.attributes = Some(&attributes);
        let hits = rules.evaluate(&slots, || true);
        let micros = micros_per_run(2_000, || {
            black_box(rules.evaluate(black_box(&slots), || true));
        });
        println!(
            "shipped rules, {:>5}: {micros:>8.2} us, {} fired, {} faults",
            rules.rules().len(),
            hits.fired.len(),
            hits.faults.len()
        );
    }
    for rules in [100, 1_000, 10_000] {
        beside_cel(rules);
    }
}

/// The conditions of every pack in the folder `rules` of the project.
fn shipped_conditions() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let packs = files.filter(|path| path.extension().is_some_and(|e| e == "yaml"));
    let rules = packs.flat_map(|path| {
        Pack::parse("", &fs::read_to_string(path).unwrap())
            .unwrap()
            .rules
    });
    rules.map(|rule| rule.when).collect()
}

fn rule_set(conditions: &[String]) -> RuleSet {
    let rule = |(number, when): (usize, &String)| RuleSource {
        line: 1,
        id: format!("rule_{number}"),
        title: String::new(),
        title_zh: None,
        engine: Engine::Fraud,
        when: when.clone(),
        parts: Vec::new(),
        score: 1,
        action: None,
        hold_minutes: None,
        reason: ReasonSource {
            code: String::new(),
            text: String::new(),
        },
        warning: None,
        stage: Stage::Live,
        on_fault: OnFault::Open,
        source: String::new(),
        false_positives: None,
        examples: Vec::new(),
    };
    let rules = conditions.iter().enumerate().map(rule).collect();
    let [file, id, title, description] = ["", "measure", "", ""].map(str::to_owned);
    let pack = Pack {
        file,
        id,
        title,
        description,
        schema: &Schema::PAYMENTS,
        uses: Vec::new(),
        definitions: Vec::new(),
        rules,
    };
    compile(
        &[pack],
        &Rates::new(Currency::parse("USD").unwrap()),
        "measure",
    )
    .unwrap()
}

/// A quiet past: small counts and amounts.
fn windows(rules: &RuleSet) -> Vec<Window> {
    let value = |aggregate| match aggregate {
        Aggregate::Count | Aggregate::Distinct(_) => Window::Count(2),
        Aggregate::FirstSeen | Aggregate::SincePrevious => Window::Duration(86_400_000_000),
        _ => Window::Money(4_200),
    };
    rules
        .windows()
        .iter()
        .map(|window| value(window.aggregate))
        .collect()
}

fn card_payment() -> Slots<'static> {
    let mut slots = Slots::new();
    for field in Schema::PAYMENTS.fields() {
        let value = match field.kind() {
            Type::Int => FieldValue::Int(12),
            Type::Double => FieldValue::Double(12.5),
            Type::Money | Type::PaymentMoney => FieldValue::Money(4_950),
            Type::Bool => FieldValue::Bool(false),
            Type::Duration => FieldValue::Duration(400 * 86_400_000_000),
            Type::Timestamp => FieldValue::Timestamp(1_767_225_600_000_000),
            Type::List | Type::Map => FieldValue::Missing,
            Type::Text => FieldValue::Text(field.words().first().copied().unwrap_or("SG")),
        };
        slots.set(*field, value);
    }
    slots
}

/// The best of many runs: what it costs when nobody else wants the processor.
fn micros_per_run(runs: u32, mut run: impl FnMut()) -> f64 {
    let timed = (0..runs).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64() * 1e6
    });
    timed.fold(f64::INFINITY, f64::min)
}

/// Conditions of three to five terms over numbers, texts and flags, in CEL's own subset.
fn conditions(count: usize) -> Vec<String> {
    let mut state = 1_u64;
    let mut random = move |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % below
    };
    let mut term = move || match random(5) {
        0 => format!("event.hour >= {}", random(24)),
        1 => format!("distance.billing_merchant_km > {}.5", random(500)),
        2 => format!("merchant.mcc in [\"{}\", \"5411\"]", 4_000 + random(50)),
        3 => format!(
            "payer.country != \"{}\"",
            ["CN", "SG", "US", "DE"][random(4) as usize]
        ),
        _ => "device.rooted".to_owned(),
    };
    (0..count)
        .map(|rule| {
            (0..3 + rule % 3)
                .map(|_| term())
                .collect::<Vec<_>>()
                .join(" && ")
        })
        .collect()
}

fn beside_cel(count: usize) {
    let conditions = conditions(count);
    let rules = rule_set(&conditions);
    let mut slots = Slots::new();
    slots.set(Field::EventHour, FieldValue::Int(20));
    slots.set(Field::DistanceBillingMerchantKm, FieldValue::Double(400.0));
    slots.set(Field::MerchantMcc, FieldValue::Text("5411"));
    slots.set(Field::PayerCountry, FieldValue::Text("FR"));
    slots.set(Field::DeviceRooted, FieldValue::Bool(true));
    let mut context = Context::default();
    for (group, name, value) in [
        ("event", "hour", Value::Int(20)),
        ("distance", "billing_merchant_km", Value::Float(400.0)),
        ("merchant", "mcc", "5411".into()),
        ("payer", "country", "FR".into()),
        ("device", "rooted", Value::Bool(true)),
    ] {
        context.add_variable_from_value(group, HashMap::from([(name.to_owned(), value)]));
    }
    let programs: Vec<Program> = conditions
        .iter()
        .map(|when| Program::compile(when).unwrap())
        .collect();
    let by_cel = || {
        let fired = |program: &Program| program.execute(&context) == Ok(Value::Bool(true));
        programs
            .iter()
            .enumerate()
            .filter(|(_, p)| fired(p))
            .map(|(at, _)| at)
            .collect::<Vec<_>>()
    };
    assert_eq!(rules.evaluate(&slots, || true).fired, by_cel());
    let ours = micros_per_run(200, || {
        black_box(rules.evaluate(black_box(&slots), || true));
    });
    let theirs = micros_per_run(3, || {
        black_box(by_cel());
    });
    println!(
        "beside cel, {count:>8}: {ours:>8.2} us against {theirs:>9.0} us, {:.0} times",
        theirs / ours
    );
}
