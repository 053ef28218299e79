//! What is asked and told of a pack that is being written.

use super::super::RuleProblem;
use paywarden_domain::{RuleValue, RuleValues};
use paywarden_rules::{
    Completion, CompletionKind, Diagnostic, Severity,
    pack::{RuleSource, RuleText},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A pack that is being written.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PackDraft {
    /// The version whose other packs it may use: one of yours, `live` or `base`; `live` if not given.
    #[serde(default)]
    pub from: Option<String>,
    /// The pack in YAML, at most 1 MiB.
    pub text: String,
    /// One rule to put in, put in the place of another or take out first.
    #[serde(default)]
    pub change: Option<RuleEdit>,
    /// The rule to tell more about, by its identifier within the pack; that of the change if not
    /// given.
    #[serde(default)]
    pub rule: Option<String>,
}

/// A change of one rule that the pack writes out.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleEdit {
    /// The rule that goes; the new one becomes the last one if not given.
    #[serde(default)]
    pub replaces: Option<String>,
    /// The rule that comes, field by field; none takes the other out.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub rule: Option<RuleText>,
}

/// What is to be said about a pack.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CheckedPack {
    /// The pack with the change made.
    pub text: String,
    /// Its identifier, if it can be read.
    pub pack: Option<String>,
    /// Its rules in the order of the file; those that tables and scorecards make only if it can be
    /// read as a whole.
    pub rules: Vec<PackRule>,
    /// The rule that was asked about, if the pack writes it out.
    pub rule: Option<CheckedRule>,
    /// What is wrong or worth a look, at most 200.
    pub problems: Vec<PackProblem>,
}

/// One rule of a pack in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PackRule {
    /// Identifier within the pack.
    pub id: String,
    /// What it looks for.
    pub title: String,
    /// The same in Chinese.
    pub title_zh: Option<String>,
    /// `live`, `shadow` or `off`.
    pub stage: String,
    /// Whether it is written out and can be edited field by field.
    pub is_written: bool,
}

/// One rule, field by field, and how it behaves.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CheckedRule {
    /// As the file has it.
    #[schema(value_type = Object)]
    pub written: RuleText,
    /// The condition as the formatter writes it; null if it does not parse.
    pub formatted: Option<String>,
    /// The condition with names replaced by what they stand for; null if the pack does not compile.
    pub meaning: Option<String>,
    /// How each example went; empty if the pack does not compile.
    pub examples: Vec<CheckedExample>,
}

/// How one example went.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CheckedExample {
    /// Its name; may be empty.
    pub name: String,
    /// Whether the rule must fire.
    pub hit: bool,
    /// Whether it did as it must.
    pub holds: bool,
    /// What the condition came to: `true`, `false`, `unknown` or a fault; null if the example gives
    /// what the rule cannot read.
    pub truth: Option<&'static str>,
    /// What was wrong with the example.
    pub problem: Option<String>,
    /// The operands of the rule with their values.
    #[schema(value_type = Vec<RuleValue>)]
    pub values: RuleValues,
}

/// Something wrong, or worth a look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PackProblem {
    /// Whether it keeps the pack from being drafted.
    pub is_error: bool,
    /// What and where.
    #[serde(flatten)]
    pub problem: RuleProblem,
}

/// A condition and a cursor in it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Assist {
    /// The condition so far, at most 64 KiB; it may be broken.
    pub expression: String,
    /// The place of the cursor in bytes, from 0.
    pub cursor: usize,
    /// The pack around it in YAML, for the names that it defines.
    #[serde(default)]
    pub text: Option<String>,
    /// The version whose other packs it may use; `live` if not given.
    #[serde(default)]
    pub from: Option<String>,
}

/// Something that may stand at the cursor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Completed {
    /// `word`, `definition`, `field`, `list`, `window` or `function`.
    pub kind: &'static str,
    /// What to write.
    pub text: String,
    /// Its type, or how it is written.
    pub detail: String,
    /// What it means; may be empty.
    pub doc: String,
    /// First byte of what it replaces.
    pub start: usize,
    /// One past the last byte of it: the cursor.
    pub end: usize,
}

/// What stands at the cursor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Hovered {
    /// First byte of it.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// The expression and its type.
    pub title: String,
    /// What it means; may be empty.
    pub doc: String,
}

/// One pack of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PackLine {
    /// Its identifier.
    pub pack: String,
    /// What it is about.
    pub title: String,
    /// The name of its file.
    pub file: String,
    /// How many rules it has, those of tables and scorecards included.
    pub rules: usize,
}

impl PackProblem {
    pub(super) fn of(diagnostic: &Diagnostic) -> Self {
        Self {
            is_error: diagnostic.code.severity() == Severity::Error,
            problem: RuleProblem::of(diagnostic),
        }
    }
}

impl From<&RuleText> for PackRule {
    fn from(rule: &RuleText) -> Self {
        Self {
            id: rule.id.clone(),
            title: rule.title.clone(),
            title_zh: Some(rule.title_zh.clone()).filter(|title| !title.is_empty()),
            stage: rule.stage.clone(),
            is_written: true,
        }
    }
}

impl PackRule {
    /// A rule that a table or scorecard makes.
    pub(super) fn made(rule: &RuleSource) -> Self {
        Self {
            id: rule.id.clone(),
            title: rule.title.clone(),
            title_zh: rule.title_zh.clone(),
            stage: rule.stage.name().to_owned(),
            is_written: false,
        }
    }
}

impl From<Completion> for Completed {
    fn from(completion: Completion) -> Self {
        Self {
            kind: match completion.kind {
                CompletionKind::Word => "word",
                CompletionKind::Definition => "definition",
                CompletionKind::Field => "field",
                CompletionKind::List => "list",
                CompletionKind::Window => "window",
                CompletionKind::Function => "function",
            },
            text: completion.text,
            detail: completion.detail,
            doc: completion.doc,
            start: completion.replaces.start,
            end: completion.replaces.end,
        }
    }
}
