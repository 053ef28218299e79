//! Which rules fire together: counted exactly over an even sample of bounded size.

use super::report::OVERLAPS_MAX;
use std::cmp::Reverse;

/// Payments in the sample at most.
const ROWS_MAX: usize = 16_384;
/// Fired rules of all payments of the sample at most.
const PLACES_MAX: usize = 1 << 22;
/// A payment with more fired rules than this says nothing about any two of them.
const FIRED_MAX: usize = 256;

/// Every n-th payment with fired rules. When the sample is full, every other one of it goes and n
/// doubles: it stays even however many payments come.
#[derive(Debug)]
pub(super) struct Sample {
    every: u64,
    offered: u64,
    ends: Vec<usize>,
    places: Vec<u32>,
}

impl Default for Sample {
    fn default() -> Self {
        Self {
            every: 1,
            offered: 0,
            ends: Vec::new(),
            places: Vec::new(),
        }
    }
}

impl Sample {
    /// Takes in the rules that fired for a payment.
    pub(super) fn offer(&mut self, fired: &[u32]) {
        if fired.is_empty() || fired.len() > FIRED_MAX {
            return;
        }
        let taken = self.offered.is_multiple_of(self.every);
        self.offered += 1;
        if !taken {
            return;
        }
        while self.ends.len() >= ROWS_MAX || self.places.len() + fired.len() > PLACES_MAX {
            self.thin();
        }
        self.places.extend_from_slice(fired);
        self.ends.push(self.places.len());
    }

    /// How many payments are in the sample.
    pub(super) fn len(&self) -> u64 {
        self.ends.len() as u64
    }

    /// For each rule the rules that fire most often together with it, each with its share of the
    /// one's payments.
    pub(super) fn overlaps(&self, rules: usize) -> Vec<Vec<(usize, f64)>> {
        let mut rows_of: Vec<Vec<u32>> = vec![Vec::new(); rules];
        for (row, fired) in self.rows().enumerate() {
            for rule in fired {
                if let Some(rows) = rows_of.get_mut(*rule as usize) {
                    rows.push(row as u32);
                }
            }
        }
        let mut together = vec![0_u32; rules];
        let rows = rows_of.iter().enumerate();
        rows.map(|(rule, rows)| self.partners(rule, rows, &mut together))
            .collect()
    }

    /// The most frequent companions of one rule; `together` is all zero before and after.
    fn partners(&self, rule: usize, rows: &[u32], together: &mut [u32]) -> Vec<(usize, f64)> {
        let mut met: Vec<usize> = Vec::new();
        for row in rows {
            for other in self.row(*row as usize) {
                let other = *other as usize;
                if other != rule
                    && let Some(count) = together.get_mut(other)
                {
                    if *count == 0 {
                        met.push(other);
                    }
                    *count += 1;
                }
            }
        }
        met.sort_by_key(|other| (Reverse(together[*other]), *other));
        let share = |other: &usize| (*other, f64::from(together[*other]) / rows.len() as f64);
        let partners = met.iter().take(OVERLAPS_MAX).map(share).collect();
        met.iter().for_each(|other| together[*other] = 0);
        partners
    }

    fn row(&self, row: usize) -> &[u32] {
        let from = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.places[from..self.ends[row]]
    }

    fn rows(&self) -> impl Iterator<Item = &[u32]> {
        (0..self.ends.len()).map(|row| self.row(row))
    }

    fn thin(&mut self) {
        let mut kept = Self {
            every: self.every * 2,
            offered: self.offered,
            ..Self::default()
        };
        for row in self.rows().step_by(2) {
            kept.places.extend_from_slice(row);
            kept.ends.push(kept.places.len());
        }
        *self = kept;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn companions_are_counted_and_ranked() {
        let mut sample = Sample::default();
        for number in 0..12_u32 {
            match number % 4 {
                0 => sample.offer(&[0]),
                1 => sample.offer(&[0, 1]),
                2 => sample.offer(&[0, 1, 2]),
                _ => sample.offer(&[]),
            }
        }
        let overlaps = sample.overlaps(4);
        assert_eq!(overlaps[0], [(1, 2.0 / 3.0), (2, 1.0 / 3.0)]);
        assert_eq!(overlaps[1], [(0, 1.0), (2, 0.5)]);
        assert_eq!(overlaps[2], [(0, 1.0), (1, 1.0)]);
        assert_eq!(overlaps[3], []);
        assert_eq!(sample.len(), 9);
    }

    #[test]
    fn a_long_stream_stays_within_its_bounds_and_even() {
        let mut sample = Sample::default();
        for number in 0..200_000_u32 {
            sample.offer(if number < 100_000 { &[0, 1] } else { &[0, 2] });
        }
        assert!(sample.ends.len() <= ROWS_MAX && sample.ends.len() >= ROWS_MAX / 2);
        let share = sample.overlaps(3)[0][0].1;
        assert!((share - 0.5).abs() < 0.001, "{share}");
    }
}
