//! Count, sum and extremes of some amounts, which can be merged.

use crate::arena::NO_AMOUNT;
use crate::{Aggregate, Value};

/// Count and sum of some events. Sums are exact: five million amounts fit 128 bits many times.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    sum: i128,
    count: u32,
    /// How many of them have an amount.
    priced: u32,
}

impl Sums {
    #[inline]
    pub(crate) fn add(&mut self, amount: i64) {
        self.count += 1;
        if amount != NO_AMOUNT {
            self.priced += 1;
            self.sum += i128::from(amount);
        }
    }

    pub(crate) fn remove(&mut self, amount: i64) {
        self.count -= 1;
        if amount != NO_AMOUNT {
            self.priced -= 1;
            self.sum -= i128::from(amount);
        }
    }

    /// How many of them have an amount.
    pub(crate) fn priced(&self) -> u32 {
        self.priced
    }
}

/// What is known of some events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    sums: Sums,
    min: i64,
    max: i64,
}

impl Tally {
    pub(crate) const EMPTY: Self = Self {
        sums: Sums {
            sum: 0,
            count: 0,
            priced: 0,
        },
        min: i64::MAX,
        max: i64::MIN,
    };

    /// Sums with the smallest and the largest amount; the wrong way round if there is none.
    pub(crate) fn new(sums: Sums, (min, max): (i64, i64)) -> Self {
        Self { sums, min, max }
    }

    #[inline]
    pub(crate) fn add(&mut self, amount: i64) {
        self.sums.add(amount);
        if amount != NO_AMOUNT {
            self.min = self.min.min(amount);
            self.max = self.max.max(amount);
        }
    }

    /// Takes an event out again. False if that leaves the extremes unknown.
    #[must_use]
    pub(crate) fn remove(&mut self, amount: i64) -> bool {
        self.sums.remove(amount);
        amount == NO_AMOUNT || self.min < amount && amount < self.max
    }

    #[inline]
    pub(crate) fn merge(&mut self, other: &Self) {
        self.sums.count += other.sums.count;
        self.sums.priced += other.sums.priced;
        self.sums.sum += other.sums.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// How many events there are.
    pub(crate) fn count(&self) -> u32 {
        self.sums.count
    }

    /// How many of them have an amount.
    pub(crate) fn priced(&self) -> u32 {
        self.sums.priced
    }

    /// The smallest and the largest amount; the wrong way round if there is none.
    pub(crate) fn extremes(&self) -> (i64, i64) {
        (self.min, self.max)
    }

    /// The sum of the amounts.
    pub(crate) fn sum(&self) -> i128 {
        self.sums.sum
    }

    /// The value of an aggregate over these events; `Missing` for those that need other facts.
    #[inline]
    pub(crate) fn value(&self, aggregate: Aggregate) -> Value {
        match aggregate {
            Aggregate::Count => Value::Count(i64::from(self.sums.count)),
            Aggregate::Sum => i64::try_from(self.sums.sum).map_or(Value::Missing, Value::Money),
            Aggregate::Avg | Aggregate::Min | Aggregate::Max if self.sums.priced == 0 => {
                Value::Missing
            }
            Aggregate::Avg => Value::Money(self.mean()),
            Aggregate::Min => Value::Money(self.min),
            Aggregate::Max => Value::Money(self.max),
            _ => Value::Missing,
        }
    }

    /// Rounded to a whole number, halves away from zero. A mean never exceeds its extremes.
    fn mean(&self) -> i64 {
        // Dividing 64 bits is many times faster, and mostly enough.
        if let Ok(sum) = i64::try_from(self.sums.sum)
            && sum.unsigned_abs() < 1 << 61
        {
            let count = i64::from(self.sums.priced);
            return (2 * sum.abs() + count) / (2 * count) * sum.signum();
        }
        let count = i128::from(self.sums.priced);
        let rounded = (2 * self.sums.sum.abs() + count) / (2 * count);
        i64::try_from(rounded * self.sums.sum.signum()).unwrap_or(self.max)
    }
}

/// The largest amount whose square is kept: beyond a hundred million million minor units nobody
/// asks how amounts scatter, and sums of squares stay exact.
const SQUARE_MAX: u64 = 1 << 40;

/// Squares of some amounts, for how they scatter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Moments {
    squares: i128,
    /// Amounts beyond `SQUARE_MAX`.
    huge: u32,
}

impl Moments {
    #[inline]
    pub(crate) fn add(&mut self, amount: i64) {
        match Self::square(amount) {
            Some(square) => self.squares += square,
            None => self.huge += 1,
        }
    }

    pub(crate) fn remove(&mut self, amount: i64) {
        match Self::square(amount) {
            Some(square) => self.squares -= square,
            None => self.huge -= 1,
        }
    }

    /// The sample standard deviation of the amounts of a tally, rounded.
    pub(crate) fn deviation(&self, tally: &Tally) -> Value {
        let count = i128::from(tally.priced());
        if count < 2 || self.huge > 0 {
            return Value::Missing;
        }
        let scatter = count * self.squares - tally.sum() * tally.sum();
        let variance = scatter as f64 / (count * (count - 1)) as f64;
        Value::Money(variance.sqrt().round() as i64)
    }

    fn square(amount: i64) -> Option<i128> {
        let square = i128::from(amount) * i128::from(amount);
        match amount {
            NO_AMOUNT => Some(0),
            _ => (amount.unsigned_abs() <= SQUARE_MAX).then_some(square),
        }
    }
}

/// How many steps of age make a half-life.
const STEPS: i64 = 4;
/// What a quarter, a half and three quarters of a half-life leave.
const FADED: [f64; STEPS as usize] = [
    1.0,
    0.840_896_415_253_714_5,
    std::f64::consts::FRAC_1_SQRT_2,
    0.594_603_557_501_360_5,
];

/// A mean that forgets. Amounts of one step of age are summed as whole numbers before they are
/// weighted, newest step first: the value does not depend on how the events were visited.
#[derive(Debug, Default)]
pub(crate) struct Fading {
    weighted: f64,
    weights: f64,
}

impl Fading {
    /// How long a step is.
    pub(crate) fn step(half_life: i64) -> i64 {
        half_life / STEPS
    }

    /// Adds all amounts of one step of age; steps ascend.
    pub(crate) fn add(&mut self, step: i64, sum: i128, count: u32) {
        if count > 0 {
            let weight = FADED[(step % STEPS) as usize] * 0.5f64.powi((step / STEPS) as i32);
            self.weighted += weight * sum as f64;
            self.weights += weight * f64::from(count);
        }
    }

    pub(crate) fn value(&self) -> Value {
        match self.weights > 0.0 {
            true => Value::Money((self.weighted / self.weights).round() as i64),
            false => Value::Missing,
        }
    }
}

/// The place of the amount at a share in thousandths among so many sorted ones (nearest rank).
pub(crate) fn rank(permille: u16, count: usize) -> usize {
    (count * usize::from(permille))
        .div_ceil(1000)
        .saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(amounts: &[i64]) -> Tally {
        let mut tally = Tally::EMPTY;
        amounts.iter().for_each(|amount| tally.add(*amount));
        tally
    }

    #[test]
    fn means_round_halves_away_from_zero() {
        for (amounts, mean) in [
            (&[1, 2][..], 2),
            (&[-1, -2], -2),
            (&[1, 1, 2], 1),
            (&[-1, 1], 0),
            (&[i64::MAX, i64::MAX], i64::MAX),
            (&[5, NO_AMOUNT], 5),
        ] {
            assert_eq!(
                tally(amounts).value(Aggregate::Avg),
                Value::Money(mean),
                "{amounts:?}"
            );
        }
    }

    #[test]
    fn sums_beyond_64_bits_are_missing() {
        assert_eq!(tally(&[i64::MAX, 1]).value(Aggregate::Sum), Value::Missing);
        assert_eq!(
            tally(&[i64::MAX, 1, -1]).value(Aggregate::Sum),
            Value::Money(i64::MAX)
        );
    }
}
