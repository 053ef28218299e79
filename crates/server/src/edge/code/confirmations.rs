//! Refusals about what payers are asked.

macro_rules! confirmations {
    ($next:ident $($later:ident)*; $($rows:tt)*) => { $next! { $($later)*; $($rows)*
        /// The payer was not asked about this payment.
        ConfirmationUnknown = "confirmation_unknown", NOT_FOUND, "Confirmation unknown", "确认码不存在";
        /// The payer has answered already, or the time for an answer is over. Read it again.
        ConfirmationState = "confirmation_state", CONFLICT, "Confirmation not in this state", "确认码当前状态不允许此操作";
        /// A payer is asked about one payment five times at most.
        ConfirmationLimit = "confirmation_limit", TOO_MANY_REQUESTS, "Asked too often", "请求确认码过于频繁";
        /// What is asked of the confirmation cannot be; `detail` says what.
        ConfirmationRefused = "confirmation_refused", UNPROCESSABLE_ENTITY, "Confirmation refused", "确认未通过";
        /// Too many links were opened from your network. Come again after the stated pause.
        LinkLimit = "link_limit", TOO_MANY_REQUESTS, "Too many links", "链接过多";
    } };
}

pub(super) use confirmations;
