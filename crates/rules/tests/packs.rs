//! Every pack that the project ships compiles, and every example in it behaves as it says.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use paywarden_domain::Currency;
use paywarden_rules::{Diagnostic, Pack, Rates, analyse, check_examples, compile};
use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

fn rates() -> Rates {
    let currency = |code: &str| Currency::parse(code).unwrap();
    let table = [
        ("EUR", "1.08"),
        ("GBP", "1.27"),
        ("CHF", "1.12"),
        ("CNY", "0.14"),
        ("HKD", "0.128"),
        ("SGD", "0.74"),
        ("JPY", "0.0067"),
        ("INR", "0.012"),
        ("AUD", "0.66"),
        ("CAD", "0.73"),
        ("BRL", "0.18"),
    ];
    table
        .into_iter()
        .fold(Rates::new(currency("USD")), |rates, (code, rate)| {
            rates.with(currency(code), rate).unwrap()
        })
}

fn fail_on(problems: &[Diagnostic]) {
    let texts: Vec<String> = problems.iter().map(Diagnostic::render).collect();
    assert!(
        texts.is_empty(),
        "{} problem(s)\n\n{}\n",
        texts.len(),
        texts.join("\n\n")
    );
}

#[test]
fn shipped_packs_compile_and_their_examples_hold() {
    hold("rules");
}

#[test]
fn shipped_packs_about_acts_compile_and_their_examples_hold() {
    hold("rules/security");
}

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(folder);
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    files.sort();
    files
}

fn hold(folder: &str) {
    let (mut packs, mut problems) = (Vec::new(), Vec::new());
    for file in &files(folder) {
        let name = file.file_name().unwrap().to_str().unwrap();
        match Pack::parse(name, &fs::read_to_string(file).unwrap()) {
            Ok(pack) => packs.push(pack),
            Err(found) => problems.extend(found),
        }
    }
    match compile(&packs, &rates(), "test") {
        Ok(rules) => {
            problems.extend(check_examples(&rules));
            let found = analyse(&rules).into_iter();
            problems.extend(found);
        }
        Err(found) => problems.extend(found),
    }
    fail_on(&problems);
}

/// Words that Chinese analysts write in Latin letters.
const LATIN: [&str; 8] = ["ATM", "BIN", "IP", "PEP", "POS", "SIM", "Tor", "VPN"];
/// Longer titles do not fit into a row of a table.
const TITLE_CHARS: usize = 40;

#[test]
fn every_shipped_rule_is_called_in_chinese() {
    let is_han = |letter: char| ('\u{4e00}'..='\u{9fff}').contains(&letter);
    let mut count = 0;
    for pack in ["rules", "rules/security"].into_iter().flat_map(shipped) {
        let mut seen = HashSet::new();
        for rule in &pack.rules {
            let place = format!("{}.{}: {:?}", pack.id, rule.id, rule.title_zh);
            let title = rule.title_zh.as_deref().unwrap_or_default();
            assert!(title.chars().any(is_han), "{place}");
            assert!(title.chars().count() <= TITLE_CHARS, "{place}");
            let mut words = title.split(|letter: char| !letter.is_ascii_alphabetic());
            assert!(
                words.all(|word| word.is_empty() || LATIN.contains(&word)),
                "{place}"
            );
            assert!(seen.insert(title), "twice: {place}");
            count += 1;
        }
    }
    assert!(count > 3_900, "{count}");
}

fn shipped(folder: &str) -> Vec<Pack> {
    files(folder)
        .iter()
        .map(|file| Pack::parse("pack", &fs::read_to_string(file).unwrap()).unwrap())
        .collect()
}

/// A pack about acts with one rule of this condition and action.
fn about_acts(when: &str, extra: &str) -> Result<(), Vec<Diagnostic>> {
    let yaml = format!(
        "pack: test\ntitle: Test\nevents: acts\nrules:\n  - id: one\n    title: One\n    when: |-\n      \
         {when}\n    score: 1\n{extra}    reason: {{ code: one, text: One }}\n    source: test\n    \
         examples:\n      - {{ hit: true, given: {{}} }}\n      - {{ hit: false, given: {{}} }}\n"
    );
    compile(&[Pack::parse("test.yaml", &yaml)?], &rates(), "test").map(drop)
}

#[test]
fn packs_about_acts_know_their_own_words_and_no_others() {
    for (when, extra) in [
        (
            "act.type == \"read\" && actor.count(\"10m\", type == \"read\") > 1",
            "",
        ),
        (
            "actor.distinct(subject, \"1h\", outcome == \"refused\") > 1",
            "    action: step_up\n",
        ),
        (
            "actor.sum(\"1h\") + actor.count(\"1h\") > 10 && act.hour_local < 6",
            "    action: suspend\n",
        ),
        (
            "actor.outcome_at(1) == \"refused\" && actor.is_new(network)",
            "",
        ),
    ] {
        about_acts(when, extra).unwrap_or_else(|found| panic!("{when}: {found:?}"));
    }
    for (when, extra) in [
        ("event.type == \"payment.card\"", ""),
        ("act.type == \"payment.card\"", ""),
        ("card.count(\"10m\") > 1", ""),
        ("account.received.count(\"10m\") > 1", ""),
        ("actor.net(\"10m\") > 1", ""),
        ("actor.count(\"10m\", type == \"payment.card\") > 1", ""),
        ("actor.count(\"10m\", outcome == \"decline\") > 1", ""),
        ("actor.count(\"10m\", label == \"fraud\") > 1", ""),
        (
            "actor.count(\"10m\", amount >= money(\"1.00\", \"USD\")) > 1",
            "",
        ),
        ("actor.distinct(country, \"10m\") > 1", ""),
        ("actor.sum(\"1h\") > money(\"1.00\", \"USD\")", ""),
        ("actor in lists.friends", ""),
        ("attributes.flag(\"x\")", ""),
        ("act.type == \"read\"", "    action: decline\n"),
        ("act.type == \"read\"", "    engine: fraud\n"),
        (
            "act.type == \"read\"",
            "    warning: { code: w, en: W, zh: W }\n",
        ),
    ] {
        assert!(about_acts(when, extra).is_err(), "{when} {extra}");
    }
}

#[test]
fn packs_of_different_schemas_do_not_mix_and_payments_keep_their_words() {
    let text = |file: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../rules")
            .join(file);
        Pack::parse(file, &fs::read_to_string(path).unwrap()).unwrap()
    };
    let both = [text("lists.yaml"), text("security/staff_hours.yaml")];
    let found = compile(&both, &rates(), "test").unwrap_err();
    assert!(found[0].message.contains("is about acts"), "{found:?}");
    let unknown = "pack: test\ntitle: Test\nevents: sports\nrules: []\n";
    assert!(Pack::parse("test.yaml", unknown).is_err());
}
