//! Which votes count at this moment.
//!
//! Nothing is remembered of an earlier count: a vote that was good when it was cast counts at use
//! only if whoever cast it may still do so then.

use super::{
    Clause, Kind,
    case::{Act, Case},
    delegation::Delegation,
    step::Voted,
};
use crate::Scope;
use paywarden_domain::Timestamp;
use serde::Serialize;
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// Why a vote does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Void {
    /// Whoever asked, or made what it is about, cannot approve, nor lend or borrow a right for it.
    Maker,
    /// It names another payload.
    Payload,
    /// Whoever voted, or lent the right, may not approve this now.
    Right,
    /// Whoever voted may do something that the policy keeps apart from approving.
    Conflict,
    /// The policy counts members of staff alone.
    Person,
    /// No right is lent to the voter for this now.
    Delegation,
    /// The two have approved each other as often as the policy allows.
    Mutual,
    /// The same right was used for this already.
    Repeated,
}

impl Void {
    /// In a few words.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Maker => {
                "whoever asked, or made it, cannot approve, nor lend or borrow a right for it"
            }
            Self::Payload => "it names another payload",
            Self::Right => "the voter, or whoever lent the right, may not approve this now",
            Self::Conflict => "the voter may do what the policy keeps apart from approving",
            Self::Person => "the policy counts members of staff alone",
            Self::Delegation => "no right is lent to the voter for this now",
            Self::Mutual => "the two have approved each other as often as the policy allows",
            Self::Repeated => "the same right was used for this already",
        }
    }
}

/// What may be done now: asked of whoever keeps keys and accounts.
pub(crate) type May<'g> = &'g (dyn Fn(&str, Scope) -> bool + 'g);

/// A vote for an approval within the time that the mutual limit looks back on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PastVote {
    pub(crate) approval: String,
    pub(crate) by: String,
    pub(crate) on_behalf_of: Option<String>,
    pub(crate) maker: String,
}

/// Everything that a count depends on beside the approval itself.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'g> {
    pub(crate) clause: Option<&'g Clause>,
    pub(crate) may: May<'g>,
    pub(crate) delegations: &'g [Delegation],
    pub(crate) past: &'g [PastVote],
    pub(crate) now: Timestamp,
}

/// A count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Votes that are needed.
    pub(crate) needed: u8,
    /// Of each vote, in order, why it does not count.
    pub(crate) votes: Vec<Option<Void>>,
}

impl Tally {
    /// How many votes count.
    pub(crate) fn counted(&self) -> u8 {
        let counted = self.votes.iter().filter(|void| void.is_none()).count();
        u8::try_from(counted).unwrap_or(u8::MAX)
    }

    pub(crate) fn is_enough(&self) -> bool {
        self.counted() >= self.needed
    }

    /// Why others do not count.
    pub(crate) fn void(&self) -> Vec<Void> {
        self.votes.iter().copied().flatten().collect()
    }
}

/// Counts the votes of an approval.
pub(crate) fn tally(case: &Case, ground: Ground<'_>) -> Tally {
    let mut rights = BTreeSet::new();
    let votes = case.votes.iter().map(|vote| {
        let void = check(case, vote, ground);
        void.or_else(|| {
            // Each person once, and each right once, whoever used it.
            let repeated = persons(vote).any(|person| rights.contains(person));
            rights.extend(persons(vote).filter(|_| !repeated));
            repeated.then_some(Void::Repeated)
        })
    });
    let votes = votes.collect();
    let needed = ground.clause.map_or(0, |clause| clause.approvers);
    Tally { needed, votes }
}

/// Why a vote would not count. Refusing needs the same right; how often two have approved each
/// other does not matter for it.
pub(crate) fn void(
    case: &Case,
    vote: Act<Voted>,
    ground: Ground<'_>,
    approve: bool,
) -> Option<Void> {
    if !approve {
        return check(case, &vote, ground).filter(|void| *void != Void::Mutual);
    }
    let mut with = case.clone();
    with.votes.push(vote);
    tally(&with, ground).votes.pop().flatten()
}

/// Why a vote by itself does not count.
pub(crate) fn check(case: &Case, vote: &Act<Voted>, ground: Ground<'_>) -> Option<Void> {
    let Ground { clause, may, .. } = ground;
    let any_may = |scope: &Scope| persons(vote).any(|person| may(person, *scope));
    let lender = vote.body.on_behalf_of.as_deref().unwrap_or(&vote.by);
    let right = clause.map_or(Scope::ApprovalsVote, |clause| clause.approver);
    let conflicts = clause.map_or(&[][..], |clause| &clause.conflicts);
    let staff_only = clause.is_some_and(|clause| clause.staff_only);
    let all_may_vote = persons(vote).all(|person| may(person, Scope::ApprovalsVote));
    #[rustfmt::skip]
    let voids = [
        (persons(vote).any(|person| case.is_made_by(person)), Void::Maker),
        (vote.body.payload_sha256 != case.payload_sha256, Void::Payload),
        (staff_only && !persons(vote).all(is_staff), Void::Person),
        (!is_lent(case.kind(), vote, ground), Void::Delegation),
        (!all_may_vote || !may(lender, right) || !sees(case.kind(), &vote.by, may), Void::Right),
        (conflicts.iter().any(any_may), Void::Conflict),
        (mutual(case, vote, ground), Void::Mutual),
    ];
    voids
        .into_iter()
        .find_map(|(broken, void)| broken.then_some(void))
}

/// Whoever voted, and whoever lent the right.
pub(crate) fn persons(vote: &Act<Voted>) -> impl Iterator<Item = &str> {
    std::iter::once(vote.by.as_str()).chain(vote.body.on_behalf_of.as_deref())
}

/// Whether somebody may see everything that a command of this kind is about: nobody votes on what
/// is hidden from them.
fn sees(kind: Kind, person: &str, may: May<'_>) -> bool {
    let data = kind.customer_data();
    data.is_none_or(|data| may(person, data.seen_with))
}

fn is_staff(person: &str) -> bool {
    person.starts_with("staff:")
}

/// Whether a right that is not the voter's own is lent to the voter.
fn is_lent(kind: Kind, vote: &Act<Voted>, ground: Ground<'_>) -> bool {
    let Some(lender) = vote.body.on_behalf_of.as_deref() else {
        return true;
    };
    let lends = |delegation: &Delegation| {
        delegation.from == lender
            && delegation.body.to == vote.by
            && delegation.covers(kind, ground.now)
    };
    lender != vote.by && ground.delegations.iter().any(lends)
}

/// Whether the maker and somebody of this vote have approved each other too often: the smaller of
/// what each approved of the other's, this vote included.
fn mutual(case: &Case, vote: &Act<Voted>, ground: Ground<'_>) -> bool {
    let Some(most) = ground.clause.and_then(|clause| clause.mutual_max) else {
        return false;
    };
    let approved = |voter: &str, maker: &str| -> BTreeSet<&str> {
        let fits = |past: &&PastVote| {
            let voted = past.by == voter || past.on_behalf_of.as_deref() == Some(voter);
            voted && past.maker == maker
        };
        let past = ground.past.iter().filter(fits);
        past.map(|past| past.approval.as_str()).collect()
    };
    persons(vote).any(|person| {
        let mut there = approved(person, case.maker());
        there.insert(&case.id);
        let back = approved(case.maker(), person);
        there.len().min(back.len()) > usize::from(most)
    })
}

#[cfg(test)]
mod tests;
