//! The caller's own attributes: scalars by name.

use super::Text;
use crate::Invalid;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use utoipa::{PartialSchema, ToSchema};

/// How many attributes an event may carry.
pub const ATTRIBUTES_MAX: usize = 64;

/// One attribute: a scalar.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum AttributeValue {
    /// True or false.
    Flag(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Number(f64),
    /// A text.
    Text(Text),
}

/// The caller's own attributes by name, in the order given.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attributes(Vec<(Text, AttributeValue)>);

impl Attributes {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The attribute with this name.
    pub fn find(&self, name: &str) -> Option<&AttributeValue> {
        self.0
            .iter()
            .find(|(key, _)| key.as_str() == name)
            .map(|(_, value)| value)
    }

    /// Adds one; refuses a name given twice and more than 64 of them.
    pub fn push(&mut self, name: Text, value: AttributeValue) -> Result<(), Invalid> {
        if self.find(&name).is_some() {
            return Err(Invalid::new(
                "field_duplicate",
                "an attribute is given twice",
            ));
        }
        if self.0.len() == ATTRIBUTES_MAX {
            return Err(Invalid::new(
                "attribute_limit",
                "an event has at most 64 attributes",
            ));
        }
        self.0.push((name, value));
        Ok(())
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> de::Visitor<'de> for Pairs {
            type Value = Attributes;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of scalars")
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Attributes, A::Error> {
                let mut attributes = Attributes::default();
                while let Some((name, value)) = map.next_entry()? {
                    attributes.push(name, value).map_err(de::Error::custom)?;
                }
                Ok(attributes)
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

impl<'de> Deserialize<'de> for AttributeValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Scalar;
        impl<'de> de::Visitor<'de> for Scalar {
            type Value = AttributeValue;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, number, true or false")
            }
            fn visit_bool<E>(self, flag: bool) -> Result<AttributeValue, E> {
                Ok(AttributeValue::Flag(flag))
            }
            fn visit_i64<E>(self, number: i64) -> Result<AttributeValue, E> {
                Ok(AttributeValue::Integer(number))
            }
            fn visit_u64<E>(self, number: u64) -> Result<AttributeValue, E> {
                Ok(i64::try_from(number).map_or(
                    AttributeValue::Number(number as f64),
                    AttributeValue::Integer,
                ))
            }
            fn visit_f64<E>(self, number: f64) -> Result<AttributeValue, E> {
                Ok(AttributeValue::Number(number))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<AttributeValue, E> {
                Text::parse(text)
                    .map(AttributeValue::Text)
                    .map_err(E::custom)
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, _: A) -> Result<AttributeValue, A::Error> {
                Err(not_scalar())
            }
            fn visit_map<A: de::MapAccess<'de>>(self, _: A) -> Result<AttributeValue, A::Error> {
                Err(not_scalar())
            }
            fn visit_unit<E: de::Error>(self) -> Result<AttributeValue, E> {
                Err(not_scalar())
            }
        }
        deserializer.deserialize_any(Scalar)
    }
}

fn not_scalar<E: de::Error>() -> E {
    let detail = "an attribute is a string, a number, true or false; leave out what is missing";
    E::custom(Invalid::new("attribute_not_scalar", detail))
}

impl PartialSchema for Attributes {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::ObjectBuilder;
        ObjectBuilder::new()
            .additional_properties(Some(AttributeValue::schema()))
            .max_properties(Some(ATTRIBUTES_MAX))
            .description(Some("Scalars by name; at most 64"))
            .into()
    }
}

impl ToSchema for Attributes {}
