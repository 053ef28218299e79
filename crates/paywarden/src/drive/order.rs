//! Which payment may be sent next, so that every entity sees its payments in file order.
//!
//! *Invariant*: two payments under way never share an entity, and a payment never overtakes an
//! earlier one that it shares an entity with.

use crate::mapping::Row;
use std::collections::{HashSet, VecDeque};

/// How many payments may wait for earlier ones before no further one is taken in.
const WAITING_MAX: usize = 64;

/// Payments that wait, and the entities of those under way.
#[derive(Default)]
pub(super) struct Order {
    waiting: VecDeque<Row>,
    busy: HashSet<u64>,
}

impl Order {
    /// Whether no further payment can be taken in before one is done.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= WAITING_MAX
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes in the next payment of the file.
    pub(super) fn push(&mut self, row: Row) {
        self.waiting.push_back(row);
    }

    /// Hands out the first payment that shares no entity with one under way or with an earlier
    /// one that waits. It is under way until [`Order::done`].
    pub(super) fn take_ready(&mut self) -> Option<Row> {
        let mut earlier: HashSet<u64> = HashSet::new();
        let place = self.waiting.iter().position(|row| {
            let is_free = |entity: &u64| !self.busy.contains(entity) && !earlier.contains(entity);
            let ready = row.entities.iter().all(is_free);
            if !ready {
                earlier.extend(&row.entities);
            }
            ready
        })?;
        let row = self.waiting.remove(place)?;
        self.busy.extend(&row.entities);
        Some(row)
    }

    /// Ends a payment that was under way.
    pub(super) fn done(&mut self, row: &Row) {
        for entity in &row.entities {
            self.busy.remove(entity);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use paywarden_domain::{PaymentId, Timestamp};
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn row(line: u64, entities: Vec<u64>) -> Row {
        Row {
            stands_for: 1,
            line,
            id: PaymentId::parse(&format!("p{line}")).unwrap(),
            occurred_at: Timestamp::from_micros(0),
            amount_minor: 0,
            body: bytes::Bytes::new(),
            fraud: false,
            scenario: None,
            label: None,
            entities,
        }
    }

    proptest! {
        #[test]
        fn every_entity_sees_its_payments_one_by_one_and_in_order(
            payments in prop::collection::vec(prop::collection::hash_set(0u64..12, 0..4), 0..200),
            finishes in prop::collection::vec(any::<prop::sample::Index>(), 400),
        ) {
            let mut order = Order::default();
            let mut under_way: Vec<Row> = Vec::new();
            let mut last: HashMap<u64, u64> = HashMap::new();
            let mut finishes = finishes.into_iter();
            let mut sent = 0;
            let mut coming = payments.iter().zip(0u64..).map(|(entities, line)| {
                row(line, entities.iter().copied().collect())
            });
            let mut next = coming.next();
            loop {
                while next.is_some() && !order.is_full() {
                    order.push(next.take().unwrap());
                    next = coming.next();
                }
                while let Some(row) = order.take_ready() {
                    for entity in &row.entities {
                        let shares = |other: &Row| other.entities.contains(entity);
                        prop_assert!(!under_way.iter().any(shares));
                        let before = last.insert(*entity, row.line);
                        prop_assert!(before.is_none_or(|before| before < row.line));
                    }
                    sent += 1;
                    under_way.push(row);
                }
                if under_way.is_empty() {
                    break;
                }
                let place = finishes.next().map_or(0, |index| index.index(under_way.len()));
                order.done(&under_way.swap_remove(place));
            }
            prop_assert!(order.is_empty());
            prop_assert_eq!(sent, payments.len());
        }
    }
}
