//! How far webhooks are, for the metrics page.

use paywarden_notify::Figures;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
};
use std::{fmt, sync::Arc};

/// What the courier counts, read when the page is asked for.
#[derive(Debug)]
pub(crate) struct OfNotify(pub(crate) Arc<Figures>);

impl Collector for OfNotify {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let waiting = ConstGauge::new(self.0.waiting());
        let help = "Deliveries to webhooks that wait";
        let kind = waiting.metric_type();
        waiting.encode(encoder.encode_descriptor("webhook_waiting", help, None, kind)?)?;
        for (name, help, value) in [
            (
                "webhook_delivered",
                "Deliveries to webhooks that arrived",
                self.0.delivered(),
            ),
            (
                "webhook_failed",
                "Attempts to deliver to webhooks that failed",
                self.0.failed(),
            ),
            (
                "webhook_given_up",
                "Deliveries to webhooks that were given up",
                self.0.given_up(),
            ),
        ] {
            let count = ConstCounter::new(value);
            let kind = count.metric_type();
            count.encode(encoder.encode_descriptor(name, help, None, kind)?)?;
        }
        Ok(())
    }
}
