//! The event that a caller asks about: one envelope, typed parts.
//!
//! [`Event`] is generic over its card: the parser makes `Event<CardInput>`, which may hold a clear
//! card number, and only the vault turns it into `Event<Card>`, which everything behind it takes.

mod attributes;
mod card;
mod parts;
mod scalars;
mod words;

pub use attributes::{ATTRIBUTES_MAX, AttributeValue, Attributes};
pub use card::{Card, CardDetails, CardInput, Dropped, Expiry};
pub use parts::{Account, Address, Device, Location, Merchant, Network, Party};
pub use scalars::{Ip, TEXT_BYTES_MAX, Text};
pub use words::{Channel, CheckResult, EntryMode, EventKind, Funding, ThreeDs};

use crate::{Money, PaymentId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One event to decide on.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Event<C = Card> {
    /// The caller's identifier of this payment or event, unique per tenant.
    pub id: PaymentId,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// When it happened at the caller.
    pub occurred_at: Timestamp,
    /// The instructed amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// How the payer reached the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// Who pays, or whose login, signup or change this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<Party>,
    /// Who is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payee: Option<Party>,
    /// The payer's account or wallet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// The merchant, for purchases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant: Option<Merchant>,
    /// The card, for card payments.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub card: Option<C>,
    /// The device that the payer holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Device>,
    /// The network that the request came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// Where the bill goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing: Option<Address>,
    /// Where the goods go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<Address>,
    /// Text that travels with the payment (remittance information, order description).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remittance: Option<Text>,
    /// The payment that a refund, reversal or retry belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original_id: Option<PaymentId>,
    /// Anything else the caller's rules want: up to 64 scalars by name.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

fn none<T>() -> Option<T> {
    None
}

impl<C> Event<C> {
    /// The same event with its card replaced: how the vault takes the clear number out.
    pub fn map_card<D, E>(self, replace: impl FnOnce(C) -> Result<D, E>) -> Result<Event<D>, E> {
        Ok(Event {
            id: self.id,
            kind: self.kind,
            occurred_at: self.occurred_at,
            amount: self.amount,
            channel: self.channel,
            payer: self.payer,
            payee: self.payee,
            account: self.account,
            merchant: self.merchant,
            card: self.card.map(replace).transpose()?,
            device: self.device,
            network: self.network,
            billing: self.billing,
            shipping: self.shipping,
            remittance: self.remittance,
            original_id: self.original_id,
            attributes: self.attributes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Invalid;

    const MINIMAL: &str = r#"{"id":"p1","type":"login","occurred_at":"2026-01-31T08:00:00Z""#;

    fn refusal(rest: &str) -> String {
        serde_json::from_str::<Event<CardInput>>(&format!("{MINIMAL}{rest}}}"))
            .err()
            .unwrap()
            .to_string()
    }

    #[test]
    fn refusals_keep_their_codes_through_serde() {
        for (rest, code) in [
            (r#","network":{"ip":"1.2.3"}"#, "ip_malformed"),
            (r#","attributes":{"a":[1]}"#, "attribute_not_scalar"),
            (r#","attributes":{"a":1,"a":2}"#, "field_duplicate"),
            (
                r#","card":{"number":"4111111111111112"}"#,
                "card_number_luhn",
            ),
            (
                r#","card":{"details":{"expiry":"12/27"}}"#,
                "expiry_malformed",
            ),
            (
                r#","amount":{"value":"1.5","currency":"JPY"}"#,
                "amount_decimals",
            ),
        ] {
            let text = refusal(rest);
            assert_eq!(
                Invalid::parse(&text).map(|invalid| invalid.code),
                Some(code),
                "{text}"
            );
        }
        assert!(refusal(r#","amuont":1"#).starts_with("unknown field"));
        assert!(refusal(r#","type":"login""#).starts_with("duplicate field"));
    }

    #[test]
    fn distances_are_great_circles() {
        let beijing = Location {
            latitude: 39.9042,
            longitude: 116.4074,
        };
        let shanghai = Location {
            latitude: 31.2304,
            longitude: 121.4737,
        };
        assert!((beijing.distance_km(shanghai) - 1067.0).abs() < 2.0);
    }
}
