//! What models at work have seen, for the metrics page. Models are named, tenants are not.

use paywarden_risk::{Engine, model::ModelDrift};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::gauge::ConstGauge,
};
use std::{fmt, sync::Arc};

/// The most models that are named.
const MODELS_MAX: usize = 200;

/// The models of an engine, read when the page is asked for.
pub(crate) struct OfModels(pub(crate) Arc<Engine>);

/// One line for each model.
type Line = (&'static str, &'static str, fn(&ModelDrift) -> Option<f64>);

#[rustfmt::skip]
const LINES: [Line; 6] = [
    ("model_payments", "Payments that a model has scored, of late", |drift| Some(drift.payments as f64)),
    ("model_alert_rate", "The share of them that its policy stopped", |drift| drift.alert_rate),
    ("model_alerts_budgeted_per_day", "Alerts a day that its budget asks for", |drift| drift.budget_per_day.map(f64::from)),
    ("model_score_stability", "Population stability index of its score", |drift| drift.score_stability),
    ("model_feature_stability_worst", "The same of its least stable number", |drift| drift.features.first()?.stability),
    ("model_alarms", "What stands out", |drift| Some(drift.alarms.len() as f64)),
];

impl fmt::Debug for OfModels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OfModels")
    }
}

impl Collector for OfModels {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let drifts = self.0.model_drifts();
        if drifts.is_empty() {
            return Ok(());
        }
        for (name, help, value) in LINES {
            let kind = ConstGauge::new(0.0).metric_type();
            let mut family = encoder.encode_descriptor(name, help, None, kind)?;
            for (_, drift) in drifts.iter().take(MODELS_MAX) {
                if let Some(value) = value(drift) {
                    let labels = [("model", drift.model.as_str())];
                    ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
                }
            }
        }
        Ok(())
    }
}
