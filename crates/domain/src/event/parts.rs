//! The typed parts of an event: parties, account, merchant, device, network, addresses.

use super::{CheckResult, Ip, Text};
use crate::{Country, Invalid, Money, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A person or company on one side of a payment.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// The caller's customer identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Text>,
    /// Name as known to the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Text>,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Text>,
    /// Phone number in E.164 form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Text>,
    /// Account, IBAN or wallet number, when the party has no `account` part of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Text>,
    /// Country of residence or incorporation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    /// When the caller first knew the party.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Date of birth, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<Text>,
    /// Result of comparing the payee's name with the account's (confirmation of payee).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_check: Option<CheckResult>,
    /// Whether it is a company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_company: Option<bool>,
    /// Due-diligence level: 0 none, 1 basic, 2 full, 3 enhanced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kyc_level: Option<u8>,
}

/// The payer's account.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Identifier at the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Text>,
    /// When it was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<Timestamp>,
    /// Balance before this event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance: Option<Money>,
    /// Whether a password, phone or device was changed in the last 24 hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recently_changed: Option<bool>,
    /// Whether the sign-in succeeded, for `login`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_succeeded: Option<bool>,
}

/// The merchant and its terminal.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Merchant {
    /// Identifier (ISO 8583 data element 42).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Text>,
    /// Terminal (ISO 8583 data element 41).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal_id: Option<Text>,
    /// Trading name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Text>,
    /// Merchant category code (ISO 18245), four digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mcc: Option<Text>,
    /// The caller's own category word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Text>,
    /// Country of the point of sale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    /// When the merchant was taken on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Where the point of sale stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
}

/// The device that the payer holds, as its application or page reports it. Untrusted.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Stable identifier or fingerprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Text>,
    /// Operating system, such as `android`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os: Option<Text>,
    /// User agent of a browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<Text>,
    /// BCP 47 language tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Text>,
    /// IANA time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<Text>,
    /// Rooted or jailbroken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rooted: Option<bool>,
    /// Emulator or virtual machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emulator: Option<bool>,
    /// A remote-control application is running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_control: Option<bool>,
    /// The screen is being shared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screen_shared: Option<bool>,
    /// A telephone call is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_call: Option<bool>,
    /// Driven by a script.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automated: Option<bool>,
    /// Where it is, as it reports itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
}

/// The network that the request came from.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Address of the payer's device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<Ip>,
    /// Country of the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    /// Autonomous system number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asn: Option<u32>,
    /// Anonymising proxy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<bool>,
    /// Virtual private network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpn: Option<bool>,
    /// Tor exit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tor: Option<bool>,
    /// Data centre.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosting: Option<bool>,
    /// Wi-Fi without a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_wifi: Option<bool>,
    /// Where the address is, as far as known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
}

/// A postal address.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// Street and house.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<Text>,
    /// Town.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<Text>,
    /// State or province.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Text>,
    /// Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<Text>,
    /// Country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    /// Place on the map.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
}

/// A place in degrees, WGS 84.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "LocationInput")]
pub struct Location {
    /// North positive, -90 to 90.
    pub latitude: f64,
    /// East positive, -180 to 180.
    pub longitude: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LocationInput {
    latitude: f64,
    longitude: f64,
}

impl TryFrom<LocationInput> for Location {
    type Error = Invalid;

    fn try_from(input: LocationInput) -> Result<Self, Invalid> {
        let LocationInput {
            latitude,
            longitude,
        } = input;
        if !(-90.0..=90.0).contains(&latitude) || !(-180.0..=180.0).contains(&longitude) {
            let detail = "latitude lies in -90..90 and longitude in -180..180";
            return Err(Invalid::new("coordinate_out_of_range", detail));
        }
        Ok(Self {
            latitude,
            longitude,
        })
    }
}

impl Location {
    /// Great-circle distance in kilometres (haversine, sphere of 6,371 km).
    pub fn distance_km(self, other: Self) -> f64 {
        let (latitude, other_latitude) = (self.latitude.to_radians(), other.latitude.to_radians());
        let latitude_half = (other_latitude - latitude) / 2.0;
        let longitude_half = (other.longitude - self.longitude).to_radians() / 2.0;
        let haversine = latitude_half.sin().powi(2)
            + latitude.cos() * other_latitude.cos() * longitude_half.sin().powi(2);
        2.0 * 6371.0 * haversine.sqrt().min(1.0).asin()
    }
}
