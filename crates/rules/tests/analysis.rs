//! What is said of rules that cannot fire, always fire, repeat others or cost too much.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use paywarden_domain::{Engine, Outcome};
use paywarden_rules::{
    Code, Diagnostic, Severity, Truth, analyse, compile,
    pack::{RuleSource, Stage},
};
use proptest::{collection::vec, prelude::*};
use support::generate::{Facts, condition, facts};

fn found(conditions: &[&str]) -> Vec<Diagnostic> {
    let conditions: Vec<String> = conditions.iter().map(|c| (*c).to_owned()).collect();
    analyse(&compile(&[support::pack(&conditions)], &support::rates(), "v").unwrap())
}

fn codes(conditions: &[&str]) -> Vec<(String, Code)> {
    let of = |problem: Diagnostic| (problem.origin.unwrap().rule.unwrap(), problem.code);
    found(conditions).into_iter().map(of).collect()
}

#[test]
fn contradictions_are_found_and_placed() {
    for never in [
        "event.hour > 5 && event.hour < 3",
        "event.hour == 24",
        "event.hour > 22 && event.hour != 23",
        "card.count(\"10m\") >= 5 && device.rooted && !(card.count(\"10m\") > 3)",
        "event.type == \"login\" && event.type in [\"payment.card\", \"payment.wallet\"]",
        "payer.name == \"a\" && (payer.name == \"b\" || payer.name == \"c\")",
        "device.rooted && !device.rooted",
        "payer.age < duration(\"1d\") && payer.age > duration(\"2d\")",
        "distance.billing_merchant_km < 1.5 && distance.billing_merchant_km >= 1.5",
        "(event.hour < 3 || event.hour > 20) && event.hour > 5 && event.hour < 10",
    ] {
        let expected = [("test.rule_0".to_owned(), Code::NeverTrue)];
        assert_eq!(codes(&[never]), expected, "{never}");
    }
    for fine in [
        "event.hour > 5 && event.hour < 7",
        "event.hour > 21 && event.hour != 22",
        "payer.name == \"a\" || payer.name == \"b\"",
        "distance.billing_merchant_km <= 1.5 && distance.billing_merchant_km >= 1.5",
        "payer.name != \"a\" && payer.name != \"b\"",
    ] {
        assert_eq!(codes(&[fine]), [], "{fine}");
    }
    let placed = found(&["device.rooted && event.hour > 5 && event.hour < 3 && network.vpn"]);
    let place = placed[0].place.as_ref().unwrap();
    assert_eq!((place.line, place.column, place.width), (1, 36, 14));
    let text = placed[0].render();
    assert!(
        text.starts_with("error[never_true]: this can never be true"),
        "{text}"
    );
    assert!(
        text.ends_with("`event.hour < 3` contradicts what stands before it"),
        "{text}"
    );
}

#[test]
fn what_is_always_true_is_a_warning() {
    for always in [
        "event.hour >= 3 || event.hour < 5",
        "device.rooted || !device.rooted",
        "has(payer.age) || !has(payer.age)",
        "event.hour >= 0",
    ] {
        let problems = found(&[always]);
        assert_eq!(problems[0].code, Code::AlwaysTrue, "{always}");
        assert_eq!(problems[0].code.severity(), Severity::Warning);
        assert!(problems[0].render().starts_with("warning[always_true]"));
    }
}

#[test]
fn equal_conditions_of_one_engine_and_stage_are_duplicates() {
    let conditions = [
        "event.hour > 5 && device.rooted",
        "device.rooted == true && !(event.hour <= 5)",
        "device.rooted && event.hour >= 6 && event.hour > 5",
    ];
    let expected =
        ["test.rule_1", "test.rule_2"].map(|rule| (rule.to_owned(), Code::DuplicateCondition));
    assert_eq!(codes(&conditions), expected);
    let mut pack = support::pack(&conditions.map(str::to_owned));
    pack.rules[1].engine = Engine::Laundering;
    pack.rules[2].stage = Stage::Shadow;
    let rules = compile(&[pack], &support::rates(), "v").unwrap();
    assert_eq!(analyse(&rules), []);
}

#[test]
fn a_narrower_rule_that_adds_nothing_is_a_warning() {
    let conditions = [
        "event.hour > 5 && device.rooted",
        "event.hour > 7 && device.rooted && network.vpn",
        "event.hour in [8, 9] && device.rooted && network.tor",
        "event.hour > 5 && network.vpn",
    ];
    // Points add up: a narrower rule is the next step of a scale.
    assert_eq!(codes(&conditions), []);
    let covered = |change: fn(&mut [RuleSource])| {
        let mut pack = support::pack(&conditions.map(str::to_owned));
        change(&mut pack.rules);
        let found = analyse(&compile(&[pack], &support::rates(), "v").unwrap());
        found
            .into_iter()
            .map(|problem| (problem.origin.unwrap().rule.unwrap(), problem.code))
            .collect::<Vec<_>>()
    };
    let both = ["test.rule_1", "test.rule_2"].map(|rule| (rule.to_owned(), Code::Subsumed));
    assert_eq!(
        covered(|rules| rules[0].action = Some(Outcome::Decline)),
        both
    );
    assert_eq!(
        covered(|rules| rules.iter_mut().for_each(|rule| rule.score = 0)),
        both
    );
    assert_eq!(
        covered(|rules| {
            rules.iter_mut().for_each(|rule| rule.score = 0);
            rules[1].action = Some(Outcome::Review);
        }),
        [both[1].clone()]
    );
}

#[test]
fn a_condition_has_a_cost_budget() {
    let search = "payer.name.contains(\"a\")";
    let dear = vec![search; 400].join(" || ");
    let code = |when: &str| found(&[when]).iter().map(|p| p.code).collect::<Vec<_>>();
    assert_eq!(code(&dear), [Code::CostTooHigh]);
    let cheap = vec![search; 100].join(" || ");
    assert_eq!(code(&cheap), []);
}

proptest! {
    /// What is said to be impossible, certain, equal or covered is so for every payment.
    #[test]
    fn nothing_is_said_that_a_payment_refutes(
        conditions in vec(condition(), 1..8),
        facts in vec(facts(), 1..20),
    ) {
        let rules = compile(&[support::pack(&conditions)], &support::rates(), "v").unwrap();
        let place = |id: &str| id.trim_start_matches("test.rule_").parse::<usize>().unwrap();
        for problem in analyse(&rules) {
            let rule = place(problem.origin.as_ref().unwrap().rule.as_ref().unwrap());
            let other = problem.message.split('`').nth(1).map(place);
            // Hours of the day are known to lie between 0 and 23.
            let real = |facts: &&Facts| facts.ints[0].is_none_or(|hour| (0..24).contains(&hour));
            for facts in facts.iter().filter(real) {
                let slots = facts.slots();
                let truth = rules.truth(rule, &slots);
                let other = other.map(|other| rules.truth(other, &slots));
                match problem.code {
                    Code::NeverTrue => prop_assert_ne!(truth, Truth::True),
                    Code::AlwaysTrue => prop_assert_ne!(truth, Truth::False),
                    Code::DuplicateCondition => prop_assert_eq!(Some(truth), other),
                    Code::Subsumed if truth == Truth::True => {
                        prop_assert_eq!(other, Some(Truth::True));
                    }
                    Code::Subsumed => {}
                    other => prop_assert!(false, "{}", other),
                }
            }
        }
    }
}
