//! Packs: rules for one scenario in one YAML file, as single rules, decision tables and scorecards.

mod composed;
mod edit;
mod scorecard;
mod table;
mod written;

pub use composed::Part;
pub use edit::{RuleText, with_rule, without_rule, written_rules};
pub use scorecard::{CHARACTERISTICS_MAX, POINTS_MAX};
pub use table::TABLE_COLUMNS_MAX;

use crate::{
    diagnostic::{Code, Diagnostic},
    schema::Schema,
};
use paywarden_domain::{Engine, Outcome, Warning, written::Quoted};
use serde::Deserialize;
use serde_saphyr::UserMessageFormatter;
use std::fmt::Write as _;
use written::WrittenPack;

pub(crate) use written::is_snake_case;

/// The largest pack file, in bytes.
pub const PACK_BYTES_MAX: usize = 1024 * 1024;
/// How many rules a pack may hold, each row of a table counted as one.
pub const PACK_RULES_MAX: usize = 2_000;
/// How many named expressions a pack may define.
pub const PACK_DEFINITIONS_MAX: usize = 200;
/// How many characters the title of a rule in Chinese may have.
pub const TITLE_CHARS_MAX: usize = 200;
/// The highest score of a rule.
pub const SCORE_MAX: u16 = 1000;

/// The rules for one scenario, read but not yet compiled.
#[derive(Debug, Clone, PartialEq)]
pub struct Pack {
    /// Name of the file, as given by the caller.
    pub file: String,
    /// Identifier, `snake_case`.
    pub id: String,
    /// What it is about.
    pub title: String,
    /// More about it; may be empty.
    pub description: String,
    /// What its rules are about: `events: acts`, or payments if it does not say.
    pub schema: &'static Schema,
    /// Packs whose definitions its conditions may name.
    pub uses: Vec<String>,
    /// Its named expressions in the order of the file.
    pub definitions: Vec<Definition>,
    /// Its rules in the order of the file: single rules, rows of tables, scorecards.
    pub rules: Vec<RuleSource>,
}

/// A named expression. Conditions of the pack, and of packs that use it, may name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Line of the file where it stands, from 1.
    pub line: usize,
    /// Its name, `snake_case`.
    pub name: String,
    /// What the name stands for.
    pub expression: String,
}

/// One rule as written.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleSource {
    /// Line of the file where the rule begins, from 1.
    pub line: usize,
    /// Identifier within the pack: `rule`, `table.row` or `scorecard`.
    pub id: String,
    /// What it looks for.
    pub title: String,
    /// The same in Chinese, one line.
    pub title_zh: Option<String>,
    /// Which engine it belongs to. Rules about acts have one engine of their own and do not name
    /// it: here they say the first.
    pub engine: Engine,
    /// The condition.
    pub when: String,
    /// If the condition was put together by a table or scorecard: the places it came from.
    pub parts: Vec<Part>,
    /// Points that it adds, 0 to 1000.
    pub score: u16,
    /// What it asks for beyond its points.
    pub action: Option<Outcome>,
    /// How long to hold; given exactly if the action is `hold`.
    pub hold_minutes: Option<u32>,
    /// Why, for whoever reads the decision.
    pub reason: ReasonSource,
    /// What to tell the payer.
    pub warning: Option<Warning>,
    /// Whether it counts.
    pub stage: Stage,
    /// What a fault or a passed deadline means.
    pub on_fault: OnFault,
    /// Why the rule exists.
    pub source: String,
    /// Typical innocent cases.
    pub false_positives: Option<String>,
    /// At least one that hits and one that misses; a table has them for all its rows together.
    pub examples: Vec<Example>,
}

/// A reason code and its text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReasonSource {
    /// Stable, `snake_case`.
    pub code: String,
    /// For people.
    pub text: String,
}

/// Whether a rule counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It decides.
    #[default]
    Live,
    /// It is evaluated and reported, and decides nothing.
    Shadow,
    /// It is only checked.
    Off,
}

impl Stage {
    /// The word used in packs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Shadow => "shadow",
            Self::Off => "off",
        }
    }
}

/// What a fault or a passed deadline means for the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFault {
    /// The payment goes on without this rule.
    #[default]
    Open,
    /// It counts as a review.
    Closed,
}

impl OnFault {
    /// The word used in packs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// An example of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// Whether the rule must fire.
    pub hit: bool,
    /// Its name; may be empty.
    pub name: String,
    /// Operands and their values as text, in the order given.
    pub given: Vec<(String, String)>,
}

impl Pack {
    /// Reads a pack. Reports everything that can be told without compiling the conditions.
    pub fn parse(file: &str, yaml: &str) -> Result<Self, Vec<Diagnostic>> {
        let whole_file =
            |code, message: String, line| vec![Diagnostic::new(code, message).in_file(file, line)];
        if yaml.len() > PACK_BYTES_MAX {
            let message = format!("a pack has at most {PACK_BYTES_MAX} bytes");
            return Err(whole_file(Code::TooLong, message, None));
        }
        let written: WrittenPack = serde_saphyr::from_str(yaml).map_err(|error| {
            let line = error
                .location()
                .and_then(|place| usize::try_from(place.line()).ok());
            let message = error
                .without_snippet()
                .render_with_formatter(&UserMessageFormatter);
            let dash = message.contains("cannot start with '-'");
            let mut problems = whole_file(Code::PackMalformed, message, line);
            for problem in problems.iter_mut().filter(|_| dash) {
                problem.hint =
                    Some("YAML wants quotes around a cell for anything: `\"-\"`".to_owned());
            }
            problems
        })?;
        written.read(file)
    }
}

/// Everything in the packs that can change a verdict, one fact per line in a fixed order: the
/// text to hash for a version. Spacing, examples and explanations of rules do not change it.
pub fn canonical_source(packs: &[Pack]) -> String {
    let mut sorted: Vec<&Pack> = packs.iter().collect();
    sorted.sort_by(|left, right| left.id.cmp(&right.id));
    let mut text = String::new();
    for pack in sorted {
        if !pack.schema.is_of_payments {
            facts(&mut text, ["events", pack.schema.name]);
        }
        let uses = pack.uses.iter().flat_map(|used| ["use", used.as_str()]);
        facts(&mut text, uses);
        for definition in &pack.definitions {
            let expression = canonical(&definition.expression);
            facts(&mut text, ["define", &definition.name, &expression]);
        }
        for rule in &pack.rules {
            let when = canonical(&rule.when);
            let score = rule.score.to_string();
            let hold = rule.hold_minutes.map(|minutes| minutes.to_string());
            let warning = rule.warning.as_ref();
            let rule_facts = [
                pack.id.as_str(),
                &rule.id,
                &rule.title,
                rule.engine.name(),
                &when,
                &score,
                rule.action.map_or("", Outcome::name),
                hold.as_deref().unwrap_or(""),
                &rule.reason.code,
                &rule.reason.text,
                warning.map_or("", |warning| &warning.code),
                warning.map_or("", |warning| &warning.en),
                warning.map_or("", |warning| &warning.zh),
                rule.stage.name(),
                rule.on_fault.name(),
            ];
            facts(&mut text, rule_facts);
            let title_zh = rule.title_zh.iter();
            facts(&mut text, title_zh.flat_map(|title| ["title_zh", title]));
        }
    }
    text
}

fn canonical(expression: &str) -> String {
    let parsed = crate::parse(expression);
    match parsed.problems.is_empty() {
        true => parsed.expr.to_string(),
        false => expression.to_owned(),
    }
}

fn facts<'a>(text: &mut String, facts: impl IntoIterator<Item = &'a str>) {
    for fact in facts {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", Quoted(fact));
    }
}
