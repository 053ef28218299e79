//! Which entities an event names, as hashes: two events that share one are decided in order.

use paywarden_simulator::OutgoingEvent;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Event paths that name an entity of the windows, and which entity it is.
pub const ENTITY_PATHS: &[(&str, &str)] = &[
    ("card.number", "card"),
    ("card.index", "card"),
    ("account.id", "account"),
    ("payer.id", "customer"),
    ("device.id", "device"),
    ("network.ip", "ip"),
    ("merchant.id", "merchant"),
    ("merchant.terminal_id", "terminal"),
    ("payee.id", "payee"),
    ("payee.account", "payee"),
    ("payer.email", "email"),
    ("payer.phone", "phone"),
];
/// How many digits of a card number name its issuer in every notation (ISO/IEC 7812-1).
const BIN_DIGITS_MIN: usize = 6;

/// The hashes of one event's entities.
#[derive(Debug, Default)]
pub struct Entities(Vec<u64>);

impl Entities {
    /// Adds an entity; a card brings its issuer along.
    pub fn add(&mut self, kind: &str, value: &str) {
        self.0.push(hash(kind, value));
        if let ("card", Some(bin)) = (kind, value.get(..BIN_DIGITS_MIN)) {
            self.0.push(hash("bin", bin));
        }
    }

    /// The hashes.
    pub fn into_hashes(self) -> Vec<u64> {
        self.0
    }
}

/// The entities of a simulated event.
pub fn of_simulated(event: &OutgoingEvent) -> Vec<u64> {
    let (payer, payee) = (event.payer.as_ref(), event.payee.as_ref());
    let (account, device) = (event.account.as_ref(), event.device.as_ref());
    let merchant = event.merchant.as_ref();
    let ip = event
        .network
        .as_ref()
        .and_then(|network| network.ip)
        .map(|ip| ip.0.to_string());
    let number = event.card.as_ref().map(|card| &*card.number);
    let named = [
        ("card", number),
        ("account", account.and_then(|account| account.id.as_deref())),
        ("customer", payer.and_then(|payer| payer.id.as_deref())),
        ("device", device.and_then(|device| device.id.as_deref())),
        ("ip", ip.as_deref()),
        (
            "merchant",
            merchant.and_then(|merchant| merchant.id.as_deref()),
        ),
        (
            "terminal",
            merchant.and_then(|merchant| merchant.terminal_id.as_deref()),
        ),
        ("payee", payee.and_then(|payee| payee.id.as_deref())),
        ("payee", payee.and_then(|payee| payee.account.as_deref())),
        ("email", payer.and_then(|payer| payer.email.as_deref())),
        ("phone", payer.and_then(|payer| payer.phone.as_deref())),
    ];
    let mut entities = Entities::default();
    for (kind, value) in named {
        if let Some(value) = value {
            entities.add(kind, value);
        }
    }
    entities.into_hashes()
}

fn hash(kind: &str, value: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (kind, value).hash(&mut hasher);
    hasher.finish()
}
