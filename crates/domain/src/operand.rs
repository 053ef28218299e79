//! What the operands of a rule's condition were. Values stay what they are until somebody writes
//! them: a reply, a log, a page. Writing all of them while a decision waits would cost more than
//! deciding.

use crate::{
    Money, Timestamp,
    written::{Quoted, TimeSpan},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeSeq};
use std::{borrow::Cow, fmt, sync::Arc};
use utoipa::ToSchema;

/// The operands of one condition as written in it, each once.
pub type Operands = Arc<[Box<str>]>;

/// The operands of one condition and what each of them was, in JSON an array of [`RuleValue`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RuleValues {
    operands: Operands,
    values: Box<[Option<OperandValue>]>,
}

/// One operand of a rule's condition and what it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RuleValue<'a> {
    /// As written in the rule, such as `card.count("10m")`.
    #[schema(value_type = String)]
    pub operand: Cow<'a, str>,
    /// Its value in readable form; none if it was missing.
    #[schema(value_type = Option<String>)]
    pub value: Option<Cow<'a, OperandValue>>,
}

/// The value of an operand: written out as text in JSON, as it is in the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub enum OperandValue {
    /// True or false.
    Flag(bool),
    /// A whole number.
    Whole(i64),
    /// Any other number.
    Number(f64),
    /// An amount.
    Amount(Money),
    /// An amount whose currency is not known.
    MinorUnits(i64),
    /// Microseconds between two points in time.
    Span(i64),
    /// A point in time.
    Time(Timestamp),
    /// A text of the event.
    Text(Box<str>),
    /// What another has written: a value read from JSON.
    Written(Box<str>),
}

impl RuleValues {
    /// The operands with the value of each, in their order.
    pub fn new(operands: Operands, values: impl IntoIterator<Item = Option<OperandValue>>) -> Self {
        Self {
            operands,
            values: values.into_iter().collect(),
        }
    }

    /// Each operand with its value.
    pub fn iter(&self) -> impl Iterator<Item = RuleValue<'_>> {
        let values = self.operands.iter().zip(&self.values);
        values.map(|(operand, value)| RuleValue {
            operand: Cow::Borrowed(operand),
            value: value.as_ref().map(Cow::Borrowed),
        })
    }

    /// Whether the condition has no operand.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

impl fmt::Display for RuleValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{} = {value}", self.operand),
            None => write!(f, "{} = missing", self.operand),
        }
    }
}

impl Serialize for RuleValues {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut values = serializer.serialize_seq(Some(self.values.len()))?;
        self.iter()
            .try_for_each(|value| values.serialize_element(&value))?;
        values.end()
    }
}

impl<'de> Deserialize<'de> for RuleValues {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = Vec::<RuleValue<'_>>::deserialize(deserializer)?.into_iter();
        let (operands, values): (Vec<Box<str>>, Vec<_>) = values
            .map(|RuleValue { operand, value }| (operand.into(), value.map(Cow::into_owned)))
            .unzip();
        Ok(Self::new(operands.into(), values))
    }
}

impl fmt::Display for OperandValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(value) => write!(f, "{value}"),
            Self::Whole(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Amount(money) => write!(f, "{money}"),
            Self::MinorUnits(minor) => write!(f, "{minor} minor units"),
            Self::Span(micros) => write!(f, "{}", TimeSpan(*micros)),
            Self::Time(time) => write!(f, "{time}"),
            Self::Text(text) => write!(f, "{}", Quoted(text)),
            Self::Written(text) => f.write_str(text),
        }
    }
}

impl Serialize for OperandValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => serializer.collect_str(self),
            false => Self::serialize(self, serializer),
        }
    }
}

impl<'de> Deserialize<'de> for OperandValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.is_human_readable() {
            true => Box::<str>::deserialize(deserializer).map(Self::Written),
            false => Self::deserialize(deserializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Currency;

    #[test]
    fn values_are_written_for_people_and_kept_as_they_are() {
        let usd = Currency::parse("USD").unwrap();
        for (value, written) in [
            (OperandValue::Flag(true), "true"),
            (OperandValue::Whole(-3), "-3"),
            (OperandValue::Number(0.25), "0.25"),
            (OperandValue::Amount(Money::new(1_230, usd)), "12.30 USD"),
            (OperandValue::MinorUnits(7), "7 minor units"),
            (OperandValue::Span(90_000_000), "1m 30s"),
            (
                OperandValue::Time(Timestamp::from_micros(0)),
                "1970-01-01T00:00:00Z",
            ),
            (OperandValue::Text("a \"b\"".into()), r#""a \"b\"""#),
        ] {
            assert_eq!(value.to_string(), written);
            let json = serde_json::to_value(&value).unwrap();
            assert_eq!(json, serde_json::Value::from(written));
            let read: OperandValue = serde_json::from_value(json).unwrap();
            assert_eq!(read, OperandValue::Written(written.into()));
            let bytes = postcard::to_stdvec(&value).unwrap();
            assert_eq!(postcard::from_bytes(&bytes), Ok(value));
        }
    }

    #[test]
    fn values_of_a_condition_come_back_from_the_journal() {
        let operands: Operands = ["card.count(\"10m\")".into(), "payer.age".into()].into();
        let values = RuleValues::new(operands, [Some(OperandValue::Whole(3)), None]);
        let bytes = postcard::to_stdvec(&values).unwrap();
        assert_eq!(postcard::from_bytes(&bytes), Ok(values.clone()));
        let json = serde_json::to_string(&values).unwrap();
        assert_eq!(
            json,
            r#"[{"operand":"card.count(\"10m\")","value":"3"},{"operand":"payer.age","value":null}]"#
        );
        let read: RuleValues = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
    }
}
