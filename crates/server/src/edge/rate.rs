//! Station: is this key within its rate? The generic cell rate algorithm (ITU-T I.371): one number
//! per key, or network, the time at which its bucket would be empty.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// Keys and networks remembered at once. Those whose bucket is empty are forgotten first; when none
/// is, a new one waits.
const REMEMBERED_MAX: usize = 131_072;

/// Rates of the verified keys, or of networks.
pub struct RateLimiter {
    interval_ns: u64,
    tolerance_ns: u64,
    empty_at_ns: Mutex<HashMap<Box<str>, u64>>,
}

impl RateLimiter {
    /// Lets each key send `per_second` requests sustained and `burst` at once.
    pub fn new(per_second: u32, burst: u32) -> Self {
        let interval_ns = 1_000_000_000 / u64::from(per_second.max(1));
        Self {
            interval_ns,
            tolerance_ns: interval_ns * u64::from(burst.max(1)),
            empty_at_ns: Mutex::default(),
        }
    }

    /// Counts one request at `now_us`, or says after how many microseconds it may come again.
    pub fn admit(&self, key_id: &str, now_us: u64) -> Result<(), u64> {
        let now_ns = now_us.saturating_mul(1_000);
        let mut all = self
            .empty_at_ns
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED_MAX && !all.contains_key(key_id) {
            all.retain(|_, empty_at| *empty_at > now_ns);
            if all.len() >= REMEMBERED_MAX {
                return Err(self.interval_ns.div_ceil(1_000));
            }
        }
        let Some(empty_at) = all.get_mut(key_id) else {
            all.insert(key_id.into(), now_ns + self.interval_ns);
            return Ok(());
        };
        let next = (*empty_at).max(now_ns) + self.interval_ns;
        let ahead_ns = next - now_ns;
        if ahead_ns > self.tolerance_ns {
            return Err((ahead_ns - self.tolerance_ns).div_ceil(1_000));
        }
        *empty_at = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_the_sustained_rate_holds_for_each_key_alone() {
        let limiter = RateLimiter::new(10, 3);
        for _ in 0..3 {
            assert_eq!(limiter.admit("a", 0), Ok(()));
        }
        assert_eq!(limiter.admit("a", 0), Err(100_000));
        assert_eq!(limiter.admit("b", 0), Ok(()));
        assert_eq!(limiter.admit("a", 100_000), Ok(()));
        assert_eq!(limiter.admit("a", 100_000), Err(100_000));
    }

    #[test]
    fn no_more_are_remembered_than_there_is_room_for() {
        let limiter = RateLimiter::new(1, 2);
        for number in 0..REMEMBERED_MAX {
            assert_eq!(limiter.admit(&number.to_string(), 0), Ok(()));
        }
        assert_eq!(limiter.admit("late", 0), Err(1_000_000));
        assert_eq!(limiter.admit("0", 0), Ok(()), "who is known is counted on");
        assert_eq!(limiter.admit("later", 1_000_000), Ok(()));
        assert_eq!(limiter.empty_at_ns.lock().unwrap().len(), 2);
    }
}
