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
use paywarden_domain::{Engine as Judge, Outcome, TenantId, Timestamp};
use paywarden_features::FeatureEvent;
use paywarden_store::DecisionRow;
use report::Counting;
use sums::Payment;

/// Payments with a label that are read at a time.
const NUMBERS: usize = 200;

impl Engine {
    /// How much loss was prevented in a stretch of time.
    ///
    /// Error: [`Error::ReportTooLong`] where more than 250,000 payments have a label, or,
    /// told apart by more than the day, where there are more payments.
    pub async fn prevention(
        &self,
        tenant: &TenantId,
        order: PreventionOrder,
    ) -> Result<PreventionReport, Error> {
        let counting = match order.by {
            None | Some(Part::Day) => self.in_numbers(tenant, order).await?,
            Some(by) => self.one_by_one(tenant, (order, by)).await?,
        };
        let report = tokio::task::spawn_blocking(move || counting.finish()).await;
        report.map_err(|error| Error::RecordDamaged(error.to_string()))
    }

    /// Counts payments by day without reading them, and reads those that have a label.
    async fn in_numbers(
        &self,
        tenant: &TenantId,
        order: PreventionOrder,
    ) -> Result<Counting, Error> {
        let mut counting = Counting::new(order, self.config.rates.clone());
        let stretch = order.stretch;
        let mature = stretch
            .mature()
            .clamp(stretch.from, stretch.to.max(stretch.from));
        let number = async |from: Timestamp| {
            let from = from.micros().saturating_sub(self.config.event_ahead_max);
            self.database.decided_since(tenant, from).await
        };
        let (first, young) = (number(stretch.from).await?, number(mature).await?);
        let count = async |first, happened| {
            let counted = self
                .database
                .payment_counts(tenant, (first, happened), stretch.as_of);
            counted.await
        };
        for counted in count(first, stretch.from..mature).await? {
            let (payments, stopped) = (counted.payments, counted.outcome.stops());
            counting.on(counted.day, |sums| sums.count(payments, stopped));
        }
        for counted in count(young, mature..stretch.to).await? {
            let (payments, stopped) = (counted.payments, counted.outcome.stops());
            counting.on(counted.day, |sums| sums.pass(payments, stopped));
        }
        let labels = self
            .labels_known(tenant, (first, i64::MAX), stretch.as_of)
            .await?;
        // What is known to be genuine counts like what is presumed so, once it is as old.
        let wanted = labels
            .iter()
            .filter(|(number, verdict)| verdict.is_fraud() || **number >= young);
        let mut wanted: Vec<i64> = wanted.map(|(number, _)| *number).collect();
        wanted.sort_unstable();
        for numbers in wanted.chunks(NUMBERS) {
            for row in &self.database.decisions_numbered(tenant, numbers).await? {
                if row.kind.is_payment() && stretch.holds(row) {
                    let past = Past::of(row, &stretch, &labels)?;
                    let payment = payment(&past)?;
                    if row.occurred_at >= mature {
                        counting.on(payment.day(), |sums| sums.take_back(payment.stopped));
                    }
                    if payment.fraud {
                        counting.defraud(payment);
                    }
                }
            }
        }
        Ok(counting)
    }

    /// Reads every payment.
    async fn one_by_one(
        &self,
        tenant: &TenantId,
        (order, by): (PreventionOrder, Part),
    ) -> Result<Counting, Error> {
        let mut counting = Counting::new(order, self.config.rates.clone());
        let each = |past: &Past<'_>| {
            let parts = self.parts(past.row, by)?;
            counting.add(payment(past)?, &parts);
            Ok(())
        };
        self.in_hindsight(tenant, &order.stretch, each).await?;
        Ok(counting)
    }

    /// The parts that a payment belongs to, and whether each stopped it. By channel that is the
    /// verdict; by what judges, it is what judged.
    fn parts(&self, row: &DecisionRow, by: Part) -> Result<Vec<(String, bool)>, Error> {
        let stops = row.outcome.stops();
        Ok(match by {
            Part::Day => Vec::new(),
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

/// `pack.rule`, or `pack.table.row`, is of the scenario `pack`.
fn scenario(rule: &str) -> String {
    let pack = rule.split_once('.').map_or(rule, |(pack, _)| pack);
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
        is_known: past.labelled != Labelled::Immature,
        stands_for: past.stands_for,
        stopped: row.outcome.stops(),
    })
}
