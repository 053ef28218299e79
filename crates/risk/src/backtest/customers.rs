//! How many different customers there are among many payments, without looking each one up: they
//! are noted one after the other, and whoever stands there twice goes when the room is full. Ten
//! thousand rules have ten thousand sets, and each look-up in one would fetch it from far away.

/// Customers noted before the first look at who came twice.
const ROOM_MIN: usize = 64;

/// Customers, each counted once.
#[derive(Debug, Default)]
pub(super) struct Customers {
    /// Their keyed hashes. Those that were told apart come first, ascending.
    noted: Vec<u64>,
    room: usize,
    /// There may have been more.
    overflowed: bool,
}

/// How many customers there were.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Different {
    pub(super) customers: u64,
    /// There may have been more.
    pub(super) at_least: bool,
}

impl Customers {
    /// Takes in the customer of a payment. There is room for at most `room_max`, and for `left` of
    /// these and others together.
    #[inline]
    pub(super) fn add(&mut self, customer: u64, room_max: usize, left: &mut usize) {
        if self.noted.len() == self.room && !self.overflowed {
            self.make_room(room_max, left);
        }
        if !self.overflowed {
            self.noted.push(customer);
        }
    }

    #[cold]
    fn make_room(&mut self, room_max: usize, left: &mut usize) {
        self.tell_apart();
        let known = self.noted.len();
        if known * 2 >= self.room {
            let more = self.room.max(ROOM_MIN).min(room_max - self.room).min(*left);
            *left -= more;
            self.room += more;
            self.noted.reserve_exact(self.room - known);
            // With less than a quarter for those to come, room would be made again and again.
            self.overflowed = known * 4 >= self.room * 3;
        }
    }

    fn tell_apart(&mut self) {
        // What stands in order already costs a stable sort next to nothing.
        self.noted.sort();
        self.noted.dedup();
    }

    /// How many there were.
    pub(super) fn finish(mut self) -> Different {
        self.tell_apart();
        Different {
            customers: self.noted.len() as u64,
            at_least: self.overflowed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn counted(customers: &[u64], room_max: usize, mut left: usize) -> Different {
        let mut counted = Customers::default();
        for customer in customers {
            counted.add(*customer, room_max, &mut left);
        }
        assert!(counted.noted.len() <= counted.room && counted.room <= room_max);
        counted.finish()
    }

    proptest! {
        #[test]
        fn customers_are_counted_as_a_set_counts_them(
            customers in prop::collection::vec(0..400_u64, 0..2_000),
        ) {
            let known: HashSet<u64> = customers.iter().copied().collect();
            let different = counted(&customers, 1_000, usize::MAX);
            let customers = known.len() as u64;
            prop_assert_eq!(different, Different { customers, at_least: false });
        }

        #[test]
        fn without_room_there_are_at_least_as_many_as_were_told_apart(
            customers in prop::collection::vec(0..400_u64, 0..2_000),
            room_max in 0..400_usize,
            left in 0..600_usize,
        ) {
            let known: HashSet<u64> = customers.iter().copied().collect();
            let different = counted(&customers, room_max, left);
            prop_assert!(different.customers <= known.len() as u64);
            prop_assert!(different.customers == known.len() as u64 || different.at_least);
            if different.at_least {
                prop_assert!(different.customers * 4 >= room_max.min(left) as u64 * 3);
            }
        }
    }
}
