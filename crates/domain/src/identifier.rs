//! Identifiers: whose they are is in the type, which kind is in the prefix.

use crate::Invalid;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{borrow::Cow, fmt, sync::Arc};
use utoipa::{PartialSchema, ToSchema};

/// The longest identifier that a caller may choose, in bytes.
pub const IDENTIFIER_BYTES_MAX: usize = 128;

macro_rules! text_identifier {
    ($(#[$doc:meta])* $name:ident, $description:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Accepts 1 to 128 visible ASCII characters.
            pub fn parse(text: &str) -> Result<Self, Invalid> {
                let visible = text.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
                if text.is_empty() || text.len() > IDENTIFIER_BYTES_MAX || !visible {
                    return Err(Invalid::new(
                        "identifier_malformed",
                        "an identifier has 1 to 128 visible ASCII characters",
                    ));
                }
                Ok(Self(text.into()))
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<str>::deserialize(deserializer)?;
                Self::parse(&text).map_err(de::Error::custom)
            }
        }

        impl PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                crate::schema::text($description, "^[!-~]{1,128}$")
            }
        }

        impl ToSchema for $name {}
    };
}

text_identifier!(
    /// The caller's own identifier of a payment or other event; labels are joined by it.
    PaymentId,
    "The caller's own identifier of the event; unique per tenant"
);
text_identifier!(
    /// The company whose key signed. Every record, feature and list belongs to one.
    TenantId,
    "The company whose key signed the request"
);
text_identifier!(
    /// A decision: `dec_` and a UUID version 7.
    DecisionId,
    "Identifier of a decision: `dec_` and a UUID version 7"
);

impl DecisionId {
    /// The identifier of a decision taken at `now`, with the given random bits.
    pub fn new(now: crate::Timestamp, random: [u8; 10]) -> Self {
        let millis = u64::try_from(now.micros() / 1000).unwrap_or(0);
        let uuid = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
        Self(format!("dec_{}", uuid.simple()).into())
    }
}
