//! What the metrics page shows of the engine.
//!
//! The page is read without a key, so nothing on it tells tenants apart or names what is theirs:
//! counters of rules are those of the library, by name, and the sum of all others.

use crate::{Engine, RuleFigures, release::LoadedSet};
use paywarden_domain::Timestamp;
use paywarden_features::{Limits, Stats};
use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, atomic::Ordering},
    time::UNIX_EPOCH,
};

/// The most rules that are named.
const RULES_NAMED_MAX: usize = 2_000;
/// The name of all others.
const OTHERS: &str = "others";

/// What the metrics page shows of the engine.
#[derive(Debug, Clone)]
pub struct Figures {
    /// State of the windows.
    pub windows: Stats,
    /// Entries that wait for the journal.
    pub journal_queued: usize,
    /// Evaluations by the sets at work, on trial too.
    pub payments: u64,
    /// Rules that the indexes could not rule out for them.
    pub candidates: u64,
    /// Counters of the library's rules, at most 2,000 of them, and of all others together.
    pub rules: Vec<RuleFigures>,
    /// Version of the library.
    pub rule_set: String,
}

/// How much room there is, and how far the snapshot of the windows is.
#[derive(Debug, Clone)]
pub struct Room {
    /// How many entries may wait for the journal.
    pub journal_queue_max: usize,
    /// How much the windows may hold.
    pub windows: Limits,
    /// After how many decisions a snapshot is due.
    pub snapshot_every: u64,
    /// How many there were since the last one.
    pub decided_since_snapshot: u64,
    /// The snapshot on disk; none before the first, or where none is kept.
    pub snapshot: Option<SnapshotOnDisk>,
}

/// A snapshot as it lies on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotOnDisk {
    /// Its size.
    pub bytes: u64,
    /// When it was written to last.
    pub written_at: Timestamp,
}

impl Engine {
    /// Limits of the engine, and its snapshot.
    pub fn room(&self) -> Room {
        let path = self.config.snapshot_path.as_deref();
        Room {
            journal_queue_max: self.journal.queue_max(),
            windows: self.config.limits,
            snapshot_every: self.config.snapshot_every,
            decided_since_snapshot: self.decided.load(Ordering::Relaxed),
            snapshot: path.and_then(on_disk),
        }
    }

    /// State and counters for the metrics page.
    pub fn figures(&self) -> Figures {
        let running = self.running.load();
        let sets = running.sets();
        let looked_at = sets.iter().map(|set| set.working.looked_at());
        let (payments, candidates) =
            looked_at.fold((0, 0), |sum, set| (sum.0 + set.0, sum.1 + set.1));
        Figures {
            windows: self.features.stats(),
            journal_queued: self.journal.queued(),
            payments,
            candidates,
            rules: rules(running.base(), &sets),
            rule_set: running.base().version().to_owned(),
        }
    }
}

fn on_disk(path: &Path) -> Option<SnapshotOnDisk> {
    let known = std::fs::metadata(path).ok()?;
    let since = known.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(SnapshotOnDisk {
        bytes: known.len(),
        written_at: Timestamp::from_micros(i64::try_from(since.as_micros()).ok()?),
    })
}

fn rules(library: &LoadedSet, sets: &[Arc<LoadedSet>]) -> Vec<RuleFigures> {
    let named = library.rules.rules().iter().take(RULES_NAMED_MAX);
    let names = named.map(|rule| rule.id.as_str()).chain([OTHERS]);
    let mut figures: Vec<_> = names.map(RuleFigures::none).collect();
    let others = figures.len() - 1;
    let places: HashMap<String, usize> = (0..others)
        .zip(&figures)
        .map(|(place, figures)| (figures.rule.clone(), place))
        .collect();
    for own in sets.iter().flat_map(|set| set.working.figures()) {
        let place = places.get(&own.rule).copied().unwrap_or(others);
        if let Some(figures) = figures.get_mut(place) {
            figures.add(&own);
        }
    }
    figures
}
