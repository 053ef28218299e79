//! How far the outbox is handed on, for the metrics page.

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

/// What whoever hands leaves on counts.
#[derive(Debug, Default)]
pub struct OutboxProgress {
    depth: AtomicU64,
    handed: AtomicU64,
    failures: AtomicU64,
}

impl OutboxProgress {
    /// So many leaves wait.
    pub fn waiting(&self, leaves: u64) {
        self.depth.store(leaves, Relaxed);
    }

    /// So many leaves were taken by everybody.
    pub fn handed(&self, leaves: u64) {
        self.handed.fetch_add(leaves, Relaxed);
    }

    /// Somebody did not take a batch, which is handed on again.
    pub fn failed(&self) {
        self.failures.fetch_add(1, Relaxed);
    }

    /// Leaves that waited when it was last counted.
    pub fn depth(&self) -> u64 {
        self.depth.load(Relaxed)
    }

    /// Batches that were not taken, since the start.
    pub fn failures(&self) -> u64 {
        self.failures.load(Relaxed)
    }
}

/// The same, read when the page is asked for.
#[derive(Debug)]
pub(crate) struct OfOutbox(pub(crate) Arc<OutboxProgress>);

impl Collector for OfOutbox {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let depth = ConstGauge::new(self.0.depth());
        let help = "Leaves of the trail that wait to be handed on";
        let kind = depth.metric_type();
        depth.encode(encoder.encode_descriptor("outbox_depth", help, None, kind)?)?;
        for (name, help, value) in [
            (
                "outbox_handed",
                "Leaves that everybody has taken",
                self.0.handed.load(Relaxed),
            ),
            (
                "outbox_failures",
                "Batches of leaves that somebody did not take",
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
