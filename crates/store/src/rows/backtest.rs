//! Back-tests that were asked for.

use crate::{
    Error,
    sql::{AnyQuery, Fields, Insertable, Stored},
};
use paywarden_domain::{TenantId, Timestamp};
use std::fmt;

/// The longest outcome, in bytes.
pub const OUTCOME_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A back-test.
#[derive(Clone, PartialEq, Eq)]
pub struct BacktestRow {
    /// Its identifier, 1 to 64 bytes.
    pub id: String,
    /// Whose it is.
    pub tenant: TenantId,
    /// The version of the rules tested, 1 to 128 bytes.
    pub rule_set: String,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// A word for how it stands, 1 to 32 bytes.
    pub state: String,
    /// What it found, at most 16 MiB; none before its end.
    pub outcome: Option<Vec<u8>>,
}

/// A back-test without what it found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BacktestLine {
    /// Its identifier.
    pub id: String,
    /// The version of the rules tested.
    pub rule_set: String,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// A word for how it stands.
    pub state: String,
}

impl BacktestRow {
    pub(crate) fn check(&self) -> Result<(), Error> {
        let texts = [
            ("id", &self.id, 64),
            ("rule_set", &self.rule_set, 128),
            ("state", &self.state, 32),
        ];
        for (name, text, bytes_max) in texts {
            if text.is_empty() || text.len() > bytes_max || text.contains('\0') {
                let reason = format!("{name} has 1 to {bytes_max} bytes, none of them zero");
                return Err(Error::invalid(reason));
            }
        }
        match &self.outcome {
            Some(outcome) if outcome.len() > OUTCOME_BYTES_MAX => {
                Err(Error::invalid("an outcome has at most 16 MiB"))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for BacktestRow {
    /// Without the outcome.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BacktestRow")
            .field("id", &self.id)
            .field("tenant", &self.tenant)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Stored for BacktestRow {
    const TABLE: &'static str = "backtests";
    const COLUMNS: &'static [&'static str] =
        &["id", "tenant", "rule_set", "asked_at", "state", "outcome"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: fields.take()?,
            tenant: fields.parsed(TenantId::parse)?,
            rule_set: fields.take()?,
            asked_at: Timestamp::from_micros(fields.take()?),
            state: fields.take()?,
            outcome: fields.take()?,
        })
    }
}

impl Insertable for BacktestRow {
    fn bind<'q>(&'q self, query: AnyQuery<'q>) -> AnyQuery<'q> {
        query
            .bind(self.id.as_str())
            .bind(self.tenant.as_str())
            .bind(self.rule_set.as_str())
            .bind(self.asked_at.micros())
            .bind(self.state.as_str())
            .bind(self.outcome.as_deref())
    }
}

impl Stored for BacktestLine {
    const TABLE: &'static str = BacktestRow::TABLE;
    const COLUMNS: &'static [&'static str] = &["id", "rule_set", "asked_at", "state"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: fields.take()?,
            rule_set: fields.take()?,
            asked_at: Timestamp::from_micros(fields.take()?),
            state: fields.take()?,
        })
    }
}
