//! How far the trail has gone to a receiver outside, for the metrics page.

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// What whoever hands the trail over counts. All stays zero without a receiver.
#[derive(Debug, Default)]
pub struct ExportProgress {
    lag: AtomicU64,
    sent: AtomicU64,
    failures: AtomicU64,
}

impl ExportProgress {
    /// So many leaves do not count as handed over yet.
    pub fn lags(&self, leaves: u64) {
        self.lag.store(leaves, Relaxed);
    }

    /// So many leaves were sent, some perhaps again.
    pub fn add_sent(&self, leaves: u64) {
        self.sent.fetch_add(leaves, Relaxed);
    }

    /// A connection was not made, or broke.
    pub fn failed(&self) {
        self.failures.fetch_add(1, Relaxed);
    }

    /// Leaves sent since the start.
    pub fn sent(&self) -> u64 {
        self.sent.load(Relaxed)
    }

    /// Connections that were not made or broke, since the start.
    pub fn failures(&self) -> u64 {
        self.failures.load(Relaxed)
    }
}

/// The same, read when the page is asked for.
#[derive(Debug)]
pub(crate) struct OfExport(pub(crate) Arc<ExportProgress>);

impl Collector for OfExport {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let lag = ConstGauge::new(self.0.lag.load(Relaxed));
        let help = "Leaves of the trail that the receiver does not have for certain";
        let kind = lag.metric_type();
        lag.encode(encoder.encode_descriptor("trail_export_lag", help, None, kind)?)?;
        for (name, help, value) in [
            (
                "trail_export_sent",
                "Leaves sent to the receiver, again after a break",
                self.0.sent(),
            ),
            (
                "trail_export_failures",
                "Connections to the receiver that were not made or broke",
                self.0.failures(),
            ),
        ] {
            let count = ConstCounter::new(value);
            let kind = count.metric_type();
            count.encode(encoder.encode_descriptor(name, help, None, kind)?)?;
        }
        Ok(())
    }
}
