//! What this process says of itself: how long it runs, its snapshot, its limits with what is used.

use crate::{edge::visitors::Visitors, limits::Limits};
use paywarden_domain::Timestamp;
use paywarden_risk::Engine;
use paywarden_store::Clock;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::gauge::ConstGauge,
};
use std::{fmt, sync::Arc};

/// One process of possibly several.
pub(crate) struct Node {
    pub(crate) engine: Arc<Engine>,
    pub(crate) clock: Clock,
    pub(crate) started_at: Timestamp,
    pub(crate) limits: Limits,
    /// People signing in, and people who watch what goes on.
    pub(crate) visitors: Arc<Visitors>,
    pub(crate) readers: Arc<Visitors>,
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Node")
    }
}

impl Node {
    fn age_s(&self, since: Timestamp) -> u64 {
        let age_s = self.clock.now().seconds() - since.seconds();
        u64::try_from(age_s).unwrap_or(0)
    }
}

impl Collector for Node {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let room = self.engine.room();
        let mut gauges = vec![
            (
                "uptime_seconds",
                "Since this process started",
                self.age_s(self.started_at),
            ),
            (
                "visitors",
                "People signing in who are listened to",
                self.visitors.inside() as u64,
            ),
            (
                "readers",
                "People who watch what goes on",
                self.readers.inside() as u64,
            ),
            (
                "snapshot_decisions_behind",
                "Decisions since the last snapshot of the windows",
                room.decided_since_snapshot,
            ),
        ];
        if let Some(snapshot) = room.snapshot {
            let written = "Since the snapshot of the windows was written to last";
            gauges.push((
                "snapshot_age_seconds",
                written,
                self.age_s(snapshot.written_at),
            ));
            gauges.push((
                "snapshot_bytes",
                "Size of the snapshot of the windows",
                snapshot.bytes,
            ));
        }
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        let limits = &self.limits;
        let help = "The most that there may be of a gauge";
        let kind = ConstGauge::new(0u64).metric_type();
        let mut family = encoder.encode_descriptor("limit", help, None, kind)?;
        for (of, most) in [
            ("connections", limits.connections_max as u64),
            ("requests_in_flight", limits.requests_in_flight_max as u64),
            ("visitors", limits.visitors_max as u64),
            ("readers", limits.readers_max as u64),
            ("nonces", limits.nonces_max as u64),
            ("journal_queued", room.journal_queue_max as u64),
            ("window_events", room.windows.events_max),
            ("window_entities", room.windows.entities_max as u64),
            ("snapshot_decisions_behind", room.snapshot_every),
        ] {
            ConstGauge::new(most).encode(family.encode_family(&[("of", of)])?)?;
        }
        Ok(())
    }
}
