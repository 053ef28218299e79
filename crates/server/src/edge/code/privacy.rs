//! Refusals about people and their data.

macro_rules! privacy {
    ($next:ident $($later:ident)*; $($rows:tt)*) => { $next! { $($later)*; $($rows)*
        /// The notice is not accepted; `detail` says what to mend.
        NoticeRefused = "notice_refused", UNPROCESSABLE_ENTITY, "Notice refused", "隐私声明未被接受";
        /// No notice of yours has this name and version. `GET /v1/notices` lists them.
        NoticeUnknown = "notice_unknown", NOT_FOUND, "Notice unknown", "隐私声明不存在";
        /// Another version was published at the same moment. Read it, then publish yours anew.
        NoticeMoved = "notice_moved", CONFLICT, "Notice changed meanwhile", "隐私声明已被他人修改";
        /// The consent is not accepted; `detail` says what to mend.
        ConsentRefused = "consent_refused", UNPROCESSABLE_ENTITY, "Consent refused", "同意记录未被接受";
        /// The person has given no consent that could be withdrawn.
        ConsentUnknown = "consent_unknown", NOT_FOUND, "Consent unknown", "同意记录不存在";
        /// Nothing is kept of a person with this pseudonym. Give your own identifier of them.
        SubjectUnknown = "subject_unknown", NOT_FOUND, "Person unknown", "个人不存在";
        /// The person stands so already: nothing was changed. `GET /v1/consents/{subject}` shows how.
        SubjectUnchanged = "subject_unchanged", CONFLICT, "Nothing changed", "没有变化";
        /// A hold keeps what is to be erased; `detail` names it. Lift it first by
        /// `POST /v1/subjects/holds`.
        SubjectHeld = "subject_held", CONFLICT, "Kept by a hold", "因保全而保留";
        /// No request of a person has this identifier. `GET /v1/subjects/requests` lists them.
        SubjectRequestUnknown = "subject_request_unknown", NOT_FOUND, "Request of a person unknown", "个人请求不存在";
        /// The request of a person does not take this step where it stands: it is answered, overdue, or
        /// was given more time; `detail` says which.
        SubjectRequestState = "subject_request_state", CONFLICT, "Request of a person stands elsewhere", "个人请求当前状态不允许此操作";
        /// 10,000 requests of persons have no answer. Answer some first.
        SubjectRequestLimit = "subject_request_limit", TOO_MANY_REQUESTS, "Too many open requests", "未办结请求过多";
        /// The company has a retention run under way; `detail` names it. Let it end, or stop it.
        RetentionOpen = "retention_open", CONFLICT, "Retention run under way", "清理任务正在进行";
        /// No retention run has this identifier. `GET /v1/retention/runs` lists them.
        RetentionUnknown = "retention_unknown", NOT_FOUND, "Retention run unknown", "清理任务不存在";
        /// The retention run does not take this step where it stands; `detail` says where that is.
        RetentionState = "retention_state", CONFLICT, "Retention run stands elsewhere", "清理任务当前状态不允许此操作";
        /// Nothing ends that was not counted: name a run with `dry_run` that is done, not older than
        /// seven days and by the privacy policy in force.
        RetentionNotCounted = "retention_not_counted", CONFLICT, "Not counted", "尚未清点";
        /// The time of the grant is over. Ask for another.
        RevealOver = "reveal_over", FORBIDDEN, "Grant over", "查看授权已结束";
        /// Every look of the grant was taken. Ask for another.
        RevealSpent = "reveal_spent", FORBIDDEN, "Grant spent", "查看授权已用完";
        /// You were shown many different persons today. `Retry-After` says when the next one may be
        /// looked at; the wait doubles with each. Whoever goes on all the same is suspended.
        RevealThrottled = "reveal_throttled", TOO_MANY_REQUESTS, "Shown too many persons", "查看人数过多";
        /// The privacy policy is not accepted; `detail` says what to mend.
        PrivacyPolicyRefused = "privacy_policy_refused", UNPROCESSABLE_ENTITY,
            "Privacy policy refused", "隐私策略未被接受";
        /// Another privacy policy has come into force. Read it and ask for its change.
        PrivacyPolicyMoved = "privacy_policy_moved", CONFLICT, "Privacy policy changed meanwhile", "隐私策略已被他人修改";
        /// The privacy policy knows no such purpose. `GET /v1/privacy-policy` lists those it knows.
        PurposeUnknown = "purpose_unknown", UNPROCESSABLE_ENTITY, "Purpose unknown", "用途不存在";
        /// This data is not kept for this purpose. State another one, or have the policy attach it.
        PurposeNotForData = "purpose_not_for_data", FORBIDDEN, "Not for this purpose", "此用途不适用该数据";
        /// No clause of a notice in force tells people of this purpose and data; `detail` names the
        /// clause. Publish it by `POST /v1/notices`.
        PurposeNotNotified = "purpose_not_notified", FORBIDDEN, "Nobody was told", "未曾告知当事人";
        /// A rule of the privacy policy forbids it; `detail` names the rule.
        PurposeForbidden = "purpose_forbidden", FORBIDDEN, "Forbidden by the policy", "策略禁止此用途";
        /// The policy names no lawful basis for this purpose where the person lives. Add one.
        LawfulBasisMissing = "lawful_basis_missing", FORBIDDEN, "No lawful basis", "缺少合法依据";
        /// The person has not agreed to this purpose. Ask, and record the answer by
        /// `POST /v1/consents`.
        ConsentMissing = "consent_missing", FORBIDDEN, "Consent missing", "缺少同意";
        /// The person has withdrawn consent to this purpose. Stop, or ask anew.
        ConsentWithdrawn = "consent_withdrawn", FORBIDDEN, "Consent withdrawn", "同意已撤回";
        /// The person agreed for a time that is over. Ask anew.
        ConsentExpired = "consent_expired", FORBIDDEN, "Consent expired", "同意已过期";
        /// The notice has changed since the person agreed, and asks anew. Show it and ask.
        ConsentOutdated = "consent_outdated", FORBIDDEN, "Consent outdated", "同意版本已过时";
        /// The person has objected to this purpose. Leave this data alone.
        SubjectObjected = "subject_objected", FORBIDDEN, "Person objects", "当事人已反对";
        /// The person has had handling restricted; only purposes that the policy marks
        /// `while_restricted` go on.
        SubjectRestricted = "subject_restricted", FORBIDDEN, "Handling restricted", "处理受限";
    } };
}

pub(super) use privacy;
