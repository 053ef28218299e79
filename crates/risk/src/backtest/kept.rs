//! A back-test as it is asked about, and as it is kept: a row of the store with its result in it as
//! compressed JSON. What the store has as waiting and nobody runs was interrupted by a restart.

use super::Report;
use crate::Error;
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use paywarden_domain::{TenantId, Timestamp};
use paywarden_store::{BacktestLine, BacktestRow};
use serde::{Deserialize, Serialize};
use std::{
    borrow::Cow,
    io::{Read as _, Write as _},
};
use utoipa::ToSchema;

/// The most bytes of a result that are unpacked.
const RESULT_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// A back-test that was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Backtest {
    /// Its identifier.
    pub id: String,
    /// The version of the rules tested.
    pub rule_set: String,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// How it stands.
    pub state: BacktestState,
    /// Events lived through.
    pub events_done: u64,
    /// Events to live through; 0 while it waits.
    pub events_total: u64,
    /// The code of the error that ended it.
    #[schema(value_type = Option<String>)]
    pub error: Option<Cow<'static, str>>,
    /// That error in words.
    pub detail: Option<String>,
    /// What it found.
    pub report: Option<Report>,
}

/// A back-test in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BacktestSummary {
    /// Its identifier.
    pub id: String,
    /// The version of the rules tested.
    pub rule_set: String,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// How it stands.
    pub state: BacktestState,
}

/// How a back-test stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BacktestState {
    /// Others run.
    Waiting,
    /// It runs.
    Running,
    /// The report is there.
    Done,
    /// An error ended it.
    Failed,
    /// The server stopped before it ended. Ask for it again.
    Interrupted,
}

impl BacktestState {
    /// The word in the store; what has not ended is one there.
    fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Waiting | Self::Running | Self::Interrupted => "asked",
        }
    }

    /// How a row stands that nobody runs.
    fn of(word: &str) -> Result<Self, Error> {
        let all = [Self::Done, Self::Failed, Self::Interrupted];
        let found = all.into_iter().find(|state| state.word() == word);
        found.ok_or_else(|| damaged(&word))
    }
}

impl Backtest {
    pub(super) fn new(
        id: String,
        rule_set: String,
        asked_at: Timestamp,
        state: BacktestState,
    ) -> Self {
        Self {
            id,
            rule_set,
            asked_at,
            state,
            events_done: 0,
            events_total: 0,
            error: None,
            detail: None,
            report: None,
        }
    }

    /// The row to keep.
    pub(super) fn row(&self, tenant: &TenantId) -> Result<BacktestRow, Error> {
        let is_final = matches!(self.state, BacktestState::Done | BacktestState::Failed);
        Ok(BacktestRow {
            id: self.id.clone(),
            tenant: tenant.clone(),
            rule_set: self.rule_set.clone(),
            asked_at: self.asked_at,
            state: self.state.word().to_owned(),
            outcome: is_final.then(|| self.packed()).transpose()?,
        })
    }

    /// What a row says that nobody runs.
    pub(super) fn read(row: BacktestRow) -> Result<Self, Error> {
        let state = BacktestState::of(&row.state)?;
        match &row.outcome {
            None => Ok(Self::new(row.id, row.rule_set, row.asked_at, state)),
            Some(packed) => {
                let clear = ZlibDecoder::new(packed.as_slice()).take(RESULT_BYTES_MAX);
                serde_json::from_reader(clear).map_err(|error| damaged(&error))
            }
        }
    }

    fn packed(&self) -> Result<Vec<u8>, Error> {
        let clear = serde_json::to_vec(self).map_err(|error| damaged(&error))?;
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        let packed = encoder.write_all(&clear).and_then(|()| encoder.finish());
        packed.map_err(|error| damaged(&error))
    }
}

impl BacktestSummary {
    /// What a row says that nobody runs.
    pub(super) fn read(line: BacktestLine) -> Result<Self, Error> {
        Ok(Self {
            state: BacktestState::of(&line.state)?,
            id: line.id,
            rule_set: line.rule_set,
            asked_at: line.asked_at,
        })
    }
}

fn damaged(error: &dyn std::fmt::Display) -> Error {
    Error::RecordDamaged(format!("a back-test: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ended_reads_as_it_was_and_what_did_not_was_interrupted() {
        let tenant = TenantId::parse("acme").unwrap();
        let asked = Backtest::new(
            "bt_1".to_owned(),
            "v".to_owned(),
            Timestamp::from_micros(7),
            BacktestState::Running,
        );
        let row = asked.row(&tenant).unwrap();
        assert_eq!(row.outcome, None);
        let read = Backtest::read(row).unwrap();
        assert_eq!(read.state, BacktestState::Interrupted);
        let failed = asked.ended(Err(Error::HistoryEmpty));
        let row = failed.row(&tenant).unwrap();
        assert_eq!(Backtest::read(row.clone()).unwrap(), failed);
        for (state, outcome) in [("odd", row.outcome), ("done", Some(b"no zlib".to_vec()))] {
            let row = BacktestRow {
                state: state.to_owned(),
                outcome,
                ..failed.row(&tenant).unwrap()
            };
            let refused = Backtest::read(row).unwrap_err();
            assert!(matches!(refused, Error::RecordDamaged(_)), "{refused}");
        }
    }
}
