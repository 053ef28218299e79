//! Reports to financial intelligence units: drafted, approved by another, filed, acknowledged,
//! amended.
//!
//! *Invariant*: a report is a sealed record with versions; it changes only by its next version, in
//! the journal. What is filed is what was approved: the approval names the digest of the content,
//! and a draft that moves on is another one. Records name no person in clear.

mod desk;
mod error;
mod large;
mod record;

pub use desk::{Draft, NEWEST, Open, Reports};
pub use error::Error;
pub use large::{LargeValueFound, LargeValueRun, LargeValues, Reporter, Reporters};
pub use record::{Acknowledgement, Filing, ReportState, ReportView};

use paywarden_access::approval::{Kind, Sensitive};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::gauge::ConstGauge,
};
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};
use utoipa::ToSchema;

/// A draft is to be filed as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportFiling {
    /// The report, `rep_…`.
    pub report: String,
    /// SHA-256 of its content, as the report says it.
    pub content_sha256: String,
}

impl Sensitive for ReportFiling {
    const KIND: Kind = Kind::ReportFiling;

    fn object(&self) -> String {
        self.report.clone()
    }

    fn check(&self) -> Result<(), String> {
        match (1..=64).contains(&self.report.len()) && self.content_sha256.len() == 64 {
            true => Ok(()),
            false => Err("name the report and the digest of its content".to_owned()),
        }
    }
}

/// How many reports are open and overdue, read when the page of metrics is asked for.
pub(crate) struct OfReports(pub(crate) Arc<Reports>);

impl fmt::Debug for OfReports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OfReports")
    }
}

impl Collector for OfReports {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Open { open, overdue } = self.0.open_now();
        #[rustfmt::skip]
        let gauges = [
            ("reports_open", "Reports to financial intelligence units that are not filed", open),
            ("reports_overdue", "Those of them whose deadline has passed", overdue),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}
