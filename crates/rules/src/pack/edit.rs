//! Single rules inside the text of a pack: read one field by field, write it back, add one, take
//! one out. Everything else in the file stays as it was written, comments included.
//!
//! *Invariant*: what comes out says of every other rule what went in said; an edit for which that
//! does not hold is refused. Rows of tables and scorecards are edited as text.

use super::{
    PACK_BYTES_MAX,
    written::{WrittenExample, WrittenPack, WrittenRule},
};
use crate::diagnostic::{Code, Diagnostic};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_saphyr::UserMessageFormatter;
use std::ops::Range;

/// Longer lines of text are folded for the eye.
const LINE_CHARS: usize = 96;
/// How far the fields of a first rule are indented.
const INDENT: usize = 2;

/// One rule as an editor shows it: every field as text that may still be wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RuleText {
    /// Identifier within the pack.
    pub id: String,
    /// What it looks for.
    pub title: String,
    /// The same in Chinese; empty if it is not said.
    pub title_zh: String,
    /// `fraud` or `laundering`; empty for rules about acts.
    pub engine: String,
    /// The condition.
    pub when: String,
    /// Points, 0 to 1000.
    pub score: i64,
    /// What it asks for; empty if nothing.
    pub action: String,
    /// How long to hold, with action `hold`.
    pub hold_minutes: Option<u32>,
    /// The code of its reason.
    pub reason_code: String,
    /// Its reason for people.
    pub reason_text: String,
    /// The code of its warning; empty if it warns nobody.
    pub warning_code: String,
    /// The warning in English.
    pub warning_en: String,
    /// The warning in Chinese.
    pub warning_zh: String,
    /// `live`, `shadow` or `off`.
    pub stage: String,
    /// `open` or `closed`.
    pub on_fault: String,
    /// Why it exists.
    pub source: String,
    /// Typical innocent cases.
    pub false_positives: String,
    /// Its examples in YAML, as they stand behind `examples:`.
    pub examples: String,
}

/// The rules that a pack writes out one by one, in their order; none that a table or scorecard
/// makes. Whatever can be read is: mistakes within a rule are those of [`super::Pack::parse`].
pub fn written_rules(yaml: &str) -> Result<Vec<RuleText>, Diagnostic> {
    let written = read(yaml)?;
    Ok(written.rules.into_iter().map(RuleText::from).collect())
}

/// The text with a rule in the place of the one called `replaces`, or as the last one.
pub fn with_rule(
    yaml: &str,
    replaces: Option<&str>,
    rule: &RuleText,
) -> Result<String, Diagnostic> {
    let lines = Lines::of(yaml, &read(yaml)?)?;
    let text = match replaces {
        Some(id) => {
            let (place, indent) = lines.rule(id)?;
            lines.spliced(place, &rule.written(indent))
        }
        None => lines.spliced(lines.end.clone(), &lines.first(rule)),
    };
    kept(yaml, &text, replaces.unwrap_or(&rule.id), &rule.id)?;
    Ok(text)
}

/// The text without a rule.
pub fn without_rule(yaml: &str, id: &str) -> Result<String, Diagnostic> {
    let lines = Lines::of(yaml, &read(yaml)?)?;
    let (mut place, _) = lines.rule(id)?;
    // The blank line behind it goes with it.
    while lines
        .all
        .get(place.end)
        .is_some_and(|line| line.trim().is_empty())
    {
        place.end += 1;
    }
    let text = lines.spliced(place, "");
    kept(yaml, &text, id, id)?;
    Ok(text)
}

fn read(yaml: &str) -> Result<WrittenPack, Diagnostic> {
    if yaml.len() > PACK_BYTES_MAX {
        let message = format!("a pack has at most {PACK_BYTES_MAX} bytes");
        return Err(Diagnostic::new(Code::TooLong, message));
    }
    serde_saphyr::from_str(yaml).map_err(|error| {
        let message = error
            .without_snippet()
            .render_with_formatter(&UserMessageFormatter);
        Diagnostic::new(Code::PackMalformed, message)
    })
}

/// Refuses an edit that changed anything but the one rule.
fn kept(before: &str, after: &str, old: &str, new: &str) -> Result<(), Diagnostic> {
    let rest = |yaml: &str| -> Option<Value> {
        let mut pack: Value = serde_saphyr::from_str(yaml).ok()?;
        if let Some(Value::Array(rules)) = pack.get_mut("rules") {
            let is_it = |rule: &Value| {
                let id = rule.get("id").and_then(Value::as_str);
                id == Some(old) || id == Some(new)
            };
            rules.retain(|rule| !is_it(rule));
            if rules.is_empty()
                && let Value::Object(pack) = &mut pack
            {
                pack.remove("rules");
            }
        }
        Some(pack)
    };
    let (before, after) = (rest(before), rest(after));
    match after.is_some() && before == after {
        true => Ok(()),
        false => Err(unusual(
            "the file is not written in a way that can be edited by form",
        )),
    }
}

fn unusual(message: &str) -> Diagnostic {
    Diagnostic::new(Code::PackMalformed, message).hint("edit the pack as text".to_owned())
}

/// A file line by line, and where its rules stand.
struct Lines<'t> {
    all: Vec<&'t str>,
    /// Identifier, and the line where it stands, from 0.
    ids: Vec<(String, usize)>,
    /// Behind the last rule.
    end: Range<usize>,
    has_rules: bool,
}

impl<'t> Lines<'t> {
    fn of(yaml: &'t str, pack: &WrittenPack) -> Result<Self, Diagnostic> {
        let line = |rule: &WrittenRule| rule.line().saturating_sub(1);
        let ids = pack
            .rules
            .iter()
            .map(|rule| (rule.id.value.clone(), line(rule)));
        let mut lines = Self {
            all: yaml.lines().collect(),
            ids: ids.collect(),
            end: 0..0,
            has_rules: yaml.lines().any(|line| line.trim_end() == "rules:"),
        };
        let last = lines.ids.last().map(|(id, _)| id.clone());
        let end = match last {
            Some(id) => lines.rule(&id)?.0.end,
            None => lines.all.len(),
        };
        lines.end = end..end;
        Ok(lines)
    }

    /// The lines of a rule, blank ones behind it left out, and how far its dash is indented.
    fn rule(&self, id: &str) -> Result<(Range<usize>, usize), Diagnostic> {
        let mut known = self.ids.iter().filter(|(known, _)| known == id);
        let (Some((_, at)), None) = (known.next(), known.next()) else {
            return Err(unusual("the pack writes out no such rule, or two of them"));
        };
        let column = |line: &str| line.len() - line.trim_start().len();
        let above = self.all.get(..=*at).unwrap_or_default();
        let begins = |line: &&str| line.trim_start().starts_with("- ");
        let start = above.iter().rposition(begins);
        let start = start.ok_or_else(|| unusual("the rule does not begin with a dash"))?;
        let dash = column(above[start]);
        let ends = |line: &&str| !line.trim().is_empty() && column(line) <= dash;
        let rest = self.all.get(start + 1..).unwrap_or_default();
        let mut end = rest
            .iter()
            .position(ends)
            .map_or(self.all.len(), |place| start + 1 + place);
        while end > start + 1 && self.all[end - 1].trim().is_empty() {
            end -= 1;
        }
        Ok((start..end, dash))
    }

    /// A further rule, with all that stands before it.
    fn first(&self, rule: &RuleText) -> String {
        let dash = self.ids.last().and_then(|(id, _)| self.rule(id).ok());
        match dash {
            Some((_, dash)) => format!("\n{}", rule.written(dash)),
            None if self.has_rules => rule.written(INDENT),
            None => format!("\nrules:\n{}", rule.written(INDENT)),
        }
    }

    fn spliced(&self, place: Range<usize>, text: &str) -> String {
        let before = self.all.get(..place.start).unwrap_or_default();
        let after = self.all.get(place.end..).unwrap_or_default();
        let whole = before.iter().copied();
        let whole = whole.chain(text.lines()).chain(after.iter().copied());
        let mut whole = whole.collect::<Vec<_>>().join("\n");
        whole.push('\n');
        whole
    }
}

impl RuleText {
    /// As a pack has it, its dash indented so far.
    fn written(&self, dash: usize) -> String {
        let (first, next) = (" ".repeat(dash), " ".repeat(dash + 2));
        let mut text = format!("{first}- id: {}\n", scalar(&self.id));
        let mut field = |name: &str, value: String| {
            text.push_str(&format!("{next}{name}: {value}\n"));
        };
        let given = |value: &String| !value.trim().is_empty();
        field("title", scalar(&self.title));
        if given(&self.title_zh) {
            field("title_zh", scalar(&self.title_zh));
        }
        if given(&self.engine) {
            field("engine", scalar(&self.engine));
        }
        field("when", block(&self.when, dash + 4));
        field("score", self.score.to_string());
        if given(&self.action) {
            field("action", scalar(&self.action));
        }
        if let Some(minutes) = self.hold_minutes {
            field("hold_minutes", minutes.to_string());
        }
        if given(&self.reason_code) || given(&self.reason_text) {
            let (code, why) = (in_flow(&self.reason_code), in_flow(&self.reason_text));
            field("reason", format!("{{ code: {code}, text: {why} }}"));
        }
        if given(&self.warning_code) {
            field(
                "warning",
                format!("\n{next}  code: {}", scalar(&self.warning_code)),
            );
            field("  en", scalar(&self.warning_en));
            field("  zh", scalar(&self.warning_zh));
        }
        if given(&self.stage) {
            field("stage", scalar(&self.stage));
        }
        if given(&self.on_fault) && self.on_fault != "open" {
            field("on_fault", scalar(&self.on_fault));
        }
        field("source", scalar(&self.source));
        if given(&self.false_positives) {
            field("false_positives", scalar(&self.false_positives));
        }
        if given(&self.examples) {
            let inner = " ".repeat(dash + 4);
            text.push_str(&format!("{next}examples:\n"));
            for line in self.examples.lines().filter(|line| !line.trim().is_empty()) {
                text.push_str(&format!("{inner}{}\n", line.trim_end()));
            }
        }
        // A value that begins on the next line leaves a space behind its colon.
        text.replace(": \n", ":\n")
    }
}

impl From<WrittenRule> for RuleText {
    fn from(rule: WrittenRule) -> Self {
        let reason = rule.reason.as_ref();
        let warning = rule.warning.as_ref();
        let examples = rule.examples.iter().map(example).collect();
        Self {
            id: rule.id.value.clone(),
            title: rule.title.clone(),
            title_zh: rule.title_zh.clone().unwrap_or_default(),
            engine: rule.engine.map_or("", |engine| engine.name()).to_owned(),
            when: rule.when.trim().to_owned(),
            score: rule.score,
            action: rule.action.clone().unwrap_or_default(),
            hold_minutes: rule.hold_minutes,
            reason_code: reason.map(|reason| reason.code.clone()).unwrap_or_default(),
            reason_text: reason.map(|reason| reason.text.clone()).unwrap_or_default(),
            warning_code: warning
                .map(|warning| warning.code.clone())
                .unwrap_or_default(),
            warning_en: warning
                .map(|warning| warning.en.clone())
                .unwrap_or_default(),
            warning_zh: warning
                .map(|warning| warning.zh.clone())
                .unwrap_or_default(),
            stage: rule.stage.name().to_owned(),
            on_fault: rule.on_fault.name().to_owned(),
            source: rule.source.clone(),
            false_positives: rule.false_positives.clone().unwrap_or_default(),
            examples,
        }
    }
}

fn example(example: &WrittenExample) -> String {
    let mut text = format!("- hit: {}\n", example.hit);
    if !example.name.is_empty() {
        text.push_str(&format!("  name: {}\n", scalar(&example.name)));
    }
    if example.given.0.is_empty() {
        text.push_str("  given: {}\n");
        return text;
    }
    text.push_str("  given:\n");
    for (operand, value) in &example.given.0 {
        text.push_str(&format!("    {}: {}\n", scalar(operand), spelled(value)));
    }
    text
}

/// A value whose spelling counts, not its type: numbers and `true` need no quotes.
fn spelled(text: &str) -> String {
    let is_number = text.parse::<f64>().is_ok() && !text.starts_with('+');
    match is_number || ["true", "false"].contains(&text) {
        true => text.to_owned(),
        false => scalar(text),
    }
}

/// A text on one line, in quotes where YAML would read something else.
fn scalar(text: &str) -> String {
    match is_plain(text) {
        true => text.to_owned(),
        // JSON is YAML.
        false => Value::from(text).to_string(),
    }
}

/// The same inside braces.
fn in_flow(text: &str) -> String {
    match is_plain(text) && !text.contains([',', '[', ']', '{', '}']) {
        true => text.to_owned(),
        false => Value::from(text).to_string(),
    }
}

/// A condition, line by line where it has several or is long.
fn block(text: &str, indent: usize) -> String {
    let text = text.trim();
    let is_short = !text.contains('\n') && text.chars().count() <= LINE_CHARS;
    if text.is_empty()
        || text
            .chars()
            .any(|letter| letter.is_control() && letter != '\n')
    {
        return Value::from(text).to_string();
    }
    if is_short && is_plain(text) {
        return text.to_owned();
    }
    let indent = " ".repeat(indent);
    let lines = text.lines().map(|line| match line.trim_end() {
        "" => String::new(),
        line => format!("\n{indent}{line}"),
    });
    format!("|-{}", lines.collect::<String>())
}

/// Whether YAML reads the text as it is, without quotes.
fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 11] = [
        "true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf",
    ];
    let begins = |letter: char| letter.is_alphabetic();
    let is_word = WORDS.contains(&text.to_ascii_lowercase().as_str());
    text.starts_with(begins)
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.chars().any(char::is_control)
        && !is_word
}
