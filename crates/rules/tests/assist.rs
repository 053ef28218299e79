//! Completion and hover, as people meet them: `|` is the cursor.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use paywarden_rules::{Pack, Surroundings, complete, hover};
use proptest::prelude::*;

const PACKS: [&str; 2] = [
    "pack: common\ntitle: Common\ndefine:\n  is_remote: event.channel in [\"web\", \"api\"]\n",
    "pack: own\ntitle: Own\nuse: [common]\ndefine:\n  is_night: event.hour < 6\n",
];

fn with_surroundings<T>(ask: impl FnOnce(&Surroundings<'_>) -> T) -> T {
    let rates = support::rates();
    let packs = PACKS.map(|yaml| Pack::parse("", yaml).unwrap());
    let around = Surroundings::new(&rates).with_lists(["mules", "denied_cards"]);
    ask(&around.in_pack(&packs, "own"))
}

/// The first completions at the cursor, and what they would replace.
fn completed(marked: &str) -> String {
    let cursor = marked.find('|').unwrap();
    let source = marked.replacen('|', "", 1);
    let found = with_surroundings(|around| complete(&source, cursor, around));
    let shown = found.iter().take(12).map(|completion| {
        let replaced = source.get(completion.replaces.clone()).unwrap();
        let text = format!("{:?} {} for `{replaced}`", completion.kind, completion.text);
        match completion.detail.is_empty() {
            true => text,
            false => format!("{text}: {}", completion.detail),
        }
    });
    let shown: Vec<String> = shown.collect();
    let more = if found.len() > 12 { "\n  …" } else { "" };
    format!("{marked}\n  {}{more}", shown.join("\n  "))
}

fn hovered(marked: &str) -> String {
    let cursor = marked.find('|').unwrap();
    let source = marked.replacen('|', "", 1);
    match with_surroundings(|around| hover(&source, cursor, around)) {
        Some(found) => format!("{marked}\n  {}\n  {}", found.title, found.doc),
        None => format!("{marked}\n  nothing"),
    }
}

#[test]
fn completions_fit_the_place() {
    let shown = [
        "pay|",
        "payer.na|",
        "payer.name.|",
        "card.|",
        "amou|",
        "is_|",
        "payee in lists.|",
        "attributes.|",
        "event.type == \"pay|",
        "event.type in [\"login\", \"pass|\"]",
        "event.channel != '|' && payer.age",
        "card.count(\"|",
        "card.count(\"10m\", |",
        "card.count(\"10m\", type == \"pay|",
        "card.count(\"10m\", outcome == \"|\")",
        "card.count(\"10m\", label in [\"fraud\", \"|",
        "card.distinct(m|",
        "money(\"5.00\", \"US|",
        "event.occurred_at.getHo|",
        "payer.name.trim().lo|",
        "[payer.country, payee.country].ex|",
        "math.|",
        "broken && (payer.name == && device.|",
        "1 + |",
        "\"中文\" == payer.n|",
    ];
    insta::assert_snapshot!(shown.map(completed).join("\n\n"));
}

#[test]
fn hover_says_type_unit_and_what_windows_count() {
    let shown = [
        "payer.a|ge < duration(\"2d\")",
        "payment.amount_|base > money(\"10\", \"EUR\")",
        "payment.amount_base > mon|ey(\"10\", \"EUR\")",
        "event.cha|nnel == \"web\"",
        "payment.amo|unt > payment.amount",
        "card.co|unt(\"10m\") > 5",
        "account.su|m(\"7d..35d\", type == \"topup\") > money(\"5\", \"USD\")",
        "card.first_|seen() < duration(\"3d\")",
        "payer.name.trim().lower|Ascii() == \"a\"",
        "is_re|mote && is_night",
        "payee in lists.mu|les",
        "event.occurred_at.get|Hours(\"+08:00\")",
        "[1, 2].ex|ists(n, n == event.hour)",
        "math.ab|s(event.hour - 12) > 3",
        "payer.age < dura|tion(\"49h\") &&",
        "payer.nothing| == 5",
        "event.hour + 1 |> 5",
    ];
    insta::assert_snapshot!(shown.map(hovered).join("\n\n"));
}

proptest! {
    #[test]
    fn nothing_panics_wherever_the_cursor_is(source in ".{0,60}", cursor in 0usize..200) {
        with_surroundings(|around| {
            let _ = (complete(&source, cursor, around), hover(&source, cursor, around));
        });
    }

    #[test]
    fn every_completion_replaces_what_was_typed(
        source in prop::sample::select(vec![
            "payer.name.startsWith(\"A\") && card.count(\"10m\", type == \"topup\") > 3 || payee in lists.mules",
            "[payer.country].exists(c, c == \"CN\") && event.type in [\"login\", \"中文\"]",
        ]),
        cut in 0usize..120,
    ) {
        let cut = (0..=cut.min(source.len())).rev().find(|at| source.is_char_boundary(*at)).unwrap();
        let typed = &source[..cut];
        for completion in with_surroundings(|around| complete(typed, cut, around)) {
            prop_assert_eq!(completion.replaces.end, cut);
            let before = &typed[completion.replaces];
            let dotted = completion.text.split('.').any(|part| part.starts_with(before));
            prop_assert!(completion.text.starts_with(before) || dotted, "{} {}", before, completion.text);
        }
    }
}
