//! What screening has counted, for the metrics page.

use paywarden_risk::Engine;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
};
use std::{fmt, sync::Arc};

/// The figures of an engine, read when the page is asked for.
pub(crate) struct OfScreening(pub(crate) Arc<Engine>);

impl fmt::Debug for OfScreening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OfScreening")
    }
}

impl Collector for OfScreening {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let figures = self.0.screening_figures();
        #[rustfmt::skip]
        let gauges = [
            ("screening_lists", "Screening lists at work", figures.lists),
            ("screening_entities", "Parties on screening lists", figures.entities),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        #[rustfmt::skip]
        let counters = [
            ("screening_names", "Names held against lists, those of payments included", figures.screened),
            ("screening_hits", "Those of them that a listed party may bear", figures.hits),
            ("screening_late", "Parties of payments that were not screened in time", figures.late),
            ("screening_versions_refused", "Versions of lists that were refused", figures.refused),
            ("screening_refreshes_failed", "Times that a list was not fetched or was refused", figures.stale),
        ];
        for (name, help, value) in counters {
            let count = ConstCounter::new(value);
            let kind = count.metric_type();
            count.encode(encoder.encode_descriptor(name, help, None, kind)?)?;
        }
        Ok(())
    }
}
