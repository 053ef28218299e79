//! The fields that rules may read: one table, one line per field.

use paywarden_domain::{
    Country, Currency, EventKind,
    event::{Channel, CheckResult, EntryMode, Funding, ThreeDs},
};
use paywarden_features::EntityKind;
use std::fmt;
use std::{collections::HashMap, sync::LazyLock};

/// The types of the language. `Money` and `PaymentMoney` never mix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// 64-bit whole number.
    Int,
    /// 64-bit floating point number.
    Double,
    /// An amount in the base currency.
    Money,
    /// An amount in the currency of the payment.
    PaymentMoney,
    /// UTF-8 text.
    Text,
    /// True or false.
    Bool,
    /// A time span in microseconds; may be negative.
    Duration,
    /// A point in time: microseconds since the start of 1970, UTC.
    Timestamp,
    /// A list. No field holds one, and none is left when a condition has been compiled.
    List,
    /// A map from keys to values. No field holds one either.
    Map,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Int => "int",
            Self::Double => "double",
            Self::Money => "money",
            Self::PaymentMoney => "money in the payment's currency",
            Self::Text => "string",
            Self::Bool => "bool",
            Self::Duration => "duration",
            Self::Timestamp => "timestamp",
            Self::List => "list",
            Self::Map => "map",
        })
    }
}

/// What texts a field may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vocabulary {
    Free,
    EventKind,
    Channel,
    EntryMode,
    Funding,
    CheckResult,
    ThreeDs,
    Country,
    Currency,
}

impl Vocabulary {
    /// The words of a closed vocabulary; empty if it is open or too large to list.
    pub(crate) fn words(self) -> Vec<&'static str> {
        match self {
            Self::Free | Self::Country => Vec::new(),
            Self::EventKind => EventKind::ALL.iter().map(|word| word.name()).collect(),
            Self::Channel => Channel::ALL.iter().map(|word| word.name()).collect(),
            Self::EntryMode => EntryMode::ALL.iter().map(|word| word.name()).collect(),
            Self::Funding => Funding::ALL.iter().map(|word| word.name()).collect(),
            Self::CheckResult => CheckResult::ALL.iter().map(|word| word.name()).collect(),
            Self::ThreeDs => ThreeDs::ALL.iter().map(|word| word.name()).collect(),
            Self::Currency => Currency::all().map(Currency::code).collect(),
        }
    }

    /// Whether a field with this vocabulary can ever hold the word.
    pub(crate) fn knows(self, word: &str) -> bool {
        match self {
            Self::Free => true,
            Self::Country => Country::parse(word).is_ok(),
            Self::EventKind => EventKind::parse(word).is_some(),
            _ => self.words().contains(&word),
        }
    }
}

macro_rules! fields {
    ($($variant:ident = $path:literal: $kind:ident $(in $words:ident)?, $doc:literal;)*) => {
        /// A field that rules may read. Its number is its slot.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Field { $(#[doc = $doc] $variant,)* }

        const TABLE: &[Row] = &[$(
            Row {
                path: $path,
                kind: Type::$kind,
                doc: $doc,
                vocabulary: fields!(@words $($words)?),
            },
        )*];

        impl Field {
            /// Every field, in slot order.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];
            /// How many fields there are.
            pub const COUNT: usize = Self::ALL.len();
        }
    };
    (@words) => { Vocabulary::Free };
    (@words $words:ident) => { Vocabulary::$words };
}

struct Row {
    path: &'static str,
    kind: Type,
    doc: &'static str,
    vocabulary: Vocabulary,
}

fields! {
    EventType = "event.type": Text in EventKind, "What happened.";
    EventChannel = "event.channel": Text in Channel, "How the payer reached the caller.";
    EventOccurredAt = "event.occurred_at": Timestamp, "When it happened, as the caller says.";
    EventHour = "event.hour": Int, "Hour of the day, 0 to 23, UTC.";
    EventWeekday = "event.weekday": Int, "Day of the week, 1 Monday to 7 Sunday, UTC.";
    PaymentAmount = "payment.amount": PaymentMoney, "The amount in the payment's currency.";
    PaymentAmountBase = "payment.amount_base": Money, "The amount in the base currency.";
    PaymentCurrency = "payment.currency": Text in Currency, "ISO 4217 code of the amount.";
    PaymentIsRound = "payment.is_round": Bool, "Whether it is a whole multiple of 100 major units.";
    PaymentRemittance = "payment.remittance": Text, "The text that travels with the payment.";
    PayerId = "payer.id": Text, "The caller's identifier of the payer.";
    PayerName = "payer.name": Text, "Name of the payer.";
    PayerEmail = "payer.email": Text, "E-mail address of the payer.";
    PayerEmailDomain = "payer.email_domain": Text, "What follows the `@` of it.";
    PayerPhone = "payer.phone": Text, "Phone number of the payer.";
    PayerCountry = "payer.country": Text in Country, "Country of the payer.";
    PayerAge = "payer.age": Duration, "How long the caller has known the payer.";
    PayerIsCompany = "payer.is_company": Bool, "Whether the payer is a company.";
    PayerKycLevel = "payer.kyc_level": Int, "Due diligence done: 0 none, 1 basic, 2 full, 3 enhanced.";
    PayeeId = "payee.id": Text, "The caller's identifier of the payee.";
    PayeeName = "payee.name": Text, "Name of the payee.";
    PayeeAccount = "payee.account": Text, "Account, IBAN or wallet number of the payee.";
    PayeeCountry = "payee.country": Text in Country, "Country of the payee.";
    PayeeAge = "payee.age": Duration, "How long the caller has known the payee.";
    PayeeIsCompany = "payee.is_company": Bool, "Whether the payee is a company.";
    PayeeNameCheck = "payee.name_check": Text in CheckResult, "Result of confirmation of payee.";
    PayeeEmail = "payee.email": Text, "E-mail address of the payee.";
    PayeePhone = "payee.phone": Text, "Phone number of the payee.";
    AccountId = "account.id": Text, "Identifier of the payer's account.";
    AccountAge = "account.age": Duration, "Time since the account was opened.";
    AccountBalanceBase = "account.balance_base": Money, "Balance before this event, base currency.";
    AccountRecentlyChanged = "account.recently_changed": Bool,
        "Whether password, phone or device changed in the last 24 hours.";
    AccountLoginSucceeded = "account.login_succeeded": Bool, "Whether the sign-in succeeded.";
    MerchantId = "merchant.id": Text, "Identifier of the merchant.";
    MerchantTerminal = "merchant.terminal": Text, "Identifier of the terminal.";
    MerchantName = "merchant.name": Text, "Trading name of the merchant.";
    MerchantMcc = "merchant.mcc": Text, "Merchant category code (ISO 18245), four digits.";
    MerchantCategory = "merchant.category": Text, "The caller's own category word.";
    MerchantCountry = "merchant.country": Text in Country, "Country of the point of sale.";
    MerchantAge = "merchant.age": Duration, "Time since the merchant was taken on.";
    CardIndex = "card.index": Text, "Keyed index of the card number.";
    CardBin = "card.bin": Text, "Issuer identification, six or eight digits.";
    CardLastFour = "card.last_four": Text, "Last four digits.";
    CardBrand = "card.brand": Text, "Card scheme.";
    CardFunding = "card.funding": Text in Funding, "Who funds the card.";
    CardIssuerCountry = "card.issuer_country": Text in Country, "Country of the issuer.";
    CardEntryMode = "card.entry_mode": Text in EntryMode, "How the card was read.";
    CardExpiresIn = "card.expires_in": Duration, "Time until it expires; negative if it has.";
    CardAvs = "card.avs": Text in CheckResult, "Address verification result.";
    CardCvvCheck = "card.cvv_check": Text in CheckResult, "Card code verification result.";
    CardThreeDs = "card.three_ds": Text in ThreeDs, "3-D Secure result.";
    CardHolderName = "card.holder_name": Text, "Cardholder name as given.";
    DeviceId = "device.id": Text, "Stable identifier of the device.";
    DeviceOs = "device.os": Text, "Operating system.";
    DeviceLanguage = "device.language": Text, "BCP 47 language tag.";
    DeviceTimezone = "device.timezone": Text, "IANA time zone.";
    DeviceRooted = "device.rooted": Bool, "Rooted or jailbroken.";
    DeviceEmulator = "device.emulator": Bool, "Emulator or virtual machine.";
    DeviceRemoteControl = "device.remote_control": Bool, "A remote-control application is running.";
    DeviceScreenShared = "device.screen_shared": Bool, "The screen is being shared.";
    DeviceActiveCall = "device.active_call": Bool, "A telephone call is under way.";
    DeviceAutomated = "device.automated": Bool, "Driven by a script.";
    NetworkIp = "network.ip": Text, "Address of the payer's device.";
    NetworkCountry = "network.country": Text in Country, "Country of the address.";
    NetworkAsn = "network.asn": Int, "Autonomous system number.";
    NetworkProxy = "network.proxy": Bool, "Anonymising proxy.";
    NetworkVpn = "network.vpn": Bool, "Virtual private network.";
    NetworkTor = "network.tor": Bool, "Tor exit.";
    NetworkHosting = "network.hosting": Bool, "Data centre.";
    NetworkOpenWifi = "network.open_wifi": Bool, "Wi-Fi without a password.";
    BillingCountry = "billing.country": Text in Country, "Country of the billing address.";
    BillingCity = "billing.city": Text, "Town of the billing address.";
    BillingPostalCode = "billing.postal_code": Text, "Postal code of the billing address.";
    ShippingCountry = "shipping.country": Text in Country, "Country of the shipping address.";
    ShippingCity = "shipping.city": Text, "Town of the shipping address.";
    ShippingPostalCode = "shipping.postal_code": Text, "Postal code of the shipping address.";
    DistanceBillingShippingKm = "distance.billing_shipping_km": Double,
        "Great-circle distance between billing and shipping address.";
    DistanceBillingMerchantKm = "distance.billing_merchant_km": Double,
        "Great-circle distance between billing address and point of sale.";
    Card = "card": Text, "Key of the card: its index.";
    Bin = "bin": Text, "Key of the issuer: the BIN.";
    Account = "account": Text, "Key of the payer's account: its identifier.";
    Customer = "customer": Text, "Key of the customer: the payer's identifier.";
    Device = "device": Text, "Key of the device: its identifier.";
    Ip = "ip": Text, "Key of the network address.";
    Merchant = "merchant": Text, "Key of the merchant: its identifier.";
    Terminal = "terminal": Text, "Key of the terminal: merchant and terminal identifier.";
    Payee = "payee": Text, "Key of the payee: account, else identifier.";
    Email = "email": Text, "Key of the e-mail: the payer's address in lower case.";
    Phone = "phone": Text, "Key of the phone: the payer's number.";
}

impl Field {
    /// As written in rules.
    pub fn path(self) -> &'static str {
        self.row().path
    }

    /// Its type: what its slot must be filled with.
    pub fn kind(self) -> Type {
        self.row().kind
    }

    /// What it means, in one sentence.
    pub fn doc(self) -> &'static str {
        self.row().doc
    }

    /// The words it may hold; empty if it is open, a country or not a text.
    pub fn words(self) -> Vec<&'static str> {
        self.row().vocabulary.words()
    }

    /// The field with this path.
    pub fn parse(path: &str) -> Option<Self> {
        static BY_PATH: LazyLock<HashMap<&'static str, Field>> = LazyLock::new(|| {
            let fields = Field::ALL.iter();
            fields.map(|field| (field.path(), *field)).collect()
        });
        BY_PATH.get(path).copied()
    }

    /// The field that holds the key of an entity.
    pub fn of_entity(entity: EntityKind) -> Self {
        match entity {
            EntityKind::Card => Self::Card,
            EntityKind::Bin => Self::Bin,
            EntityKind::Account => Self::Account,
            EntityKind::Customer => Self::Customer,
            EntityKind::Device => Self::Device,
            EntityKind::Ip => Self::Ip,
            EntityKind::Merchant => Self::Merchant,
            EntityKind::Terminal => Self::Terminal,
            EntityKind::Payee => Self::Payee,
            EntityKind::Email => Self::Email,
            EntityKind::Phone => Self::Phone,
        }
    }

    pub(crate) fn vocabulary(self) -> Vocabulary {
        self.row().vocabulary
    }

    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_unique_and_entities_have_a_field_of_their_name() {
        for field in Field::ALL {
            assert_eq!(Field::parse(field.path()), Some(*field));
            assert!(field.doc().ends_with('.'));
        }
        for entity in EntityKind::ALL {
            assert_eq!(Field::of_entity(entity).path(), entity.name());
        }
    }
}
