//! A right to vote, lent for a while. Whoever lends it keeps it; it dies with the lender's own.

use super::{
    Approvals, Error, Kind,
    desk::{Step, Who, check_reason},
    step::{self, Delegated, Withdrawn},
};
use crate::Scope;
use paywarden_domain::{TenantId, Timestamp, time::DAY};
use paywarden_store::{ApprovalStepFilter, ApprovalStepKind};
use serde::Serialize;
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// For how many days a right may be lent.
pub const DELEGATION_DAYS_MAX: i64 = 30;
/// The most delegations that a tenant makes within that time.
const DELEGATIONS_MAX: u32 = 1_000;
/// What stands in the column of the command.
const COMMAND: &str = "delegation";

/// A right to lend.
#[derive(Debug, Clone)]
pub struct NewDelegation {
    /// To whom: `key:…` or `staff:…`.
    pub to: String,
    /// Until when, at most 30 days ahead.
    pub until: Timestamp,
    /// For which kinds of command; empty for all.
    pub commands: Vec<Kind>,
    /// Why, 1 to 256 bytes.
    pub reason: String,
}

/// A lent right as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DelegationView {
    /// `del_…`
    pub id: String,
    /// Who lends.
    pub from: String,
    /// To whom.
    pub to: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// For which kinds of command; empty for all.
    pub commands: Vec<Kind>,
    /// Why.
    pub reason: String,
}

/// A right that is lent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delegation {
    pub(crate) id: String,
    pub(crate) from: String,
    pub(crate) since: Timestamp,
    pub(crate) body: Delegated,
}

impl Delegation {
    pub(crate) fn covers(&self, kind: Kind, now: Timestamp) -> bool {
        let commands = &self.body.commands;
        self.body.until > now && (commands.is_empty() || commands.contains(&kind))
    }

    fn view(&self) -> DelegationView {
        let Delegated {
            to,
            until,
            commands,
            reason,
        } = self.body.clone();
        DelegationView {
            id: self.id.clone(),
            from: self.from.clone(),
            since: self.since,
            to,
            until,
            commands,
            reason,
        }
    }
}

impl Approvals {
    /// Lends one's right to vote. Both must be allowed to vote, and stay so.
    pub async fn delegate(&self, who: &Who, new: NewDelegation) -> Result<DelegationView, Error> {
        check_reason(&new.reason)?;
        self.must(who, Scope::ApprovalsVote)?;
        let from = who.actor.to_string();
        let now = self.clock().now();
        let latest = now.micros().saturating_add(DELEGATION_DAYS_MAX * DAY);
        #[rustfmt::skip]
        let rules = [
            (new.to != from, "nobody lends to oneself"),
            (new.until > now, "it ends in the future"),
            (new.until.micros() <= latest, "it ends within 30 days"),
            (self.may(&who.tenant, &new.to, Scope::ApprovalsVote), "whom it is lent to may not vote"),
        ];
        if let Some((_, wrong)) = rules.into_iter().find(|(holds, _)| !holds) {
            return Err(Error::DelegationMalformed(wrong));
        }
        let kind = ApprovalStepKind::Delegated;
        let made = self
            .database()
            .approval_steps_count(&who.tenant, kind, since(now));
        if made.await? >= u64::from(DELEGATIONS_MAX) {
            return Err(Error::Limit("delegations, at most 1,000 in 30 days"));
        }
        let delegation = Delegation {
            id: self.fresh_id("del"),
            from,
            since: now,
            body: Delegated {
                to: new.to,
                until: new.until,
                commands: new.commands,
                reason: new.reason,
            },
        };
        let place = (delegation.id.as_str(), 1);
        let row = step::row((who, now), place, (kind, COMMAND), &delegation.body)?;
        self.append(who, Step::new("approval.delegate", row))
            .await?;
        Ok(delegation.view())
    }

    /// Takes a lent right back. Votes that were cast by it no longer count.
    pub async fn end_delegation(&self, who: &Who, id: &str, reason: &str) -> Result<(), Error> {
        check_reason(reason)?;
        let now = self.clock().now();
        let all = self.delegations_in_force(&who.tenant, now).await?;
        let own = |known: &&Delegation| known.id == id && known.from == who.actor.to_string();
        all.iter().find(own).ok_or(Error::DelegationUnknown)?;
        let body = Withdrawn {
            reason: reason.to_owned(),
        };
        let kind = ApprovalStepKind::DelegationEnded;
        let row = step::row((who, now), (id, 2), (kind, COMMAND), &body)?;
        self.append(who, Step::new("approval.end_delegation", row))
            .await
    }

    /// The rights that are lent now, newest first.
    pub async fn delegations(&self, tenant: &TenantId) -> Result<Vec<DelegationView>, Error> {
        let now = self.clock().now();
        let all = self.delegations_in_force(tenant, now).await?;
        Ok(all.iter().map(Delegation::view).collect())
    }

    pub(crate) async fn delegations_in_force(
        &self,
        tenant: &TenantId,
        now: Timestamp,
    ) -> Result<Vec<Delegation>, Error> {
        let rows = async |kind| {
            let filter = ApprovalStepFilter {
                kind,
                command: None,
                since: since(now),
                before: None,
            };
            let database = self.database();
            database
                .approval_steps_of_kind(tenant, filter, DELEGATIONS_MAX)
                .await
        };
        let ended = rows(ApprovalStepKind::DelegationEnded).await?;
        let ended: BTreeSet<_> = ended.into_iter().map(|row| row.approval).collect();
        let made = rows(ApprovalStepKind::Delegated).await?;
        let mut all = Vec::new();
        for row in made.iter().filter(|row| !ended.contains(&row.approval)) {
            let body: Delegated = step::body(row)?;
            if body.until > now {
                all.push(Delegation {
                    id: row.approval.clone(),
                    from: row.actor.clone(),
                    since: row.taken_at,
                    body,
                });
            }
        }
        Ok(all)
    }
}

/// No delegation that was made before it is in force.
fn since(now: Timestamp) -> Timestamp {
    Timestamp::from_micros(now.micros().saturating_sub(DELEGATION_DAYS_MAX * DAY))
}
