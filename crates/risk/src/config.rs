//! What an operator can set about deciding.

use crate::{
    backtest::recent::RecentLimits, rating::RatingPolicy, travel::Jurisdictions,
    typology::Typologies,
};
use paywarden_domain::{
    Currency, Outcome,
    time::{DAY, MINUTE},
};
use paywarden_features::Limits;
use paywarden_rules::Rates;
use std::path::PathBuf;

/// Settings of the decision engine.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// The base currency and the rates into it: windows sum in it, rules compare in it.
    pub rates: Rates,
    /// Budget from receipt of a request to its verdict.
    pub deadline_ms: u32,
    /// Oldest accepted event, in microseconds before now; none accepts any past time, for replays.
    pub event_age_max: Option<i64>,
    /// How far ahead of our clock an event may lie, in microseconds.
    pub event_ahead_max: i64,
    /// Scores from which each engine acts.
    pub bands: Bands,
    /// How customers are rated; by the shipped policy if none.
    pub ratings: Option<RatingPolicy>,
    /// The countries of companies.
    pub jurisdictions: Jurisdictions,
    /// Memory limits of the window state.
    pub limits: Limits,
    /// Where the window state is kept between runs; none rebuilds it from the journal alone.
    pub snapshot_path: Option<PathBuf>,
    /// How many of the last payments are kept for conditions that are being written.
    pub recent: RecentLimits,
    /// Decisions between two snapshots.
    pub snapshot_every: u64,
}

impl EngineConfig {
    /// The defaults, with everything counted in `base`.
    pub fn new(base: Currency) -> Self {
        Self {
            rates: Rates::new(base),
            deadline_ms: 80,
            event_age_max: Some(DAY),
            event_ahead_max: MINUTE,
            bands: Bands::default(),
            ratings: None,
            jurisdictions: Jurisdictions::default(),
            limits: Limits::default(),
            snapshot_path: None,
            recent: RecentLimits::default(),
            snapshot_every: 250_000,
        }
    }
}

/// The score from which each engine takes an action by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bands {
    /// Bands of the fraud engine, strictest first.
    pub fraud: Vec<(u16, Outcome)>,
    /// Thresholds of the laundering engine.
    pub laundering: Typologies,
}

impl Default for Bands {
    fn default() -> Self {
        Self {
            fraud: vec![
                (800, Outcome::Decline),
                (500, Outcome::Review),
                (300, Outcome::Challenge),
            ],
            laundering: Typologies::default(),
        }
    }
}

impl Bands {
    /// What a score of the fraud engine means by itself.
    pub(crate) fn of_fraud(&self, score: u16) -> Outcome {
        self.fraud
            .iter()
            .filter(|(from, _)| score >= *from)
            .map(|(_, outcome)| *outcome)
            .max()
            .unwrap_or(Outcome::Approve)
    }
}
