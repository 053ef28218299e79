//! Conditions taken apart: the parts of a rule with their values, and what kept it from firing.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use paywarden_features::Value;
use paywarden_rules::{Dissected, Field, FieldValue, Slots, Truth, WhyNot};
use proptest::prelude::*;
use support::generate::{condition, facts};

const WHEN: &str = "device.rooted && (card.count(\"10m\") > 5 || !(event.hour >= 6)) \
                    && payment.amount_base > money(\"5\", \"USD\") * 2";

fn filled(windows: &[Value]) -> Slots<'_> {
    let mut slots = Slots::new();
    slots.set(Field::DeviceRooted, FieldValue::Bool(true));
    slots.set(Field::EventHour, FieldValue::Int(3));
    slots.set(Field::PaymentAmountBase, FieldValue::Money(1_234));
    slots.windows = windows;
    slots
}

fn lines(part: &Dissected, depth: usize, lines: &mut Vec<String>) {
    let values = part.values.iter().map(|value| format!(" [{value}]"));
    let values: String = values.collect();
    lines.push(format!(
        "{}{}: {}{values}",
        "  ".repeat(depth),
        part.text,
        part.truth.name()
    ));
    for part in &part.parts {
        self::lines(part, depth + 1, lines);
    }
}

#[test]
fn a_fired_rule_is_shown_part_by_part() {
    let rules = support::rule_set(WHEN).unwrap();
    let windows = [Value::Missing];
    let mut text = Vec::new();
    lines(&rules.dissect(0, &filled(&windows)).unwrap(), 0, &mut text);
    assert_eq!(
        text[1..],
        [
            "  device.rooted: true [device.rooted = true]",
            "  card.count(\"10m\") > 5 || !(event.hour >= 6): true",
            "    card.count(\"10m\") > 5: unknown [card.count(\"10m\") = missing]",
            "    !(event.hour >= 6): true",
            "      event.hour >= 6: false [event.hour = 3]",
            "  payment.amount_base > money(\"5\", \"USD\") * 2: true [payment.amount_base = 12.34 USD]",
        ]
    );
    assert!(text[0].ends_with(": true"));
    assert_eq!(rules.dissect(1, &filled(&windows)), None);
}

#[test]
fn the_fewest_reasons_are_given() {
    let rules = support::rule_set(WHEN).unwrap();
    let why = |slots: &Slots<'_>| -> Vec<(String, bool, Truth)> {
        let short = |why: WhyNot| (why.text, why.wanted, why.truth);
        rules.why_not(0, slots).into_iter().map(short).collect()
    };
    let windows = [Value::Count(2)];
    let mut slots = filled(&windows);
    assert_eq!(why(&slots), []);
    slots.set(Field::EventHour, FieldValue::Missing);
    slots.set(Field::PaymentAmountBase, FieldValue::Money(1_000));
    let (amount, count) = (
        "payment.amount_base > money(\"5\", \"USD\") * 2".to_owned(),
        "card.count(\"10m\") > 5".to_owned(),
    );
    assert_eq!(
        why(&slots),
        [(count, true, Truth::False), (amount, true, Truth::False)]
    );
    let windows = [Value::Count(6)];
    slots.windows = &windows;
    slots.set(Field::DeviceRooted, FieldValue::Missing);
    slots.set(Field::PaymentAmountBase, FieldValue::Money(1_001));
    let rooted = ("device.rooted".to_owned(), true, Truth::Unknown);
    assert_eq!(why(&slots), [rooted]);
}

proptest! {
    #[test]
    fn the_parts_belong_to_the_whole(when in condition(), facts in facts()) {
        let rules = support::rule_set(&when).unwrap();
        let slots = facts.slots();
        let whole = rules.dissect(0, &slots).unwrap();
        prop_assert_eq!(whole.truth, rules.truth(0, &slots));
        let fires = whole.truth == Truth::True;
        prop_assert_eq!(rules.why_not(0, &slots).is_empty(), fires);
    }
}
