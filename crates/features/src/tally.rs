//! Count, sum and extremes of some amounts, which can be merged.

use crate::arena::NO_AMOUNT;
use crate::{Aggregate, Value};

/// What is known of some events. Sums are exact: five million amounts fit 128 bits many times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    sum: i128,
    pub count: u32,
    /// How many of them have an amount.
    priced: u32,
    min: i64,
    max: i64,
}

impl Tally {
    pub(crate) const EMPTY: Self = Self {
        sum: 0,
        count: 0,
        priced: 0,
        min: i64::MAX,
        max: i64::MIN,
    };

    #[inline]
    pub(crate) fn add(&mut self, amount: i64) {
        self.count += 1;
        if amount != NO_AMOUNT {
            self.priced += 1;
            self.sum += i128::from(amount);
            self.min = self.min.min(amount);
            self.max = self.max.max(amount);
        }
    }

    /// Takes an event out again. False if that leaves the extremes unknown.
    #[must_use]
    pub(crate) fn remove(&mut self, amount: i64) -> bool {
        self.count -= 1;
        if amount == NO_AMOUNT {
            return true;
        }
        self.priced -= 1;
        self.sum -= i128::from(amount);
        self.min < amount && amount < self.max
    }

    #[inline]
    pub(crate) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.priced += other.priced;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// The value of an aggregate over these events; `Missing` for those that need other facts.
    pub(crate) fn value(&self, aggregate: Aggregate) -> Value {
        match aggregate {
            Aggregate::Count => Value::Count(i64::from(self.count)),
            Aggregate::Sum => i64::try_from(self.sum).map_or(Value::Missing, Value::Money),
            Aggregate::Avg | Aggregate::Min | Aggregate::Max if self.priced == 0 => Value::Missing,
            Aggregate::Avg => Value::Money(self.mean()),
            Aggregate::Min => Value::Money(self.min),
            Aggregate::Max => Value::Money(self.max),
            Aggregate::Distinct(_) | Aggregate::FirstSeen | Aggregate::SincePrevious => {
                Value::Missing
            }
        }
    }

    /// Rounded to a whole number, halves away from zero. A mean never exceeds its extremes.
    fn mean(&self) -> i64 {
        let count = i128::from(self.priced);
        let rounded = (2 * self.sum.abs() + count) / (2 * count);
        i64::try_from(rounded * self.sum.signum()).unwrap_or(self.max)
    }
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
