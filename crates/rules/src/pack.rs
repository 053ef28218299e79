//! Packs: rules for one scenario in one YAML file.

use crate::{
    diagnostic::{Code, Diagnostic},
    format::quote,
};
use paywarden_domain::{Engine, Outcome, Warning};
use serde::{Deserialize, Deserializer, de};
use serde_saphyr::{Spanned, UserMessageFormatter};
use std::{collections::HashSet, fmt};

/// The largest pack file, in bytes.
pub const PACK_BYTES_MAX: usize = 1024 * 1024;
/// How many rules a pack may hold.
pub const PACK_RULES_MAX: usize = 2_000;
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
    /// Its rules in the order of the file.
    pub rules: Vec<RuleSource>,
}

/// One rule as written.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleSource {
    /// Line of the file where the rule begins, from 1.
    pub line: usize,
    /// Identifier within the pack, `snake_case`.
    pub id: String,
    /// What it looks for.
    pub title: String,
    /// Which engine it belongs to.
    pub engine: Engine,
    /// The condition.
    pub when: String,
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
    /// At least one that hits and one that misses.
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
            whole_file(Code::PackMalformed, message, line)
        })?;
        if written.rules.len() > PACK_RULES_MAX {
            let message = format!("a pack has at most {PACK_RULES_MAX} rules");
            return Err(whole_file(Code::TooLong, message, None));
        }
        let mut problems = Vec::new();
        if !is_snake_case(&written.pack) {
            let message = format!("`{}` is not snake_case", written.pack);
            problems.extend(whole_file(Code::BadIdentifier, message, Some(1)));
        }
        let mut seen = HashSet::new();
        let mut rules = Vec::new();
        for rule in written.rules {
            let (line, id) = (rule.line(), format!("{}.{}", written.pack, rule.id.value));
            let mut found = rule.problems();
            if !seen.insert(id.clone()) {
                found.push(Diagnostic::new(
                    Code::DuplicateId,
                    "the pack has this rule twice",
                ));
            }
            problems.extend(found.into_iter().map(|p| p.in_rule(file, line, &id)));
            rules.push(rule.into_source());
        }
        let WrittenPack {
            pack: id,
            title,
            description,
            ..
        } = written;
        let pack = Self {
            file: file.to_owned(),
            id,
            title,
            description,
            rules,
        };
        if problems.is_empty() {
            Ok(pack)
        } else {
            Err(problems)
        }
    }
}

/// Everything in the packs that can change a verdict, one fact per line in a fixed order: the
/// text to hash for a version. Spacing, examples and explanations of rules do not change it.
pub fn canonical_source(packs: &[Pack]) -> String {
    let mut sorted: Vec<&Pack> = packs.iter().collect();
    sorted.sort_by(|left, right| left.id.cmp(&right.id));
    let mut text = String::new();
    for pack in sorted {
        for rule in &pack.rules {
            let when = crate::format(&rule.when).unwrap_or_else(|_| rule.when.clone());
            let score = rule.score.to_string();
            let hold = rule.hold_minutes.map(|minutes| minutes.to_string());
            let warning = rule.warning.as_ref();
            let facts = [
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
            for fact in facts {
                // Writing to a string cannot fail.
                let _ = quote(&mut text, fact);
                text.push('\n');
            }
        }
    }
    text
}

fn is_snake_case(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.len() <= 64
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// A pack as YAML has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPack {
    pack: String,
    title: String,
    #[serde(default)]
    description: String,
    rules: Vec<WrittenRule>,
}

/// A rule as YAML has it: what people forget is optional here, to be reported all at once.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRule {
    id: Spanned<String>,
    title: String,
    engine: Engine,
    when: String,
    score: i64,
    action: Option<Outcome>,
    hold_minutes: Option<u32>,
    reason: Option<ReasonSource>,
    warning: Option<WrittenWarning>,
    #[serde(default)]
    stage: Stage,
    #[serde(default)]
    on_fault: OnFault,
    #[serde(default)]
    source: String,
    false_positives: Option<String>,
    #[serde(default)]
    examples: Vec<WrittenExample>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenWarning {
    code: String,
    en: String,
    zh: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenExample {
    hit: bool,
    #[serde(default)]
    name: String,
    given: Given,
}

impl WrittenRule {
    fn line(&self) -> usize {
        usize::try_from(self.id.referenced.line()).unwrap_or(0)
    }

    fn problems(&self) -> Vec<Diagnostic> {
        let holds = self.action == Some(Outcome::Hold);
        let reason_code = self.reason.as_ref().map_or("reason", |reason| &reason.code);
        let warning_code = self
            .warning
            .as_ref()
            .map_or("warning", |warning| &warning.code);
        let identifiers = [self.id.value.as_str(), reason_code, warning_code];
        let has_example = |hit| self.examples.iter().any(|example| example.hit == hit);
        let checks = [
            (
                !(0..=i64::from(SCORE_MAX)).contains(&self.score),
                Code::ScoreOutOfRange,
                "a score lies between 0 and 1000",
            ),
            (
                holds && self.hold_minutes.unwrap_or(0) == 0,
                Code::HoldMinutes,
                "action `hold` needs `hold_minutes` above 0",
            ),
            (
                !holds && self.hold_minutes.is_some(),
                Code::HoldMinutes,
                "`hold_minutes` needs action `hold`",
            ),
            (
                self.reason
                    .as_ref()
                    .is_none_or(|reason| reason.text.trim().is_empty()),
                Code::ReasonMissing,
                "the rule lacks `reason: { code: …, text: … }`",
            ),
            (
                self.source.trim().is_empty(),
                Code::SourceMissing,
                "the rule lacks `source`: why it exists",
            ),
            (
                !has_example(true),
                Code::ExamplesMissing,
                "the rule lacks an example with `hit: true`",
            ),
            (
                !has_example(false),
                Code::ExamplesMissing,
                "the rule lacks an example with `hit: false`",
            ),
            (
                !identifiers.into_iter().all(is_snake_case),
                Code::BadIdentifier,
                "identifiers and codes are snake_case, at most 64 characters",
            ),
        ];
        let wrong = checks.into_iter().filter(|(wrong, ..)| *wrong);
        wrong
            .map(|(_, code, message)| Diagnostic::new(code, message))
            .collect()
    }

    fn into_source(self) -> RuleSource {
        let line = self.line();
        let example = |WrittenExample { hit, name, given }| Example {
            hit,
            name,
            given: given.0,
        };
        let warning = |WrittenWarning { code, en, zh }| Warning { code, en, zh };
        let no_reason = || ReasonSource {
            code: String::new(),
            text: String::new(),
        };
        RuleSource {
            line,
            id: self.id.value,
            title: self.title,
            engine: self.engine,
            when: self.when,
            score: u16::try_from(self.score).unwrap_or(0),
            action: self.action,
            hold_minutes: self.hold_minutes,
            reason: self.reason.unwrap_or_else(no_reason),
            warning: self.warning.map(warning),
            stage: self.stage,
            on_fault: self.on_fault,
            source: self.source,
            false_positives: self.false_positives,
            examples: self.examples.into_iter().map(example).collect(),
        }
    }
}

/// What an example gives, in order; the values keep the text they were written with.
struct Given(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> de::Visitor<'de> for Pairs {
            type Value = Given;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("operands and their values")
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Given, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Given(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}
