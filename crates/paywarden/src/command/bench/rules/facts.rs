//! What is known of a payment in the benchmark: fields, and windows of eight entities.

use super::workload::Scalar;
use paywarden_rules::Field;

/// What one column of the payments is.
#[derive(Debug, Clone)]
pub struct Fact {
    /// As our rules read it.
    pub ours: String,
    /// As a member of an object, for the other languages.
    pub theirs: String,
    /// The field, if it is one.
    pub field: Option<Field>,
    /// What its values are.
    pub kind: Kind,
    /// What it may be, if it is a text.
    pub words: &'static [&'static str],
    /// Whether it is never missing.
    pub always: bool,
    /// Mean of the values, in their unit.
    mean: f64,
}

/// What values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// How many.
    Count,
    /// Minor units.
    Money,
    /// Microseconds.
    Span,
    /// A floating point number.
    Distance,
    /// A text.
    Word,
    /// True or false.
    Flag,
}

const KINDS: &[&str] = &[
    "payment.card",
    "payment.transfer",
    "payment.wallet",
    "login",
];
const COUNTRIES: &[&str] = &[
    "CN", "SG", "US", "DE", "GB", "FR", "JP", "KR", "HK", "AE", "NG", "BR", "IN", "MX", "RU", "TR",
    "VN", "TH", "PH", "MY",
];
const MCC: &[&str] = &[
    "4111", "4814", "4829", "5045", "5094", "5311", "5411", "5541", "5732", "5812", "5816", "5912",
    "5944", "5967", "6011", "6051", "6211", "7273", "7801", "7995",
];
const BRANDS: &[&str] = &["visa", "mastercard", "unionpay", "amex", "jcb"];
const SYSTEMS: &[&str] = &["android", "ios", "windows", "macos", "linux"];
const DOMAINS: &[&str] = &[
    "gmail.com",
    "qq.com",
    "163.com",
    "outlook.com",
    "mail.ru",
    "web.de",
    "shop.top",
    "proton.me",
];
const CATEGORIES: &[&str] = &[
    "grocery", "fuel", "travel", "gaming", "gold", "crypto", "fashion", "books", "transit",
];
const LANGUAGES: &[&str] = &[
    "zh-CN", "en-US", "en-GB", "de-DE", "ru-RU", "th-TH", "vi-VN",
];

const TEXTS: &[(Field, &[&str])] = &[
    (Field::EventType, KINDS),
    (Field::PayerCountry, COUNTRIES),
    (Field::CardIssuerCountry, COUNTRIES),
    (Field::NetworkCountry, COUNTRIES),
    (Field::MerchantCountry, COUNTRIES),
    (Field::MerchantMcc, MCC),
    (Field::MerchantCategory, CATEGORIES),
    (Field::CardBrand, BRANDS),
    (Field::DeviceOs, SYSTEMS),
    (Field::DeviceLanguage, LANGUAGES),
    (Field::PayerEmailDomain, DOMAINS),
];

const FLAGS: &[Field] = &[
    Field::DeviceRooted,
    Field::DeviceEmulator,
    Field::DeviceRemoteControl,
    Field::DeviceScreenShared,
    Field::DeviceActiveCall,
    Field::DeviceAutomated,
    Field::NetworkProxy,
    Field::NetworkVpn,
    Field::NetworkTor,
    Field::NetworkHosting,
    Field::PaymentIsRound,
    Field::AccountRecentlyChanged,
];

const DAY: f64 = 86_400e6;

const NUMBERS: &[(Field, Kind, f64)] = &[
    (Field::PaymentAmountBase, Kind::Money, 8_000.0),
    (Field::AccountBalanceBase, Kind::Money, 400_000.0),
    (Field::DistanceBillingShippingKm, Kind::Distance, 120.0),
    (Field::DistanceBillingMerchantKm, Kind::Distance, 300.0),
    (Field::PayerAge, Kind::Span, 500.0 * DAY),
    (Field::PayeeAge, Kind::Span, 200.0 * DAY),
    (Field::AccountAge, Kind::Span, 400.0 * DAY),
    (Field::MerchantAge, Kind::Span, 900.0 * DAY),
];

const ENTITIES: [&str; 8] = [
    "card", "account", "customer", "device", "ip", "merchant", "payee", "email",
];

/// How far windows reach back, and how many events the average entity has in them.
const REACHES: [(&str, f64); 8] = [
    ("10m", 1.2),
    ("1h", 1.6),
    ("6h", 2.5),
    ("24h", 4.0),
    ("3d", 8.0),
    ("7d", 15.0),
    ("30d", 50.0),
    ("90d", 130.0),
];

/// Everything that rules may read: 31 fields and 256 windows.
pub fn facts() -> Vec<Fact> {
    let texts = TEXTS.iter().map(|(field, words)| Fact {
        words,
        ..of_field(*field, Kind::Word, 0.0)
    });
    let flags = FLAGS.iter().map(|field| of_field(*field, Kind::Flag, 0.0));
    let numbers = NUMBERS
        .iter()
        .map(|(field, kind, mean)| of_field(*field, *kind, *mean));
    let fields = texts.chain(flags).chain(numbers);
    let windows = ENTITIES.iter().flat_map(|entity| {
        REACHES.iter().flat_map(move |(reach, events)| {
            let amount = |share: f64| (Kind::Money, 8_000.0 * share);
            [
                ("count", (Kind::Count, *events)),
                ("sum", amount(*events)),
                ("max", amount(1.0 + events / 8.0)),
                ("avg", amount(1.0)),
            ]
            .map(|(function, (kind, mean))| of_window(entity, function, reach, kind, mean))
        })
    });
    fields.chain(windows).collect()
}

fn of_field(field: Field, kind: Kind, mean: f64) -> Fact {
    let path = field.path();
    Fact {
        ours: path.to_owned(),
        theirs: path.to_owned(),
        field: Some(field),
        kind,
        words: &[],
        always: field == Field::EventType,
        mean,
    }
}

fn of_window(entity: &str, function: &str, reach: &str, kind: Kind, mean: f64) -> Fact {
    Fact {
        ours: format!("{entity}.{function}(\"{reach}\")"),
        theirs: format!("window.{entity}_{function}_{reach}"),
        field: None,
        kind,
        words: &[],
        always: false,
        mean,
    }
}

impl Fact {
    /// Whether it is a text.
    pub fn is_text(&self) -> bool {
        self.kind == Kind::Word
    }

    /// The value below which a share of all payments lies; of texts and flags the seldom ones lie
    /// at the end. Numbers are exponentially distributed.
    pub fn quantile(&self, share: f64) -> Scalar {
        let number = -self.mean * (1.0 - share).max(1e-12).ln();
        match self.kind {
            Kind::Count => Scalar::Whole(1 + number as i64),
            Kind::Money | Kind::Span => Scalar::Whole(number as i64),
            Kind::Distance => Scalar::Real((number * 100.0).round() / 100.0),
            Kind::Word => {
                let place = share * share * self.words.len() as f64;
                Scalar::Word(self.words[place as usize])
            }
            Kind::Flag => Scalar::Flag(share > 0.9),
        }
    }
}
