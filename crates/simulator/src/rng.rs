//! Chance that can be repeated: one 64-bit seed decides everything drawn from it.
//!
//! *Invariant*: only integer arithmetic, comparisons and the four operations of IEEE 754 are used,
//! never a mathematical function of the platform, so that a seed gives the same bits everywhere.

/// A stream of pseudo-random numbers (SplitMix64, Steele, Lea and Flood 2014). Not for secrets.
#[derive(Debug, Clone)]
pub(crate) struct Rng(u64);

impl Rng {
    /// The stream that belongs to one thing among many: a customer, a device of a customer.
    pub fn of(seed: u64, thing: &[u64]) -> Self {
        Self(hash(seed, thing))
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// A number from 0 up to but without `limit`; 0 when the limit is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        let product = u128::from(self.bits()) * limit as u128;
        (product >> 64) as usize
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below(usize::try_from(high - low + 1).unwrap_or(1)) as i64
    }

    /// A number from 0 up to but without 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of several, all equally likely; none of nothing.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len()))
    }

    /// One of several words; empty of nothing.
    pub fn word(&mut self, words: &[&'static str]) -> &'static str {
        self.pick(words).copied().unwrap_or_default()
    }

    /// A place in `weights`, each as likely as its weight says.
    pub fn weighted(&mut self, weights: &[u16]) -> usize {
        let total: usize = weights.iter().map(|weight| usize::from(*weight)).sum();
        let mut left = self.below(total);
        for (place, weight) in weights.iter().enumerate() {
            match left.checked_sub(usize::from(*weight)) {
                Some(rest) => left = rest,
                None => return place,
            }
        }
        0
    }

    /// A standard normal number: the sum of twelve uniform ones less six, so never beyond ±6.
    pub fn normal(&mut self) -> f64 {
        let mut sum = -6.0;
        for _ in 0..4 {
            let bits = self.bits();
            for part in [bits >> 43, bits >> 22, bits] {
                sum += (part & 0x1f_ffff) as f64 / (1 << 21) as f64;
            }
        }
        sum
    }

    /// A log-normal number with this median and this deviation of its logarithm.
    pub fn log_normal(&mut self, median: f64, deviation: f64) -> f64 {
        median * power_of_e(deviation * self.normal())
    }

    /// An amount of money: a log-normal number of US cents, from 20 cents to 100,000 dollars.
    pub fn cents(&mut self, median: f64, deviation: f64) -> i64 {
        self.log_normal(median, deviation).clamp(20.0, 10_000_000.0) as i64
    }

    /// An exponential number with mean 1 (von Neumann 1951: the parity of a falling run decides).
    pub fn exponential(&mut self) -> f64 {
        let mut whole = 0.0;
        loop {
            let first = self.unit();
            let (mut last, mut falls) = (first, 0);
            loop {
                let next = self.unit();
                if next >= last {
                    break;
                }
                (last, falls) = (next, falls + 1);
            }
            if falls % 2 == 0 {
                return whole + first;
            }
            whole += 1.0;
        }
    }

    /// How many events of a Poisson process with this mean happen in one unit of time.
    pub fn poisson(&mut self, mean: f64) -> usize {
        let (mut elapsed, mut count) = (self.exponential(), 0);
        while elapsed < mean {
            elapsed += self.exponential();
            count += 1;
        }
        count
    }
}

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A number that belongs to a seed and a thing, and looks random.
pub(crate) fn hash(seed: u64, thing: &[u64]) -> u64 {
    thing.iter().fold(mix(seed ^ STEP), |state, part| {
        mix(state.wrapping_add(STEP) ^ mix(*part))
    })
}

fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// (1 + x/4096)^4096: within 1 % of e^x for |x| up to 9, which is all a distribution needs.
fn power_of_e(exponent: f64) -> f64 {
    let mut power = 1.0 + exponent / 4096.0;
    for _ in 0..12 {
        power *= power;
    }
    power
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(mut draw: impl FnMut() -> f64) -> f64 {
        (0..40_000).map(|_| draw()).sum::<f64>() / 40_000.0
    }

    #[test]
    fn distributions_have_their_moments() {
        let mut rng = Rng::of(1, &[]);
        assert!((mean(|| rng.unit()) - 0.5).abs() < 0.01);
        assert!(mean(|| rng.normal()).abs() < 0.02);
        assert!((mean(|| rng.normal().powi(2)) - 1.0).abs() < 0.03);
        assert!((mean(|| rng.exponential()) - 1.0).abs() < 0.02);
        assert!((mean(|| rng.poisson(2.5) as f64) - 2.5).abs() < 0.05);
        let above = mean(|| f64::from(u8::from(rng.log_normal(20.0, 0.8) > 20.0)));
        assert!((above - 0.5).abs() < 0.01);
    }

    #[test]
    fn choices_stay_within_bounds_and_follow_weights() {
        let mut rng = Rng::of(2, &[]);
        assert!((0..1000).all(|_| (3..=5).contains(&rng.between(3, 5))));
        assert_eq!(rng.below(0), 0);
        assert_eq!(rng.pick::<u8>(&[]), None);
        assert!((mean(|| rng.weighted(&[1, 0, 3]) as f64) - 1.5).abs() < 0.02);
        assert!((power_of_e(2.0) / 2f64.exp() - 1.0).abs() < 0.01);
    }
}
