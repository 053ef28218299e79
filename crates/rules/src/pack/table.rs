//! Decision tables: one condition template per column, one rule per row.

use super::{
    OnFault, ReasonSource, Stage,
    composed::{Composed, Piece},
    written::{Found, Pairs, WrittenExample, WrittenRule, WrittenWarning, is_snake_case, line_of},
};
use crate::{
    diagnostic::closest,
    format::power,
    lexer::{self, Token},
    parser::parse,
    syntax::UNARY_POWER,
};
use paywarden_domain::{Engine, Outcome};
use serde::{Deserialize, Deserializer, de};
use serde_saphyr::Spanned;
use std::{collections::HashSet, fmt};

/// How many columns a table may have.
pub const TABLE_COLUMNS_MAX: usize = 16;
/// The cell that leaves its column out.
const ANY: &str = "-";
/// Keys of a row that are no columns.
const ROW_KEYS: &[&str] = &[
    "id",
    "title",
    "name_zh",
    "score",
    "action",
    "hold_minutes",
    "reason",
    "warning",
    "stage",
    "on_fault",
];

/// A table as YAML has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenTable {
    id: Spanned<String>,
    title: String,
    title_zh: Option<String>,
    engine: Engine,
    when: Option<Spanned<String>>,
    inputs: Pairs<Spanned<String>>,
    score: Option<i64>,
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
    rows: Vec<WrittenRow>,
    #[serde(default)]
    examples: Vec<RowExample>,
}

/// An example of one row.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RowExample {
    hit: bool,
    row: String,
    #[serde(default)]
    name: String,
    given: Pairs<String>,
}

/// A row: its cells, and what it says otherwise than the table.
#[derive(Default)]
struct WrittenRow {
    id: Option<Spanned<String>>,
    title: Option<String>,
    /// What the row is called in Chinese, behind the title of the table.
    name_zh: Option<String>,
    score: Option<i64>,
    action: Option<Outcome>,
    hold_minutes: Option<u32>,
    reason: Option<ReasonSource>,
    warning: Option<WrittenWarning>,
    stage: Option<Stage>,
    on_fault: Option<OnFault>,
    cells: Vec<(String, Spanned<String>)>,
}

/// A column: the text of its template around the `?`.
struct Column {
    name: String,
    label: String,
    before: String,
    after: String,
}

impl WrittenTable {
    /// One rule per row.
    pub(super) fn unfold(self, found: &mut Found) {
        self.check(found);
        let when = self.when.as_ref();
        let when = when.and_then(|when| found.piece(&self.id.value, when, "`when`"));
        let inputs = self.inputs.0.iter();
        let columns: Vec<Column> = inputs
            .filter_map(|(name, template)| Column::read(&self.id, name, template, found))
            .collect();
        // Rows of a table whose columns are wrong would only repeat the mistakes.
        if columns.len() < self.inputs.0.len() {
            return;
        }
        let table = Table {
            id: self.id,
            title: self.title,
            title_zh: self.title_zh,
            engine: self.engine,
            when,
            columns,
            score: self.score,
            action: self.action,
            hold_minutes: self.hold_minutes,
            reason: self.reason,
            warning: self.warning,
            stage: self.stage,
            on_fault: self.on_fault,
            source: self.source,
            false_positives: self.false_positives,
        };
        let mut examples = self.examples;
        for row in self.rows {
            let own = examples.extract_if(.., |example| example.row == row.name());
            let own = own.map(WrittenExample::from).collect();
            let rule = table.rule(row, own, found);
            found.rules.extend(rule);
        }
    }

    fn check(&self, found: &mut Found) {
        let columns = self.inputs.0.len();
        let has_example = |hit| self.examples.iter().any(|example| example.hit == hit);
        let checks = [
            (columns == 0, "the table has no `inputs`"),
            (columns > TABLE_COLUMNS_MAX, "a table has at most 16 inputs"),
            (self.rows.is_empty(), "the table has no `rows`"),
            (
                !has_example(true),
                "the table lacks an example with `hit: true`",
            ),
            (
                !has_example(false),
                "the table lacks an example with `hit: false`",
            ),
        ];
        for (_, message) in checks.into_iter().filter(|(wrong, _)| *wrong) {
            found.wrong(&self.id, message);
        }
        let rows: HashSet<&str> = self.rows.iter().map(WrittenRow::name).collect();
        for RowExample { row, name, .. } in &self.examples {
            if !rows.contains(row.as_str()) {
                let near = closest(row, rows.iter().copied());
                let near = near.map_or(String::new(), |near| format!(": did you mean `{near}`?"));
                let message = format!("example \"{name}\": there is no row `{row}`{near}");
                found.wrong(&self.id, message);
            }
        }
    }
}

impl From<RowExample> for WrittenExample {
    fn from(
        RowExample {
            hit, name, given, ..
        }: RowExample,
    ) -> Self {
        Self { hit, name, given }
    }
}

impl Column {
    fn read(
        table: &Spanned<String>,
        name: &str,
        template: &Spanned<String>,
        found: &mut Found,
    ) -> Option<Self> {
        if ROW_KEYS.contains(&name) || !is_snake_case(name) {
            let message = "an input is named in snake_case, and not like another key of a row";
            found.wrong(table, format!("`{name}`: {message}"));
            return None;
        }
        let label = format!("column `{name}`");
        let source = template.value.as_str();
        let (tokens, _) = lexer::tokens(source);
        let mut places = tokens
            .iter()
            .filter(|(token, _)| *token == Token::Symbol("?"));
        let (Some((_, place)), None) = (places.next(), places.next()) else {
            let message = "has exactly one `?`, where the cell goes";
            found.wrong(table, format!("the template of {label} {message}"));
            return None;
        };
        let before = source.get(..place.start).unwrap_or("").to_owned();
        let after = source.get(place.end..).unwrap_or("").to_owned();
        // With a value in its place the template must be an expression.
        let problems = parse(&format!("{before}0{after}")).problems;
        if !problems.is_empty() {
            let problems = problems.into_iter().map(|problem| problem.located(source));
            found.wrong_piece(&table.value, line_of(template), &label, problems.collect());
            return None;
        }
        Some(Self {
            name: name.to_owned(),
            label,
            before,
            after,
        })
    }

    /// The condition that a cell makes of the template.
    fn filled(&self, row: &str, cell: &Spanned<String>, found: &mut Found) -> Option<Piece> {
        let value = found
            .piece(row, cell, &format!("cell of {}", self.label))?
            .expr;
        let cell_text = match power(&value) < UNARY_POWER {
            true => format!("({value})"),
            false => value.to_string(),
        };
        let text = format!("{}{cell_text}{}", self.before, self.after);
        found.piece_of_text(row, &text, line_of(cell), &self.label)
    }
}

/// A table whose pieces have been read: what it says for all its rows.
struct Table {
    id: Spanned<String>,
    title: String,
    title_zh: Option<String>,
    engine: Engine,
    when: Option<Piece>,
    columns: Vec<Column>,
    score: Option<i64>,
    action: Option<Outcome>,
    hold_minutes: Option<u32>,
    reason: Option<ReasonSource>,
    warning: Option<WrittenWarning>,
    stage: Stage,
    on_fault: OnFault,
    source: String,
    false_positives: Option<String>,
}

impl Table {
    fn rule(
        &self,
        row: WrittenRow,
        examples: Vec<WrittenExample>,
        found: &mut Found,
    ) -> Option<WrittenRule> {
        let Some(row_id) = &row.id else {
            found.wrong(&self.id, "a row lacks its `id`");
            return None;
        };
        let id = Spanned {
            value: format!("{}.{}", self.id.value, row_id.value),
            ..row_id.clone()
        };
        let composed = row.condition(&id, self, found)?;
        let Some(score) = row.score.or(self.score) else {
            found.wrong(&id, "neither the row nor the table has a `score`");
            return None;
        };
        let action = row.action.or(self.action);
        let holds = |_: &u32| action == Some(Outcome::Hold);
        let title = || format!("{}: {}", self.title, row_id.value.replace('_', " "));
        if row.name_zh.is_some() && self.title_zh.is_none() {
            found.wrong(
                &id,
                "`name_zh` stands behind the `title_zh` of the table, which has none",
            );
        }
        let title_zh = self.title_zh.as_ref().zip(row.name_zh);
        let title_zh = title_zh.map(|(table, row)| format!("{table}：{row}"));
        Some(WrittenRule {
            title: row.title.unwrap_or_else(title),
            title_zh,
            engine: Some(self.engine),
            when: composed.text,
            parts: composed.parts,
            score,
            action: action.map(|action| action.name().to_owned()),
            hold_minutes: row.hold_minutes.or(self.hold_minutes.filter(holds)),
            reason: row.reason.or_else(|| self.reason.clone()),
            warning: row.warning.or_else(|| self.warning.clone()),
            stage: row.stage.unwrap_or(self.stage),
            on_fault: row.on_fault.unwrap_or(self.on_fault),
            source: self.source.clone(),
            false_positives: self.false_positives.clone(),
            examples,
            id,
        })
    }
}

impl WrittenRow {
    fn name(&self) -> &str {
        self.id.as_ref().map_or("", |id| &id.value)
    }

    /// What is common to all rows, and each column that the row does not leave out.
    fn condition(
        &self,
        id: &Spanned<String>,
        table: &Table,
        found: &mut Found,
    ) -> Option<Composed> {
        let (when, columns) = (&table.when, &table.columns);
        let mut composed = Composed::default();
        when.iter().for_each(|when| composed.and(when));
        let mistakes_before = found.mistakes.len();
        for column in columns {
            match self.cells.iter().find(|(name, _)| *name == column.name) {
                None => found.wrong(id, format!("no cell for {}: `-` means any", column.label)),
                Some((_, cell)) if cell.value.trim() == ANY => {}
                Some((_, cell)) => {
                    let piece = column.filled(&id.value, cell, found);
                    piece.iter().for_each(|piece| composed.and(piece));
                }
            }
        }
        let known = || columns.iter().map(|column| column.name.as_str());
        for (name, _) in &self.cells {
            if !known().any(|column| column == name) {
                let all = || known().collect::<Vec<_>>().join(", ");
                let hint = closest(name, known().chain(ROW_KEYS.iter().copied()));
                let hint = hint.map_or_else(all, str::to_owned);
                found.wrong(id, format!("there is no input `{name}`, but: {hint}"));
            }
        }
        if composed.text.is_empty() && found.mistakes.len() == mistakes_before {
            found.wrong(id, "the row asks nothing: every cell is `-`");
        }
        (found.mistakes.len() == mistakes_before).then_some(composed)
    }
}

impl<'de> Deserialize<'de> for WrittenRow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Row;
        impl<'de> de::Visitor<'de> for Row {
            type Value = WrittenRow;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a row: its id, its cells, and what it says otherwise than the table")
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<WrittenRow, A::Error> {
                let mut row = WrittenRow::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "id" => row.id = Some(map.next_value()?),
                        "title" => row.title = Some(map.next_value()?),
                        "name_zh" => row.name_zh = Some(map.next_value()?),
                        "score" => row.score = Some(map.next_value()?),
                        "action" => row.action = Some(map.next_value()?),
                        "hold_minutes" => row.hold_minutes = Some(map.next_value()?),
                        "reason" => row.reason = Some(map.next_value()?),
                        "warning" => row.warning = Some(map.next_value()?),
                        "stage" => row.stage = Some(map.next_value()?),
                        "on_fault" => row.on_fault = Some(map.next_value()?),
                        _ => row.cells.push((key, map.next_value()?)),
                    }
                }
                Ok(row)
            }
        }
        deserializer.deserialize_map(Row)
    }
}
