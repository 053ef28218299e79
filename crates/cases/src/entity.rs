//! Who or what takes part in payments, by pseudonym.

use crate::Error;
use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

/// The kinds of entity, by the words of rules; and a payment by its number, where it names nobody.
pub(crate) const KINDS: [&str; 12] = [
    "card", "bin", "account", "customer", "device", "ip", "merchant", "terminal", "payee", "email",
    "phone", "payment",
];

/// A customer, account, device or the like: its kind and the keyed hash that windows know it by.
/// An account has the same hash as payer's account and as payee.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(into = "String", try_from = "String")]
#[schema(value_type = String, example = "customer:00c0ffee00c0ffee")]
pub struct Entity(String);

impl Entity {
    /// The entity of a kind with this hash.
    pub fn new(kind: &str, hash: u64) -> Result<Self, Error> {
        Self::parse(&format!("{kind}:{hash:016x}"))
    }

    /// Reads `kind:hash`, the hash in 16 hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let is_hash = |hash: &str| {
            let small = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            hash.len() == 16 && hash.bytes().all(small)
        };
        match text.split_once(':') {
            Some((kind, hash)) if KINDS.contains(&kind) && is_hash(hash) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(Error::field(
                "entity",
                "a kind, a colon, 16 small hexadecimal digits",
            )),
        }
    }

    /// What kind of entity it is.
    pub fn kind(&self) -> &str {
        self.0.split(':').next().unwrap_or_default()
    }

    /// The hash that windows know it by.
    pub fn hash(&self) -> u64 {
        let digits = self.0.rsplit(':').next().unwrap_or_default();
        u64::from_str_radix(digits, 16).unwrap_or_default()
    }

    /// What items that are about it are linked to.
    pub(crate) fn target(&self) -> String {
        format!("entity:{}", self.0)
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Entity> for String {
    fn from(entity: Entity) -> Self {
        entity.0
    }
}

impl TryFrom<String> for Entity {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        Self::parse(&text)
    }
}
