//! One value of an event: which columns it is made of and what is done to their text.

use csv::StringRecord;
use serde::Deserialize;
use serde_json::Value;
use std::{borrow::Cow, collections::BTreeMap};

/// A source as written: a column, several columns joined by spaces, or one with a change.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum SourceFile {
    /// The column as it is.
    Column(String),
    /// The columns joined by spaces.
    Joined(Vec<String>),
    /// The column with something done to it.
    Changed(Changed),
}

/// What is done to the text of a column, in this order.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changed {
    column: String,
    strip_prefix: Option<String>,
    #[serde(default)]
    words: BTreeMap<String, String>,
    otherwise: Option<String>,
    #[serde(default)]
    form: Form,
}

/// How a value is written in JSON.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// As a string.
    #[default]
    Text,
    /// As a number.
    Number,
    /// As true (`1`, `true`, `yes`) or false (`0`, `false`, `no`).
    Flag,
}

/// A source not yet tied to a file.
pub struct Source<'a> {
    columns: Vec<&'a str>,
    changed: Option<&'a Changed>,
}

/// A source tied to the columns of one file.
pub struct Bound {
    places: Vec<usize>,
    strip_prefix: String,
    words: BTreeMap<String, String>,
    otherwise: Option<String>,
}

impl SourceFile {
    /// The columns that it reads.
    pub fn columns(&self) -> &[String] {
        match self {
            Self::Column(column) => std::slice::from_ref(column),
            Self::Joined(columns) => columns,
            Self::Changed(changed) => std::slice::from_ref(&changed.column),
        }
    }

    /// How its value is written.
    pub fn form(&self) -> Form {
        match self {
            Self::Changed(changed) => changed.form,
            _ => Form::Text,
        }
    }
}

impl<'a> Source<'a> {
    /// The source as written.
    pub fn new(file: &'a SourceFile) -> Self {
        let changed = match file {
            SourceFile::Changed(changed) => Some(changed),
            _ => None,
        };
        Self {
            columns: file.columns().iter().map(String::as_str).collect(),
            changed,
        }
    }

    /// A column as it is.
    pub fn column(column: &'a str) -> Self {
        Self {
            columns: vec![column],
            changed: None,
        }
    }

    /// Finds the columns in the header.
    pub fn bind(self, header: &StringRecord) -> Result<Bound, String> {
        let find = |column: &&str| {
            header
                .iter()
                .position(|name| name == *column)
                .ok_or_else(|| format!("the file has no column `{column}`"))
        };
        let changed = self.changed;
        Ok(Bound {
            places: self.columns.iter().map(find).collect::<Result<_, _>>()?,
            strip_prefix: changed
                .and_then(|c| c.strip_prefix.clone())
                .unwrap_or_default(),
            words: changed.map(|c| c.words.clone()).unwrap_or_default(),
            otherwise: changed.and_then(|c| c.otherwise.clone()),
        })
    }
}

impl Bound {
    /// The text for one row; none if it is empty or a word that the mapping does not know.
    pub fn text<'r>(&'r self, record: &'r StringRecord) -> Option<Cow<'r, str>> {
        let text = match *self.places {
            [place] => Cow::Borrowed(record.get(place)?.trim()),
            _ => Cow::Owned(self.joined(record)),
        };
        if text.is_empty() {
            return None;
        }
        if !self.words.is_empty() {
            let word = self.words.get(text.as_ref()).or(self.otherwise.as_ref())?;
            return Some(Cow::Borrowed(word));
        }
        match text.strip_prefix(self.strip_prefix.as_str()) {
            Some(rest) if !self.strip_prefix.is_empty() => Some(Cow::Owned(rest.to_owned())),
            _ => Some(text),
        }
    }

    /// The JSON value for one row; none if it is empty.
    pub fn value(&self, record: &StringRecord, form: Form) -> Result<Option<Value>, String> {
        let Some(text) = self.text(record) else {
            return Ok(None);
        };
        let value = match form {
            Form::Text => Some(Value::from(text.as_ref())),
            Form::Number => number(&text),
            Form::Flag => flag(&text).map(Value::Bool),
        };
        value
            .map(Some)
            .ok_or_else(|| format!("a value is no {}", form.name()))
    }

    fn joined(&self, record: &StringRecord) -> String {
        let parts = self
            .places
            .iter()
            .filter_map(|place| record.get(*place))
            .map(str::trim);
        parts
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }
}

impl Form {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Flag => "flag",
        }
    }
}

fn number(text: &str) -> Option<Value> {
    let whole = text.parse::<i64>().map(Value::from);
    whole
        .ok()
        .or_else(|| serde_json::Number::from_f64(text.parse().ok()?).map(Value::Number))
}

fn flag(text: &str) -> Option<bool> {
    match text {
        "1" | "true" | "yes" => Some(true),
        "0" | "false" | "no" => Some(false),
        _ => None,
    }
}
