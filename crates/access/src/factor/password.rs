//! Passwords as Argon2id hashes (RFC 9106), checked by few threads at a time.

use crate::{beside::beside, staff::Error};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use paywarden_crypto::random;
use paywarden_domain::Timestamp;
use paywarden_store::Clock;
use serde::{Deserialize, Serialize};
use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Semaphore, oneshot},
    time::Instant,
};
use zeroize::Zeroizing;

/// The longest password, in characters. None is cut.
pub const CHARACTERS_MAX: usize = 128;
/// Passwords that may wait for a thread; one more is [`Error::Busy`].
pub const QUEUE_MAX: usize = 16;
/// How many passwords before the present one are not taken again (PCI DSS 8.3.7).
pub(crate) const REMEMBERED: usize = 4;

const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;
const PASSES: u32 = 2;
/// The least that OWASP asks of Argon2id with two passes and one lane.
const MEMORY_KIB_MIN: u32 = 19 * 1024;
/// So that the threads together stay within a known amount of memory.
const MEMORY_KIB_MAX: u32 = 64 * 1024;
/// What one check is to take.
const TARGET_US: u64 = 100_000;
/// How often one thread checks wrong passwords. Checks give way to decisions but wear out the caches
/// that decisions use: a flood of sign-ins is to have a tenth of that time.
const WRONG_EVERY: Duration = Duration::from_secs(1);
/// So many wrong ones are checked at once before that.
const WRONG_AT_ONCE: u32 = 4;

/// A password, as it is kept.
#[derive(Clone, Serialize, Deserialize)]
pub struct PasswordHash {
    memory_kib: u32,
    passes: u32,
    salt: [u8; SALT_BYTES],
    hash: [u8; HASH_BYTES],
    /// When it was chosen.
    pub(crate) set_at: Timestamp,
}

/// Checks passwords: at most half as many at a time as there are processors, because decisions
/// need the others, on threads that give way to them; and at most [`QUEUE_MAX`] wait.
#[derive(Debug)]
pub struct PasswordDesk {
    memory_kib: OnceLock<u32>,
    admitted: Arc<Semaphore>,
    working: Arc<Semaphore>,
    /// How many work at once.
    threads: usize,
    memory: Arc<Memory>,
    pace: Pace,
}

/// When the next check may begin: each counts, and one of somebody who came in is taken back, so that
/// only failed ones slow down those behind them.
#[derive(Debug, Default)]
struct Pace(Mutex<Option<Instant>>);

impl Pace {
    /// Counts a check, one of so many a second; how long it waits.
    fn begin(&self, every: Duration) -> Duration {
        let mut due = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let begins = due.map_or(now, |due| due.max(now));
        *due = Some(begins + every);
        let spare = every * (WRONG_AT_ONCE - 1);
        begins.duration_since(now).saturating_sub(spare)
    }

    fn take_back(&self, every: Duration) {
        let mut due = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *due = due.and_then(|due| due.checked_sub(every));
    }
}

/// The memory of the last checks, kept while others wait: giving it back to the operating system
/// and asking for it again would hold up every thread of the process, time and again.
#[derive(Debug, Default)]
struct Memory(Mutex<Vec<Vec<Block>>>);

impl Memory {
    /// So many blocks.
    fn take(&self, blocks: usize) -> Vec<Block> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut memory = kept.pop().unwrap_or_default();
        memory.resize(blocks, Block::default());
        memory
    }

    fn keep(&self, memory: Vec<Block>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(memory);
    }

    fn release(&self) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clear();
    }
}

impl Default for PasswordDesk {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = (processors / 2).max(1);
        Self {
            memory_kib: OnceLock::new(),
            admitted: Arc::new(Semaphore::new(threads + QUEUE_MAX)),
            working: Arc::new(Semaphore::new(threads)),
            threads,
            memory: Arc::default(),
            pace: Pace::default(),
        }
    }
}

impl PasswordDesk {
    /// Measures this machine once and takes as much memory, from 19 to 64 MiB, as one check may
    /// use within about 100 ms. Until then the least is used.
    pub async fn calibrate(&self, clock: &Clock) -> Result<(), Error> {
        let before_us = clock.monotonic_us();
        self.trusted(
            "calibration".to_owned().into(),
            [0; SALT_BYTES],
            MEMORY_KIB_MIN,
            PASSES,
        )
        .await?;
        let took_us = (clock.monotonic_us() - before_us).max(1);
        let fits = u64::from(MEMORY_KIB_MIN) * TARGET_US / took_us;
        let fits = u32::try_from(fits).unwrap_or(MEMORY_KIB_MAX);
        let _ = self
            .memory_kib
            .set(fits.clamp(MEMORY_KIB_MIN, MEMORY_KIB_MAX));
        Ok(())
    }

    /// What one check costs: KiB of memory and passes over it.
    pub fn cost(&self) -> (u32, u32) {
        let memory_kib = self.memory_kib.get().copied();
        (memory_kib.unwrap_or(MEMORY_KIB_MIN), PASSES)
    }

    /// The hash of a new password.
    pub async fn hash(
        &self,
        password: Zeroizing<String>,
        set_at: Timestamp,
    ) -> Result<PasswordHash, Error> {
        let mut salt = [0; SALT_BYTES];
        random::fill(&mut salt);
        let (memory_kib, passes) = self.cost();
        Ok(PasswordHash {
            memory_kib,
            passes,
            salt,
            hash: self.trusted(password, salt, memory_kib, passes).await?,
            set_at,
        })
    }

    /// Whether it is this password. Without a stored one the answer is no, after as much work.
    pub async fn verify(
        &self,
        password: Zeroizing<String>,
        stored: Option<&PasswordHash>,
    ) -> Result<bool, Error> {
        let (memory_kib, passes) = self.cost();
        let (salt, memory_kib, passes) = match stored {
            Some(stored) => (stored.salt, stored.memory_kib, stored.passes),
            None => ([0; SALT_BYTES], memory_kib, passes),
        };
        let hash = self.compute(password, salt, memory_kib, passes).await?;
        Ok(stored.is_some_and(|stored| is_equal(&stored.hash, &hash)))
    }

    /// Has the check of somebody who is in slow down nobody. A right password alone does not: the
    /// wait of the next check would tell that it was right.
    pub fn let_in(&self) {
        self.pace.take_back(self.wrong_every());
    }

    /// The hash of a password that is no guess.
    async fn trusted(
        &self,
        password: Zeroizing<String>,
        salt: [u8; SALT_BYTES],
        memory_kib: u32,
        passes: u32,
    ) -> Result<[u8; HASH_BYTES], Error> {
        let hash = self.compute(password, salt, memory_kib, passes).await?;
        self.pace.take_back(self.wrong_every());
        Ok(hash)
    }

    fn wrong_every(&self) -> Duration {
        WRONG_EVERY / u32::try_from(self.threads).unwrap_or(u32::MAX)
    }

    async fn compute(
        &self,
        password: Zeroizing<String>,
        salt: [u8; SALT_BYTES],
        memory_kib: u32,
        passes: u32,
    ) -> Result<[u8; HASH_BYTES], Error> {
        let place = Arc::clone(&self.admitted).try_acquire_owned();
        let place = place.map_err(|_| Error::Busy)?;
        let turn = Arc::clone(&self.working).acquire_owned().await;
        let turn = turn.map_err(|_| Error::Busy)?;
        tokio::time::sleep(self.pace.begin(self.wrong_every())).await;
        let params = Params::new(memory_kib, passes, 1, Some(HASH_BYTES));
        let params = params.map_err(|_| Error::Internal("the cost of a password is impossible"))?;
        let (memory, working) = (Arc::clone(&self.memory), Arc::clone(&self.working));
        let threads = self.threads;
        let (done, result) = oneshot::channel();
        let work = move || {
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let mut hash = [0; HASH_BYTES];
            let mut blocks = memory.take(argon2.params().block_count());
            let hashed = argon2.hash_password_into_with_memory(
                password.as_bytes(),
                &salt,
                &mut hash,
                &mut blocks,
            );
            memory.keep(blocks);
            // Nobody waits any more only if the request has already ended.
            let _ = done.send(hashed.map(|()| hash));
            drop((place, turn));
            // Whoever waits has their turn at once; if nobody has it, nobody waited.
            if working.available_permits() == threads {
                memory.release();
            }
        };
        let failed = || Error::Internal("a password was not hashed");
        beside("password", work).map_err(|_| failed())?;
        result.await.ok().and_then(Result::ok).ok_or_else(failed)
    }
}

/// Compares in a time that does not depend on where they differ.
pub(crate) fn is_equal(one: &[u8; 32], other: &[u8; 32]) -> bool {
    one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    /// The reference implementation (libargon2, as Python's argon2-cffi calls it) says so:
    /// `hash_secret_raw(b"password", b"somesaltsomesalt", 2, 19456, 1, 32, Type.ID)`.
    #[tokio::test]
    async fn hashes_are_those_of_the_reference_implementation() {
        let desk = PasswordDesk::default();
        let hash = desk.compute(password("password"), *b"somesaltsomesalt", 19 * 1024, 2);
        let hex = hash
            .await
            .unwrap()
            .map(|byte| format!("{byte:02x}"))
            .concat();
        let expected = "2b5dc4054886ec957ef59c73b661c54dd6fb274590b278f657c6d96aac8fa6d1";
        assert_eq!(hex, expected);
    }

    #[tokio::test]
    async fn only_the_password_itself_is_right_and_nothing_is_right_without_one() {
        let desk = PasswordDesk::default();
        let now = Timestamp::from_micros(1);
        let stored = desk.hash(password("long enough words"), now).await.unwrap();
        let right = |text: &'static str| desk.verify(password(text), Some(&stored));
        assert!(right("long enough words").await.unwrap());
        assert!(!right("long enough word").await.unwrap());
        assert!(!desk.verify(password(""), None).await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn wrong_passwords_slow_down_those_behind_them_and_right_ones_do_not() {
        let desk = PasswordDesk::default();
        let stored = desk.hash(password("long enough words"), Timestamp::from_micros(1));
        let stored = stored.await.unwrap();
        let seconds_of = async |text: &'static str, times: u32| {
            let start = Instant::now();
            for _ in 0..times * desk.threads as u32 {
                if desk.verify(password(text), Some(&stored)).await.unwrap() {
                    desk.let_in();
                }
            }
            start.elapsed().as_secs_f64()
        };
        assert!(seconds_of("long enough words", 12).await < 0.5);
        assert!(seconds_of("wrong", 12).await > 7.5);
        // Who is right now waits for those who were wrong, once.
        let after = seconds_of("long enough words", 12).await;
        assert!(after < 12.5, "{after}");
        tokio::time::sleep(WRONG_EVERY * 20).await;
        assert!(seconds_of("long enough words", 12).await < 0.5);
        // A right password without a second factor counts like a wrong one.
        let start = Instant::now();
        for _ in 0..12 * desk.threads {
            let text = password("long enough words");
            assert!(desk.verify(text, Some(&stored)).await.unwrap());
        }
        assert!(start.elapsed().as_secs_f64() > 7.5);
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_told_to_come_again_and_the_queue_stays_short() {
        let desk = Arc::new(PasswordDesk::default());
        let threads = desk.working.available_permits();
        let tries: Vec<_> = (0..200)
            .map(|_| {
                let desk = Arc::clone(&desk);
                tokio::spawn(async move { desk.verify(password("x"), None).await })
            })
            .collect();
        let mut busy = 0;
        for one in tries {
            busy += usize::from(matches!(one.await.unwrap(), Err(Error::Busy)));
        }
        assert_eq!(busy, 200 - threads - QUEUE_MAX);
        let all = (threads + QUEUE_MAX) as u32;
        assert!(desk.admitted.acquire_many(all).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn memory_that_others_have_used_hashes_alike_and_is_given_back() {
        let desk = Arc::new(PasswordDesk::default());
        let now = Timestamp::from_micros(1);
        let stored = desk.hash(password("long enough words"), now).await.unwrap();
        let stored = Arc::new(stored);
        let tries: Vec<_> = (0..QUEUE_MAX)
            .map(|number| {
                let (desk, stored) = (Arc::clone(&desk), Arc::clone(&stored));
                let text = ["long enough words", "other words"][number % 2];
                tokio::spawn(async move { desk.verify(password(text), Some(&stored)).await })
            })
            .collect();
        for (number, one) in tries.into_iter().enumerate() {
            assert_eq!(one.await.unwrap().unwrap(), number % 2 == 0);
        }
        let all = desk
            .admitted
            .acquire_many(desk.threads as u32 + QUEUE_MAX as u32);
        assert!(all.await.is_ok());
        while !desk.memory.0.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn calibration_stays_within_its_bounds() {
        let desk = PasswordDesk::default();
        desk.calibrate(&Clock::System).await.unwrap();
        let (memory_kib, passes) = desk.cost();
        assert!((MEMORY_KIB_MIN..=MEMORY_KIB_MAX).contains(&memory_kib) && passes == PASSES);
    }
}
