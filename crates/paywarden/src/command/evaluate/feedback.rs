//! What becomes known early: alerts that are looked at, and victims who say so.
//!
//! What a model reads depends on what is known, which depends on what was alerted. So the file is
//! lived through three times: by reports alone, then with the alerts of the model learnt from that,
//! then with the alerts of the model learnt from this, which is the one that is judged.

use super::super::train::{
    history::History,
    study::{Known, Span, Study},
};
use crate::failure::Result;
use paywarden_domain::time::HOUR;
use paywarden_models::{Ensemble, random::Random};

/// Until an alert is looked at, or a victim says so.
const PROMPT: i64 = HOUR;
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
        history: &'a History,
        delay: i64,
        span: Span,
        learn: impl Fn(&Study<'_>) -> Result<Ensemble>,
    ) -> Result<(Study<'a>, Ensemble, Vec<bool>)> {
        let known = self.known(history, delay);
        let study = Study::new(history, delay, &known)?;
        let model = learn(&study)?;
        let (study, _) = self.live(history, delay, span, &known, (&study, &model))?;
        let model = learn(&study)?;
        let (study, alerted) = self.live(history, delay, span, &known, (&study, &model))?;
        Ok((study, model, alerted))
    }

    /// Lives through the file with the alerts of a model; its threshold comes from the life before.
    fn live<'a>(
        &self,
        history: &'a History,
        delay: i64,
        span: Span,
        known: &Known,
        (before, model): (&Study<'_>, &Ensemble),
    ) -> Result<(Study<'a>, Vec<bool>)> {
        let threshold = self.threshold(history, before, model, span)?;
        let mut alerted = vec![false; history.payments.len()];
        let study = Study::with(history, delay, known, |place, row| {
            let at = history.payments[place].event.at;
            let stands_out = model.raw(row).is_ok_and(|raw| raw >= threshold);
            alerted[place] = at >= span.from && stands_out;
            alerted[place].then_some(at + PROMPT)
        })?;
        Ok((study, alerted))
    }

    /// The raw score above which the share of alerts lies, by what the model would have alerted
    /// before the scored span.
    fn threshold(
        &self,
        history: &History,
        study: &Study<'_>,
        model: &Ensemble,
        span: Span,
    ) -> Result<f64> {
        let (mut raw, _) = study.raw(model, &history.within(span.from, span.to))?;
        raw.sort_by(|one, other| other.total_cmp(one));
        let place = (self.alerts * raw.len() as f64) as usize;
        Ok(raw.get(place).copied().unwrap_or(f64::INFINITY))
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
