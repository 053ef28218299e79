//! Failed sign-ins: growing delays for login names and for networks.
//!
//! A try is counted before it is looked at and taken back when it succeeds, so that many at once
//! get no more guesses than one after the other. Names that do not exist are counted like names
//! that do. Passkeys are held back by the network alone: whoever guesses passwords of an account
//! does not keep its owner's passkey out.

use crate::Network;
use paywarden_domain::time::{MINUTE, SECOND};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// Failures after which the passwords of a name are not looked at for [`LOCK_US`] (PCI DSS 8.3.4:
/// ten tries at most, half an hour at least).
pub const FAILURES_MAX: u32 = 10;
/// How long that lasts, in microseconds.
pub const LOCK_US: u64 = 30 * MINUTE as u64;
/// Failures without a delay: of a name, and of a network, where many people share an address.
const FREE_OF_NAME: u32 = 3;
const FREE_OF_NETWORK: u32 = 20;
const DELAY_US_MAX: u64 = 15 * MINUTE as u64;
/// Failures are forgotten after so long without another one.
const MEMORY_US: u64 = 24 * 60 * MINUTE as u64;
/// Names and networks remembered at once. When all are delayed, nobody else may try.
const REMEMBERED_MAX: usize = 65_536;
/// What is said when no other can be remembered.
const FULL_WAIT_US: u64 = SECOND as u64;

/// What failures are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    /// A login name, by its keyed hash.
    Name([u8; 32]),
    /// Where from.
    Network(Network),
}

/// Failures by name and network.
#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<HashMap<Subject, Failures>>);

#[derive(Debug, Clone, Copy, Default)]
struct Failures {
    count: u32,
    last_us: u64,
    until_us: u64,
}

impl Subject {
    fn delay_us(self, failures: u32) -> u64 {
        let free = match self {
            Self::Name(_) if failures >= FAILURES_MAX => return LOCK_US,
            Self::Name(_) => FREE_OF_NAME,
            Self::Network(_) => FREE_OF_NETWORK,
        };
        match failures.checked_sub(free) {
            None | Some(0) => 0,
            Some(over) => 2_u64
                .saturating_pow(over - 1)
                .saturating_mul(SECOND as u64)
                .min(DELAY_US_MAX),
        }
    }
}

impl Attempts {
    /// Counts a try of all of these, or says how many microseconds to wait.
    pub(crate) fn begin(&self, subjects: &[Subject], now_us: u64) -> Result<(), u64> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = subjects.iter().filter_map(|subject| all.get(subject));
        let until_us = waits.map(|failures| failures.until_us).max().unwrap_or(0);
        if until_us > now_us {
            return Err(until_us - now_us);
        }
        if all.len() + subjects.len() > REMEMBERED_MAX {
            all.retain(|_, failures| failures.until_us > now_us);
            if all.len() + subjects.len() > REMEMBERED_MAX {
                return Err(FULL_WAIT_US);
            }
        }
        for subject in subjects {
            let failures = all.entry(*subject).or_default();
            if now_us.saturating_sub(failures.last_us) > MEMORY_US {
                *failures = Failures::default();
            }
            failures.count = failures.count.saturating_add(1);
            failures.last_us = now_us;
            failures.until_us = now_us + subject.delay_us(failures.count);
        }
        Ok(())
    }

    /// Takes one try back: it was not looked at, or it was right.
    pub(crate) fn take_back(&self, subjects: &[Subject], now_us: u64) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for subject in subjects {
            if let Some(failures) = all.get_mut(subject) {
                failures.count = failures.count.saturating_sub(1);
                failures.until_us = now_us + subject.delay_us(failures.count);
            }
        }
    }

    /// Forgets the failures of a name: its owner has signed in, or an administrator says so.
    pub(crate) fn forget(&self, name: [u8; 32]) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&Subject::Name(name));
    }

    /// Whether the failures of a name have locked it.
    pub(crate) fn is_locked(&self, name: [u8; 32]) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&Subject::Name(name))
            .is_some_and(|failures| failures.count >= FAILURES_MAX)
    }

    /// Locks a name as it was locked before a restart.
    pub(crate) fn lock(&self, name: [u8; 32], now_us: u64, left_us: u64) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let failures = Failures {
            count: FAILURES_MAX,
            last_us: now_us,
            until_us: now_us + left_us.min(LOCK_US),
        };
        all.insert(Subject::Name(name), failures);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: Subject = Subject::Name([1; 32]);

    fn network(number: u32) -> Subject {
        Subject::Network(Network::around(
            std::net::Ipv4Addr::from(number << 8).into(),
        ))
    }

    #[test]
    fn delays_of_a_name_double_and_the_tenth_failure_locks_it() {
        let attempts = Attempts::default();
        let (mut now_us, mut waits) = (0, Vec::new());
        for _ in 0..12 {
            attempts.begin(&[NAME], now_us).unwrap();
            let wait_us = attempts.begin(&[NAME], now_us).err().unwrap_or(0);
            if wait_us == 0 {
                attempts.take_back(&[NAME], now_us);
            }
            waits.push(wait_us / 1_000_000);
            now_us += wait_us;
        }
        assert_eq!(waits, [0, 0, 0, 1, 2, 4, 8, 16, 32, 1_800, 1_800, 1_800]);
        assert!(attempts.is_locked([1; 32]));
        attempts.forget([1; 32]);
        assert!(!attempts.is_locked([1; 32]) && attempts.begin(&[NAME], now_us).is_ok());
    }

    #[test]
    fn many_at_once_get_no_more_guesses_than_one_after_the_other() {
        let attempts = Attempts::default();
        let taken = (0..200).filter(|_| attempts.begin(&[NAME], 0).is_ok());
        assert_eq!(taken.count(), 4);
    }

    #[test]
    fn a_network_is_held_back_whatever_names_it_tries_and_others_are_not() {
        let attempts = Attempts::default();
        let guess = |name: u8| attempts.begin(&[Subject::Name([name; 32]), network(1)], 0);
        let taken = (0..200).filter(|name| guess(*name).is_ok()).count();
        assert_eq!(taken, 21);
        assert!(attempts.begin(&[NAME, network(2)], 0).is_ok());
        let an_hour = 60 * MINUTE as u64;
        assert!(attempts.begin(&[NAME, network(1)], an_hour).is_ok());
    }

    #[test]
    fn memory_is_bounded_and_full_of_the_delayed_it_takes_nobody_else() {
        let attempts = Attempts::default();
        for number in 0..70_000 {
            attempts.begin(&[network(number)], 0).unwrap();
        }
        assert!(attempts.0.lock().unwrap().len() <= REMEMBERED_MAX);
        for number in 0..REMEMBERED_MAX as u32 {
            let mut all = attempts.0.lock().unwrap();
            let locked = Failures {
                until_us: 1_000,
                ..Failures::default()
            };
            all.insert(network(number), locked);
        }
        assert_eq!(attempts.begin(&[NAME], 0), Err(FULL_WAIT_US));
        assert!(attempts.begin(&[NAME], 1_000).is_ok());
    }
}
