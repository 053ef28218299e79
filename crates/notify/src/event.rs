//! What companies are told of: names of events, which of them an endpoint wants, and the body.

use paywarden_domain::{Outcome, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt;
use utoipa::ToSchema;

/// A payment, or another event, was decided.
pub const DECISION_CREATED: &str = "decision.created";
/// Somebody said what a payment turned out to be.
pub const LABEL_ADDED: &str = "label.added";
/// A payer is to be asked whether a payment was theirs; the body has the link.
pub const CONFIRMATION_REQUESTED: &str = "confirmation.requested";
/// A payer has answered.
pub const CONFIRMATION_ANSWERED: &str = "confirmation.answered";
/// Somebody acted on a payment: it was released, cancelled …
pub const PAYMENT_ACTION: &str = "payment.action";
/// What staff or keys did looks wrong.
pub const SECURITY_ALERT_RAISED: &str = "security_alert.raised";
/// Somebody tries out an endpoint; it is sent to that one whatever it wants.
pub const WEBHOOK_PING: &str = "webhook.ping";

/// Events with a name of their own.
pub const NAMES: [&str; 6] = [
    DECISION_CREATED,
    LABEL_ADDED,
    CONFIRMATION_REQUESTED,
    CONFIRMATION_ANSWERED,
    PAYMENT_ACTION,
    SECURITY_ALERT_RAISED,
];
/// Families of events that are named by what was done, such as `alert.open` and `case.close`.
pub const FAMILIES: [&str; 2] = ["alert.", "case."];

const WANTED_BYTES_MAX: usize = 64;

/// Something that happened, as companies are told.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// Its identifier, the same however often it is told.
    pub id: String,
    /// Whose it is.
    pub tenant: TenantId,
    /// What it is.
    pub event: String,
    /// When it happened.
    pub at: Timestamp,
    /// The verdict, of decisions.
    pub outcome: Option<Outcome>,
    /// What is told of it: no personal data.
    pub data: Value,
}

impl Notice {
    /// The body as it is sent: type, time and data, as the standard recommends.
    pub fn body(&self) -> Vec<u8> {
        let body = json!({"type": self.event, "timestamp": self.at, "data": self.data});
        body.to_string().into_bytes()
    }

    /// The decision, payment, alert or case that it is about; nothing of what is about none.
    pub fn about(&self) -> &str {
        let named = ["decision", "payment_id", "id"];
        let named = named.iter().find_map(|name| self.data.get(*name)?.as_str());
        named.unwrap_or_default()
    }
}

/// Which events are wanted: one by its name, a family as `case.*`, or all as `*`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String)]
pub struct Wanted(String);

impl Wanted {
    /// Whether an event is meant.
    pub fn takes(&self, event: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(beginning) => event.starts_with(beginning),
            None => event == self.0,
        }
    }
}

impl TryFrom<String> for Wanted {
    type Error = &'static str;

    /// What never happens cannot be wanted: a name that is mistyped is refused.
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let beginning = text.strip_suffix('*');
        let plain = |byte: u8| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'.');
        let named = match beginning {
            Some("") => true,
            Some(beginning) => {
                beginning.ends_with('.')
                    && NAMES
                        .iter()
                        .chain(&FAMILIES)
                        .any(|name| name.starts_with(beginning))
            }
            None => {
                let of_family =
                    |family: &&str| text.len() > family.len() && text.starts_with(*family);
                NAMES.contains(&text.as_str()) || FAMILIES.iter().any(of_family)
            }
        };
        let fits = beginning.unwrap_or(&text).bytes().all(plain);
        match named && fits && text.len() <= WANTED_BYTES_MAX {
            true => Ok(Self(text)),
            false => Err("no event has this name; see the guide on webhooks"),
        }
    }
}

impl From<Wanted> for String {
    fn from(wanted: Wanted) -> Self {
        wanted.0
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_families_and_all_are_wanted_and_what_never_happens_is_refused() {
        let wanted = |text: &str| Wanted::try_from(text.to_owned());
        for (text, takes, leaves) in [
            ("*", "case.close", None),
            ("case.*", "case.close", Some("alert.raise")),
            ("case.close", "case.close", Some("case.open")),
            ("decision.created", "decision.created", Some("label.added")),
            (
                "confirmation.*",
                "confirmation.answered",
                Some("decision.created"),
            ),
        ] {
            let wanted = wanted(text).unwrap();
            assert!(wanted.takes(takes), "{text}");
            assert!(leaves.is_none_or(|event| !wanted.takes(event)), "{text}");
        }
        for text in [
            "",
            "decision.create",
            "cas*",
            "case.",
            "decisions.*",
            "c*e",
            "**",
            "case.C",
        ] {
            assert!(wanted(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_body_is_type_time_and_data() {
        let notice = Notice {
            id: "msg_1".into(),
            tenant: TenantId::parse("acme").unwrap(),
            event: WEBHOOK_PING.into(),
            at: Timestamp::from_micros(1_000_000),
            outcome: None,
            data: json!({"a": 1}),
        };
        let body: Value = serde_json::from_slice(&notice.body()).unwrap();
        let expected = json!({
            "type": "webhook.ping", "timestamp": "1970-01-01T00:00:01Z", "data": {"a": 1},
        });
        assert_eq!(body, expected);
    }
}
