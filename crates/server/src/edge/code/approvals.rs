//! Refusals about approvals.

macro_rules! approvals {
    ($next:ident $($later:ident)*; $($rows:tt)*) => { $next! { $($later)*; $($rows)*
        /// The policy asks for approval of this command. Ask for it with `POST /v1/approvals`, have
        /// others vote, and name the approval.
        ApprovalMissing = "approval_missing", CONFLICT, "Approval missing", "缺少审批";
        /// You have had as many rows of this collection today as may be looked at. Ask for an export
        /// with `POST /v1/approvals`, carry it out, and name it as `export`; or go on tomorrow (UTC).
        ExportRequired = "export_required", FORBIDDEN, "Export required", "须走导出流程";
        /// None of your approvals has this identifier.
        ApprovalUnknown = "approval_unknown", NOT_FOUND, "Approval unknown", "审批不存在";
        /// The command that approval is asked for is not accepted; `detail` says why.
        ApprovalCommandMalformed = "approval_command_malformed", UNPROCESSABLE_ENTITY,
            "Command malformed", "审批命令格式有误";
        /// The reason, ticket or expiry is not accepted; `detail` says which.
        ApprovalMalformed = "approval_malformed", UNPROCESSABLE_ENTITY, "Approval malformed", "审批内容格式有误";
        /// You, or whoever asked, lent the right or broke the glass, may not do this now, by the scopes
        /// of the key and the policy.
        ApprovalForbidden = "approval_forbidden", FORBIDDEN, "Not allowed by the policy", "审批策略不允许";
        /// Whoever asked cannot approve or review it, nor lend or borrow a right for it. Have somebody
        /// else do it.
        ApprovalByMaker = "approval_by_maker", FORBIDDEN, "Approval by the maker", "申请人不得审批本人申请";
        /// The payload is not the one that was asked for and voted on. Read the approval again.
        ApprovalOtherPayload = "approval_other_payload", CONFLICT, "Another payload", "审批内容与所批不符";
        /// The two have approved each other as often in 30 days as they may. Have another one vote.
        ApprovalMutual = "approval_mutual", FORBIDDEN, "Mutual approval", "不得互相审批";
        /// You have voted on this already, or the right that you use has been used for it.
        ApprovalRepeated = "approval_repeated", CONFLICT, "Voted already", "已表决";
        /// Not enough votes count at this moment: votes of those who have lost their right do not.
        ApprovalVotes = "approval_votes", CONFLICT, "Too few votes", "表决人数不足";
        /// The approval was carried out before; it is good for once. Ask anew.
        ApprovalUsed = "approval_used", CONFLICT, "Approval used", "审批已使用";
        /// Nobody carried the approval out in time. Ask anew.
        ApprovalExpired = "approval_expired", CONFLICT, "Approval expired", "审批已过期";
        /// The approval was refused or taken back, or it needs no votes because the glass is broken.
        ApprovalClosed = "approval_closed", CONFLICT, "Approval closed", "审批已关闭";
        /// Somebody else acted on the approval at the same time. Read it again and retry.
        ApprovalBusy = "approval_busy", CONFLICT, "Approval busy", "审批正在处理";
        /// A limit on requests, votes or delegations is reached; `detail` says which.
        ApprovalLimit = "approval_limit", CONFLICT, "Approval limit", "审批数量达到上限";
        /// The policy lets nobody carry this command out without votes.
        BreakGlassForbidden = "break_glass_forbidden", FORBIDDEN, "No emergency for this", "此项不适用紧急操作";
        /// An earlier emergency of yours waits for its review, or one of your company is overdue.
        ApprovalReviewOpen = "approval_review_open", CONFLICT, "Review open", "事后复核未完成";
        /// This approval was no emergency, or it is reviewed already.
        ApprovalNothingToReview = "approval_nothing_to_review", CONFLICT, "Nothing to review", "没有待复核事项";
        /// The delegation is not accepted; `detail` says why.
        DelegationMalformed = "delegation_malformed", UNPROCESSABLE_ENTITY, "Delegation malformed", "委托格式有误";
        /// No delegation in force has this identifier and is yours, or none lends you the right.
        DelegationUnknown = "delegation_unknown", NOT_FOUND, "Delegation unknown", "委托不存在";
        /// The policy is not accepted; `detail` says why.
        ApprovalPolicyRefused = "approval_policy_refused", UNPROCESSABLE_ENTITY, "Policy refused", "审批策略未被接受";
        /// Another policy has come into force since the change was asked for. Ask anew.
        ApprovalPolicyMoved = "approval_policy_moved", CONFLICT, "Policy moved", "审批策略已被他人修改";
    } };
}

pub(super) use approvals;
