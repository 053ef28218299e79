//! A made-up world of payments: eight entities each, every key about eight times in ninety days.

use paywarden_domain::time::{DAY, HOUR, MINUTE};
use paywarden_domain::{EventKind, Outcome};
use paywarden_features::{
    Aggregate, Attribute, EntityKind, Error, FeatureEvent, FeatureStore, Limits, WindowSpec,
};

/// The entities that a payment has.
pub const KINDS: [EntityKind; 8] = [
    EntityKind::Card,
    EntityKind::Account,
    EntityKind::Customer,
    EntityKind::Device,
    EntityKind::Ip,
    EntityKind::Merchant,
    EntityKind::Email,
    EntityKind::Phone,
];
/// How far the windows reach.
pub const WINDOWS: [i64; 8] = [
    10 * MINUTE,
    HOUR,
    6 * HOUR,
    DAY,
    7 * DAY,
    14 * DAY,
    30 * DAY,
    90 * DAY,
];
/// What is computed over each.
pub const AGGREGATES: [Aggregate; 6] = [
    Aggregate::Count,
    Aggregate::Sum,
    Aggregate::Avg,
    Aggregate::Max,
    Aggregate::Distinct(Attribute::Country),
    Aggregate::Distinct(Attribute::Mcc),
];
/// The key of the one busy merchant.
pub const BUSY: u64 = u64::MAX;
/// One payment in so many goes to it.
const BUSY_EVERY: u64 = 5;
const SPAN: i64 = 90 * DAY;

/// So many payments, and as many entities.
#[derive(Debug, Clone, Copy)]
pub struct World {
    /// Payments.
    pub events: u64,
    /// Whether one in five goes to the busy merchant.
    pub busy: bool,
}

impl World {
    /// All windows over all entities, without the current payment: what SQL sees before an insert.
    pub fn specs() -> Vec<WindowSpec> {
        let mut specs = Vec::with_capacity(KINDS.len() * WINDOWS.len() * AGGREGATES.len());
        for kind in KINDS {
            for older in WINDOWS {
                let spec = |aggregate| WindowSpec::between(kind, aggregate, 0, older);
                specs.extend(AGGREGATES.map(spec));
            }
        }
        specs
    }

    /// The payment with this number, from 1 on; later numbers go on in time.
    pub fn event(&self, number: u64) -> FeatureEvent {
        let at = (number as i128 * i128::from(SPAN) / i128::from(self.events)) as i64;
        let mut event = FeatureEvent::new(EventKind::PaymentCard, at);
        event.amount = Some((mixed(number) % 100_000) as i64);
        event.country = (mixed(number ^ 1 << 61) % 40) as u16 + 1;
        event.mcc = (mixed(number ^ 1 << 62) % 300) as u16 + 1;
        for (place, kind) in KINDS.into_iter().enumerate() {
            let key = mixed(number ^ (place as u64 + 1) << 48) % (self.events / 8).max(1);
            // Keys are keyed hashes: spread over all 64 bits.
            event.entities[kind as usize] = mixed(key ^ (place as u64) << 40) | 1;
        }
        if self.busy && number.is_multiple_of(BUSY_EVERY) {
            event.entities[EntityKind::Merchant as usize] = BUSY;
        }
        event
    }

    /// A store in which all payments have happened.
    pub fn filled(&self) -> Result<FeatureStore, Error> {
        let store = FeatureStore::new(self.limits());
        store.register(&Self::specs())?;
        for number in 1..=self.events {
            store.replay(number, &self.event(number), Outcome::Approve);
        }
        Ok(store)
    }

    /// Room for all of it.
    pub fn limits(&self) -> Limits {
        Limits {
            events_max: self.events * 2 + 100_000,
            ..Limits::default()
        }
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}
