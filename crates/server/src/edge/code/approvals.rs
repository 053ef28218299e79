//! Refusals about approvals.

macro_rules! approvals {
    ($next:ident $($later:ident)*; $($rows:tt)*) => { $next! { $($later)*; $($rows)*
        /// The policy asks for approval of this command. Ask for it with `POST /v1/approvals`, have
        /// others vote, and name the approval.
        ApprovalMissing = "approval_missing", CONFLICT, "Approval missing";
        /// You have had as many rows of this collection today as may be looked at. Ask for an export
        /// with `POST /v1/approvals`, carry it out, and name it as `export`; or go on tomorrow (UTC).
        ExportRequired = "export_required", FORBIDDEN, "Export required";
        /// None of your approvals has this identifier.
        ApprovalUnknown = "approval_unknown", NOT_FOUND, "Approval unknown";
        /// The command that approval is asked for is not accepted; `detail` says why.
        ApprovalCommandMalformed = "approval_command_malformed", UNPROCESSABLE_ENTITY,
            "Command malformed";
        /// The reason, ticket or expiry is not accepted; `detail` says which.
        ApprovalMalformed = "approval_malformed", UNPROCESSABLE_ENTITY, "Approval malformed";
        /// You, or whoever asked, lent the right or broke the glass, may not do this now, by the scopes
        /// of the key and the policy.
        ApprovalForbidden = "approval_forbidden", FORBIDDEN, "Not allowed by the policy";
        /// Whoever asked cannot approve or review it, nor lend or borrow a right for it. Have somebody
        /// else do it.
        ApprovalByMaker = "approval_by_maker", FORBIDDEN, "Approval by the maker";
        /// The payload is not the one that was asked for and voted on. Read the approval again.
        ApprovalOtherPayload = "approval_other_payload", CONFLICT, "Another payload";
        /// The two have approved each other as often in 30 days as they may. Have another one vote.
        ApprovalMutual = "approval_mutual", FORBIDDEN, "Mutual approval";
        /// You have voted on this already, or the right that you use has been used for it.
        ApprovalRepeated = "approval_repeated", CONFLICT, "Voted already";
        /// Not enough votes count at this moment: votes of those who have lost their right do not.
        ApprovalVotes = "approval_votes", CONFLICT, "Too few votes";
        /// The approval was carried out before; it is good for once. Ask anew.
        ApprovalUsed = "approval_used", CONFLICT, "Approval used";
        /// Nobody carried the approval out in time. Ask anew.
        ApprovalExpired = "approval_expired", CONFLICT, "Approval expired";
        /// The approval was refused or taken back, or it needs no votes because the glass is broken.
        ApprovalClosed = "approval_closed", CONFLICT, "Approval closed";
        /// Somebody else acted on the approval at the same time. Read it again and retry.
        ApprovalBusy = "approval_busy", CONFLICT, "Approval busy";
        /// A limit on requests, votes or delegations is reached; `detail` says which.
        ApprovalLimit = "approval_limit", CONFLICT, "Approval limit";
        /// The policy lets nobody carry this command out without votes.
        BreakGlassForbidden = "break_glass_forbidden", FORBIDDEN, "No emergency for this";
        /// An earlier emergency of yours waits for its review, or one of your company is overdue.
        ApprovalReviewOpen = "approval_review_open", CONFLICT, "Review open";
        /// This approval was no emergency, or it is reviewed already.
        ApprovalNothingToReview = "approval_nothing_to_review", CONFLICT, "Nothing to review";
        /// The delegation is not accepted; `detail` says why.
        DelegationMalformed = "delegation_malformed", UNPROCESSABLE_ENTITY, "Delegation malformed";
        /// No delegation in force has this identifier and is yours, or none lends you the right.
        DelegationUnknown = "delegation_unknown", NOT_FOUND, "Delegation unknown";
        /// The policy is not accepted; `detail` says why.
        ApprovalPolicyRefused = "approval_policy_refused", UNPROCESSABLE_ENTITY, "Policy refused";
        /// Another policy has come into force since the change was asked for. Ask anew.
        ApprovalPolicyMoved = "approval_policy_moved", CONFLICT, "Policy moved";
    } };
}

pub(super) use approvals;
