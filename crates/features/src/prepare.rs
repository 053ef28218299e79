//! A plan that follows another beside traffic: no event waits for what it needs.
//!
//! Entities with many events keep, for each window, what lies between its edges. For windows that
//! are new that has to be built from their events. It is built beside what is at work, some events
//! under each hold of the lock, and follows the events that come meanwhile; the first event asked
//! about by the new plan turns the store to it.

use crate::{Error, FeatureStore, Plan, WindowSpec};
use std::sync::Arc;

/// About how many events are looked at under one hold of the lock: some tens of microseconds.
const EVENTS_STEP: usize = 1024;

/// A plan that is being prepared.
#[derive(Debug)]
pub struct Preparation {
    plan: Arc<Plan>,
    /// Entities with many events that are not ready yet.
    entities: Vec<u32>,
}

impl FeatureStore {
    /// Begins to prepare windows that are to follow the ones at work. One that was begun before is
    /// given up. Nothing changes for events until one is asked about by the new plan.
    ///
    /// ```
    /// use paywarden_domain::{EventKind, time::MINUTE};
    /// use paywarden_features::*;
    ///
    /// let store = FeatureStore::new(Limits::default());
    /// let window = WindowSpec::recent(EntityKind::Card, Aggregate::Count, 10 * MINUTE);
    /// let mut preparation = store.prepare(&[window])?;
    /// while preparation.step(&store) {}
    /// let plan = preparation.plan();
    /// let mut values = Vec::new();
    /// let ticket = store.reserve_for(&plan, &FeatureEvent::new(EventKind::PaymentCard, 0), &mut values);
    /// assert_eq!(values.len(), 1);
    /// # store.abort(ticket);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn prepare(&self, specs: &[WindowSpec]) -> Result<Preparation, Error> {
        let plan = Arc::new(self.plan(specs)?);
        let mut state = self.lock();
        state.next = Some(Arc::clone(&plan));
        let entities = state.past.longs.keys().copied().collect();
        Ok(Preparation { plan, entities })
    }
}

impl Preparation {
    /// Does a little more of it. False once all is ready, or another plan is at work.
    pub fn step(&mut self, store: &FeatureStore) -> bool {
        let Some(entity) = self.entities.last() else {
            return false;
        };
        let mut state = store.lock();
        let waits = |next: &Arc<Plan>| next.generation == self.plan.generation;
        if !state.next.as_ref().is_some_and(waits) {
            return false;
        }
        if state.prepare(*entity, EVENTS_STEP) {
            self.entities.pop();
        }
        true
    }

    /// The plan, to ask by from now on. What was not prepared is built when it is first asked for.
    pub fn plan(self) -> Arc<Plan> {
        self.plan
    }
}
