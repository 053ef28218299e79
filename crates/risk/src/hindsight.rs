//! Decided payments with what is known of them at a moment: what reports and comparisons count.
//!
//! The journal is read backwards, a page at a time, with the labels of each page; so much of it at
//! most. What a label says counts from when it became known; without one a payment that is older
//! than the delay is taken for genuine, and a younger one is left out. Where a control group is drawn,
//! the truth about what was declined is known from it alone: each of it stands for those that it was
//! drawn from, and the others for none.

use crate::{Engine, Error, backtest::Labelled, record};
use paywarden_domain::{Control, LabelVerdict, Outcome, TenantId, Timestamp, time::DAY};
use paywarden_store::{DecisionRow, LabelRow};
use serde::Serialize;
use std::collections::HashMap;
use utoipa::ToSchema;

/// The most payments of one report or comparison.
pub const PAYMENTS_MAX: u64 = 250_000;
/// The most decisions that are passed on the way to them.
const ROWS_MAX: u64 = 2_000_000;
const ROWS: u32 = 1_000;
const LABEL_ROWS: u32 = 10_000;

/// A payment in hindsight.
pub(crate) struct Past<'a> {
    pub(crate) row: &'a DecisionRow,
    pub(crate) labelled: Labelled,
    /// How many payments it stands for where truths are counted.
    pub(crate) stands_for: u32,
}

impl<'a> Past<'a> {
    /// A payment with what the labels say of it.
    pub(crate) fn of(
        row: &'a DecisionRow,
        stretch: &Stretch,
        labels: &HashMap<i64, LabelVerdict>,
    ) -> Result<Self, Error> {
        Ok(Self {
            row,
            labelled: stretch.class(row, labels),
            stands_for: stands_for(row)?,
        })
    }
}

/// Which payments, seen from when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Stretch {
    /// Payments that happened from here on.
    pub from: Timestamp,
    /// Payments that happened before this.
    pub to: Timestamp,
    /// Labels that were known by then, and payments that were decided by then.
    pub as_of: Timestamp,
    /// After so many days a payment without a label counts as genuine; younger ones are left out.
    pub label_delay_days: u16,
}

impl Stretch {
    /// What happened before this and has no label counts as genuine.
    pub(crate) fn mature(&self) -> Timestamp {
        let delay = i64::from(self.label_delay_days) * DAY;
        Timestamp::from_micros(self.as_of.micros() - delay)
    }

    /// What a payment is taken for.
    pub(crate) fn class(&self, row: &DecisionRow, labels: &HashMap<i64, LabelVerdict>) -> Labelled {
        match labels.get(&row.event_no) {
            Some(verdict) if verdict.is_fraud() => Labelled::Fraud,
            Some(_) => Labelled::Genuine,
            None if row.occurred_at < self.mature() => Labelled::PresumedGenuine,
            None => Labelled::Immature,
        }
    }

    pub(crate) fn holds(&self, row: &DecisionRow) -> bool {
        (self.from..self.to).contains(&row.occurred_at) && row.decided_at <= self.as_of
    }
}

/// How many payments one stands for: one, unless a control group was drawn from those like it.
fn stands_for(row: &DecisionRow) -> Result<u32, Error> {
    if !matches!(row.outcome, Outcome::Challenge | Outcome::Decline) {
        return Ok(1);
    }
    let control = record::decision(row)?.control;
    Ok(control.map_or(1, Control::stands_for))
}

impl Engine {
    /// Gives `each` the payments of a stretch, newest first, with what is known of them.
    ///
    /// Error: [`Error::ReportTooLong`] beyond [`PAYMENTS_MAX`] payments.
    pub(crate) async fn in_hindsight(
        &self,
        tenant: &TenantId,
        stretch: &Stretch,
        mut each: impl FnMut(&Past<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        // An event may lie a little ahead of its decision, never further.
        let first = stretch
            .from
            .micros()
            .saturating_sub(self.config.event_ahead_max);
        let (mut before, mut read, mut payments) = (i64::MAX, 0, 0);
        loop {
            let rows = self.database.decisions_back(tenant, before, ROWS).await?;
            let Some(last) = rows.last() else {
                return Ok(());
            };
            before = last.event_no;
            read += rows.len() as u64;
            let is_end = last.decided_at.micros() < first;
            let wanted: Vec<&DecisionRow> = rows
                .iter()
                .filter(|row| row.kind.is_payment() && stretch.holds(row))
                .collect();
            payments += wanted.len() as u64;
            if payments > PAYMENTS_MAX || read > ROWS_MAX {
                return Err(Error::ReportTooLong);
            }
            if let (Some(newest), Some(oldest)) = (wanted.first(), wanted.last()) {
                let events = (oldest.event_no, newest.event_no);
                let labels = self.labels_known(tenant, events, stretch.as_of).await?;
                wanted
                    .iter()
                    .try_for_each(|row| each(&Past::of(row, stretch, &labels)?))?;
            }
            if is_end {
                return Ok(());
            }
        }
    }

    /// The last label of each of some events that was known by a moment.
    ///
    /// Error: [`Error::ReportTooLong`] beyond [`PAYMENTS_MAX`] events with one.
    pub(crate) async fn labels_known(
        &self,
        tenant: &TenantId,
        (first, last): (i64, i64),
        as_of: Timestamp,
    ) -> Result<HashMap<i64, LabelVerdict>, Error> {
        let mut known = HashMap::new();
        let mut after = (first - 1, i64::MAX);
        loop {
            let rows: Vec<LabelRow> = self
                .database
                .labels_of_events(tenant, after, last, LABEL_ROWS)
                .await?;
            for row in rows.iter().filter(|row| row.known_at <= as_of) {
                known.extend(row.event_no.map(|event_no| (event_no, row.verdict)));
            }
            if known.len() as u64 > PAYMENTS_MAX {
                return Err(Error::ReportTooLong);
            }
            match rows.last() {
                Some(row) if rows.len() == LABEL_ROWS as usize => {
                    after = (row.event_no.unwrap_or(last), row.seq);
                }
                _ => return Ok(known),
            }
        }
    }
}
