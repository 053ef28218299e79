//! One leaf of the trail as a SIEM reads it: OCSF 1.1 as JSON, or CEF.
//!
//! Nothing is in it that is not in the leaf: actors and objects by their identifiers. Digests stay
//! behind, they say nothing to a SIEM; the hash of the leaf names what can be proven.

use super::class::{self, Class, Meaning};
use paywarden_domain::Timestamp;
use paywarden_store::trail::{Leaf, RowKey, hexadecimal, merkle::leaf_hash};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The version of the schema that events are written in.
const OCSF_VERSION: &str = "1.1.0";
/// The longest text of a field, in bytes; the rest is cut off. Leaves hold no longer ones.
const TEXT_MAX: usize = 256;
/// The most rows that are named; how many there are is said.
const ROWS_MAX: usize = 8;

/// How events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Open Cybersecurity Schema Framework, as JSON.
    #[default]
    Ocsf,
    /// Common Event Format.
    Cef,
}

/// What is told of a leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub index: u64,
    pub hash: String,
    pub time: Timestamp,
    pub tenant: String,
    pub actor: String,
    pub action: String,
    pub object: String,
    pub approval: Option<String>,
    pub decision: Option<String>,
    rows: Vec<String>,
    rows_count: usize,
    pub meaning: Meaning,
}

impl Event {
    /// Reads the bytes of a leaf; none if they are anything else.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let leaf = Leaf::decode(bytes)?;
        let row = |change: &paywarden_store::trail::Change| match change.row.key() {
            RowKey::Number(number) => format!("{}/{number}", change.row.kind()),
            RowKey::Text(text) => format!("{}/{}", change.row.kind(), cut(&text)),
        };
        Some(Self {
            index: leaf.index,
            hash: hexadecimal(&leaf_hash(bytes)),
            time: leaf.time,
            tenant: cut(leaf.tenant).to_owned(),
            actor: cut(leaf.actor).to_owned(),
            action: cut(leaf.action).to_owned(),
            object: cut(leaf.object).to_owned(),
            approval: leaf.approval.map(|text| cut(text).to_owned()),
            decision: leaf.decision.map(|text| cut(text).to_owned()),
            rows: leaf.changes.iter().take(ROWS_MAX).map(row).collect(),
            rows_count: leaf.changes.len(),
            meaning: class::meaning(leaf.action),
        })
    }

    /// The event in one of the formats, on one line.
    pub fn text(&self, format: Format) -> String {
        match format {
            Format::Ocsf => self.ocsf().to_string(),
            Format::Cef => self.cef(),
        }
    }

    fn ocsf(&self) -> Value {
        let Meaning {
            class,
            activity,
            severity,
            is_failure,
        } = self.meaning;
        let number = class as u16;
        let mut event = json!({
            "class_uid": number,
            "category_uid": class.category(),
            "activity_id": activity,
            "activity_name": self.action,
            "type_uid": u32::from(number) * 100 + u32::from(activity),
            "severity_id": severity,
            "status_id": if is_failure { 2 } else { 1 },
            "time": self.time.micros().div_euclid(1_000),
            "metadata": {
                "version": OCSF_VERSION,
                "uid": format!("{}/{}", self.tenant, self.index),
                "sequence": self.index,
                "tenant_uid": self.tenant,
                "log_name": "trail",
                "product": {
                    "name": "Paywarden",
                    "vendor_name": "Paywarden",
                    "version": env!("CARGO_PKG_VERSION"),
                },
            },
            "actor": { "user": user(&self.actor) },
            "unmapped": {
                "leaf_index": self.index,
                "leaf_hash": self.hash,
                "approval": self.approval,
                "decision": self.decision,
                "rows": self.rows,
                "rows_count": self.rows_count,
            },
        });
        if let (Value::Object(event), Value::Object(own)) = (&mut event, self.ocsf_of_class()) {
            event.extend(own);
        }
        event
    }

    /// What the class of the event asks for beside what every event has.
    fn ocsf_of_class(&self) -> Value {
        let family = self.action.split('.').next().unwrap_or_default();
        match self.meaning.class {
            Class::AccountChange => json!({ "user": { "uid": self.object } }),
            Class::Authentication => json!({
                "user": { "uid": self.object },
                "service": { "name": "Paywarden" },
            }),
            Class::UserAccess => json!({
                "user": { "uid": self.object },
                "privileges": [family],
            }),
            Class::EntityManagement => json!({
                "entity": { "uid": self.object, "type": family },
            }),
            Class::ApiActivity => json!({
                "api": { "operation": self.action },
                "src_endpoint": { "uid": self.actor },
                "resources": [{ "uid": self.object, "type": family }],
            }),
        }
    }

    fn cef(&self) -> String {
        // CEF has 0 to 10: low, medium, high and very high begin at 0, 4, 7 and 9.
        let severity = 2 * (self.meaning.severity - 1) + 1;
        let outcome = match self.meaning.is_failure {
            true => "failure",
            false => "success",
        };
        let mut text = format!(
            "CEF:0|Paywarden|Paywarden|{}|{}|{}|{severity}|",
            cef_header(env!("CARGO_PKG_VERSION")),
            cef_header(&self.action),
            cef_header(&self.action),
        );
        let time = self.time.micros().div_euclid(1_000).to_string();
        let index = self.index.to_string();
        let rows = self.rows.join(" ");
        let fields = [
            ("rt", Some(time.as_str())),
            ("externalId", Some(&*index)),
            ("act", Some(&*self.action)),
            ("outcome", Some(outcome)),
            ("suid", Some(&*self.actor)),
            ("duid", Some(&*self.object)),
            ("cs1Label", Some("tenant")),
            ("cs1", Some(&*self.tenant)),
            ("cs2Label", Some("leafHash")),
            ("cs2", Some(&*self.hash)),
            ("cs3Label", self.approval.as_ref().map(|_| "approval")),
            ("cs3", self.approval.as_deref()),
            ("cs4Label", self.decision.as_ref().map(|_| "decision")),
            ("cs4", self.decision.as_deref()),
            ("cs5Label", (!rows.is_empty()).then_some("rows")),
            ("cs5", (!rows.is_empty()).then_some(&*rows)),
        ];
        let fields = fields.iter().filter_map(|(key, value)| {
            let value = cef_value((*value)?);
            Some(format!("{key}={value}"))
        });
        text += &fields.collect::<Vec<_>>().join(" ");
        text
    }
}

/// Who acted, with the kind of account: a person, a part of the system, or a program by its key.
fn user(actor: &str) -> Value {
    let kind = match actor.split(':').next() {
        Some("staff") => 1,
        Some("system") => 3,
        _ => 99,
    };
    json!({ "uid": actor, "type_id": kind })
}

/// Text of the header of CEF: `|` and `\` are escaped, lines end nowhere.
fn cef_header(text: &str) -> String {
    escaped(text, &['\\', '|'], " ")
}

/// A value of the extension of CEF: `=` and `\` are escaped, line ends are written as `\n`.
fn cef_value(text: &str) -> String {
    escaped(text, &['\\', '='], "\\n")
}

fn escaped(text: &str, special: &[char], line_end: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\n' | '\r' => written += line_end,
            char if char.is_control() => written.push(' '),
            char => {
                if special.contains(&char) {
                    written.push('\\');
                }
                written.push(char);
            }
        }
    }
    written
}

/// As much of a text as a field holds.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_MAX)]
}
