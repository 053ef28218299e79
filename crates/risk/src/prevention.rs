//! How much loss was prevented: of the amount that frauds attempted, what was stopped; of the risk
//! events, how many were alerted at their first payment; what was lost before the first alert.
//!
//! ```text
//! sums       counts and exact money of some payments
//! events     frauds of one payer that follow each other: risk events
//! report     the figures, with where each lies when the days are drawn again
//! ```
//!
//! No figure is a promise: each stands beside its label delay, its alert rate and its interval, and
//! is that of a company's own payments as their labels were known at a stated moment.

mod events;
mod report;
mod sums;

pub use report::{Part, Prevented, PreventedMoney, PreventionOrder, PreventionReport, Share};

use crate::{
    Engine, Error, backtest::Labelled, hindsight::Past, model::Reading, record, release::Trace,
};
use paywarden_domain::{Engine as Judge, Outcome, TenantId};
use paywarden_features::FeatureEvent;
use paywarden_store::DecisionRow;
use report::Counting;
use sums::Payment;

impl Engine {
    /// How much loss was prevented in a stretch of time.
    ///
    /// Errors: [`Error::ReportTooLong`].
    pub async fn prevention(
        &self,
        tenant: &TenantId,
        order: PreventionOrder,
    ) -> Result<PreventionReport, Error> {
        let mut counting = Counting::new(order);
        let stretch = order.stretch;
        let each = |past: &Past<'_>| {
            if past.labelled == Labelled::Immature {
                counting.pass();
                return Ok(());
            }
            let parts = self.parts(past.row, order.by)?;
            counting.add(payment(past)?, &parts);
            Ok(())
        };
        self.in_hindsight(tenant, &stretch, each).await?;
        let report = tokio::task::spawn_blocking(move || counting.finish()).await;
        report.map_err(|error| Error::RecordDamaged(error.to_string()))
    }

    /// The parts that a payment belongs to, and whether each stopped it. By day and channel that is
    /// the verdict; by what judges, it is what judged.
    fn parts(&self, row: &DecisionRow, by: Option<Part>) -> Result<Vec<(String, bool)>, Error> {
        let stops = row.outcome.stops();
        let Some(by) = by else {
            return Ok(Vec::new());
        };
        Ok(match by {
            Part::Day => {
                let day = row.occurred_at.to_string();
                vec![(day.get(..10).unwrap_or(&day).to_owned(), stops)]
            }
            Part::Channel => {
                let channel = self.recorder.event(row)?.channel;
                let name = channel.map_or("unknown", |channel| channel.name());
                vec![(name.to_owned(), stops)]
            }
            Part::Engine => {
                let decision = record::decision(row)?;
                let results = [&decision.fraud, &decision.laundering];
                let acting = Judge::ALL.into_iter().zip(results);
                let acting = acting.filter(|(_, result)| result.action.stops());
                acting
                    .map(|(engine, _)| (engine.name().to_owned(), stops))
                    .collect()
            }
            Part::Rule | Part::Scenario => {
                let decision = record::decision(row)?;
                let fired = decision
                    .fraud
                    .fired
                    .iter()
                    .chain(&decision.laundering.fired);
                let mut names: Vec<String> = fired
                    .map(|fired| match by {
                        Part::Scenario => scenario(&fired.rule),
                        _ => fired.rule.clone(),
                    })
                    .collect();
                names.sort_unstable();
                names.dedup();
                names.into_iter().map(|name| (name, stops)).collect()
            }
            Part::Model => {
                let trace = row.trace.as_deref().map(Trace::decode).transpose()?;
                let readings = trace.unwrap_or_default().models;
                acting_models(&readings)
                    .map(|model| (model, stops))
                    .collect()
            }
        })
    }
}

/// The models that asked for a payment to be stopped.
fn acting_models(readings: &[Reading]) -> impl Iterator<Item = String> + '_ {
    let marks = readings.iter().flat_map(|reading| &reading.marks);
    let acting = marks.filter(|mark| mark.action.is_some_and(Outcome::stops));
    acting.map(|mark| mark.model.clone())
}

/// `pack.rule` is of the scenario `pack`.
fn scenario(rule: &str) -> String {
    let pack = rule.rsplit_once('.').map_or(rule, |(pack, _)| pack);
    pack.to_owned()
}

fn payment(past: &Past<'_>) -> Result<Payment, Error> {
    let row = past.row;
    let event = FeatureEvent::decode(&row.feature);
    let event = event.map_err(|error| Error::RecordDamaged(error.to_string()))?;
    Ok(Payment {
        at: row.occurred_at.micros(),
        payer: crate::backtest::customer(&event),
        event_no: row.event_no,
        amount: row.amount,
        fraud: past.labelled == Labelled::Fraud && past.stands_for > 0,
        stands_for: past.stands_for,
        stopped: row.outcome.stops(),
    })
}
