//! Laws of the language, over random expressions and events.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use paywarden_domain::EventKind;
use paywarden_rules::{Fault, Hits, Truth, format, parse};
use proptest::prelude::*;
use support::generate::{Facts, condition, facts};

fn truth(when: &str, facts: &Facts) -> Truth {
    let rules = support::rule_set(when).unwrap_or_else(|problems| {
        panic!(
            "{when}: {}",
            problems.iter().map(ToString::to_string).collect::<String>()
        )
    });
    rules.truth(0, &facts.slots())
}

/// Pieces of rules in any order: far more often almost right than random bytes.
fn almost() -> impl Strategy<Value = String> {
    let pieces = [
        "card",
        ".",
        "count",
        "(",
        ")",
        "\"10m\"",
        ",",
        "&&",
        "||",
        "!",
        "-",
        "in",
        "[",
        "]",
        "5",
        "1.5",
        "==",
        "<",
        "payer.age",
        "duration",
        "money",
        "has",
        "?",
        ":",
        "type",
        "true",
        "'",
        "lists.x",
        "and",
        "=",
        "\\",
        "//",
        "\n",
        "中",
        "attributes",
        "text",
        "size",
        "%",
        "/",
        "*",
    ];
    proptest::collection::vec(prop::sample::select(pieces.to_vec()), 0..40)
        .prop_map(|pieces| pieces.join(" "))
}

proptest! {
    #[test]
    fn any_bytes_parse_to_a_tree(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes);
        for problem in parse(&text).problems {
            let _ = problem.render();
        }
    }

    #[test]
    fn almost_right_text_gets_a_tree_and_a_verdict(text in almost()) {
        let parsed = parse(&text);
        prop_assert!(parsed.problems.iter().all(|p| p.span.is_some() && p.place.is_some()));
        if let Err(problems) = support::rule_set(&text) {
            prop_assert!(!problems.is_empty() && !problems.iter().any(|p| p.render().is_empty()));
        }
        if parsed.problems.is_empty() {
            let tidy = parsed.expr.to_string();
            prop_assert_eq!(parse(&tidy).expr, parsed.expr, "{}", tidy);
        }
    }

    #[test]
    fn formatting_keeps_the_tree(when in condition()) {
        let tidy = format(&when).unwrap();
        prop_assert_eq!(parse(&tidy).expr, parse(&when).expr);
        prop_assert_eq!(format(&tidy).unwrap(), tidy);
    }

    #[test]
    fn and_and_or_commute(a in condition(), b in condition(), facts in facts()) {
        let both = |operator| {
            let one = truth(&format!("({a}) {operator} ({b})"), &facts);
            (one, truth(&format!("({b}) {operator} ({a})"), &facts))
        };
        for (left, right) in [both("&&"), both("||")] {
            prop_assert_eq!(left, right);
        }
    }

    #[test]
    fn de_morgan_and_double_negation(a in condition(), b in condition(), facts in facts()) {
        let outside = truth(&format!("!(({a}) && ({b}))"), &facts);
        prop_assert_eq!(outside, truth(&format!("!({a}) || !({b})"), &facts));
        prop_assert_eq!(truth(&format!("!(!({a}))"), &facts), truth(&a, &facts));
    }

    #[test]
    fn negation_swaps_only_what_is_definite(a in condition(), facts in facts()) {
        let expected = match truth(&a, &facts) {
            Truth::True => Truth::False,
            Truth::False => Truth::True,
            other => other,
        };
        prop_assert_eq!(truth(&format!("!({a})"), &facts), expected);
    }

    #[test]
    fn what_the_checker_accepts_never_has_a_type_fault(a in condition(), facts in facts()) {
        prop_assert_ne!(truth(&a, &facts), Truth::Fault(Fault::TypeMismatch));
    }

    #[test]
    fn the_pass_over_all_rules_finds_what_each_rule_says(a in condition(), facts in facts()) {
        let (slots, mut expected) = (facts.slots(), Hits::default());
        let rules = support::rule_set(&a).unwrap();
        match rules.truth(0, &slots) {
            Truth::True => expected.fired.push(0),
            Truth::Fault(fault) => expected.faults.push((0, fault)),
            Truth::False | Truth::Unknown => {}
        }
        let found = rules.evaluate(&slots, || true);
        expected.candidates = found.candidates;
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn learning_more_never_changes_a_definite_answer(a in condition(), facts in facts()) {
        let before = truth(&a, &facts);
        let mut more = facts.clone();
        more.ints = more.ints.map(|value| value.or(Some(1)));
        more.doubles = more.doubles.map(|value| value.or(Some(0.5)));
        more.flags = more.flags.map(|value| value.or(Some(true)));
        more.kind = more.kind.or(Some(EventKind::Login));
        more.texts = more.texts.map(|value| value.or(Some("a".to_owned())));
        // Whether something is known is the one question to which learning changes the answer.
        if matches!(before, Truth::True | Truth::False) && !a.contains("has(") {
            prop_assert_eq!(truth(&a, &more), before);
        }
    }
}
