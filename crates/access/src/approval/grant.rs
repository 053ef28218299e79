//! The value that lets a command take effect, once.

use super::{
    Approvals, Error, Sensitive,
    case::{Case, State},
    desk::{TRIES, Who},
    page::Scene,
    sensitive::Payload,
    step::{self, Spent, Used},
    tally,
};
use paywarden_domain::{Timestamp, time::DAY};
use paywarden_store::{ApprovalStepKind, ApprovalStepRow, Entry, Row};
use std::fmt;

/// A command that may take effect: it is approved, or the policy in force asks for no approval.
///
/// ```compile_fail,E0451
/// use paywarden_access::approval::{Approved, PolicyChange};
/// // Nobody outside can build one: its fields are private.
/// fn forge(command: PolicyChange, of: Approved<PolicyChange>) -> Approved<PolicyChange> {
///     Approved { command, ..of }
/// }
/// ```
///
/// Nor can one be copied, and used for another effect:
///
/// ```compile_fail,E0599
/// use paywarden_access::approval::{Approved, PolicyChange};
/// fn twice(one: Approved<PolicyChange>) -> (Approved<PolicyChange>, Approved<PolicyChange>) {
///     (one.clone(), one)
/// }
/// ```
#[must_use = "an approved command has no effect before it is carried out"]
pub struct Approved<T> {
    command: T,
    approval: Option<String>,
    who: Who,
    approvals: Approvals,
}

impl<T: fmt::Debug> fmt::Debug for Approved<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Approved")
            .field("command", &self.command)
            .field("approval", &self.approval)
            .field("who", &self.who)
            .finish_non_exhaustive()
    }
}

/// A command that has taken effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarriedOut<T> {
    /// The command.
    pub command: T,
    /// When it took effect.
    pub at: Timestamp,
}

impl Approvals {
    /// The command of an approval, to be carried out by `who`, if enough votes count now.
    pub async fn claim<T: Sensitive>(&self, who: &Who, id: &str) -> Result<Approved<T>, Error> {
        let command = self.case_known_to(who, id).await?.payload.command()?;
        self.admit(who, command, Some(id)).await
    }

    /// A command at hand: by the approval that is named, which must be for this very payload, or
    /// without one, if the policy asks for none.
    pub async fn admit<T: Sensitive>(
        &self,
        who: &Who,
        command: T,
        approval: Option<&str>,
    ) -> Result<Approved<T>, Error> {
        self.settle(who, &command, approval).await?;
        Ok(Approved {
            command,
            approval: approval.map(ToOwned::to_owned),
            who: who.clone(),
            approvals: self.clone(),
        })
    }

    /// A command that was carried out by this approval, for whoever did so and may still ask for
    /// such commands.
    pub async fn carried_out<T: Sensitive>(
        &self,
        who: &Who,
        id: &str,
    ) -> Result<CarriedOut<T>, Error> {
        self.must(who, T::KIND.scope())?;
        let case = self.case_known_to(who, id).await?;
        let command = case.payload.command()?;
        let now = self.clock().now();
        let Some(used) = case.used else {
            return Err(Error::Closed(case.end(now).unwrap_or(State::Open)));
        };
        match used.by == who.actor.to_string() {
            true => Ok(CarriedOut {
                command,
                at: used.at,
            }),
            false => Err(Error::Forbidden(T::KIND.scope())),
        }
    }

    /// The step that belongs to the effect, or why there may be none: everything is looked at as
    /// it is now.
    async fn settle<T: Sensitive>(
        &self,
        who: &Who,
        command: &T,
        approval: Option<&str>,
    ) -> Result<Option<ApprovalStepRow>, Error> {
        let payload = Payload::of(command)?;
        let Some(id) = approval else {
            return self.spend(who, command).await;
        };
        let scene = self.scene(&who.tenant).await?;
        let case = self.case(&who.tenant, id).await?;
        if case.payload_sha256 != payload.sha256() {
            return Err(Error::OtherPayload);
        }
        case.must_be_open(scene.now)?;
        self.must(who, T::KIND.scope())?;
        let used = Used {
            approvers: approvers(&case, who, &scene)?,
            policy: scene.in_force.number,
        };
        self.row(who, &case, ApprovalStepKind::Used, &used)
            .map(Some)
    }

    /// A command without approval: nothing asks for one, or the day has some left.
    async fn spend<T: Sensitive>(
        &self,
        who: &Who,
        command: &T,
    ) -> Result<Option<ApprovalStepRow>, Error> {
        let in_force = self.in_force(&who.tenant).await?;
        let clause = in_force.policy.clause(T::KIND, &command.object())?;
        let Some(clause) = clause.filter(|clause| clause.approvers > 0) else {
            return Ok(None);
        };
        let now = self.clock().now();
        let ledger = format!("free_{}_{}", clause.id, now.micros().div_euclid(DAY));
        let last = self.database().approval_step_last(&who.tenant, &ledger);
        let (number, before) = match last.await? {
            Some(row) => (row.step_no, step::body::<Spent>(&row)?.total),
            None => (0, 0),
        };
        let total = before.saturating_add(command.weight());
        if total > u32::from(clause.free_per_day) {
            return Err(Error::Missing {
                needed: clause.approvers,
            });
        }
        let (place, kind) = ((ledger.as_str(), number + 1), ApprovalStepKind::Spent);
        step::row((who, now), place, (kind, T::KIND.name()), &Spent { total }).map(Some)
    }
}

/// Whose votes count for the use of an approval; nobody's in an emergency.
fn approvers(case: &Case, who: &Who, scene: &Scene<'_>) -> Result<Vec<String>, Error> {
    let scope = case.kind().scope();
    if !scene.may(case.maker(), scope) {
        return Err(Error::Forbidden(scope));
    }
    let ground = scene.ground(case)?;
    if let Some(glass) = &case.glass {
        let scope = ground.clause.and_then(|clause| clause.break_glass);
        let scope = scope.ok_or(Error::NoBreakGlass)?;
        return match glass.by == who.actor.to_string() && scene.may(&glass.by, scope) {
            true => Ok(Vec::new()),
            false => Err(Error::Forbidden(scope)),
        };
    }
    let tally = tally::tally(case, ground);
    if !tally.is_enough() {
        return Err(Error::TooFewVotes {
            counted: tally.counted(),
            needed: tally.needed,
            void: tally.void(),
        });
    }
    let votes = case.votes.iter().zip(&tally.votes);
    let counted = votes.filter(|(_, void)| void.is_none());
    Ok(counted.map(|(vote, _)| vote.by.clone()).collect())
}

impl<T> Approved<T> {
    /// What may take effect. Reading it is for preparing the effect.
    pub fn command(&self) -> &T {
        &self.command
    }

    /// The approval; none if the policy asked for none.
    pub fn approval(&self) -> Option<&str> {
        self.approval.as_deref()
    }

    /// Who carries it out.
    pub fn who(&self) -> &Who {
        &self.who
    }
}

impl<T: Sensitive> Approved<T> {
    /// Lets the command take effect: `build` makes the entry that does it, and the approval is
    /// used up in the same entry. Votes are counted again at this moment, however long ago the
    /// approval was claimed. Gives the command back once it is durable.
    ///
    /// A second use is [`Error::Used`], also of two at once.
    pub async fn carry_out(self, build: impl FnOnce(&T) -> Entry) -> Result<T, Error> {
        let Self {
            command,
            approval,
            who,
            approvals,
        } = self;
        let mut effect = build(&command);
        if effect.tenant != who.tenant {
            return Err(Error::Unknown);
        }
        if let Some(id) = &approval {
            effect.purpose = effect.purpose.approved_by(id.clone());
        }
        let mut conflict = None;
        for _ in 0..TRIES {
            let step = approvals
                .settle(&who, &command, approval.as_deref())
                .await?;
            let raced = step.is_some();
            let mut entry = effect.clone();
            entry.rows.extend(step.map(Row::ApprovalStep));
            match approvals.journal().append(entry).await {
                Ok(_) => return Ok(command),
                // Somebody acted on the approval at the same time, or the effect itself is refused.
                Err(error @ paywarden_store::Error::Conflict { .. }) if raced => {
                    conflict = Some(error);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(conflict.map_or(Error::Busy, Error::Store))
    }
}
