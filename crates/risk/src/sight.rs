//! Events as the windows of an engine see them, for those who have events but no engine: training
//! and evaluation on files, measuring.

use crate::{
    facts,
    identify::{EntityHasher, Keys},
};
use paywarden_domain::{Card, Event, TenantId};
use paywarden_features::{FeatureEvent, Value};
use paywarden_rules::{Rates, Slots};

/// Turns events into what windows keep of them, with the code that decides.
///
/// Keys of entities are hashed under a key of its own, so that its numbers meet no engine's.
pub struct Sight {
    hasher: EntityHasher,
    tenant: TenantId,
    rates: Rates,
}

impl Sight {
    /// A sight of one company. Amounts in currencies without a rate are missing.
    pub fn new(tenant: TenantId, rates: Rates) -> Self {
        Self {
            hasher: EntityHasher::new(&[0x5a; 32]),
            tenant,
            rates,
        }
    }

    /// The event as windows see it.
    pub fn event(&self, event: &Event<Card>) -> FeatureEvent {
        let keys = Keys::of(event);
        self.hasher
            .feature_event(&self.tenant, event, &keys, &self.rates)
    }

    /// What rules read of an event, beside the values of their windows and lists.
    pub fn with_slots<R>(
        &self,
        event: &Event<Card>,
        windows: &[Value],
        lists: &[Option<bool>],
        ask: impl FnOnce(&Slots<'_>) -> R,
    ) -> R {
        let keys = Keys::of(event);
        let mut slots = Slots::new();
        facts::fill(&mut slots, event, &keys, &self.rates);
        (slots.windows, slots.lists) = (windows, lists);
        ask(&slots)
    }
}
