//! Rebuilding the windows after a restart: snapshot first, then what the journal has beyond it.

use crate::{Engine, EngineConfig, Error, StartError};
use paywarden_domain::{Timestamp, time::SECOND};
use paywarden_features::{FeatureEvent, FeatureStore, Plan, Restored, Saved, WindowSpec};
use paywarden_store::Database;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufReader, BufWriter, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

const REPLAY_ROWS: u32 = 10_000;

/// Brings the windows from what the snapshot held to where the journal is.
pub(crate) async fn replay(engine: &Engine, restored: Option<Restored>) -> Result<(), Error> {
    let mut after = restored
        .as_ref()
        .map_or(0, |state| state.next_event_no.saturating_sub(1));
    let mut replayed = 0_u64;
    loop {
        let from = i64::try_from(after).unwrap_or(i64::MAX);
        let rows = engine.database.decisions_since(from, REPLAY_ROWS).await?;
        let Some(last) = rows.last() else { break };
        after = u64::try_from(last.event_no).unwrap_or(after);
        for row in rows {
            let event = FeatureEvent::decode(&row.feature)
                .map_err(|error| Error::RecordDamaged(error.to_string()))?;
            let event_no = u64::try_from(row.event_no).unwrap_or(0);
            replayed += u64::from(engine.features.replay(event_no, &event, row.outcome));
        }
    }
    let mut labels = restored.map_or(0, |state| state.labels_seq);
    loop {
        let from = i64::try_from(labels).unwrap_or(i64::MAX);
        let rows = engine.database.labels_since(from, REPLAY_ROWS).await?;
        let Some(last) = rows.last() else { break };
        labels = u64::try_from(last.seq).unwrap_or(labels);
        for row in rows {
            if let Some(event_no) = row.event_no.and_then(|number| u64::try_from(number).ok()) {
                engine.features.label(event_no, row.verdict);
            }
        }
    }
    engine.labels.start_at(labels);
    tracing::info!(
        replayed,
        next_event_no = after + 1,
        labels,
        "windows rebuilt"
    );
    Ok(())
}

/// The windows as the snapshot holds them, if there is one that fits the journal; else empty ones,
/// into which all is replayed.
pub(crate) async fn restore(
    config: &EngineConfig,
    database: &Database,
    windows: &[WindowSpec],
) -> Result<(FeatureStore, Arc<Plan>, Option<Restored>), StartError> {
    let empty = || {
        let features = FeatureStore::new(config.limits);
        features.register(windows).map(|plan| (features, plan))
    };
    let (features, plan) = empty()?;
    let file = config
        .snapshot_path
        .as_ref()
        .and_then(|path| File::open(path).ok());
    let Some(file) = file else {
        return Ok((features, plan, None));
    };
    let written_at = file.metadata().and_then(|file| file.modified());
    match features.restore(BufReader::new(file)) {
        Ok(restored) => match misfit(database, &restored, written_at.ok()).await? {
            None => {
                if let Some(why) = restored.left_out {
                    tracing::warn!(why, "end of the snapshot left out, replaying the journal");
                }
                return Ok((features, plan, Some(restored)));
            }
            Some(why) => tracing::warn!(why, "snapshot of the windows left out"),
        },
        Err(error) => {
            tracing::warn!(%error, "snapshot of the windows left out, replaying the journal");
        }
    }
    let (features, plan) = empty()?;
    Ok((features, plan, None))
}

/// Why a snapshot is not of this journal, if it is not. Where a backup took the place of the database,
/// it may know of decisions and labels that are gone; then others took their numbers, after it was
/// written.
async fn misfit(
    database: &Database,
    restored: &Restored,
    written_at: Option<SystemTime>,
) -> Result<Option<&'static str>, StartError> {
    let last = database.event_no_last().await.map_err(Error::from)?;
    let next = i64::try_from(restored.next_event_no).unwrap_or(i64::MAX);
    let labels = i64::try_from(restored.labels_seq).unwrap_or(i64::MAX);
    let label = database.labels_since(labels - 1, 1).await;
    let label = label.map_err(Error::from)?.pop();
    if next > last + 1 || (labels > 0 && label.is_none()) {
        return Ok(Some("it is ahead of the journal"));
    }
    let decided_at = database.decided_before(next).await.map_err(Error::from)?;
    let known_at = label
        .filter(|label| label.seq == labels)
        .map(|label| label.known_at);
    let since_1970 = written_at.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let written_us = since_1970.and_then(|since| i64::try_from(since.as_micros()).ok());
    // File systems tell the time by the last tick of the machine.
    let is_later = |at: Timestamp| written_us.is_none_or(|written| at.micros() > written + SECOND);
    let is_other = [decided_at, known_at].into_iter().flatten().any(is_later);
    Ok(is_other.then_some("what it knew last came after it was written"))
}

/// How many deltas follow a base before a new one is written.
const DELTAS_MAX: u32 = 4;

/// What this process has written of the snapshot: none before the first base.
#[derive(Default)]
pub(crate) struct SnapshotFile(Mutex<Option<(Saved, u32)>>);

/// Brings the snapshot up to date: appends what has changed, or, now and then and after a failure,
/// writes it anew.
pub(crate) fn write_snapshot(engine: &Engine, path: &Path) -> io::Result<()> {
    let labels = engine.labels.settled();
    let written = &engine.snapshot_file.0;
    let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
    let appended = match written.take() {
        Some((saved, deltas)) if deltas < DELTAS_MAX => {
            let saved = append(&engine.features, path, saved, labels)?;
            saved.map(|saved| (saved, deltas + 1))
        }
        _ => None,
    };
    *written = match appended {
        Some(appended) => Some(appended),
        None => Some((replace(&engine.features, path, labels)?, 0)),
    };
    Ok(())
}

/// Appends a delta. One that is cut short is left out when the snapshot is read.
fn append(
    features: &FeatureStore,
    path: &Path,
    since: Saved,
    labels: u64,
) -> io::Result<Option<Saved>> {
    let mut file = BufWriter::new(OpenOptions::new().append(true).open(path)?);
    let saved = features
        .snapshot_delta(since, labels, &mut file)
        .map_err(io::Error::other)?;
    file.flush()?;
    file.get_ref().sync_all()?;
    Ok(saved)
}

/// Replaces the snapshot atomically: the old one stays until the new one is on disk.
fn replace(features: &FeatureStore, path: &Path, labels: u64) -> io::Result<Saved> {
    let fresh = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = BufWriter::new(options.open(&fresh)?);
    let saved = features
        .snapshot(labels, &mut file)
        .map_err(io::Error::other)?;
    file.flush()?;
    file.get_ref().sync_all()?;
    fs::rename(&fresh, path)?;
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(saved)
}
