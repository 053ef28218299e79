//! What the shipped packs cover: `docs/reference/rule-coverage.md` and the table of packs in
//! `rules/README.md` are what the packs say. `UPDATE_REFERENCE=1` writes both anew.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use paywarden_domain::{Engine, EventKind, event::Channel};
use paywarden_rules::{
    Pack,
    pack::{RuleSource, Stage},
    parse,
    syntax::{Binary, Comparison, Expr, ExprKind, Logical, Unary},
};
use std::{
    collections::BTreeSet,
    env,
    fmt::{Display, Write},
    fs,
    path::{Path, PathBuf},
};

#[test]
fn the_committed_coverage_is_current() {
    let packs = shipped();
    keep(
        &root().join("docs/reference/rule-coverage.md"),
        &page(&packs),
    );
    let readme = root().join("rules/README.md");
    let text = fs::read_to_string(&readme).unwrap();
    let (about, _) = text.split_once("## Packs\n").unwrap();
    keep(
        &readme,
        &format!("{about}## Packs\n\n{}", packs_table(&packs)),
    );
}

#[test]
fn a_condition_narrows_what_it_can_hold_for() {
    let words = words(EventKind::ALL.iter().map(|kind| kind.name()));
    for (when, expected) in [
        ("event.type == \"login\" && amount > 3", &["login"][..]),
        (
            "x && (event.type in [\"login\", \"signup\"] || event.type == \"refund\")",
            &["login", "refund", "signup"],
        ),
        (
            "event.type in [\"login\", \"refund\"] && event.type != \"login\"",
            &["refund"],
        ),
        (
            "event.type != \"payout\" && !(event.type in [\"login\"])",
            &["payment.card"],
        ),
        (
            "event.type == \"login\" || card in lists.denied",
            &["login", "payout"],
        ),
    ] {
        let found = holds_for(&parse(when).expr, "event.type", &words);
        assert!(
            expected.iter().all(|word| found.contains(word)),
            "{when}: {found:?}"
        );
        let narrowed = expected.len() == found.len();
        assert_eq!(
            narrowed,
            !when.starts_with("event.type !=") && !when.contains("lists."),
            "{when}"
        );
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every pack of the project, by name.
fn shipped() -> Vec<Pack> {
    let files = fs::read_dir(root().join("rules")).unwrap();
    let mut files: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "yaml")
    });
    files.sort();
    let read = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        Pack::parse(name, &fs::read_to_string(path).unwrap()).unwrap()
    };
    files.iter().map(read).collect()
}

/// Writes the file if asked to; otherwise it must already say this.
fn keep(path: &Path, current: &str) {
    if env::var_os("UPDATE_REFERENCE").is_some() {
        fs::write(path, current).unwrap();
    }
    let committed = fs::read_to_string(path).unwrap_or_default();
    let name = path.file_name().unwrap().to_str().unwrap();
    assert!(
        committed == current,
        "{name} is out of date: run `cargo xtask docs`"
    );
}

fn packs_table(packs: &[Pack]) -> String {
    let mut text = row(&["pack", "fraud", "laundering", "about"]) + &rule_off(4);
    for pack in packs {
        let of = |engine| {
            number(
                pack.rules
                    .iter()
                    .filter(|rule| rule.engine == engine)
                    .count(),
            )
        };
        let counts = [of(Engine::Fraud), of(Engine::Laundering)];
        text += &row(&[&pack.id, &counts[0], &counts[1], pack.description.trim()]);
    }
    text
}

fn page(packs: &[Pack]) -> String {
    let rules: Vec<&RuleSource> = packs.iter().flat_map(|pack| &pack.rules).collect();
    let kinds = words(EventKind::ALL.iter().map(|kind| kind.name()));
    let channels = words(Channel::ALL.iter().map(|channel| channel.name()));
    let count = |engine, stage| {
        let of = |rule: &&&RuleSource| rule.engine == engine && rule.stage == stage;
        rules.iter().filter(of).count()
    };
    let mut text = format!(
        "# What the shipped rules cover\n\nGenerated from `rules/*.yaml` by `cargo xtask docs`; do \
         not edit.\n\n{} packs, {} rules with {} examples.\n\n",
        packs.len(),
        rules.len(),
        rules.iter().map(|rule| rule.examples.len()).sum::<usize>(),
    );
    text += &(row(&["engine", "live", "shadow", "off"]) + &rule_off(4));
    for engine in [Engine::Fraud, Engine::Laundering] {
        let stages = [Stage::Live, Stage::Shadow, Stage::Off];
        let counts = stages.map(|stage| count(engine, stage).to_string());
        text += &row(&[engine.name(), &counts[0], &counts[1], &counts[2]]);
    }
    text += "\n## Packs\n\n";
    text += &(row(&[
        "pack",
        "fraud",
        "laundering",
        "live",
        "shadow",
        "warn the payer",
        "examples",
    ]) + &rule_off(7));
    for pack in packs {
        let of = |test: &dyn Fn(&RuleSource) -> bool| {
            number(pack.rules.iter().filter(|rule| test(rule)).count())
        };
        text += &row(&[
            &pack.id,
            &of(&|rule| rule.engine == Engine::Fraud),
            &of(&|rule| rule.engine == Engine::Laundering),
            &of(&|rule| rule.stage == Stage::Live),
            &of(&|rule| rule.stage == Stage::Shadow),
            &of(&|rule| rule.warning.is_some()),
            &number(pack.rules.iter().map(|rule| rule.examples.len()).sum()),
        ]);
    }
    text += "\n## Scenario by kind of event\n\nHow many rules of a pack can fire on an event of \
             this kind. A rule that names no kind counts everywhere.\n\n";
    text += &matrix(packs, "event.type", &kinds);
    text +=
        "\n## Scenario by channel\n\nThe same for the channel through which the payer came.\n\n";
    text += &matrix(packs, "event.channel", &channels);
    text +=
        "\n## Kind of event by channel\n\nRules of all packs that can fire on the combination.\n\n";
    text += &combinations(&rules, &kinds, &channels);
    text
}

/// One line per pack, one column per word of the field.
fn matrix(packs: &[Pack], field: &str, words: &Words) -> String {
    let mut text = header("pack", words);
    for pack in packs {
        let held: Vec<Words> = pack
            .rules
            .iter()
            .map(|rule| holds_for(&parse(&rule.when).expr, field, words))
            .collect();
        let cells = words
            .iter()
            .map(|word| number(held.iter().filter(|of| of.contains(word)).count()));
        text += &cells_row(&pack.id, cells);
    }
    text
}

fn combinations(rules: &[&RuleSource], kinds: &Words, channels: &Words) -> String {
    let held = rules.iter().map(|rule| {
        let expr = parse(&rule.when).expr;
        (
            holds_for(&expr, "event.type", kinds),
            holds_for(&expr, "event.channel", channels),
        )
    });
    let held: Vec<(Words, Words)> = held.collect();
    let mut text = header("kind", channels);
    for kind in kinds {
        let cells = channels.iter().map(|channel| {
            let both =
                |(of, through): &&(Words, Words)| of.contains(kind) && through.contains(channel);
            number(held.iter().filter(both).count())
        });
        text += &cells_row(kind, cells);
    }
    text
}

type Words = BTreeSet<&'static str>;

fn words(of: impl Iterator<Item = &'static str>) -> Words {
    of.collect()
}

/// The words of the field for which the condition can hold; all of them where it does not say.
fn holds_for(expr: &Expr, field: &str, all: &Words) -> Words {
    let known = |expr: &Expr| match &expr.kind {
        ExprKind::Text(word) => all.get(word.as_str()).copied(),
        _ => None,
    };
    match &expr.kind {
        ExprKind::Logical(operator, terms) => {
            let mut each = terms.iter().map(|term| holds_for(term, field, all));
            let first = each.next().unwrap_or_else(|| all.clone());
            each.fold(first, |left, right| match operator {
                Logical::And => &left & &right,
                Logical::Or => &left | &right,
            })
        }
        ExprKind::Unary(Unary::Not, inner) => match names(inner, field) {
            true => all - &holds_for(inner, field, all),
            false => all.clone(),
        },
        ExprKind::Binary(operator, sides) if sides[0].path().as_deref() == Some(field) => {
            match (operator, &sides[1].kind) {
                (Binary::In, ExprKind::List(items)) => items.iter().filter_map(known).collect(),
                (Binary::Compare(Comparison::Equal), _) => known(&sides[1]).into_iter().collect(),
                (Binary::Compare(Comparison::NotEqual), _) => {
                    all - &known(&sides[1]).into_iter().collect()
                }
                _ => all.clone(),
            }
        }
        _ => all.clone(),
    }
}

/// Whether the expression is one comparison of this field.
fn names(expr: &Expr, field: &str) -> bool {
    matches!(&expr.kind, ExprKind::Binary(_, sides) if sides[0].path().as_deref() == Some(field))
}

fn header(corner: &str, words: &Words) -> String {
    cells_row(corner, words.iter()) + &rule_off(words.len() + 1)
}

fn cells_row(first: &str, cells: impl Iterator<Item = impl Display>) -> String {
    let mut text = format!("| {first} |");
    for cell in cells {
        let _ = write!(text, " {cell} |");
    }
    text + "\n"
}

fn row(cells: &[&str]) -> String {
    cells_row(cells[0], cells[1..].iter())
}

fn rule_off(columns: usize) -> String {
    format!("|{}\n", "---|".repeat(columns))
}

/// A count as a cell: nothing instead of zero.
fn number(count: usize) -> String {
    match count {
        0 => String::new(),
        _ => count.to_string(),
    }
}
