//! Diagnostics: what is wrong with a rule or a pack, where, and what to write instead.

use std::{fmt, ops::Range};

/// A range of bytes in an expression.
pub type Span = Range<usize>;

/// How many characters of a source line a rendered diagnostic shows at most.
const EXCERPT_CHARS_MAX: usize = 96;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// What kind of mistake a diagnostic reports. The names are stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $($(#[$doc])* $variant,)* }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stable name, `snake_case`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

codes! {
    /// The text is not an expression.
    Syntax = "syntax",
    /// A limit on length, nesting, nodes, rules or file size is passed.
    TooLong = "too_long",
    /// No such field, list or attribute.
    UnknownField = "unknown_field",
    /// No such function, method or window function.
    UnknownFunction = "unknown_function",
    /// Operands of types that do not go together.
    TypeMismatch = "type_mismatch",
    /// Amounts of different currencies meet without conversion.
    CurrencyMismatch = "currency_mismatch",
    /// No exchange rate for the currency of a literal.
    RateMissing = "rate_missing",
    /// A number, `money` or `duration` literal that says nothing.
    BadLiteral = "bad_literal",
    /// A window that is malformed, empty or longer than 400 days.
    BadWindow = "bad_window",
    /// A window filter outside its small language.
    BadFilter = "bad_filter",
    /// A condition that no event can change.
    ConstantCondition = "constant_condition",
    /// A closed field is compared with a word it never holds.
    StringUnknownValue = "string_unknown_value",
    /// The file is not YAML of the documented shape.
    PackMalformed = "pack_malformed",
    /// An identifier is not `snake_case`.
    BadIdentifier = "bad_identifier",
    /// Two rules or two packs share an identifier.
    DuplicateId = "duplicate_id",
    /// The rule lacks an example that hits or one that misses.
    ExamplesMissing = "examples_missing",
    /// The rule lacks its reason.
    ReasonMissing = "reason_missing",
    /// The rule does not say why it exists.
    SourceMissing = "source_missing",
    /// A score outside 0 to 1000.
    ScoreOutOfRange = "score_out_of_range",
    /// A decision table or scorecard that is not put together right.
    TableMalformed = "table_malformed",
    /// A named expression that is cyclic or doubled, has a name already taken, or is not there.
    BadDefinition = "bad_definition",
    /// `hold_minutes` and action `hold` go together.
    HoldMinutes = "hold_minutes",
    /// An example gives something the rule cannot read.
    ExampleMalformed = "example_malformed",
    /// An example does not behave as it says.
    ExampleFailed = "example_failed",
    /// No event can make the condition true.
    NeverTrue = "never_true",
    /// No event can make the condition false.
    AlwaysTrue = "always_true",
    /// Two rules of one engine and stage have the same condition.
    DuplicateCondition = "duplicate_condition",
    /// A rule fires only when another one fires too, and adds nothing to it.
    Subsumed = "subsumed",
    /// The condition may take more steps than a rule may.
    CostTooHigh = "cost_too_high",
}

/// How much a diagnostic matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth a look.
    Warning,
    /// Keeps the rules from being published.
    Error,
}

impl Code {
    /// How much a mistake of this kind matters.
    pub fn severity(self) -> Severity {
        match self {
            Self::AlwaysTrue | Self::Subsumed => Severity::Warning,
            _ => Severity::Error,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One mistake. Its text form is what a compiler would print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of mistake.
    pub code: Code,
    /// The rule or file; none for a lone expression.
    pub origin: Option<Box<Origin>>,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
    /// Where in the expression `when`, in bytes.
    pub span: Option<Span>,
    /// The place in the expression for people.
    pub place: Option<Box<Place>>,
}

/// Where a rule or another part of a pack comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file, as named by the caller.
    pub file: String,
    /// The line of the file where the rule or the mistake begins, from 1, if it is known.
    pub line: Option<usize>,
    /// Full identifier of the rule, `pack.rule`; none outside a rule.
    pub rule: Option<String>,
    /// The part of the rule or pack, such as ``column `limit` ``; none if it has no parts.
    pub part: Option<String>,
}

/// A place in an expression for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Line within the expression, from 1.
    pub line: usize,
    /// Column within the line in characters, from 1.
    pub column: usize,
    /// How many characters of the line are meant; at least 1.
    pub width: usize,
    /// The line itself.
    pub text: String,
}

impl Diagnostic {
    /// A mistake that has no place in an expression.
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            origin: None,
            message: message.into(),
            hint: None,
            span: None,
            place: None,
        }
    }

    /// A mistake at a place in an expression.
    pub(crate) fn at(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            span: Some(span),
            ..Self::new(code, message)
        }
    }

    /// Adds what to write instead.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds "did you mean" if one of the candidates is close to the word.
    pub(crate) fn did_you_mean<'a>(
        self,
        word: &str,
        candidates: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        match closest(word, candidates) {
            Some(candidate) => self.hint(format!("did you mean `{candidate}`?")),
            None => self,
        }
    }

    /// Fills in the place for people from the text of the expression.
    pub(crate) fn located(mut self, source: &str) -> Self {
        self.place = self
            .span
            .as_ref()
            .map(|span| Box::new(Place::of(span, source)));
        self
    }

    /// Fills in the place for people, counted from the beginning of one part of the source.
    pub(crate) fn located_within(mut self, source: &str, part: &Span) -> Self {
        let text = source.get(part.clone()).unwrap_or("");
        self.place = self.span.as_ref().map(|span| {
            let within = |at: usize| at.saturating_sub(part.start);
            Box::new(Place::of(&(within(span.start)..within(span.end)), text))
        });
        self
    }

    /// Says which part of an expression is meant.
    pub(crate) fn spanning(mut self, span: Span, source: &str) -> Self {
        self.span = Some(span);
        self.located(source)
    }

    /// Says in which rule of which file the mistake is.
    pub(crate) fn in_rule(self, file: &str, line: usize, rule: &str) -> Self {
        let (line, rule) = (Some(line), Some(rule.to_owned()));
        self.with_origin(Origin {
            file: file.to_owned(),
            line,
            rule,
            part: None,
        })
    }

    /// Says in which part of the rule or file the mistake is.
    pub(crate) fn in_part(mut self, part: &str) -> Self {
        if let Some(origin) = &mut self.origin {
            origin.part = Some(part.to_owned());
        }
        self
    }

    /// Says in which file the mistake is.
    pub(crate) fn in_file(self, file: &str, line: Option<usize>) -> Self {
        self.with_origin(Origin {
            file: file.to_owned(),
            line,
            rule: None,
            part: None,
        })
    }

    fn with_origin(mut self, origin: Origin) -> Self {
        self.origin = Some(Box::new(origin));
        self
    }

    /// The diagnostic as a compiler would print it.
    pub fn render(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = self.code.severity();
        write!(f, "{severity}[{}]: {}", self.code, self.message)?;
        if let Some(origin) = &self.origin {
            write!(f, "\n  --> {origin}")?;
        }
        if let Some(place) = &self.place {
            write!(f, "{place}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  = hint: {hint}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(rule) = &self.rule {
            write!(f, " rule {rule}")?;
        }
        if let Some(part) = &self.part {
            write!(f, " {part}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, column) = self.shortened();
        let label = format!("{}:{}", self.line, self.column);
        let margin = " ".repeat(label.len());
        let indent = " ".repeat(column);
        let carets = "^".repeat(
            self.width
                .min(text.chars().count().saturating_sub(column).max(1)),
        );
        write!(
            f,
            "\n {margin} |\n {label} | {text}\n {margin} | {indent}{carets}"
        )
    }
}

impl Place {
    fn of(span: &Span, source: &str) -> Self {
        let before = source.get(..span.start).unwrap_or(source);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let text = source
            .get(start..)
            .unwrap_or("")
            .lines()
            .next()
            .unwrap_or("");
        let marked = source
            .get(span.clone())
            .unwrap_or("")
            .lines()
            .next()
            .unwrap_or("");
        Self {
            line: before.matches('\n').count() + 1,
            column: source
                .get(start..before.len())
                .unwrap_or("")
                .chars()
                .count()
                + 1,
            width: marked.chars().count().max(1),
            text: text.replace('\t', " "),
        }
    }

    /// The part of a long line around the mistake, and the column in it, from 0.
    fn shortened(&self) -> (String, usize) {
        let column = self.column - 1;
        let length = self.text.chars().count();
        if length <= EXCERPT_CHARS_MAX {
            return (self.text.clone(), column);
        }
        let start = column
            .saturating_sub(EXCERPT_CHARS_MAX / 2)
            .min(length - EXCERPT_CHARS_MAX);
        let middle: String = self
            .text
            .chars()
            .skip(start)
            .take(EXCERPT_CHARS_MAX)
            .collect();
        let head = if start > 0 { "…" } else { "" };
        let tail = if start + EXCERPT_CHARS_MAX < length {
            "…"
        } else {
            ""
        };
        (
            format!("{head}{middle}{tail}"),
            column - start + head.chars().count(),
        )
    }
}

/// The candidate nearest to a word, if it is near enough to be a slip: at most one edit per three
/// characters, swapped neighbours counted once; or the candidate that the word abbreviates.
pub(crate) fn closest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let length = word.chars().count();
    let edits_max = (length / 3).max(1);
    let edits = |candidate: &str| match candidate.starts_with(word) && length >= 4 {
        true => 1,
        false => edit_distance(word, candidate),
    };
    candidates
        .into_iter()
        .map(|candidate| (edits(candidate), candidate))
        .filter(|(edits, _)| *edits <= edits_max)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// Optimal string alignment distance.
fn edit_distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().take(64).collect();
    let right: Vec<char> = right.chars().take(64).collect();
    let mut rows = vec![vec![0; right.len() + 1]; left.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=right.len()).collect();
    for i in 1..=left.len() {
        for j in 1..=right.len() {
            let differs = usize::from(left[i - 1] != right[j - 1]);
            let mut edits = (rows[i - 1][j] + 1)
                .min(rows[i][j - 1] + 1)
                .min(rows[i - 1][j - 1] + differs);
            if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                edits = edits.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = edits;
        }
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_count_swapped_neighbours_once() {
        for (left, right, edits) in [
            ("", "ab", 2),
            ("payer", "payer", 0),
            ("crad", "card", 1),
            ("cuont", "count", 1),
        ] {
            assert_eq!(edit_distance(left, right), edits, "{left} {right}");
        }
        assert_eq!(
            closest("payer.contry", ["payer.country", "payee.country"]),
            Some("payer.country")
        );
        assert_eq!(closest("zebra", ["card", "account"]), None);
    }

    #[test]
    fn a_long_line_is_shown_around_the_mistake() {
        let source = format!("{}{}{}", "a && ".repeat(40), "wrong", " && b".repeat(40));
        let diagnostic = Diagnostic::at(Code::Syntax, 200..205, "here").located(&source);
        let text = diagnostic.render();
        let lines: Vec<&str> = text.lines().collect();
        let caret = lines[3].chars().position(|c| c == '^').unwrap();
        let shown: String = lines[2].chars().skip(caret).take(5).collect();
        assert_eq!(shown, "wrong");
        assert!(lines.iter().all(|line| line.chars().count() < 120));
    }
}
