//! Refusals about alerts and cases.

macro_rules! work {
    ($next:ident $($later:ident)*; $($rows:tt)*) => { $next! { $($later)*; $($rows)*
        /// No security alert of your company has this identifier.
        AlertUnknown = "alert_unknown", NOT_FOUND, "Alert unknown";
        /// No alert or case of a queue that you see has this identifier.
        WorkItemUnknown = "work_item_unknown", NOT_FOUND, "Alert or case unknown";
        /// The alert or case stands where this cannot be done; `detail` says where. Read it again.
        WorkItemState = "work_item_state", CONFLICT, "Alert or case not in this state";
        /// Somebody else works on it; `detail` says who. Have it released or assigned first.
        WorkItemTaken = "work_item_taken", CONFLICT, "Somebody else works on it";
        /// It was changed since you read it: of two who change at once one is refused. Read it again.
        WorkItemChanged = "work_item_changed", CONFLICT, "Changed in between";
        /// The alert is about you: somebody else decides about it.
        OwnAlert = "own_alert", FORBIDDEN, "Alert about yourself";
        /// The alert is closed, or acknowledged already. Read it again.
        AlertState = "alert_state", CONFLICT, "Alert not in this state";
        /// The account was suspended by a security alert. Whoever decides about alerts closes it first.
        AccountUnderReview = "account_under_review", CONFLICT, "Account under review";
    } };
}

pub(super) use work;
