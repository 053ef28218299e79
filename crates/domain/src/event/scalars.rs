//! Free text with a limit, and network addresses.

use crate::{Invalid, schema::text};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{borrow::Cow, fmt, net::IpAddr};
use utoipa::{PartialSchema, ToSchema};

/// The longest free text of an event, in bytes.
pub const TEXT_BYTES_MAX: usize = 512;

/// Text of at most 512 bytes without control characters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Text(Box<str>);

impl Text {
    /// Accepts what is short enough and has no control characters.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.len() > TEXT_BYTES_MAX || text.chars().any(char::is_control) {
            return Err(Invalid::new(
                "text_too_long",
                "a text has at most 512 bytes and no control characters",
            ));
        }
        Ok(Self(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::ops::Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

/// An IPv4 or IPv6 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ip(pub IpAddr);

impl Serialize for Ip {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Ip {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|_| {
            de::Error::custom(Invalid::new("ip_malformed", "not an IPv4 or IPv6 address"))
        })
    }
}

impl PartialSchema for Text {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        let pattern = "^[^\\x00-\\x1f\\x7f]{0,512}$";
        text(
            "Text of at most 512 bytes without control characters",
            pattern,
        )
    }
}

impl ToSchema for Text {}

impl PartialSchema for Ip {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        text("IPv4 or IPv6 address", "^[0-9a-fA-F:.]{2,45}$")
    }
}

impl ToSchema for Ip {}
