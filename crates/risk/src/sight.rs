//! Events as the windows of an engine see them, for those who have events but no engine: training
//! and evaluation on files.

use crate::identify::{EntityHasher, Keys};
use paywarden_domain::{Card, Currency, Event, TenantId};
use paywarden_features::FeatureEvent;
use paywarden_rules::Rates;

/// Turns events into what windows keep of them, with the code that decides.
///
/// Keys of entities are hashed under a key of its own, so that its numbers meet no engine's.
pub struct Sight {
    hasher: EntityHasher,
    tenant: TenantId,
    rates: Rates,
}

impl Sight {
    /// A sight of one company whose amounts are in this currency. Amounts in others are missing.
    pub fn new(tenant: TenantId, base: Currency) -> Self {
        Self {
            hasher: EntityHasher::new(&[0x5a; 32]),
            tenant,
            rates: Rates::new(base),
        }
    }

    /// The event as windows see it.
    pub fn event(&self, event: &Event<Card>) -> FeatureEvent {
        let keys = Keys::of(event);
        self.hasher
            .feature_event(&self.tenant, event, &keys, &self.rates)
    }
}
