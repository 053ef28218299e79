//! Asking, voting, refusing, taking back.

use super::{
    Error, PolicyChange, Sensitive,
    case::{Act, Case, STEPS_MAX, State},
    rights::Rights,
    sensitive::Payload,
    step::{self, PolicySet, Request, Voted, Withdrawn},
    tally,
    view::{ApprovalView, PolicyView},
};
use crate::{Scope, approval::Approved, approval::Policy};
use paywarden_domain::{TenantId, Timestamp, time::DAY};
use paywarden_store::{
    Actor, ApprovalStepKind, ApprovalStepRow, Clock, Database, Entry, Journal, Purpose, Row,
};
use serde::Serialize;
use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
};

/// The most that a tenant may ask for within 24 hours.
pub(crate) const REQUESTS_MAX: u64 = 1_000;
const TICKET_BYTES_MAX: usize = 128;
const REASON_BYTES_MAX: usize = 256;
/// How often a step is tried again that another one got ahead of.
pub(crate) const TRIES: usize = 4;
/// The approval whose steps are the policies of a tenant.
const POLICY: &str = "policy";

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// For which tenant.
    pub tenant: TenantId,
    /// By which key or account.
    pub actor: Actor,
}

/// What belongs to a request beside the command.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Who made what the command is about, as `key:…` or `staff:…`: they count no more as approvers
    /// than whoever asks.
    pub authors: Vec<String>,
    /// Why, 1 to 256 bytes.
    pub reason: String,
    /// Where it is written up, at most 128 bytes.
    pub ticket: Option<String>,
    /// Until when it can be carried out, if sooner than the policy says.
    pub expires_at: Option<Timestamp>,
}

/// A vote.
#[derive(Debug, Clone)]
pub struct Ballot {
    /// For it, or against it: one refusal by somebody who may vote ends the matter.
    pub approve: bool,
    /// The payload that the voter has seen, as the approval shows it.
    pub payload_sha256: String,
    /// Whose lent right is used; none for one's own.
    pub on_behalf_of: Option<String>,
    /// Why, 1 to 256 bytes.
    pub reason: String,
}

/// The approvals of all tenants. Clones share them.
#[derive(Clone)]
pub struct Approvals(Arc<Inner>);

struct Inner {
    database: Database,
    journal: Journal,
    clock: Clock,
    rights: Rights,
    /// Held while it is looked whether the glass may be broken, and until it is.
    emergency: tokio::sync::Mutex<()>,
    glass_broken: AtomicU64,
    /// Emergencies whose review is overdue and that were told of.
    overdue: Mutex<BTreeSet<String>>,
}

/// A policy and its number.
pub(crate) struct InForce {
    pub(crate) number: i64,
    pub(crate) policy: Policy,
    pub(crate) text: String,
}

/// A step about to be appended, and what its leaf calls it.
pub(crate) struct Step {
    action: &'static str,
    row: ApprovalStepRow,
}

impl Step {
    pub(crate) fn new(action: &'static str, row: ApprovalStepRow) -> Self {
        Self { action, row }
    }
}

impl fmt::Debug for Approvals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Approvals").finish_non_exhaustive()
    }
}

impl Approvals {
    /// The approvals of a store. `rights` tells who may do what.
    pub fn new(database: Database, journal: Journal, clock: Clock, rights: Rights) -> Self {
        Self(Arc::new(Inner {
            database,
            journal,
            clock,
            rights,
            emergency: tokio::sync::Mutex::default(),
            glass_broken: AtomicU64::new(0),
            overdue: Mutex::default(),
        }))
    }

    /// Asks for a command. Whoever asks must be allowed to do what is asked for.
    pub async fn request<T: Sensitive>(
        &self,
        who: &Who,
        command: &T,
        ask: Ask,
    ) -> Result<ApprovalView, Error> {
        check_reason(&ask.reason)?;
        self.must(who, T::KIND.scope())?;
        let payload = Payload::of(command)?;
        let now = self.clock().now();
        let day = Timestamp::from_micros(now.micros().saturating_sub(DAY));
        let kind = ApprovalStepKind::Requested;
        let asked = self.database().approval_steps_count(&who.tenant, kind, day);
        if asked.await? >= REQUESTS_MAX {
            return Err(Error::Limit("requests, at most 1,000 in 24 hours"));
        }
        let object = command.object();
        let lasts = self.lasts(who, T::KIND, &object).await?;
        let latest = Timestamp::from_micros(now.micros().saturating_add(lasts));
        let request = Request {
            object,
            command: payload.value,
            authors: ask.authors,
            reason: ask.reason,
            ticket: checked_ticket(ask.ticket)?,
            expires_at: match ask.expires_at {
                Some(wanted) if wanted <= now => {
                    return Err(Error::Malformed("it expires in the future"));
                }
                Some(wanted) => wanted.min(latest),
                None => latest,
            },
        };
        let id = self.fresh_id("apr");
        let row = step::row((who, now), (&id, 1), (kind, T::KIND.name()), &request)?;
        let step = Step::new("approval.request", row);
        self.append(who, step).await?;
        self.find(who, &id).await
    }

    /// Votes. A vote that would not count is refused with the reason why.
    pub async fn vote(&self, who: &Who, id: &str, ballot: Ballot) -> Result<ApprovalView, Error> {
        check_reason(&ballot.reason)?;
        self.must(who, Scope::ApprovalsVote)?;
        let scene = self.scene(&who.tenant).await?;
        self.step(who, id, |case| {
            case.must_be_open(scene.now)?;
            if case.glass.is_some() {
                return Err(Error::Closed(State::Approved));
            }
            if case.next_step() > STEPS_MAX {
                return Err(Error::Limit("votes on one approval"));
            }
            let vote = Act {
                by: who.actor.to_string(),
                at: scene.now,
                body: Voted {
                    payload_sha256: ballot.payload_sha256.clone(),
                    maker: case.maker().to_owned(),
                    on_behalf_of: ballot.on_behalf_of.clone(),
                    reason: ballot.reason.clone(),
                },
            };
            let (action, kind) = match ballot.approve {
                true => ("approval.vote", ApprovalStepKind::Approved),
                false => ("approval.deny", ApprovalStepKind::Denied),
            };
            let row = self.row(who, case, kind, &vote.body)?;
            match tally::void(case, vote, scene.ground(case)?, ballot.approve) {
                Some(void) => Err(Error::VoteVoid(void)),
                None => Ok(Step::new(action, row)),
            }
        })
        .await
    }

    /// Takes a request back. Only whoever asked can.
    pub async fn withdraw(&self, who: &Who, id: &str, reason: &str) -> Result<ApprovalView, Error> {
        check_reason(reason)?;
        let now = self.clock().now();
        self.step(who, id, |case| {
            if case.maker() != who.actor.to_string() {
                return Err(Error::Forbidden(case.kind().scope()));
            }
            case.must_be_open(now)?;
            let body = Withdrawn {
                reason: reason.to_owned(),
            };
            let row = self.row(who, case, ApprovalStepKind::Withdrawn, &body)?;
            Ok(Step::new("approval.withdraw", row))
        })
        .await
    }

    /// The policy that is in force.
    pub async fn policy(&self, tenant: &TenantId) -> Result<PolicyView, Error> {
        Ok(PolicyView::of(self.in_force(tenant).await?))
    }

    /// Brings another policy into force.
    pub async fn change_policy(
        &self,
        approved: Approved<PolicyChange>,
        reason: &str,
    ) -> Result<PolicyView, Error> {
        check_reason(reason)?;
        let who = approved.who().clone();
        let change = approved.command();
        if self.in_force(&who.tenant).await?.number != change.replaces {
            return Err(Error::PolicyMoved);
        }
        let set = PolicySet {
            text: change.text.clone(),
            approval: approved.approval().unwrap_or_default().to_owned(),
        };
        let at = (&who, self.clock().now());
        let kind = (ApprovalStepKind::PolicySet, PolicyChange::KIND.name());
        let row = step::row(at, (POLICY, change.replaces + 1), kind, &set)?;
        let entry = |_: &PolicyChange| Entry {
            tenant: who.tenant.clone(),
            actor: who.actor.clone(),
            purpose: Purpose::from("approval policy").because(reason),
            action: "approval.policy",
            object: POLICY.to_owned(),
            rows: vec![Row::ApprovalStep(row)],
        };
        approved.carry_out(entry).await?;
        self.policy(&who.tenant).await
    }

    /// The policy that is in force, read each time: it may have changed a moment ago.
    pub(crate) async fn in_force(&self, tenant: &TenantId) -> Result<InForce, Error> {
        let last = self.database().approval_step_last(tenant, POLICY).await?;
        let Some(row) = last else {
            return Ok(InForce {
                number: 0,
                policy: Policy::shipped()?.clone(),
                text: super::policy::SHIPPED.to_owned(),
            });
        };
        let set: PolicySet = step::body(&row)?;
        Ok(InForce {
            number: row.step_no,
            policy: Policy::parse(&set.text)?,
            text: set.text,
        })
    }

    async fn lasts(&self, who: &Who, kind: super::Kind, object: &str) -> Result<i64, Error> {
        let in_force = self.in_force(&who.tenant).await?;
        let clause = in_force.policy.clause(kind, object)?;
        Ok(clause.map_or(DAY, |clause| clause.lasts()))
    }

    /// Takes a step of an approval; again if another one got ahead of it.
    pub(crate) async fn step(
        &self,
        who: &Who,
        id: &str,
        build: impl Fn(&Case) -> Result<Step, Error>,
    ) -> Result<ApprovalView, Error> {
        for _ in 0..TRIES {
            let step = build(&self.case_known_to(who, id).await?)?;
            match self.append(who, step).await {
                Err(Error::Busy) => {}
                Err(error) => return Err(error),
                Ok(()) => return self.find(who, id).await,
            }
        }
        Err(Error::Busy)
    }

    /// An approval, for somebody who may know of it.
    pub(crate) async fn case_known_to(&self, who: &Who, id: &str) -> Result<Case, Error> {
        let case = self.case(&who.tenant, id).await?;
        let scope = case.kind().known_with();
        let actor = who.actor.to_string();
        match scope.is_none_or(|scope| self.may(&who.tenant, &actor, scope)) {
            true => Ok(case),
            false => Err(Error::Unknown),
        }
    }

    pub(crate) async fn case(&self, tenant: &TenantId, id: &str) -> Result<Case, Error> {
        Case::fold(&self.database().approval_steps(tenant, id).await?)
    }

    pub(crate) fn row(
        &self,
        who: &Who,
        case: &Case,
        kind: ApprovalStepKind,
        body: &impl Serialize,
    ) -> Result<ApprovalStepRow, Error> {
        let place = (case.id.as_str(), case.next_step());
        let now = self.clock().now();
        step::row((who, now), place, (kind, case.kind().name()), body)
    }

    /// Writes a step as an entry of its own. Its reason is in the step.
    pub(crate) async fn append(&self, who: &Who, step: Step) -> Result<(), Error> {
        let id = step.row.approval.clone();
        let entry = Entry {
            tenant: who.tenant.clone(),
            actor: who.actor.clone(),
            purpose: Purpose::from("approval").approved_by(id.clone()),
            action: step.action,
            object: id,
            rows: vec![Row::ApprovalStep(step.row)],
        };
        match self.journal().append(entry).await {
            Err(paywarden_store::Error::Conflict { .. }) => Err(Error::Busy),
            Err(error) => Err(error.into()),
            Ok(_) => Ok(()),
        }
    }

    pub(crate) fn must(&self, who: &Who, scope: Scope) -> Result<(), Error> {
        match self.may(&who.tenant, &who.actor.to_string(), scope) {
            true => Ok(()),
            false => Err(Error::Forbidden(scope)),
        }
    }

    /// Whether an actor, `key:…` or `staff:…`, may do something at this moment.
    pub fn may(&self, tenant: &TenantId, actor: &str, scope: Scope) -> bool {
        (self.0.rights)(tenant, actor, scope)
    }

    pub(crate) fn database(&self) -> &Database {
        &self.0.database
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.0.journal
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(crate) fn emergency(&self) -> &tokio::sync::Mutex<()> {
        &self.0.emergency
    }

    pub(crate) fn glass(&self) -> &AtomicU64 {
        &self.0.glass_broken
    }

    /// Held for moments, never while waiting.
    pub(crate) fn overdue(&self) -> MutexGuard<'_, BTreeSet<String>> {
        let overdue = &self.0.overdue;
        overdue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn fresh_id(&self, prefix: &str) -> String {
        let random = u128::from_be_bytes(self.clock().random());
        format!("{prefix}_{:024x}", random >> 32)
    }
}

/// A reason is kept with the step that it is given for.
pub(crate) fn check_reason(reason: &str) -> Result<(), Error> {
    match (1..=REASON_BYTES_MAX).contains(&reason.len()) && !reason.contains('\0') {
        true => Ok(()),
        false => Err(Error::Malformed("a reason has 1 to 256 bytes")),
    }
}

fn checked_ticket(ticket: Option<String>) -> Result<Option<String>, Error> {
    match ticket {
        Some(ticket) if !(1..=TICKET_BYTES_MAX).contains(&ticket.len()) => {
            Err(Error::Malformed("a ticket has 1 to 128 bytes"))
        }
        ticket => Ok(ticket),
    }
}
