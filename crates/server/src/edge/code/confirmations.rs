//! Refusals about what payers are asked.

macro_rules! confirmations {
    ($next:ident $($later:ident)*; $($rows:tt)*) => { $next! { $($later)*; $($rows)*
        /// The payer was not asked about this payment.
        ConfirmationUnknown = "confirmation_unknown", NOT_FOUND, "Confirmation unknown";
        /// The payer has answered already, or the time for an answer is over. Read it again.
        ConfirmationState = "confirmation_state", CONFLICT, "Confirmation not in this state";
        /// A payer is asked about one payment five times at most.
        ConfirmationLimit = "confirmation_limit", TOO_MANY_REQUESTS, "Asked too often";
        /// What is asked of the confirmation cannot be; `detail` says what.
        ConfirmationRefused = "confirmation_refused", UNPROCESSABLE_ENTITY, "Confirmation refused";
        /// Too many links were opened from your network. Come again after the stated pause.
        LinkLimit = "link_limit", TOO_MANY_REQUESTS, "Too many links";
    } };
}

pub(super) use confirmations;
