//! What is wrong with a rule, as a refusal lists it.

use paywarden_rules::Diagnostic;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One mistake in a rule or pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RuleProblem {
    /// What kind of mistake, `snake_case`.
    pub code: String,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
    /// The file, as the draft names it.
    pub file: Option<String>,
    /// The line of the file where the rule or the mistake begins, from 1.
    pub line: Option<usize>,
    /// `pack.rule`; null outside a rule.
    pub rule: Option<String>,
    /// Where in the condition.
    pub place: Option<RulePlace>,
}

/// A place in a condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RulePlace {
    /// First byte, from 0.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// Line within the condition, from 1.
    pub line: usize,
    /// Column within the line in characters, from 1.
    pub column: usize,
    /// The line itself.
    pub text: String,
}

impl RuleProblem {
    /// A diagnostic in the form that replies have.
    pub fn of(diagnostic: &Diagnostic) -> Self {
        let origin = diagnostic.origin.as_deref();
        let place = diagnostic.span.as_ref().zip(diagnostic.place.as_deref());
        Self {
            code: diagnostic.code.name().to_owned(),
            message: diagnostic.message.clone(),
            hint: diagnostic.hint.clone(),
            file: origin.map(|origin| origin.file.clone()),
            line: origin.and_then(|origin| origin.line),
            rule: origin.and_then(|origin| origin.rule.clone()),
            place: place.map(|(span, place)| RulePlace {
                start: span.start,
                end: span.end,
                line: place.line,
                column: place.column,
                text: place.text.clone(),
            }),
        }
    }
}
