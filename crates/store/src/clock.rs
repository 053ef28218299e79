//! Time and randomness: the only door through which either comes in.

use aws_lc_rs::rand;
use paywarden_domain::Timestamp;
use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicU64, Ordering},
};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Where time and random bytes come from.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock and the operating system's random generator.
    System,
    /// A clock that moves only when told to, and a generator with a seed.
    Simulated(Arc<SimulatedClock>),
}

impl Clock {
    /// A simulated clock that stands at `start`; equal seeds give equal random bytes.
    pub fn simulated(start: Timestamp, seed: u64) -> Self {
        Self::Simulated(Arc::new(SimulatedClock::new(start, seed)))
    }

    /// The wall-clock time. The system's may step backwards when it is corrected.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => {
                let elapsed = SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default();
                Timestamp::from_micros(i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX))
            }
            Self::Simulated(clock) => clock.now(),
        }
    }

    /// Microseconds since some fixed point in this process; never goes backwards.
    pub fn monotonic_us(&self) -> u64 {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        match self {
            Self::System => u64::try_from(START.elapsed().as_micros()).unwrap_or(u64::MAX),
            Self::Simulated(clock) => clock.elapsed_us.load(Ordering::Relaxed),
        }
    }

    /// Random bytes: unpredictable from the system, repeatable in a simulation.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        match self {
            // Waiting for entropy is better than going on with bytes that can be guessed.
            Self::System => while rand::fill(&mut bytes).is_err() {},
            Self::Simulated(clock) => clock.fill(&mut bytes),
        }
        bytes
    }
}

/// A clock for simulations: it stands still until it is advanced.
#[derive(Debug)]
pub struct SimulatedClock {
    start: Timestamp,
    elapsed_us: AtomicU64,
    random_state: AtomicU64,
}

impl SimulatedClock {
    /// A clock at `start` with the given seed.
    pub fn new(start: Timestamp, seed: u64) -> Self {
        Self {
            start,
            elapsed_us: AtomicU64::new(0),
            random_state: AtomicU64::new(seed),
        }
    }

    /// Moves the wall clock and the monotonic clock on.
    pub fn advance_us(&self, micros: u64) {
        self.elapsed_us.fetch_add(micros, Ordering::Relaxed);
    }

    fn now(&self) -> Timestamp {
        let elapsed = i64::try_from(self.elapsed_us.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
        Timestamp::from_micros(self.start.micros().saturating_add(elapsed))
    }

    /// SplitMix64 (Steele, Lea, Flood 2014): repeatable, not for secrets.
    fn fill(&self, bytes: &mut [u8]) {
        const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;
        for part in bytes.chunks_mut(8) {
            let state = self
                .random_state
                .fetch_add(GAMMA, Ordering::Relaxed)
                .wrapping_add(GAMMA);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let word = (mixed ^ (mixed >> 31)).to_le_bytes();
            part.iter_mut().zip(word).for_each(|(to, from)| *to = from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulation_repeats_itself_and_moves_only_when_told() {
        let start = Timestamp::from_micros(1_000);
        let (one, two) = (Clock::simulated(start, 7), Clock::simulated(start, 7));
        assert_eq!(one.random::<20>(), two.random::<20>());
        assert_ne!(one.random::<20>(), one.random::<20>());
        assert_eq!(one.now(), start);
        if let Clock::Simulated(clock) = &one {
            clock.advance_us(5);
        }
        assert_eq!((one.now().micros(), one.monotonic_us()), (1_005, 5));
    }

    #[test]
    fn the_system_moves_forward_and_does_not_repeat_itself() {
        let clock = Clock::System;
        let before = clock.monotonic_us();
        assert!(clock.monotonic_us() >= before);
        assert!(clock.now().seconds() > 1_700_000_000);
        assert_ne!(clock.random::<16>(), clock.random::<16>());
    }
}
