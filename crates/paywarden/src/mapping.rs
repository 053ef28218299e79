//! How the columns of somebody's labelled file become events and labels: read from a data file.
//!
//! *Invariant*: the label and the scenario never reach the server inside an event; a mapping that
//! would send their column is refused.

mod source;
#[cfg(test)]
mod tests;

use crate::{
    entities::{ENTITY_PATHS, Entities},
    failure::{Failure, Result},
};
use bytes::Bytes;
use csv::StringRecord;
use paywarden_domain::{
    Currency, Label, LabelSource, LabelVerdict, Money, PaymentId, Timestamp, time,
};
use serde::Deserialize;
use serde_json::{Map, Value};
use source::{Bound, Form, Source, SourceFile};
use std::{collections::BTreeMap, fs, sync::Arc};

/// The mappings inside this binary, by name.
pub const SHIPPED: &[(&str, &str)] = &[
    ("handbook", include_str!("../mappings/handbook.toml")),
    ("sparkov", include_str!("../mappings/sparkov.toml")),
];

/// A mapping as written, not yet tied to the columns of a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Its name.
    pub name: String,
    /// What kind of file it reads.
    pub about: String,
    id: SourceFile,
    occurred_at: SourceFile,
    amount: Option<AmountFile>,
    #[serde(default)]
    constants: BTreeMap<String, toml::Value>,
    #[serde(default)]
    columns: BTreeMap<String, SourceFile>,
    label: Option<LabelFile>,
    scenario: Option<ScenarioFile>,
    /// The column that says how many payments a row stands for; every row for itself if none.
    stands_for: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AmountFile {
    column: String,
    currency: Currency,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelFile {
    column: String,
    delay: String,
    source: LabelSource,
    verdicts: BTreeMap<String, LabelVerdict>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScenarioFile {
    column: String,
    #[serde(default)]
    names: BTreeMap<String, String>,
}

/// The most payments that one row stands for.
const STANDS_FOR_MAX: u32 = 1_000;

/// One row, ready to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Line in the file, from 1, the header included.
    pub line: u64,
    /// The payment's identifier.
    pub id: PaymentId,
    /// When the payment happened.
    pub occurred_at: Timestamp,
    /// The amount in minor units of the report's currency, for the report alone; 0 without one.
    pub amount_minor: i64,
    /// The event as JSON.
    pub body: Bytes,
    /// Whether it was fraud, for the report alone.
    pub fraud: bool,
    /// The kind of fraud, for the report alone.
    pub scenario: Option<Arc<str>>,
    /// How many payments it stands for where truths are counted: 1, unless a control group was drawn
    /// from those like it.
    pub stands_for: u32,
    /// What will be said of the payment later, if anything.
    pub label: Option<LateLabel>,
    /// A hash of each entity that the event names.
    pub entities: Vec<u64>,
}

/// A label and the time from which it is known.
#[derive(Debug, Clone, PartialEq)]
pub struct LateLabel {
    /// When it becomes known.
    pub known_at: Timestamp,
    /// The label as JSON.
    pub body: Bytes,
}

impl LateLabel {
    /// A label that becomes known at a time.
    pub fn new(label: &Label, known_at: Timestamp) -> Result<Self, serde_json::Error> {
        let mut body = serde_json::to_value(label)?;
        if let Some(members) = body.as_object_mut() {
            members.insert("known_at".into(), known_at.to_string().into());
        }
        Ok(Self {
            known_at,
            body: serde_json::to_vec(&body)?.into(),
        })
    }
}

/// A mapping tied to the header of one file.
pub struct RowReader {
    id: Bound,
    occurred_at: Bound,
    amount: Option<(Bound, Currency)>,
    event: Vec<(String, Node)>,
    entities: Vec<(&'static str, Bound)>,
    label: Option<LabelReader>,
    scenario: Option<(Bound, BTreeMap<String, Arc<str>>)>,
    stands_for: Option<Bound>,
}

struct LabelReader {
    column: Bound,
    verdicts: BTreeMap<String, LabelVerdict>,
    source: LabelSource,
    delay_us: i64,
}

enum Node {
    Object(Vec<(String, Node)>),
    Constant(Value),
    Column(Bound, Form),
}

impl Mapping {
    /// The shipped mapping of this name, or the mapping in the file at this path.
    pub fn find(name_or_path: &str) -> Result<Self> {
        if let Some((_, text)) = SHIPPED.iter().find(|(name, _)| *name == name_or_path) {
            return Self::parse(text);
        }
        let names: Vec<&str> = SHIPPED.iter().map(|(name, _)| *name).collect();
        let text = fs::read_to_string(name_or_path).map_err(|error| {
            Failure::wrong_use(
                format!("no mapping `{name_or_path}`: {error}"),
                format!(
                    "use one of {} or the path of your own file",
                    names.join(", ")
                ),
            )
        })?;
        Self::parse(&text)
    }

    /// Reads a mapping; refuses unknown keys and anything that would tell the server the label.
    pub fn parse(text: &str) -> Result<Self> {
        let mapping: Self = toml::from_str(text).map_err(|error| {
            wrong(format!(
                "the mapping does not parse: {}",
                error.to_string().trim_end()
            ))
        })?;
        if let Some(label) = &mapping.label {
            label.delay_us()?;
        }
        let secret = [
            mapping.label.as_ref().map(|label| &label.column),
            mapping.scenario.as_ref().map(|scenario| &scenario.column),
        ];
        let sources = mapping
            .columns
            .values()
            .chain([&mapping.id, &mapping.occurred_at]);
        for column in sources.flat_map(SourceFile::columns) {
            if secret.contains(&Some(column)) {
                return Err(wrong(format!(
                    "column `{column}` is the answer: do not send it"
                )));
            }
        }
        Ok(mapping)
    }

    /// The currency of its amounts; USD if it has none.
    pub fn currency(&self) -> Currency {
        self.amount
            .as_ref()
            .map_or_else(crate::config::usd, |amount| amount.currency)
    }

    /// Ties the mapping to the columns of a file; every column that it names must be there.
    pub fn bind(&self, header: &StringRecord) -> Result<RowReader> {
        let bind = |file: &SourceFile| Source::new(file).bind(header).map_err(wrong);
        let one = |column: &str| Source::column(column).bind(header).map_err(wrong);
        let mut event = Vec::new();
        let mut entities = Vec::new();
        for (path, value) in &self.constants {
            let value = serde_json::to_value(value).map_err(|error| wrong(error.to_string()))?;
            place(&mut event, path, Node::Constant(value)).map_err(wrong)?;
        }
        for (path, file) in &self.columns {
            place(&mut event, path, Node::Column(bind(file)?, file.form())).map_err(wrong)?;
            if let Some((_, kind)) = ENTITY_PATHS.iter().find(|(entity, _)| entity == path) {
                entities.push((*kind, bind(file)?));
            }
        }
        Ok(RowReader {
            id: bind(&self.id)?,
            occurred_at: bind(&self.occurred_at)?,
            amount: match &self.amount {
                Some(amount) => Some((one(&amount.column)?, amount.currency)),
                None => None,
            },
            event,
            entities,
            label: match &self.label {
                Some(label) => Some(LabelReader {
                    column: one(&label.column)?,
                    verdicts: label.verdicts.clone(),
                    source: label.source,
                    delay_us: label.delay_us()?,
                }),
                None => None,
            },
            scenario: match &self.scenario {
                Some(scenario) => Some((one(&scenario.column)?, scenario.names())),
                None => None,
            },
            stands_for: self.stands_for.as_deref().map(one).transpose()?,
        })
    }
}

impl LabelFile {
    fn delay_us(&self) -> Result<i64> {
        parse_duration(&self.delay).ok_or_else(|| {
            wrong(format!(
                "`{}` is no delay: write a number and s, m, h or d",
                self.delay
            ))
        })
    }
}

impl ScenarioFile {
    fn names(&self) -> BTreeMap<String, Arc<str>> {
        let name = |(value, name): (&String, &String)| (value.clone(), Arc::from(name.as_str()));
        self.names.iter().map(name).collect()
    }
}

fn wrong(what: impl Into<String>) -> Failure {
    Failure::wrong_use(
        what.into(),
        "correct the mapping; mappings/handbook.toml is an example",
    )
}

/// Reads `90s`, `30m`, `12h` or `7d` as microseconds.
pub fn parse_duration(text: &str) -> Option<i64> {
    let unit = match text.chars().next_back()? {
        's' => time::SECOND,
        'm' => time::MINUTE,
        'h' => time::HOUR,
        'd' => time::DAY,
        _ => return None,
    };
    let number: u32 = text.get(..text.len() - 1)?.parse().ok()?;
    i64::from(number).checked_mul(unit)
}

/// Puts a node at a dotted path.
fn place(object: &mut Vec<(String, Node)>, path: &str, node: Node) -> Result<(), String> {
    let (head, rest) = path
        .split_once('.')
        .map_or((path, None), |(head, rest)| (head, Some(rest)));
    let found = object
        .iter_mut()
        .find(|(name, _)| name == head)
        .map(|(_, node)| node);
    match (found, rest) {
        (None, None) => object.push((head.to_owned(), node)),
        (Some(Node::Object(inner)), Some(rest)) => place(inner, rest, node)?,
        (None, Some(rest)) => {
            let mut inner = Vec::new();
            place(&mut inner, rest, node)?;
            object.push((head.to_owned(), Node::Object(inner)));
        }
        (Some(_), _) => return Err(format!("`{path}` is given twice")),
    }
    Ok(())
}

impl RowReader {
    /// Reads one row. The error says what is wrong with it, without the value.
    pub fn read(&self, line: u64, record: &StringRecord) -> Result<Row, String> {
        let id = self.id.text(record).ok_or("the id is empty")?;
        let id = PaymentId::parse(&id).map_err(|invalid| invalid.to_string())?;
        let time = self.occurred_at.text(record).ok_or("the time is empty")?;
        let occurred_at = Timestamp::parse(&time).map_err(|invalid| invalid.to_string())?;
        let amount = self.amount(record)?;
        let mut event = object(&self.event, record)?;
        event.insert("id".into(), id.as_str().into());
        event.insert("occurred_at".into(), occurred_at.to_string().into());
        if let Some(amount) = amount {
            event.insert(
                "amount".into(),
                serde_json::to_value(amount).map_err(|e| e.to_string())?,
            );
        }
        let body = serde_json::to_vec(&event)
            .map_err(|error| error.to_string())?
            .into();
        let verdict = self.verdict(record);
        let label = self.late_label(verdict, &id, occurred_at)?;
        Ok(Row {
            line,
            id,
            occurred_at,
            amount_minor: amount.map_or(0, |amount| amount.minor),
            body,
            fraud: verdict.is_some_and(LabelVerdict::is_fraud),
            scenario: self.scenario(record),
            stands_for: self.stands_for(record)?,
            label,
            entities: self.entities(record),
        })
    }

    fn amount(&self, record: &StringRecord) -> Result<Option<Money>, String> {
        let Some((source, currency)) = &self.amount else {
            return Ok(None);
        };
        let text = source.text(record).ok_or("the amount is empty")?;
        Money::parse(&text, *currency)
            .map(Some)
            .map_err(|invalid| invalid.to_string())
    }

    fn verdict(&self, record: &StringRecord) -> Option<LabelVerdict> {
        let label = self.label.as_ref()?;
        label
            .verdicts
            .get(label.column.text(record)?.as_ref())
            .copied()
    }

    fn late_label(
        &self,
        verdict: Option<LabelVerdict>,
        payment_id: &PaymentId,
        occurred_at: Timestamp,
    ) -> Result<Option<LateLabel>, String> {
        let (Some(reader), Some(verdict)) = (&self.label, verdict) else {
            return Ok(None);
        };
        let payment_id = payment_id.clone();
        let label = Label {
            payment_id,
            verdict,
            source: reader.source,
            occurred_at: None,
        };
        let known_at = Timestamp::from_micros(occurred_at.micros() + reader.delay_us);
        LateLabel::new(&label, known_at)
            .map(Some)
            .map_err(|error| error.to_string())
    }

    fn scenario(&self, record: &StringRecord) -> Option<Arc<str>> {
        let (source, names) = self.scenario.as_ref()?;
        names.get(source.text(record)?.as_ref()).cloned()
    }

    /// A row without a word on it stands for itself.
    fn stands_for(&self, record: &StringRecord) -> Result<u32, String> {
        let text = self
            .stands_for
            .as_ref()
            .and_then(|source| source.text(record));
        let number = text.map_or(Some(1), |text| text.parse().ok());
        number
            .filter(|number| *number <= STANDS_FOR_MAX)
            .ok_or_else(|| format!("a row stands for 0 to {STANDS_FOR_MAX} payments"))
    }

    fn entities(&self, record: &StringRecord) -> Vec<u64> {
        let mut entities = Entities::default();
        for (kind, source) in &self.entities {
            if let Some(value) = source.text(record) {
                entities.add(kind, &value);
            }
        }
        entities.into_hashes()
    }
}

fn object(members: &[(String, Node)], record: &StringRecord) -> Result<Map<String, Value>, String> {
    let mut map = Map::new();
    for (name, node) in members {
        let value = match node {
            Node::Constant(value) => Some(value.clone()),
            Node::Column(source, form) => source.value(record, *form)?,
            Node::Object(inner) => Some(object(inner, record)?)
                .filter(|inner| !inner.is_empty())
                .map(Value::Object),
        };
        if let Some(value) = value {
            map.insert(name.clone(), value);
        }
    }
    Ok(map)
}
