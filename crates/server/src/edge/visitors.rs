//! Places for people who have not signed in: few at a time, few of one network.

use paywarden_access::Network;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Requests of visitors under way.
#[derive(Debug)]
pub(crate) struct Visitors {
    max: usize,
    per_network_max: usize,
    inside: Mutex<HashMap<Network, usize>>,
}

/// The right of one visitor to be listened to; given back when dropped.
#[derive(Debug)]
pub(crate) struct Visit {
    visitors: Arc<Visitors>,
    network: Network,
}

impl Visitors {
    pub(crate) fn new(max: usize, per_network_max: usize) -> Arc<Self> {
        Arc::new(Self {
            max,
            per_network_max,
            inside: Mutex::default(),
        })
    }

    /// A place, if there is one for this network.
    pub(crate) fn enter(self: &Arc<Self>, network: Network) -> Option<Visit> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let total: usize = inside.values().sum();
        let here = inside.get(&network).copied().unwrap_or(0);
        if total >= self.max || here >= self.per_network_max {
            return None;
        }
        inside.insert(network, here + 1);
        let visitors = Arc::clone(self);
        Some(Visit { visitors, network })
    }

    /// How many have a place.
    pub(crate) fn inside(&self) -> usize {
        let inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.values().sum()
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let inside = &self.visitors.inside;
        let mut inside = inside.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(here) = inside.get_mut(&self.network) {
            *here -= 1;
            if *here == 0 {
                inside.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_few_in_total_and_of_one_network_and_come_back() {
        let visitors = Visitors::new(3, 2);
        let network = |number: u8| Network::around([10, 0, number, 1].into());
        let first = visitors.enter(network(1)).unwrap();
        let _second = visitors.enter(network(1)).unwrap();
        assert!(visitors.enter(network(1)).is_none());
        let _third = visitors.enter(network(2)).unwrap();
        assert!(visitors.enter(network(3)).is_none());
        drop(first);
        assert!(visitors.enter(network(3)).is_some());
    }
}
