//! Packs as YAML has them: what people forget is optional here, to be reported all at once.

use super::{
    Definition, Example, OnFault, PACK_DEFINITIONS_MAX, PACK_RULES_MAX, Pack, Part, ReasonSource,
    RuleSource, SCORE_MAX, Stage, TITLE_CHARS_MAX, composed::Piece, scorecard::WrittenScorecard,
    table::WrittenTable,
};
use crate::{
    diagnostic::{Code, Diagnostic, closest},
    schema::Schema,
};
use paywarden_domain::{Engine, Outcome, Warning};
use serde::{Deserialize, Deserializer, de};
use serde_saphyr::Spanned;
use std::{collections::HashSet, fmt, marker::PhantomData};

/// A pack as YAML has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenPack {
    pack: String,
    title: String,
    events: Option<String>,
    #[serde(default)]
    description: String,
    #[serde(default, rename = "use")]
    uses: Vec<String>,
    #[serde(default)]
    define: Pairs<Spanned<String>>,
    #[serde(default)]
    pub(super) rules: Vec<WrittenRule>,
    #[serde(default)]
    tables: Vec<WrittenTable>,
    #[serde(default)]
    scorecards: Vec<WrittenScorecard>,
}

/// A rule as YAML has it, or as a table or scorecard makes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenRule {
    pub id: Spanned<String>,
    pub title: String,
    pub title_zh: Option<String>,
    pub engine: Option<Engine>,
    pub when: String,
    #[serde(skip)]
    pub parts: Vec<Part>,
    pub score: i64,
    pub action: Option<String>,
    pub hold_minutes: Option<u32>,
    pub reason: Option<ReasonSource>,
    pub warning: Option<WrittenWarning>,
    #[serde(default)]
    pub stage: Stage,
    #[serde(default)]
    pub on_fault: OnFault,
    #[serde(default)]
    pub source: String,
    pub false_positives: Option<String>,
    #[serde(default)]
    pub examples: Vec<WrittenExample>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenWarning {
    pub code: String,
    pub en: String,
    pub zh: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenExample {
    pub hit: bool,
    #[serde(default)]
    pub name: String,
    pub given: Pairs<String>,
}

impl WrittenPack {
    /// The pack, or everything that is wrong with it.
    pub(super) fn read(self, file: &str) -> Result<Pack, Vec<Diagnostic>> {
        let mut problems = Vec::new();
        let schema = self.head(file, &mut problems);
        let pack = self.pack;
        let mut found = Found {
            rules: self.rules,
            mistakes: Vec::new(),
        };
        for table in self.tables {
            table.unfold(&mut found);
        }
        for scorecard in self.scorecards {
            scorecard.unfold(&mut found);
        }
        if found.rules.len() > PACK_RULES_MAX {
            let message = format!("a pack has at most {PACK_RULES_MAX} rules");
            let problem = Diagnostic::new(Code::TooLong, message);
            return Err(vec![problem.in_file(file, None)]);
        }
        let full_id = |id: &str| format!("{pack}.{id}");
        for mistake in found.mistakes {
            let problem = mistake
                .problem
                .in_rule(file, mistake.line, &full_id(&mistake.id));
            problems.push(match &mistake.part {
                Some(part) => problem.in_part(part),
                None => problem,
            });
        }
        let mut seen = HashSet::new();
        let mut rules = Vec::new();
        for rule in found.rules {
            let (line, id) = (rule.line(), full_id(&rule.id.value));
            let mut wrong = rule.problems(schema);
            if !seen.insert(id.clone()) {
                let message = "the pack has this rule twice";
                wrong.push(Diagnostic::new(Code::DuplicateId, message));
            }
            problems.extend(wrong.into_iter().map(|p| p.in_rule(file, line, &id)));
            rules.push(rule.into_source(schema));
        }
        match problems.is_empty() {
            true => Ok(Pack {
                file: file.to_owned(),
                id: pack,
                title: self.title,
                description: self.description,
                schema,
                uses: self.uses,
                definitions: self.define.0.into_iter().map(definition).collect(),
                rules,
            }),
            false => Err(problems),
        }
    }
}

impl WrittenPack {
    /// What its rules are about; notes what is wrong with all that stands above them.
    fn head(&self, file: &str, problems: &mut Vec<Diagnostic>) -> &'static Schema {
        if !is_snake_case(&self.pack) {
            let message = format!("`{}` is not snake_case", self.pack);
            let problem = Diagnostic::new(Code::BadIdentifier, message);
            problems.push(problem.in_file(file, Some(1)));
        }
        if self.define.0.len() > PACK_DEFINITIONS_MAX {
            let message = format!("a pack has at most {PACK_DEFINITIONS_MAX} definitions");
            problems.push(Diagnostic::new(Code::TooLong, message).in_file(file, None));
        }
        self.schema().unwrap_or_else(|problem| {
            problems.push(problem.in_file(file, Some(1)));
            <&Schema>::default()
        })
    }

    /// What `events` names.
    fn schema(&self) -> Result<&'static Schema, Diagnostic> {
        let word = self.events.as_deref();
        let known = word.map_or(Some(<&Schema>::default()), Schema::parse);
        known.ok_or_else(|| {
            let names = Schema::ALL.map(|schema| schema.name);
            let message = "`events` says what the rules are about";
            let problem = Diagnostic::new(Code::PackMalformed, message);
            problem.did_you_mean(word.unwrap_or_default(), names)
        })
    }
}

fn definition((name, expression): (String, Spanned<String>)) -> Definition {
    Definition {
        line: line_of(&expression),
        name,
        expression: expression.value,
    }
}

/// What tables and scorecards unfold into.
pub(super) struct Found {
    pub rules: Vec<WrittenRule>,
    pub mistakes: Vec<Mistake>,
}

/// A mistake in a table, row or scorecard.
pub(super) struct Mistake {
    line: usize,
    id: String,
    part: Option<String>,
    problem: Diagnostic,
}

impl Found {
    /// Notes that a table, row or scorecard is not put together right.
    pub(super) fn wrong(&mut self, id: &Spanned<String>, message: impl Into<String>) {
        self.mistakes.push(Mistake {
            line: line_of(id),
            id: id.value.clone(),
            part: None,
            problem: Diagnostic::new(Code::TableMalformed, message),
        });
    }

    /// Reads one written piece of a table, row or scorecard; notes what is wrong with it.
    pub(super) fn piece(
        &mut self,
        id: &str,
        source: &Spanned<String>,
        label: &str,
    ) -> Option<Piece> {
        self.piece_of_text(id, &source.value, line_of(source), label)
    }

    pub(super) fn piece_of_text(
        &mut self,
        id: &str,
        source: &str,
        line: usize,
        label: &str,
    ) -> Option<Piece> {
        Piece::read(source, line, label)
            .map_err(|problems| self.wrong_piece(id, line, label, problems))
            .ok()
    }

    /// Notes mistakes in one written piece.
    pub(super) fn wrong_piece(
        &mut self,
        id: &str,
        line: usize,
        label: &str,
        problems: Vec<Diagnostic>,
    ) {
        let mistakes = problems.into_iter().map(|problem| Mistake {
            line,
            id: id.to_owned(),
            part: Some(label.to_owned()),
            problem,
        });
        self.mistakes.extend(mistakes);
    }
}

/// Line where a value of the file begins, from 1.
pub(super) fn line_of<T>(value: &Spanned<T>) -> usize {
    usize::try_from(value.referenced.line()).unwrap_or(0)
}

impl WrittenRule {
    pub(super) fn line(&self) -> usize {
        line_of(&self.id)
    }

    fn problems(&self, schema: &Schema) -> Vec<Diagnostic> {
        let holds = self.asks(schema) == Some(Outcome::Hold);
        let reason_code = self.reason.as_ref().map_or("reason", |reason| &reason.code);
        let warning_code = self
            .warning
            .as_ref()
            .map_or("warning", |warning| &warning.code);
        let mut identifiers = self.id.value.split('.').chain([reason_code, warning_code]);
        // A row of a table shares the table's examples.
        let whole = !self.id.value.contains('.');
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
                whole && !has_example(true),
                Code::ExamplesMissing,
                "the rule lacks an example with `hit: true`",
            ),
            (
                whole && !has_example(false),
                Code::ExamplesMissing,
                "the rule lacks an example with `hit: false`",
            ),
            (
                !identifiers.all(is_snake_case),
                Code::BadIdentifier,
                "identifiers and codes are snake_case, at most 64 characters",
            ),
        ];
        let wrong = checks.into_iter().filter(|(wrong, ..)| *wrong);
        let mut wrong: Vec<_> = wrong
            .map(|(_, code, message)| Diagnostic::new(code, message))
            .collect();
        wrong.extend(self.no_line());
        wrong.extend(self.foreign(schema));
        wrong
    }

    /// What is wrong with its title in Chinese.
    fn no_line(&self) -> Option<Diagnostic> {
        let title = self.title_zh.as_deref()?;
        let count = title.chars().count();
        let is_line = !title.trim().is_empty()
            && count <= TITLE_CHARS_MAX
            && !title.chars().any(char::is_control);
        let message =
            format!("a title in Chinese is one line of 1 to {TITLE_CHARS_MAX} characters");
        (!is_line).then(|| Diagnostic::new(Code::TooLong, message))
    }

    /// What the schema knows otherwise or not at all.
    fn foreign(&self, schema: &Schema) -> Vec<Diagnostic> {
        let mut wrong = Vec::new();
        let mut note = |is_wrong: bool, message: &str| {
            if is_wrong {
                wrong.push(Diagnostic::new(Code::PackMalformed, message));
            }
        };
        let of_payments = schema.is_of_payments;
        note(
            of_payments && self.engine.is_none(),
            "the rule lacks `engine`",
        );
        note(
            !of_payments && self.engine.is_some(),
            "rules about acts name no `engine`",
        );
        note(!of_payments && self.warning.is_some(), "acts warn no payer");
        if let Some(word) = self
            .action
            .as_deref()
            .filter(|_| self.asks(schema).is_none())
        {
            let problem = Diagnostic::new(Code::PackMalformed, format!("no action `{word}`"));
            let known = schema.action_names();
            wrong.push(match closest(word, known.clone()) {
                Some(near) => problem.hint(format!("did you mean `{near}`?")),
                None => problem.hint(format!("known: {}", known.collect::<Vec<_>>().join(", "))),
            });
        }
        wrong
    }

    /// What it asks for.
    fn asks(&self, schema: &Schema) -> Option<Outcome> {
        self.action.as_deref().and_then(|word| schema.action(word))
    }

    fn into_source(self, schema: &Schema) -> RuleSource {
        let (line, action) = (self.line(), self.asks(schema));
        let warning = |WrittenWarning { code, en, zh }| Warning { code, en, zh };
        let no_reason = || ReasonSource {
            code: String::new(),
            text: String::new(),
        };
        RuleSource {
            line,
            id: self.id.value,
            title: self.title,
            title_zh: self.title_zh,
            engine: self.engine.unwrap_or(Engine::Fraud),
            when: self.when,
            parts: self.parts,
            score: u16::try_from(self.score).unwrap_or(0),
            action,
            hold_minutes: self.hold_minutes,
            reason: self.reason.unwrap_or_else(no_reason),
            warning: self.warning.map(warning),
            stage: self.stage,
            on_fault: self.on_fault,
            source: self.source,
            false_positives: self.false_positives,
            examples: self.examples.into_iter().map(Example::from).collect(),
        }
    }
}

impl From<WrittenExample> for Example {
    fn from(WrittenExample { hit, name, given }: WrittenExample) -> Self {
        Self {
            hit,
            name,
            given: given.0,
        }
    }
}

/// A mapping in the order of the file. Text values keep the spelling they were written with.
pub(super) struct Pairs<V>(pub Vec<(String, V)>);

impl<V> Default for Pairs<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Pairs<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read<V>(PhantomData<V>);
        impl<'de, V: Deserialize<'de>> de::Visitor<'de> for Read<V> {
            type Value = Pairs<V>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("names and their values")
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Pairs<V>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Read(PhantomData))
    }
}

pub(crate) fn is_snake_case(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.len() <= 64
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}
