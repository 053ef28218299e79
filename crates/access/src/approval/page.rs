//! Reading approvals: one, a page of them, the reviews that are open.

use super::{
    Approvals, Error, Kind,
    case::{Case, State},
    delegation::Delegation,
    desk::{InForce, Who},
    step::{self, Voted},
    tally::{Ground, PastVote},
    view::ApprovalView,
};
use crate::Scope;
use paywarden_domain::{TenantId, Timestamp, time::DAY};
use paywarden_store::{ApprovalStepFilter, ApprovalStepKind, ApprovalStepRow};

/// How far back the mutual limit looks.
const MUTUAL_DAYS: i64 = 30;
/// Votes read at a time.
const VOTES: u32 = 1_000;
/// The most requests that one page looks at to find those in the wanted state.
const SCANNED_MAX: usize = 1_000;

/// Which approvals are asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct PageFilter {
    /// In which state; any if not given.
    pub state: Option<State>,
    /// About which kind of command; any if not given.
    pub command: Option<Kind>,
}

/// A page of approvals, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct ApprovalPage {
    /// The approvals.
    pub approvals: Vec<ApprovalView>,
    /// Continue behind this one.
    pub next: Option<(Timestamp, String)>,
}

/// Who may do what, of one tenant.
type MayNow<'s> = Box<dyn Fn(&str, Scope) -> bool + Send + Sync + 's>;

/// Everything at one moment that counts of votes depend on.
pub(crate) struct Scene<'s> {
    pub(crate) now: Timestamp,
    pub(crate) in_force: InForce,
    may: MayNow<'s>,
    delegations: Vec<Delegation>,
    past: Vec<PastVote>,
}

impl Scene<'_> {
    pub(crate) fn ground(&self, case: &Case) -> Result<Ground<'_>, Error> {
        Ok(Ground {
            clause: self.in_force.policy.clause(case.kind(), case.object())?,
            may: &*self.may,
            delegations: &self.delegations,
            past: &self.past,
            now: self.now,
        })
    }

    /// Whether somebody may do something.
    pub(crate) fn may(&self, actor: &str, scope: Scope) -> bool {
        (self.may)(actor, scope)
    }
}

impl Approvals {
    /// One of the approvals of the reader's tenant, as the reader may see it.
    pub async fn find(&self, reader: &Who, id: &str) -> Result<ApprovalView, Error> {
        let case = self.case_known_to(reader, id).await?;
        let scene = self.scene(&reader.tenant).await?;
        ApprovalView::of(case, &scene, &reader.actor.to_string())
    }

    /// A page of the approvals of the reader's tenant, newest first; behind `before`, at most `limit` (up to 100).
    /// A page may be short of its limit and yet have a next one, because no page looks at more
    /// than 1,000.
    pub async fn page(
        &self,
        reader: &Who,
        filter: PageFilter,
        before: Option<(Timestamp, String)>,
        limit: u32,
    ) -> Result<ApprovalPage, Error> {
        let (tenant, by) = (&reader.tenant, reader.actor.to_string());
        let scene = self.scene(tenant).await?;
        let (mut approvals, mut next, mut scanned) = (Vec::new(), before, 0);
        loop {
            let wanted = ApprovalStepFilter {
                kind: ApprovalStepKind::Requested,
                command: filter.command.map(Kind::name),
                since: Timestamp::from_micros(i64::MIN),
                before: next.as_ref().map(|(time, id)| (*time, id.as_str())),
            };
            let database = self.database();
            let rows = database.approval_steps_of_kind(tenant, wanted, limit);
            let rows = rows.await?;
            let ended = rows.len() < limit as usize;
            for row in rows {
                scanned += 1;
                next = Some((row.taken_at, row.approval.clone()));
                let view = match self.case_known_to(reader, &row.approval).await {
                    Err(Error::Unknown) => None,
                    case => Some(ApprovalView::of(case?, &scene, &by)?),
                };
                let is_wanted =
                    |view: &ApprovalView| filter.state.is_none_or(|state| state == view.state);
                approvals.extend(view.filter(is_wanted));
                if approvals.len() == limit as usize || scanned == SCANNED_MAX {
                    return Ok(ApprovalPage { approvals, next });
                }
            }
            if ended {
                let next = None;
                return Ok(ApprovalPage { approvals, next });
            }
        }
    }

    /// The emergencies that wait for their review, oldest first, at most `limit` (up to 1,000).
    pub async fn open_reviews(&self, reader: &Who, limit: u32) -> Result<Vec<ApprovalView>, Error> {
        let (tenant, by) = (&reader.tenant, reader.actor.to_string());
        let scene = self.scene(tenant).await?;
        let mut views = Vec::new();
        for row in self.database().approvals_unreviewed(tenant, limit).await? {
            let case = match self.case_known_to(reader, &row.approval).await {
                Err(Error::Unknown) => continue,
                case => case?,
            };
            views.push(ApprovalView::of(case, &scene, &by)?);
        }
        Ok(views)
    }

    pub(crate) async fn scene<'s>(&'s self, tenant: &'s TenantId) -> Result<Scene<'s>, Error> {
        let now = self.clock().now();
        Ok(Scene {
            now,
            in_force: self.in_force(tenant).await?,
            may: Box::new(|actor, scope| self.may(tenant, actor, scope)),
            delegations: self.delegations_in_force(tenant, now).await?,
            past: self.past_votes(tenant, now).await?,
        })
    }

    /// Every vote for an approval that the mutual limit looks at.
    async fn past_votes(&self, tenant: &TenantId, now: Timestamp) -> Result<Vec<PastVote>, Error> {
        let since = now.micros().saturating_sub(MUTUAL_DAYS * DAY);
        let (mut past, mut last) = (Vec::new(), None::<(Timestamp, String)>);
        loop {
            let filter = ApprovalStepFilter {
                kind: ApprovalStepKind::Approved,
                command: None,
                since: Timestamp::from_micros(since),
                before: last.as_ref().map(|(time, id)| (*time, id.as_str())),
            };
            let rows = self
                .database()
                .approval_steps_of_kind(tenant, filter, VOTES);
            let rows = rows.await?;
            let Some(row) = rows.last() else {
                return Ok(past);
            };
            last = Some((row.taken_at, row.approval.clone()));
            for row in rows {
                past.push(past_vote(row)?);
            }
        }
    }
}

fn past_vote(row: ApprovalStepRow) -> Result<PastVote, Error> {
    let body: Voted = step::body(&row)?;
    Ok(PastVote {
        approval: row.approval,
        by: row.actor,
        on_behalf_of: body.on_behalf_of,
        maker: body.maker,
    })
}
