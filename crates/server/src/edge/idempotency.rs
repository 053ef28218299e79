//! Station: is this a retry? A retry gets the bytes of the first answer; work is never done twice
//! at once.
//!
//! Only what is under way and what was answered lately is known here. Decisions answered longer
//! ago are found in the store by the engine, which therefore also knows them after a restart.

use bytes::Bytes;
use http::StatusCode;
use std::{
    collections::{HashMap, VecDeque, hash_map::Entry as Place},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What a reply costs beyond its body and key, in bytes: an estimate of the tables' share.
const OVERHEAD_BYTES: usize = 160;

/// Requests under way and answers given lately, by signing key and idempotency key.
pub struct Idempotency {
    table: Mutex<Table>,
    bytes_max: usize,
}

/// An answer that can be given again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// Its status.
    pub status: StatusCode,
    /// Its body, byte for byte.
    pub body: Bytes,
}

/// What to do with a request.
pub enum Begin {
    /// Do it; the guard ends the reservation.
    Started(Reservation),
    /// Give the earlier answer.
    Repeated(Remembered),
    /// The same request is being worked on.
    InProgress,
    /// The key was used for another request.
    Reused,
}

/// Holds an idempotency key while its request is worked on; dropping it releases the key, so that
/// a request that failed or whose client went away can be sent again.
pub struct Reservation {
    owner: Arc<Idempotency>,
    slot: Box<str>,
    fingerprint: [u8; 32],
}

#[derive(Default)]
struct Table {
    entries: HashMap<Box<str>, Entry>,
    oldest_first: VecDeque<Box<str>>,
    bytes: usize,
}

struct Entry {
    fingerprint: [u8; 32],
    answer: Option<Remembered>,
}

impl Idempotency {
    /// Remembers answers up to so many bytes.
    pub fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self {
            table: Mutex::default(),
            bytes_max,
        })
    }

    /// Reserves `key` of the caller's `key_id` for the request with this fingerprint.
    pub fn begin(self: &Arc<Self>, key_id: &str, key: &str, fingerprint: [u8; 32]) -> Begin {
        let slot: Box<str> = format!("{key_id} {key}").into();
        match self.lock().entries.entry(slot.clone()) {
            Place::Vacant(place) => {
                place.insert(Entry {
                    fingerprint,
                    answer: None,
                });
                Begin::Started(Reservation {
                    owner: Arc::clone(self),
                    slot,
                    fingerprint,
                })
            }
            Place::Occupied(place) if place.get().fingerprint != fingerprint => Begin::Reused,
            Place::Occupied(place) => match &place.get().answer {
                Some(answer) => Begin::Repeated(answer.clone()),
                None => Begin::InProgress,
            },
        }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reservation {
    /// The idempotency key's request is answered: the same answer is given again from now on.
    pub fn answered(self, answer: Remembered) {
        let mut table = self.owner.lock();
        let bytes = cost(&self.slot, &answer);
        if bytes > self.owner.bytes_max {
            return;
        }
        while table.bytes + bytes > self.owner.bytes_max {
            table.forget_oldest();
        }
        table.bytes += bytes;
        table.oldest_first.push_back(self.slot.clone());
        let entry = Entry {
            fingerprint: self.fingerprint,
            answer: Some(answer),
        };
        table.entries.insert(self.slot.clone(), entry);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut table = self.owner.lock();
        if table
            .entries
            .get(&self.slot)
            .is_some_and(|entry| entry.answer.is_none())
        {
            table.entries.remove(&self.slot);
        }
    }
}

impl Table {
    fn forget_oldest(&mut self) {
        let Some(slot) = self.oldest_first.pop_front() else {
            return;
        };
        let answer = self.entries.remove(&slot).and_then(|entry| entry.answer);
        self.bytes -= answer.map_or(0, |answer| cost(&slot, &answer));
    }
}

fn cost(slot: &str, answer: &Remembered) -> usize {
    slot.len() * 2 + answer.body.len() + OVERHEAD_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &'static str) -> Remembered {
        Remembered {
            status: StatusCode::OK,
            body: Bytes::from_static(text.as_bytes()),
        }
    }

    fn started(table: &Arc<Idempotency>, key: &str) -> Reservation {
        match table.begin("k", key, [1; 32]) {
            Begin::Started(reservation) => reservation,
            _ => panic!("not started"),
        }
    }

    #[test]
    fn a_retry_waits_then_gets_the_same_answer_and_another_body_is_refused() {
        let table = Idempotency::new(10_000);
        let reservation = started(&table, "a");
        assert!(matches!(table.begin("k", "a", [1; 32]), Begin::InProgress));
        assert!(matches!(table.begin("k", "a", [2; 32]), Begin::Reused));
        assert!(matches!(
            table.begin("other", "a", [2; 32]),
            Begin::Started(_)
        ));
        reservation.answered(answer("first"));
        let again = table.begin("k", "a", [1; 32]);
        assert!(matches!(again, Begin::Repeated(reply) if reply == answer("first")));
        assert!(matches!(table.begin("k", "a", [2; 32]), Begin::Reused));
    }

    #[test]
    fn a_dropped_reservation_frees_its_key() {
        let table = Idempotency::new(10_000);
        drop(started(&table, "a"));
        drop(started(&table, "a"));
    }

    #[test]
    fn the_byte_budget_holds_and_the_oldest_goes_first() {
        let table = Idempotency::new(1_000);
        for key in 0..100 {
            started(&table, &key.to_string()).answered(answer("x"));
            assert!(table.lock().bytes <= 1_000);
        }
        assert!(matches!(
            table.begin("k", "99", [1; 32]),
            Begin::Repeated(_)
        ));
        assert!(matches!(table.begin("k", "0", [1; 32]), Begin::Started(_)));
    }
}
