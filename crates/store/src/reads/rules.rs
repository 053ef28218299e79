//! Rule sets, the steps of their lives, and what was on trial beside them.

use super::limited;
use crate::{
    Database, Error, RuleSetRow, RuleSetStepRow,
    sql::{Fields, Stored},
};
use paywarden_domain::{Outcome, TenantId};

/// The most rows of one answer: each may be large.
const VERSIONS_MAX: u32 = 100;
/// The most steps or traces of one answer.
const ROWS_MAX: u32 = 10_000;

/// What a decision saw, and what was on trial beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceRow {
    /// Number of the event.
    pub event_no: i64,
    /// The verdict.
    pub outcome: Outcome,
    /// The trace.
    pub trace: Vec<u8>,
}

impl Stored for TraceRow {
    const TABLE: &'static str = "decisions";
    const COLUMNS: &'static [&'static str] = &["event_no", "outcome", "trace"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            event_no: fields.take()?,
            outcome: fields.numbered(Outcome::from_number)?,
            trace: fields.take()?,
        })
    }
}

impl Database {
    /// One version of a tenant's rules.
    pub async fn rule_set(
        &self,
        tenant: &TenantId,
        version: &str,
    ) -> Result<Option<RuleSetRow>, Error> {
        let values = [tenant.as_str().into(), version.into()];
        self.select_one("WHERE tenant = $1 AND version = $2", &values)
            .await
    }

    /// The versions of a tenant's rules, newest first, at most 100.
    pub async fn rule_sets(&self, tenant: &TenantId, limit: u32) -> Result<Vec<RuleSetRow>, Error> {
        let rest = "WHERE tenant = $1 ORDER BY created_at DESC, version LIMIT $2";
        self.select(
            rest,
            &[tenant.as_str().into(), limited(limit, VERSIONS_MAX)?],
        )
        .await
    }

    /// Steps of all tenants after a tenant's step (an empty text and 0 at first), in the order of
    /// tenants and numbers, at most 10,000.
    pub async fn rule_set_steps_after(
        &self,
        tenant: &str,
        step_no: i64,
        limit: u32,
    ) -> Result<Vec<RuleSetStepRow>, Error> {
        let rest = "WHERE tenant > $1 OR (tenant = $1 AND step_no > $2)
            ORDER BY tenant, step_no LIMIT $3";
        let values = [tenant.into(), step_no.into(), limited(limit, ROWS_MAX)?];
        self.select(rest, &values).await
    }

    /// What a tenant's decisions after `after` and up to `until` saw, in order, at most 10,000.
    /// Decisions without a trace are left out.
    pub async fn traces(
        &self,
        tenant: &TenantId,
        after: i64,
        until: i64,
        limit: u32,
    ) -> Result<Vec<TraceRow>, Error> {
        let rest = "WHERE tenant = $1 AND event_no > $2 AND event_no <= $3
            AND trace IS NOT NULL ORDER BY event_no LIMIT $4";
        let limit = limited(limit, ROWS_MAX)?;
        let values = [tenant.as_str().into(), after.into(), until.into(), limit];
        self.select(rest, &values).await
    }
}
