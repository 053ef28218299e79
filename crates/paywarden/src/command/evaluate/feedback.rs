//! What becomes known early: alerts that are looked at, and victims who say so.
//!
//! What a model reads depends on what is known, which depends on what was alerted. So the file is
//! lived through three times: by reports alone, then with the alerts of the model learnt from that,
//! then with the alerts of the model learnt from this, which is the one that is judged.

use super::{
    super::train::{
        history::History,
        study::{Known, Span, Study},
    },
    Teacher,
};
use crate::failure::Result;
use paywarden_domain::time::HOUR;
use paywarden_models::{Ensemble, random::Random};

/// Until an alert is looked at, or a victim says so.
const PROMPT: i64 = HOUR;
/// Parts of the payers, each looked at by a model that has not seen it.
const PARTS: u64 = 3;
/// Draws of one in a million.
const MILLION: usize = 1_000_000;

/// What becomes known within the hour.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Feedback {
    /// Share of frauds whose victims say so within an hour
    #[arg(long, default_value_t = 0.0)]
    reports: f64,
    /// What the drawing of victims follows from
    #[arg(long, default_value_t = 1)]
    reports_seed: u64,
    /// Share of payments that are alerted and looked at within an hour
    #[arg(long, default_value_t = 0.0)]
    alerts: f64,
}

impl Feedback {
    /// Whether nothing becomes known early.
    pub fn is_open(&self) -> bool {
        self.reports <= 0.0 && self.alerts <= 0.0
    }

    /// The last life of the file, the model that gave its alerts, and which payments it alerted.
    pub fn close<'a>(
        &self,
        teacher: &Teacher<'a>,
        delay: i64,
        span: Span,
    ) -> Result<(Study<'a>, Ensemble, Vec<bool>)> {
        let known = self.known(teacher.history, delay);
        let study = Study::new(teacher.history, delay, &known)?;
        let watch = Watch::taught(teacher, &study)?;
        let (study, _) = self.live(teacher.history, (delay, span), &known, (&study, &watch))?;
        let watch = Watch::taught(teacher, &study)?;
        let (study, alerted) =
            self.live(teacher.history, (delay, span), &known, (&study, &watch))?;
        Ok((study, watch.model, alerted))
    }

    /// Lives through the file with the alerts of a watch; its threshold comes from the life before.
    fn live<'a>(
        &self,
        history: &'a History,
        (delay, span): (i64, Span),
        known: &Known,
        (before, watch): (&Study<'_>, &Watch),
    ) -> Result<(Study<'a>, Vec<bool>)> {
        let threshold = self.threshold(history, before, watch, span);
        let mut alerted = vec![false; history.payments.len()];
        let study = Study::with(history, delay, known, |place, row| {
            let at = history.payments[place].event.at;
            let stands_out = || watch.raw(history, (place, row), span) >= threshold;
            alerted[place] = at >= span.from && stands_out();
            alerted[place].then_some(at + PROMPT)
        })?;
        Ok((study, alerted))
    }

    /// The raw score above which the share of alerts lies, by what would have been alerted before
    /// the scored span.
    fn threshold(&self, history: &History, study: &Study<'_>, watch: &Watch, span: Span) -> f64 {
        let rows = history.within(span.from, span.to).into_iter();
        let raw = |row: u32| {
            let row = row as usize;
            watch.raw(history, (row, study.table.row(row)), span)
        };
        let mut raw: Vec<f64> = rows.map(raw).collect();
        raw.sort_by(|one, other| other.total_cmp(one));
        let place = (self.alerts * raw.len() as f64) as usize;
        raw.get(place).copied().unwrap_or(f64::INFINITY)
    }

    fn known(&self, history: &History, delay: i64) -> Known {
        let mut random = Random::new(self.reports_seed);
        let bound = (self.reports * MILLION as f64) as usize;
        let known = history.payments.iter().map(|past| {
            let reported = random.below(MILLION) < bound;
            past.event.at + if reported { PROMPT } else { delay }
        });
        Known::At(known.collect())
    }
}

/// What gives alerts. A payment that is learnt from is looked at by a model that has not seen its
/// payer: whoever has seen it knows too well, and what is learnt from such alerts does not hold for
/// those to come.
struct Watch {
    model: Ensemble,
    /// One for each part of the payers, which it has not seen.
    parts: Vec<Ensemble>,
}

impl Watch {
    fn taught(teacher: &Teacher<'_>, study: &Study<'_>) -> Result<Self> {
        let model = teacher.learn(study)?;
        let trees = model.size().0 as u32;
        let parts = (0..PARTS)
            .map(|part| teacher.learn_without(study, trees, |payer| payer % PARTS == part));
        Ok(Self {
            parts: parts.collect::<Result<_>>()?,
            model,
        })
    }

    /// What it says of a payment with these numbers.
    fn raw(&self, history: &History, (place, row): (usize, &[f64]), span: Span) -> f64 {
        let part = (history.payer_of(place as u32) % PARTS) as usize;
        let unseen = self.parts.get(part).unwrap_or(&self.model);
        let is_learnt = history.payments[place].event.at < span.to;
        let model = if is_learnt { unseen } else { &self.model };
        model.raw(row).unwrap_or(f64::NEG_INFINITY)
    }
}
