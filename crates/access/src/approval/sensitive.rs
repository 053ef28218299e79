//! What a command has to tell before it can be asked for, voted on and carried out.

use super::{Error, Kind};
use crate::{
    Scope,
    masking::{self, Channel, Form, NOBODY},
};
use paywarden_crypto::digest::sha256;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// The largest payload, in bytes of its canonical form.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 512 * 1024;

/// Whoever has the scope that the data asks for, whatever their roles.
const HOLDER: &str = "holder";

/// A command that takes effect only as an [`Approved`](super::Approved) one.
///
/// Its payload is its JSON; what it cannot say there it must not depend on when it is carried out.
pub trait Sensitive: Serialize + DeserializeOwned + Send + Sync {
    /// What kind of command it is.
    const KIND: Kind;

    /// What it is about, as the clauses of the policy name it: an identifier of at most 200 bytes,
    /// not personal, because it stands in replies and logs.
    fn object(&self) -> String;

    /// How many changes it makes, for clauses that allow some a day.
    fn weight(&self) -> u32 {
        1
    }

    /// Refuses what could never be carried out, in words for whoever asks.
    fn check(&self) -> Result<(), String>;
}

/// A payload: what is voted on, stored and carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Payload {
    pub(crate) kind: Kind,
    pub(crate) value: Value,
}

impl Payload {
    /// The payload of a command that is well-formed.
    pub(crate) fn of<T: Sensitive>(command: &T) -> Result<Self, Error> {
        command.check().map_err(Error::CommandMalformed)?;
        let mut value = serde_json::to_value(command)
            .map_err(|error| Error::CommandMalformed(error.to_string()))?;
        value.sort_all_objects();
        let payload = Self {
            kind: T::KIND,
            value,
        };
        match payload.text().len() <= PAYLOAD_BYTES_MAX {
            true => Ok(payload),
            false => Err(Error::CommandMalformed(
                "a command has at most 512 KiB".to_owned(),
            )),
        }
    }

    /// The command again.
    pub(crate) fn command<T: Sensitive>(&self) -> Result<T, Error> {
        if self.kind != T::KIND {
            return Err(Error::OtherPayload);
        }
        let command: T = serde_json::from_value(self.value.clone())
            .map_err(|error| Error::CommandMalformed(error.to_string()))?;
        command.check().map_err(Error::CommandMalformed)?;
        Ok(command)
    }

    /// SHA-256 of the kind, a line feed and the canonical JSON: keys sorted, no white space.
    pub(crate) fn sha256(&self) -> String {
        let bytes = format!("{}\n{}", self.kind.name(), self.text());
        let digest = sha256(bytes.as_bytes());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The payload as whoever may do what `may` says sees it, and whether values were replaced in
    /// it.
    pub(crate) fn shown_to(&self, may: impl Fn(Scope) -> bool) -> (Value, bool) {
        let mut shown = self.value.clone();
        let Some(data) = self.kind.customer_data() else {
            return (shown, false);
        };
        let role = if may(data.seen_with) { HOLDER } else { NOBODY };
        let form = masking::form([role], "*", data.field, Channel::Console);
        let elements = shown.get_mut(data.array).and_then(Value::as_array_mut);
        let elements = elements.into_iter().flatten();
        for value in elements.filter_map(|element| element.get_mut(data.member)) {
            *value = form.of(value.as_str().unwrap_or_default()).into();
        }
        (shown, form < Form::Full)
    }

    fn text(&self) -> String {
        self.value.to_string()
    }
}
