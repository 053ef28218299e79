//! Latencies in a histogram of fixed size: no sample is kept, none is lost.

use crate::figures::Figure;
use hdrhistogram::Histogram;

/// The longest latency told apart, in microseconds; longer ones count as this long.
pub const LATENCY_US_MAX: u64 = 60_000_000;

/// Latencies from 1 µs to 60 s with three significant digits (HdrHistogram).
#[derive(Clone)]
pub struct Latencies(Histogram<u64>);

impl Latencies {
    /// An empty histogram.
    pub fn new() -> Self {
        match Histogram::new_with_bounds(1, LATENCY_US_MAX, 3) {
            Ok(histogram) => Self(histogram),
            Err(_) => unreachable!("the bounds are constants that the library accepts"),
        }
    }

    /// Counts one latency.
    pub fn record(&mut self, latency_us: u64) {
        self.0
            .saturating_record(latency_us.clamp(1, LATENCY_US_MAX));
    }

    /// Adds what another histogram has counted.
    pub fn merge(&mut self, other: &Self) {
        // Both have the same bounds, so there is nothing that could not be added.
        let _ = self.0.add(&other.0);
    }

    /// The latency in milliseconds that this share (0 to 1) of the samples does not exceed.
    pub fn quantile_ms(&self, share: f64) -> f64 {
        if self.0.is_empty() {
            return f64::NAN;
        }
        self.0.value_at_quantile(share) as f64 / 1000.0
    }

    /// The longest latency, in milliseconds.
    pub fn max_ms(&self) -> f64 {
        self.0.max() as f64 / 1000.0
    }

    /// The four figures that every measuring command reports.
    pub fn figures(&self) -> Vec<Figure> {
        vec![
            Figure::new("latency_p50_ms", self.quantile_ms(0.5), "ms"),
            Figure::new("latency_p99_ms", self.quantile_ms(0.99), "ms"),
            Figure::new("latency_p999_ms", self.quantile_ms(0.999), "ms"),
            Figure::new("latency_max_ms", self.max_ms(), "ms"),
        ]
    }
}

impl Default for Latencies {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_a_thousandth_and_merging_adds() {
        let (mut odd, mut even) = (Latencies::new(), Latencies::new());
        for latency_us in 1..=10_000u64 {
            if latency_us % 2 == 0 {
                &mut even
            } else {
                &mut odd
            }
            .record(latency_us);
        }
        odd.merge(&even);
        for (share, expected_ms) in [(0.5, 5.0), (0.99, 9.9), (0.999, 9.99), (1.0, 10.0)] {
            let ratio = odd.quantile_ms(share) / expected_ms;
            assert!(
                (ratio - 1.0).abs() < 0.002,
                "{share}: {}",
                odd.quantile_ms(share)
            );
        }
        assert!(Latencies::new().quantile_ms(0.5).is_nan());
    }

    #[test]
    fn what_is_too_long_counts_as_the_longest() {
        let mut latencies = Latencies::new();
        latencies.record(u64::MAX);
        assert!(latencies.quantile_ms(1.0) >= 60_000.0);
    }
}
