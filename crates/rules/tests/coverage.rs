//! What the shipped packs cover: `docs/reference/rule-coverage.md` and the table of packs in
//! `rules/README.md` are what the packs say. `UPDATE_REFERENCE=1` writes both anew.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use paywarden_domain::{Engine, EventKind, event::Channel};
use paywarden_rules::{
    Pack, format,
    pack::{RuleSource, Stage},
    parse,
    syntax::{Binary, Comparison, Expr, ExprKind, Logical, Unary},
};
use std::{
    collections::{BTreeMap, BTreeSet},
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
    let named = parse("event.type == \"signup\" || event.type == \"login\"").expr;
    let names = Names::from([("arrives".to_owned(), named)]);
    let all = KINDS.words();
    let payments = [
        "payment.card",
        "payment.transfer",
        "payment.wallet",
        "payout",
    ];
    for (when, expected) in [
        ("event.type == \"login\" && x > 3", Words::from(["login"])),
        (
            "x && event.type in [\"login\", \"refund\"]",
            Words::from(["login", "refund"]),
        ),
        (
            "event.type in [\"login\", \"refund\"] && event.type != \"login\"",
            Words::from(["refund"]),
        ),
        ("event.type != \"login\"", &all - &Words::from(["login"])),
        (
            "!(event.type in [\"login\", \"signup\"]) && arrives",
            Words::new(),
        ),
        ("arrives && x", Words::from(["login", "signup"])),
        ("!arrives", all.clone()),
        (
            "event.type == \"login\" || card in lists.denied",
            all.clone(),
        ),
        (
            "event.type in [\"payment.card\", \"payout\"] || event.type in [\"payment.wallet\", \"payment.transfer\"]",
            Words::from(payments),
        ),
    ] {
        assert_eq!(
            KINDS.holds_for(&parse(when).expr, &names),
            expected,
            "{when}"
        );
    }
}

#[test]
fn no_two_rules_differ_only_in_a_constant() {
    let mut seen = BTreeMap::new();
    for pack in shipped() {
        for rule in pack.rules.iter().filter(|rule| !is_row(rule)) {
            let name = format!("{}.{}", pack.id, rule.id);
            if let Some(other) = seen.insert((rule.engine.name(), shape(&rule.when)), name.clone())
            {
                panic!("{name} and {other} differ only in a constant: make them rows of a table");
            }
        }
    }
}

/// The condition without its numbers, amounts and spans, its terms in a fixed order. Words and the
/// edges of windows stay: another event, place or age is another question.
fn shape(when: &str) -> String {
    let tidy = format(when).unwrap();
    let mut text = String::new();
    for (place, part) in tidy.split('"').enumerate() {
        let is_text = place % 2 == 1;
        let is_constant = is_text && (text.ends_with("money(") || text.ends_with("duration("));
        match (is_text, is_constant) {
            (false, _) => text.extend(part.chars().filter(|c| !c.is_ascii_digit() && *c != '.')),
            (true, true) => text.push('_'),
            (true, false) => text.push_str(part),
        }
    }
    let mut terms: Vec<&str> = text.split(" && ").collect();
    terms.sort_unstable();
    terms.join(" && ")
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
    let mut text = row(&["pack", "fraud", "laundering", "rows of tables", "about"]) + &rule_off(5);
    for pack in packs {
        let of = |engine| count(pack, |rule| rule.engine == engine && !is_row(rule));
        text += &row(&[
            &pack.id,
            &of(Engine::Fraud),
            &of(Engine::Laundering),
            &count(pack, is_row),
            pack.description.trim(),
        ]);
    }
    text
}

/// What a rule may have been written as.
const FORMS: [&str; 3] = ["rules", "scorecards", "rows of tables"];

fn form(rule: &RuleSource) -> &'static str {
    match (is_row(rule), rule.parts.is_empty()) {
        (true, _) => "rows of tables",
        (false, true) => "rules",
        (false, false) => "scorecards",
    }
}

/// Rows of tables are named `table.row` within their pack.
fn is_row(rule: &RuleSource) -> bool {
    rule.id.contains('.')
}

fn count(pack: &Pack, test: impl Fn(&RuleSource) -> bool) -> String {
    number(pack.rules.iter().filter(|rule| test(rule)).count())
}

fn page(packs: &[Pack]) -> String {
    let rules: Vec<&RuleSource> = packs.iter().flat_map(|pack| &pack.rules).collect();
    let of = |test: &dyn Fn(&RuleSource) -> bool| rules.iter().filter(|rule| test(rule)).count();
    let examples: usize = rules.iter().map(|rule| rule.examples.len()).sum();
    let mut text = format!(
        "# What the shipped rules cover\n\nGenerated from `rules/*.yaml` by `cargo xtask docs`; do \
         not edit.\n\n{} packs; {} rules, each with its own condition, source and examples; {} \
         scorecards; {} rows of decision tables, each a rule as well; {examples} examples.\n\n",
        packs.len(),
        of(&|rule| form(rule) == FORMS[0]),
        of(&|rule| form(rule) == FORMS[1]),
        of(&|rule| form(rule) == FORMS[2]),
    );
    text += &(row(&["engine", "form", "live", "shadow", "off"]) + &rule_off(5));
    for engine in [Engine::Fraud, Engine::Laundering] {
        for name in FORMS {
            let [live, shadow, off] = [Stage::Live, Stage::Shadow, Stage::Off].map(|stage| {
                number(of(&|rule| {
                    rule.engine == engine && rule.stage == stage && form(rule) == name
                }))
            });
            text += &row(&[engine.name(), name, &live, &shadow, &off]);
        }
    }
    text += "\n## Packs\n\nRows of tables are counted apart; live and shadow count both.\n\n";
    text += &packs_counted(packs);
    text += "\n## Scenario by kind of event\n\nHow many rules of a pack, rows included, can fire on \
             an event of this kind. A rule that names no kind counts everywhere.\n\n";
    text += &matrix(packs, &KINDS);
    text +=
        "\n## Scenario by channel\n\nThe same for the channel through which the payer came.\n\n";
    text += &matrix(packs, &CHANNELS);
    text += "\n## Kind of event by channel\n\nRules of all packs that can fire on both.\n\n";
    text + &combinations(packs)
}

fn packs_counted(packs: &[Pack]) -> String {
    const COLUMNS: [&str; 8] = [
        "pack",
        "fraud",
        "laundering",
        "rows of tables",
        "live",
        "shadow",
        "warn the payer",
        "examples",
    ];
    let mut text = row(&COLUMNS) + &rule_off(COLUMNS.len());
    for pack in packs {
        let of = |engine| count(pack, |rule| rule.engine == engine && !is_row(rule));
        text += &row(&[
            &pack.id,
            &of(Engine::Fraud),
            &of(Engine::Laundering),
            &count(pack, is_row),
            &count(pack, |rule| rule.stage == Stage::Live),
            &count(pack, |rule| rule.stage == Stage::Shadow),
            &count(pack, |rule| rule.warning.is_some()),
            &number(pack.rules.iter().map(|rule| rule.examples.len()).sum()),
        ]);
    }
    text
}

/// One line per pack, one column per word of the field.
fn matrix(packs: &[Pack], question: &Question) -> String {
    let all = question.words();
    let mut text = header("pack", &all);
    for pack in packs {
        let names = names_of(pack, packs);
        let answers = pack.rules.iter().map(|rule| question.ask(rule, &names));
        let answers: Vec<Words> = answers.collect();
        let cells = all
            .iter()
            .map(|word| number(answers.iter().filter(|words| words.contains(word)).count()));
        text += &cells_row(&pack.id, cells);
    }
    text
}

fn combinations(packs: &[Pack]) -> String {
    let mut answers = Vec::new();
    for pack in packs {
        let names = names_of(pack, packs);
        let both = |rule| (KINDS.ask(rule, &names), CHANNELS.ask(rule, &names));
        answers.extend(pack.rules.iter().map(both));
    }
    let channels = CHANNELS.words();
    let mut text = header("kind", &channels);
    for kind in &KINDS.words() {
        let cells = channels.iter().map(|channel| {
            let both = |(kinds, through): &&(Words, Words)| {
                kinds.contains(kind) && through.contains(channel)
            };
            number(answers.iter().filter(both).count())
        });
        text += &cells_row(kind, cells);
    }
    text
}

type Words = BTreeSet<&'static str>;
/// Named expressions that the conditions of a pack may use.
type Names = BTreeMap<String, Expr>;

/// The definitions of the pack and of the packs that it uses, directly or through others.
fn names_of(pack: &Pack, packs: &[Pack]) -> Names {
    let mut names: Names = pack
        .definitions
        .iter()
        .map(|definition| (definition.name.clone(), parse(&definition.expression).expr))
        .collect();
    for used in packs.iter().filter(|other| pack.uses.contains(&other.id)) {
        names.extend(names_of(used, packs));
    }
    names
}

/// For which words of a field a condition can hold.
struct Question {
    field: &'static str,
    words: fn() -> Words,
}

const KINDS: Question = Question {
    field: "event.type",
    words: || EventKind::ALL.iter().map(|kind| kind.name()).collect(),
};
const CHANNELS: Question = Question {
    field: "event.channel",
    words: || Channel::ALL.iter().map(|channel| channel.name()).collect(),
};

impl Question {
    fn words(&self) -> Words {
        (self.words)()
    }

    fn ask(&self, rule: &RuleSource, names: &Names) -> Words {
        self.holds_for(&parse(&rule.when).expr, names)
    }

    /// All words where the condition does not say.
    fn holds_for(&self, expr: &Expr, names: &Names) -> Words {
        let all = self.words();
        let known = |expr: &Expr| match &expr.kind {
            ExprKind::Text(word) => all.get(word.as_str()).copied(),
            _ => None,
        };
        match &expr.kind {
            ExprKind::Name(name) => match names.get(name) {
                Some(named) => self.holds_for(named, names),
                None => all,
            },
            ExprKind::Logical(operator, terms) => {
                let mut each = terms.iter().map(|term| self.holds_for(term, names));
                let first = each.next().unwrap_or(all);
                each.fold(first, |left, right| match operator {
                    Logical::And => &left & &right,
                    Logical::Or => &left | &right,
                })
            }
            ExprKind::Unary(Unary::Not, inner) if self.is_asked_by(inner) => {
                &all - &self.holds_for(inner, names)
            }
            ExprKind::Binary(operator, sides) if self.is_asked_by(expr) => {
                match (operator, &sides[1].kind) {
                    (Binary::In, ExprKind::List(items)) => items.iter().filter_map(known).collect(),
                    (Binary::Compare(Comparison::Equal), _) => {
                        known(&sides[1]).into_iter().collect()
                    }
                    (Binary::Compare(Comparison::NotEqual), _) => {
                        &all - &known(&sides[1]).into_iter().collect()
                    }
                    _ => all,
                }
            }
            _ => all,
        }
    }

    /// Whether the expression is one comparison of this field.
    fn is_asked_by(&self, expr: &Expr) -> bool {
        let path = match &expr.kind {
            ExprKind::Binary(_, sides) => sides[0].path(),
            _ => None,
        };
        path.as_deref() == Some(self.field)
    }
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
