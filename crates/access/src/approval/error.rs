//! What can go wrong with approvals, named by what the caller can do about it.

use super::{case::State, tally::Void};

/// Why an approval was not given, or did not let a command take effect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Name an approval of the caller's own tenant.
    #[error("no approval has this identifier")]
    Unknown,
    /// Ask for approval first, and name it.
    #[error("the policy asks for {needed} approvals of this command: ask for them first")]
    Missing {
        /// How many.
        needed: u8,
    },
    /// Mend the command that is asked for.
    #[error("the command is not accepted: {0}")]
    CommandMalformed(String),
    /// Mend the reason, the ticket, the expiry or what else belongs to the call.
    #[error("{0}")]
    Malformed(&'static str),
    /// The key or account lacks a right that this needs.
    #[error("this needs the right {0}")]
    Forbidden(crate::Scope),
    /// Have somebody else do it.
    #[error("whoever asked for it, or acted in the emergency, cannot do this")]
    ByMaker,
    /// Look at the approval again and vote on what it says now.
    #[error("the vote names another payload than the one that is asked for")]
    OtherPayload,
    /// The vote would not count.
    #[error("this vote does not count: {}", .0.meaning())]
    VoteVoid(Void),
    /// More approvers have to vote.
    #[error("{counted} of {needed} votes count{}", why(.void))]
    TooFewVotes {
        /// Votes that count now.
        counted: u8,
        /// Votes that the policy asks for now.
        needed: u8,
        /// Why others do not count.
        void: Vec<Void>,
    },
    /// Ask anew: an approval is used once.
    #[error("the approval was used already")]
    Used,
    /// Ask anew.
    #[error("the approval has expired")]
    Expired,
    /// Ask anew, if it is still wanted.
    #[error("the approval is {}", .0.name())]
    Closed(State),
    /// Read the approval again: somebody acted at the same moment.
    #[error("somebody else acted on this approval at the same time")]
    Busy,
    /// Wait until fewer are under way.
    #[error("no room for more {0}")]
    Limit(&'static str),
    /// The policy lets nobody do this without votes.
    #[error("the policy lets nobody carry this out without votes")]
    NoBreakGlass,
    /// Have the earlier emergency reviewed first.
    #[error("an earlier emergency waits for its review")]
    ReviewOpen,
    /// There is nothing to review.
    #[error("this approval was not an emergency, or it is reviewed already")]
    NothingToReview,
    /// Mend the delegation.
    #[error("the delegation is not accepted: {0}")]
    DelegationMalformed(&'static str),
    /// Name a delegation of one's own that is in force.
    #[error("no delegation of yours has this identifier")]
    DelegationUnknown,
    /// Mend the policy.
    #[error("the policy is not accepted: {0}")]
    PolicyRefused(String),
    /// Look at the policy that is in force now and ask for its change.
    #[error("another policy has come into force meanwhile")]
    PolicyMoved,
    /// What is stored does not read back: an operator must look at it.
    #[error("a stored approval does not read back: {0}")]
    Damaged(String),
    /// See the store's error.
    #[error(transparent)]
    Store(#[from] paywarden_store::Error),
}

impl Error {
    /// Stable code for replies and metrics.
    pub fn code(&self) -> &'static str {
        use paywarden_store::Error as Store;
        match self {
            Self::Unknown => "approval_unknown",
            Self::Missing { .. } => "approval_missing",
            Self::CommandMalformed(_) => "approval_command_malformed",
            Self::Malformed(_) => "approval_malformed",
            Self::Forbidden(_) => "approval_forbidden",
            Self::ByMaker | Self::VoteVoid(Void::Maker) => "approval_by_maker",
            Self::OtherPayload | Self::VoteVoid(Void::Payload) => "approval_other_payload",
            Self::VoteVoid(Void::Right | Void::Conflict | Void::Person) => "approval_forbidden",
            Self::VoteVoid(Void::Delegation) => "delegation_unknown",
            Self::VoteVoid(Void::Mutual) => "approval_mutual",
            Self::VoteVoid(Void::Repeated) => "approval_repeated",
            Self::TooFewVotes { .. } => "approval_votes",
            Self::Used => "approval_used",
            Self::Expired => "approval_expired",
            Self::Closed(_) => "approval_closed",
            Self::Busy => "approval_busy",
            Self::Limit(_) => "approval_limit",
            Self::NoBreakGlass => "break_glass_forbidden",
            Self::ReviewOpen => "approval_review_open",
            Self::NothingToReview => "approval_nothing_to_review",
            Self::DelegationMalformed(_) => "delegation_malformed",
            Self::DelegationUnknown => "delegation_unknown",
            Self::PolicyRefused(_) => "approval_policy_refused",
            Self::PolicyMoved => "approval_policy_moved",
            Self::Damaged(_) | Self::Store(Store::Corrupt { .. }) => "record_damaged",
            Self::Store(Store::Overloaded) => "overloaded",
            Self::Store(_) => "store_unavailable",
        }
    }
}

fn why(void: &[Void]) -> String {
    let reasons: Vec<_> = void.iter().map(|void| void.meaning()).collect();
    match reasons.is_empty() {
        true => String::new(),
        false => format!("; of the others: {}", reasons.join("; ")),
    }
}
