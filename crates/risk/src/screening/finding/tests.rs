//! What rules, traces and explanations make of what screening found.

use super::*;
use crate::release::Trace;
use paywarden_domain::Currency;
use paywarden_rules::{LIST_KINDS, Pack, Rates, RuleSet, Scratch, compile};

const PACK: &str = "pack: t\ntitle: t\nrules:\n  - id: near\n    title: t\n    engine: laundering\n    \
    when: screening.payee.sanctions >= 0.85 && screening.payee.list_kind == \"sanctions\"\n    \
    score: 1\n    on_fault: closed\n    reason: { code: c, text: t }\n    source: s\n    examples:\n      \
    - { hit: true, given: { screening.payee.sanctions: 0.9, screening.payee.list_kind: sanctions } }\n      \
    - { hit: false, given: { screening.payee.sanctions: 0.0 } }\n";

fn rules() -> RuleSet {
    let rates = Rates::new(Currency::parse("USD").unwrap());
    compile(&[Pack::parse("t.yaml", PACK).unwrap()], &rates, "t").unwrap()
}

fn found(state: State) -> Findings {
    let subject = Subject::Payee;
    Findings(vec![Finding { subject, state }])
}

fn matched(score: u16, kind: ListKind, entry: &str) -> Match {
    Match {
        score,
        kind,
        list: "un".to_owned(),
        version: "abc".to_owned(),
        entry: entry.to_owned(),
    }
}

fn sanctioned(score: u16) -> Findings {
    let best = matched(score, ListKind::Sanctions, "q1");
    let sanctioned = Some(best.clone());
    found(State::Hit { best, sanctioned })
}

/// Rules that fired, and rules at fault: one by one and over columns alike.
fn fired(findings: &Findings) -> (usize, usize) {
    let rules = rules();
    let mut slots = Slots::new();
    findings.fill(&mut slots);
    let mut scratch = Scratch::default();
    rules.evaluate_with(&slots, &mut scratch, || true, |_, _| {});
    let hits = scratch.hits();
    let mut columns = rules.columns(1);
    columns.push(&slots);
    let mut beside = (0, 0);
    rules.evaluate_columns(&mut columns, &mut Default::default(), |_, found| {
        beside.0 += found
            .fired
            .iter()
            .map(|bits| bits.count_ones() as usize)
            .sum::<usize>();
        beside.1 += found.faults.len();
    });
    assert_eq!((hits.fired.len(), hits.faults.len()), beside);
    beside
}

#[test]
fn rules_see_a_hit_a_clear_party_nobody_and_a_late_one_each_as_something_else() {
    assert_eq!(fired(&sanctioned(850)), (1, 0));
    assert_eq!(fired(&sanctioned(849)), (0, 0));
    assert_eq!(fired(&found(State::Clear)), (0, 0));
    assert_eq!(fired(&Findings::default()), (0, 0));
    assert_eq!(fired(&found(State::Late)), (0, 1));
    assert!(rules().reads_field(is_of_screening));
}

#[test]
fn kinds_of_lists_have_one_word_in_rules_and_lists() {
    assert_eq!(ListKind::ALL.map(ListKind::name), LIST_KINDS);
}

#[test]
fn findings_stand_behind_the_trace_and_older_traces_have_none() {
    let bare = Trace::default();
    let bytes = bare.encode().unwrap();
    assert_eq!(Trace::decode(&bytes).unwrap(), bare);
    let with = Trace {
        screening: sanctioned(901),
        ..Trace::default()
    };
    let longer = with.encode().unwrap();
    assert!(longer.starts_with(&bytes) && longer.len() > bytes.len());
    assert_eq!(Trace::decode(&longer).unwrap(), with);
    assert!(Trace::decode(&longer[..longer.len() - 1]).is_err());
}

#[test]
fn the_likelier_wins_and_of_equals_the_graver_and_both_are_told() {
    let state = State::Hit {
        best: matched(980, ListKind::Pep, "p7"),
        sanctioned: Some(matched(610, ListKind::Sanctions, "q1")),
    };
    let facts = found(state.clone()).facts();
    let told: Vec<_> = facts
        .iter()
        .map(|fact| (fact.entry.as_deref(), fact.score))
        .collect();
    assert_eq!(told, [(Some("p7"), Some(0.98)), (Some("q1"), Some(0.61))]);
    assert_eq!(State::Clear.graver(state.clone()), state);
    assert_eq!(state.graver(State::Late), State::Late);
    assert_eq!(found(State::Clear).facts()[0].state, "clear");
}
