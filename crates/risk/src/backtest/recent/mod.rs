//! The last payments of each tenant in memory, so that the effect of a condition is known while
//! it is being written.
//!
//! Payments are kept as columns of what rules read of them: fields, and the windows that the
//! deciding rules read. A condition that asks for other windows is answered without them, and the
//! answer says so: only a back-test can fill windows that nobody kept.
//!
//! *Invariant*: what is kept is bounded in payments and in bytes; the oldest go first.

mod block;
mod filling;
mod glance;
#[cfg(test)]
mod tests;

pub use glance::{Glance, compile};

use super::{Labelled, tally::Subject};
use block::{BLOCK_PAYMENTS, Block, Shape};
use filling::Filling;
use paywarden_domain::{LabelVerdict, TenantId};
use paywarden_rules::{RuleSet, Slots};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecentLimits {
    /// Payments of one tenant; 0 keeps nothing.
    pub payments_max: usize,
    /// Bytes of all tenants together. Beyond them the tenant with the most loses its oldest.
    pub bytes_max: usize,
}

impl Default for RecentLimits {
    fn default() -> Self {
        Self {
            payments_max: 65_536,
            bytes_max: 8 * 1024 * 1024,
        }
    }
}

/// The last payments of all tenants.
pub struct Recent {
    limits: RecentLimits,
    tenants: Mutex<HashMap<TenantId, Ring>>,
}

/// The last payments of one tenant, oldest first.
#[derive(Default)]
struct Ring {
    full: VecDeque<Arc<Block>>,
    open: Option<Filling>,
    /// What was said of those payments, by the number of the event.
    labels: HashMap<u64, LabelVerdict>,
}

impl Recent {
    /// Nothing kept yet.
    pub fn new(limits: RecentLimits) -> Self {
        Self {
            limits,
            tenants: Mutex::default(),
        }
    }

    /// Keeps a payment: what the rules saw of it, under the number of its event. The windows in
    /// `slots` are those of `rules`.
    pub fn keep(
        &self,
        tenant: &TenantId,
        rules: &RuleSet,
        slots: &Slots<'_>,
        event_no: u64,
        subject: Subject,
    ) {
        if self.limits.payments_max == 0 {
            return;
        }
        let mut tenants = self.lock();
        if !tenants.contains_key(tenant) {
            tenants.insert(tenant.clone(), Ring::default());
        }
        let Some(ring) = tenants.get_mut(tenant) else {
            return;
        };
        if !ring.open.as_ref().is_some_and(|open| open.fits(rules)) {
            let known = ring.open.as_ref().map(Filling::shape);
            let shape = known.filter(|shape| shape.is_of(rules)).cloned();
            let shape = shape.unwrap_or_else(|| Arc::new(Shape::new(rules)));
            let full = ring.open.replace(Filling::new(shape));
            ring.full.extend(full.map(|open| Arc::new(open.sealed())));
            ring.drop_beyond(self.limits.payments_max);
            self.drop_bytes(&mut tenants);
        }
        let open = tenants.get_mut(tenant).and_then(|ring| ring.open.as_mut());
        if let Some(open) = open {
            open.push(slots, event_no, subject);
        }
    }

    /// Notes what a payment turned out to be.
    pub fn label(&self, tenant: &TenantId, event_no: u64, verdict: LabelVerdict) {
        let mut tenants = self.lock();
        if let Some(ring) = tenants.get_mut(tenant)
            && ring.holds(event_no)
        {
            ring.labels.insert(event_no, verdict);
        }
    }

    /// What a condition would have done with the last payments of a tenant. `rules` come from
    /// [`compile`]; `listed` says whether a value is on a list now; a payment without a label
    /// counts as genuine if it is older than `label_delay`, in microseconds.
    pub fn glance(
        &self,
        tenant: &TenantId,
        rules: &RuleSet,
        listed: impl Fn(&str, &str) -> bool,
        label_delay: i64,
    ) -> Glance {
        let (blocks, labels) = self.seen(tenant);
        let newest = blocks.iter().filter_map(|block| block.newest()).max();
        let mature_before = newest.unwrap_or(0).saturating_sub(label_delay);
        let labelled = |event_no: u64, occurred_at: i64| match labels.get(&event_no) {
            Some(verdict) if verdict.is_fraud() => Labelled::Fraud,
            Some(_) => Labelled::Genuine,
            None if occurred_at < mature_before => Labelled::PresumedGenuine,
            None => Labelled::Immature,
        };
        glance::over(&blocks, rules, listed, labelled)
    }

    /// The blocks of a tenant as they are now, and the labels. The lock is held for copying one
    /// block at most.
    fn seen(&self, tenant: &TenantId) -> (Vec<Arc<Block>>, HashMap<u64, LabelVerdict>) {
        let tenants = self.lock();
        let Some(ring) = tenants.get(tenant) else {
            return Default::default();
        };
        let open = ring.open.clone().map(|open| Arc::new(open.sealed()));
        let blocks = ring.full.iter().cloned().chain(open).collect();
        (blocks, ring.labels.clone())
    }

    fn drop_bytes(&self, tenants: &mut HashMap<TenantId, Ring>) {
        while tenants.values().map(Ring::bytes).sum::<usize>() > self.limits.bytes_max {
            let largest = tenants.values_mut().max_by_key(|ring| ring.bytes());
            if !largest.is_some_and(Ring::drop_oldest) {
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TenantId, Ring>> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn drop_beyond(&mut self, payments_max: usize) {
        let kept = |ring: &Self| ring.full.iter().map(|block| block.len()).sum::<usize>();
        while kept(self) + BLOCK_PAYMENTS > payments_max && self.drop_oldest() {}
    }

    /// False if there is no full block.
    fn drop_oldest(&mut self) -> bool {
        let Some(oldest) = self.full.pop_front() else {
            return false;
        };
        for event_no in oldest.event_nos() {
            self.labels.remove(&event_no);
        }
        true
    }

    fn holds(&self, event_no: u64) -> bool {
        let mut full = self.full.iter().filter(|block| block.may_hold(event_no));
        full.any(|block| block.event_nos().any(|number| number == event_no))
            || self
                .open
                .as_ref()
                .is_some_and(|open| open.event_nos().any(|number| number == event_no))
    }

    fn bytes(&self) -> usize {
        let full = self.full.iter().map(|block| block.bytes());
        full.chain(self.open.as_ref().map(Filling::bytes)).sum()
    }
}
