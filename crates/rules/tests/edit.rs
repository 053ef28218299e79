//! Rules edited inside the text of a pack: every shipped pack comes out of it saying what it said.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use paywarden_rules::{
    Pack, canonical_source,
    pack::{RuleText, with_rule, without_rule, written_rules},
};
use std::{fs, path::Path};

/// What rules and examples a text holds, without the lines where they stand.
fn meaning(text: &str) -> String {
    let mut pack = Pack::parse("pack", text).unwrap_or_else(|found| {
        panic!("{}\n{text}", found.first().unwrap().render());
    });
    for rule in &mut pack.rules {
        rule.when = rule.when.trim().to_owned();
        rule.line = 0;
    }
    let about: Vec<_> = pack
        .rules
        .iter()
        .map(|rule| {
            (
                &rule.id,
                &rule.source,
                &rule.false_positives,
                &rule.examples,
            )
        })
        .collect();
    let about = format!("{about:#?}");
    canonical_source(&[pack]) + &about
}

#[test]
fn every_shipped_rule_is_read_and_written_back_and_the_rest_stays_byte_for_byte() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    let mut edited = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let rules = written_rules(&text).unwrap();
        let before = meaning(&text);
        for rule in [rules.first(), rules.last()].into_iter().flatten() {
            let after = with_rule(&text, Some(&rule.id), rule).unwrap();
            assert_eq!(meaning(&after), before, "{} {}", path.display(), rule.id);
            let named = format!("id: {}", rule.id);
            let (head, _) = text.split_once(&named).unwrap();
            assert!(after.starts_with(head), "{} {}", path.display(), rule.id);
            edited += 1;
        }
    }
    assert!(edited > 100, "{edited}");
}

const PACK: &str = "\
# Why this pack exists.
pack: sample
title: Sample

rules:
  # The first one.
  - id: first
    title: First   # a word
    engine: fraud
    when: event.type == \"login\"
    score: 10
    reason: { code: sample, text: Sample }
    source: A test.
    examples:
      - hit: true
        given: { event.type: login }
      - hit: false
        given: { event.type: signup }

  # The second one.
  - id: second
    title: Second
    engine: fraud
    when: event.type == \"signup\"
    score: 20
    reason: { code: sample, text: Sample }
    source: A test.
    examples:
      - { hit: true, given: { event.type: signup } }
      - { hit: false, given: { event.type: login } }
";

fn second() -> RuleText {
    written_rules(PACK).unwrap().pop().unwrap()
}

#[test]
fn one_rule_changes_and_comments_of_others_stay() {
    let wanted = RuleText {
        id: "other".to_owned(),
        title: "Is it: \"quoted\", #1 — or 是?".to_owned(),
        title_zh: "“引号”: #1、{是}".to_owned(),
        when: "event.type == \"signup\"\n  && payer.country != \"DE\"".to_owned(),
        action: "hold".to_owned(),
        hold_minutes: Some(30),
        warning_code: "look_twice".to_owned(),
        warning_en: "Look: twice".to_owned(),
        warning_zh: "请再看一遍".to_owned(),
        on_fault: "closed".to_owned(),
        false_positives: "yes".to_owned(),
        reason_text: "One, two {three}".to_owned(),
        ..second()
    };
    let text = with_rule(PACK, Some("second"), &wanted).unwrap();
    let (before, _) = PACK.split_once("  - id: second").unwrap();
    assert!(text.starts_with(before), "{text}");
    assert_eq!(written_rules(&text).unwrap().pop().unwrap(), wanted);
    assert!(Pack::parse("sample", &text).is_ok());
}

#[test]
fn rules_are_added_behind_the_last_one_and_taken_out_without_a_trace() {
    let third = RuleText {
        id: "third".to_owned(),
        ..second()
    };
    let more = with_rule(PACK, None, &third).unwrap();
    assert!(more.starts_with(PACK), "{more}");
    assert_eq!(written_rules(&more).unwrap().len(), 3);
    let empty = "pack: sample\ntitle: Sample\n";
    let begun = with_rule(empty, None, &third).unwrap();
    assert_eq!(written_rules(&begun).unwrap(), [third]);
    let less = without_rule(PACK, "first").unwrap();
    assert_eq!(written_rules(&less).unwrap(), [second()]);
    assert!(
        less.contains("# The second one.") && less.contains("# Why"),
        "{less}"
    );
}

#[test]
fn what_cannot_be_edited_by_form_is_refused() {
    for text in [
        "",
        "pack: [",
        "{ pack: sample, title: Sample, rules: [ { id: first, title: F, when: a, score: 1 } ] }",
        "pack: sample\ntitle: Sample\nrules: []\n",
    ] {
        let refused = with_rule(text, Some("first"), &second());
        assert!(refused.is_err(), "{text}: {refused:?}");
    }
    let table = "pack: sample\ntitle: Sample\ntables: []\n";
    assert!(without_rule(table, "first").is_err());
    // A rule that is put together of an alias would change with its anchor.
    let twice = PACK.replace("second", "first");
    assert!(with_rule(&twice, Some("first"), &second()).is_err());
    // Examples that would leave their list are not YAML of a pack any more.
    let broken = RuleText {
        examples: "- hit: true\n  given: { a: b }\n    c: d".to_owned(),
        ..second()
    };
    assert!(with_rule(PACK, Some("second"), &broken).is_err());
}
