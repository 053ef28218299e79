//! Which events a rule can fire for: held against every example that must hit.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use paywarden_domain::{Currency, EventKind, event::Channel};
use paywarden_rules::{Pack, Rates, RuleSet, compile};
use std::{fs, path::Path};

fn compiled(packs: &[Pack]) -> RuleSet {
    let mut rates = Rates::new(Currency::parse("USD").unwrap());
    for code in [
        "EUR", "GBP", "CHF", "CNY", "HKD", "SGD", "JPY", "INR", "AUD", "CAD", "BRL",
    ] {
        rates = rates.with(Currency::parse(code).unwrap(), "1").unwrap();
    }
    compile(packs, &rates, "test").unwrap()
}

#[test]
fn no_event_is_ruled_out_for_which_a_shipped_rule_must_fire() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|kind| kind == "yaml"));
    let packs: Vec<_> = files
        .map(|path| Pack::parse("pack", &fs::read_to_string(path).unwrap()).unwrap())
        .collect();
    let rules = compiled(&packs);
    let (mut asked, mut ruled_out) = (0, 0);
    for rule in rules.rules() {
        let reach = rule.reach();
        for example in rule.examples().iter().filter(|example| example.hit) {
            let given = |name: &str| {
                let found = example.given.iter().find(|(operand, _)| operand == name);
                found.map(|(_, value)| value.as_str())
            };
            if let Some(kind) = given("event.type").and_then(EventKind::parse) {
                let channel = given("event.channel").and_then(Channel::parse);
                assert!(
                    reach.may_fire(kind, channel),
                    "{} {kind} {channel:?}",
                    rule.id
                );
                asked += 1;
            }
        }
        let kinds = EventKind::ALL.iter();
        ruled_out += kinds.filter(|kind| !reach.may_fire(**kind, None)).count();
    }
    assert!(asked > 500 && ruled_out > 5_000, "{asked} {ruled_out}");
}

#[test]
fn kind_and_channel_rule_out_and_what_may_be_missing_does_not() {
    let rule = |id: usize, when: &str| {
        format!(
            "  - id: r{id}\n    title: T\n    engine: fraud\n    score: 1\n    source: S\n    \
             reason: {{ code: c, text: T }}\n    when: |-\n      {when}\n    examples:\n      \
             - {{ hit: true, given: {{}} }}\n      - {{ hit: false, given: {{}} }}\n"
        )
    };
    let (login, refund) = (
        EventKind::parse("login").unwrap(),
        EventKind::parse("refund").unwrap(),
    );
    let (web, atm) = (
        Channel::parse("web").unwrap(),
        Channel::parse("atm").unwrap(),
    );
    #[rustfmt::skip]
    let cases = [
        (r#"event.type == "login" && payer.age > duration("2d")"#, [true, true, false]),
        (r#"event.type == "login" && event.channel == "web""#, [true, false, false]),
        (r#"has(payer.name) && event.type == "login""#, [true, true, false]),
        (r#"has(payer.name) || event.type == "login""#, [true, true, true]),
        (r#"(has(payer.name) && event.channel != "atm") && event.type != "refund""#, [true, false, false]),
        (r#"!has(payer.name) && event.channel in ["atm", "branch"]"#, [false, true, false]),
    ];
    let texts: Vec<String> = cases
        .iter()
        .enumerate()
        .map(|(id, (when, _))| rule(id, when))
        .collect();
    let pack = format!("pack: p\ntitle: P\nrules:\n{}", texts.concat());
    let rules = compiled(&[Pack::parse("p", &pack).unwrap()]);
    for (place, (when, expected)) in cases.into_iter().enumerate() {
        let found = [(login, web), (login, atm), (refund, web)]
            .map(|(kind, channel)| rules.rules()[place].reach().may_fire(kind, Some(channel)));
        assert_eq!(found, expected, "{when}");
    }
}
