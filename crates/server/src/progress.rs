//! How far something is handed on, for the metrics page: the outbox to the parts of the system, the
//! trail to a receiver outside.

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

/// What whoever hands leaves on counts. All stays zero if nobody does.
#[derive(Debug, Default)]
pub struct Progress {
    waiting: AtomicU64,
    handed: AtomicU64,
    failures: AtomicU64,
}

impl Progress {
    /// So many leaves wait, or do not count as taken yet.
    pub fn waits(&self, leaves: u64) {
        self.waiting.store(leaves, Relaxed);
    }

    /// So many leaves were handed on, some perhaps again.
    pub fn hands(&self, leaves: u64) {
        self.handed.fetch_add(leaves, Relaxed);
    }

    /// They were not taken, and are handed on again.
    pub fn fails(&self) {
        self.failures.fetch_add(1, Relaxed);
    }

    /// Leaves that waited when it was last counted.
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Relaxed)
    }

    /// Leaves handed on since the start.
    pub fn handed(&self) -> u64 {
        self.handed.load(Relaxed)
    }

    /// How often they were not taken, since the start.
    pub fn failures(&self) -> u64 {
        self.failures.load(Relaxed)
    }
}

/// A figure of the page: its name and what it says.
type Figure = (&'static str, &'static str);

/// What is counted of one way, under its names.
#[derive(Debug)]
pub(crate) struct OfProgress {
    progress: Arc<Progress>,
    waiting: Figure,
    handed: Figure,
    failures: Figure,
}

impl OfProgress {
    /// Of the outbox, handed on within the system.
    pub(crate) fn of_outbox(progress: Arc<Progress>) -> Self {
        Self {
            progress,
            waiting: (
                "outbox_depth",
                "Leaves of the trail that wait to be handed on",
            ),
            handed: ("outbox_handed", "Leaves that everybody has taken"),
            failures: (
                "outbox_failures",
                "Batches of leaves that somebody did not take",
            ),
        }
    }

    /// Of the trail, handed over to a receiver outside.
    pub(crate) fn of_export(progress: Arc<Progress>) -> Self {
        Self {
            progress,
            waiting: (
                "trail_export_lag",
                "Leaves of the trail that the receiver does not have for certain",
            ),
            handed: (
                "trail_export_sent",
                "Leaves sent to the receiver, again after a break",
            ),
            failures: (
                "trail_export_failures",
                "Connections to the receiver that were not made or broke",
            ),
        }
    }
}

impl Collector for OfProgress {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let (name, help) = self.waiting;
        let waiting = ConstGauge::new(self.progress.waiting());
        let kind = waiting.metric_type();
        waiting.encode(encoder.encode_descriptor(name, help, None, kind)?)?;
        for ((name, help), value) in [
            (self.handed, self.progress.handed()),
            (self.failures, self.progress.failures()),
        ] {
            let count = ConstCounter::new(value);
            let kind = count.metric_type();
            count.encode(encoder.encode_descriptor(name, help, None, kind)?)?;
        }
        Ok(())
    }
}
