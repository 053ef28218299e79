//! Acting without votes, and looking at it afterwards.

use super::{
    Approvals, Error,
    desk::{Step, Who, check_reason},
    step::{GlassBroken, Reviewed},
    view::ApprovalView,
};
use crate::Scope;
use paywarden_domain::{Timestamp, time::HOUR};
use paywarden_store::{Actor, ApprovalStepKind, ApprovalStepRow, Entry, RecordRow, Row};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, sync::atomic::Ordering};
use utoipa::ToSchema;

/// The most emergencies without review that are looked at.
const UNREVIEWED_MAX: u32 = 1_000;

/// What a review came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// It was right to act.
    Justified,
    /// It was not.
    Unjustified,
}

impl Approvals {
    /// Allows one's request, or that of somebody else, without votes. It is told at once: in the
    /// log at the level `error`, in a metric, and by a leaf of its own, which is a message of the
    /// outbox, all before anything takes effect.
    ///
    /// Whoever has an emergency that nobody has reviewed yet cannot break the glass again, and
    /// nobody of the tenant can while a review is overdue.
    pub async fn break_glass(
        &self,
        who: &Who,
        id: &str,
        reason: &str,
    ) -> Result<ApprovalView, Error> {
        check_reason(reason)?;
        let _alone = self.emergency().lock().await;
        let scene = self.scene(&who.tenant).await?;
        let actor = who.actor.to_string();
        let unreviewed = self
            .database()
            .approvals_unreviewed(&who.tenant, UNREVIEWED_MAX);
        for row in unreviewed.await? {
            let broken: GlassBroken = super::step::body(&row)?;
            if row.actor == actor || broken.review_due <= scene.now {
                return Err(Error::ReviewOpen);
            }
        }
        let view = self
            .step(who, id, |case| {
                case.must_be_open(scene.now)?;
                let clause = scene.ground(case)?.clause;
                let scope = clause.and_then(|clause| clause.break_glass);
                self.must(who, scope.ok_or(Error::NoBreakGlass)?)?;
                self.must(who, case.kind().scope())?;
                if case.glass.is_some() {
                    return Err(Error::Busy);
                }
                let hours = i64::from(scene.in_force.policy.review_hours);
                let due = scene.now.micros().saturating_add(hours * HOUR);
                let body = GlassBroken {
                    reason: reason.to_owned(),
                    review_due: Timestamp::from_micros(due),
                };
                let row = self.row(who, case, ApprovalStepKind::GlassBroken, &body)?;
                Ok(Step::new("approval.break_glass", row))
            })
            .await?;
        self.glass().fetch_add(1, Ordering::Relaxed);
        let (tenant, object, command) = (&who.tenant, &view.object, view.command.name());
        tracing::error!(%tenant, actor, id, command, object, "glass broken");
        Ok(view)
    }

    /// How often the glass was broken since the start of the process.
    pub fn glass_broken(&self) -> u64 {
        self.glass().load(Ordering::Relaxed)
    }

    /// Looks for reviews that are overdue, in every company. Each is told of once, also if the
    /// process ends: by a leaf, `approval.overdue`, which a rule about acts makes an alert of.
    pub async fn note_overdue(&self) -> Result<(), Error> {
        let now = self.clock().now();
        let unreviewed = self.database().approvals_unreviewed_of_all(UNREVIEWED_MAX);
        let mut overdue = BTreeSet::new();
        for row in unreviewed.await? {
            let broken: GlassBroken = super::step::body(&row)?;
            if broken.review_due > now {
                continue;
            }
            let is_told = self.overdue().contains(&row.approval);
            if !is_told {
                self.tell_overdue(&row, now).await?;
            }
            overdue.insert(row.approval);
        }
        *self.overdue() = overdue;
        Ok(())
    }

    /// How many reviews were overdue when that was last looked for.
    pub fn reviews_overdue(&self) -> usize {
        self.overdue().len()
    }

    /// The record beside the leaf says that it was told, to whoever looks after a restart.
    async fn tell_overdue(&self, glass: &ApprovalStepRow, now: Timestamp) -> Result<(), Error> {
        let record = RecordRow {
            tenant: glass.tenant.clone(),
            kind: "review_overdue".to_owned(),
            id: glass.approval.clone(),
            version: 1,
            written_at: now,
            body: Vec::new(),
        };
        let entry = Entry {
            tenant: glass.tenant.clone(),
            actor: Actor::System("access"),
            purpose: "an emergency is not reviewed in time".into(),
            action: "approval.overdue",
            object: glass.approval.clone(),
            rows: vec![Row::Record(record)],
        };
        match self.journal().append(entry).await {
            Err(paywarden_store::Error::Conflict { .. }) => Ok(()),
            Err(error) => Err(error.into()),
            Ok(_) => {
                let (tenant, id, actor) = (&glass.tenant, &glass.approval, &glass.actor);
                tracing::error!(%tenant, id, actor, "review overdue");
                Ok(())
            }
        }
    }

    /// Reviews an emergency. Neither whoever asked nor whoever broke the glass can; the reviewer
    /// must be allowed to approve such commands.
    pub async fn review(
        &self,
        who: &Who,
        id: &str,
        finding: Finding,
        note: &str,
    ) -> Result<ApprovalView, Error> {
        check_reason(note)?;
        self.must(who, Scope::ApprovalsVote)?;
        let scene = self.scene(&who.tenant).await?;
        let actor = who.actor.to_string();
        self.step(who, id, |case| {
            let glass = case.glass.as_ref().ok_or(Error::NothingToReview)?;
            if case.review.is_some() {
                return Err(Error::NothingToReview);
            }
            if case.is_made_by(&actor) || glass.by == actor {
                return Err(Error::ByMaker);
            }
            let clause = scene.ground(case)?.clause;
            let approver = clause.map_or(Scope::ApprovalsVote, |clause| clause.approver);
            let seen_with = case.kind().customer_data().map(|data| data.seen_with);
            for scope in std::iter::once(approver).chain(seen_with) {
                self.must(who, scope)?;
            }
            let body = Reviewed {
                finding,
                note: note.to_owned(),
            };
            let row = self.row(who, case, ApprovalStepKind::Reviewed, &body)?;
            Ok(Step::new("approval.review", row))
        })
        .await
    }
}
