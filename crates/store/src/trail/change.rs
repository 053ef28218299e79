//! What a leaf says of a row: which one, and its digest before and after.

use super::{
    cbor::{Decoder, Encoder},
    merkle::Hash,
};
use crate::rows::Canonical;
use aws_lc_rs::hmac;
use std::{borrow::Cow, fmt};

/// A row by its key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RowRef {
    /// The decision with this `event_no`.
    Decision(i64),
    /// The label with this `seq`.
    Label(i64),
    /// The list entry with this `entry_no`.
    ListEntry(i64),
    /// The removal of the list entry with this `entry_no`.
    ListRemoval(i64),
    /// The key with this identifier.
    SigningKey(String),
    /// The revocation of the key with this identifier.
    KeyRevocation(String),
    /// The tenant's rule set with this version.
    RuleSet(String),
    /// The step of the tenant's rule sets with this `step_no`.
    RuleSetStep(i64),
    /// The step with this `step_no` of the tenant's approval with this identifier.
    ApprovalStep(String, i64),
    /// The version of a thing, as `kind/id/version`.
    Record(String),
    /// The sealed value with this token.
    VaultRecord(String),
    /// The end of the sealed value with this token.
    VaultErasure(String),
    /// The key of a person with this identifier.
    VaultKey(String),
    /// The end of the key of a person with this identifier.
    VaultKeyEnd(String),
}

/// The key of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowKey<'r> {
    /// A number that the store gave out.
    Number(i64),
    /// An identifier.
    Text(Cow<'r, str>),
}

impl fmt::Display for RowRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts() {
            (kind, RowKey::Number(number)) => write!(f, "{kind} {number}"),
            (kind, RowKey::Text(text)) => write!(f, "{kind} {text}"),
        }
    }
}

impl<'r> RowKey<'r> {
    fn of(text: &'r str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl RowRef {
    /// What kind of row it is, the word used in leaves.
    pub fn kind(&self) -> &'static str {
        self.parts().0
    }

    /// Its key.
    pub fn key(&self) -> RowKey<'_> {
        self.parts().1
    }

    fn parts(&self) -> (&'static str, RowKey<'_>) {
        match self {
            Self::Decision(number) => ("decision", RowKey::Number(*number)),
            Self::Label(number) => ("label", RowKey::Number(*number)),
            Self::ListEntry(number) => ("list_entry", RowKey::Number(*number)),
            Self::ListRemoval(number) => ("list_removal", RowKey::Number(*number)),
            Self::SigningKey(text) => ("signing_key", RowKey::of(text)),
            Self::KeyRevocation(text) => ("key_revocation", RowKey::of(text)),
            Self::RuleSet(text) => ("rule_set", RowKey::of(text)),
            Self::RuleSetStep(number) => ("rule_set_step", RowKey::Number(*number)),
            Self::ApprovalStep(approval, number) => {
                let text = format!("{approval}/{number}");
                ("approval_step", RowKey::Text(Cow::Owned(text)))
            }
            Self::Record(text) => ("record", RowKey::of(text)),
            Self::VaultRecord(text) => ("vault_record", RowKey::of(text)),
            Self::VaultErasure(text) => ("vault_erasure", RowKey::of(text)),
            Self::VaultKey(text) => ("vault_key", RowKey::of(text)),
            Self::VaultKeyEnd(text) => ("vault_key_end", RowKey::of(text)),
        }
    }

    fn from_number(kind: &str, number: i64) -> Option<Self> {
        match kind {
            "decision" => Some(Self::Decision(number)),
            "label" => Some(Self::Label(number)),
            "list_entry" => Some(Self::ListEntry(number)),
            "list_removal" => Some(Self::ListRemoval(number)),
            "rule_set_step" => Some(Self::RuleSetStep(number)),
            _ => None,
        }
    }

    fn from_text(kind: &str, text: String) -> Option<Self> {
        match kind {
            "signing_key" => Some(Self::SigningKey(text)),
            "key_revocation" => Some(Self::KeyRevocation(text)),
            "rule_set" => Some(Self::RuleSet(text)),
            "approval_step" => {
                let (approval, number) = text.rsplit_once('/')?;
                Some(Self::ApprovalStep(
                    approval.to_owned(),
                    number.parse().ok()?,
                ))
            }
            "record" => Some(Self::Record(text)),
            "vault_record" => Some(Self::VaultRecord(text)),
            "vault_erasure" => Some(Self::VaultErasure(text)),
            "vault_key" => Some(Self::VaultKey(text)),
            "vault_key_end" => Some(Self::VaultKeyEnd(text)),
            _ => None,
        }
    }
}

/// One row that a leaf changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which row.
    pub row: RowRef,
    /// Digest of what was there before, if something was.
    pub before: Option<Hash>,
    /// Digest of what is there now.
    pub after: Hash,
}

impl Change {
    pub(crate) fn encode(&self, to: &mut Encoder) {
        let (kind, key) = self.row.parts();
        to.array(4);
        to.text(kind);
        match key {
            RowKey::Number(number) => to.integer(number),
            RowKey::Text(text) => to.text(&text),
        }
        match &self.before {
            Some(before) => to.bytes(before),
            None => to.null(),
        }
        to.bytes(&self.after);
    }

    pub(crate) fn decode(from: &mut Decoder<'_>) -> Option<Self> {
        if from.array()? != 4 {
            return None;
        }
        let kind = from.text()?;
        let row = match from.is_text() {
            true => RowRef::from_text(kind, from.text()?.to_owned())?,
            false => RowRef::from_number(kind, from.integer()?)?,
        };
        let before = match from.null() {
            true => None,
            false => Some(from.bytes()?.try_into().ok()?),
        };
        let after = from.bytes()?.try_into().ok()?;
        Some(Self { row, before, after })
    }
}

/// Makes the digests of rows: HMAC-SHA-256 under the secret of the store.
#[derive(Debug, Clone)]
pub(crate) struct Digester(hmac::Key);

impl Digester {
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    pub(crate) fn digest(&self, row: &Canonical) -> Hash {
        let mut digest = [0; 32];
        digest.copy_from_slice(hmac::sign(&self.0, row.bytes_so_far()).as_ref());
        digest
    }
}
