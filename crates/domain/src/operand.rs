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

/// The operands of conditions as written in them, each once however many conditions have it.
#[derive(Debug, Clone, Default)]
pub struct Operands {
    texts: Box<[Box<str>]>,
    places: Box<[u32]>,
    /// Where the places of each condition end.
    ends: Box<[u32]>,
}

/// What the operands of several conditions were for one payment.
#[derive(Debug, Default)]
pub struct Explained {
    operands: Arc<Operands>,
    /// By rising place.
    values: Box<[(u32, Option<OperandValue>)]>,
}

/// The operands of one condition and what each of them was, in JSON an array of [`RuleValue`].
///
/// Those of all rules that fired on a payment share what is known of it: a decision in which many
/// fire costs hardly more memory than one in which one does.
#[derive(Debug, Clone, Default)]
pub struct RuleValues {
    explained: Arc<Explained>,
    condition: usize,
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

impl Operands {
    /// The texts of all operands, and for each condition the places of its own in source order.
    /// There are fewer than 2^32 of both; a place without a text counts for nothing.
    pub fn new(texts: Vec<Box<str>>, conditions: &[Box<[u32]>]) -> Self {
        let ends = conditions.iter().scan(0, |end, places| {
            *end += places.len() as u32;
            Some(*end)
        });
        Self {
            ends: ends.collect(),
            places: conditions.concat().into(),
            texts: texts.into(),
        }
    }

    /// The places of a condition's operands; nothing if there is no such condition.
    #[inline]
    pub fn of(&self, condition: usize) -> &[u32] {
        let end = |condition: usize| self.ends.get(condition).map(|end| *end as usize);
        let start = condition.checked_sub(1).map_or(Some(0), end);
        let span = start.zip(end(condition));
        span.and_then(|(start, end)| self.places.get(start..end))
            .unwrap_or_default()
    }

    /// The operand at a place.
    pub fn text(&self, place: u32) -> Option<&str> {
        self.texts.get(place as usize).map(|text| &**text)
    }
}

impl Explained {
    /// Places of operands with the value of each, none if it was missing; by rising place. An
    /// operand whose place is not among them counts as missing.
    pub fn new(operands: Arc<Operands>, values: Box<[(u32, Option<OperandValue>)]>) -> Self {
        Self { operands, values }
    }

    /// The operands of one condition with their values.
    pub fn of(self: &Arc<Self>, condition: usize) -> RuleValues {
        RuleValues {
            explained: Arc::clone(self),
            condition,
        }
    }

    fn value(&self, place: u32) -> Option<&OperandValue> {
        let found = self
            .values
            .binary_search_by_key(&place, |(place, _)| *place);
        let (_, value) = self.values.get(found.ok()?)?;
        value.as_ref()
    }
}

impl RuleValues {
    /// A condition by itself.
    pub fn alone(values: impl IntoIterator<Item = (Box<str>, Option<OperandValue>)>) -> Self {
        let (texts, values): (Vec<_>, Vec<_>) = values.into_iter().unzip();
        let places: Box<[u32]> = (0..).take(texts.len()).collect();
        let values = places.iter().copied().zip(values).collect();
        let operands = Arc::new(Operands::new(texts, &[places]));
        Arc::new(Explained::new(operands, values)).of(0)
    }

    /// Each operand with its value.
    pub fn iter(&self) -> impl Iterator<Item = RuleValue<'_>> {
        let Explained { operands, .. } = &*self.explained;
        let places = operands.of(self.condition).iter();
        places.filter_map(|place| {
            Some(RuleValue {
                operand: Cow::Borrowed(operands.text(*place)?),
                value: self.explained.value(*place).map(Cow::Borrowed),
            })
        })
    }

    /// Whether the condition has no operand.
    pub fn is_empty(&self) -> bool {
        self.explained.operands.of(self.condition).is_empty()
    }
}

impl PartialEq for RuleValues {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
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
        let mut values = serializer.serialize_seq(Some(self.iter().count()))?;
        self.iter()
            .try_for_each(|value| values.serialize_element(&value))?;
        values.end()
    }
}

impl<'de> Deserialize<'de> for RuleValues {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = Vec::<RuleValue<'_>>::deserialize(deserializer)?.into_iter();
        let values =
            values.map(|RuleValue { operand, value }| (operand.into(), value.map(Cow::into_owned)));
        Ok(Self::alone(values))
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
    fn conditions_share_operands_and_values() {
        let texts = ["a", "b", "c", "d"].map(Box::from);
        let conditions = [[2, 0].into(), [].into(), [3, 2, 9].into()];
        let operands = Arc::new(Operands::new(texts.into(), &conditions));
        let values = [(0, Some(OperandValue::Whole(1))), (2, None)].into();
        let explained = Arc::new(Explained::new(operands, values));
        let written = |condition| {
            let values = explained.of(condition);
            let count = postcard::to_stdvec(&values).unwrap()[0];
            assert_eq!(usize::from(count), values.iter().count());
            values
                .iter()
                .map(|value| value.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(written(0), ["c = missing", "a = 1"]);
        assert_eq!(written(2), ["d = missing", "c = missing"]);
        for nothing in [1, 3, usize::MAX] {
            assert_eq!(written(nothing), [""; 0]);
        }
    }

    #[test]
    fn values_of_a_condition_come_back_from_the_journal() {
        let texts = ["card.count(\"10m\")".into(), "payer.age".into()];
        let values = RuleValues::alone(texts.into_iter().zip([Some(OperandValue::Whole(3)), None]));
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
