//! What people read when a pack is wrong.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use paywarden_rules::{Diagnostic, Pack, check_examples, compile};

/// Everything that is said about a pack, from the first step that refuses it.
fn report(yaml: &str) -> String {
    let problems = Pack::parse("pack.yaml", yaml)
        .and_then(|pack| compile(&[pack], &support::rates(), "test"))
        .map_or_else(|problems| problems, |rules| check_examples(&rules));
    problems
        .iter()
        .map(Diagnostic::render)
        .collect::<Vec<_>>()
        .join("\n\n")
}

const RIGHT: &str = r#"
pack: testing
title: Testing
rules:
  - id: small
    title: Small payments
    engine: fraud
    when: payment.amount_base < money("5.00", "USD") && card.count("10m") >= 5
    score: 350
    reason: { code: velocity, text: Many small payments }
    warning: { code: careful, en: Careful, zh: 小心 }
    stage: shadow
    on_fault: closed
    source: card testing begins small
    examples:
      - { hit: true, name: burst, given: { payment.amount_base: 1.00 USD, 'card.count("10m")': 6 } }
      - { hit: false, name: one, given: { payment.amount_base: 1.00 USD, 'card.count("10m")': 1 } }
"#;

#[test]
fn a_right_pack_is_silent() {
    assert_eq!(report(RIGHT), "");
}

#[test]
fn everything_forgotten_is_reported_at_once() {
    let yaml = r#"
pack: Testing
title: Testing
rules:
  - id: small
    title: Small payments
    engine: fraud
    when: device.rooted
    score: 1001
    action: hold
  - id: small
    title: Again
    engine: laundering
    when: device.rooted
    score: 0
    hold_minutes: 5
    reason: { code: Velocity, text: ok }
    source: twice
    examples: [{ hit: true, given: {} }]
"#;
    insta::assert_snapshot!(report(yaml), @r#"
    error[bad_identifier]: `Testing` is not snake_case
      --> pack.yaml:1

    error[score_out_of_range]: a score lies between 0 and 1000
      --> pack.yaml:5 rule Testing.small

    error[hold_minutes]: action `hold` needs `hold_minutes` above 0
      --> pack.yaml:5 rule Testing.small

    error[reason_missing]: the rule lacks `reason: { code: …, text: … }`
      --> pack.yaml:5 rule Testing.small

    error[source_missing]: the rule lacks `source`: why it exists
      --> pack.yaml:5 rule Testing.small

    error[examples_missing]: the rule lacks an example with `hit: true`
      --> pack.yaml:5 rule Testing.small

    error[examples_missing]: the rule lacks an example with `hit: false`
      --> pack.yaml:5 rule Testing.small

    error[hold_minutes]: `hold_minutes` needs action `hold`
      --> pack.yaml:11 rule Testing.small

    error[examples_missing]: the rule lacks an example with `hit: false`
      --> pack.yaml:11 rule Testing.small

    error[bad_identifier]: identifiers and codes are snake_case, at most 64 characters
      --> pack.yaml:11 rule Testing.small

    error[duplicate_id]: the pack has this rule twice
      --> pack.yaml:11 rule Testing.small
    "#);
}

#[test]
fn wrong_shapes_say_where() {
    let unknown = RIGHT.replace("score: 350", "scroe: 350");
    let engine = RIGHT.replace("engine: fraud", "engine: fruad");
    let twice = RIGHT.replace(
        "payment.amount_base: 1.00 USD, 'card.count(\"10m\")': 6",
        "a: 1, a: 2",
    );
    let broken = RIGHT.replace("rules:", "rules");
    let reports = [unknown, engine, twice, broken].map(|yaml| report(&yaml));
    insta::assert_snapshot!(reports.join("\n\n"), @r#"
    error[pack_malformed]: unknown field `scroe`, expected one of id, title, title_zh, engine, when, score, action, hold_minutes, reason, warning, stage, on_fault, source, false_positives, examples at line 9, column 5
      --> pack.yaml:9

    error[pack_malformed]: unknown variant `fruad`, expected one of fraud, laundering at line 7, column 13
      --> pack.yaml:7

    error[pack_malformed]: duplicate mapping key `a` is not allowed here at line 16, column 50
      --> pack.yaml:16

    error[pack_malformed]: simple key expected ':' at line 4, column 1
      --> pack.yaml:4
    "#);
}

#[test]
fn a_wrong_condition_is_shown_with_its_rule() {
    let yaml = RIGHT
        .replace("card.count(\"10m\") >=", "cards.count(\"10 m\") >")
        .replace("payment.amount_base < money", "payment.amount < money");
    insta::assert_snapshot!(report(&yaml), @r#"
    error[currency_mismatch]: money in the payment's currency cannot be compared with money
      --> pack.yaml:5 rule testing.small
         |
     1:1 | payment.amount < money("5.00", "USD") && cards.count("10 m") > 5
         | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      = hint: use payment.amount_base

    error[unknown_function]: `count` belongs to an entity
      --> pack.yaml:5 rule testing.small
          |
     1:42 | payment.amount < money("5.00", "USD") && cards.count("10 m") > 5
          |                                          ^^^^^
      = hint: did you mean `card.count`?
    "#);
}

#[test]
fn an_example_that_fails_shows_the_values() {
    let yaml = RIGHT.replace("'card.count(\"10m\")': 6", "'card.count(\"10m\")': 4");
    let yaml = yaml.replace(
        "name: one, given: { payment.amount_base: 1.00 USD",
        "name: one, given: { payment.amount_base: cheap",
    );
    insta::assert_snapshot!(report(&yaml), @r#"
    error[example_failed]: example "burst": the rule should fire, but it is false
      --> pack.yaml:5 rule testing.small
      = hint: payment.amount_base = 1.00 USD, card.count("10m") = 4

    error[example_malformed]: example "one": `payment.amount_base` cannot be "cheap"
      --> pack.yaml:5 rule testing.small
      = hint: give an amount with a known currency, like `3.00 USD`
    "#);
}
