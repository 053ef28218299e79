//! Approvals: the steps that each has taken.

use super::limited;
use crate::{ApprovalStepKind, ApprovalStepRow, Database, Error, sql::Value};
use paywarden_domain::{TenantId, Timestamp};
use sqlx::Row as _;

/// The most steps of one answer.
const STEPS_MAX: u32 = 1_000;

/// Which steps are asked for, newest first.
#[derive(Debug, Clone, Copy)]
pub struct ApprovalStepFilter<'f> {
    /// What was done.
    pub kind: ApprovalStepKind,
    /// About which kind of command; none for any.
    pub command: Option<&'f str>,
    /// Not before this moment.
    pub since: Timestamp,
    /// Continue behind the step that was taken then, of the approval with this identifier.
    pub before: Option<(Timestamp, &'f str)>,
}

impl Database {
    /// Every step of one of a tenant's approvals, oldest first, at most 1,000.
    pub async fn approval_steps(
        &self,
        tenant: &TenantId,
        approval: &str,
    ) -> Result<Vec<ApprovalStepRow>, Error> {
        let rest = "WHERE approval = $1 AND tenant = $2 ORDER BY step_no LIMIT 1000";
        let values = [approval.into(), tenant.as_str().into()];
        self.select(rest, &values).await
    }

    /// The newest step of one of a tenant's approvals.
    pub async fn approval_step_last(
        &self,
        tenant: &TenantId,
        approval: &str,
    ) -> Result<Option<ApprovalStepRow>, Error> {
        let rest = "WHERE approval = $1 AND tenant = $2 ORDER BY step_no DESC LIMIT 1";
        let values = [approval.into(), tenant.as_str().into()];
        self.select_one(rest, &values).await
    }

    /// A tenant's steps of one kind, newest first, at most 1,000.
    pub async fn approval_steps_of_kind(
        &self,
        tenant: &TenantId,
        filter: ApprovalStepFilter<'_>,
        limit: u32,
    ) -> Result<Vec<ApprovalStepRow>, Error> {
        let (until, below) = filter
            .before
            .map_or((i64::MAX, ""), |(time, approval)| (time.micros(), approval));
        let mut values = vec![
            Value::from(tenant.as_str()),
            i64::from(filter.kind as u8).into(),
            filter.since.micros().into(),
            until.into(),
            below.into(),
            limited(limit, STEPS_MAX)?,
        ];
        values.extend(filter.command.map(Value::from));
        let rest = match filter.command {
            Some(_) => {
                "WHERE tenant = $1 AND kind = $2 AND taken_at >= $3 AND taken_at <= $4
                AND (taken_at < $4 OR approval < $5) AND command = $7
                ORDER BY taken_at DESC, approval DESC LIMIT $6"
            }
            None => {
                "WHERE tenant = $1 AND kind = $2 AND taken_at >= $3 AND taken_at <= $4
                AND (taken_at < $4 OR approval < $5)
                ORDER BY taken_at DESC, approval DESC LIMIT $6"
            }
        };
        self.select(rest, &values).await
    }

    /// How many steps of one kind a tenant has taken since a moment.
    pub async fn approval_steps_count(
        &self,
        tenant: &TenantId,
        kind: ApprovalStepKind,
        since: Timestamp,
    ) -> Result<u64, Error> {
        let text = "SELECT COUNT(*) FROM approval_steps
            WHERE tenant = $1 AND kind = $2 AND taken_at >= $3";
        let counted = sqlx::query(text)
            .bind(tenant.as_str())
            .bind(i64::from(kind as u8))
            .bind(since.micros())
            .fetch_one(&mut *self.reader().await?)
            .await?;
        let count: i64 = counted.try_get(0)?;
        u64::try_from(count).map_err(|_| Error::corrupt("a count is negative"))
    }

    /// The steps with which a tenant's glass was broken and that nobody has reviewed, oldest
    /// first, at most 1,000.
    pub async fn approvals_unreviewed(
        &self,
        tenant: &TenantId,
        limit: u32,
    ) -> Result<Vec<ApprovalStepRow>, Error> {
        let rest = "WHERE tenant = $1 AND kind = $2 AND NOT EXISTS (
                SELECT 1 FROM approval_steps AS later WHERE later.tenant = approval_steps.tenant
                AND later.approval = approval_steps.approval AND later.kind = $3)
            ORDER BY taken_at, approval LIMIT $4";
        let number = |kind| Value::Number(i64::from(kind as u8));
        let values = [
            tenant.as_str().into(),
            number(ApprovalStepKind::GlassBroken),
            number(ApprovalStepKind::Reviewed),
            limited(limit, STEPS_MAX)?,
        ];
        self.select(rest, &values).await
    }

    /// The same of every tenant.
    pub async fn approvals_unreviewed_of_all(
        &self,
        limit: u32,
    ) -> Result<Vec<ApprovalStepRow>, Error> {
        // Named one by one, so that the index by tenant and kind serves.
        let rest = "WHERE tenant IN (SELECT tenant FROM trail_trees) AND kind = $1 AND NOT EXISTS (
                SELECT 1 FROM approval_steps AS later WHERE later.tenant = approval_steps.tenant
                AND later.approval = approval_steps.approval AND later.kind = $2)
            ORDER BY taken_at, approval LIMIT $3";
        let number = |kind| Value::Number(i64::from(kind as u8));
        let values = [
            number(ApprovalStepKind::GlassBroken),
            number(ApprovalStepKind::Reviewed),
            limited(limit, STEPS_MAX)?,
        ];
        self.select(rest, &values).await
    }
}
